import Columnar

/// A value of the Ion data model, without its annotations, which no column holds.
///
/// - Source: Amazon Ion Specification 1.0.
indirect enum IonValue: Sendable {
  case null
  case boolean(Bool)
  case integer(Int128)
  case float(Double)
  /// `coefficient` · 10^`exponent`.
  case decimal(coefficient: Int128, exponent: Int)
  case timestamp(IonTimestamp)
  /// Strings and symbols.
  case text([UInt8])
  /// Text of an unknown character set, as bytes.
  case clob([UInt8])
  case blob([UInt8])
  /// Lists and S-expressions.
  case list([IonValue])
  case structure([(name: String, value: IonValue)])
}

/// A point in time of any precision, its parts in UTC.
struct IonTimestamp: Sendable {
  enum Precision: Sendable { case year, month, day, minute, second }

  var days: Int
  /// Of the day.
  var seconds: Int
  /// Of the second; further digits are cut off.
  var picoseconds: Int64 = 0
  /// Digits behind the second.
  var fractionDigits = 0
  var precision: Precision

  /// - Parameter offset: minutes east of UTC of the zone that the parts are in.
  init?(
    year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, offset: Int, precision: Precision
  ) {
    guard CalendarDate.isValid(year: year, month: month, day: day), (0...23).contains(hour), (0...59).contains(minute),
      (0...59).contains(second), abs(offset) < 24 * 60
    else { return nil }
    let local = hour * 3600 + minute * 60 + second - offset * 60
    days = CalendarDate.days(year: year, month: month, day: day)
    seconds = local
    if local < 0 { (days, seconds) = (days - 1, local + 86_400) }
    if local >= 86_400 { (days, seconds) = (days + 1, local - 86_400) }
    self.precision = precision
  }

  var isDate: Bool { precision == .day || precision == .month || precision == .year }
}

/// What is wrong with an Ion file.
struct IonDamage: Error, Sendable {
  var reason: String
  /// Whether it may only be that the value goes on behind the window.
  var isIncomplete = false
  /// Whether it is right Ion that this reader does not know.
  var isUnsupported = false

  init(_ reason: String) { self.reason = reason }

  static let incomplete = IonDamage(incomplete: "the file ends within a value")

  private init(incomplete reason: String) {
    self.reason = reason
    isIncomplete = true
  }

  static func unsupported(_ what: String) -> IonDamage {
    var damage = IonDamage(what)
    damage.isUnsupported = true
    return damage
  }
}

/// The texts of symbol numbers: the system's, and those that the stream defines.
struct IonSymbols: Sendable {
  private static let system: [String?] = [
    nil, "$ion", "$ion_1_0", "$ion_symbol_table", "name", "version", "imports", "symbols", "max_id", "$ion_shared_symbol_table",
  ]
  static let symbolTable = "$ion_symbol_table"

  /// By number; nil for those of tables that are not in the file.
  private var texts = system
  private static let mostImported = 1 << 24

  /// - Throws: for numbers without a text.
  func text(_ number: Int) throws(IonDamage) -> String {
    guard texts.indices.contains(number) else { throw IonDamage("the symbol $\(number) is not defined") }
    if let text = texts[number] { return text }
    throw IonDamage.unsupported(number == 0 ? "the symbol $0 has no text" : "the symbol $\(number) is of a shared symbol table")
  }

  mutating func reset() { texts = IonSymbols.system }

  /// Takes over a local symbol table, a struct annotated `$ion_symbol_table`.
  mutating func define(_ fields: [(name: String, value: IonValue)]) throws(IonDamage) {
    var next = IonSymbols.system
    for (name, value) in fields where name == "imports" {
      switch value {
      case .text(let bytes) where String(decoding: bytes, as: UTF8.self) == IonSymbols.symbolTable: next = texts
      case .list(let imports):
        for case .structure(let table) in imports {
          guard case .integer(let count)? = table.first(where: { $0.name == "max_id" })?.value else {
            throw IonDamage.unsupported("a shared symbol table is imported")
          }
          guard count >= 0, next.count + Int(clamping: count) < IonSymbols.mostImported else {
            throw IonDamage("a symbol table of \(count) symbols")
          }
          next += [String?](repeating: nil, count: Int(count))
        }
      default: break
      }
    }
    for (name, value) in fields where name == "symbols" {
      guard case .list(let symbols) = value else { continue }
      for symbol in symbols {
        if case .text(let bytes) = symbol { next.append(String(decoding: bytes, as: UTF8.self)) } else { next.append(nil) }
      }
    }
    texts = next
  }
}
