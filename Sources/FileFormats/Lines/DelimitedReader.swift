import CKernels
import Columnar
import ObjectStore
import QueryErrors

/// Reads the records of one split of a delimited file.
///
/// Bytes are indexed a few thousand at a time, until a batch of records is complete; then the fields of the asked columns
/// are looked up in the index and converted column by column.
///
/// - Threads: one owner.
final class DelimitedReader: TextRowReader {
  private let file: DelimitedFile
  private let dialect: DelimitedDialect
  private let input: TextInput
  private let index: DelimitedIndex
  private let field: DelimitedField
  private let spans: TextSpans
  private let ordinals: [Int?]
  private let converters: [ValueConverter?]
  private let nested: [NestedTextReader?]
  /// Leaves escapes in, for nested values, whose separators may be escaped.
  private let rawField: DelimitedField
  private let lastDeclared: Int

  // MARK: The rows loaded

  private let rowStart: UnsafeMutablePointer<UInt32>
  /// Index of the first field's end.
  private let rowField: UnsafeMutablePointer<UInt32>
  private let rowFieldCount: UnsafeMutablePointer<UInt32>
  /// Records of the split before it.
  private let rowNumber: UnsafeMutablePointer<Int>
  private var hasNonASCII = false

  // MARK: Where reading stands

  /// Bytes of the window that are indexed.
  private var indexed = 0
  private var nextRow = 0
  private var nextField = 0
  private var nextStart = 0
  private var recordsTaken = 0
  private var isFinished = false
  private var hasEnded = false
  /// Whether the next record cannot be read, and is to be passed over.
  private var isAtBadRecord = false
  private var lastStepNonASCII = false
  private let splitEnd: UInt64
  /// Where the split's first record starts.
  private var firstRecord: UInt64 = 0

  private static let stepByteCount = 32 << 10

  init(_ file: DelimitedFile, _ split: Split, _ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) {
    self.file = file
    let settings = file.settings
    dialect = settings.dialect
    input = try TextInput(
      file.source, file.codec, split.byteRange, expectsAll: request.limit == nil,
      end: file.codec == .none ? nil : file.dataEnd)
    // The bytes before the data are read too: every byte of a file counts as scanned.
    if file.codec == .none, split.byteRange.lowerBound == file.dataStart, file.dataStart > 0 {
      _ = try file.source.read(0..<file.dataStart, kind: .data)
    }
    index = DelimitedIndex(dialect)
    field = DelimitedField(dialect)
    var rawDialect = dialect
    rawDialect.escape = nil
    rawField = DelimitedField(rawDialect)
    let capacity = max(1, min(request.batchSize, 1 << 20))
    spans = TextSpans(capacity: capacity)
    var converters: [ValueConverter?] = []
    var nested: [NestedTextReader?] = []
    for column in request.columns {
      if ValueConverter.supports(column.type) {
        converters.append(
          ValueConverter(column.type, settings.given.policy(of: column.name, settings.policy), capacity: capacity))
        nested.append(nil)
      } else if let separators = settings.nestedSeparators, NestedSpans.supports(column.type) {
        converters.append(nil)
        nested.append(NestedTextReader(column.type, settings.policy, dialect, separators))
      } else {
        throw QueryError.notSupported(
          "Column '\(column.name)': type \(column.type) cannot be read from this text format",
          hint: "Declare the column as string and convert it in the query.")
      }
    }
    for converter in converters { converter?.collectsMalformed = request.badRows != nil }
    self.converters = converters
    self.nested = nested
    ordinals = request.columns.map { file.ordinal(of: $0) }
    lastDeclared = (settings.schema?.count ?? 0) - 1
    rowStart = .allocate(capacity: capacity)
    rowField = .allocate(capacity: capacity)
    rowFieldCount = .allocate(capacity: capacity)
    rowNumber = .allocate(capacity: capacity)
    splitEnd = split.byteRange.upperBound
    super.init(request, metrics: metrics)
    try seekFirstRecord(split)
  }

