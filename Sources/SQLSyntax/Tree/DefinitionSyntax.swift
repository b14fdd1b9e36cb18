package import QueryErrors

/// `name = value` inside `WITH (…)`.
package struct PropertySyntax: Hashable, Sendable {
  package var name: Identifier
  package var value: ExpressionSyntax
  @Positional package var range: SourceRange
}

/// `'key' = 'value'` inside TBLPROPERTIES, SERDEPROPERTIES or DBPROPERTIES.
package struct StringPropertySyntax: Hashable, Sendable {
  package var key: StringSyntax
  package var value: StringSyntax
}

/// `CREATE CATALOG [IF NOT EXISTS] name USING connector [COMMENT 'text'] [WITH (k = v, …)]`.
package struct CreateCatalogSyntax: Hashable, Sendable {
  package var name: Identifier
  package var ifNotExists: Bool
  package var connector: Identifier
  package var comment: StringSyntax?
  package var properties: [PropertySyntax]
  @Positional package var range: SourceRange
}

/// `DROP CATALOG [IF EXISTS] name [RESTRICT]`.
package struct DropCatalogSyntax: Hashable, Sendable {
  package var name: Identifier
  package var ifExists: Bool
  @Positional package var range: SourceRange
}

/// `CREATE SCHEMA|DATABASE …`.
package struct CreateSchemaSyntax: Hashable, Sendable {
  package var name: QualifiedName
  package var ifNotExists: Bool
  package var comment: StringSyntax?
  package var location: StringSyntax?
  /// `WITH DBPROPERTIES ('k' = 'v')`
  package var databaseProperties: [StringPropertySyntax]
  /// Trino's `WITH (k = v)`
  package var properties: [PropertySyntax]
  @Positional package var range: SourceRange
}

/// `DROP SCHEMA|DATABASE [IF EXISTS] name [RESTRICT|CASCADE]`.
package struct DropSchemaSyntax: Hashable, Sendable {
  package var name: QualifiedName
  package var ifExists: Bool
  package var isCascade: Bool
  @Positional package var range: SourceRange
}

/// `ALTER SCHEMA|DATABASE name …`.
package struct AlterSchemaSyntax: Hashable, Sendable {
  package enum Action: Hashable, Sendable {
    /// `SET DBPROPERTIES (…)`
    case setProperties([StringPropertySyntax])
    /// `RENAME TO name`
    case rename(Identifier)
    /// `SET LOCATION 'location'`
    case setLocation(StringSyntax)
  }

  package var name: QualifiedName
  package var action: Action
  @Positional package var range: SourceRange
}

/// `name type [NOT NULL] [COMMENT 'text']`.
package struct ColumnDefinitionSyntax: Hashable, Sendable {
  package var name: Identifier
  package var type: TypeSyntax
  package var isNotNull: Bool
  package var comment: StringSyntax?
  package var properties: [PropertySyntax]
  @Positional package var range: SourceRange
}

/// `CREATE [EXTERNAL] TABLE …` with columns: Hive's, Iceberg's and Trino's forms.
package struct CreateTableSyntax: Hashable, Sendable {
  package var name: QualifiedName
  package var isExternal = false
  package var isReplace = false
  package var ifNotExists = false
  package var elements: [TableElementSyntax] = []
  package var comment: StringSyntax?
  package var partitionedBy: [PartitionFieldSyntax] = []
  package var clusteredBy: ClusteredBySyntax?
  package var rowFormat: RowFormatSyntax?
  package var storedAs: StorageFormatSyntax?
  package var location: StringSyntax?
  /// TBLPROPERTIES
  package var tableProperties: [StringPropertySyntax] = []
  /// Trino's `WITH (k = v)`
  package var properties: [PropertySyntax] = []
  @Positional package var range: SourceRange

  package init(name: QualifiedName, range: SourceRange) {
    self.name = name
    self.range = range
  }

  /// The columns among `elements`.
  package var columns: [ColumnDefinitionSyntax] {
    elements.compactMap { if case .column(let column) = $0 { column } else { nil } }
  }
}

