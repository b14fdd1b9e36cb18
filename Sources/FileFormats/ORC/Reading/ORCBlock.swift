import Columnar
import ObjectStore
import QueryErrors

/// One stripe for one reader: columns are opened when first read, and jump by the row index.
final class ORCBlock: ColumnBlock {
  private let scan: ORCScan
  private let stripe: ORCStripe
  private let number: Int
  let rowCount: Int
  let rows: Range<Int>
  private var columns: [Int: OpenColumn] = [:]
  private var hasCounted = false

  /// A column and the row it is at.
  private struct OpenColumn {
    var reader: ORCColumnReader
    var row: Int
    /// Whether it and all below it can jump.
    var hasIndex: Bool
  }

  init(_ scan: ORCScan, _ stripe: ORCStripe, number: Int, rows: Range<Int>) {
    self.scan = scan
    self.stripe = stripe
    self.number = number
    rowCount = stripe.stripe.rowCount
    self.rows = rows
  }

  private func damaged(_ damage: ORCDamage, _ column: Int) -> QueryError {
    scan.file.error(damage, stripe: number, column: scan.request.columns[column].name)
  }

  // MARK: Pruning

  func rows(mayHold domains: [Int: Domain]) throws(QueryError) -> [Range<Int>]? {
    let stride = scan.file.footer.rowIndexStride
    guard stride > 0, rowCount > 0 else { return nil }
    var kept: [Bool]?
    for (column, domain) in domains {
      guard let node = scan.plans[column].leafNode else { continue }
      do throws(ORCDamage) {
        let entries = try stripe.rowIndex(node.id)
        guard entries.count == (rowCount + stride - 1) / stride else { continue }
        let filters = try bloomFilters(node, domain, entries.count)
        var own = kept ?? Array(repeating: true, count: entries.count)
        for (group, entry) in entries.enumerated() where own[group] {
          own[group] =
            mayHold(domain, entry.statistics, node, column, rowCount: min(stride, rowCount - group * stride))
            && mayHold(domain, filters?[group], node)
        }
        kept = own
      } catch { throw damaged(error, column) }
    }
    guard let kept else { return nil }
    var ranges: [Range<Int>] = []
    for (group, isKept) in kept.enumerated() where isKept {
      RowRanges.append(group * stride..<min((group + 1) * stride, rowCount), to: &ranges)
    }
    return ranges
  }

  private func mayHold(
    _ domain: Domain, _ statistics: ORCColumnStatistics, _ node: ORCNode, _ column: Int, rowCount: Int
  ) -> Bool {
    let type = scan.request.columns[column].type
    return BlockPruning.mayHold(
      domain, ORCBounds.bounds(statistics, node, as: type),
      nullCount: ORCBounds.nullCount(statistics, rowCount: rowCount), rowCount: rowCount, type: type)
  }

  private func bloomFilters(_ node: ORCNode, _ domain: Domain, _ count: Int) throws(ORCDamage) -> [ORCBloomFilter]? {
    guard !domain.allowsNull, domain.singleValues != nil else { return nil }
    let filters = try stripe.bloomFilters(node)
    return filters.count == count ? filters : nil
  }

  private func mayHold(_ domain: Domain, _ filter: ORCBloomFilter?, _ node: ORCNode) -> Bool {
    guard let filter, let values = domain.singleValues else { return true }
    return values.contains { filter.mayContain($0, node) }
  }

  func dictionary(of column: Int) throws(QueryError) -> BlockDictionary? {
    do throws(ORCDamage) {
      guard isDictionaryCoded(column), let reader = try open(column).reader as? ORCStringReader,
        let entries = reader.dictionary
      else { return nil }
      return BlockDictionary(entries: entries, mayHaveNulls: reader.mayHaveNulls)
    } catch { throw damaged(error, column) }
  }

  func isDictionaryCoded(_ column: Int) -> Bool {
    guard let node = scan.plans[column].leafNode else { return false }
    switch node.kind {
    case .string, .varchar, .char: return (try? stripe.encoding(node.id))?.isDictionary ?? false
    default: return false
    }
  }

  func willReadFully(_ columns: [Int]?) {}

  // MARK: Reading

  private func open(_ column: Int) throws(ORCDamage) -> OpenColumn {
    if let known = columns[column] { return known }
    let plan = scan.plans[column]
    let opened = OpenColumn(
      reader: try ORCColumnReader.make(plan, stripe), row: 0,
      hasIndex: scan.file.footer.rowIndexStride > 0 && stripe.hasRowIndexes(plan.columnNumbers))
    columns[column] = opened
    return opened
  }

  /// Moves a column forward to a row.
  private func advance(_ column: inout OpenColumn, to row: Int) throws(ORCDamage) {
    if row == column.row { return }
    let stride = scan.file.footer.rowIndexStride
    if column.hasIndex, row / stride > column.row / stride {
      try column.reader.seek(row / stride, stripe)
      column.row = row / stride * stride
    }
    try column.reader.skip(row - column.row)
    column.row = row
  }

  /// Gaps of so many unwanted rows are passed over instead of decoded.
  private static let smallestGap = 256

  func read(
    _ column: Int, from start: Int, count: Int, selection: UnsafePointer<Int32>?, selectionCount: Int, keepsCodes: Bool
  ) throws(QueryError) -> Column {
    do throws(ORCDamage) {
      var opened = try open(column)
      defer { columns[column] = opened }
      guard let selection else {
        try advance(&opened, to: start)
        let values = try opened.reader.read(count)
        opened.row += count
        return keepsCodes ? values : values.withoutCodes
      }
      var pieces: [Column] = []
      var taken = 0
      while taken < selectionCount {
        // Selected rows without a large gap between them are read together.
        let first = Int(selection[taken])
        var last = taken
        while last + 1 < selectionCount, Int(selection[last + 1] - selection[last]) < ORCBlock.smallestGap { last += 1 }
        let n = last - taken + 1
        let span = Int(selection[last]) - first + 1
        try advance(&opened, to: start + first)
        let values = try opened.reader.read(span)
        opened.row += span
        if n == span {
          pieces.append(values)
        } else {
          let rows = Buffer(byteCount: n * 4)
          let p = rows.typed(Int32.self)
          for i in 0..<n { p[i] = selection[taken + i] - Int32(first) }
          pieces.append(withExtendedLifetime(rows) { values.take(p, count: n) })
        }
        taken = last + 1
      }
      let type = scan.request.columns[column].type
      if pieces.isEmpty { return .empty(type) }
      let values = pieces.count == 1 ? pieces[0] : Column.concatenate(pieces, type: type)
      return keepsCodes ? values : values.withoutCodes
    } catch { throw damaged(error, column) }
  }

  func countAsRead() {
    if hasCounted { return }
    hasCounted = true
    // A stripe cut in parts counts once.
    if rows.lowerBound == 0 { scan.metrics.add(blocksRead: 1) }
  }

  var prunedPageCount: Int { 0 }
}

extension Column {
  /// The same values without a dictionary.
  fileprivate var withoutCodes: Column { encoding == .dictionary ? flattened() : self }
}
