package import QueryErrors

/// `input [FORMAT JSON …], 'path' [AS name] [PASSING …]`.
package struct JSONPathInvocationSyntax: Hashable, Sendable {
  package var input: JSONInputSyntax
  package var path: StringSyntax
  package var pathName: Identifier?
  package var arguments: [JSONArgumentSyntax]
}

/// A value handed to a JSON function; `format` says that it is JSON text.
package struct JSONInputSyntax: Hashable, Sendable {
  package var value: ExpressionSyntax
  package var format: JSONFormatSyntax?
}

/// `FORMAT JSON [ENCODING …]`.
package enum JSONFormatSyntax: String, Hashable, Sendable {
  case json = "JSON"
  case utf8 = "JSON ENCODING UTF8"
  case utf16 = "JSON ENCODING UTF16"
  case utf32 = "JSON ENCODING UTF32"
}

/// `value AS name` after PASSING.
package struct JSONArgumentSyntax: Hashable, Sendable {
  package var value: JSONInputSyntax
  package var name: Identifier
}

/// `JSON_EXISTS(…)`.
package struct JSONExistsSyntax: Hashable, Sendable {
  package enum ErrorBehavior: String, Hashable, Sendable {
    case `true` = "TRUE"
    case `false` = "FALSE"
    case unknown = "UNKNOWN"
    case error = "ERROR"
  }

  package var path: JSONPathInvocationSyntax
  /// `… ON ERROR`; nil means FALSE.
  package var onError: ErrorBehavior?
  @Positional package var range: SourceRange
}

/// What JSON_VALUE yields when it finds nothing or fails.
package indirect enum JSONValueBehavior: Hashable, Sendable {
  case error
  case null
  case `default`(ExpressionSyntax)
}

/// `JSON_VALUE(…)`.
package struct JSONValueSyntax: Hashable, Sendable {
  package var path: JSONPathInvocationSyntax
  /// Nil means VARCHAR.
  package var returning: TypeSyntax?
  /// Nil means NULL.
  package var onEmpty: JSONValueBehavior?
  /// Nil means NULL.
  package var onError: JSONValueBehavior?
  @Positional package var range: SourceRange
}

/// How JSON_QUERY wraps its result in an array.
package enum JSONWrapper: String, Hashable, Sendable {
  case without = "WITHOUT ARRAY"
  case conditional = "WITH CONDITIONAL ARRAY"
  case unconditional = "WITH UNCONDITIONAL ARRAY"
}

/// Whether JSON_QUERY keeps the quotes of a scalar string.
package struct JSONQuotesSyntax: Hashable, Sendable {
  package var isKeep: Bool
  /// `ON SCALAR STRING`
  package var isOnScalarString: Bool
}

/// What JSON_QUERY yields when it finds nothing or fails.
package enum JSONQueryBehavior: String, Hashable, Sendable {
  case error = "ERROR"
  case null = "NULL"
  case emptyArray = "EMPTY ARRAY"
  case emptyObject = "EMPTY OBJECT"
}

/// `JSON_QUERY(…)`.
package struct JSONQuerySyntax: Hashable, Sendable {
  package var path: JSONPathInvocationSyntax
  /// Nil means VARCHAR.
  package var returning: TypeSyntax?
  package var returningFormat: JSONFormatSyntax?
  /// Nil means WITHOUT ARRAY.
  package var wrapper: JSONWrapper?
  package var quotes: JSONQuotesSyntax?
  /// Nil means NULL.
  package var onEmpty: JSONQueryBehavior?
  /// Nil means NULL.
  package var onError: JSONQueryBehavior?
  @Positional package var range: SourceRange
}

/// `JSON_OBJECT(KEY k VALUE v, …)`.
package struct JSONObjectSyntax: Hashable, Sendable {
  package var members: [JSONObjectMemberSyntax]
  /// `NULL ON NULL` (the default) or `ABSENT ON NULL`.
  package var isAbsentOnNull: Bool
  /// `WITH UNIQUE KEYS`; the default is WITHOUT.
  package var isUniqueKeys: Bool
  package var returning: TypeSyntax?
  package var returningFormat: JSONFormatSyntax?
  @Positional package var range: SourceRange
}

/// One key and value.
package struct JSONObjectMemberSyntax: Hashable, Sendable {
  package var key: ExpressionSyntax
  package var value: JSONInputSyntax
}

/// `JSON_ARRAY(a, b, …)`.
package struct JSONArraySyntax: Hashable, Sendable {
  package var elements: [JSONInputSyntax]
  /// `ABSENT ON NULL` (the default) or `NULL ON NULL`.
  package var isNullOnNull: Bool
  package var returning: TypeSyntax?
  package var returningFormat: JSONFormatSyntax?
  @Positional package var range: SourceRange
}

/// `JSON_TABLE(…)` in FROM.
package struct JSONTableSyntax: Hashable, Sendable {
  package var path: JSONPathInvocationSyntax
  package var columns: [JSONTableColumnSyntax]
  package var plan: JSONTablePlanSyntax?
  /// `ERROR ON ERROR`; nil or false means EMPTY ON ERROR.
  package var isErrorOnError: Bool?
  @Positional package var range: SourceRange
}

/// One column of JSON_TABLE.
package indirect enum JSONTableColumnSyntax: Hashable, Sendable {
  case ordinality(Identifier)
  case value(JSONTableValueColumnSyntax)
  case query(JSONTableQueryColumnSyntax)
  case nested(JSONTableNestedColumnsSyntax)
}

/// `name type [PATH 'path'] [… ON EMPTY] [… ON ERROR]`.
package struct JSONTableValueColumnSyntax: Hashable, Sendable {
  package var name: Identifier
  package var type: TypeSyntax
  package var path: StringSyntax?
  package var onEmpty: JSONValueBehavior?
  package var onError: JSONValueBehavior?
}

/// `name type FORMAT JSON [PATH 'path'] …`.
package struct JSONTableQueryColumnSyntax: Hashable, Sendable {
  package var name: Identifier
  package var type: TypeSyntax
  package var format: JSONFormatSyntax
  package var path: StringSyntax?
  package var wrapper: JSONWrapper?
  package var quotes: JSONQuotesSyntax?
  package var onEmpty: JSONQueryBehavior?
  package var onError: JSONQueryBehavior?
}

/// `NESTED PATH 'path' [AS name] COLUMNS (…)`.
package struct JSONTableNestedColumnsSyntax: Hashable, Sendable {
  package var path: StringSyntax
  package var pathName: Identifier?
  package var columns: [JSONTableColumnSyntax]
}

/// How nested paths combine.
package indirect enum JSONTablePlanSyntax: Hashable, Sendable {
  case leaf(Identifier)
  case join(parent: Identifier, isOuter: Bool, child: JSONTablePlanSyntax)
  case union([JSONTablePlanSyntax])
  case cross([JSONTablePlanSyntax])
  /// `PLAN DEFAULT (OUTER|INNER, UNION|CROSS)`
  case `default`(isOuter: Bool, isUnion: Bool)
}
