import Columnar
import FileFormats
import ObjectStore
import QueryEngine
import QueryErrors
import TableCatalog

/// Glue's tables and views.
extension GlueService {
  private static let input = InputShape.Member.structure(
    "TableInput",
    [
      .string("Name", 1...255, required: true), .string("Description", 0...2048), .string("Owner", 1...255), .list("PartitionKeys"),
      .string("TableType", 0...255), .structure("Parameters"), .integer("Retention"), .string("ViewOriginalText", 0...409_600),
      .string("ViewExpandedText", 0...409_600),
      .structure("StorageDescriptor", [.list("Columns"), .string("Location"), .structure("SerdeInfo"), .structure("Parameters")]),
    ], required: true)

  static let tableOperations: [String: Operation] = [
    "GetTables": Operation([
      catalogID, databaseName, .string("Expression", 0...2048), token, maxResults(100), .structure("AuditContext"), .list("AttributesToGet"),
    ]) { service, input in
      let database = name(input).database
      try service.requireDatabase(database)
      var names = try service.engine.openCatalog().relations(in: database).map(\.name)
      if let expression = input["Expression"]?.string, !expression.isEmpty {
        let pattern = try NameExpression(expression)
        names = names.filter { pattern.matches($0) }
      }
      let page = try page(names, input, maximum: 100)
      let tables = try page.items.compactMap { try service.describe(TableName(database: database, name: $0)) }
      return ["TableList": .array(tables), "NextToken": page.next]
    },
    "GetTable": Operation([catalogID, databaseName, .string("Name", 1...255, required: true), .structure("AuditContext")]) { service, input in
      let name = name(input, table: "Name")
      try service.requireDatabase(name.database)
      guard let table = try service.describe(name) else { throw notFound("Entity Not Found: Table \(name.name) not found.") }
      return ["Table": table]
    },
    "SearchTables": Operation([catalogID, token, .list("Filters"), .string("SearchText"), .list("SortCriteria"), maxResults(1000)]) {
      service, input in ["TableList": .array(try service.search(input))]
    },
    "CreateTable": Operation([catalogID, databaseName, input]) { service, input in
      let database = name(input).database
      try service.requireDatabase(database)
      let table = input["TableInput"] ?? .null
      let name = TableName(database: database, name: (table["Name"]?.string ?? "").lowercased())
      let catalog = try service.engine.openCatalog()
      guard try catalog.table(name) == nil, try catalog.view(name) == nil else { throw alreadyExists("Table already exists.") }
      try service.save(table, as: name, isNew: true)
      return [:]
    },
    "UpdateTable": Operation([catalogID, databaseName, input, .boolean("SkipArchive"), .string("TransactionId"), .string("VersionId")]) {
      service, input in
      let table = input["TableInput"] ?? .null
      let name = TableName(database: name(input).database, name: (table["Name"]?.string ?? "").lowercased())
      try service.requireDatabase(name.database)
      guard let old = try service.describe(name) else { throw notFound("Entity Not Found: Table \(name.name) not found.") }
      if input["SkipArchive"]?.bool != true, try service.store.versions(of: name).isEmpty { try service.store.addVersion(old, of: name) }
      try service.save(table, as: name, isNew: false)
      if input["SkipArchive"]?.bool != true, let new = try service.describe(name) { try service.store.addVersion(new, of: name) }
      return [:]
    },
    "DeleteTable": Operation([catalogID, databaseName, .string("Name", 1...255, required: true)]) { service, input in
      try service.delete(name(input, table: "Name"))
      return [:]
    },
    "BatchDeleteTable": Operation([catalogID, databaseName, .list("TablesToDelete", 0...100, required: true)]) { service, input in
      let database = name(input).database
      try service.requireDatabase(database)
      var errors: [JSONValue] = []
      for table in input["TablesToDelete"]?.array?.compactMap(\.string) ?? [] {
        do { try service.delete(TableName(database: database, name: table.lowercased())) } catch let error as AWSError {
          errors.append(["TableName": .string(table), "ErrorDetail": ["ErrorCode": .string(error.type), "ErrorMessage": .text(error.message)]])
        }
      }
      return ["Errors": .array(errors)]
    },
  ]

