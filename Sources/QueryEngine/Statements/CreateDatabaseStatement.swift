import QueryErrors
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
    let definition = DatabaseDefinition(
      name: name, comment: node.comment?.value, location: node.location?.value, properties: properties)
    return .effect { () throws(QueryError) in try context.catalog().create(definition) }
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
