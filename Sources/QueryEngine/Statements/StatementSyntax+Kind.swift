import SQLSyntax

extension StatementSyntax {
  /// The table of all kinds of statements.
  ///
  /// - Source of the types: Athena's API, as measured for engine version 3.
  var kind: StatementKind {
    switch self {
    case .query(let node): StatementKind("SELECT", .dml, "SELECT", isBilled: true, QueryStatement(node))
    case .explain(let node):
      StatementKind("EXPLAIN", .dml, "EXPLAIN", isBilled: node.isAnalyze, ExplainStatement(node))

    case .insert(let node): StatementKind("INSERT INTO", .dml, "INSERT", isBilled: true, InsertStatement(node))
    case .delete(let node): .missing("DELETE", .dml, "DELETE", isBilled: true, at: node.range)
    case .update(let node): .missing("UPDATE", .dml, "UPDATE", isBilled: true, at: node.range)
    case .merge(let node): .missing("MERGE INTO", .dml, "MERGE", isBilled: true, at: node.range)
    case .unload(let node): StatementKind("UNLOAD", .dml, "UNLOAD", isBilled: true, UnloadStatement(node))
    case .truncate(let node): .missing("TRUNCATE TABLE", .ddl, "TRUNCATE_TABLE", at: node.range)
    case .optimize(let node): .missing("OPTIMIZE", .ddl, "OPTIMIZE", isBilled: true, at: node.range)
    case .vacuum(let node): .missing("VACUUM", .dml, "VACUUM", at: node.range)
    case .analyze(let node): .missing("ANALYZE", .ddl, "ANALYZE", isBilled: true, at: node.range)

    case .createSchema(let node):
      StatementKind("CREATE DATABASE", .ddl, "CREATE_DATABASE", CreateDatabaseStatement(node))
    case .dropSchema(let node): StatementKind("DROP DATABASE", .ddl, "DROP_DATABASE", DropDatabaseStatement(node))
    case .alterSchema(let node): StatementKind("ALTER DATABASE", .ddl, "ALTER_DATABASE", AlterDatabaseStatement(node))
    case .createCatalog(let node):
      StatementKind("CREATE CATALOG", .ddl, "CREATE_CATALOG", CreateCatalogStatement(node))
    case .dropCatalog(let node): StatementKind("DROP CATALOG", .ddl, "DROP_CATALOG", DropCatalogStatement(node))
    case .createTable(let node): StatementKind("CREATE TABLE", .ddl, "CREATE_TABLE", CreateTableStatement(node))
    case .createTableAs(let node):
      StatementKind("CREATE TABLE AS", .ddl, "CREATE_TABLE_AS_SELECT", isBilled: true, CreateTableAsStatement(node))
    case .createView(let node): StatementKind("CREATE VIEW", .ddl, "CREATE_VIEW", CreateViewStatement(node))
    case .dropTable(let node):
      StatementKind("DROP TABLE", .ddl, "DROP_TABLE", DropRelationStatement(node, isView: false))
    case .dropView(let node):
      StatementKind("DROP VIEW", .ddl, "DROP_VIEW", DropRelationStatement(node, isView: true))
    case .alterTable(let node): StatementKind("ALTER TABLE", .ddl, "ALTER_TABLE", AlterTableStatement(node))
    case .alterView(let node): .missing("ALTER VIEW", .ddl, "ALTER_VIEW", at: node.range)
    case .repairTable(let node):
      StatementKind("MSCK REPAIR TABLE", .ddl, "MSCK_REPAIR", RepairTableStatement(node))
    case .comment(let node): .missing("COMMENT", .ddl, "COMMENT", at: node.range)

    case .show(let node): StatementKind("SHOW", .utility, node.subject.subtype, ShowStatement(node))
    case .describe(let node): StatementKind("DESCRIBE", .utility, "DESCRIBE_TABLE", DescribeStatement(node))

    case .use(let node): StatementKind("USE", .utility, "USE", UseStatement(node))
    case .setSession(let node): StatementKind("SET SESSION", .utility, "SET_SESSION", SetSessionStatement(node))
    case .resetSession(let node):
      StatementKind("RESET SESSION", .utility, "RESET_SESSION", ResetSessionStatement(node))
    case .setTimeZone(let node): StatementKind("SET TIME ZONE", .utility, "SET_TIME_ZONE", SetTimeZoneStatement(node))
    case .prepare(let node): StatementKind("PREPARE", .ddl, "PREPARE", PrepareStatement(node))
    case .execute(let node): StatementKind("EXECUTE", .dml, "EXECUTE", ExecuteStatement(node))
    case .executeImmediate(let node):
      StatementKind("EXECUTE IMMEDIATE", .dml, "EXECUTE", ExecuteImmediateStatement(node))
    case .deallocate(let node):
      StatementKind("DEALLOCATE PREPARE", .ddl, "DEALLOCATE_PREPARE", DeallocateStatement(node))
    case .describeInput(let node): .missing("DESCRIBE INPUT", .utility, "DESCRIBE_INPUT", at: node.range)
    case .describeOutput(let node): .missing("DESCRIBE OUTPUT", .utility, "DESCRIBE_OUTPUT", at: node.range)
    case .transaction(let node):
      .missing(node.action.words, .utility, "TRANSACTION", at: node.range)
    }
  }
}

extension StatementSyntax {
  /// Whether the statement neither writes data nor changes the catalog; what EXECUTE names is asked for itself.
  var onlyReads: Bool {
    switch self {
    case .query, .show, .describe, .describeInput, .describeOutput: true
    case .use, .setSession, .resetSession, .setTimeZone, .execute, .executeImmediate: true
    case .explain(let node): !node.isAnalyze || node.statement.onlyReads
    default: false
    }
  }
}

extension StatementKind {
  /// A kind that is read but cannot be run yet.
  fileprivate static func missing(
    _ name: String, _ type: StatementType, _ subtype: String, isBilled: Bool = false, at range: SourceRange
  ) -> StatementKind {
    StatementKind(name, type, subtype, isBilled: isBilled, UnsupportedStatement(name: name, range: range))
  }
}

extension TransactionSyntax.Action {
  fileprivate var words: String {
    switch self {
    case .start: "START TRANSACTION"
    case .commit: "COMMIT"
    case .rollback: "ROLLBACK"
    }
  }
}

extension ShowSyntax.Subject {
  /// Athena's SubstatementType.
  fileprivate var subtype: String {
    switch self {
    case .tables: "SHOW_TABLES"
    case .views: "SHOW_VIEWS"
    case .schemas: "SHOW_DATABASES"
    case .catalogs: "SHOW_CATALOGS"
    case .columns: "SHOW_COLUMNS"
    case .functions: "SHOW_FUNCTIONS"
    case .session: "SHOW_SESSION"
    case .partitions: "SHOW_PARTITIONS"
    case .tableProperties: "SHOW_TABLE_PROPERTIES"
    case .createTable: "SHOW_CREATE_TABLE"
    case .createView: "SHOW_CREATE_VIEW"
    case .createSchema: "SHOW_CREATE_DATABASE"
    case .createCatalog: "SHOW_CREATE_CATALOG"
    case .stats, .statsForQuery: "SHOW_STATS"
    }
  }
}
