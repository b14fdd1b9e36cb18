package import Columnar
package import FileFormats
package import QueryErrors

/// How rows are laid out in files: which columns the files hold, and which ones say what file a row goes to.
///
///     columns            partitionColumns
///     orderkey price     day                →  day=2024-03-01/<file>, holding orderkey and price
package struct FileLayout: Sendable {
  /// The files' columns, the first ones of the rows.
  package var columns: [Field]
  /// The others, whose values stand in folder names.
  package var partitionColumns: [Field]
  package var buckets: Buckets?
  /// A file that has so many bytes is followed by another one.
  package var targetByteCount: Int
  /// More combinations of partition and bucket than this are an error; nil: as many as there are.
  package var largestPartitionCount: Int?

  /// Rows are spread by the hash of some columns of the files.
  package struct Buckets: Sendable {
    /// Indices of `columns`.
    package var columns: [Int]
    package var count: Int
    package var function: BucketFunction

    package init(columns: [Int], count: Int, function: BucketFunction = .hive) {
      self.columns = columns
      self.count = count
      self.function = function
    }

    /// The bucket of each row.
    func numbers(_ rows: Batch) -> Column {
      let buckets = Buffer(byteCount: max(rows.rowCount, 1) * 4)
      function.buckets(
        of: columns.map { rows.columns[$0] }, rowCount: rows.rowCount, count: count, into: buckets.typed(Int32.self))
      return Column(flat: .integer, count: rows.rowCount, values: buckets, validity: nil)
    }
  }

  package init(
    columns: [Field], partitionColumns: [Field] = [], buckets: Buckets? = nil, targetByteCount: Int,
    largestPartitionCount: Int? = nil
  ) {
    self.columns = columns
    self.partitionColumns = partitionColumns
    self.buckets = buckets
    self.targetByteCount = targetByteCount
    self.largestPartitionCount = largestPartitionCount
  }

  var types: [DataType] { (columns + partitionColumns).map(\.type) }
  var isSpread: Bool { !partitionColumns.isEmpty || buckets != nil }
}

/// Opens the files that rows are written to, and takes them when they are full.
///
/// - Threads: any.
package protocol FileTarget: AnyObject, Sendable {
  /// A new file.
  ///
  /// - Parameters:
  ///   - partition: one value for each partition column.
  ///   - bucket: the rows' bucket in tables that have them.
  ///   - blockByteCount: the most bytes that the file may hold in memory; nil: as it likes.
  func open(partition: [Scalar], bucket: Int?, blockByteCount: Int?) throws(QueryError) -> any BatchFileWriter

  /// Ends a file.
  func close(_ writer: any BatchFileWriter) throws(QueryError)

  /// A partition is met for the first time by some worker.
  ///
  /// - Returns: how many different ones there are now.
  func note(partition: [Scalar], bucket: Int?) throws(QueryError) -> Int
}
