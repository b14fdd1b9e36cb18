import Columnar
import ConnectorSDK
import HTTPClient
import QueryErrors

/// A parameter by which a service selects rows: `created_at>=since` sends `since=…` for the least value wanted of created_at.
struct HTTPFilterRule: Hashable, Sendable {
  enum Comparison: String, Sendable {
    case equal = "="
    case atLeast = ">="
    case atMost = "<="
    case more = ">"
    case less = "<"
  }

  /// Lower case.
  var column: String
  var comparison: Comparison
  var parameter: String

  static func list(_ text: String, _ bad: (String, String) -> QueryError) throws(QueryError) -> [HTTPFilterRule] {
    var rules: [HTTPFilterRule] = []
    for item in text.split(separator: ",") {
      let word = item.trimmed
      let signs = "=<>"
      let column = word.prefix { !signs.contains($0) }
      let sign = word.dropFirst(column.count).prefix { signs.contains($0) }
      let parameter = word.dropFirst(column.count + sign.count)
      let comparison = sign.isEmpty ? Comparison.equal : Comparison(rawValue: String(sign))
      guard let comparison, !column.isEmpty, sign.isEmpty == parameter.isEmpty else {
        throw bad("filters", "has '\(word)', which is not of the form column, column=parameter or column>=parameter")
      }
      let name = parameter.isEmpty ? column.trimmed : parameter.trimmed
      rules.append(HTTPFilterRule(column: column.trimmed.lowercased(), comparison: comparison, parameter: name))
    }
    return rules
  }

  /// What is sent for a filter on the rule's column, `name=value`; nil when the rule does not say it.
  func parameter(for filter: ForeignFilter, _ type: DataType) -> String? {
    guard !filter.allowsNull, let first = filter.ranges.first, let last = filter.ranges.last else { return nil }
    let value: Scalar?
    switch comparison {
    case .equal: value = filter.ranges.count == 1 ? first.value : nil
    case .atLeast: value = first.low
    case .atMost: value = last.high
    // What the service leaves out, the filter must leave out, too.
    case .more: value = first.includesLow ? nil : first.low
    case .less: value = last.includesHigh ? nil : last.high
    }
    guard let value, let text = HTTPFilterRule.text(value, type) else { return nil }
    return "\(PercentEncoding.encode(parameter))=\(PercentEncoding.encode(text))"
  }

  /// A value as services write it.
  private static func text(_ value: Scalar, _ type: DataType) -> String? {
    switch (type, value) {
    case (.boolean, .boolean(let flag)): return flag ? "true" : "false"
    case (.varchar, .bytes(let bytes)): return String(validating: bytes, as: UTF8.self)
    case (.decimal(_, let scale), .integer(let unscaled)): return SQLWords.decimal(Int128(unscaled), scale: scale)
    case (.decimal(_, let scale), .int128(let unscaled)): return SQLWords.decimal(unscaled, scale: scale)
    case (.date, .integer(let days)): return date(Int(days))
    case (.timestampWithTimeZone, .int128(let packed)):
      let (micros, rest) = ZonedTimestamp.utcPicos(packed).quotientAndRemainder(dividingBy: 1_000_000)
      return rest == 0 ? Int64(exactly: micros).flatMap { moment($0) } : nil
    case (.timestamp(let precision), .integer(let micros)) where precision <= 6: return moment(micros)
    case (_, .integer(let number)) where type.isInteger: return String(number)
    default: return nil
    }
  }

  /// A moment of UTC.
  private static func moment(_ micros: Int64) -> String? {
    let days = CalendarDate.floorDivide(micros, 86_400_000_000)
    let rest = Int(micros &- days &* 86_400_000_000)
    let seconds = rest / 1_000_000
    let fraction = rest % 1_000_000 == 0 ? "" : "." + padded(rest % 1_000_000, 6)
    return date(Int(days)).map { "\($0)T\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))\(fraction)Z" }
  }

  private static func date(_ days: Int) -> String? {
    guard (-800_000...3_000_000).contains(days) else { return nil }
    let (year, month, day) = CalendarDate.civil(days)
    return (1...9999).contains(year) ? "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))" : nil
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
