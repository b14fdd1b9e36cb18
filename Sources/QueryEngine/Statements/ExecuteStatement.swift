import QueryErrors
import SQLSyntax

/// EXECUTE: the prepared statement in its place, with the same id, figures and result file.
struct ExecuteStatement: Statement {
  private let node: ExecuteSyntax
  init(_ node: ExecuteSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    guard let text = try context.preparedStatement(node.name.canonicalName) else {
      throw QueryError(.notFound, "Prepared statement not found: \(node.name.canonicalName)", at: node.name.range)
    }
    return try context.prepare(prepared: text, arguments: node.arguments)
  }
}

/// EXECUTE IMMEDIATE: the statement that a text holds.
struct ExecuteImmediateStatement: Statement {
  private let node: ExecuteImmediateSyntax
  init(_ node: ExecuteImmediateSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    try context.prepare(prepared: node.sql.value, arguments: node.arguments)
  }
}
