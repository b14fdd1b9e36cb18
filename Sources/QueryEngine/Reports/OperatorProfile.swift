import FileFormats
import QueryExecution

/// What one operator of a statement's plan did, and those it got its rows from.
///
/// - Units: time of all threads together, in milliseconds.
public struct OperatorProfile: Sendable, Codable {
  /// `Aggregate by [city] [trips := count()]`
  public var name: String
  public var inputRows: Int
  public var outputRows: Int
  public var milliseconds: Double
  /// Bytes that the operator held and wrote to disk.
  public var stateBytes: Int
  public var spilledBytes: Int
  /// Further facts, such as `row groups`: name and value.
  public var facts: [Fact]
  public var inputs: [OperatorProfile]

  public struct Fact: Sendable, Codable, Hashable {
    public var name: String
    public var value: String
  }

  init(_ node: QueryProfile.Node) {
    name = node.name + (node.detail.isEmpty ? "" : " [\(node.detail)]")
    inputRows = node.metrics.rowsIn
    outputRows = node.metrics.rowsOut
    milliseconds = Double(node.metrics.nanoseconds) / 1e6
    stateBytes = node.metrics.stateBytes
    spilledBytes = node.metrics.spilledBytes
    facts = node.facts.map { Fact(name: $0.name, value: $0.value) }
    if let scan = node.scan {
      if scan.blocksTotal > 0 { facts.append(Fact(name: "row groups", value: "\(scan.blocksRead)/\(scan.blocksTotal)")) }
      if scan.pagesPruned > 0 { facts.append(Fact(name: "pages pruned", value: "\(scan.pagesPruned)")) }
      if scan.rowsRead > 0 { facts.append(Fact(name: "rows looked at", value: "\(scan.rowsRead)")) }
    }
    inputs = node.children.map { OperatorProfile($0) }
  }
}

extension QueryExecution {
  /// What the operators of the statement's plan did; empty before it runs, and of statements without a plan.
  public var profile: [OperatorProfile] { operatorProfile }
}
