import QueryErrors
import QueryExecution
import QueryPlanner
import SQLSyntax

/// SELECT, VALUES, TABLE, WITH.
struct QueryStatement: Statement {
  private let node: QuerySyntax
  init(_ node: QuerySyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let (bound, plan) = try context.plan(node)
    var prepared = PreparedStatement(schema: bound.schema, plan: plan, file: .csv) { (output) throws(QueryError) in
      try context.execute(
        plan, bound.outputs,
        into: .prepared(output.preparation) { (batch) throws(QueryError) in try output.receive(batch) })
    }
    prepared.identity = { ResultIdentity.of(SQLFormatter.format(node), context) }
    return prepared
  }
}
