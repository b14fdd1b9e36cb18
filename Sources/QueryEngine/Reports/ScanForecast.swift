import FileFormats
import ObjectStore
import QueryErrors
import QueryPlan
import SQLExpressions
import TableCatalog

/// What executing a plan will scan, told from metadata alone.
struct ScanForecast: Sendable {
  /// One scan's part.
  struct Part: Sendable {
    var scan: ScanSummary
    var dataBytes: Int
    var rowGroupsRead: Int
    var rowGroupsTotal: Int
    var isExact: Bool
  }

  private(set) var parts: [Part] = []
  /// Bytes of values; footers come on top and are on the meter already.
  var dataBytes = 0
  var rowGroupsRead = 0
  var rowGroupsTotal = 0
  /// Of `dataBytes`, those that nothing can spare, when nothing above the scans ends them early.
  private(set) var sureBytes = 0
  private let readsAllItScans: Bool
  /// Whether the plan scans no less than `dataBytes`.
  var isExact = true

  /// - Parameter threads: workers of the run, between which its last splits will be cut; nil when it has still to come
  ///   and will do so itself.
  /// - Throws: what opening the files throws.
  init(_ plan: LogicalPlan, threads: Int?) throws(QueryError) {
    readsAllItScans = plan.readsAllItScans
    isExact = readsAllItScans
    for scan in plan.scans { try add(scan, threads ?? 1) }
  }

  var tier: CostTier { isExact ? .exact : .upperBound }

  /// Bytes of values that running the plan scans at least.
  var leastBytes: Int { isExact ? dataBytes : (readsAllItScans ? sureBytes : 0) }

  /// Stops a query whose plan says already that it will pass its limit.
  ///
  /// - Throws: `EXCEEDED_SCAN_LIMIT`.
  static func check(_ plan: LogicalPlan, _ meter: ScanMeter, limit: Int) throws(QueryError) {
    // Where rows may be left out while running, only running tells.
    guard plan.readsAllItScans else { return }
    let forecast = try ScanForecast(plan, threads: nil)
    let total = forecast.sureBytes + meter.metadataBytes
    if total <= limit { return }
    throw QueryError(
      .exceededScanLimit, "Bytes scanned limit was exceeded: the query would scan \(total) bytes, more than \(limit)",
      hint: "Nothing was scanned. Select fewer columns, filter on a partition column, or raise the limit.")
  }

  private mutating func add(_ scan: ScanNode, _ threads: Int) throws(QueryError) {
    guard let files = scan.fileSet else { return }
    let metrics = ScanMetrics()
    let request = ScanForecast.request(scan)
    var bytes = 0
    var rowGroups = 0
    var last: [(scan: any FileScan, split: Split)] = []
    for index in files.files.indices {
      let file = try files.open(index)
      try scan.table.path?.check(
        file, files.files[index].info, columns: request.columns, all: scan.readsAllFileColumns ? scan.table.columns : nil)
      let fileScan = try file.scan(request, metrics: metrics)
      let splits = try fileScan.splits(
        targetByteCount: Int(clamping: files.files[index].info.byteCount), unit: .size)
      for split in splits {
        bytes += split.scanByteCount
        rowGroups += split.blockCount
        last.append((fileScan, split))
        if last.count > threads { last.removeFirst() }
      }
    }
    // Cutting the last splits between workers takes page indexes, which count as scanned.
    if threads > 1, scan.limit == nil {
      for (fileScan, split) in last { _ = try fileScan.parts(of: split, count: ScanForecast.partsOfLast) }
    }
    dataBytes += bytes
    rowGroupsRead += rowGroups
    rowGroupsTotal += metrics.blocksTotal
    // Text is read whole whatever its rows hold; row groups' other columns are read only for rows that pass.
    let isSure = scan.dynamicFilters.isEmpty && scan.limit == nil && (scan.predicates.isEmpty || rowGroups == 0)
    if isSure { sureBytes += bytes } else { isExact = false }
    parts.append(
      Part(
        scan: ScanSummary(scan), dataBytes: bytes, rowGroupsRead: rowGroups, rowGroupsTotal: metrics.blocksTotal,
        isExact: isSure && readsAllItScans))
  }

  /// As many as `TableScanSource` cuts.
  private static let partsOfLast = 4

  /// What a scan asks of its files, as far as metadata can prune by it.
  private static func request(_ scan: ScanNode) -> ScanRequest {
    var columns: [ScanColumn] = []
    var positions: [ColumnID: Int] = [:]
    for column in scan.columns {
      guard case .file(let ordinal) = column.source else { continue }
      positions[column.reference.id] = columns.count
      let field = scan.table.columns[ordinal]
      columns.append(ScanColumn(name: field.name, type: column.reference.type, ordinal: ordinal))
    }
    let domain = DomainExtraction.rowDomain(of: scan.predicates) { positions[$0.id] }
    return ScanRequest(columns: columns, domain: domain)
  }
}

extension LogicalPlan {
  /// Whether nothing above the scans can end them early or skip one of them.
  fileprivate var readsAllItScans: Bool {
    !contains { node in
      switch node {
      case .limit, .topN, .recursion, .singleRow: true
      case .join, .apply: true
      // How many bytes a source will send, nobody knows.
      case .foreignScan: true
      case .scan, .values, .filter, .project, .aggregate, .sort, .setOperation, .window, .rowPattern, .unnest, .common,
        .recursionInput:
        false
      }
    }
  }
}
