import Columnar
import Glibc
import QueryErrors

/// Powers, logarithms, angles, constants and number bases.
package enum MathFunctions: FunctionFamily {
  package static let title = "Mathematics"

  package static let functions: [ScalarFunction] =
    [
      unary("sqrt", summary: "The square root.", Example("sqrt(2.25E0)", "1.5")) { $0.squareRoot() },
      unary("cbrt", summary: "The cube root.", Example("cbrt(27.0E0)", "3.0")) { cubeRoot($0) },
      unary("exp", summary: "Euler's number to the power of x.", Example("exp(0)", "1.0")) { exp($0) },
      unary("ln", summary: "The natural logarithm.", Example("ln(1)", "0.0")) { log($0) },
      unary("log2", summary: "The logarithm to base 2.", Example("log2(8)", "3.0")) { log($0) / log(2) },
      unary("log10", summary: "The logarithm to base 10.", Example("log10(1000)", "3.0")) { log10($0) },
      ScalarFunction(
        "log", summary: "The logarithm of the second number to the base of the first.",
        examples: [Example("log(2, 64)", "6.0")],
        overloads: [PlainLoop.binary(.double, .double, .double) { (b: Double, x: Double) in log(x) / log(b) }]),
      ScalarFunction(
        "power", aliases: ["pow"], summary: "The first number to the power of the second.",
        examples: [Example("power(2, 10)", "1024.0")],
        overloads: [PlainLoop.binary(.double, .double, .double) { (x: Double, p: Double) in power(x, p) }]),
      unary("sin", summary: "The sine of an angle in radians.", Example("sin(0)", "0.0")) { sin($0) },
      unary("cos", summary: "The cosine of an angle in radians.", Example("cos(0)", "1.0")) { cos($0) },
      unary("tan", summary: "The tangent of an angle in radians.", Example("tan(0)", "0.0")) { tan($0) },
      unary("asin", summary: "The arc sine.", Example("asin(0)", "0.0")) { asin($0) },
      unary("acos", summary: "The arc cosine.", Example("acos(1)", "0.0")) { acos($0) },
      unary("atan", summary: "The arc tangent.", Example("atan(0)", "0.0")) { atan($0) },
      unary("sinh", summary: "The hyperbolic sine.", Example("sinh(0)", "0.0")) { sinh($0) },
      unary("cosh", summary: "The hyperbolic cosine.", Example("cosh(0)", "1.0")) { cosh($0) },
      unary("tanh", summary: "The hyperbolic tangent.", Example("tanh(0)", "0.0")) { tanh($0) },
      ScalarFunction(
        "atan2", summary: "The angle of the point (x, y), given as y, x.", examples: [Example("atan2(0, 1)", "0.0")],
        overloads: [PlainLoop.binary(.double, .double, .double) { (y: Double, x: Double) in atan2(y, x) }]),
      unary("degrees", summary: "An angle in degrees, from radians.", Example("degrees(0)", "0.0")) {
        $0 * (180 / Double.pi)
      },
      unary("radians", summary: "An angle in radians, from degrees.", Example("radians(0)", "0.0")) {
        $0 / 180 * Double.pi
      },
      constant("e", M_E, summary: "Euler's number.", "2.718281828459045"),
      constant("pi", Double.pi, summary: "The ratio of a circle's circumference to its diameter.", "3.141592653589793"),
      constant("infinity", Double.infinity, summary: "Positive infinity.", "Infinity"),
      constant("nan", Double.nan, summary: "Not a number.", "NaN"),
      ScalarFunction(
        "is_nan", summary: "Whether the value is not a number.", examples: [Example("is_nan(nan())", "true")],
        overloads: [
          PlainLoop.unary(.double, .boolean) { (x: Double) in x.isNaN },
          PlainLoop.unary(.real, .boolean) { (x: Float) in x.isNaN },
        ]),
      ScalarFunction(
        "is_finite", summary: "Whether the value is finite.", examples: [Example("is_finite(1)", "true")],
        overloads: [PlainLoop.unary(.double, .boolean) { (x: Double) in x.isFinite }]),
      ScalarFunction(
        "is_infinite", summary: "Whether the value is infinite.", examples: [Example("is_infinite(infinity())", "true")],
        overloads: [PlainLoop.unary(.double, .boolean) { (x: Double) in x.isInfinite }]),
    ] + bases

  private static func unary(
    _ name: String, summary: String, _ example: Example, _ body: @escaping @Sendable (Double) -> Double
  ) -> ScalarFunction {
    ScalarFunction(name, summary: summary, examples: [example], overloads: [PlainLoop.unary(.double, .double, body)])
  }

  private static func constant(_ name: String, _ value: Double, summary: String, _ text: String) -> ScalarFunction {
    ScalarFunction(
      name, summary: summary, examples: [Example("\(name)()", text)],
      overloads: [
        .columns([], returns: .double) { (_, n, _) throws(QueryError) -> Column in
          .constant(.double(value), .double, count: n)
        }
      ])
  }

  /// Java's `Math.pow`, which differs from C's for NaN and infinite exponents of ±1.
  @inline(__always)
  private static func power(_ x: Double, _ p: Double) -> Double {
    if p == 2 { return x * x }
    if p.isNaN || (p.isInfinite && Swift.abs(x) == 1) { return .nan }
    return pow(x, p)
  }

  // MARK: Bases

  private static let bases: [ScalarFunction] = [
    ScalarFunction(
      "from_base", summary: "The number that a text names in a base of 2 to 36.",
      examples: [Example("from_base('ff', 16)", "255")],
      overloads: [
        .binary(.exact(.text), .bigint, returns: .bigint) { (text: StringView, radix: Int64, rows) -> Int64 in
          guard isRadix(radix, &rows) else { return 0 }
          let value = text.withUTF8 { p, n in parse(p, n, radix) }
          if let value { return value }
          rows.fail(.invalidFunctionArgument, "Not a valid base-\(radix) number: \(text.string)")
          return 0
        }
      ]),
    ScalarFunction(
      "to_base", summary: "The digits of a number in a base of 2 to 36.", examples: [Example("to_base(255, 16)", "ff")],
      overloads: [
        .binary(.bigint, .bigint, returns: .exact(.varchar(length: 64))) { (x: Int64, radix: Int64, rows) -> StringView in
          guard isRadix(radix, &rows) else { return StringView() }
          return rows.string(String(x, radix: Int(radix)))
        }
      ]),
  ]

  private static func isRadix(_ radix: Int64, _ rows: inout RowContext) -> Bool {
    if radix >= 2, radix <= 36 { return true }
    rows.fail(.invalidFunctionArgument, "Radix must be between 2 and 36")
    return false
  }

  private static func parse(_ p: UnsafePointer<UInt8>, _ n: Int, _ radix: Int64) -> Int64? {
    guard n > 0, n <= 65 else { return nil }
    let isNegative = p[0] == 0x2d
    var at = isNegative || p[0] == 0x2b ? 1 : 0
    if at == n { return nil }
    var value: Int64 = 0
    while at < n {
      let byte = p[at]
      let digit: Int64
      switch byte {
      case 0x30...0x39: digit = Int64(byte - 0x30)
      case 0x61...0x7a: digit = Int64(byte - 0x57)
      case 0x41...0x5a: digit = Int64(byte - 0x37)
      default: return nil
      }
      if digit >= radix { return nil }
      let (product, overflows) = value.multipliedReportingOverflow(by: radix)
      let (sum, carries) = isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
      if overflows || carries { return nil }
      value = sum
      at &+= 1
    }
    return value
  }
}

/// The cube root, one Newton step better than the C library's, which is off by one unit in the last place.
private func cubeRoot(_ x: Double) -> Double {
  let root = cbrt(x)
  guard root.isFinite, root != 0 else { return root }
  return root - (root * root * root - x) / (3 * root * root)
}
