/// The set of values of one column that could satisfy a filter.
///
/// - Nulls: `allowsNull` says whether NULL can satisfy it.
package struct Domain: Sendable {
  /// One range of values; a nil bound is open-ended.
  package struct Range: Sendable {
    package var low: Scalar?
    package var lowInclusive: Bool
    package var high: Scalar?
    package var highInclusive: Bool

    package init(low: Scalar?, lowInclusive: Bool = true, high: Scalar?, highInclusive: Bool = true) {
      self.low = low
      self.lowInclusive = lowInclusive
      self.high = high
      self.highInclusive = highInclusive
    }

    package static func equal(_ value: Scalar) -> Range { Range(low: value, high: value) }
  }

  /// The type the bounds are written in.
  package var type: DataType
  /// Disjoint and ascending; empty: only NULL, or nothing, can satisfy it.
  package var ranges: [Range]
  package var allowsNull: Bool

  package init(type: DataType, ranges: [Range], allowsNull: Bool) {
    self.type = type
    self.ranges = ranges
    self.allowsNull = allowsNull
  }

  package static func all(_ type: DataType) -> Domain {
    Domain(type: type, ranges: [Range(low: nil, high: nil)], allowsNull: true)
  }
  package static func none(_ type: DataType) -> Domain { Domain(type: type, ranges: [], allowsNull: false) }

  package var isNone: Bool { ranges.isEmpty && !allowsNull }
  package var isAll: Bool { allowsNull && ranges.contains { $0.low == nil && $0.high == nil } }
  /// The values, when the domain is a finite list of single values.
  package var singleValues: [Scalar]? {
    var values: [Scalar] = []
    for range in ranges {
      guard let low = range.low, low == range.high, range.lowInclusive, range.highInclusive else { return nil }
      values.append(low)
    }
    return values
  }
}

extension Scalar {
  /// Order of two non-null orderable scalars of one type; nil when they cannot be ordered (NaN, nested, other cases).
  package static func order(_ a: Scalar, _ b: Scalar) -> Int? {
    func sign<T: Comparable>(_ x: T, _ y: T) -> Int { x < y ? -1 : (x == y ? 0 : 1) }
    switch (a, b) {
    case (.boolean(let x), .boolean(let y)): return sign(x ? 1 : 0, y ? 1 : 0)
    case (.integer(let x), .integer(let y)): return sign(x, y)
    case (.int128(let x), .int128(let y)): return sign(x, y)
    case (.integer(let x), .int128(let y)): return sign(Int128(x), y)
    case (.int128(let x), .integer(let y)): return sign(x, Int128(y))
    case (.real(let x), .real(let y)): return x.isNaN || y.isNaN ? nil : sign(x, y)
    case (.double(let x), .double(let y)): return x.isNaN || y.isNaN ? nil : sign(x, y)
    case (.bytes(let x), .bytes(let y)):
      return x == y ? 0 : (x.lexicographicallyPrecedes(y) ? -1 : 1)
    default: return nil
    }
  }
}

extension Domain {
  /// Whether some value in `[min, max]`, or a NULL if `mayHaveNulls`, satisfies the domain; true when unsure.
  package func overlaps(min: Scalar?, max: Scalar?, mayHaveNulls: Bool, mayHaveValues: Bool = true) -> Bool {
    if mayHaveNulls, allowsNull { return true }
    guard mayHaveValues else { return false }
    guard let min, let max else { return !ranges.isEmpty }
    for range in ranges {
      if let high = range.high {
        guard let order = Scalar.order(min, high) else { return true }
        if order > 0 || (order == 0 && !range.highInclusive) { continue }
      }
      if let low = range.low {
        guard let order = Scalar.order(max, low) else { return true }
        if order < 0 || (order == 0 && !range.lowInclusive) { continue }
      }
      return true
    }
    return false
  }

  /// Whether every value in `[min, max]`, and NULL if there are some, satisfies the domain; false when unsure.
  package func contains(min: Scalar, max: Scalar, mayHaveNulls: Bool) -> Bool {
    if mayHaveNulls, !allowsNull { return false }
    for range in ranges {
      if let low = range.low {
        guard let order = Scalar.order(min, low), order > 0 || (order == 0 && range.lowInclusive) else { continue }
      }
      if let high = range.high {
        guard let order = Scalar.order(max, high), order < 0 || (order == 0 && range.highInclusive) else { continue }
      }
      return true
    }
    return false
  }

  /// Values that satisfy both.
  package func intersection(_ other: Domain) -> Domain {
    var result: [Range] = []
    for a in ranges {
      for b in other.ranges {
        var range = a
        if let low = b.low {
          if let own = a.low {
            let order = Scalar.order(own, low) ?? 0
            if order < 0 { (range.low, range.lowInclusive) = (low, b.lowInclusive) }
            if order == 0 { range.lowInclusive = a.lowInclusive && b.lowInclusive }
          } else {
            (range.low, range.lowInclusive) = (low, b.lowInclusive)
          }
        }
        if let high = b.high {
          if let own = a.high {
            let order = Scalar.order(own, high) ?? 0
            if order > 0 { (range.high, range.highInclusive) = (high, b.highInclusive) }
            if order == 0 { range.highInclusive = a.highInclusive && b.highInclusive }
          } else {
            (range.high, range.highInclusive) = (high, b.highInclusive)
          }
        }
        if let low = range.low, let high = range.high, let order = Scalar.order(low, high) {
          if order > 0 || (order == 0 && !(range.lowInclusive && range.highInclusive)) { continue }
        }
        result.append(range)
      }
    }
    return Domain(type: type, ranges: result, allowsNull: allowsNull && other.allowsNull)
  }
}

/// What each column must hold for a row to count: column index → domain; all must hold.
package struct RowDomain: Sendable {
  package var domains: [Int: Domain]
  package init(_ domains: [Int: Domain] = [:]) { self.domains = domains }
}

/// What is known of a column's values in some stretch of rows, from metadata.
package struct ColumnStatistics: Sendable {
  package var min: Scalar?
  package var max: Scalar?
  /// Whether `min` and `max` are values that occur, not mere bounds.
  package var isExact: Bool
  package var nullCount: Int?
  /// An estimate.
  package var distinctCount: Int?
  package init(min: Scalar? = nil, max: Scalar? = nil, isExact: Bool = false, nullCount: Int? = nil, distinctCount: Int? = nil) {
    self.min = min
    self.max = max
    self.isExact = isExact
    self.nullCount = nullCount
    self.distinctCount = distinctCount
  }
}
