/// Two 64-bit halves of a hash; equal values are taken to be the same thing.
struct PathHash: Hashable, BitwiseCopyable {
  var low: UInt64 = 0x243f_6a88_85a3_08d3
  var high: UInt64 = 0x1319_8a2e_0370_7344

  @inline(__always)
  mutating func add(_ value: Int) {
    let word = UInt64(bitPattern: Int64(value))
    let a = (low ^ word).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    let b = (high &+ word).multipliedFullWidth(by: 0xc2b2_ae3d_27d4_eb4f)
    low = a.high ^ a.low ^ b.high
    high = b.low ^ b.high &+ a.high
  }

  @inline(__always)
  mutating func add(_ other: PathHash) {
    add(Int(truncatingIfNeeded: other.low))
    add(Int(truncatingIfNeeded: other.high))
  }
}

/// The rows matched so far with some of the variables, so that FIRST and LAST find theirs without a search.
///
/// - Threads: one owner.
final class VariableSet {
  /// Ascending; empty means all.
  let variables: [Int]
  /// Rows from the match's first, ascending.
  private(set) var positions: [Int32] = []
  /// Hashes of all prefixes of `positions` and what they were matched with.
  private var hashes: [PathHash] = [PathHash()]

  init(_ variables: [Int]) { self.variables = variables }

  func contains(_ variable: Int) -> Bool { variables.isEmpty || variables.contains(variable) }

  @inline(__always)
  func push(_ position: Int, _ variable: Int) {
    positions.append(Int32(truncatingIfNeeded: position))
    var hash = hashes[hashes.count - 1]
    hash.add(position)
    hash.add(variable)
    hashes.append(hash)
  }

  @inline(__always)
  func pop() {
    positions.removeLast()
    hashes.removeLast()
  }

  func clear() {
    positions.removeAll(keepingCapacity: true)
    hashes.removeSubrange(1...)
  }

  func prefixHash(_ count: Int) -> PathHash { hashes[count] }

  /// The row that a pointer means before its physical offset; nil when there is none.
  @inline(__always)
  func position(_ pointer: PathPointer) -> Int? {
    if pointer.logicalOffset >= positions.count { return nil }
    return Int(positions[pointer.isLast ? positions.count - 1 - pointer.logicalOffset : pointer.logicalOffset])
  }
}

/// A pointer into a path: which set, which of its rows, and how far from there.
struct PathPointer {
  var set: VariableSet
  var isLast: Bool
  var logicalOffset: Int
  var physicalOffset: Int
}

/// The variables that rows from the match's first on have been matched with; it grows and shrinks at its end.
///
/// - Threads: one owner.
final class MatchPath {
  private(set) var variables: [Int32] = []
  private(set) var sets: [VariableSet] = []
  /// Per variable the sets it is in.
  private var setsOf: [[VariableSet]]

  init(variableCount: Int) { setsOf = Array(repeating: [], count: variableCount) }

  /// The set of these variables, kept up to date from now on.
  ///
  /// - Parameter variables: ascending.
  func set(_ variables: [Int]) -> VariableSet {
    if let known = sets.first(where: { $0.variables == variables }) { return known }
    let set = VariableSet(variables)
    sets.append(set)
    for variable in setsOf.indices where set.contains(variable) { setsOf[variable].append(set) }
    return set
  }

  var count: Int { variables.count }

  @inline(__always)
  func push(_ variable: Int) {
    let position = variables.count
    variables.append(Int32(truncatingIfNeeded: variable))
    for set in setsOf[variable] { set.push(position, variable) }
  }

  @inline(__always)
  func pop() {
    let variable = Int(variables.removeLast())
    for set in setsOf[variable] { set.pop() }
  }

  func truncate(to count: Int) { while variables.count > count { pop() } }

  func clear() {
    variables.removeAll(keepingCapacity: true)
    for set in sets { set.clear() }
  }
}
