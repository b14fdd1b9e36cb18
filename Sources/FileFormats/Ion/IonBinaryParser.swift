import Columnar

/// Parses values of binary Ion that lie in a window of bytes.
///
/// - Source: Amazon Ion Binary Encoding 1.0.
struct IonBinaryParser {
  private let base: UnsafePointer<UInt8>
  private let end: Int
  private(set) var at: Int
  private static let deepest = 200

  init(_ base: UnsafePointer<UInt8>, at: Int, end: Int) {
    self.base = base
    self.at = at
    self.end = end
  }

  static let versionMarker: [UInt8] = [0xe0, 0x01, 0x00, 0xea]

  /// The next value of the top level, nil at the end; symbol tables are taken over on the way.
  mutating func next(_ symbols: inout IonSymbols) throws(IonDamage) -> IonValue? {
    while at < end {
      if base[at] == 0xe0 {
        guard end - at >= 4 else { throw .incomplete }
        guard base[at + 1] == 1, base[at + 2] == 0, base[at + 3] == 0xea else {
          throw IonDamage.unsupported("Ion of version \(base[at + 1]).\(base[at + 2])")
        }
        symbols.reset()
        at += 4
        continue
      }
      var isTable = false
      guard let value = try value(symbols, depth: 0, isSymbolTable: &isTable) else { continue }
      guard isTable else { return value }
      if case .structure(let fields) = value { try symbols.define(fields) }
    }
    return nil
  }

  private mutating func take(_ count: Int) throws(IonDamage) -> Int {
    guard count >= 0, count <= end - at else { throw .incomplete }
    at += count
    return at - count
  }

  /// Seven bits a byte, the last one marked.
  private mutating func varUInt() throws(IonDamage) -> Int {
    var value = 0
    while true {
      let byte = base[try take(1)]
      guard value < 1 << 48 else { throw IonDamage("a length is too large") }
      value = value << 7 | Int(byte & 0x7f)
      if byte & 0x80 != 0 { return value }
    }
  }

  /// The same with a sign in the first byte.
  private mutating func varInt() throws(IonDamage) -> (value: Int, isNegative: Bool) {
    var byte = base[try take(1)]
    let isNegative = byte & 0x40 != 0
    var value = Int(byte & 0x3f)
    while byte & 0x80 == 0 {
      byte = base[try take(1)]
      guard value < 1 << 48 else { throw IonDamage("a number is too large") }
      value = value << 7 | Int(byte & 0x7f)
    }
    return (isNegative ? -value : value, isNegative)
  }

  private func magnitude(_ start: Int, _ count: Int) throws(IonDamage) -> Int128 {
    var (from, rest) = (start, count)
    while rest > 0, base[from] == 0 { (from, rest) = (from + 1, rest - 1) }
    guard rest < 16 || rest == 16 && base[from] < 0x80 else { throw IonDamage.unsupported("a number of more than 38 digits") }
    var value: Int128 = 0
    for i in 0..<rest { value = value << 8 | Int128(base[from + i]) }
    return value
  }

