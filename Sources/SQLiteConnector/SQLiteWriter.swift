import CSQLite
import Columnar
import ConnectorSDK
import QueryErrors

/// Inserts rows in one transaction.
final class SQLiteWriter: ForeignWriter {
  private let connection: SQLiteConnection
  private let table: SQLiteTable
  private let columns: [Int]
  private let statement: OpaquePointer
  private var isOpen = true

  init(_ table: SQLiteTable, _ columns: [Int]) throws(QueryError) {
    self.table = table
    self.columns = columns
    // The statement's own reads have to end before the file can be written.
    try table.catalog.connection.run("COMMIT")
    connection = try SQLiteConnection(path: table.catalog.path, writes: true, table.catalog.context)
    try connection.run("BEGIN IMMEDIATE")
    let names = columns.map { SQLWords.quoted(table.declared[$0].name) }.joined(separator: ", ")
    let places = columns.map { _ in "?" }.joined(separator: ", ")
    statement = try connection.prepare("INSERT INTO \(table.table) (\(names)) VALUES (\(places))")
  }

  deinit {
    abort()
    sqlite3_finalize(statement)
  }

  func write(_ batch: Batch) throws(QueryError) {
    for row in 0..<batch.rowCount {
      for (place, column) in batch.columns.enumerated() { try bind(Int32(place + 1), column, row, table.declared[columns[place]]) }
      guard sqlite3_step(statement) == SQLITE_DONE else { throw connection.failure() }
      sqlite3_reset(statement)
    }
  }

  func commit() throws(QueryError) {
    try connection.run("COMMIT")
    isOpen = false
  }

  func abort() {
    if isOpen { _ = try? connection.run("ROLLBACK") }
    isOpen = false
  }

  /// SQLite copies the bytes.
  private static let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  private func bind(_ place: Int32, _ column: Column, _ row: Int, _ declared: SQLiteColumn) throws(QueryError) {
    if column.isNull(row) {
      sqlite3_bind_null(statement, place)
      return
    }
    let value = column.scalar(row)
    func text(_ text: String) { sqlite3_bind_text(statement, place, text, -1, SQLiteWriter.copies) }
    switch (declared.kind, value) {
    case (.integer, .integer(let number)): sqlite3_bind_int64(statement, place, number)
    case (.boolean, .boolean(let flag)): sqlite3_bind_int64(statement, place, flag ? 1 : 0)
    case (.double, .double(let number)):
      guard !number.isNaN else {
        throw QueryError(.hiveWriterError, "SQLite cannot hold NaN, for column '\(declared.name)' of \(table.fullName)")
      }
      sqlite3_bind_double(statement, place, number)
    // Texts of more digits than a double holds stay texts; the column's affinity makes numbers of the others.
    case (.decimal(_, let scale), .integer(let unscaled)): text(SQLWords.decimal(Int128(unscaled), scale: scale))
    case (.decimal(_, let scale), .int128(let unscaled)): text(SQLWords.decimal(unscaled, scale: scale))
    case (.text, .bytes(let bytes)):
      if bytes.isEmpty { return text("") }
      bytes.withUnsafeBytes {
        _ = sqlite3_bind_text(
          statement, place, $0.bindMemory(to: CChar.self).baseAddress, Int32($0.count), SQLiteWriter.copies)
      }
    case (.blob, .bytes(let bytes)):
      if bytes.isEmpty {
        sqlite3_bind_zeroblob(statement, place, 0)
      } else {
        bytes.withUnsafeBytes { _ = sqlite3_bind_blob(statement, place, $0.baseAddress, Int32($0.count), SQLiteWriter.copies) }
      }
    case (.date, .integer(let days)):
      var bytes = [UInt8](repeating: 0, count: 64)
      let length = bytes.withUnsafeMutableBufferPointer { TimestampText.writeDate(days: Int(days), to: $0.baseAddress!) }
      text(String(decoding: bytes[..<length], as: UTF8.self))
    case (.timestamp, .integer(let micros)):
      var bytes = [UInt8](repeating: 0, count: 64)
      let length = bytes.withUnsafeMutableBufferPointer { TimestampText.write(micros: micros, precision: 6, to: $0.baseAddress!) }
      text(String(decoding: bytes[..<length], as: UTF8.self))
    default: throw .internalError("a value for column '\(declared.name)' of \(table.fullName) of another type")
    }
  }
}
