import CKernels
import Columnar
import Glibc
import QueryErrors

/// How texts become values; differs by SerDe and by whether the type was declared or inferred.
struct ValuePolicy: Sendable {
  /// Refuses forms that a type would lose: leading zeros, plus signs, digits past a timestamp's precision.
  var isStrict = false
  /// Takes blanks around numbers, dates and booleans off.
  var trimsBlanks = false
  /// An empty text of a type other than a string is NULL, not malformed.
  var emptyIsNull = false
  /// Malformed values are NULL instead of an error.
  var malformedIsNull = false
  /// Dates as days and timestamps as milliseconds since 1970 (OpenCSVSerde).
  var readsEpochNumbers = false
  /// Binary columns hold base64.
  var decodesBase64 = false
  /// Integers may be written as numbers of any form without a fraction: `1.0`, `1e3` (JSON).
  var acceptsIntegralNumbers = false
  /// Timestamps may end in `Z` or an offset, which is taken off, or be whole seconds or milliseconds since 1970 (JSON).
  var acceptsInstants = false
  /// Further forms of timestamps (`timestamp.formats`).
  var timestampPatterns: [DateTimePattern] = []
  /// Further forms of dates.
  var datePatterns: [DateTimePattern] = []
  /// Ill-formed UTF-8 is replaced by U+FFFD instead of an error.
  var repairsUTF8 = true
}

extension ValuePolicy {
  /// A timestamp in one of the forms that only some tables know; `ok` is set to whether it is one.
  func otherTimestamp(_ p: UnsafePointer<UInt8>, _ n: Int, _ ok: inout Bool) -> DateTimeText.Instant {
    for pattern in timestampPatterns {
      if let instant = pattern.parse(p, n) {
        ok = true
        return instant
      }
    }
    ok = false
    if acceptsInstants { return DateTimeText.instant(p, n, &ok) }
    return DateTimeText.Instant(days: 0, seconds: 0, picoseconds: 0, fractionDigits: 0)
  }
}

/// Turns the texts of one column into values, a batch at a time.
///
/// - Threads: one owner.
final class ValueConverter {
  let type: DataType
  let policy: ValuePolicy
  private var status: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  /// Whether malformed texts are NULL and told in `malformed`, instead of ending the conversion.
  var collectsMalformed = false
  /// Rows of the last conversion whose texts are malformed.
  private(set) var malformed: [Int] = []

