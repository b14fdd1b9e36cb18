import ObjectStore
import QueryErrors
import SQLExpressions
import SQLSyntax
import TableCatalog

/// CREATE DATABASE.
struct CreateDatabaseStatement: Statement {
  private let node: CreateSchemaSyntax
  init(_ node: CreateSchemaSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = node.name.last.canonicalName
    if try context.catalog().hasDatabase(name) {
      if node.ifNotExists { return .nothing }
      throw QueryError(.schemaAlreadyExists, "Schema '\(name)' already exists", at: node.name.range)
    }
    let properties = Dictionary(
      node.databaseProperties.map { ($0.key.value, $0.value.value) }, uniquingKeysWith: { $1 })
    let location = try location(context)
    let definition = DatabaseDefinition(
      name: name, comment: node.comment?.value, location: location, properties: properties)
    return .effect { () throws(QueryError) in try context.catalog().create(definition) }
  }

  /// Of LOCATION, or of Trino's `WITH (location = '…')`.
  private func location(_ context: StatementContext) throws(QueryError) -> String? {
    var location = node.location?.value
    for property in node.properties {
      guard property.name.canonicalName == "location" else {
        throw QueryError(
          .invalidSchemaProperty, "Schema property '\(property.name.name)' does not exist", at: property.range,
          hint: "WITH (location = '…') is the only one; others go into WITH DBPROPERTIES ('key' = 'value').")
      }
      location = try context.constant(property.value).constantValue?.stringValue
    }
    guard let location else { return nil }
    return TableDeclaration(context: context).absolute(try context.stores.resolve(location))
  }
}

/// ALTER DATABASE … SET DBPROPERTIES.
struct AlterDatabaseStatement: Statement {
  private let node: AlterSchemaSyntax
  init(_ node: AlterSchemaSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = node.name.last.canonicalName
    try context.requireDatabase(name, at: node.name.range)
    switch node.action {
    case .setProperties(let list):
      return .effect { () throws(QueryError) in
        _ = try context.catalog().update(database: name) { (database) throws(QueryError) in
          for property in list { database.properties[property.key.value] = property.value.value }
        }
      }
    case .rename(let new): throw .notSupported("ALTER DATABASE … RENAME TO \(new.name) is not supported", at: node.range)
    case .setLocation(let location):
      throw .notSupported("ALTER DATABASE … SET LOCATION '\(location.value)' is not supported", at: node.range)
    }
  }
}

/// DROP DATABASE [CASCADE]; files stay.
struct DropDatabaseStatement: Statement {
  private let node: DropSchemaSyntax
  init(_ node: DropSchemaSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = node.name.last.canonicalName
    let catalog = try context.catalog()
    if try !catalog.hasDatabase(name) {
      if node.ifExists { return .nothing }
      try context.requireDatabase(name, at: node.name.range)
    }
    if !node.isCascade, try !catalog.relations(in: name).isEmpty {
      throw QueryError(
        .schemaNotEmpty, "Cannot drop non-empty schema '\(name)'", at: node.name.range,
        hint: "DROP DATABASE \(name) CASCADE drops its tables and views too; files stay.")
    }
    return .effect { () throws(QueryError) in try catalog.dropDatabase(name) }
  }
}
