import QueryErrors
import QueryPlan

/// A row pattern as instructions for `PatternMatcher`.
///
///     A+ B?    0: variable A   1: split 0, 2   2: split 3, 4   3: variable B   4: done
///
/// - Source: Trino `IrRowPatternToProgramRewriter`; Russ Cox, "Regular Expression Matching: the Virtual Machine Approach".
struct PatternProgram: Sendable {
  struct Instruction: Sendable, BitwiseCopyable {
    enum Operation: UInt8 { case variable, jump, split, partitionStart, partitionEnd, save, done }
    var operation: Operation
    /// The variable, the target, or the preferred target.
    var first: Int32 = 0
    /// The other target of a split.
    var second: Int32 = 0
  }

  private(set) var instructions: [Instruction] = []
  /// Per instruction 1 when several ways lead there, so that it pays to remember having been there.
  private(set) var isJoin: [UInt8] = []
  private let range: SourceRange?
  private var exclusionDepth = 0

  /// Quantifiers and permutations are written out; programs grow no longer than this.
  private static let largestLength = 1 << 20

  /// - Throws: `NOT_SUPPORTED` when the pattern is too large.
  init(_ pattern: RowPattern, range: SourceRange?) throws(QueryError) {
    self.range = range
    try add(pattern)
    try emit(Instruction(operation: .done))
    var ways = [Int](repeating: 0, count: instructions.count)
    ways[0] = 1
    for (index, instruction) in instructions.enumerated() {
      switch instruction.operation {
      case .done: break
      case .jump: ways[Int(instruction.first)] += 1
      case .split:
        ways[Int(instruction.first)] += 1
        ways[Int(instruction.second)] += 1
      default: ways[index + 1] += 1
      }
    }
    isJoin = ways.map { $0 > 1 ? 1 : 0 }
  }

  @discardableResult
  private mutating func emit(_ instruction: Instruction) throws(QueryError) -> Int {
    guard instructions.count < PatternProgram.largestLength else {
      throw .notSupported("Row pattern has more than \(PatternProgram.largestLength) steps", at: range)
    }
    instructions.append(instruction)
    return instructions.count - 1
  }

  private var next: Int32 { Int32(instructions.count) }

  private mutating func add(_ pattern: RowPattern) throws(QueryError) {
    switch pattern {
    case .variable(let variable): try emit(Instruction(operation: .variable, first: Int32(variable)))
    case .empty: break
    case .partitionStart: try emit(Instruction(operation: .partitionStart))
    case .partitionEnd: try emit(Instruction(operation: .partitionEnd))
    case .concatenation(let parts): for part in parts { try add(part) }
    case .alternation(let parts): try addAlternatives(parts.map { [$0] })
    case .permutation(let parts): try addPermutations(parts)
    case .exclusion(let part):
      // What is excluded within an excluded stretch is excluded already.
      exclusionDepth += 1
      defer { exclusionDepth -= 1 }
      if exclusionDepth == 1 { try emit(Instruction(operation: .save)) }
      try add(part)
      if exclusionDepth == 1 { try emit(Instruction(operation: .save)) }
    case .quantified(let part, let atLeast, let atMost, let isReluctant):
      if let atMost {
        try addRange(part, atLeast, atMost, isReluctant)
      } else {
        try addLoop(part, atLeast, isReluctant)
      }
    }
  }

  /// Alternatives, each a concatenation, the preferred one first.
  private mutating func addAlternatives(_ alternatives: [[RowPattern]]) throws(QueryError) {
    var jumps: [Int] = []
    for (index, parts) in alternatives.enumerated() {
      if index == alternatives.count - 1 {
        for part in parts { try add(part) }
        break
      }
      let split = try emit(Instruction(operation: .split))
      for part in parts { try add(part) }
      jumps.append(try emit(Instruction(operation: .jump)))
      instructions[split].first = Int32(split + 1)
      instructions[split].second = next
    }
    for jump in jumps { instructions[jump].first = next }
  }

  /// All orders of the parts, in lexicographic order of their places.
  private mutating func addPermutations(_ parts: [RowPattern]) throws(QueryError) {
    var count = 1
    for k in 1...max(1, parts.count) {
      count *= k
      if count > PatternProgram.largestLength {
        throw .notSupported("PERMUTE of \(parts.count) patterns is not supported", at: range)
      }
    }
    var order = Array(parts.indices)
    var alternatives: [[RowPattern]] = []
    while true {
      alternatives.append(order.map { parts[$0] })
      // The next permutation: swap the last ascent's left end with the smallest larger element behind it.
      guard let ascent = order.indices.dropLast().last(where: { order[$0] < order[$0 + 1] }) else { break }
      let larger = order.indices.last { order[$0] > order[ascent] }!
      order.swapAt(ascent, larger)
      order[(ascent + 1)...].reverse()
    }
    try addAlternatives(alternatives)
  }

  private mutating func split(_ at: Int, enter: Int32, leave: Int32, _ isReluctant: Bool) {
    instructions[at].first = isReluctant ? leave : enter
    instructions[at].second = isReluctant ? enter : leave
  }

  private mutating func addLoop(_ part: RowPattern, _ atLeast: Int, _ isReluctant: Bool) throws(QueryError) {
    var skip: Int?
    if atLeast == 0 { skip = try emit(Instruction(operation: .split)) }
    var start = next
    for _ in 0..<max(1, atLeast) {
      start = next
      try add(part)
      // A part without instructions can be repeated any number of times.
      if start == next { break }
    }
    let loop = try emit(Instruction(operation: .split))
    split(loop, enter: start, leave: next, isReluctant)
    if let skip { split(skip, enter: Int32(skip + 1), leave: next, isReluctant) }
  }

  private mutating func addRange(
    _ part: RowPattern, _ atLeast: Int, _ atMost: Int, _ isReluctant: Bool
  ) throws(QueryError) {
    for _ in 0..<atLeast {
      let start = next
      try add(part)
      if start == next { return }
    }
    var splits: [Int] = []
    for _ in atLeast..<atMost {
      splits.append(try emit(Instruction(operation: .split)))
      let start = next
      try add(part)
      if start == next { break }
    }
    for at in splits { split(at, enter: Int32(at + 1), leave: next, isReluctant) }
  }
}
