import QueryExecution
import QueryOptimizer
import QueryPlan
import SQLExpressions
import SQLFunctions
import TableCatalog

/// A value that prints as JSON, two spaces a level.
indirect enum JSONDocument {
  case string(String)
  /// A number, `true`, `false` or `null`, as it is printed.
  case literal(String)
  case array([JSONDocument])
  case object([(name: String, value: JSONDocument)])

  var text: String {
    var lines = ""
    write(0, &lines)
    return lines
  }

  private func write(_ depth: Int, _ out: inout String) {
    func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
    switch self {
    case .string(let text): out += JSONDocument.quoted(text)
    case .literal(let text): out += text
    case .array(let values):
      if values.isEmpty {
        out += "[]"
        return
      }
      out += "[\n"
      for (index, value) in values.enumerated() {
        out += indent(depth + 1)
        value.write(depth + 1, &out)
        out += index == values.count - 1 ? "\n" : ",\n"
      }
      out += indent(depth) + "]"
    case .object(let fields):
      if fields.isEmpty {
        out += "{}"
        return
      }
      out += "{\n"
      for (index, field) in fields.enumerated() {
        out += indent(depth + 1) + JSONDocument.quoted(field.name) + " : "
        field.value.write(depth + 1, &out)
        out += index == fields.count - 1 ? "\n" : ",\n"
      }
      out += indent(depth) + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    let buffer = TextBuffer(capacity: text.utf8.count + 2)
    let bytes = Array(text.utf8)
    bytes.withUnsafeBytes { source in
      if let base = source.baseAddress { JSONText.appendString(base, source.count, to: buffer) } else { buffer.append("\"\"") }
    }
    return String(decoding: UnsafeRawBufferPointer(start: buffer.pointer, count: buffer.count), as: UTF8.self)
  }
}

/// A plan in the formats of EXPLAIN besides text.
///
/// - Source: Trino `JsonRenderer`, `GraphvizPrinter`, `IoPlanPrinter`.
struct PlanDocument {
  private var estimates = RowEstimates()
  private var nextID = 0
  private var shared: [Int: Int] = [:]

  /// One plan node: `name`, `descriptor`, `outputs`, `estimates`, `children`.
  static func json(_ plan: LogicalPlan) -> JSONDocument {
    var document = PlanDocument()
    return document.node(plan)
  }

  /// The description of a node, apart from its name.
  private static func parts(_ plan: LogicalPlan) -> (name: String, detail: String) {
    let line = PlanPrinter.describe(plan)
    guard let space = line.firstIndex(of: " ") else { return (line, "") }
    return (String(line[..<space]), String(line[line.index(after: space)...]))
  }

  private mutating func node(_ plan: LogicalPlan) -> JSONDocument {
    let (name, detail) = PlanDocument.parts(plan)
    let id = nextID
    nextID += 1
    var children: [JSONDocument] = []
    // A subplan that several places use is printed where it stands first.
    var isRepeated = false
    if case .common(let common) = plan {
      isRepeated = shared[common.definition.id] != nil
      shared[common.definition.id] = id
    }
    if !isRepeated { for child in plan.children { children.append(node(child)) } }
    let rows = estimates.rowCount(of: plan)
    return .object([
      ("id", .string(String(id))), ("name", .string(name)),
      ("descriptor", .object(detail.isEmpty ? [] : [("detail", .string(detail))])),
      (
        "outputs",
        .array(plan.outputs.map { .object([("symbol", .string($0.name)), ("type", .string($0.type.description))]) })
      ),
      ("details", .array([])),
      ("estimates", .array([.object([("outputRowCount", .literal("\(rows)"))])])),
      ("children", .array(children)),
    ])
  }

  // MARK: Graphviz

  /// A graph in the DOT language: data flows from the leaves to the top node.
  static func graph(_ plan: LogicalPlan, name: String) -> String {
    var document = PlanDocument()
    var nodes: [String] = []
    var edges: [String] = []
    _ = document.graph(plan, &nodes, &edges)
    return (["digraph \(name) {", "subgraph cluster_0 {", "label = \"SINGLE\""] + nodes + ["}"] + edges + ["}"])
      .joined(separator: "\n")
  }

  private mutating func graph(_ plan: LogicalPlan, _ nodes: inout [String], _ edges: inout [String]) -> Int {
    if case .common(let common) = plan, let known = shared[common.definition.id] { return known }
    let (name, detail) = PlanDocument.parts(plan)
    nextID += 1
    let id = nextID
    if case .common(let common) = plan { shared[common.definition.id] = id }
    func escaped(_ text: String) -> String {
      var out = ""
      for letter in text {
        if "\\\"{}|<>".contains(letter) { out.append("\\") }
        out.append(letter)
      }
      return out
    }
    let label = escaped(name) + (detail.isEmpty ? "" : "|" + escaped(detail))
    nodes.append("plannode_\(id)[label=\"{\(label)}\", style=\"rounded, filled\", shape=record];")
    for child in plan.children { edges.append("plannode_\(id) -> plannode_\(graph(child, &nodes, &edges));") }
    return id
  }

  // MARK: IO

  /// The tables a plan reads, with the values that its filters allow and estimates.
  static func inputs(_ plan: LogicalPlan) -> JSONDocument {
    var estimates = RowEstimates()
    var tables: [JSONDocument] = []
    plan.forEach { node in
      let (predicates, name, bytes): ([Expression], TableName, Double?)
      switch node {
      case .scan(let scan):
        (predicates, name, bytes) = (scan.predicates, scan.table.name, scan.fileSet.map { Double($0.listing.byteCount) })
      case .foreignScan(let scan): (predicates, name, bytes) = (scan.predicates, scan.name, nil)
      default: return
      }
      let domains = DomainExtraction.domains(of: .conjunction(predicates))
      let constraints = domains.sorted { $0.key.name < $1.key.name }.map { column, domain in
        JSONDocument.object([
          ("columnName", .string(column.name)), ("type", .string(column.type.description)),
          ("domain", self.domain(domain)),
        ])
      }
      tables.append(
        .object([
          (
            "table",
            .object([
              ("catalog", .string(name.database.isEmpty ? "" : name.catalog)),
              ("schemaTable", .object([("schema", .string(name.database)), ("table", .string(name.name))])),
            ])
          ),
          ("constraint", .object([("none", .literal("false")), ("columnConstraints", .array(constraints))])),
          (
            "estimate",
            .object([
              ("outputRowCount", .literal("\(estimates.rowCount(of: node))")),
              ("outputSizeInBytes", bytes.map { .literal("\($0)") } ?? .string("NaN")),
            ])
          ),
        ]))
    }
    return .object([
      ("inputTableColumnInfos", .array(tables)),
      ("estimate", .object([("outputRowCount", .literal("\(estimates.rowCount(of: plan))"))])),
    ])
  }

  private static func domain(_ domain: Domain) -> JSONDocument {
    func bound(_ value: Scalar?, _ isInclusive: Bool) -> JSONDocument {
      guard let value else { return .object([("bound", .string("EXACTLY")), ("value", .literal("null"))]) }
      let text = Expression.constant(value, domain.type).description
      return .object([("bound", .string(isInclusive ? "EXACTLY" : "EXCLUSIVE")), ("value", .string(text))])
    }
    return .object([
      ("nullsAllowed", .literal("\(domain.allowsNull)")),
      (
        "ranges",
        .array(
          domain.ranges.map {
            .object([("low", bound($0.low, $0.lowInclusive)), ("high", bound($0.high, $0.highInclusive))])
          })
      ),
    ])
  }

  // MARK: EXPLAIN ANALYZE

  /// What each operator did.
  static func json(_ profile: QueryProfile) -> JSONDocument {
    .array(profile.roots.map(node))
  }

  private static func node(_ node: QueryProfile.Node) -> JSONDocument {
    let metrics = node.metrics
    var fields: [(name: String, value: JSONDocument)] = [
      ("name", .string(node.name)),
      ("descriptor", .object(node.detail.isEmpty ? [] : [("detail", .string(node.detail))])),
      ("inputRows", .literal("\(metrics.rowsIn)")), ("outputRows", .literal("\(metrics.rowsOut)")),
      ("cpuTimeMillis", .literal("\(Double(metrics.nanoseconds) / 1e6)")),
    ]
    for fact in node.facts { fields.append((fact.name, .string(fact.value))) }
    fields.append(("children", .array(node.children.map(self.node))))
    return .object(fields)
  }
}
