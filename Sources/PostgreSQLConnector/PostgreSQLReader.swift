import CPostgreSQL
import Columnar
import ConnectorSDK
import QueryErrors

/// Ranges of a table's pages, each read by one COPY at a time.
final class PostgreSQLScan: ForeignScan {
  private let table: PostgreSQLTable
  private let request: ForeignRequest
  private let conditions: [String?]

  init(_ table: PostgreSQLTable, _ request: ForeignRequest, conditions: [String?]) {
    self.table = table
    self.request = request
    self.conditions = conditions
  }

  var splitCount: Int { conditions.count }

  func open(_ split: Int, batchSize: Int) throws(QueryError) -> any ForeignReader {
    let sql = table.select(request, and: conditions[split].map { [$0] } ?? [])
    return try PostgreSQLReader(table, request, sql: sql, batchSize: batchSize)
  }
}

/// Reads what `COPY (SELECT …) TO STDOUT (FORMAT binary)` sends.
///
///     "PGCOPY\n\377\r\n\0" flags:4 length:4 extension | rows: fields:2 (length:4 bytes)… | -1:2
///
/// - Source: PostgreSQL 15, COPY, "Binary Format".
final class PostgreSQLReader: ForeignReader {
  private let table: PostgreSQLTable
  private let batchSize: Int
  private let fields: [PostgreSQLField]
  private var connection: PostgreSQLConnection?
  private var hasHeader = false
  private var rowNumber = 0
  private(set) var receivedByteCount = 0

  init(_ table: PostgreSQLTable, _ request: ForeignRequest, sql: String, batchSize: Int) throws(QueryError) {
    self.table = table
    self.batchSize = batchSize
    var fields = request.columns.map { index in
      PostgreSQLField(name: table.declared[index].name, table.declared[index].kind, table.columns[index].type)
    }
    for item in request.aggregates ?? [] {
      let kind: PostgreSQLType
      switch (item.function, item.type) {
      case (.sum, .decimal(let precision, let scale)): kind = .numeric(precision: precision, scale: scale)
      case (.count, _), (.countRows, _), (.sum, _): kind = .bigint
      default: kind = table.declared[item.column ?? 0].kind
      }
      fields.append(PostgreSQLField(name: item.function.rawValue, kind, item.type, isAggregate: true))
    }
    self.fields = fields
    let connection = try table.catalog.borrow()
    self.connection = connection
    try checkTypes(try connection.columnTypes(sql))
    try connection.beginCopy("COPY (\(sql)) TO STDOUT (FORMAT binary)", PGRES_COPY_OUT)
  }

  /// - Throws: `JDBC_ERROR` when the table's columns are not those any more that the query was planned with.
  private func checkTypes(_ types: [Int]) throws(QueryError) {
    if fields.isEmpty { return }
    let changed = types.count == fields.count ? zip(fields, types).first { !$0.kind.reads(oid: $1) }?.0 : fields.first
    guard let changed else { return }
    throw .foreign(
      table.catalog.context.catalog, "column '\(changed.name)' of \(table.fullName) is no \(changed.type) any more",
      hint: "The table was changed while the statement ran. Run it again.")
  }

  deinit {
    // A read that ends early leaves a server that sends on.
    connection?.stop()
  }

  func next() throws(QueryError) -> Batch? {
    guard let connection else { return nil }
    for field in fields { field.begin(batchSize) }
    var count = 0
    while count < batchSize {
      guard let message = try connection.copyMessage() else {
        table.catalog.giveBack(connection)
        self.connection = nil
        break
      }
      defer { connection.release(message) }
      receivedByteCount &+= message.count
      count += try append(UnsafeRawBufferPointer(message))
    }
    return count == 0 ? nil : Batch(columns: fields.map { $0.finish(count) }, rowCount: count)
  }

  /// Appends a message's row, if it holds one.
  @inline(__always)
  private func append(_ message: UnsafeRawBufferPointer) throws(QueryError) -> Int {
    guard let start = message.baseAddress else { return 0 }
    var at = 0
    if !hasHeader {
      at = try header(message)
      if at == message.count { return 0 }
    }
    guard at + 2 <= message.count else { throw damaged() }
    let fieldCount = Int16(bitPattern: PostgreSQLReader.load(start + at, UInt16.self))
    at += 2
    if fieldCount == -1 { return 0 }
    // A request without columns selects a 1.
    let skips = fields.isEmpty
    guard Int(fieldCount) == (skips ? 1 : fields.count) else { throw damaged() }
    rowNumber &+= 1
    var index = 0
    while index < Int(fieldCount) {
      guard at + 4 <= message.count else { throw damaged() }
      let length = Int(Int32(bitPattern: PostgreSQLReader.load(start + at, UInt32.self)))
      at += 4
      guard length >= -1, at + max(0, length) <= message.count else { throw damaged() }
      if !skips {
        let field = fields[index]
        if length < 0 {
          field.appendNull()
        } else if !field.append(start + at, length) {
          throw bad(field)
        }
      }
      at += max(0, length)
      index += 1
    }
    guard at == message.count else { throw damaged() }
    return 1
  }

  private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0]

  private func header(_ message: UnsafeRawBufferPointer) throws(QueryError) -> Int {
    let length = PostgreSQLReader.signature.count
    guard message.count >= length + 8, message.prefix(length).elementsEqual(PostgreSQLReader.signature),
      let start = message.baseAddress
    else { throw damaged() }
    let end = length + 8 + Int(PostgreSQLReader.load(start + length + 4, UInt32.self))
    guard PostgreSQLReader.load(start + length, UInt32.self) == 0, end <= message.count else { throw damaged() }
    hasHeader = true
    return end
  }

  /// A number in network order.
  @inline(__always)
  static func load<T: FixedWidthInteger & BitwiseCopyable>(_ pointer: UnsafeRawPointer, _: T.Type) -> T {
    T(bigEndian: pointer.loadUnaligned(as: T.self))
  }

  private func damaged() -> QueryError {
    .foreign(table.catalog.context.catalog, "the server sent bytes that are no row, behind row \(rowNumber) of \(table.fullName)")
  }

  private func bad(_ field: PostgreSQLField) -> QueryError {
    if field.isAggregate {
      return QueryError(
        .numericValueOutOfRange, "\(field.name) of \(table.fullName), computed by the source, is no \(field.type)")
    }
    return QueryError(
      .hiveBadData,
      "PostgreSQL holds a value that no \(field.type) can be (NaN, infinity, too many digits, more than one dimension, bytes that are no text)",
      data: DataLocation(path: table.fullName, row: rowNumber, column: field.name))
  }
}
