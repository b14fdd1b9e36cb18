import QueryErrors
import Testing

@testable import SQLSyntax

@Suite struct DefinitionParsingTests {
  private func table(_ sql: String) throws -> CreateTableSyntax {
    guard case .createTable(let table) = try Parser.parseStatement(sql) else {
      throw QueryError.internalError("not a table")
    }
    return table
  }

  @Test func everyHiveClause() throws {
    let table = try table(
      #"""
      CREATE EXTERNAL TABLE IF NOT EXISTS `db`.`t` (
        `id` bigint COMMENT 'the ''id''', date string, end struct<order:int,`a b`:array<map<string,decimal(10,2)>>>)
      COMMENT "it\"s"
      PARTITIONED BY (dt string COMMENT 'p', n int)
      CLUSTERED BY (id) INTO 8 BUCKETS
      ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' ESCAPED BY '\\' COLLECTION ITEMS TERMINATED BY '\002'
        MAP KEYS TERMINATED BY ':' LINES TERMINATED BY '\n' NULL DEFINED AS ''
      STORED AS TEXTFILE
      LOCATION 's3://b/p/'
      TBLPROPERTIES ("skip.header.line.count"="1", 'projection.enabled'='true');
      """#)
    #expect(table.isExternal && table.ifNotExists && table.name.canonicalName == "db.t")
    #expect(table.columns.map(\.name.name) == ["id", "date", "end"])
    #expect(table.columns[0].comment?.value == "the 'id'" && table.comment?.value == "it\"s")
    #expect(table.partitionedBy.count == 2 && table.clusteredBy?.bucketCount == 8)
    guard case .delimited(let format)? = table.rowFormat else { return #expect(Bool(false)) }
    #expect(format.fieldsTerminatedBy?.value == "\t" && format.escapedBy?.value == "\\")
    #expect(
      format.collectionItemsTerminatedBy?.value == "\u{2}"
        && format.linesTerminatedBy?.value == "\n")
    #expect(format.mapKeysTerminatedBy?.value == ":" && format.nullDefinedAs?.value == "")
    #expect(table.location?.value == "s3://b/p/")
    #expect(
      table.tableProperties.map(\.key.value) == ["skip.header.line.count", "projection.enabled"])
  }

  @Test func serdeAndInputFormat() throws {
    let table = try table(
      #"""
      CREATE EXTERNAL TABLE `db.t`(a string)
      ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
      WITH SERDEPROPERTIES ("separatorChar" = ",", "quoteChar" = "\"", 'escapeChar' = '\\')
      STORED AS INPUTFORMAT 'a.In' OUTPUTFORMAT 'a.Out' LOCATION 's3://b/'
      """#)
    guard case .serde(let name, let properties)? = table.rowFormat else {
      return #expect(Bool(false))
    }
    #expect(
      name.value.hasSuffix("OpenCSVSerde") && properties.map(\.value.value) == [",", "\"", "\\"])
    #expect(table.name.parts.map(\.name) == ["db", "t"])
    guard case .classes(let input, _)? = table.storedAs else { return #expect(Bool(false)) }
    #expect(input.value == "a.In")
  }

  @Test func iceberg() throws {
    let table = try table(
      "CREATE TABLE t (id bigint, ts timestamp) PARTITIONED BY (day(ts), bucket(16, id), id) LOCATION 's3://b/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    #expect(!table.isExternal && table.partitionedBy.count == 3)
    guard case .transform(.functionCall(let call)) = table.partitionedBy[1] else {
      return #expect(Bool(false))
    }
    #expect(call.name.canonicalName == "bucket" && call.arguments.count == 2)
  }

  @Test func createTableAs() throws {
    guard
      case .createTableAs(let table) = try Parser.parseStatement(
        "CREATE TABLE IF NOT EXISTS t (x, y) COMMENT 'c' WITH (format = 'PARQUET', partitioned_by = ARRAY['y']) AS (SELECT 1, 2) WITH NO DATA"
      )
    else { return #expect(Bool(false)) }
    #expect(
      table.columnAliases.count == 2 && table.properties.count == 2 && !table.isWithData
        && table.ifNotExists)
    guard
      case .createTableAs(let union) = try Parser.parseStatement(
        "CREATE TABLE t AS (SELECT 1) UNION (SELECT 2)"),
      case .setOperation = union.query.body
    else { return #expect(Bool(false)) }
  }

  @Test func alterTable() throws {
    func action(_ sql: String) throws -> AlterTableAction {
      guard case .alterTable(let alter) = try Parser.parseStatement("ALTER TABLE t " + sql) else {
        throw QueryError.internalError("")
      }
      return alter.action
    }
    guard
      case .addPartitions(let partitions, ifNotExists: true) = try action(
        "ADD IF NOT EXISTS PARTITION (a = 1, b = 'x') LOCATION 's3://b/' PARTITION (a = -2, b = \"y\")"
      )
    else { return #expect(Bool(false)) }
    #expect(
      partitions.count == 2 && partitions[0].values.count == 2 && partitions[1].location == nil)
    guard
      case .dropPartitions(let dropped, ifExists: true) = try action(
        "DROP IF EXISTS PARTITION (a = 1), PARTITION (a = 2)")
    else { return #expect(Bool(false)) }
    #expect(dropped.count == 2)
    guard
      case .renamePartition(let values) = try action(
        "PARTITION (a = 1) RENAME TO PARTITION (a = 2)")
    else { return #expect(Bool(false)) }
    #expect(values.count == 1)
    guard case .addColumns(let columns, _) = try action("ADD COLUMNS (a int, b string COMMENT 'x')")
    else { return #expect(Bool(false)) }
    #expect(columns.count == 2)
    guard
      case .changeColumn(let old, let new, .after(let after)?) = try action(
        "CHANGE COLUMN a b int COMMENT 'c' AFTER d")
    else { return #expect(Bool(false)) }
    #expect(old.name == "a" && new.name.name == "b" && after.name == "d")
    guard case .setTableProperties(let properties) = try action("SET TBLPROPERTIES ('a' = 'b')")
    else { return #expect(Bool(false)) }
    #expect(properties.count == 1)
    #expect { try action("EXCHANGE PARTITION (a = 1)") } throws: { ErrorCode.notSupported ~= $0 }
  }

  @Test func views() throws {
    guard
      case .createView(let view) = try Parser.parseStatement(
        "CREATE OR REPLACE VIEW db.v AS SELECT 1 AS a")
    else {
      return #expect(Bool(false))
    }
    #expect(view.isReplace && view.name.canonicalName == "db.v")
    guard case .alterView(let alter) = try Parser.parseStatement("ALTER VIEW v AS SELECT 2"),
      case .replace = alter.action
    else { return #expect(Bool(false)) }
  }

  @Test func showAndDescribe() throws {
    func show(_ sql: String) throws -> ShowSyntax {
      guard case .show(let show) = try Parser.parseStatement("SHOW " + sql) else {
        throw QueryError.internalError("")
      }
      return show
    }
    let tables = try show("TABLES IN db '*a|b*'")
    #expect(tables.pattern?.value == "*a|b*" && tables.patternKind == .bare)
    #expect(try show("SCHEMAS LIKE 'a%' ESCAPE '$'").pattern?.value == "a%")
    guard case .columns(.table(let table)) = try show("COLUMNS FROM t IN `db`").subject else {
      return #expect(Bool(false))
    }
    #expect(table.name.canonicalName == "db.t")
    guard case .columns(.file) = try show("COLUMNS FROM 'a.csv'").subject else {
      return #expect(Bool(false))
    }
    guard case .tableProperties(_, let key) = try show("TBLPROPERTIES t('k')").subject else {
      return #expect(Bool(false))
    }
    #expect(key?.value == "k")
    guard
      case .describe(let describe) = try Parser.parseStatement(
        "DESCRIBE FORMATTED `db`.t PARTITION (a = 1) b.c.'$elem$'")
    else { return #expect(Bool(false)) }
    #expect(
      describe.detail == .formatted && describe.partition.count == 1
        && describe.column.map(\.name) == ["b", "c", "$elem$"])
  }

  @Test(arguments: [
    "GRANT SELECT ON t TO u", "CREATE ROLE r", "CREATE MATERIALIZED VIEW v AS SELECT 1",
    "CREATE TABLE a LIKE b", "CALL f()",
    "INSERT OVERWRITE t SELECT 1", "SHOW ROLES", "DESCRIBE DATABASE d",
    "CREATE FUNCTION f() RETURNS int RETURN 1",
    "USING EXTERNAL FUNCTION f(a int) RETURNS int LAMBDA 'x' SELECT f(1)", "LOCK TABLE t",
    "SET ROLE r",
  ]) func refusedByName(sql: String) {
    #expect { try Parser.parseStatement(sql) } throws: { ErrorCode.notSupported ~= $0 }
  }
}
