import ArgumentParser
import Glibc
import QueryEngine
import QueryErrors
import QueryShell

/// `sqlq check`: what real Athena would do otherwise.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Tell what in statements, tables and folders real Athena would do otherwise.",
    discussion: """
      A thing is a statement, a .sql file, a folder or file of data, or a table's name. Findings are errors (Athena fails or gives \
      other rows), warnings and notes; the exit code is 1 when there are errors.
      """)

  @OptionGroup var engine: EngineOptions
  @OptionGroup var output: FormatOptions
  @Option(help: "The database of unqualified names.") var database = "default"
  @Argument(help: "Statements, .sql files, folders, files or tables.") var things: [String]

  func run() throws {
    let session = try engine.engine().session(SessionDefaults(database: database))
    var findings: [CheckFinding] = []
    for thing in things { findings += try check(thing, session) }
    let columns = Schema([
      Field("severity", .text), Field("code", .text), Field("place", .text), Field("message", .text), Field("fix", .text),
    ])
    if output.outputFormat == nil {
      FileHandleText.print(CheckCommand.text(findings), to: 1)
    } else {
      let rows = findings.map { finding -> [Scalar] in
        [
          .string(finding.severity.rawValue), .string(finding.code), .string(finding.place), .string(finding.message),
          finding.fix.map(Scalar.string) ?? .null,
        ]
      }
      try ListingPrinter.print(columns, rows, format: output.format)
    }
    if findings.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
  }

  private func check(_ thing: String, _ session: Session) throws -> [CheckFinding] {
    if thing.hasSuffix(".sql"), access(thing, R_OK) == 0 {
      let text = FileHandleText.read(thing) ?? ""
      return try Session.splitWithPlaces(text).flatMap { statement, start in
        try session.check(statement).map { finding in
          var finding = finding
          finding.place = "\(thing):\(start.line): \(finding.place)"
          return finding
        }
      }
    }
    if thing.contains("://") || access(thing, F_OK) == 0 { return try session.check(folder: thing) }
    let isName = thing.utf8.allSatisfy { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5f || $0 == 0x2e }
    guard isName else { return try session.check(thing) }
    let parts = thing.split(separator: ".").map { $0.lowercased() }
    // A word that is no table is a statement, and none that Athena reads.
    let database = parts.count > 1 ? parts[parts.count - 2] : session.database
    if parts.count == 1, try session.engine.catalog.table(thing.lowercased(), in: database) == nil { return try session.check(thing) }
    return try session.check(table: parts.last ?? "", in: parts.count > 1 ? parts[parts.count - 2] : nil)
  }

  private static func text(_ findings: [CheckFinding]) -> String {
    if findings.isEmpty { return "nothing found that Athena would do otherwise" }
    return findings.map { finding in
      "\(finding.severity.rawValue) \(finding.code) \(finding.place)\n  \(finding.message)" + (finding.fix.map { "\n  fix: \($0)" } ?? "")
    }.joined(separator: "\n")
  }
}
