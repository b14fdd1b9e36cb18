import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

extension Binder {
  /// Binds `JSON_TABLE(…)`: a call that makes an array of rows, unnested.
  ///
  /// - Parameter left: the relation whose rows the arguments may read; nil for JSON_TABLE on its own.
  /// - Returns: fields of the table only.
  func bindJSONTable(
    _ table: JSONTableSyntax, left: BoundRelation?, isLeft: Bool, _ context: QueryContext
  ) throws(QueryError) -> BoundRelation {
    let block = QueryBlock(context: context)
    let scope = left.map { Scope(fields: $0.fields, parent: context.outer) } ?? context.outer
    let place = ExpressionContext(scope: scope, block: block, clause: .other("JSON_TABLE"), clauseRange: table.range)
    let path = try bindJSONPath(table.path, place)
    var builder = JSONTableBuilder(binder: self, table: table, path: path, place: place)
    let plan = try builder.plan()
    let isErrorOnError = table.isErrorOnError ?? false
    let type = DataType.array(.row(builder.columns))
    let rows = jsonCall(
      JSONTableFunction.make(path.invocation, plan, isErrorOnError: isErrorOnError), path.arguments,
      lambdas: builder.lambdas, identity: SQLFormatter.format(.jsonTable(table)), returns: type, at: table.range)
    let base = left?.plan ?? singleRow
    var materializer = Materializer(self, try attachSubqueries(block, to: base, neededBy: [rows]))
    let outputs = builder.columns.map { newColumn($0.name ?? "column", $0.type) }
    let item = UnnestNode.Item(column: materializer.column(rows, name: "json_table"), outputs: outputs)
    let node = UnnestNode(input: materializer.plan(), kept: base.outputs, items: [item], isLeft: isLeft)
    return BoundRelation(
      plan: .unnest(node),
      fields: zip(builder.columns, outputs).map { ScopeField(qualifier: [], name: $0.name, reference: $1) })
  }
}

/// Binds the columns and the plan of one JSON_TABLE.
private struct JSONTableBuilder {
  /// A path with its own columns and the paths nested in it.
  private struct Level {
    var name: String?
    var path: JSONPathExpression
    var columns: [JSONTableColumn] = []
    var nested: [Level] = []
  }

  let binder: Binder
  let table: JSONTableSyntax
  let path: Binder.BoundJSONPath
  let place: ExpressionContext
  /// All columns in the order they are written in.
  var columns: [DataType.RowField] = []
  var lambdas: [LambdaExpression] = []
  private var names: Set<String> = []

  init(binder: Binder, table: JSONTableSyntax, path: Binder.BoundJSONPath, place: ExpressionContext) {
    self.binder = binder
    self.table = table
    self.path = path
    self.place = place
  }

  mutating func plan() throws(QueryError) -> JSONTablePlan {
    var root = Level(name: try table.path.pathName.map { (name: Identifier) throws(QueryError) in try use(name) }, path: path.invocation.path)
    try bind(table.columns, &root)
    switch table.plan {
    case nil: return combined(root, isOuter: true, isUnion: true)
    case .default(let isOuter, let isUnion): return combined(root, isOuter: isOuter, isUnion: isUnion)
    case .leaf(let name)?, .join(parent: let name, _, _)?:
      try checkNamed(root, isRoot: true)
      guard binder.jsonName(name) == root.name else {
        throw invalidPlan("JSON_TABLE plan should start with the root path \(root.name ?? "")", at: name.range)
      }
      return try specific(table.plan!, [root])
    case .union, .cross:
      throw invalidPlan(
        "JSON_TABLE plan must either be a single path name or it must be rooted in parent-child relationship (OUTER or INNER)",
        at: table.range)
    }
  }

  private mutating func use(_ identifier: Identifier) throws(QueryError) -> String {
    let name = binder.jsonName(identifier)
    guard names.insert(name).inserted else {
      throw QueryError(
        .duplicateColumnOrPathName, "All column and path names in JSON_TABLE invocation must be unique",
        at: identifier.range)
    }
    return name
  }

  // MARK: Columns

  private mutating func bind(_ syntax: [JSONTableColumnSyntax], _ level: inout Level) throws(QueryError) {
    let isErrorOnError = table.isErrorOnError ?? false
    for column in syntax {
      switch column {
      case .ordinality(let name): try add(name, .bigint, .ordinality, &level)
      case .value(let node):
        let type = try TypeBinder.bind(node.type)
        let options = try binder.jsonValueOptions(
          type, node.onEmpty, node.onError, isErrorOnError: isErrorOnError, &lambdas, place, at: node.name.range)
        try add(node.name, type, .value(try path(node.path, node.name), options), &level)
      case .query(let node):
        let output = try binder.jsonOutput(node.type, node.format, at: node.name.range)
        let options = try binder.jsonQueryOptions(
          output, node.wrapper, node.quotes, node.onEmpty, node.onError, isErrorOnError: isErrorOnError,
          at: node.name.range)
        try add(node.name, output.type, .query(try path(node.path, node.name), options), &level)
      case .nested(let node):
        let name = try node.pathName.map { (name: Identifier) throws(QueryError) in try use(name) }
        var inner = Level(
          name: name,
          path: try JSONPathExpression(node.path.value, parameters: path.parameterNames, at: node.path.range))
        try bind(node.columns, &inner)
        level.nested.append(inner)
      }
    }
  }

