package import QueryErrors

/// A whole statement.
package indirect enum StatementSyntax: Hashable, Sendable {
  case query(QuerySyntax)
  case explain(ExplainSyntax)

  // Data
  case insert(InsertSyntax)
  case delete(DeleteSyntax)
  case update(UpdateSyntax)
  case merge(MergeSyntax)
  case unload(UnloadSyntax)
  case truncate(TruncateSyntax)
  case optimize(OptimizeSyntax)
  case vacuum(VacuumSyntax)
  case analyze(AnalyzeSyntax)

  // Definitions
  case createSchema(CreateSchemaSyntax)
  case dropSchema(DropSchemaSyntax)
  case alterSchema(AlterSchemaSyntax)
  case createCatalog(CreateCatalogSyntax)
  case dropCatalog(DropCatalogSyntax)
  case createTable(CreateTableSyntax)
  case createTableAs(CreateTableAsSyntax)
  case createView(CreateViewSyntax)
  case dropTable(DropRelationSyntax)
  case dropView(DropRelationSyntax)
  case alterTable(AlterTableSyntax)
  case alterView(AlterViewSyntax)
  case repairTable(RepairTableSyntax)
  case comment(CommentSyntax)

  // Listings
  case show(ShowSyntax)
  case describe(DescribeSyntax)

  // Session
  case use(UseSyntax)
  case setSession(SetSessionSyntax)
  case resetSession(ResetSessionSyntax)
  case setTimeZone(SetTimeZoneSyntax)
  case prepare(PrepareSyntax)
  case execute(ExecuteSyntax)
  case executeImmediate(ExecuteImmediateSyntax)
  case deallocate(DeallocateSyntax)
  case describeInput(DescribePreparedSyntax)
  case describeOutput(DescribePreparedSyntax)
  case transaction(TransactionSyntax)

  package var range: SourceRange {
    switch self {
    case .query(let node): node.range
    case .explain(let node): node.range
    case .insert(let node): node.range
    case .delete(let node): node.range
    case .update(let node): node.range
    case .merge(let node): node.range
    case .unload(let node): node.range
    case .truncate(let node): node.range
    case .optimize(let node): node.range
    case .vacuum(let node): node.range
    case .analyze(let node): node.range
    case .createSchema(let node): node.range
    case .dropSchema(let node): node.range
    case .alterSchema(let node): node.range
    case .createCatalog(let node): node.range
    case .dropCatalog(let node): node.range
    case .createTable(let node): node.range
    case .createTableAs(let node): node.range
    case .createView(let node): node.range
    case .dropTable(let node): node.range
    case .dropView(let node): node.range
    case .alterTable(let node): node.range
    case .alterView(let node): node.range
    case .repairTable(let node): node.range
    case .comment(let node): node.range
    case .show(let node): node.range
    case .describe(let node): node.range
    case .use(let node): node.range
    case .setSession(let node): node.range
    case .resetSession(let node): node.range
    case .setTimeZone(let node): node.range
    case .prepare(let node): node.range
    case .execute(let node): node.range
    case .executeImmediate(let node): node.range
    case .deallocate(let node): node.range
    case .describeInput(let node): node.range
    case .describeOutput(let node): node.range
    case .transaction(let node): node.range
    }
  }
}

/// `EXPLAIN [ANALYZE] [VERBOSE] [(TYPE …, FORMAT …)] statement`.
package struct ExplainSyntax: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    case logical = "LOGICAL"
    case distributed = "DISTRIBUTED"
    case validate = "VALIDATE"
    case io = "IO"
    /// What the statement would scan and cost; not in Athena.
    case cost = "COST"
  }

  package enum Format: String, Hashable, Sendable {
    case text = "TEXT"
    case graphviz = "GRAPHVIZ"
    case json = "JSON"
  }

  package var isAnalyze: Bool
  package var isVerbose: Bool
  /// Nil when not written.
  package var kind: Kind?
  /// Nil when not written.
  package var format: Format?
  package var statement: StatementSyntax
  @Positional package var range: SourceRange
}

