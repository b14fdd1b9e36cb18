import Columnar
import QueryErrors

/// How the values of one partition column are computed instead of looked up.
///
/// - Source: Athena User Guide, "Supported types for partition projection"; Trino 401,
///   `io.trino.plugin.hive.aws.athena.projection`.
struct ColumnProjection: Sendable {
  enum Kind: Sendable {
    /// Exactly these texts.
    case list([String])
    /// `low … high` in steps, written with at least `digits` digits.
    case integers(low: Int64, high: Int64, interval: Int64, digits: Int)
    /// From `low` up to `high` in steps of `interval` units, written by `format`.
    case dates(low: DateBound, high: DateBound, interval: Int, unit: DateUnit, format: ProjectionDateFormat)
    /// Whatever the query asks for by `=` or IN.
    case injected
  }

  /// A bound that is written out, or moves with the clock.
  enum DateBound: Sendable {
    case fixed(Int64)
    case now(Int, DateUnit)
  }

  enum DateUnit: String, Sendable, CaseIterable {
    case years = "YEARS"
    case months = "MONTHS"
    case weeks = "WEEKS"
    case days = "DAYS"
    case hours = "HOURS"
    case minutes = "MINUTES"
    case seconds = "SECONDS"
    case milliseconds = "MILLISECONDS"

    /// `DAYS`, `day`: case and the plural's s do not matter.
    init?(text: some StringProtocol) {
      let upper = text.uppercased()
      guard let unit = DateUnit(rawValue: upper) ?? DateUnit(rawValue: upper + "S") else { return nil }
      self = unit
    }

    /// The instant so many units later.
    func adding(_ count: Int, to micros: Int64) -> Int64 {
      let dayLength: Int64 = 86_400_000_000
      switch self {
      case .years, .months:
        let days = CalendarDate.floorDivide(micros, dayLength)
        let rest = CalendarDate.floorRemainder(micros, dayLength)
        let moved = CalendarDate.adding(months: self == .years ? count * 12 : count, to: Int(days))
        return Int64(moved) * dayLength + rest
      case .weeks: return micros + Int64(count) * 7 * dayLength
      case .days: return micros + Int64(count) * dayLength
      case .hours: return micros + Int64(count) * 3_600_000_000
      case .minutes: return micros + Int64(count) * 60_000_000
      case .seconds: return micros + Int64(count) * 1_000_000
      case .milliseconds: return micros + Int64(count) * 1000
      }
    }
  }

  let column: Field
  let kind: Kind

  /// - Parameter properties: the table's, keys in lower case.
  /// - Throws: `INVALID_TABLE_PROPERTY` for a property that is missing, wrong or does not fit the column's type.
  init(_ column: Field, type: String, properties: [String: String]) throws(QueryError) {
    self.column = column
    let reader = ProjectionPropertyReader(column: column.name, properties: properties)
    let isText = if case .varchar = column.type { true } else if case .char = column.type { true } else { false }
    switch type.lowercased() {
    case "enum":
      guard isText else { throw reader.unsuitable(type, column.type) }
      kind = .list(try reader.required("values").split(separator: ",", omittingEmptySubsequences: false).map(String.init))
    case "integer":
      switch column.type {
      case .varchar, .char, .tinyint, .smallint, .integer, .bigint: break
      default: throw reader.unsuitable(type, column.type)
      }
      kind = try ColumnProjection.integers(reader)
    case "date":
      switch column.type {
      case .varchar, .char, .date, .timestamp: break
      default: throw reader.unsuitable(type, column.type)
      }
      kind = try ColumnProjection.dates(reader, column)
    case "injected":
      guard isText else { throw reader.unsuitable(type, column.type) }
      kind = .injected
    default:
      throw reader.invalid("type", type, "known types are enum, integer, date and injected")
    }
  }

  private static func integers(_ reader: ProjectionPropertyReader) throws(QueryError) -> Kind {
    let (first, last) = try reader.range()
    guard let low = Int64(first), let high = Int64(last) else {
      throw reader.invalid("range", "\(first),\(last)", "two whole numbers are expected")
    }
    let interval = try reader.positive("interval") ?? 1
    let digits = try reader.positive("digits") ?? 1
    return .integers(low: low, high: high, interval: Int64(interval), digits: digits)
  }

