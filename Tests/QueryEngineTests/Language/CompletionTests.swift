import Foundation
import QueryEngine
import Testing

/// What is offered at the place of `|` in a text.
@Suite("Completion") struct CompletionTests {
  private func withSession(_ body: (Session, URL) throws -> Void) async throws {
    try await EngineTesting.withFolder { folder in
      let session = try EngineTesting.engine(home: folder).session()
      for sql in [
        "CREATE EXTERNAL TABLE orders (id bigint, city string, \"total\" double) PARTITIONED BY (dt string, region string) LOCATION '\(folder.path)/o'",
        "CREATE EXTERNAL TABLE customers (id bigint, name string) LOCATION '\(folder.path)/c'", "CREATE DATABASE other",
        "CREATE VIEW other.busy AS SELECT 1 AS one, 2 AS two", "CREATE VIEW \"Odd Name\" AS SELECT 1 AS \"select\"",
        "ALTER TABLE orders ADD PARTITION (dt='2024-01-01', region='eu') PARTITION (dt='2024-01-01', region='us') PARTITION (dt='2024-02-01', region='asia') PARTITION (dt='2023-12-31', region='eu')",
      ] {
        try session.run(SQLStatement(sql.replacing("\"total\"", with: "total")), into: ResultCollector())
      }
      try body(session, folder)
    }
  }

  private func items(_ marked: String, _ session: Session) -> [String] {
    let parts = marked.split(separator: "|", omittingEmptySubsequences: false)
    let found = session.completions(for: parts.joined(), at: parts[0].utf8.count, within: 60_000)
    return found.items.map(\.text)
  }

  @Test func statements() async throws {
    try await withSession { session, _ in
      #expect(items("sel|", session) == ["select"])
      #expect(items("SELECT 1; SH|", session) == ["SHOW"])
      #expect(items("SELECT 1 -- com|", session) == [])
      #expect(items("USE o|", session) == ["other"])
      #expect(items("SHOW TAB|", session) == ["TABLES"])
      #expect(items("SET SESSION query_max_r|", session) == ["query_max_run_time"])
    }
  }

  @Test func relations() async throws {
    try await withSession { session, _ in
      #expect(items("SELECT * FROM ord|", session) == ["orders"])
      #expect(items("SELECT * FROM o|", session) == ["\"odd name\"", "orders", "other"])
      #expect(items("SELECT * FROM orders, cust|", session) == ["customers"])
      #expect(items("SELECT * FROM orders o JOIN c|", session) == ["customers"])
      #expect(items("SELECT * FROM other.|", session) == ["busy"])
      #expect(items("SELECT * FROM \"Odd|", session) == ["\"odd name\""])
      #expect(items("WITH recent AS (SELECT 1) SELECT * FROM rec|", session) == ["recent"])
      #expect(items("DESCRIBE cust|", session) == ["customers"])
    }
  }

  /// Columns of the tables of the query around the place, also of FROM typed before.
  @Test func columns() async throws {
    try await withSession { session, _ in
      #expect(items("SELECT ci| FROM orders", session).first == "city")
      #expect(items("SELECT na| FROM orders", session).contains("name") == false)
      #expect(items("SELECT o.| FROM orders o JOIN customers c ON true", session) == ["id", "city", "total", "dt", "region"])
      #expect(items("SELECT c.na| FROM orders o JOIN customers c ON true", session) == ["name"])
      #expect(items("SELECT * FROM orders WHERE to|", session).first == "total")
      #expect(items("SELECT busy.t| FROM other.busy", session) == ["two"])
      #expect(items("SELECT sel| FROM \"odd name\"", session).first == "\"select\"")
    }
  }

  @Test func subqueriesAndNamedQueries() async throws {
    try await withSession { session, _ in
      #expect(items("WITH r AS (SELECT id, total * 2 AS twice FROM orders) SELECT r.| FROM r", session) == ["id", "twice"])
      #expect(items("WITH r AS (SELECT * FROM customers) SELECT r.na| FROM r", session) == ["name"])
      #expect(items("SELECT s.| FROM (SELECT city AS town, dt FROM orders) s", session) == ["town", "dt"])
      // Outer columns are seen from within.
      #expect(items("SELECT * FROM orders WHERE EXISTS (SELECT 1 FROM customers WHERE customers.id = tot|)", session).first == "total")
      // Those of another branch of UNION are not.
      #expect(!items("SELECT name FROM customers UNION SELECT na| FROM orders", session).contains("name"))
    }
  }

