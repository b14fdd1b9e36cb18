import QueryErrors
import SQLSyntax

/// What a statement is, told from its text alone.
package struct StatementClass: Sendable {
  package var type: StatementType
  /// Athena's SubstatementType, such as `CREATE_TABLE`.
  package var subtype: String
  /// How many `?` it has.
  package var parameterCount: Int
}

extension Session {
  /// Classifies a statement without looking at anything it names.
  ///
  /// - Throws: `SYNTAX_ERROR`.
  package static func classify(_ sql: String, _ compatibility: SessionDefaults.Compatibility = .none) throws(QueryError) -> StatementClass {
    let (statement, count) =
      compatibility == .athena ? try AthenaLimits.parse(sql) : try Parser.parseParameterized(sql, allowsExtensions: true)
    let kind = statement.kind
    return StatementClass(type: kind.type, subtype: kind.subtype, parameterCount: count)
  }
}
