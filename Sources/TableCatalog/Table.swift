package import Columnar
package import FileFormats
package import ObjectStore
package import QueryErrors

/// A table's full name.
package struct TableName: Hashable, Sendable, CustomStringConvertible {
  package var catalog: String
  package var database: String
  package var name: String

  package init(catalog: String = "awsdatacatalog", database: String, name: String) {
    self.catalog = catalog
    self.database = database
    self.name = name
  }

  package var description: String { "\(catalog).\(database).\(name)" }
}

/// Files that are queried as one relation: a table of the catalog, or a path in FROM.
package struct Table: Sendable {
  /// The catalog's name; for a path in FROM the path itself stands as `name` in the database `""`.
  package var name: TableName
  /// Columns in the files.
  package var columns: Schema
  /// Columns whose values stand in folder names; they follow `columns` in `SELECT *`.
  package var partitionColumns: Schema
  /// Where files are found.
  package var files: any TableFiles
  package var format: any FileFormat
  package var comment: String?
  package var properties: [String: String]
  package var buckets: TableBuckets?
  /// The path in FROM that the table was made of; nil for declared tables.
  package var path: PathRelation?

  package init(
    name: TableName, columns: Schema, partitionColumns: Schema, files: any TableFiles, format: any FileFormat,
    comment: String? = nil, properties: [String: String] = [:]
  ) {
    self.name = name
    self.columns = columns
    self.partitionColumns = partitionColumns
    self.files = files
    self.format = format
    self.comment = comment
    self.properties = properties
  }

  /// All columns, partition columns last.
  package var schema: Schema { Schema(columns.fields + partitionColumns.fields) }
}

/// One file of a table.
package struct TableFile: Sendable, Hashable {
  package var info: ObjectInfo
  /// One value per partition column, of its type.
  package var partitionValues: [Scalar]
  /// Hive's name of the partition, `year=2024/month=05`; nil for files in none.
  package var partitionName: String?
  /// The bucket its rows are in, from 0; nil in tables without buckets and where it cannot be told.
  package var bucket: Int?
  /// Indices of the table's columns that the partition's own declaration lacks: they read as NULL.
  package var absentColumns: Set<Int> = []

  package init(info: ObjectInfo, partitionValues: [Scalar], partitionName: String? = nil) {
    self.info = info
    self.partitionValues = partitionValues
    self.partitionName = partitionName
  }
}

/// What a listing found and what it was spared.
package struct TableListing: Sendable {
  package var files: [TableFile]
  package var partitionsRead: Int
  /// Partitions known of; nil when pruning kept the walk from counting them.
  package var partitionsTotal: Int?
  /// Bytes of all files listed.
  package var byteCount: UInt64 { files.reduce(0) { $0 + $1.info.byteCount } }

  package init(files: [TableFile], partitionsRead: Int, partitionsTotal: Int?) {
    self.files = files
    self.partitionsRead = partitionsRead
    self.partitionsTotal = partitionsTotal
  }
}

/// Decides which partitions a walk enters.
package protocol PartitionPredicate: Sendable {
  /// Whether a row with these partition values may count.
  ///
  /// - Parameter values: one per partition column, nil while the walk has not come to that level yet.
  func mayMatch(_ values: [Scalar?]) throws(QueryError) -> Bool

  /// The values of one partition column that may count, as far as they can be told without trying each; nil when they
  /// cannot.
  func domain(ofPartitionColumn index: Int) -> Domain?
}

/// Finds the files of a table: folders on disk, partitions of the catalog, or projected partitions.
package protocol TableFiles: Sendable {
  /// Where the files lie, for messages and EXPLAIN.
  var location: String { get }
  /// The files of all partitions that may match, in path order.
  func list(_ predicate: (any PartitionPredicate)?, meter: ScanMeter) throws(QueryError) -> TableListing
}
