public import ArgumentParser
public import QueryEngine
public import QueryShell

/// The options of commands that open a home: as statements have them.
struct EngineOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Folder of catalog, history and ledger (default: $SQLQ_HOME, else ~/.sqlq).", valueName: "folder"), completion: .directory)
  var home: String?
  @Option(help: "Worker threads of a query (default: all processors).")
  var threads: Int?
  @Option(help: "Memory the process may use, such as 4GB.")
  var memoryLimit: ByteCount?
  @Option(help: ArgumentHelp("Folder of rows that memory does not hold.", valueName: "folder"), completion: .directory)
  var tempDir: String?
  @Option(help: "Whether billed units are binary or decimal (default: binary).")
  var unitBase: EngineConfiguration.UnitBase = .binary
  @Option(help: ArgumentHelp("A service that speaks S3's protocol.", valueName: "url"))
  var s3Endpoint: String?
  @Option(name: .customLong("s3-region"), help: "The region of s3:// requests.")
  var region: String?
  @Option(help: "The AWS profile of s3:// requests.")
  var profile: String?
  @Flag(help: "Send s3:// requests without credentials.")
  var noSignRequest = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("'--threads' takes a number from 1 to 1024.") }
  }

  func engine() throws -> Engine { try Engine(configuration()) }

  func configuration() -> EngineConfiguration {
    var configuration = EngineConfiguration(home: home ?? EngineConfiguration.defaultHome)
    if let threads { configuration.threads = threads }
    configuration.memoryLimit = memoryLimit?.bytes
    configuration.temporaryFolder = tempDir
    configuration.unitBase = unitBase
    configuration.s3.endpoint = s3Endpoint
    configuration.s3.region = region
    configuration.s3.profile = profile
    configuration.s3.isAnonymous = noSignRequest
    return configuration
  }
}

/// How a command's rows are printed.
struct FormatOptions: ParsableArguments {
  @Option(help: "How rows are printed (default: table on a terminal, csv_header else).")
  var outputFormat: OutputFormat?

  var format: OutputFormat { outputFormat ?? .automatic }
}

/// A number of bytes as users write it: `4GB`, `512MB`, `1000`.
struct ByteCount: ExpressibleByArgument {
  var bytes: Int

  init?(argument: String) {
    guard let bytes = CommandLineOptions.bytes(argument) else { return nil }
    self.bytes = bytes
  }
}

/// `key=value`.
struct KeyValue: ExpressibleByArgument {
  var key: String
  var value: String

  init?(argument: String) {
    guard let pair = CommandLineOptions.pair(argument) else { return nil }
    (key, value) = pair
  }
}

/// A while: `30s`, `60m`, `24h`, `30d`.
struct Age: ExpressibleByArgument {
  var seconds: Double

  init?(argument: String) {
    guard let seconds = CommandLineOptions.seconds(argument) else { return nil }
    self.seconds = seconds
  }
}

extension Budget.Period: ExpressibleByArgument {}
extension OutputFormat: ExpressibleByArgument {}
extension EngineConfiguration.UnitBase: ExpressibleByArgument {}
extension QueryState: ExpressibleByArgument {
  public init?(argument: String) { self.init(rawValue: argument.uppercased()) }
}
