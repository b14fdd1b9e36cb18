import Columnar
import ObjectStore
import QueryErrors

/// Looks at a JSON file's records to tell its columns: at all of a file of a few megabytes; of larger ones at the start, the
/// end and many windows between; of documents and compressed files at a longer start.
struct JSONSurvey {
  let root = JSONTypeGuess()
  private(set) var layout = JSONLayout.lines
  /// Whether records are values other than objects.
  var readsValues: Bool { root.sawOnlyValues }

  private let source: any ByteSource
  private let coding: TextCoding
  private let settings: JSONSettings
  private let sampleByteCount: Int
  private let all: Bool

  /// The column of records that are no objects, as DuckDB names it.
  static let valueColumn = "json"
  private static let headByteCount = 512 << 10
  private static let windowByteCount: UInt64 = 64 << 10
  private static let windowCount: UInt64 = 24

  init(_ source: any ByteSource, _ coding: TextCoding, _ settings: JSONSettings, sampleByteCount: Int, all: Bool) {
    self.source = source
    self.coding = coding
    self.settings = settings
    self.sampleByteCount = sampleByteCount
    self.all = all
  }

  var columns: [Field] {
    readsValues ? [Field(JSONSurvey.valueColumn, root.type)] : root.columns
  }

  mutating func run() throws(QueryError) {
    let isPlain = coding == .none
    let wanted = sampleByteCount
    let input = try TextInput(
      source, coding, 0..<(isPlain && !all ? min(source.byteCount, UInt64(wanted)) : source.byteCount), kind: .sampling,
      firstByteCount: wanted, expectsAll: false)
    layout = JSONLayout.sniff(input.base, input.count, isDeclared: false)
    let from = input.count >= 3 && input.base[0] == 0xef && input.base[1] == 0xbb && input.base[2] == 0xbf ? 3 : 0
    if layout == .document { return try runDocument(input, from: from) }
    // Of a large file in lines a shorter start is enough.
    var to = input.count
    let isLarge = isPlain && !all && !input.isFinal && sampleByteCount > JSONSurvey.headByteCount
    if isLarge { to = min(to, JSONSurvey.headByteCount) }
    do throws(QueryError) {
      var at = try noteLines(input, from: from, to: to, isFirst: true)
      while at == from || all, !input.isFinal {
        try input.advance(keeping: at, byteCount: max(input.count * 2, 4 << 20))
        at = try noteLines(input, from: 0, to: input.count, isFirst: false)
        if at > 0, !all { break }
      }
    } catch {
      // Lines that are no records: objects one after another, perhaps.
      guard error.code == .hiveBadData, settings.skippedLines == 0 else { throw error }
      var other = self
      other.layout = .document
      let scratch = JSONTypeGuess()
      guard
        let fresh = try? TextInput(
          source, coding, 0..<(isPlain && !all ? min(source.byteCount, UInt64(wanted)) : source.byteCount), kind: .sampling,
          firstByteCount: wanted, expectsAll: false),
        (try? other.noteDocument(fresh, from: from, into: scratch)) != nil
      else { throw error }
      layout = .document
      root.merge(scratch)
      return
    }
    if isPlain, !all { try noteWindows(UInt64(to)) }
  }

  // MARK: Lines

  /// Adds the whole lines of a stretch and returns where the first that is not whole starts.
  ///
  /// - Parameter isFirst: whether the file starts there: a line that is no record is an error; else it is passed over.
  private func noteLines(_ input: TextInput, from: Int, to: Int, isFirst: Bool) throws(QueryError) -> Int {
    let isEnd = input.isFinal && to == input.count
    return try noteLines(input.base, from, to, isEnd: isEnd, offset: input.offset, skipped: isFirst ? settings.skippedLines : 0, isStrict: isFirst)
  }

  private func noteLines(
    _ p: UnsafePointer<UInt8>, _ start: Int, _ count: Int, isEnd: Bool, offset: UInt64, skipped: Int, isStrict: Bool
  ) throws(QueryError) -> Int {
    var from = start
    var line = 0
    while from < count {
      var end = from
      while end < count, p[end] != 0x0a { end += 1 }
      if end == count, !isEnd { return from }
      line += 1
      let first = JSONText.skipBlanks(p, from, end)
      if line > skipped, first != end, !note(p, first, end), isStrict, !settings.ignoresMalformed {
        throw malformed(p, first, end, row: line, offset)
      }
      from = end + 1
    }
    return min(from, count)
  }