  private func delete(_ name: TableName) throws {
    try requireDatabase(name.database)
    let catalog = try engine.openCatalog()
    let (table, view) = (try catalog.table(name), try catalog.view(name))
    guard table != nil || view != nil else { throw GlueService.notFound("Entity Not Found: Table \(name.name) not found.") }
    try catalog.drop(name)
    try store.forget(name)
  }

  private func search(_ input: JSONValue) throws -> [JSONValue] {
    let text = input["SearchText"]?.string?.lowercased()
    var found: [JSONValue] = []
    let catalog = try engine.openCatalog()
    let filters = input["Filters"]?.array ?? []
    for filter in filters where !["DatabaseName", "Name"].contains(filter["Key"]?.string ?? "") {
      throw GlueService.invalid("Tables cannot be searched by '\(filter["Key"]?.string ?? "")'")
    }
    for database in try catalog.databases() {
      for relation in try catalog.relations(in: database.name) {
        let values = ["DatabaseName": database.name, "Name": relation.name]
        let passes = filters.allSatisfy { filter in
          guard let value = values[filter["Key"]?.string ?? ""], let wanted = filter["Value"]?.string?.lowercased() else { return true }
          return filter["Comparator"]?.string == nil || filter["Comparator"]?.string == "EQUALS" ? value == wanted : value.contains(wanted)
        }
        guard passes, let table = try describe(TableName(database: database.name, name: relation.name)) else { continue }
        if let text, !String(decoding: table.bytes, as: UTF8.self).lowercased().contains(text) { continue }
        found.append(table)
      }
    }
    return found
  }

  // MARK: From Glue

  /// Makes or changes what a TableInput says.
  private func save(_ input: JSONValue, as name: TableName, isNew: Bool) throws {
    let catalog = try engine.openCatalog()
    if input["TableType"]?.string == "VIRTUAL_VIEW" {
      try catalog.save(try GlueView.view(input, name))
    } else {
      var table = try GlueService.definition(input, name)
      try absolute(&table)
      let new = table
      if isNew {
        try catalog.create(new)
      } else if try !catalog.update(name, { $0 = new }) {
        try catalog.save(new)
      }
    }
    try store.save(tableInput: input, of: name)
  }

  /// A location as statements would have kept it.
  private func absolute(_ table: inout TableDefinition) throws {
    let place = try engine.stores.resolve(table.location)
    table.location = place.description
  }

  static func definition(_ input: JSONValue, _ name: TableName) throws -> TableDefinition {
    let storage = input["StorageDescriptor"]
    let parameters = input["Parameters"]?.strings ?? [:]
    if let type = parameters["table_type"]?.uppercased(), ["ICEBERG", "DELTA", "HUDI"].contains(type) {
      throw invalid("Tables of type \(type) are not supported yet")
    }
    let serde = storage?["SerdeInfo"]?["SerializationLibrary"]?.string
    let (inputFormat, outputFormat) = (storage?["InputFormat"]?.string, storage?["OutputFormat"]?.string)
    guard
      let format = serde.flatMap(FormatRegistry.format(named:)) ?? inputFormat.flatMap(FormatRegistry.format(inputFormat:))
        ?? parameters["classification"].flatMap(FormatRegistry.format(named:))
    else {
      throw invalid("Tables of SerDe '\(serde ?? "")' and input format '\(inputFormat ?? "")' are not supported yet")
    }
    guard let location = storage?["Location"]?.string, !location.isEmpty else { throw invalid("StorageDescriptor.Location is missing") }
    var table = TableDefinition(
      name: name, columns: try columns(storage?["Columns"]), partitionColumns: try columns(input["PartitionKeys"]), location: location,
      format: format.descriptor.name, serde: serde, comment: input["Description"]?.string,
      serdeProperties: storage?["SerdeInfo"]?["Parameters"]?.strings ?? [:], properties: parameters, inputFormat: inputFormat,
      outputFormat: outputFormat)
    if let count = storage?["NumberOfBuckets"]?.integer, count > 0, let names = storage?["BucketColumns"]?.array, !names.isEmpty {
      let sorted = (storage?["SortColumns"]?.array ?? []).map {
        BucketDefinition.SortColumn(name: $0["Column"]?.string ?? "", isDescending: $0["SortOrder"]?.integer == 0)
      }
      table.bucketing = BucketDefinition(columns: names.compactMap(\.string), sortColumns: sorted, count: count)
    }
    return table
  }

