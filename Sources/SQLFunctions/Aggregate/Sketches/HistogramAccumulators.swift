import Columnar
import QueryErrors

/// `numeric_histogram`: weighted means, the closest of which are joined while there are too many.
///
/// - Source: Ben-Haim and Tom-Tov, "A Streaming Parallel Decision Tree Algorithm", JMLR 11 (2010).
final class NumericHistogramAccumulator: GroupsAccumulator {
  private typealias Bucket = (mean: Double, weight: Double)
  private let returnType: DataType
  private let isReal: Bool
  private var limit = 0
  private var buckets: [[Bucket]] = []
  /// Values gathered beyond the limit before joining.
  private static let slack = 100

  init(_ binding: SignatureBinding) {
    returnType = binding.returnType
    isReal = binding.argumentTypes[1] == .real
  }

  func resize(groupCount: Int) { while buckets.count < groupCount { buckets.append([]) } }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    if rowCount == 0 { return }
    if limit == 0 {
      guard case .integer(let count) = arguments[0].scalar(0), count >= 2, count <= 1 << 20 else {
        throw QueryError(.invalidFunctionArgument, "numeric_histogram bucket count must be greater than one")
      }
      limit = Int(count)
    }
    let values = arguments[1].view
    let weights = arguments.count > 2 ? arguments[2].view : nil
    try forEachRow(commonValidity(arguments), groups, rowCount) { (group, row) throws(QueryError) in
      let value = isReal ? Double(values.value(row, as: Float.self)) : values.value(row, as: Double.self)
      let weight = weights?.value(row, as: Double.self) ?? 1
      guard value.isFinite, weight > 0, weight.isFinite else {
        throw QueryError(.invalidFunctionArgument, "numeric_histogram values must be finite and weights positive")
      }
      buckets[group].append((value, weight))
      if buckets[group].count >= limit + Self.slack { join(group) }
    }
    withExtendedLifetime(arguments) {}
  }

  private func join(_ group: Int) {
    var list: [Bucket] = []
    for bucket in buckets[group].sorted(by: { $0.mean < $1.mean }) {
      if let last = list.last, last.mean == bucket.mean {
        list[list.count - 1].weight += bucket.weight
      } else {
        list.append(bucket)
      }
    }
    func penalty(_ a: Bucket, _ b: Bucket) -> Double {
      let total = a.weight + b.weight
      return (a.mean - b.mean) * (a.mean - b.mean) * a.weight * b.weight / total
    }
    var penalties = zip(list, list.dropFirst()).map(penalty)
    while list.count > limit {
      let at = penalties.indices.min { penalties[$0] < penalties[$1] }!
      let (a, b) = (list[at], list[at + 1])
      let total = a.weight + b.weight
      list[at] = ((a.mean * a.weight + b.mean * b.weight) / total, total)
      list.remove(at: at + 1)
      penalties.remove(at: at)
      if at > 0 { penalties[at - 1] = penalty(list[at - 1], list[at]) }
      if at < penalties.count { penalties[at] = penalty(list[at], list[at + 1]) }
    }
    buckets[group] = list
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! NumericHistogramAccumulator
    if limit == 0 { limit = other.limit }
    try forEachPair(sources, targets, count) { source, target in
      buckets[target] += other.buckets[source]
      if buckets[target].count >= limit + Self.slack { join(target) }
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    var list = ListBuilder(rowCount: range.count)
    var flat: [Bucket] = []
    let valid = Bitmap(count: range.count, filled: true)
    for (k, group) in range.enumerated() {
      if buckets[group].isEmpty { valid.clear(k) } else { join(group) }
      list.add(flat.count..<(flat.count + buckets[group].count))
      flat += buckets[group]
      list.end()
    }
    let types = returnType.childTypes
    func column(_ type: DataType, _ value: (Bucket) -> Double) throws(QueryError) -> Column {
      isReal
        ? try resultColumn(type, 0..<flat.count, zero: Float(0)) { Float(value(flat[$0])) }
        : try resultColumn(type, 0..<flat.count, zero: 0.0) { value(flat[$0]) }
    }
    return try list.finish(
      returnType, try column(types[0]) { $0.mean }, try column(types[1]) { $0.weight }, validity: valid)
  }

  var byteCount: Int { buckets.reduce(0) { $0 + 32 + $1.capacity * 16 } }
}

/// `approx_most_frequent`: the most frequent values and how often they occur; exact.
final class MostFrequentAccumulator: GroupsAccumulator {
  private let rows: DistinctGroupedRows
  private let returnType: DataType
  private var limit = 0

  init(_ binding: SignatureBinding) {
    returnType = binding.returnType
    rows = DistinctGroupedRows([binding.argumentTypes[1]])
  }

  func resize(groupCount: Int) { rows.rows.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    if rowCount == 0 { return }
    if limit == 0 {
      guard case .integer(let count) = arguments[0].scalar(0), count >= 2 else {
        throw QueryError(
          .invalidFunctionArgument,
          "approx_most_frequent bucket count must be greater than one, input bucket count: \(arguments[0].scalar(0).integerValue ?? 0)"
        )
      }
      limit = Int(min(count, Int64(Int32.max)))
    }
    try rows.add([arguments[1]], groups, rowCount: rowCount, where: arguments[1].validity)
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! MostFrequentAccumulator
    if limit == 0 { limit = other.limit }
    try rows.merge(other.rows, sources, targets, count)
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    rows.compact()
    let sorted = rows.rows.sort()
    let counts = sorted.columns[1].view
    var list = ListBuilder(rowCount: range.count)
    let valid = Bitmap(count: range.count, filled: true)
    for (k, group) in range.enumerated() {
      let picks = sorted.rows(group)
      if picks.isEmpty { valid.clear(k) }
      let best = picks.sorted { counts.value(Int($0), as: Int64.self) > counts.value(Int($1), as: Int64.self) }
      for row in best.prefix(limit) { list.add(Int(row)) }
      list.end()
    }
    return try withExtendedLifetime(sorted.columns) { () throws(QueryError) in
      try list.finish(returnType, sorted.columns[0], sorted.columns[1], validity: valid)
    }
  }

  var byteCount: Int { rows.rows.byteCount }
}
