import Columnar
import Glibc
import QueryErrors

/// `format`, in the manner of Java's `String.format`.
///
/// - Source: Trino `FormatFunction`; `java.util.Formatter`.
package enum FormatFunctions: FunctionFamily {
  package static let title = "Formatting"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "format", summary: "The values in a format of Java's String.format.",
      examples: [
        Example("format('%s%%', 123)", "123%"), Example("format('%,.2f', 1234567.891E0)", "1,234,567.89"),
        Example("format('%05d|%-5s|', 42, 'ab')", "00042|ab   |"),
      ],
      overloads: [
        ScalarOverload(
          Signature(
            [.exact(.text), .t], returns: .varchar,
            resolve: { types in
              guard types.count >= 2, types[0].isVarchar || types[0] == .unknown,
                types.dropFirst().allSatisfy({ $0 == .json || CastRegistry.canCast($0, to: .text) })
              else { return nil }
              return SignatureBinding(argumentTypes: [.text] + types.dropFirst(), returnType: .text)
            }), propagatesNulls: false
        ) { (binding: SignatureBinding) throws(QueryError) -> Kernel in
          let types = Array(binding.argumentTypes.dropFirst())
          let values = types.map { FormatValue($0) }
          var known: [UInt8]?
          var template: FormatTemplate?
          let out = TextBuffer()
          return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
            let x = columns[0].view
            return mapRows([columns[0]], n, &context) { row, rows -> StringView in
              let bytes = x.value(row, as: StringView.self).bytes
              do throws(QueryError) {
                let form: FormatTemplate
                if let template, known == bytes {
                  form = template
                } else {
                  form = try FormatTemplate(bytes)
                  template = form
                  known = bytes
                }
                out.removeAll()
                for piece in form.pieces {
                  switch piece {
                  case .literal(let text): text.withUnsafeBufferPointer { out.append($0.baseAddress!, $0.count) }
                  case .specifier(let specifier):
                    guard let argument = specifier.argument else {
                      append("%", specifier, to: out)
                      continue
                    }
                    guard argument < values.count else {
                      throw form.invalid("MissingFormatArgument: Format specifier '\(specifier.text)'")
                    }
                    let text = try values[argument].text(columns[argument + 1], row, specifier, form)
                    append(text, specifier, to: out)
                  }
                }
                return rows.string(out)
              } catch {
                rows.errors.record(row, error)
                known = nil
                return StringView()
              }
            }
          }
        }
      ])
  ]

  /// Appends the text, filled to the field's width.
  private static func append(_ text: String, _ specifier: FormatTemplate.Specifier, to out: TextBuffer) {
    let missing = (specifier.width ?? 0) - text.unicodeScalars.count
    let isLeft = specifier.flags.contains(UInt8(ascii: "-"))
    if missing > 0, !isLeft { out.append(String(repeating: " ", count: missing)) }
    out.append(text)
    if missing > 0, isLeft { out.append(String(repeating: " ", count: missing)) }
  }
}

/// Formats values of one type.
final class FormatValue {
  private let type: DataType
  private let plain: ValueText
  private let buffer = TextBuffer()
  private var cursor = TimeZoneCursor()

  init(_ type: DataType) {
    self.type = type
    plain = ValueText(type, .output)
  }

