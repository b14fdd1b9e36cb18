import CKernels
import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Finds out from samples of a CSV file how it is punctuated, what its columns are called and what types they have.
///
/// Files of a few megabytes are read whole. Of larger ones the start, the end and many windows between are looked at; of
/// compressed ones a longer start.
struct CSVSniffer {
  /// What a file turned out to be.
  struct Outcome: Sendable {
    var coding: TextCoding
    var dialect: DelimitedDialect
    var hasHeader: Bool
    /// Whether columns are found by name, not by position.
    var namesColumns: Bool
    /// From the header, or made up.
    var names: [String]
    var types: [DataType]
    /// What the user should know.
    var notes: [String] = []
  }

  private let source: any ByteSource
  private var coding: TextCoding
  private let base: DelimitedDialect
  private let given: CSVGiven
  private let findsTypes: Bool

  private static let headByteCount = 256 << 10
  private static let windowByteCount = 32 << 10
  private static let tailByteCount = 64 << 10
  private static let windowCount = 24
  private static let pieceByteCount = 4 << 20
  /// Windows up to here are entered in the scanner's exact state.
  private static let exactByteCount: UInt64 = 16 << 20
  private static let nameByteCount = 16 << 10

  /// - Parameters:
  ///   - base: what is not found out, and what is assumed otherwise.
  ///   - findsTypes: also looks at the middle and end of the file; else all types are varchar.
  init(
    _ source: any ByteSource, _ coding: TextCoding, base: DelimitedDialect, given: CSVGiven, findsTypes: Bool
  ) {
    self.source = source
    self.coding = coding
    self.base = base
    self.given = given
    self.findsTypes = findsTypes
  }

  // MARK: Head

  /// The start of the file: all of a small one, at least two records of any.
  private mutating func head() throws(QueryError) -> (input: TextInput, head: CSVDialectGuess.Head) {
    let isPlain = coding == .none
    var wanted = findsTypes ? max(given.sampleByteCount, 1) : CSVSniffer.headByteCount
    if findsTypes, isPlain, source.byteCount > UInt64(wanted) { wanted = min(wanted, CSVSniffer.headByteCount) }
    while true {
      let range = 0..<(isPlain ? min(source.byteCount, UInt64(wanted)) : source.byteCount)
      let input = try TextInput(
        source, coding, range, kind: .sampling, firstByteCount: wanted, expectsAll: false)
      if !isPlain, coding.encoding == nil, given.encoding == nil, let marked = CSVSniffer.mark(input) {
        coding.encoding = marked
        continue
      }
      let hasMark = input.count >= 3 && input.base[0] == 0xef && input.base[1] == 0xbb && input.base[2] == 0xbf
      let from = hasMark ? 3 : 0
      if input.isFinal || wanted >= 1 << 30 || lineCount(input, from) > 2 + (given.skipped ?? 0) {
        return (
          input,
          CSVDialectGuess.Head(
            base: input.base, from: from, to: input.count, isEnd: input.isFinal, owner: input.owner)
        )
      }
      wanted *= 8
    }
  }

  private static func mark(_ input: TextInput) -> TextEncoding? {
    TextEncoding.marked((0..<min(4, input.count)).map { input.base[$0] })
  }

  private func lineCount(_ input: TextInput, _ from: Int) -> Int {
    var (count, at) = (0, from)
    while count < 1 << 10, at < input.count {
      var isEnd = false
      if let found = memchr(input.base + at, 0x0a, input.count - at) {
        at = UnsafeRawPointer(found) - UnsafeRawPointer(input.base) + 1
        isEnd = true
      } else if let found = memchr(input.base + at, 0x0d, input.count - at - 1) {
        at = UnsafeRawPointer(found) - UnsafeRawPointer(input.base) + 1
        isEnd = true
      }
      if !isEnd { break }
      count += 1
    }
    return count
  }

  // MARK: Sniffing

