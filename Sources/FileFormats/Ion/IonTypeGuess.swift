import Columnar

/// The type that keeps the values met of a column or field.
indirect enum IonTypeGuess: Sendable {
  case none
  case boolean
  /// Digits before and behind the point; behind it, -1 for integers.
  case number(whole: Int, fraction: Int)
  case float
  case date
  case timestamp(digits: Int)
  case text
  case binary
  case list(IonTypeGuess)
  case structure([(name: String, type: IonTypeGuess)])
  /// Values that have nothing in common: their text.
  case mixed

  mutating func add(_ value: IonValue) {
    guard let own = IonTypeGuess.of(value) else { return }
    self = IonTypeGuess.merged(self, own)
  }

  private static func of(_ value: IonValue) -> IonTypeGuess? {
    switch value {
    case .null: return nil
    case .boolean: return .boolean
    case .integer(let number): return .number(whole: String(number.magnitude).utf8.count, fraction: -1)
    case .float: return .float
    case .decimal(let coefficient, let exponent):
      let digits = String(coefficient.magnitude).utf8.count
      return .number(whole: max(0, digits + exponent), fraction: max(0, -exponent))
    case .timestamp(let time): return time.isDate ? .date : .timestamp(digits: time.fractionDigits)
    case .text, .clob: return .text
    case .blob: return .binary
    case .list(let items):
      var element = IonTypeGuess.none
      for item in items { element.add(item) }
      return .list(element)
    case .structure(let fields):
      var members: [(name: String, type: IonTypeGuess)] = []
      add(fields, to: &members)
      return .structure(members)
    }
  }

  /// Adds the fields of one struct to those known, names compared without regard to case.
  static func add(_ fields: [(name: String, value: IonValue)], to members: inout [(name: String, type: IonTypeGuess)]) {
    for (name, value) in fields {
      let lower = name.lowercased()
      if let place = members.firstIndex(where: { $0.name == name || $0.name.lowercased() == lower }) {
        members[place].type.add(value)
      } else {
        var type = IonTypeGuess.none
        type.add(value)
        members.append((name, type))
      }
    }
  }

  private static func merged(_ a: IonTypeGuess, _ b: IonTypeGuess) -> IonTypeGuess {
    switch (a, b) {
    case (.none, _): return b
    case (_, .none): return a
    case (.boolean, .boolean): return .boolean
    case (.number(let wholeA, let fractionA), .number(let wholeB, let fractionB)):
      return .number(whole: max(wholeA, wholeB), fraction: max(fractionA, fractionB))
    case (.float, .float), (.float, .number), (.number, .float): return .float
    case (.date, .date): return .date
    case (.timestamp(let digits), .date), (.date, .timestamp(let digits)): return .timestamp(digits: digits)
    case (.timestamp(let x), .timestamp(let y)): return .timestamp(digits: max(x, y))
    case (.text, .text): return .text
    case (.binary, .binary): return .binary
    case (.list(let x), .list(let y)): return .list(merged(x, y))
    case (.structure(let x), .structure(let y)):
      var members = x
      for (name, type) in y {
        if let place = members.firstIndex(where: { $0.name == name || $0.name.lowercased() == name.lowercased() }) {
          members[place].type = merged(members[place].type, type)
        } else {
          members.append((name, type))
        }
      }
      return .structure(members)
    default: return .mixed
    }
  }

  var type: DataType {
    switch self {
    case .none, .text, .mixed: return .text
    case .boolean: return .boolean
    case .number(let whole, let fraction):
      if fraction < 0 { return whole <= 18 ? .bigint : .decimal(precision: 38, scale: 0) }
      guard whole + fraction <= 38 else { return .double }
      // Room for larger numbers behind those that were looked at.
      return .decimal(precision: max(whole + fraction, min(38, fraction + 18)), scale: fraction)
    case .float: return .double
    case .date: return .date
    case .timestamp(let digits): return .timestamp(precision: digits <= 3 ? 3 : digits <= 6 ? 6 : 9)
    case .binary: return .varbinary
    case .list(let element): return .array(element.type)
    case .structure(let members):
      // Structs without any field have no row type.
      return members.isEmpty ? .text : .row(members.map { DataType.RowField(name: $0.name, type: $0.type.type) })
    }
  }
}
