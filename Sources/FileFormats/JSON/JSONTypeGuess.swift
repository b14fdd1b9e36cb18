import Columnar
import Glibc

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
    // Where the next key most likely is: behind the last one.
    var place = 0
    objectCount += 1
    while true {
      at = JSONText.skipBlanks(p, at, end)
      guard at < end, p[at] == 0x22, let close = JSONText.stringEnd(p, at, end) else { return false }
      let index =
        plainField(p + at + 1, close - at - 1, place) ?? field(JSONText.string(p + at + 1, close - at - 1), isTop: depth == 0)
      at = JSONText.skipBlanks(p, close + 1, end)
      guard at < end, p[at] == 0x3a else { return false }
      at += 1
      guard fields[index].note(p, &at, end, depth: depth + 1) else { return false }
      place = index + 1
      at = JSONText.skipBlanks(p, at, end)
      guard at < end else { return false }
      at += 1
      if p[at - 1] == 0x7d { return true }
      guard p[at - 1] == 0x2c else { return false }
    }
  }

  /// The field at `place` if it has this key, which the object did not have before, and is the first of its name.
  private func plainField(_ p: UnsafePointer<UInt8>, _ n: Int, _ place: Int) -> Int? {
    guard place < names.count, origins[place].occurrence == 0, lastObjects[place] != objectCount,
      JSONTypeGuess.isText(p, n, names[place])
    else { return nil }
    lastObjects[place] = objectCount
    return place
  }

  /// Whether a string's content without escapes is `text`.
  private static func isText(_ p: UnsafePointer<UInt8>, _ n: Int, _ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      bytes.count == n && (n == 0 || memcmp(bytes.baseAddress!, p, n) == 0) && memchr(p, 0x5c, n) == nil
    }
  }

  /// The field for a key, case ignored; the first spelling names the field.
  ///
  /// - Parameter isTop: whether the key is of a record itself: one that comes twice there makes two columns.
  private func field(_ key: String, isTop: Bool) -> Int {
    guard let at = positions["\u{0}" + key] ?? positions[key.lowercased()] else {
      return add(key, JSONKeyOrigin(), under: key.lowercased())
    }
    guard isTop else { return at }
    if lastObjects[at] != objectCount {
      lastObjects[at] = objectCount
      return at
    }
    // The record has the key twice: spelled otherwise, it is another one; else the next of its kind.
    if origins[at].spelling != key {
      return add(key, JSONKeyOrigin(spelling: key, occurrence: 0, isExact: true), under: "\u{0}" + key)
    }
    var occurrence = 1
    while let known = positions["\u{1}\(occurrence)" + key] {
      if lastObjects[known] != objectCount {
        lastObjects[known] = objectCount
        return known
      }
      occurrence += 1
    }
    return add(key, JSONKeyOrigin(spelling: key, occurrence: occurrence, isExact: true), under: "\u{1}\(occurrence)" + key)
  }

  private func add(_ key: String, _ origin: JSONKeyOrigin, under position: String) -> Int {
    var origin = origin
    origin.spelling = key
    positions[position] = names.count
    names.append(key)
    origins.append(origin)
    lastObjects.append(objectCount)
    fields.append(JSONTypeGuess())
    return names.count - 1
  }

  // MARK: Plain records

  /// Whether `p[at ..< end]` is one well-formed object whose keys belong to different fields. `note` then adds it as it is,
  /// without a guess of its own that is merged.
  func takesPlainly(_ p: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Bool {
    guard isEmpty || sawObject, at < end, p[at] == 0x7b else { return false }
    // `note` counts the object anew, so that the marks do not matter to it.
    objectCount += 1
    var added: Set<String> = []
    var place = 0
    var at = JSONText.skipBlanks(p, at + 1, end)
    if at < end, p[at] == 0x7d { return JSONText.skipBlanks(p, at + 1, end) == end }
    while true {
      guard at < end, p[at] == 0x22, let close = JSONText.stringEnd(p, at, end) else { return false }
      if let index = knownField(p + at + 1, close - at - 1, place) {
        if lastObjects[index] == objectCount { return false }
        lastObjects[index] = objectCount
        place = index + 1
      } else {
        let name = JSONText.string(p + at + 1, close - at - 1).lowercased()
        guard positions[name] == nil, added.insert(name).inserted else { return false }
      }
      at = JSONText.skipBlanks(p, close + 1, end)
      guard at < end, p[at] == 0x3a else { return false }
      at += 1
      guard JSONTypeGuess.skip(p, &at, end, depth: 1) else { return false }
      at = JSONText.skipBlanks(p, at, end)
      guard at < end else { return false }
      if p[at] == 0x7d { return JSONText.skipBlanks(p, at + 1, end) == end }
      guard p[at] == 0x2c else { return false }
      at = JSONText.skipBlanks(p, at + 1, end)
    }
  }

  /// The field that a key belongs to, most likely at `place`.
  private func knownField(_ p: UnsafePointer<UInt8>, _ n: Int, _ place: Int) -> Int? {
    if place < names.count, JSONTypeGuess.isText(p, n, names[place]) { return origins[place].occurrence == 0 ? place : nil }
    let key = JSONText.string(p, n)
    return positions["\u{0}" + key] ?? positions[key.lowercased()]
  }

  /// Moves `at` behind a value that `note` would add; whether it would.
  private static func skip(_ p: UnsafePointer<UInt8>, _ at: inout Int, _ end: Int, depth: Int) -> Bool {
    at = JSONText.skipBlanks(p, at, end)
    guard at < end else { return false }
    let c = p[at]
    if c != 0x7b && c != 0x5b || depth >= maxDepth {
      guard let after = JSONText.valueEnd(p, at, end) else { return false }
      let isNumber = c &- 0x30 <= 9 || c == 0x2d
      if isNumber, !ColumnGuesses.kinds(p + at, after - at).isNumber { return false }
      at = after
      return true
    }
    at = JSONText.skipBlanks(p, at + 1, end)
    if at < end, p[at] == c + 2 {
      at += 1
      return true
    }
    while true {
      if c == 0x7b {
        at = JSONText.skipBlanks(p, at, end)
        guard at < end, p[at] == 0x22, let close = JSONText.stringEnd(p, at, end) else { return false }
        at = JSONText.skipBlanks(p, close + 1, end)
        guard at < end, p[at] == 0x3a else { return false }
        at += 1
      }
      guard skip(p, &at, end, depth: depth + 1) else { return false }
      at = JSONText.skipBlanks(p, at, end)
      guard at < end else { return false }
      at += 1
      if p[at - 1] == c + 2 { return true }
      guard p[at - 1] == 0x2c else { return false }
    }
  }

  // MARK: Merging

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
      fields[add(name, own, under: position)].merge(other.fields[index])
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
    var same = 0
    while same < min(names.count, other.names.count), names[same] == other.names[same], origins[same] == other.origins[same] {
      same += 1
    }
    if same == other.names.count {
      var index = 0
      while index < same {
        fields[index].merge(other.fields[index])
        index += 1
      }
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
    let shapes = (sawBoolean ? 1 : 0) + (sawNumber ? 1 : 0) + (sawString ? 1 : 0) + (sawObject ? 1 : 0) + (sawArray ? 1 : 0)
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
