import Columnar
import QueryErrors

/// Sums and means.
package enum SumFunctions: AggregateFamily {
  package static let title = "Sums and means"

  package static let functions: [AggregateFunction] = [
    AggregateFunction(
      "sum", summary: "The sum of the values; NULL of no values.",
      examples: [Example("(SELECT sum(x) FROM (VALUES 1, 2, 3) t(x))", "6")],
      overloads: integerForms(returns: .bigint) { IntegerSumAccumulator($0) } + [
        AggregateOverload([.real], returns: .real) { (context) throws(QueryError) in
          FloatingSumAccumulator(context.binding, isMean: false)
        },
        AggregateOverload([.double], returns: .double) { (context) throws(QueryError) in
          FloatingSumAccumulator(context.binding, isMean: false)
        },
        AggregateOverload([.decimal], returns: sumOfDecimals) { (context) throws(QueryError) in
          WideSumAccumulator(context.binding, isMean: false)
        },
        AggregateOverload([.exact(.intervalDayToSecond)], returns: .argument(0)) { (context) throws(QueryError) in
          IntegerSumAccumulator(context.binding)
        },
        AggregateOverload([.exact(.intervalYearToMonth)], returns: .argument(0)) { (context) throws(QueryError) in
          IntegerSumAccumulator(context.binding)
        },
      ]),
    AggregateFunction(
      "avg", summary: "The arithmetic mean of the values; NULL of no values.",
      examples: [Example("(SELECT avg(x) FROM (VALUES 1, 2, 4) t(x))", "2.3333333333333335")],
      overloads: integerForms(returns: .double) { FloatingSumAccumulator($0, isMean: true) } + [
        AggregateOverload([.real], returns: .real) { (context) throws(QueryError) in
          FloatingSumAccumulator(context.binding, isMean: true)
        },
        AggregateOverload([.double], returns: .double) { (context) throws(QueryError) in
          FloatingSumAccumulator(context.binding, isMean: true)
        },
        AggregateOverload([.decimal], returns: .argument(0)) { (context) throws(QueryError) in
          WideSumAccumulator(context.binding, isMean: true)
        },
        AggregateOverload([.exact(.intervalDayToSecond)], returns: .argument(0)) { (context) throws(QueryError) in
          WideSumAccumulator(context.binding, isMean: true)
        },
        AggregateOverload([.exact(.intervalYearToMonth)], returns: .argument(0)) { (context) throws(QueryError) in
          WideSumAccumulator(context.binding, isMean: true)
        },
      ]),
  ]

  /// One form per integer type, so that narrow columns need no widening.
  private static func integerForms(
    returns: ReturnType, _ make: @escaping @Sendable (SignatureBinding) -> any GroupsAccumulator
  ) -> [AggregateOverload] {
    [TypePattern.bigint, .integer, .smallint, .tinyint].map { pattern in
      AggregateOverload([pattern], returns: returns) { (context) throws(QueryError) in make(context.binding) }
    }
  }

  private static let sumOfDecimals = ReturnType.computed { (types) throws(QueryError) -> DataType in
    guard case .decimal(_, let scale) = types[0] else { throw .internalError("sum bound to \(types[0])") }
    return .decimal(precision: 38, scale: scale)
  }
}

/// Sums of batches without groups, written so that they vectorise.
enum BatchSum {
  /// - Complexity: no carries: the halves of up to 2³¹ values fit in 64 bits each.
  static func int64(_ p: UnsafePointer<Int64>, _ n: Int) -> Int128 {
    var (low, high): (UInt64, UInt64) = (0, 0)
    var i = 0
    while i < n {
      // Biased to unsigned, because AVX2 has no arithmetic shift of 64 bits.
      let u = UInt64(bitPattern: p[i]) ^ 0x8000_0000_0000_0000
      low &+= u & 0xffff_ffff
      high &+= u &>> 32
      i &+= 1
    }
    return Int128(low) &+ (Int128(high) &<< 32) &- (Int128(n) &<< 63)
  }

