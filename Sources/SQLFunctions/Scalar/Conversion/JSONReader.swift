package import Columnar
import Glibc

/// Reads JSON text token by token, checking its syntax on the way.
///
///     {"a":[1,"x"]}   →   beginObject key beginArray number string endArray endObject end
///
/// After an error every further token is `.invalid`.
///
/// - Source: RFC 8259; as Trino's parser has it, numbers keep their text and control characters in strings are errors.
package struct JSONReader {
  package enum Token: Equatable, Sendable {
    case beginObject, endObject, beginArray, endArray
    /// A member's name; `appendString` has it.
    case key
    case string
    /// An integer without point and exponent.
    case integer
    case decimal
    case `true`, `false`, null
    /// The end of the text.
    case end
    case invalid
  }

  /// Deepest nesting read.
  package static let maxDepth = 1000

  package let base: UnsafePointer<UInt8>
  package let count: Int
  /// Where the next token is looked for.
  package private(set) var position = 0
  /// The bytes of the last token: of strings and keys without their quotes.
  package private(set) var tokenStart = 0
  package private(set) var tokenEnd = 0
  /// Whether the last string or key holds backslashes.
  package private(set) var hasEscapes = false
  private var stack: [Bool] = []  // true: object
  private var expects = Expectation.value

  private enum Expectation { case value, valueOrEnd, keyOrEnd, key, commaOrEnd, nothing, failed }

  package init(_ base: UnsafePointer<UInt8>, _ count: Int) {
    self.base = base
    self.count = count
  }

  /// Objects and arrays around the next token.
  package var depth: Int { stack.count }

  /// The bytes of the last token as they stand.
  package var tokenBytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + tokenStart, count: tokenEnd - tokenStart)
  }

  private mutating func fail() -> Token {
    expects = .failed
    return .invalid
  }

  @inline(__always)
  private mutating func skipSpaces() {
    while position < count {
      switch base[position] {
      case 0x20, 0x0a, 0x0d, 0x09: position &+= 1
      default: return
      }
    }
  }

  /// The next token.
  package mutating func next() -> Token {
    skipSpaces()
    if expects == .commaOrEnd {
      guard position < count, let isObject = stack.last else { return fail() }
      let byte = base[position]
      position &+= 1
      if byte == 0x2c {
        expects = isObject ? .key : .value
        skipSpaces()
      } else if byte == (isObject ? 0x7d : 0x5d) {
        return close(isObject)
      } else {
        return fail()
      }
    }
    guard position < count else {
      if expects == .nothing { return .end }
      return fail()
    }
    let byte = base[position]
    switch expects {
    case .failed, .nothing: return fail()
    case .key, .keyOrEnd:
      if byte == 0x7d, expects == .keyOrEnd {
        position &+= 1
        return close(true)
      }
      guard byte == 0x22, string() else { return fail() }
      skipSpaces()
      guard position < count, base[position] == 0x3a else { return fail() }
      position &+= 1
      expects = .value
      return .key
    case .valueOrEnd where byte == 0x5d:
      position &+= 1
      return close(false)
    default: break
    }
    switch byte {
    case 0x7b, 0x5b:
      guard stack.count < JSONReader.maxDepth else { return fail() }
      tokenStart = position
      position &+= 1
      tokenEnd = position
      stack.append(byte == 0x7b)
      expects = byte == 0x7b ? .keyOrEnd : .valueOrEnd
      return byte == 0x7b ? .beginObject : .beginArray
    case 0x22: return string() ? ended(.string) : fail()
    case 0x74: return word("true", .true)
    case 0x66: return word("false", .false)
    case 0x6e: return word("null", .null)
    case 0x2d, 0x30...0x39: return number()
    default: return fail()
    }
  }

  private mutating func close(_ isObject: Bool) -> Token {
    tokenStart = position - 1
    tokenEnd = position
    stack.removeLast()
    return ended(isObject ? .endObject : .endArray)
  }

  private mutating func ended(_ token: Token) -> Token {
    expects = stack.isEmpty ? .nothing : .commaOrEnd
    return token
  }

  private mutating func word(_ text: StaticString, _ token: Token) -> Token {
    let n = text.utf8CodeUnitCount
    guard count - position >= n, memcmp(base + position, text.utf8Start, n) == 0 else { return fail() }
    tokenStart = position
    position += n
    tokenEnd = position
    if position < count {
      let byte = base[position] | 0x20
      if byte >= 0x61 && byte <= 0x7a { return fail() }
    }
    return ended(token)
  }

  private mutating func number() -> Token {
    tokenStart = position
    var at = position
    if base[at] == 0x2d { at += 1 }
    guard at < count, base[at] &- 0x30 <= 9 else { return fail() }
    if base[at] == 0x30 {
      at += 1
      if at < count, base[at] &- 0x30 <= 9 { return fail() }
    } else {
      while at < count, base[at] &- 0x30 <= 9 { at &+= 1 }
    }
    var token = Token.integer
    if at < count, base[at] == 0x2e {
      token = .decimal
      at += 1
      let first = at
      while at < count, base[at] &- 0x30 <= 9 { at &+= 1 }
      if at == first { return fail() }
    }
    if at < count, base[at] | 0x20 == 0x65 {
      token = .decimal
      at += 1
      if at < count, base[at] == 0x2b || base[at] == 0x2d { at += 1 }
      let first = at
      while at < count, base[at] &- 0x30 <= 9 { at &+= 1 }
      if at == first { return fail() }
    }
    if at < count {
      let byte = base[at]
      let isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a
      if isLetter || byte == 0x2e || byte == 0x5f { return fail() }
    }
    position = at
    tokenEnd = at
    return ended(token)
  }

  /// Passes over a string; false when it is damaged.
  private mutating func string() -> Bool {
    var at = position + 1
    tokenStart = at
    hasEscapes = false
    while at < count {
      let byte = base[at]
      if byte == 0x22 {
        tokenEnd = at
        position = at + 1
        return true
      }
      if byte < 0x20 { return false }
      if byte != 0x5c {
        at &+= 1
        continue
      }
      hasEscapes = true
      guard at + 1 < count else { return false }
      switch base[at + 1] {
      case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: at += 2
      case 0x75:
        guard JSONReader.hexadecimal(base, at + 2, count) != nil else { return false }
        at += 6
      default: return false
      }
    }
    return false
  }

  private static func hexadecimal(_ p: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> UInt32? {
    guard end - at >= 4 else { return nil }
    var value: UInt32 = 0
    for k in at..<at + 4 {
      let byte = p[k]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x37
      case 0x61...0x66: digit = byte - 0x57
      default: return nil
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// Appends the last string or key without its escapes; half surrogates become U+FFFD.
  package func appendString(to buffer: TextBuffer) {
    JSONReader.appendUnescaped(base + tokenStart, tokenEnd - tokenStart, hasEscapes, to: buffer)
  }

  /// Appends the characters between a string's quotes, escapes undone.
  ///
  /// - Parameter hasEscapes: whether there are any; the bytes have passed the reader.
  static func appendUnescaped(_ base: UnsafePointer<UInt8>, _ end: Int, _ hasEscapes: Bool, to buffer: TextBuffer) {
    if !hasEscapes { return buffer.append(base, end) }
    var at = 0
    while at < end {
      let start = at
      while at < end, base[at] != 0x5c { at &+= 1 }
      if at > start { buffer.append(base + start, at - start) }
      if at == end { return }
      let escape = base[at + 1]
      at += 2
      switch escape {
      case 0x62: buffer.append(0x08)
      case 0x66: buffer.append(0x0c)
      case 0x6e: buffer.append(0x0a)
      case 0x72: buffer.append(0x0d)
      case 0x74: buffer.append(0x09)
      case 0x75:
        var code = hexadecimal(base, at, end) ?? 0xfffd
        at += 4
        if code >= 0xd800, code < 0xdc00 {
          if at + 1 < end, base[at] == 0x5c, base[at + 1] == 0x75,
            let low = hexadecimal(base, at + 2, end), low >= 0xdc00, low < 0xe000
          {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
            at += 6
          } else {
            code = 0xfffd
          }
        } else if code >= 0xdc00, code < 0xe000 {
          code = 0xfffd
        }
        appendScalar(code, to: buffer)
      default: buffer.append(escape)
      }
    }
  }

  /// A code point as UTF-8.
  package static func appendScalar(_ code: UInt32, to buffer: TextBuffer) {
    switch code {
    case 0..<0x80: buffer.append(UInt8(code))
    case 0x80..<0x800:
      buffer.append(UInt8(0xc0 | code >> 6))
      buffer.append(UInt8(0x80 | code & 0x3f))
    case 0x800..<0x10000:
      buffer.append(UInt8(0xe0 | code >> 12))
      buffer.append(UInt8(0x80 | code >> 6 & 0x3f))
      buffer.append(UInt8(0x80 | code & 0x3f))
    default:
      buffer.append(UInt8(0xf0 | (code >> 18) & 7))
      buffer.append(UInt8(0x80 | code >> 12 & 0x3f))
      buffer.append(UInt8(0x80 | code >> 6 & 0x3f))
      buffer.append(UInt8(0x80 | code & 0x3f))
    }
  }

  /// Passes over the rest of the value that `token`, just read, begins; false when it is damaged.
  package mutating func skip(_ token: Token) -> Bool {
    switch token {
    case .beginObject, .beginArray:
      let outside = stack.count - 1
      while true {
        let next = next()
        if next == .invalid || next == .end { return false }
        if stack.count == outside { return true }
      }
    case .invalid, .end, .key, .endObject, .endArray: return false
    default: return true
    }
  }
}
