import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

extension Binder {
  /// A window specification with the one it refers to merged in.
  private struct Specification {
    var partition: [ExpressionSyntax] = []
    var ordering: [SortItemSyntax] = []
    var frame: WindowFrameSyntax?
    var range: SourceRange
    /// What comes from a named window means columns of FROM, wherever the call stands.
    var inheritsPartition = false
    var inheritsOrdering = false
    var inheritsFrame = false
  }

  /// Remembers the WINDOW clause and checks every window in it, used or not.
  func defineWindows(
    _ definitions: [WindowDefinitionSyntax], _ scope: Scope, _ block: QueryBlock
  ) throws(QueryError) {
    for definition in definitions {
      if block.windowDefinitions[QueryBlock.windowKey(definition.name)] != nil {
        throw QueryError(
          .duplicateWindowName, "WINDOW name '\(definition.name.canonicalName)' specified more than once",
          at: definition.name.range)
      }
      // A definition may refer to earlier ones only. What it makes is not kept: calls bind it again.
      let own = QueryBlock(context: block.context)
      own.windowDefinitions = block.windowDefinitions
      let place = ExpressionContext(scope: scope, block: own, clause: .select)
      _ = try bindWindow(.specification(definition.specification), definition.name.canonicalName, place, own)
      block.windowDefinitions[QueryBlock.windowKey(definition.name)] = definition.specification
    }
  }

  private func specification(_ reference: WindowReferenceSyntax, _ block: QueryBlock) throws(QueryError) -> Specification {
    switch reference {
    case .named(let name):
      guard let definition = block.windowDefinitions[QueryBlock.windowKey(name)] else { throw windowNotFound(name, block) }
      var result = try resolve(definition, block)
      (result.inheritsPartition, result.inheritsOrdering, result.inheritsFrame) = (true, true, true)
      return result
    case .specification(let syntax): return try resolve(syntax, block)
    }
  }

  private func windowNotFound(_ name: Identifier, _ block: QueryBlock) -> QueryError {
    QueryError(
      .invalidWindowReference, "Cannot resolve WINDOW name \(name.canonicalName)", at: name.range,
      hint: NameSuggestion.hint(
        for: name.canonicalName, among: block.windowDefinitions.keys.map { $0.lowercased() }.sorted()))
  }

  private func resolve(_ syntax: WindowSpecificationSyntax, _ block: QueryBlock) throws(QueryError) -> Specification {
    var result = Specification(
      partition: syntax.partitionBy, ordering: syntax.orderBy, frame: syntax.frame, range: syntax.range)
    guard let name = syntax.existingName else { return result }
    guard let definition = block.windowDefinitions[QueryBlock.windowKey(name)] else { throw windowNotFound(name, block) }
    let base = try resolve(definition, block)
    if let first = syntax.partitionBy.first {
      throw QueryError(
        .invalidPartitionBy, "WINDOW specification with named WINDOW reference cannot specify PARTITION BY",
        at: first.range)
    }
    if let first = syntax.orderBy.first, !base.ordering.isEmpty {
      throw QueryError(
        .invalidOrderBy,
        "Cannot specify ORDER BY if referenced named WINDOW specifies ORDER BY", at: first.range)
    }
    if base.frame != nil {
      throw QueryError(
        .invalidWindowReference, "Cannot reference named WINDOW containing frame specification", at: name.range)
    }
    result.partition = base.partition
    result.inheritsPartition = true
    if result.ordering.isEmpty {
      result.ordering = base.ordering
      result.inheritsOrdering = true
    }
    return result
  }

