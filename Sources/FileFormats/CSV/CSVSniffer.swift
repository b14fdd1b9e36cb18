import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Finds out from samples of a CSV file how it is punctuated, what its columns are called and what types they have.
struct CSVSniffer {
  /// What a file turned out to be.
  struct Outcome: Sendable {
    var dialect: DelimitedDialect
    var hasHeader: Bool
    /// Whether columns are found by name, not by position.
    var namesColumns: Bool
    /// From the header, or made up.
    var names: [String]
    var types: [DataType]
  }

  /// A stretch of a file that starts and ends with whole records, as far as can be told.
  private struct Sample {
    var index: DelimitedIndex
    var base: UnsafePointer<UInt8>
    var owner: AnyObject
    /// Index of the first whole record.
    var firstRow: Int
    var firstField: Int
    var firstByte: Int
  }

  private static let headByteCount = 256 << 10
  private static let probeByteCount = 32 << 10
  private static let recordByteCount = 16 << 10
  private static let probeCount = 8

  /// - Parameters:
  ///   - separator: nil tries comma, tab, semicolon and bar.
  ///   - header: whether the first record holds names; nil finds out.
  ///   - skipped: records before the header or data.
  ///   - findsTypes: also looks at the middle and end of the file; else all types are varchar.
  static func sniff(
    _ source: any ByteSource, _ codec: CompressionCodec, base: DelimitedDialect, separator: UInt8?, header: Bool?,
    skipped: Int, findsTypes: Bool
  ) throws(QueryError) -> Outcome {
    let headCount = min(source.byteCount, UInt64(headByteCount))
    let input = try TextInput(
      source, codec, 0..<(codec == .none ? headCount : source.byteCount), kind: .sampling,
      firstByteCount: headByteCount, expectsAll: false)
    let hasMark = input.count >= 3 && input.base[0] == 0xef && input.base[1] == 0xbb && input.base[2] == 0xbf
    let first = hasMark ? 3 : 0

    var best: (score: Double, width: Int, sample: Sample, dialect: DelimitedDialect)?
    let isTabbed = CompressionCodec.withoutExtension(source.path).lowercased().hasSuffix(".tsv")
    let candidates: [UInt8] =
      separator.map { [$0] } ?? (isTabbed ? [0x09, 0x2c, 0x3b, 0x7c] : [0x2c, 0x09, 0x3b, 0x7c])
    for candidate in candidates {
      var dialect = base
      dialect.separator = candidate
      let sample = makeSample(dialect, input.base, from: first, to: input.count, input.isFinal, input.owner, state: 0)
      var (score, width) = consistency(sample, skipped)
      if width == 1 { score = 0 }
      let isBetter = best.map { score > $0.score + 1e-9 || (score > $0.score - 1e-9 && width > $0.width) } ?? true
      if isBetter { best = (score, width, sample, dialect) }
    }
    guard let best, best.width > 0 else {
      return Outcome(dialect: base, hasHeader: false, namesColumns: false, names: [], types: [])
    }
    var samples = [best.sample]
    var dialect = best.dialect
    if findsTypes, codec == .none, source.byteCount > UInt64(headByteCount + probeByteCount) {
      for probe in 1...probeCount {
        let span = source.byteCount - UInt64(headByteCount) - UInt64(probeByteCount)
        let at = UInt64(headByteCount) + span / UInt64(probeCount) * UInt64(probe)
        let to = min(source.byteCount, at + UInt64(probeByteCount))
        let slice = try source.read(at..<to, kind: .sampling)
        let bytes = slice.pointer.assumingMemoryBound(to: UInt8.self)
        // Whether the probe starts inside quotes is not known: the state in which more records have the right width.
        let isEnd = to == source.byteCount
        let outside = makeSample(dialect, bytes, from: 0, to: slice.count, isEnd, slice.owner, state: 1)
        let inside = makeSample(dialect, bytes, from: 0, to: slice.count, isEnd, slice.owner, state: 2)
        samples.append(
          rowsOfWidth(inside, best.width) > rowsOfWidth(outside, best.width) ? inside : outside)
      }
    }

    // The first record decides the names; the rest the types.
    var columns = ColumnGuesses(width: best.width)
    let field = DelimitedField(dialect)
    defer { field.destroy() }
    let spans = TextSpans(capacity: 1)
    var firstRecord: [(text: String, isQuoted: Bool)] = []
    var firstOrdinal = skipped
    for (index, sample) in samples.enumerated() {
      var isFirst = index == 0
      forEachRecord(sample) { row, fieldCount in
        if index == 0, row.ordinal < skipped { return }
        if isFirst {
          isFirst = false
          firstOrdinal = row.ordinal
          for column in 0..<fieldCount {
            let (p, n) = cell(sample, row, column)
            field.resolve(p, n, into: spans, 0)
            let bytes = UnsafeBufferPointer(start: spans.starts[0], count: max(0, Int(spans.lengths[0])))
            firstRecord.append((String(decoding: bytes, as: UTF8.self), n > 0 && p[0] == dialect.quote))
          }
          return
        }
        guard findsTypes || index == 0, fieldCount == best.width else { return }
        for column in 0..<fieldCount {
          let (p, n) = cell(sample, row, column)
          let isQuoted = n > 0 && dialect.quote != nil && p[0] == dialect.quote
          field.resolve(p, n, into: spans, 0)
          columns.note(column, spans.starts[0], Int(spans.lengths[0]), isQuoted: isQuoted, first: firstRecord)
        }
      }
    }
    _ = spans.takeHeap()
    let hasHeader = header ?? isHeader(firstRecord, columns)
    if !hasHeader {
      for column in 0..<min(best.width, firstRecord.count) {
        var text = firstRecord[column].text
        let isQuoted = firstRecord[column].isQuoted
        text.reserveCapacity(64)
        let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: 64)
        bytes.withUnsafeBufferPointer {
          let n = text.utf8.count
          columns.note(column, $0.baseAddress!, n == 0 && !isQuoted ? -1 : n, isQuoted: isQuoted, first: [])
        }
      }
    }
    let width = hasHeader ? max(firstRecord.count, 1) : best.width
    let names = hasHeader ? uniqueNames(firstRecord.map(\.text)) : (0..<width).map { "_col\($0)" }
    let types = (0..<width).map { findsTypes && $0 < best.width ? columns.type(of: $0) : DataType.text }
    dialect.blankLine = width > 1 ? .skipped : .row
    dialect.skippedRecords = hasHeader ? firstOrdinal + 1 : skipped
    return Outcome(dialect: dialect, hasHeader: hasHeader, namesColumns: hasHeader, names: names, types: types)
  }

  /// The column names that the record before the data would give, or nil when it is longer than a few kilobytes.
  static func firstRecord(
    _ source: any ByteSource, _ codec: CompressionCodec, _ dialect: DelimitedDialect
  ) throws(QueryError) -> [String]? {
    let input = try TextInput(
      source, codec, 0..<(codec == .none ? min(source.byteCount, UInt64(recordByteCount)) : source.byteCount),
      kind: .sampling, firstByteCount: recordByteCount, expectsAll: false)
    return withExtendedLifetime(input.owner) {
      let hasMark = input.count >= 3 && input.base[0] == 0xef && input.base[1] == 0xbb && input.base[2] == 0xbf
      let sample = makeSample(
        dialect, input.base, from: hasMark ? 3 : 0, to: input.count, input.isFinal, input.owner, state: 0)
      let field = DelimitedField(dialect)
      defer { field.destroy() }
      let spans = TextSpans(capacity: 1)
      var names: [String]?
      forEachRecord(sample) { row, fieldCount in
        if row.ordinal != dialect.skippedRecords - 1 { return }
        names = (0..<fieldCount).map { column in
          let (p, n) = cell(sample, row, column)
          field.resolve(p, n, into: spans, 0)
          let bytes = UnsafeBufferPointer(start: spans.starts[0], count: max(0, Int(spans.lengths[0])))
          return String(decoding: bytes, as: UTF8.self)
        }
      }
      return names.map(uniqueNames)
    }
  }

  // MARK: Samples

  private static func makeSample(
    _ dialect: DelimitedDialect, _ base: UnsafePointer<UInt8>, from: Int, to: Int, _ isEnd: Bool, _ owner: AnyObject,
    state: UInt32
  ) -> Sample {
    let index = DelimitedIndex(dialect)
    index.scanState = state
    index.scan(base, from: from, to: to, limit: to)
    let isOpen = index.fieldCount == 0 || Int(index.fields[index.fieldCount - 1]) < to - 1
    let endsInLine =
      index.rowCount == 0 || index.fieldCount == 0 || Int(index.rows[index.rowCount - 1]) < index.fieldCount - 1
      || isOpen
    if isEnd, endsInLine, to > from, !index.isInsideQuotes { index.appendLineEnd(at: to) }
    var sample = Sample(index: index, base: base, owner: owner, firstRow: 0, firstField: 0, firstByte: from)
    if state != 0 {
      // The record that the probe cuts off.
      guard index.rowCount > 0 else {
        sample.firstRow = 0
        return sample
      }
      sample.firstRow = 1
      sample.firstField = Int(index.rows[0]) + 1
      sample.firstByte = Int(index.fields[Int(index.rows[0])]) + 1
    }
    return sample
  }

  /// One record: where it starts and which fields it has.
  private struct Record {
    var start: Int
    var firstField: Int
    /// Records of the sample before it, blank ones counted.
    var ordinal: Int
  }

  private static func forEachRecord(_ sample: Sample, _ body: (Record, Int) -> Void) {
    let index = sample.index
    var (start, firstField) = (sample.firstByte, sample.firstField)
    for row in sample.firstRow..<max(sample.firstRow, index.rowCount) {
      let last = Int(index.rows[row])
      let end = Int(index.fields[last])
      let isBlank = last == firstField && (end == start || (end == start + 1 && sample.base[start] == 0x0d))
      if !isBlank { body(Record(start: start, firstField: firstField, ordinal: row), last - firstField + 1) }
      start = end + 1
      firstField = last + 1
    }
  }

  private static func cell(_ sample: Sample, _ record: Record, _ column: Int) -> (UnsafePointer<UInt8>, Int) {
    let fields = sample.index.fields
    let at = record.firstField + column
    let start = column == 0 ? record.start : Int(fields[at - 1]) + 1
    var end = Int(fields[at])
    if end > start, sample.base[end - 1] == 0x0d, at < sample.index.fieldCount, isLineFeed(sample, end) { end -= 1 }
    return (sample.base + start, end - start)
  }

  private static func isLineFeed(_ sample: Sample, _ at: Int) -> Bool { sample.base[at] == 0x0a }

  /// The share of records that have the commonest width, and that width.
  private static func consistency(_ sample: Sample, _ skipped: Int) -> (Double, Int) {
    var counts: [Int: Int] = [:]
    var total = 0
    forEachRecord(sample) { row, fieldCount in
      if row.ordinal < skipped { return }
      if total < 4096 {
        counts[fieldCount, default: 0] += 1
        total += 1
      }
    }
    guard let mode = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }) else { return (0, 0) }
    return (Double(mode.value) / Double(total), mode.key)
  }

  private static func rowsOfWidth(_ sample: Sample, _ width: Int) -> Int {
    var right = 0
    forEachRecord(sample) { _, fieldCount in right += fieldCount == width ? 1 : -1 }
    return right
  }

  // MARK: Header

  private static func isHeader(_ first: [(text: String, isQuoted: Bool)], _ columns: ColumnGuesses) -> Bool {
    if first.isEmpty { return false }
    var hasTyped = false
    for (column, cell) in first.enumerated() where column < columns.width && columns.hasValues(column) {
      let type = columns.type(of: column)
      if type == .text { continue }
      hasTyped = true
      if cell.text.isEmpty { continue }
      let bytes = Array(cell.text.utf8) + [UInt8](repeating: 0, count: 64)
      let kinds = bytes.withUnsafeBufferPointer { ColumnGuesses.kinds($0.baseAddress!, cell.text.utf8.count).kinds }
      if !columns.accepts(column, kinds) { return true }
    }
    if hasTyped { return false }
    // Only text: names are distinct, say something, and do not come back as values.
    var seen: Set<String> = []
    for (column, cell) in first.enumerated() {
      let text = cell.text
      guard let head = text.utf8.first, text.utf8.count <= 64, seen.insert(text.lowercased()).inserted else {
        return false
      }
      let isLetter = (head | 0x20 >= 0x61 && head | 0x20 <= 0x7a) || head == 0x5f || head >= 0x80
      if !isLetter || columns.repeatsFirst(column) { return false }
      let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: 64)
      let kinds = bytes.withUnsafeBufferPointer { ColumnGuesses.kinds($0.baseAddress!, text.utf8.count).kinds }
      if kinds != 0 { return false }
    }
    return true
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
