extension SQLFormatter {
  mutating func write(_ statement: StatementSyntax, isNested: Bool = false) {
    // Hive's rules for strings hold only where the lexer sees them: in a statement of its own.
    isHive = !isNested && SQLFormatter.isHiveStatement(statement)
    switch statement {
    case .query(let query): write(query)
    case .explain(let node): write(node)
    case .insert(let node):
      text += "INSERT INTO "
      write(node.table)
      if !node.columns.isEmpty {
        text += " "
        writeNames(node.columns)
      }
      writeBreak()
      write(node.query)
    case .delete(let node):
      text += "DELETE FROM "
      write(node.table)
      writeWhere(node.where)
    case .update(let node):
      text += "UPDATE "
      write(node.table)
      text += " SET "
      writeAssignments(node.assignments)
      writeWhere(node.where)
    case .merge(let node): write(node)
    case .unload(let node):
      text += "UNLOAD "
      writeParenthesized(node.query)
      text += " TO "
      write(node.location)
      writeWith(node.properties)
    case .truncate(let node):
      text += "TRUNCATE TABLE "
      write(node.table)
    case .optimize(let node):
      text += "OPTIMIZE "
      write(node.table)
      text += " REWRITE DATA USING BIN_PACK"
      writeWhere(node.where)
    case .vacuum(let node):
      text += "VACUUM "
      write(node.table)
    case .analyze(let node):
      text += "ANALYZE "
      write(node.table)
      writeWith(node.properties)
    case .createSchema(let node): write(node)
    case .dropSchema(let node):
      text += node.ifExists ? "DROP SCHEMA IF EXISTS " : "DROP SCHEMA "
      write(node.name)
      if node.isCascade { text += " CASCADE" }
    case .alterSchema(let node): write(node)
    case .createCatalog(let node):
      text += node.ifNotExists ? "CREATE CATALOG IF NOT EXISTS " : "CREATE CATALOG "
      write(node.name)
      text += " USING "
      write(node.connector)
      if let comment = node.comment {
        text += " COMMENT "
        write(comment)
      }
      writeWith(node.properties)
    case .dropCatalog(let node):
      text += node.ifExists ? "DROP CATALOG IF EXISTS " : "DROP CATALOG "
      write(node.name)
    case .createTable(let node): write(node)
    case .createTableAs(let node): write(node)
    case .createView(let node): write(node)
    case .dropTable(let node):
      text += node.ifExists ? "DROP TABLE IF EXISTS " : "DROP TABLE "
      write(node.name)
    case .dropView(let node):
      text += node.ifExists ? "DROP VIEW IF EXISTS " : "DROP VIEW "
      write(node.name)
    case .alterTable(let node): write(node)
    case .alterView(let node): write(node)
    case .repairTable(let node):
      text += "MSCK REPAIR TABLE "
      write(node.name)
    case .comment(let node):
      text += "COMMENT ON \(node.subject.rawValue) "
      write(node.name)
      text += " IS "
      if let comment = node.text { write(comment) } else { text += "NULL" }
    case .show(let node): write(node)
    case .describe(let node): write(node)
    case .use(let node):
      text += "USE "
      if let catalog = node.catalog {
        write(catalog)
        text += "."
      }
      write(node.schema)
    case .setSession(let node):
      text += "SET SESSION "
      write(node.name)
      text += " = "
      write(node.value)
    case .resetSession(let node):
      text += "RESET SESSION "
      write(node.name)
    case .setTimeZone(let node):
      text += "SET TIME ZONE "
      if let zone = node.zone { write(zone) } else { text += "LOCAL" }
    case .prepare(let node):
      text += "PREPARE "
      write(node.name)
      text += " FROM "
      write(node.statement, isNested: true)
    case .execute(let node):
      text += "EXECUTE "
      write(node.name)
      writeUsing(node.arguments)
    case .executeImmediate(let node):
      text += "EXECUTE IMMEDIATE "
      write(node.sql)
      writeUsing(node.arguments)
    case .deallocate(let node):
      text += "DEALLOCATE PREPARE "
      write(node.name)
    case .describeInput(let node):
      text += "DESCRIBE INPUT "
      write(node.name)
    case .describeOutput(let node):
      text += "DESCRIBE OUTPUT "
      write(node.name)
    case .transaction(let node): write(node)
    }
  }

