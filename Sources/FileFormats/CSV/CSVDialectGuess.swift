import Glibc
import ObjectStore

/// Finds out how a sample is punctuated: separator, quotes, escapes, comments, and where its table starts.
struct CSVDialectGuess {
  let given: CSVGiven
  private(set) var dialect: DelimitedDialect
  private(set) var shape: CSVShape
  private(set) var sample: CSVSample

  /// Whole records at the start of a file.
  struct Head {
    var base: UnsafePointer<UInt8>
    var from: Int
    var to: Int
    var isEnd: Bool
    var owner: AnyObject
  }

  private static let separators: [UInt8] = [0x2c, 0x09, 0x3b, 0x7c, 0x01]
  /// Stands for "none": a byte that text does not hold.
  private static let noSeparator: UInt8 = 0x1f
  private static let separatorSampleByteCount = 256 << 10

  /// - Parameter isTabbed: whether the file's name says that tabs separate.
  init(_ head: Head, _ base: DelimitedDialect, _ given: CSVGiven, isTabbed: Bool) {
    self.given = given
    dialect = base
    var first = head
    if first.to - first.from > CSVDialectGuess.separatorSampleByteCount,
      CSVDialectGuess.holdsLines(first.base + first.from, CSVDialectGuess.separatorSampleByteCount)
    {
      first.to = first.from + CSVDialectGuess.separatorSampleByteCount
      first.isEnd = false
    }
    let bytes = UnsafeBufferPointer(start: first.base + first.from, count: first.to - first.from)
    let hasDouble = CSVDialectGuess.holds(bytes, 0x22)
    var quotes: [UInt8?] = [base.quote]
    if given.quote == nil, CSVDialectGuess.mayQuote(0x27, first) { quotes.append(0x27) }
    if given.quote == nil, hasDouble { quotes.append(nil) }

    var best: (score: Double, dialect: DelimitedDialect, shape: CSVShape, sample: CSVSample)?
    var order = CSVDialectGuess.separators
    if isTabbed { order = [0x09, 0x2c, 0x3b, 0x7c, 0x01] }
    if let separator = given.separator { order = [separator] }
    for quote in quotes {
      // Other quotes matter only where the usual ones do not fit.
      if let best, best.shape.consistency >= 0.999, best.shape.width > 1, best.sample.strayCount == 0, !best.sample.isOpen {
        break
      }
      for separator in order where separator != quote {
        // Without any of them all records have one field.
        if best != nil, given.separator == nil, !CSVDialectGuess.holds(bytes, separator) { continue }
        var candidate = base
        candidate.separator = separator
        candidate.quote = quote
        if quote == nil { candidate.escape = nil }
        let sample = CSVDialectGuess.sample(first, candidate)
        let shape = CSVShape(sample, skipped: given.skipped)
        var score = given.separator == nil ? shape.score(separator: separator) : max(shape.consistency, 0.001)
        score *= CSVDialectGuess.regularity(sample, shape)
        if quote != base.quote { score *= 0.9 }
        if best.map({ score > $0.score + 1e-9 }) ?? true { best = (score, candidate, shape, sample) }
      }
    }
    (dialect, shape, sample) = (best!.dialect, best!.shape, best!.sample)
    if given.separator == nil, shape.width < 2 || (best!.score < 0.4 && shape.width < 2) {
      dialect = base
      dialect.separator = CSVDialectGuess.holds(bytes, 0x2c) ? CSVDialectGuess.noSeparator : 0x2c
    }
    if given.quote == nil { dialect.quote = base.quote }
    if head.to != first.to || dialect != best!.dialect {
      sample = CSVDialectGuess.sample(head, dialect)
      shape = CSVShape(sample, skipped: given.skipped)
    }
    chooseQuotes(head, base)
    if given.comment == nil, shape.hasComments { dialect.comment = 0x23 }
  }

  /// Whether a stretch holds more than a few line ends.
  private static func holdsLines(_ p: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var lines = 0
    var i = 0
    while i < count, lines <= 8 {
      if p[i] == 0x0a || p[i] == 0x0d { lines += 1 }
      i += 1
    }
    return lines > 8
  }

  private static func sample(_ head: Head, _ dialect: DelimitedDialect) -> CSVSample {
    CSVSample(dialect, head.base, from: head.from, to: head.to, isEnd: head.isEnd, owner: head.owner)
  }

  /// 1, or less where quotes do not close before their separator.
  private static func regularity(_ sample: CSVSample, _ shape: CSVShape) -> Double {
    let faults = sample.strayCount + (sample.isOpen ? 1 : 0)
    return 1 - min(0.9, Double(faults) / Double(max(1, shape.recordCount)))
  }

  /// Whether a character stands where opening quotes do and where closing ones do.
  private static func mayQuote(_ quote: UInt8, _ head: Head) -> Bool {
    var (opens, closes) = (0, 0)
    var i = head.from
    while i < head.to {
      if head.base[i] == quote {
        if i == head.from || isBorder(head.base[i - 1]) { opens += 1 }
        if i + 1 >= head.to || isBorder(head.base[i + 1]) { closes += 1 }
      }
      i += 1
    }
    return opens > 1 && closes > 1
  }

  private static func holds(_ bytes: UnsafeBufferPointer<UInt8>, _ byte: UInt8) -> Bool {
    bytes.baseAddress.map { memchr($0, Int32(byte), bytes.count) != nil } ?? false
  }

  private static func isBorder(_ c: UInt8) -> Bool { c == 0x0a || c == 0x0d || separators.contains(c) }

  // MARK: Quotes