  deinit {
    field.destroy()
    rawField.destroy()
    rowStart.deallocate()
    rowField.deallocate()
    rowFieldCount.deallocate()
    rowNumber.deallocate()
  }

  // MARK: Finding records

  /// Moves to the first record that starts in the split.
  private func seekFirstRecord(_ split: Split) throws(QueryError) {
    if file.codec != .none {
      if input.count >= 3, input.base[0] == 0xef, input.base[1] == 0xbb, input.base[2] == 0xbf {
        indexed = 3
        nextStart = 3
      }
      return try skipRecords(dialect.skippedRecords)
    }
    let from = split.byteRange.lowerBound
    firstRecord = from
    if from == file.dataStart { return }
    let state = try file.state(at: from)
    let before = try file.source.read(from - 1..<from, kind: .sampling).withBytes { $0[0] }
    let first = input.base[0]
    let isOutside = state == UInt32(CK_TEXT_FIELD_START)
    if isOutside, before == 0x0a || (before == 0x0d && first != 0x0a) { return }
    index.scanState = state
    while indexed < usableCount {
      let to = min(usableCount, indexed + DelimitedReader.stepByteCount)
      index.scan(input.base, from: indexed, to: to, limit: input.count)
      indexed = to
      if index.rowCount > 0 {
        nextStart = Int(index.fields[Int(index.rows[0])]) + 1
        nextField = Int(index.rows[0]) + 1
        nextRow = 1
        firstRecord = from + UInt64(nextStart)
        lastStepNonASCII = index.sawNonASCII
        return
      }
    }
    isFinished = true
  }

  /// Passes over records at the start of a compressed file.
  private func skipRecords(_ count: Int) throws(QueryError) {
    var missing = count
    while missing > 0, try loadRows(limit: 1, isHeader: true) > 0 { missing -= 1 }
  }

  /// Bytes of the window that may be indexed: not a CR whose LF may follow.
  private var usableCount: Int {
    let n = input.count
    return !input.isFinal && n > 0 && input.base[n - 1] == 0x0d ? n - 1 : n
  }

  override func loadRows(limit: Int) throws(QueryError) -> Int { try loadRows(limit: limit, isHeader: false) }

  private func loadRows(limit: Int, isHeader: Bool) throws(QueryError) -> Int {
    index.drop(fields: nextField, rows: nextRow)
    nextField = 0
    nextRow = 0
    hasNonASCII = lastStepNonASCII
    var loaded = 0
    while true {
      loaded = try takeRows(loaded, limit, isHeader)
      if loaded == limit || isFinished { return loaded }
      if isAtBadRecord {
        // The records before it are handed out first: passing over it forgets where their fields are.
        if loaded > 0 { return loaded }
        loaded = try passBadRecord()
        continue
      }
      let usable = usableCount
      if indexed < usable {
        let to = min(usable, indexed + DelimitedReader.stepByteCount)
        index.scan(input.base, from: indexed, to: to, limit: input.count)
        lastStepNonASCII = index.sawNonASCII
        hasNonASCII = hasNonASCII || lastStepNonASCII
        indexed = to
        if to == input.count, input.offset + UInt64(to) == splitEnd { file.report(index.scanState, at: splitEnd) }
      } else if input.isFinal {
        if hasEnded || nextStart >= input.count {
          isFinished = true
          return loaded
        }
        if index.isInsideQuotes {
          guard let bad = request.badRows else { throw try unclosedQuote() }
          if loaded > 0 { return loaded }
          // What follows the quote cannot be told apart.
          try bad.note(try unclosedQuote())
          isFinished = true
          return 0
        }
        index.appendLineEnd(at: input.count)
        hasEnded = true
      } else if loaded > 0 {
        return loaded
      } else if nextStart >= input.recordLimit {
        isFinished = true
        return 0
      } else {
        try input.advance(keeping: nextStart)
        index.reset()
        (indexed, nextStart, nextField, nextRow) = (0, 0, 0, 0)
      }
    }
  }