/// `INSERT INTO table [(columns)] query`.
package struct InsertSyntax: Hashable, Sendable {
  package var table: QualifiedName
  /// Empty when not written.
  package var columns: [Identifier]
  package var query: QuerySyntax
  @Positional package var range: SourceRange
}

/// `DELETE FROM table [WHERE condition]`.
package struct DeleteSyntax: Hashable, Sendable {
  package var table: QualifiedName
  package var `where`: ExpressionSyntax?
  @Positional package var range: SourceRange
}

/// `UPDATE table SET a = 1, … [WHERE condition]`.
package struct UpdateSyntax: Hashable, Sendable {
  package var table: QualifiedName
  package var assignments: [AssignmentSyntax]
  package var `where`: ExpressionSyntax?
  @Positional package var range: SourceRange
}

/// `column = value`.
package struct AssignmentSyntax: Hashable, Sendable {
  package var column: Identifier
  package var value: ExpressionSyntax
}

/// `MERGE INTO table [AS alias] USING source ON condition WHEN …`.
package struct MergeSyntax: Hashable, Sendable {
  package var table: QualifiedName
  package var alias: Identifier?
  package var source: RelationSyntax
  package var condition: ExpressionSyntax
  package var cases: [MergeCaseSyntax]
  @Positional package var range: SourceRange
}

/// `WHEN [NOT] MATCHED [AND condition] THEN action`.
package struct MergeCaseSyntax: Hashable, Sendable {
  package enum Action: Hashable, Sendable {
    /// Only when matched.
    case update([AssignmentSyntax])
    /// Only when matched.
    case delete
    /// Only when not matched; no columns means all.
    case insert(columns: [Identifier], values: [ExpressionSyntax])
  }

  package var condition: ExpressionSyntax?
  package var action: Action
  @Positional package var range: SourceRange
}

/// `UNLOAD (query) TO 'location' WITH (format = 'PARQUET', …)`.
package struct UnloadSyntax: Hashable, Sendable {
  package var query: QuerySyntax
  package var location: StringSyntax
  package var properties: [PropertySyntax]
  @Positional package var range: SourceRange
}

/// `TRUNCATE TABLE table`.
package struct TruncateSyntax: Hashable, Sendable {
  package var table: QualifiedName
  @Positional package var range: SourceRange
}

/// `OPTIMIZE table REWRITE DATA USING BIN_PACK [WHERE condition]`.
package struct OptimizeSyntax: Hashable, Sendable {
  package var table: QualifiedName
  package var `where`: ExpressionSyntax?
  @Positional package var range: SourceRange
}

/// `VACUUM table`.
package struct VacuumSyntax: Hashable, Sendable {
  package var table: QualifiedName
  @Positional package var range: SourceRange
}

/// `ANALYZE table [WITH (…)]`.
package struct AnalyzeSyntax: Hashable, Sendable {
  package var table: QualifiedName
  package var properties: [PropertySyntax]
  @Positional package var range: SourceRange
}

/// Every SHOW statement.
package struct ShowSyntax: Hashable, Sendable {
  package indirect enum Subject: Hashable, Sendable {
    /// `SHOW TABLES [IN schema]`
    case tables(schema: QualifiedName?)
    /// `SHOW VIEWS [IN schema]`
    case views(schema: QualifiedName?)
    /// `SHOW SCHEMAS|DATABASES [IN catalog]`
    case schemas(catalog: Identifier?)
    case catalogs
    /// `SHOW COLUMNS IN table`; `IN table IN schema` is one qualified name here. The relation is a table or a file.
    case columns(RelationSyntax)
    case functions(schema: QualifiedName?)
    case session
    /// `SHOW PARTITIONS table`
    case partitions(table: QualifiedName)
    /// `SHOW TBLPROPERTIES table [('key')]`
    case tableProperties(table: QualifiedName, key: StringSyntax?)
    case createTable(QualifiedName)
    case createView(QualifiedName)
    case createSchema(QualifiedName)
    case createCatalog(Identifier)
    case stats(table: QualifiedName)
    case statsForQuery(QuerySyntax)
  }

  /// How a pattern is to be read.
  package enum PatternKind: Hashable, Sendable {
    /// After the word LIKE: SQL wildcards, or Hive's `*`, `|` and regular expressions in Athena's statements.
    case like(escape: StringSyntax?)
    /// Hive's form without LIKE: `SHOW TABLES 'a*|b*'`.
    case bare
  }

  package var subject: Subject
  package var pattern: StringSyntax?
  package var patternKind: PatternKind = .bare
  @Positional package var range: SourceRange

  package init(subject: Subject, range: SourceRange) {
    self.subject = subject
    self.range = range
  }
}

