import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

/// What expressions of one SELECT ask of the plan beneath them: subqueries, aggregates and windows.
///
/// Bound expressions name the outcome of each by a column of its own; the block adds the nodes that yield these columns
/// as late as possible, but before whatever uses them.
final class QueryBlock {
  /// A subquery that will become an `ApplyNode`.
  struct Subquery {
    var kind: Kind
    var plan: LogicalPlan
    /// The left operand of IN and of quantified comparisons.
    var probe: Expression?
    /// The column that expressions use.
    var output: ColumnReference
    var range: SourceRange
    /// The whole expression, for errors.
    var syntax: ExpressionSyntax
    var isAttached = false

    enum Kind {
      case scalar
      case exists
      case inSubquery
      /// No subquery: the value of `probe`, computed once for each row, for subqueries that are compared with it.
      case value
      case quantified(op: String, isAll: Bool)
    }
  }

  /// An aggregate whose arguments are still expressions.
  struct Aggregate {
    var output: ColumnReference
    var function: AggregateFunction
    var overloadIndex: Int
    var binding: SignatureBinding
    var arguments: [Expression]
    var isDistinct: Bool
    var filter: Expression?
    var ordering: [Ordering]
    var range: SourceRange

    /// What equal aggregates have in common.
    struct Identity: Hashable {
      var function: String
      var overloadIndex: Int
      var returnType: DataType
      var arguments: [Expression]
      var isDistinct: Bool
      var filter: Expression?
      var ordering: [Ordering]
    }
    var identity: Identity {
      Identity(
        function: function.name, overloadIndex: overloadIndex, returnType: binding.returnType, arguments: arguments,
        isDistinct: isDistinct, filter: filter, ordering: ordering)
    }

    var expressions: [Expression] { arguments + (filter.map { [$0] } ?? []) + ordering.map(\.expression) }
  }

  /// One key of an ORDER BY that is still an expression.
  struct Ordering: Hashable {
    var expression: Expression
    var isAscending: Bool
    var nullsFirst: Bool
  }

  /// A call over a window whose parts are still expressions.
  struct Window {
    var output: ColumnReference
    var function: WindowCall.Function
    var binding: SignatureBinding
    var arguments: [Expression]
    var partition: [Expression]
    var ordering: [Ordering]
    var unit: WindowFrame.Unit
    var start: Bound
    var end: Bound
    var ignoresNulls: Bool
    var isDistinct: Bool
    var filter: Expression?
    /// ORDER BY inside the call.
    var callOrdering: [Ordering] = []
    /// The row pattern whose matches the call sees, by its number in the block.
    var pattern: Int?
    var range: SourceRange

    enum Bound: Hashable {
      case unboundedPreceding
      case preceding(Expression)
      case currentRow
      case following(Expression)
      case unboundedFollowing

      var offset: Expression? {
        switch self {
        case .preceding(let expression), .following(let expression): expression
        case .unboundedPreceding, .currentRow, .unboundedFollowing: nil
        }
      }
    }

    mutating func mapExpressions(_ change: (Expression) throws(QueryError) -> Expression) throws(QueryError) {
      for index in arguments.indices { arguments[index] = try change(arguments[index]) }
      for index in partition.indices { partition[index] = try change(partition[index]) }
      for index in ordering.indices { ordering[index].expression = try change(ordering[index].expression) }
      for index in callOrdering.indices { callOrdering[index].expression = try change(callOrdering[index].expression) }
      if let expression = filter { filter = try change(expression) }
      start = try Window.map(start, change)
      end = try Window.map(end, change)
    }

    static func map(
      _ bound: Bound, _ change: (Expression) throws(QueryError) -> Expression
    ) throws(QueryError) -> Bound {
      switch bound {
      case .preceding(let expression): .preceding(try change(expression))
      case .following(let expression): .following(try change(expression))
      default: bound
      }
    }

    var expressions: [Expression] {
      arguments + partition + (ordering + callOrdering).map(\.expression)
        + [filter, start.offset, end.offset].compactMap { $0 }
    }
  }

  /// A window with a row pattern; its parts are still expressions.
  struct WindowPattern {
    /// The frame as written, by which equal windows are known.
    var syntax: WindowFrameSyntax
    var scope: Scope
    var partition: [Expression]
    var ordering: [Ordering]
    var frameEnd: Window.Bound
    var specification: RowPatternSpecification

    mutating func mapExpressions(_ change: (Expression) throws(QueryError) -> Expression) throws(QueryError) {
      for index in partition.indices { partition[index] = try change(partition[index]) }
      for index in ordering.indices { ordering[index].expression = try change(ordering[index].expression) }
      frameEnd = try Window.map(frameEnd, change)
      specification = try specification.mapped({ (expression) throws(QueryError) in expression }, inputs: change)
    }

    var expressions: [Expression] {
      partition + ordering.map(\.expression) + [frameEnd.offset].compactMap { $0 } + specification.inputExpressions
    }
  }

