public import ConnectorSDK
import HTTPClient
public import QueryErrors
import Synchronization

/// JSON from HTTP services: `CREATE CATALOG name USING http WITH (url = 'https://api.example.com/v1/{table}', …)`.
///
/// One schema, `default`. What stands for `{table}` in the address is the table's name; an address without it is one table.
public struct HTTPConnector: Connector {
  public let name = "http"
  public let properties = [
    ConnectorProperty("url", "address of the rows; {table} in it stands for the table's name", isRequired: true),
    ConnectorProperty("tables", "names of the tables, with commas between; the last word of the address's path unless given"),
    ConnectorProperty("columns", "such as 'id bigint, name varchar'; told from the first page unless given"),
    ConnectorProperty("rows", "where in an answer the array of rows is, such as data.items; the answer itself unless given"),
    ConnectorProperty("paging", "'none' (the default), 'next', 'page', 'offset' or 'cursor'"),
    ConnectorProperty("next", "where in an answer the next page's address is; the header Link unless given"),
    ConnectorProperty("page_parameter", "parameter for the number of the page, of the first row, or for the cursor"),
    ConnectorProperty("first_page", "number of the first page, 1 unless given"),
    ConnectorProperty("cursor", "where in an answer the next page's cursor is"),
    ConnectorProperty("page_size", "rows of a page"),
    ConnectorProperty("page_size_parameter", "parameter for the rows of a page"),
    ConnectorProperty(
      "filters", "columns whose values the service selects by, such as 'state, id=item_id, created_at>=since': column=parameter"),
    ConnectorProperty("parameters", "further parameters of each request, such as 'sort=id&lang=en'"),
    ConnectorProperty("secret_parameters", "the same, shown nowhere: 'api_key=…'", isSecret: true),
    ConnectorProperty("headers", "header lines as a JSON object: '{\"X-Key\": \"…\"}'", isSecret: true),
    ConnectorProperty("bearer_token", "sent as Authorization: Bearer …", isSecret: true),
    ConnectorProperty("username", "sent with the password as Authorization: Basic …"),
    ConnectorProperty("password", "see username", isSecret: true),
    ConnectorProperty("timeout", "seconds that a page may take, 30 unless given"),
    ConnectorProperty("connect_timeout", "seconds, 10 unless given"),
    ConnectorProperty("retries", "further tries after answers that tell of a passing failure, 3 unless given"),
    ConnectorProperty("max_pages", "pages of a table after which a query fails, 10000 unless given"),
    ConnectorProperty("max_bytes", "bytes of a table after which a query fails, 1073741824 unless given"),
  ]

  private let transport = SharedTransport()

  public init() {}

  public func connect(
    _ values: [String: String], _ context: ConnectorContext
  ) throws(QueryError) -> any ForeignCatalog {
    HTTPCatalog(try HTTPSettings(values, catalog: context.catalog), transport, context)
  }
}

/// The transport of all catalogs, made with the first request.
final class SharedTransport: Sendable {
  private let made = Mutex<HTTPTransport?>(nil)

  func get() throws(QueryError) -> HTTPTransport {
    try made.withLock { (made) throws(QueryError) -> HTTPTransport in
      if let made { return made }
      let new = try HTTPTransport()
      made = new
      return new
    }
  }
}

/// A service as one statement sees it.
final class HTTPCatalog: ForeignCatalog {
  let settings: HTTPSettings
  let context: ConnectorContext
  private let transport: SharedTransport

  static let schemaName = "default"

  init(_ settings: HTTPSettings, _ transport: SharedTransport, _ context: ConnectorContext) {
    self.settings = settings
    self.transport = transport
    self.context = context
  }

  func schemaNames() throws(QueryError) -> [String] { [HTTPCatalog.schemaName] }

  func tableNames(in schema: String) throws(QueryError) -> [String]? {
    schema.lowercased() == HTTPCatalog.schemaName ? settings.tables : nil
  }

  func table(schema: String, name: String) throws(QueryError) -> (any ForeignTable)? {
    guard schema.lowercased() == HTTPCatalog.schemaName else { return nil }
    guard let exact = settings.tables.first(where: { $0 == name }) ?? settings.tables.first(where: { $0.lowercased() == name.lowercased() })
    else { return nil }
    return try HTTPTable(self, name: exact, HTTPRequests(settings, try transport.get(), context))
  }
}
