import Columnar
import QueryErrors

/// The units of `date_trunc`, `date_add` and `date_diff`.
enum DateUnit: Int {
  case millisecond, second, minute, hour, day, week, month, quarter, year

  /// Milliseconds of the units up to a week.
  var millis: Int64 {
    switch self {
    case .millisecond: 1
    case .second: 1000
    case .minute: 60_000
    case .hour: 3_600_000
    case .day: 86_400_000
    case .week: 604_800_000
    default: 0
    }
  }

  var micros: Int64 { millis &* 1000 }

  /// Months of the units from a month.
  var months: Int64 {
    switch self {
    case .month: 1
    case .quarter: 3
    case .year: 12
    default: 0
    }
  }

  /// Whether the unit divides a day.
  var isOfDay: Bool { rawValue <= DateUnit.hour.rawValue }

  private static let names: [(String, DateUnit)] = [
    ("millisecond", .millisecond), ("second", .second), ("minute", .minute), ("hour", .hour), ("day", .day),
    ("week", .week), ("month", .month), ("quarter", .quarter), ("year", .year),
  ]

  /// The unit of that name in any case.
  static func named(_ name: StringView) -> DateUnit? {
    guard name.count <= 12 else { return nil }
    let folded = name.bytes.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
    for (text, unit) in names where text.utf8.elementsEqual(folded) { return unit }
    return nil
  }

  /// Units that fit a type, and the name of its fields in messages.
  struct Rules: Sendable {
    var first: DateUnit
    var last: DateUnit
    var name: String

    init(_ type: DataType) {
      switch type {
      case .date: (first, last, name) = (.day, .year, "DATE")
      case .time, .timeWithTimeZone: (first, last, name) = (.millisecond, .hour, "TIME")
      default: (first, last, name) = (.millisecond, .year, "TIMESTAMP")
      }
    }

    func allows(_ unit: DateUnit) -> Bool { unit.rawValue >= first.rawValue && unit.rawValue <= last.rawValue }
  }
}

/// The unit argument of a call: read once when it is constant, else row by row.
struct DateUnitArgument {
  private let view: ColumnView
  private let rules: DateUnit.Rules
  private var lastName = StringView()
  private var lastUnit: DateUnit?

  init(_ column: Column, _ rules: DateUnit.Rules) {
    view = column.view
    self.rules = rules
  }

  /// The unit of a row; nil, and the row failed, when there is no such unit.
  @inline(__always)
  mutating func unit(_ row: Int, _ rows: inout RowContext) -> DateUnit? {
    let name = view.value(row, as: StringView.self)
    if let lastUnit, name.isInline, name.low == lastName.low, name.high == lastName.high { return lastUnit }
    return read(name, &rows)
  }

  @inline(never)
  private mutating func read(_ name: StringView, _ rows: inout RowContext) -> DateUnit? {
    if let unit = DateUnit.named(name), rules.allows(unit) {
      lastName = name
      lastUnit = unit
      return unit
    }
    rows.fail(.invalidFunctionArgument, "'\(name.string)' is not a valid \(rules.name) field")
    return nil
  }
}
