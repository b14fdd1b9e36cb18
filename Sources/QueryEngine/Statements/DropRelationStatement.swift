import QueryErrors
import SQLSyntax
import TableCatalog

/// DROP TABLE and DROP VIEW; files stay.
struct DropRelationStatement: Statement {
  private let node: DropRelationSyntax
  private let isView: Bool

  init(_ node: DropRelationSyntax, isView: Bool) {
    self.node = node
    self.isView = isView
  }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = try context.tableName(node.name)
    let catalog = try context.catalog()
    let (table, view) = (try catalog.table(name), try catalog.view(name))
    if isView ? view == nil : table == nil {
      if table != nil || view != nil {
        throw QueryError(
          .genericUserError, "'\(name)' is a \(isView ? "table" : "view"), not a \(isView ? "view" : "table")",
          at: node.name.range, hint: "Use DROP \(isView ? "TABLE" : "VIEW").")
      }
      if node.ifExists { return .nothing }
      throw QueryError(
        .tableNotFound, "\(isView ? "View" : "Table") '\(name)' does not exist", at: node.name.range,
        hint: NameSuggestion.hint(for: name.name, among: try catalog.relations(in: name.database).map(\.name)))
    }
    return .effect { () throws(QueryError) in try catalog.drop(name) }
  }
}
