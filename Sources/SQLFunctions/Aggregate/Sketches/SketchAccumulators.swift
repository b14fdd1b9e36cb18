import Columnar
import QueryErrors

/// `approx_distinct`, `approx_set` and `merge` of HyperLogLogs.
final class HyperLogLogAccumulator: GroupsAccumulator {
  enum Kind { case distinct, set, merge }
  private let kind: Kind
  private let standardBits: Int
  private var sketches: [HyperLogLog?] = []
  /// The sketches again, where rows were added: without counting references for each row.
  private var handles: [Unmanaged<HyperLogLog>?] = []

  init(_ kind: Kind) {
    self.kind = kind
    standardBits = kind == .distinct ? 11 : 12
  }

  func resize(groupCount: Int) {
    while sketches.count < groupCount { sketches.append(nil) }
    while handles.count < groupCount { handles.append(nil) }
  }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let column = arguments[0]
    if column.isAllNull { return }
    if kind == .merge {
      let view = column.view
      try forEachRow(column.validity, groups, rowCount) { (group, row) throws(QueryError) in
        let other = try HyperLogLog(bytes: view.value(row, as: StringView.self).bytes)
        if let known = sketches[group] { try known.merge(other) } else { sketches[group] = other }
      }
      return withExtendedLifetime(column) {}
    }
    var bits = standardBits
    if arguments.count > 1 {
      guard case .double(let error) = arguments[1].scalar(0) else {
        throw QueryError(.invalidFunctionArgument, "Max standard error must not be null")
      }
      bits = try HyperLogLog.indexBits(standardError: error)
    }
    let hashes = kind == .distinct ? SketchHash.xx(column) : Self.murmur(column)
    try forEachRow(column.validity, groups, rowCount) { group, row in
      let known = handles[group] ?? makeSketch(group, bits)
      known._withUnsafeGuaranteedRef { $0.add(hashes[row]) }
    }
  }

  @inline(never)
  private func makeSketch(_ group: Int, _ bits: Int) -> Unmanaged<HyperLogLog> {
    let made = sketches[group] ?? HyperLogLog(indexBits: bits)
    sketches[group] = made
    let handle = Unmanaged.passUnretained(made)
    handles[group] = handle
    return handle
  }

  /// MurmurHash3 of bigints, doubles' bits and strings.
  static func murmur(_ column: Column) -> [Int64] {
    let view = column.view
    let result: [Int64] = (0..<column.count).map { row in
      if column.isNull(row) { return 0 }
      switch column.type.physicalType {
      case .bool, .int8: return SketchHash.murmur(Int64(view.value(row, as: Int8.self)))
      case .int16: return SketchHash.murmur(Int64(view.value(row, as: Int16.self)))
      case .int32: return SketchHash.murmur(Int64(view.value(row, as: Int32.self)))
      case .int64: return SketchHash.murmur(view.value(row, as: Int64.self))
      case .float: return SketchHash.murmur(Int64(Int32(bitPattern: view.value(row, as: Float.self).bitPattern)))
      case .double: return SketchHash.murmur(Int64(bitPattern: view.value(row, as: Double.self).bitPattern))
      case .string: return view.value(row, as: StringView.self).withBytes { SketchHash.murmur($0, $1) }
      default: return SketchHash.xx(column.slice(offset: row, count: 1))[0]
      }
    }
    return withExtendedLifetime(column) { result }
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! HyperLogLogAccumulator
    try forEachPair(sources, targets, count) { (source, target) throws(QueryError) in
      guard let theirs = other.sketches[source] else { return }
      if let known = sketches[target] { try known.merge(theirs) } else { sketches[target] = theirs }
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    if kind == .distinct {
      return try resultColumn(.bigint, range, zero: Int64(0)) { group in sketches[group]?.cardinality ?? 0 }
    }
    return sketchColumn(.hyperLogLog, range) { sketches[$0]?.bytes }
  }

  var byteCount: Int { sketches.reduce(0) { $0 + 8 + ($1?.byteCount ?? 0) } }
}

/// A column of serialized sketches; nil is NULL.
func sketchColumn(_ type: DataType, _ range: Range<Int>, _ bytes: (Int) -> [UInt8]?) -> Column {
  let builder = ColumnBuilder(type, capacity: max(range.count, 1))
  for group in range {
    if let bytes = bytes(group) { bytes.withUnsafeBytes { builder.append(bytes: $0) } } else { builder.appendNull() }
  }
  return builder.finish()
}