  @Test func functions() async throws {
    try await withSession { session, _ in
      #expect(items("SELECT approx_dis|", session) == ["approx_distinct"])
      #expect(items("SELECT APPROX_DIS|", session) == ["APPROX_DISTINCT"])
      let help = session.functionHelp(for: "SELECT substr(city, ", at: 20)
      #expect(help?.name == "substr")
      #expect(help?.signatures.contains("substr(varchar, bigint, bigint)") == true)
      #expect(session.functionHelp(for: "SELECT substr(city) ", at: 20) == nil)
    }
  }

  @Test func partitionValues() async throws {
    try await withSession { session, folder in
      #expect(items("SELECT * FROM orders WHERE dt = '2024-0|", session) == ["'2024-01-01'", "'2024-02-01'"])
      #expect(items("SELECT * FROM orders WHERE dt = '2024-0|'", session) == ["'2024-01-01", "'2024-02-01"])
      #expect(items("SELECT * FROM orders WHERE dt = |", session) == ["'2023-12-31'", "'2024-01-01'", "'2024-02-01'"])
      #expect(items("SELECT * FROM orders o WHERE o.dt IN ('2023-12-31', '2024-02|", session) == ["'2024-02-01'"])
      #expect(items("SELECT * FROM orders WHERE dt BETWEEN '2024-01-01' AND '20|", session).count == 3)
      #expect(items("SELECT * FROM orders WHERE region = '|", session) == ["'asia'", "'eu'", "'us'"])
      #expect(items("SELECT * FROM orders WHERE dt = '2024-01-01' AND region = '|", session) == ["'eu'", "'us'"])
      #expect(items("SELECT * FROM orders WHERE city = '|", session) == [])
      // Of folders without a table.
      for name in ["y=2023/m=1", "y=2024/m=1", "y=2024/m=12"] {
        try FileManager.default.createDirectory(at: folder.appending(path: "data/" + name), withIntermediateDirectories: true)
      }
      #expect(items("SELECT * FROM '\(folder.path)/data/' WHERE y = '20|", session) == ["'2023'", "'2024'"])
      #expect(items("SELECT * FROM '\(folder.path)/data/' WHERE y = '2024' AND m = '1|", session) == ["'1'", "'12'"])
    }
  }

  @Test func paths() async throws {
    try await withSession { session, folder in
      for name in ["my data.csv", "my_folder/x.csv", "other.json", ".hidden"] {
        let file = folder.appending(path: "files/" + name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("a,b\n1,2\n".utf8).write(to: file)
      }
      let base = folder.path + "/files/"
      #expect(items("SELECT * FROM '\(base)m|", session) == ["my_folder/", "my data.csv"])
      #expect(items("SELECT * FROM '\(base)o|'", session) == ["other.json"])
      #expect(items("SELECT * FROM TABLE(read_csv('\(base)my_|", session) == ["my_folder/"])
      // Not every text is a path.
      #expect(items("SELECT * FROM orders WHERE city = 'm|", session) == [])
      let open = session.completions(for: "SELECT * FROM '\(base)oth", at: "SELECT * FROM '\(base)oth".utf8.count, within: 60_000)
      #expect(open.items.first?.suffix == "'")
    }
  }

  /// Texts of any kind, cut anywhere, are answered.
  @Test func unfinishedTexts() async throws {
    try await withSession { session, _ in
      let text =
        "WITH a(x) AS (SELECT 'it''s' FROM \"t\"), b AS (((SELECT /* c */ 1e5))) SELECT a.b.c, f(x, [1][2]) FROM a, (b) WHERE x IN ('1', '2') AND y BETWEEN 1 AND :p;"
      for place in 0...text.utf8.count {
        _ = session.completions(for: text, at: place)
        _ = session.completions(for: String(text.prefix(place)), at: place)
        _ = session.functionHelp(for: text, at: place)
      }
      for odd in ["", ";", "''", "'", "\"", ")", "((((", "FROM", "FROM (", "a.b.", "...", "WITH", "WITH AS (", ", , ,", "= ", "IN (", "ß.é"] {
        for place in 0...odd.utf8.count { _ = session.completions(for: odd, at: place) }
      }
    }
  }
}