  /// Binds `function(…) OVER window` to the column that will hold its value.
  func bindWindowCall(
    _ node: FunctionCallSyntax, _ name: String, _ place: ExpressionContext
  ) throws(QueryError) -> Expression {
    let text = ExpressionSyntax.functionCall(node).text
    try refuseNesting(text, node.range, place, isInWindow: place.windowName != nil)
    guard place.lambdas.isEmpty, let block = place.block, place.clause.allowsWindows, let over = node.over else {
      throw windowNotAllowed(text, node.range, place)
    }
    let bound = try bindWindow(over, name, place, block)
    var inner = place
    inner.windowName = name
    let (partition, ordering, frame) = (bound.partition, bound.ordering, bound.frame)
    let specification = bound.specification

    var window: QueryBlock.Window
    if let function = FunctionRegistry.window(name) {
      if node.isDistinct || node.filter != nil || !node.orderBy.isEmpty || node.isStar {
        throw QueryError(
          .functionNotAggregate,
          "DISTINCT, FILTER, ORDER BY and * are only valid for aggregation functions, not for \(name)", at: node.range)
      }
      if name == "lag" || name == "lead", let syntax = specification.frame {
        throw QueryError(
          .invalidWindowFrame, "Cannot specify window frame for \(name) function", at: syntax.range)
      }
      if Binder.rankingFunctions.contains(name), node.nullTreatment != nil {
        throw QueryError(
          .nullTreatmentNotAllowed, "Cannot specify null treatment clause for \(name) function", at: node.range)
      }
      if name == "lag" || name == "lead", specification.ordering.isEmpty {
        throw QueryError(
          .missingOrderBy, "\(name) function requires an ORDER BY window clause", at: node.range)
      }
      let (binding, arguments) = try bindWindowFunction(node, name, function, inner)
      window = QueryBlock.Window(
        output: newColumn(name, binding.returnType), function: .window(function), binding: binding,
        arguments: arguments, partition: partition, ordering: ordering, unit: frame.unit, start: frame.start,
        end: frame.end, ignoresNulls: node.nullTreatment == .ignore, isDistinct: false, filter: nil, range: node.range)
    } else if let function = FunctionRegistry.aggregate(name) {
      if node.nullTreatment != nil {
        throw QueryError(
          .nullTreatmentNotAllowed, "Cannot specify null treatment clause for \(name) function", at: node.range)
      }
      let call = try bindAggregateCall(node, name, function, inner)
      window = QueryBlock.Window(
        output: call.output, function: .aggregate(function, overloadIndex: call.overloadIndex), binding: call.binding,
        arguments: call.arguments, partition: partition, ordering: ordering, unit: frame.unit, start: frame.start,
        end: frame.end, ignoresNulls: false, isDistinct: call.isDistinct, filter: call.filter,
        callOrdering: call.ordering, range: node.range)
    } else if FunctionRegistry.scalar(name) != nil {
      throw QueryError(
        .functionNotWindow, "Not a window function: \(name)", at: node.range)
    } else {
      throw windowFunctionNotFound(name, at: node.range)
    }
    let isOrdered = window.ordering.contains { if case .constant = $0.expression { false } else { true } }
    if !isOrdered, !(window.unit == .range && (window.start.offset != nil || window.end.offset != nil)) { window.ordering = [] }
    window.pattern = bound.pattern
    block.windows.append(window)
    block.windowOutputs.insert(window.output)
    return .column(window.output)
  }

  /// The error for window functions and measures in clauses that take none.
  func windowNotAllowed(_ text: String, _ range: SourceRange, _ place: ExpressionContext) -> QueryError {
    guard place.clause == .having, place.lambdas.isEmpty else { return notScalar(range, text: text, place) }
    return QueryError(
      .nestedWindow, "HAVING clause cannot contain window functions or row pattern measures: [\(text)]",
      at: place.clauseRange ?? range)
  }

  /// Window functions and measures stand neither in aggregates nor in each other's windows.
  private func refuseNesting(
    _ text: String, _ range: SourceRange, _ place: ExpressionContext, isInWindow: Bool
  ) throws(QueryError) {
    let outer: String
    if let aggregate = place.aggregateName {
      outer = "aggregation '\(aggregate)'"
    } else if isInWindow {
      outer = "window specification"
    } else {
      return
    }
    throw QueryError(
      .nestedWindow, "Cannot nest window functions or row pattern measures inside \(outer): [\(text)]", at: range)
  }

  /// What follows OVER, bound.
  private struct BoundWindow {
    var specification: Specification
    var partition: [Expression]
    var ordering: [QueryBlock.Ordering]
    var frame: Frame
    /// The number of its row pattern in the block.
    var pattern: Int?
  }

