public import Columnar

/// How requests are worded for one table of a source that speaks SQL.
public protocol SQLDialect: Sendable {
  /// The table as it stands in FROM.
  var table: String { get }
  /// A value of a column's type; nil when the source has no exact word for it.
  func literal(_ value: Scalar, column: Int) -> String?
  /// The column, as an operand for that purpose; nil when the source's rules differ from ours.
  func operand(_ column: Int, _ purpose: SQLPurpose) -> String?
  /// The aggregate; nil when the source's rules differ from ours.
  func aggregate(_ aggregate: ForeignAggregate) -> String?
}

/// What a column is used for in a statement.
public enum SQLPurpose: Sendable {
  /// As a value to be yielded.
  case output
  /// Compared with `=`.
  case equality
  /// Compared by order.
  case order
  /// Grouped by.
  case key
}

extension SQLDialect {
  /// What of an offer can be said exactly, or so that no row is lost.
  public func acceptable(_ offer: ForeignRequest) -> ForeignRequest {
    var request = offer
    request.filters = offer.filters.filter { condition($0) != nil }
    if let aggregates = offer.aggregates {
      let isExact =
        offer.columns.allSatisfy { operand($0, .key) != nil } && aggregates.allSatisfy { aggregate($0) != nil }
      if !isExact { request.aggregates = nil }
    }
    return request
  }

  /// `SELECT … FROM … WHERE … GROUP BY … LIMIT …`.
  ///
  /// - Parameter conditions: further ones, as a split's range of rows.
  public func select(_ request: ForeignRequest, and conditions: [String] = []) -> String {
    var items: [String] = []
    var keys: [String] = []
    for column in request.columns {
      // A key is yielded as it is grouped by: SQL allows no other expression of it.
      items.append(operand(column, request.aggregates == nil ? .output : .key) ?? "NULL")
      if request.aggregates != nil { keys.append(items[items.count - 1]) }
    }
    for item in request.aggregates ?? [] { items.append(aggregate(item) ?? "NULL") }
    // A row of no columns still is one.
    if items.isEmpty { items = ["1"] }
    var text = "SELECT \(items.joined(separator: ", ")) FROM \(table)"
    let all = request.filters.compactMap(condition) + conditions
    if !all.isEmpty { text += " WHERE " + all.joined(separator: " AND ") }
    if !keys.isEmpty { text += " GROUP BY " + keys.joined(separator: ", ") }
    if let limit = request.limit { text += " LIMIT \(limit)" }
    return text
  }

  /// A filter as a condition; nil when it cannot be said.
  public func condition(_ filter: ForeignFilter) -> String? {
    guard let plain = operand(filter.column, .output) else { return nil }
    var parts: [String] = []
    if filter.ranges.contains(where: { $0.low == nil && $0.high == nil }) {
      parts.append("\(plain) IS NOT NULL")
    } else {
      let values = filter.ranges.compactMap(\.value)
      if !values.isEmpty {
        guard let left = operand(filter.column, .equality) else { return nil }
        var literals: [String] = []
        for value in values {
          guard let literal = literal(value, column: filter.column) else { return nil }
          literals.append(literal)
        }
        parts.append(literals.count == 1 ? "\(left) = \(literals[0])" : "\(left) IN (\(literals.joined(separator: ", ")))")
      }
      for range in filter.ranges where range.value == nil {
        guard let left = operand(filter.column, .order) else { return nil }
        var bounds: [String] = []
        if let low = range.low {
          guard let literal = literal(low, column: filter.column) else { return nil }
          bounds.append("\(left) \(range.includesLow ? ">=" : ">") \(literal)")
        }
        if let high = range.high {
          guard let literal = literal(high, column: filter.column) else { return nil }
          bounds.append("\(left) \(range.includesHigh ? "<=" : "<") \(literal)")
        }
        parts.append(bounds.count == 1 ? bounds[0] : "(\(bounds.joined(separator: " AND ")))")
      }
    }
    if filter.allowsNull { parts.append("\(plain) IS NULL") }
    if parts.isEmpty { return "1 = 0" }
    return parts.count == 1 ? parts[0] : "(\(parts.joined(separator: " OR ")))"
  }
}

/// Words of standard SQL.
public enum SQLWords {
  /// `"name"`.
  public static func quoted(_ identifier: String) -> String {
    "\"" + identifier.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }

  /// `'text'`; nil for bytes that are no text of a source: invalid UTF-8, NUL.
  public static func text(_ bytes: [UInt8]) -> String? {
    guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else { return nil }
    return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  /// Two hexadecimal digits a byte.
  public static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// An unscaled number as a decimal: `-12.50`.
  public static func decimal(_ unscaled: Int128, scale: Int) -> String {
    if scale == 0 { return String(unscaled) }
    var digits = String(unscaled.magnitude)
    if digits.utf8.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits }
    let point = digits.index(digits.endIndex, offsetBy: -scale)
    return (unscaled < 0 ? "-" : "") + digits[..<point] + "." + digits[point...]
  }
}
