import Columnar
import Glibc
import QueryErrors

/// Random numbers, histograms' buckets and distributions.
package enum ProbabilityFunctions: FunctionFamily {
  package static let title = "Random numbers and distributions"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "random", aliases: ["rand"], summary: "A random number: of [0, 1), of [0, n), or of [m, n).",
      examples: [Example("random(5) BETWEEN 0 AND 4", "true")],
      determinism: .volatile,
      overloads: [
        ScalarOverload(Signature([], returns: .double)) { (_: SignatureBinding) throws(QueryError) -> Kernel in
          var generator = FastRandom()
          return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
            mapRows([], n, &context) { _, _ -> Double in Double(generator.next() &>> 11) * 0x1p-53 }
          }
        },
        below(Int8.self, .tinyint), below(Int16.self, .smallint), below(Int32.self, .integer), below(Int64.self, .bigint),
        between(Int8.self, .tinyint), between(Int16.self, .smallint), between(Int32.self, .integer),
        between(Int64.self, .bigint),
      ]),
    ScalarFunction(
      "width_bucket", summary: "The number of the bucket that a value falls into: of so many between two bounds, or of given ones.",
      examples: [Example("width_bucket(5.35E0, 0, 10, 5)", "3"), Example("width_bucket(3, ARRAY[0.0E0, 2.0E0, 4.0E0])", "2")],
      overloads: [
        .columns([.double, .double, .double, .bigint], returns: .bigint) { (columns, n, context) throws(QueryError) -> Column in
          let views = columns.map(\.view)
          return mapRows(columns, n, &context) { row, rows -> Int64 in
            bucket(
              views[0].value(row, as: Double.self), views[1].value(row, as: Double.self),
              views[2].value(row, as: Double.self), views[3].value(row, as: Int64.self), &rows)
          }
        },
        .columns([.double, .array(.double)], returns: .bigint) { (columns, n, context) throws(QueryError) -> Column in
          let x = columns[0].view
          let arrays = columns[1]
          let bins = arrays.storage.children[0].view
          return mapRows(columns, n, &context) { row, rows -> Int64 in
            bucket(x.value(row, as: Double.self), bins, arrays.storage.elementRange(arrays.position(row)), &rows)
          }
        },
      ]),
    ScalarFunction(
      "normal_cdf", summary: "The probability that a normally distributed value is less: mean, standard deviation, value.",
      examples: [Example("normal_cdf(0, 1, 0)", "0.5")],
      overloads: [
        checked("standardDeviation must be > 0", { _, sd, _ in sd > 0 }) { mean, sd, v in
          0.5 * erfc(0 - (v - mean) / (sd * 2.0.squareRoot()))
        }
      ]),
    ScalarFunction(
      "inverse_normal_cdf",
      summary: "The value that a normally distributed value is less than with a probability: mean, standard deviation, probability.",
      examples: [Example("inverse_normal_cdf(0, 1, 0.5)", "0.0")],
      overloads: [
        checked(
          { _, sd, p in
            if !(p > 0 && p < 1) { return "p must be 0 > p > 1" }
            return sd > 0 ? nil : "sd must be > 0"
          }) { mean, sd, p in mean + sd * 1.4142135623730951 * Distributions.inverseErf(2 * p - 1) }
      ]),
    ScalarFunction(
      "beta_cdf", summary: "The probability that a beta distributed value is less: a, b, value.",
      examples: [Example("beta_cdf(1, 1, 0.5)", "0.5")],
      overloads: [
        checked(
          { a, b, v in
            if !(v >= 0 && v <= 1) { return "value must be 0 >= v >= 1" }
            return a > 0 && b > 0 ? nil : "a, b must be > 0"
          }) { a, b, v in Distributions.regularizedBeta(v, a, b) }
      ]),
    ScalarFunction(
      "inverse_beta_cdf", summary: "The value that a beta distributed value is less than with a probability: a, b, probability.",
      examples: [Example("inverse_beta_cdf(3, 3, 0.0)", "0.0")],
      overloads: [
        checked(
          { a, b, p in
            if !(p >= 0 && p <= 1) { return "p must be 0 >= p >= 1" }
            return a > 0 && b > 0 ? nil : "a, b must be > 0"
          }) { a, b, p in Distributions.inverseBeta(p, a, b) }
      ]),
    wilson("wilson_interval_lower", isUpper: false, summary: "The lower bound of Wilson's score interval: successes, trials, z-score."),
    wilson("wilson_interval_upper", isUpper: true, summary: "The upper bound of Wilson's score interval: successes, trials, z-score."),
    ScalarFunction(
      "cosine_similarity", summary: "The cosine of the angle between two sparse vectors.",
      examples: [Example("cosine_similarity(MAP(ARRAY['a'], ARRAY[1.0E0]), MAP(ARRAY['a'], ARRAY[2.0E0]))", "1.0")],
      overloads: [
        .columns(
          [.map(.exact(.text), .double), .map(.exact(.text), .double)], returns: .double
        ) { (columns, n, context) throws(QueryError) -> Column in
          mapRowsOrNull(columns, n, &context) { row, _ -> Double? in similarity(columns[0], columns[1], row) }
        }
      ]),
  ]

  // MARK: Random

  private static func below<T: FixedWidthInteger & SignedInteger & KernelValue>(_: T.Type, _ type: DataType) -> ScalarOverload {
    ScalarOverload(Signature([.exact(type)], returns: .exact(type))) { (_: SignatureBinding) throws(QueryError) -> Kernel in
      var generator = FastRandom()
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, rows -> T in
          let bound = x.value(row, as: T.self)
          if bound <= 0 {
            rows.fail(.invalidFunctionArgument, "bound must be positive")
            return 0
          }
          return T.random(in: 0..<bound, using: &generator)
        }
      }
    }
  }

  private static func between<T: FixedWidthInteger & SignedInteger & KernelValue>(_: T.Type, _ type: DataType) -> ScalarOverload {
    ScalarOverload(Signature([.exact(type), .exact(type)], returns: .exact(type))) {
      (_: SignatureBinding) throws(QueryError) -> Kernel in
      var generator = FastRandom()
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        let (x, y) = (columns[0].view, columns[1].view)
        return mapRows(columns, n, &context) { row, rows -> T in
          let (start, stop) = (x.value(row, as: T.self), y.value(row, as: T.self))
          if start >= stop {
            rows.fail(.invalidFunctionArgument, "start value must be less than stop value")
            return 0
          }
          return T.random(in: start..<stop, using: &generator)
        }
      }
    }
  }

  // MARK: Buckets

  private static func bucket(
    _ x: Double, _ bound1: Double, _ bound2: Double, _ count: Int64, _ rows: inout RowContext
  ) -> Int64 {
    let problem: String? =
      count <= 0
      ? "bucketCount must be greater than 0"
      : x.isNaN
        ? "operand must not be NaN"
        : !bound1.isFinite
          ? "first bound must be finite"
          : !bound2.isFinite ? "second bound must be finite" : bound1 == bound2 ? "bounds cannot equal each other" : nil
    if let problem {
      rows.fail(.invalidFunctionArgument, problem)
      return 0
    }
    let (lower, upper) = (min(bound1, bound2), max(bound1, bound2))
    var result: Int64
    if x < lower {
      result = 0
    } else if x >= upper {
      let (next, overflows) = count.addingReportingOverflow(1)
      if overflows {
        rows.fail(
          .numericValueOutOfRange, "Bucket for value \(NumericCasts.javaText(x)) is out of range")
        return 0
      }
      result = next
    } else {
      let place = Double(count) * (x - lower) / (upper - lower)
      result = (Int64(exactly: place.rounded(.towardZero)) ?? Int64.max - 1) &+ 1
    }
    return bound1 > bound2 ? count &- result &+ 1 : result
  }

  private static func bucket(_ x: Double, _ bins: ColumnView, _ range: Range<Int>, _ rows: inout RowContext) -> Int64 {
    if range.isEmpty {
      rows.fail(.invalidFunctionArgument, "Bins cannot be an empty array")
      return 0
    }
    if x.isNaN {
      rows.fail(.invalidFunctionArgument, "Operand cannot be NaN")
      return 0
    }
    func bin(_ index: Int) -> Double { bins.value(range.lowerBound &+ index, as: Double.self) }
    var (lower, upper) = (0, range.count)
    while lower < upper {
      if bin(lower) > bin(upper &- 1) {
        rows.fail(.invalidFunctionArgument, "Bin values are not sorted in ascending order")
        return 0
      }
      let middle = (lower &+ upper) / 2
      let value = bin(middle)
      if !value.isFinite {
        rows.fail(.invalidFunctionArgument, "Bin value must be finite, got \(NumericCasts.javaText(value))")
        return 0
      }
      if x < value { upper = middle } else { lower = middle &+ 1 }
    }
    return Int64(lower)
  }

  // MARK: Distributions

  /// A function of three doubles.
  ///
  /// - Parameter problem: why the arguments are wrong; nil when they are not.
  private static func checked(
    _ problem: @escaping @Sendable (Double, Double, Double) -> String?,
    _ body: @escaping @Sendable (Double, Double, Double) -> Double
  ) -> ScalarOverload {
    .ternary(.double, .double, .double, returns: .double) { (a: Double, b: Double, c: Double, rows) -> Double in
      if let problem = problem(a, b, c) {
        rows.fail(.invalidFunctionArgument, problem)
        return 0
      }
      return body(a, b, c)
    }
  }

  private static func checked(
    _ message: String, _ holds: @escaping @Sendable (Double, Double, Double) -> Bool,
    _ body: @escaping @Sendable (Double, Double, Double) -> Double
  ) -> ScalarOverload {
    checked({ holds($0, $1, $2) ? nil : message }, body)
  }

  private static func wilson(_ name: String, isUpper: Bool, summary: String) -> ScalarFunction {
    ScalarFunction(
      name, summary: summary,
      examples: [Example("\(name)(1250, 1310, 0)", "0.9541984732824428")],
      overloads: [
        .ternary(.bigint, .bigint, .double, returns: .double) { (successes: Int64, trials: Int64, z: Double, rows) -> Double in
          let problem: String? =
            successes < 0
            ? "number of successes must not be negative"
            : trials <= 0
              ? "number of trials must be positive"
              : successes > trials
                ? "number of successes must not be larger than number of trials"
                : !(z >= 0) ? "z-score must not be negative" : nil
          if let problem {
            rows.fail(.invalidFunctionArgument, problem)
            return 0
          }
          let (s, n) = (Double(successes), Double(trials))
          let p = s / n
          let root = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
          return (p + z * z / (2 * n) + (isUpper ? root : -root)) / (1 + z * z / n)
        }
      ])
  }

  /// NULL when a value is NULL.
  private static func similarity(_ a: Column, _ b: Column, _ row: Int) -> Double? {
    var entries: [[UInt8]: Double] = [:]
    var (normA, normB, product) = (0.0, 0.0, 0.0)
    for (index, column) in [a, b].enumerated() {
      let (keys, values) = (column.storage.children[0], column.storage.children[1])
      let (x, y) = (keys.view, values.view)
      for entry in column.storage.elementRange(column.position(row)) {
        if values.isNull(entry) { return nil }
        let value = y.value(entry, as: Double.self)
        let key = x.value(entry, as: StringView.self).bytes
        if index == 0 {
          entries[key] = value
          normA += value * value
        } else {
          normB += value * value
          if let other = entries[key] { product += other * value }
        }
      }
    }
    return product / (normA.squareRoot() * normB.squareRoot())
  }
}

