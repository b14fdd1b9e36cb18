import Columnar
import Glibc
import QueryErrors

/// Variance, covariance and their relatives.
///
/// - Source: Welford, Technometrics 4 (1962); merging by Chan, Golub, LeVeque (1979) and Pébay, SAND2008-6212.
package enum StatisticsFunctions: AggregateFamily {
  package static let title = "Statistics"

  package static let functions: [AggregateFunction] = [
    moments("variance", ["var_samp"], "The sample variance.", "1.0") { $0.n < 2 ? nil : $0.m2 / ($0.n - 1) },
    moments("var_pop", [], "The population variance.", "0.6666666666666666") { $0.n < 1 ? nil : $0.m2 / $0.n },
    moments("stddev", ["stddev_samp"], "The sample standard deviation.", "1.0") {
      $0.n < 2 ? nil : ($0.m2 / ($0.n - 1)).squareRoot()
    },
    moments("stddev_pop", [], "The population standard deviation.", "0.816496580927726") {
      $0.n < 1 ? nil : ($0.m2 / $0.n).squareRoot()
    },
    moments("skewness", [], "The Fisher skewness.", "0.0", ofFourthOrder: true) {
      $0.n < 3 ? nil : $0.n.squareRoot() * $0.m3 / pow($0.m2, 1.5)
    },
    moments("kurtosis", [], "The excess kurtosis.", "NULL", ofFourthOrder: true) { s in
      if s.n < 4 { return nil }
      let n = s.n
      return (n - 1) * n * (n + 1) / ((n - 2) * (n - 3)) * s.m4 / (s.m2 * s.m2)
        - 3 * ((n - 1) * (n - 1)) / ((n - 2) * (n - 3))
    },
    AggregateFunction(
      "geometric_mean", summary: "The n-th root of the product of n values.",
      examples: [Example("(SELECT geometric_mean(x) FROM (VALUES 4e0, 4e0) t(x))", "4.0")],
      overloads: [
        AggregateOverload([.double], returns: .double) { (context) throws(QueryError) in
          MomentsAccumulator(.double, logarithmic: true) { $0.n < 1 ? nil : exp($0.mean) }
        },
        AggregateOverload([.real], returns: .real) { (context) throws(QueryError) in
          MomentsAccumulator(.real, logarithmic: true) { $0.n < 1 ? nil : exp($0.mean) }
        },
      ]),
    pairs("covar_pop", "The population covariance.", "1.3333333333333333") { $0.n < 1 ? nil : $0.c2 / $0.n },
    pairs("covar_samp", "The sample covariance.", "2.0") { $0.n < 2 ? nil : $0.c2 / ($0.n - 1) },
    pairs("corr", "The correlation coefficient.", "1.0") { s in
      let result = s.c2 / (s.m2x * s.m2y).squareRoot()
      return s.n < 1 || result.isNaN || result.isInfinite ? nil : result
    },
    // Called as f(y, x): the first argument depends on the second.
    pairs("regr_slope", "The slope of the regression line of y over x.", "2.0") { s in
      let result = s.c2 / s.m2x
      return s.n < 1 || result.isNaN || result.isInfinite ? nil : result
    },
    pairs("regr_intercept", "The intercept of the regression line of y over x.", "-1.0") { s in
      let result = s.meanY - s.c2 / s.m2x * s.meanX
      return s.n < 1 || result.isNaN || result.isInfinite ? nil : result
    },
  ]

  private static func moments(
    _ name: String, _ aliases: [String], _ summary: String, _ result: String, ofFourthOrder: Bool = false,
    _ finish: @escaping @Sendable (MomentsAccumulator.State) -> Double?
  ) -> AggregateFunction {
    AggregateFunction(
      name, aliases: aliases, summary: summary,
      examples: [Example("(SELECT \(name)(x) FROM (VALUES 1e0, 2e0, 3e0) t(x))", result)],
      overloads: [
        AggregateOverload([.double], returns: .double) { (context) throws(QueryError) in
          MomentsAccumulator(.double, logarithmic: false, ofFourthOrder: ofFourthOrder, finish)
        }
      ])
  }

  private static func pairs(
    _ name: String, _ summary: String, _ result: String,
    _ finish: @escaping @Sendable (PairsAccumulator.State) -> Double?
  ) -> AggregateFunction {
    AggregateFunction(
      name, summary: summary,
      examples: [Example("(SELECT \(name)(y, x) FROM (VALUES (1e0, 1e0), (3e0, 2e0), (5e0, 3e0)) t(y, x))", result)],
      overloads: [
        AggregateOverload([.double, .double], returns: .double) { (context) throws(QueryError) in
          PairsAccumulator(.double, finish)
        },
        AggregateOverload([.real, .real], returns: .real) { (context) throws(QueryError) in
          PairsAccumulator(.real, finish)
        },
      ])
  }
}

