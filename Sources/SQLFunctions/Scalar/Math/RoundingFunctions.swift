import Columnar
import Glibc
import QueryErrors

/// Rounding, signs and absolute values.
///
/// - Source: Trino `MathFunctions`.
package enum RoundingFunctions: FunctionFamily {
  package static let title = "Rounding"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "abs", summary: "The absolute value.", examples: [Example("abs(-5)", "5"), Example("abs(-1.5)", "1.5")],
      overloads: [
        absolute(Int8.self, .tinyint), absolute(Int16.self, .smallint), absolute(Int32.self, .integer),
        absolute(Int64.self, .bigint), PlainLoop.unary(.double, .double) { (x: Double) in Swift.abs(x) },
        PlainLoop.unary(.real, .real) { (x: Float) in Swift.abs(x) },
        decimal(returns: .argument(0)) { value, _ in value < 0 ? 0 &- value : value },
      ]),
    ScalarFunction(
      "ceiling", aliases: ["ceil"], summary: "The smallest whole number that is not less.",
      examples: [Example("ceil(-42.8)", "-42"), Example("ceil(1.2E0)", "2.0")],
      overloads: integers + [
        PlainLoop.unary(.double, .double) { (x: Double) in x.rounded(.up) },
        PlainLoop.unary(.real, .real) { (x: Float) in x.rounded(.up) },
        decimal(returns: .computed(wholeType)) { value, factor in
          let (quotient, rest) = value.quotientAndRemainder(dividingBy: factor)
          return rest > 0 ? quotient + 1 : quotient
        },
      ]),
    ScalarFunction(
      "floor", summary: "The largest whole number that is not greater.",
      examples: [Example("floor(-42.8)", "-43"), Example("floor(1.8E0)", "1.0")],
      overloads: integers + [
        PlainLoop.unary(.double, .double) { (x: Double) in x.rounded(.down) },
        PlainLoop.unary(.real, .real) { (x: Float) in x.rounded(.down) },
        decimal(returns: .computed(wholeType)) { value, factor in
          let (quotient, rest) = value.quotientAndRemainder(dividingBy: factor)
          return rest < 0 ? quotient - 1 : quotient
        },
      ]),
    ScalarFunction(
      "round", summary: "The nearest number with so many decimals, halves away from zero.",
      examples: [Example("round(2.5E0)", "3.0"), Example("round(123.456, 1)", "123.500"), Example("round(1250, -2)", "1300")],
      overloads: integers + [
        roundInteger(Int8.self, .tinyint), roundInteger(Int16.self, .smallint), roundInteger(Int32.self, .integer),
        roundInteger(Int64.self, .bigint),
        PlainLoop.unary(.double, .double) { (x: Double) in x.rounded(.toNearestOrAwayFromZero) },
        PlainLoop.unary(.real, .real) { (x: Float) in x.rounded(.toNearestOrAwayFromZero) },
        .binary(.double, .integer, returns: .double) { (x: Double, digits: Int32, _) -> Double in rounded(x, digits) },
        .binary(.real, .integer, returns: .real) { (x: Float, digits: Int32, _) -> Float in
          Float(rounded(Double(x), digits))
        },
        decimal(returns: .computed(wholeType)) { value, factor in
          factor == 1 ? value : DecimalMath.divideRounded(value, by: factor)
        },
        decimalWithDigits(returns: .computed(roundedType)) { value, unit in
          DecimalMath.divideRounded(value, by: unit)
        },
      ]),
    ScalarFunction(
      "truncate", summary: "The number without its decimals, or all but so many.",
      examples: [Example("truncate(-12.9E0)", "-12.0"), Example("truncate(123.456, 1)", "123.400")],
      overloads: [
        PlainLoop.unary(.double, .double) { (x: Double) in x.rounded(.towardZero) },
        PlainLoop.unary(.real, .real) { (x: Float) in x.rounded(.towardZero) },
        decimal(returns: .computed(truncatedType)) { value, factor in value / factor },
        decimalWithDigits(returns: .argument(0)) { value, unit in value / unit },
      ]),
    ScalarFunction(
      "sign", summary: "-1, 0 or 1: the sign of the number.",
      examples: [Example("sign(-5)", "-1"), Example("sign(2.5E0)", "1.0")],
      overloads: [
        PlainLoop.unary(.tinyint, .tinyint) { (x: Int8) in x.signum() },
        PlainLoop.unary(.smallint, .smallint) { (x: Int16) in x.signum() },
        PlainLoop.unary(.integer, .integer) { (x: Int32) in x.signum() },
        PlainLoop.unary(.bigint, .bigint) { (x: Int64) in x.signum() },
        PlainLoop.unary(.double, .double) { (x: Double) in x > 0 ? 1 : x < 0 ? -1 : x },
        PlainLoop.unary(.real, .real) { (x: Float) in x > 0 ? 1 : x < 0 ? -1 : x },
        decimal(returns: .exact(.decimal(precision: 1, scale: 0))) { value, _ in value.signum() },
      ]),
    ScalarFunction(
      "mod", summary: "The remainder of dividing the first number by the second.",
      examples: [Example("mod(7, 4)", "3"), Example("mod(-7, 4)", "-3")],
      overloads: ArithmeticFunctions.functions.first { $0.name == "%" }?.overloads ?? []),
  ]

  // MARK: Integers

  private static let integers: [ScalarOverload] = [.tinyint, .smallint, .integer, .bigint].map { (type: TypePattern) in
    .columns([type], returns: .argument(0)) { (columns, n, context) throws(QueryError) -> Column in columns[0] }
  }

  private static func absolute<T: FixedWidthInteger & SignedInteger & KernelValue>(
    _: T.Type, _ type: DataType
  ) -> ScalarOverload {
    .unary(.exact(type), returns: .exact(type)) { (x: T, rows) -> T in
      if x == T.min {
        rows.fail(.numericValueOutOfRange, "Value \(x) is out of range for abs(\(type))")
        return 0
      }
      return x < 0 ? 0 &- x : x
    }
  }

  /// The multiple of `unit` nearest to `x`, nil when it is no bigint.
  private static func rounded(_ x: Int64, _ unit: Int128) -> Int64? {
    Int64(exactly: DecimalMath.divideRounded(Int128(x), by: unit) * unit)
  }

  private static func roundInteger<T: FixedWidthInteger & SignedInteger & KernelValue>(
    _: T.Type, _ type: DataType
  ) -> ScalarOverload {
    .binary(.exact(type), .integer, returns: .exact(type)) { (x: T, digits: Int32, rows) -> T in
      if digits >= 0 { return x }
      // A power of ten that is no bigint is an overflow, whatever would come out.
      guard digits > -19, let rounded = rounded(Int64(x), DecimalMath.power(Int(0 &- digits))) else {
        rows.fail(.numericValueOutOfRange, "numerical overflow: \(x)")
        return 0
      }
      if let result = T(exactly: rounded) { return result }
      rows.fail(.numericValueOutOfRange, "Out of range for \(type): \(rounded)")
      return 0
    }
  }

  // MARK: Doubles

  /// x to so many decimals; numbers too large to have decimals stay.
  private static func rounded(_ x: Double, _ digits: Int32) -> Double {
    if !x.isFinite { return x }
    let factor = pow(10, Double(digits))
    if factor == 0 { return x < 0 ? -0.0 : 0 }
    let scaled = x * factor
    if !scaled.isFinite || !factor.isFinite || Swift.abs(scaled) >= 9_007_199_254_740_992 { return x }
    return scaled.rounded(.toNearestOrAwayFromZero) / factor
  }

  // MARK: Decimals

  /// ceil, floor and round: decimal(p, s) → decimal(p − s + min(s, 1), 0).
  private static let wholeType: @Sendable ([DataType]) throws(QueryError) -> DataType = {
    (types: [DataType]) throws(QueryError) -> DataType in
    guard case .decimal(let p, let s) = types[0] else { return types[0] }
    return .decimal(precision: min(38, p - s + min(s, 1)), scale: 0)
  }

  private static let roundedType: @Sendable ([DataType]) throws(QueryError) -> DataType = {
    (types: [DataType]) throws(QueryError) -> DataType in
    guard case .decimal(let p, let s) = types[0] else { return types[0] }
    return .decimal(precision: min(38, p + 1), scale: s)
  }

  private static let truncatedType: @Sendable ([DataType]) throws(QueryError) -> DataType = {
    (types: [DataType]) throws(QueryError) -> DataType in
    guard case .decimal(let p, let s) = types[0] else { return types[0] }
    return .decimal(precision: max(1, p - s), scale: 0)
  }

  /// - Parameter body: the unscaled result, from the unscaled argument and ten to the power of its scale.
  private static func decimal(
    returns: ReturnType, _ body: @escaping @Sendable (Int128, Int128) -> Int128
  ) -> ScalarOverload {
    ScalarOverload(Signature([.decimal], returns: returns)) { (binding: SignatureBinding) throws(QueryError) -> Kernel in
      guard case .decimal(_, let scale) = binding.argumentTypes[0] else {
        throw QueryError(.typeMismatch, "Not a decimal: \(binding.argumentTypes[0])")
      }
      let factor = DecimalMath.power(scale)
      let result = binding.returnType
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        let load = DecimalColumn(columns[0])
        return DecimalColumn.map(columns, n, result, &context) { row, _ in body(load[row], factor) }
      }
    }
  }

  /// - Parameter body: how many units there are in the unscaled argument.
  private static func decimalWithDigits(
    returns: ReturnType, _ body: @escaping @Sendable (Int128, Int128) -> Int128
  ) -> ScalarOverload {
    ScalarOverload(Signature([.decimal, .integer], returns: returns)) {
      (binding: SignatureBinding) throws(QueryError) -> Kernel in
      guard case .decimal(_, let scale) = binding.argumentTypes[0] else {
        throw QueryError(.typeMismatch, "Not a decimal: \(binding.argumentTypes[0])")
      }
      let result = binding.returnType
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        let load = DecimalColumn(columns[0])
        let y = columns[1].view
        return DecimalColumn.map(columns, n, result, &context) { row, rows in
          let drop = scale &- Int(y.value(row, as: Int32.self))
          if drop <= 0 { return load[row] }
          if drop > 38 { return 0 }
          let unit = DecimalMath.power(drop)
          let (value, overflows) = body(load[row], unit).multipliedReportingOverflow(by: unit)
          guard !overflows, case .decimal(let precision, _) = result, DecimalMath.fits(value, precision: precision) else {
            rows.fail(.numericValueOutOfRange, "decimal overflow: round")
            return 0
          }
          return value
        }
      }
    }
  }
}