  /// The wrapping sum, and whether all values are below 2⁴⁰ in magnitude: then sums of fewer than 2²² values stay within
  /// 62 bits at every step.
  static func checkedInt64(_ p: UnsafePointer<Int64>, _ n: Int) -> (sum: Int64, isSmall: Bool) {
    var total: Int64 = 0
    var differing: Int64 = 0
    var i = 0
    while i < n {
      // Where neighbouring bits differ: none of the top ones do in small numbers of either sign.
      differing |= p[i] ^ (p[i] &<< 1)
      total &+= p[i]
      i &+= 1
    }
    return (total, UInt64(bitPattern: differing) &>> 41 == 0 && n < 1 << 22)
  }

  @inline(__always)
  static func narrow<T: FixedWidthInteger & BitwiseCopyable>(_ p: UnsafePointer<T>, _ n: Int) -> Int64 {
    var total: Int64 = 0
    var i = 0
    while i < n {
      total &+= Int64(truncatingIfNeeded: p[i])
      i &+= 1
    }
    return total
  }

  static func int128(_ p: UnsafePointer<Int128>, _ n: Int) -> (sum: Int128, overflow: Int64) {
    var total: Int128 = 0
    var overflow: Int64 = 0
    var i = 0
    while i < n {
      let (sum, carries) = total.addingReportingOverflow(p[i])
      if carries { overflow &+= p[i] < 0 ? -1 : 1 }
      total = sum
      i &+= 1
    }
    return (total, overflow)
  }

  static func double(_ p: UnsafePointer<Double>, _ n: Int) -> Double {
    var a = SIMD8<Double>.zero
    var b = SIMD8<Double>.zero
    let raw = UnsafeRawPointer(p)
    var i = 0
    while i &+ 16 <= n {
      a += (raw + i &* 8).loadUnaligned(as: SIMD8<Double>.self)
      b += (raw + (i &+ 8) &* 8).loadUnaligned(as: SIMD8<Double>.self)
      i &+= 16
    }
    var total = (a + b).sum()
    while i < n {
      total += p[i]
      i &+= 1
    }
    return total
  }

  static func float(_ p: UnsafePointer<Float>, _ n: Int) -> Double {
    var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
    var i = 0
    while i &+ 4 <= n {
      a += Double(p[i])
      b += Double(p[i &+ 1])
      c += Double(p[i &+ 2])
      d += Double(p[i &+ 3])
      i &+= 4
    }
    while i < n {
      a += Double(p[i])
      i &+= 1
    }
    return (a + b) + (c + d)
  }
}

/// Sums of integers in 64 bits, with overflow as an error.
///
/// - Throws: `NUMERIC_VALUE_OUT_OF_RANGE`, found once per batch.
final class IntegerSumAccumulator: GroupsAccumulator {
  private struct State: BitwiseCopyable {
    var sum: Int64 = 0
    var count: Int64 = 0
  }
  private let physical: PhysicalType
  private let returnType: DataType
  private var states = GroupArray<State>(empty: State())

  init(_ binding: SignatureBinding) {
    physical = binding.argumentTypes[0].physicalType
    returnType = binding.returnType
  }

  func resize(groupCount: Int) { states.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    switch physical {
    case .int8: try add(Int8.self, arguments[0], groups, rowCount)
    case .int16: try add(Int16.self, arguments[0], groups, rowCount)
    case .int32: try add(Int32.self, arguments[0], groups, rowCount)
    default: try add(Int64.self, arguments[0], groups, rowCount)
    }
  }

  var mergesByCopy: Bool { true }

