package import QueryErrors

/// Turns SQL text into a syntax tree.
package struct Parser {
  /// Parses one statement; a trailing `;` is allowed.
  ///
  /// - Throws: `SYNTAX_ERROR` at the first token that fits nowhere; `STACK_OVERFLOW` for nesting beyond the limit.
  package static func parseStatement(_ sql: String) throws(QueryError) -> StatementSyntax { fatalError() }
  package static func parseExpression(_ sql: String) throws(QueryError) -> ExpressionSyntax { fatalError() }
  package static func parseType(_ sql: String) throws(QueryError) -> TypeSyntax { fatalError() }
}
