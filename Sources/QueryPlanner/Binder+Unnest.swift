import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax
import TableCatalog

extension Binder {
  /// Binds `UNNEST(a, b) [WITH ORDINALITY]`.
  ///
  /// - Parameter left: the relation whose rows are repeated; nil for UNNEST on its own.
  /// - Returns: fields of the elements only.
  func bindUnnest(
    _ unnest: UnnestSyntax, left: BoundRelation?, isLeft: Bool, _ context: QueryContext
  ) throws(QueryError) -> BoundRelation {
    let block = QueryBlock(context: context)
    let scope = left.map { Scope(fields: $0.fields, parent: context.outer) } ?? context.outer
    var values: [Expression] = []
    for expression in unnest.expressions {
      let place = ExpressionContext(
        scope: scope, block: block, clause: .other("UNNEST"), clauseRange: expression.errorRange)
      values.append(try bind(expression, place))
    }
    let base = left?.plan ?? singleRow
    var materializer = Materializer(self, try attachSubqueries(block, to: base, neededBy: values))
    var fields: [ScopeField] = []
    var items: [UnnestNode.Item] = []
    for (index, value) in values.enumerated() {
      var outputs: [ColumnReference] = []
      func add(_ name: String?, _ type: DataType) {
        let column = newColumn(name ?? "element", type)
        outputs.append(column)
        fields.append(ScopeField(qualifier: [], name: name, reference: column))
      }
      switch value.type {
      case .array(.row(let rowFields)): for field in rowFields { add(field.name, field.type) }
      case .array(let element): add(nil, element)
      case .map(let key, let value):
        add(nil, key)
        add(nil, value)
      default:
        throw QueryError(
          .invalidFunctionArgument, "Cannot unnest type: \(value.type)", at: unnest.expressions[index].errorRange)
      }
      items.append(.init(column: materializer.column(value, name: "collection"), outputs: outputs))
    }
    var ordinality: ColumnReference?
    if unnest.isWithOrdinality {
      let column = newColumn("ordinality", .bigint)
      ordinality = column
      fields.append(ScopeField(qualifier: [], name: nil, reference: column))
    }
    let node = UnnestNode(
      input: materializer.plan(), kept: base.outputs, items: items, ordinality: ordinality, isLeft: isLeft)
    return BoundRelation(plan: .unnest(node), fields: fields)
  }

  // MARK: Table functions

  /// Rows of a `sequence` that one array holds.
  private static let sequenceBlock: Int64 = 8192

  /// Binds `TABLE(function(…))`.
  func bindTableFunction(
    _ function: TableFunctionSyntax, _ context: QueryContext
  ) throws(QueryError) -> BoundRelation {
    if let first = function.copartitions.first?.first {
      throw .notSupported("COPARTITION is not supported: no table function here takes two tables", at: first.range)
    }
    switch function.name.last.canonicalName {
    case "sequence": return try bindSequence(function)
    case "exclude_columns": return try bindExcludeColumns(function, context)
    default:
      if let reader = ReadFunction.all.first(where: { $0.name == function.name.last.canonicalName }) {
        return try bindRead(function, reader)
      }
      throw QueryError(
        .functionNotFound, "Table function '\(function.name.canonicalName)' not registered", at: function.name.range,
        hint: NameSuggestion.hint(for: function.name.last.canonicalName, among: ["sequence", "exclude_columns"] + ReadFunction.all.map(\.name)))
    }
  }

  /// Puts arguments in the order of `names`, by name or by position.
  private func arguments(
    _ function: TableFunctionSyntax, _ names: [String]
  ) throws(QueryError) -> [TableFunctionArgumentSyntax?] {
    guard function.arguments.count <= names.count else {
      throw QueryError(
        .invalidArguments,
        "Too many arguments. Expected at most \(names.count) arguments, got "
          + "\(function.arguments.count) arguments", at: function.range)
    }
    let namedCount = function.arguments.filter { $0.name != nil }.count
    guard namedCount == 0 || namedCount == function.arguments.count else {
      throw QueryError(
        .invalidArguments, "All arguments must be passed by name or all must be passed positionally", at: function.range)
    }
    var result: [TableFunctionArgumentSyntax?] = Array(repeating: nil, count: names.count)
    for (position, argument) in function.arguments.enumerated() {
      var index = position
      if let name = argument.name {
        guard let known = names.firstIndex(of: name.canonicalName) else {
          throw QueryError(
            .invalidFunctionArgument, "Unexpected argument name: \(name.name.uppercased())", at: argument.range)
        }
        index = known
      }
      if result[index] != nil {
        throw QueryError(
          .invalidFunctionArgument, "Duplicate argument name: \(names[index].uppercased())", at: argument.range)
      }
      result[index] = argument
    }
    return result
  }

