import Columnar
import ObjectStore
import QueryErrors

/// One ORC file whose footer has been read.
final class ORCFile: FormatFile {
  let source: any ByteSource
  let footer: ORCFooter
  private let matchesByPosition: Bool

  init(_ source: any ByteSource, _ footer: ORCFooter, matchesByPosition: Bool) {
    self.source = source
    self.footer = footer
    self.matchesByPosition = matchesByPosition
  }

  var rowCount: Int? { footer.rowCount }

  var ownColumns: [Field]? { footer.namedColumns }

  /// The error for what is wrong with the file.
  func error(_ damage: ORCDamage, stripe: Int? = nil, column: String? = nil) -> QueryError {
    if let cause = damage.cause { return cause }
    let place = stripe.map { " (stripe \($0))" } ?? ""
    return QueryError(
      .hiveBadData, "Corrupt ORC file: \(damage.reason)\(place)", data: DataLocation(path: source.path, column: column))
  }

  /// How a requested column is read from this file.
  func plan(_ column: ScanColumn) throws(QueryError) -> ORCColumnPlan {
    let root = footer.root
    guard root.kind == .structure else {
      return try ORCColumnPlan.make(column.type, root, column: column.name, path: source.path)
    }
    // Hive wrote `_col0`, `_col1` … for names up to version 2.
    let isNameless = !root.fieldNames.isEmpty && root.fieldNames.enumerated().allSatisfy { $1 == "_col\($0)" }
    var index: Int?
    if matchesByPosition || isNameless && !root.fieldNames.contains(column.name) {
      index = root.children.indices.contains(column.ordinal) ? column.ordinal : nil
    } else {
      let lower = column.name.lowercased()
      index = root.fieldNames.firstIndex(of: column.name) ?? root.fieldNames.firstIndex { $0.lowercased() == lower }
    }
    guard let index else { return .null(column.type) }
    return try ORCColumnPlan.make(column.type, root.children[index], column: column.name, path: source.path)
  }

  func statistics(of column: ScanColumn) -> ColumnStatistics? {
    guard let plan = try? plan(column) else { return nil }
    if case .null = plan { return ColumnStatistics(nullCount: footer.rowCount) }
    guard let node = plan.leafNode, footer.statistics.indices.contains(node.id) else { return nil }
    let own = footer.statistics[node.id]
    let bounds = ORCBounds.bounds(own, node, as: column.type)
    return ColumnStatistics(
      min: bounds.min, max: bounds.max, isExact: bounds.isExact,
      nullCount: ORCBounds.nullCount(own, rowCount: footer.rowCount))
  }

  func blockBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]? {
    guard let plan = try? plan(column), let node = plan.leafNode, !footer.stripeStatistics.isEmpty else { return nil }
    var result: [ClosedRange<Int64>?] = []
    for (stripe, columns) in zip(footer.stripes, footer.stripeStatistics) {
      guard columns.indices.contains(node.id) else { return nil }
      if ORCBounds.nullCount(columns[node.id], rowCount: stripe.rowCount) == stripe.rowCount {
        result.append(nil)
        continue
      }
      let bounds = ORCBounds.bounds(columns[node.id], node, as: column.type)
      guard let low = bounds.min?.integerValue, let high = bounds.max?.integerValue, low <= high else { return nil }
      result.append(low...high)
    }
    return result
  }

  /// Streams' sizes stand in the stripes' footers, which planning does not read: an equal share a column.
  func scanByteCount(of columns: [ScanColumn]) -> Int {
    footer.stripes.reduce(0) { $0 + scanByteCount(of: $1, columns.count) }
  }

  func scanByteCount(of stripe: ORCFooter.Stripe, _ columnCount: Int) -> Int {
    let all = max(footer.root.children.count, 1)
    return Int(clamping: stripe.dataLength) / all * min(columnCount, all)
  }

  func scan(_ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any FileScan {
    var plans: [ORCColumnPlan] = []
    for column in request.columns { plans.append(try plan(column)) }
    return ORCScan(self, request, plans, metrics)
  }
}
