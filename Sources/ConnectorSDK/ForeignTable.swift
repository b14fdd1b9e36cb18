public import Columnar
public import QueryErrors

/// A table, a view or the like at a source.
///
/// - Threads: any; calls may come at once.
public protocol ForeignTable: Sendable {
  /// All columns. A column whose type has no exact counterpart is no column: the table is refused, or the column left out
  /// where the catalog says so.
  var columns: Schema { get }
  /// Roughly how many rows there are; nil when nobody knows.
  var rowCountEstimate: Int? { get }
  /// Roughly how many different values a column holds; nil when nobody knows.
  func distinctCountEstimate(of column: Int) -> Int?
  /// What of the offer the source will do, told without asking it: some of the filters, the limit or not, the grouping or
  /// not. Nothing may be added.
  ///
  /// A filter may be accepted that lets more rows pass than it should, as long as it drops none that it should not.
  func accept(_ offer: ForeignRequest) -> ForeignRequest
  /// What will be sent, for EXPLAIN: SQL, a URL.
  func text(of request: ForeignRequest) -> String
  /// Begins to read.
  ///
  /// - Parameter request: as accepted; further filters may have been accepted since.
  /// - Parameter parallelism: how many splits are wanted.
  func scan(_ request: ForeignRequest, parallelism: Int) throws(QueryError) -> any ForeignScan
  /// Begins to add rows, all of them or none.
  ///
  /// - Parameter columns: indices into `columns`; the others get the source's defaults.
  func write(columns: [Int]) throws(QueryError) -> any ForeignWriter
}

extension ForeignTable {
  public var rowCountEstimate: Int? { nil }
  public func distinctCountEstimate(of column: Int) -> Int? { nil }
  /// Nothing but the columns.
  public func accept(_ offer: ForeignRequest) -> ForeignRequest { ForeignRequest(columns: offer.columns) }
  public func write(columns: [Int]) throws(QueryError) -> any ForeignWriter {
    throw .notSupported("Rows cannot be added to tables of this kind of catalog")
  }
}

/// What is wanted of a table.
public struct ForeignRequest: Hashable, Sendable {
  /// Columns to yield, by index and in this order; the keys when `aggregates` is not nil. May be empty: only the number of
  /// rows counts then.
  public var columns: [Int]
  /// Conditions that all hold for the rows wanted.
  public var filters: [ForeignFilter] = []
  /// When not nil: one row per combination of `columns`, with these behind them. Splits may yield groups of their own.
  public var aggregates: [ForeignAggregate]?
  /// At most so many rows are wanted, of all splits together or of each.
  public var limit: Int?

  public init(columns: [Int]) { self.columns = columns }
}

/// The values of one column that could satisfy the query's conditions.
public struct ForeignFilter: Hashable, Sendable {
  /// Index into the table's columns.
  public var column: Int
  /// Disjoint and ascending; of the column's type.
  public var ranges: [Range]
  /// Whether NULL satisfies it, too.
  public var allowsNull: Bool

  /// One range of values; a nil bound is open-ended.
  public struct Range: Hashable, Sendable {
    public var low: Scalar?
    public var includesLow: Bool
    public var high: Scalar?
    public var includesHigh: Bool

    public init(low: Scalar?, includesLow: Bool = true, high: Scalar?, includesHigh: Bool = true) {
      self.low = low
      self.includesLow = includesLow
      self.high = high
      self.includesHigh = includesHigh
    }

    /// The only value, where there is one.
    public var value: Scalar? { low != nil && low == high && includesLow && includesHigh ? low : nil }
  }

  public init(column: Int, ranges: [Range], allowsNull: Bool = false) {
    self.column = column
    self.ranges = ranges
    self.allowsNull = allowsNull
  }

  /// The values, where the filter is a list of values.
  public var values: [Scalar]? {
    let values = ranges.compactMap(\.value)
    return values.count == ranges.count ? values : nil
  }
}

/// One aggregate that the source computes per group.
public struct ForeignAggregate: Hashable, Sendable {
  public enum Function: String, Hashable, Sendable {
    /// `count(*)`
    case countRows
    /// `count(column)`
    case count
    /// In the order of the type; texts by their bytes in UTF-8.
    case min
    case max
    /// Of integers and decimals; NULL of no values.
    case sum
  }

  public var function: Function
  /// Nil for `countRows`.
  public var column: Int?
  /// What it yields.
  public var type: DataType

  public init(_ function: Function, column: Int?, type: DataType) {
    self.function = function
    self.column = column
    self.type = type
  }
}

/// A scan under way: parts that workers read at once.
public protocol ForeignScan: Sendable {
  var splitCount: Int { get }
  /// - Parameter batchSize: rows of a batch, at most.
  func open(_ split: Int, batchSize: Int) throws(QueryError) -> any ForeignReader
}

/// Yields the rows of a split: the columns asked for, then the aggregates.
///
/// - Threads: one.
public protocol ForeignReader: AnyObject {
  /// The next rows; nil behind the last.
  func next() throws(QueryError) -> Batch?
  /// Bytes that came from the source so far.
  var receivedByteCount: Int { get }
}

/// Adds rows to a table.
///
/// - Threads: one call at a time.
public protocol ForeignWriter: AnyObject {
  /// Columns as asked for.
  func write(_ batch: Batch) throws(QueryError)
  /// Makes the rows count.
  func commit() throws(QueryError)
  /// Takes everything back; also when `commit` was never called.
  func abort()
}

/// A connector, and whether its sources' filters, limits and groupings are right.
public struct ConnectorRegistration: Sendable {
  public var connector: any Connector
  /// Who says so has proved it, as by the tests of the connectors that come with sqlq. Otherwise only columns are asked for,
  /// and everything else is done here.
  public var isProven: Bool

  public init(_ connector: any Connector, isProven: Bool = false) {
    self.connector = connector
    self.isProven = isProven
  }
}
