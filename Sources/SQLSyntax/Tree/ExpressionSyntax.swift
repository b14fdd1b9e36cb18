package import QueryErrors

/// An expression as written.
///
/// Chains are flat so that long ones stay shallow: `a AND b AND c` is one `logical` node with three operands, `1 + 2 - 3`
/// one `arithmetic` node whose terms apply from left to right. Parentheses leave no node; the tree's shape keeps them.
///
/// Special forms that are plain function calls in Trino's tree are so here: `SUBSTRING(x FROM a FOR b)` is
/// `substring(x, a, b)`, `POSITION(a IN b)` is `strpos(b, a)`, `TRIM(LEADING c FROM x)` is `ltrim(x, c)` (`trim`, `rtrim`
/// likewise), `NORMALIZE(x, NFD)` is `normalize(x, 'NFD')`, `OVERLAY(x PLACING y FROM a FOR b)` is `overlay(x, y, a, b)`,
/// `a OVERLAPS b` is `overlaps(a, b)`. `IF`, `COALESCE`, `NULLIF` and `TRY` are
/// ordinary calls too.
package indirect enum ExpressionSyntax: Hashable, Sendable {
  case literal(LiteralSyntax)
  /// A column, a lambda's argument, or a pattern variable.
  case identifier(Identifier)
  /// `base.field`: a qualified column or a row's field; the binder decides.
  case dereference(DereferenceSyntax)
  /// `?`
  case parameter(ParameterSyntax)
  case unary(UnarySyntax)
  case arithmetic(ArithmeticSyntax)
  /// `a || b || c`
  case concatenation(ConcatenationSyntax)
  case comparison(ComparisonSyntax)
  /// `a AND b AND c`, `a OR b OR c`
  case logical(LogicalSyntax)
  case not(NotSyntax)
  case isNull(IsNullSyntax)
  case isDistinctFrom(IsDistinctFromSyntax)
  case between(BetweenSyntax)
  case inList(InListSyntax)
  case inSubquery(InSubquerySyntax)
  case exists(ExistsSyntax)
  case quantifiedComparison(QuantifiedComparisonSyntax)
  case like(LikeSyntax)
  case subquery(SubquerySyntax)
  case `case`(CaseSyntax)
  /// The operand of the enclosing simple CASE, in `WHEN > 0`; stands nowhere else. See `WhenSyntax`.
  case caseOperand(CaseOperandSyntax)
  case cast(CastSyntax)
  case extract(ExtractSyntax)
  case atTimeZone(AtTimeZoneSyntax)
  /// `CURRENT_DATE`, `CURRENT_TIMESTAMP(p)` and their like.
  case currentTime(CurrentTimeSyntax)
  /// `CURRENT_USER`, `CURRENT_CATALOG`, `CURRENT_SCHEMA`, `CURRENT_PATH`
  case currentName(CurrentNameSyntax)
  /// `ROW(a, b)` and `(a, b)`
  case row(RowSyntax)
  case array(ArraySyntax)
  case `subscript`(SubscriptSyntax)
  case lambda(LambdaSyntax)
  case functionCall(FunctionCallSyntax)
  /// `name OVER window`: a measure of a window with row pattern recognition.
  case measure(MeasureReferenceSyntax)
  /// `GROUPING(a, b)`
  case grouping(GroupingSyntax)
  case jsonExists(JSONExistsSyntax)
  case jsonValue(JSONValueSyntax)
  case jsonQuery(JSONQuerySyntax)
  case jsonObject(JSONObjectSyntax)
  case jsonArray(JSONArraySyntax)

  package var range: SourceRange {
    switch self {
    case .literal(let node): node.range
    case .identifier(let node): node.range
    case .dereference(let node): node.range
    case .parameter(let node): node.range
    case .unary(let node): node.range
    case .arithmetic(let node): node.range
    case .concatenation(let node): node.range
    case .comparison(let node): node.range
    case .logical(let node): node.range
    case .not(let node): node.range
    case .isNull(let node): node.range
    case .isDistinctFrom(let node): node.range
    case .between(let node): node.range
    case .inList(let node): node.range
    case .inSubquery(let node): node.range
    case .exists(let node): node.range
    case .quantifiedComparison(let node): node.range
    case .like(let node): node.range
    case .subquery(let node): node.range
    case .case(let node): node.range
    case .caseOperand(let node): node.range
    case .cast(let node): node.range
    case .extract(let node): node.range
    case .atTimeZone(let node): node.range
    case .currentTime(let node): node.range
    case .currentName(let node): node.range
    case .row(let node): node.range
    case .array(let node): node.range
    case .subscript(let node): node.range
    case .lambda(let node): node.range
    case .functionCall(let node): node.range
    case .measure(let node): node.range
    case .grouping(let node): node.range
    case .jsonExists(let node): node.range
    case .jsonValue(let node): node.range
    case .jsonQuery(let node): node.range
    case .jsonObject(let node): node.range
    case .jsonArray(let node): node.range
    }
  }

  /// The name that `a.b.c` spells when it is nothing but identifiers and dots, else nil.
  package var qualifiedName: QualifiedName? {
    switch self {
    case .identifier(let identifier): return QualifiedName(identifier)
    case .dereference:
      var parts: [Identifier] = []
      var node = self
      while case .dereference(let dereference) = node {
        parts.append(dereference.field)
        node = dereference.base
      }
      guard case .identifier(let first) = node else { return nil }
      parts.append(first)
      return QualifiedName(parts: parts.reversed(), range: range)
    default: return nil
    }
  }
}