  @inline(__always)
  private func add<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ column: Column, _ groups: UnsafePointer<Int32>?, _ rowCount: Int
  ) throws(QueryError) {
    let states = states.pointer
    if groups == nil, let values = column.plainValues {
      let total: Int64
      if T.self == Int64.self {
        let p = UnsafePointer(values.typed(Int64.self))
        let (sum, isSmall) = BatchSum.checkedInt64(p, rowCount)
        if !isSmall || states[0].sum.magnitude >= 1 << 62 { return try addOneByOne(p, rowCount) }
        total = sum
      } else {
        total = BatchSum.narrow(UnsafePointer(values.typed(T.self)), rowCount)
      }
      let (sum, overflows) = states[0].sum.addingReportingOverflow(total)
      if overflows { throw Self.overflow(states[0].sum, Int128(total)) }
      states[0].sum = sum
      states[0].count &+= Int64(rowCount)
      return
    }
    var carries: Int64 = 0
    forEachValue(column, T.self, groups, rowCount) { group, value in
      let (a, b) = (states[group].sum, Int64(truncatingIfNeeded: value))
      let r = a &+ b
      carries |= (a ^ r) & (b ^ r)
      states[group].sum = r
      states[group].count &+= 1
    }
    if carries < 0 {
      // Take the batch out again, which wrapping arithmetic does exactly, and go step by step to the first overflow.
      subtract(T.self, column, groups, rowCount)
      var failed: QueryError?
      forEachValue(column, T.self, groups, rowCount) { group, value in
        let (sum, overflows) = states[group].sum.addingReportingOverflow(Int64(truncatingIfNeeded: value))
        if overflows, failed == nil { failed = Self.overflow(states[group].sum, Int128(value)) }
        states[group].sum = sum
      }
      throw failed ?? Self.overflow(0, 0)
    }
  }

  @inline(__always)
  private func subtract<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ column: Column, _ groups: UnsafePointer<Int32>?, _ rowCount: Int
  ) {
    let states = states.pointer
    forEachValue(column, T.self, groups, rowCount) { group, value in
      states[group].sum &-= Int64(truncatingIfNeeded: value)
      states[group].count &-= 1
    }
  }

  /// Adds large values to group 0, failing at the first step that overflows, as Trino does.
  private func addOneByOne(_ p: UnsafePointer<Int64>, _ rowCount: Int) throws(QueryError) {
    let states = states.pointer
    for row in 0..<rowCount {
      let (sum, overflows) = states[0].sum.addingReportingOverflow(p[row])
      if overflows { throw Self.overflow(states[0].sum, Int128(p[row])) }
      states[0].sum = sum
    }
    states[0].count &+= Int64(rowCount)
  }

  private static func overflow(_ a: Int64, _ b: Int128) -> QueryError {
    QueryError(.numericValueOutOfRange, "bigint addition overflow: \(a) + \(b)")
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let (own, theirs) = (states.pointer, (other as! IntegerSumAccumulator).states.pointer)
    try forEachPair(sources, targets, count) { (source, target) throws(QueryError) in
      let (sum, overflows) = own[target].sum.addingReportingOverflow(theirs[source].sum)
      if overflows { throw Self.overflow(own[target].sum, Int128(theirs[source].sum)) }
      own[target].sum = sum
      own[target].count &+= theirs[source].count
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let states = states.pointer
    if returnType.physicalType == .int32 {
      return try resultColumn(returnType, range, zero: Int32(0)) { (group) throws(QueryError) -> Int32? in
        if states[group].count == 0 { return nil }
        guard let months = Int32(exactly: states[group].sum) else {
          throw QueryError(.numericValueOutOfRange, "interval year to month overflow: \(states[group].sum) months")
        }
        return months
      }
    }
    return try resultColumn(returnType, range, zero: Int64(0)) { group in
      states[group].count == 0 ? nil : states[group].sum
    }
  }

  var byteCount: Int { states.byteCount }
}

/// Exact sums in 128 bits and a count of overflows: sums and means of decimals, means of intervals.
///
/// - Throws: `NUMERIC_VALUE_OUT_OF_RANGE` at the end, when a sum has more than 38 digits.
final class WideSumAccumulator: GroupsAccumulator {
  private struct State: BitwiseCopyable {
    var sum: Int128 = 0
    /// How often 2¹²⁸ must be added to `sum`.
    var overflow: Int64 = 0
    var count: Int64 = 0
  }
  private let physical: PhysicalType
  private let returnType: DataType
  private let isMean: Bool
  private var states = GroupArray<State>(empty: State())