/// A column, or Trino's `LIKE table`.
package enum TableElementSyntax: Hashable, Sendable {
  case column(ColumnDefinitionSyntax)
  /// `LIKE table [INCLUDING|EXCLUDING PROPERTIES]`
  case like(QualifiedName, isIncludingProperties: Bool?)
}

/// One field of PARTITIONED BY.
package enum PartitionFieldSyntax: Hashable, Sendable {
  /// Hive: a new column.
  case column(ColumnDefinitionSyntax)
  /// Iceberg: `day(ts)`, `bucket(16, id)`, or a plain column as an identifier.
  case transform(ExpressionSyntax)
}

/// `CLUSTERED BY (a, b) [SORTED BY (…)] INTO n BUCKETS`.
package struct ClusteredBySyntax: Hashable, Sendable {
  package var columns: [Identifier]
  package var sortedBy: [SortItemSyntax]
  package var bucketCount: Int64
  @Positional package var range: SourceRange
}

/// `ROW FORMAT …`.
package enum RowFormatSyntax: Hashable, Sendable {
  /// `SERDE 'class' [WITH SERDEPROPERTIES (…)]`
  case serde(name: StringSyntax, properties: [StringPropertySyntax])
  case delimited(DelimitedRowFormatSyntax)
}

/// `ROW FORMAT DELIMITED …`; what is not written is nil.
package struct DelimitedRowFormatSyntax: Hashable, Sendable {
  package var fieldsTerminatedBy: StringSyntax?
  package var escapedBy: StringSyntax?
  package var collectionItemsTerminatedBy: StringSyntax?
  package var mapKeysTerminatedBy: StringSyntax?
  package var linesTerminatedBy: StringSyntax?
  package var nullDefinedAs: StringSyntax?
}

/// `STORED AS …`.
package enum StorageFormatSyntax: Hashable, Sendable {
  /// `STORED AS PARQUET`
  case named(Identifier)
  /// `STORED AS INPUTFORMAT 'class' OUTPUTFORMAT 'class'`
  case classes(input: StringSyntax, output: StringSyntax)
}

/// `CREATE TABLE name [(aliases)] [COMMENT] [WITH (…)] AS query [WITH [NO] DATA]`.
package struct CreateTableAsSyntax: Hashable, Sendable {
  package var name: QualifiedName
  package var isReplace: Bool
  package var ifNotExists: Bool
  package var columnAliases: [Identifier]
  package var comment: StringSyntax?
  package var properties: [PropertySyntax]
  package var query: QuerySyntax
  package var isWithData: Bool
  @Positional package var range: SourceRange
}

/// `CREATE [OR REPLACE] VIEW name [(columns)] [COMMENT] [SECURITY …] AS query`.
package struct CreateViewSyntax: Hashable, Sendable {
  package enum Security: String, Hashable, Sendable {
    case definer = "DEFINER"
    case invoker = "INVOKER"
  }

  package var name: QualifiedName
  package var isReplace: Bool
  package var ifNotExists: Bool
  /// Hive's column list; empty when not written.
  package var columns: [ViewColumnSyntax]
  package var comment: StringSyntax?
  package var security: Security?
  package var query: QuerySyntax
  @Positional package var range: SourceRange
}

/// `name [COMMENT 'text']` in a view's column list.
package struct ViewColumnSyntax: Hashable, Sendable {
  package var name: Identifier
  package var comment: StringSyntax?
}

/// `DROP TABLE|VIEW [IF EXISTS] name`.
package struct DropRelationSyntax: Hashable, Sendable {
  package var name: QualifiedName
  package var ifExists: Bool
  @Positional package var range: SourceRange
}

