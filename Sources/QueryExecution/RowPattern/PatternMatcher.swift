import Columnar
import ObjectStore
import QueryErrors

/// Where a match is tried.
struct MatchAttempt {
  /// The match's first row.
  var start: Int
  /// Rows that may be matched or looked at.
  var search: Range<Int>
  /// The whole partition.
  var partition: Range<Int>
  /// What MATCH_NUMBER() says.
  var number: Int
}

/// Finds the preferred match of a row pattern that starts at a given row.
///
/// The program runs depth first, preferred ways first, with an explicit stack. A place in the program that was reached
/// before at the same row, with the same history as far as conditions look at it, cannot lead to a match this time either
/// and is left at once; so nothing is exponential unless conditions tell all histories apart, and loops over nothing end.
///
/// - Threads: one owner.
/// - Complexity: steps × rows, where conditions look at nothing but neighbouring rows.
/// - Source: Trino `Matcher`, `ThreadEquivalence`: what is matched is the same; RE2's bit-state matcher.
final class PatternMatcher {
  private struct Choice {
    var instruction: Int32
    var length: Int32
    var captureCount: Int32
  }

  private let program: PatternProgram
  /// Per variable; nil matches any row.
  private let conditions: [PatternCondition?]
  private let cancellation: CancellationFlag
  private var choices: [Choice] = []
  private var visited: VisitedPlaces
  private var stepCount = 0

  // MARK: The match found
  let path: MatchPath
  /// Starts and ends of the excluded stretches, from the match's first row.
  private(set) var captures: [Int32] = []

  /// - Parameters:
  ///   - partitionSize: rows of the largest partition.
  ///   - isBounded: whether the rows that may be matched end somewhere else for each attempt.
  init(
    _ program: PatternProgram, _ conditions: [PatternCondition?], _ path: MatchPath, partitionSize: Int,
    isBounded: Bool, context: QueryContext
  ) throws(QueryError) {
    self.program = program
    self.conditions = conditions
    self.path = path
    cancellation = context.cancellation
    let scope = max(conditions.compactMap { $0?.dependence }.max() ?? .position, isBounded ? .attempt : .position)
    visited = try VisitedPlaces(program, scope: scope, partitionSize: partitionSize, context)
    visited.histories = conditions.compactMap { $0 }.flatMap(\.histories)
  }

  /// Forgets what is known of the partition before.
  func beginPartition() { visited.beginPartition() }

  /// Whether a match starts there; `path` and `captures` hold it.
  func matches(_ attempt: MatchAttempt) throws(QueryError) -> Bool {
    path.clear()
    captures.removeAll(keepingCapacity: true)
    choices.removeAll(keepingCapacity: true)
    for condition in conditions { condition?.begin() }
    visited.begin(attempt)
    let isMatch = try run(attempt)
    visited.end(isMatch: isMatch)
    return isMatch
  }

  private func run(_ attempt: MatchAttempt) throws(QueryError) -> Bool {
    let rowCount = attempt.search.upperBound - attempt.start
    var at = 0
    while true {
      stepCount &+= 1
      if stepCount & 0xfff == 0 { try cancellation.check() }
      if program.isJoin[at] != 0, try !visited.visit(at, path) {
        guard let next = backtrack() else { return false }
        at = next
        continue
      }
      let instruction = program.instructions[at]
      var isAlive = true
      switch instruction.operation {
      case .variable:
        let variable = Int(instruction.first)
        isAlive = path.count < rowCount
        if isAlive {
          path.push(variable)
          if let condition = conditions[variable] { isAlive = try condition.isTrue(path, attempt) }
        }
        at += 1
      case .jump: at = Int(instruction.first)
      case .split:
        choices.append(
          Choice(
            instruction: instruction.second, length: Int32(truncatingIfNeeded: path.count),
            captureCount: Int32(truncatingIfNeeded: captures.count)))
        at = Int(instruction.first)
      case .partitionStart:
        isAlive = path.count == 0 && attempt.start == attempt.partition.lowerBound
        at += 1
      case .partitionEnd:
        isAlive = path.count == rowCount
        at += 1
      case .save:
        captures.append(Int32(truncatingIfNeeded: path.count))
        at += 1
      case .done: return true
      }
      if !isAlive {
        guard let next = backtrack() else { return false }
        at = next
      }
    }
  }

  /// Goes back to the last choice; its other way.
  private func backtrack() -> Int? {
    guard let choice = choices.popLast() else { return nil }
    path.truncate(to: Int(choice.length))
    captures.removeSubrange(Int(choice.captureCount)...)
    return Int(choice.instruction)
  }
}

