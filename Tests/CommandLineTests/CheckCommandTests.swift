import Foundation
import Testing

/// `sqlq check`: each finding on something that has it, and none on something that has not.
@Suite("sqlq check") struct CheckCommandTests {
  private static func codes(_ things: [String], home: URL) throws -> Set<String> {
    let outcome = try SubcommandTests.run("check", ["--output-format", "csv"] + things, home: home)
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    return Set(outcome.output.split(separator: "\n").compactMap { $0.split(separator: ",").dropFirst().first.map(String.init) })
  }

  @Test(arguments: [
    ("SELECT 1", []), ("SELECT a FROM (VALUES 1) t(a) GROUP BY ALL", ["COLUMN_NOT_FOUND"]),
    ("SELECT * EXCEPT (a) FROM (VALUES (1, 2)) t(a, b)", ["EXTENSION_SYNTAX"]),
    ("SELECT array_first(ARRAY[1])", ["EXTENSION_FUNCTION"]), ("SELEC", ["SYNTAX_ERROR"]), ("SELECT nothing", ["COLUMN_NOT_FOUND"]),
  ]) func statements(_ sql: String, _ codes: [String]) throws {
    try SQLQProcess.withHome { home in
      let found = try Self.codes([sql], home: home)
      #expect(found == Set(codes))
    }
  }

  @Test(arguments: [
    ("a,b\n1,x\n", []), ("a,b\n1,\"x\ny\"\n", ["CSV_EMBEDDED_NEWLINE", "CSV_QUOTES"]), ("a,b\n1,\"x \"\"y\"\"\"\n2,z\n", ["CSV_QUOTES"]),
    ("a,b\r\n1,x\r\n", ["CARRIAGE_RETURN"]), ("\u{FEFF}a,b\n1,x\n", ["BYTE_ORDER_MARK"]), ("a b,A,a\n1,2,3\n", ["COLUMN_NAME"]),
  ]) func textFiles(_ text: String, _ codes: [String]) throws {
    try SQLQProcess.withHome { home in
      let data = home.appending(path: "data")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      try text.write(to: data.appending(path: "a.csv"), atomically: true, encoding: .utf8)
      let found = try Self.codes([data.path], home: home)
      #expect(found == Set(codes))
    }
  }

  @Test func foldersOfOddFiles() throws {
    try SQLQProcess.withHome { home in
      func folder(_ name: String, _ files: [String: String]) throws -> String {
        for (path, text) in files {
          let file = home.appending(path: name).appending(path: path)
          try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
          try text.write(to: file, atomically: true, encoding: .utf8)
        }
        return home.appending(path: name).path
      }
      let csv = "a,b\n1,x\n"
      for (name, files, code) in [
        ("mixed", ["a.csv": csv, "b.json": "{\"a\":1}\n"], "MIXED_FORMATS"), ("stray", ["a.csv": csv, "README.md": "hi"], "STRAY_FILE"),
        ("loose", ["dt=1/a.csv": csv, "b.csv": csv], "LOOSE_FILE"), ("case", ["Dt=1/a.csv": csv], "PARTITION_KEY_CASE"),
        ("array", ["a.json": "[{\"a\":1},\n{\"a\":2}]\n"], "JSON_ARRAY"), ("pretty", ["a.json": "{\n\"a\": 1\n}\n"], "JSON_OVER_LINES"),
      ] {
        let found = try Self.codes([folder(name, files)], home: home)
        #expect(found.contains(code), "\(name): \(found)")
      }
    }
  }

  @Test func tables() throws {
    try SQLQProcess.withHome { home in
      let data = home.appending(path: "data")
      for day in ["1", "2"] {
        try FileManager.default.createDirectory(at: data.appending(path: "dt=\(day)"), withIntermediateDirectories: true)
        try "id,name\n1,x\n".write(to: data.appending(path: "dt=\(day)/a.csv"), atomically: true, encoding: .utf8)
      }
      func define(_ rest: String) throws {
        let columns = "(id int, name string) PARTITIONED BY (dt int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
        let outcome = try SQLQProcess.run(["CREATE EXTERNAL TABLE t \(columns) LOCATION '\(data.path)/' \(rest)"], home: home)
        #expect(outcome.exitCode == 0, "\(outcome.errors)")
      }
      try define("")
      var found = try Self.codes(["t"], home: home)
      #expect(found == ["UNREGISTERED_PARTITIONS", "HEADER_AS_DATA"])
      _ = try SQLQProcess.run(["MSCK REPAIR TABLE t; ALTER TABLE t SET TBLPROPERTIES ('skip.header.line.count' = '1')"], home: home)
      found = try Self.codes(["default.t"], home: home)
      #expect(found.isEmpty)
      // A statement is told of its tables, too.
      found = try Self.codes(["SELECT * FROM t"], home: home)
      #expect(found == ["NO_PARTITION_FILTER"])
      try FileManager.default.removeItem(at: data.appending(path: "dt=2"))
      found = try Self.codes(["t"], home: home)
      #expect(found == ["MISSING_FOLDER"])
      _ = try SQLQProcess.run(["DROP TABLE t"], home: home)
      try define(
        "TBLPROPERTIES ('skip.header.line.count' = '1', 'projection.enabled' = 'true', 'projection.dt.type' = 'integer', 'projection.dt.range' = '5,9')"
      )
      found = try Self.codes(["t"], home: home)
      #expect(found == ["PROJECTION_GAP"])
    }
  }
}
