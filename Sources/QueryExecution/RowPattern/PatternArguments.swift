import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

/// The sorted rows that patterns are matched over, and how plans name their columns.
struct PatternRows {
  var batch: Batch
  var layout: [ColumnReference]
  /// Names of the variables, one row each.
  var variableNames: Column

  func column(_ reference: ColumnReference) throws(QueryError) -> Column {
    guard let index = layout.firstIndex(of: reference) else {
      throw .internalError("column \(reference.name)\(reference.id) is missing in the input of a row pattern")
    }
    return batch.columns[index]
  }
}

/// Computes the arguments of an aggregate for rows of matches.
///
/// - Threads: one owner.
final class PatternArguments {
  private let evaluator: ExpressionEvaluator
  private let columns: [Column]
  private let usesClassifier: Bool
  private let usesMatchNumber: Bool
  private let variableNames: Column

  /// - Throws: what making kernels for the arguments throws.
  init(
    _ aggregate: PatternAggregate, _ specification: RowPatternSpecification, _ rows: PatternRows,
    session: SessionContext
  ) throws(QueryError) {
    let expressions = aggregate.arguments.filter { if case .lambda = $0 { false } else { true } }
    var used: Set<ColumnReference> = []
    for expression in expressions { used.formUnion(expression.columnsUsed) }
    usesClassifier = used.remove(specification.classifier) != nil
    usesMatchNumber = used.remove(specification.matchNumber) != nil
    var inputs = used.sorted { $0.id.rawValue < $1.id.rawValue }
    var columns: [Column] = []
    for input in inputs { columns.append(try rows.column(input)) }
    self.columns = columns
    variableNames = rows.variableNames
    if usesClassifier { inputs.append(specification.classifier) }
    if usesMatchNumber { inputs.append(specification.matchNumber) }
    evaluator = try ExpressionEvaluator(expressions, inputs: inputs, session: session)
  }

  /// The arguments for `rows`, matched with `variables` in the matches `numbers`.
  func evaluate(
    _ rows: [Int32], variables: [Int32], numbers: () -> Column
  ) throws(QueryError) -> [Column] {
    let count = rows.count
    var inputs = rows.withUnsafeBufferPointer { p in columns.map { $0.take(p.baseAddress!, count: count) } }
    if usesClassifier {
      inputs.append(variables.withUnsafeBufferPointer { variableNames.take($0.baseAddress!, count: count) })
    }
    if usesMatchNumber { inputs.append(numbers()) }
    return try evaluator.evaluate(Batch(columns: inputs, rowCount: count))
  }

  var needsVariables: Bool { usesClassifier }
}

extension PatternAggregate {
  /// Makes accumulators of the aggregate.
  func accumulators(_ session: SessionContext) -> @Sendable () throws(QueryError) -> any GroupsAccumulator {
    function.overloads[overloadIndex].accumulators(binding, arguments, session)
  }
}
