package import QueryErrors

/// `relation MATCH_RECOGNIZE (…)`.
package struct MatchRecognizeSyntax: Hashable, Sendable {
  package enum RowsPerMatch: String, Hashable, Sendable {
    case one = "ONE ROW PER MATCH"
    case allShowEmpty = "ALL ROWS PER MATCH SHOW EMPTY MATCHES"
    case allOmitEmpty = "ALL ROWS PER MATCH OMIT EMPTY MATCHES"
    case allWithUnmatched = "ALL ROWS PER MATCH WITH UNMATCHED ROWS"
  }

  package var input: RelationSyntax
  package var partitionBy: [ExpressionSyntax]
  package var orderBy: [SortItemSyntax]
  package var measures: [MeasureDefinitionSyntax]
  /// Nil means ONE ROW PER MATCH; plain ALL ROWS PER MATCH is `allShowEmpty`.
  package var rowsPerMatch: RowsPerMatch?
  /// Nil means past the last row.
  package var afterMatch: SkipToSyntax?
  package var searchMode: PatternSearchMode?
  package var pattern: RowPatternSyntax
  package var subsets: [SubsetDefinitionSyntax]
  package var definitions: [VariableDefinitionSyntax]
  @Positional package var range: SourceRange
}

/// `expression AS name`.
package struct MeasureDefinitionSyntax: Hashable, Sendable {
  package var expression: ExpressionSyntax
  package var name: Identifier
}

/// `AFTER MATCH SKIP …`.
package enum SkipToSyntax: Hashable, Sendable {
  case nextRow
  case pastLastRow
  case first(Identifier)
  case last(Identifier)
}

/// Where a pattern may start matching.
package enum PatternSearchMode: String, Hashable, Sendable {
  case initial = "INITIAL"
  case seek = "SEEK"
}

/// `name = (a, b)` after SUBSET.
package struct SubsetDefinitionSyntax: Hashable, Sendable {
  package var name: Identifier
  package var members: [Identifier]
}

/// `name AS condition` after DEFINE.
package struct VariableDefinitionSyntax: Hashable, Sendable {
  package var name: Identifier
  package var condition: ExpressionSyntax
}

/// A regular expression over rows.
package indirect enum RowPatternSyntax: Hashable, Sendable {
  case variable(Identifier)
  /// `()`
  case empty
  /// `^`
  case partitionStart(Positional)
  /// `$`
  case partitionEnd(Positional)
  case concatenation([RowPatternSyntax])
  /// `a | b`
  case alternation([RowPatternSyntax])
  /// `PERMUTE(a, b)`
  case permutation([RowPatternSyntax])
  /// `{- a -}`
  case exclusion(RowPatternSyntax, Positional)
  case quantified(RowPatternSyntax, RowPatternQuantifier)
}

/// `*`, `+`, `?`, `{n}`, `{n,m}`, and their reluctant forms.
package struct RowPatternQuantifier: Hashable, Sendable {
  package var atLeast: Int64
  /// Nil means no limit.
  package var atMost: Int64?
  package var isReluctant: Bool
  @Positional package var range: SourceRange
}
