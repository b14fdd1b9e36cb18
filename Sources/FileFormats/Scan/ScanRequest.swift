package import Columnar
package import QueryErrors
import Synchronization

/// One column a scan yields.
package struct ScanColumn: Sendable, Hashable {
  package var name: String
  /// The type the reader yields; a row type may hold fewer fields than the file's, matched by name.
  package var type: DataType
  /// Position among the table's declared file columns, for formats without names.
  package var ordinal: Int

  package init(name: String, type: DataType, ordinal: Int) {
    self.name = name
    self.type = type
    self.ordinal = ordinal
  }
}

/// All a reader ever learns of a query.
package struct ScanRequest: Sendable {
  /// What batches hold, in order; a column missing in the file reads as NULL.
  package var columns: [ScanColumn]
  /// What rows must hold, by index into `columns`; for pruning only, `predicates` repeat it exactly.
  package var domain: RowDomain
  /// What rows must pass; the reader applies all of them, cheapest and most selective first, and reads the other
  /// columns only for rows that pass.
  package var predicates: [ScanPredicate]
  /// Domains that become known while the query runs (join build sides); looked at per block or page.
  package var dynamicDomains: [DynamicDomain]
  package var batchSize: Int
  /// Stop after so many rows that pass, if any.
  package var limit: Int?
  /// Columns needed only by predicates: yielded as they are but may be all NULL constants. Indices into `columns`.
  package var predicateOnlyColumns: Set<Int>
  /// Whether the query wants whatever columns there are, so that one which the request lacks has to be told
  /// (`FileFormat.takeLearned`).
  package var wantsAllColumns = false
  /// Columns, by index into `columns`, whose values the query may want whole: fields that their type lacks have to be told.
  package var wholeColumns: Set<Int> = []
  /// What happens with rows that cannot be read; nil: they fail the query.
  package var badRows: BadRows.Scan?

  package init(
    columns: [ScanColumn], domain: RowDomain = RowDomain(), predicates: [ScanPredicate] = [],
    dynamicDomains: [DynamicDomain] = [], batchSize: Int = Batch.defaultRowCount, limit: Int? = nil,
    predicateOnlyColumns: Set<Int> = []
  ) {
    self.columns = columns
    self.domain = domain
    self.predicates = predicates
    self.dynamicDomains = dynamicDomains
    self.batchSize = batchSize
    self.limit = limit
    self.predicateOnlyColumns = predicateOnlyColumns
  }
}

/// A condition on some columns of a scan, evaluated inside the reader.
///
/// A predicate over one column may be evaluated on that column's dictionary entries instead of its rows.
package struct ScanPredicate: Sendable {
  /// Indices into `ScanRequest.columns`, in the order the evaluator wants them.
  package var columns: [Int]
  /// Whether equal inputs always give equal outcomes and evaluation of unused entries cannot fail the query.
  package var isDictionarySafe: Bool
  /// A fresh evaluator; called once per reader.
  package var makeEvaluator: @Sendable () -> any ScanPredicateEvaluator

  package init(
    columns: [Int], isDictionarySafe: Bool, makeEvaluator: @escaping @Sendable () -> any ScanPredicateEvaluator
  ) {
    self.columns = columns
    self.isDictionarySafe = isDictionarySafe
    self.makeEvaluator = makeEvaluator
  }
}

/// Evaluates one scan predicate for one reader.
package protocol ScanPredicateEvaluator: AnyObject {
  /// Writes the numbers of the rows that pass into `selection`, ascending, and returns how many.
  ///
  /// - Shape: `columns` of `rowCount` rows, in the order of `ScanPredicate.columns`; `selection` has room for
  ///   `rowCount` plus 16.
  func select(
    _ columns: [Column], rowCount: Int, into selection: UnsafeMutablePointer<Int32>
  ) throws(QueryError) -> Int
}

/// A domain of one column that is known only once a join's build side is, or a top-N has seen enough rows.
package final class DynamicDomain: Sendable {
  /// Index into `ScanRequest.columns`.
  package let column: Int
  /// Rows to hand out early because the domain will be known from them, if it depends on this scan's rows.
  package let rowsNeeded: Int?
  private let current: @Sendable () -> Domain?

  /// - Parameter current: nil until known.
  package init(column: Int, rowsNeeded: Int? = nil, current: @escaping @Sendable () -> Domain?) {
    self.column = column
    self.rowsNeeded = rowsNeeded
    self.current = current
  }

  package var domain: Domain? { current() }
}

/// Counts what a scan read and what pruning spared it.
///
/// - Threads: shared by all readers of a scan.
package final class ScanMetrics: Sendable {
  private let blocksTotalCount = Atomic<Int>(0)
  private let blocksReadCount = Atomic<Int>(0)
  private let pagesPrunedCount = Atomic<Int>(0)
  private let rowsReadCount = Atomic<Int>(0)
  private let rowsPassedCount = Atomic<Int>(0)
  private let noteTexts = Mutex<[String]>([])

  package init() {}

  /// Blocks of the files looked at: Parquet's row groups, ORC's stripes.
  package var blocksTotal: Int { blocksTotalCount.load(ordering: .relaxed) }
  /// Blocks of which some page was read.
  package var blocksRead: Int { blocksReadCount.load(ordering: .relaxed) }
  /// Pages spared by page index, predicates or dictionaries.
  package var pagesPruned: Int { pagesPrunedCount.load(ordering: .relaxed) }
  /// Rows whose predicates were evaluated.
  package var rowsRead: Int { rowsReadCount.load(ordering: .relaxed) }
  /// Rows that passed.
  package var rowsPassed: Int { rowsPassedCount.load(ordering: .relaxed) }

  package func add(blocksTotal count: Int) { blocksTotalCount.add(count, ordering: .relaxed) }
  package func add(blocksRead count: Int) { blocksReadCount.add(count, ordering: .relaxed) }
  /// What readers found odd and passed over, such as metadata that contradicts itself; a few at most.
  package var notes: [String] { noteTexts.withLock { $0 } }

  package func note(_ text: String) {
    noteTexts.withLock { if $0.count < 8, !$0.contains(text) { $0.append(text) } }
  }

  package func add(pagesPruned count: Int) { pagesPrunedCount.add(count, ordering: .relaxed) }
  package func add(rowsRead count: Int) { rowsReadCount.add(count, ordering: .relaxed) }
  package func add(rowsPassed count: Int) { rowsPassedCount.add(count, ordering: .relaxed) }
}
