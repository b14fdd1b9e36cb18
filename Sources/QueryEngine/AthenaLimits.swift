import QueryErrors
import SQLSyntax

/// What Athena refuses though sqlq could do it: checked under `--compat athena` only.
///
/// - Source: Athena user guide, "Service Quotas"; Trino 440, which its engine version 3 follows.
enum AthenaLimits {
  /// Bytes of a statement.
  static let maximumQueryByteCount = 262_144
  /// Letters of an identifier in the Glue catalog.
  static let maximumNameLength = 255
  /// Letters of an execution parameter.
  static let maximumParameterLength = 1024
  static let maximumPreparedStatementCount = 1000
  /// How long a query may run.
  static let queryTimeoutSeconds = 30 * 60

  /// Parses a statement with nothing but Athena's syntax.
  ///
  /// - Throws: `QUERY_TEXT_TOO_LARGE`, `SYNTAX_ERROR` also for what sqlq reads as an extension.
  static func parse(_ sql: String) throws(QueryError) -> (statement: StatementSyntax, parameterCount: Int) {
    let byteCount = sql.utf8.count
    guard byteCount <= maximumQueryByteCount else {
      throw QueryError(
        .queryTextTooLarge, "Query text length (\(byteCount)) exceeds the maximum length (\(maximumQueryByteCount))")
    }
    do throws(QueryError) { return try Parser.parseParameterized(sql, allowsExtensions: false) } catch {
      var error = error
      if (try? Parser.parseStatement(sql)) != nil {
        error.hint = "This is an extension that Athena does not have; --rewrite athena writes the statement without it."
      }
      throw error
    }
  }

  /// - Throws: `INVALID_ARGUMENTS`.
  static func check(parameters: [String]) throws(QueryError) {
    for (index, text) in parameters.enumerated() where text.isEmpty || text.count > maximumParameterLength {
      throw QueryError(
        .invalidArguments,
        "Execution parameter \(index + 1) has \(text.count) characters; it must have 1 to \(maximumParameterLength)")
    }
  }

  /// - Throws: `INVALID_ARGUMENTS` for names that Athena takes for no prepared statement.
  static func check(preparedName name: Identifier) throws(QueryError) {
    let letters = Array(name.name.utf8)
    func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte == 0x5F }
    func isInner(_ byte: UInt8) -> Bool { isLetter(byte) || byte >= 0x30 && byte <= 0x3A || byte == 0x40 }
    guard letters.count >= 2, letters.count <= 257, isLetter(letters[0]), letters.dropFirst().allSatisfy(isInner) else {
      throw QueryError(
        .invalidArguments,
        "The name of a prepared statement must match [a-zA-Z_][a-zA-Z0-9_@:]{1,256}: \(name.name)", at: name.range)
    }
  }

  /// - Throws: `INVALID_ARGUMENTS`.
  static func check(name: QualifiedName) throws(QueryError) {
    for part in name.parts where part.name.count > maximumNameLength {
      throw QueryError(
        .invalidArguments, "The name has \(part.name.count) characters; Athena takes \(maximumNameLength)", at: part.range)
    }
  }
}
