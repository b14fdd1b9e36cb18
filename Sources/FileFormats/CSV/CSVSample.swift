import CKernels
import ObjectStore

/// A stretch of a CSV file in one dialect: its whole records.
struct CSVSample {
  let index: DelimitedIndex
  let base: UnsafePointer<UInt8>
  private let owner: AnyObject
  /// The first whole record.
  private let firstRow: Int
  private let firstField: Int
  private let firstByte: Int
  private let end: Int

  /// One record: where it starts and which fields it has.
  struct Record {
    var start: Int
    var firstField: Int
    var fieldCount: Int
    /// Records of the sample before it, blank ones counted.
    var ordinal: Int
  }

  /// - Parameters:
  ///   - isEnd: whether the file ends with the stretch.
  ///   - state: nil where a record starts at `from`; else how the scanner stands before a first record that is cut off.
  init(
    _ dialect: DelimitedDialect, _ base: UnsafePointer<UInt8>, from: Int, to: Int, isEnd: Bool, owner: AnyObject,
    state: Int? = nil
  ) {
    index = DelimitedIndex(dialect)
    self.base = base
    self.owner = owner
    end = to
    index.scanState = UInt32(state ?? 0)
    index.scan(base, from: from, to: to, limit: to)
    if isEnd, to > from, !index.isInsideQuotes {
      let endsInLine =
        index.rowCount == 0 || Int(index.rows[index.rowCount - 1]) < index.fieldCount - 1
        || Int(index.fields[index.fieldCount - 1]) < to - 1
      if endsInLine { index.appendLineEnd(at: to) }
    }
    guard state != nil, index.rowCount > 0 else {
      (firstRow, firstField, firstByte) = (0, 0, state == nil ? from : to)
      return
    }
    let last = Int(index.rows[0])
    (firstRow, firstField, firstByte) = (1, last + 1, Int(index.fields[last]) + 1)
  }

  /// Whether it ends in an open quote.
  var isOpen: Bool { index.isInsideQuotes }
  /// Fields with text behind their closing quote.
  var strayCount: Int { index.strayCount }
  var rowCount: Int { index.rowCount - firstRow }
  /// The byte behind the last whole record.
  var endOfRecords: Int {
    index.rowCount == 0 ? firstByte : min(end, Int(index.fields[Int(index.rows[index.rowCount - 1])]) + 1)
  }

  /// Visits the records that are not blank until `body` says false.
  func forEachRecord(_ body: (Record) -> Bool) {
    var (start, field) = (firstByte, firstField)
    var row = firstRow
    while row < index.rowCount {
      let last = Int(index.rows[row])
      let end = Int(index.fields[last])
      let isBlank = last == field && (end == start || (end == start + 1 && base[start] == 0x0d))
      if !isBlank {
        let record = Record(start: start, firstField: field, fieldCount: last - field + 1, ordinal: row)
        if !body(record) { return }
      }
      start = end + 1
      field = last + 1
      row += 1
    }
  }

  /// The raw text of a field.
  @inline(__always)
  func cell(_ record: Record, _ column: Int) -> (UnsafePointer<UInt8>, Int) {
    let fields = index.fields
    let at = record.firstField + column
    let start = column == 0 ? record.start : Int(fields[at - 1]) + 1
    var end = Int(fields[at])
    if end > start, base[end - 1] == 0x0d, end < self.end, base[end] == 0x0a { end -= 1 }
    return (base + start, end - start)
  }

  /// Visits all fields of the records of `width` fields, from record `first` on.
  func forEachField(
    _ dialect: DelimitedDialect, from first: Int, width: Int,
    _ body: (_ column: Int, _ text: UnsafePointer<UInt8>, _ count: Int, _ isQuoted: Bool) -> Void
  ) {
    let field = DelimitedField(dialect)
    defer { field.destroy() }
    let spans = TextSpans(capacity: 1)
    let quote = dialect.quote
    withExtendedLifetime(owner) {
      forEachRecord { record in
        if record.ordinal < first || CSVSample.isComment(self, record, dialect) { return true }
        var column = 0
        while column < min(record.fieldCount, width) {
          let (p, n) = cell(record, column)
          field.resolve(p, n, into: spans, 0)
          body(column, spans.starts[0], Int(spans.lengths[0]), n > 0 && quote != nil && p[0] == quote)
          column += 1
        }
        return true
      }
    }
    _ = spans.takeHeap()
  }

  static func isComment(_ sample: CSVSample, _ record: Record, _ dialect: DelimitedDialect) -> Bool {
    dialect.comment.map { sample.base[record.start] == $0 } ?? false
  }
}
