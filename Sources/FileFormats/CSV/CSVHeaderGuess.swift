/// Decides whether the first record of a table holds names, by comparing it with the records below it as a person would.
///
/// Kinds of text decide where a column has them; among words, names differ in shape or length from the values, do not come
/// back as values, and are there for most columns.
struct CSVHeaderGuess {
  /// How the answer was come by.
  enum Verdict {
    case header
    /// Nothing speaks against it.
    case likelyHeader
    case data
  }

  /// What is known of one column's values below the first record.
  private struct Column {
    var values: [String] = []
    var empty = 0
    var kinds: UInt8 = 0xff
    var numbers = 0
    var fractions = 0
  }

  private let first: [CSVCell]
  private var columns: [Column]
  private let rows: [[CSVCell]]
  /// How often the first record comes again.
  private let repeatCount: Int

  private static let largestRecordCount = 1000
  private static let largestCellCount = 100_000

  /// - Parameter record: of the sample, the one that may be a header.
  init(_ sample: CSVSample, _ dialect: DelimitedDialect, record: CSVSample.Record, width: Int) {
    first = sample.texts(record, dialect)
    columns = Array(repeating: Column(), count: max(width, 1))
    var collected: [[CSVCell]] = []
    let limit = max(20, min(CSVHeaderGuess.largestRecordCount, CSVHeaderGuess.largestCellCount / max(1, width)))
    sample.forEachRecord { other in
      if other.ordinal <= record.ordinal || CSVSample.isComment(sample, other, dialect) { return true }
      if other.fieldCount == width { collected.append(sample.texts(other, dialect)) }
      return collected.count < limit
    }
    // The header again, where files were joined, says nothing about the values.
    let own = first
    rows = collected.filter { $0 != own }
    repeatCount = collected.count - rows.count
    for row in rows { note(row) }
  }

  private mutating func note(_ row: [CSVCell]) {
    for (index, cell) in row.enumerated() where index < columns.count {
      if cell.isNull || cell.text.isEmpty {
        columns[index].empty += 1
        continue
      }
      columns[index].values.append(cell.text)
      let kinds = cell.kinds
      columns[index].kinds &= kinds
      if kinds & ColumnGuesses.double != 0 {
        columns[index].numbers += 1
        if kinds & ColumnGuesses.wideInteger == 0 { columns[index].fractions += 1 }
      }
    }
  }

  var verdict: Verdict {
    if first.allSatisfy({ $0.isNull || $0.text.isEmpty }) { return .data }
    if let typed = byType { return typed }
    return byText
  }

  // MARK: Columns of numbers, dates and booleans

  /// Whether the first record's texts are of the columns' types; nil when no column tells.
  private var byType: Verdict? {
    var fitting = 0
    var blank = 0
    for (cell, column) in zip(first, columns) where !column.values.isEmpty && column.kinds != 0 {
      if cell.isNull || cell.text.isEmpty {
        // A blank where no other record has one.
        if column.empty == 0, rows.count > 0 { blank += 1 }
      } else if cell.kinds & column.kinds == 0 {
        return .header
      } else {
        fitting += 1
      }
    }
    if fitting > 0 { return areYears || isCounting ? .header : .data }
    if blank > 0 { return recurs ? .data : .header }
    return nil
  }

  /// Years that go up or down over columns of other numbers.
  private var areYears: Bool {
    var years: [Int] = []
    for (cell, column) in zip(first, columns) where !column.values.isEmpty && column.kinds & ColumnGuesses.double != 0 && column.kinds != 0xff {
      guard let year = Int(cell.text), year >= 1500, year <= 2200 else { return false }
      // Values that are years themselves make it a record.
      let others = column.values.count { Int($0).map { $0 >= 1500 && $0 <= 2200 } ?? false }
      if others * 2 >= column.values.count { return false }
      years.append(year)
    }
    guard years.count >= 2 else { return false }
    let steps = zip(years, years.dropFirst()).map { $1 - $0 }
    return steps.allSatisfy { $0 > 0 } || steps.allSatisfy { $0 < 0 }
  }