  private func bindWindow(
    _ over: WindowReferenceSyntax, _ name: String, _ place: ExpressionContext, _ block: QueryBlock
  ) throws(QueryError) -> BoundWindow {
    let specification = try specification(over, block)
    func inner(isInherited: Bool) -> ExpressionContext {
      var inner = place
      inner.windowName = name
      if isInherited, let scope = place.outputScope {
        inner.scope = scope.parent
        inner.outputScope = nil
      }
      return inner
    }
    var partition: [Expression] = []
    for syntax in specification.partition {
      let expression = try bind(syntax, inner(isInherited: specification.inheritsPartition))
      guard expression.type.isComparable else {
        throw QueryError(
          .typeMismatch,
          "\(expression.type) is not comparable, and therefore cannot be used in window function PARTITION BY",
          at: syntax.errorRange)
      }
      if case .constant = expression { continue }
      if !partition.contains(expression) { partition.append(expression) }
    }
    var ordering: [QueryBlock.Ordering] = []
    for item in specification.ordering {
      let expression = try bind(item.expression, inner(isInherited: specification.inheritsOrdering))
      guard expression.type.isOrderable else {
        throw QueryError(
          .typeMismatch,
          "\(expression.type) is not orderable, and therefore cannot be used in window function ORDER BY",
          at: item.expression.errorRange)
      }
      ordering.append(self.ordering(item, expression))
    }
    let framePlace = inner(isInherited: specification.inheritsFrame)
    let clauses = try specification.frame.flatMap { (frame) throws(QueryError) in try patternClauses(frame) }
    let frame = try bindFrame(specification, ordering, framePlace)
    var bound = BoundWindow(specification: specification, partition: partition, ordering: ordering, frame: frame)
    if let clauses, let syntax = specification.frame {
      bound.pattern = try bindWindowPattern(
        clauses, syntax, partition: partition, ordering: ordering, frameEnd: frame.end, framePlace, block)
    }
    return bound
  }

  /// Binds `measure OVER window`.
  func bindMeasure(_ node: MeasureReferenceSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    let text = ExpressionSyntax.measure(node).text
    try refuseNesting(text, node.range, place, isInWindow: place.windowName != nil || place.pattern != nil)
    guard place.lambdas.isEmpty, let block = place.block, place.clause.allowsWindows else {
      throw windowNotAllowed(text, node.range, place)
    }
    let bound = try bindWindow(node.over, node.name.canonicalName, place, block)
    let label = PatternScope.label(node.name)
    let measures = bound.specification.frame?.pattern?.measures ?? []
    let matches = measures.indices.filter { PatternScope.label(measures[$0].name) == label }
    guard let index = matches.first, let pattern = bound.pattern else {
      throw QueryError(
        .invalidWindowMeasure, "Measure \(node.name.name) is not defined in the corresponding window", at: node.range,
        hint: NameSuggestion.hint(for: node.name.canonicalName, among: measures.map(\.name.canonicalName)))
    }
    if matches.count > 1 {
      throw QueryError(.ambiguousName, "Measure \(node.name.name) is defined more than once", at: node.range)
    }
    return .column(block.patterns[pattern].specification.measures[index].reference)
  }

  private static let rankingFunctions: Set<String> = [
    "rank", "dense_rank", "row_number", "percent_rank", "cume_dist", "ntile",
  ]

  // MARK: Frames

  private struct Frame {
    var unit: WindowFrame.Unit
    var start: QueryBlock.Window.Bound
    var end: QueryBlock.Window.Bound
  }

