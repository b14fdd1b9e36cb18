import QueryEngine
import QueryErrors
import TableCatalog

/// Databases and tables, as Athena's API shows them.
extension AthenaService {
  private static let catalogName = InputShape.Member.string("CatalogName", 1...256, required: true)
  private static let database = InputShape.Member.string("DatabaseName", 1...128, required: true)

  static let catalogOperations: [String: Operation] = [
    "ListDataCatalogs": Operation([token, maxResults(50, minimum: 2), .string("WorkGroup")]) { _, _ in
      ["DataCatalogsSummary": [["CatalogName": "AwsDataCatalog", "Type": "GLUE", "Status": "CREATE_COMPLETE"]]]
    },
    "GetDataCatalog": Operation([.string("Name", 1...256, required: true), .string("WorkGroup")]) { service, input in
      try checkCatalog(input["Name"])
      return [
        "DataCatalog": [
          "Name": "AwsDataCatalog", "Type": "GLUE", "Parameters": ["catalog-id": .string(service.settings.account)],
          "Status": "CREATE_COMPLETE",
        ]
      ]
    },
    "ListDatabases": Operation([catalogName, token, maxResults(50), .string("WorkGroup")]) { service, input in
      try checkCatalog(input["CatalogName"])
      let page = try page(service.engine.openCatalog().databases(), input, maximum: 50) { $0.name }
      return ["DatabaseList": .array(page.items.map(describe)), "NextToken": page.next]
    },
    "GetDatabase": Operation([catalogName, database, .string("WorkGroup")]) { service, input in
      try checkCatalog(input["CatalogName"])
      let name = input["DatabaseName"]?.string ?? ""
      guard let found = try service.engine.openCatalog().databaseDefinition(name) else { throw missing("Database \(name) not found.") }
      return ["Database": describe(found)]
    },
    "ListTableMetadata": Operation([
      catalogName, database, .string("Expression", 0...256), token, maxResults(50), .string("WorkGroup"),
    ]) { service, input in
      try checkCatalog(input["CatalogName"])
      let catalog = try service.engine.openCatalog()
      let database = input["DatabaseName"]?.string ?? ""
      guard try catalog.hasDatabase(database) else { throw missing("Database \(database) not found.") }
      var names = try catalog.relations(in: database).map(\.name)
      if let expression = input["Expression"]?.string, !expression.isEmpty {
        let pattern = try NameExpression(expression)
        names = names.filter { pattern.matches($0) }
      }
      let page = try page(names, input, maximum: 50) { $0 }
      let tables = try page.items.compactMap { try service.tableMetadata(TableName(database: database, name: $0)) }
      return ["TableMetadataList": .array(tables), "NextToken": page.next]
    },
    "GetTableMetadata": Operation([
      catalogName, database, .string("TableName", 1...Int(Int32.max), required: true), .string("WorkGroup"),
    ]) { service, input in
      try checkCatalog(input["CatalogName"])
      let name = TableName(database: input["DatabaseName"]?.string ?? "", name: input["TableName"]?.string ?? "")
      guard try service.engine.openCatalog().hasDatabase(name.database) else { throw missing("Database \(name.database) not found.") }
      guard let table = try service.tableMetadata(name) else { throw missing("Table \(name.name) not found.") }
      return ["TableMetadata": table]
    },
  ]

  private static func checkCatalog(_ name: JSONValue?) throws(AWSError) {
    let name = name?.string ?? ""
    guard ["awsdatacatalog", "hive"].contains(name.lowercased()) else {
      throw .invalidRequest("DATACATALOG_NOT_FOUND", "Data catalog \(name) was not found")
    }
  }

  /// What Athena says of a thing that its catalog has not; clients read the code out of this text.
  private static func missing(_ message: String) -> AWSError {
    AWSError(
      "MetadataException",
      "\(message) (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; Request ID: \(RequestID.make()); Proxy: null)")
  }

  private static func describe(_ database: DatabaseDefinition) -> JSONValue {
    [
      "Name": .string(database.name), "Description": .text(database.comment),
      "Parameters": database.properties.isEmpty ? .null : .strings(database.properties),
    ]
  }

  private static func describe(_ column: ColumnDefinition) -> JSONValue {
    ["Name": .string(column.name), "Type": .string(column.type.hiveName), "Comment": .text(column.comment)]
  }

  private func tableMetadata(_ name: TableName) throws -> JSONValue? {
    let catalog = try engine.openCatalog()
    if let view = try catalog.view(name) {
      var parameters: [String: JSONValue] = ["presto_view": "true"]
      if let comment = view.comment { parameters["comment"] = .string(comment) }
      return [
        "Name": .string(name.name.lowercased()), "TableType": "VIRTUAL_VIEW", "Parameters": .object(parameters),
        "Columns": .array(view.columns.map(AthenaService.describe)), "PartitionKeys": [], "CreateTime": .null,
      ]
    }
    guard let table = try catalog.table(name) else { return nil }
    let shape = GlueStorage(table)
    var parameters = table.properties.mapValues { JSONValue.string($0) }
    for (key, value) in table.serdeProperties { parameters["serde.param." + key] = .string(value) }
    parameters["EXTERNAL"] = parameters["EXTERNAL"] ?? "TRUE"
    parameters["location"] = .string(table.location)
    parameters["inputformat"] = .string(shape.inputFormat)
    parameters["outputformat"] = .string(shape.outputFormat)
    parameters["serde.serialization.lib"] = .string(shape.serde)
    if let comment = table.comment { parameters["comment"] = .string(comment) }
    return [
      "Name": .string(name.name.lowercased()), "TableType": "EXTERNAL_TABLE", "Parameters": .object(parameters),
      "Columns": .array(table.columns.map(AthenaService.describe)),
      "PartitionKeys": .array(table.partitionColumns.map(AthenaService.describe)),
      "CreateTime": table.createdAtMicros.map { .time(micros: $0) } ?? .null,
    ]
  }
}
