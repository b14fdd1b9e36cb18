import Columnar

/// Which key of a record a column stands for.
struct JSONKeyOrigin: Hashable, Sendable {
  var spelling = ""
  /// How many of the same spelling stand before it in the record.
  var occurrence = 0
  /// Whether another spelling is another column.
  var isExact = false
}

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
  /// Per field: the object that had it last, and how it is told from others of the same name.
  private var lastObjects: [Int] = []
  private var origins: [JSONKeyOrigin] = []
  private var objectCount = 0
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
    objectCount += 1
    while true {
      at = JSONText.skipBlanks(p, at, end)
      guard at < end, p[at] == 0x22, let close = JSONText.stringEnd(p, at, end) else { return false }
      let key = JSONText.string(p + at + 1, close - at - 1)
      at = JSONText.skipBlanks(p, close + 1, end)
      guard at < end, p[at] == 0x3a else { return false }
      at += 1
      guard field(key, place, isTop: depth == 0).note(p, &at, end, depth: depth + 1) else { return false }
      place += 1
      at = JSONText.skipBlanks(p, at, end)
      guard at < end else { return false }
      at += 1
      if p[at - 1] == 0x7d { return true }
      guard p[at - 1] == 0x2c else { return false }
    }
  }

  /// The guess for a key, case ignored; the first spelling names the field.
  ///
  /// - Parameter isTop: whether the key is of a record itself: one that comes twice there makes two columns.
  private func field(_ key: String, _ place: Int, isTop: Bool) -> JSONTypeGuess {
    var at = -1
    if place < names.count, names[place] == key, origins[place].occurrence == 0 {
      at = place
    } else if let known = positions["\u{0}" + key] ?? positions[key.lowercased()] {
      at = known
    }
    guard at >= 0 else { return add(key, JSONKeyOrigin(), under: key.lowercased()) }
    guard isTop else { return fields[at] }
    if lastObjects[at] != objectCount {
      lastObjects[at] = objectCount
      return fields[at]
    }
    // The record has the key twice: spelled otherwise, it is another one; else the next of its kind.
    if origins[at].spelling != key {
      return add(key, JSONKeyOrigin(spelling: key, occurrence: 0, isExact: true), under: "\u{0}" + key)
    }
    var occurrence = 1
    while let known = positions["\u{1}\(occurrence)" + key] {
      if lastObjects[known] != objectCount {
        lastObjects[known] = objectCount
        return fields[known]
      }
      occurrence += 1
    }
    return add(key, JSONKeyOrigin(spelling: key, occurrence: occurrence, isExact: true), under: "\u{1}\(occurrence)" + key)
  }

  private func add(_ key: String, _ origin: JSONKeyOrigin, under position: String) -> JSONTypeGuess {
    let guess = JSONTypeGuess()
    var origin = origin
    origin.spelling = key
    positions[position] = names.count
    names.append(key)
    origins.append(origin)
    lastObjects.append(objectCount)
    fields.append(guess)
    return guess
  }

  /// Adds another guess's fields where keys are told apart by spelling or place.
  private func mergeApart(_ other: JSONTypeGuess) {
    var targets = [Int?](repeating: nil, count: other.names.count)
    var used: Set<Int> = []
    func settle(_ index: Int, _ target: Int?) {
      guard let target, used.insert(target).inserted else { return }
      targets[index] = target
    }
    // Fields that are known under the same spelling and place go first, so that no other takes theirs.
    for (index, name) in other.names.enumerated() {
      let occurrence = other.origins[index].occurrence
      if occurrence > 0 {
        settle(index, positions["\u{1}\(occurrence)" + name])
      } else if let known = positions["\u{0}" + name] ?? positions[name.lowercased()], names[known] == name {
        settle(index, known)
      }
    }
    for (index, name) in other.names.enumerated() {
      let origin = other.origins[index]
      if targets[index] == nil, origin.occurrence == 0, !origin.isExact { settle(index, positions[name.lowercased()]) }
      if let target = targets[index] {
        fields[target].merge(other.fields[index])
        continue
      }
      let isTaken = positions[name.lowercased()] != nil
      var own = origin
      own.isExact = origin.isExact || isTaken
      let position =
        origin.occurrence > 0 ? "\u{1}\(origin.occurrence)" + name : isTaken ? "\u{0}" + name : name.lowercased()
      used.insert(names.count)
      add(name, own, under: position).merge(other.fields[index])
    }
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
    let isSame =
      other.names.count <= names.count
      && other.names.indices.allSatisfy {
        names[$0] == other.names[$0] && origins[$0] == other.origins[$0]
      }
    if isSame {
      for index in other.names.indices { fields[index].merge(other.fields[index]) }
    } else {
      mergeApart(other)
    }
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
      let kinds = stringKinds & (ColumnGuesses.date | ColumnGuesses.timestamp | ColumnGuesses.instant)
      return ColumnGuesses.type(of: kinds, fractionDigits)
    }
    if sawArray { return .array(element?.type ?? .unknown) }
    if names.count > JSONTypeGuess.maxFieldCount {
      let value = JSONTypeGuess()
      for field in fields { value.merge(field) }
      return .map(key: .text, value: value.type)
    }
    return .row(zip(names, fields).map { DataType.RowField(name: $0, type: $1.type) })
  }

  /// The keys of the objects seen as columns of distinct names.
  var columns: [Field] {
    let texts = names.enumerated().map { $1.isEmpty ? "_col\($0)" : $1 }
    return zip(ColumnNames.distinct(texts), fields).map { Field($0, $1.type) }
  }

  /// By column name in lower case: the key that it stands for, where the name does not tell.
  var columnOrigins: [String: JSONKeyOrigin] {
    var result: [String: JSONKeyOrigin] = [:]
    for (column, origin) in zip(columns, origins) where origin.isExact || column.name != origin.spelling {
      result[column.name.lowercased()] = origin
    }
    return result
  }

  /// Whether nothing but NULL was seen.
  var isEmpty: Bool { !sawObject && !sawOnlyValues }

  /// Whether records other than objects were seen.
  var sawOnlyValues: Bool { !sawObject && (sawBoolean || sawNumber || sawString || sawArray) }
}
