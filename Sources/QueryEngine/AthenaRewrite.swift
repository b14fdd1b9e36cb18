import QueryErrors
import QueryPlanner
import SQLExpressions
import SQLSyntax

/// Writes statements in Athena's own SQL.
enum AthenaRewrite {
  /// The context's statement without extensions.
  static func rewrite(_ context: StatementContext) throws(QueryError) -> String {
    let sql = context.sql
    let statement = try Parser.parseStatement(sql)
    // GROUP BY ALL is valid in both, but there ALL is a column.
    if let strict = try? AthenaLimits.parse(sql), strict.statement == statement { return sql }
    guard let query = query(in: statement) else {
      throw .notSupported("This statement cannot be rewritten", at: statement.range)
    }
    let expansion = ExtensionExpansion(sql)
    let unknown = [Expression](repeating: .null(.unknown), count: query.parameterBound(sql))
    try Binder.expand(
      query, catalog: context.resolver, session: context.environment, parameters: unknown, into: expansion)
    let text = try expansion.rewritten()
    _ = try AthenaLimits.parse(text)
    return text
  }

  /// The query that a statement runs, explains, prepares or stores.
  private static func query(in statement: StatementSyntax) -> QuerySyntax? {
    switch statement {
    case .query(let query): query
    case .explain(let node): self.query(in: node.statement)
    case .prepare(let node): self.query(in: node.statement)
    case .createView(let node): node.query
    case .createTableAs(let node): node.query
    case .insert(let node): node.query
    case .unload(let node): node.query
    default: nil
    }
  }
}

extension QuerySyntax {
  /// As many parameters as the text can hold.
  fileprivate func parameterBound(_ sql: String) -> Int { sql.utf8.count { $0 == UInt8(ascii: "?") } }
}
