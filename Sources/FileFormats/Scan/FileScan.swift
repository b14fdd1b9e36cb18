package import Columnar
package import QueryErrors

/// One query's scan of one file: its columns planned, its splits, and what its readers have in common.
///
/// A scan lives as long as some reader of it; what readers share (bytes of a block read in parts, decoded dictionaries) is
/// the scan's and goes with it.
///
/// - Threads: shared by all workers of a query.
package protocol FileScan: Sendable {
  /// The parts of the file that may hold rows of the request, pruned by metadata, in file order.
  ///
  /// - Parameter targetByteCount: rough size of a split of formats that split anywhere.
  func splits(targetByteCount: Int, unit: SplitUnit) throws(QueryError) -> [Split]

  /// A split in up to `count` parts for several workers; as it is where they would read much twice.
  ///
  /// Together the parts must be read by readers of this scan, each once.
  func parts(of split: Split, count: Int) throws(QueryError) -> [Split]

  /// What metadata tells of a column's values in a split.
  ///
  /// - Parameter column: index into the request's columns.
  func bounds(of column: Int, in split: Split) -> SplitBounds

  /// Says that a split will be read soon, so that a store that takes its time can send what reading it begins with.
  func prefetch(_ split: Split)

  /// A reader over one split; yields batches of the request's columns, in that order, of rows that pass all predicates.
  func makeReader(_ split: Split) throws(QueryError) -> any BatchReader
}

extension FileScan {
  package func parts(of split: Split, count: Int) throws(QueryError) -> [Split] { [split] }
  package func bounds(of column: Int, in split: Split) -> SplitBounds { .unknown }
  package func prefetch(_ split: Split) {}
}

/// Along which lines a file is cut.
package enum SplitUnit: Sendable {
  /// Wherever pieces of the wanted size end.
  case size
  /// Each block alone, for work that ends with each block; formats without blocks split by size.
  case block
}

/// What metadata tells of the values of a split that are kept in 64 bits or fewer.
package enum SplitBounds: Sendable, Hashable {
  case unknown
  /// All are NULL.
  case noValues
  case range(ClosedRange<Int64>)
}