  private static func isHiveStatement(_ statement: StatementSyntax) -> Bool {
    switch statement {
    case .createTable(let table): !table.isReplace
    case .alterTable, .createSchema, .alterSchema: true
    default: false
    }
  }

  private mutating func writeWhere(_ condition: ExpressionSyntax?) {
    guard let condition else { return }
    text += " WHERE "
    write(condition)
  }

  private mutating func writeUsing(_ arguments: [ExpressionSyntax]) {
    guard !arguments.isEmpty else { return }
    text += " USING "
    writeExpressions(arguments)
  }

  private mutating func write(_ explain: ExplainSyntax) {
    text += "EXPLAIN "
    if explain.isAnalyze { text += "ANALYZE " }
    if explain.isVerbose { text += "VERBOSE " }
    let options = [explain.kind.map { "TYPE \($0.rawValue)" }, explain.format.map { "FORMAT \($0.rawValue)" }]
    let written = options.compactMap { $0 }
    if !written.isEmpty { text += "(\(written.joined(separator: ", "))) " }
    write(explain.statement, isNested: true)
  }

  private mutating func writeAssignments(_ assignments: [AssignmentSyntax]) {
    writeList(assignments) { formatter, assignment in
      formatter.write(assignment.column)
      formatter.write(" = ")
      formatter.write(assignment.value)
    }
  }

  private mutating func write(_ merge: MergeSyntax) {
    text += "MERGE INTO "
    write(merge.table)
    if let alias = merge.alias {
      text += " AS "
      write(alias)
    }
    text += " USING "
    write(merge.source)
    text += " ON "
    write(merge.condition)
    for mergeCase in merge.cases {
      if case .insert = mergeCase.action { text += " WHEN NOT MATCHED" } else { text += " WHEN MATCHED" }
      if let condition = mergeCase.condition {
        text += " AND "
        write(condition)
      }
      text += " THEN "
      switch mergeCase.action {
      case .delete: text += "DELETE"
      case .update(let assignments):
        text += "UPDATE SET "
        writeAssignments(assignments)
      case .insert(let columns, let values):
        text += "INSERT "
        if !columns.isEmpty {
          writeNames(columns)
          text += " "
        }
        text += "VALUES ("
        writeExpressions(values)
        text += ")"
      }
    }
  }

  private mutating func write(_ show: ShowSyntax) {
    text += "SHOW "
    switch show.subject {
    case .tables(let schema): writeScope("TABLES", schema)
    case .views(let schema): writeScope("VIEWS", schema)
    case .schemas(let catalog): writeScope("SCHEMAS", catalog.map { QualifiedName($0) })
    case .catalogs: text += "CATALOGS"
    case .columns(let relation):
      text += "COLUMNS FROM "
      write(relation)
    case .functions(let schema): writeScope("FUNCTIONS", schema)
    case .session: text += "SESSION"
    case .partitions(let table): writeWord("PARTITIONS", table)
    case .tableProperties(let table, let key):
      writeWord("TBLPROPERTIES", table)
      if let key {
        text += " ("
        write(key)
        text += ")"
      }
    case .createTable(let name): writeWord("CREATE TABLE", name)
    case .createView(let name): writeWord("CREATE VIEW", name)
    case .createSchema(let name): writeWord("CREATE SCHEMA", name)
    case .createCatalog(let name): writeWord("CREATE CATALOG", QualifiedName(name))
    case .stats(let table): writeWord("STATS FOR", table)
    case .statsForQuery(let query):
      text += "STATS FOR "
      writeParenthesized(query)
    }
    guard let pattern = show.pattern else { return }
    switch show.patternKind {
    case .bare:
      text += " "
      write(pattern)
    case .like(let escape):
      text += " LIKE "
      write(pattern)
      if let escape {
        text += " ESCAPE "
        write(escape)
      }
    }
  }

