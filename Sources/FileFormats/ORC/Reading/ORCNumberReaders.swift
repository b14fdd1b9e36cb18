import Columnar
import ObjectStore

/// Decimals: unbounded varints with a scale each, or (precision up to 18, files of version 2) integers of the column's scale.
final class ORCDecimalReader: ORCColumnReader {
  private let type: DataType
  private let wantedScale: Int
  private let limit: Int128
  /// Varints; nil in files of version 2.
  private let varints: ORCStream?
  private let scales: ORCIntegerDecoder?
  private let integers: ORCIntegerDecoder?
  private var scratch = Buffer(byteCount: 0)

  init(_ type: DataType, _ node: ORCNode, _ stripe: ORCStripe) throws(ORCDamage) {
    guard case .decimal(let precision, let scale) = type else { throw ORCDamage("column \(node.id) is a decimal") }
    self.type = type
    wantedScale = scale
    limit = ORCDecimalReader.power(precision)
    let data = try stripe.requiredStream(node.id, .data)
    let isVersion2 = try stripe.encoding(node.id).isVersion2
    if let secondary = try stripe.stream(node.id, .secondary) {
      varints = data
      scales = ORCIntegerDecoder(secondary, isSigned: true, isVersion2: isVersion2)
      integers = nil
    } else {
      varints = nil
      scales = nil
      // Whatever the column's encoding is called.
      integers = ORCIntegerDecoder(data, isSigned: true, isVersion2: true)
    }
    try super.init(node, stripe)
  }

  private static func power(_ exponent: Int) -> Int128 {
    var value: Int128 = 1
    for _ in 0..<exponent { value *= 10 }
    return value
  }

  override func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    let width = type.physicalType.byteWidth
    let values = Buffer(byteCount: count * width)
    if scratch.byteCount < count * 8 { scratch = Buffer(byteCount: max(count * 8, 32 << 10)) }
    let numbers = scratch.typed(Int64.self)
    if let scales { try scales.read(into: numbers, count: count) } else { try integers?.read(into: numbers, count: count) }
    let (short, long) = (values.typed(Int64.self), values.typed(Int128.self))
    for i in 0..<count {
      let unscaled: Int128
      let scale: Int
      if let varints {
        unscaled = try varint(varints)
        scale = Int(clamping: numbers[i])
      } else {
        unscaled = Int128(numbers[i])
        scale = node.scale
      }
      let value = scale == wantedScale ? unscaled : try rescaled(unscaled, from: scale)
      guard value > 0 &- limit, value < limit else { throw ORCDamage("a value does not fit in \(type)") }
      if width == 8 { short[i] = Int64(truncatingIfNeeded: value) } else { long[i] = value }
    }
    let spaced = ORCColumnReader.spread(values, byteWidth: width, count: count, over: rowCount, validity)
    return Column(flat: type, count: rowCount, values: spaced, validity: validity)
  }

  /// Rounds half away from zero, as Trino does.
  private func rescaled(_ value: Int128, from scale: Int) throws(ORCDamage) -> Int128 {
    guard (0...76).contains(scale) else { throw ORCDamage("a decimal has the scale \(scale)") }
    if scale < wantedScale {
      let (product, overflow) = value.multipliedReportingOverflow(by: ORCDecimalReader.power(wantedScale - scale))
      guard !overflow else { throw ORCDamage("a value does not fit in \(type)") }
      return product
    }
    guard scale - wantedScale <= 38 else { return 0 }
    let divisor = ORCDecimalReader.power(scale - wantedScale)
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
    if rest.magnitude >= (divisor.magnitude + 1) / 2 { return value < 0 ? quotient - 1 : quotient + 1 }
    return quotient
  }

  @inline(__always)
  private func varint(_ stream: ORCStream) throws(ORCDamage) -> Int128 {
    let bytes = try stream.ensure(19)
    let p = stream.next
    var low: UInt64 = 0
    var i = 0
    // Nine bytes of seven bits fit in 64.
    while i < min(bytes, 9) {
      let byte = p[i]
      low |= UInt64(byte & 0x7f) &<< UInt64(7 &* i)
      i &+= 1
      if byte < 0x80 {
        stream.advance(i)
        return Int128(Int64(bitPattern: low &>> 1) ^ -Int64(bitPattern: low & 1))
      }
    }
    var wide = UInt128(low)
    while i < bytes {
      let byte = p[i]
      guard i < 18 || byte < 4 else { throw ORCDamage("a decimal has more than 38 digits") }
      wide |= UInt128(byte & 0x7f) &<< UInt128(7 &* i)
      i &+= 1
      if byte < 0x80 {
        stream.advance(i)
        return Int128(bitPattern: wide &>> 1) ^ (0 &- Int128(bitPattern: wide & 1))
      }
    }
    throw ORCDamage("a stream of decimals ends within a number")
  }

  override func skipValues(_ count: Int) throws(ORCDamage) {
    try scales?.skip(count)
    try integers?.skip(count)
    if let varints { for _ in 0..<count { _ = try varint(varints) } }
  }

  override func seekValues(_ positions: inout ORCPositions) throws(ORCDamage) {
    if let varints { try positions.seek(varints) }
    try scales?.seek(&positions)
    try integers?.seek(&positions)
  }
}