  /// Takes complete records from the index until there are `limit`.
  private func takeRows(_ already: Int, _ limit: Int, _ isHeader: Bool) throws(QueryError) -> Int {
    var loaded = already
    let (rows, fields, base) = (index.rows, index.fields, input.base)
    let (rowStart, rowField, rowFieldCount, rowNumber) = (rowStart, rowField, rowFieldCount, rowNumber)
    let rowCount = index.rowCount
    let recordLimit = input.recordLimit
    let maxFieldCount = isHeader ? Int.max : file.settings.maxFieldCount ?? .max
    let blankLine = isHeader ? .row : dialect.blankLine
    let comment = isHeader ? -1 : dialect.comment.map { Int($0) } ?? -1
    let stray = dialect.refusesStrayText ? index.strayPlace : .max
    var (row, start, firstField, taken) = (nextRow, nextStart, nextField, recordsTaken)
    var tooLong = -1
    while row < rowCount, loaded < limit {
      if start >= recordLimit {
        isFinished = true
        break
      }
      let last = Int(rows[row])
      let end = Int(fields[last])
      var fieldCount = last &- firstField &+ 1
      let from = start
      let isBlank = fieldCount == 1 && (end == from || (end == from &+ 1 && base[from] == 0x0d))
      if fieldCount > maxFieldCount || end > stray {
        let isComment = comment >= 0 && Int(base[from]) == comment
        if !isComment, end <= stray || isHeader == false {
          tooLong = from
          break
        }
      }
      let number = taken
      let field = firstField
      row &+= 1
      start = end &+ 1
      firstField = last &+ 1
      taken &+= 1
      if comment >= 0, Int(base[from]) == comment { continue }
      if isBlank {
        if blankLine == .skipped { continue }
        if blankLine == .nulls { fieldCount = 0 }
      }
      rowStart[loaded] = UInt32(truncatingIfNeeded: from)
      rowField[loaded] = UInt32(truncatingIfNeeded: field)
      rowFieldCount[loaded] = UInt32(truncatingIfNeeded: fieldCount)
      rowNumber[loaded] = number
      loaded &+= 1
    }
    (nextRow, nextStart, nextField, recordsTaken) = (row, start, firstField, taken)
    if tooLong >= 0 {
      if request.badRows == nil || isHeader { throw try badRecord() }
      isAtBadRecord = true
    }
    return loaded
  }

  /// What is wrong with the next record.
  private func badRecord() throws(QueryError) -> QueryError {
    let last = Int(index.rows[nextRow])
    let stray = dialect.refusesStrayText ? index.strayPlace : .max
    return Int(index.fields[last]) > stray ? try strayText(stray) : try tooManyFields(last - nextField + 1)
  }

  /// Notes the next record as a bad one and goes on behind it, with fresh places.
  ///
  /// - Returns: 1 when it stands as a row of NULLs, else 0.
  private func passBadRecord() throws(QueryError) -> Int {
    isAtBadRecord = false
    guard let bad = request.badRows else { return 0 }
    try bad.note(try badRecord())
    let isRow = bad.action == .null
    if isRow {
      rowStart[0] = UInt32(truncatingIfNeeded: nextStart)
      rowField[0] = 0
      rowFieldCount[0] = 0
      rowNumber[0] = recordsTaken
    }
    recordsTaken += 1
    nextStart = Int(index.fields[Int(index.rows[nextRow])]) + 1
    index.reset()
    (indexed, nextField, nextRow) = (nextStart, 0, 0)
    return isRow ? 1 : 0
  }

  override func finish() throws(QueryError) { try file.source.checkUnchanged() }

  // MARK: Converting

