import Foundation
import QueryEngine
import SQLFunctions
import Testing

/// What the registry tells of its functions is there and true.
@Suite struct FunctionDocumentationTests {
  @Test func everyFunctionHasASummaryAndAnExample() {
    func check(_ name: String, _ summary: String, _ examples: [Example]) {
      #expect(!summary.isEmpty, "\(name) has no summary")
      #expect(!examples.isEmpty, "\(name) has no example")
    }
    for family in FunctionRegistry.scalarFamilies {
      for function in family.functions where !function.isHidden {
        check(function.name, function.summary, function.examples)
      }
    }
    for family in FunctionRegistry.aggregateFamilies {
      for function in family.functions where !function.isHidden {
        check(function.name, function.summary, function.examples)
      }
    }
    for family in FunctionRegistry.windowFamilies {
      for function in family.functions { check(function.name, function.summary, function.examples) }
    }
  }

  @Test func examplesGiveTheirResults() async throws {
    let session = try Engine().session()
    for family in FunctionRegistry.scalarFamilies {
      for function in family.functions {
        for example in function.examples { await Self.check(example, of: function.name, session) }
      }
    }
    for family in FunctionRegistry.aggregateFamilies {
      for function in family.functions {
        for example in function.examples { await Self.check(example, of: function.name, session) }
      }
    }
    for family in FunctionRegistry.windowFamilies {
      for function in family.functions {
        for example in function.examples { await Self.check(example, of: function.name, session) }
      }
    }
  }

  private static func check(_ example: Example, of function: String, _ session: Session) async {
    do {
      let result = try await session.run("SELECT \(sql: example.expression)")
      let text = result.batches.map { batch in
        let column = ResultText(batch.columns[0])
        return (0..<batch.rowCount).map { row in
          if column.isNull(row) { return "NULL" }
          var bytes: [UInt8] = []
          column.append(row, to: &bytes)
          return String(decoding: bytes, as: UTF8.self)
        }.joined(separator: "\n")
      }.joined(separator: "\n")
      #expect(text == example.result, "\(function): SELECT \(example.expression)")
    } catch {
      Issue.record("\(function): SELECT \(example.expression): \(error)")
    }
  }

  /// `RECORD=1` writes the page.
  @Test func referencePageIsUpToDate() throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = package.appending(path: "Sources/SQLFunctions/SQLFunctions.docc/Functions.md")
    if ProcessInfo.processInfo.environment["RECORD"] == "1" {
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FunctionReference.page.write(to: file, atomically: true, encoding: .utf8)
    }
    let written = try String(contentsOf: file, encoding: .utf8)
    #expect(written == FunctionReference.page, "run RECORD=1 swift test --filter ArchitectureTests")
  }
}