/// `base.field`.
package struct DereferenceSyntax: Hashable, Sendable {
  package var base: ExpressionSyntax
  package var field: Identifier
  @Positional package var range: SourceRange

  package init(base: ExpressionSyntax, field: Identifier, range: SourceRange) {
    self.base = base
    self.field = field
    self.range = range
  }
}

/// The `?` number `index` of the statement, counted from 0 in text order.
package struct ParameterSyntax: Hashable, Sendable {
  package var index: Int
  @Positional package var range: SourceRange
}

/// `-a`, `+a`.
package struct UnarySyntax: Hashable, Sendable {
  package enum Operator: String, Hashable, Sendable {
    case plus = "+"
    case minus = "-"
  }

  package var `operator`: Operator
  package var operand: ExpressionSyntax
  @Positional package var range: SourceRange
}

/// Arithmetic operators; raw values are the SQL signs.
package enum ArithmeticOperator: String, Hashable, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case modulus = "%"

  /// Whether it is `*`, `/` or `%`, which bind tighter than `+` and `-`.
  package var isMultiplicative: Bool { self != .add && self != .subtract }
}

/// A left-associative chain of operators of one precedence: `first op₁ t₁ op₂ t₂ …` is `((first op₁ t₁) op₂ t₂) …`.
///
/// - Shape: `terms` is never empty; its operators are all additive or all multiplicative.
package struct ArithmeticSyntax: Hashable, Sendable {
  package var first: ExpressionSyntax
  package var terms: [ArithmeticTermSyntax]
  @Positional package var range: SourceRange
}

/// One `op operand` of a chain.
package struct ArithmeticTermSyntax: Hashable, Sendable {
  package var `operator`: ArithmeticOperator
  package var operand: ExpressionSyntax
  /// Where the operator's sign stands; Trino reports type errors there.
  @Positional package var operatorRange: SourceRange
}

/// `a || b || c`, applied from left to right.
///
/// - Shape: two operands or more; `operatorRanges` has one fewer.
package struct ConcatenationSyntax: Hashable, Sendable {
  package var operands: [ExpressionSyntax]
  /// Where each `||` stands.
  package var operatorRanges: [Positional]
  @Positional package var range: SourceRange
}

/// Comparison operators; raw values are the SQL signs.
package enum ComparisonOperator: String, Hashable, Sendable {
  case equal = "="
  case notEqual = "<>"
  case lessThan = "<"
  case lessThanOrEqual = "<="
  case greaterThan = ">"
  case greaterThanOrEqual = ">="
}

/// `a < b`.
package struct ComparisonSyntax: Hashable, Sendable {
  package var left: ExpressionSyntax
  package var `operator`: ComparisonOperator
  package var right: ExpressionSyntax
  /// Where the operator's sign stands.
  @Positional package var operatorRange: SourceRange
  @Positional package var range: SourceRange
}

