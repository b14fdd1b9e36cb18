import Columnar
import ObjectStore
import QueryErrors

/// One query's scan of one ORC file; its blocks are stripes.
final class ORCScan: FileScan {
  let file: ORCFile
  let request: ScanRequest
  let plans: [ORCColumnPlan]
  let metrics: ScanMetrics

  init(_ file: ORCFile, _ request: ScanRequest, _ plans: [ORCColumnPlan], _ metrics: ScanMetrics) {
    self.file = file
    self.request = request
    self.plans = plans
    self.metrics = metrics
  }

  /// Stripes are merged into one split up to so many rows.
  private static let largestMergedRowCount = 1 << 16

  func splits(targetByteCount: Int, unit: SplitUnit) throws(QueryError) -> [Split] {
    let stripes = file.footer.stripes
    metrics.add(blocksTotal: stripes.count)
    var unknown: [DynamicDomain] = []
    let domains = BlockPruning.usable(BlockPruning.known(request, unknown: &unknown), request.columns)
    var splits: [Split] = []
    for (number, stripe) in stripes.enumerated() where stripe.rowCount > 0 {
      guard mayHold(domains, stripe: number) else { continue }
      let byteCount = file.scanByteCount(of: stripe, request.columns.count)
      if unit == .size, let last = splits.last, case .blocks(let blocks) = last.place, blocks.upperBound == number,
        last.scanByteCount + byteCount <= targetByteCount,
        (last.rowCount ?? 0) + stripe.rowCount <= ORCScan.largestMergedRowCount
      {
        splits[splits.count - 1] = Split(
          .blocks(blocks.lowerBound..<number + 1), rowCount: (last.rowCount ?? 0) + stripe.rowCount,
          scanByteCount: last.scanByteCount + byteCount)
        continue
      }
      splits += parts(ofStripe: number, unit == .size ? byteCount / max(targetByteCount, 1) : 1, byteCount)
    }
    return splits
  }

  /// A part of a stripe has so many row groups at least: what is before it is passed over by the row index.
  private static let smallestPart = 8

  private func parts(ofStripe number: Int, _ count: Int, _ byteCount: Int) -> [Split] {
    let rowCount = file.footer.stripes[number].rowCount
    let stride = file.footer.rowIndexStride
    let groups = stride > 0 ? (rowCount + stride - 1) / stride : 1
    let count = min(count, groups / ORCScan.smallestPart)
    guard count > 1 else { return [Split(.blocks(number..<number + 1), rowCount: rowCount, scanByteCount: byteCount)] }
    return (0..<count).map { part in
      let rows = min(groups * part / count * stride, rowCount)..<min(groups * (part + 1) / count * stride, rowCount)
      return Split(.rows(rows, block: number), rowCount: rows.count, scanByteCount: byteCount / count)
    }
  }

  func parts(of split: Split, count: Int) throws(QueryError) -> [Split] {
    guard case .blocks(let blocks) = split.place, blocks.count == 1, request.limit == nil else { return [split] }
    return parts(ofStripe: blocks.lowerBound, count, split.scanByteCount)
  }

  private func mayHold(_ domains: [Int: Domain], stripe: Int) -> Bool {
    guard file.footer.stripeStatistics.indices.contains(stripe) else { return true }
    let statistics = file.footer.stripeStatistics[stripe]
    let rowCount = file.footer.stripes[stripe].rowCount
    for (column, domain) in domains {
      if case .null = plans[column], !domain.allowsNull { return false }
      guard let node = plans[column].leafNode, statistics.indices.contains(node.id) else { continue }
      let type = request.columns[column].type
      if !BlockPruning.mayHold(
        domain, ORCBounds.bounds(statistics[node.id], node, as: type),
        nullCount: ORCBounds.nullCount(statistics[node.id], rowCount: rowCount), rowCount: rowCount, type: type)
      {
        return false
      }
    }
    return true
  }

  func bounds(of column: Int, in split: Split) -> SplitBounds {
    let blocks: Range<Int>
    switch split.place {
    case .blocks(let numbers): blocks = numbers
    case .rows(_, let block): blocks = block..<block + 1
    case .bytes: return .unknown
    }
    guard let all = file.blockBounds(of: request.columns[column]), blocks.upperBound <= all.count else { return .unknown }
    var result: ClosedRange<Int64>?
    for case let own? in all[blocks] {
      result = min(result?.lowerBound ?? own.lowerBound, own.lowerBound)...max(result?.upperBound ?? own.upperBound, own.upperBound)
    }
    return result.map { .range($0) } ?? .noValues
  }

  func makeReader(_ split: Split) throws(QueryError) -> any BatchReader {
    let costs = plans.map { plan -> Double in
      switch plan.leafNode?.kind {
      case nil: 8
      case .string, .varchar, .char, .binary, .decimal, .timestamp, .timestampInstant: 4
      default: 1
      }
    }
    switch split.place {
    case .blocks(let blocks):
      return BlockReader(request, blocks, of: ORCBlockSource(self, nil), costs: costs, metrics)
    case .rows(let rows, let block):
      return BlockReader(request, block..<block + 1, of: ORCBlockSource(self, rows), costs: costs, metrics)
    case .bytes: throw QueryError.internalError("a split of bytes is none of \(file.source.path)")
    }
  }
}

/// Opens the stripes of one split.
final class ORCBlockSource: BlockSource {
  private let scan: ORCScan
  /// The rows of its only stripe that are this reader's; nil for all.
  private let part: Range<Int>?

  init(_ scan: ORCScan, _ part: Range<Int>?) {
    self.scan = scan
    self.part = part
  }

  func rowCount(ofBlock block: Int) -> Int { part?.count ?? scan.file.footer.stripes[block].rowCount }

  func open(_ block: Int) throws(QueryError) -> any ColumnBlock {
    do throws(ORCDamage) {
      let stripe = try ORCStripe(scan.file.source, scan.file.footer.stripes[block], scan.file.footer.compression)
      return ORCBlock(scan, stripe, number: block, rows: part ?? 0..<stripe.stripe.rowCount)
    } catch { throw scan.file.error(error, stripe: block) }
  }

  func finish() throws(QueryError) { try scan.file.source.checkUnchanged() }
}
