import Columnar
import QueryErrors

/// How decimals are stored: Int64 up to 18 digits, Int128 beyond.
protocol DecimalStorage: KernelValue {
  var wide: Int128 { get }
}
extension Int64: DecimalStorage {
  @inline(__always) var wide: Int128 { Int128(self) }
}
extension Int128: DecimalStorage {
  @inline(__always) var wide: Int128 { self }
}

/// Arithmetic on decimals of any precision and scale.
///
/// Results whose precision is at most 18 are computed in 64 bits throughout; others in 128.
///
/// - Source: Trino `DecimalOperators`, release 401.
enum DecimalArithmetic {
  /// The precisions and scales of a bound operator.
  private struct Shape: Sendable {
    var p, s, q, t, precision, scale: Int

    init?(_ binding: SignatureBinding) {
      guard binding.argumentTypes.count == 2, case .decimal(let p, let s) = binding.argumentTypes[0],
        case .decimal(let q, let t) = binding.argumentTypes[1],
        case .decimal(let precision, let scale) = binding.returnType
      else { return nil }
      (self.p, self.s, self.q, self.t, self.precision, self.scale) = (p, s, q, t, precision, scale)
    }

    var isLeftShort: Bool { p <= 18 }
    var isRightShort: Bool { q <= 18 }
    var isResultShort: Bool { precision <= 18 }
  }

  private typealias ShapeKernel = @Sendable ([Column], Int, inout KernelContext, Shape) -> Column

  /// A binary form: both arguments as decimals, the result's type from their precisions and scales.
  private static func overload(
    _ result: @escaping @Sendable (Int, Int, Int, Int) -> DataType?, _ kernel: @escaping ShapeKernel
  ) -> ScalarOverload {
    let resolve: @Sendable ([DataType]) -> SignatureBinding? = { types in
      guard types.count == 2, let left = asDecimal(types[0]), let right = asDecimal(types[1]),
        case .decimal(let p, let s) = left, case .decimal(let q, let t) = right, let type = result(p, s, q, t)
      else { return nil }
      return SignatureBinding(argumentTypes: [left, right], returnType: type)
    }
    return ScalarOverload(
      Signature([.decimal, .decimal], returns: .exact(.decimal(precision: 38, scale: 0)), resolve: resolve)
    ) { (binding: SignatureBinding) throws(QueryError) -> Kernel in
      guard let shape = Shape(binding) else {
        throw .internalError("decimal operator bound to \(binding.argumentTypes)")
      }
      return { (columns, n, context) throws(QueryError) -> Column in kernel(columns, n, &context, shape) }
    }
  }

  private static func asDecimal(_ type: DataType) -> DataType? {
    type.isDecimal ? type : TypeCoercion.coerced(type, toBaseOf: .decimal(precision: 1, scale: 0))
  }

  // MARK: Addition and subtraction

  static func addition(subtracts: Bool) -> ScalarOverload {
    overload({ DecimalTypes.sum($0, $1, $2, $3) }) { (columns, n, context, shape) -> Column in
      if shape.isResultShort { return shortAddition(columns, n, context.returnType, shape, subtracts) }
      switch (shape.isLeftShort, shape.isRightShort) {
      case (true, true): return wideAddition(Int64.self, Int64.self, columns, n, &context, shape, subtracts)
      case (true, false): return wideAddition(Int64.self, Int128.self, columns, n, &context, shape, subtracts)
      case (false, true): return wideAddition(Int128.self, Int64.self, columns, n, &context, shape, subtracts)
      case (false, false): return wideAddition(Int128.self, Int128.self, columns, n, &context, shape, subtracts)
      }
    }
  }

  private static func shortAddition(
    _ columns: [Column], _ n: Int, _ type: DataType, _ shape: Shape, _ subtracts: Bool
  ) -> Column {
    let f = DecimalMath.shortPowers[shape.scale - shape.s]
    let sign: Int64 = subtracts ? -1 : 1
    let g = DecimalMath.shortPowers[shape.scale - shape.t] * sign
    switch (f, g) {
    case (1, 1): return binaryColumn(columns, n, type, Int64.self, Int64.self, Int64.self) { $0 &+ $1 }
    case (1, -1): return binaryColumn(columns, n, type, Int64.self, Int64.self, Int64.self) { $0 &- $1 }
    default: return binaryColumn(columns, n, type, Int64.self, Int64.self, Int64.self) { $0 &* f &+ $1 &* g }
    }
  }