/// What a condition's outcome depends on, besides the row it is tested for.
enum ConditionDependence: Int, Comparable {
  /// Nothing.
  case position
  /// The match's first row or number, or the rows that may be looked at.
  case attempt
  /// What rows before were matched with.
  case history

  static func < (a: ConditionDependence, b: ConditionDependence) -> Bool { a.rawValue < b.rawValue }
}

/// What a condition knows of the rows before.
enum PathHistory {
  /// The last (or first) so many rows of a set.
  case ends(VariableSet, isLast: Bool, count: Int)
  /// All rows of a set.
  case whole(VariableSet)

  func add(to hash: inout PathHash) {
    switch self {
    case .whole(let set): hash.add(set.prefixHash(set.positions.count))
    case .ends(let set, let isLast, let count):
      let known = min(count, set.positions.count)
      hash.add(known)
      for k in 0..<known { hash.add(Int(set.positions[isLast ? set.positions.count - 1 - k : k])) }
    }
  }
}

/// The places of the program that have been reached, by row and history.
private struct VisitedPlaces {
  private let scope: ConditionDependence
  /// Per instruction its number among the joins.
  private var joinNumbers: [Int32] = []
  private var joinCount = 0
  /// A bit per row and join; nil where a set is kept.
  private var bits: Buffer?
  private var set: Set<PathHash> = []
  private let reservation: MemoryReservation
  private var reservedCount = 0
  var histories: [PathHistory] = []
  /// No bit behind this word is set.
  private var lastWord = -1

  // MARK: The attempt under way
  private var first = 0
  private var furthest = 0
  private var partitionStart = 0

  private static let largestBitCount = 1 << 30

  init(
    _ program: PatternProgram, scope: ConditionDependence, partitionSize: Int, _ context: QueryContext
  ) throws(QueryError) {
    for isJoin in program.isJoin {
      joinNumbers.append(Int32(joinCount))
      joinCount += Int(isJoin)
    }
    reservation = MemoryReservation(context.memory)
    let bitCount = (partitionSize + 1).multipliedReportingOverflow(by: max(1, joinCount))
    if scope != .history, !bitCount.overflow, bitCount.partialValue <= VisitedPlaces.largestBitCount {
      let byteCount = (bitCount.partialValue + 63) / 64 * 8
      try MemoryAccount.require(byteCount)
      bits = .zeroed(byteCount: byteCount)
    }
    // A set lives for one attempt only: what it holds may depend on the first row.
    self.scope = bits == nil ? .history : scope
  }

  mutating func beginPartition() {
    if let bits { clear(bits, 0, lastWord) }
    lastWord = -1
  }

  private func clear(_ bits: Buffer, _ from: Int, _ through: Int) {
    let words = bits.typed(UInt64.self)
    var word = from
    while word <= through {
      words[word] = 0
      word &+= 1
    }
  }

  mutating func begin(_ attempt: MatchAttempt) {
    partitionStart = attempt.partition.lowerBound
    first = attempt.start - partitionStart
    furthest = first
  }

  /// Whether the place is new.
  mutating func visit(_ instruction: Int, _ path: MatchPath) throws(QueryError) -> Bool {
    let row = first &+ path.count
    if row > furthest { furthest = row }
    guard let bits else {
      var hash = PathHash()
      hash.add(instruction)
      hash.add(row)
      for history in histories { history.add(to: &hash) }
      if !set.insert(hash).inserted { return false }
      if set.count &- reservedCount > 1 << 14 {
        reservedCount = set.count
        try reservation.set(reservedCount * 32)
      }
      return true
    }
    let bit = row &* joinCount &+ Int(joinNumbers[instruction])
    let words = bits.typed(UInt64.self)
    let mask: UInt64 = 1 &<< UInt64(bit & 63)
    if words[bit >> 6] & mask != 0 { return false }
    words[bit >> 6] |= mask
    if bit >> 6 > lastWord { lastWord = bit >> 6 }
    return true
  }

  /// Forgets what does not hold for later attempts: places that led to a match, and those of one attempt.
  mutating func end(isMatch: Bool) {
    guard let bits else {
      if set.count > 1 << 10 { set = [] } else { set.removeAll(keepingCapacity: true) }
      reservedCount = 0
      return
    }
    if scope == .position, !isMatch { return }
    clear(bits, first * joinCount >> 6, ((furthest + 1) * joinCount - 1) >> 6)
  }
}