  let context: QueryContext
  /// Named windows of the WINDOW clause; see `windowKey`.
  var windowDefinitions: [String: WindowSpecificationSyntax] = [:]
  var subqueries: [Subquery] = []
  private(set) var aggregates: [Aggregate] = []
  private var knownAggregates: [Aggregate.Identity: ColumnReference] = [:]
  var windows: [Window] = []
  /// Windows with row patterns, whether calls or measures ask for them.
  var patterns: [WindowPattern] = []
  /// Outputs of `windows`, for the check that they do not nest.
  var windowOutputs: Set<ColumnReference> = []
  var aggregateOutputs: Set<ColumnReference> = []
  /// GROUPING() calls: what they ask, by the column that expressions use.
  var groupings: [(output: ColumnReference, arguments: [(expression: Expression, text: String)], range: SourceRange)] = []
  /// Subqueries bound before in the block's main scope.
  var knownSubqueries: [ExpressionSyntax: Expression] = [:]

  init(context: QueryContext) { self.context = context }

  /// The column that will hold an aggregate's value; equal ones are computed once.
  func add(_ aggregate: Aggregate) -> ColumnReference {
    if let known = knownAggregates[aggregate.identity] { return known }
    knownAggregates[aggregate.identity] = aggregate.output
    aggregates.append(aggregate)
    aggregateOutputs.insert(aggregate.output)
    return aggregate.output
  }

  /// What all windows are computed from.
  var windowExpressions: [Expression] { windows.flatMap(\.expressions) + patterns.flatMap(\.expressions) }

  /// Rewrites what windows are computed from.
  ///
  /// - Parameter change: is given the range of the call or window too.
  func mapWindowExpressions(
    _ change: (Expression, SourceRange) throws(QueryError) -> Expression
  ) throws(QueryError) {
    for index in windows.indices {
      let range = windows[index].range
      try windows[index].mapExpressions { (expression) throws(QueryError) in try change(expression, range) }
    }
    for index in patterns.indices {
      let range = patterns[index].syntax.range
      try patterns[index].mapExpressions { (expression) throws(QueryError) in try change(expression, range) }
    }
  }

  /// What windows' names are compared by: unlike other names, in upper case unless they stand in quotes.
  static func windowKey(_ name: Identifier) -> String { name.isDelimited ? name.name : name.name.uppercased() }
}

/// Where an expression stands: what names mean there and what is allowed.
struct ExpressionContext {
  /// A clause as error messages name it.
  enum Clause: Equatable {
    case select
    case orderBy
    case having
    case qualify
    /// Neither aggregates nor windows.
    case other(String)

    var allowsAggregates: Bool { if case .other = self { false } else { true } }
    var allowsWindows: Bool {
      switch self {
      case .select, .orderBy, .qualify: true
      case .having, .other: false
      }
    }
  }

  /// Nil where only constants may stand.
  var scope: Scope?
  /// Nil where subqueries may not stand.
  var block: QueryBlock?
  var clause: Clause
  /// The expression that is the clause, for errors.
  var clauseRange: SourceRange?
  /// The aggregate whose arguments these are.
  var aggregateName: String?
  /// The window function whose arguments these are.
  var windowName: String?
  /// Parameters of the lambdas around, innermost last.
  var lambdas: [[String: ColumnReference]] = []
  /// The operand of the simple CASE around, for predicates of its branches.
  var caseOperand: Expression?
  /// ORDER BY: columns of the SELECT list, which aggregates may not use.
  var outputScope: Scope?
  /// Inside of an aggregate of ORDER BY: columns of the SELECT list, which shadow those of FROM but may not be used.
  var refusedScope: Scope?
  /// Set inside of MEASURES and DEFINE.
  var pattern: PatternPlace?

  init(scope: Scope?, block: QueryBlock?, clause: Clause, clauseRange: SourceRange? = nil) {
    self.scope = scope
    self.block = block
    self.clause = clause
    self.clauseRange = clauseRange
  }
}

/// Queries named by WITH, visible from where it stands inwards.
final class NamedQueries {
  enum Entry {
    /// Bound once, used by reference.
    case shared(CommonDefinition, columns: [BoundRows.Column])
    /// Uses columns of a query around it: bound again for each use.
    case correlated(NamedQuerySyntax, QueryContext)
    /// The rows of the round before, inside of the step of a recursive query.
    case recursion(RecursionMarker)
    /// Reads the rows of the round before, so that it cannot be computed once for all: may be used once.
    case step(RecursiveStepQuery)
  }

  let parent: NamedQueries?
  /// Whether these are names seen within a query of WITH RECURSIVE.
  let isInRecursion: Bool
  private var entries: [String: Entry] = [:]

  init(parent: NamedQueries?, isInRecursion: Bool = false) {
    self.parent = parent
    self.isInRecursion = isInRecursion || parent?.isInRecursion == true
  }

  func find(_ name: String) -> Entry? { entries[name] ?? parent?.find(name) }

  func set(_ name: String, _ entry: Entry) { entries[name] = entry }
}

/// A WITH query inside of a recursive query's step that refers to that query.
final class RecursiveStepQuery {
  let rows: BoundRows
  var isUsed = false

  init(_ rows: BoundRows) { self.rows = rows }
}

/// A recursive query while its parts are bound.
final class RecursionMarker {
  let name: String
  let id: Int
  /// Nil while the part that must not refer to the query is bound.
  var columns: [BoundRows.Column]?
  /// Whether that part is the base of the recursion, rather than a query that cannot be recursive at all.
  var isInAnchor = false
  /// Where the query's name was used.
  var uses: [SourceRange] = []

  init(name: String, id: Int) {
    self.name = name
    self.id = id
  }
}
