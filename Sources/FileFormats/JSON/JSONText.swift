import Glibc

/// Pieces of JSON text: strings, literals and the ends of values.
enum JSONText {
  /// Nesting beyond this is refused.
  static let maxDepth = 1000

  @inline(__always)
  static func isBlank(_ c: UInt8) -> Bool { c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09 }

  /// The first place from `at` on that is not blank, or `end`.
  @inline(__always)
  static func skipBlanks(_ p: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
    var i = at
    while i < end, isBlank(p[i]) { i &+= 1 }
    return i
  }

  /// Whether a scalar other than a string is made of a number's characters or is one of the three words.
  @inline(__always)
  static func isScalar(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
    let c = p[0]
    if c &- 0x30 <= 9 || c == 0x2d {
      if n <= 8 {
        // All bytes from `+` to `9`: ASCII, and no carry or borrow at the ends of that range.
        let x = NumberText.word(p, n)
        let top: UInt64 = 0x8080_8080_8080_8080
        if (x & top) | ((x &+ 0x4646_4646_4646_4646) & top) == 0, (x &+ 0x5555_5555_5555_5555) & top == top {
          return true
        }
      }
      return hasNumberCharacters(p, n)
    }
    let word = UnsafeRawPointer(p).loadUnaligned(as: UInt32.self).littleEndian
    if n == 4 { return word == 0x6c6c_756e || word == 0x6575_7274 }
    return n == 5 && word == 0x736c_6166 && p[4] == 0x65
  }

  @inline(never)
  private static func hasNumberCharacters(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
    var i = 0
    while i < n {
      let c = p[i]
      if c &- 0x30 > 9, c != 0x2e, c != 0x2d, c != 0x2b, c | 0x20 != 0x65 { return false }
      i &+= 1
    }
    return true
  }

  @inline(__always)
  static func isNull(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
    n == 4 && UnsafeRawPointer(p).loadUnaligned(as: UInt32.self).littleEndian == 0x6c6c_756e
  }

  /// Where a string that opens at `at` closes, or nil.
  static func stringEnd(_ p: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int? {
    var i = at &+ 1
    while i < end {
      let c = p[i]
      if c == 0x22 { return i }
      i &+= c == 0x5c ? 2 : 1
    }
    return nil
  }

  /// The place behind the value that starts at `at`; nil when it is malformed or nested too deeply.
  ///
  /// Checks strings, brackets and words, not commas and colons.
  static func valueEnd(_ p: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int? {
    guard at < end else { return nil }
    let c = p[at]
    if c == 0x22 { return stringEnd(p, at, end).map { $0 + 1 } }
    if c != 0x7b && c != 0x5b {
      var i = at
      while i < end, p[i] != 0x2c, p[i] != 0x5d, p[i] != 0x7d, !isBlank(p[i]) { i &+= 1 }
      return i > at && isScalar(p + at, i &- at) ? i : nil
    }
    var open: [UInt8] = []
    var i = at
    while i < end {
      let c = p[i]
      switch c {
      case 0x22:
        guard let close = stringEnd(p, i, end) else { return nil }
        i = close
      case 0x7b, 0x5b:
        if open.count == maxDepth { return nil }
        // What closes it.
        open.append(c &+ 2)
      case 0x7d, 0x5d:
        guard open.popLast() == c else { return nil }
        if open.isEmpty { return i &+ 1 }
      default: break
      }
      i &+= 1
    }
    return nil
  }

  /// Writes the text of a string's content with escapes resolved and returns its length; nil for an unknown escape.
  ///
  /// Lone surrogates become U+FFFD.
  ///
  /// - Parameter out: room for `n` bytes.
  /// - Source: RFC 8259, section 7.
  static func unescape(_ p: UnsafePointer<UInt8>, _ n: Int, into out: UnsafeMutablePointer<UInt8>) -> Int? {
    var i = 0
    var k = 0
    while i < n {
      let c = p[i]
      i &+= 1
      if c != 0x5c {
        out[k] = c
        k &+= 1
        continue
      }
      if i == n { return nil }
      let e = p[i]
      i &+= 1
      switch e {
      case 0x22, 0x5c, 0x2f: out[k] = e
      case 0x62: out[k] = 0x08
      case 0x66: out[k] = 0x0c
      case 0x6e: out[k] = 0x0a
      case 0x72: out[k] = 0x0d
      case 0x74: out[k] = 0x09
      case 0x75:
        guard var code = hex(p, i, n) else { return nil }
        i &+= 4
        if code >= 0xd800, code < 0xe000 {
          var isPaired = false
          if code < 0xdc00, i &+ 1 < n, p[i] == 0x5c, p[i &+ 1] == 0x75, let low = hex(p, i &+ 2, n), low >= 0xdc00,
            low < 0xe000
          {
            code = 0x10000 &+ ((code &- 0xd800) &<< 10) &+ (low &- 0xdc00)
            i &+= 6
            isPaired = true
          }
          if !isPaired { code = 0xfffd }
        }
        if code < 0x80 {
          out[k] = UInt8(truncatingIfNeeded: code)
        } else if code < 0x800 {
          out[k] = UInt8(truncatingIfNeeded: 0xc0 | (code &>> 6))
          out[k &+ 1] = UInt8(truncatingIfNeeded: 0x80 | (code & 0x3f))
          k &+= 1
        } else if code < 0x10000 {
          out[k] = UInt8(truncatingIfNeeded: 0xe0 | (code &>> 12))
          out[k &+ 1] = UInt8(truncatingIfNeeded: 0x80 | ((code &>> 6) & 0x3f))
          out[k &+ 2] = UInt8(truncatingIfNeeded: 0x80 | (code & 0x3f))
          k &+= 2
        } else {
          out[k] = UInt8(truncatingIfNeeded: 0xf0 | (code &>> 18))
          out[k &+ 1] = UInt8(truncatingIfNeeded: 0x80 | ((code &>> 12) & 0x3f))
          out[k &+ 2] = UInt8(truncatingIfNeeded: 0x80 | ((code &>> 6) & 0x3f))
          out[k &+ 3] = UInt8(truncatingIfNeeded: 0x80 | (code & 0x3f))
          k &+= 3
        }
      default: return nil
      }
      k &+= 1
    }
    return k
  }

  private static func hex(_ p: UnsafePointer<UInt8>, _ at: Int, _ n: Int) -> UInt32? {
    if at &+ 4 > n { return nil }
    var code: UInt32 = 0
    for i in at..<at &+ 4 {
      let c = p[i]
      let digit: UInt8
      switch c {
      case 0x30...0x39: digit = c &- 0x30
      case 0x61...0x66: digit = c &- 0x57
      case 0x41...0x46: digit = c &- 0x37
      default: return nil
      }
      code = (code &<< 4) | UInt32(digit)
    }
    return code
  }

  /// A string's content as text.
  static func string(_ p: UnsafePointer<UInt8>, _ n: Int) -> String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: n + 1) { out in
      let count = unescape(p, n, into: out.baseAddress!)
      return String(
        decoding: count.map { UnsafeBufferPointer(start: UnsafePointer(out.baseAddress!), count: $0) }
          ?? UnsafeBufferPointer(start: p, count: n), as: UTF8.self)
    }
  }
}
