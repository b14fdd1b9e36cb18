import Columnar

/// Makes SQL values of Ion ones.
///
/// - Source: amazon-ion/ion-hive3-serde: which Ion types are read as which Hive types.
struct IonConversion: Sendable {
  /// Numbers that do not fit are errors; else their low bits are taken.
  var failsOnOverflow = true
  var isCaseSensitive = false

  /// nil: the value cannot be one of the type.
  func scalar(_ value: IonValue, _ type: DataType) -> Scalar? {
    switch (value, type) {
    case (.null, _), (_, .unknown): return .null
    case (.boolean(let flag), .boolean): return .boolean(flag)
    case (_, .tinyint): return whole(value, Int8.self)
    case (_, .smallint): return whole(value, Int16.self)
    case (_, .integer): return whole(value, Int32.self)
    case (_, .bigint): return whole(value, Int64.self)
    case (_, .double): return number(value).map { .double($0) }
    case (_, .real): return number(value).map { .real(Float($0)) }
    case (_, .decimal(let precision, let scale)): return decimal(value, precision, scale, isShort: type.physicalType == .int64)
    case (.timestamp(let time), .date): return Int32(exactly: time.days).map { .integer(Int64($0)) }
    case (.timestamp(let time), .timestamp(let precision)): return timestamp(time, precision)
    case (.blob(let bytes), .varbinary), (.clob(let bytes), .varbinary): return .bytes(bytes)
    case (.list(let items), .array(let element)):
      var values: [Scalar] = []
      for item in items {
        guard let value = scalar(item, element) else { return nil }
        values.append(value)
      }
      return .array(values)
    case (.structure(let fields), .map(let key, let own)):
      var entries: [Scalar.MapEntry] = []
      for (name, item) in fields {
        guard case .varchar = key, let value = scalar(item, own) else { return nil }
        entries.removeAll { $0.key == .string(name) }
        entries.append(Scalar.MapEntry(key: .string(name), value: value))
      }
      return .map(entries)
    case (.structure(let fields), .row(let wanted)):
      var values: [Scalar] = []
      for (index, field) in wanted.enumerated() {
        let found = field.name.map { name in member(fields, name) } ?? (fields.indices.contains(index) ? fields[index].value : nil)
        guard let value = scalar(found ?? .null, field.type) else { return nil }
        values.append(value)
      }
      return .row(values)
    case (.blob, .varchar), (.blob, .char): return nil
    case (_, .varchar(let limit)): return .bytes(IonConversion.cut(IonText.bytes(value), limit, isChar: false))
    case (_, .char(let limit)): return .bytes(IonConversion.cut(IonText.bytes(value), limit, isChar: true))
    default: return nil
    }
  }

  /// A field of a struct, the last of that name.
  func member(_ fields: [(name: String, value: IonValue)], _ name: String) -> IonValue? {
    if let exact = fields.last(where: { $0.name == name }) { return exact.value }
    if isCaseSensitive { return nil }
    let lower = name.lowercased()
    return fields.last { $0.name.lowercased() == lower }?.value
  }

  private func whole<T: FixedWidthInteger>(_ value: IonValue, _: T.Type) -> Scalar? {
    let number: Int128
    switch value {
    case .integer(let own): number = own
    case .decimal(let coefficient, let exponent):
      guard let own = IonConversion.rescaled(coefficient, exponent, scale: 0, rounds: false) else { return nil }
      number = own
    default: return nil
    }
    if let fitting = T(exactly: number) { return .integer(Int64(fitting)) }
    return failsOnOverflow ? nil : .integer(Int64(T(truncatingIfNeeded: number)))
  }

  private func number(_ value: IonValue) -> Double? {
    switch value {
    case .float(let own): own
    case .integer(let own): Double(own)
    case .decimal(let coefficient, let exponent): Double("\(coefficient)e\(exponent)")
    default: nil
    }
  }

  private func decimal(_ value: IonValue, _ precision: Int, _ scale: Int, isShort: Bool) -> Scalar? {
    let (coefficient, exponent): (Int128, Int)
    switch value {
    case .integer(let own): (coefficient, exponent) = (own, 0)
    case .decimal(let own, let power): (coefficient, exponent) = (own, power)
    default: return nil
    }
    guard let result = IonConversion.rescaled(coefficient, exponent, scale: scale, rounds: true),
      result.magnitude < DecimalMath.power(precision).magnitude || precision == 38
    else { return nil }
    return isShort ? .integer(Int64(result)) : .int128(result)
  }