  /// `sequence(start => 0, stop, step => 1)`: one bigint column.
  private func bindSequence(_ function: TableFunctionSyntax) throws(QueryError) -> BoundRelation {
    let names = ["start", "stop", "step"]
    let given = try arguments(function, names)
    var values: [Int64] = []
    for (index, argument) in given.enumerated() {
      guard let argument else {
        if index == 1 { throw QueryError(.missingArgument, "Missing argument: STOP", at: function.range) }
        values.append(index == 0 ? 0 : 1)
        continue
      }
      guard case .expression(let syntax) = argument.value else {
        throw QueryError(
          .invalidArguments, "Invalid argument \(names[index].uppercased()). Expected expression", at: argument.range)
      }
      let place = ExpressionContext(scope: nil, block: nil, clause: .other("Table function argument"))
      let bound = try coerce(try bind(syntax, place), to: .bigint, at: syntax.errorRange) {
        "Invalid argument \(names[index].uppercased()): expected bigint, actual type \($0)"
      }
      guard let value = try ConstantFolding.evaluate(bound, session: session).integerValue else {
        let title = names[index].prefix(1).uppercased() + names[index].dropFirst()
        throw QueryError(.invalidFunctionArgument, "\(title) is null", at: argument.range)
      }
      values.append(value)
    }
    let (start, stop, step) = (values[0], values[1], values[2])
    if start < stop, step <= 0 {
      throw QueryError(
        .invalidFunctionArgument, "Step must be positive for sequence [\(start), \(stop)]", at: function.range)
    }
    if start > stop, step >= 0 {
      throw QueryError(
        .invalidFunctionArgument, "Step must be negative for sequence [\(start), \(stop)]", at: function.range)
    }
    let (first, last, by) = (Int128(start), Int128(stop), Int128(step == 0 ? 1 : step))
    let count = (last - first) / by + 1
    guard count <= 1 << 40 else {
      throw .notSupported("A sequence of \(count) rows is not supported", at: function.range)
    }
    // One row per block of numbers, unnested.
    let block = Int128(Binder.sequenceBlock)
    let low = newColumn("low", .bigint)
    let high = newColumn("high", .bigint)
    let number = newColumn("sequential_number", .bigint)
    var rows: [[Expression]] = []
    var done: Int128 = 0
    while done < count {
      let length = min(block, count - done)
      let from = first + done * by
      let to = from + (length - 1) * by
      rows.append([
        .constant(.integer(Int64(from)), .bigint), .constant(.integer(Int64(to)), .bigint),
      ])
      done += length
    }
    let array = newColumn("numbers", .array(.bigint))
    let values2 = LogicalPlan.values(ValuesNode(outputs: [low, high], rows: rows))
    let numbers = try call(
      "sequence", [.column(low), .column(high), .constant(.integer(Int64(by)), .bigint)], at: function.range)
    let projected = LogicalPlan.project(ProjectNode(input: values2, assignments: [.init(array, numbers)]))
    let node = UnnestNode(input: projected, kept: [], items: [.init(column: array, outputs: [number])])
    return BoundRelation(
      plan: .unnest(node), fields: [ScopeField(qualifier: [], name: "sequential_number", reference: number)])
  }

  /// `exclude_columns(input => TABLE(t), columns => DESCRIPTOR(a, b))`.
  private func bindExcludeColumns(
    _ function: TableFunctionSyntax, _ context: QueryContext
  ) throws(QueryError) -> BoundRelation {
    let given = try arguments(function, ["input", "columns"])
    guard case .table(let input)? = given[0]?.value, case .descriptor(let columns)? = given[1]?.value else {
      throw QueryError(
        .invalidArguments, "exclude_columns expects a table argument INPUT and a descriptor argument COLUMNS",
        at: function.range)
    }
    // It has row semantics: how rows are grouped and ordered is nothing it could tell of.
    if input.partitionBy != nil || input.isPruneWhenEmpty != nil || !input.orderBy.isEmpty {
      throw QueryError(
        .invalidArguments,
        "Invalid argument INPUT. Partitioning, ordering and PRUNE or KEEP WHEN EMPTY cannot be specified for a table argument with row semantics",
        at: given[0]?.range ?? function.range)
    }
    let relation = try bindRelation(input.relation, context)
    var fields = relation.fields.filter { !$0.isHidden }
    for column in columns {
      let count = fields.count
      fields.removeAll { $0.name?.canonicalIdentifier == column.name.canonicalName }
      if fields.count == count {
        throw QueryError(
          .invalidFunctionArgument, "Excluded columns: [\(column.name.canonicalName)] not present in the table",
          at: column.name.range)
      }
    }
    if fields.isEmpty {
      throw QueryError(.invalidFunctionArgument, "All columns are excluded", at: function.range)
    }
    return BoundRelation(
      plan: relation.plan,
      fields: fields.map { field in
        ScopeField(qualifier: [], name: field.name, reference: field.reference)
      })
  }
}