/// `tdigest_agg`, `merge` of t-digests and `approx_percentile`.
///
/// Arguments of `approx_percentile`: value, then maybe weight, then a percentile or an array of them, then maybe an
/// accuracy, which a t-digest does not need.
final class TDigestAccumulator: GroupsAccumulator {
  enum Kind { case digest, merge, percentile, percentiles }
  private let kind: Kind
  private let valueType: DataType
  private let returnType: DataType
  /// Whether the second argument is a weight.
  private let hasWeight: Bool
  private var digests: [TDigest?] = []
  /// Of the query; taken from the first row.
  private var wanted: [Double]?

  init(_ kind: Kind, _ binding: SignatureBinding, hasWeight: Bool) {
    self.kind = kind
    valueType = binding.argumentTypes[0]
    returnType = binding.returnType
    self.hasWeight = hasWeight
  }

  func resize(groupCount: Int) { while digests.count < groupCount { digests.append(nil) } }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    if rowCount == 0 { return }
    let column = arguments[0]
    let view = column.view
    if kind == .merge {
      try forEachRow(column.validity, groups, rowCount) { (group, row) throws(QueryError) in
        let other = try TDigest(bytes: view.value(row, as: StringView.self).bytes)
        if let known = digests[group] { known.merge(other) } else { digests[group] = other }
      }
      return withExtendedLifetime(column) {}
    }
    if kind == .percentile || kind == .percentiles, wanted == nil {
      let index = hasWeight ? 2 : 1
      switch arguments[index].scalar(0) {
      case .double(let value): wanted = [value]
      case .array(let items):
        var list: [Double] = []
        for item in items {
          guard case .double(let value) = item else {
            throw QueryError(.invalidFunctionArgument, "Percentile cannot be null")
          }
          list.append(value)
        }
        wanted = list
      default: throw QueryError(.invalidFunctionArgument, "Percentile cannot be null")
      }
      for value in wanted! {
        guard value >= 0, value <= 1 else {
          throw QueryError(.invalidFunctionArgument, "Percentile must be between 0 and 1")
        }
      }
      if arguments.count > index + 1 {
        guard case .double(let accuracy) = arguments[index + 1].scalar(0), accuracy > 0, accuracy < 1 else {
          throw QueryError(.invalidFunctionArgument, "Percentile accuracy must be strictly between 0 and 1")
        }
      }
    }
    let weights = hasWeight ? arguments[1] : nil
    let weightView = weights?.view
    let validity = Bitmap.intersection(column.validity, weights?.validity)
    let physical = valueType.physicalType
    try forEachRow(validity, groups, rowCount) { (group, row) throws(QueryError) in
      var weight = 1.0
      if let weightView {
        weight = weightView.value(row, as: Double.self)
        guard weight > 0, weight.isFinite else {
          throw QueryError(
            .invalidFunctionArgument, kind == .digest ? "weight must be > 0" : "percentile weight must be > 0")
        }
      }
      let value: Double
      switch physical {
      case .int64: value = Double(view.value(row, as: Int64.self))
      case .float: value = Double(view.value(row, as: Float.self))
      default: value = view.value(row, as: Double.self)
      }
      if let known = digests[group] {
        try known.add(value, weight: weight)
      } else {
        let made = TDigest()
        try made.add(value, weight: weight)
        digests[group] = made
      }
    }
    withExtendedLifetime(arguments) {}
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! TDigestAccumulator
    if wanted == nil { wanted = other.wanted }
    try forEachPair(sources, targets, count) { source, target in
      guard let theirs = other.digests[source] else { return }
      if let known = digests[target] { known.merge(theirs) } else { digests[target] = theirs }
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    switch kind {
    case .digest, .merge: return sketchColumn(.tDigest, range) { digests[$0]?.bytes }
    case .percentile: return try column(range.map { digests[$0]?.value(at: wanted?.first ?? 0) }, returnType)
    case .percentiles:
      var list = ListBuilder(rowCount: range.count)
      var values: [Double?] = []
      let valid = Bitmap(count: range.count, filled: true)
      for (k, group) in range.enumerated() {
        if let digest = digests[group] {
          for quantile in wanted ?? [] {
            list.add(values.count)
            values.append(digest.value(at: quantile))
          }
        } else {
          valid.clear(k)
        }
        list.end()
      }
      return try list.finish(returnType, try column(values, returnType.childTypes[0]), validity: valid)
    }
  }

