import Columnar
import QueryErrors

/// Operations on the bits of integers in two's complement.
///
/// - Source: Trino `BitwiseFunctions`.
package enum BitwiseFunctions: FunctionFamily {
  package static let title = "Bitwise"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "bitwise_and", summary: "The bits that both numbers have.", examples: [Example("bitwise_and(12, 10)", "8")],
      overloads: [PlainLoop.binary(.bigint, .bigint, .bigint) { (a: Int64, b: Int64) in a & b }]),
    ScalarFunction(
      "bitwise_or", summary: "The bits that some number has.", examples: [Example("bitwise_or(12, 10)", "14")],
      overloads: [PlainLoop.binary(.bigint, .bigint, .bigint) { (a: Int64, b: Int64) in a | b }]),
    ScalarFunction(
      "bitwise_xor", summary: "The bits that one of the numbers has.", examples: [Example("bitwise_xor(12, 10)", "6")],
      overloads: [PlainLoop.binary(.bigint, .bigint, .bigint) { (a: Int64, b: Int64) in a ^ b }]),
    ScalarFunction(
      "bitwise_not", summary: "The bits that the number does not have.", examples: [Example("bitwise_not(12)", "-13")],
      overloads: [PlainLoop.unary(.bigint, .bigint) { (a: Int64) in ~a }]),
    ScalarFunction(
      "bitwise_left_shift", summary: "The number with its bits moved up.",
      examples: [Example("bitwise_left_shift(1, 2)", "4")],
      overloads: [
        shift(Int8.self, .tinyint, left), shift(Int16.self, .smallint, left), shift(Int32.self, .integer, left),
        shift(Int64.self, .bigint, left),
      ]),
    ScalarFunction(
      "bitwise_right_shift", summary: "The number with its bits moved down, zeros coming in.",
      examples: [Example("bitwise_right_shift(8, 3)", "1")],
      overloads: [
        shift(Int8.self, .tinyint, right), shift(Int16.self, .smallint, right), shift(Int32.self, .integer, right),
        shift(Int64.self, .bigint, right),
      ]),
    ScalarFunction(
      "bitwise_right_shift_arithmetic", summary: "The number with its bits moved down, copies of the sign coming in.",
      examples: [Example("bitwise_right_shift_arithmetic(-8, 3)", "-1")],
      overloads: [
        shift(Int8.self, .tinyint, arithmetic), shift(Int16.self, .smallint, arithmetic),
        shift(Int32.self, .integer, arithmetic), shift(Int64.self, .bigint, arithmetic),
      ]),
    ScalarFunction(
      "bit_count", summary: "How many bits a number has set, in so many bits of two's complement.",
      examples: [Example("bit_count(9, 64)", "2"), Example("bit_count(-7, 8)", "6")],
      overloads: [
        .binary(.bigint, .bigint, returns: .bigint) { (x: Int64, bits: Int64, rows) -> Int64 in
          if bits == 64 { return Int64(x.nonzeroBitCount) }
          if bits < 2 || bits > 64 {
            rows.fail(
              .invalidFunctionArgument, "Bits specified in bit_count must be between 2 and 64, got \(bits)")
            return 0
          }
          let high = Int64(1) << (bits - 1)
          if x >= high || x < 0 - high {
            rows.fail(
              .invalidFunctionArgument,
              "Number must be representable with the bits specified. \(x) cannot be represented with \(bits) bits")
            return 0
          }
          return Int64((x & ((high &<< 1) &- 1)).nonzeroBitCount)
        }
      ]),
  ]

  private enum Direction { case left, right, arithmetic }
  private static let left = Direction.left
  private static let right = Direction.right
  private static let arithmetic = Direction.arithmetic

  private static func shift<T: FixedWidthInteger & SignedInteger & KernelValue>(
    _: T.Type, _ type: DataType, _ direction: Direction
  ) -> ScalarOverload where T.Magnitude: FixedWidthInteger {
    .binary(.exact(type), .bigint, returns: .exact(type)) { (x: T, amount: Int64, _) -> T in
      if amount >= Int64(T.bitWidth) { return direction == .arithmetic && x < 0 ? -1 : 0 }
      let amount = T(truncatingIfNeeded: amount & Int64(T.bitWidth - 1))
      switch direction {
      case .left: return x &<< amount
      case .right: return T(truncatingIfNeeded: T.Magnitude(truncatingIfNeeded: x) &>> T.Magnitude(truncatingIfNeeded: amount))
      case .arithmetic: return x &>> amount
      }
    }
  }
}
