import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions

/// `sum(x + 1), sum(x + 2)` as `sum(x) + 1 * count(x), sum(x) + 2 * count(x)`: one sum and one count for all of them.
///
/// Only over integers of at most 32 bits, where neither `x + 1` nor the sum of as many rows as there can be overflows.
package struct FactorConstantsFromSums: OptimizerRule {
  package static let name = "factor_constants_from_sums"
  package init() {}

  /// `sum(base + offset)`.
  private struct ShiftedSum {
    var base: Expression
    var offset: Int64
    var filter: ColumnReference?
  }

  private struct Shared: Hashable {
    var base: Expression
    var filter: ColumnReference?
  }

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    try plan.rewritten { (node) throws(QueryError) -> LogicalPlan in
      guard case .aggregate(let aggregate) = node, case .project(let project) = aggregate.input else { return node }
      return try factored(aggregate, project, context) ?? node
    }
  }

  private func factored(
    _ aggregate: AggregateNode, _ project: ProjectNode, _ context: OptimizerContext
  ) throws(QueryError) -> LogicalPlan? {
    let shifted = aggregate.calls.map { shiftedSum($0, project) }
    var uses: [Shared: Int] = [:]
    for sum in shifted { if let sum { uses[Shared(base: sum.base, filter: sum.filter), default: 0] += 1 } }
    guard uses.values.contains(where: { $0 > 2 }) else { return nil }

    var input = project
    var calls: [AggregateCall] = []
    var parts: [Shared: (sum: ColumnReference, count: ColumnReference)] = [:]
    var outputs: [ProjectNode.Assignment] = aggregate.keys.map { .init($0.output, .column($0.output)) }
    for (call, shift) in zip(aggregate.calls, shifted) {
      guard let shift, let useCount = uses[Shared(base: shift.base, filter: shift.filter)], useCount > 2 else {
        calls.append(call)
        outputs.append(.init(call.reference, .column(call.reference)))
        continue
      }
      let key = Shared(base: shift.base, filter: shift.filter)
      if parts[key] == nil {
        let base = context.newColumn("base", shift.base.type)
        input.assignments.append(.init(base, shift.base))
        var sum = call
        sum.reference = context.newColumn("sum", call.reference.type)
        sum.arguments = [.column(base)]
        var count = try context.aggregate("count", [.column(base)])
        count.filter = call.filter
        calls += [sum, count]
        parts[key] = (sum.reference, count.reference)
      }
      let (sum, count) = parts[key]!
      let added = try Expression.call("*", [.constant(.integer(shift.offset), .bigint), .column(count)])
      outputs.append(.init(call.reference, try Expression.call("+", [.column(sum), added])))
    }
    if let index = aggregate.groupingSetIndex { outputs.append(.init(index, .column(index))) }
    var result = aggregate
    result.input = .project(input)
    result.calls = calls
    return .project(ProjectNode(input: .aggregate(result), assignments: outputs))
  }

  private func shiftedSum(_ call: AggregateCall, _ project: ProjectNode) -> ShiftedSum? {
    guard call.function.name == "sum", !call.isDistinct, call.ordering.isEmpty,
      let column = call.arguments.first?.columnReference,
      let value = project.assignments.first(where: { $0.reference == column })?.expression,
      let range = integerRange(value.type), value.isDeterministic
    else { return nil }
    // The base itself takes part: sum(x) beside sum(x + 1).
    var base = value
    var offset: Int64 = 0
    if case .call(let sum) = value, sum.arguments.count == 2, ["+", "-"].contains(sum.function.name) {
      if let constant = integer(sum.arguments[1]) {
        base = sum.arguments[0]
        offset = sum.function.name == "+" ? constant : 0 - constant
      } else if let constant = integer(sum.arguments[0]), sum.function.name == "+" {
        base = sum.arguments[1]
        offset = constant
      }
    }
    guard base.type == value.type, !base.mayFail else { return nil }
    var narrow = base
    while case .cast(let cast) = narrow, !cast.isTry, integerRange(cast.operand.type) != nil { narrow = cast.operand }
    guard let possible = integerRange(narrow.type), possible.lowerBound + offset >= range.lowerBound,
      possible.upperBound + offset <= range.upperBound
    else { return nil }
    return ShiftedSum(base: base, offset: offset, filter: call.filter)
  }

  /// A constant small enough that sums with it stay within 64 bits.
  private func integer(_ expression: Expression) -> Int64? {
    guard case .constant(.integer(let value), let type) = expression, integerRange(type) != nil || type == .bigint,
      value.magnitude < 1 << 31
    else { return nil }
    return value
  }

  private func integerRange(_ type: DataType) -> ClosedRange<Int64>? {
    switch type {
    case .tinyint: Int64(Int8.min)...Int64(Int8.max)
    case .smallint: Int64(Int16.min)...Int64(Int16.max)
    case .integer: Int64(Int32.min)...Int64(Int32.max)
    default: nil
    }
  }
}
