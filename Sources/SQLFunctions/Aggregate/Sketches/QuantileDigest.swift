import QueryErrors

/// Quantiles of a stream within a share of its weight, of values whose order 64-bit integers keep.
///
/// A binary tree over the values' bits: a node of level n stands for all values that agree in all but their last n bits
/// and holds the weight that was not worth a deeper node. Nodes with no weight and one child are left out.
///
///     bytes   0, largest error (8 bytes), 0 (decay, 8), 0 (its start, 8), least and greatest value (8 each), node count (4),
///             then per node, children first: (level − 1) << 2 | has right << 1 | has left, weight (8), bits (8)
///
/// - Source: Shrivastava et al., "Medians and Beyond: New Aggregation Techniques for Sensor Networks", SenSys 2004; byte
///   layout and compression rule as airlift's `QuantileDigest`.
final class QuantileDigest {
  let accuracy: Double
  private(set) var totalWeight = 0.0
  private var least = Int64.max
  private var greatest = Int64.min
  private var nodes: [Node] = []
  /// Slots of `nodes` that are free again.
  private var free: [Int32] = []
  private var root = QuantileDigest.none

  static let standardAccuracy = 0.01
  private static let none: Int32 = -1
  private static let bits = 64
  /// Weights below count as none.
  private static let noWeight = 1e-5

  private struct Node {
    var weight: Double
    /// The value with its sign flipped, so that unsigned order is the values'; the last `level` bits do not count.
    var bits: UInt64
    var level: UInt8
    var left = QuantileDigest.none
    var right = QuantileDigest.none

    private var span: UInt64 { level == 0 ? 0 : UInt64.max >> UInt64(QuantileDigest.bits - Int(level)) }
    var lowest: Int64 { QuantileDigest.value(bits & ~span) }
    var highest: Int64 { QuantileDigest.value(bits | span) }
  }

  init(accuracy: Double) { self.accuracy = accuracy }

  var isEmpty: Bool { root == QuantileDigest.none }

  private static func bits(_ value: Int64) -> UInt64 { UInt64(bitPattern: value) ^ (1 << 63) }
  private static func value(_ bits: UInt64) -> Int64 { Int64(bitPattern: bits ^ (1 << 63)) }

  // MARK: Adding

  func add(_ key: Int64, weight: Double) {
    greatest = max(greatest, key)
    least = min(least, key)
    let before = totalWeight
    if weight >= QuantileDigest.noWeight { insert(QuantileDigest.bits(key), weight) }
    // The bound for joining changes with every multiple of the factor.
    let factor = Double(compressionFactor)
    if (before / factor).rounded(.down) != (totalWeight / factor).rounded(.down) { compress() }
  }

  private func insert(_ bits: UInt64, _ weight: Double) {
    var parent = QuantileDigest.none
    var goesRight = false
    var current = root
    while current != QuantileDigest.none {
      let node = nodes[Int(current)]
      if !QuantileDigest.isSameSubtree(bits, node.bits, node.level) {
        setChild(of: parent, goesRight, to: joined(current, makeNode(bits, 0, weight)))
        return
      }
      if node.level == 0 {
        nodes[Int(current)].weight += weight
        totalWeight += weight
        return
      }
      parent = current
      goesRight = QuantileDigest.branches(bits, node.level)
      current = goesRight ? node.right : node.left
    }
    setChild(of: parent, goesRight, to: makeNode(bits, 0, weight))
  }

  private func setChild(of parent: Int32, _ isRight: Bool, to child: Int32) {
    if parent == QuantileDigest.none {
      root = child
    } else if isRight {
      nodes[Int(parent)].right = child
    } else {
      nodes[Int(parent)].left = child
    }
  }

  /// A node of no weight above two whose values part.
  private func joined(_ first: Int32, _ second: Int32) -> Int32 {
    let (a, b) = (nodes[Int(first)].bits, nodes[Int(second)].bits)
    let level = UInt8(QuantileDigest.bits - (a ^ b).leadingZeroBitCount)
    let parent = makeNode(a, level, 0)
    let isRight = QuantileDigest.branches(a, level)
    nodes[Int(parent)].left = isRight ? second : first
    nodes[Int(parent)].right = isRight ? first : second
    return parent
  }

  private func makeNode(_ bits: UInt64, _ level: UInt8, _ weight: Double) -> Int32 {
    totalWeight += weight
    let node = Node(weight: weight, bits: bits, level: level)
    if let slot = free.popLast() {
      nodes[Int(slot)] = node
      return slot
    }
    nodes.append(node)
    return Int32(nodes.count - 1)
  }

  private static func isSameSubtree(_ a: UInt64, _ b: UInt64, _ level: UInt8) -> Bool {
    Int(level) == bits || a >> UInt64(level) == b >> UInt64(level)
  }