  static func columns(_ list: JSONValue?) throws -> [ColumnDefinition] {
    try (list?.array ?? []).map { column in
      let name = column["Name"]?.string ?? ""
      let text = column["Type"]?.string ?? ""
      guard !name.isEmpty, let type = DataType(parsing: text) else { throw invalid("Column '\(name)' has the unknown type '\(text)'") }
      return ColumnDefinition(name: name.lowercased(), type: type, comment: column["Comment"]?.string)
    }
  }

  // MARK: To Glue

  static func describe(_ columns: [ColumnDefinition]) -> JSONValue {
    .array(columns.map { ["Name": .string($0.name), "Type": .string($0.type.hiveName), "Comment": .text($0.comment)] })
  }

  /// A table or view, or nil when there is none.
  ///
  /// What the catalog knows counts; what it does not, such as an owner, is as Glue's clients last said.
  func describe(_ name: TableName) throws -> JSONValue? {
    let catalog = try engine.openCatalog()
    let said = try store.tableInput(name)
    var members: [String: JSONValue] = [
      "Name": .string(name.name), "DatabaseName": .string(name.database), "CatalogId": .string(settings.account),
      "Owner": said?["Owner"] ?? .null, "Retention": said?["Retention"] ?? 0, "IsRegisteredWithLakeFormation": false,
      "VersionId": .string(String(try store.versions(of: name).first?.version ?? 0)),
    ]
    if let view = try catalog.view(name) {
      members["TableType"] = "VIRTUAL_VIEW"
      members["Description"] = .text(view.comment)
      members["ViewOriginalText"] = .string(GlueView.text(view))
      members["ViewExpandedText"] = "/* Presto View */"
      members["Parameters"] = ["presto_view": "true", "comment": "Presto View"]
      members["PartitionKeys"] = []
      members["StorageDescriptor"] = [
        "Columns": GlueService.describe(view.columns), "Location": "", "SerdeInfo": [:], "NumberOfBuckets": 0, "Compressed": false,
        "StoredAsSubDirectories": false,
      ]
      return .object(members)
    }
    guard let table = try catalog.table(name) else { return nil }
    var parameters = table.properties
    parameters["EXTERNAL"] = parameters["EXTERNAL"] ?? "TRUE"
    members["TableType"] = said?["TableType"] ?? "EXTERNAL_TABLE"
    members["Description"] = .text(table.comment)
    members["Parameters"] = .strings(parameters)
    members["PartitionKeys"] = GlueService.describe(table.partitionColumns)
    members["CreateTime"] = table.createdAtMicros.map { .time(micros: $0) } ?? .null
    members["UpdateTime"] = table.updatedAtMicros.map { .time(micros: $0) } ?? .null
    members["StorageDescriptor"] = storage(table, location: table.location, said: said?["StorageDescriptor"])
    return .object(members)
  }

  func storage(_ table: TableDefinition, location: String, said: JSONValue?) -> JSONValue {
    let classes = GlueStorage(table)
    let sorted = (table.bucketing?.sortColumns ?? []).map { column -> JSONValue in
      ["Column": .string(column.name), "SortOrder": column.isDescending ? 0 : 1]
    }
    return [
      "Columns": GlueService.describe(table.columns), "Location": .string(location), "InputFormat": .string(classes.inputFormat),
      "OutputFormat": .string(classes.outputFormat), "Compressed": said?["Compressed"] ?? false,
      "NumberOfBuckets": .number(table.bucketing?.count ?? -1),
      "BucketColumns": .array((table.bucketing?.columns ?? []).map { .string($0) }), "SortColumns": .array(sorted),
      "SerdeInfo": ["SerializationLibrary": .string(classes.serde), "Parameters": .strings(table.serdeProperties)],
      "Parameters": said?["Parameters"] ?? [:], "StoredAsSubDirectories": said?["StoredAsSubDirectories"] ?? false,
    ]
  }
}