  /// The text of one value, not yet filled to its width except by zeros.
  func text(
    _ column: Column, _ row: Int, _ specifier: FormatTemplate.Specifier, _ template: FormatTemplate
  ) throws(QueryError) -> String {
    let isUpper = specifier.conversion >= 0x41 && specifier.conversion <= 0x5a
    var text: String
    if column.isNull(row) {
      text = specifier.conversion | 0x20 == UInt8(ascii: "b") ? "false" : "null"
      if let precision = specifier.precision { text = String(text.prefix(precision)) }
      return isUpper ? text.uppercased() : text
    }
    func mismatch() -> QueryError {
      template.invalid(
        "IllegalFormatConversion: \(String(UnicodeScalar(specifier.conversion))) != \(javaClass)")
    }
    switch specifier.conversion | 0x20 {
    case UInt8(ascii: "b"):
      text = type == .boolean && column.view.value(row, as: UInt8.self) == 0 ? "false" : "true"
      if let precision = specifier.precision { text = String(text.prefix(precision)) }
    case UInt8(ascii: "s"):
      if specifier.flags.contains(UInt8(ascii: "#")) { throw template.mismatch(UInt8(ascii: "#"), specifier) }
      text = javaText(column, row)
      if let precision = specifier.precision { text = String(text.prefix(precision)) }
    case UInt8(ascii: "d"):
      guard type.isInteger else { throw mismatch() }
      let value = integer(column, row)
      text = signed(value < 0, grouped("\(value.magnitude)", specifier), specifier)
    case UInt8(ascii: "x"), UInt8(ascii: "o"):
      guard type.isInteger else { throw mismatch() }
      for flag in "( +".utf8 where specifier.flags.contains(flag) { throw template.mismatch(flag, specifier) }
      let radix = specifier.conversion | 0x20 == UInt8(ascii: "x") ? 16 : 8
      text = String(UInt64(bitPattern: integer(column, row)), radix: radix)
      if specifier.flags.contains(UInt8(ascii: "#")) { text = (radix == 16 ? "0x" : "0") + text }
      if specifier.flags.contains(UInt8(ascii: "0")) { text = zeroFilled(text, specifier.width ?? 0) }
    case UInt8(ascii: "h"):
      text = String(UInt32(bitPattern: hashCode(column, row)), radix: 16)
      if let precision = specifier.precision { text = String(text.prefix(precision)) }
    // Trino hands every integer over as a Long, of which Java makes no character.
    case UInt8(ascii: "c"): throw mismatch()
    case UInt8(ascii: "f"), UInt8(ascii: "e"), UInt8(ascii: "g"):
      guard let floating = try floating(column, row, specifier) else { throw mismatch() }
      text = floating
    case UInt8(ascii: "t"):
      guard let field = try dateField(column, row, specifier.dateField) else { throw mismatch() }
      text = field
    default:
      guard let hexadecimal = hexadecimal(column, row, specifier) else { throw mismatch() }
      text = hexadecimal
    }
    return isUpper ? text.uppercased() : text
  }

  /// The name of the Java class that Trino hands a value of this type over as.
  private var javaClass: String {
    switch type {
    case .boolean: "java.lang.Boolean"
    case .tinyint, .smallint, .integer, .bigint: "java.lang.Long"
    case .real: "java.lang.Float"
    case .double: "java.lang.Double"
    case .decimal: "java.math.BigDecimal"
    case .date: "java.time.LocalDate"
    case .time: "java.time.LocalTime"
    case .timestamp: "java.time.LocalDateTime"
    case .timestampWithTimeZone: "java.time.ZonedDateTime"
    default: "java.lang.String"
    }
  }

  /// Java's `hashCode` of what Trino hands over.
  private func hashCode(_ column: Column, _ row: Int) -> Int32 {
    func folded(_ bits: UInt64) -> Int32 { Int32(truncatingIfNeeded: bits ^ (bits >> 32)) }
    let view = column.view
    switch type {
    case .boolean: return view.value(row, as: UInt8.self) != 0 ? 1231 : 1237
    case .tinyint, .smallint, .integer, .bigint: return folded(UInt64(bitPattern: integer(column, row)))
    case .real:
      let value = view.value(row, as: Float.self)
      return Int32(bitPattern: value.isNaN ? 0x7fc0_0000 : value.bitPattern)
    case .double:
      let value = view.value(row, as: Double.self)
      return folded(value.isNaN ? 0x7ff8_0000_0000_0000 : value.bitPattern)
    default: return javaText(column, row).utf16.reduce(0) { $0 &* 31 &+ Int32($1) }
    }
  }

  private func integer(_ column: Column, _ row: Int) -> Int64 {
    let view = column.view
    switch type {
    case .tinyint: return Int64(view.value(row, as: Int8.self))
    case .smallint: return Int64(view.value(row, as: Int16.self))
    case .integer: return Int64(view.value(row, as: Int32.self))
    default: return view.value(row, as: Int64.self)
    }
  }

  // MARK: Numbers

  private func grouped(_ digits: String, _ specifier: FormatTemplate.Specifier) -> String {
    guard specifier.flags.contains(UInt8(ascii: ",")) else { return digits }
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    let whole = Array(parts[0].utf8)
    var out: [UInt8] = []
    for (k, digit) in whole.enumerated() {
      if k > 0, (whole.count - k) % 3 == 0 { out.append(0x2c) }
      out.append(digit)
    }
    return String(decoding: out, as: UTF8.self) + (parts.count > 1 ? "." + parts[1] : "")
  }

  private func zeroFilled(_ text: String, _ width: Int) -> String {
    let missing = width - text.utf8.count
    return missing > 0 ? String(repeating: "0", count: missing) + text : text
  }

