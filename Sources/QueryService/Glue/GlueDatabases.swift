import QueryEngine
import QueryErrors
import TableCatalog

/// Glue's databases.
extension GlueService {
  static let databaseOperations: [String: Operation] = [
    "GetDatabases": Operation([catalogID, token, maxResults(100), .string("ResourceShareType"), .list("AttributesToGet")]) { service, input in
      let page = try page(service.engine.openCatalog().databases(), input, maximum: 100)
      return ["DatabaseList": .array(page.items.map(service.describe)), "NextToken": page.next]
    },
    "GetDatabase": Operation([catalogID, .string("Name", 1...255, required: true)]) { service, input in
      let name = (input["Name"]?.string ?? "").lowercased()
      guard let found = try service.engine.openCatalog().databaseDefinition(name) else { throw notFound("Database \(name) not found.") }
      return ["Database": service.describe(found)]
    },
    "CreateDatabase": Operation([
      catalogID, .structure("DatabaseInput", [.string("Name", 1...255, required: true)], required: true), .structure("Tags"),
    ]) { service, input in
      let definition = try definition(input["DatabaseInput"] ?? .null)
      let catalog = try service.engine.openCatalog()
      guard try !catalog.hasDatabase(definition.name) else { throw alreadyExists("Database already exists.") }
      try catalog.create(definition)
      return [:]
    },
    "UpdateDatabase": Operation([
      catalogID, .string("Name", 1...255, required: true),
      .structure("DatabaseInput", [.string("Name", 1...255, required: true)], required: true),
    ]) { service, input in
      let name = (input["Name"]?.string ?? "").lowercased()
      let definition = try definition(input["DatabaseInput"] ?? .null)
      guard definition.name == name else { throw invalid("Databases cannot be renamed") }
      guard try service.engine.openCatalog().update(database: name, { $0 = definition }) else { throw notFound("Database \(name) not found.") }
      return [:]
    },
    "DeleteDatabase": Operation([catalogID, .string("Name", 1...255, required: true)]) { service, input in
      let name = (input["Name"]?.string ?? "").lowercased()
      try service.requireDatabase(name)
      let catalog = try service.engine.openCatalog()
      for relation in try catalog.relations(in: name) { try service.store.forget(TableName(database: name, name: relation.name)) }
      try catalog.dropDatabase(name)
      return [:]
    },
    "GetCatalogs": Operation([.string("ParentCatalogId"), token, maxResults(100)]) { service, _ in
      ["CatalogList": [["CatalogId": .string(service.settings.account), "Name": "awsdatacatalog"]]]
    },
    "GetTags": Operation([.string("ResourceArn", required: true)]) { _, _ in ["Tags": [:]] },
    "GetUserDefinedFunctions": Operation([catalogID, .string("DatabaseName"), .string("Pattern", required: true), token, maxResults(100)]) {
      _, _ in ["UserDefinedFunctions": []]
    },
  ]

  private static func definition(_ input: JSONValue) throws(AWSError) -> DatabaseDefinition {
    for member in (input.object ?? [:]).keys.sorted() where !known.contains(member) && input[member] != nil {
      throw invalid("DatabaseInput.\(member) is not supported")
    }
    return DatabaseDefinition(
      name: (input["Name"]?.string ?? "").lowercased(), comment: input["Description"]?.string, location: input["LocationUri"]?.string,
      properties: input["Parameters"]?.strings ?? [:])
  }

  /// Permissions are taken as they come: there is one user, who may do everything.
  private static let known: Set<String> = ["Name", "Description", "LocationUri", "Parameters", "CreateTableDefaultPermissions"]

  private func describe(_ database: DatabaseDefinition) -> JSONValue {
    [
      "Name": .string(database.name), "Description": .text(database.comment), "LocationUri": .text(database.location),
      "Parameters": .strings(database.properties), "CatalogId": .string(settings.account),
    ]
  }
}
