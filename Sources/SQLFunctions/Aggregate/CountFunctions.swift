import Columnar
import QueryErrors

/// Aggregates that count rows.
package enum CountFunctions: AggregateFamily {
  package static let title = "Counting"

  package static let functions: [AggregateFunction] = [
    AggregateFunction(
      "count", summary: "Counts rows, or rows where the argument is not NULL.",
      examples: [Example("(SELECT count(*) FROM (VALUES 1, NULL) t(x))", "2")],
      overloads: [
        AggregateOverload([], returns: .bigint) { (_) throws(QueryError) in CountAccumulator(.rows) },
        AggregateOverload([.t], returns: .bigint) { (_) throws(QueryError) in CountAccumulator(.values) },
      ]),
    AggregateFunction(
      "count_if", summary: "Counts rows where the argument is true.",
      examples: [Example("(SELECT count_if(x > 1) FROM (VALUES 1, 2, 3) t(x))", "2")],
      overloads: [
        AggregateOverload([.boolean], returns: .bigint) { (_) throws(QueryError) in CountAccumulator(.trueValues) }
      ]),
  ]
}

/// Counts per group.
final class CountAccumulator: GroupsAccumulator {
  enum Counted { case rows, values, trueValues }
  private let counted: Counted
  private var counts = GroupArray<Int64>(empty: 0)

  init(_ counted: Counted) { self.counted = counted }

  func resize(groupCount: Int) { counts.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let counts = counts.pointer
    var row = 0
    if counted == .trueValues {
      let column = arguments[0]
      if column.isAllNull { return }
      let view = column.view
      let values = view.values.assumingMemoryBound(to: UInt8.self)
      withExtendedLifetime(column) {
        if let groups {
          while row < rowCount {
            let hit = Int64(values[view.position(row)]) & Int64(bit(!view.isNull(row)))
            counts[Int(groups[row])] &+= hit
            row &+= 1
          }
        } else {
          var total: Int64 = 0
          while row < rowCount {
            total &+= Int64(values[view.position(row)]) & Int64(bit(!view.isNull(row)))
            row &+= 1
          }
          counts[0] &+= total
        }
      }
      return
    }
    let validity = counted == .values ? arguments[0].validity : nil
    guard let groups else {
      counts[0] &+= Int64(validity?.setCount ?? rowCount)
      return
    }
    if let validity {
      let words = validity.words
      while row < rowCount {
        let isValid = (words[row >> 6] &>> UInt64(row & 63)) & 1
        counts[Int(groups[row])] &+= Int64(isValid)
        row &+= 1
      }
    } else {
      while row < rowCount {
        counts[Int(groups[row])] &+= 1
        row &+= 1
      }
    }
  }

  var mergesByCopy: Bool { true }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let (own, theirs) = (counts.pointer, (other as! CountAccumulator).counts.pointer)
    try forEachPair(sources, targets, count) { source, target in own[target] &+= theirs[source] }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let values = Buffer(byteCount: range.count * 8)
    values.pointer.copyMemory(from: counts.pointer + range.lowerBound, byteCount: range.count * 8)
    return Column(flat: .bigint, count: range.count, values: values, validity: nil)
  }

  var byteCount: Int { counts.byteCount }
}
