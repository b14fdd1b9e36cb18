import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import QueryErrors
import Synchronization

/// Listens on one port and gives each connection its `HTTPConnection`.
///
/// Event loops only read and write; requests are answered on threads that may block, so that the catalog's file and objects on
/// disk hold up nobody else.
final class HTTPServer: Sendable {
  let handler: any RequestHandler
  let limits: ServiceLimits
  let workers: NIOThreadPool
  private let loops: MultiThreadedEventLoopGroup
  private let listener = Mutex<(any Channel)?>(nil)
  private let connections = Mutex<[ObjectIdentifier: any Channel]>([:])

  private static let loopCount = 2
  private static let workerCount = 16
  private static let backlog: Int32 = 512

  /// Tells connections that the server ends.
  struct Ending: Sendable {}

  init(_ handler: any RequestHandler, _ limits: ServiceLimits) {
    self.handler = handler
    self.limits = limits
    workers = NIOThreadPool(numberOfThreads: HTTPServer.workerCount)
    loops = MultiThreadedEventLoopGroup(numberOfThreads: HTTPServer.loopCount)
  }

  /// The loop that timers run on.
  var timerLoop: any EventLoop { loops.next() }

  /// Seconds since 1970-01-01 UTC.
  func clock() -> Int { time(nil) }

  /// Begins to listen.
  ///
  /// - Parameter port: 0 for one that is free.
  /// - Returns: the port.
  /// - Throws: `GENERIC_USER_ERROR` when the address cannot be had.
  func start(host: String, port: Int) throws(QueryError) -> Int {
    workers.start()
    let bootstrap = ServerBootstrap(group: loops)
      .serverChannelOption(.backlog, value: HTTPServer.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { [self] channel in
        guard admit(channel) else { return channel.close() }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandler(HTTPConnection(self))
        }
      }
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: false)
    do {
      let channel = try bootstrap.bind(host: host, port: port).wait()
      listener.withLock { $0 = channel }
      return channel.localAddress?.port ?? port
    } catch {
      throw QueryError(.genericUserError, "Cannot listen on \(host):\(port): \(error)", hint: "Choose another with --port; 0 takes one that is free.")
    }
  }

  private func admit(_ channel: any Channel) -> Bool {
    let isAdmitted = connections.withLock { known in
      guard known.count < limits.connectionCount else { return false }
      known[ObjectIdentifier(channel)] = channel
      return true
    }
    if isAdmitted {
      channel.closeFuture.whenComplete { [self] _ in connections.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) } }
    }
    return isAdmitted
  }

  /// Takes no more connections and closes those that wait for a request; the others end with their answers.
  func stopListening() {
    let channel = listener.withLock { $0.take() }
    try? channel?.close().wait()
    for connection in connections.withLock({ Array($0.values) }) { connection.pipeline.fireUserInboundEventTriggered(Ending()) }
  }

  /// Closes what is left and ends all threads.
  func stop() {
    stopListening()
    for connection in connections.withLock({ Array($0.values) }) { connection.close(promise: nil) }
    try? workers.syncShutdownGracefully()
    try? loops.syncShutdownGracefully()
  }
}