  /// The unscaled value at another scale; nil when it does not fit, or loses digits where it must not.
  private static func rescaled(_ coefficient: Int128, _ exponent: Int, scale: Int, rounds: Bool) -> Int128? {
    let shift = exponent + scale
    if coefficient == 0 { return 0 }
    if shift >= 0 {
      guard shift <= 38 else { return nil }
      let (result, overflow) = coefficient.multipliedReportingOverflow(by: DecimalMath.power(shift))
      return overflow ? nil : result
    }
    guard shift >= -38 else { return rounds ? 0 : nil }
    let divisor = DecimalMath.power(-shift)
    let (quotient, rest) = coefficient.quotientAndRemainder(dividingBy: divisor)
    if rest == 0 { return quotient }
    guard rounds else { return nil }
    return rest.magnitude >= divisor.magnitude - rest.magnitude ? quotient + (coefficient < 0 ? -1 : 1) : quotient
  }

  private func timestamp(_ time: IonTimestamp, _ precision: Int) -> Scalar? {
    // Digits past the type's precision are rounded.
    let unit = Int128(DecimalMath.power(12 - min(precision, 12)))
    let picos = (Int128(time.days) * 86_400 + Int128(time.seconds)) * 1_000_000_000_000 + Int128(time.picoseconds)
    let shifted = picos + unit / 2
    let rest = shifted % unit
    let rounded = shifted - (rest < 0 ? rest + unit : rest)
    if precision <= DataType.maxShortTimestampPrecision { return .integer(Int64(rounded / 1_000_000)) }
    return .int128(rounded)
  }

  /// The first `limit` characters, without spaces at the end for char.
  private static func cut(_ bytes: [UInt8], _ limit: Int?, isChar: Bool) -> [UInt8] {
    var result = bytes
    if let limit, bytes.count > limit {
      var (points, end) = (0, 0)
      while end < bytes.count {
        if bytes[end] & 0xc0 != 0x80 {
          if points == limit { break }
          points += 1
        }
        end += 1
      }
      result = Array(bytes[..<end])
    }
    if isChar { while result.last == 0x20 { result.removeLast() } }
    return result
  }
}

/// Values as text: strings as they are, all others as Ion writes them.
enum IonText {
  static func bytes(_ value: IonValue) -> [UInt8] {
    switch value {
    case .text(let bytes), .clob(let bytes): return bytes
    default:
      var out = ""
      write(value, to: &out)
      return Array(out.utf8)
    }
  }

  private static func write(_ value: IonValue, to out: inout String) {
    switch value {
    case .null: out += "null"
    case .boolean(let flag): out += flag ? "true" : "false"
    case .integer(let number): out += "\(number)"
    case .float(let number):
      if number.isNaN {
        out += "nan"
      } else if number.isInfinite {
        out += number < 0 ? "-inf" : "+inf"
      } else {
        let text = "\(number)"
        out += text.contains("e") ? text : text + "e0"
      }
    case .decimal(let coefficient, let exponent):
      if exponent > 0 || exponent < -60 {
        out += "\(coefficient)d\(exponent)"
      } else {
        var digits = String(coefficient.magnitude)
        let scale = -exponent
        if digits.utf8.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits }
        digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale))
        out += (coefficient < 0 ? "-" : "") + digits
      }
    case .timestamp(let time): out += text(time)
    case .text(let bytes), .clob(let bytes): quote(String(decoding: bytes, as: UTF8.self), to: &out)
    case .blob(let bytes): out += "{{" + base64(bytes) + "}}"
    case .list(let items):
      out += "["
      for (index, item) in items.enumerated() {
        if index > 0 { out += "," }
        write(item, to: &out)
      }
      out += "]"
    case .structure(let fields):
      out += "{"
      for (index, field) in fields.enumerated() {
        if index > 0 { out += "," }
        quote(field.name, to: &out)
        out += ":"
        write(field.value, to: &out)
      }
      out += "}"
    }
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let text = "\(number)"
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }

  private static func text(_ time: IonTimestamp) -> String {
    let (year, month, day) = CalendarDate.civil(time.days)
    switch time.precision {
    case .year: return padded(year, 4) + "T"
    case .month: return padded(year, 4) + "-" + padded(month, 2) + "T"
    case .day: return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2)
    case .minute, .second:
      var out = padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T"
      out += padded(time.seconds / 3600, 2) + ":" + padded(time.seconds / 60 % 60, 2)
      if time.precision == .second { out += ":" + padded(time.seconds % 60, 2) }
      if time.fractionDigits > 0 { out += "." + padded(Int(time.picoseconds), 12).prefix(time.fractionDigits) }
      return out + "Z"
    }
  }

  private static func quote(_ text: String, to out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      default:
        if scalar.value < 0x20 {
          out += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    out += "\""
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var out = ""
    var at = 0
    while at < bytes.count {
      let group = bytes[at..<min(at + 3, bytes.count)]
      var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32((3 - group.count) * 8)
      var text = ""
      for _ in 0..<4 {
        text = String(digits[Int(bits & 63)]) + text
        bits >>= 6
      }
      out += text.prefix(group.count + 1) + String(repeating: "=", count: 3 - group.count)
      at += 3
    }
    return out
  }
}