/// `ALTER TABLE [IF EXISTS] name action`.
package struct AlterTableSyntax: Hashable, Sendable {
  package var name: QualifiedName
  package var ifExists: Bool
  /// `ALTER TABLE name PARTITION (…) action`; empty when not written.
  package var partition: [PartitionValueSyntax]
  package var action: AlterTableAction
  @Positional package var range: SourceRange
}

/// What ALTER TABLE does.
package enum AlterTableAction: Hashable, Sendable {
  /// `ADD [IF NOT EXISTS] PARTITION (…) [LOCATION '…'] …`
  case addPartitions([PartitionSyntax], ifNotExists: Bool)
  /// `DROP [IF EXISTS] PARTITION (…), …`
  case dropPartitions([[PartitionValueSyntax]], ifExists: Bool)
  /// `PARTITION (…) RENAME TO PARTITION (…)`
  case renamePartition(to: [PartitionValueSyntax])
  /// `ADD COLUMNS (…)`, and Trino's `ADD COLUMN a t`
  case addColumns([ColumnDefinitionSyntax], ifNotExists: Bool)
  /// `REPLACE COLUMNS (…)`
  case replaceColumns([ColumnDefinitionSyntax])
  /// `CHANGE [COLUMN] old new type [COMMENT] [FIRST|AFTER c]`
  case changeColumn(old: Identifier, new: ColumnDefinitionSyntax, position: ColumnPositionSyntax?)
  /// `DROP COLUMN [IF EXISTS] a`
  case dropColumn(QualifiedName, ifExists: Bool)
  /// `RENAME COLUMN a TO b`
  case renameColumn(QualifiedName, to: Identifier, ifExists: Bool)
  /// `ALTER COLUMN a SET DATA TYPE t`
  case setColumnType(QualifiedName, TypeSyntax)
  /// `ALTER COLUMN a DROP NOT NULL`
  case dropNotNull(Identifier)
  /// `SET TBLPROPERTIES (…)`
  case setTableProperties([StringPropertySyntax])
  /// `UNSET TBLPROPERTIES [IF EXISTS] ('k', …)`
  case unsetTableProperties([StringSyntax], ifExists: Bool)
  /// Trino's `SET PROPERTIES k = v`
  case setProperties([PropertySyntax])
  /// `SET LOCATION '…'`
  case setLocation(StringSyntax)
  /// `RENAME TO name`
  case rename(QualifiedName)
}

/// Where CHANGE COLUMN puts a column.
package enum ColumnPositionSyntax: Hashable, Sendable {
  case first
  case after(Identifier)
}

/// `PARTITION (k = v, …) [LOCATION '…']`.
package struct PartitionSyntax: Hashable, Sendable {
  package var values: [PartitionValueSyntax]
  package var location: StringSyntax?
}

/// `key = value`; the value is a literal.
package struct PartitionValueSyntax: Hashable, Sendable {
  package var key: Identifier
  package var value: ExpressionSyntax
  @Positional package var range: SourceRange
}

/// `ALTER VIEW name …`.
package struct AlterViewSyntax: Hashable, Sendable {
  package enum Action: Hashable, Sendable {
    case rename(QualifiedName)
    /// `AS query`
    case replace(QuerySyntax)
    /// `SET TBLPROPERTIES (…)`
    case setTableProperties([StringPropertySyntax])
  }

  package var name: QualifiedName
  package var action: Action
  @Positional package var range: SourceRange
}

/// `MSCK REPAIR TABLE name`.
package struct RepairTableSyntax: Hashable, Sendable {
  package var name: QualifiedName
  @Positional package var range: SourceRange
}

/// `COMMENT ON TABLE|VIEW|COLUMN name IS 'text'|NULL`.
package struct CommentSyntax: Hashable, Sendable {
  package enum Subject: String, Hashable, Sendable {
    case table = "TABLE"
    case view = "VIEW"
    case column = "COLUMN"
  }

  package var subject: Subject
  package var name: QualifiedName
  /// Nil for NULL.
  package var text: StringSyntax?
  @Positional package var range: SourceRange
}
