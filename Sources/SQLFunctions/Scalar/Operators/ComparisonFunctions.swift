package import Columnar
import QueryErrors

/// `= <> < <= > >=`, IS DISTINCT FROM, NOT and IS NULL.
package enum ComparisonFunctions: FunctionFamily {
  package static let title = "Comparison operators"

  package static let functions: [ScalarFunction] = [
    comparison("=", "Whether two values are equal.", .equal, [Example("1 = 1", "true")]),
    comparison("<>", "Whether two values differ.", .notEqual, [Example("1 <> 1", "false")]),
    comparison("<", "Whether the first value is less.", .less, [Example("1 < 2", "true")]),
    comparison("<=", "Whether the first value is less or equal.", .lessOrEqual, [Example("2 <= 1", "false")]),
    comparison(">", "Whether the first value is greater.", .greater, [Example("1 > 2", "false")]),
    comparison(">=", "Whether the first value is greater or equal.", .greaterOrEqual, [Example("2 >= 2", "true")]),
    ScalarFunction(
      "is_distinct_from", summary: "Whether two values differ, NULL being a value like any other.", isHidden: true,
      overloads: [
        .columns([.comparable("T"), .comparable("T")], returns: .boolean, propagatesNulls: false) {
          (columns, n, context) throws(QueryError) -> Column in
          let matches = Buffer(byteCount: n)
          let p = matches.typed(UInt8.self)
          var row = 0
          while row < n {
            p[row] = 1
            row &+= 1
          }
          CompareKernel.keepNotDistinct(columns[0], nil, columns[1], nil, count: n, matches: p)
          row = 0
          while row < n {
            p[row] ^= 1
            row &+= 1
          }
          return Column(flat: .boolean, count: n, values: matches, validity: nil)
        }
      ]),
    ScalarFunction(
      "not", summary: "The other truth value.", isHidden: true,
      overloads: [
        .columns([.boolean], returns: .boolean) { (columns, n, context) throws(QueryError) -> Column in
          let values = Buffer(byteCount: n)
          fillUnary(columns[0], n, values.typed(UInt8.self)) { (a: UInt8) -> UInt8 in a ^ 1 }
          return Column(flat: .boolean, count: n, values: values, validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "is_null", summary: "Whether the value is NULL.", isHidden: true,
      overloads: [
        .columns([.t], returns: .boolean, propagatesNulls: false) { (columns, n, context) throws(QueryError) -> Column in
          nullMask(columns[0], n)
        }
      ]),
  ]

  private static func comparison(
    _ name: String, _ summary: String, _ operation: Comparison, _ examples: [Example]
  ) -> ScalarFunction {
    let pattern = operation.needsOrder ? TypePattern.orderable("T") : .comparable("T")
    return ScalarFunction(
      name, summary: summary, examples: examples, isHidden: true,
      overloads: [
        .columns([pattern, pattern], returns: .boolean) { (columns, n, context) throws(QueryError) -> Column in
          compare(columns[0], columns[1], operation, rowCount: n)
        }
      ])
  }

  private static func nullMask(_ column: Column, _ n: Int) -> Column {
    guard let validity = column.validity else {
      return n == 0 ? .empty(.boolean) : .constant(.boolean(false), .boolean, count: n)
    }
    let values = Buffer(byteCount: n)
    let (p, words) = (values.typed(UInt8.self), validity.words)
    var row = 0
    while row < n {
      p[row] = UInt8(truncatingIfNeeded: ~(words[row >> 6] &>> UInt64(row & 63)) & 1)
      row &+= 1
    }
    return Column(flat: .boolean, count: n, values: values, validity: nil)
  }

  // MARK: The comparisons

  /// One of the six comparison operators.
  package enum Comparison: Sendable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    var needsOrder: Bool { self != .equal && self != .notEqual }
  }

  /// A boolean column of `a <operation> b`, NULL where either is or where nested NULLs leave it open.
  ///
  /// - Shape: columns of `rowCount` rows of one type, any encoding.
  package static func compare(
    _ a: Column, _ b: Column, _ operation: Comparison, rowCount n: Int
  ) -> Column {
    if operation == .greater { return compare(b, a, .less, rowCount: n) }
    if operation == .greaterOrEqual { return compare(b, a, .lessOrEqual, rowCount: n) }
    switch (a.type, a.type.physicalType) {
    case (.timestampWithTimeZone, _):
      return primitive(a, b, n, operation, Int128.self, Int128.self) { $0 &>> 16 }
    case (.timeWithTimeZone, _):
      return primitive(a, b, n, operation, Int128.self, Int64.self) { ZonedTime.utcPicos($0) }
    case (.char, _) where operation.needsOrder: return general(a, b, n, operation)
    case (_, .bool): return primitive(a, b, n, operation, UInt8.self, UInt8.self) { $0 }
    case (_, .int8): return primitive(a, b, n, operation, Int8.self, Int8.self) { $0 }
    case (_, .int16): return primitive(a, b, n, operation, Int16.self, Int16.self) { $0 }
    case (_, .int32): return primitive(a, b, n, operation, Int32.self, Int32.self) { $0 }
    case (_, .int64): return primitive(a, b, n, operation, Int64.self, Int64.self) { $0 }
    case (_, .int128): return primitive(a, b, n, operation, Int128.self, Int128.self) { $0 }
    case (_, .float): return primitive(a, b, n, operation, Float.self, Float.self) { $0 }
    case (_, .double): return primitive(a, b, n, operation, Double.self, Double.self) { $0 }
    case (_, .string): return strings(a, b, n, operation)
    case (_, .null): return .nulls(.boolean, count: n)
    case (_, .array), (_, .map), (_, .row): return general(a, b, n, operation)
    }
  }

  @inline(__always)
  private static func primitive<T: BitwiseCopyable, K: Comparable>(
    _ a: Column, _ b: Column, _ n: Int, _ operation: Comparison, _: T.Type, _: K.Type, _ key: (T) -> K
  ) -> Column {
    switch operation {
    case .equal:
      return binaryColumn([a, b], n, .boolean, T.self, T.self, UInt8.self) { byte(key($0) == key($1)) }
    case .notEqual:
      return binaryColumn([a, b], n, .boolean, T.self, T.self, UInt8.self) { byte(key($0) != key($1)) }
    case .less: return binaryColumn([a, b], n, .boolean, T.self, T.self, UInt8.self) { byte(key($0) < key($1)) }
    default: return binaryColumn([a, b], n, .boolean, T.self, T.self, UInt8.self) { byte(key($0) <= key($1)) }
    }
  }

  private static func strings(_ a: Column, _ b: Column, _ n: Int, _ operation: Comparison) -> Column {
    switch operation {
    case .equal, .notEqual:
      let invert: UInt8 = operation == .notEqual ? 1 : 0
      // Against a short constant both words decide.
      for (constant, other) in [(b, a), (a, b)] where constant.encoding == .constant && constant.validity == nil {
        let wanted = constant.view.value(0, as: StringView.self)
        if !wanted.isInline { continue }
        let (low, high) = (wanted.low, wanted.high)
        let values = Buffer(byteCount: n)
        fillUnary(other, n, values.typed(UInt8.self)) { (x: StringView) -> UInt8 in
          byte(((x.low ^ low) | (x.high ^ high)) == 0) ^ invert
        }
        return Column(flat: .boolean, count: n, values: values, validity: other.validity)
      }
      // Views of null rows may point nowhere: the loop must not follow them.
      return guarded(a, b, n) { byte($0 == $1) ^ invert }
    case .less: return guarded(a, b, n) { byte(StringView.compare($0, $1) < 0) }
    default: return guarded(a, b, n) { byte(StringView.compare($0, $1) <= 0) }
    }
  }

  @inline(__always)
  private static func guarded(_ a: Column, _ b: Column, _ n: Int, _ body: (StringView, StringView) -> UInt8) -> Column {
    guard let validity = commonValidity([a, b]) else {
      return binaryColumn([a, b], n, .boolean, StringView.self, StringView.self, UInt8.self, body)
    }
    let values = Buffer(byteCount: n)
    let p = values.typed(UInt8.self)
    let (x, y) = (a.view, b.view)
    var row = 0
    while row < n {
      p[row] = validity[row] ? body(x.value(row, as: StringView.self), y.value(row, as: StringView.self)) : 0
      row &+= 1
    }
    return Column(flat: .boolean, count: n, values: values, validity: validity)
  }

  /// Nested values and the order of padded chars, row by row.
  private static func general(
    _ a: Column, _ b: Column, _ n: Int, _ operation: Comparison
  ) -> Column {
    let comparator = RowComparator(a, b)
    let validity = commonValidity([a, b])
    let values = Buffer.zeroed(byteCount: n)
    let p = values.typed(UInt8.self)
    let valid = Bitmap(count: n, filled: true)
    var hasNulls = false
    for row in 0..<n {
      guard validity.map({ $0[row] }) ?? true else {
        valid.clear(row)
        hasNulls = true
        continue
      }
      if operation.needsOrder {
        if a.type.isNested, comparator.meetsNull(row, row) {
          valid.clear(row)
          hasNulls = true
        } else {
          let order = comparator.order(row, row)
          p[row] = byte(operation == .less ? order < 0 : order <= 0)
        }
      } else if let isEqual = comparator.equal(row, row) {
        p[row] = byte(isEqual == (operation == .equal))
      } else {
        valid.clear(row)
        hasNulls = true
      }
    }
    return Column(flat: .boolean, count: n, values: values, validity: hasNulls ? valid : nil)
  }
}