  /// Adds a record; whether it is one.
  private func note(_ p: UnsafePointer<UInt8>, _ first: Int, _ end: Int) -> Bool {
    var at = first
    if root.takesPlainly(p, first, end) { return root.note(p, &at, end) }
    let scratch = JSONTypeGuess()
    guard scratch.note(p, &at, end), JSONText.skipBlanks(p, at, end) == end else { return false }
    return add(scratch)
  }

  private func add(_ record: JSONTypeGuess) -> Bool {
    guard goesWith(record, root) else { return false }
    root.merge(record)
    return true
  }

  /// All records are objects, or none is; NULL is one of those that are none.
  private func goesWith(_ record: JSONTypeGuess, _ root: JSONTypeGuess) -> Bool {
    if record.isEmpty { return root.sawOnlyValues }
    return root.isEmpty || record.sawOnlyValues == root.sawOnlyValues
  }

  private func noteWindows(_ start: UInt64) throws(QueryError) {
    guard source.byteCount > start else { return }
    let length = source.byteCount - start
    for window in 0...JSONSurvey.windowCount {
      let size = JSONSurvey.windowByteCount
      let from =
        window == JSONSurvey.windowCount
        ? max(start, source.byteCount - min(source.byteCount, size)) : start + length / JSONSurvey.windowCount * window
      let to = min(source.byteCount, from + size)
      let slice = try source.read(from - 1..<to, kind: .sampling)
      try slice.withBytes { (bytes) throws(QueryError) in
        guard let first = bytes.firstIndex(of: 0x0a) else { return }
        _ = try noteLines(
          bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), first + 1, bytes.count,
          isEnd: to == source.byteCount, offset: from, skipped: 0, isStrict: false)
      }
    }
  }

  // MARK: Documents

  private func runDocument(_ input: TextInput, from: Int) throws(QueryError) {
    try noteDocument(input, from: from, into: root)
  }

  /// Adds the values of a document: those in the first window, all of them when all rows are asked for.
  private func noteDocument(_ input: TextInput, from: Int, into root: JSONTypeGuess) throws(QueryError) {
    var at = JSONText.skipBlanks(input.base, from, input.count)
    let isArray = at < input.count && input.base[at] == 0x5b
    if isArray { at += 1 }
    var found = 0
    while true {
      at = JSONText.skipBlanks(input.base, at, input.count)
      if isArray, found > 0, at < input.count, input.base[at] == 0x2c {
        at = JSONText.skipBlanks(input.base, at + 1, input.count)
      }
      if isArray, at < input.count, input.base[at] == 0x5d { return }
      let isWhole = at < input.count ? JSONText.valueEnd(input.base, at, input.count) : nil
      guard let end = isWhole, end < input.count || input.isFinal else {
        if at >= input.count, input.isFinal { return }
        if input.isFinal {
          throw malformed(input.base, at, input.count, row: found + 1, input.offset)
        }
        if found > 0, !all { return }
        try input.advance(keeping: at, byteCount: max(input.count * 2, 4 << 20))
        at = 0
        continue
      }
      let start = at
      if root.takesPlainly(input.base, at, end) {
        _ = root.note(input.base, &at, end)
        found += 1
        continue
      }
      let scratch = JSONTypeGuess()
      guard scratch.note(input.base, &at, end), at == end,
        goesWith(scratch, root), isArray || !scratch.sawOnlyValues
      else {
        throw malformed(input.base, start, input.count, row: found + 1, input.offset)
      }
      root.merge(scratch)
      found += 1
    }
  }

  private func malformed(
    _ p: UnsafePointer<UInt8>, _ at: Int, _ end: Int, row: Int, _ offset: UInt64
  ) -> QueryError {
    let snippet = UnsafeBufferPointer(start: p + at, count: max(0, min(end - at, 100)))
    return QueryError(
      .hiveBadData, "Row is not a valid JSON Object",
      data: DataLocation(
        path: source.path, row: row, value: String(decoding: snippet, as: UTF8.self), byteOffset: Int(offset) + at))
  }
}
