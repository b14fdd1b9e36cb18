package import QueryErrors
package import SQLExpressions
package import SQLFunctions

/// Finds sequences of sorted rows that match a row pattern: MATCH_RECOGNIZE, and windows with PATTERN.
package struct RowPatternNode: Sendable {
  /// Which rows come out.
  package enum RowsPerMatch: Sendable, Hashable {
    case one
    case all(showsEmpty: Bool, showsUnmatched: Bool)
    /// Every input row once, with the measures and calls of the match that starts there.
    case window
  }

  package var input: LogicalPlan
  package var partitionKeys: [ColumnReference]
  package var ordering: [SortKey]
  package var pattern: RowPatternSpecification
  package var rowsPerMatch: RowsPerMatch
  /// Input columns handed on.
  package var kept: [ColumnReference]
  /// Windows: where the rows end that a match may use; a row count behind the current row, or the partition's end.
  package var frameEnd: WindowFrame.Bound
  /// Windows: calls over the matched rows. Their own frames mean nothing.
  package var calls: [WindowCall]

  package init(
    input: LogicalPlan, partitionKeys: [ColumnReference], ordering: [SortKey], pattern: RowPatternSpecification,
    rowsPerMatch: RowsPerMatch, kept: [ColumnReference], frameEnd: WindowFrame.Bound = .unboundedFollowing,
    calls: [WindowCall] = []
  ) {
    self.input = input
    self.partitionKeys = partitionKeys
    self.ordering = ordering
    self.pattern = pattern
    self.rowsPerMatch = rowsPerMatch
    self.kept = kept
    self.frameEnd = frameEnd
    self.calls = calls
  }

  package var outputs: [ColumnReference] { kept + pattern.measures.map(\.reference) + calls.map(\.reference) }
}

/// What is searched for, and what is computed from matches.
///
/// Primary pattern variables are numbered by their place in `variables`; union variables are lists of such numbers.
package struct RowPatternSpecification: Sendable {
  /// Where the search goes on after a match that is not empty.
  package enum Skip: Sendable, Hashable {
    case pastLastRow
    case nextRow
    case first([Int])
    case last([Int])
  }

  /// One column computed from each match.
  package struct Measure: Sendable {
    package var reference: ColumnReference
    package var value: PatternExpression

    package init(_ reference: ColumnReference, _ value: PatternExpression) {
      self.reference = reference
      self.value = value
    }
  }

  /// Names of the primary variables, as CLASSIFIER() gives them.
  package var variables: [String]
  package var pattern: RowPattern
  /// A condition per variable; nil for variables that any row matches.
  package var definitions: [PatternExpression?]
  package var measures: [Measure]
  package var skip: Skip
  /// Whether a match must start at the row where the search does.
  package var isInitial: Bool
  /// What arguments of aggregates call the variable and the number of a row's match.
  package var classifier: ColumnReference
  package var matchNumber: ColumnReference
  package var range: SourceRange?

  package init(
    variables: [String], pattern: RowPattern, definitions: [PatternExpression?], measures: [Measure], skip: Skip,
    isInitial: Bool, classifier: ColumnReference, matchNumber: ColumnReference, range: SourceRange?
  ) {
    self.variables = variables
    self.pattern = pattern
    self.definitions = definitions
    self.measures = measures
    self.skip = skip
    self.isInitial = isInitial
    self.classifier = classifier
    self.matchNumber = matchNumber
    self.range = range
  }

  /// Rewrites conditions and measures; `inputs` rewrites what they read of the rows, down to aggregates' arguments.
  package func mapped<E: Error>(
    _ change: (Expression) throws(E) -> Expression, inputs: (Expression) throws(E) -> Expression
  ) throws(E) -> RowPatternSpecification {
    var result = self
    for index in definitions.indices {
      result.definitions[index] = try definitions[index]?.mapped(change, inputs: inputs)
    }
    for index in measures.indices {
      result.measures[index].value = try measures[index].value.mapped(change, inputs: inputs)
    }
    return result
  }

  /// The same with every value looked up in a row being a column.
  package func withColumns(_ column: (Expression) -> ColumnReference) -> RowPatternSpecification {
    func materialized(_ expression: PatternExpression) -> PatternExpression {
      var result = expression
      for index in result.inputs.indices {
        if case .value(let value, let pointer) = result.inputs[index].source {
          result.inputs[index].source = .value(.column(column(value)), pointer)
        }
      }
      return result
    }
    var result = self
    result.definitions = definitions.map { $0.map(materialized) }
    for index in measures.indices { result.measures[index].value = materialized(measures[index].value) }
    return result
  }

  /// What conditions and measures read of the rows.
  package var inputExpressions: [Expression] {
    (definitions.compactMap { $0 } + measures.map(\.value)).flatMap(\.inputs).flatMap(\.source.expressions)
  }
}

