import CKernels

/// The places of separators and line ends in one window of delimited text.
///
/// - Threads: one owner.
final class DelimitedIndex {
  /// Place of each separator and line end, ascending.
  private(set) var fields: UnsafeMutablePointer<UInt32>
  /// For each line end, its index in `fields`.
  private(set) var rows: UnsafeMutablePointer<UInt32>
  private var fieldCapacity = 0
  private var rowCapacity = 0
  private var dialect: ck_text_dialect
  private var state = ck_text_state()

  var fieldCount: Int { state.field_count }
  var rowCount: Int { state.row_count }
  /// One of CK_TEXT_….
  var scanState: UInt32 {
    get { state.state }
    set { state.state = newValue }
  }
  /// Whether the last scan saw a byte above 127.
  private(set) var sawNonASCII = false
  /// Fields scanned that have text behind their closing quote.
  var strayCount: Int { state.stray_count }
  /// Where such text first stands; the largest number when nowhere.
  var strayPlace: Int { state.stray_count == 0 ? .max : state.stray_place }

  init(_ dialect: DelimitedDialect) {
    self.dialect = dialect.scanned
    fields = .allocate(capacity: 64)
    rows = .allocate(capacity: 64)
    fieldCapacity = 64
    rowCapacity = 64
  }

  deinit {
    fields.deallocate()
    rows.deallocate()
  }

  /// Whether the scan stands inside a quoted field.
  var isInsideQuotes: Bool {
    state.state == UInt32(CK_TEXT_QUOTED) || state.state == UInt32(CK_TEXT_ESCAPE_IN_QUOTES)
  }

  /// Forgets all places.
  func reset() {
    state.field_count = 0
    state.row_count = 0
    state.state = 0
    state.stray_count = 0
  }

  /// Forgets the first places, so that `firstField` and `firstRow` become the first ones.
  func drop(fields firstField: Int, rows firstRow: Int) {
    if firstField == 0, firstRow == 0 { return }
    let (fieldRest, rowRest) = (fieldCount - firstField, rowCount - firstRow)
    fields.update(from: fields + firstField, count: fieldRest)
    var i = 0
    while i < rowRest {
      rows[i] = rows[firstRow &+ i] &- UInt32(truncatingIfNeeded: firstField)
      i &+= 1
    }
    state.field_count = fieldRest
    state.row_count = rowRest
  }

  /// Adds the places of `base[from ..< to]`.
  ///
  /// - Parameter limit: where the known bytes end.
  func scan(_ base: UnsafePointer<UInt8>, from: Int, to: Int, limit: Int) {
    reserve(to - from + 80)
    state.non_ascii = 0
    ck_text_scan(base, from, to, limit, &dialect, &state, fields, rows)
    sawNonASCII = state.non_ascii != 0
  }

  /// Adds a line end that is not in the text: the end of the file.
  func appendLineEnd(at place: Int) {
    reserve(1)
    rows[state.row_count] = UInt32(truncatingIfNeeded: state.field_count)
    fields[state.field_count] = UInt32(truncatingIfNeeded: place)
    state.field_count += 1
    state.row_count += 1
  }

  private func reserve(_ count: Int) {
    if fieldCount + count > fieldCapacity {
      fieldCapacity = max(fieldCapacity * 2, fieldCount + count)
      let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: fieldCapacity)
      larger.update(from: fields, count: fieldCount)
      fields.deallocate()
      fields = larger
    }
    if rowCount + count > rowCapacity {
      rowCapacity = max(rowCapacity * 2, rowCount + count)
      let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: rowCapacity)
      larger.update(from: rows, count: rowCount)
      rows.deallocate()
      rows = larger
    }
  }
}
