import CSQLite
import Columnar
import ConnectorSDK
import QueryErrors

/// Parts of a table by row ids; each has a connection of its own unless there is one part only.
final class SQLiteScan: ForeignScan {
  private let table: SQLiteTable
  private let request: ForeignRequest
  private let conditions: [String?]

  init(_ table: SQLiteTable, _ request: ForeignRequest, conditions: [String?]) {
    self.table = table
    self.request = request
    self.conditions = conditions
  }

  var splitCount: Int { conditions.count }

  func open(_ split: Int, batchSize: Int) throws(QueryError) -> any ForeignReader {
    let catalog = table.catalog
    let connection =
      catalog.isSharedByLock ? try SQLiteConnection(path: catalog.path, catalog.context) : catalog.connection
    return try SQLiteReader(
      connection, table, request, sql: table.select(request, and: conditions[split].map { [$0] } ?? []), batchSize: batchSize)
  }
}

/// Runs a query and turns its values into columns, checking each.
final class SQLiteReader: ForeignReader {
  private let connection: SQLiteConnection
  private let table: SQLiteTable
  private let batchSize: Int
  private let statement: OpaquePointer
  private let outputs: [Output]
  private let hasColumns: Bool
  private var isDone = false
  private var rowNumber = 0
  private(set) var receivedByteCount = 0

  private struct Output {
    var name: String
    var kind: SQLiteColumn.Kind
    var type: DataType
  }

  init(
    _ connection: SQLiteConnection, _ table: SQLiteTable, _ request: ForeignRequest, sql: String, batchSize: Int
  ) throws(QueryError) {
    self.connection = connection
    self.table = table
    self.batchSize = batchSize
    var outputs = request.columns.map {
      Output(name: table.declared[$0].name, kind: table.declared[$0].kind, type: table.columns[$0].type)
    }
    for item in request.aggregates ?? [] {
      let isCount = item.function == .count || item.function == .countRows
      outputs.append(
        Output(
          name: item.function.rawValue, kind: isCount ? .integer : table.declared[item.column ?? 0].kind, type: item.type))
    }
    self.outputs = outputs
    hasColumns = !outputs.isEmpty
    statement = try connection.prepare(sql)
  }

  deinit { sqlite3_finalize(statement) }

  func next() throws(QueryError) -> Batch? {
    if isDone { return nil }
    let builders = outputs.map { ColumnBuilder($0.type, capacity: batchSize) }
    var count = 0
    while count < batchSize {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE {
        isDone = true
        break
      }
      guard code == SQLITE_ROW else { throw connection.failure() }
      rowNumber += 1
      for (index, output) in outputs.enumerated() { try append(Int32(index), output, to: builders[index]) }
      count += 1
    }
    return count == 0 ? nil : Batch(columns: builders.map { $0.finish() }, rowCount: count)
  }

  private func append(_ column: Int32, _ output: Output, to builder: ColumnBuilder) throws(QueryError) {
    let stored = sqlite3_column_type(statement, column)
    if stored == SQLITE_NULL { return builder.appendNull() }
    switch (output.kind, stored) {
    case (.integer, SQLITE_INTEGER):
      receivedByteCount &+= 8
      builder.append(fixed: sqlite3_column_int64(statement, column))
    case (.boolean, SQLITE_INTEGER):
      let value = sqlite3_column_int64(statement, column)
      guard value == 0 || value == 1 else { throw bad(column, output) }
      receivedByteCount &+= 1
      builder.append(fixed: UInt8(value))
    case (.double, SQLITE_FLOAT):
      receivedByteCount &+= 8
      builder.append(fixed: sqlite3_column_double(statement, column))
    case (.double, SQLITE_INTEGER):
      guard let value = Double(exactly: sqlite3_column_int64(statement, column)) else { throw bad(column, output) }
      receivedByteCount &+= 8
      builder.append(fixed: value)
    case (.decimal(let precision, let scale), _) where stored != SQLITE_BLOB:
      try appendDecimal(column, output, precision, scale, stored, to: builder)
    case (.text, SQLITE_TEXT), (.blob, SQLITE_BLOB):
      let pointer = sqlite3_column_blob(statement, column)
      let bytes = UnsafeRawBufferPointer(start: pointer, count: Int(sqlite3_column_bytes(statement, column)))
      receivedByteCount &+= bytes.count
      builder.append(bytes: bytes)
    case (.date, SQLITE_TEXT):
      let (text, length) = (sqlite3_column_text(statement, column), Int(sqlite3_column_bytes(statement, column)))
      // Other ways to write a date would not be found by a filter that compares texts.
      guard let text, length == 10, let days = TimestampText.parseDate(text, length) else { throw bad(column, output) }
      receivedByteCount &+= length
      builder.append(fixed: days)
    case (.timestamp, SQLITE_TEXT):
      guard let text = sqlite3_column_text(statement, column), let micros = micros(text, column) else {
        throw bad(column, output)
      }
      builder.append(fixed: micros)
    default: throw bad(column, output)
    }
  }

