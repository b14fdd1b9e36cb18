import Columnar
import QueryErrors

/// Real and double, widened without a detour through generic conversions, which are slow.
private protocol FloatingStorage: BinaryFloatingPoint, KernelValue {
  var wide: Double { get }
}
extension Float: FloatingStorage {
  @inline(__always) fileprivate var wide: Double { Double(self) }
}
extension Double: FloatingStorage {
  @inline(__always) fileprivate var wide: Double { self }
}

/// Casts between numbers and booleans.
///
/// - Source: Trino `BigintOperators`, `DoubleOperators`, `DecimalCasts`, `DecimalToDecimalCasts` and their like.
enum NumericCasts {
  typealias Cast = CastRegistry.Cast

  static func cast(_ from: DataType, _ to: DataType) -> Cast? {
    switch from {
    case .boolean: fromBoolean(to)
    case .tinyint: fromInteger(Int8.self, from, to)
    case .smallint: fromInteger(Int16.self, from, to)
    case .integer: fromInteger(Int32.self, from, to)
    case .bigint: fromInteger(Int64.self, from, to)
    case .real: fromFloating(Float.self, from, to)
    case .double: fromFloating(Double.self, from, to)
    case .decimal(let precision, let scale): fromDecimal(precision, scale, to)
    default: nil
    }
  }

