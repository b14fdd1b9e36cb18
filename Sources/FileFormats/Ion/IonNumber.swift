import Columnar

/// Numbers and timestamps as Ion text writes them.
enum IonNumber {
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(IonDamage) -> IonValue {
    let text = String(decoding: bytes, as: UTF8.self)
    func bad() -> IonDamage { IonDamage("'\(text)' is neither a number nor a timestamp") }
    if let timestamp = try timestamp(text) { return .timestamp(timestamp) }
    // Underscores stand between digits.
    var plain = text
    if text.contains("_") {
      let characters = Array(text.utf8)
      for (index, byte) in characters.enumerated() where byte == 0x5f {
        let isBetween =
          index > 0 && index + 1 < characters.count && isDigit(characters[index - 1]) && isDigit(characters[index + 1])
        guard isBetween else { throw bad() }
      }
      plain = text.filter { $0 != "_" }
    }
    let isNegative = plain.hasPrefix("-")
    let digits = isNegative ? String(plain.dropFirst()) : plain
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2)] where digits.hasPrefix(prefix) {
      guard let value = Int128(digits.dropFirst(2), radix: radix), !digits.dropFirst(2).hasPrefix("-") else { throw bad() }
      return .integer(isNegative ? -value : value)
    }
    let body = digits.utf8
    guard let first = body.first, (0x30...0x39).contains(first) else { throw bad() }
    if body.count > 1, first == 0x30, let second = body.dropFirst().first, (0x30...0x39).contains(second) { throw bad() }
    if body.allSatisfy({ (0x30...0x39).contains($0) }) {
      guard let value = Int128(digits) else { throw IonDamage.unsupported("a number of more than 38 digits") }
      return .integer(isNegative ? -value : value)
    }
    if digits.contains("e") || digits.contains("E") {
      guard let value = Double(plain) else { throw bad() }
      return .float(value)
    }
    guard let value = try decimal(digits, isNegative) else { throw bad() }
    return value
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20) }

  private static func decimal(_ digits: String, _ isNegative: Bool) throws(IonDamage) -> IonValue? {
    var mantissa = digits
    var exponent = 0
    if let mark = digits.firstIndex(where: { $0 == "d" || $0 == "D" }) {
      mantissa = String(digits[..<mark])
      guard let value = Int(digits[digits.index(after: mark)...]), value.magnitude < 1 << 30 else { return nil }
      exponent = value
    }
    let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }), !parts[0].isEmpty else { return nil }
    let fraction = parts.count == 2 ? parts[1] : ""
    guard let coefficient = Int128(parts[0] + fraction) else { throw IonDamage.unsupported("a number of more than 38 digits") }
    return .decimal(coefficient: isNegative ? -coefficient : coefficient, exponent: exponent - fraction.utf8.count)
  }

  /// `2007T`, `2007-02T`, `2007-02-23`, `2007-02-23T12:14:33.079-08:00`; nil for what is none.
  private static func timestamp(_ text: String) throws(IonDamage) -> IonTimestamp? {
    let bytes = Array(text.utf8)
    func digits(_ from: Int, _ count: Int) -> Int? {
      guard from + count <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[from..<from + count] {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    func at(_ index: Int, _ character: Character) -> Bool { index < bytes.count && bytes[index] == character.asciiValue }
    guard bytes.count >= 5, let year = digits(0, 4), at(4, "T") || at(4, "-") else { return nil }
    func made(
      _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int, _ offset: Int, _ precision: IonTimestamp.Precision
    ) throws(IonDamage) -> IonTimestamp {
      guard
        let result = IonTimestamp(
          year: year, month: month, day: day, hour: hour, minute: minute, second: second, offset: offset, precision: precision)
      else { throw IonDamage("the timestamp '\(text)' is out of range") }
      return result
    }
    if at(4, "T") { return bytes.count == 5 ? try made(1, 1, 0, 0, 0, 0, .year) : nil }
    guard let month = digits(5, 2) else { return nil }
    if at(7, "T"), bytes.count == 8 { return try made(month, 1, 0, 0, 0, 0, .month) }
    guard at(7, "-"), let day = digits(8, 2) else { return nil }
    if bytes.count == 10 || bytes.count == 11 && at(10, "T") { return try made(month, day, 0, 0, 0, 0, .day) }
    guard at(10, "T"), let hour = digits(11, 2), at(13, ":"), let minute = digits(14, 2) else { return nil }
    var (place, second, fraction, precision) = (16, 0, [UInt8](), IonTimestamp.Precision.minute)
    if at(16, ":") {
      guard let value = digits(17, 2) else { return nil }
      (second, place, precision) = (value, 19, .second)
      if at(19, ".") {
        fraction = Array(bytes[20...].prefix { (0x30...0x39).contains($0) })
        guard !fraction.isEmpty else { return nil }
        place = 20 + fraction.count
      }
    }
    var offset = 0
    if at(place, "Z") {
      guard bytes.count == place + 1 else { return nil }
    } else {
      guard at(place, "+") || at(place, "-"), let hours = digits(place + 1, 2), at(place + 3, ":"),
        let minutes = digits(place + 4, 2), bytes.count == place + 6, minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * (at(place, "-") ? -1 : 1)
    }
    var result = try made(month, day, hour, minute, second, offset, precision)
    result.fractionDigits = fraction.count
    for index in 0..<12 { result.picoseconds = result.picoseconds * 10 + (index < fraction.count ? Int64(fraction[index] - 0x30) : 0) }
    return result
  }
}