  /// Whether text values of the type can be read.
  static func supports(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar, .char, .varbinary, .date,
      .timestamp, .timestampWithTimeZone, .json, .unknown:
      true
    default: false
    }
  }

  init(_ type: DataType, _ policy: ValuePolicy, capacity: Int) {
    self.type = type
    self.policy = policy
    self.capacity = capacity
    status = .allocate(capacity: capacity + 16)
  }

  deinit { status.deallocate() }

  /// The values of the first `count` texts.
  ///
  /// - Parameters:
  ///   - isASCII: whether no text has a byte above 127.
  ///   - owner: keeps the texts' memory alive.
  ///   - failure: set to the first row whose text is malformed, when that is an error.
  func convert(_ spans: TextSpans, count: Int, isASCII: Bool, owner: AnyObject, failure: inout Int?) -> Column {
    malformed.removeAll(keepingCapacity: true)
    if type == .unknown { return .nulls(type, count: count) }
    if count > capacity {
      status.deallocate()
      capacity = max(count, capacity * 2)
      status = .allocate(capacity: capacity + 16)
    }
    if type.physicalType == .string { return convertStrings(spans, count, isASCII, owner, &failure) }
    let values = Buffer(byteCount: count * type.physicalType.byteWidth)
    var seen = parse(spans, count, values)
    if seen & 2 != 0, policy.trimsBlanks {
      var changed = false
      for row in 0..<count where status[row] == 2 { changed = spans.trim(row) || changed }
      if changed { seen = parse(spans, count, values) }
    }
    if seen & 2 != 0, !policy.malformedIsNull, collectsMalformed {
      malformed = (0..<count).filter { status[$0] == 2 }
    } else if seen & 2 != 0, !policy.malformedIsNull {
      failure = (0..<count).first { status[$0] == 2 }
      return .nulls(type, count: count)
    }
    _ = spans.takeHeap()
    return Column(flat: type, count: count, values: values, validity: seen == 0 ? nil : validity(count))
  }

  /// Rows whose status is 0.
  private func validity(_ count: Int) -> Bitmap {
    let bitmap = Bitmap(count: count, buffer: Buffer(byteCount: ((count + 63) >> 6) * 8))
    let (words, status) = (bitmap.words, status)
    var row = 0
    while row < count {
      let end = min(row &+ 64, count)
      var word: UInt64 = 0
      var k = row
      while k < end {
        word |= UInt64(truncatingIfNeeded: bit(status[k] == 0)) &<< UInt64(k & 63)
        k &+= 1
      }
      words[row >> 6] = word
      row = end
    }
    return bitmap
  }

  // MARK: Fixed-width values

  /// Writes values and status; returns the status of all rows or-ed together.
  private func parse(_ spans: TextSpans, _ count: Int, _ values: Buffer) -> UInt8 {
    let strict = policy.isStrict
    let integral = policy.acceptsIntegralNumbers
    switch type {
    case .boolean:
      return run(spans, count, values.typed(UInt8.self)) { (p, n, ok) in ValueConverter.boolean(p, n, &ok) }
    case .tinyint:
      return run(spans, count, values.typed(Int8.self)) { (p, n, ok) in
        let value = ValueConverter.integer(p, n, strict, integral, &ok)
        if value != Int64(Int8(truncatingIfNeeded: value)) { ok = false }
        return Int8(truncatingIfNeeded: value)
      }
    case .smallint:
      return run(spans, count, values.typed(Int16.self)) { (p, n, ok) in
        let value = ValueConverter.integer(p, n, strict, integral, &ok)
        if value != Int64(Int16(truncatingIfNeeded: value)) { ok = false }
        return Int16(truncatingIfNeeded: value)
      }
    case .integer:
      return run(spans, count, values.typed(Int32.self)) { (p, n, ok) in
        let value = ValueConverter.integer(p, n, strict, integral, &ok)
        if value != Int64(Int32(truncatingIfNeeded: value)) { ok = false }
        return Int32(truncatingIfNeeded: value)
      }
    case .bigint:
      return run(spans, count, values.typed(Int64.self)) { (p, n, ok) in
        ValueConverter.integer(p, n, strict, integral, &ok)
      }
    case .real:
      return run(spans, count, values.typed(Float.self)) { (p, n, ok) in NumberText.float(p, n, &ok) }
    case .double:
      if strict {
        return run(spans, count, values.typed(Double.self)) { (p, n, ok) in
          if ValueConverter.hasLostForm(p, n) { ok = false }
          return NumberText.double(p, n, &ok)
        }
      }
      return run(spans, count, values.typed(Double.self)) { (p, n, ok) in NumberText.double(p, n, &ok) }
    case .decimal(let precision, let scale):
      if type.physicalType == .int64 {
        return run(spans, count, values.typed(Int64.self)) { (p, n, ok) in
          var outcome = NumberText.DecimalOutcome.exact
          let value = NumberText.decimal64(p, n, precision: precision, scale: scale, &outcome)
          if outcome != .exact, outcome != .rounded || strict { ok = false }
          return value
        }
      }
      return run(spans, count, values.typed(Int128.self)) { (p, n, ok) in
        var outcome = NumberText.DecimalOutcome.exact
        let value = NumberText.decimal128(p, n, precision: precision, scale: scale, &outcome)
        if outcome != .exact, outcome != .rounded || strict { ok = false }
        if strict, ValueConverter.hasLostForm(p, n) { ok = false }
        return value
      }
    case .date:
      if policy.readsEpochNumbers {
        return run(spans, count, values.typed(Int32.self)) { (p, n, ok) in
          var isNumber = true
          let value = NumberText.integer(p, n, isStrict: false, &isNumber)
          if !isNumber { return DateTimeText.date(p, n, isStrict: true, &ok) }
          if value != Int64(Int32(truncatingIfNeeded: value)) { ok = false }
          return Int32(truncatingIfNeeded: value)
        }
      }
      if !policy.datePatterns.isEmpty {
        let patterns = policy.datePatterns
        return run(spans, count, values.typed(Int32.self)) { (p, n, ok) in
          for pattern in patterns { if let instant = pattern.parse(p, n) { return Int32(clamping: instant.days) } }
          return DateTimeText.date(p, n, isStrict: strict, &ok)
        }
      }
      return run(spans, count, values.typed(Int32.self)) { (p, n, ok) in
        DateTimeText.date(p, n, isStrict: strict, &ok)
      }
    case .timestamp(let precision):
      let epoch = policy.readsEpochNumbers
      let policy = policy
      let fallsBack = policy.acceptsInstants || !policy.timestampPatterns.isEmpty
      if type.physicalType == .int64 {
        return run(spans, count, values.typed(Int64.self)) { (p, n, ok) in
          if epoch {
            var isNumber = true
            let value = NumberText.integer(p, n, isStrict: false, &isNumber)
            if isNumber {
              let (micros, isOver) = value.multipliedReportingOverflow(by: 1000)
              if isOver { ok = false }
              return micros
            }
          }
          var isExact = true
          var instant = DateTimeText.timestamp(p, n, isStrict: strict, &ok)
          if !ok, fallsBack { instant = policy.otherTimestamp(p, n, &ok) }
          let micros = DateTimeText.microseconds(instant, precision: precision, &isExact)
          if strict, !isExact { ok = false }
          return micros
        }
      }
      return run(spans, count, values.typed(Int128.self)) { (p, n, ok) in
        var isExact = true
        var instant = DateTimeText.timestamp(p, n, isStrict: strict, &ok)
        if !ok, fallsBack { instant = policy.otherTimestamp(p, n, &ok) }
        return DateTimeText.picoseconds(instant, precision: precision, &isExact)
      }
    case .timestampWithTimeZone(let precision):
      return run(spans, count, values.typed(Int128.self)) { (p, n, ok) in
        guard let (local, zone) = DateTimeText.zoned(p, n) else {
          ok = false
          return 0
        }
        var isExact = true
        let picos = DateTimeText.picoseconds(local, precision: precision, &isExact)
        if strict, !isExact { ok = false }
        let offset = Int128((zone.fixedOffsetMinutes ?? 0) * 60) * ZonedTimestamp.picosPerSecond
        let value = ZonedTimestamp.pack(utcPicos: picos - offset, zone)
        if !ZonedTimestamp.fits(value, precision: precision) { ok = false }
        return value
      }
    default: preconditionFailure("no text values of \(type)")
    }
  }

  /// Parses every text; malformed ones get status 2, NULL ones 1.
  @inline(__always)
  private func run<T: ExpressibleByIntegerLiteral & BitwiseCopyable>(
    _ spans: TextSpans, _ count: Int, _ out: UnsafeMutablePointer<T>,
    _ parse: (UnsafePointer<UInt8>, Int, inout Bool) -> T
  ) -> UInt8 {
    let (starts, lengths, status) = (spans.starts, spans.lengths, status)
    let emptyStatus: UInt8 = policy.emptyIsNull ? 1 : 2
    var seen: UInt8 = 0
    var i = 0
    while i < count {
      let n = Int(lengths[i])
      var code: UInt8
      if n > 0 {
        var ok = true
        out[i] = parse(starts[i], n, &ok)
        code = ok ? 0 : 2
      } else {
        out[i] = 0
        code = n < 0 ? 1 : emptyStatus
      }
      status[i] = code
      seen |= code
      i &+= 1
    }
    return seen
  }

  @inline(__always)
  private static func integer(
    _ p: UnsafePointer<UInt8>, _ n: Int, _ strict: Bool, _ integral: Bool, _ ok: inout Bool
  ) -> Int64 {
    var isPlain = true
    let value = NumberText.integer(p, n, isStrict: strict, &isPlain)
    if isPlain { return value }
    if integral, !hasLostForm(p, n) { return integralNumber(p, n, &ok) }
    ok = false
    return 0
  }

  /// A number of any form that has no fraction.
  @inline(never)
  private static func integralNumber(_ p: UnsafePointer<UInt8>, _ n: Int, _ ok: inout Bool) -> Int64 {
    var outcome = NumberText.DecimalOutcome.exact
    let value = NumberText.decimal128(p, n, precision: 38, scale: 0, &outcome)
    ok = ok && outcome == .exact && value == Int128(Int64(truncatingIfNeeded: value))
    return Int64(truncatingIfNeeded: value)
  }

  @inline(__always)
  static func boolean(_ p: UnsafePointer<UInt8>, _ n: Int, _ ok: inout Bool) -> UInt8 {
    let word = UnsafeRawPointer(p).loadUnaligned(as: UInt32.self).littleEndian | 0x2020_2020
    if n == 4, word == 0x6575_7274 { return 1 }
    if n == 5, word == 0x736c_6166, p[4] | 0x20 == 0x65 { return 0 }
    ok = false
    return 0
  }

  /// Whether a number type would lose how the text is written: `007`, `+5`.
  @inline(__always)
  static func hasLostForm(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
    let at = p[0] == 0x2d ? 1 : 0
    if p[0] == 0x2b { return true }
    return n > at &+ 1 && p[at] == 0x30 && p[at &+ 1] &- 0x30 <= 9
  }

  // MARK: Strings

  private func convertStrings(
    _ spans: TextSpans, _ count: Int, _ isASCII: Bool, _ owner: AnyObject, _ failure: inout Int?
  ) -> Column {
    let (starts, lengths, status) = (spans.starts, spans.lengths, status)
    if !isASCII, type != .varbinary {
      for row in 0..<count where lengths[row] > 0 {
        let n = Int(lengths[row])
        if ck_utf8_valid_prefix(starts[row], n) == n { continue }
        guard policy.repairsUTF8 else {
          if collectsMalformed {
            malformed.append(row)
            lengths[row] = -1
            continue
          }
          failure = row
          return .nulls(type, count: count)
        }
        ValueConverter.repair(spans, row)
      }
    }
    switch type {
    case .varchar(let length?): for row in 0..<count { ValueConverter.truncate(spans, row, length) }
    case .char(let length):
      for row in 0..<count {
        ValueConverter.truncate(spans, row, length)
        while lengths[row] > 0, starts[row][Int(lengths[row]) - 1] == 0x20 { lengths[row] -= 1 }
      }
    case .varbinary where policy.decodesBase64: for row in 0..<count { ValueConverter.decodeBase64(spans, row) }
    default: break
    }
    let values = Buffer(byteCount: count * 16)
    let out = values.typed(StringView.self)
    var nulls: UInt8 = 0
    var hasLong = false
    var i = 0
    while i < count {
      let n = Int(lengths[i])
      if n >= 0 {
        out[i] = StringView(starts[i], count: n)
        status[i] = 0
        hasLong = hasLong || n > 12
      } else {
        out[i] = StringView()
        status[i] = 1
        nulls = 1
      }
      i &+= 1
    }
    var heap: StringHeap?
    if hasLong { heap = StringHeap.union(StringHeap([owner]), spans.takeHeap()) } else { _ = spans.takeHeap() }
    return Column(flat: type, count: count, values: values, validity: nulls == 0 ? nil : validity(count), heap: heap)
  }

  /// Replaces ill-formed sequences by U+FFFD.
  private static func repair(_ spans: TextSpans, _ row: Int) {
    let bytes = UnsafeBufferPointer(start: spans.starts[row], count: Int(spans.lengths[row]))
    var text = String(decoding: bytes, as: UTF8.self)
    text.withUTF8 { source in
      let to = spans.reserve(source.count)
      memcpy(to, source.baseAddress!, source.count)
      spans.starts[row] = UnsafePointer<UInt8>(to)
      spans.lengths[row] = Int32(source.count)
    }
  }

  /// Cuts a text to `length` code points.
  @inline(__always)
  private static func truncate(_ spans: TextSpans, _ row: Int, _ length: Int) {
    let n = Int(spans.lengths[row])
    if n <= length { return }
    let p = spans.starts[row]
    var points = 0
    var at = 0
    while at < n {
      if p[at] & 0xc0 != 0x80 {
        if points == length { break }
        points &+= 1
      }
      at &+= 1
    }
    spans.lengths[row] = Int32(at)
  }

  /// Puts decoded bytes in place of base64; other texts stay as they are.
  private static func decodeBase64(_ spans: TextSpans, _ row: Int) {
    let n = Int(spans.lengths[row])
    if n <= 0 { return }
    let p = spans.starts[row]
    let out = spans.reserve(n)
    guard let count = Base64Text.decode(p, n, into: out) else { return }
    spans.starts[row] = UnsafePointer(out)
    spans.lengths[row] = Int32(count)
  }
}

