import Foundation
import QueryEngine
import Testing

/// Rows of text files that cannot be read: fail, null, skip, collect.
@Suite("Bad rows") struct BadRowsTests {
  /// Rows 2 and 4 are good; 3 has a wrong number, 5 too many fields, 6 a wrong date.
  private static let csv = "id,day,name\n1,2024-01-01,a\nx7,2024-01-02,b\n3,2024-01-03,c\n4,2024-01-04,d,e\n5,never,f\n"
  private static let json = """
    {"id": 1, "day": "2024-01-01", "tags": ["a"]}
    {"id": "x7", "day": "2024-01-02", "tags": []}
    {"id": 3, "day":
    {"id": 4, "day": "2024-01-04", "tags": 5}
    {"id": 5, "day": "never", "tags": null}
    {"id": 6, "day": "2024-01-06", "tags": ["b", "c"]}

    """

  private func run(
    _ sql: String, _ policy: SessionDefaults.BadRowPolicy, limit: Int? = nil, batchSize: Int? = nil, in folder: URL
  ) async throws -> (rows: [String], statistics: QueryStatistics) {
    try Data(Self.csv.utf8).write(to: folder.appending(path: "data.csv"))
    try FileManager.default.createDirectory(at: folder.appending(path: "j"), withIntermediateDirectories: true)
    try Data(Self.json.utf8).write(to: folder.appending(path: "j/data.json"))
    var configuration = EngineConfiguration(home: folder.path)
    configuration.testing.batchSize = batchSize
    var defaults = SessionDefaults()
    defaults.badRows = policy
    defaults.badRowLimit = limit
    let session = try Engine(configuration).session(defaults)
    let table = "\(Self.jsonTable) '\(folder.path)/j/'"
    _ = try await session.run(SQLStatement(table))
    let text = sql.replacing("$CSV", with: Self.csvTable).replacing("$", with: folder.path + "/").replacing("\u{1}", with: "$")
    let result = try await session.run(SQLStatement(text))
    var rows: [String] = []
    for batch in result.batches {
      let texts = batch.columns.map(ResultText.init)
      for row in 0..<batch.rowCount {
        rows.append(
          texts.map { text in
            if text.isNull(row) { return "NULL" }
            var bytes: [UInt8] = []
            text.append(row, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
          }.joined(separator: "|"))
      }
    }
    return (rows, result.statistics)
  }

  private static let csvTable =
    "TABLE(read_csv('$data.csv', header => true, types => MAP(ARRAY['id', 'day', 'name'], ARRAY['bigint', 'date', 'varchar'])))"
  /// Objects of a declared table: of files without one, samples are read first.
  private static let jsonTable = """
    CREATE EXTERNAL TABLE IF NOT EXISTS j (id bigint, day date, tags array<string>)
    ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION
    """

  @Test func failing() async throws {
    try await EngineTesting.withFolder { folder in
      do {
        _ = try await run("SELECT * FROM $CSV", .fail, batchSize: 1, in: folder)
        Issue.record("no error")
      } catch let error as QueryError {
        #expect(error.code == .hiveBadData)
        #expect(error.data?.row == 3 && error.data?.column == "id" && error.data?.value == "x7" && error.data?.byteOffset == 27)
        let drawn = ErrorRenderer.render(error, sql: nil)
        #expect(drawn.contains("\nx7,2024-01-02,b\n^^"), "\(drawn)")
      }
    }
  }

  @Test(arguments: [nil, 1, 2]) func nulls(_ batchSize: Int?) async throws {
    try await EngineTesting.withFolder { folder in
      let csv = try await run("SELECT * FROM $CSV", .null, batchSize: batchSize, in: folder)
      #expect(csv.rows == ["1|2024-01-01|a", "NULL|2024-01-02|b", "3|2024-01-03|c", "NULL|NULL|NULL", "5|NULL|f"])
      #expect(csv.statistics.badRows == 3)
      #expect(csv.statistics.notes.contains { $0.hasPrefix("3 rows have values that cannot be read") })
      let json = try await run("SELECT id, day, tags FROM j", .null, batchSize: batchSize, in: folder)
      #expect(
        json.rows == [
          "1|2024-01-01|[a]", "NULL|2024-01-02|[]", "NULL|NULL|NULL", "4|2024-01-04|NULL", "5|NULL|NULL", "6|2024-01-06|[b, c]",
        ])
      #expect(json.statistics.badRows == 4)
    }
  }

  @Test(arguments: [nil, 1, 2]) func skips(_ batchSize: Int?) async throws {
    try await EngineTesting.withFolder { folder in
      let csv = try await run("SELECT * FROM $CSV", .skip, batchSize: batchSize, in: folder)
      #expect(csv.rows == ["1|2024-01-01|a", "3|2024-01-03|c"])
      #expect(csv.statistics.badRows == 3)
      let json = try await run("SELECT id, day, tags FROM j", .skip, batchSize: batchSize, in: folder)
      #expect(json.rows == ["1|2024-01-01|[a]", "6|2024-01-06|[b, c]"])
      // Conditions see no NULL in place of what is left out.
      let filtered = try await run("SELECT name FROM $CSV WHERE id IS NULL OR day IS NULL", .skip, batchSize: batchSize, in: folder)
      #expect(filtered.rows.isEmpty)
      // Only columns that are asked for are looked at.
      let names = try await run("SELECT name FROM $CSV", .skip, batchSize: batchSize, in: folder)
      #expect(names.rows == ["a", "b", "c", "f"])
      #expect(names.statistics.badRows == 1)
    }
  }

  @Test func limits() async throws {
    try await EngineTesting.withFolder { folder in
      let within = try await run("SELECT * FROM $CSV", .skip, limit: 3, in: folder)
      #expect(within.rows.count == 2)
      await #expect(throws: QueryError.self) { _ = try await run("SELECT * FROM $CSV", .skip, limit: 2, in: folder) }
    }
  }

  @Test func collects() async throws {
    try await EngineTesting.withFolder { folder in
      let query = "CREATE EXTERNAL TABLE t (id int, name string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION '$t/'"
      try FileManager.default.createDirectory(at: folder.appending(path: "t"), withIntermediateDirectories: true)
      try Data("1,a\nx7,\"b, c\"\n3,d\n".utf8).write(to: folder.appending(path: "t/part.csv"))
      _ = try await run(query, .collect, in: folder)
      let collected = try await run("SELECT * FROM t", .collect, in: folder)
      #expect(collected.rows == ["1|a", "3|d"])
      // Another engine over the same home sees them, too.
      let rejects = try await run(
        #"SELECT "row", byte, "column", value, record FROM "t$rejects""#.replacing("t$rejects", with: "t\u{1}rejects"), .fail, in: folder)
      #expect(rejects.rows == ["2|4|id|x7|x7,\"b, c\""])
    }
  }
}
