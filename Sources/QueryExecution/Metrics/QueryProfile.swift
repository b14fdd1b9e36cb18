import Columnar
package import FileFormats
import Synchronization

/// What a query's operators did, in the shape of its plan.
///
/// - Threads: the tree is built before the query runs; counters change while it runs.
package final class QueryProfile: @unchecked Sendable {
  /// The root operators: one for the query, and one per shared subplan.
  package private(set) var roots: [Node] = []

  package init() {}

  func addRoot(_ node: Node) { roots.append(node) }

  /// One operator: its name, what it does, its counters and its inputs.
  package final class Node: @unchecked Sendable {
    package let name: String
    package let detail: String
    package let metrics = OperatorMetrics()
    package internal(set) var children: [Node]
    /// A scan's pruning counters.
    package internal(set) var scan: ScanMetrics?
    /// Facts found while running, such as `build rows`: name and value.
    package var facts: [(name: String, value: String)] { lock.withLock { $0 } }
    private let lock = Mutex<[(name: String, value: String)]>([])

    init(_ name: String, _ detail: String = "", children: [Node] = []) {
      self.name = name
      self.detail = detail
      self.children = children
    }

    func note(_ name: String, _ value: String) {
      lock.withLock { facts in
        if let index = facts.firstIndex(where: { $0.name == name }) {
          facts[index].value = value
        } else {
          facts.append((name, value))
        }
      }
    }
  }

  /// The tree with its counters, as EXPLAIN ANALYZE prints it.
  ///
  ///     HashAggregate [keys: l_returnflag] · rows 5,916,591 → 4 · 182.1 ms
  ///       Scan [lineitem] · rows 5,916,591 · 401.7 ms · row groups 49/49
  package var text: String {
    var lines: [String] = []
    for root in roots { QueryProfile.print(root, depth: 0, &lines) }
    return lines.joined(separator: "\n")
  }

  private static func print(_ node: Node, depth: Int, _ lines: inout [String]) {
    var parts = [node.name + (node.detail.isEmpty ? "" : " [\(node.detail)]")]
    let metrics = node.metrics
    parts.append(
      node.children.isEmpty || metrics.rowsIn == 0
        ? "rows \(grouped(metrics.rowsOut))" : "rows \(grouped(metrics.rowsIn)) → \(grouped(metrics.rowsOut))")
    parts.append("\(milliseconds(metrics.nanoseconds)) ms")
    if metrics.stateBytes > 0 { parts.append("state \(ByteCountText.text(metrics.stateBytes))") }
    if metrics.spilledBytes > 0 { parts.append("spilled \(ByteCountText.text(metrics.spilledBytes))") }
    if let scan = node.scan {
      parts.append("row groups \(scan.blocksRead)/\(scan.blocksTotal)")
      if scan.pagesPruned > 0 { parts.append("pages pruned \(grouped(scan.pagesPruned))") }
      if scan.rowsRead > 0 { parts.append("rows read \(grouped(scan.rowsRead)), passed \(grouped(scan.rowsPassed))") }
      for note in scan.notes { parts.append("note: \(note)") }
    }
    for fact in node.facts { parts.append("\(fact.name) \(fact.value)") }
    lines.append(String(repeating: "  ", count: depth) + parts.joined(separator: " · "))
    for child in node.children { print(child, depth: depth + 1, &lines) }
  }

  /// A number with a comma per thousand.
  static func grouped(_ number: Int) -> String {
    var digits = Array(String(number.magnitude))
    var at = digits.count - 3
    while at > 0 {
      digits.insert(",", at: at)
      at -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
  }

  private static func milliseconds(_ nanoseconds: Int) -> String {
    let tenths = (nanoseconds + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10)"
  }
}