/// Base64 as RFC 4648 writes it, padding optional.
enum Base64Text {
  /// Decodes into `out`, which has room for `n` bytes; nil when the text is no base64.
  static func decode(_ p: UnsafePointer<UInt8>, _ n: Int, into out: UnsafeMutablePointer<UInt8>) -> Int? {
    var end = n
    while end > 0, n - end < 2, p[end - 1] == 0x3d { end -= 1 }
    if end & 3 == 1 || (end != n && n & 3 != 0) { return nil }
    var word: UInt32 = 0
    var count = 0
    for i in 0..<end {
      let c = p[i]
      let value: UInt8
      switch c {
      case 0x41...0x5a: value = c - 0x41
      case 0x61...0x7a: value = c - 0x61 + 26
      case 0x30...0x39: value = c - 0x30 + 52
      case 0x2b: value = 62
      case 0x2f: value = 63
      default: return nil
      }
      word = (word << 6) | UInt32(value)
      if i & 3 == 3 {
        out[count] = UInt8(truncatingIfNeeded: word >> 16)
        out[count + 1] = UInt8(truncatingIfNeeded: word >> 8)
        out[count + 2] = UInt8(truncatingIfNeeded: word)
        count += 3
        word = 0
      }
    }
    if end & 3 == 2 {
      out[count] = UInt8(truncatingIfNeeded: word >> 4)
      count += 1
    } else if end & 3 == 3 {
      out[count] = UInt8(truncatingIfNeeded: word >> 10)
      out[count + 1] = UInt8(truncatingIfNeeded: word >> 2)
      count += 2
    }
    return count
  }
}
