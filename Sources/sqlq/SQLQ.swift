import Glibc
import QueryEngine
import QueryErrors
import QueryShell

/// The command line: the contract of flags and exit codes.
@main
struct SQLQ {
  private let options: CommandLineOptions

  /// Exit code of wrong usage.
  static let usageExitCode: Int32 = 2

  /// Ends the program with a code.
  private struct Exit: Error { var code: Int32 }

  static func main() {
    if CommandLine.argc > 1, Subcommands.isName(CommandLine.arguments[1]) {
      Subcommands.main(Array(CommandLine.arguments.dropFirst()))
    }
    do {
      switch try CommandLineOptions.parse(CommandLine.arguments.dropFirst()) {
      case .version: FileHandleText.print("sqlq \(Version.text)", to: 1)
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
    let session: Session
    do throws(QueryError) { session = try Engine(options.engine).session(options.session) } catch {
      FileHandleText.print(ErrorRenderer.render(error, sql: nil), to: 2)
      throw Exit(code: error.code.kind.exitCode)
    }
    let printer = StatementPrinter(
      session, format: options.outputFormat ?? .automatic,
      statsAsJSON: options.printsStatistics)
    printer.parameters = options.parameters
    printer.outputFile = options.outputFile
    printer.chart = options.chart
    printer.profileFile = options.profileFile
    if isatty(1) == 1 { printer.style.theme = .choose(.auto, for: 1) }
    if options.sources.isEmpty, !options.rewritesForAthena, isatty(0) == 1 {
      let shell = Shell(session, printer)
      for option in options.shellOptions {
        if let problem = shell.set(option: option.name, option.value) { FileHandleText.print("\(option.file): \(problem)", to: 2) }
      }
      throw Exit(code: shell.run())
    }
    if !options.rewritesForAthena { Interrupt.shared.install(isInteractive: false) }
    for source in options.sources.isEmpty ? [.file("-")] : options.sources {
      let (text, name) = try self.text(of: source)
      for statement in Session.splitWithPlaces(text) {
        let place = name.map { StatementPlace(file: $0, text: text, start: statement.start) }
        let code =
          options.rewritesForAthena
          ? rewrite(statement.text, session, place)
          : options.keepsGoing ? printer.runMarkingErrors(statement.text) : printer.run(statement.text, at: place)
        if code != 0 { throw Exit(code: code) }
      }
    }
  }

  private func rewrite(_ statement: String, _ session: Session, _ place: StatementPlace?) -> Int32 {
    do throws(QueryError) {
      FileHandleText.print(try session.rewriteForAthena(statement) + ";", to: 1)
      return 0
    } catch {
      FileHandleText.print(StatementPlace.render(error, statement, at: place), to: 2)
      return error.code.kind.exitCode
    }
  }

  /// The statements of a source, and the name of the file that errors are to name.
  private func text(of source: CommandLineOptions.Source) throws -> (text: String, name: String?) {
    switch source {
    case .argument(let text), .execute(let text): return (text, nil)
    case .file("-"): return (FileHandleText.read("/dev/stdin") ?? "", nil)
    case .file(let file):
      guard let text = FileHandleText.read(file) else {
        FileHandleText.print("HIVE_FILESYSTEM_ERROR: Cannot read \(file): \(String(cString: strerror(errno)))", to: 2)
        throw Exit(code: ErrorKind.external.exitCode)
      }
      return (text, file)
    }
  }
}

/// Plain text in and out, without Foundation.
enum FileHandleText {
  static func print(_ text: String, to descriptor: Int32) { Descriptor.print(text, to: descriptor) }

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
