import Columnar
import QueryErrors

/// Aggregates of booleans and of bits.
package enum LogicalAggregateFunctions: AggregateFamily {
  package static let title = "Booleans and bits"

  package static let functions: [AggregateFunction] = [
    AggregateFunction(
      "bool_and", aliases: ["every"], summary: "Whether all values are true.",
      examples: [Example("(SELECT bool_and(x) FROM (VALUES true, false) t(x))", "false")], ignoresDuplicates: true,
      overloads: [form(.boolean, .and)]),
    AggregateFunction(
      "bool_or", summary: "Whether a value is true.",
      examples: [Example("(SELECT bool_or(x) FROM (VALUES true, false) t(x))", "true")], ignoresDuplicates: true,
      overloads: [form(.boolean, .or)]),
    AggregateFunction(
      "bitwise_and_agg", summary: "The bits that all values have.",
      examples: [Example("(SELECT bitwise_and_agg(x) FROM (VALUES 7, 13) t(x))", "5")], ignoresDuplicates: true,
      overloads: [form(.bigint, .and)]),
    AggregateFunction(
      "bitwise_or_agg", summary: "The bits that any value has.",
      examples: [Example("(SELECT bitwise_or_agg(x) FROM (VALUES 1, 4) t(x))", "5")], ignoresDuplicates: true,
      overloads: [form(.bigint, .or)]),
    AggregateFunction(
      "bitwise_xor_agg", summary: "The bits that an odd number of values have.",
      examples: [Example("(SELECT bitwise_xor_agg(x) FROM (VALUES 3, 5) t(x))", "6")], isExtension: true,
      overloads: [form(.bigint, .xor)]),
  ]

  private static func form(_ type: TypePattern, _ operation: BitsAccumulator.Operation) -> AggregateOverload {
    AggregateOverload([type], returns: .argument(0)) { (context) throws(QueryError) in
      BitsAccumulator(context.binding.returnType, operation)
    }
  }
}

/// Combines booleans or 64-bit integers bit by bit.
final class BitsAccumulator: GroupsAccumulator {
  enum Operation { case and, or, xor }
  private struct State: BitwiseCopyable {
    var bits: Int64
    var seen: Bool
  }
  private let type: DataType
  private let operation: Operation
  private var states: GroupArray<State>

  init(_ type: DataType, _ operation: Operation) {
    self.type = type
    self.operation = operation
    states = GroupArray(empty: State(bits: operation == .and ? -1 : 0, seen: false))
  }

  func resize(groupCount: Int) { states.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    if type == .boolean {
      add(UInt8.self, arguments[0], groups, rowCount)
    } else {
      add(Int64.self, arguments[0], groups, rowCount)
    }
  }

  @inline(__always)
  private func add<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ column: Column, _ groups: UnsafePointer<Int32>?, _ rowCount: Int
  ) {
    let states = states.pointer
    switch operation {
    case .and:
      forEachValue(column, T.self, groups, rowCount) { group, value in
        states[group] = State(bits: states[group].bits & Int64(truncatingIfNeeded: value), seen: true)
      }
    case .or:
      forEachValue(column, T.self, groups, rowCount) { group, value in
        states[group] = State(bits: states[group].bits | Int64(truncatingIfNeeded: value), seen: true)
      }
    case .xor:
      forEachValue(column, T.self, groups, rowCount) { group, value in
        states[group] = State(bits: states[group].bits ^ Int64(truncatingIfNeeded: value), seen: true)
      }
    }
  }

  var mergesByCopy: Bool { true }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let (own, theirs) = (states.pointer, (other as! BitsAccumulator).states.pointer)
    let operation = operation
    try forEachPair(sources, targets, count) { source, target in
      switch operation {
      case .and: own[target].bits &= theirs[source].bits
      case .or: own[target].bits |= theirs[source].bits
      case .xor: own[target].bits ^= theirs[source].bits
      }
      own[target].seen = own[target].seen || theirs[source].seen
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let states = states.pointer
    if type == .boolean {
      return try resultColumn(type, range, zero: UInt8(0)) { group in
        states[group].seen ? UInt8(truncatingIfNeeded: states[group].bits & 1) : nil
      }
    }
    return try resultColumn(type, range, zero: Int64(0)) { group in states[group].seen ? states[group].bits : nil }
  }

  var byteCount: Int { states.byteCount }
}