  private func column(_ values: [Double?], _ type: DataType) throws(QueryError) -> Column {
    let range = 0..<values.count
    switch type.physicalType {
    case .int64:
      return try resultColumn(type, range, zero: Int64(0)) { k in
        values[k].map { Int64(exactly: ($0 + 0.5).rounded(.down)) ?? ($0 < 0 ? .min : .max) }
      }
    case .float: return try resultColumn(type, range, zero: Float(0)) { k in values[k].map { Float($0) } }
    default: return try resultColumn(type, range, zero: 0.0) { k in values[k] }
    }
  }

  var byteCount: Int { digests.reduce(0) { $0 + 8 + ($1?.byteCount ?? 0) } }
}

/// `qdigest_agg` and `merge` of quantile digests.
final class QuantileDigestAccumulator: GroupsAccumulator {
  private let isMerge: Bool
  private let valueType: DataType
  private let returnType: DataType
  private var digests: [QuantileDigest?] = []

  init(_ binding: SignatureBinding, merging: Bool) {
    isMerge = merging
    valueType = binding.argumentTypes[0]
    returnType = binding.returnType
  }

  func resize(groupCount: Int) { while digests.count < groupCount { digests.append(nil) } }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    if rowCount == 0 { return }
    let column = arguments[0]
    let view = column.view
    if isMerge {
      try forEachRow(column.validity, groups, rowCount) { (group, row) throws(QueryError) in
        let other = try QuantileDigest(bytes: view.value(row, as: StringView.self).bytes)
        if let known = digests[group] { known.merge(other) } else { digests[group] = other }
      }
      return withExtendedLifetime(column) {}
    }
    var accuracy = QuantileDigest.standardAccuracy
    if arguments.count > 2 {
      guard case .double(let value) = arguments[2].scalar(0), value > 0, value < 1 else {
        throw QueryError(.invalidFunctionArgument, "Percentile accuracy must be exclusively between 0 and 1")
      }
      accuracy = value
    }
    let weights = arguments.count > 1 ? arguments[1].view : nil
    let validity = arguments.count > 1 ? commonValidity(Array(arguments.prefix(2))) : column.validity
    try forEachRow(validity, groups, rowCount) { (group, row) throws(QueryError) in
      let weight = weights?.value(row, as: Int64.self) ?? 1
      guard weight > 0 else { throw QueryError(.invalidFunctionArgument, "weight must be > 0, was \(weight)") }
      let key: Int64
      switch valueType.physicalType {
      case .int64: key = view.value(row, as: Int64.self)
      case .float: key = QuantileDigest.key(view.value(row, as: Float.self))
      default: key = QuantileDigest.key(view.value(row, as: Double.self))
      }
      let digest = digests[group] ?? QuantileDigest(accuracy: accuracy)
      digest.add(key, weight: Double(weight))
      digests[group] = digest
    }
    withExtendedLifetime(arguments) {}
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! QuantileDigestAccumulator
    try forEachPair(sources, targets, count) { source, target in
      guard let theirs = other.digests[source] else { return }
      if let known = digests[target] { known.merge(theirs) } else { digests[target] = theirs }
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    sketchColumn(returnType, range) { digests[$0]?.bytes }
  }

  var byteCount: Int { digests.reduce(0) { $0 + 8 + ($1?.byteCount ?? 0) } }
}

/// `make_set_digest` and `merge_set_digest`.
final class SetDigestAccumulator: GroupsAccumulator {
  private let isMerge: Bool
  private var digests: [SetDigest?] = []

  init(merging: Bool) { isMerge = merging }

  func resize(groupCount: Int) { while digests.count < groupCount { digests.append(nil) } }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let column = arguments[0]
    if column.isAllNull { return }
    let view = column.view
    let hashes = isMerge ? [] : HyperLogLogAccumulator.murmur(column)
    try forEachRow(column.validity, groups, rowCount) { (group, row) throws(QueryError) in
      if isMerge {
        let other = try SetDigest(bytes: view.value(row, as: StringView.self).bytes)
        if let known = digests[group] { try known.merge(other) } else { digests[group] = other }
      } else {
        let digest = digests[group] ?? SetDigest()
        digest.add(hashes[row])
        digests[group] = digest
      }
    }
    withExtendedLifetime(column) {}
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! SetDigestAccumulator
    try forEachPair(sources, targets, count) { (source, target) throws(QueryError) in
      guard let theirs = other.digests[source] else { return }
      if let known = digests[target] { try known.merge(theirs) } else { digests[target] = theirs }
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    sketchColumn(.setDigest, range) { digests[$0]?.bytes }
  }

  var byteCount: Int { digests.reduce(0) { $0 + 8 + ($1.map { 4096 + $0.hashes.count * 10 } ?? 0) } }
}