/// A regular expression over rows.
package indirect enum RowPattern: Sendable, Hashable {
  case variable(Int)
  case empty
  case partitionStart
  case partitionEnd
  case concatenation([RowPattern])
  case alternation([RowPattern])
  case permutation([RowPattern])
  case exclusion(RowPattern)
  /// `atMost` nil: no limit.
  case quantified(RowPattern, atLeast: Int, atMost: Int?, isReluctant: Bool)
}

/// An expression over values that are looked up in a match.
package struct PatternExpression: Sendable {
  /// Reads only the references of `inputs`.
  package var expression: Expression
  package var inputs: [PatternInput]

  package init(expression: Expression, inputs: [PatternInput]) {
    self.expression = expression
    self.inputs = inputs
  }

  func mapped<E: Error>(
    _ change: (Expression) throws(E) -> Expression, inputs changeInput: (Expression) throws(E) -> Expression
  ) throws(E) -> PatternExpression {
    var result = self
    result.expression = try change(expression)
    for index in inputs.indices {
      switch inputs[index].source {
      case .value(let value, let pointer): result.inputs[index].source = .value(try changeInput(value), pointer)
      case .aggregate(var aggregate):
        for k in aggregate.arguments.indices { aggregate.arguments[k] = try changeInput(aggregate.arguments[k]) }
        result.inputs[index].source = .aggregate(aggregate)
      case .classifier, .matchNumber: break
      }
    }
    return result
  }
}

/// One value that an expression looks up in a match.
package struct PatternInput: Sendable {
  package enum Source: Sendable {
    /// A column of the row that the pointer finds; NULL when there is none.
    case value(Expression, PatternPointer)
    /// The variable that the row was matched with.
    case classifier(PatternPointer)
    case matchNumber
    case aggregate(PatternAggregate)

    package var expressions: [Expression] {
      switch self {
      case .value(let value, _): [value]
      case .aggregate(let aggregate): aggregate.arguments
      case .classifier, .matchNumber: []
      }
    }
  }

  package var reference: ColumnReference
  package var source: Source

  package init(_ reference: ColumnReference, _ source: Source) {
    self.reference = reference
    self.source = source
  }
}

/// Which row of a match is meant: `PREV(LAST(A.x, 2), 1)`.
///
/// First a row among those matched with `variables`, counted from the match's first or last such row; from there some
/// rows back or on, whatever they were matched with.
package struct PatternPointer: Sendable, Hashable {
  /// Ascending; empty means all rows of the match.
  package var variables: [Int]
  package var isLast: Bool
  /// Whether LAST counts from the current row instead of from the match's end.
  package var isRunning: Bool
  package var logicalOffset: Int
  /// Negative: back.
  package var physicalOffset: Int

  package init(
    variables: [Int] = [], isLast: Bool = true, isRunning: Bool = true, logicalOffset: Int = 0, physicalOffset: Int = 0
  ) {
    self.variables = variables
    self.isLast = isLast
    self.isRunning = isRunning
    self.logicalOffset = logicalOffset
    self.physicalOffset = physicalOffset
  }
}

/// An aggregate over the rows of a match that were matched with some variables.
package struct PatternAggregate: Sendable {
  package var function: AggregateFunction
  package var overloadIndex: Int
  package var binding: SignatureBinding
  /// Over a row's columns, its variable and the match's number.
  package var arguments: [Expression]
  /// Ascending; empty means all rows.
  package var variables: [Int]
  /// Whether only rows up to the current one count.
  package var isRunning: Bool
  package var range: SourceRange?

  package init(
    function: AggregateFunction, overloadIndex: Int, binding: SignatureBinding, arguments: [Expression],
    variables: [Int], isRunning: Bool, range: SourceRange?
  ) {
    self.function = function
    self.overloadIndex = overloadIndex
    self.binding = binding
    self.arguments = arguments
    self.variables = variables
    self.isRunning = isRunning
    self.range = range
  }
}