  override func column(_ column: Int, rows: UnsafePointer<Int32>?, count: Int) throws(QueryError) -> Column {
    let type = request.columns[column].type
    guard let ordinal = ordinals[column] else { return .nulls(type, count: count) }
    let field = nested[column] == nil ? field : rawField
    if let rows { find(ordinal, count, field) { Int(rows[$0]) } } else { find(ordinal, count, field) { $0 } }
    var failure: Int?
    let result: Column
    if let converter = converters[column] {
      result = converter.convert(
        spans, count: count, isASCII: !hasNonASCII, owner: input.owner, failure: &failure)
      for place in converter.malformed { try note(badRow: row(place, rows)) { () throws(QueryError) in try badValue(column, place, rows) } }
    } else {
      return try nestedColumn(nested[column]!, column, rows, count)
    }
    if let failure { throw try badValue(column, failure, rows) }
    return result
  }

  private func row(_ place: Int, _ rows: UnsafePointer<Int32>?) -> Int { rows.map { Int($0[place]) } ?? place }

  private func nestedColumn(
    _ reader: NestedTextReader, _ column: Int, _ rows: UnsafePointer<Int32>?, _ count: Int
  ) throws(QueryError) -> Column {
    while true {
      var failure: Int?
      let result = reader.read(spans, count: count, isASCII: !hasNonASCII, owner: input.owner, failure: &failure)
      guard let place = failure else { return result }
      try note(badRow: row(place, rows)) { () throws(QueryError) in try badValue(column, place, rows) }
      spans.lengths[place] = -1
    }
  }

  /// Looks up the texts of field `ordinal` of `count` rows.
  @inline(__always)
  private func find(_ ordinal: Int, _ count: Int, _ field: DelimitedField, _ rowAt: (Int) -> Int) {
    let (base, fields, byteCount) = (input.base, index.fields, input.count)
    let (rowStart, rowField, rowFieldCount) = (rowStart, rowField, rowFieldCount)
    let spans = spans
    let takesRest = dialect.lastColumnTakesRest && ordinal == lastDeclared
    var i = 0
    while i < count {
      let row = rowAt(i)
      let fieldCount = Int(rowFieldCount[row])
      if ordinal >= fieldCount {
        spans.starts[i] = base
        spans.lengths[i] = -1
        i &+= 1
        continue
      }
      let at = Int(rowField[row]) &+ ordinal
      let start = ordinal == 0 ? Int(rowStart[row]) : Int(fields[at &- 1]) &+ 1
      var end = Int(takesRest ? fields[Int(rowField[row]) &+ fieldCount &- 1] : fields[at])
      if ordinal == fieldCount &- 1 || takesRest, end > start, base[end &- 1] == 0x0d, end < byteCount,
        base[end] == 0x0a
      {
        end &-= 1
      }
      field.resolve(base + start, end &- start, into: spans, i)
      i &+= 1
    }
  }

  // MARK: Errors

  /// The number, from 1, of a record of this split.
  private func fileRow(_ number: Int) throws(QueryError) -> Int {
    if file.codec != .none { return number + 1 }
    return try RecordCounter.lines(file.source, dialect, from: file.start, to: firstRecord) + number + 1
  }