  /// nil for padding.
  private mutating func value(
    _ symbols: IonSymbols, depth: Int, isSymbolTable: inout Bool
  ) throws(IonDamage) -> IonValue? {
    guard depth < IonBinaryParser.deepest else { throw IonDamage.unsupported("values nested so deeply") }
    let begin = at
    let head = base[try take(1)]
    let (type, low) = (head >> 4, Int(head & 15))
    if low == 15 {
      guard type < 14 else { throw IonDamage("an unknown type") }
      return .null
    }
    if type == 1 {
      guard low < 2 else { throw IonDamage("a bool of \(low)") }
      return .boolean(low == 1)
    }
    var length = low
    if low == 14 || type == 13 && low == 1 { length = try varUInt() }
    // A value that the window does not hold begins anew with a larger one.
    guard length <= end - at else {
      at = begin
      throw .incomplete
    }
    let (start, stop) = (at, at + length)
    defer { at = stop }
    switch type {
    case 0: return nil
    case 2, 3:
      let value = try magnitude(start, length)
      return .integer(type == 3 ? -value : value)
    case 4:
      switch length {
      case 0: return .float(0)
      case 4: return .float(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try magnitude(start, 4)))))
      case 8: return .float(Double(bitPattern: UInt64(truncatingIfNeeded: try magnitude(start, 8))))
      default: throw IonDamage("a float of \(length) bytes")
      }
    case 5:
      if length == 0 { return .decimal(coefficient: 0, exponent: 0) }
      let exponent = try varInt().value
      return .decimal(coefficient: try signed(upTo: stop), exponent: exponent)
    case 6: return .timestamp(try timestamp(upTo: stop))
    case 7: return .text(Array(try symbols.text(Int(clamping: try magnitude(start, length))).utf8))
    case 8: return .text(Array(UnsafeBufferPointer(start: base + start, count: length)))
    case 9: return .clob(Array(UnsafeBufferPointer(start: base + start, count: length)))
    case 10: return .blob(Array(UnsafeBufferPointer(start: base + start, count: length)))
    case 11, 12:
      var items: [IonValue] = []
      var isTable = false
      while at < stop { if let item = try value(symbols, depth: depth + 1, isSymbolTable: &isTable) { items.append(item) } }
      guard at == stop else { throw IonDamage("a value passes its list") }
      return .list(items)
    case 13:
      var fields: [(name: String, value: IonValue)] = []
      var isTable = false
      while at < stop {
        let name = try varUInt()
        if let field = try value(symbols, depth: depth + 1, isSymbolTable: &isTable) {
          fields.append((try symbols.text(name), field))
        }
      }
      guard at == stop else { throw IonDamage("a value passes its struct") }
      return .structure(fields)
    case 14:
      let annotationsEnd = try varUInt() + at
      var isFirst = true
      while at < annotationsEnd {
        let number = try varUInt()
        if isFirst, depth == 0, number == 3 { isSymbolTable = true }
        isFirst = false
      }
      guard at == annotationsEnd, at < stop else { throw IonDamage("annotations without a value") }
      var isTable = false
      let inner = try value(symbols, depth: depth + 1, isSymbolTable: &isTable)
      guard at == stop else { throw IonDamage("a value passes its annotations") }
      return inner
    default: throw IonDamage("an unknown type")
    }
  }

  /// The rest of a value as an integer with its sign in the first bit.
  private mutating func signed(upTo stop: Int) throws(IonDamage) -> Int128 {
    guard at < stop else { return 0 }
    let isNegative = base[at] & 0x80 != 0
    let first = Int128(base[at] & 0x7f)
    let count = stop - at - 1
    guard count < 16 else { throw IonDamage.unsupported("a number of more than 38 digits") }
    let rest = count > 0 ? try magnitude(at + 1, count) : 0
    guard count < 15 || first == 0 else { throw IonDamage.unsupported("a number of more than 38 digits") }
    let value = first << Int128(count * 8) | rest
    at = stop
    return isNegative ? -value : value
  }

  private mutating func timestamp(upTo stop: Int) throws(IonDamage) -> IonTimestamp {
    let offset = try varInt().value
    var parts: [Int] = []
    while at < stop, parts.count < 6 { parts.append(try varUInt()) }
    let precisions: [IonTimestamp.Precision] = [.year, .month, .day, .minute, .minute, .second]
    func part(_ index: Int, _ otherwise: Int) -> Int { parts.indices.contains(index) ? parts[index] : otherwise }
    guard !parts.isEmpty, parts.count != 4 else { throw IonDamage("a timestamp of \(parts.count) parts") }
    // Parts are in UTC already.
    guard
      var result = IonTimestamp(
        year: part(0, 1), month: part(1, 1), day: part(2, 1), hour: part(3, 0), minute: part(4, 0), second: part(5, 0),
        offset: 0, precision: precisions[parts.count - 1]), abs(offset) < 24 * 60
    else { throw IonDamage("a timestamp is out of range") }
    if at < stop {
      let exponent = try varInt().value
      let coefficient = try signed(upTo: stop)
      guard exponent <= 0, exponent > -38, coefficient >= 0 else { throw IonDamage("a timestamp's fraction is out of range") }
      let scale = DecimalMath.power(-exponent)
      guard coefficient < scale else { throw IonDamage("a timestamp's fraction is a second or more") }
      result.fractionDigits = -exponent
      result.picoseconds = Int64(
        -exponent <= 12 ? coefficient * DecimalMath.power(12 + exponent) : coefficient / DecimalMath.power(-exponent - 12))
    }
    return result
  }
}