/// A fast random number generator, seeded by the system.
///
/// - Source: Blackman and Vigna, xoshiro256++.
struct FastRandom: RandomNumberGenerator {
  private var s: (UInt64, UInt64, UInt64, UInt64)

  init() {
    var system = SystemRandomNumberGenerator()
    s = (system.next(), system.next(), system.next(), system.next() | 1)
  }

  mutating func next() -> UInt64 {
    func rotated(_ x: UInt64, _ k: UInt64) -> UInt64 { (x &<< k) | (x &>> (64 &- k)) }
    let result = rotated(s.0 &+ s.3, 23) &+ s.0
    let t = s.1 &<< 17
    s.2 ^= s.0
    s.3 ^= s.1
    s.1 ^= s.2
    s.0 ^= s.3
    s.2 ^= t
    s.3 = rotated(s.3, 45)
    return result
  }
}

/// Special functions behind the distributions.
enum Distributions {
  /// The inverse of the error function.
  ///
  /// - Source: Giles, "Approximating the erfinv function", GPU Computing Gems, 2011.
  static func inverseErf(_ x: Double) -> Double {
    func polynomial(_ w: Double, _ coefficients: [Double]) -> Double {
      var p = coefficients[0]
      for c in coefficients.dropFirst() { p = c + p * w }
      return p
    }
    let w = -log((1 - x) * (1 + x))
    if w < 6.25 { return polynomial(w - 3.125, near) * x }
    if w < 16 { return polynomial(w.squareRoot() - 3.25, middle) * x }
    if w.isFinite { return polynomial(w.squareRoot() - 5, far) * x }
    return x * .infinity
  }

