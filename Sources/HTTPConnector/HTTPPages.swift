import ConnectorSDK
import FileFormats
import HTTPClient
import QueryErrors

/// One page of rows.
struct HTTPPage: Sendable {
  var address: HTTPAddress
  var body: [UInt8]
  /// Where in the body the rows are.
  var rows: Range<Int>
  /// Where the next page may be; nil when this is the last one, or when that depends on its number of rows.
  var next: HTTPAddress?
}

/// The pages of a table, one after the other; the next one is on its way while one is read.
///
/// - Threads: one.
final class HTTPPages {
  private let requests: HTTPRequests
  /// The table's address with the parameters that are the same for all pages.
  private let base: HTTPAddress
  private var waiting: (address: HTTPAddress, transfer: HTTPTransfer?)?
  private var first: HTTPPage?
  private let fetchesAhead: Bool
  /// The page before, where pages are asked for by number: a service that knows no numbers sends the first one for ever.
  private var lastBody: [UInt8] = []
  private var pageNumber = 0
  private var rowCount = 0
  private var seen: Set<HTTPAddress> = []
  private(set) var receivedByteCount = 0

  /// - Parameter first: the first page, when it was fetched already.
  /// - Parameter fetchesAhead: whether the next page will be wanted while one is read.
  init(_ requests: HTTPRequests, _ base: HTTPAddress, first: HTTPPage? = nil, fetchesAhead: Bool = true) {
    self.requests = requests
    self.fetchesAhead = fetchesAhead
    self.base = base
    self.first = first
    waiting = (HTTPPages.firstAddress(base, requests.settings), nil)
  }

  deinit {
    guard let transfer = waiting?.transfer else { return }
    transfer.giveUp()
    requests.transport.wake()
  }

  static func firstAddress(_ base: HTTPAddress, _ settings: HTTPSettings) -> HTTPAddress {
    switch settings.paging {
    case .page(let parameter, let first): base.adding(["\(PercentEncoding.encode(parameter))=\(first)"])
    default: base
    }
  }

  /// The next page; nil behind the last.
  func next() throws(QueryError) -> HTTPPage? {
    guard let (address, transfer) = waiting else { return nil }
    waiting = nil
    let settings = requests.settings
    guard pageNumber < settings.maxPages else {
      throw .foreign(requests.context.catalog, "the table has more than \(settings.maxPages) pages (max_pages)")
    }
    pageNumber += 1
    let page: HTTPPage
    if pageNumber == 1, let first {
      page = first
      self.first = nil
    } else {
      let answer = try requests.answer(transfer ?? requests.begin(address), address)
      page = try self.page(answer, at: address)
    }
    receivedByteCount += page.body.count
    guard receivedByteCount <= settings.maxBytes else {
      throw .foreign(requests.context.catalog, "the table has more than \(settings.maxBytes) bytes (max_bytes)")
    }
    switch settings.paging {
    case .page, .offset:
      guard page.rows.isEmpty || page.body != lastBody else {
        throw .foreign(
          requests.context.catalog, "GET \(requests.shown(page.address)): the page is the same as the one before",
          hint: "The service may know no such parameter (page_parameter).")
      }
      lastBody = page.body
    default: break
    }
    if let next = page.next {
      guard seen.insert(next).inserted, next != address else {
        throw .foreign(requests.context.catalog, "GET \(requests.shown(address)): the next page is one that was before: \(requests.shown(next))")
      }
      // What the limit of pages forbids is not asked for.
      waiting = (next, fetchesAhead && pageNumber < settings.maxPages ? requests.begin(next) : nil)
    }
    return page
  }

  /// Tells how many rows the last page had, where the next one depends on it.
  func had(rows: Int) {
    rowCount += rows
    let settings = requests.settings
    if rows == 0 || settings.pageSize.map({ rows < $0 }) == true { return }
    switch settings.paging {
    case .page(let parameter, let first):
      waiting = (base.adding(["\(PercentEncoding.encode(parameter))=\(first + pageNumber)"]), nil)
    case .offset(let parameter): waiting = (base.adding(["\(PercentEncoding.encode(parameter))=\(rowCount)"]), nil)
    default: return
    }
  }

  // MARK: Answers

  private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0a, 0x0d].contains(byte) }

  /// Finds the rows and the next page's address.
  private func page(_ answer: HTTPAnswer, at address: HTTPAddress) throws(QueryError) -> HTTPPage {
    let settings = requests.settings
    func bad(_ message: String) -> QueryError {
      .foreign(requests.context.catalog, "GET \(requests.shown(address)): \(message)")
    }
    guard let found = JSONPlace.find(settings.rows, in: answer.body) else {
      throw bad("the answer is no JSON, at byte \(JSONPlace.firstError(in: answer.body))")
    }
    let rows: Range<Int>
    switch found {
    case .array(let range): rows = answer.body[range].dropFirst().dropLast().allSatisfy(HTTPPages.isBlank) ? 0..<0 : range
    case .object(let range): rows = range
    case .null where !settings.rows.isEmpty: rows = 0..<0
    case .missing: throw bad("the answer has no '\(settings.rows.joined(separator: "."))' (rows)")
    default: throw bad("what is at '\(settings.rows.joined(separator: "."))' is no array (rows)")
    }
    return HTTPPage(address: address, body: answer.body, rows: rows, next: try next(answer, address, bad))
  }

  private func next(
    _ answer: HTTPAnswer, _ address: HTTPAddress, _ bad: (String) -> QueryError
  ) throws(QueryError) -> HTTPAddress? {
    func text(_ path: [String]) throws(QueryError) -> String? {
      switch JSONPlace.find(path, in: answer.body) {
      case .string(let text)?, .scalar(let text)?: return text.isEmpty || text == "false" ? nil : text
      case .array?, .object?: throw bad("what is at '\(path.joined(separator: "."))' is no text")
      default: return nil
      }
    }
    let link: String?
    switch requests.settings.paging {
    case .next(let path?): link = try text(path)
    case .next(nil): link = answer.headers["link"].flatMap(HTTPPages.nextLink)
    case .cursor(let parameter, let path):
      return try text(path).map { base.adding(["\(PercentEncoding.encode(parameter))=\(PercentEncoding.encode($0))"]) }
    default: return nil
    }
    guard let link else { return nil }
    guard let next = address.resolved(link) else { throw bad("the next page's address is '\(link)', which is none") }
    // Headers and secrets are for nobody else.
    guard next.origin == address.origin else { throw bad("the next page is at another host, \(next.origin), to which nothing is sent") }
    return next
  }

  /// `<address>; rel="next"` of a header Link.
  ///
  /// - Source: RFC 8288, section 3.
  static func nextLink(_ header: String) -> String? {
    var rest = header[...]
    while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
      let target = rest[rest.index(after: open)..<close]
      rest = rest[rest.index(after: close)...]
      let parameters = rest.prefix { $0 != "<" }
      for parameter in parameters.split(separator: ";") {
        let words = parameter.split(separator: "=", maxSplits: 1)
        guard words.count == 2, words[0].filter({ $0 != " " }).lowercased() == "rel" else { continue }
        let values = words[1].filter { $0 != "\"" && $0 != "," }.lowercased().split(separator: " ")
        if values.contains("next") { return String(target) }
      }
    }
    return nil
  }
}