  private mutating func add(
    _ name: Identifier, _ type: DataType, _ source: JSONTableColumn.Source, _ level: inout Level
  ) throws(QueryError) {
    _ = try use(name)
    level.columns.append(JSONTableColumn(source, position: columns.count))
    columns.append(.init(name: name.name, type: type))
  }

  /// A column's path; without PATH the member of the column's name.
  private func path(_ path: StringSyntax?, _ name: Identifier) throws(QueryError) -> JSONPathExpression {
    if let path {
      return try JSONPathExpression(path.value, parameters: self.path.parameterNames, at: path.range)
    }
    let key = binder.jsonName(name).split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
    return try JSONPathExpression("lax $.\"\(key)\"", parameters: [], at: name.range)
  }

  // MARK: Plans

  /// Parents joined with the paths nested in them, siblings side by side.
  private func combined(_ level: Level, isOuter: Bool, isUnion: Bool) -> JSONTablePlan {
    let parts = level.nested.map { combined($0, isOuter: isOuter, isUnion: isUnion) }
    let child: JSONTablePlan? = parts.count < 2 ? parts.first : isUnion ? .union(parts) : .cross(parts)
    return .path(level.path, level.columns, child: child, isOuter: isOuter)
  }

  private func invalidPlan(_ message: String, at range: SourceRange) -> QueryError {
    QueryError(.invalidPlan, message, at: range)
  }

  private func checkNamed(_ level: Level, isRoot: Bool) throws(QueryError) {
    guard level.name != nil else {
      throw QueryError(
        .missingPathName, "All JSON paths must be named when specific plan is given", at: table.path.path.range)
    }
    for inner in level.nested { try checkNamed(inner, isRoot: false) }
  }

  /// The plan as written, over exactly the paths available at its place.
  private func specific(_ syntax: JSONTablePlanSyntax, _ available: [Level]) throws(QueryError) -> JSONTablePlan {
    var used: [String] = []
    let plan = try part(syntax, available, &used)
    let missing = available.compactMap(\.name).filter { !used.contains($0) }
    guard missing.isEmpty else {
      throw invalidPlan(
        "JSON_TABLE plan should contain all JSON paths available at each level of nesting. Paths not included: "
          + missing.joined(separator: ", "),
        at: table.range)
    }
    return plan
  }

  private func part(
    _ syntax: JSONTablePlanSyntax, _ available: [Level], _ used: inout [String]
  ) throws(QueryError) -> JSONTablePlan {
    func level(_ identifier: Identifier) throws(QueryError) -> Level {
      let name = binder.jsonName(identifier)
      guard let level = available.first(where: { $0.name == name }) else {
        throw invalidPlan("JSON_TABLE plan includes unavailable JSON path name: \(name)", at: identifier.range)
      }
      guard !used.contains(name) else {
        throw invalidPlan("JSON_TABLE plan includes JSON path name \(name) more than once", at: identifier.range)
      }
      used.append(name)
      return level
    }
    switch syntax {
    case .leaf(let name):
      let level = try level(name)
      guard level.nested.isEmpty else {
        throw invalidPlan(
          "JSON_TABLE plan should contain all JSON paths available at each level of nesting. Paths not included: "
            + level.nested.compactMap(\.name).joined(separator: ", "),
          at: name.range)
      }
      return .path(level.path, level.columns, child: nil, isOuter: true)
    case .join(let parent, let isOuter, let child):
      let level = try level(parent)
      return .path(level.path, level.columns, child: try specific(child, level.nested), isOuter: isOuter)
    case .union(let parts): return .union(try all(parts, available, &used))
    case .cross(let parts): return .cross(try all(parts, available, &used))
    case .default: throw invalidPlan("PLAN DEFAULT cannot stand inside of a plan", at: table.range)
    }
  }

  private func all(
    _ parts: [JSONTablePlanSyntax], _ available: [Level], _ used: inout [String]
  ) throws(QueryError) -> [JSONTablePlan] {
    var result: [JSONTablePlan] = []
    for part in parts { result.append(try self.part(part, available, &used)) }
    return result
  }
}