  private func bindFrame(
    _ specification: Specification, _ ordering: [QueryBlock.Ordering], _ place: ExpressionContext
  ) throws(QueryError) -> Frame {
    guard let syntax = specification.frame else {
      return Frame(unit: .range, start: .unboundedPreceding, end: .currentRow)
    }
    func invalid(_ message: String) -> QueryError { QueryError(.invalidWindowFrame, message, at: syntax.range) }
    switch (syntax.start, syntax.end ?? .currentRow) {
    case (.unboundedFollowing, _): throw invalid("Window frame start cannot be UNBOUNDED FOLLOWING")
    case (_, .unboundedPreceding): throw invalid("Window frame end cannot be UNBOUNDED PRECEDING")
    case (.currentRow, .preceding):
      throw invalid("Window frame starting from CURRENT ROW cannot end with PRECEDING")
    case (.following, .preceding): throw invalid("Window frame starting from FOLLOWING cannot end with PRECEDING")
    case (.following, .currentRow): throw invalid("Window frame starting from FOLLOWING cannot end with CURRENT ROW")
    default: break
    }
    let unit: WindowFrame.Unit =
      switch syntax.unit {
      case .rows: .rows
      case .range: .range
      case .groups: .groups
      }
    if unit == .groups, specification.ordering.isEmpty {
      throw QueryError(.missingOrderBy, "Window frame of type GROUPS requires ORDER BY", at: syntax.range)
    }
    return Frame(
      unit: unit, start: try bindBound(syntax.start, "start", unit, specification, ordering, place),
      end: try bindBound(syntax.end ?? .currentRow, "end", unit, specification, ordering, place))
  }

  private func bindBound(
    _ bound: FrameBoundSyntax, _ side: String, _ unit: WindowFrame.Unit, _ specification: Specification,
    _ ordering: [QueryBlock.Ordering], _ place: ExpressionContext
  ) throws(QueryError) -> QueryBlock.Window.Bound {
    switch bound {
    case .unboundedPreceding: return .unboundedPreceding
    case .currentRow: return .currentRow
    case .unboundedFollowing: return .unboundedFollowing
    case .preceding(let syntax):
      return .preceding(try bindOffset(syntax, side, isPreceding: true, unit, specification, ordering, place))
    case .following(let syntax):
      return .following(try bindOffset(syntax, side, isPreceding: false, unit, specification, ordering, place))
    }
  }

  /// The column a frame bound reads: a row or group count, for RANGE the limit of the sort key.
  private func bindOffset(
    _ syntax: ExpressionSyntax, _ side: String, isPreceding: Bool, _ unit: WindowFrame.Unit,
    _ specification: Specification, _ ordering: [QueryBlock.Ordering], _ place: ExpressionContext
  ) throws(QueryError) -> Expression {
    let range = syntax.errorRange
    let offset = try bind(syntax, place)
    if unit != .range {
      let name = unit == .rows ? "ROWS" : "GROUPS"
      guard
        offset.type.isInteger || offset.type == .unknown
          || (offset.type.isDecimal && TypeCoercion.canCoerce(offset.type, to: .decimal(precision: 38, scale: 0)))
      else {
        throw QueryError(
          .typeMismatch,
          "Window frame \(name) \(side) value type must be exact numeric type with scale 0 (actual \(offset.type))",
          at: range)
      }
      let count: Expression
      if offset.type.isDecimal {
        // More rows than can be counted are all rows.
        let limit = Expression.constant(.integer(.max), .bigint)
        let limited = try call("least", [offset, limit.coerced(to: .decimal(precision: 19, scale: 0))], at: range)
        count = .cast(CastExpression(limited, to: .bigint, range: range))
      } else {
        count = offset.coerced(to: .bigint)
      }
      let isValid = try call(">=", [count, .constant(.integer(0), .bigint)], at: range)
      return FrameOffsetCheck.checked(count, isValid: isValid, at: shown(range))
    }
    guard !specification.ordering.isEmpty else {
      throw QueryError(
        .missingOrderBy, "Window frame of type RANGE PRECEDING or FOLLOWING requires ORDER BY", at: specification.range)
    }
    guard specification.ordering.count == 1, let key = ordering.first else {
      throw QueryError(
        .invalidOrderBy,
        "Window frame of type RANGE PRECEDING or FOLLOWING requires single sort item in ORDER BY (actual: "
          + "\(specification.ordering.count))", at: specification.range)
    }
    let keyType = key.expression.type
    switch keyType {
    case .date, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone, .intervalDayToSecond, .intervalYearToMonth:
      break
    default:
      guard keyType.isNumeric else {
        throw QueryError(
          .typeMismatch,
          "Window frame of type RANGE PRECEDING or FOLLOWING requires that sort item type be numeric, datetime or interval "
            + "(actual: \(keyType))", at: range)
      }
    }
    let isValid: Expression
    let typed: Expression
    if keyType.isNumeric {
      guard offset.type.isNumeric || offset.type == .unknown else {
        throw QueryError(
          .typeMismatch,
          "Window frame RANGE value type (\(offset.type)) not compatible with sort item type (\(keyType))", at: range)
      }
      typed = offset.type == .unknown ? offset.coerced(to: keyType) : offset
      isValid = try call(">=", [typed, .constant(.integer(0), .integer)], at: range)
    } else {
      switch offset.type {
      case .intervalDayToSecond, .intervalYearToMonth:
        typed = offset
        isValid = try call(">=", [typed, .constant(.integer(0), offset.type)], at: range)
      default:
        throw QueryError(
          .typeMismatch,
          "Window frame RANGE value type (\(offset.type)) not compatible with sort item type (\(keyType))", at: range)
      }
    }
    // Preceding means smaller keys when they ascend, larger ones when they descend.
    let op = isPreceding == key.isAscending ? "-" : "+"
    var limit: Expression
    do throws(QueryError) { limit = try call(op, [key.expression, typed], at: range) } catch {
      throw QueryError(
        .typeMismatch,
        "Window frame RANGE value type (\(offset.type)) not compatible with sort item type (\(keyType))", at: range)
    }
    // Limits that are no values of the sort key's type, as 1 + 0.5, are compared with the key in their own type.
    if limit.type != keyType, !TypeCoercion.canCoerce(keyType, to: limit.type) {
      guard TypeCoercion.canCoerce(limit.type, to: keyType) else {
        throw QueryError(
          .typeMismatch,
          "Window frame RANGE value type (\(offset.type)) not compatible with sort item type (\(keyType))", at: range)
      }
      limit = coerced(limit, to: keyType)
    }
    return FrameOffsetCheck.checked(limit, isValid: isValid, at: shown(range))
  }