/// `a AND b AND …` or `a OR b OR …`.
///
/// - Shape: two operands or more.
package struct LogicalSyntax: Hashable, Sendable {
  package enum Operator: String, Hashable, Sendable {
    case and = "AND"
    case or = "OR"
  }

  package var `operator`: Operator
  package var operands: [ExpressionSyntax]
  @Positional package var range: SourceRange
}

/// `NOT a`.
package struct NotSyntax: Hashable, Sendable {
  package var operand: ExpressionSyntax
  @Positional package var range: SourceRange
}

/// `a IS [NOT] NULL`.
package struct IsNullSyntax: Hashable, Sendable {
  package var operand: ExpressionSyntax
  package var isNegated: Bool
  /// Where the operator's words stand; Trino reports type errors there.
  @Positional package var operatorRange: SourceRange
  @Positional package var range: SourceRange
}

/// `a IS [NOT] DISTINCT FROM b`.
package struct IsDistinctFromSyntax: Hashable, Sendable {
  package var left: ExpressionSyntax
  package var right: ExpressionSyntax
  package var isNegated: Bool
  /// Where the operator's words stand; Trino reports type errors there.
  @Positional package var operatorRange: SourceRange
  @Positional package var range: SourceRange
}

/// `a [NOT] BETWEEN low AND high`.
package struct BetweenSyntax: Hashable, Sendable {
  package var operand: ExpressionSyntax
  package var low: ExpressionSyntax
  package var high: ExpressionSyntax
  package var isNegated: Bool
  /// Where the operator's words stand; Trino reports type errors there.
  @Positional package var operatorRange: SourceRange
  @Positional package var range: SourceRange
}

/// `a [NOT] IN (b, c)`.
package struct InListSyntax: Hashable, Sendable {
  package var operand: ExpressionSyntax
  package var list: [ExpressionSyntax]
  package var isNegated: Bool
  /// Where the operator's words stand; Trino reports type errors there.
  @Positional package var operatorRange: SourceRange
  @Positional package var range: SourceRange
}

/// `a [NOT] IN (query)`.
package struct InSubquerySyntax: Hashable, Sendable {
  package var operand: ExpressionSyntax
  package var query: QuerySyntax
  package var isNegated: Bool
  /// Where the operator's words stand; Trino reports type errors there.
  @Positional package var operatorRange: SourceRange
  @Positional package var range: SourceRange
}

/// `EXISTS (query)`.
package struct ExistsSyntax: Hashable, Sendable {
  package var query: QuerySyntax
  @Positional package var range: SourceRange
}

/// `a < ALL (query)`, `a = ANY (query)`.
package struct QuantifiedComparisonSyntax: Hashable, Sendable {
  /// `some` means the same as `any`.
  package enum Quantifier: String, Hashable, Sendable {
    case all = "ALL"
    case any = "ANY"
    case some = "SOME"
  }

  package var operand: ExpressionSyntax
  package var `operator`: ComparisonOperator
  package var quantifier: Quantifier
  package var query: QuerySyntax
  /// Where the operator's words stand; Trino reports type errors there.
  @Positional package var operatorRange: SourceRange
  @Positional package var range: SourceRange
}

/// `a [NOT] LIKE pattern [ESCAPE escape]`.
package struct LikeSyntax: Hashable, Sendable {
  package var operand: ExpressionSyntax
  package var pattern: ExpressionSyntax
  package var escape: ExpressionSyntax?
  package var isNegated: Bool
  /// Where the operator's words stand; Trino reports type errors there.
  @Positional package var operatorRange: SourceRange
  @Positional package var range: SourceRange
}

/// `(query)` as a value.
package struct SubquerySyntax: Hashable, Sendable {
  package var query: QuerySyntax
  @Positional package var range: SourceRange
}

/// `CASE [operand] WHEN … THEN … [ELSE …] END`.
package struct CaseSyntax: Hashable, Sendable {
  /// Present in the simple form: each WHEN is compared with it.
  package var operand: ExpressionSyntax?
  package var branches: [WhenSyntax]
  package var otherwise: ExpressionSyntax?
  @Positional package var range: SourceRange
}