/// `DESCRIBE [EXTENDED|FORMATTED] table [PARTITION (…)] [column path]`.
package struct DescribeSyntax: Hashable, Sendable {
  package enum Detail: String, Hashable, Sendable {
    case extended = "EXTENDED"
    case formatted = "FORMATTED"
  }

  package var detail: Detail?
  /// A table, or a file in place of one.
  package var relation: RelationSyntax
  /// Empty when not written.
  package var partition: [PartitionValueSyntax]
  /// `column.field.'$elem$'`: parts of a nested column; empty when not written.
  package var column: [Identifier]
  @Positional package var range: SourceRange
}

/// `USE [catalog.]schema`.
package struct UseSyntax: Hashable, Sendable {
  package var catalog: Identifier?
  package var schema: Identifier
  @Positional package var range: SourceRange
}

/// `SET SESSION name = value`.
package struct SetSessionSyntax: Hashable, Sendable {
  package var name: QualifiedName
  package var value: ExpressionSyntax
  @Positional package var range: SourceRange
}

/// `RESET SESSION name`.
package struct ResetSessionSyntax: Hashable, Sendable {
  package var name: QualifiedName
  @Positional package var range: SourceRange
}

/// `SET TIME ZONE LOCAL | expression`.
package struct SetTimeZoneSyntax: Hashable, Sendable {
  /// Nil for LOCAL.
  package var zone: ExpressionSyntax?
  @Positional package var range: SourceRange
}

/// `PREPARE name FROM statement`.
package struct PrepareSyntax: Hashable, Sendable {
  package var name: Identifier
  package var statement: StatementSyntax
  @Positional package var range: SourceRange
}

/// `EXECUTE name [USING a, b]`.
package struct ExecuteSyntax: Hashable, Sendable {
  package var name: Identifier
  package var arguments: [ExpressionSyntax]
  @Positional package var range: SourceRange
}

/// `EXECUTE IMMEDIATE 'sql' [USING a, b]`.
package struct ExecuteImmediateSyntax: Hashable, Sendable {
  package var sql: StringSyntax
  package var arguments: [ExpressionSyntax]
  @Positional package var range: SourceRange
}

/// `DEALLOCATE PREPARE name`.
package struct DeallocateSyntax: Hashable, Sendable {
  package var name: Identifier
  @Positional package var range: SourceRange
}

/// `DESCRIBE INPUT|OUTPUT name`.
package struct DescribePreparedSyntax: Hashable, Sendable {
  package var name: Identifier
  @Positional package var range: SourceRange
}

/// `START TRANSACTION …`, `COMMIT [WORK]`, `ROLLBACK [WORK]`.
package struct TransactionSyntax: Hashable, Sendable {
  package enum Action: Hashable, Sendable {
    case start([Mode])
    case commit
    case rollback
  }

  /// Raw values are the SQL words.
  package enum Mode: String, Hashable, Sendable, CaseIterable {
    case readUncommitted = "ISOLATION LEVEL READ UNCOMMITTED"
    case readCommitted = "ISOLATION LEVEL READ COMMITTED"
    case repeatableRead = "ISOLATION LEVEL REPEATABLE READ"
    case serializable = "ISOLATION LEVEL SERIALIZABLE"
    case readOnly = "READ ONLY"
    case readWrite = "READ WRITE"
  }

  package var action: Action
  @Positional package var range: SourceRange
}