  /// Whether the value lies in the right child's half of a node of this level.
  private static func branches(_ value: UInt64, _ level: UInt8) -> Bool { value & (1 << (UInt64(level) - 1)) != 0 }

  func merge(_ other: QuantileDigest) {
    root = merge(root, other, other.root)
    greatest = max(greatest, other.greatest)
    least = min(least, other.least)
    compress()
  }

  /// - Complexity: recursion at most 64 deep, a level per bit.
  private func merge(_ mine: Int32, _ other: QuantileDigest, _ theirs: Int32) -> Int32 {
    if theirs == QuantileDigest.none { return mine }
    if mine == QuantileDigest.none { return copy(other, theirs) }
    let (a, b) = (nodes[Int(mine)], other.nodes[Int(theirs)])
    if !QuantileDigest.isSameSubtree(a.bits, b.bits, max(a.level, b.level)) {
      return joined(mine, copy(other, theirs))
    }
    if a.level > b.level {
      let isRight = QuantileDigest.branches(b.bits, a.level)
      let child = merge(isRight ? a.right : a.left, other, theirs)
      setChild(of: mine, isRight, to: child)
      return mine
    }
    if a.level < b.level {
      let isRight = QuantileDigest.branches(a.bits, b.level)
      let left = isRight ? copy(other, b.left) : merge(mine, other, b.left)
      let right = isRight ? merge(mine, other, b.right) : copy(other, b.right)
      let result = makeNode(b.bits, b.level, b.weight)
      nodes[Int(result)].left = left
      nodes[Int(result)].right = right
      return result
    }
    totalWeight += b.weight
    nodes[Int(mine)].weight += b.weight
    let left = merge(a.left, other, b.left)
    let right = merge(a.right, other, b.right)
    nodes[Int(mine)].left = left
    nodes[Int(mine)].right = right
    return mine
  }

  private func copy(_ other: QuantileDigest, _ index: Int32) -> Int32 {
    if index == QuantileDigest.none { return index }
    let node = other.nodes[Int(index)]
    let (left, right) = (copy(other, node.left), copy(other, node.right))
    let result = makeNode(node.bits, node.level, node.weight)
    nodes[Int(result)].left = left
    nodes[Int(result)].right = right
    return result
  }

  // MARK: Joining

  private var compressionFactor: Int {
    if root == QuantileDigest.none { return 1 }
    let factor = Double(Int(nodes[Int(root)].level) + 1) / accuracy
    return max(factor < Double(Int32.max) ? Int(factor) : Int(Int32.max), 1)
  }

  /// Moves the weight of light children into their parents.
  private func compress() {
    let bound = (totalWeight / Double(compressionFactor)).rounded(.down)
    visit(root, reversed: false) { index in
      let node = nodes[Int(index)]
      if node.left == QuantileDigest.none, node.right == QuantileDigest.none { return true }
      let left = node.left == QuantileDigest.none ? 0 : nodes[Int(node.left)].weight
      let right = node.right == QuantileDigest.none ? 0 : nodes[Int(node.right)].weight
      let joins = node.weight + left + right < bound
      if node.left != QuantileDigest.none, joins || left < QuantileDigest.noWeight {
        nodes[Int(index)].left = removed(node.left)
        nodes[Int(index)].weight += left
      }
      if node.right != QuantileDigest.none, joins || right < QuantileDigest.noWeight {
        nodes[Int(index)].right = removed(node.right)
        nodes[Int(index)].weight += right
      }
      return true
    }
    if root != QuantileDigest.none, nodes[Int(root)].weight < QuantileDigest.noWeight { root = removed(root) }
  }

  /// What stands in the place of a node whose weight was taken: nothing, its only child, or itself.
  private func removed(_ index: Int32) -> Int32 {
    let node = nodes[Int(index)]
    if node.left != QuantileDigest.none, node.right != QuantileDigest.none {
      nodes[Int(index)].weight = 0
      return index
    }
    free.append(index)
    return node.left != QuantileDigest.none ? node.left : node.right
  }

  /// Visits the nodes of a subtree, children first, until `body` answers false.
  @discardableResult
  private func visit(_ index: Int32, reversed: Bool, _ body: (Int32) -> Bool) -> Bool {
    if index == QuantileDigest.none { return true }
    let node = nodes[Int(index)]
    let (first, second) = reversed ? (node.right, node.left) : (node.left, node.right)
    return visit(first, reversed: reversed, body) && visit(second, reversed: reversed, body) && body(index)
  }

  // MARK: Asking

  /// The key at a share of the weight; nil when empty.
  func key(at quantile: Double) -> Int64? {
    if isEmpty { return nil }
    var sum = 0.0
    var result: Int64?
    visit(root, reversed: false) { index in
      sum += nodes[Int(index)].weight
      if sum > quantile * totalWeight {
        result = min(nodes[Int(index)].highest, greatest)
        return false
      }
      return true
    }
    return result ?? greatest
  }

