import QueryPlan
import SQLExpressions

/// Joins many relations, always those two parts next whose join has the fewest rows; cross products last.
///
/// Only pairs that a key connects are looked at, each once for every time that one of its parts grows, so that a chain
/// or a star of a thousand relations takes less than a second.
struct GreedyJoinOrder {
  private let graph: InnerJoinGraph
  /// What is joined so far, by the lowest of its relations; nil for relations that are in another part.
  private var parts: [(plan: LogicalPlan, estimate: CardinalityEstimate)?]
  /// How often a part has grown: candidates that know an older one do not count.
  private var versions: [Int]
  /// By part: the parts it shares keys with, and the positions of these keys in the graph.
  private var keys: [[Int: [Int]]]
  /// By relation: the part that it is in.
  private var partOf: [Int]
  /// By key: the relation of its left column.
  private let leftRelations: [Int?]
  /// By part: the conditions that need it and others.
  private var conditions: [Set<Int>]
  /// By condition: the parts that it needs.
  private var needed: [Set<Int>]
  private var candidates = CandidateHeap()

  /// - Parameter estimates: one for each relation.
  init(_ graph: InnerJoinGraph, _ estimates: [CardinalityEstimate]) {
    self.graph = graph
    let count = graph.relations.count
    let compared = graph.comparedColumns
    parts = zip(graph.relations, estimates).map { ($0, $1.keeping(compared)) }
    versions = Array(repeating: 0, count: count)
    keys = Array(repeating: [:], count: count)
    conditions = Array(repeating: [], count: count)
    let owners = graph.owners
    partOf = Array(0..<count)
    leftRelations = graph.keys.map { owners[$0.left.id] }
    for (position, key) in graph.keys.enumerated() {
      guard let a = owners[key.left.id], let b = owners[key.right.id], a != b else { continue }
      keys[a][b, default: []].append(position)
      keys[b][a, default: []].append(position)
    }
    needed = graph.conditions.map { Set($0.columnsUsed.compactMap { owners[$0.id] }) }
    for (position, parts) in needed.enumerated() where parts.count > 1 {
      for part in parts { conditions[part].insert(position) }
    }
  }

  /// All relations joined under all keys and conditions.
  mutating func joined() -> LogicalPlan {
    let early = zip(graph.conditions, needed).compactMap { condition, parts in parts.count < 2 ? condition : nil }
    for part in parts.indices { for other in keys[part].keys where other > part { propose(part, other) } }
    var waiting = parts.count
    while waiting > 1 {
      let (a, b) = nextCandidate() ?? cheapestCrossProduct()
      merge(a, b)
      waiting -= 1
    }
    let plan = parts[0]?.plan ?? graph.relations[0]
    return early.isEmpty ? plan : .filter(FilterNode(input: plan, predicate: .conjunction(early)))
  }

  private mutating func propose(_ a: Int, _ b: Int) {
    candidates.push(.init(rows: rows(a, b), a: min(a, b), b: max(a, b), version: versions[a] + versions[b]))
  }

  private mutating func nextCandidate() -> (Int, Int)? {
    while let next = candidates.pop() {
      // Versions only grow, so that an equal sum means that neither part has.
      if parts[next.a] != nil, parts[next.b] != nil, versions[next.a] + versions[next.b] == next.version {
        return (next.a, next.b)
      }
    }
    return nil
  }

  /// Parts up to which all pairs are compared, with the conditions between them.
  private static let largestComparedCount = 64

  private func cheapestCrossProduct() -> (Int, Int) {
    let left = parts.indices.filter { parts[$0] != nil }
    if left.count > GreedyJoinOrder.largestComparedCount {
      let smallest = left.sorted { (parts[$0]!.estimate.rows, $0) < (parts[$1]!.estimate.rows, $1) }
      return (min(smallest[0], smallest[1]), max(smallest[0], smallest[1]))
    }
    var best = (left[0], left[1])
    var least = Double.infinity
    for (position, a) in left.enumerated() {
      for b in left[(position + 1)...] {
        let rows = rows(a, b)
        if rows < least { (best, least) = ((a, b), rows) }
      }
    }
    return best
  }

