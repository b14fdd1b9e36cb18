import Columnar

/// Tells from bounds and null counts whether rows may satisfy domains.
enum BlockPruning {
  /// The domains whose bounds can be compared with values of the columns' types.
  static func usable(_ domains: [Int: Domain], _ columns: [ScanColumn]) -> [Int: Domain] {
    if domains.isEmpty { return domains }
    return domains.filter { column, domain in
      guard columns.indices.contains(column) else { return false }
      let (a, b) = (domain.type, columns[column].type)
      if a == b || domain.isNone || (a.isInteger && b.isInteger) || (a.isVarchar && b.isVarchar) { return true }
      if case .timestamp = a, case .timestamp = b { return a.physicalType == b.physicalType }
      return false
    }
  }

  /// The request's domains with those that have become known while the query runs; the others go to `unknown`.
  static func known(_ request: ScanRequest, unknown: inout [DynamicDomain]) -> [Int: Domain] {
    var domains = request.domain.domains
    for dynamic in request.dynamicDomains {
      if let domain = dynamic.domain {
        domains[dynamic.column] = domains[dynamic.column]?.intersection(domain) ?? domain
      } else {
        unknown.append(dynamic)
      }
    }
    return domains
  }

  /// Whether rows with these bounds and NULLs may satisfy a domain.
  static func mayHold(_ domain: Domain, _ bounds: ValueBounds, nullCount: Int?, rowCount: Int, type: DataType) -> Bool {
    let mayHaveNulls = nullCount != 0
    let mayHaveValues = nullCount.map { $0 < rowCount } ?? true
    if mayHaveValues, type.isFloating, let first = domain.ranges.first, let last = domain.ranges.last, first.low == nil,
      last.high == nil
    {
      // "Not equal" holds for NaN, which bounds leave out.
      return true
    }
    return domain.overlaps(
      min: bounds.min, max: bounds.max, mayHaveNulls: mayHaveNulls, mayHaveValues: mayHaveValues)
  }

  /// Whether all rows with these bounds and NULLs satisfy a domain; false when unsure.
  static func holds(_ domain: Domain, _ bounds: ValueBounds, nullCount: Int?, type: DataType) -> Bool {
    guard let low = bounds.min, let high = bounds.max, !type.isFloating else { return false }
    return domain.contains(min: low, max: high, mayHaveNulls: nullCount != 0)
  }
}

/// Ascending ranges of rows.
enum RowRanges {
  /// Rows in both lists.
  static func intersection(_ a: [Range<Int>], _ b: [Range<Int>]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      let low = max(a[i].lowerBound, b[j].lowerBound)
      let high = min(a[i].upperBound, b[j].upperBound)
      if low < high { result.append(low..<high) }
      if a[i].upperBound < b[j].upperBound { i += 1 } else { j += 1 }
    }
    return result
  }

  /// Adds a range that lies at or after the last one's end.
  static func append(_ rows: Range<Int>, to ranges: inout [Range<Int>]) {
    if let last = ranges.last, last.upperBound == rows.lowerBound {
      ranges[ranges.count - 1] = last.lowerBound..<rows.upperBound
    } else {
      ranges.append(rows)
    }
  }
}
