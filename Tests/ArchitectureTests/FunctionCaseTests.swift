import Foundation
import QueryErrors
import SQLFunctions
import Testing

/// Every function users may call stands in a case file, and so does every error code but those that no SQL text reaches.
struct FunctionCaseTests {
  /// All case files, in lower case.
  private static let cases: String = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "SQLLogicTests/Cases")
    let files = FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []
    return files.filter { $0.hasSuffix(".slt") }
      .compactMap { try? String(contentsOf: folder.appending(path: $0), encoding: .utf8).lowercased() }
      .joined(separator: "\n")
  }()

  /// What may be written without parentheses.
  private static let words: Set<String> = [
    "current_catalog", "current_date", "current_path", "current_schema", "current_time", "current_timestamp",
    "current_user", "localtime", "localtimestamp",
  ]

  @Test func everyFunctionHasACase() {
    let called = Set(
      FunctionCaseTests.cases.matches(of: /([a-z_][a-z_0-9]*)\s*\(/).map { String($0.output.1) })
    let written = Set(FunctionCaseTests.cases.split { !($0.isLetter || $0 == "_") }.map(String.init))
    for name in FunctionRegistry.names {
      #expect(
        called.contains(name) || (FunctionCaseTests.words.contains(name) && written.contains(name)),
        "\(name) stands in no case of Tests/SQLLogicTests/Cases")
    }
  }
}