  /// The conditions that become decidable when two parts are joined.
  private func decided(_ a: Int, _ b: Int) -> [Int] {
    conditions[a].intersection(conditions[b]).filter { needed[$0].count == 2 }.sorted()
  }

  private func rows(_ a: Int, _ b: Int) -> Double {
    guard let first = parts[a], let second = parts[b] else { return .infinity }
    if !decided(a, b).isEmpty { return join(a, b).estimate.rows }
    let (left, right, keys) = sides(a, b, first.estimate.rows >= second.estimate.rows)
    return max(1, CardinalityEstimator.matchingRows(keys, parts[left]!.estimate, parts[right]!.estimate).rows)
  }

  /// The larger part stands left: it is probed. Keys name its columns first.
  private func sides(_ a: Int, _ b: Int, _ isFirstLarger: Bool) -> (left: Int, right: Int, keys: [JoinNode.Key]) {
    let (left, right) = isFirstLarger ? (a, b) : (b, a)
    let own = keys[a][b, default: []].map { position in
      let key = graph.keys[position]
      return partOfLeft(position) == left ? key : .init(key.right, key.left, nullsEqual: key.nullsEqual)
    }
    return (left, right, own)
  }

  private func partOfLeft(_ key: Int) -> Int { leftRelations[key].map { partOf[$0] } ?? -1 }

  private func join(_ a: Int, _ b: Int) -> (plan: LogicalPlan, estimate: CardinalityEstimate) {
    let (first, second) = (parts[a]!, parts[b]!)
    let (left, right, keys) = sides(a, b, first.estimate.rows >= second.estimate.rows)
    let residual = decided(a, b).map { graph.conditions[$0] }
    let node = JoinNode(
      .inner, left: parts[left]!.plan, right: parts[right]!.plan, keys: keys,
      residual: residual.isEmpty ? nil : .conjunction(residual))
    return (.join(node), CardinalityEstimator.join(node, parts[left]!.estimate, parts[right]!.estimate))
  }

  private mutating func merge(_ a: Int, _ b: Int) {
    parts[a] = join(a, b)
    parts[b] = nil
    versions[a] += 1
    for relation in partOf.indices where partOf[relation] == b { partOf[relation] = a }
    for condition in conditions[a].union(conditions[b]) {
      needed[condition].remove(b)
      needed[condition].insert(a)
      if needed[condition].count == 1 { conditions[a].remove(condition) } else { conditions[a].insert(condition) }
    }
    conditions[b] = []
    keys[a][b] = nil
    for (other, positions) in keys[b] where other != a {
      keys[a][other] = (keys[a][other, default: []] + positions).sorted()
      keys[other][a] = keys[a][other]
      keys[other][b] = nil
    }
    keys[b] = [:]
    for other in keys[a].keys { propose(a, other) }
  }
}

/// Pairs of parts, those whose join has the fewest rows first.
private struct CandidateHeap {
  struct Candidate: Comparable {
    var rows: Double
    var a: Int
    var b: Int
    var version: Int

    static func < (x: Candidate, y: Candidate) -> Bool { (x.rows, x.a, x.b) < (y.rows, y.a, y.b) }
  }
  private var items: [Candidate] = []

  mutating func push(_ candidate: Candidate) {
    items.append(candidate)
    var child = items.count - 1
    while child > 0, items[child] < items[(child - 1) / 2] {
      items.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> Candidate? {
    guard let first = items.first, let last = items.popLast() else { return nil }
    guard !items.isEmpty else { return first }
    items[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child] < items[least] { least = child }
      if least == parent { return first }
      items.swapAt(parent, least)
      parent = least
    }
  }
}