  // MARK: Plan

  /// What windows that are computed together have in common.
  private struct WindowSpecificationKey: Hashable {
    var partition: [Expression]
    var ordering: [QueryBlock.Ordering]
  }

  /// Adds a window node for each specification of the block.
  func attachWindows(_ block: QueryBlock, to plan: LogicalPlan) throws(QueryError) -> LogicalPlan {
    var groups: [WindowSpecificationKey: [QueryBlock.Window]] = [:]
    var order: [WindowSpecificationKey] = []
    for window in block.windows where window.pattern == nil {
      let key = WindowSpecificationKey(partition: window.partition, ordering: window.ordering)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(window)
    }
    try order.first.map { (_) throws(QueryError) in try checkCount(order.count, at: block.windows[0].range) }
    // No window reads what another one yields: one projection serves them all.
    var all = Materializer(self, plan)
    var nodes: [(partition: [ColumnReference], ordering: [SortKey], calls: [WindowCall])] = []
    for key in order {
      let (partition, ordering) = keys(key.partition, key.ordering, &all)
      nodes.append((partition, ordering, calls(groups[key] ?? [], &all)))
    }
    var plan = all.plan()
    for node in nodes {
      plan = .window(
        WindowNode(input: plan, partitionKeys: node.partition, ordering: node.ordering, calls: node.calls))
    }
    for (index, pattern) in block.patterns.enumerated() {
      let kept = plan.outputs
      var materializer = Materializer(self, plan)
      let (partition, ordering) = keys(pattern.partition, pattern.ordering, &materializer)
      let calls = calls(block.windows.filter { $0.pattern == index }, &materializer)
      let specification = pattern.specification.withColumns { materializer.column($0) }
      let frameEnd = bound(pattern.frameEnd, &materializer)
      plan = .rowPattern(
        RowPatternNode(
          input: materializer.plan(), partitionKeys: partition, ordering: ordering, pattern: specification,
          rowsPerMatch: .window, kept: kept, frameEnd: frameEnd, calls: calls))
    }
    return plan
  }

