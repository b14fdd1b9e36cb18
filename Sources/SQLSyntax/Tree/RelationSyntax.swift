package import QueryErrors

/// Something in FROM that yields rows. Parentheses leave no node.
package indirect enum RelationSyntax: Hashable, Sendable {
  case table(TableSyntax)
  /// `'path/*.parquet'`: files read in place; not in Athena.
  case file(FileRelationSyntax)
  case subquery(SubqueryRelationSyntax)
  case unnest(UnnestSyntax)
  case lateral(SubqueryRelationSyntax)
  /// `TABLE(function(…))`
  case tableFunction(TableFunctionSyntax)
  case jsonTable(JSONTableSyntax)
  case aliased(AliasedRelationSyntax)
  case sampled(SampledRelationSyntax)
  case matchRecognize(MatchRecognizeSyntax)
  case join(JoinSyntax)

  package var range: SourceRange {
    switch self {
    case .table(let node): node.range
    case .file(let node): node.range
    case .subquery(let node): node.range
    case .unnest(let node): node.range
    case .lateral(let node): node.range
    case .tableFunction(let node): node.range
    case .jsonTable(let node): node.range
    case .aliased(let node): node.range
    case .sampled(let node): node.range
    case .matchRecognize(let node): node.range
    case .join(let node): node.range
    }
  }
}

/// A table or view by name, maybe as of an earlier time.
package struct TableSyntax: Hashable, Sendable {
  package var name: QualifiedName
  package var period: QueryPeriodSyntax?
  @Positional package var range: SourceRange

  package init(name: QualifiedName) {
    self.name = name
    self.range = name.range
  }
}

/// `FOR TIMESTAMP|VERSION AS OF expression`.
package struct QueryPeriodSyntax: Hashable, Sendable {
  package enum Unit: String, Hashable, Sendable {
    case timestamp = "TIMESTAMP"
    case version = "VERSION"
  }

  package var unit: Unit
  package var end: ExpressionSyntax
  @Positional package var range: SourceRange
}

/// Files named in the query itself.
package struct FileRelationSyntax: Hashable, Sendable {
  package var path: StringSyntax
  package var range: SourceRange { path.range }
}

/// `(query)` or `LATERAL (query)`.
package struct SubqueryRelationSyntax: Hashable, Sendable {
  package var query: QuerySyntax
  @Positional package var range: SourceRange
}

/// `UNNEST(a, b) [WITH ORDINALITY]`.
package struct UnnestSyntax: Hashable, Sendable {
  package var expressions: [ExpressionSyntax]
  package var isWithOrdinality: Bool
  @Positional package var range: SourceRange
}

/// `relation [AS] alias [(a, b)]`.
package struct AliasedRelationSyntax: Hashable, Sendable {
  package var relation: RelationSyntax
  package var alias: Identifier
  /// Empty when not written.
  package var columnAliases: [Identifier]
  @Positional package var range: SourceRange
}

/// `relation TABLESAMPLE BERNOULLI|SYSTEM (percentage)`.
package struct SampledRelationSyntax: Hashable, Sendable {
  package enum Method: String, Hashable, Sendable {
    case bernoulli = "BERNOULLI"
    case system = "SYSTEM"
  }

  package var relation: RelationSyntax
  package var method: Method
  package var percentage: ExpressionSyntax
  @Positional package var range: SourceRange
}

/// `left JOIN right`.
package struct JoinSyntax: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    case cross = "CROSS"
    case inner = "INNER"
    case left = "LEFT"
    case right = "RIGHT"
    case full = "FULL"
  }

  /// How rows match; `.none` for CROSS JOIN only.
  package indirect enum Condition: Hashable, Sendable {
    case none
    case on(ExpressionSyntax)
    case using([Identifier])
    case natural
  }

  package var kind: Kind
  package var left: RelationSyntax
  package var right: RelationSyntax
  package var condition: Condition
  @Positional package var range: SourceRange
}

/// `TABLE(name(arguments [COPARTITION …]))`.
package struct TableFunctionSyntax: Hashable, Sendable {
  package var name: QualifiedName
  package var arguments: [TableFunctionArgumentSyntax]
  package var copartitions: [[QualifiedName]]
  @Positional package var range: SourceRange
}

/// `[name =>] value`.
package struct TableFunctionArgumentSyntax: Hashable, Sendable {
  package indirect enum Value: Hashable, Sendable {
    case table(TableArgumentSyntax)
    /// `DESCRIPTOR(a bigint, b)`
    case descriptor([DescriptorFieldSyntax])
    /// `CAST(NULL AS DESCRIPTOR)`
    case nullDescriptor
    case expression(ExpressionSyntax)
  }

  package var name: Identifier?
  package var value: Value
  @Positional package var range: SourceRange
}

/// One field of a DESCRIPTOR.
package struct DescriptorFieldSyntax: Hashable, Sendable {
  package var name: Identifier
  package var type: TypeSyntax?
}

/// `TABLE(t) [AS a] [PARTITION BY …] [PRUNE|KEEP WHEN EMPTY] [ORDER BY …]`.
package struct TableArgumentSyntax: Hashable, Sendable {
  /// A table, a subquery, or either with an alias.
  package var relation: RelationSyntax
  /// Nil without PARTITION BY; empty for `PARTITION BY ()`.
  package var partitionBy: [ExpressionSyntax]?
  /// `PRUNE WHEN EMPTY` true, `KEEP WHEN EMPTY` false, neither nil.
  package var isPruneWhenEmpty: Bool?
  package var orderBy: [SortItemSyntax]
}
