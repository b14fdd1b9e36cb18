import QueryErrors
import QueryPlanner
import SQLExpressions
import SQLSyntax
import TableCatalog

/// CREATE VIEW: the query is bound now, and its text kept.
struct CreateViewStatement: Statement {
  private let node: CreateViewSyntax
  init(_ node: CreateViewSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = try context.tableName(node.name)
    try context.requireDatabase(name.database, at: node.name.range)
    if node.security == .invoker {
      throw .notSupported("CREATE VIEW … SECURITY INVOKER is not supported", at: node.range)
    }
    let catalog = try context.catalog()
    if try catalog.table(name) != nil {
      throw QueryError(.tableAlreadyExists, "Table '\(name)' already exists", at: node.name.range)
    }
    if try catalog.view(name) != nil, !node.isReplace {
      if node.ifNotExists { return .nothing }
      throw QueryError(.tableAlreadyExists, "View '\(name)' already exists", at: node.name.range)
    }
    let bound = try Binder.bind(node.query, catalog: context.resolver, session: context.environment, defining: name)
    var names = bound.columnNames
    if !node.columns.isEmpty {
      guard node.columns.count == names.count else {
        throw QueryError(
          .mismatchedColumnAliases,
          "Column alias list has \(node.columns.count) entries but the query has \(names.count) columns", at: node.range)
      }
      names = node.columns.map(\.name.name)
    }
    var seen: Set<String> = []
    for columnName in names where !seen.insert(columnName.lowercased()).inserted {
      throw QueryError(
        .duplicateColumnName, "Column name '\(columnName)' specified more than once", at: node.query.range)
    }
    let columns = zip(names, bound.outputs).enumerated().map { index, pair in
      ColumnDefinition(
        name: pair.0, type: pair.1.type, comment: node.columns.isEmpty ? nil : node.columns[index].comment?.value)
    }
    let view = StoredView(
      name: name, sql: context.text(of: node.query.range), columns: columns, comment: node.comment?.value,
      database: context.settings.database)
    return .effect { () throws(QueryError) in try catalog.save(view) }
  }
}