  /// 0, 1, 2 … or 1, 2, 3 … over columns of which no other record is so.
  private var isCounting: Bool {
    func counts(_ cells: [CSVCell]) -> Bool {
      var next: Int?
      var length = 0
      for (cell, column) in zip(cells, columns) {
        if cell.isNull || cell.text.isEmpty || (column.kinds == 0 && Int(cell.text) == nil) {
          if length > 0 { return false }
          continue
        }
        guard let number = Int(cell.text), number == next ?? number, next != nil || number <= 1, number >= 0 else { return false }
        next = number + 1
        length += 1
      }
      return length >= 3
    }
    return counts(first) && rows.count > 1 && !rows.contains(where: counts)
  }

  // MARK: Columns of words

  private var byText: Verdict {
    if rows.isEmpty { return repeatCount > 0 ? .header : lone }
    var speaksFor = 0
    var speaksAgainst = 0
    for (cell, column) in zip(first, columns) where !cell.isNull && !cell.text.isEmpty && column.values.count > 0 {
      switch compare(cell, column) {
      case 1: speaksFor += 1
      case -1: speaksAgainst += 1
      default: break
      }
    }
    if repeatCount > 0, repeatCount * 10 < rows.count, Set(first.map(\.text)).count > 1 { return .header }
    if recurs { return .data }
    if speaksFor > 0, speaksFor >= speaksAgainst { return .header }
    if speaksAgainst > 0 { return .data }
    let blanks = first.count { $0.isNull || $0.text.isEmpty }
    return blanks * 2 > first.count + 1 ? .data : .likelyHeader
  }

  /// A record alone: names when no text in it is a value of another kind.
  private var lone: Verdict {
    let filled = first.filter { !$0.isNull && !$0.text.isEmpty }
    return filled.allSatisfy { $0.kinds == 0 } ? .likelyHeader : .data
  }

  /// Whether first texts come back as values of their columns as often as other values do.
  private var recurs: Bool {
    var judged = 0
    var again = 0
    for (cell, column) in zip(first, columns) where !cell.isNull && !cell.text.isEmpty && !column.values.isEmpty {
      judged += 1
      let count = column.values.count { $0 == cell.text }
      if count == 0 { continue }
      let usual = Double(column.values.count) / Double(Set(column.values).count)
      if Double(count) >= max(2, usual * 0.5) || column.values.count < 20 { again += 1 }
    }
    return again > 0 && (again * 2 >= judged || again > 1 || judged == 1)
  }

  /// 1 when a text differs from all of a column's values as names do, -1 when it looks like them where names would not.
  private func compare(_ cell: CSVCell, _ column: Column) -> Int {
    let text = cell.text
    let kinds = cell.kinds
    if kinds != 0 {
      // A number over words names a column; among numbers it is one of them.
      if kinds & ColumnGuesses.double != 0 { return column.numbers == 0 ? 1 : -1 }
      return column.values.contains { CSVCell(text: $0, isQuoted: false, isNull: false).kinds & kinds != 0 } ? -1 : 0
    }
    let own = CSVHeaderGuess.pattern(text)
    var same = 0
    var patterns: [String: Int] = [:]
    for value in column.values.prefix(200) {
      let pattern = CSVHeaderGuess.pattern(value)
      patterns[pattern, default: 0] += 1
      if pattern == own { same += 1 }
    }
    let count = min(200, column.values.count)
    let hasDigits = patterns.filter { $0.key.contains("9") }.reduce(0) { $0 + $1.value }
    if hasDigits * 10 >= count * 9 {
      if !own.contains("9") { return 1 }
      if same * 2 >= count, count > 1 { return -1 }
    }
    let lengths = column.values.map(\.utf8.count)
    let (least, greatest) = (lengths.min()!, lengths.max()!)
    if count > 2 {
      // All values equally long, but not this one.
      if least == greatest, text.utf8.count != least { return 1 }
      if text.utf8.count > 2 * greatest || text.utf8.count * 3 < least { return 1 }
    }
    // Prose among prose.
    if text.utf8.count > 64, lengths.reduce(0, +) > 64 * lengths.count { return -1 }
    return 0
  }

  /// The text with letters as `a`, digits as `9`, runs taken together: `12 May 2020` → `9 a 9`.
  private static func pattern(_ text: String) -> String {
    var result: [UInt8] = []
    for c in text.utf8.prefix(64) {
      var mark = c
      if c &- 0x30 <= 9 { mark = 0x39 } else if (c | 0x20) &- 0x61 < 26 || c >= 0x80 { mark = 0x61 }
      if result.last != mark { result.append(mark) }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
