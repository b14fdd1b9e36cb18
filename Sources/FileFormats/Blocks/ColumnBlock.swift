import Columnar
import QueryErrors

/// Rows that a file keeps column by column, with what is known of them: Parquet's row group, ORC's stripe.
///
/// A format with blocks implements this and `BlockSource`; `BlockScan` then does what all such formats have in common:
/// windows, order of conditions, survivors, late reading of the other columns, limits.
///
/// Columns are the request's, by index. Row numbers count from the block's first row.
///
/// - Threads: one reader.
protocol ColumnBlock: AnyObject {
  /// Rows of the whole block.
  var rowCount: Int { get }
  /// Those of them that are this reader's.
  var rows: Range<Int> { get }

  /// The rows that may satisfy all the domains, by statistics, indexes and filters; nil for all, empty for none.
  ///
  /// Called once before the first read, and again when domains become known; always sees only domains that
  /// `BlockPruning.usable` leaves.
  func rows(mayHold domains: [Int: Domain]) throws(QueryError) -> [Range<Int>]?

  /// The distinct values of a column when every value of it is one of them, for conditions to be tested on: nil when the
  /// column is not known to be dictionary-encoded throughout. Reads the dictionary, and counts the block as read.
  func dictionary(of column: Int) throws(QueryError) -> BlockDictionary?

  /// Whether a column seems to be dictionary-encoded, as far as is known without reading.
  func isDictionaryCoded(_ column: Int) -> Bool

  /// Says which columns will be read for every row of `rows`; nil for all. The others are read for survivors of conditions,
  /// so that reading them page by page may spare some.
  func willReadFully(_ columns: [Int]?)

  /// Rows `start ..< start + count` of a column, or of those the selected ones.
  ///
  /// - Parameters:
  ///   - start: at or after the end of the range that was read of this column before.
  ///   - selection: row numbers relative to `start`, ascending; nil for all.
  ///   - keepsCodes: whether dictionary-encoded numbers may come as a dictionary column.
  func read(
    _ column: Int, from start: Int, count: Int, selection: UnsafePointer<Int32>?, selectionCount: Int, keepsCodes: Bool
  ) throws(QueryError) -> Column

  /// Called before pages are read: counts the block as read, once, however often it is called and many readers share it.
  func countAsRead()

  /// Pages that were passed over unread.
  var prunedPageCount: Int { get }
}

/// All the values of a column in a block.
struct BlockDictionary {
  var entries: Column
  /// Whether some rows may be NULL.
  var mayHaveNulls: Bool
}

/// A reader's way to the blocks of its split.
///
/// - Threads: one reader.
protocol BlockSource: AnyObject {
  /// Rows of a block that are this reader's.
  func rowCount(ofBlock block: Int) -> Int

  func open(_ block: Int) throws(QueryError) -> any ColumnBlock

  /// Called once, when all blocks are read or enough rows were found.
  func finish() throws(QueryError)
}
