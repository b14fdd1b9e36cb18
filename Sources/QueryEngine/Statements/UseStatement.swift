import QueryErrors
import SQLSyntax
import TableCatalog

/// USE: the session's database.
struct UseStatement: Statement {
  private let node: UseSyntax
  init(_ node: UseSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = node.schema.canonicalName
    let catalog = node.catalog?.canonicalName ?? context.settings.catalog
    if let connection = try context.foreignConnection(catalog, at: node.catalog?.range ?? node.range) {
      guard try connection.catalog.tableNames(in: name) != nil else {
        throw QueryError(.schemaNotFound, "Schema '\(name)' does not exist", at: node.range)
      }
      return change(context, catalog, name)
    }
    guard try context.catalog().hasDatabase(name) else {
      throw QueryError(.schemaNotFound, "Schema '\(name)' does not exist", at: node.range)
    }
    return change(context, CatalogResolver.catalogName, name)
  }

  private func change(_ context: StatementContext, _ catalog: String, _ database: String) -> PreparedStatement {
    .effect(file: .none) {
      context.session.change { settings in
        settings.catalog = catalog
        settings.database = database
      }
    }
  }
}
