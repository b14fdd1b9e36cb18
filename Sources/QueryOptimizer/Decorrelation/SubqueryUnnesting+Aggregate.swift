import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

extension SubqueryUnnesting {
  func push(_ node: AggregateNode, _ domain: SubqueryDomain) throws(QueryError) -> Unnested {
    let isGlobal = node.groupingSets.count == 1 && node.keys.isEmpty
    if !isGlobal, node.groupingSets.contains(where: \.isEmpty) { return try push(try withoutEmptySets(node), domain) }
    let inner = try completed(try push(node.input, domain), domain)
    var aggregate = node
    aggregate.input = inner.plan
    // The domain's columns become keys of every grouping set.
    var map: [ColumnReference: ColumnReference] = [:]
    let first = aggregate.keys.count
    for column in domain.columns {
      let input = inner.domain[column]!
      let output = node.keys.contains { $0.output == input } ? context.newColumn(column.name, column.type) : input
      aggregate.keys.append(.init(input: input, output: output))
      map[column] = output
    }
    let added = Array(first..<aggregate.keys.count)
    aggregate.groupingSets = aggregate.groupingSets.map { $0 + added }
    for index in aggregate.calls.indices {
      aggregate.calls[index].arguments = aggregate.calls[index].arguments.map { argument in
        replaced(argument, inner.domain)
      }
    }
    var defaults: [ColumnReference: Expression]?
    if isGlobal {
      var values: [ColumnReference: Expression] = [:]
      for call in node.calls {
        let accumulator = try call.overload.makeAccumulator(
          AccumulatorContext(binding: call.binding, session: context.session))
        accumulator.resize(groupCount: 1)
        values[call.reference] = .constant(try accumulator.finish(0..<1).scalar(0), call.reference.type)
      }
      defaults = values
    }
    return Unnested(plan: .aggregate(aggregate), domain: map, defaults: defaults)
  }

  /// Grouping sets with an empty one, which yields a row even of no rows: a union of an aggregate of the other sets and
  /// of global ones.
  private func withoutEmptySets(_ node: AggregateNode) throws(QueryError) -> LogicalPlan {
    let definition = CommonDefinition(id: context.newCommonID(), name: "grouped", plan: node.input)
    let others = node.groupingSets.indices.filter { !node.groupingSets[$0].isEmpty }
    var inputs: [LogicalPlan] = []
    if !others.isEmpty { inputs.append(try part(node, others, definition)) }
    for set in node.groupingSets.indices where node.groupingSets[set].isEmpty {
      inputs.append(try part(node, [set], definition))
    }
    if inputs.count == 1 {
      return .project(
        ProjectNode(
          input: inputs[0], assignments: zip(node.outputs, inputs[0].outputs).map { .init($0, .column($1)) }))
    }
    return .setOperation(SetOperationNode(.union, isAll: true, inputs: inputs, outputs: node.outputs))
  }

  /// Some of an aggregate's grouping sets under columns of their own, in the order of its outputs; several that are not
  /// empty, or one.
  private func part(
    _ node: AggregateNode, _ sets: [Int], _ definition: CommonDefinition
  ) throws(QueryError) -> LogicalPlan {
    func fresh(_ column: ColumnReference) -> ColumnReference { context.newColumn(column.name, column.type) }
    let columns = definition.plan.outputs
    let uses = columns.map(fresh)
    let names = Dictionary(zip(columns, uses).map { ($0.id, $1) }, uniquingKeysWith: { first, _ in first })
    var part = node
    part.groupingSets = sets.map { node.groupingSets[$0] }
    let isEmpty = part.groupingSets == [[]]
    if isEmpty { part.keys = [] }
    // Only the aggregate's own columns are renamed.
    part.input = .values(ValuesNode(outputs: [], rows: []))
    guard case .aggregate(var own) = LogicalPlan.aggregate(part).replacingColumns(names) else {
      throw .internalError("an aggregate turned into something else")
    }
    own.input = .common(CommonNode(definition: definition, outputs: uses))
    var assignments: [ProjectNode.Assignment] = []
    for index in own.keys.indices {
      own.keys[index].output = sets.count > 1 ? fresh(own.keys[index].output) : own.keys[index].input
    }
    for (index, key) in node.keys.enumerated() {
      assignments.append(.init(fresh(key.output), isEmpty ? .null(key.output.type) : .column(own.keys[index].output)))
    }
    for index in own.calls.indices {
      own.calls[index].reference = fresh(own.calls[index].reference)
      assignments.append(.init(fresh(own.calls[index].reference), .column(own.calls[index].reference)))
    }
    if let index = node.groupingSetIndex {
      // Which of the part's sets it is → which of the whole it is.
      var number = Expression.constant(.integer(Int64(sets[sets.count - 1])), index.type)
      own.groupingSetIndex = nil
      if sets.count > 1 {
        let position = fresh(index)
        own.groupingSetIndex = position
        var branches: [CaseExpression.Branch] = []
        for (place, set) in sets.dropLast().enumerated() {
          branches.append(
            .init(
              condition: try .equals(.column(position), .constant(.integer(Int64(place)), index.type)),
              result: .constant(.integer(Int64(set)), index.type)))
        }
        number = .caseWhen(CaseExpression(branches: branches, otherwise: number, type: index.type))
      }
      assignments.append(.init(fresh(index), number))
    }
    return .project(ProjectNode(input: .aggregate(own), assignments: assignments))
  }
}
