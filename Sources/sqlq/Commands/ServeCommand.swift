import ArgumentParser
import Glibc
import QueryEngine
import QueryErrors
import QueryService
import QueryShell
import Synchronization

/// `sqlq serve`: Athena's, Glue's, STS' and S3's protocols on one port.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serve clients of Athena, Glue and S3 on one port.",
    discussion: """
      Point clients here by one variable: AWS_ENDPOINT_URL=http://127.0.0.1:8090. s3://bucket/key is the file key in the folder bucket \
      of --s3-root, for clients and statements alike.
      """)

  @OptionGroup var engine: EngineOptions
  @Option(help: "Address to listen on.") var host = "127.0.0.1"
  @Option(help: "Port to listen on; 0 takes one that is free.") var port = 8090
  @Option(
    name: .customLong("s3-root"), help: ArgumentHelp("Folder whose folders are the buckets (default: s3 in the home).", valueName: "folder"),
    completion: .directory)
  var s3Folder: String?
  @Option(help: ArgumentHelp("Where results go that nobody places.", valueName: "s3://bucket/prefix/"))
  var outputLocation = "s3://sqlq-results/"
  @Option(help: "Requests have to be signed with this key.") var accessKey: String?
  @Option(help: "The secret of --access-key (default: $SQLQ_SECRET_KEY).") var secretKey: String?
  @Flag(help: "Listen beyond this machine without keys.") var allowAnonymous = false
  @Option(help: "The region that clients are told.") var region = "us-east-1"
  @Option(help: "The account that clients are told.") var account = "000000000000"
  @Option(help: ArgumentHelp("Refuse what Athena refuses and hold its limits.", valueName: "athena")) var compat: String?
  @Option(help: "Queries that run at once.") var maxRunning = ServiceLimits().runningCount
  @Option(help: "Queries that wait; further ones are refused.") var maxQueued = ServiceLimits().queuedCount
  @Option(help: "Connections at once.") var maxConnections = ServiceLimits().connectionCount
  @Option(help: "Seconds that queries may go on when the server is told to end.") var shutdownSeconds = ServiceLimits().shutdownSeconds
  @Option(help: .hidden) var tlsCert: String?
  @Option(help: .hidden) var tlsKey: String?

  func validate() throws {
    if tlsCert != nil || tlsKey != nil {
      throw ValidationError("'--tls-cert' and '--tls-key' are not supported: put a proxy that speaks TLS in front.")
    }
    if let compat, compat != "athena" { throw ValidationError("'--compat' takes athena.") }
    if !(0...65535).contains(port) { throw ValidationError("'--port' takes a number from 0 to 65535.") }
    for (name, value) in [("max-running", maxRunning), ("max-connections", maxConnections)] where value < 1 {
      throw ValidationError("'--\(name)' takes a number above 0.")
    }
    if accessKey == nil, secretKey != nil { throw ValidationError("'--secret-key' needs an --access-key.") }
  }

  func run() throws {
    let configuration = engine.configuration()
    let home = configuration.home ?? EngineConfiguration.defaultHome
    var settings = ServiceSettings(bucketFolder: s3Folder ?? home + "/s3")
    (settings.host, settings.port, settings.region, settings.account) = (host, port, region, account)
    settings.isForced = allowAnonymous
    settings.outputLocation = outputLocation
    if compat != nil { settings.session.compatibility = .athena }
    if let accessKey {
      guard let secret = secretKey ?? getenv("SQLQ_SECRET_KEY").map({ String(cString: $0) }), !secret.isEmpty else {
        throw ValidationError("'--access-key' needs a --secret-key or $SQLQ_SECRET_KEY.")
      }
      settings.keys = [accessKey: secret]
    }
    settings.limits.runningCount = maxRunning
    settings.limits.queuedCount = maxQueued
    settings.limits.connectionCount = maxConnections
    settings.limits.shutdownSeconds = shutdownSeconds
    let service = try QueryService(configuration, settings)
    let turn = Turnstile()
    let signals = Mutex(0)
    Interrupt.shared.whenTold {
      switch signals.withLock({ count -> Int in
        count += 1
        return count
      }) {
      case 1: turn.open()
      case 2: service.cancelAll()
      default: Glibc.exit(Interrupt.exitCode)
      }
    }
    let port = try service.start()
    FileHandleText.print("listening on http://\(host):\(port)", to: 2)
    turn.pass()
    FileHandleText.print("Ending; once more cancels what runs.", to: 2)
    service.stop()
  }
}

/// Lets one thread wait until another says go.
private final class Turnstile: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }
  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func open() { sem_post(semaphore) }
  func pass() { while sem_wait(semaphore) != 0 && errno == EINTR {} }
}
