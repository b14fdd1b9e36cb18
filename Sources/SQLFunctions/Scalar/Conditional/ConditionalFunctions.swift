import Columnar
import QueryErrors

/// Functions that choose among their arguments, and `typeof`.
package enum ConditionalFunctions: FunctionFamily {
  package static let title = "Conditional functions"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "nullif", summary: "NULL when both values are equal, else the first.",
      examples: [Example("nullif(1, 1)", "NULL"), Example("nullif(1, 2)", "1")],
      overloads: [
        ScalarOverload(
          Signature([.t, .t], returns: .argument(0), resolve: resolveNullIf), propagatesNulls: false,
          makeKernel: makeNullIf)
      ]),
    extreme("greatest", "The largest of the values, NULL when any is NULL.", [Example("greatest(1, 3, 2)", "3")], 1),
    extreme("least", "The smallest of the values, NULL when any is NULL.", [Example("least(3, 1, 2)", "1")], -1),
    ScalarFunction(
      "$let", summary: "What the lambda makes of the value.", isHidden: true,
      overloads: [
        .columns([.t, .function([.t], .variable("U"))], returns: .pattern(.variable("U")), propagatesNulls: false) {
          (columns, n, context) throws(QueryError) -> Column in
          try Array(0..<Int32(n)).withUnsafeBufferPointer { (rows) throws(QueryError) in
            n == 0
              ? .empty(context.returnType)
              : try context.lambdas[0].evaluate(
                columns, outerRows: rows.baseAddress!, rowCount: n, errors: &context.errors)
          }
        }
      ]),
    ScalarFunction(
      "typeof", summary: "The name of the value's type.", examples: [Example("typeof(1)", "integer")],
      overloads: [
        ScalarOverload(Signature([.t], returns: .varchar), propagatesNulls: false) {
          (binding: SignatureBinding) throws(QueryError) -> Kernel in
          let name = Scalar.string(binding.argumentTypes[0].description)
          return { (_, n, _) throws(QueryError) -> Column in
            n == 0 ? .empty(.text) : .constant(name, .text, count: n)
          }
        }
      ]),
  ]

  // MARK: nullif

  private static let resolveNullIf: @Sendable ([DataType]) -> SignatureBinding? = { types in
    guard types.count == 2, let common = TypeCoercion.commonSuperType(types[0], types[1]), common.isComparable else {
      return nil
    }
    return SignatureBinding(argumentTypes: types, returnType: types[0])
  }

  private static let makeNullIf: KernelFactory = { (binding: SignatureBinding) throws(QueryError) -> Kernel in
    let types = binding.argumentTypes
    guard let common = TypeCoercion.commonSuperType(types[0], types[1]),
      let left = CastRegistry.cast(types[0], common), let right = CastRegistry.cast(types[1], common)
    else { throw .internalError("nullif bound to \(types)") }
    return { (columns, n, context) throws(QueryError) -> Column in
      let returnType = context.returnType
      context.returnType = common
      defer { context.returnType = returnType }
      let a = try left([columns[0]], n, &context)
      let b = try right([columns[1]], n, &context)
      let matches = Buffer(byteCount: n)
      let p = matches.typed(UInt8.self)
      for row in 0..<n { p[row] = 1 }
      CompareKernel.keepEqual(a, nil, b, nil, count: n, matches: p)
      let valid = Bitmap(count: n, filled: true)
      var changes = false
      for row in 0..<n where p[row] != 0 {
        valid.clear(row)
        changes = true
      }
      if !changes { return columns[0] }
      return columns[0].withValidity(Bitmap.intersection(columns[0].validity, valid))
    }
  }

  // MARK: greatest and least

  private static func extreme(_ name: String, _ summary: String, _ examples: [Example], _ sign: Int) -> ScalarFunction {
    ScalarFunction(
      name, summary: summary, examples: examples,
      overloads: [
        .columns([.orderable("E"), .orderable("E")], variadic: true, returns: .pattern(.variable("E"))) {
          (columns, n, context) throws(QueryError) -> Column in
          var best = columns[0]
          for next in columns.dropFirst() { best = pick(best, next, n, sign, &context) }
          return best
        }
      ])
  }

  /// Per row the greater (sign 1) or lesser (sign −1) of two columns; NaN and elements that are NULL lose.
  private static func pick(_ a: Column, _ b: Column, _ n: Int, _ sign: Int, _ context: inout KernelContext) -> Column {
    switch a.type.physicalType {
    case .int32 where a.type != .color: return picked(a, b, n, sign, Int32.self)
    case .int64: return picked(a, b, n, sign, Int64.self)
    case .double: return pickedFloating(a, b, n, sign, Double.self)
    case .float: return pickedFloating(a, b, n, sign, Float.self)
    default: break
    }
    let comparator = RowComparator(b, a, unorderedFirst: sign > 0)
    let builder = ColumnBuilder(a.type, capacity: n)
    for row in 0..<n {
      if a.isNull(row) || b.isNull(row) {
        builder.appendNull()
        continue
      }
      builder.append(comparator.order(row, row) * sign > 0 ? b : a, row: row)
    }
    return builder.finish()
  }

  @inline(__always)
  private static func picked<T: FixedWidthInteger & BitwiseCopyable>(
    _ a: Column, _ b: Column, _ n: Int, _ sign: Int, _: T.Type
  ) -> Column {
    sign > 0
      ? binaryColumn([a, b], n, a.type, T.self, T.self, T.self) { $0 > $1 ? $0 : $1 }
      : binaryColumn([a, b], n, a.type, T.self, T.self, T.self) { $0 < $1 ? $0 : $1 }
  }

  @inline(__always)
  private static func pickedFloating<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ a: Column, _ b: Column, _ n: Int, _ sign: Int, _: T.Type
  ) -> Column {
    sign > 0
      ? binaryColumn([a, b], n, a.type, T.self, T.self, T.self) { $0 >= $1 || $1 != $1 ? $0 : $1 }
      : binaryColumn([a, b], n, a.type, T.self, T.self, T.self) { $0 <= $1 || $1 != $1 ? $0 : $1 }
  }
}
