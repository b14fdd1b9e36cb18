extension DataType {
  /// A type from its name, as Trino (`array(row(a bigint))`) or Hive (`array<struct<a:int>>`) writes it; nil when it is
  /// none.
  ///
  /// - Source: Trino `TypeSignature`; Hive language manual, data types.
  public init?(parsing text: String) {
    var parser = TypeNameParser(text)
    guard let type = parser.type(depth: 0), parser.isAtEnd else { return nil }
    self = type
  }
}

/// Recursive descent over a type's name.
private struct TypeNameParser {
  private let bytes: [UInt8]
  private var at = 0
  private static let maxDepth = 100

  init(_ text: String) { bytes = Array(text.utf8) }

  var isAtEnd: Bool {
    mutating get {
      skipSpaces()
      return at == bytes.count
    }
  }

  private mutating func skipSpaces() {
    while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0a || bytes[at] == 0x09 { at += 1 }
  }

  private mutating func take(_ letter: Character) -> Bool {
    skipSpaces()
    guard at < bytes.count, bytes[at] == letter.asciiValue else { return false }
    at += 1
    return true
  }

  /// A word, or a name in double quotes or backticks.
  private mutating func word() -> (text: String, isQuoted: Bool)? {
    skipSpaces()
    guard at < bytes.count else { return nil }
    let quote = bytes[at]
    if quote == 0x22 || quote == 0x60 {
      var name: [UInt8] = []
      at += 1
      while at < bytes.count {
        if bytes[at] == quote {
          if at + 1 < bytes.count, bytes[at + 1] == quote { at += 1 } else { break }
        }
        name.append(bytes[at])
        at += 1
      }
      guard at < bytes.count else { return nil }
      at += 1
      return (String(decoding: name, as: UTF8.self), true)
    }
    let start = at
    while at < bytes.count {
      let byte = bytes[at]
      let isLetter =
        (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte == 0x5f || byte >= 0x80
        || (byte >= 0x30 && byte <= 0x39)
      if !isLetter { break }
      at += 1
    }
    return at > start ? (String(decoding: bytes[start..<at], as: UTF8.self), false) : nil
  }

  private mutating func keyword(_ expected: String) -> Bool {
    let start = at
    if let found = word(), !found.isQuoted, found.text.lowercased() == expected { return true }
    at = start
    return false
  }

  private mutating func number() -> Int? { word().flatMap { Int($0.text) } }

  /// `(12)` or `(12, 2)`; nil when there is none.
  private mutating func numbers() -> [Int]? {
    guard take("(") else { return nil }
    var list: [Int] = []
    repeat {
      guard let value = number() else { return nil }
      list.append(value)
    } while take(",")
    return take(")") ? list : nil
  }

  mutating func type(depth: Int) -> DataType? {
    guard depth < TypeNameParser.maxDepth, let name = word(), !name.isQuoted else { return nil }
    switch name.text.lowercased() {
    case "unknown": return .unknown
    case "boolean", "bool": return .boolean
    case "tinyint": return .tinyint
    case "smallint": return .smallint
    case "integer", "int": return .integer
    case "bigint", "long": return .bigint
    case "real", "float": return .real
    case "double":
      _ = keyword("precision")
      return .double
    case "decimal", "dec", "numeric":
      let list = numbers() ?? []
      let precision = list.first ?? 38
      let scale = list.count > 1 ? list[1] : 0
      guard (1...DataType.maxDecimalPrecision).contains(precision), (0...precision).contains(scale) else { return nil }
      return .decimal(precision: precision, scale: scale)
    case "varchar": return .varchar(length: numbers()?.first)
    case "string": return .text
    case "char": return .char(length: numbers()?.first ?? 1)
    case "varbinary", "binary": return .varbinary
    case "date": return .date
    case "time":
      let precision = numbers()?.first ?? 3
      guard (0...12).contains(precision) else { return nil }
      return hasZone() ? .timeWithTimeZone(precision: precision) : .time(precision: precision)
    case "timestamp":
      let precision = numbers()?.first ?? 3
      guard (0...12).contains(precision) else { return nil }
      return hasZone() ? .timestampWithTimeZone(precision: precision) : .timestamp(precision: precision)
    case "interval":
      if keyword("year") { return keyword("to") && keyword("month") ? .intervalYearToMonth : nil }
      return keyword("day") && keyword("to") && keyword("second") ? .intervalDayToSecond : nil
    case "json": return .json
    case "ipaddress": return .ipaddress
    case "uuid": return .uuid
    case "hyperloglog": return .hyperLogLog
    case "p4hyperloglog": return .p4HyperLogLog
    case "setdigest": return .setDigest
    case "tdigest": return .tDigest
    case "color": return .color
    case "geometry": return .geometry
    case "sphericalgeography": return .sphericalGeography
    case "bingtile": return .bingTile
    case "qdigest":
      guard let close = open(), let element = type(depth: depth + 1), take(close) else { return nil }
      return .qDigest(element)
    case "array":
      guard let close = open(), let element = type(depth: depth + 1), take(close) else { return nil }
      return .array(element)
    case "map":
      guard let close = open(), let key = type(depth: depth + 1), take(","), let value = type(depth: depth + 1),
        take(close)
      else { return nil }
      return .map(key: key, value: value)
    case "row", "struct":
      guard let close = open() else { return nil }
      var fields: [DataType.RowField] = []
      repeat {
        guard let field = field(depth: depth + 1) else { return nil }
        fields.append(field)
      } while take(",")
      return take(close) ? .row(fields) : nil
    default: return nil
    }
  }

  private mutating func hasZone() -> Bool { keyword("with") ? keyword("time") && keyword("zone") : false }

  private mutating func open() -> Character? { take("(") ? ")" : (take("<") ? ">" : nil) }

  /// `name type`, `name:type`, or a type alone.
  private mutating func field(depth: Int) -> DataType.RowField? {
    let start = at
    if let name = word() {
      let after = at
      if take(":") || !(take(",") || take(")") || take(">") || take("(") || take("<")) {
        if let type = type(depth: depth) { return DataType.RowField(name: name.text, type: type) }
      }
      at = after
    }
    at = start
    return type(depth: depth).map { DataType.RowField(name: nil, type: $0) }
  }
}
