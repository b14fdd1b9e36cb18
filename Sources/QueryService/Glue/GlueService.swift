import QueryEngine
import QueryErrors
import TableCatalog

/// Glue's Data Catalog over the engine's.
///
/// - Source: botocore's `glue/2017-03-31`.
final class GlueService: Sendable {
  let engine: Engine
  let store: ServiceStore
  let settings: ServiceSettings
  let filter: PartitionFilter

  init(_ engine: Engine, _ store: ServiceStore, _ settings: ServiceSettings) throws(QueryError) {
    (self.engine, self.store, self.settings) = (engine, store, settings)
    filter = try PartitionFilter(engine.configuration)
  }

  struct Operation: Sendable {
    var shape: InputShape
    var run: @Sendable (GlueService, JSONValue) throws -> JSONValue

    init(_ members: [InputShape.Member], _ run: @escaping @Sendable (GlueService, JSONValue) throws -> JSONValue) {
      shape = InputShape(members)
      self.run = run
    }
  }

  /// The Data Catalog's operations; crawlers, jobs and the rest of Glue are unknown here.
  static let operations: [String: Operation] = [databaseOperations, tableOperations, partitionOperations, versionOperations]
    .reduce(into: [:]) { $0.merge($1) { own, _ in own } }

  func handle(_ name: String, _ body: [UInt8]) -> ServiceResponse {
    do {
      guard let operation = GlueService.operations[name] else { throw AWSError("UnknownOperationException", nil) }
      guard let input = JSONParser.parse(body), input.object != nil else { throw AWSError("SerializationException", nil) }
      try operation.shape.check(input) { AWSError("InvalidInputException", $0) }
      if let catalog = input["CatalogId"]?.string, ![settings.account, "awsdatacatalog"].contains(catalog.lowercased()) {
        throw GlueService.notFound("Catalog \(catalog) not found.")
      }
      return AWSError.success(try operation.run(self, input))
    } catch let error as AWSError {
      return error.response
    } catch let error as QueryError {
      return GlueService.failure(error).response
    } catch { return AWSError("InternalServiceException", "\(error)", status: 500).response }
  }

  // MARK: Errors

  static func notFound(_ message: String) -> AWSError { AWSError("EntityNotFoundException", message) }
  static func alreadyExists(_ message: String) -> AWSError { AWSError("AlreadyExistsException", message) }
  static func invalid(_ message: String) -> AWSError { AWSError("InvalidInputException", message) }

  private static func failure(_ error: QueryError) -> AWSError {
    switch error.code.kind {
    case .external, .internalError, .insufficientResources: AWSError("InternalServiceException", error.description, status: 500)
    default:
      switch error.code {
      case .alreadyExists, .tableAlreadyExists, .schemaAlreadyExists: alreadyExists(error.message)
      case .notFound, .tableNotFound, .schemaNotFound: notFound(error.message)
      default: invalid(error.message)
      }
    }
  }

  // MARK: Members many operations have

  static let catalogID = InputShape.Member.string("CatalogId", 1...255)
  static let token = InputShape.Member.string("NextToken")
  static let databaseName = InputShape.Member.string("DatabaseName", 1...255, required: true)
  static let tableName = InputShape.Member.string("TableName", 1...255, required: true)
  static func maxResults(_ maximum: Int) -> InputShape.Member { .integer("MaxResults", minimum: 1, maximum: maximum) }

  /// A page of a list; tokens are places in it.
  static func page<Item>(_ items: [Item], _ input: JSONValue, maximum: Int) throws(AWSError) -> (items: ArraySlice<Item>, next: JSONValue) {
    var start = 0
    if let token = input["NextToken"]?.string {
      guard let place = Int(token), (0...items.count).contains(place) else { throw invalid("Invalid pagination token: \(token)") }
      start = place
    }
    let end = min(items.count, start + min(maximum, input["MaxResults"]?.integer ?? maximum))
    return (items[start..<end], end < items.count ? .string(String(end)) : .null)
  }

  /// The names of a call, in lower case as Glue keeps them.
  static func name(_ input: JSONValue, table member: String = "TableName") -> TableName {
    TableName(database: (input["DatabaseName"]?.string ?? "").lowercased(), name: (input[member]?.string ?? "").lowercased())
  }

  func requireDatabase(_ name: String) throws {
    guard try engine.openCatalog().hasDatabase(name) else { throw GlueService.notFound("Database \(name) not found.") }
  }

  func requireTable(_ name: TableName) throws -> TableDefinition {
    try requireDatabase(name.database)
    guard let table = try engine.openCatalog().table(name) else { throw GlueService.notFound("Entity Not Found: Table \(name.name) not found.") }
    return table
  }
}
