import Foundation
import QueryEngine
import Testing

/// Result files: their bytes, and reading them back.
@Suite("Results") struct ResultTests {
  /// A statement's rows as JSON.
  final class Lines: ResultConsumer {
    private(set) var schema = Schema([])
    private(set) var lines: [String] = []

    func begin(_ schema: Schema) { self.schema = schema }

    func receive(_ batch: Batch) {
      let texts = batch.columns.map(ResultText.init)
      for row in 0..<batch.rowCount {
        var bytes: [UInt8] = []
        for text in texts {
          text.appendJSON(row, to: &bytes)
          bytes.append(0x20)
        }
        lines.append(String(decoding: bytes, as: UTF8.self))
      }
    }
  }

  /// Every type with a value and a NULL.
  static let everyType: SQLStatement = """
    SELECT * FROM (VALUES
      (true, TINYINT '-1', SMALLINT '7', 5, BIGINT '9', REAL '1.5', 1e100, DECIMAL '-12.50', 'a"b,c' || chr(10) || 'd',
       CAST('x' AS char(3)), X'00ff1a', DATE '2024-02-29', TIME '01:02:03.456', TIME '01:02:03.456-08:00',
       TIMESTAMP '2024-02-29 01:02:03.123456', TIMESTAMP '2024-02-29 01:02:03.000 Europe/Berlin',
       INTERVAL '-2 03:04:05.678' DAY TO SECOND, INTERVAL '3-4' YEAR TO MONTH, JSON '{"a":[1,null]}',
       UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59', IPADDRESS '2001:db8::1', nan(), ''),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL)) t
    """

  static let nested: SQLStatement = """
    SELECT ARRAY[1, NULL] AS a, MAP(ARRAY['x'], ARRAY[DECIMAL '2.50']) AS m, CAST(ROW(1, 'q, r') AS ROW(a int, b varchar)) AS r,
      ARRAY[JSON '{"a":1}'] AS j, ROW('unnamed') AS u, ARRAY[ARRAY[''], NULL] AS s, 1 AS a
    """

  private static func rows(_ statement: SQLStatement, typed: Bool, in home: URL) async throws -> (given: Lines, read: Lines) {
    let engine = try EngineTesting.engine(home: home)
    var options = StatementOptions()
    options.writesTypedResults = typed
    let (given, read) = (Lines(), Lines())
    let statistics = try engine.session().run(statement, options, into: given)
    // Another engine, as another process would have.
    let history = try EngineTesting.engine(home: home).history
    try history.readResult(of: history.find(statistics.queryID), into: read)
    return (given, read)
  }

  @Test(arguments: [false, true]) func everyTypeComesBack(typed: Bool) async throws {
    try await EngineTesting.withFolder { home in
      let (given, read) = try await Self.rows(Self.everyType, typed: typed, in: home)
      #expect(given.lines.count == 2)
      #expect(read.lines == given.lines)
      #expect(read.schema == given.schema)
    }
  }

  @Test func nestedTypesComeBackFromTheTwin() async throws {
    try await EngineTesting.withFolder { home in
      let (given, read) = try await Self.rows(Self.nested, typed: true, in: home)
      #expect(read.lines == given.lines)
      let text = try await Self.rows(Self.nested, typed: false, in: home).read
      #expect(text.schema.fields.map(\.type).dropLast().allSatisfy { $0 == .text })
      #expect(text.lines[0].hasPrefix("\"[1, null]\" \"{x=2.50}\" \"{a=1, b=q, r}\""))
    }
  }

  @Test func oddResultsComeBack() async throws {
    try await EngineTesting.withFolder { home in
      for statement: SQLStatement in [
        "SELECT 1 AS x WHERE false", "VALUES NULL, '', 'a'", "SHOW DATABASES", "SELECT x, cast(x AS varchar) FROM UNNEST(sequence(1, 5000)) t(x)",
        "EXPLAIN SELECT 1",
      ] {
        let (given, read) = try await Self.rows(statement, typed: false, in: home)
        #expect(read.lines == given.lines, "\(statement)")
      }
    }
  }

  /// The bytes of Athena's own file for a column `ary` of an array.
  ///
  /// - Source: stackoverflow.com/questions/55991018, a hexdump.
  @Test func metadataIsAthenas() async throws {
    try await EngineTesting.withFolder { home in
      let session = try EngineTesting.engine(home: home).session()
      let statistics = try await session.run("SELECT ARRAY[1, 2] AS ary").statistics
      let bytes = try Data(contentsOf: URL(filePath: #require(statistics.resultLocation) + ".metadata"))
      let engineID = String(decoding: bytes[2..<29], as: UTF8.self)
      #expect(engineID.wholeMatch(of: /\d{8}_\d{6}_\d{5}_[a-z2-9]{5}/) != nil)
      let columns: [UInt8] = [
        0x22, 0x19, 0x0a, 0x04, 0x68, 0x69, 0x76, 0x65, 0x22, 0x03, 0x61, 0x72, 0x79, 0x2a, 0x03, 0x61, 0x72, 0x79, 0x32, 0x05, 0x61,
        0x72, 0x72, 0x61, 0x79, 0x48, 0x03,
      ]
      #expect(Array(bytes) == [0x0a, 0x1b] + Array(engineID.utf8) + columns)
    }
  }

  /// What the columns are is also told by the file alone.
  @Test func metadataTellsTheColumns() async throws {
    try await EngineTesting.withFolder { home in
      let history = try EngineTesting.engine(home: home).history
      let statistics = try await EngineTesting.engine(home: home).session()
        .run("SELECT CAST(1 AS decimal(12,2)) d, 'x' v, BIGINT '3' b, REAL '2' f").statistics
      var record = try history.find(String(statistics.queryID.prefix(8)))
      record.statistics.resultColumns = nil
      let lines = Lines()
      try history.readResult(of: record, into: lines)
      #expect(lines.schema.fields.map(\.type.description) == ["decimal(12,2)", "varchar(1)", "bigint", "real"])
      #expect(lines.lines == ["1.00 \"x\" 3 2.0 "])
    }
  }

  @Test func whatHasNoResultIsToldSo() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      let failed = try engine.session().start("SELECT nothing_here")
      _ = try? await failed.finish()
      #expect(throws: QueryError.self) { try engine.history.readResult(of: engine.history.find(failed.id), into: Lines()) }
      #expect(throws: QueryError.self) { try engine.history.find("no such id") }
      let statistics = try await engine.session().run("SELECT 1").statistics
      // A file that was cut is no result.
      let file = try #require(statistics.resultLocation)
      try "\"_col0\"\n\"1".write(toFile: file, atomically: true, encoding: .utf8)
      #expect(throws: QueryError.self) { try engine.history.readResult(of: engine.history.find(statistics.queryID), into: Lines()) }
    }
  }
}
