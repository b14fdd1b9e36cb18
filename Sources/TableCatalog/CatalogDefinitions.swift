package import Columnar

/// A database of the catalog.
package struct DatabaseDefinition: Hashable, Sendable {
  package var name: String
  package var comment: String?
  package var location: String?
  package var properties: [String: String]

  package init(name: String, comment: String? = nil, location: String? = nil, properties: [String: String] = [:]) {
    self.name = name
    self.comment = comment
    self.location = location
    self.properties = properties
  }
}

/// A column as DDL declares it.
package struct ColumnDefinition: Hashable, Sendable {
  package var name: String
  package var type: DataType
  package var comment: String?

  package init(name: String, type: DataType, comment: String? = nil) {
    self.name = name
    self.type = type
    self.comment = comment
  }
}

/// A table as DDL declares it.
package struct TableDefinition: Hashable, Sendable {
  package var name: TableName
  package var columns: [ColumnDefinition]
  package var partitionColumns: [ColumnDefinition]
  package var location: String
  /// A format's name: `csv`.
  package var format: String
  package var serde: String?
  package var comment: String?
  /// SERDEPROPERTIES.
  package var serdeProperties: [String: String]
  /// TBLPROPERTIES.
  package var properties: [String: String]
  /// Class names that STORED AS INPUTFORMAT … OUTPUTFORMAT … declared; nil for those of the format.
  package var inputFormat: String?
  package var outputFormat: String?
  package var bucketing: BucketDefinition?
  /// Microseconds since 1970-01-01 UTC; nil for tables made before they were kept. Set by the catalog.
  package internal(set) var createdAtMicros: Int64?
  package internal(set) var updatedAtMicros: Int64?

  package init(
    name: TableName, columns: [ColumnDefinition], partitionColumns: [ColumnDefinition], location: String,
    format: String, serde: String? = nil, comment: String? = nil, serdeProperties: [String: String] = [:],
    properties: [String: String] = [:], inputFormat: String? = nil, outputFormat: String? = nil,
    bucketing: BucketDefinition? = nil
  ) {
    self.inputFormat = inputFormat
    self.outputFormat = outputFormat
    self.bucketing = bucketing
    self.name = name
    self.columns = columns
    self.partitionColumns = partitionColumns
    self.location = location
    self.format = format
    self.serde = serde
    self.comment = comment
    self.serdeProperties = serdeProperties
    self.properties = properties
  }
}

/// CLUSTERED BY (…) SORTED BY (…) INTO n BUCKETS.
package struct BucketDefinition: Hashable, Sendable {
  /// A column rows are sorted by within their bucket.
  package struct SortColumn: Hashable, Sendable {
    package var name: String
    package var isDescending: Bool
    package init(name: String, isDescending: Bool = false) {
      self.name = name
      self.isDescending = isDescending
    }
  }

  package var columns: [String]
  package var sortColumns: [SortColumn]
  package var count: Int

  package init(columns: [String], sortColumns: [SortColumn] = [], count: Int) {
    self.columns = columns
    self.sortColumns = sortColumns
    self.count = count
  }
}

/// A view: its text, and the columns it had when it was made.
package struct StoredView: Hashable, Sendable {
  package var name: TableName
  package var sql: String
  package var columns: [ColumnDefinition]
  package var comment: String?
  /// The database names in the text are relative to.
  package var database: String

  package init(
    name: TableName, sql: String, columns: [ColumnDefinition], comment: String? = nil, database: String
  ) {
    self.name = name
    self.sql = sql
    self.columns = columns
    self.comment = comment
    self.database = database
  }
}

/// A partition the catalog knows: its values as text (nil: the default partition), its folder, and what of the table's
/// declaration it keeps as it was when the partition was added.
package struct PartitionDefinition: Hashable, Sendable {
  package var values: [String?]
  package var location: String
  /// The columns of its files; nil for the table's.
  package var columns: [ColumnDefinition]?
  /// A format's name and SerDe; nil for the table's.
  package var format: String?
  package var serde: String?
  package var properties: [String: String]
  /// Microseconds since 1970-01-01 UTC; set by the catalog.
  package internal(set) var createdAtMicros: Int64?

  package init(
    values: [String?], location: String, columns: [ColumnDefinition]? = nil, format: String? = nil,
    serde: String? = nil, properties: [String: String] = [:]
  ) {
    self.values = values
    self.location = location
    self.columns = columns
    self.format = format
    self.serde = serde
    self.properties = properties
  }
}
