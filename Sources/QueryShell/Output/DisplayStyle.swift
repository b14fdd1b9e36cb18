import QueryEngine

/// How results look on a screen; programs that read them get none of it.
package struct DisplayStyle: Sendable {
  /// Columns of the terminal; nil when output is no terminal: then all rows are shown, whole.
  package var width: Int?
  package var theme = Theme.none
  /// What stands for NULL.
  package var null = "NULL"
  /// Whether digits of whole numbers and decimals stand in groups of three.
  package var groupsDigits = false
  /// Whether the types stand under the names.
  package var showsTypes = true
  /// Whether rows that do not fit turn into a line per value.
  package var expanded = Expanded.auto
  /// Rows shown at the start and at the end of larger results.
  package var headRowCount = 100
  package var tailRowCount = 20

  package enum Expanded: String, CaseIterable, Sendable { case auto, on, off }

  package init(width: Int? = nil) { self.width = width }
}

/// The rows of a result that a screen shows: the first and the last ones, as texts.
struct ShownRows {
  typealias Row = [String?]

  private(set) var head: [Row] = []
  private(set) var tail: [Row] = []
  private(set) var rowCount = 0
  private let style: DisplayStyle

  init(_ style: DisplayStyle) { self.style = style }

  var all: [Row] { head + tail }
  var hiddenCount: Int { rowCount - head.count - tail.count }
  /// The number, from 1, of the row at a place of `all`.
  func number(_ place: Int) -> Int { place < head.count ? place + 1 : rowCount - tail.count + place - head.count + 1 }

  mutating func append(_ batch: Batch) {
    let texts = batch.columns.map(ResultText.init)
    let groups = batch.columns.map { style.groupsDigits && ($0.type.isInteger || $0.type.isDecimal) }
    for row in 0..<batch.rowCount {
      rowCount += 1
      let isKept = style.width == nil || head.count < style.headRowCount
      // Of a large result only the last rows are of interest from here on.
      if !isKept, batch.rowCount - row > style.tailRowCount { continue }
      let line = texts.enumerated().map { index, text -> String? in
        if text.isNull(row) { return nil }
        var bytes: [UInt8] = []
        text.append(row, to: &bytes)
        let value = String(decoding: bytes, as: UTF8.self)
        return groups[index] ? ShownRows.grouped(value) : value
      }
      if isKept {
        head.append(line)
      } else {
        tail.append(line)
        if tail.count > style.tailRowCount { tail.removeFirst(tail.count - style.tailRowCount) }
      }
    }
  }

  /// `-1234567.50` → `-1,234,567.50`.
  static func grouped(_ number: String) -> String {
    let sign = number.hasPrefix("-") ? "-" : ""
    let whole = number.dropFirst(sign.count).prefix { $0 != "." }
    guard whole.allSatisfy(\.isNumber) else { return number }
    var result = ""
    for (place, digit) in whole.enumerated() {
      if place > 0, (whole.count - place) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return sign + result + number.dropFirst(sign.count + whole.count)
  }
}