/// Timestamps: seconds from the beginning of 2015 in the writer's zone, and nanoseconds without their trailing zeros.
///
/// Those without a zone are shown as the writer's clock did, whatever this process's zone is.
///
/// - Source: ORC Specification v1, "Timestamp Columns"; `TimestampTreeReader` of ORC's Java reader.
final class ORCTimestampReader: ORCColumnReader {
  private let type: DataType
  private let seconds: ORCIntegerDecoder
  private let nanoseconds: ORCIntegerDecoder
  private let zone: TimeZoneKey
  /// The beginning of 2015 in the writer's zone, seconds since 1970-01-01 UTC.
  private let base: Int64
  private var scratch = Buffer(byteCount: 0)

  private static let beginningOf2015: Int64 = 1_420_070_400

  init(_ type: DataType, _ node: ORCNode, _ stripe: ORCStripe) throws(ORCDamage) {
    self.type = type
    let isVersion2 = try stripe.encoding(node.id).isVersion2
    seconds = ORCIntegerDecoder(try stripe.requiredStream(node.id, .data), isSigned: true, isVersion2: isVersion2)
    nanoseconds = ORCIntegerDecoder(try stripe.requiredStream(node.id, .secondary), isSigned: false, isVersion2: isVersion2)
    zone = node.kind == .timestampInstant ? .utc : try stripe.writerZone()
    base = TimeZoneDatabase.rules(zone).utcSeconds(localSeconds: ORCTimestampReader.beginningOf2015)
    try super.init(node, stripe)
  }

  override func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    let width = type.physicalType.byteWidth
    let values = Buffer(byteCount: count * width)
    if scratch.byteCount < count * 16 { scratch = Buffer(byteCount: max(count * 16, 64 << 10)) }
    let (whole, parts) = (scratch.typed(Int64.self), scratch.typed(Int64.self) + count)
    try seconds.read(into: whole, count: count)
    try nanoseconds.read(into: parts, count: count)
    var cursor = TimeZoneCursor(zone)
    for i in 0..<count {
      var instant = whole[i] &+ base
      var nanos = try ORCTimestampReader.nanoseconds(parts[i])
      // Java's writer rounded seconds towards zero; Arrow's writes negative nanoseconds before 1970.
      if instant < 0, nanos > 999_999 { instant &-= 1 }
      if nanos < 0 {
        instant &-= 1
        nanos &+= 1_000_000_000
      }
      let local = zone == .utc ? instant : instant &+ cursor.offset(zone, utcSeconds: instant)
      guard local.magnitude < 1 << 42 else { throw ORCDamage("a timestamp is out of range") }
      store(local, nanos, at: i, values)
    }
    let spaced = ORCColumnReader.spread(values, byteWidth: width, count: count, over: rowCount, validity)
    return Column(flat: type, count: rowCount, values: spaced, validity: validity)
  }

  /// The lowest three bits say how many zeros, if any, were cut off: 1 for two, 2 for three …
  private static func nanoseconds(_ stored: Int64) throws(ORCDamage) -> Int64 {
    let zeros = stored & 7
    var value = stored >> 3
    if zeros != 0 { for _ in 0...zeros { value &*= 10 } }
    guard value > -1_000_000_000, value < 1_000_000_000 else { throw ORCDamage("a timestamp has more than 999,999,999 nanoseconds") }
    return value
  }

  @inline(__always)
  private func store(_ seconds: Int64, _ nanos: Int64, at i: Int, _ values: Buffer) {
    switch type {
    case .timestampWithTimeZone(let precision):
      let picos = ORCTimestampReader.rounded(Int128(seconds) * 1_000_000_000_000 + Int128(nanos) * 1000, precision)
      values.typed(Int128.self)[i] = ZonedTimestamp.pack(utcPicos: picos, .utc)
    case .timestamp(let precision) where precision <= DataType.maxShortTimestampPrecision:
      let unit = ORCTimestampReader.nanosecondUnits[precision]
      let kept = (nanos + unit / 2) / unit * unit
      values.typed(Int64.self)[i] = seconds &* 1_000_000 &+ kept / 1000
    case .timestamp(let precision):
      values.typed(Int128.self)[i] = ORCTimestampReader.rounded(
        Int128(seconds) * 1_000_000_000_000 + Int128(nanos) * 1000, precision)
    default: break
    }
  }

  /// Nanoseconds of one unit, by fraction digits.
  private static let nanosecondUnits: [Int64] = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000]

  private static func rounded(_ picos: Int128, _ precision: Int) -> Int128 {
    if precision >= 9 { return picos }
    var unit: Int128 = 1000
    for _ in precision..<9 { unit *= 10 }
    let shifted = picos + unit / 2
    let rest = shifted % unit
    return shifted - (rest < 0 ? rest + unit : rest)
  }

  override func skipValues(_ count: Int) throws(ORCDamage) {
    try seconds.skip(count)
    try nanoseconds.skip(count)
  }

  override func seekValues(_ positions: inout ORCPositions) throws(ORCDamage) {
    try seconds.seek(&positions)
    try nanoseconds.seek(&positions)
  }
}
