/// Cuts the text of a result file into fields: `"…"` with doubled quotes, or nothing for NULL; in `.txt` files tabs separate.
struct ResultTextParser {
  private enum State { case start, quoted, quote, plain }

  private let columnCount: Int
  /// Whether it is a `.csv` with a header.
  private let isDelimited: Bool
  private var state = State.start
  private var field: [UInt8] = []
  private var column = 0
  private var isHeader: Bool
  private var builders: [ColumnBuilder]
  private var rowCount = 0

  init(columnCount: Int, isDelimited: Bool) {
    self.columnCount = columnCount
    self.isDelimited = isDelimited
    isHeader = isDelimited
    builders = (0..<columnCount).map { _ in ColumnBuilder(.text) }
  }

  mutating func parse(_ bytes: UnsafeRawBufferPointer, _ file: String) throws(QueryError) {
    for byte in bytes {
      switch (state, byte) {
      case (.quoted, 0x22): state = .quote
      case (.quoted, _): field.append(byte)
      case (.quote, 0x22):
        field.append(0x22)
        state = .quoted
      case (_, 0x0a): try endRow(file)
      case (.start, 0x2c) where isDelimited, (.quote, 0x2c): try endField(file)
      case (.start, 0x22) where isDelimited: state = .quoted
      case (_, 0x09) where !isDelimited && column < columnCount - 1: try endField(file)
      case (_, _) where !isDelimited:
        field.append(byte)
        state = .plain
      default: throw damaged(file)
      }
    }
  }

  private mutating func endField(_ file: String) throws(QueryError) {
    guard column < columnCount else { throw damaged(file) }
    if !isHeader {
      if state == .start {
        builders[column].appendNull()
      } else {
        field.withUnsafeBytes { builders[column].append(bytes: $0) }
      }
    }
    field.removeAll(keepingCapacity: true)
    column += 1
    state = .start
  }

  private mutating func endRow(_ file: String) throws(QueryError) {
    try endField(file)
    // Texts may have fewer columns than the statement declares.
    while !isDelimited, column < columnCount { try endField(file) }
    guard column == columnCount else { throw damaged(file) }
    column = 0
    if !isHeader { rowCount += 1 }
    isHeader = false
  }

  func end(_ file: String) throws(QueryError) {
    if state != .start || column > 0 { throw damaged(file) }
  }

  private func damaged(_ file: String) -> QueryError {
    QueryError(.hiveBadData, "\(file) is not the result of a statement, or not all of it: row \(rowCount + 1), column \(column + 1)")
  }

  /// The rows parsed since the last time, all columns text.
  mutating func takeRows() -> Batch? {
    if rowCount == 0 { return nil }
    defer { rowCount = 0 }
    return Batch(columns: builders.map { $0.finish() }, rowCount: rowCount)
  }
}
