import Columnar
import FileFormats
import HTTPClient
import QueryErrors

/// What CREATE CATALOG says of a service.
struct HTTPSettings: Sendable {
  var url = ""
  var tables: [String] = []
  var columns: Schema?
  var rows: [String] = []
  var paging = Paging.none
  var pageSize: Int?
  var filters: [HTTPFilterRule] = []
  /// Parameters of each request, encoded: `name=value`.
  var parameters: [String] = []
  var secretParameters: [String] = []
  var headers: [(name: String, value: String)] = []
  var login: (user: String, password: String)?
  var timeout = 30
  var connectTimeout = 10
  var retries = 3
  var maxPages = 10_000
  var maxBytes = 1 << 30

  /// How one page leads to the next.
  enum Paging: Sendable {
    case none
    /// By its address, in the answer or in the header Link.
    case next([String]?)
    case page(parameter: String, first: Int)
    /// By the number of rows before it.
    case offset(parameter: String)
    case cursor(parameter: String, path: [String])
  }

  init(_ values: [String: String], catalog: String) throws(QueryError) {
    func bad(_ name: String, _ message: String) -> QueryError {
      QueryError(.invalidCatalogProperty, "Catalog '\(catalog)': \(name) \(message)")
    }
    func number(_ name: String, _ otherwise: Int, _ range: ClosedRange<Int>) throws(QueryError) -> Int {
      guard let text = values[name] else { return otherwise }
      guard let number = Int(text), range.contains(number) else {
        throw bad(name, "is '\(text)', not a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }
    func path(_ name: String) throws(QueryError) -> [String]? {
      guard let text = values[name] else { return nil }
      guard let path = JSONPlace.path(text) else { throw bad(name, "is '\(text)', not keys with dots between, such as data.items") }
      return path
    }
    func pairs(_ name: String) throws(QueryError) -> [String] {
      let pairs = (values[name] ?? "").split(separator: "&").map(String.init)
      for pair in pairs where !pair.contains("=") || !pair.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x23 }) {
        throw bad(name, "is not of the form name=value&name=value, percent-encoded")
      }
      return pairs
    }
    url = values["url"] ?? ""
    guard HTTPAddress(url.replacing("{table}", with: "t")) != nil else {
      throw bad("url", "is '\(url)', not an address such as https://api.example.com/v1/items")
    }
    try readTables(values, bad)
    rows = try path("rows") ?? []
    filters = try HTTPFilterRule.list(values["filters"] ?? "", bad)
    pageSize = values["page_size"] == nil ? nil : try number("page_size", 0, 1...1_000_000)
    parameters = try pairs("parameters")
    if let name = values["page_size_parameter"] {
      guard let pageSize else { throw bad("page_size_parameter", "needs page_size") }
      parameters.append("\(PercentEncoding.encode(name))=\(pageSize)")
    }
    secretParameters = try pairs("secret_parameters")
    let parameter = values["page_parameter"]
    switch values["paging"] ?? "none" {
    case "none": paging = .none
    case "next": paging = .next(try path("next"))
    case "page": paging = .page(parameter: parameter ?? "page", first: try number("first_page", 1, 0...1_000_000))
    case "offset": paging = .offset(parameter: parameter ?? "offset")
    case "cursor":
      guard let place = try path("cursor") else { throw bad("paging", "'cursor' needs the property cursor: where the cursor is") }
      paging = .cursor(parameter: parameter ?? "cursor", path: place)
    case let other: throw bad("paging", "is '\(other)', not 'none', 'next', 'page', 'offset' or 'cursor'")
    }
    try readHeaders(values, bad)
    timeout = try number("timeout", timeout, 1...86_400)
    connectTimeout = try number("connect_timeout", connectTimeout, 1...3600)
    retries = try number("retries", retries, 0...100)
    maxPages = try number("max_pages", maxPages, 1...Int(Int32.max))
    maxBytes = try number("max_bytes", maxBytes, 1...Int.max)
  }

  private mutating func readTables(
    _ values: [String: String], _ bad: (String, String) -> QueryError
  ) throws(QueryError) {
    let isTemplate = url.contains("{table}")
    if let names = values["tables"] {
      tables = names.split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
    } else if let address = HTTPAddress(url), !isTemplate {
      let word = address.path.prefix { $0 != "?" }.split(separator: "/").last.map(String.init)
      tables = [PercentEncoding.decode(word ?? "rows")]
    }
    if tables.isEmpty { throw bad("tables", "has to say which names may stand for {table}") }
    if !isTemplate, tables.count > 1 { throw bad("tables", "has \(tables.count) names, but there is no {table} in the url") }
    guard let text = values["columns"] else { return }
    if tables.count > 1 { throw bad("columns", "can be given for one table only") }
    // A list of columns is written as the fields of a row type are.
    guard case .row(let fields)? = DataType(parsing: "row(\(text))"), fields.allSatisfy({ $0.name?.isEmpty == false }) else {
      throw bad("columns", "is '\(text)', not names and types such as 'id bigint, name varchar'")
    }
    columns = Schema(fields.map { Field($0.name ?? "", $0.type) })
  }

  private mutating func readHeaders(
    _ values: [String: String], _ bad: (String, String) -> QueryError
  ) throws(QueryError) {
    headers = [("accept", "application/json"), ("user-agent", "sqlq")]
    if let text = values["headers"] {
      guard let members = JSONPlace.members(Array(text.utf8)) else { throw bad("headers", "is no JSON object of texts") }
      for (name, value) in members {
        headers.removeAll { $0.name == name.lowercased() }
        headers.append((name.lowercased(), value))
      }
    }
    if let token = values["bearer_token"] { headers.append(("authorization", "Bearer \(token)")) }
    if let user = values["username"] {
      login = (user, values["password"] ?? "")
    }
    if headers.filter({ $0.name == "authorization" }).count + (login == nil ? 0 : 1) > 1 {
      throw bad("headers", "gives the header Authorization, which bearer_token or username give, too")
    }
    for (name, value) in headers {
      let isName = !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3a }
      guard isName, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { throw bad("headers", "has a line that is no header") }
    }
  }
}

extension Substring {
  var trimmed: String {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