  private func keys(
    _ partition: [Expression], _ ordering: [QueryBlock.Ordering], _ materializer: inout Materializer
  ) -> ([ColumnReference], [SortKey]) {
    var columns: [ColumnReference] = []
    for expression in partition {
      let column = materializer.column(expression)
      if !columns.contains(column) { columns.append(column) }
    }
    return (columns, sortKeys(ordering, &materializer))
  }

  private func sortKeys(_ ordering: [QueryBlock.Ordering], _ materializer: inout Materializer) -> [SortKey] {
    var keys: [SortKey] = []
    for key in ordering {
      // The one key of a RANGE with an offset stays, whatever it is.
      if case .constant = key.expression, ordering.count > 1 { continue }
      keys.append(
        SortKey(materializer.column(key.expression), isAscending: key.isAscending, nullsFirst: key.nullsFirst))
    }
    return keys
  }

  private func calls(_ windows: [QueryBlock.Window], _ materializer: inout Materializer) -> [WindowCall] {
    var calls: [WindowCall] = []
    for window in windows {
      var arguments: [Expression] = []
      for argument in window.arguments { arguments.append(materializer.argument(argument)) }
      var filter: ColumnReference?
      if let condition = window.filter { filter = materializer.column(condition, name: "filter") }
      let frame =
        window.pattern == nil
        ? WindowFrame(
          unit: window.unit, start: bound(window.start, &materializer), end: bound(window.end, &materializer),
          startKey: comparedKey(window, window.start, &materializer),
          endKey: comparedKey(window, window.end, &materializer))
        : .standard
      calls.append(
        WindowCall(
          window.output, function: window.function, binding: window.binding, arguments: arguments, frame: frame,
          ignoresNulls: window.ignoresNulls, isDistinct: window.isDistinct, filter: filter,
          ordering: sortKeys(window.callOrdering, &materializer), range: shown(window.range)))
    }
    return calls
  }

  /// The sort key in the type of a RANGE frame's limit, where that is not the key's own.
  private func comparedKey(
    _ window: QueryBlock.Window, _ bound: QueryBlock.Window.Bound, _ materializer: inout Materializer
  ) -> ColumnReference? {
    guard window.unit == .range, let limit = bound.offset, let key = window.ordering.first?.expression,
      key.type != limit.type
    else { return nil }
    return materializer.column(coerced(key, to: limit.type), name: "framekey")
  }

  private func bound(_ bound: QueryBlock.Window.Bound, _ materializer: inout Materializer) -> WindowFrame.Bound {
    switch bound {
    case .unboundedPreceding: .unboundedPreceding
    case .preceding(let expression): .preceding(materializer.column(expression, name: "framestart"))
    case .currentRow: .currentRow
    case .following(let expression): .following(materializer.column(expression, name: "frameend"))
    case .unboundedFollowing: .unboundedFollowing
    }
  }
}

/// Fails where a frame's offset is negative or NULL.
enum FrameOffsetCheck {
  /// `value`, once `isValid` is true.
  static func checked(_ value: Expression, isValid: Expression, at range: SourceRange?) -> Expression {
    let binding = SignatureBinding(argumentTypes: [.boolean, value.type], returnType: value.type)
    return .call(
      ScalarCall(function, overloadIndex: 0, binding: binding, arguments: [isValid, value], range: range))
  }

  private static let function = ScalarFunction(
    "$frame_offset", summary: "A frame's offset once it is known to be neither negative nor NULL.", isHidden: true,
    overloads: [
      .columns([.boolean, .t], returns: .pattern(.t), propagatesNulls: false) {
        (columns, rowCount, context) throws(QueryError) -> Column in
        let isValid = columns[0].view
        var row = 0
        while row < rowCount {
          if isValid.isNull(row) || isValid.value(row, as: UInt8.self) == 0 {
            context.errors.record(row, .invalidWindowFrame, "Window frame offset value must not be negative or null")
          }
          row += 1
        }
        return columns[1]
      }
    ])
}
