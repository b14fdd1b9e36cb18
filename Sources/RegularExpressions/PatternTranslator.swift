package import QueryErrors

/// Rewrites Java's regular expression syntax into PCRE2's.
///
///     \p{Alpha}    [[:alpha:]]          \p{IsLatin}  \p{Latin}
///     \u00e9       \x{00e9}             [a[bc]]      [abc]
///
/// - Source: `java.util.regex.Pattern`; pcre2syntax(3).
package struct PatternTranslator {
  private let source: [UInt8]
  private var at = 0
  private var out: [UInt8] = []

  /// - Throws: `NOT_SUPPORTED` for intersections of character classes.
  package static func translate(_ pattern: [UInt8]) throws(QueryError) -> [UInt8] {
    // Most patterns use nothing that differs.
    var needsWork = false
    for (index, byte) in pattern.enumerated() where byte == 0x5c || byte == 0x5b || byte == 0x28 {
      if byte != 0x28 || (index + 1 < pattern.count && pattern[index + 1] == 0x3f) {
        needsWork = true
        break
      }
    }
    if !needsWork { return pattern }
    var translator = PatternTranslator(source: pattern)
    try translator.run()
    return translator.out
  }

  private init(source: [UInt8]) { self.source = source }

  private func peek(_ offset: Int = 0) -> UInt8? { at + offset < source.count ? source[at + offset] : nil }

  private mutating func take(_ count: Int = 1) {
    out.append(contentsOf: source[at..<min(at + count, source.count)])
    at += count
  }

  private mutating func put(_ text: String) { out.append(contentsOf: text.utf8) }

  private mutating func run() throws(QueryError) {
    while let byte = peek() {
      switch byte {
      case 0x5c: escape(inClass: false)
      case 0x5b: try characterClass()
      case 0x28 where peek(1) == 0x3f: group()
      default: take()
      }
    }
  }

  /// `(?…`: flags that PCRE2 lacks are left out.
  private mutating func group() {
    var end = at + 2
    while end < source.count, source[end] == 0x2d || (source[end] | 0x20 >= 0x61 && source[end] | 0x20 <= 0x7a) { end += 1 }
    guard end < source.count, source[end] == 0x29 || source[end] == 0x3a, end > at + 2 else { return take(2) }
    put("(?")
    for byte in source[at + 2..<end] where byte != 0x64 && byte != 0x75 && byte != 0x55 { out.append(byte) }
    at = end
  }

  /// An escape; quotations are copied whole.
  private mutating func escape(inClass: Bool) {
    guard let next = peek(1) else { return take() }
    switch next {
    case 0x51 where !inClass:  // \Q … \E
      take(2)
      while at < source.count {
        if source[at] == 0x5c, peek(1) == 0x45 { return take(2) }
        take()
      }
    case 0x75:  // \uhhhh
      if let code = hexadecimal(at + 2, 4) {
        at += 6
        put("\\x{\(String(code, radix: 16))}")
      } else {
        take(2)
      }
    case 0x30:  // \0n, \0nn, \0mnn
      var end = at + 2
      while end < source.count, end < at + 5, source[end] >= 0x30, source[end] <= 0x37 { end += 1 }
      put("\\o{")
      out.append(contentsOf: source[at + 2..<end])
      put("}")
      at = end
    case 0x70, 0x50: property(inClass: inClass)
    default: take(2)
    }
  }

  private func hexadecimal(_ from: Int, _ count: Int) -> UInt32? {
    guard from + count <= source.count else { return nil }
    return UInt32(String(decoding: source[from..<from + count], as: UTF8.self), radix: 16)
  }

  private static let posix: [String: String] = [
    "lower": "lower", "upper": "upper", "alpha": "alpha", "digit": "digit", "alnum": "alnum", "punct": "punct",
    "graph": "graph", "print": "print", "blank": "blank", "cntrl": "cntrl", "xdigit": "xdigit", "space": "space",
    "ascii": "ascii", "word": "word",
  ]

  /// `\p{…}`.
  private mutating func property(inClass: Bool) {
    guard peek(2) == 0x7b, let close = source[(at + 3)...].firstIndex(of: 0x7d) else { return take(2) }
    var isNegated = source[at + 1] == 0x50
    var name = String(decoding: source[at + 3..<close], as: UTF8.self)
    at = close + 1
    if name.hasPrefix("^") {
      isNegated.toggle()
      name.removeFirst()
    }
    if let posix = PatternTranslator.posix[name.lowercased()] {
      let inner = "[:\(isNegated ? "^" : "")\(posix):]"
      return put(inClass ? inner : "[\(inner)]")
    }
    if name.hasPrefix("Is"), name.utf8.count > 2 { name.removeFirst(2) }
    for prefix in ["script=", "sc=", "general_category=", "gc="] where name.hasPrefix(prefix) {
      name.removeFirst(prefix.utf8.count)
    }
    switch name.lowercased() {
    case "alphabetic", "letter": name = "L"
    case "lowercase": name = "Ll"
    case "uppercase": name = "Lu"
    case "titlecase": name = "Lt"
    case "punctuation": name = "P"
    case "white_space", "whitespace", "javawhitespace": name = "Xps"
    case "javalowercase": name = "Ll"
    case "javauppercase": name = "Lu"
    case "all": name = "Any"
    default: break
    }
    put("\\\(isNegated ? "P" : "p"){\(name)}")
  }

  /// `[…]`; a class inside a class joins it.
  private mutating func characterClass() throws(QueryError) {
    take()
    if peek() == 0x5e { take() }
    if peek() == 0x5d { take() }
    try classBody()
  }

  private mutating func classBody() throws(QueryError) {
    while let byte = peek() {
      switch byte {
      case 0x5d: return take()
      case 0x5c: escape(inClass: true)
      case 0x5b:
        if peek(1) == 0x3a {
          // A POSIX class, as PCRE2 writes it too.
          take(2)
        } else if peek(1) == 0x5e {
          throw QueryError(.notSupported, "A negated character class inside another is not supported in patterns")
        } else {
          at += 1
          let mark = out.count
          try classBody()
          if out.last == 0x5d, out.count > mark { out.removeLast() }
        }
      case 0x26 where peek(1) == 0x26:
        throw QueryError(.notSupported, "Intersections of character classes (&&) are not supported in patterns")
      default: take()
      }
    }
  }
}
