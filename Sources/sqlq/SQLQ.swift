public import ArgumentParser
import Glibc
import QueryEngine
public import QueryShell

/// The command line: the contract of flags and exit codes.
@main
struct SQLQ: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sqlq",
    abstract: "Athena's SQL over local CSV, JSON and Parquet files.",
    discussion: """
      Without a statement on a terminal, an interactive shell starts. A quoted string in FROM is a file, folder or glob:

        sqlq "SELECT region, sum(amount) FROM 'sample-data/sales/' GROUP BY region"
      """)

  @Argument(help: "The statements to run; several are separated by ;")
  var sql: String?

  @Option(name: .short, parsing: .unconditional, help: "Statements to run.")
  var execute: String?

  @Option(name: .short, help: "A file of statements to run.")
  var file: String?

  @Option(help: "table, csv, csv_header, tsv, tsv_header, json, jsonl, jsonl_compact, markdown or vertical.")
  var outputFormat: OutputFormat?

  @Option(help: "Folder that results are left in.")
  var outputLocation: String?

  @Flag(help: "Leave no results in the results folder.")
  var noResults = false

  @Option(help: "Folder of catalog, history and ledger (default: $SQLQ_HOME, else ~/.sqlq).")
  var home: String?

  @Option(help: "The database of unqualified names.")
  var database = "default"

  @Option(help: "The session's time zone.")
  var timeZone = "UTC"

  @Option(help: "Worker threads of a query (default: all processors).")
  var threads: Int?

  @Option(help: "Memory a query may use, such as 4GB.")
  var memoryLimit: ByteCount?

  @Option(help: "Bytes a query may scan before it is stopped, such as 10GB.")
  var maxScan: ByteCount?

  @Flag(help: "Plan and price statements without reading data.")
  var dryRun = false

  @Option(help: "json: one JSON object of statistics per statement on stderr.")
  var stats: StatisticsFormat?

  @Option(help: "Whether billed units are binary (1 TB = 2^40 bytes) or decimal (10^12).")
  var unitBase: UnitBase = .binary

  @Option(help: "athena: refuse what Athena refuses and hold its limits.")
  var compat: Compatibility?

  @Option(help: "athena: print the statements in Athena's own SQL, extensions expanded, instead of running them.")
  var rewrite: Compatibility?

  @Option(name: .customLong("testing"), help: .hidden)
  var testing: String?

  enum StatisticsFormat: String, ExpressibleByArgument { case json }
  enum UnitBase: String, ExpressibleByArgument { case binary, decimal }
  enum Compatibility: String, ExpressibleByArgument { case athena }

  /// Exit code of wrong usage.
  private static let usageExitCode: Int32 = 2

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let code = exitCode(for: error)
      if code == .success || code.rawValue < 0 { exit(withError: error) }
      let text = fullMessage(for: error)
      if !text.isEmpty { FileHandleText.print(text, to: code == ExitCode.success ? 1 : 2) }
      Glibc.exit(code == .validationFailure ? usageExitCode : code.rawValue)
    }
  }

  func run() throws {
    var configuration = SessionConfiguration()
    configuration.home = home ?? SessionConfiguration.defaultHome
    configuration.database = database
    configuration.timeZone = timeZone
    if let threads {
      guard (1...1024).contains(threads) else { throw ValidationError("--threads takes a number from 1 to 1024") }
      configuration.threads = threads
    }
    configuration.memoryLimit = memoryLimit?.value
    configuration.scanLimit = maxScan?.value
    configuration.writesResults = !noResults
    configuration.outputLocation = outputLocation
    configuration.isDryRun = dryRun
    configuration.unitBase = unitBase == .binary ? .binary : .decimal
    configuration.compatibility = compat == .athena ? .athena : .none
    var keepsGoing = false
    for setting in (testing ?? "").split(separator: ",") {
      switch setting {
      case "no_optimizer": configuration.testing.isOptimizerOff = true
      case "keep_going": keepsGoing = true
      case "colliding_hashes": configuration.testing.collidesHashes = true
      default:
        guard setting.hasPrefix("batch_size="), let size = Int(setting.dropFirst(11)), size > 0 else {
          throw ValidationError("unknown test setting \(setting)")
        }
        configuration.testing.batchSize = size
      }
    }
    guard [sql, execute, file].compactMap({ $0 }).count <= 1 else {
      throw ValidationError("Give statements once: as an argument, with -e or with -f.")
    }
    let session: Session
    do { session = try Session(configuration) } catch {
      FileHandleText.print(ErrorRenderer.render(error, sql: nil), to: 2)
      throw ExitCode(error.code.kind.exitCode)
    }
    let outputIsTerminal = isatty(1) == 1
    let printer = StatementPrinter(
      session, configuration, format: outputFormat ?? (outputIsTerminal ? .table : .csvHeader),
      statsAsJSON: stats == .json)
    if rewrite == .athena {
      for statement in Session.split(try statements()).statements { try print(rewriting: statement, session) }
      return
    }
    if sql == nil, execute == nil, file == nil, isatty(0) == 1 {
      throw ExitCode(Shell(session, configuration, printer).run())
    }
    Interrupt.shared.install(isInteractive: false)
    let text = try statements()
    for statement in Session.split(text).statements {
      let code = keepsGoing ? printer.runMarkingErrors(statement) : printer.run(statement)
      if code != 0 { throw ExitCode(code) }
    }
  }

  private func print(rewriting statement: String, _ session: Session) throws {
    do throws(QueryError) {
      FileHandleText.print(try session.rewriteForAthena(statement) + ";", to: 1)
    } catch {
      FileHandleText.print(ErrorRenderer.render(error, sql: statement), to: 2)
      throw ExitCode(error.code.kind.exitCode)
    }
  }

  private func statements() throws -> String {
    if let text = sql ?? execute { return text }
    if let file, file != "-" {
      guard let text = FileHandleText.read(file) else {
        FileHandleText.print("HIVE_FILESYSTEM_ERROR: Cannot read \(file): \(String(cString: strerror(errno)))", to: 2)
        throw ExitCode(ErrorKind.external.exitCode)
      }
      return text
    }
    return FileHandleText.read("/dev/stdin") ?? ""
  }
}

extension OutputFormat: ExpressibleByArgument {}

/// A number of bytes as users write it: `4GB`, `512MB`, `1000`. Units are powers of 1024.
struct ByteCount: ExpressibleByArgument {
  var value: Int

  init?(argument: String) {
    let lower = argument.lowercased()
    let units: [(String, Int)] = [
      ("tib", 1 << 40), ("gib", 1 << 30), ("mib", 1 << 20), ("kib", 1 << 10), ("tb", 1 << 40), ("gb", 1 << 30),
      ("mb", 1 << 20), ("kb", 1 << 10), ("t", 1 << 40), ("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10), ("b", 1),
    ]
    var factor = 1
    var digits = Substring(lower)
    if let unit = units.first(where: { lower.hasSuffix($0.0) }) {
      factor = unit.1
      digits = digits.dropLast(unit.0.count)
    }
    while digits.last == " " { digits.removeLast() }
    guard let number = Double(digits), number >= 0, number * Double(factor) < 9e18 else { return nil }
    value = Int(number * Double(factor))
  }
}

/// Plain text in and out, without Foundation.
enum FileHandleText {
  static func print(_ text: String, to descriptor: Int32) {
    let bytes = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
  }

  /// The whole text of a file, or nil with `errno` set.
  static func read(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &block, block.count)
      if count < 0 {
        if errno == EINTR { continue }
        return nil
      }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(contentsOf: block[..<count])
    }
  }
}
