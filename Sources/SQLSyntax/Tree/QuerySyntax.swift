package import QueryErrors

/// A query: `[WITH …] body [ORDER BY …] [OFFSET …] [LIMIT … | FETCH …]`.
package struct QuerySyntax: Hashable, Sendable {
  package var with: WithSyntax?
  package var body: QueryBodySyntax
  package var orderBy: [SortItemSyntax] = []
  package var offset: RowCountSyntax?
  package var limit: LimitSyntax?
  @Positional package var range: SourceRange

  package init(body: QueryBodySyntax, range: SourceRange) {
    self.body = body
    self.range = range
  }
}

/// The part of a query that yields rows.
package indirect enum QueryBodySyntax: Hashable, Sendable {
  case select(SelectSyntax)
  case values(ValuesSyntax)
  /// `TABLE name`
  case table(TableSyntax)
  /// `(query)` as an operand or as the whole; it has its own ORDER BY and LIMIT.
  case query(QuerySyntax)
  case setOperation(SetOperationSyntax)

  package var range: SourceRange {
    switch self {
    case .select(let node): node.range
    case .values(let node): node.range
    case .table(let node): node.range
    case .query(let node): node.range
    case .setOperation(let node): node.range
    }
  }
}

/// `WITH [RECURSIVE] a AS (…), b AS (…)`.
package struct WithSyntax: Hashable, Sendable {
  package var isRecursive: Bool
  package var queries: [NamedQuerySyntax]
  @Positional package var range: SourceRange
}

/// `name [(columns)] AS (query)`.
package struct NamedQuerySyntax: Hashable, Sendable {
  package var name: Identifier
  package var columnAliases: [Identifier]
  package var query: QuerySyntax
  @Positional package var range: SourceRange
}

/// A left-associative chain of set operations of one precedence; INTERSECT, which binds tighter, nests inside.
///
/// - Shape: `terms` is never empty; its operators are all INTERSECT or none is.
package struct SetOperationSyntax: Hashable, Sendable {
  package enum Operator: String, Hashable, Sendable {
    case union = "UNION"
    case except = "EXCEPT"
    case intersect = "INTERSECT"
  }

  package var first: QueryBodySyntax
  package var terms: [SetOperationTermSyntax]
  @Positional package var range: SourceRange
}

/// `UNION ALL body`.
package struct SetOperationTermSyntax: Hashable, Sendable {
  package var `operator`: SetOperationSyntax.Operator
  /// `ALL`; otherwise duplicates go.
  package var isAll: Bool
  package var body: QueryBodySyntax
  @Positional package var operatorRange: SourceRange
}

/// `VALUES row, row`; a row is a `.row` expression or one value.
package struct ValuesSyntax: Hashable, Sendable {
  package var rows: [ExpressionSyntax]
  @Positional package var range: SourceRange
}

/// How many rows: a number or a parameter.
package enum RowCountSyntax: Hashable, Sendable {
  case integer(Int64, Positional)
  case parameter(ParameterSyntax)
}

/// `LIMIT …` or `FETCH FIRST …`.
package enum LimitSyntax: Hashable, Sendable {
  /// `LIMIT ALL`: no limit.
  case all
  case limit(RowCountSyntax)
  /// `FETCH FIRST [n] ROWS ONLY|WITH TIES`; a missing count means 1.
  case fetchFirst(RowCountSyntax?, isWithTies: Bool)
}

/// One key of an ORDER BY.
package struct SortItemSyntax: Hashable, Sendable {
  package var expression: ExpressionSyntax
  package var isDescending: Bool
  /// Nil when not written; Trino's default is last in both directions.
  package var isNullsFirst: Bool?
  @Positional package var range: SourceRange
}

/// `SELECT … FROM … WHERE … GROUP BY … HAVING … WINDOW … [QUALIFY …]`.
package struct SelectSyntax: Hashable, Sendable {
  package var isDistinct = false
  package var items: [SelectItemSyntax] = []
  /// Comma-separated relations: a cross join of all of them, later ones seeing earlier ones where they are lateral.
  package var from: [RelationSyntax] = []
  package var `where`: ExpressionSyntax?
  package var groupBy: GroupBySyntax?
  package var having: ExpressionSyntax?
  package var windows: [WindowDefinitionSyntax] = []
  /// `QUALIFY condition`, not in Athena: filters after window functions.
  package var qualify: ExpressionSyntax?
  /// The word QUALIFY; empty when there is none.
  @Positional package var qualifyKeyword: SourceRange
  /// The comma after the last item, not in Athena; empty when there is none.
  @Positional package var trailingComma: SourceRange
  @Positional package var range: SourceRange

  package init(range: SourceRange) {
    let nowhere = SourceRange(start: range.start, end: range.start)
    qualifyKeyword = nowhere
    trailingComma = nowhere
    self.range = range
  }

  /// Where the word SELECT stands.
  package var keywordRange: SourceRange {
    let start = range.start
    return SourceRange(
      start: start, end: SourcePosition(offset: start.offset + 6, line: start.line, column: start.column + 6))
  }
}

/// One item of a SELECT list.
package enum SelectItemSyntax: Hashable, Sendable {
  case expression(SelectExpressionSyntax)
  case star(SelectStarSyntax)

  package var range: SourceRange {
    switch self {
    case .expression(let item): item.range
    case .star(let item): item.range
    }
  }
}

/// `expression [[AS] alias]`.
package struct SelectExpressionSyntax: Hashable, Sendable {
  package var expression: ExpressionSyntax
  package var alias: Identifier?
  @Positional package var range: SourceRange
}

/// `*`, `t.*`, `row_value.* AS (a, b)`.
package struct SelectStarSyntax: Hashable, Sendable {
  /// What stands before `.*`: a relation's name or a row value.
  package var qualifier: ExpressionSyntax?
  package var aliases: [Identifier]
  /// `EXCEPT (a, b)`, not in Athena: leaves these columns out.
  package var except: [Identifier]
  /// `REPLACE (expression AS a)`, not in Athena: puts these in place of the columns.
  package var replace: [SelectReplacementSyntax]
  @Positional package var range: SourceRange
}

/// `expression AS name` inside REPLACE.
package struct SelectReplacementSyntax: Hashable, Sendable {
  package var expression: ExpressionSyntax
  package var name: Identifier
}

/// `GROUP BY [ALL|DISTINCT] element, …`.
package struct GroupBySyntax: Hashable, Sendable {
  /// `GROUP BY DISTINCT`: equal grouping sets count once.
  package var isDistinct: Bool
  /// `GROUP BY ALL` and nothing more, not in Athena: groups by every item that has no aggregate; `elements` is empty.
  package var isEveryItem: Bool
  package var elements: [GroupingElementSyntax]
  @Positional package var range: SourceRange
}

/// One element; several combine as a cross product of their grouping sets.
package enum GroupingElementSyntax: Hashable, Sendable {
  /// `a`, `(a, b)`, `()`: one grouping set.
  case simple([ExpressionSyntax])
  case rollup([[ExpressionSyntax]])
  case cube([[ExpressionSyntax]])
  case groupingSets([[ExpressionSyntax]])
}

/// `name AS (specification)` after WINDOW.
package struct WindowDefinitionSyntax: Hashable, Sendable {
  package var name: Identifier
  package var specification: WindowSpecificationSyntax
  @Positional package var range: SourceRange
}
