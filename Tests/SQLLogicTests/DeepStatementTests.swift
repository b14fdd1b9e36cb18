import QueryEngine
import QueryErrors
import Testing

/// Statements as deep or as wide as programs write them: they answer, or say that they are too large.
@Suite("deep statements") struct DeepStatementTests {
  private static func session() throws -> Session {
    var configuration = EngineConfiguration()
    configuration.threads = 1
    return try Engine(configuration).session()
  }

  private static func joined(_ count: Int, _ separator: String, _ item: (Int) -> String) -> String {
    (0..<count).map(item).joined(separator: separator)
  }

  /// Statements that answer, with the number of their rows.
  private static let answered: [(name: String, sql: String, rowCount: Int)] = [
    ("320 relations", "SELECT count(*) FROM " + joined(320, ", ") { "(VALUES 1) t\($0)(a)" }, 1),
    (
      // More than a word has bits: no condition is lost.
      "80 relations and their keys",
      "SELECT t0.a FROM " + joined(80, ", ") { "(VALUES 1, 2) t\($0)(a)" } + " WHERE "
        + joined(79, " AND ") { "t\($0).a = t\($0 + 1).a" }, 2
    ),
    (
      "a star of 70 relations",
      "SELECT t0.a FROM " + joined(70, ", ") { "(VALUES 1, 2) t\($0)(a)" } + " WHERE "
        + joined(69, " AND ") { "t0.a = t\($0 + 1).a" } + " AND t1.a + t2.a + t3.a > 3", 1
    ),
    ("INTERSECT", joined(2000, " INTERSECT ") { _ in "SELECT 1" }, 1),
    ("EXCEPT", "SELECT 1 EXCEPT " + joined(1000, " EXCEPT ") { "SELECT \($0 + 2)" }, 1),
    ("EXCEPT ALL", "SELECT * FROM (VALUES 1, 1, 1) EXCEPT ALL " + joined(20, " EXCEPT ALL ") { _ in "SELECT 2" }, 3),
    (
      "WITH queries of which each reads the one before twice",
      "WITH c0 AS (SELECT 1 a)"
        + joined(40, "") { ", c\($0 + 1) AS (SELECT x.a FROM c\($0) x JOIN c\($0) y ON x.a = y.a)" } + " SELECT * FROM c40", 1
    ),
    (
      "lambdas in lambdas",
      "SELECT " + joined(40, "") { _ in "cardinality(transform(ARRAY[1], x -> " } + "1" + joined(40, "") { _ in "))" }, 1
    ),
    ("subqueries", "SELECT " + joined(60, ", ") { "(SELECT max(b) FROM (VALUES 1, 2) u(b) WHERE b < a + \($0))" } + " FROM (VALUES 1) t(a)", 1),
  ]

  @Test(arguments: answered.indices) func answers(_ index: Int) async throws {
    let (name, sql, rowCount) = Self.answered[index]
    let result = try await Self.session().run(SQLStatement(sql))
    #expect(result.rowCount == rowCount, "\(name)")
  }

  /// Statements that are too large at some length: no signal, whatever the length.
  private static let deep: [(name: String, sql: @Sendable (Int) -> String)] = [
    (
      "WITH",
      { n in
        "WITH c0 AS (SELECT 1 a)" + joined(n, "") { ", c\($0 + 1) AS (SELECT a + 1 AS a FROM c\($0) ORDER BY a LIMIT 5)" }
          + " SELECT * FROM c\(n)"
      }
    ),
    ("set operations", { n in "SELECT 1" + joined(n, "") { _ in " UNION SELECT 1 EXCEPT SELECT 2" } }),
    (
      "joins",
      { n in
        "SELECT count(*) FROM (VALUES 1) t0(a)" + joined(n, "") { " LEFT JOIN (VALUES 1) t\($0 + 1)(a) ON t\($0).a = t\($0 + 1).a" }
      }
    ),
    ("subqueries in FROM", { n in joined(n, "") { _ in "SELECT * FROM (" } + "SELECT 1" + joined(n, "") { _ in ")" } }),
    ("subqueries in IN", { n in joined(n, "") { _ in "SELECT 1 WHERE 1 IN (" } + "SELECT 1" + joined(n, "") { _ in ")" } }),
    ("UNNEST", { n in "SELECT 1 FROM (VALUES 1) t(a)" + joined(n, "") { _ in ", UNNEST(ARRAY[1])" } }),
  ]

  @Test(arguments: deep.indices, [30, 300]) func stops(_ index: Int, _ depth: Int) async throws {
    let (name, sql) = Self.deep[index]
    do {
      let result = try await Self.session().run(SQLStatement(sql(depth)))
      #expect(result.rowCount > 0, "\(name)")
    } catch let error as QueryError {
      #expect(error.code == .stackOverflow, "\(name): \(error.message)")
      #expect(depth > 30, "\(name)")
    }
  }
}
