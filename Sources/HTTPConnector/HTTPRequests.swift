import ConnectorSDK
import Glibc
import HTTPClient
import QueryErrors

/// Sends a table's requests, and again what may go well the next time.
///
/// - Threads: any.
struct HTTPRequests: Sendable {
  let settings: HTTPSettings
  let transport: HTTPTransport
  let context: ConnectorContext
  /// Names of parameters whose values are shown nowhere.
  private let hidden: Set<Substring>

  /// Bytes of a page, at most.
  private static let largestPage = 256 << 20
  private static let shownBodyCount = 200

  init(_ settings: HTTPSettings, _ transport: HTTPTransport, _ context: ConnectorContext) {
    self.settings = settings
    self.transport = transport
    self.context = context
    hidden = Set(settings.secretParameters.map { Substring($0.prefix { $0 != "=" }) })
  }

  /// A page's address as it may be shown.
  func shown(_ address: HTTPAddress) -> String { address.text(hiding: hidden) }

  /// Sends a request; it is on its way when this returns.
  func begin(_ address: HTTPAddress) -> HTTPTransfer {
    // The address of a next page may have the secrets already.
    let given = Set(address.parameters.map { $0.prefix { $0 != "=" } })
    let secrets = settings.secretParameters.filter { !given.contains(Substring($0.prefix { $0 != "=" })) }
    var request = HTTPRequest(method: "GET", url: address.adding(secrets).text, headers: settings.headers)
    request.connectTimeout = settings.connectTimeout
    request.timeout = settings.timeout
    request.login = settings.login
    request.largestBody = min(HTTPRequests.largestPage, settings.maxBytes)
    return transport.submit(request)
  }

  /// Waits for the answer to what was sent to `address`; tries again what may go well the next time.
  ///
  /// - Throws: `JDBC_ERROR`, `USER_CANCELED`.
  func answer(_ transfer: HTTPTransfer, _ address: HTTPAddress) throws(QueryError) -> HTTPAnswer {
    var transfer = transfer
    var tries = 1
    while true {
      guard let answer = transfer.wait(isCancelled: context.isCancelled) else {
        transport.wake()
        throw HTTPRequests.cancelled()
      }
      if answer.isSuccess { return answer }
      guard isWorthAnotherTry(answer), tries <= settings.retries else { throw failure(answer, address, tries) }
      try pause(tries, asked: answer.headers["retry-after"].flatMap { Int($0) })
      tries += 1
      transfer = begin(address)
    }
  }

  static func cancelled() -> QueryError { QueryError(.userCanceled, "Query was canceled") }

  private func isWorthAnotherTry(_ answer: HTTPAnswer) -> Bool {
    if answer.failure != nil { return !answer.isTooLarge }
    return [408, 425, 429, 500, 502, 503, 504].contains(answer.status)
  }

  private func failure(_ answer: HTTPAnswer, _ address: HTTPAddress, _ tries: Int) -> QueryError {
    let start = "GET \(shown(address)): "
    let end = tries > 1 ? " (\(tries) tries)" : ""
    if answer.isTooLarge {
      return .foreign(context.catalog, start + "the page has more than \(min(HTTPRequests.largestPage, settings.maxBytes)) bytes (max_bytes)")
    }
    if let failure = answer.failure { return .foreign(context.catalog, start + failure.text + end) }
    var message = start + "status \(answer.status)" + end
    if let place = answer.headers["location"] { message += ", moved to \(place)" }
    let body = String(decoding: answer.body.prefix(HTTPRequests.shownBodyCount), as: UTF8.self)
    let words = body.split { $0 == "\n" || $0 == "\r" || $0 == "\t" }.joined(separator: " ")
    if !words.isEmpty { message += ": " + words }
    return .foreign(context.catalog, message)
  }

  /// Milliseconds after the first failed try; twice as many after each further one.
  private static let firstPause = 200
  private static let longestPause = 60_000

  /// - Parameter asked: seconds that the service asks for.
  private func pause(_ tries: Int, asked: Int?) throws(QueryError) {
    let usual = HTTPRequests.firstPause << min(tries - 1, 10)
    var left = min(HTTPRequests.longestPause, asked.map { max(0, min($0, 3600)) * 1000 } ?? usual)
    while left > 0 {
      if context.isCancelled() { throw HTTPRequests.cancelled() }
      usleep(UInt32(min(left, 10)) * 1000)
      left -= 10
    }
  }
}
