import Glibc
public import QueryEngine
import QueryErrors

/// `sqlq serve`: Athena, Glue, STS and S3 on one port, over one engine.
///
///     let service = try QueryService(configuration, settings)
///     let port = try service.start()
///     …
///     service.stop()
///
/// - Threads: any.
public final class QueryService: Sendable {
  public let engine: Engine
  private let settings: ServiceSettings
  private let server: HTTPServer
  private let athena: AthenaService
  private let trino: TrinoService

  /// - Throws: `INVALID_ARGUMENTS` for an address beyond this machine without keys.
  public init(_ configuration: EngineConfiguration, _ settings: ServiceSettings) throws(QueryError) {
    guard !settings.keys.isEmpty || settings.isForced || QueryService.isLoopback(settings.host) else {
      throw QueryError(
        .invalidArguments, "Without keys anybody who reaches \(settings.host) could read and write everything",
        hint: "Give --access-key and --secret-key, listen on 127.0.0.1, or say --allow-anonymous.")
    }
    var configuration = configuration
    configuration.runningLimit = settings.limits.runningCount
    configuration.s3.folder = settings.bucketFolder
    let engine = try Engine(configuration)
    let store = try ServiceStore(engine.openDatabase())
    let s3 = try S3Service(root: settings.bucketFolder, region: settings.region)
    // Statements that another server left unfinished are FAILED from the first look at them on.
    _ = try engine.history.list()
    let timers = PollTimers()
    let athena = AthenaService(engine, store, settings, timers)
    let trino = TrinoService(engine, settings, timers)
    let router = ServiceRouter(
      athena: athena, glue: try GlueService(engine, store, settings), sts: STSService(settings: settings), s3: s3,
      trino: trino,
      authorization: RequestAuthorization(keys: settings.keys))
    server = HTTPServer(router, settings.limits)
    timers.begin(server)
    self.engine = engine
    self.settings = settings
    self.athena = athena
    self.trino = trino
  }

  private static func isLoopback(_ host: String) -> Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

  /// Begins to serve.
  ///
  /// - Returns: the port.
  public func start() throws(QueryError) -> Int { try server.start(host: settings.host, port: settings.port) }

  /// Takes no more requests, lets queries end for a while, cancels those that have not, and ends.
  public func stop() {
    server.stopListening()
    let end = time(nil) + settings.limits.shutdownSeconds
    while liveCount > 0, time(nil) < end { usleep(20_000) }
    cancelAll()
    // Each writes its row of the ledger.
    let last = time(nil) + 5
    while liveCount > 0, time(nil) < last { usleep(5_000) }
    server.stop()
  }

  /// Cancels what runs, for a server that is told to end at once.
  public func cancelAll() {
    athena.cancelAll()
    trino.cancelAll()
  }

  private var liveCount: Int { athena.liveCount + trino.liveCount }
}