  @inline(__always)
  private static func wideAddition<A: DecimalStorage, B: DecimalStorage>(
    _: A.Type, _: B.Type, _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ shape: Shape,
    _ subtracts: Bool
  ) -> Column {
    let type = context.returnType
    let f = DecimalMath.powers[shape.scale - shape.s]
    let g = DecimalMath.powers[shape.scale - shape.t] * (subtracts ? -1 : 1)
    let digits = shape.scale + max(shape.p - shape.s, shape.q - shape.t) + 1
    if digits <= 38 {
      if f == 1, g == 1 { return binaryColumn(columns, n, type, A.self, B.self, Int128.self) { $0.wide &+ $1.wide } }
      if f == 1, g == -1 { return binaryColumn(columns, n, type, A.self, B.self, Int128.self) { $0.wide &- $1.wide } }
      return binaryColumn(columns, n, type, A.self, B.self, Int128.self) { $0.wide &* f &+ $1.wide &* g }
    }
    return checkedColumn(A.self, B.self, columns, n, &context) { a, b in
      let (x, overX) = a.wide.multipliedReportingOverflow(by: f)
      let (y, overY) = b.wide.multipliedReportingOverflow(by: g)
      let (r, overflows) = x.addingReportingOverflow(y)
      return overX || overY || overflows || !DecimalMath.fits(r, precision: 38) ? nil : r
    }
  }

  /// A column of 128-bit results; nil answers are overflows.
  @inline(__always)
  private static func checkedColumn<A: DecimalStorage, B: DecimalStorage>(
    _: A.Type, _: B.Type, _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ body: (A, B) -> Int128?
  ) -> Column {
    var errors = context.errors
    defer { context.errors = errors }
    return checkedBinaryColumn(columns, n, context.returnType, A.self, B.self, Int128.self) { a, b in
      guard let r = body(a, b) else { return (0, -1) }
      return (r, 0)
    } onFailure: { row, _, _ in
      errors.record(row, .numericValueOutOfRange, "Decimal overflow")
    }
  }

  // MARK: Multiplication

  static let multiplication = overload({ DecimalTypes.product($0, $1, $2, $3) }) {
    (columns, n, context, shape) -> Column in
    if shape.isResultShort {
      return binaryColumn(columns, n, context.returnType, Int64.self, Int64.self, Int64.self) { $0 &* $1 }
    }
    switch (shape.isLeftShort, shape.isRightShort) {
    case (true, true):
      return binaryColumn(columns, n, context.returnType, Int64.self, Int64.self, Int128.self) { a, b in
        let (high, low) = a.multipliedFullWidth(by: b)
        return (Int128(high) &<< 64) | Int128(low)
      }
    case (true, false): return wideMultiplication(Int64.self, Int128.self, columns, n, &context, shape)
    case (false, true): return wideMultiplication(Int128.self, Int64.self, columns, n, &context, shape)
    case (false, false): return wideMultiplication(Int128.self, Int128.self, columns, n, &context, shape)
    }
  }

  @inline(__always)
  private static func wideMultiplication<A: DecimalStorage, B: DecimalStorage>(
    _: A.Type, _: B.Type, _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ shape: Shape
  ) -> Column {
    if shape.p + shape.q <= 38 {
      return binaryColumn(columns, n, context.returnType, A.self, B.self, Int128.self) { $0.wide &* $1.wide }
    }
    return checkedColumn(A.self, B.self, columns, n, &context) { a, b in
      let (x, y) = (a.wide, b.wide)
      if let small = Int64(exactly: x), let other = Int64(exactly: y) {
        let (high, low) = small.multipliedFullWidth(by: other)
        return (Int128(high) &<< 64) | Int128(low)
      }
      let (r, overflows) = x.multipliedReportingOverflow(by: y)
      return overflows || !DecimalMath.fits(r, precision: 38) ? nil : r
    }
  }

  // MARK: Division