  /// The share of the weight below a key; nil when empty or outside of all keys.
  func quantile(of wanted: Int64) -> Double? {
    if isEmpty { return nil }
    var (low, high) = (least, greatest)
    visit(root, reversed: false) { index in
      if nodes[Int(index)].weight < QuantileDigest.noWeight { return true }
      low = nodes[Int(index)].lowest
      return false
    }
    visit(root, reversed: true) { index in
      if nodes[Int(index)].weight < QuantileDigest.noWeight { return true }
      high = nodes[Int(index)].highest
      return false
    }
    guard wanted >= max(least, low), wanted <= min(greatest, high) else { return nil }
    var sum = 0.0
    visit(root, reversed: false) { index in
      if wanted <= nodes[Int(index)].highest { return false }
      sum += nodes[Int(index)].weight
      return true
    }
    return sum / totalWeight
  }

  // MARK: Bytes

  private static let format: UInt8 = 0
  private static let hasLeft: UInt8 = 1
  private static let hasRight: UInt8 = 2
  private static let headerSize = 45
  private static let nodeSize = 17

  var bytes: [UInt8] {
    compress()
    var out: [UInt8] = [QuantileDigest.format]
    func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { out += $0 } }
    append(accuracy.bitPattern)
    append(UInt64(0))
    append(UInt64(0))
    append(least)
    append(greatest)
    append(Int32(nodes.count - free.count))
    visit(root, reversed: false) { index in
      let node = nodes[Int(index)]
      out.append(
        (max(node.level, 1) - 1) << 2 | (node.left == QuantileDigest.none ? 0 : QuantileDigest.hasLeft)
          | (node.right == QuantileDigest.none ? 0 : QuantileDigest.hasRight))
      append(node.weight.bitPattern)
      append(node.bits)
      return true
    }
    return out
  }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for bytes that are no digest.
  init(bytes: [UInt8]) throws(QueryError) {
    let damaged = QueryError(.invalidFunctionArgument, "Cannot deserialize qdigest")
    func word(_ at: Int) -> UInt64 {
      bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }
    }
    guard bytes.count >= QuantileDigest.headerSize, bytes[0] == QuantileDigest.format else { throw damaged }
    accuracy = Double(bitPattern: word(1))
    guard accuracy > 0, accuracy <= 1, word(9) == 0 else { throw damaged }
    least = Int64(bitPattern: word(25))
    greatest = Int64(bitPattern: word(33))
    let count = bytes.withUnsafeBytes { Int(Int32(littleEndian: $0.loadUnaligned(fromByteOffset: 41, as: Int32.self))) }
    guard count >= 0, bytes.count == QuantileDigest.headerSize + QuantileDigest.nodeSize * count else { throw damaged }
    var stack: [Int32] = []
    for k in 0..<count {
      let at = QuantileDigest.headerSize + QuantileDigest.nodeSize * k
      let structure = bytes[at]
      var node = Node(weight: Double(bitPattern: word(at + 1)), bits: word(at + 9), level: structure >> 2)
      guard node.weight.isFinite, node.weight >= 0 else { throw damaged }
      if structure & 3 != 0 { node.level += 1 }
      for (flag, isRight) in [(QuantileDigest.hasRight, true), (QuantileDigest.hasLeft, false)] {
        guard structure & flag != 0 else { continue }
        guard let child = stack.popLast(), nodes[Int(child)].level < node.level else { throw damaged }
        let bits = nodes[Int(child)].bits
        guard QuantileDigest.isSameSubtree(bits, node.bits, node.level), QuantileDigest.branches(bits, node.level) == isRight
        else { throw damaged }
        if isRight { node.right = child } else { node.left = child }
      }
      totalWeight += node.weight
      nodes.append(node)
      stack.append(Int32(k))
    }
    guard stack.count <= 1 else { throw damaged }
    root = stack.first ?? QuantileDigest.none
  }

  // MARK: Keys

  static func key(_ value: Double) -> Int64 {
    let bits = Int64(bitPattern: value.bitPattern)
    return bits ^ ((bits >> 63) & .max)
  }

  static func key(_ value: Float) -> Int64 {
    let bits = Int32(bitPattern: value.bitPattern)
    return Int64(bits ^ ((bits >> 31) & .max))
  }

  static func double(_ key: Int64) -> Double { Double(bitPattern: UInt64(bitPattern: key ^ ((key >> 63) & .max))) }

  static func float(_ key: Int64) -> Float {
    let bits = Int32(truncatingIfNeeded: key)
    return Float(bitPattern: UInt32(bitPattern: bits ^ ((bits >> 31) & .max)))
  }

  var byteCount: Int { 128 + nodes.capacity * MemoryLayout<Node>.stride }
}
