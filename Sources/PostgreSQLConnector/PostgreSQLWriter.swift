import CPostgreSQL
import Columnar
import ConnectorSDK
import QueryErrors

/// Adds rows by one `COPY … FROM STDIN`, which is all or nothing.
final class PostgreSQLWriter: ForeignWriter {
  private let connection: PostgreSQLConnection
  private let table: PostgreSQLTable
  private let columns: [Int]
  private var isOpen = true
  private var text: [UInt8] = []

  /// Bytes after which rows are sent.
  private static let messageByteCount = 1 << 20

  init(_ table: PostgreSQLTable, _ columns: [Int]) throws(QueryError) {
    self.table = table
    self.columns = columns
    connection = try PostgreSQLConnection(table.catalog.address, table.catalog.context)
    let names = columns.map { SQLWords.quoted(table.declared[$0].name) }.joined(separator: ", ")
    try connection.beginCopy("COPY \(table.table) (\(names)) FROM STDIN", PGRES_COPY_IN)
  }

  deinit { abort() }

  func write(_ batch: Batch) throws(QueryError) {
    text.removeAll(keepingCapacity: true)
    for row in 0..<batch.rowCount {
      for (place, column) in batch.columns.enumerated() {
        if place > 0 { text.append(0x09) }
        if column.isNull(row) {
          text += [0x5c, 0x4e]
        } else {
          escape(try word(column.scalar(row), table.declared[columns[place]], table.declared[columns[place]].kind))
        }
      }
      text.append(0x0a)
      if text.count >= PostgreSQLWriter.messageByteCount { try send() }
    }
    try send()
  }

  private func send() throws(QueryError) {
    if !text.isEmpty { try connection.sendCopy(text) }
    text.removeAll(keepingCapacity: true)
  }

  func commit() throws(QueryError) {
    isOpen = false
    try connection.finishCopy(nil)
  }

  func abort() {
    if isOpen { try? connection.finishCopy("given up by sqlq") }
    isOpen = false
  }

  private func escape(_ bytes: [UInt8]) {
    for byte in bytes {
      switch byte {
      case 0x5c: text += [0x5c, 0x5c]
      case 0x09: text += [0x5c, 0x74]
      case 0x0a: text += [0x5c, 0x6e]
      case 0x0d: text += [0x5c, 0x72]
      default: text.append(byte)
      }
    }
  }

  /// A value as PostgreSQL reads it.
  private func word(_ value: Scalar, _ column: PostgreSQLColumn, _ kind: PostgreSQLType) throws(QueryError) -> [UInt8] {
    let word: String?
    switch (kind, value) {
    case (.boolean, .boolean(let flag)): word = flag ? "t" : "f"
    case (.smallint, .integer(let number)), (.integer, .integer(let number)), (.bigint, .integer(let number)),
      (.unsigned, .integer(let number)):
      word = String(number)
    case (.real, .real(let number)): word = PostgreSQLWriter.float(Double(number), "\(number)")
    case (.double, .double(let number)): word = PostgreSQLWriter.float(number, "\(number)")
    case (.numeric(_, let scale), .integer(let unscaled)): word = SQLWords.decimal(Int128(unscaled), scale: scale)
    case (.numeric(_, let scale), .int128(let unscaled)): word = SQLWords.decimal(unscaled, scale: scale)
    case (.text, .bytes(let bytes)), (.json, .bytes(let bytes)), (.jsonb, .bytes(let bytes)), (.char, .bytes(let bytes)),
      (.enumeration, .bytes(let bytes)):
      guard !bytes.contains(0) else {
        throw QueryError(.hiveWriterError, "PostgreSQL cannot hold a text with a NUL, for column '\(column.name)' of \(table.fullName)")
      }
      return bytes
    case (.bytes, .bytes(let bytes)): word = "\\x" + SQLWords.hexadecimal(bytes)
    case (.uuid, .bytes(let bytes)): word = SQLWords.hexadecimal(bytes)
    case (.date, .integer(let days)): word = PostgreSQLText.date(days)
    case (.time, .integer(let picos)): word = PostgreSQLText.time(picos)
    case (.timestamp, .integer(let micros)): word = PostgreSQLText.timestamp(micros)
    case (.timestampWithTimeZone, .int128(let packed)):
      let (micros, rest) = ZonedTimestamp.utcPicos(packed).quotientAndRemainder(dividingBy: 1_000_000)
      word = rest == 0 ? Int64(exactly: micros).flatMap(PostgreSQLText.timestamp).map { $0 + "+00" } : nil
    case (.array(let element, _), .array(let items)):
      var parts: [String] = []
      for item in items {
        if item.isNull {
          parts.append("NULL")
          continue
        }
        let inner = String(decoding: try self.word(item, column, element), as: UTF8.self)
        parts.append("\"" + inner.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"")
      }
      word = "{" + parts.joined(separator: ",") + "}"
    default: word = nil
    }
    guard let word else {
      throw QueryError(.hiveWriterError, "PostgreSQL cannot hold the value for column '\(column.name)' of \(table.fullName)")
    }
    return Array(word.utf8)
  }

  private static func float(_ number: Double, _ text: String) -> String {
    number.isNaN ? "NaN" : (number.isInfinite ? (number < 0 ? "-Infinity" : "Infinity") : text)
  }
}
