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
    var valueCount = 0
    var blankCount = 0
    /// What types all values could have.
    var kinds: UInt8 = 0xff
    var hasNumbers = false
  }

  private let first: CSVTexts
  private let rows: CSVTexts
  private var columns: [Column]
  /// How often the first record comes again.
  private let repeatCount: Int

  private static let largestRecordCount = 1000
  private static let largestCellCount = 100_000
  private static let patternRowCount = 200

  /// - Parameter record: of the sample, the one that may be a header.
  init(_ sample: CSVSample, _ dialect: DelimitedDialect, record: CSVSample.Record, width: Int) {
    let limit = max(20, min(CSVHeaderGuess.largestRecordCount, CSVHeaderGuess.largestCellCount / max(1, width)))
    let first = CSVTexts(sample, dialect, record: record)
    let rows = CSVTexts(sample, dialect, width: width, rowCapacity: min(limit, sample.rowCount))
    var repeats = 0
    sample.forEachRecord { other in
      if other.ordinal <= record.ordinal || CSVSample.isComment(sample, other, dialect) || other.fieldCount != width { return true }
      rows.add(other)
      // The header again, where files were joined, says nothing about the values.
      if rows.isSame(rows.rowCount - 1, as: first, 0) {
        rows.removeLast()
        repeats += 1
      }
      return rows.rowCount + repeats < limit
    }
    self.first = first
    self.rows = rows
    repeatCount = repeats
    columns = Array(repeating: Column(), count: max(width, 1))
    for index in 0..<min(width, columns.count) { columns[index] = CSVHeaderGuess.column(rows, index) }
  }

  private static func column(_ rows: CSVTexts, _ index: Int) -> Column {
    var column = Column()
    var row = 0
    while row < rows.rowCount {
      let cell = rows[row, index]
      row += 1
      if cell.isBlank {
        column.blankCount += 1
        continue
      }
      column.valueCount += 1
      if column.kinds == 0, column.hasNumbers { continue }
      let kinds = cell.kinds
      column.kinds &= kinds
      if kinds & ColumnGuesses.double != 0 { column.hasNumbers = true }
    }
    return column
  }

  /// Calls `body` with the values of a column that are not blank, until it says false.
  private func forEachValue(_ index: Int, _ body: (CSVText) -> Bool) {
    var row = 0
    while row < rows.rowCount {
      let cell = rows[row, index]
      if !cell.isBlank, !body(cell) { return }
      row += 1
    }
  }

  /// The columns that the first record and others have.
  private var shared: Range<Int> { 0..<min(first.width, columns.count) }

  var verdict: Verdict {
    if (0..<first.width).allSatisfy({ first[0, $0].isBlank }) { return .data }
    if let typed = byType { return typed }
    return byText
  }

  // MARK: Columns of numbers, dates and booleans

  /// Whether the first record's texts are of the columns' types; nil when no column tells.
  private var byType: Verdict? {
    var fitting = 0
    var blank = 0
    for index in shared where columns[index].valueCount > 0 && columns[index].kinds != 0 {
      let cell = first[0, index]
      if cell.isBlank {
        // A blank where no other record has one.
        if columns[index].blankCount == 0, rows.rowCount > 0 { blank += 1 }
      } else if cell.kinds & columns[index].kinds == 0 {
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
    for index in shared {
      let column = columns[index]
      if column.valueCount == 0 || column.kinds & ColumnGuesses.double == 0 || column.kinds == 0xff { continue }
      guard let year = first[0, index].integer, year >= 1500, year <= 2200 else { return false }
      // Values that are years themselves make it a record.
      var others = 0
      forEachValue(index) { value in
        if let number = value.integer, number >= 1500, number <= 2200 { others += 1 }
        return true
      }
      if others * 2 >= column.valueCount { return false }
      years.append(year)
    }
    guard years.count >= 2 else { return false }
    let steps = zip(years, years.dropFirst()).map { $1 - $0 }
    return steps.allSatisfy { $0 > 0 } || steps.allSatisfy { $0 < 0 }
  }

  /// 0, 1, 2 … or 1, 2, 3 … over columns of which no other record is so.
  private var isCounting: Bool {
    func counts(_ texts: CSVTexts, _ row: Int) -> Bool {
      var next: Int?
      var length = 0
      for index in 0..<min(texts.width, columns.count) {
        let cell = texts[row, index]
        let number = cell.integer
        if cell.isBlank || (columns[index].kinds == 0 && number == nil) {
          if length > 0 { return false }
          continue
        }
        guard let number, number == next ?? number, next != nil || number <= 1, number >= 0 else { return false }
        next = number + 1
        length += 1
      }
      return length >= 3
    }
    return counts(first, 0) && rows.rowCount > 1 && !(0..<rows.rowCount).contains { counts(rows, $0) }
  }

  // MARK: Columns of words

  private var byText: Verdict {
    if rows.rowCount == 0 { return repeatCount > 0 ? .header : lone }
    var speaksFor = 0
    var speaksAgainst = 0
    for index in shared where !first[0, index].isBlank && columns[index].valueCount > 0 {
      switch compare(first[0, index], index) {
      case 1: speaksFor += 1
      case -1: speaksAgainst += 1
      default: break
      }
    }
    if repeatCount > 0, repeatCount * 10 < rows.rowCount, Set(first.firstTexts).count > 1 { return .header }
    if recurs { return .data }
    if speaksFor > 0, speaksFor >= speaksAgainst { return .header }
    if speaksAgainst > 0 { return .data }
    let blanks = (0..<first.width).count { first[0, $0].isBlank }
    return blanks * 2 > first.width + 1 ? .data : .likelyHeader
  }

  /// A record alone: names when no text in it is a value of another kind.
  private var lone: Verdict {
    (0..<first.width).allSatisfy { first[0, $0].isBlank || first[0, $0].kinds == 0 } ? .likelyHeader : .data
  }

  /// Whether first texts come back as values of their columns as often as other values do.
  private var recurs: Bool {
    var judged = 0
    var again = 0
    for index in shared where !first[0, index].isBlank && columns[index].valueCount > 0 {
      judged += 1
      let cell = first[0, index]
      var count = 0
      forEachValue(index) { value in
        if value.hasSameText(cell) { count += 1 }
        return true
      }
      if count == 0 { continue }
      let valueCount = columns[index].valueCount
      if valueCount < 20 || Double(count) >= max(2, usualCount(index) * 0.5) { again += 1 }
    }
    return again > 0 && (again * 2 >= judged || again > 1 || judged == 1)
  }

  /// How often a column's values come on average.
  private func usualCount(_ index: Int) -> Double {
    var distinct: Set<String> = []
    forEachValue(index) { value in
      distinct.insert(value.text)
      return true
    }
    return Double(columns[index].valueCount) / Double(distinct.count)
  }

  /// 1 when a text differs from all of a column's values as names do, -1 when it looks like them where names would not.
  private func compare(_ cell: CSVText, _ index: Int) -> Int {
    let column = columns[index]
    let kinds = cell.kinds
    if kinds != 0 {
      // A number over words names a column; among numbers it is one of them.
      if kinds & ColumnGuesses.double != 0 { return column.hasNumbers ? -1 : 1 }
      var isOneOfThem = false
      forEachValue(index) { value in
        isOneOfThem = value.kinds & kinds != 0
        return !isOneOfThem
      }
      return isOneOfThem ? -1 : 0
    }
    var (looked, same, withDigits) = (0, 0, 0)
    var (least, greatest, total) = (Int.max, 0, 0)
    forEachValue(index) { value in
      if looked < CSVHeaderGuess.patternRowCount {
        looked += 1
        if value.hasSamePattern(cell) { same += 1 }
        if value.hasDigit { withDigits += 1 }
      }
      (least, greatest, total) = (min(least, value.count), max(greatest, value.count), total + value.count)
      return true
    }
    if withDigits * 10 >= looked * 9 {
      if !cell.hasDigit { return 1 }
      if same * 2 >= looked, looked > 1 { return -1 }
    }
    if looked > 2 {
      // All values equally long, but not this one.
      if least == greatest, cell.count != least { return 1 }
      if cell.count > 2 * greatest || cell.count * 3 < least { return 1 }
    }
    // Prose among prose.
    if cell.count > 64, total > 64 * column.valueCount { return -1 }
    return 0
  }
}
