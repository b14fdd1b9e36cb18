import Foundation
import Testing

/// The imports of the sources agree with the module table of Package.swift.
@Suite struct ModuleTableTests {
  private static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  /// What every module may import besides its row.
  private static let systemModules: Set<String> = ["Glibc", "SwiftGlibc", "Synchronization", "Darwin", "Musl"]

  /// Rows of the table in order: a module and what it may import.
  private static func table() throws -> [(name: String, imports: Set<String>)] {
    let manifest = try String(contentsOf: package.appending(path: "Package.swift"), encoding: .utf8)
    let rows = manifest.matches(of: /Module\(\s*name: "(\w+)",\s*imports: \[([^\]]*)\](?:,\s*packages: \[([^\]]*)\])?/)
    return rows.map { row in
      (String(row.output.1), Set((row.output.2 + " " + (row.output.3 ?? "")).matches(of: /\w+/).map { String($0.output) }))
    }
  }

  private static func imports(of folder: String) throws -> [(file: String, module: String)] {
    let url = package.appending(path: "Sources/\(folder)")
    let files = FileManager.default.enumerator(atPath: url.path)?.allObjects as? [String] ?? []
    var result: [(String, String)] = []
    for file in files.sorted() where file.hasSuffix(".swift") {
      let text = try String(contentsOf: url.appending(path: file), encoding: .utf8)
      let lines = text.matches(
        of: /(?:^|\n)(?:@\w+ )*(?:public |package |internal |private )?import (?:struct |func |class |enum )?(\w+)/)
      result += lines.map { ("\(folder)/\(file)", String($0.output.1)) }
    }
    return result
  }

  @Test func importsAreDeclared() throws {
    let table = try Self.table()
    #expect(table.count >= 14)
    for (name, declared) in table {
      let imports = try Self.imports(of: name)
      #expect(!imports.isEmpty || declared.isEmpty, "Sources/\(name) imports nothing")
      for (file, module) in imports {
        #expect(
          declared.contains(module) || Self.systemModules.contains(module),
          "\(file) imports \(module), which its row of the module table does not list")
      }
    }
  }

  @Test func rowsImportOnlyRowsAbove() throws {
    let table = try Self.table()
    let names = Set(table.map(\.name))
    var above: Set<String> = []
    for (name, declared) in table {
      #expect(declared.intersection(names).isSubset(of: above), "\(name) imports a row that is not above it")
      above.insert(name)
    }
  }

  @Test func plannerOptimizerAndExecutorAreStrangers() throws {
    let siblings: Set<String> = ["QueryPlanner", "QueryOptimizer", "QueryExecution"]
    for (name, declared) in try Self.table() where siblings.contains(name) {
      #expect(declared.isDisjoint(with: siblings), "\(name) imports a sibling")
    }
  }
}
