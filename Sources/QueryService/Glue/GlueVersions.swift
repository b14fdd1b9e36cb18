import QueryErrors
import TableCatalog

/// Versions of tables: what each looked like after a change by UpdateTable.
extension GlueService {
  static let versionOperations: [String: Operation] = [
    "GetTableVersions": Operation([catalogID, databaseName, tableName, token, maxResults(100)]) { service, input in
      let page = try page(service.versions(name(input)), input, maximum: 100)
      return ["TableVersions": .array(Array(page.items)), "NextToken": page.next]
    },
    "GetTableVersion": Operation([catalogID, databaseName, tableName, .string("VersionId")]) { service, input in
      let versions = try service.versions(name(input))
      guard let id = input["VersionId"]?.string else { return ["TableVersion": versions.first ?? .null] }
      guard let found = versions.first(where: { $0["VersionId"]?.string == id }) else { throw notFound("Version not found.") }
      return ["TableVersion": found]
    },
    "DeleteTableVersion": Operation([catalogID, databaseName, tableName, .string("VersionId", 1...255, required: true)]) { service, input in
      try service.deleteVersion(input["VersionId"]?.string ?? "", of: name(input))
      return [:]
    },
    "BatchDeleteTableVersion": Operation([catalogID, databaseName, tableName, .list("VersionIds", 0...100, required: true)]) {
      service, input in
      var errors: [JSONValue] = []
      for id in input["VersionIds"]?.array?.compactMap(\.string) ?? [] {
        do { try service.deleteVersion(id, of: name(input)) } catch let error as AWSError {
          errors.append([
            "TableName": input["TableName"] ?? .null, "VersionId": .string(id),
            "ErrorDetail": ["ErrorCode": .string(error.type), "ErrorMessage": .text(error.message)],
          ])
        }
      }
      return ["Errors": .array(errors)]
    },
  ]

  /// The latest first; a table that was never updated has the version it was made with.
  private func versions(_ name: TableName) throws -> [JSONValue] {
    try requireDatabase(name.database)
    guard let now = try describe(name) else { throw GlueService.notFound("Entity Not Found: Table \(name.name) not found.") }
    let kept = try store.versions(of: name)
    if kept.isEmpty { return [["Table": now, "VersionId": "0"]] }
    return kept.map { ["Table": $0.description, "VersionId": .string(String($0.version))] }
  }

  private func deleteVersion(_ id: String, of name: TableName) throws {
    let versions = try versions(name)
    guard let index = versions.firstIndex(where: { $0["VersionId"]?.string == id }), let number = Int(id) else {
      throw GlueService.notFound("Version not found.")
    }
    if index == 0 { throw GlueService.invalid("Cannot delete the latest version of a table") }
    try store.deleteVersion(number, of: name)
  }
}