  private mutating func writeScope(_ word: String, _ scope: QualifiedName?) {
    text += word
    guard let scope else { return }
    text += " FROM "
    write(scope)
  }

  private mutating func writeWord(_ word: String, _ name: QualifiedName) {
    text += word + " "
    write(name)
  }

  private mutating func write(_ describe: DescribeSyntax) {
    text += "DESCRIBE "
    if let detail = describe.detail { text += detail.rawValue + " " }
    write(describe.relation)
    if !describe.partition.isEmpty {
      text += " "
      write(describe.partition)
    }
    if !describe.column.isEmpty {
      text += " "
      for (position, part) in describe.column.enumerated() {
        if position > 0 { text += "." }
        if part.name.hasPrefix("$") { writeString(part.name) } else { write(part) }
      }
    }
  }

  private mutating func write(_ transaction: TransactionSyntax) {
    switch transaction.action {
    case .commit: text += "COMMIT"
    case .rollback: text += "ROLLBACK"
    case .start(let modes):
      text += "START TRANSACTION"
      if !modes.isEmpty { text += " " + modes.map(\.rawValue).joined(separator: ", ") }
    }
  }
}

// MARK: - Definitions

extension SQLFormatter {
  private mutating func writeWith(_ properties: [PropertySyntax]) {
    guard !properties.isEmpty else { return }
    text += " WITH ("
    writeProperties(properties)
    text += ")"
  }

  private mutating func writeProperties(_ properties: [PropertySyntax]) {
    writeList(properties) { formatter, property in
      formatter.write(property.name)
      formatter.write(" = ")
      formatter.write(property.value)
    }
  }

  private mutating func write(_ properties: [StringPropertySyntax]) {
    text += "("
    writeList(properties) { formatter, property in
      formatter.write(property.key)
      formatter.write(" = ")
      formatter.write(property.value)
    }
    text += ")"
  }

  private mutating func writeClause(_ word: String, _ string: StringSyntax?) {
    guard let string else { return }
    writeBreak()
    text += word + " "
    write(string)
  }

  private mutating func write(_ schema: CreateSchemaSyntax) {
    text += schema.ifNotExists ? "CREATE SCHEMA IF NOT EXISTS " : "CREATE SCHEMA "
    write(schema.name)
    writeClause("COMMENT", schema.comment)
    writeClause("LOCATION", schema.location)
    if !schema.databaseProperties.isEmpty {
      writeBreak()
      text += "WITH DBPROPERTIES "
      write(schema.databaseProperties)
    }
    writeWith(schema.properties)
  }

  private mutating func write(_ schema: AlterSchemaSyntax) {
    text += "ALTER SCHEMA "
    write(schema.name)
    switch schema.action {
    case .rename(let name):
      text += " RENAME TO "
      write(name)
    case .setLocation(let location):
      text += " SET LOCATION "
      write(location)
    case .setProperties(let properties):
      text += " SET DBPROPERTIES "
      write(properties)
    }
  }

  private mutating func write(_ column: ColumnDefinitionSyntax) {
    write(column.name)
    text += " "
    write(column.type)
    if column.isNotNull { text += " NOT NULL" }
    if let comment = column.comment {
      text += " COMMENT "
      write(comment)
    }
    writeWith(column.properties)
  }

  private mutating func write(_ columns: [ColumnDefinitionSyntax]) {
    text += "("
    writeList(columns) { $0.write($1) }
    text += ")"
  }