  private func badValue(_ column: Int, _ failure: Int, _ rows: UnsafePointer<Int32>?) throws(QueryError) -> QueryError {
    let length = Int(spans.lengths[failure])
    let bytes = UnsafeBufferPointer(start: spans.starts[failure], count: max(0, length))
    let value = String(decoding: bytes.prefix(100), as: UTF8.self)
    let row = Int(rows?[failure] ?? Int32(failure))
    let asked = request.columns[column]
    let place = DataLocation(
      path: file.source.path, row: try fileRow(rowNumber[row]), column: asked.name, value: value,
      byteOffset: file.codec == .none ? Int(input.offset) + Int(rowStart[row]) : nil,
      excerpt: excerpt(row, ordinal: ordinals[column]!))
    let hint = InferenceHint(function: "read_csv", path: file.source.path, given: file.settings.given)
    if asked.type.physicalType == .string {
      return QueryError(.hiveBadData, "Text is not valid UTF-8", data: place, hint: hint.encoding)
    }
    if file.settings.schema == nil {
      var error = QueryError(
        .hiveBadData, "Error parsing field value '\(value)' for field \(ordinals[column]!): not a \(asked.type)",
        data: place, hint: hint.type(asked.name, asked.type))
      // Who has said what bad rows are does not want the column to become text.
      error.mayStartAgain =
        request.badRows == nil && file.settings.learn?(file.source, asked.name, asked.type, String(decoding: bytes, as: UTF8.self)) ?? false
      return error
    }
    return QueryError(
      .hiveBadData,
      "Error parsing field value '\(value)' for field \(ordinals[column]!): For input string: \"\(value)\"",
      data: place,
      hint: "Declare the column as string, or set the table property 'use.null.for.invalid.data' = 'true'.")
  }

  /// A loaded record and the place of one of its fields in it.
  private func excerpt(_ row: Int, ordinal: Int) -> DataLocation.Excerpt? {
    let fieldCount = Int(rowFieldCount[row])
    guard ordinal < fieldCount else { return nil }
    let first = Int(rowField[row])
    let start = ordinal == 0 ? Int(rowStart[row]) : Int(index.fields[first + ordinal - 1]) + 1
    return excerpt(Int(rowStart[row])..<Int(index.fields[first + fieldCount - 1]), marked: start..<Int(index.fields[first + ordinal]))
  }

  private func excerpt(_ record: Range<Int>, marked: Range<Int>) -> DataLocation.Excerpt {
    TextExcerpt.make(UnsafeBufferPointer(start: input.base, count: input.count), record, marked)
  }

  private func tooManyFields(_ found: Int) throws(QueryError) -> QueryError {
    QueryError(
      .hiveBadData, "Record has \(found) fields where \(file.settings.maxFieldCount ?? 0) are expected",
      data: DataLocation(
        path: file.source.path, row: try fileRow(recordsTaken),
        byteOffset: file.codec == .none ? Int(input.offset) + nextStart : nil,
        excerpt: nextRecord(markedFrom: Int(index.fields[nextField + (file.settings.maxFieldCount ?? 0) - 1]))),
      hint:
        "Quote fields that hold the separator, or declare the table with CREATE EXTERNAL TABLE: more fields are then ignored."
    )
  }

  private func strayText(_ at: Int) throws(QueryError) -> QueryError {
    let text = UnsafeBufferPointer(start: input.base + at, count: min(40, input.count - at)).prefix { $0 != 0x0a && $0 != 0x0d }
    return QueryError(
      .hiveBadData, "Text behind a closing quote: '\(String(decoding: text, as: UTF8.self))'",
      data: DataLocation(
        path: file.source.path, row: try fileRow(recordsTaken),
        byteOffset: file.codec == .none ? Int(input.offset) + at : nil, excerpt: nextRecord(markedFrom: at)),
      hint: InferenceHint(function: "read_csv", path: file.source.path, given: file.settings.given).quotes)
  }

  /// The record that is taken next, wrong from a place on.
  private func nextRecord(markedFrom place: Int) -> DataLocation.Excerpt? {
    guard nextRow < index.rowCount else { return nil }
    let end = Int(index.fields[Int(index.rows[nextRow])])
    return excerpt(nextStart..<end, marked: min(place, end)..<end)
  }

  private func unclosedQuote() throws(QueryError) -> QueryError {
    QueryError(
      .hiveBadData, "Quoted field is not closed before the end of the file",
      data: DataLocation(
        path: file.source.path, row: try fileRow(recordsTaken),
        byteOffset: file.codec == .none ? Int(input.offset) + nextStart : nil),
      hint: file.settings.schema == nil
        ? InferenceHint(function: "read_csv", path: file.source.path, given: file.settings.given).quotes : nil)
  }
}