  /// The number with its sign, filled with zeros where asked.
  private func signed(_ isNegative: Bool, _ digits: String, _ specifier: FormatTemplate.Specifier) -> String {
    let flags = specifier.flags
    let hasParentheses = isNegative && flags.contains(UInt8(ascii: "("))
    let sign =
      isNegative
      ? (hasParentheses ? "(" : "-") : flags.contains(UInt8(ascii: "+")) ? "+" : flags.contains(0x20) ? " " : ""
    var text = digits
    if flags.contains(UInt8(ascii: "0")) {
      text = zeroFilled(text, (specifier.width ?? 0) - sign.utf8.count - (hasParentheses ? 1 : 0))
    }
    return sign + text + (hasParentheses ? ")" : "")
  }

  /// `%f`, `%e` and `%g`; nil for types without them.
  private func floating(_ column: Column, _ row: Int, _ specifier: FormatTemplate.Specifier) throws(QueryError) -> String? {
    let view = column.view
    let precision = specifier.precision ?? 6
    let conversion = specifier.conversion | 0x20
    let value: Double
    switch type {
    case .double: value = view.value(row, as: Double.self)
    case .real: value = Double(view.value(row, as: Float.self))
    case .decimal(_, let scale):
      let unscaled = DecimalColumn(column)[row]
      if conversion == UInt8(ascii: "f") {
        // Exact, halves up.
        var digits = [UInt8](repeating: 0, count: 64)
        var magnitude = unscaled < 0 ? 0 &- unscaled : unscaled
        if precision < scale { magnitude = DecimalMath.divideRounded(magnitude, by: DecimalMath.power(scale - precision)) }
        let count = digits.withUnsafeMutableBufferPointer {
          NumberText.writeDecimal(magnitude, scale: min(scale, precision), to: $0.baseAddress!)
        }
        var text = String(decoding: digits.prefix(count), as: UTF8.self)
        if precision > scale {
          text += (scale == 0 ? "." : "") + String(repeating: "0", count: precision - scale)
        }
        return signed(unscaled < 0, grouped(text, specifier), specifier)
      }
      value = NumericCasts.wideDouble(unscaled, scale)
    default: return nil
    }
    if !value.isFinite {
      let text = value.isNaN ? "NaN" : "Infinity"
      return value.isNaN ? text : signed(value < 0, text, specifier)
    }
    // Java rounds the shortest decimal digits half up; C rounds the exact binary value half to even.
    var buffer = [CChar](repeating: 0, count: 512 + precision)
    func printed(_ form: String, _ precision: Int, _ value: Double) -> String {
      let count = withVaList([Int32(precision), value]) { vsnprintf(&buffer, buffer.count, form, $0) }
      return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    let magnitude = Swift.abs(value)
    switch conversion {
    case UInt8(ascii: "f"):
      return signed(value.sign == .minus, grouped(halfUp(magnitude, precision) ?? printed("%.*f", precision, magnitude), specifier), specifier)
    case UInt8(ascii: "e"): return signed(value.sign == .minus, printed("%.*e", precision, magnitude), specifier)
    default:
      let digits = max(precision, 1)
      // General: scientific below 10⁻⁴ and from 10^precision on.
      let isPlain = magnitude == 0 || (magnitude >= 1e-4 && magnitude < pow(10, Double(digits)))
      if isPlain {
        let exponent = magnitude == 0 ? 0 : Int(floor(log10(magnitude)))
        let text = printed("%.*f", max(0, digits - exponent - 1), magnitude)
        return signed(value.sign == .minus, grouped(text, specifier), specifier)
      }
      return signed(value.sign == .minus, printed("%.*e", digits - 1, magnitude), specifier)
    }
  }

  /// `%a`: as `Double.toHexString`; nil for types without it.
  private func hexadecimal(_ column: Column, _ row: Int, _ specifier: FormatTemplate.Specifier) -> String? {
    let value: Double
    switch type {
    case .double: value = column.view.value(row, as: Double.self)
    case .real: value = Double(column.view.value(row, as: Float.self))
    default: return nil
    }
    if value.isNaN { return "NaN" }
    if value.isInfinite { return signed(value < 0, "Infinity", specifier) }
    var buffer = [CChar](repeating: 0, count: 64 + (specifier.precision ?? 0))
    let magnitude = value.magnitude
    let count =
      specifier.precision.map { precision in
        withVaList([Int32(max(precision, 1)), magnitude]) { vsnprintf(&buffer, buffer.count, "%.*a", $0) }
      } ?? withVaList([magnitude]) { vsnprintf(&buffer, buffer.count, "%a", $0) }
    var text = String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // Java has a digit after the point and no plus sign in the exponent.
    if let exponent = text.firstIndex(of: "p") {
      var mantissa = String(text[..<exponent])
      if !mantissa.contains(".") { mantissa += ".0" }
      text = mantissa + "p" + text[text.index(after: exponent)...].drop { $0 == "+" }
    }
    return signed(value.sign == .minus, text, specifier)
  }

  /// The shortest digits of a number, rounded half up to so many decimals; nil when they need an exponent.
  private func halfUp(_ magnitude: Double, _ precision: Int) -> String? {
    guard magnitude < 1e15, precision <= 20, magnitude >= 1e-3 || magnitude == 0 else { return nil }
    let text = Array("\(magnitude)".utf8)
    guard let point = text.firstIndex(of: 0x2e), !text.contains(0x65) else { return nil }
    var digits = text[..<point].map { $0 }
    let fraction = text[(point + 1)...]
    for k in 0..<precision { digits.append(k < fraction.count ? fraction[fraction.startIndex + k] : 0x30) }
    if precision < fraction.count, fraction[fraction.startIndex + precision] >= 0x35 {
      var k = digits.count - 1
      while k >= 0, digits[k] == 0x39 {
        digits[k] = 0x30
        k -= 1
      }
      if k >= 0 { digits[k] += 1 } else { digits.insert(0x31, at: 0) }
    }
    let whole = String(decoding: digits.dropLast(precision), as: UTF8.self)
    return precision == 0 ? whole : whole + "." + String(decoding: digits.suffix(precision), as: UTF8.self)
  }

  // MARK: Text

  /// What Java's `toString` gives.
  private func javaText(_ column: Column, _ row: Int) -> String {
    if let local = localTime(column, row) {
      var text = local.hasDate ? date(local.days) : ""
      if local.hasTime {
        if local.hasDate { text += "T" }
        text += two(local.seconds / 3600) + ":" + two(local.seconds / 60 % 60)
        if local.seconds % 60 != 0 || local.nanos != 0 { text += ":" + two(local.seconds % 60) }
        if local.nanos != 0 {
          var digits = "\(local.nanos)"
          digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
          text += "." + (local.nanos % 1_000_000 == 0 ? digits.prefix(3) : local.nanos % 1000 == 0 ? digits.prefix(6) : digits[...])
        }
      }
      if let offset = local.offset {
        text += offset == 0 ? "Z" : offsetText(offset)
        if local.zoneIsNamed { text += "[\(local.zoneName)]" }
      }
      return text
    }
    buffer.removeAll()
    plain.append(column, row, to: buffer)
    return buffer.string
  }

  private func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

  private func date(_ days: Int) -> String {
    var room = [UInt8](repeating: 0, count: NumberText.maxLength)
    let count = room.withUnsafeMutableBufferPointer { TimestampText.writeDate(days: days, to: $0.baseAddress!) }
    return String(decoding: room.prefix(count), as: UTF8.self)
  }

  private func offsetText(_ seconds: Int) -> String {
    let value = Swift.abs(seconds)
    return (seconds < 0 ? "-" : "+") + two(value / 3600) + ":" + two(value / 60 % 60)
      + (value % 60 == 0 ? "" : ":" + two(value % 60))
  }

  private struct LocalTime {
    var hasDate = true
    var hasTime = true
    var days = 0
    var seconds = 0
    var nanos = 0
    var offset: Int?
    var zoneName = ""
    var zoneIsNamed = false
  }

  /// Date and time of a value, to the nanosecond; nil for other types.
  private func localTime(_ column: Column, _ row: Int) -> LocalTime? {
    let view = column.view
    var local = LocalTime()
    var picos: Int128
    switch type {
    case .date:
      local.hasTime = false
      local.days = Int(view.value(row, as: Int32.self))
      return local
    case .time:
      local.hasDate = false
      picos = Int128(view.value(row, as: Int64.self))
    case .timestamp(let precision):
      picos =
        precision <= DataType.maxShortTimestampPrecision
        ? Int128(view.value(row, as: Int64.self)) * 1_000_000 : view.value(row, as: Int128.self)
    case .timestampWithTimeZone:
      let value = view.value(row, as: Int128.self)
      let key = ZonedTimestamp.key(value)
      let offset = cursor.offset(key, utcSeconds: ZonedTimestamp.utcSeconds(value))
      local.offset = Int(offset)
      local.zoneName = TimeZoneDatabase.name(key)
      local.zoneIsNamed = key == .utc || key.fixedOffsetMinutes == nil
      picos = ZonedTimestamp.utcPicos(value) + Int128(offset) * ZonedTimestamp.picosPerSecond
    default: return nil
    }
    picos = TimestampText.round(picos, toPrecision: 9)
    local.days = Int(TimeFields.floorDay(picos))
    let ofDay = Int64(truncatingIfNeeded: picos - Int128(local.days) * TimeFields.picosPerDay)
    local.seconds = Int(ofDay / TimestampText.picosPerSecond)
    local.nanos = Int(ofDay % TimestampText.picosPerSecond / 1000)
    return local
  }

  /// A zone's short name: the id of a fixed offset, UTC for UTC.
  ///
  /// - Throws: `NOT_SUPPORTED` for zones with a name, whose abbreviations are Java's own.
  private func zoneAbbreviation(_ local: LocalTime) throws(QueryError) -> String {
    if !local.zoneIsNamed { return offsetText(local.offset ?? 0) }
    if local.zoneName == "UTC" { return "UTC" }
    throw .notSupported("format knows no short name of the time zone \(local.zoneName)")
  }

  /// What `%t` and a letter give; nil when the value does not have it.
  private func dateField(_ column: Column, _ row: Int, _ field: UInt8) throws(QueryError) -> String? {
    guard let local = localTime(column, row) else { return nil }
    let (year, month, day) = CalendarDate.civil(local.days)
    let (hour, minute, second) = (local.seconds / 3600, local.seconds / 60 % 60, local.seconds % 60)
    func padded(_ value: Int, _ digits: Int) -> String {
      let text = "\(value.magnitude)"
      return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
    let clock = hour % 12 == 0 ? 12 : hour % 12
    if local.hasTime {
      switch field {
      case UInt8(ascii: "H"): return two(hour)
      case UInt8(ascii: "I"): return two(clock)
      case UInt8(ascii: "k"): return "\(hour)"
      case UInt8(ascii: "l"): return "\(clock)"
      case UInt8(ascii: "M"): return two(minute)
      case UInt8(ascii: "S"): return two(second)
      case UInt8(ascii: "L"): return padded(local.nanos / 1_000_000, 3)
      case UInt8(ascii: "N"): return padded(local.nanos, 9)
      case UInt8(ascii: "p"): return hour < 12 ? "am" : "pm"
      case UInt8(ascii: "R"): return two(hour) + ":" + two(minute)
      case UInt8(ascii: "T"): return two(hour) + ":" + two(minute) + ":" + two(second)
      case UInt8(ascii: "r"):
        return two(clock) + ":" + two(minute) + ":" + two(second) + (hour < 12 ? " AM" : " PM")
      default: break
      }
    }
    guard local.hasDate else { return nil }
    if let offset = local.offset {
      let utc = local.days * 86_400 + local.seconds - offset
      switch field {
      case UInt8(ascii: "s"): return "\(utc)"
      case UInt8(ascii: "Q"): return "\(utc * 1000 + local.nanos / 1_000_000)"
      case UInt8(ascii: "z"):
        return (offset < 0 ? "-" : "+") + two(Swift.abs(offset) / 3600) + two(Swift.abs(offset) / 60 % 60)
      case UInt8(ascii: "Z"): return try zoneAbbreviation(local)
      case UInt8(ascii: "c"):
        let parts = "abdTZY".utf8.compactMap { try? dateField(column, row, $0) }
        return parts.count == 6 ? parts.joined(separator: " ") : nil
      default: break
      }
    }
    switch field {
    case UInt8(ascii: "Y"): return padded(year, 4)
    case UInt8(ascii: "y"): return two(Int(year.magnitude % 100))
    case UInt8(ascii: "C"): return two(Int(year.magnitude / 100))
    case UInt8(ascii: "m"): return two(month)
    case UInt8(ascii: "d"): return two(day)
    case UInt8(ascii: "e"): return "\(day)"
    case UInt8(ascii: "j"): return padded(CalendarDate.dayOfYear(local.days), 3)
    case UInt8(ascii: "B"): return DateTimePattern.monthNames[month - 1]
    case UInt8(ascii: "b"), UInt8(ascii: "h"): return String(DateTimePattern.monthNames[month - 1].prefix(3))
    case UInt8(ascii: "A"): return DateTimePattern.weekdayNames[CalendarDate.isoWeekday(local.days) - 1]
    case UInt8(ascii: "a"): return String(DateTimePattern.weekdayNames[CalendarDate.isoWeekday(local.days) - 1].prefix(3))
    case UInt8(ascii: "D"): return two(month) + "/" + two(day) + "/" + two(Int(year.magnitude % 100))
    case UInt8(ascii: "F"): return padded(year, 4) + "-" + two(month) + "-" + two(day)
    default: return nil
    }
  }
}
