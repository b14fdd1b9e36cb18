import Glibc
import QueryEngine
import QueryErrors
import QueryShell

/// The command line: the contract of flags and exit codes.
@main
struct SQLQ {
  private let options: CommandLineOptions

  /// Exit code of wrong usage.
  private static let usageExitCode: Int32 = 2

  /// Ends the program with a code.
  private struct Exit: Error { var code: Int32 }

  static func main() {
    do {
      switch try CommandLineOptions.parse(CommandLine.arguments.dropFirst()) {
      case .help: FileHandleText.print(CommandLineOptions.help, to: 1)
      case .run(let options): try SQLQ(options: options).run()
      }
    } catch let error as CommandLineOptions.UsageError {
      FileHandleText.print("\(error.message)\n\(CommandLineOptions.usage); sqlq --help tells the options.", to: 2)
      exit(usageExitCode)
    } catch {
      let code = (error as? Exit)?.code ?? ErrorKind.external.exitCode
      if code == Interrupt.exitCode { ProcessExit.leavingMemory(code: code) }
      exit(code)
    }
  }

  private func run() throws {
    let configuration = options.configuration
    let session: Session
    do { session = try Session(configuration) } catch {
      FileHandleText.print(ErrorRenderer.render(error, sql: nil), to: 2)
      throw Exit(code: error.code.kind.exitCode)
    }
    let outputIsTerminal = isatty(1) == 1
    let printer = StatementPrinter(
      session, configuration, format: options.outputFormat ?? (outputIsTerminal ? .table : .csvHeader),
      statsAsJSON: options.printsStatistics)
    if options.rewritesForAthena {
      for statement in Session.split(try statements()).statements { try print(rewriting: statement, session) }
      return
    }
    if options.sql == nil, options.execute == nil, options.file == nil, isatty(0) == 1 {
      throw Exit(code: Shell(session, configuration, printer).run())
    }
    Interrupt.shared.install(isInteractive: false)
    let text = try statements()
    for statement in Session.split(text).statements {
      let code = options.keepsGoing ? printer.runMarkingErrors(statement) : printer.run(statement)
      if code != 0 { throw Exit(code: code) }
    }
  }

  private func print(rewriting statement: String, _ session: Session) throws {
    do throws(QueryError) {
      FileHandleText.print(try session.rewriteForAthena(statement) + ";", to: 1)
    } catch {
      FileHandleText.print(ErrorRenderer.render(error, sql: statement), to: 2)
      throw Exit(code: error.code.kind.exitCode)
    }
  }

  private func statements() throws -> String {
    if let text = options.sql ?? options.execute { return text }
    if let file = options.file, file != "-" {
      guard let text = FileHandleText.read(file) else {
        FileHandleText.print("HIVE_FILESYSTEM_ERROR: Cannot read \(file): \(String(cString: strerror(errno)))", to: 2)
        throw Exit(code: ErrorKind.external.exitCode)
      }
      return text
    }
    return FileHandleText.read("/dev/stdin") ?? ""
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