  private mutating func write(_ table: CreateTableSyntax) {
    text += "CREATE " + (table.isReplace ? "OR REPLACE " : "") + (table.isExternal ? "EXTERNAL TABLE " : "TABLE ")
    if table.ifNotExists { text += "IF NOT EXISTS " }
    write(table.name)
    if !table.elements.isEmpty { writeElements(table.elements) }
    writeClause("COMMENT", table.comment)
    if !table.partitionedBy.isEmpty {
      writeBreak()
      text += "PARTITIONED BY ("
      writeList(table.partitionedBy) { formatter, field in
        switch field {
        case .column(let column): formatter.write(column)
        case .transform(let expression): formatter.write(expression)
        }
      }
      text += ")"
    }
    if let clustered = table.clusteredBy {
      writeBreak()
      text += "CLUSTERED BY "
      writeNames(clustered.columns)
      if !clustered.sortedBy.isEmpty {
        text += " SORTED BY ("
        writeList(clustered.sortedBy) { $0.write($1) }
        text += ")"
      }
      text += " INTO \(clustered.bucketCount) BUCKETS"
    }
    if let format = table.rowFormat {
      writeBreak()
      write(format)
    }
    switch table.storedAs {
    case .named(let name):
      writeBreak()
      text += "STORED AS "
      write(name)
    case .classes(let input, let output):
      writeBreak()
      text += "STORED AS INPUTFORMAT "
      write(input)
      text += " OUTPUTFORMAT "
      write(output)
    case nil: break
    }
    writeClause("LOCATION", table.location)
    if !table.tableProperties.isEmpty {
      writeBreak()
      text += "TBLPROPERTIES "
      write(table.tableProperties)
    }
    writeWith(table.properties)
  }

  private mutating func writeElements(_ elements: [TableElementSyntax]) {
    text += " ("
    indent += 1
    for (position, element) in elements.enumerated() {
      if position > 0 { text += layout == .line ? ", " : "," }
      if layout == .lines { writeBreak() }
      switch element {
      case .column(let column): write(column)
      case .like(let name, let isIncluding):
        text += "LIKE "
        write(name)
        if let isIncluding { text += isIncluding ? " INCLUDING PROPERTIES" : " EXCLUDING PROPERTIES" }
      }
    }
    indent -= 1
    if layout == .lines { writeBreak() }
    text += ")"
  }

  private mutating func write(_ format: RowFormatSyntax) {
    switch format {
    case .serde(let name, let properties):
      text += "ROW FORMAT SERDE "
      write(name)
      if !properties.isEmpty {
        writeBreak()
        text += "WITH SERDEPROPERTIES "
        write(properties)
      }
    case .delimited(let format):
      text += "ROW FORMAT DELIMITED"
      writeClause("FIELDS TERMINATED BY", format.fieldsTerminatedBy)
      writeClause("ESCAPED BY", format.escapedBy)
      writeClause("COLLECTION ITEMS TERMINATED BY", format.collectionItemsTerminatedBy)
      writeClause("MAP KEYS TERMINATED BY", format.mapKeysTerminatedBy)
      writeClause("LINES TERMINATED BY", format.linesTerminatedBy)
      writeClause("NULL DEFINED AS", format.nullDefinedAs)
    }
  }

  private mutating func write(_ table: CreateTableAsSyntax) {
    text += table.isReplace ? "CREATE OR REPLACE TABLE " : "CREATE TABLE "
    if table.ifNotExists { text += "IF NOT EXISTS " }
    write(table.name)
    if !table.columnAliases.isEmpty {
      text += " "
      writeNames(table.columnAliases)
    }
    writeClause("COMMENT", table.comment)
    writeWith(table.properties)
    text += " AS"
    writeBreak()
    write(table.query)
    if !table.isWithData {
      writeBreak()
      text += "WITH NO DATA"
    }
  }

