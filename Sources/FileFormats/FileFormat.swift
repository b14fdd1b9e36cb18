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

  /// The same from all records, for formats whose records need not have the same columns; nil for others.
  func inferWholeSchema(_ source: any ByteSource) throws(QueryError) -> Schema?

  /// Reads what is needed to plan the scan of one file (a footer; for text formats nothing).
  ///
  /// - Throws: `HIVE_BAD_DATA` when the file is not of this format.
  func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile

  /// A writer of a file of this format; without an own one, writing is refused.
  ///
  /// - Parameter object: where the bytes go; committed or aborted by the caller, after `finish`.
  /// - Throws: `NOT_SUPPORTED` for column types the format cannot hold, by name; `INVALID_TABLE_PROPERTY` for options it cannot serve.
  func makeWriter(
    _ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter
  ) throws(QueryError) -> any BatchFileWriter

  /// How names of files so written end, so that every reader knows the compression: `.gz`; empty when the format tells it itself.
  func fileNameEnding(_ options: WriterOptions) throws(QueryError) -> String

  /// Whether columns of a table are found in files by name rather than by position, as partitions with columns of their own
  /// are compared with it.
  var matchesByName: Bool { get }

  /// What readers found in files beyond what samples had shown: wider types, further keys. Each is told once; the reader
  /// has thrown an error that lets the statement begin anew (`QueryError.mayStartAgain`).
  func takeLearned() -> [(file: ObjectInfo, columns: [Field])]

  /// What the user should know of how files were understood. Each note is told once.
  func takeNotes() -> [String]
}

extension FileFormat {
  package var matchesByName: Bool { false }
  package func takeLearned() -> [(file: ObjectInfo, columns: [Field])] { [] }
  package func takeNotes() -> [String] { [] }
  package func inferWholeSchema(_ source: any ByteSource) throws(QueryError) -> Schema? { nil }
}

/// One opened file: what its metadata tells, and where a query's scan of it begins.
///
/// - Threads: shared by all workers, and by queries that read the file at the same time.
package protocol FormatFile: Sendable {
  /// Rows of the file when metadata tells it exactly.
  var rowCount: Int? { get }

  /// What metadata tells of a top-level column's values in the whole file; nil when nothing.
  ///
  /// - Parameter column: named as in the file, typed as the table declares it; bounds are in that type.
  func statistics(of column: ScanColumn) -> ColumnStatistics?

  /// The file's columns as far as opening it told: with types (Parquet), or as `unknown` where it told only names (a CSV
  /// header); nil when it told nothing.
  var ownColumns: [Field]? { get }

  /// The least and the greatest value of a column in each block, by its number; no range where all are NULL.
  ///
  /// - Returns: nil when metadata does not tell it for all blocks, or the column is not kept in 64 bits or fewer.
  func blockBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]?

  /// Uncompressed-to-stored sizes do not matter here: bytes that reading `columns` of the whole file would scan.
  func scanByteCount(of columns: [ScanColumn]) -> Int

  /// One query's scan of the file: how its columns are read is found out here, once.
  ///
  /// - Throws: `HIVE_BAD_DATA` when a column's declared type does not go with the file's, `NOT_SUPPORTED`.
  func scan(_ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any FileScan
}

extension FormatFile {
  package var ownColumns: [Field]? { nil }

  package func blockBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]? { nil }
}

/// What a format is called and where it is met: all that the rest of the engine knows of it.
package struct FormatDescriptor: Sendable {
  /// Lower case: `parquet`.
  package var name: String
  /// As messages say it: `Parquet`.
  package var label: String
  /// What follows STORED AS: `PARQUET`; SHOW CREATE TABLE writes the first.
  package var storedAs: [String]
  /// Hive SerDe class names.
  package var serdes: [String]
  /// Hive class names behind INPUTFORMAT that mean this format.
  package var inputFormats: [String]
  /// Hive class names behind OUTPUTFORMAT that mean this format.
  package var outputFormats: [String]
  /// File name endings without the dot, before a compression's.
  package var extensions: [String]
  package var summary: String
  /// Whether values are text, so that types of files without a declared schema are told from samples.
  package var isText: Bool
  /// Whether a file is of this format, by its first bytes (decompressed, up to 4 KiB of them).
  package var recognizes: @Sendable (_ head: UnsafeRawBufferPointer) -> FormatRecognition

  package init(
    name: String, label: String? = nil, storedAs: [String], serdes: [String], inputFormats: [String] = [], outputFormats: [String] = [],
    extensions: [String], summary: String, isText: Bool = false,
    recognizes: @escaping @Sendable (UnsafeRawBufferPointer) -> FormatRecognition = { _ in .no }
  ) {
    self.name = name
    self.label = label ?? name.uppercased()
    self.storedAs = storedAs
    self.serdes = serdes
    self.inputFormats = inputFormats
    self.outputFormats = outputFormats
    self.extensions = extensions
    self.summary = summary
    self.isText = isText
    self.recognizes = recognizes
  }
}

/// How surely a file's first bytes are of a format; the surest format wins.
package enum FormatRecognition: Int, Comparable, Sendable {
  case no
  /// Plain text, which may be anything.
  case text
  /// Begins as such files do, but so may others.
  case shape
  /// Bytes that only this format begins with.
  case magic

  package static func < (a: FormatRecognition, b: FormatRecognition) -> Bool { a.rawValue < b.rawValue }
}

/// What a table declares about its files: SerDe properties and table properties, keys in lower case.
package struct FormatOptions: Sendable, Hashable {
  package var properties: [String: String]
  /// The declared columns of the files (without partition columns), or nil when they are inferred.
  package var schema: Schema?
  /// The SerDe's class, where the table names one: formats may have several.
  package var serde: String?
  /// Whether files are read exactly as Athena reads them.
  package var followsAthena: Bool

  package init(
    properties: [String: String] = [:], schema: Schema? = nil, serde: String? = nil, followsAthena: Bool = false
  ) {
    self.properties = properties
    self.schema = schema
    self.serde = serde
    self.followsAthena = followsAthena
  }
}