/// Central moments of one variable.
final class MomentsAccumulator: GroupsAccumulator {
  struct State: BitwiseCopyable {
    var n = 0.0
    var mean = 0.0
    /// Sums of the second, third and fourth powers of the differences from the mean.
    var m2 = 0.0
    var m3 = 0.0
    var m4 = 0.0

    @inline(__always)
    mutating func add(_ x: Double) {
      let before = n
      n += 1
      let delta = x - mean
      let step = delta / n
      let term = delta * step * before
      mean += step
      m4 += term * step * step * (n * n - 3 * n + 3) + 6 * step * step * m2 - 4 * step * m3
      m3 += term * step * (n - 2) - 3 * step * m2
      m2 += term
    }

    /// Leaves the third and fourth moment alone.
    @inline(__always)
    mutating func addToVariance(_ x: Double) {
      let before = n
      n += 1
      let delta = x - mean
      let step = delta / n
      mean += step
      m2 += delta * step * before
    }

    /// Many values at once: their mean first, then the powers of the differences from it. nil when their sum is not finite.
    init?(of values: UnsafePointer<Double>, count: Int) {
      let p = UnsafeRawPointer(values)
      let whole = count & ~7
      var sums = SIMD8<Double>()
      for i in stride(from: 0, to: whole, by: 8) { sums += p.loadUnaligned(fromByteOffset: i &* 8, as: SIMD8<Double>.self) }
      var sum = sums.sum()
      for i in whole..<count { sum += values[i] }
      guard sum.isFinite else { return nil }
      n = Double(count)
      mean = sum / n
      var (first, second, third, fourth) = (SIMD8<Double>(), SIMD8<Double>(), SIMD8<Double>(), SIMD8<Double>())
      @inline(__always)
      func add(_ d: SIMD8<Double>) {
        let square = d * d
        first += d
        second += square
        third += square * d
        fourth += square * square
      }
      for i in stride(from: 0, to: whole, by: 8) { add(p.loadUnaligned(fromByteOffset: i &* 8, as: SIMD8<Double>.self) - mean) }
      for i in whole..<count {
        var one = SIMD8<Double>()
        one[0] = values[i] - mean
        add(one)
      }
      // What rounding left in the mean.
      let rest = first.sum()
      m2 = second.sum() - rest * rest / n
      m3 = third.sum()
      m4 = fourth.sum()
    }

    init() {}

    mutating func merge(_ b: State) {
      if b.n == 0 { return }
      if n == 0 {
        self = b
        return
      }
      let (na, nb) = (n, b.n)
      let total = na + nb
      let delta = b.mean - mean
      let step = delta / total
      m4 =
        m4 + b.m4 + delta * step * step * step * na * nb * (na * na - na * nb + nb * nb)
        + 6 * step * step * (na * na * b.m2 + nb * nb * m2) + 4 * step * (na * b.m3 - nb * m3)
      m3 = m3 + b.m3 + delta * step * step * na * nb * (na - nb) + 3 * step * (na * b.m2 - nb * m2)
      m2 = m2 + b.m2 + delta * step * na * nb
      mean = (na * mean + nb * b.mean) / total
      n = total
    }
  }
  private let type: DataType
  private let isLogarithmic: Bool
  private let isOfFourthOrder: Bool
  private let result: @Sendable (State) -> Double?
  private var states = GroupArray<State>(empty: State())

