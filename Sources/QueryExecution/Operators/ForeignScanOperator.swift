import Columnar
import ConnectorSDK
import ObjectStore
import QueryErrors
import QueryPlan
import SQLExpressions
import Synchronization
import TableCatalog

/// Reads a foreign table: a morsel is a split of the source's.
///
/// What comes back is checked for its shape; the operator behind evaluates all predicates again.
final class ForeignScanSource: MorselSource, @unchecked Sendable {
  // MARK: Fixed for the query
  private let scan: ForeignScanNode
  private let context: QueryContext
  private let isSequential: Bool
  private let types: [DataType]

  // MARK: Changes while running
  private var running: (any ForeignScan)?
  private let fetched = Atomic<Int>(0)
  private let received = Atomic<Int>(0)

  /// Values of a join's build side that are sent one by one, at most; of more only their range.
  private static let largestValueCount = 1000

  init(_ node: QueryProfile.Node, _ scan: ForeignScanNode, isSequential: Bool, context: QueryContext) {
    self.scan = scan
    self.context = context
    self.isSequential = isSequential
    types = scan.columns.map(\.reference.type)
    super.init(node)
  }

  override func prepare(_ scheduler: Scheduler) throws(QueryError) {
    var request = scan.effectiveRequest
    if scan.isProven, !scan.dynamicFilters.isEmpty {
      for dynamic in scan.dynamicFilters {
        guard let column = scan.tableColumn(of: dynamic.column.id), let filter = context.dynamicFilters.filter(dynamic.id) else { continue }
        if let values = filter.integers(atMost: ForeignScanSource.largestValueCount) {
          request.filters.append(
            ForeignFilter(column: column, ranges: values.map { .init(low: .integer($0), high: .integer($0)) }))
        } else if let domain = filter.domain, !domain.isAll {
          request.filters.append(ForeignFilter(column: column, domain))
        }
      }
      // Filters that join the query now are offered as the others were.
      let answer = scan.table.accept(request)
      request.filters = answer.columns == request.columns ? answer.filters.filter { request.filters.contains($0) } : []
    }
    node.note("sent", scan.table.text(of: request))
    running = try scan.table.scan(request, parallelism: isSequential ? 1 : context.threads)
    context.progress.plan(byteCount: 0, splits: morselCount)
  }

  override var morselCount: Int { running?.splitCount ?? 0 }

  override func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    guard let running else { throw .internalError("a foreign scan that has not begun") }
    return Reader(self, try running.open(morsel, batchSize: context.batchSize))
  }

  override func release() { running = nil }

  /// Checks and counts what a split yields.
  private final class Reader: BatchReader {
    private let source: ForeignScanSource
    private let reader: any ForeignReader
    private var seen = 0

    init(_ source: ForeignScanSource, _ reader: any ForeignReader) {
      self.source = source
      self.reader = reader
    }

    func next() throws(QueryError) -> Batch? {
      let batch = try reader.next()
      let bytes = reader.receivedByteCount
      try source.count(rows: batch?.rowCount ?? 0, bytes: bytes - seen)
      seen = bytes
      guard let batch else {
        source.context.progress.finishSplit()
        return nil
      }
      guard batch.columns.map(\.type) == source.types, batch.columns.allSatisfy({ $0.count == batch.rowCount }) else {
        throw .foreign(
          source.scan.name.catalog,
          "the connector yields columns \(batch.columns.map(\.type)) for \(source.scan.name), not \(source.types)")
      }
      return batch
    }
  }

  private func count(rows: Int, bytes: Int) throws(QueryError) {
    let total = fetched.wrappingAdd(rows, ordering: .relaxed).newValue
    let all = received.wrappingAdd(bytes, ordering: .relaxed).newValue
    try context.meter.add(bytes, kind: .data)
    node.note("rows fetched", QueryProfile.grouped(total))
    node.note("bytes received", QueryProfile.grouped(all))
  }
}
