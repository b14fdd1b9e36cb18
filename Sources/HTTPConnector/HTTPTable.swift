import Columnar
import ConnectorSDK
import FileFormats
import HTTPClient
import ObjectStore
import QueryErrors
import Synchronization

/// One address of a service, as a table.
final class HTTPTable: ForeignTable {
  let name: String
  let columns: Schema
  private let requests: HTTPRequests
  private let address: HTTPAddress
  /// The page that the columns were told from, for the first scan that asks for the same.
  private let firstPage: Mutex<HTTPPage?>

  init(_ catalog: HTTPCatalog, name: String, _ requests: HTTPRequests) throws(QueryError) {
    self.name = name
    self.requests = requests
    let settings = catalog.settings
    let url = settings.url.replacing("{table}", with: PercentEncoding.encode(name, keepsSlashes: true))
    guard let address = HTTPAddress(url) else { throw .internalError("an address that was checked: \(url)") }
    self.address = address
    let context = catalog.context
    if let declared = settings.columns {
      columns = declared
      firstPage = Mutex(nil)
    } else {
      guard let page = try HTTPPages(requests, address.adding(settings.parameters), fetchesAhead: false).next() else {
        throw .internalError("a table without a page")
      }
      let schema = page.rows.isEmpty ? Schema([]) : try JSONFormat(FormatOptions()).inferSchema(try HTTPReader.source(page, requests))
      guard !schema.fields.isEmpty else {
        throw .foreign(
          context.catalog, "GET \(requests.shown(page.address)): the page has no rows that would tell the columns",
          hint: "Declare the catalog WITH (columns = 'name type, …').")
      }
      columns = Schema(schema.fields.map { Field($0.name, HTTPTable.known($0.type)) })
      firstPage = Mutex(page)
    }
    for rule in settings.filters where settings.tables.count == 1 && !columns.fields.contains(where: { $0.name.lowercased() == rule.column }) {
      throw QueryError(
        .invalidCatalogProperty, "Catalog '\(context.catalog)': filters name the column '\(rule.column)', which \(name) has not")
    }
  }

  /// The type with texts where no value told a type.
  private static func known(_ type: DataType) -> DataType {
    switch type {
    case .unknown: .text
    case .array(let element): .array(known(element))
    case .map(let key, let value): .map(key: known(key), value: known(value))
    case .row(let fields): .row(fields.map { DataType.RowField(name: $0.name, type: known($0.type)) })
    default: type
    }
  }

  // MARK: What is sent

  /// Filters that parameters say, and the limit: pages behind it are not asked for.
  func accept(_ offer: ForeignRequest) -> ForeignRequest {
    var request = ForeignRequest(columns: offer.columns)
    request.filters = offer.filters.filter { !parameters(for: $0).isEmpty }
    request.limit = offer.limit
    return request
  }

  private func parameters(for filter: ForeignFilter) -> [String] {
    let field = columns.fields[filter.column]
    return requests.settings.filters.filter { $0.column == field.name.lowercased() }.compactMap { $0.parameter(for: filter, field.type) }
  }

  private func base(_ request: ForeignRequest) -> HTTPAddress {
    address.adding(requests.settings.parameters + request.filters.flatMap(parameters))
  }

  func text(of request: ForeignRequest) -> String {
    "GET " + requests.shown(HTTPPages.firstAddress(base(request), requests.settings))
  }

  // MARK: Reading

  func scan(_ request: ForeignRequest, parallelism: Int) throws(QueryError) -> any ForeignScan {
    let base = base(request)
    let first = firstPage.withLock { page -> HTTPPage? in
      guard page?.address == HTTPPages.firstAddress(base, requests.settings) else { return nil }
      defer { page = nil }
      return page
    }
    return HTTPScan(self, request, requests, base, first)
  }
}

/// All pages, by one worker: where a page is only the one before it tells.
private final class HTTPScan: ForeignScan {
  private let table: HTTPTable
  private let request: ForeignRequest
  private let requests: HTTPRequests
  private let base: HTTPAddress
  private let first: HTTPPage?

  init(_ table: HTTPTable, _ request: ForeignRequest, _ requests: HTTPRequests, _ base: HTTPAddress, _ first: HTTPPage?) {
    self.table = table
    self.request = request
    self.requests = requests
    self.base = base
    self.first = first
  }

  var splitCount: Int { 1 }

  func open(_ split: Int, batchSize: Int) throws(QueryError) -> any ForeignReader {
    try HTTPReader(table.columns, request, requests, HTTPPages(requests, base, first: first), batchSize: batchSize)
  }
}

/// Reads the rows of one page after the other as JSON files are read.
final class HTTPReader: ForeignReader {
  private let requests: HTTPRequests
  private let pages: HTTPPages
  private let format: JSONFormat
  private let request: ScanRequest
  private let limit: Int?
  private var page: Page?
  private var isDone = false
  private var rowCount = 0

  /// A page under way.
  private struct Page {
    var readers: [any BatchReader]
    var rowCount = 0
  }

  init(
    _ columns: Schema, _ wanted: ForeignRequest, _ requests: HTTPRequests, _ pages: HTTPPages, batchSize: Int
  ) throws(QueryError) {
    self.requests = requests
    self.pages = pages
    format = try JSONFormat(FormatOptions(schema: columns))
    let scanned = wanted.columns.map { ScanColumn(name: columns.fields[$0].name, type: columns.fields[$0].type, ordinal: $0) }
    request = ScanRequest(columns: scanned, batchSize: batchSize)
    limit = wanted.limit
  }

  var receivedByteCount: Int { pages.receivedByteCount }

  static func source(_ page: HTTPPage, _ requests: HTTPRequests) throws(QueryError) -> MemoryByteSource {
    try MemoryByteSource(Array(page.body[page.rows]), path: requests.shown(page.address), meter: ScanMeter())
  }

  func next() throws(QueryError) -> Batch? {
    while !isDone {
      if requests.context.isCancelled() { throw HTTPRequests.cancelled() }
      guard var current = page else {
        guard let next = try pages.next() else { break }
        page = try open(next)
        continue
      }
      if let batch = try current.readers.last?.next() {
        current.rowCount += batch.rowCount
        page = current
        rowCount += batch.rowCount
        if let limit, rowCount >= limit { isDone = true }
        if batch.rowCount > 0 { return batch }
        continue
      }
      if current.readers.popLast() != nil, !current.readers.isEmpty {
        page = current
        continue
      }
      pages.had(rows: current.rowCount)
      page = nil
    }
    isDone = true
    return nil
  }

  private func open(_ page: HTTPPage) throws(QueryError) -> Page {
    if page.rows.isEmpty { return Page(readers: []) }
    let scan = try format.open(try HTTPReader.source(page, requests)).scan(request, metrics: ScanMetrics())
    var readers: [any BatchReader] = []
    for split in try scan.splits(targetByteCount: .max, unit: .size) { readers.append(try scan.makeReader(split)) }
    return Page(readers: readers.reversed())
  }
}