  /// Values from which on they are added at once; fewer one by one, which gives Trino's sums to the last digit.
  fileprivate static let manyValues = 256

  init(
    _ type: DataType, logarithmic: Bool, ofFourthOrder: Bool = false, _ result: @escaping @Sendable (State) -> Double?
  ) {
    self.type = type
    isLogarithmic = logarithmic
    isOfFourthOrder = ofFourthOrder
    self.result = result
  }

  func resize(groupCount: Int) { states.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let states = states.pointer
    if isLogarithmic {
      // The mean alone is wanted, as a plain sum over the count.
      @inline(__always)
      func add(_ group: Int, _ x: Double) {
        states[group].m2 += log(x)
        states[group].n += 1
        states[group].mean = states[group].m2 / states[group].n
      }
      if type == .real {
        forEachValue(arguments[0], Float.self, groups, rowCount) { add($0, Double($1)) }
      } else {
        forEachValue(arguments[0], Double.self, groups, rowCount) { add($0, $1) }
      }
    } else if groups == nil, let values = arguments[0].plainValues, rowCount >= MomentsAccumulator.manyValues,
      let many = State(of: values.typed(Double.self), count: rowCount)
    {
      states[0].merge(many)
    } else if isOfFourthOrder {
      forEachValue(arguments[0], Double.self, groups, rowCount) { group, value in states[group].add(value) }
    } else {
      forEachValue(arguments[0], Double.self, groups, rowCount) { group, value in states[group].addToVariance(value) }
    }
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let (own, theirs) = (states.pointer, (other as! MomentsAccumulator).states.pointer)
    let isLogarithmic = isLogarithmic
    try forEachPair(sources, targets, count) { source, target in
      if isLogarithmic {
        own[target].m2 += theirs[source].m2
        own[target].n += theirs[source].n
        if own[target].n > 0 { own[target].mean = own[target].m2 / own[target].n }
      } else {
        own[target].merge(theirs[source])
      }
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let states = states.pointer
    let result = result
    if type == .real {
      return try resultColumn(type, range, zero: Float(0)) { group in result(states[group]).map { Float($0) } }
    }
    return try resultColumn(type, range, zero: 0.0) { group in result(states[group]) }
  }

  var byteCount: Int { states.byteCount }
}

/// Second moments of two variables; rows where either is NULL do not count.
final class PairsAccumulator: GroupsAccumulator {
  struct State: BitwiseCopyable {
    var n = 0.0
    var meanX = 0.0
    var meanY = 0.0
    /// Sum of the products of both differences from the means.
    var c2 = 0.0
    var m2x = 0.0
    var m2y = 0.0

    @inline(__always)
    mutating func add(y: Double, x: Double) {
      n += 1
      let (deltaX, deltaY) = (x - meanX, y - meanY)
      meanX += deltaX / n
      meanY += deltaY / n
      c2 += deltaX * (y - meanY)
      m2x += deltaX * (x - meanX)
      m2y += deltaY * (y - meanY)
    }