  /// How one way of quoting fits.
  private struct Quoting {
    var dialect: DelimitedDialect
    var sample: CSVSample
    var shape: CSVShape
    /// Fields that begin with the quote, and of them those that also end with it.
    var opened = 0
    var balanced = 0
    /// Of the balanced ones those that hold line ends or separators.
    var holding = 0
    /// Whether all values of some column are quoted.
    var fillsColumn = false

    var faults: Double {
      let wrong = (1 - shape.consistency) * Double(shape.recordCount)
      return (Double(sample.strayCount) + wrong + (sample.isOpen ? 1 : 0)) / Double(max(1, shape.recordCount))
    }
  }

  private func quoting(_ head: Head, _ quote: UInt8?, _ escape: UInt8?, counting mark: UInt8) -> Quoting {
    var dialect = self.dialect
    dialect.quote = quote
    dialect.escape = escape
    // Most often it is the way that was taken so far.
    let isKnown = dialect == self.dialect
    let sample = isKnown ? self.sample : CSVDialectGuess.sample(head, dialect)
    let shape = isKnown ? self.shape : CSVShape(sample, skipped: given.skipped)
    var result = Quoting(dialect: dialect, sample: sample, shape: shape)
    var columns = [(values: Int, quoted: Int)](repeating: (0, 0), count: max(1, result.shape.width))
    sample.forEachRecord { record in
      var column = -1
      while column + 1 < record.fieldCount {
        column += 1
        let (p, n) = sample.cell(record, column)
        if n == 0 { continue }
        let isQuoted = n >= 2 && p[0] == mark && p[n - 1] == mark
        if column < columns.count, record.ordinal > result.shape.first {
          columns[column].values += 1
          if isQuoted { columns[column].quoted += 1 }
        }
        guard p[0] == mark else { continue }
        result.opened += 1
        guard isQuoted else { continue }
        result.balanced += 1
        var i = 1
        while i < n - 1, p[i] != 0x0a, p[i] != 0x0d, p[i] != dialect.separator { i += 1 }
        if i < n - 1 { result.holding += 1 }
      }
      return true
    }
    result.fillsColumn = columns.contains { $0.values > 1 && $0.quoted == $0.values }
    return result
  }

  /// Decides between double quotes, with doubling or backslashes, single ones and none.
  private mutating func chooseQuotes(_ head: Head, _ base: DelimitedDialect) {
    guard given.quote == nil, let usual = base.quote else { return chooseEscape(head) }
    let bytes = UnsafeBufferPointer(start: head.base + head.from, count: head.to - head.from)
    let hasUsual = CSVDialectGuess.holds(bytes, usual)
    if !hasUsual {
      guard CSVDialectGuess.mayQuote(0x27, head) else { return }
      let plain = quoting(head, usual, dialect.escape, counting: usual)
      let single = quoting(head, 0x27, dialect.escape, counting: 0x27)
      if single.fillsColumn, single.faults <= plain.faults { take(single) }
      return
    }
    let doubled = quoting(head, usual, dialect.escape, counting: usual)
    var best = doubled
    if given.escape == nil, CSVDialectGuess.hasEscapedQuote(bytes, usual) {
      let escaped = quoting(head, usual, 0x5c, counting: usual)
      if escaped.faults < best.faults || (escaped.faults == best.faults && escaped.sample.rowCount > best.sample.rowCount) {
        best = escaped
      }
    }
    // Text behind a closing quote, open quotes and records torn or joined speak against quoting; so does a quote that
    // runs over lines which are whole records without it.
    let isDoubtful = best.sample.strayCount > 0 || best.sample.isOpen || best.faults > 0 || best.holding > 0
    if isDoubtful {
      let none = quoting(head, nil, nil, counting: usual)
      let records = Double(max(1, best.shape.recordCount))
      let isSystematic = best.fillsColumn || Double(best.balanced) >= 0.5 * records
      let keeps = isSystematic && Double(best.sample.strayCount) <= 0.02 * records
      let joinsRecords =
        none.shape.width == best.shape.width && none.shape.width > 1 && none.opened > none.balanced
        && none.sample.rowCount > best.sample.rowCount
      if !keeps, none.faults < best.faults || (none.faults == 0 && joinsRecords) { best = none }
    }
    take(best)
  }

  /// Whether a head that is regular with a dialect's quotes is irregular without them, and nothing speaks for escapes.
  static func needsQuotes(_ head: Head, _ dialect: DelimitedDialect) -> Bool {
    guard let quote = dialect.quote else { return true }
    let bytes = UnsafeBufferPointer(start: head.base + head.from, count: head.to - head.from)
    if dialect.escape == nil, hasEscapedQuote(bytes, quote) { return false }
    var plain = dialect
    (plain.quote, plain.escape) = (nil, nil)
    return CSVShape(sample(head, plain), skipped: nil).consistency < 1
  }

  private mutating func take(_ quoting: Quoting) {
    (dialect, shape, sample) = (quoting.dialect, quoting.shape, quoting.sample)
  }

  private mutating func chooseEscape(_ head: Head) {
    guard given.escape == nil, let quote = dialect.quote else { return }
    let bytes = UnsafeBufferPointer(start: head.base + head.from, count: head.to - head.from)
    guard CSVDialectGuess.hasEscapedQuote(bytes, quote) else { return }
    let doubled = quoting(head, quote, nil, counting: quote)
    let escaped = quoting(head, quote, 0x5c, counting: quote)
    if escaped.faults < doubled.faults { take(escaped) }
  }

  private static func hasEscapedQuote(_ bytes: UnsafeBufferPointer<UInt8>, _ quote: UInt8) -> Bool {
    guard bytes.count > 1 else { return false }
    var i = 1
    while i < bytes.count, bytes[i] != quote || bytes[i - 1] != 0x5c { i += 1 }
    return i < bytes.count
  }
}
