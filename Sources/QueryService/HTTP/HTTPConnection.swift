import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import QueryErrors

/// Answers requests: what the HTTP server asks of the services behind it.
protocol RequestHandler: Sendable {
  /// Where the body of a request goes, told from its headers alone.
  func intake(_ request: ServiceRequest) -> BodyIntake

  /// Answers a request; called on a thread that may block. `answer` is called once, from any thread, at any time.
  func handle(_ request: ServiceRequest, answer: @escaping @Sendable (ServiceResponse) -> Void)

  /// The answer to a request that HTTP itself refuses, in the form its sender reads.
  func refusal(_ request: ServiceRequest, status: Int, message: String) -> ServiceResponse
}

/// Where a request's body goes.
enum BodyIntake {
  case memory
  /// A file in this folder.
  case upload(folder: String, isChunked: Bool)
  /// Nowhere: the request is refused as it stands.
  case refused(ServiceResponse)
}

/// One connection: gathers requests, hands them on one at a time, writes the answers.
///
/// A client that says `Expect: 100-continue` is told to go on, or refused before it sends anything.
///
/// - Threads: its event loop.
final class HTTPConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let server: HTTPServer
  private var state = State.waiting
  private var timer: Scheduled<Void>?
  /// Whether the connection ends with the answer.
  private var endsAfterAnswer = false

  private enum State {
    case waiting
    case receiving(ServiceRequest, Body)
    /// Refused already; what still comes is passed over.
    case discarding
    case answering
  }

  private enum Body {
    case memory([UInt8])
    case upload(UploadFile, received: Int)
  }

  init(_ server: HTTPServer) { self.server = server }

  // MARK: Coming and going

  func handlerAdded(context: ChannelHandlerContext) { wait(context) }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    context.fireChannelInactive()
  }

  /// A server that ends closes connections that have nothing to answer.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is HTTPServer.Ending {
      endsAfterAnswer = true
      if case .waiting = state { context.close(promise: nil) }
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// Closes the connection when nothing happens for so long.
  private func limit(_ seconds: Int, _ context: ChannelHandlerContext) {
    timer?.cancel()
    let channel = context.channel
    timer = context.eventLoop.scheduleTask(in: .seconds(Int64(seconds))) { channel.close(promise: nil) }
  }

  private func wait(_ context: ChannelHandlerContext) {
    state = .waiting
    limit(server.limits.idleSeconds, context)
  }

  // MARK: Receiving

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): begin(head, context)
    case .body(let buffer): receive(buffer, context)
    case .end: finish(context)
    }
  }

  private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    if !head.isKeepAlive { endsAfterAnswer = true }
    limit(server.limits.bodySeconds, context)
    let request = ServiceRequest(
      method: head.method.rawValue, target: head.uri, headers: head.headers.map { ($0.name.lowercased(), $0.value) }, body: .bytes([]))
    let length = request.header("content-length").flatMap { Int($0) } ?? 0
    switch server.handler.intake(request) {
    case .refused(let answer): return refuse(answer, context)
    case .memory:
      if length > server.limits.bodyByteCount { return refuse(request, 413, "The body is too large", context) }
      state = .receiving(request, .memory([]))
    case .upload(let folder, let isChunked):
      if length > server.limits.uploadByteCount { return refuse(request, 413, "The body is too large", context) }
      do throws(QueryError) {
        state = .receiving(request, .upload(try UploadFile(in: folder, isChunked: isChunked), received: 0))
      } catch {
        return refuse(request, 500, error.message, context)
      }
    }
    if head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
      context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }
  }

  private func receive(_ buffer: ByteBuffer, _ context: ChannelHandlerContext) {
    guard case .receiving(let request, let body) = state else { return }
    // The array in the state must be the only one, or each piece would copy all before it.
    state = .discarding
    switch body {
    case .memory(var bytes):
      if bytes.count + buffer.readableBytes > server.limits.bodyByteCount { return refuse(request, 413, "The body is too large", context) }
      bytes.append(contentsOf: buffer.readableBytesView)
      state = .receiving(request, .memory(bytes))
    case .upload(let file, let received):
      let count = received + buffer.readableBytes
      if count > server.limits.uploadByteCount { return refuse(request, 413, "The body is too large", context) }
      var failure: QueryError?
      buffer.withUnsafeReadableBytes { bytes in
        do throws(QueryError) { try file.append(bytes) } catch { failure = error }
      }
      if let failure { return refuse(request, failure.code == .hiveBadData ? 400 : 500, failure.message, context) }
      state = .receiving(request, .upload(file, received: count))
      limit(server.limits.bodySeconds, context)
    }
  }

  private func finish(_ context: ChannelHandlerContext) {
    guard case .receiving(var request, let body) = state else { return }
    state = .answering
    timer?.cancel()
    switch body {
    case .memory(let bytes): request.body = .bytes(bytes)
    case .upload(let file, _):
      guard file.isWhole else { return refuse(request, 400, "The body ends within a chunk", context) }
      request.body = .file(file)
    }
    let whole = request
    let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    let loop = context.eventLoop
    let isHead = request.method == "HEAD"
    server.workers.submit { [handler = server.handler] state in
      guard state == .active else { return }
      handler.handle(whole) { response in
        loop.execute { connection.value.write(response, isHead: isHead, bound.value) }
      }
    }
  }

  // MARK: Answering

  private func refuse(_ request: ServiceRequest, _ status: Int, _ message: String, _ context: ChannelHandlerContext) {
    refuse(server.handler.refusal(request, status: status, message: message), context)
  }

  /// Answers before the request has come whole, and ends the connection.
  private func refuse(_ answer: ServiceResponse, _ context: ChannelHandlerContext) {
    state = .discarding
    endsAfterAnswer = true
    write(answer, isHead: false, context)
  }

  private func write(_ response: ServiceResponse, isHead: Bool, _ context: ChannelHandlerContext) {
    guard context.channel.isActive else {
      if case .file(let descriptor, _) = response.body { close(descriptor) }
      return
    }
    var headers = HTTPHeaders(response.headers)
    let count =
      switch response.body {
      case .bytes(let bytes): bytes.count
      case .file(_, let range): range.count
      case .absent(let count): count
      }
    if response.status != 204, response.status != 304 { headers.replaceOrAdd(name: "Content-Length", value: String(count)) }
    headers.replaceOrAdd(name: "Date", value: HTTPDate.text(now: server.clock()))
    if endsAfterAnswer { headers.replaceOrAdd(name: "Connection", value: "close") }
    let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    switch response.body {
    case .bytes(let bytes):
      if !bytes.isEmpty, !isHead {
        context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: bytes)))), promise: nil)
      }
    case .file(let descriptor, let range):
      if isHead || range.isEmpty {
        close(descriptor)
      } else {
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        let region = FileRegion(fileHandle: handle, readerIndex: range.lowerBound, endIndex: range.upperBound)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in try? handle.close() }
        context.write(wrapOutboundOut(.body(.fileRegion(region))), promise: written)
      }
    case .absent: break
    }
    let isLast = endsAfterAnswer
    let done = context.eventLoop.makePromise(of: Void.self)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: done)
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    if isLast {
      done.futureResult.whenComplete { _ in HTTPConnection.closeGently(bound.value) }
    } else {
      wait(context)
    }
  }

  /// Ends what is sent, and the connection once the other side has read it: a body that still comes would turn a plain
  /// close into a reset, and the answer be lost.
  private static func closeGently(_ context: ChannelHandlerContext) {
    let channel = context.channel
    channel.close(mode: .output, promise: nil)
    context.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
  }
}