  private static let near: [Double] = [
    -3.6444120640178196996e-21, -1.685059138182016589e-19, 1.2858480715256400167e-18, 1.115787767802518096e-17,
    -1.333171662854620906e-16, 2.0972767875968561637e-17, 6.6376381343583238325e-15, -4.0545662729752068639e-14,
    -8.1519341976054721522e-14, 2.6335093153082322977e-12, -1.2975133253453532498e-11, -5.4154120542946279317e-11,
    1.051212273321532285e-09, -4.1126339803469836976e-09, -2.9070369957882005086e-08, 4.2347877827932403518e-07,
    -1.3654692000834678645e-06, -1.3882523362786468719e-05, 0.0001867342080340571352, -0.00074070253416626697512,
    -0.0060336708714301490533, 0.24015818242558961693, 1.6536545626831027356,
  ]
  private static let middle: [Double] = [
    2.2137376921775787049e-09, 9.0756561938885390979e-08, -2.7517406297064545428e-07, 1.8239629214389227755e-08,
    1.5027403968909827627e-06, -4.013867526981545969e-06, 2.9234449089955446044e-06, 1.2475304481671778723e-05,
    -4.7318229009055733981e-05, 6.8284851459573175448e-05, 2.4031110387097893999e-05, -0.0003550375203628474796,
    0.00095328937973738049703, -0.0016882755560235047313, 0.0024914420961078508066, -0.0037512085075692412107,
    0.005370914553590063617, 1.0052589676941592334, 3.0838856104922207635,
  ]
  private static let far: [Double] = [
    -2.7109920616438573243e-11, -2.5556418169965252055e-10, 1.5076572693500548083e-09, -3.7894654401267369937e-09,
    7.6157012080783393804e-09, -1.4960026627149240478e-08, 2.9147953450901080826e-08, -6.7711997758452339498e-08,
    2.2900482228026654717e-07, -9.9298272942317002539e-07, 4.5260625972231537039e-06, -1.9681778105531670567e-05,
    7.5995277030017761139e-05, -0.00021503011930044477347, -0.00013871931833623122026, 1.0103004648645343977,
    4.8499064014085844221,
  ]