  /// A cast that cannot fail.
  @inline(__always)
  private static func plain<A: BitwiseCopyable, R: BitwiseCopyable>(
    _: A.Type, _: R.Type, _ body: @escaping @Sendable (A) -> R
  ) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let values = Buffer(byteCount: n &* MemoryLayout<R>.stride)
      fillUnary(columns[0], n, values.typed(R.self), body)
      return Column(flat: context.returnType, count: n, values: values, validity: columns[0].validity)
    }
  }

  /// A cast whose body answers nil for values out of range.
  @inline(__always)
  private static func checked<A: KernelValue, R: KernelValue>(
    _: A.Type, _: R.Type, _ code: ErrorCode, _ body: @escaping @Sendable (A) -> R?,
    _ message: @escaping @Sendable (A) -> String
  ) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      return mapRows(columns, n, &context) { row, rows -> R in
        let value = x.value(row, as: A.self)
        if let result = body(value) { return result }
        rows.fail(code, message(value))
        return R.zero
      }
    }
  }

  /// An integer or short decimal times a power of ten, as a short decimal; cannot overflow.
  @inline(__always)
  private static func scaledShort<A: FixedWidthInteger & BitwiseCopyable & SendableMetatype>(_: A.Type, _ factor: Int64) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let values = Buffer(byteCount: n &* 8)
      fillUnary(columns[0], n, values.typed(Int64.self)) { (a: A) -> Int64 in Int64(truncatingIfNeeded: a) &* factor }
      return Column(flat: context.returnType, count: n, values: values, validity: columns[0].validity)
    }
  }

  /// Like `scaledShort`, as a long decimal.
  @inline(__always)
  private static func scaledLong<A: FixedWidthInteger & BitwiseCopyable & SendableMetatype>(_: A.Type, _ factor: Int128) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let values = Buffer(byteCount: n &* 16)
      fillUnary(columns[0], n, values.typed(Int128.self)) { (a: A) -> Int128 in
        Int128(truncatingIfNeeded: a) &* factor
      }
      return Column(flat: context.returnType, count: n, values: values, validity: columns[0].validity)
    }
  }

  /// A short decimal as a double: exact for up to 15 digits.
  private static func dividedShort(_ power: Double) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let values = Buffer(byteCount: n &* 8)
      fillUnary(columns[0], n, values.typed(Double.self)) { (a: Int64) -> Double in Double(a) / power }
      return Column(flat: context.returnType, count: n, values: values, validity: columns[0].validity)
    }
  }

  // MARK: From booleans

  private static func fromBoolean(_ to: DataType) -> Cast? {
    switch to {
    case .tinyint: return plain(UInt8.self, Int8.self) { Int8(bitPattern: $0) }
    case .smallint: return plain(UInt8.self, Int16.self) { Int16($0) }
    case .integer: return plain(UInt8.self, Int32.self) { Int32($0) }
    case .bigint: return plain(UInt8.self, Int64.self) { Int64($0) }
    case .real: return plain(UInt8.self, Float.self) { Float($0) }
    case .double: return plain(UInt8.self, Double.self) { Double($0) }
    case .decimal(let precision, let scale):
      if precision == scale { return decimalResult(UInt8.self, "BOOLEAN", precision, scale) { Int128($0) } }
      let one = DecimalMath.power(scale)
      if precision <= 18 { return plain(UInt8.self, Int64.self) { Int64($0) &* Int64(truncatingIfNeeded: one) } }
      return plain(UInt8.self, Int128.self) { Int128($0) &* one }
    default: return nil
    }
  }

  // MARK: From integers

  @inline(__always)
  private static func fromInteger<T: FixedWidthInteger & KernelValue>(
    _: T.Type, _ from: DataType, _ to: DataType
  ) -> Cast? {
    switch to {
    case .boolean: return plain(T.self, UInt8.self) { byte($0 != 0) }
    case .tinyint: return narrow(T.self, Int8.self, to)
    case .smallint: return narrow(T.self, Int16.self, to)
    case .integer: return narrow(T.self, Int32.self, to)
    case .bigint: return plain(T.self, Int64.self) { Int64(truncatingIfNeeded: $0) }
    case .real: return plain(T.self, Float.self) { Float($0) }
    case .double: return plain(T.self, Double.self) { Double($0) }
    case .decimal(let precision, let scale):
      let digits = from == .tinyint ? 3 : from == .smallint ? 5 : from == .integer ? 10 : 19
      if precision - scale >= digits {
        let factor = DecimalMath.power(scale)
        if precision <= 18 {
          return scaledShort(T.self, Int64(truncatingIfNeeded: factor))
        }
        return scaledLong(T.self, factor)
      }
      return decimalResult(T.self, from.description.uppercased(), precision, scale) { Int128(truncatingIfNeeded: $0) }
    default: return nil
    }
  }

  @inline(__always)
  private static func narrow<T: FixedWidthInteger & KernelValue, R: FixedWidthInteger & KernelValue>(
    _: T.Type, _: R.Type, _ to: DataType
  ) -> Cast {
    if R.bitWidth >= T.bitWidth { return plain(T.self, R.self) { R(truncatingIfNeeded: $0) } }
    return checked(T.self, R.self, .numericValueOutOfRange) {
      R(exactly: $0)
    } _: {
      "Out of range for \(to): \($0)"
    }
  }

  /// An integer as a decimal that may be too small for it.
  @inline(__always)
  private static func decimalResult<T: BitwiseCopyable & Sendable>(
    _: T.Type, _ name: String, _ precision: Int, _ scale: Int, _ value: @escaping @Sendable (T) -> Int128
  ) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      return decimalColumn(columns, n, &context, precision) { row, rows in
        let unscaled = value(x.value(row, as: T.self))
        if let result = DecimalMath.rescale(unscaled, from: 0, to: scale), DecimalMath.fits(result, precision: precision) {
          return result
        }
        rows.fail(.invalidCastArgument, "Cannot cast \(name) '\(unscaled)' to DECIMAL(\(precision), \(scale))")
        return 0
      }
    }
  }

  /// A decimal column of either width, a row at a time.
  @inline(__always)
  static func decimalColumn(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ precision: Int,
    _ body: (Int, inout RowContext) -> Int128
  ) -> Column {
    if precision <= DataType.maxShortDecimalPrecision {
      return mapRows(columns, n, &context) { row, rows -> Int64 in Int64(truncatingIfNeeded: body(row, &rows)) }
    }
    return mapRows(columns, n, &context) { row, rows -> Int128 in body(row, &rows) }
  }

  // MARK: From floating point

  @inline(__always)
  private static func fromFloating<T: FloatingStorage>(
    _: T.Type, _ from: DataType, _ to: DataType
  ) -> Cast? {
    switch to {
    case .boolean: return plain(T.self, UInt8.self) { byte($0 != 0) }
    case .tinyint: return rounded(T.self, Int8.self, from, to)
    case .smallint: return rounded(T.self, Int16.self, from, to)
    case .integer: return rounded(T.self, Int32.self, from, to)
    case .bigint: return rounded(T.self, Int64.self, from, to)
    case .real: return plain(T.self, Float.self) { Float($0) }
    case .double: return plain(T.self, Double.self) { Double($0) }
    case .decimal(let precision, let scale):
      let name = from == .real ? "REAL" : "DOUBLE"
      return { (columns, n, context) throws(QueryError) -> Column in
        let x = columns[0].view
        return decimalColumn(columns, n, &context, precision) { row, rows in
          let value = x.value(row, as: T.self)
          let parsed: NumberText.ParsedDecimal
          if !value.isFinite {
            parsed = value.isNaN ? .notANumber : .tooLarge
          } else {
            parsed = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: NumberText.maxLength) { text in
              let p = text.baseAddress!
              let length: Int
              if let single = value as? Float {
                length = NumberText.write(single, to: p)
              } else {
                length = NumberText.write(Double(value), to: p)
              }
              return NumberText.parseDecimal(p, length, precision: precision, scale: scale)
            }
          }
          if case .value(let result) = parsed { return result }
          rows.fail(
            .invalidCastArgument,
            "Cannot cast \(name) '\(javaText(value.wide))' to DECIMAL(\(precision), \(scale))")
          return 0
        }
      }
    default: return nil
    }
  }

  @inline(__always)
  private static func rounded<T: FloatingStorage, R: FixedWidthInteger & KernelValue>(
    _: T.Type, _: R.Type, _ from: DataType, _ to: DataType
  ) -> Cast {
    // Both limits are powers of two, which doubles hold exactly.
    let limit = Double(sign: .plus, exponent: R.bitWidth - 1, significand: 1)
    return { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      return mapRows(columns, n, &context) { row, rows -> R in
        let value = x.value(row, as: T.self).wide
        let whole = value.rounded(.toNearestOrAwayFromZero)
        if whole >= -limit, whole < limit { return R(truncatingIfNeeded: Int64(whole)) }
        if value.isNaN {
          rows.fail(.invalidCastArgument, "Cannot cast \(from) NaN to \(to)")
        } else {
          rows.fail(.numericValueOutOfRange, "Out of range for \(to): \(javaText(value))")
        }
        return 0
      }
    }
  }

  /// A double as messages show it.
  static func javaText(_ value: Double) -> String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: NumberText.maxLength) { text in
      let n = NumberText.write(value, to: text.baseAddress!)
      return String(decoding: text[0..<n], as: UTF8.self)
    }
  }

  // MARK: From decimals

  private static func fromDecimal(_ precision: Int, _ scale: Int, _ to: DataType) -> Cast? {
    let isShort = precision <= DataType.maxShortDecimalPrecision
    switch to {
    case .decimal(let q, let t): return betweenDecimals(precision, scale, q, t)
    case .boolean:
      return isShort ? plain(Int64.self, UInt8.self) { byte($0 != 0) } : plain(Int128.self, UInt8.self) { byte($0 != 0) }
    case .tinyint: return roundedDecimal(Int8.self, "TINYINT", isShort, scale)
    case .smallint: return roundedDecimal(Int16.self, "SMALLINT", isShort, scale)
    case .integer: return roundedDecimal(Int32.self, "INTEGER", isShort, scale)
    case .bigint: return roundedDecimal(Int64.self, "BIGINT", isShort, scale)
    case .double:
      if isShort {
        return dividedShort(Double(DecimalMath.power(scale)))
      }
      return { (columns, n, context) throws(QueryError) -> Column in
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, _ -> Double in
          wideDouble(x.value(row, as: Int128.self), scale)
        }
      }
    case .real:
      if isShort {
        let power = Double(DecimalMath.power(scale))
        return plain(Int64.self, Float.self) { Float(Double($0) / power) }
      }
      return { (columns, n, context) throws(QueryError) -> Column in
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, _ -> Float in Float(wideDouble(x.value(row, as: Int128.self), scale)) }
      }
    default: return nil
    }
  }

  /// A long decimal as the nearest double.
  static func wideDouble(_ unscaled: Int128, _ scale: Int) -> Double {
    if scale <= 22, let small = Int64(exactly: unscaled), small.magnitude < 1 << 53 {
      return Double(small) / Double(DecimalMath.power(scale))
    }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: NumberText.maxLength) { text in
      let n = NumberText.writeDecimal(unscaled, scale: scale, to: text.baseAddress!)
      return NumberText.parseDouble(text.baseAddress!, n) ?? 0
    }
  }

  @inline(__always)
  private static func roundedDecimal<R: FixedWidthInteger & KernelValue>(
    _: R.Type, _ name: String, _ isShort: Bool, _ scale: Int
  ) -> Cast {
    let power = DecimalMath.power(scale)
    return { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      return mapRows(columns, n, &context) { row, rows -> R in
        let unscaled: Int128
        if isShort {
          let value = x.value(row, as: Int64.self)
          unscaled = Int128(DecimalMath.divideRounded(value, by: Int64(truncatingIfNeeded: power)))
        } else {
          unscaled = DecimalMath.divideRounded(x.value(row, as: Int128.self), by: power)
        }
        if let result = R(exactly: unscaled) { return result }
        rows.fail(.invalidCastArgument, "Cannot cast '\(unscaled)' to \(name)")
        return 0
      }
    }
  }

  private static func betweenDecimals(_ p: Int, _ s: Int, _ q: Int, _ t: Int) -> Cast {
    let (isFromShort, isToShort) = (p <= 18, q <= 18)
    // Widening that cannot fail.
    if t >= s, q - t >= p - s {
      let factor = DecimalMath.power(t - s)
      switch (isFromShort, isToShort) {
      case (true, true):
        return scaledShort(Int64.self, Int64(truncatingIfNeeded: factor))
      case (true, false): return scaledLong(Int64.self, factor)
      default: return scaledLong(Int128.self, factor)
      }
    }
    return { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      return decimalColumn(columns, n, &context, q) { row, rows in
        let unscaled = isFromShort ? Int128(x.value(row, as: Int64.self)) : x.value(row, as: Int128.self)
        if let result = DecimalMath.rescale(unscaled, from: s, to: t), DecimalMath.fits(result, precision: q) {
          return result
        }
        rows.fail(
          .invalidCastArgument,
          "Cannot cast DECIMAL(\(p), \(s)) '\(decimalText(unscaled, s))' to DECIMAL(\(q), \(t))")
        return 0
      }
    }
  }

  /// A decimal as messages show it.
  static func decimalText(_ unscaled: Int128, _ scale: Int) -> String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: NumberText.maxLength) { text in
      let n = NumberText.writeDecimal(unscaled, scale: scale, to: text.baseAddress!)
      return String(decoding: text[0..<n], as: UTF8.self)
    }
  }
}
