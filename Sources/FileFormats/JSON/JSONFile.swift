import CKernels
import Columnar
import ObjectStore
import QueryErrors

/// What the JSON format makes of its options.
struct JSONSettings: Sendable {
  var mapping = JSONKeyMapping()
  var policy = ValuePolicy()
  var schema: Schema?
  /// Malformed records read as NULLs.
  var ignoresMalformed = false
  var skippedLines = 0
  var footerLines = 0
  /// How records lie, where files need not be asked.
  var layout: JSONLayout?
  /// The key of the array that holds a file's records: `{"Records": […]}`.
  var wrapper: String?
  /// Whether tables of the SerDe know `ignore.malformed.json`, so that messages may name it.
  var isOpenX = false
  /// Types that were declared although the schema was not.
  var given = GivenColumns()
  var encoding: TextEncoding?
  var compression: CompressionCodec?
  /// The keys that columns stand for where their names do not tell.
  var origins: [String: JSONKeyOrigin] = [:]
  /// Whether records are values other than objects: the one column's.
  var readsValues = false
  /// Takes note of a record that does not fit the inferred columns; whether the statement may begin anew.
  var learn: (@Sendable (_ source: any ByteSource, _ record: UnsafeBufferPointer<UInt8>) -> Bool)?
}

/// One opened JSON file.
///
/// - Threads: shared by all workers.
final class JSONFile: FormatFile {
  let source: any ByteSource
  let codec: TextCoding
  let settings: JSONSettings
  let layout: JSONLayout
  /// Where the first record may start; only plain files.
  let dataStart: UInt64
  /// Where the footer starts, in decoded bytes.
  let dataEnd: UInt64

  init(
    _ source: any ByteSource, _ codec: TextCoding, _ settings: JSONSettings, layout known: JSONLayout? = nil
  ) throws(QueryError) {
    self.source = source
    self.codec = codec
    self.settings = settings
    dataEnd = try LineSkipping.end(source, codec, skipping: settings.footerLines)
    guard source.byteCount > 0 else {
      (layout, dataStart) = (.lines, 0)
      return
    }
    let headCount = min(source.byteCount, UInt64(JSONLayout.sampleByteCount))
    let input = try TextInput(
      source, codec, 0..<(codec == .none ? headCount : source.byteCount), kind: .sampling,
      firstByteCount: JSONLayout.sampleByteCount, expectsAll: false)
    layout =
      known ?? settings.layout
      ?? withExtendedLifetime(input.owner) {
        JSONLayout.sniff(input.base, input.count, isDeclared: settings.schema != nil)
      }
    let hasMark = input.count >= 3 && input.base[0] == 0xef && input.base[1] == 0xbb && input.base[2] == 0xbf
    var start: UInt64 = hasMark ? 3 : 0
    var missing = settings.skippedLines
    while codec == .none, layout == .lines, missing > 0, start < source.byteCount {
      let to = min(source.byteCount, start + 64 << 10)
      let slice = try source.read(start..<to, kind: .sampling)
      let at = slice.withBytes { $0.firstIndex(of: 0x0a) }
      start = at.map { start + UInt64($0) + 1 } ?? to
      if at != nil || to == source.byteCount { missing -= 1 }
    }
    dataStart = start
  }

  var rowCount: Int? { nil }

  func statistics(of column: ScanColumn) -> ColumnStatistics? { nil }

  func scanByteCount(of columns: [ScanColumn]) -> Int { Int(source.byteCount) }

  func scan(_ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any FileScan {
    let isPlain = codec == .none && layout != .document
    let end = isPlain ? min(dataEnd, source.byteCount) : source.byteCount
    return TextScan(source: source, range: min(isPlain ? dataStart : 0, end)..<end, isSplittable: isPlain) {
      [self] (split) throws(QueryError) in try JSONReader(self, split, request, metrics: metrics)
    }
  }

  /// Line ends of a plain file before a place; for error messages.
  func lineCount(before end: UInt64) throws(QueryError) -> Int {
    var at: UInt64 = 0
    var state = ck_json_state()
    while at < end {
      let to = min(end, at + 4 << 20)
      let slice = try source.read(at..<to, kind: .sampling)
      slice.withBytes { bytes in
        ck_json_scan(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), 0, bytes.count, 1, &state, nil, nil)
      }
      at = to
    }
    return state.line_count
  }
}