  static let division = overload({ DecimalTypes.quotient($0, $1, $2, $3) }) { (columns, n, context, shape) -> Column in
    let shift = shape.scale - shape.s + shape.t
    if shape.isResultShort, shape.isLeftShort, shape.isRightShort, shape.p + shift <= 18 {
      let factor = DecimalMath.shortPowers[shift]
      var errors = context.errors
      defer { context.errors = errors }
      return checkedBinaryColumn(columns, n, context.returnType, Int64.self, Int64.self, Int64.self) { a, b in
        if b == 0 { return (0, -1) }
        let dividend = a &* factor
        let quotient = dividend / b
        let rest = (dividend &- quotient &* b).magnitude
        let rounding: Int64 = rest >= b.magnitude &- rest ? ((dividend ^ b) < 0 ? -1 : 1) : 0
        return (quotient &+ rounding, 0)
      } onFailure: { row, _, _ in
        errors.record(row, .divisionByZero, "Division by zero")
      }
    }
    return wideQuotient(columns, n, &context, shape) { a, b in
      if shape.p + shift <= 38 {
        let dividend = a &* DecimalMath.powers[shift]
        let (quotient, rest) = dividend.quotientAndRemainder(dividingBy: b)
        let left = rest.magnitude
        let rounding: Int128 = left >= b.magnitude &- left ? ((dividend < 0) != (b < 0) ? -1 : 1) : 0
        return quotient &+ rounding
      }
      return DecimalMath.divide(a, shiftedBy: shift, by: b)
    }
  }

  static let remainder = overload({ DecimalTypes.remainder($0, $1, $2, $3) }) { (columns, n, context, shape) -> Column in
    let (up, down) = (max(shape.t - shape.s, 0), max(shape.s - shape.t, 0))
    if shape.isResultShort, shape.p + up <= 18, shape.q + down <= 18 {
      let (f, g) = (DecimalMath.shortPowers[up], DecimalMath.shortPowers[down])
      var errors = context.errors
      defer { context.errors = errors }
      return checkedBinaryColumn(columns, n, context.returnType, Int64.self, Int64.self, Int64.self) { a, b in
        b == 0 ? (0, -1) : ((a &* f) % (b &* g), 0)
      } onFailure: { row, _, _ in
        errors.record(row, .divisionByZero, "Division by zero")
      }
    }
    return wideQuotient(columns, n, &context, shape) { a, b in
      DecimalMath.remainder(a, shiftedBy: up, by: b, shiftedBy: down)
    }
  }

  /// Divisions of any precision, a row at a time.
  private static func wideQuotient(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ shape: Shape, _ body: (Int128, Int128) -> Int128?
  ) -> Column {
    let validity = commonValidity(columns)
    let (x, y) = (columns[0].view, columns[1].view)
    let values = Buffer(byteCount: n * (shape.isResultShort ? 8 : 16))
    for row in 0..<n {
      var result: Int128 = 0
      if validity.map({ $0[row] }) ?? true {
        let a = shape.isLeftShort ? Int128(x.value(row, as: Int64.self)) : x.value(row, as: Int128.self)
        let b = shape.isRightShort ? Int128(y.value(row, as: Int64.self)) : y.value(row, as: Int128.self)
        if b == 0 {
          context.errors.record(row, .divisionByZero, "Division by zero")
        } else if let value = body(a, b), DecimalMath.fits(value, precision: shape.precision) {
          result = value
        } else {
          context.errors.record(row, .numericValueOutOfRange, "Decimal overflow")
        }
      }
      if shape.isResultShort {
        values.typed(Int64.self)[row] = Int64(truncatingIfNeeded: result)
      } else {
        values.typed(Int128.self)[row] = result
      }
    }
    return Column(flat: context.returnType, count: n, values: values, validity: validity)
  }

  // MARK: Negation

  static let negation: ScalarOverload = .columns([.decimal], returns: .argument(0)) {
    (columns, n, context) throws(QueryError) -> Column in
    let type = context.returnType
    if type.physicalType == .int64 {
      let values = Buffer(byteCount: n &* 8)
      fillUnary(columns[0], n, values.typed(Int64.self)) { (a: Int64) -> Int64 in 0 &- a }
      return Column(flat: type, count: n, values: values, validity: columns[0].validity)
    }
    let values = Buffer(byteCount: n &* 16)
    fillUnary(columns[0], n, values.typed(Int128.self)) { (a: Int128) -> Int128 in 0 &- a }
    return Column(flat: type, count: n, values: values, validity: columns[0].validity)
  }
}
