/// The texts of some records of a sample, quotes taken off, without a copy where they stand in the file as they are.
///
/// - Threads: one owner.
final class CSVTexts {
  /// Cells of each record.
  let width: Int
  private var cells: [CSVText] = []
  private let sample: CSVSample
  private let field: DelimitedField
  private let quote: UInt8?
  private let spans = TextSpans(capacity: 1)

  /// - Parameter rowCapacity: records to make room for.
  init(_ sample: CSVSample, _ dialect: DelimitedDialect, width: Int, rowCapacity: Int = 1) {
    self.sample = sample
    self.width = width
    field = DelimitedField(dialect)
    quote = dialect.quote
    cells.reserveCapacity(width * rowCapacity)
  }

  deinit { field.destroy() }

  /// The texts of one record.
  convenience init(_ sample: CSVSample, _ dialect: DelimitedDialect, record: CSVSample.Record) {
    self.init(sample, dialect, width: record.fieldCount)
    add(record)
  }

  var rowCount: Int { width == 0 ? 0 : cells.count / width }

  subscript(row: Int, column: Int) -> CSVText { cells[row * width + column] }

  /// Adds a record of `width` fields.
  func add(_ record: CSVSample.Record) {
    var column = 0
    while column < width {
      let (p, n) = sample.cell(record, column)
      field.resolve(p, n, into: spans, 0)
      cells.append(
        CSVText(start: spans.starts[0], count: Int(spans.lengths[0]), isQuoted: n > 0 && quote != nil && p[0] == quote))
      column += 1
    }
  }

  /// Takes the last record off again.
  func removeLast() { cells.removeLast(width) }

  /// Whether two records are the same.
  func isSame(_ row: Int, as other: CSVTexts, _ otherRow: Int) -> Bool {
    if width != other.width { return false }
    var column = 0
    while column < width {
      let (own, its) = (self[row, column], other[otherRow, column])
      if own.isQuoted != its.isQuoted || !own.hasSameText(its) { return false }
      column += 1
    }
    return true
  }

  /// The texts of the first record.
  var firstTexts: [String] { (0..<width).map { self[0, $0].text } }
}
