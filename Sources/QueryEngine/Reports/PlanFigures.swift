import QueryPlan
import TableCatalog

/// What a plan's scans will touch, read off the plan.
struct PlanFigures: Sendable {
  var hasScans = false
  var columnsRead = 0
  var columnsTotal = 0
  var filesRead = 0
  var filesTotal: Int? = 0
  var bytesTotal = 0
  var partitionsRead = 0
  var partitionsTotal: Int? = 0

  init(_ plan: LogicalPlan) {
    hasScans = plan.contains { if case .foreignScan = $0 { true } else { false } }
    for scan in plan.scans {
      hasScans = true
      let fileColumns = Set(scan.columns.compactMap { if case .file(let index) = $0.source { index } else { nil } })
      columnsRead += fileColumns.count
      columnsTotal += scan.table.columns.count
      guard let files = scan.fileSet else { continue }
      let listing = files.listing
      filesRead += listing.files.count
      bytesTotal += Int(clamping: listing.byteCount)
      partitionsRead += listing.partitionsRead
      partitionsTotal = partitionsTotal.flatMap { total in listing.partitionsTotal.map { total + $0 } }
      // The files of partitions that were pruned are never listed.
      let isAll = listing.partitionsTotal == listing.partitionsRead
      filesTotal = isAll ? filesTotal.map { $0 + listing.files.count } : nil
    }
  }
}

extension LogicalPlan {
  /// The scans that the plan runs; those of a shared subplan once.
  var scans: [ScanNode] {
    var found: [ScanNode] = []
    var seen: Set<Int> = []
    collectScans(&found, &seen)
    return found
  }

  private func collectScans(_ found: inout [ScanNode], _ seen: inout Set<Int>) {
    if case .common(let node) = self, !seen.insert(node.definition.id).inserted { return }
    if case .scan(let scan) = self { found.append(scan) }
    for child in children { child.collectScans(&found, &seen) }
  }
}