  private mutating func write(_ view: CreateViewSyntax) {
    text += view.isReplace ? "CREATE OR REPLACE VIEW " : "CREATE VIEW "
    if view.ifNotExists { text += "IF NOT EXISTS " }
    write(view.name)
    if !view.columns.isEmpty {
      text += " ("
      writeList(view.columns) { formatter, column in
        formatter.write(column.name)
        if let comment = column.comment {
          formatter.write(" COMMENT ")
          formatter.write(comment)
        }
      }
      text += ")"
    }
    writeClause("COMMENT", view.comment)
    if let security = view.security {
      writeBreak()
      text += "SECURITY " + security.rawValue
    }
    text += " AS"
    writeBreak()
    write(view.query)
  }

  private mutating func write(_ values: [PartitionValueSyntax]) {
    text += "PARTITION ("
    writeList(values) { formatter, value in
      formatter.write(value.key)
      formatter.write(" = ")
      formatter.write(value.value)
    }
    text += ")"
  }

  private mutating func write(_ table: AlterTableSyntax) {
    text += table.ifExists ? "ALTER TABLE IF EXISTS " : "ALTER TABLE "
    write(table.name)
    text += " "
    if !table.partition.isEmpty {
      write(table.partition)
      text += " "
    }
    write(table.action)
  }

  private mutating func write(_ action: AlterTableAction) {
    switch action {
    case .addPartitions(let partitions, let ifNotExists):
      text += ifNotExists ? "ADD IF NOT EXISTS" : "ADD"
      for partition in partitions {
        text += " "
        write(partition.values)
        if let location = partition.location {
          text += " LOCATION "
          write(location)
        }
      }
    case .dropPartitions(let partitions, let ifExists):
      text += ifExists ? "DROP IF EXISTS " : "DROP "
      writeList(partitions) { $0.write($1) }
    case .renamePartition(let values):
      text += "RENAME TO "
      write(values)
    case .addColumns(let columns, let ifNotExists):
      if ifNotExists, columns.count == 1 {
        text += "ADD COLUMN IF NOT EXISTS "
        write(columns[0])
      } else {
        text += "ADD COLUMNS "
        write(columns)
      }
    case .replaceColumns(let columns):
      text += "REPLACE COLUMNS "
      write(columns)
    case .changeColumn(let old, let new, let position):
      text += "CHANGE COLUMN "
      write(old)
      text += " "
      write(new)
      switch position {
      case .first: text += " FIRST"
      case .after(let name):
        text += " AFTER "
        write(name)
      case nil: break
      }
    case .dropColumn(let name, let ifExists):
      text += ifExists ? "DROP COLUMN IF EXISTS " : "DROP COLUMN "
      write(name)
    case .renameColumn(let old, let new, let ifExists):
      text += ifExists ? "RENAME COLUMN IF EXISTS " : "RENAME COLUMN "
      write(old)
      text += " TO "
      write(new)
    case .setColumnType(let name, let type):
      text += "ALTER COLUMN "
      write(name)
      text += " SET DATA TYPE "
      write(type)
    case .dropNotNull(let name):
      text += "ALTER COLUMN "
      write(name)
      text += " DROP NOT NULL"
    case .setTableProperties(let properties):
      text += "SET TBLPROPERTIES "
      write(properties)
    case .unsetTableProperties(let keys, let ifExists):
      text += ifExists ? "UNSET TBLPROPERTIES IF EXISTS (" : "UNSET TBLPROPERTIES ("
      writeList(keys) { $0.write($1) }
      text += ")"
    case .setProperties(let properties):
      text += "SET PROPERTIES "
      writeProperties(properties)
    case .setLocation(let location):
      text += "SET LOCATION "
      write(location)
    case .rename(let name):
      text += "RENAME TO "
      write(name)
    }
  }

  private mutating func write(_ view: AlterViewSyntax) {
    text += "ALTER VIEW "
    write(view.name)
    switch view.action {
    case .rename(let name):
      text += " RENAME TO "
      write(name)
    case .replace(let query):
      text += " AS "
      write(query)
    case .setTableProperties(let properties):
      text += " SET TBLPROPERTIES "
      write(properties)
    }
  }
}