  /// The regularized incomplete beta function I_x(a, b), by its continued fraction.
  ///
  /// - Source: Abramowitz and Stegun 26.5.8; Lentz's method.
  static func regularizedBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - regularizedBeta(1 - x, b, a) }
    let front = exp(a * log(x) + b * log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a
    let tiny = 1e-300
    var (c, d) = (1.0, 1 - (a + b) * x / (a + 1))
    d = 1 / (Swift.abs(d) < tiny ? tiny : d)
    var result = d
    var m = 1.0
    while m < 10_000 {
      var term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 + term * d
      d = 1 / (Swift.abs(d) < tiny ? tiny : d)
      c = 1 + term / c
      if Swift.abs(c) < tiny { c = tiny }
      result *= d * c
      term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 + term * d
      d = 1 / (Swift.abs(d) < tiny ? tiny : d)
      c = 1 + term / c
      if Swift.abs(c) < tiny { c = tiny }
      let delta = d * c
      result *= delta
      if Swift.abs(delta - 1) < 1e-16 { break }
      m += 1
    }
    return front * result
  }

  private static func logGamma(_ x: Double) -> Double {
    var sign: Int32 = 0
    return lgamma_r(x, &sign)
  }

  /// The x of I_x(a, b) = p, by bisection.
  static func inverseBeta(_ p: Double, _ a: Double, _ b: Double) -> Double {
    if p <= 0 { return 0 }
    if p >= 1 { return 1 }
    var (low, high) = (0.0, 1.0)
    while true {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { return middle }
      if regularizedBeta(middle, a, b) < p { low = middle } else { high = middle }
    }
  }
}
