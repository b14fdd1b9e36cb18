package import Columnar
import Glibc

/// JSON in its canonical form: no spaces, members sorted by name, the last of equal names kept.
///
///     { "b": 1.50, "a": "\u0041" }   →   {"a":"A","b":1.5}
///
/// - Source: Trino `json_parse`, which prints what Jackson read; doubles as Java prints them.
package enum JSONText {
  /// Appends the canonical form of JSON text; false, and nothing appended, when it is not JSON.
  package static func appendCanonical(_ p: UnsafePointer<UInt8>, _ n: Int, to out: TextBuffer) -> Bool {
    var reader = JSONReader(p, n)
    let start = out.count
    guard appendCanonical(&reader, reader.next(), to: out), reader.next() == .end else {
      out.count = start
      return false
    }
    return true
  }

  /// Appends the canonical form of the value that `token`, just read, begins; false when it is damaged.
  package static func appendCanonical(_ reader: inout JSONReader, _ token: JSONReader.Token, to out: TextBuffer) -> Bool {
    switch token {
    case .null: out.append("null")
    case .true: out.append("true")
    case .false: out.append("false")
    case .integer:
      let bytes = reader.tokenBytes
      if bytes.count == 2, bytes[0] == 0x2d, bytes[1] == 0x30 {
        out.append(0x30)
      } else {
        out.append(bytes.baseAddress!, bytes.count)
      }
    case .decimal:
      let bytes = reader.tokenBytes
      if isExactDecimal(bytes) {
        out.append(bytes.baseAddress!, bytes.count)
      } else {
        let value = NumberText.parseDouble(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count)
        appendNumber(value ?? 0, to: out)
      }
    case .string: appendToken(reader, to: out)
    case .beginArray: return appendArray(&reader, to: out, appendCanonical)
    case .beginObject: return appendObject(&reader, to: out)
    default: return false
    }
    return true
  }

  /// Appends a value without spaces, its members in the order they stand in; false when it is damaged.
  package static func appendCompact(_ reader: inout JSONReader, _ token: JSONReader.Token, to out: TextBuffer) -> Bool {
    switch token {
    case .beginArray: return appendArray(&reader, to: out, appendCompact)
    case .beginObject:
      out.append(0x7b)
      var isFirst = true
      while true {
        let next = reader.next()
        if next == .endObject { break }
        guard next == .key else { return false }
        if !isFirst { out.append(0x2c) }
        isFirst = false
        appendToken(reader, to: out)
        out.append(0x3a)
        guard appendCompact(&reader, reader.next(), to: out) else { return false }
      }
      out.append(0x7d)
      return true
    default: return appendCanonical(&reader, token, to: out)
    }
  }

  /// Whether a number with a point has more digits than a double holds, yet few enough for a decimal: it stays as it is.
  private static func isExactDecimal(_ bytes: UnsafeRawBufferPointer) -> Bool {
    // A double holds 17 digits; besides them there may be a sign, a point and a zero before it.
    if bytes.count <= 18 { return false }
    var digits = 0
    for byte in bytes {
      if byte | 0x20 == 0x65 { return false }
      if byte >= 0x30, byte <= 0x39, digits > 0 || byte != 0x30 { digits += 1 }
    }
    return digits > 17 && digits <= DataType.maxDecimalPrecision
  }

  private struct Member {
    var start: Int
    var keyEnd: Int
    var end: Int
  }

  /// Appends the rest of an array, its elements written by `appendElement`.
  private static func appendArray(
    _ reader: inout JSONReader, to out: TextBuffer,
    _ appendElement: (inout JSONReader, JSONReader.Token, TextBuffer) -> Bool
  ) -> Bool {
    out.append(0x5b)
    var isFirst = true
    while true {
      let next = reader.next()
      if next == .endArray { break }
      if !isFirst { out.append(0x2c) }
      isFirst = false
      guard appendElement(&reader, next, out) else { return false }
    }
    out.append(0x5d)
    return true
  }

  private static func appendObject(_ reader: inout JSONReader, to out: TextBuffer) -> Bool {
    out.append(0x7b)
    let start = out.count
    var members: [Member] = []
    var isSorted = true
    while true {
      let next = reader.next()
      if next == .endObject { break }
      guard next == .key else { return false }
      if !members.isEmpty { out.append(0x2c) }
      var member = Member(start: out.count, keyEnd: 0, end: 0)
      appendToken(reader, to: out)
      member.keyEnd = out.count
      out.append(0x3a)
      guard appendCanonical(&reader, reader.next(), to: out) else { return false }
      member.end = out.count
      if let last = members.last, order(last, member, out) >= 0 { isSorted = false }
      members.append(member)
    }
    if !isSorted { sort(&members, from: start, in: out) }
    out.append(0x7d)
    return true
  }

  /// Order of two members by name.
  private static func order(_ a: Member, _ b: Member, _ out: TextBuffer) -> Int {
    // Without the closing quotes, so that a name sorts before its extensions.
    let (n, m) = (a.keyEnd - a.start - 1, b.keyEnd - b.start - 1)
    let order = Int(memcmp(out.pointer + a.start, out.pointer + b.start, min(n, m)))
    return order != 0 ? order : n - m
  }

  /// Rewrites the members from `start` on in the order of their names; of equal names the last one counts.
  private static func sort(_ members: inout [Member], from start: Int, in out: TextBuffer) {
    let indexed = members.enumerated().sorted { a, b in
      let order = order(a.element, b.element, out)
      return order != 0 ? order < 0 : a.offset < b.offset
    }
    let sorted = TextBuffer(capacity: out.count - start)
    for (position, entry) in indexed.enumerated() {
      let isRepeated = position + 1 < indexed.count && order(entry.element, indexed[position + 1].element, out) == 0
      if isRepeated { continue }
      if sorted.count > 0 { sorted.append(0x2c) }
      sorted.append(out.pointer + entry.element.start, entry.element.end - entry.element.start)
    }
    out.count = start
    out.append(sorted.pointer, sorted.count)
  }

  /// Appends the reader's last string or key, quoted.
  package static func appendToken(_ reader: JSONReader, to out: TextBuffer) {
    if !reader.hasEscapes {
      // Nothing in it needs an escape.
      out.append(0x22)
      out.append(reader.base + reader.tokenStart, reader.tokenEnd - reader.tokenStart)
      out.append(0x22)
      return
    }
    let plain = TextBuffer(capacity: reader.tokenEnd - reader.tokenStart)
    reader.appendString(to: plain)
    appendString(plain.pointer, plain.count, to: out)
  }

  /// Appends a JSON string of the text, quoted and escaped.
  package static func appendString(_ p: UnsafeRawPointer, _ n: Int, to out: TextBuffer) {
    let bytes = p.assumingMemoryBound(to: UInt8.self)
    out.append(0x22)
    var start = 0
    var at = 0
    while at < n {
      let byte = bytes[at]
      if byte >= 0x20, byte != 0x22, byte != 0x5c {
        at &+= 1
        continue
      }
      if at > start { out.append(bytes + start, at - start) }
      out.append(0x5c)
      switch byte {
      case 0x22, 0x5c: out.append(byte)
      case 0x08: out.append(0x62)
      case 0x09: out.append(0x74)
      case 0x0a: out.append(0x6e)
      case 0x0c: out.append(0x66)
      case 0x0d: out.append(0x72)
      default:
        out.append("u00")
        out.append(byte >= 0x10 ? 0x31 : 0x30)
        let low = byte & 15
        out.append(low < 10 ? 0x30 + low : 0x37 + low)
      }
      at &+= 1
      start = at
    }
    if at > start { out.append(bytes + start, at - start) }
    out.append(0x22)
  }

  /// Appends a double as a JSON value: NaN and infinities as strings.
  package static func appendNumber(_ value: Double, to out: TextBuffer) {
    if !value.isFinite {
      out.append(0x22)
      out.count += NumberText.write(value, to: out.room(NumberText.maxLength))
      out.append(0x22)
      return
    }
    out.count += NumberText.write(value, to: out.room(NumberText.maxLength))
  }

  /// Appends a real as a JSON value.
  package static func appendNumber(_ value: Float, to out: TextBuffer) {
    if !value.isFinite { return appendNumber(Double(value), to: out) }
    out.count += NumberText.write(value, to: out.room(NumberText.maxLength))
  }
}