/// Reads decimals of either width, and makes columns of them.
struct DecimalColumn {
  private let view: ColumnView
  private let isShort: Bool

  init(_ column: Column) {
    view = column.view
    isShort = column.type.physicalType == .int64
  }

  @inline(__always)
  subscript(row: Int) -> Int128 {
    isShort ? Int128(view.value(row, as: Int64.self)) : view.value(row, as: Int128.self)
  }

  /// A column of type `type`, whose unscaled values `body` gives.
  @inline(__always)
  static func map(
    _ columns: [Column], _ n: Int, _ type: DataType, _ context: inout KernelContext,
    _ body: (Int, inout RowContext) -> Int128
  ) -> Column {
    if type.physicalType == .int64 {
      return mapRows(columns, n, &context) { row, rows -> Int64 in Int64(truncatingIfNeeded: body(row, &rows)) }
    }
    return mapRows(columns, n, &context) { row, rows -> Int128 in body(row, &rows) }
  }
}

/// Loops over columns that cannot fail, null rows included.
enum PlainLoop {
  /// One argument.
  @inline(__always)
  static func unary<A: BitwiseCopyable & Sendable, R: BitwiseCopyable & Sendable>(
    _ type: DataType, _ result: DataType, _ body: @escaping @Sendable (A) -> R
  ) -> ScalarOverload {
    .columns([.exact(type)], returns: .exact(result)) { (columns, n, context) throws(QueryError) -> Column in
      let values = Buffer(byteCount: n * MemoryLayout<R>.stride)
      fillUnary(columns[0], n, values.typed(R.self), body)
      return Column(flat: result, count: n, values: values, validity: columns[0].validity)
    }
  }

  /// Two arguments.
  @inline(__always)
  static func binary<A: BitwiseCopyable & Sendable, B: BitwiseCopyable & Sendable, R: BitwiseCopyable & Sendable>(
    _ a: DataType, _ b: DataType, _ result: DataType, _ body: @escaping @Sendable (A, B) -> R
  ) -> ScalarOverload {
    .columns([.exact(a), .exact(b)], returns: .exact(result)) { (columns, n, context) throws(QueryError) -> Column in
      let values = Buffer(byteCount: n * MemoryLayout<R>.stride)
      fillBinary(columns[0], columns[1], n, values.typed(R.self), body)
      return Column(flat: result, count: n, values: values, validity: commonValidity(columns))
    }
  }
}