  /// - Parameter typical: what a file of the same table turned out to be; another is most often like it.
  mutating func sniff(typical: Outcome? = nil) throws(QueryError) -> Outcome {
    let (input, head) = try head()
    defer { withExtendedLifetime(input) {} }
    if let typical, let sample = plainlyLike(typical, head) {
      var columns = ColumnGuesses(width: typical.names.count, dates: given.datePatterns, timestamps: given.timestampPatterns)
      CSVSniffer.note(sample, typical.dialect, from: typical.dialect.skippedRecords, &columns)
      if !head.isEnd { try noteRest(typical.dialect, columns.width, sample, input, &columns) }
      var outcome = typical
      outcome.types = columns.types
      return outcome
    }
    let isTabbed = CompressionCodec.withoutExtension(source.path).lowercased().hasSuffix(".tsv")
    let guess = CSVDialectGuess(head, base, given, isTabbed: isTabbed)
    var dialect = guess.dialect
    guard guess.shape.width > 0 else {
      return Outcome(coding: coding, dialect: dialect, hasHeader: false, namesColumns: false, names: [], types: [])
    }
    let table = CSVTableStart(guess, dialect, given)
    let width = max(guess.shape.width, table.names?.count ?? 0)
    dialect.skippedRecords = table.dataRecord
    dialect.blankLine = width > 1 ? .skipped : .row
    var columns = ColumnGuesses(width: width, dates: given.datePatterns, timestamps: given.timestampPatterns)
    if findsTypes {
      CSVSniffer.note(guess.sample, dialect, from: table.dataRecord, &columns)
      if !head.isEnd { try noteRest(dialect, width, guess.sample, input, &columns) }
    }
    let names = table.names.map { CSVSniffer.uniqueNames(CSVSniffer.padded($0, width)) } ?? (0..<width).map { "_col\($0)" }
    let types = findsTypes ? columns.types : Array(repeating: DataType.text, count: width)
    return Outcome(
      coding: coding, dialect: dialect, hasHeader: table.names != nil, namesColumns: table.names != nil, names: names,
      types: types, notes: table.note(source.path).map { [$0] } ?? [])
  }

  /// The head as the typical file is punctuated, when that leaves no doubt: it begins with the same header, all its records
  /// have its width, and quotes that run over line ends are no accident.
  private func plainlyLike(_ typical: Outcome, _ head: CSVDialectGuess.Head) -> CSVSample? {
    guard findsTypes, typical.hasHeader, typical.dialect.skippedRecords == 1, typical.notes.isEmpty, typical.coding == coding,
      given.skipped == nil, given.header != false, typical.names.count > 1
    else { return nil }
    let sample = CSVSample(
      typical.dialect, head.base, from: head.from, to: head.to, isEnd: head.isEnd, owner: head.owner)
    guard sample.strayCount == 0, !sample.isOpen else { return nil }
    if CSVSniffer.countLineEnds(head) > sample.rowCount, !CSVDialectGuess.needsQuotes(head, typical.dialect) { return nil }
    var (isLike, isFirst) = (true, true)
    sample.forEachRecord { record in
      isLike = record.fieldCount == typical.names.count
      if isLike, isFirst {
        isLike = record.ordinal == 0 && CSVSniffer.uniqueNames(CSVTexts(sample, typical.dialect, record: record).firstTexts) == typical.names
      }
      isFirst = false
      return isLike
    }
    return isLike && !isFirst ? sample : nil
  }

  private static func countLineEnds(_ head: CSVDialectGuess.Head) -> Int {
    var (count, i) = (0, head.from)
    while i < head.to {
      if head.base[i] == 0x0a { count += 1 }
      i += 1
    }
    return count
  }

  private static func padded(_ names: [String], _ width: Int) -> [String] {
    names + Array(repeating: "", count: max(0, width - names.count))
  }

  private static func note(_ sample: CSVSample, _ dialect: DelimitedDialect, from first: Int, _ columns: inout ColumnGuesses) {
    var own = columns
    columns = ColumnGuesses(width: 0)
    sample.forEachField(dialect, from: first, width: own.width) { column, text, count, isQuoted in
      own.note(column, text, count, isQuoted: isQuoted)
    }
    columns = own
  }

  /// Looks at what lies behind the head: at all of it, or at windows.
  private func noteRest(
    _ dialect: DelimitedDialect, _ width: Int, _ first: CSVSample, _ input: TextInput, _ columns: inout ColumnGuesses
  ) throws(QueryError) {
    if given.samplesAll { return try noteAll(dialect, from: first.endOfRecords, input, &columns) }
    guard coding == .none, source.byteCount > UInt64(first.endOfRecords) else { return }
    let start = UInt64(first.endOfRecords)
    let length = source.byteCount - start
    let states = dialect.quote == nil ? nil : QuoteStates(source, dialect, start: start)
    let count = UInt64(CSVSniffer.windowCount)
    for window in 0...count {
      let isTail = window == count
      let size = UInt64(isTail ? CSVSniffer.tailByteCount : CSVSniffer.windowByteCount)
      let from = isTail ? max(start, source.byteCount - min(source.byteCount, size)) : start + length / count * window
      let to = min(source.byteCount, from + size)
      if from >= to { continue }
      if let sample = try self.window(dialect, from..<to, width, start, states) {
        CSVSniffer.note(sample, dialect, from: 0, &columns)
      }
    }
  }

