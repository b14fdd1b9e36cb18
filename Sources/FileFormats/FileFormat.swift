package import Columnar
package import ObjectStore
package import QueryErrors

/// A way files hold rows: CSV, JSON, Parquet.
///
/// A new format is a folder with one type that conforms, and one line in `FormatRegistry`.
package protocol FileFormat: Sendable {
  static var descriptor: FormatDescriptor { get }

  /// - Throws: `INVALID_TABLE_PROPERTY` for options it does not know or cannot serve.
  init(_ options: FormatOptions) throws(QueryError)

  /// Names and types as the file itself tells them (Parquet) or as sampling suggests (CSV, JSON).
  ///
  /// - Parameter source: read as `ScanKind.sampling` or `.metadata`.
  /// - Throws: `HIVE_BAD_DATA` when the file is not of this format.
  func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema

  /// Reads what is needed to plan the scan of one file (a footer; for text formats nothing).
  ///
  /// - Throws: `HIVE_BAD_DATA` when the file is not of this format.
  func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile
}

/// One opened file: its metadata, its splits and readers over them.
///
/// - Threads: shared by all workers.
package protocol FormatFile: Sendable {
  /// Rows of the file when metadata tells it exactly.
  var rowCount: Int? { get }

  /// What metadata tells of a top-level column's values in the whole file; nil when nothing.
  ///
  /// - Parameter column: named as in the file, typed as the table declares it; bounds are in that type.
  func statistics(of column: ScanColumn) -> ColumnStatistics?

  /// The least and the greatest value of a column in each row group, by its number; no range where all are NULL.
  ///
  /// - Returns: nil when metadata does not tell it for all row groups, or the column is not kept in 64 bits or fewer.
  func integerBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]?

  /// Uncompressed-to-stored sizes do not matter here: bytes that reading `columns` of the whole file would scan.
  func scanByteCount(of columns: [ScanColumn]) -> Int

  /// The parts of the file that may hold rows of the request, pruned by metadata, in file order.
  ///
  /// - Parameter targetByteCount: rough size of a split of formats that split anywhere.
  func splits(_ request: ScanRequest, targetByteCount: Int, metrics: ScanMetrics) throws(QueryError) -> [Split]

  /// A split in up to `count` parts for several workers; as it is where they would read much twice.
  func parts(
    of split: Split, count: Int, _ request: ScanRequest, metrics: ScanMetrics
  ) throws(QueryError) -> [Split]

  /// A reader over one split; yields batches of `request.columns`, in that order, of rows that pass all predicates.
  func makeReader(_ split: Split, _ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any BatchReader
}

extension FormatFile {
  package func integerBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]? { nil }

  package func parts(
    of split: Split, count: Int, _ request: ScanRequest, metrics: ScanMetrics
  ) throws(QueryError) -> [Split] { [split] }
}

/// What a format is called and where it is met.
package struct FormatDescriptor: Sendable {
  /// Lower case: `parquet`.
  package var name: String
  /// What follows STORED AS: `PARQUET`.
  package var storedAs: [String]
  /// Hive SerDe class names.
  package var serdes: [String]
  /// File name endings without the dot, before a compression's.
  package var extensions: [String]
  package var summary: String

  package init(name: String, storedAs: [String], serdes: [String], extensions: [String], summary: String) {
    self.name = name
    self.storedAs = storedAs
    self.serdes = serdes
    self.extensions = extensions
    self.summary = summary
  }
}

/// What a table declares about its files: SerDe properties and table properties, keys in lower case.
package struct FormatOptions: Sendable, Hashable {
  package var properties: [String: String]
  /// The declared columns of the files (without partition columns), or nil when they are inferred.
  package var schema: Schema?

  package init(properties: [String: String] = [:], schema: Schema? = nil) {
    self.properties = properties
    self.schema = schema
  }
}

/// A stretch of one file that one reader reads: the unit of scheduling.
package struct Split: Sendable, Hashable {
  /// Bytes of the file, for text formats; advisory for others.
  package var byteRange: Range<UInt64>
  /// First row group and their number, for Parquet.
  package var rowGroups: Range<Int>
  /// Rows in it when metadata tells.
  package var rowCount: Int?
  /// Bytes that reading it will scan, as far as known; drives progress.
  package var scanByteCount: Int

  package init(byteRange: Range<UInt64>, rowGroups: Range<Int> = 0..<0, rowCount: Int? = nil, scanByteCount: Int) {
    self.byteRange = byteRange
    self.rowGroups = rowGroups
    self.rowCount = rowCount
    self.scanByteCount = scanByteCount
  }
}
