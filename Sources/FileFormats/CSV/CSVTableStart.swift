/// Where a file's table starts: which lines above it are passed over, and whether its first record holds names.
struct CSVTableStart {
  /// Texts of the header, blank where it has none; nil without a header.
  private(set) var names: [String]?
  /// The first record of data.
  private(set) var dataRecord = 0
  /// Lines above the table that are passed over.
  private var passedOver = 0
  private var isComment = true

  init(_ guess: CSVDialectGuess, _ dialect: DelimitedDialect, _ given: CSVGiven) {
    let (shape, sample) = (guess.shape, guess.sample)
    var first: CSVSample.Record?
    var earliest: CSVSample.Record?
    sample.forEachRecord { record in
      if record.ordinal < given.skipped ?? 0 { return true }
      if earliest == nil { earliest = record }
      if record.ordinal >= shape.first, !CSVSample.isComment(sample, record, dialect) { first = record }
      return first == nil
    }
    guard var start = first ?? earliest else {
      dataRecord = given.skipped ?? 0
      return
    }
    let isComment = shape.hasLeadingComments && shape.before.map { sample.base[$0.start] == 0x23 } ?? false
    var isHeader = given.header
    if isHeader == false, let top = earliest, !isComment, !shape.isPreambleText { start = top }
    if isHeader == nil {
      let verdict = CSVHeaderGuess(sample, dialect, record: start, width: shape.width).verdict
      isHeader = verdict != .data
      // A last comment line as wide as the table holds the names where the line below does not.
      if verdict == .data || verdict == .likelyHeader, isComment, let line = shape.before, line.fieldCount == shape.width,
        shape.width > 1
      {
        let commented = CSVHeaderGuess(sample, dialect, record: line, width: shape.width).verdict
        if verdict == .data || commented == .header {
          start = line
          isHeader = true
        }
      }
      // One name fewer than fields: R leaves out that of the row names.
      if start.ordinal == shape.first, let line = shape.before, !isComment, line.ordinal == earliest?.ordinal,
        line.fieldCount == shape.width - 1, line.fieldCount > 1
      {
        start = line
        isHeader = true
        let texts = CSVTexts(sample, dialect, record: line).firstTexts
        names = CSVTableStart.lastIsEmpty(sample, dialect, shape) ? texts + [""] : [""] + texts
      }
      // Lines of another width that are neither text nor above a header are records.
      if start.ordinal == shape.first, let top = earliest, top.ordinal < start.ordinal, !isComment, !shape.isPreambleText,
        verdict != .header
      {
        start = top
        isHeader = CSVHeaderGuess(sample, dialect, record: top, width: shape.width).verdict != .data
      }
    }
    sample.forEachRecord { record in
      if record.ordinal >= given.skipped ?? 0, record.ordinal < start.ordinal { passedOver += 1 }
      return record.ordinal < start.ordinal
    }
    self.isComment = isComment
    dataRecord = start.ordinal
    guard isHeader == true else { return }
    dataRecord += 1
    if names == nil { names = CSVTexts(sample, dialect, record: start).firstTexts }
    if isComment, start.ordinal == shape.before?.ordinal, var name = names?.first {
      while let letter = name.first, letter == "#" || letter == " " { name.removeFirst() }
      names![0] = name
    }
  }

  /// Whether the last field of all records is empty.
  private static func lastIsEmpty(_ sample: CSVSample, _ dialect: DelimitedDialect, _ shape: CSVShape) -> Bool {
    var isEmpty = true
    sample.forEachRecord { record in
      if record.ordinal > shape.first, record.fieldCount == shape.width, sample.cell(record, shape.width - 1).1 > 0 {
        isEmpty = false
      }
      return isEmpty
    }
    return isEmpty
  }

  /// What the user is told about lines passed over.
  func note(_ path: String) -> String? {
    if passedOver <= 0 { return nil }
    let lines = passedOver == 1 ? "1 line" : "\(passedOver) lines"
    return "\(lines) above the \(names == nil ? "data" : "header") \(passedOver == 1 ? "is" : "are") not read: \(path)"
  }
}
