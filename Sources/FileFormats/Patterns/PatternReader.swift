import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Reads the lines of one split and takes each apart by a pattern; a line that does not match is a row of NULLs.
///
/// - Threads: one owner.
final class PatternReader: TextRowReader {
  private let file: PatternFile
  private let input: TextInput
  private let matcher: LineMatcher
  private let spans: TextSpans
  private let converters: [ValueConverter]
  /// The declared column that each requested one is.
  private let ordinals: [Int]
  private let capacity: Int
  /// Requested column · capacity + row → where in the window its text starts.
  private let starts: UnsafeMutablePointer<UInt32>
  /// The same → its length, -1 for NULL.
  private let lengths: UnsafeMutablePointer<Int32>
  private let rowNumber: UnsafeMutablePointer<Int>
  private let rowStart: UnsafeMutablePointer<UInt32>
  /// By ordinal: the group that fills a column of the line at hand.
  private var packed: [Int] = []
  private var nextStart = 0
  private var linesTaken = 0
  private var isFinished = false
  private var firstLine: UInt64 = 0

  init(_ file: PatternFile, _ split: Split, _ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) {
    self.file = file
    input = try TextInput(
      file.source, file.coding, split.byteRange, expectsAll: request.limit == nil,
      end: file.coding == .none ? nil : file.dataEnd)
    if file.coding == .none, split.byteRange.lowerBound == file.dataStart, file.dataStart > 0 {
      // The bytes before the data are read too: every byte of a file counts as scanned.
      _ = try file.source.read(0..<file.dataStart, kind: .data)
    }
    matcher = LineMatcher(file.settings.pattern)
    let capacity = max(1, min(request.batchSize, 1 << 20, (1 << 24) / max(1, request.columns.count)))
    self.capacity = capacity
    spans = TextSpans(capacity: capacity)
    var converters: [ValueConverter] = []
    for column in request.columns {
      guard ValueConverter.supports(column.type) else {
        throw QueryError.notSupported(
          "Column '\(column.name)': type \(column.type) cannot be read by a pattern",
          hint: "Declare the column as string and convert it in the query.")
      }
      converters.append(ValueConverter(column.type, file.settings.policy, capacity: capacity))
    }
    self.converters = converters
    ordinals = request.columns.map(\.ordinal)
    starts = .allocate(capacity: capacity * max(1, request.columns.count))
    lengths = .allocate(capacity: capacity * max(1, request.columns.count))
    rowNumber = .allocate(capacity: capacity)
    rowStart = .allocate(capacity: capacity)
    super.init(request, metrics: metrics)
    try seekFirstLine(split)
  }

  deinit {
    starts.deallocate()
    lengths.deallocate()
    rowNumber.deallocate()
    rowStart.deallocate()
  }

  // MARK: Finding lines

  /// Moves to the first line that starts in the split.
  private func seekFirstLine(_ split: Split) throws(QueryError) {
    if file.coding != .none {
      if input.count >= 3, input.base[0] == 0xef, input.base[1] == 0xbb, input.base[2] == 0xbf { nextStart = 3 }
      for _ in 0..<file.settings.skippedLines where !isFinished {
        guard let end = try lineEnd(mayMove: true) else {
          isFinished = true
          return
        }
        nextStart = end + 1
        linesTaken += 1
      }
      return
    }
    firstLine = split.byteRange.lowerBound
    if firstLine == file.dataStart { return }
    let before = try file.source.read(firstLine - 1..<firstLine, kind: .sampling).withBytes { $0[0] }
    if before == 0x0a { return }
    guard let end = try lineEnd(mayMove: true) else {
      isFinished = true
      return
    }
    firstLine = input.offset + UInt64(end + 1)
    nextStart = end + 1
  }

  /// Where the line at `nextStart` ends; nil when there is none, or when finding its end would move the window.
  private func lineEnd(mayMove: Bool) throws(QueryError) -> Int? {
    var scanned = nextStart
    while true {
      if scanned < input.count, let end = memchr(input.base + scanned, 0x0a, input.count - scanned) {
        return UnsafeRawPointer(end) - UnsafeRawPointer(input.base)
      }
      if input.isFinal { return nextStart < input.count ? input.count : nil }
      guard mayMove else { return nil }
      scanned = input.count - nextStart
      try input.advance(keeping: nextStart)
      nextStart = 0
    }
  }