  /// The whole records of a window, or nil where it cannot be told whether it starts inside quotes.
  private func window(
    _ dialect: DelimitedDialect, _ range: Range<UInt64>, _ width: Int, _ start: UInt64, _ states: QuoteStates?
  ) throws(QueryError) -> CSVSample? {
    let slice = try source.read(range, kind: .sampling)
    let bytes = slice.pointer.assumingMemoryBound(to: UInt8.self)
    let isEnd = range.upperBound == source.byteCount
    func sample(_ state: Int?) -> CSVSample {
      CSVSample(dialect, bytes, from: 0, to: slice.count, isEnd: isEnd, owner: slice.owner, state: state)
    }
    if range.lowerBound == start { return sample(nil) }
    let quote = dialect.quote
    guard let states, slice.withBytes({ $0.contains(quote!) }) else { return sample(Int(CK_TEXT_UNQUOTED)) }
    if range.lowerBound <= start + CSVSniffer.exactByteCount {
      return sample(Int(try states.state(at: range.lowerBound)))
    }
    if width == 1 { return nil }
    // The state in which records have the right width, if that is plain to see.
    let outside = sample(Int(CK_TEXT_UNQUOTED))
    let inside = sample(Int(CK_TEXT_QUOTED))
    let (a, b) = (CSVSniffer.fit(outside, width), CSVSniffer.fit(inside, width))
    guard max(a, b) >= 0.9, abs(a - b) > 0.2 else { return nil }
    return a > b ? outside : inside
  }

  private static func fit(_ sample: CSVSample, _ width: Int) -> Double {
    var (right, all) = (0, 0)
    sample.forEachRecord { record in
      all += 1
      if record.fieldCount == width { right += 1 }
      return true
    }
    return all == 0 ? 0 : Double(right) / Double(all) - (sample.strayCount > 0 ? 0.5 : 0)
  }

  /// Looks at all records from byte `start` of the input's window on.
  private func noteAll(
    _ dialect: DelimitedDialect, from start: Int, _ head: TextInput, _ columns: inout ColumnGuesses
  ) throws(QueryError) {
    var input = head
    var at = start
    if coding == .none {
      input = try TextInput(source, coding, UInt64(start)..<source.byteCount, kind: .sampling)
      at = 0
    }
    var step = CSVSniffer.pieceByteCount
    while true {
      let to = min(input.count, at + step)
      let isEnd = input.isFinal && to == input.count
      let sample = CSVSample(dialect, input.base, from: at, to: to, isEnd: isEnd, owner: input.owner)
      CSVSniffer.note(sample, dialect, from: 0, &columns)
      if isEnd { return }
      let next = sample.rowCount == 0 ? at : sample.endOfRecords
      if next == at, to < input.count {
        step *= 2
      } else if to == input.count, !input.isFinal {
        try input.advance(keeping: next, byteCount: CSVSniffer.pieceByteCount)
        at = 0
      } else {
        at = next
        step = CSVSniffer.pieceByteCount
      }
    }
  }

  // MARK: Names

  /// The column names that the record before the data would give, or nil when it is longer than a few kilobytes.
  static func firstRecord(
    _ source: any ByteSource, _ coding: TextCoding, _ dialect: DelimitedDialect
  ) throws(QueryError) -> [String]? {
    let input = try TextInput(
      source, coding, 0..<(coding == .none ? min(source.byteCount, UInt64(nameByteCount)) : source.byteCount),
      kind: .sampling, firstByteCount: nameByteCount, expectsAll: false)
    return withExtendedLifetime(input.owner) {
      let hasMark = input.count >= 3 && input.base[0] == 0xef && input.base[1] == 0xbb && input.base[2] == 0xbf
      let sample = CSVSample(
        dialect, input.base, from: hasMark ? 3 : 0, to: input.count, isEnd: input.isFinal, owner: input.owner)
      var names: [String]?
      sample.forEachRecord { record in
        if record.ordinal == dialect.skippedRecords - 1 { names = CSVTexts(sample, dialect, record: record).firstTexts }
        return record.ordinal < dialect.skippedRecords - 1
      }
      return names.map(uniqueNames)
    }
  }

  /// Header texts as column names: blanks around them taken off, empty ones made up, later ones of equal name numbered.
  static func uniqueNames(_ texts: [String]) -> [String] {
    ColumnNames.distinct(
      texts.enumerated().map { index, text in
        var name = text[...]
        while let last = name.last, last == " " || last == "\t" { name.removeLast() }
        while let first = name.first, first == " " || first == "\t" { name.removeFirst() }
        return name.isEmpty ? "_col\(index)" : String(name)
      })
  }
}
