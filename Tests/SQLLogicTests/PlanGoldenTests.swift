import Foundation
import QueryEngine
import QueryOptimizer
import Testing

/// Each rule of the optimizer has a file in `Cases/plans` whose first plan it changes.
@Suite("plan goldens") struct PlanGoldenTests {
  private static let folder = LogicTestRunner.cases.appending(path: "plans")

  /// What the first EXPLAIN of a rule's file explains, behind the catalogs it needs.
  private static func explained(_ rule: String) throws -> [String] {
    let text = try String(contentsOf: folder.appending(path: rule + ".slt"), encoding: .utf8)
    let lines = text.split(separator: "\n").map { $0.replacing("'sample-data/", with: "'\(LogicTestRunner.package.path)/sample-data/") }
    let explain = try #require(lines.first { $0.hasPrefix("EXPLAIN ") })
    return (lines.filter { $0.hasPrefix("CREATE CATALOG ") } + [explain]).map(String.init)
  }

  private static func plan(_ statements: [String], without rules: Set<String>) async throws -> [[String]] {
    var configuration = EngineConfiguration()
    configuration.testing.disabledRules = rules
    let session = try Engine(configuration).session()
    for statement in statements.dropLast() { _ = try await session.run(SQLStatement(statement)) }
    let result = try await session.run(SQLStatement(statements.last ?? ""))
    return result.batches.flatMap { batch in (0..<batch.rowCount).map { row in batch.columns.map { "\($0.scalar(row))" } } }
  }

  @Test(arguments: Set(Optimizer.rules.map { $0.name }).sorted()) func fires(_ name: String) async throws {
    let sql = try Self.explained(name)
    let rule = try #require(Optimizer.rules.first { $0.name == name })
    // What plans cannot do without is not left out.
    if rule.isRequired { return }
    let (with, without) = (try await Self.plan(sql, without: []), try await Self.plan(sql, without: [name]))
    #expect(with != without, "\(name) changes nothing")
  }

  @Test func filesAreNamedForRules() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0.hasSuffix(".slt") }
    #expect(Set(files.map { String($0.dropLast(4)) }) == Set(Optimizer.rules.map { $0.name }))
  }
}