  override func loadRows(limit: Int) throws(QueryError) -> Int {
    var loaded = 0
    let limit = min(limit, capacity)
    while loaded < limit, !isFinished {
      if nextStart >= input.recordLimit { break }
      guard let end = try lineEnd(mayMove: loaded == 0) else {
        isFinished = input.isFinal
        break
      }
      var length = end - nextStart
      if length > 0, input.base[end - 1] == 0x0d { length -= 1 }
      try take(nextStart, length, loaded)
      rowNumber[loaded] = linesTaken
      rowStart[loaded] = UInt32(truncatingIfNeeded: nextStart)
      linesTaken += 1
      nextStart = end + 1
      loaded += 1
    }
    return loaded
  }

  /// Notes where a line's values lie.
  private func take(_ start: Int, _ length: Int, _ row: Int) throws(QueryError) {
    guard let ranges = try matcher.match(input.base + start, length) else {
      for column in ordinals.indices { lengths[column * capacity + row] = -1 }
      return
    }
    if case .packed(let order) = file.settings.groups { pack(order, ranges) }
    for (column, ordinal) in ordinals.enumerated() {
      let at = column * capacity + row
      guard let group = group(ordinal), ranges[group * 2] >= 0 else {
        lengths[at] = -1
        continue
      }
      var (from, to) = (ranges[group * 2], ranges[group * 2 + 1])
      if file.settings.stripsQuotes { (from, to) = PatternReader.unquoted(input.base + start, from, to) }
      starts[at] = UInt32(truncatingIfNeeded: start + from)
      lengths[at] = Int32(truncatingIfNeeded: to - from)
    }
  }

  private func group(_ ordinal: Int) -> Int? {
    switch file.settings.groups {
    case .fixed(let groups): ordinal < groups.count ? groups[ordinal] : nil
    case .packed: ordinal < packed.count ? packed[ordinal] : nil
    }
  }

  private func pack(_ order: [(group: Int, name: Int)], _ ranges: UnsafePointer<Int>) {
    packed.removeAll(keepingCapacity: true)
    var places: [Int: Int] = [:]
    for (group, name) in order where ranges[group * 2] >= 0 {
      if let place = places[name] {
        packed[place] = group
      } else {
        places[name] = packed.count
        packed.append(group)
      }
    }
  }

  private static func unquoted(_ line: UnsafePointer<UInt8>, _ from: Int, _ to: Int) -> (Int, Int) {
    guard to > from, line[from] == 0x22 || line[from] == 0x27 else { return (from, to) }
    if to - from == 1 { return (from, from) }
    return line[to - 1] == line[from] ? (from + 1, to - 1) : (from, to)
  }

  override func finish() throws(QueryError) { try file.source.checkUnchanged() }

  // MARK: Converting

  override func column(_ column: Int, rows: UnsafePointer<Int32>?, count: Int) throws(QueryError) -> Column {
    let (starts, lengths) = (starts + column * capacity, lengths + column * capacity)
    for i in 0..<count {
      let row = rows.map { Int($0[i]) } ?? i
      spans.lengths[i] = lengths[row]
      spans.starts[i] = lengths[row] < 0 ? input.base : input.base + Int(starts[row])
    }
    var failure: Int?
    let result = converters[column].convert(spans, count: count, isASCII: false, owner: input.owner, failure: &failure)
    guard let failure else { return result }
    let bytes = UnsafeBufferPointer(start: spans.starts[failure], count: min(100, Int(spans.lengths[failure])))
    let value = String(decoding: bytes, as: UTF8.self)
    let row = Int(rows?[failure] ?? Int32(failure))
    let asked = request.columns[column]
    let before = file.coding == .none ? try LineSkipping.lineCount(file.source, before: firstLine) : 0
    throw QueryError(
      .hiveBadData, "Error Parsing a column in the table: For input string: \"\(value)\" of a column of type \(asked.type)",
      data: DataLocation(
        path: file.source.path, row: before + rowNumber[row] + 1, column: asked.name, value: value,
        byteOffset: file.coding == .none ? Int(input.offset) + Int(rowStart[row]) : nil),
      hint: "Declare the column as string, or set the SerDe property 'grok.nullOnParseError' = 'true'.")
  }
}