  init(_ binding: SignatureBinding, isMean: Bool) {
    physical = binding.argumentTypes[0].physicalType
    returnType = binding.returnType
    self.isMean = isMean
  }

  func resize(groupCount: Int) { states.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let column = arguments[0]
    if groups == nil, let values = column.plainValues {
      let states = states.pointer
      let batch: (sum: Int128, overflow: Int64)
      switch physical {
      case .int32: batch = (Int128(BatchSum.narrow(UnsafePointer(values.typed(Int32.self)), rowCount)), 0)
      case .int64: batch = (BatchSum.int64(UnsafePointer(values.typed(Int64.self)), rowCount), 0)
      default: batch = BatchSum.int128(UnsafePointer(values.typed(Int128.self)), rowCount)
      }
      Self.add(&states[0], batch.sum, batch.overflow, Int64(rowCount))
      return
    }
    switch physical {
    case .int32: addNarrow(Int32.self, column, groups, rowCount)
    case .int64: addNarrow(Int64.self, column, groups, rowCount)
    default:
      let states = states.pointer
      forEachValue(column, Int128.self, groups, rowCount) { group, value in
        Self.add(&states[group], value, 0, 1)
      }
    }
  }

  var mergesByCopy: Bool { true }

  @inline(__always)
  private func addNarrow<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ column: Column, _ groups: UnsafePointer<Int32>?, _ rowCount: Int
  ) {
    let states = states.pointer
    forEachValue(column, T.self, groups, rowCount) { group, value in
      states[group].sum &+= Int128(truncatingIfNeeded: value)
      states[group].count &+= 1
    }
  }

  @inline(__always)
  private static func add(_ state: inout State, _ value: Int128, _ overflow: Int64, _ count: Int64) {
    let (sum, carries) = state.sum.addingReportingOverflow(value)
    if carries { state.overflow &+= value < 0 ? -1 : 1 }
    state.sum = sum
    state.overflow &+= overflow
    state.count &+= count
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let (own, theirs) = (states.pointer, (other as! WideSumAccumulator).states.pointer)
    try forEachPair(sources, targets, count) { source, target in
      Self.add(&own[target], theirs[source].sum, theirs[source].overflow, theirs[source].count)
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let states = states.pointer
    let isMean = isMean
    switch returnType.physicalType {
    case .int32:
      return try resultColumn(returnType, range, zero: Int32(0)) { group in
        states[group].count == 0 ? nil : Int32(truncatingIfNeeded: Self.roundedUp(states[group]))
      }
    case .int64:
      let isInterval = returnType == .intervalDayToSecond
      return try resultColumn(returnType, range, zero: Int64(0)) { (group) throws(QueryError) -> Int64? in
        if states[group].count == 0 { return nil }
        let mean = isInterval ? Int128(Self.roundedUp(states[group])) : try Self.mean(states[group])
        return Int64(truncatingIfNeeded: mean)
      }
    default:
      return try resultColumn(returnType, range, zero: Int128(0)) { (group) throws(QueryError) -> Int128? in
        if states[group].count == 0 { return nil }
        if isMean { return try Self.mean(states[group]) }
        guard states[group].overflow == 0, DecimalMath.fits(states[group].sum, precision: 38) else {
          throw Self.overflow
        }
        return states[group].sum
      }
    }
  }

  private static let overflow = QueryError(.numericValueOutOfRange, "Decimal overflow")

  /// Half away from zero.
  private static func mean(_ state: State) throws(QueryError) -> Int128 {
    if state.overflow == 0 { return DecimalMath.divideRounded(state.sum, by: Int128(state.count)) }
    // sum + overflow × 2¹²⁸ as sign and 256-bit magnitude. `overflow` counts wraps of the signed sum.
    var high = Int128(state.overflow) &+ (state.sum < 0 ? -1 : 0)
    var low = UInt128(bitPattern: state.sum)
    let isNegative = high < 0
    if isNegative {
      low = ~low &+ 1
      high = ~high &+ (low == 0 ? 1 : 0)
    }
    let divisor = UInt128(state.count)
    guard high.magnitude < divisor else { throw overflow }
    var (quotient, rest) = divisor.dividingFullWidth((high.magnitude, low))
    if rest &* 2 >= divisor { quotient &+= 1 }
    guard quotient < DecimalMath.powers[38].magnitude else { throw overflow }
    return isNegative ? 0 &- Int128(quotient) : Int128(quotient)
  }

  /// Half towards positive infinity, as Java's `Math.round`.
  private static func roundedUp(_ state: State) -> Int64 {
    let mean = Double(state.sum) / Double(state.count)
    return Int64(exactly: (mean + 0.5).rounded(.down)) ?? (mean < 0 ? .min : .max)
  }

  var byteCount: Int { states.byteCount }
}

