import QueryErrors
import SQLSyntax
import TableCatalog

/// USE: the session's database.
struct UseStatement: Statement {
  private let node: UseSyntax
  init(_ node: UseSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = node.schema.canonicalName
    if let catalog = node.catalog, !CatalogResolver.isKnown(catalog: catalog.canonicalName) {
      throw QueryError(.catalogNotFound, "Catalog '\(catalog.canonicalName)' does not exist", at: catalog.range)
    }
    guard try context.catalog().hasDatabase(name) else {
      throw QueryError(.schemaNotFound, "Schema '\(name)' does not exist", at: node.range)
    }
    return .effect(file: .none) { context.session.change { $0.database = name } }
  }
}
