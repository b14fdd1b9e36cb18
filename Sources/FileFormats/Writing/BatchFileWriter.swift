package import Columnar
package import ObjectStore
package import QueryErrors

/// Writes batches of rows to one file of a format.
///
/// Made by `FileFormat.makeWriter`; the bytes go to an `ObjectWriter` that the caller commits or aborts. Formats with blocks hold
/// rows until a block is full; `heldByteCount` says how much that is, so that whoever writes many files at once can bound them.
///
/// How to implement one: check the schema in `makeWriter` (refuse types by name), take batches of any size and encoding, write nothing
/// before the first batch that must not stand in a file without rows, and leave a file that readers accept after `finish` even
/// when no batch came.
///
/// - Threads: one at a time; writers of other files run beside it.
package protocol BatchFileWriter: AnyObject {
  /// Adds rows at the end.
  ///
  /// - Shape: columns in the order and of the types of the writer's schema.
  func append(_ batch: Batch) throws(QueryError)

  /// About how many bytes the file would have if it ended here: for files near a size.
  var byteCount: Int { get }

  /// Bytes of memory that rows not yet written take.
  var heldByteCount: Int { get }

  /// Writes what is held, where the format has blocks that may end at any row.
  func endBlock() throws(QueryError)

  /// Writes what is held and what ends a file; nothing can be added then.
  func finish() throws(QueryError) -> FileSummary
}

extension BatchFileWriter {
  package func endBlock() throws(QueryError) {}
}

/// What a file that was written holds.
package struct FileSummary: Sendable {
  package struct Column: Sendable {
    /// In the column's type; nil when there is no value, or the type has no order (nested ones, floats with NaN only).
    package var min: Scalar?
    package var max: Scalar?
    package var nullCount: Int

    package init(min: Scalar? = nil, max: Scalar? = nil, nullCount: Int = 0) {
      self.min = min
      self.max = max
      self.nullCount = nullCount
    }
  }

  package var rowCount: Int
  package var byteCount: Int
  /// One for each column of the schema; empty when the format keeps none.
  package var columns: [Column]

  package init(rowCount: Int, byteCount: Int, columns: [Column] = []) {
    self.rowCount = rowCount
    self.byteCount = byteCount
    self.columns = columns
  }
}

/// How a file is to be written: what CTAS, INSERT and UNLOAD can ask for, beyond the table's own SerDe properties.
package struct WriterOptions: Sendable {
  /// As Athena names it, case ignored (`SNAPPY`, `GZIP`, `ZSTD`, `NONE`, …); nil for the format's usual one.
  package var compression: String?
  /// The codec's level; nil for its usual one.
  package var level: Int?
  /// Indices of columns that rows are sorted by, ascending unless they are in `descending`.
  package var sortedBy: [Int] = []
  package var descending: Set<Int> = []
  /// Columns to write bloom filters for, where the format has them.
  package var bloomFilterColumns: Set<Int> = []
  /// Rows and bytes after which a block ends; nil for the format's usual ones.
  package var blockRowCount: Int?
  package var blockByteCount: Int?
  /// How much other readers are asked to know.
  package var encodings = Encodings.common
  /// Facts for the file itself, where the format has a place for them.
  package var keyValues: [String: String] = [:]

  /// Encodings that a writer may choose where they are smaller.
  package enum Encodings: Sendable {
    /// Plain values and dictionaries alone.
    case plain
    /// What Athena, Trino, Spark from 3.3 on, pyarrow and DuckDB read.
    case common
    /// All that the format defines.
    case all
  }

  package init(compression: String? = nil, level: Int? = nil) {
    self.compression = compression
    self.level = level
  }
}

extension FileFormat {
  package func makeWriter(
    _ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter
  ) throws(QueryError) -> any BatchFileWriter {
    throw QueryError.notSupported("Writing \(Self.descriptor.name) files")
  }

  package func fileNameEnding(_ options: WriterOptions) throws(QueryError) -> String { "" }
}