/// Sums and means of real and double, and means of integers, kept in double.
final class FloatingSumAccumulator: GroupsAccumulator {
  private struct State: BitwiseCopyable {
    var sum = 0.0
    var count: Int64 = 0
  }
  private let physical: PhysicalType
  private let isMean: Bool
  private let returnType: DataType
  private var states = GroupArray<State>(empty: State())

  init(_ binding: SignatureBinding, isMean: Bool) {
    physical = binding.argumentTypes[0].physicalType
    self.isMean = isMean
    returnType = binding.returnType
  }

  func resize(groupCount: Int) { states.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let states = states.pointer
    let column = arguments[0]
    if groups == nil, let values = column.plainValues {
      let batch: Double
      switch physical {
      case .float: batch = BatchSum.float(UnsafePointer(values.typed(Float.self)), rowCount)
      case .double: batch = BatchSum.double(UnsafePointer(values.typed(Double.self)), rowCount)
      case .int8: batch = Double(BatchSum.narrow(UnsafePointer(values.typed(Int8.self)), rowCount))
      case .int16: batch = Double(BatchSum.narrow(UnsafePointer(values.typed(Int16.self)), rowCount))
      case .int32: batch = Double(BatchSum.narrow(UnsafePointer(values.typed(Int32.self)), rowCount))
      default: batch = Double(BatchSum.int64(UnsafePointer(values.typed(Int64.self)), rowCount))
      }
      states[0].sum += batch
      states[0].count &+= Int64(rowCount)
      return
    }
    switch physical {
    case .float: add(Float.self, column, groups, rowCount) { Double($0) }
    case .double: add(Double.self, column, groups, rowCount) { $0 }
    case .int8: add(Int8.self, column, groups, rowCount) { Double($0) }
    case .int16: add(Int16.self, column, groups, rowCount) { Double($0) }
    case .int32: add(Int32.self, column, groups, rowCount) { Double($0) }
    default: add(Int64.self, column, groups, rowCount) { Double($0) }
    }
  }

  @inline(__always)
  private func add<T: BitwiseCopyable>(
    _: T.Type, _ column: Column, _ groups: UnsafePointer<Int32>?, _ rowCount: Int, _ double: (T) -> Double
  ) {
    let states = states.pointer
    forEachValue(column, T.self, groups, rowCount) { group, value in
      states[group].sum += double(value)
      states[group].count &+= 1
    }
  }

  var mergesByCopy: Bool { true }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let (own, theirs) = (states.pointer, (other as! FloatingSumAccumulator).states.pointer)
    try forEachPair(sources, targets, count) { source, target in
      own[target].sum += theirs[source].sum
      own[target].count &+= theirs[source].count
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let states = states.pointer
    let isMean = isMean
    @inline(__always)
    func value(_ group: Int) -> Double? {
      let state = states[group]
      return state.count == 0 ? nil : (isMean ? state.sum / Double(state.count) : state.sum)
    }
    if returnType == .real { return try resultColumn(returnType, range, zero: Float(0)) { value($0).map { Float($0) } } }
    return try resultColumn(returnType, range, zero: 0.0) { value($0) }
  }

  var byteCount: Int { states.byteCount }
}
