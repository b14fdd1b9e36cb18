import Columnar
import QueryErrors

/// Aggregates that compare tables.
package enum ChecksumFunctions: AggregateFamily {
  package static let title = "Checksums"

  package static let functions: [AggregateFunction] = [
    AggregateFunction(
      "checksum", summary: "A checksum of the values that does not depend on their order.",
      examples: [Example("(SELECT to_hex(checksum(x)) FROM (VALUES 1, 2) t(x))", "6387D0F5865FD136")],
      overloads: [
        AggregateOverload([.comparable("T")], returns: .varbinary) { (_) throws(QueryError) in ChecksumAccumulator() }
      ])
  ]
}

/// Sums of multiplied hashes.
///
/// - Source: Trino `ChecksumAggregationFunction`.
final class ChecksumAccumulator: GroupsAccumulator {
  private struct State: BitwiseCopyable {
    var sum: Int64 = 0
    var seen = false
  }
  private static let prime = Int64(bitPattern: 0x9e37_79b1_85eb_ca87)
  private var states = GroupArray<State>(empty: State())

  func resize(groupCount: Int) { states.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let states = states.pointer
    let hashes = SketchHash.xx(arguments[0])
    try forEachRow(nil, groups, rowCount) { group, row in
      states[group].sum &+= arguments[0].isNull(row) ? Self.prime : hashes[row] &* Self.prime
      states[group].seen = true
    }
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let (own, theirs) = (states.pointer, (other as! ChecksumAccumulator).states.pointer)
    try forEachPair(sources, targets, count) { source, target in
      own[target].sum &+= theirs[source].sum
      own[target].seen = own[target].seen || theirs[source].seen
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let states = states.pointer
    return try resultColumn(.varbinary, range, zero: StringView()) { group in
      if !states[group].seen { return nil }
      return withUnsafeBytes(of: states[group].sum.littleEndian) { StringView($0.baseAddress!, count: 8) }
    }
  }

  var byteCount: Int { states.byteCount }
}