  private static func dates(_ reader: ProjectionPropertyReader, _ column: Field) throws(QueryError) -> Kind {
    let format = try ProjectionDateFormat(try reader.required("format"), column: column.name)
    let (first, last) = try reader.range()
    let low = try bound(first, format, reader)
    let high = try bound(last, format, reader)
    let interval = try reader.positive("interval")
    let unitText = reader.optional("interval.unit")
    let unit: DateUnit
    if let unitText {
      guard let known = DateUnit(text: unitText.trimmingSpaces()) else {
        throw reader.invalid("interval.unit", unitText, "known units are YEARS, MONTHS, WEEKS, DAYS, HOURS, MINUTES, SECONDS and MILLISECONDS")
      }
      unit = known
    } else {
      switch format.precision {
      case .day: unit = .days
      case .month: unit = .months
      default:
        throw QueryError(
          .invalidTableProperty,
          "Property 'projection.\(column.name).interval.unit' needs to be set when 'projection.\(column.name).format' is of other than single-day or single-month precision: '\(format.pattern)'"
        )
      }
    }
    if interval == nil, format.precision != .day, format.precision != .month {
      throw QueryError(
        .invalidTableProperty,
        "Property 'projection.\(column.name).interval' needs to be set when 'projection.\(column.name).format' is of other than single-day or single-month precision: '\(format.pattern)'"
      )
    }
    return .dates(low: low, high: high, interval: interval ?? 1, unit: unit, format: format)
  }

  /// A text of the format, or `NOW`, `NOW-3YEARS`, `now + 1 day`.
  private static func bound(
    _ text: String, _ format: ProjectionDateFormat, _ reader: ProjectionPropertyReader
  ) throws(QueryError) -> DateBound {
    if let micros = format.parse(text) { return .fixed(micros) }
    let compact = text.uppercased().filter { !$0.isWhitespace }
    if compact == "NOW" { return .now(0, .days) }
    if compact.hasPrefix("NOW"), let sign = compact.dropFirst(3).first, sign == "+" || sign == "-" {
      let rest = compact.dropFirst(4)
      let digits = rest.prefix { $0.isNumber }
      if let count = Int(digits), let unit = DateUnit(text: rest.dropFirst(digits.count)), unit != .milliseconds {
        return .now(sign == "-" ? -count : count, unit)
      }
    }
    throw reader.invalid("range", text, "a date in the pattern '\(format.pattern)' or NOW, NOW-3YEARS and the like is expected")
  }
}

/// Reads `projection.<column>.<name>`.
struct ProjectionPropertyReader {
  let column: String
  let properties: [String: String]

  func optional(_ name: String) -> String? { properties["projection.\(column.lowercased()).\(name)"] }

  func required(_ name: String) throws(QueryError) -> String {
    if let value = optional(name) { return value }
    throw QueryError(
      .invalidTableProperty, "Missing required property: 'projection.\(column).\(name)'",
      hint: "ALTER TABLE … SET TBLPROPERTIES sets it.")
  }

  /// The two bounds of `range`.
  func range() throws(QueryError) -> (String, String) {
    let text = try required("range")
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmingSpaces() }
    guard parts.count == 2 else { throw invalid("range", text, "two bounds separated by a comma are expected") }
    return (parts[0], parts[1])
  }

  func positive(_ name: String) throws(QueryError) -> Int? {
    guard let text = optional(name) else { return nil }
    guard let value = Int(text.trimmingSpaces()), value > 0 else {
      throw invalid(name, text, "a whole number above 0 is expected")
    }
    return value
  }

  func invalid(_ name: String, _ value: String, _ why: String) -> QueryError {
    QueryError(.invalidTableProperty, "Invalid value for property 'projection.\(column).\(name)': '\(value)'; \(why)")
  }

  func unsuitable(_ type: String, _ columnType: DataType) -> QueryError {
    QueryError(
      .invalidTableProperty,
      "Column projection for column '\(column)' failed. Unsupported column type \(columnType) for projection type '\(type)'")
  }
}

extension String {
  /// Without spaces around it.
  fileprivate func trimmingSpaces() -> String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
