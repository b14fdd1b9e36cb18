import QueryEngine

/// Ten rows in memory; says of filters what the test wants.
struct ListConnector: Connector {
  enum Filtering: Hashable, Sendable {
    /// Accepts none.
    case ignored
    /// Does what it accepts.
    case honest
    /// Accepts all, and drops no row or every row.
    case drops(nothing: Bool)
  }

  var filtering: Filtering
  var yieldsWrongTypes = false
  let name = "list"
  let properties = [ConnectorProperty("token", "a password", isSecret: true), ConnectorProperty("note", "anything")]

  func connect(_ values: [String: String], _ context: ConnectorContext) -> any ForeignCatalog { ListCatalog(connector: self) }
}

private struct ListCatalog: ForeignCatalog {
  let connector: ListConnector
  func schemaNames() -> [String] { ["s"] }
  func tableNames(in schema: String) -> [String]? { schema == "s" ? ["t"] : nil }
  func table(schema: String, name: String) -> (any ForeignTable)? {
    schema == "s" && name == "t" ? ListTable(connector: connector) : nil
  }
}

private struct ListTable: ForeignTable {
  let connector: ListConnector
  let columns = Schema([Field("k", .bigint), Field("name", .text)])

  static let rows: [[Scalar]] =
    (1...9).map { [.integer($0), .string("n\($0 % 6)")] } + [[.null, .string("none")]]

  func accept(_ offer: ForeignRequest) -> ForeignRequest {
    var request = ForeignRequest(columns: offer.columns)
    if connector.filtering != .ignored { request.filters = offer.filters }
    return request
  }

  func text(of request: ForeignRequest) -> String { "list \(request)" }

  func scan(_ request: ForeignRequest, parallelism: Int) -> any ForeignScan {
    ListScan(table: self, request: request)
  }
}

private struct ListScan: ForeignScan {
  let table: ListTable
  let request: ForeignRequest
  let splitCount = 2
  func open(_ split: Int, batchSize: Int) -> any ForeignReader { ListReader(self, split) }
}

private final class ListReader: ForeignReader {
  private let scan: ListScan
  private var rows: [[Scalar]]
  let receivedByteCount = 0

  init(_ scan: ListScan, _ split: Int) {
    self.scan = scan
    rows = ListTable.rows.enumerated().filter { $0.offset % scan.splitCount == split }.map(\.element)
    guard !scan.request.filters.isEmpty else { return }
    switch scan.table.connector.filtering {
    case .ignored, .drops(nothing: true): break
    case .drops(nothing: false): rows = []
    case .honest: rows = rows.filter { row in scan.request.filters.allSatisfy { ListReader.passes(row[$0.column], $0) } }
    }
  }

  private static func passes(_ value: Scalar, _ filter: ForeignFilter) -> Bool {
    if value.isNull { return filter.allowsNull }
    func key(_ value: Scalar) -> [UInt8] {
      switch value {
      case .integer(let number): withUnsafeBytes(of: (UInt64(bitPattern: number) ^ (1 << 63)).bigEndian) { Array($0) }
      case .bytes(let bytes): bytes
      default: []
      }
    }
    return filter.ranges.contains { range in
      let low = range.low.map { key($0).lexicographicallyPrecedes(key(value)) || (range.includesLow && key($0) == key(value)) }
      let high = range.high.map { key(value).lexicographicallyPrecedes(key($0)) || (range.includesHigh && key($0) == key(value)) }
      return low != false && high != false
    }
  }

  func next() -> Batch? {
    if rows.isEmpty { return nil }
    defer { rows = [] }
    let columns = scan.request.columns.map { index in
      let isWrong = scan.table.connector.yieldsWrongTypes
      let builder = ColumnBuilder(isWrong ? .boolean : scan.table.columns[index].type)
      for row in rows { builder.append(isWrong ? .boolean(true) : row[index]) }
      return builder.finish()
    }
    return Batch(columns: columns, rowCount: rows.count)
  }
}
