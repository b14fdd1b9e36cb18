import Columnar
import QueryErrors
import Testing

@testable import TableCatalog

@Suite("Catalog") struct CatalogTests {
  private let name = TableName(database: "default", name: "trips")

  private func makeTable() -> TableDefinition {
    TableDefinition(
      name: name, columns: [ColumnDefinition(name: "id", type: .bigint, comment: "key")],
      partitionColumns: [ColumnDefinition(name: "day", type: .text)], location: "/data/trips", format: "text",
      serde: "s", serdeProperties: ["field.delim": ","], properties: ["k": "v"], inputFormat: "in", outputFormat: "out",
      bucketing: BucketDefinition(columns: ["id"], sortColumns: [.init(name: "id", isDescending: true)], count: 4))
  }

  @Test func tableComesBackAsItWasSaved() throws {
    let catalog = try Catalog(path: ":memory:")
    try catalog.create(makeTable())
    var found = try #require(try catalog.table(name))
    #expect(found.createdAtMicros ?? 0 > 1_700_000_000_000_000)
    found.createdAtMicros = nil
    found.updatedAtMicros = nil
    #expect(found == makeTable())
    #expect(throws: QueryError.self) { try catalog.create(makeTable()) }
  }

  @Test func updateKeepsPartitions() throws {
    let catalog = try Catalog(path: ":memory:")
    let own = [ColumnDefinition(name: "id", type: .integer), ColumnDefinition(name: "old", type: .double, comment: "gone")]
    let partition = PartitionDefinition(
      values: ["a=1/b"], location: "/data/x", columns: own, format: "csv", properties: ["p": "q"])
    try catalog.create(makeTable(), partitions: [partition, PartitionDefinition(values: [nil], location: "/data/none")])
    #expect(try catalog.update(name) { $0.columns.append(ColumnDefinition(name: "fare", type: .double)) })
    #expect(try catalog.table(name)?.columns.map(\.name) == ["id", "fare"])
    #expect(try catalog.partitionCount(of: name) == 2)
    let found = try #require(try catalog.partition(["a=1/b"], of: name, columns: ["day"]))
    #expect(found.columns == own && found.format == "csv" && found.properties == ["p": "q"] && found.location == "/data/x")

    try catalog.rename(partition: ["a=1/b"], to: ["c"], of: name, columns: ["day"])
    #expect(try catalog.partition(["c"], of: name, columns: ["day"])?.columns == own)
    #expect(throws: QueryError.self) { try catalog.rename(partition: ["c"], to: [nil], of: name, columns: ["day"]) }
    try catalog.drop(partition: ["c"], of: name, columns: ["day"])
    #expect(try catalog.partitions(of: name).map(\.values) == [[nil]])
  }

  @Test func databasePropertiesChange() throws {
    let catalog = try Catalog(path: ":memory:")
    try catalog.create(DatabaseDefinition(name: "Sales", comment: "c", location: "/l", properties: ["a": "1"]))
    #expect(try catalog.update(database: "sales") { $0.properties["b"] = "2" })
    #expect(
      try catalog.databaseDefinition("SALES")
        == DatabaseDefinition(name: "sales", comment: "c", location: "/l", properties: ["a": "1", "b": "2"]))
    #expect(try !catalog.update(database: "none") { $0.comment = "x" })
  }

  /// A home of the version before keeps its tables and takes new ones.
  @Test func firstSchemaIsBroughtForward() throws {
    let path = "/tmp/sqlq-catalog-\(UInt64.random(in: 0 ... .max)).sqlite"
    do {
      let old = try SQLiteDatabase(path: path)
      for statement in Catalog.firstSchema { try old.run(statement) }
      try old.run("PRAGMA user_version=1")
      try old.run("INSERT INTO relations(database, name, kind, location, format) VALUES ('default', 'trips', 'table', '/l', 'csv')")
      try old.run("INSERT INTO columns VALUES ('default', 'trips', 0, 'id', 'bigint', NULL, 0)")
    }
    let catalog = try Catalog(path: path)
    #expect(try catalog.table(name)?.columns.map(\.name) == ["id"])
    #expect(try catalog.update(name) { $0.bucketing = BucketDefinition(columns: ["id"], count: 2) })
    #expect(try catalog.table(name)?.bucketing?.count == 2)
  }
}
