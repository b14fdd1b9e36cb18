import Columnar
import QueryErrors
import SQLFunctions

/// Turns bound expressions into evaluation nodes; equal subexpressions become one node.
struct ExpressionCompiler {
  private var slots: [ColumnID: Int]
  private var slotCount: Int
  private var known: [Expression: EvaluationNode] = [:]
  private var cacheSlotCount = 0

  /// - Parameter inputs: the batch's columns, in order.
  init(inputs: [ColumnReference]) {
    slots = Dictionary(inputs.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    slotCount = inputs.count
  }

  mutating func compile(_ expression: Expression) throws(QueryError) -> EvaluationNode {
    switch expression {
    case .column, .constant, .lambda: return try makeNode(expression)
    default: break
    }
    if let node = known[expression] {
      if node.cacheSlot == nil {
        node.cacheSlot = cacheSlotCount
        cacheSlotCount += 1
      }
      return node
    }
    let node = try makeNode(expression)
    if expression.isDeterministic { known[expression] = node }
    return node
  }

  private mutating func compileAll(_ expressions: [Expression]) throws(QueryError) -> [EvaluationNode] {
    var nodes: [EvaluationNode] = []
    for expression in expressions { nodes.append(try compile(expression)) }
    return nodes
  }

  private mutating func makeNode(_ expression: Expression) throws(QueryError) -> EvaluationNode {
    switch expression {
    case .column(let column):
      guard let slot = slots[column.id] else {
        throw .internalError("column \(column.name)\(column.id) is not among the inputs of its operator")
      }
      return ColumnNode(slot: slot, column.type)
    case .constant(let value, let type): return ConstantNode(value, type)
    case .call(let call): return try makeCall(call)
    case .cast(let cast): return try makeCast(cast)
    case .and(let operands), .or(let operands):
      var nodes: [(node: EvaluationNode, mayFail: Bool)] = []
      for operand in operands { nodes.append((try compile(operand), operand.mayFail)) }
      if case .and = expression { return LogicalNode(nodes, isAnd: true) }
      return LogicalNode(nodes, isAnd: false)
    case .caseWhen(let expression):
      var branches: [(condition: EvaluationNode, result: EvaluationNode)] = []
      for branch in expression.branches {
        branches.append((try compile(branch.condition), try compile(branch.result)))
      }
      return CaseNode(branches: branches, otherwise: try compile(expression.otherwise), expression.type)
    case .coalesce(let operands, let type): return CoalesceNode(try compileAll(operands), type)
    case .inList(let list): return try makeInList(list)
    case .tryCatch(let operand): return TryNode(try compile(operand))
    case .field(let operand, let index, let type): return FieldNode(try compile(operand), index: index, type)
    case .lambda: throw .internalError("a lambda stands where no function takes one")
    }
  }

  private mutating func makeCall(_ call: ScalarCall) throws(QueryError) -> EvaluationNode {
    var arguments: [EvaluationNode] = []
    var lambdas: [LambdaNode] = []
    for argument in call.arguments {
      if case .lambda(let lambda) = argument {
        lambdas.append(try compileLambda(lambda))
      } else {
        arguments.append(try compile(argument))
      }
    }
    let kernel: Kernel
    do throws(QueryError) { kernel = try call.overload.makeKernel(call.binding) } catch {
      throw error.located(at: call.range)
    }
    return CallNode(
      call.binding.returnType, kernel: kernel, arguments: arguments, lambdas: lambdas,
      propagatesNulls: call.overload.propagatesNulls, isFoldable: call.function.determinism != .volatile,
      range: call.range)
  }

  /// - Returns: the body compiled with the parameters in slots of their own behind the batch's columns.
  mutating func compileLambda(_ lambda: LambdaExpression) throws(QueryError) -> LambdaNode {
    let firstSlot = slotCount
    // Equal lambdas name their parameters alike but keep them in other slots: their bodies share no nodes.
    let outerSlots = slots
    let outerKnown = known
    known = [:]
    for (index, parameter) in lambda.parameters.enumerated() { slots[parameter.id] = firstSlot + index }
    slotCount += lambda.parameters.count
    let body = try compile(lambda.body)
    slots = outerSlots
    known = outerKnown
    return LambdaNode(body: body, firstSlot: firstSlot)
  }

  private mutating func makeCast(_ cast: CastExpression) throws(QueryError) -> EvaluationNode {
    let operand = try compile(cast.operand)
    let node = try ExpressionCompiler.castNode(operand, to: cast.type, range: cast.range)
    return cast.isTry ? TryNode(node) : node
  }

  static func castNode(
    _ operand: EvaluationNode, to type: DataType, range: SourceRange?
  ) throws(QueryError) -> EvaluationNode {
    guard let factory = CastRegistry.makeKernel(from: operand.type, to: type) else {
      throw QueryError(.typeMismatch, "Cannot cast \(operand.type) to \(type)", at: range)
    }
    let kernel = try factory(SignatureBinding(argumentTypes: [operand.type], returnType: type))
    return CallNode(
      type, kernel: kernel, arguments: [operand], lambdas: [], propagatesNulls: true, isFoldable: true, range: range)
  }

  private mutating func makeInList(_ list: InListExpression) throws(QueryError) -> EvaluationNode {
    let constants = list.items.compactMap(\.constantValue)
    if constants.count == list.items.count, let set = InSetKernel(constants, type: list.value.type) {
      return CallNode(
        .boolean, kernel: set.kernel, arguments: [try compile(list.value)], lambdas: [], propagatesNulls: true,
        isFoldable: true, range: nil)
    }
    var comparisons: [Expression] = []
    for item in list.items { comparisons.append(try .equals(list.value, item)) }
    return try compile(comparisons.count == 1 ? comparisons[0] : .or(comparisons))
  }
}
