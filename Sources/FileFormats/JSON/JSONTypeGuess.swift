import Columnar

/// What types the sampled values of one JSON key could have, merged value by value.
final class JSONTypeGuess {
  private var sawNull = false
  private var sawBoolean = false
  private var sawNumber = false
  private var sawString = false
  private var sawObject = false
  private var sawArray = false
  private var numberKinds: UInt8 = 0xff
  private var stringKinds: UInt8 = 0xff
  private var fractionDigits = 0
  private var isTooDeep = false
  private var names: [String] = []
  private var positions: [String: Int] = [:]
  private var fields: [JSONTypeGuess] = []
  private var element: JSONTypeGuess?

  /// Objects with more keys than these become maps.
  private static let maxFieldCount = 1000
  /// Values nested deeper stay JSON text.
  private static let maxDepth = 64

  /// Adds the value at `at`, which is moved behind it; whether it was well formed.
  ///
  /// - Shape: `p[0 ..< end]` with 64 readable bytes behind.
  func note(_ p: UnsafePointer<UInt8>, _ at: inout Int, _ end: Int, depth: Int = 0) -> Bool {
    at = JSONText.skipBlanks(p, at, end)
    guard at < end else { return false }
    let c = p[at]
    if depth >= JSONTypeGuess.maxDepth, c == 0x7b || c == 0x5b {
      isTooDeep = true
      guard let after = JSONText.valueEnd(p, at, end) else { return false }
      at = after
      return true
    }
    switch c {
    case 0x7b:
      sawObject = true
      return noteObject(p, &at, end, depth)
    case 0x5b:
      sawArray = true
      at = JSONText.skipBlanks(p, at + 1, end)
      if at < end, p[at] == 0x5d {
        at += 1
        return true
      }
      let element = self.element ?? JSONTypeGuess()
      self.element = element
      while true {
        guard element.note(p, &at, end, depth: depth + 1) else { return false }
        at = JSONText.skipBlanks(p, at, end)
        guard at < end else { return false }
        at += 1
        if p[at - 1] == 0x5d { return true }
        guard p[at - 1] == 0x2c else { return false }
      }
    case 0x22:
      guard let close = JSONText.stringEnd(p, at, end) else { return false }
      sawString = true
      if stringKinds != 0 {
        let n = close - at - 1
        let isDate = n >= 10 && p[at + 5] == 0x2d && p[at + 8] == 0x2d && p[at + 1] &- 0x30 <= 9 && p[close - 1] != 0x20
        if isDate {
          let (kinds, digits, _) = ColumnGuesses.kinds(p + at + 1, n)
          stringKinds &= kinds
          fractionDigits = max(fractionDigits, digits)
        } else {
          stringKinds = 0
        }
      }
      at = close + 1
      return true
    default:
      guard let after = JSONText.valueEnd(p, at, end) else { return false }
      let n = after - at
      if c == 0x6e {
        sawNull = true
      } else if c == 0x74 || c == 0x66 {
        sawBoolean = true
      } else {
        let (kinds, _, isNumber) = ColumnGuesses.kinds(p + at, n)
        guard isNumber else { return false }
        sawNumber = true
        numberKinds &= kinds
      }
      at = after
      return true
    }
  }

  private func noteObject(_ p: UnsafePointer<UInt8>, _ at: inout Int, _ end: Int, _ depth: Int) -> Bool {
    at = JSONText.skipBlanks(p, at + 1, end)
    if at < end, p[at] == 0x7d {
      at += 1
      return true
    }
    var place = 0
    while true {
      at = JSONText.skipBlanks(p, at, end)
      guard at < end, p[at] == 0x22, let close = JSONText.stringEnd(p, at, end) else { return false }
      let key = JSONText.string(p + at + 1, close - at - 1)
      at = JSONText.skipBlanks(p, close + 1, end)
      guard at < end, p[at] == 0x3a else { return false }
      at += 1
      guard field(key, place).note(p, &at, end, depth: depth + 1) else { return false }
      place += 1
      at = JSONText.skipBlanks(p, at, end)
      guard at < end else { return false }
      at += 1
      if p[at - 1] == 0x7d { return true }
      guard p[at - 1] == 0x2c else { return false }
    }
  }

  /// The guess for a key, case ignored; the first spelling names the field.
  private func field(_ key: String, _ place: Int) -> JSONTypeGuess {
    if place < names.count, names[place] == key { return fields[place] }
    let wanted = key.lowercased()
    if let at = positions[wanted] { return fields[at] }
    let guess = JSONTypeGuess()
    positions[wanted] = names.count
    names.append(key)
    fields.append(guess)
    return guess
  }

  /// Adds all that the other one saw.
  func merge(_ other: JSONTypeGuess) {
    sawBoolean = sawBoolean || other.sawBoolean
    sawNumber = sawNumber || other.sawNumber
    sawString = sawString || other.sawString
    sawObject = sawObject || other.sawObject
    sawArray = sawArray || other.sawArray
    isTooDeep = isTooDeep || other.isTooDeep
    numberKinds &= other.numberKinds
    stringKinds &= other.stringKinds
    fractionDigits = max(fractionDigits, other.fractionDigits)
    for (index, name) in other.names.enumerated() { field(name, index).merge(other.fields[index]) }
    if let theirs = other.element {
      let own = element ?? JSONTypeGuess()
      element = own
      own.merge(theirs)
    }
  }

  /// The narrowest type of all values seen: varchar (JSON text) where they do not go together, `unknown` where there were
  /// none but NULL.
  var type: DataType {
    let shapes = [sawBoolean, sawNumber, sawString, sawObject, sawArray].filter(\.self).count
    if shapes == 0, !isTooDeep { return .unknown }
    if shapes != 1 || isTooDeep { return .text }
    if sawBoolean { return .boolean }
    if sawNumber {
      if numberKinds & ColumnGuesses.bigint != 0 { return .bigint }
      return numberKinds & ColumnGuesses.wideInteger != 0 ? .decimal(precision: 38, scale: 0) : .double
    }
    if sawString {
      if stringKinds & ColumnGuesses.date != 0 { return .date }
      if stringKinds & ColumnGuesses.timestamp != 0 {
        return .timestamp(precision: ColumnGuesses.precision(fractionDigits))
      }
      return .text
    }
    if sawArray { return .array(element?.type ?? .unknown) }
    if names.count > JSONTypeGuess.maxFieldCount {
      let value = JSONTypeGuess()
      for field in fields { value.merge(field) }
      return .map(key: .text, value: value.type)
    }
    return .row(zip(names, fields).map { DataType.RowField(name: $0, type: $1.type) })
  }

  /// The keys of the objects seen as columns.
  var columns: [Field] { zip(names, fields).map { Field($0, $1.type) } }
}