    /// Many pairs at once, as moments have it. nil when a sum is not finite.
    init?(y: UnsafePointer<Double>, x: UnsafePointer<Double>, count: Int) {
      let (p, q) = (UnsafeRawPointer(x), UnsafeRawPointer(y))
      let whole = count & ~7
      var (sumsX, sumsY) = (SIMD8<Double>(), SIMD8<Double>())
      for i in stride(from: 0, to: whole, by: 8) {
        sumsX += p.loadUnaligned(fromByteOffset: i &* 8, as: SIMD8<Double>.self)
        sumsY += q.loadUnaligned(fromByteOffset: i &* 8, as: SIMD8<Double>.self)
      }
      var (sumX, sumY) = (sumsX.sum(), sumsY.sum())
      for i in whole..<count {
        sumX += x[i]
        sumY += y[i]
      }
      guard sumX.isFinite, sumY.isFinite else { return nil }
      n = Double(count)
      meanX = sumX / n
      meanY = sumY / n
      var (firstX, firstY) = (SIMD8<Double>(), SIMD8<Double>())
      var (products, squaresX, squaresY) = (SIMD8<Double>(), SIMD8<Double>(), SIMD8<Double>())
      @inline(__always)
      func add(_ dx: SIMD8<Double>, _ dy: SIMD8<Double>) {
        firstX += dx
        firstY += dy
        products += dx * dy
        squaresX += dx * dx
        squaresY += dy * dy
      }
      for i in stride(from: 0, to: whole, by: 8) {
        add(
          p.loadUnaligned(fromByteOffset: i &* 8, as: SIMD8<Double>.self) - meanX,
          q.loadUnaligned(fromByteOffset: i &* 8, as: SIMD8<Double>.self) - meanY)
      }
      for i in whole..<count {
        var (dx, dy) = (SIMD8<Double>(), SIMD8<Double>())
        dx[0] = x[i] - meanX
        dy[0] = y[i] - meanY
        add(dx, dy)
      }
      let (restX, restY) = (firstX.sum(), firstY.sum())
      c2 = products.sum() - restX * restY / n
      m2x = squaresX.sum() - restX * restX / n
      m2y = squaresY.sum() - restY * restY / n
    }

    init() {}

    mutating func merge(_ b: State) {
      if b.n == 0 { return }
      if n == 0 {
        self = b
        return
      }
      let total = n + b.n
      let (deltaX, deltaY) = (b.meanX - meanX, b.meanY - meanY)
      c2 += b.c2 + deltaX * deltaY * n * b.n / total
      m2x += b.m2x + deltaX * deltaX * n * b.n / total
      m2y += b.m2y + deltaY * deltaY * n * b.n / total
      meanX += deltaX * b.n / total
      meanY += deltaY * b.n / total
      n = total
    }
  }
  private let type: DataType
  private let result: @Sendable (State) -> Double?
  private var states = GroupArray<State>(empty: State())

  init(_ type: DataType, _ result: @escaping @Sendable (State) -> Double?) {
    self.type = type
    self.result = result
  }

  func resize(groupCount: Int) { states.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let states = states.pointer
    let (y, x) = (arguments[0].view, arguments[1].view)
    let isReal = type == .real
    if groups == nil, !isReal, rowCount >= MomentsAccumulator.manyValues, let ys = arguments[0].plainValues,
      let xs = arguments[1].plainValues,
      let many = State(y: ys.typed(Double.self), x: xs.typed(Double.self), count: rowCount)
    {
      return states[0].merge(many)
    }
    try withExtendedLifetime(arguments) { () throws(QueryError) in
      try forEachRow(commonValidity(arguments), groups, rowCount) { group, row in
        if isReal {
          states[group].add(y: Double(y.value(row, as: Float.self)), x: Double(x.value(row, as: Float.self)))
        } else {
          states[group].add(y: y.value(row, as: Double.self), x: x.value(row, as: Double.self))
        }
      }
    }
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let (own, theirs) = (states.pointer, (other as! PairsAccumulator).states.pointer)
    try forEachPair(sources, targets, count) { source, target in own[target].merge(theirs[source]) }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let states = states.pointer
    let result = result
    if type == .real {
      return try resultColumn(type, range, zero: Float(0)) { group in result(states[group]).map { Float($0) } }
    }
    return try resultColumn(type, range, zero: 0.0) { group in result(states[group]) }
  }

  var byteCount: Int { states.byteCount }
}
