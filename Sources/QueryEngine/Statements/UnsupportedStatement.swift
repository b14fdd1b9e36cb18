import QueryErrors

/// A kind of statement that is read but cannot be run yet.
struct UnsupportedStatement: Statement {
  var name: String
  var range: SourceRange

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    throw .notSupported("\(name) is not supported yet", at: range)
  }
}
