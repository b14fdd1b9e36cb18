import Foundation
import QueryEngine
import Testing

/// What README.md shows works as it stands there.
@Suite("README") struct ReadmeTests {
  private static let text = try! String(contentsOf: LogicTestRunner.package.appending(path: "README.md"), encoding: .utf8)

  /// The fenced blocks of a language.
  private static func blocks(_ language: String) -> [String] {
    text.components(separatedBy: "```\(language)\n").dropFirst().map { $0.components(separatedBy: "\n```")[0] }
  }

  /// The first command's query and the tour's statements, one after the other in one session.
  @Test func statementsRun() async throws {
    let session = try Engine().session()
    let commands = Self.blocks("sh").compactMap { $0.components(separatedBy: "sqlq \"").dropFirst().first?.dropLast() }
    #expect(commands.count == 1)
    var rowCounts: [Int] = []
    for block in commands.map(String.init) + Self.blocks("sql") {
      for statement in Session.split(block).statements {
        rowCounts.append(try await session.run(SQLStatement(Self.inPackage(statement))).rowCount)
      }
    }
    // As sample-data/README.md counts them: 2024 has eight months and one without.
    #expect(rowCounts[..<5] == [2, 3, 9, 5, 0])
    #expect(try await session.run("SELECT * FROM sales").rowCount == 6_065)
  }

  /// Tests may run in any folder.
  private static func inPackage(_ statement: String) -> String {
    statement.replacing("'sample-data/", with: "'\(LogicTestRunner.package.path)/sample-data/")
  }

  /// The example in Swift is `example` below, so that it compiles, and runs.
  @Test func swiftExampleRuns() async throws {
    func lines(_ text: String) -> [String] {
      text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
    let source = lines(try String(contentsOf: URL(filePath: #filePath), encoding: .utf8))
    let start = try #require(source.lastIndex(of: "private func example() async throws {"))
    let body = Array(source[(start + 1)...].dropLast())
    #expect(Self.blocks("swift").map(lines) == [["import QueryEngine"] + body])
    try #require(FileManager.default.changeCurrentDirectoryPath(LogicTestRunner.package.path))
    try await example()
  }
}

private func example() async throws {
  let session = try Engine().session()  // Engine(EngineConfiguration(home: …)) keeps a catalog and a ledger
  let year = 2024
  for (month, orders) in try await session.query(
    "SELECT month, count(*) FROM 'sample-data/sales/' WHERE year = \(year) GROUP BY month", as: (Int, Int).self)
  {
    print(month, orders)
  }

  struct Order: Decodable { var orderID: Int, category: String?, unitPrice: Double? }  // order_id, unit_price
  for try await order in session.start("SELECT * FROM 'sample-data/sales/' LIMIT 3").rows(as: Order.self) {
    print(order.orderID, order.unitPrice ?? 0)
  }

  try session.engine.register(function: "with_tax") { (price: Double) in price * 1.19 }
  let execution = session.start("SELECT with_tax(unit_price) FROM 'sample-data/sales/'")
  for try await batch in execution.batches { print(batch.rowCount, execution.progress.dollars) }
  print(execution.id, execution.statistics.bytesScanned, execution.statistics.dollars)
}
