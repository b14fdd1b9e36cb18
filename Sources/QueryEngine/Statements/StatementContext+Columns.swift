import QueryErrors
import QueryPlanner
import SQLSyntax
import TableCatalog

extension StatementContext {
  /// The columns a relation yields: of a table, a view or a path.
  func columns(of relation: RelationSyntax) throws(QueryError) -> [Field] {
    let resolved: ResolvedRelation?
    switch relation {
    case .table(let syntax): resolved = try resolver.resolve(anyTableName(syntax.name))
    case .file(let file): resolved = try resolver.resolve(path: file.path.value, nil, at: file.range)
    default: resolved = nil
    }
    switch resolved {
    case .table(let table): return table.schema.fields
    case .view(let view): return view.columns?.fields ?? []
    case .rows(let schema, _): return schema.fields
    case .foreign(let table, _): return table.columns.fields
    case nil:
      if case .table(let syntax) = relation { _ = try requireTable(syntax.name) }
      throw QueryError(.tableNotFound, "Relation does not exist", at: relation.range)
    }
  }
}