  /// Digits of which a double tells the decimal that it was written as.
  private static let largestExact = 1e15

  private func appendDecimal(
    _ column: Int32, _ output: Output, _ precision: Int, _ scale: Int, _ stored: Int32, to builder: ColumnBuilder
  ) throws(QueryError) {
    var text: String
    if stored == SQLITE_FLOAT {
      let value = sqlite3_column_double(statement, column)
      guard abs(value) < SQLiteReader.largestExact else { throw bad(column, output) }
      text = "\(value)"
    } else {
      guard let pointer = sqlite3_column_text(statement, column) else { throw bad(column, output) }
      text = String(cString: pointer)
    }
    receivedByteCount &+= text.utf8.count
    let parsed = text.withUTF8 { bytes -> Int128? in
      guard let start = bytes.baseAddress,
        case .value(let value) = NumberText.parseDecimal(start, bytes.count, precision: precision, scale: scale),
        case .value(let wide) = NumberText.parseDecimal(start, bytes.count, precision: 38, scale: min(38, scale + 17))
      else { return nil }
      // Digits behind the scale would be lost.
      var exact = value
      for _ in 0..<(min(38, scale + 17) - scale) {
        let (product, overflows) = exact.multipliedReportingOverflow(by: 10)
        if overflows { return nil }
        exact = product
      }
      return exact == wide ? value : nil
    }
    guard let value = parsed else { throw bad(column, output) }
    if output.type.physicalType == .int64 {
      builder.append(fixed: Int64(truncatingIfNeeded: value))
    } else {
      builder.append(fixed: value)
    }
  }

  private func micros(_ text: UnsafePointer<UInt8>, _ column: Int32) -> Int64? {
    let length = Int(sqlite3_column_bytes(statement, column))
    receivedByteCount &+= length
    var bytes = Array(UnsafeBufferPointer(start: text, count: length))
    if length > 10, bytes[10] == 0x54 { bytes[10] = 0x20 }
    return bytes.withUnsafeBufferPointer { buffer -> Int64? in
      guard let start = buffer.baseAddress, let parts = TimestampText.parse(start, length), parts.zone == nil,
        parts.picos % 1_000_000 == 0, parts.fractionDigits <= 12
      else { return nil }
      return parts.micros(precision: 6)
    }
  }

  /// A value that is not of its column's type.
  private func bad(_ column: Int32, _ output: Output) -> QueryError {
    let storage: String
    switch sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: storage = "an integer"
    case SQLITE_FLOAT: storage = "a floating-point number"
    case SQLITE_TEXT: storage = "a text"
    default: storage = "a blob"
    }
    let value = sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
    return QueryError(
      .hiveBadData, "SQLite holds \(storage) that is no \(output.type)",
      data: DataLocation(path: table.fullName, row: rowNumber, column: output.name, value: String(value.prefix(100))),
      hint: "SQLite does not hold values to their column's type; make a view that casts the column.")
  }
}
