import Columnar
import ObjectStore
import QueryErrors

/// What a SerDe whose lines are matched by a pattern makes of its options.
struct PatternSettings: Sendable {
  var pattern: LinePattern
  /// How a line's groups become columns.
  var groups: GroupOrder
  var policy: ValuePolicy
  var skippedLines = 0
  var footerLines = 0
  var encoding: TextEncoding?
  /// Takes a pair of quotes off both ends of values.
  var stripsQuotes = false

  enum GroupOrder: Sendable {
    /// By the column's ordinal: a group's number; nil reads as NULL.
    case fixed([Int?])
    /// The groups that took part in the match, in this order, fill the columns from the left; groups of one name are one,
    /// which holds the last value.
    case packed([(group: Int, name: Int)])
  }
}

/// One opened file of lines that a pattern takes apart.
///
/// - Threads: shared by all workers.
final class PatternFile: FormatFile {
  let source: any ByteSource
  let coding: TextCoding
  let settings: PatternSettings
  /// Where the first line of data starts; only plain files.
  let dataStart: UInt64
  /// Where the footer starts, in decoded bytes.
  let dataEnd: UInt64

  init(_ source: any ByteSource, _ coding: TextCoding, _ settings: PatternSettings) throws(QueryError) {
    self.source = source
    self.coding = coding
    self.settings = settings
    let start = coding == .none ? try LineSkipping.start(source, skipping: settings.skippedLines) : 0
    dataStart = start
    dataEnd = max(start, try LineSkipping.end(source, coding, skipping: settings.footerLines))
  }

  var rowCount: Int? { nil }
  func statistics(of column: ScanColumn) -> ColumnStatistics? { nil }
  func scanByteCount(of columns: [ScanColumn]) -> Int { Int(source.byteCount) }

  func scan(_ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any FileScan {
    let isPlain = coding == .none
    let range = isPlain ? dataStart..<min(dataEnd, source.byteCount) : 0..<source.byteCount
    return TextScan(source: source, range: range, isSplittable: isPlain) { [self] (split) throws(QueryError) in
      try PatternReader(self, split, request, metrics: metrics)
    }
  }
}
