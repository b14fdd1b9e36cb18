import CKernels
import Columnar
import ObjectStore
import QueryErrors

/// What a delimited format makes of its options: punctuation, value rules and where column names come from.
struct DelimitedSettings: Sendable {
  var dialect: DelimitedDialect
  var policy: ValuePolicy
  /// The declared columns, or nil when the file was sniffed.
  var schema: Schema?
  /// Names in the header, when it says where columns lie.
  var headerNames: [String]?
  /// Records of more fields are errors.
  var maxFieldCount: Int?
  /// Separators of nested values, outermost first; nil when nested types are not supported.
  var nestedSeparators: [UInt8]?
  /// Types that were declared although the schema was not.
  var given = GivenColumns()
  /// Takes note of a column's text that does not fit its inferred type; whether the statement may begin anew.
  var learn: (@Sendable (_ source: any ByteSource, _ column: String, _ type: DataType, _ text: String) -> Bool)?
}

/// One opened delimited file.
///
/// - Threads: shared by all workers.
final class DelimitedFile: FormatFile {
  let source: any ByteSource
  let codec: TextCoding
  let settings: DelimitedSettings
  /// Where the first byte behind a byte order mark lies.
  let start: UInt64
  /// Where the records behind the header start; only plain files.
  let dataStart: UInt64
  /// Where the footer starts, in decoded bytes.
  let dataEnd: UInt64
  private let states: QuoteStates?

  init(_ source: any ByteSource, _ codec: TextCoding, _ settings: DelimitedSettings) throws(QueryError) {
    self.source = source
    self.codec = codec
    self.settings = settings
    dataEnd = try LineSkipping.end(source, codec, skipping: settings.dialect.footerLines)
    guard codec == .none, source.byteCount > 0 else {
      (start, dataStart, states) = (0, 0, nil)
      return
    }
    let prefix = try source.read(0..<min(3, source.byteCount), kind: .sampling)
    let hasMark = prefix.withBytes { $0.elementsEqual([0xef, 0xbb, 0xbf]) }
    start = hasMark ? 3 : 0
    dataStart = try DelimitedFile.offset(
      source, settings.dialect, ofRecord: settings.dialect.skippedRecords, from: start)
    states = settings.dialect.quote == nil ? nil : QuoteStates(source, settings.dialect, start: dataStart)
  }

  var rowCount: Int? { nil }

  var ownColumns: [Field]? {
    settings.schema == nil ? settings.headerNames.map { $0.map { Field($0, .unknown) } } : nil
  }

  func statistics(of column: ScanColumn) -> ColumnStatistics? { nil }

  func scanByteCount(of columns: [ScanColumn]) -> Int { Int(source.byteCount) }

  func scan(_ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any FileScan {
    let isPlain = codec == .none
    let end = isPlain ? min(dataEnd, source.byteCount) : source.byteCount
    return TextScan(source: source, range: min(isPlain ? dataStart : 0, end)..<end, isSplittable: isPlain) {
      [self] (split) throws(QueryError) in try DelimitedReader(self, split, request, metrics: metrics)
    }
  }

  /// Where the reader of a request's column finds it, or nil when the file does not hold it.
  func ordinal(of column: ScanColumn) -> Int? {
    if let names = settings.headerNames {
      if let exact = names.firstIndex(of: column.name) { return exact }
      let wanted = column.name.lowercased()
      return names.firstIndex { $0.lowercased() == wanted }
    }
    return column.ordinal
  }

  /// The scanner's state before the byte at `offset`.
  func state(at offset: UInt64) throws(QueryError) -> UInt32 { try states?.state(at: offset) ?? 0 }

  func report(_ state: UInt32, at offset: UInt64) { states?.report(state, at: offset) }

  /// Where record `number` (from 0) starts, or the file's end.
  private static func offset(
    _ source: any ByteSource, _ dialect: DelimitedDialect, ofRecord number: Int, from start: UInt64
  ) throws(QueryError) -> UInt64 {
    if number <= 0 { return start }
    let index = DelimitedIndex(dialect)
    var missing = number
    var at = start
    while at < source.byteCount {
      let to = min(source.byteCount, at + 64 << 10)
      let slice = try source.read(at..<min(to + 1, source.byteCount), kind: .sampling)
      let state = index.scanState
      index.reset()
      index.scanState = state
      slice.withBytes { bytes in
        let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
        index.scan(base, from: 0, to: Int(to - at), limit: bytes.count)
      }
      if index.rowCount >= missing { return at + UInt64(index.fields[Int(index.rows[missing - 1])]) + 1 }
      missing -= index.rowCount
      at = to
    }
    return source.byteCount
  }
}
