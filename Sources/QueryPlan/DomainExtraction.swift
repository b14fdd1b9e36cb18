package import Columnar
package import SQLExpressions
import SQLFunctions

/// Reads from a predicate what it demands of single columns, for pruning.
///
///     x >= 3 AND y IN (1, 2)   →   x: [3, ∞)   y: {1, 2}
///
/// The domains are necessary conditions: rows outside fail the predicate, rows inside may fail it too.
package enum DomainExtraction {
  /// More ranges than this in one domain are not kept apart.
  private static let maxRangeCount = 1000

  /// What each column must hold for `predicate` to be true.
  package static func domains(of predicate: Expression) -> [ColumnReference: Domain] {
    switch predicate {
    case .and(let operands):
      var result: [ColumnReference: Domain] = [:]
      for operand in operands { merge(domains(of: operand), into: &result) }
      return result
    case .or(let operands):
      // Only columns that every operand speaks of are bound.
      guard let first = operands.first else { return [:] }
      var result = domains(of: first)
      for operand in operands.dropFirst() {
        let next = domains(of: operand)
        for (column, domain) in result {
          guard let other = next[column], let union = union(domain, other) else {
            result[column] = nil
            continue
          }
          result[column] = union
        }
        if result.isEmpty { return [:] }
      }
      return result
    case .column(let column) where column.type == .boolean:
      return [column: Domain(type: .boolean, ranges: [.equal(.boolean(true))], allowsNull: false)]
    case .inList(let list):
      guard let column = list.value.columnReference, isUsable(column.type) else { return [:] }
      var values: [Scalar] = []
      for item in list.items {
        guard let value = item.constantValue else { return [:] }
        if !value.isNull {
          guard isComparable(value) else { return [:] }
          values.append(value)
        }
      }
      return [column: points(values, column.type)]
    case .call(let call): return domains(ofCall: call)
    case .constant(let value, _):
      _ = value
      return [:]
    default: return [:]
    }
  }

  /// The domains of a conjunction, as columns' indices by `index`.
  package static func rowDomain(
    of predicates: [Expression], index: (ColumnReference) -> Int?
  ) -> RowDomain {
    var merged: [ColumnReference: Domain] = [:]
    for predicate in predicates { merge(domains(of: predicate), into: &merged) }
    var result = RowDomain()
    for (column, domain) in merged {
      if let at = index(column) { result.domains[at] = domain }
    }
    return result
  }

  private static func merge(_ new: [ColumnReference: Domain], into result: inout [ColumnReference: Domain]) {
    for (column, domain) in new { result[column] = result[column].map { $0.intersection(domain) } ?? domain }
  }

  // MARK: Calls

  private static func domains(ofCall call: ScalarCall) -> [ColumnReference: Domain] {
    let arguments = call.arguments
    switch call.function.name {
    case "=", "<", "<=", ">", ">=", "<>":
      guard arguments.count == 2 else { return [:] }
      if let value = arguments[1].constantValue, let found = operand(arguments[0], value, call.function.name) {
        return comparison(found.column, found.op, found.value)
      }
      if let value = arguments[0].constantValue,
        let found = operand(arguments[1], value, flipped(call.function.name))
      {
        return comparison(found.column, found.op, found.value)
      }
      return [:]
    case "between":
      guard arguments.count == 3, let low = arguments[1].constantValue, let high = arguments[2].constantValue,
        let from = operand(arguments[0], low, ">="), let to = operand(arguments[0], high, "<=")
      else { return [:] }
      var result = comparison(from.column, from.op, from.value)
      merge(comparison(to.column, to.op, to.value), into: &result)
      return result
    case "is_null":
      guard arguments.count == 1, let column = arguments[0].columnReference else { return [:] }
      return [column: Domain(type: column.type, ranges: [], allowsNull: true)]
    case "not":
      guard arguments.count == 1 else { return [:] }
      return domains(ofNegated: arguments[0])
    case "like", "$like":
      guard arguments.count == 2, let column = arguments[0].columnReference, column.type.isVarchar,
        case .bytes(let pattern)? = arguments[1].constantValue
      else { return [:] }
      let start = Array(pattern.prefix { (byte: UInt8) -> Bool in byte != 0x25 && byte != 0x5f })
      return prefix(column, start, pattern)
    case "starts_with":
      guard arguments.count == 2, let column = arguments[0].columnReference, column.type.isVarchar,
        case .bytes(let start)? = arguments[1].constantValue, !start.isEmpty
      else { return [:] }
      return [column: prefixDomain(column.type, start)]
    default: return [:]
    }
  }

  private static func domains(ofNegated negated: Expression) -> [ColumnReference: Domain] {
    switch negated {
    case .column(let column) where column.type == .boolean:
      return [column: Domain(type: .boolean, ranges: [.equal(.boolean(false))], allowsNull: false)]
    case .call(let call):
      if call.function.name == "is_null", call.arguments.count == 1, let column = call.arguments[0].columnReference {
        return [column: Domain(type: column.type, ranges: [.init(low: nil, high: nil)], allowsNull: false)]
      }
      let opposites = ["=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"]
      // NaN makes a comparison and its opposite both false or both true: floats stay out.
      guard let opposite = opposites[call.function.name], call.arguments.count == 2,
        !call.arguments[0].type.isFloating
      else { return [:] }
      if let value = call.arguments[1].constantValue, let found = operand(call.arguments[0], value, opposite) {
        return comparison(found.column, found.op, found.value)
      }
      return [:]
    default: return [:]
    }
  }

  /// `column <op> value`.
  private struct Comparison {
    var column: ColumnReference
    var op: String
    var value: Scalar
    init(_ column: ColumnReference, _ op: String, _ value: Scalar) {
      self.column = column
      self.op = op
      self.value = value
    }
  }

  private static func flipped(_ op: String) -> String {
    ["<": ">", "<=": ">=", ">": "<", ">=": "<="][op] ?? op
  }

  /// The column behind an operand of a comparison, and the comparison in the column's own type.
  ///
  /// Casts that keep order are looked through: `CAST(i AS bigint) > 7` is `i > 7` for an integer column.
  private static func operand(
    _ expression: Expression, _ value: Scalar, _ op: String
  ) -> Comparison? {
    if value.isNull || !isComparable(value) { return nil }
    switch expression {
    case .column(let column): return isUsable(column.type) ? Comparison(column, op, value) : nil
    case .cast(let cast):
      guard let column = cast.operand.columnReference, isUsable(column.type) else { return nil }
      if TypeCoercion.isTypeOnly(column.type, to: cast.type) { return Comparison(column, op, value) }
      switch (column.type, cast.type) {
      case (.tinyint, .smallint), (.tinyint, .integer), (.tinyint, .bigint), (.smallint, .integer),
        (.smallint, .bigint), (.integer, .bigint):
        return Comparison(column, op, value)
      case (.date, .timestamp(let precision)) where precision <= DataType.maxShortTimestampPrecision:
        guard case .integer(let micros) = value else { return nil }
        return scaled(column, op, Int128(micros), unit: 86_400_000_000)
      case (.tinyint, .decimal(_, let scale)), (.smallint, .decimal(_, let scale)), (.integer, .decimal(_, let scale)),
        (.bigint, .decimal(_, let scale)):
        guard let unscaled = wide(value), scale <= 30 else { return nil }
        return scaled(column, op, unscaled, unit: power(scale))
      case (.decimal(_, let s), .decimal(_, let t)) where t >= s && t - s <= 30:
        guard let unscaled = wide(value) else { return nil }
        return scaled(column, op, unscaled, unit: power(t - s))
      default: return nil
      }
    default: return nil
    }
  }

  private static func wide(_ value: Scalar) -> Int128? {
    switch value {
    case .integer(let number): Int128(number)
    case .int128(let number): number
    default: nil
    }
  }

  private static func power(_ exponent: Int) -> Int128 {
    var result: Int128 = 1
    for _ in 0..<exponent { result *= 10 }
    return result
  }

  /// `column * unit <op> value` as a comparison of the column: bounds are rounded to whole units.
  private static func scaled(
    _ column: ColumnReference, _ op: String, _ value: Int128, unit: Int128
  ) -> Comparison? {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: unit)
    let floor = remainder < 0 ? quotient - 1 : quotient
    let isWhole = remainder == 0
    func scalar(_ number: Int128) -> Scalar? {
      if column.type.physicalType == .int128 { return .int128(number) }
      return Int64(exactly: number).map { .integer($0) }
    }
    guard let bound = scalar(floor) else { return nil }
    if isWhole { return Comparison(column, op, bound) }
    switch op {
    case "<", "<=": return Comparison(column, "<=", bound)
    case ">", ">=": return Comparison(column, ">", bound)
    default: return nil
    }
  }

  private static func comparison(_ column: ColumnReference, _ op: String, _ value: Scalar) -> [ColumnReference: Domain] {
    let ranges: [Domain.Range]
    switch op {
    case "=": ranges = [.equal(value)]
    case "<": ranges = [.init(low: nil, high: value, highInclusive: false)]
    case "<=": ranges = [.init(low: nil, high: value)]
    case ">": ranges = [.init(low: value, lowInclusive: false, high: nil)]
    case ">=": ranges = [.init(low: value, high: nil)]
    case "<>":
      if column.type.isFloating { return [:] }
      ranges = [
        .init(low: nil, high: value, highInclusive: false), .init(low: value, lowInclusive: false, high: nil),
      ]
    default: return [:]
    }
    return [column: Domain(type: column.type, ranges: ranges, allowsNull: false)]
  }

  /// The domain of LIKE with a pattern that starts with plain bytes.
  private static func prefix(_ column: ColumnReference, _ start: [UInt8], _ pattern: [UInt8]) -> [ColumnReference: Domain] {
    if start.isEmpty { return [:] }
    if start.count == pattern.count {
      return [column: Domain(type: column.type, ranges: [.equal(.bytes(start))], allowsNull: false)]
    }
    return [column: prefixDomain(column.type, start)]
  }

  /// Strings from `start` up to, not including, the first that no longer starts with it.
  private static func prefixDomain(_ type: DataType, _ start: [UInt8]) -> Domain {
    var end = start
    while let last = end.last, last == 0xff { end.removeLast() }
    if !end.isEmpty { end[end.count - 1] += 1 }
    let high: Scalar? = end.isEmpty ? nil : .bytes(end)
    return Domain(
      type: type, ranges: [.init(low: .bytes(start), high: high, highInclusive: false)], allowsNull: false)
  }

  // MARK: Sets of values

  /// Types whose scalars `Scalar.order` puts in SQL's order.
  private static func isUsable(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar, .varbinary, .date, .time,
      .timestamp, .intervalYearToMonth, .intervalDayToSecond, .uuid, .ipaddress:
      true
    default: false
    }
  }

  private static func isComparable(_ value: Scalar) -> Bool { Scalar.order(value, value) == 0 }

  /// The domain of a list of values; of many, only the range they span.
  private static func points(_ values: [Scalar], _ type: DataType) -> Domain {
    var sorted = values.sorted { (Scalar.order($0, $1) ?? 0) < 0 }
    if sorted.count > maxRangeCount {
      return Domain(type: type, ranges: [.init(low: sorted.first, high: sorted.last)], allowsNull: false)
    }
    var distinct: [Scalar] = []
    for value in sorted where distinct.isEmpty || Scalar.order(distinct[distinct.count - 1], value) != 0 {
      distinct.append(value)
    }
    sorted = distinct
    return Domain(type: type, ranges: sorted.map { .equal($0) }, allowsNull: false)
  }

  /// Values that satisfy either; nil when they cannot be ordered.
  private static func union(_ a: Domain, _ b: Domain) -> Domain? {
    /// Order of lower bounds: open-ended first, inclusive before exclusive.
    func lowOrder(_ x: Domain.Range, _ y: Domain.Range) -> Int? {
      switch (x.low, y.low) {
      case (nil, nil): return 0
      case (nil, _): return -1
      case (_, nil): return 1
      case (let p?, let q?):
        guard let order = Scalar.order(p, q) else { return nil }
        return order != 0 ? order : (x.lowInclusive ? 0 : 1) - (y.lowInclusive ? 0 : 1)
      }
    }
    var isOrdered = true
    let sorted = (a.ranges + b.ranges).sorted { x, y in
      guard let order = lowOrder(x, y) else {
        isOrdered = false
        return false
      }
      return order < 0
    }
    if !isOrdered { return nil }
    var result: [Domain.Range] = []
    for range in sorted {
      guard var last = result.last else {
        result.append(range)
        continue
      }
      guard let end = last.high else { break }
      guard let start = range.low else {
        // Sorted after the last one, so that one starts open-ended too.
        last.high = higher(last, range)?.high
        last.highInclusive = higher(last, range)?.highInclusive ?? true
        result[result.count - 1] = last
        continue
      }
      guard let gap = Scalar.order(start, end) else { return nil }
      if gap > 0 || (gap == 0 && !range.lowInclusive && !last.highInclusive) {
        result.append(range)
        continue
      }
      if let top = higher(last, range) {
        (last.high, last.highInclusive) = (top.high, top.highInclusive)
      }
      result[result.count - 1] = last
    }
    if result.count > maxRangeCount, let first = result.first, let last = result.last {
      result = [
        Domain.Range(
          low: first.low, lowInclusive: first.lowInclusive, high: last.high, highInclusive: last.highInclusive)
      ]
    }
    return Domain(type: a.type, ranges: result, allowsNull: a.allowsNull || b.allowsNull)
  }

  /// The range that reaches further up.
  private static func higher(_ x: Domain.Range, _ y: Domain.Range) -> Domain.Range? {
    guard let p = x.high else { return x }
    guard let q = y.high else { return y }
    let order = Scalar.order(p, q) ?? 0
    if order != 0 { return order > 0 ? x : y }
    return x.highInclusive ? x : y
  }
}