/// `WHEN condition THEN result`.
package struct WhenSyntax: Hashable, Sendable {
  /// In a searched CASE and where `isPredicate`, a condition; else a value to compare the operand with.
  package var condition: ExpressionSyntax
  package var result: ExpressionSyntax
  /// Whether a simple CASE has a predicate here, as in `CASE x WHEN IN (1, 2) THEN … WHEN > 5 THEN …`: `condition` is
  /// that predicate with a `.caseOperand` as its operand. The operand is evaluated once for all branches.
  package var isPredicate: Bool
  @Positional package var range: SourceRange
}

/// The place of a simple CASE's operand inside a predicate of one of its branches.
package struct CaseOperandSyntax: Hashable, Sendable {
  @Positional package var range: SourceRange
}

/// `CAST(a AS type)`, `TRY_CAST(a AS type)`.
package struct CastSyntax: Hashable, Sendable {
  package var operand: ExpressionSyntax
  package var type: TypeSyntax
  package var isTry: Bool
  @Positional package var range: SourceRange

  package init(operand: ExpressionSyntax, type: TypeSyntax, isTry: Bool, range: SourceRange) {
    self.operand = operand
    self.type = type
    self.isTry = isTry
    self.range = range
  }
}

/// `EXTRACT(field FROM a)`.
package struct ExtractSyntax: Hashable, Sendable {
  package var field: ExtractField
  package var operand: ExpressionSyntax
  @Positional package var range: SourceRange
}

/// `a AT TIME ZONE zone`; `zone` is a string or interval literal, or a call of `current_timezone` for `AT LOCAL`.
package struct AtTimeZoneSyntax: Hashable, Sendable {
  package var operand: ExpressionSyntax
  package var zone: ExpressionSyntax
  /// Where the operator's words stand; Trino reports type errors there.
  @Positional package var operatorRange: SourceRange
  @Positional package var range: SourceRange
}

/// The date or time of the query's start.
package struct CurrentTimeSyntax: Hashable, Sendable {
  package enum Function: String, Hashable, Sendable {
    case currentDate = "CURRENT_DATE"
    case currentTime = "CURRENT_TIME"
    case currentTimestamp = "CURRENT_TIMESTAMP"
    case localTime = "LOCALTIME"
    case localTimestamp = "LOCALTIMESTAMP"
  }

  package var function: Function
  /// Nil when not written; never for `CURRENT_DATE`.
  package var precision: Int64?
  @Positional package var range: SourceRange
}

/// A name of the session.
package struct CurrentNameSyntax: Hashable, Sendable {
  package enum Function: String, Hashable, Sendable {
    case user = "CURRENT_USER"
    case catalog = "CURRENT_CATALOG"
    case schema = "CURRENT_SCHEMA"
    case path = "CURRENT_PATH"
  }

  package var function: Function
  @Positional package var range: SourceRange
}

/// `ROW(a, b)` or `(a, b)`.
package struct RowSyntax: Hashable, Sendable {
  package var fields: [RowFieldSyntax]
  @Positional package var range: SourceRange
}

/// One value of a row; `name` is from `ROW(value AS name)`.
package struct RowFieldSyntax: Hashable, Sendable {
  package var value: ExpressionSyntax
  package var name: Identifier?
}

/// `ARRAY[a, b]`.
package struct ArraySyntax: Hashable, Sendable {
  package var elements: [ExpressionSyntax]
  @Positional package var range: SourceRange
}

/// `base[index]`.
package struct SubscriptSyntax: Hashable, Sendable {
  package var base: ExpressionSyntax
  /// Nil for `base[*]`: all elements of a JSON array.
  package var index: ExpressionSyntax?
  @Positional package var range: SourceRange
}

/// `x -> body`, `(x, y) -> body`, `() -> body`.
package struct LambdaSyntax: Hashable, Sendable {
  package var parameters: [Identifier]
  package var body: ExpressionSyntax
  @Positional package var range: SourceRange
}

/// `GROUPING(a, t.b)`; each argument is an identifier or a dereference.
package struct GroupingSyntax: Hashable, Sendable {
  package var columns: [ExpressionSyntax]
  @Positional package var range: SourceRange
}
