import Columnar
import Glibc
import QueryErrors

/// Parts and encoding of URLs.
///
/// - Source: Trino `UrlFunctions`; `java.net.URI`.
package enum URLFunctions: FunctionFamily {
  package static let title = "URL"

  private static let text = TypePattern.exact(.text)
  private static let url = "'https://user@example.com:8080/a%20b/c?x=1&y=a%26b#top'"

  package static let functions: [ScalarFunction] = [
    part("url_extract_protocol", summary: "The scheme of a URL.", "https") { $0.scheme },
    part("url_extract_host", summary: "The host of a URL.", "example.com") { $0.host },
    part("url_extract_path", summary: "The path of a URL, decoded.", "/a b/c", isEncoded: true) { $0.path },
    part("url_extract_query", summary: "The query of a URL, decoded.", "x=1&y=a&b", isEncoded: true) { $0.query },
    part("url_extract_fragment", summary: "The fragment of a URL, decoded.", "top", isEncoded: true) { $0.fragment },
    ScalarFunction(
      "url_extract_port", summary: "The port of a URL; NULL when it names none.",
      examples: [Example("url_extract_port(\(url))", "8080")],
      overloads: [
        .unaryOrNull(.varchar, returns: .bigint) { (text: StringView, _) -> Int64? in
          text.withUTF8 { p, n in URLParts(p, n).flatMap(\.port).map { Int64($0) } }
        }
      ]),
    ScalarFunction(
      "url_extract_parameter", summary: "The value of the first parameter of that name in a URL's query.",
      examples: [Example("url_extract_parameter(\(url), 'y')", "a&b")],
      overloads: [
        .binaryOrNull(.varchar, text, returns: .argument(0)) { (text: StringView, name: StringView, rows) -> StringView? in
          parameter(text, name, &rows)
        }
      ]),
    ScalarFunction(
      "url_encode", summary: "The text with all but letters, digits and .-*_ written as %hh, spaces as +.",
      examples: [Example("url_encode('a b&c')", "a+b%26c")],
      overloads: [
        .unary(.varchar, returns: .computed(encodedType)) { (text: StringView, rows) -> StringView in
          encoded(text, &rows)
        }
      ]),
    ScalarFunction(
      "url_decode", summary: "The text that `url_encode` wrote.", examples: [Example("url_decode('a+b%26c')", "a b&c")],
      overloads: [
        .unary(.varchar, returns: .argument(0)) { (text: StringView, rows) -> StringView in
          text.withUTF8 { p, n in decoded(p, n, plusIsSpace: true, &rows) }
        }
      ]),
  ]

  private static func part(
    _ name: String, summary: String, _ result: String, isEncoded: Bool = false,
    _ body: @escaping @Sendable (URLParts) -> Range<Int>?
  ) -> ScalarFunction {
    ScalarFunction(
      name, summary: summary, examples: [Example("\(name)(\(url))", result)],
      overloads: [
        .unaryOrNull(.varchar, returns: .argument(0)) { (text: StringView, rows) -> StringView? in
          text.withUTF8 { p, n -> StringView? in
            guard let parts = URLParts(p, n) else { return nil }
            guard let range = body(parts) else { return StringView() }
            if isEncoded, memchr(p + range.lowerBound, 0x25, range.count) != nil {
              return decoded(p + range.lowerBound, range.count, plusIsSpace: false, &rows)
            }
            return StringView(p + range.lowerBound, count: range.count)
          }
        }
      ])
  }

  private static func parameter(_ text: StringView, _ name: StringView, _ rows: inout RowContext) -> StringView? {
    text.withUTF8 { p, n -> StringView? in
      guard let parts = URLParts(p, n), let query = parts.query else { return nil }
      return name.withUTF8 { q, m -> StringView? in
        var at = query.lowerBound
        while at <= query.upperBound {
          var end = at
          while end < query.upperBound, p[end] != 0x26 { end &+= 1 }
          var equals = at
          while equals < end, p[equals] != 0x3d { equals &+= 1 }
          if equals &- at == m, memcmp(p + at, q, m) == 0 {
            if equals == end { return StringView() }
            return decoded(p + equals + 1, end &- equals &- 1, plusIsSpace: true, &rows)
          }
          at = end &+ 1
        }
        return nil
      }
    }
  }

  // MARK: Encoding

  private static let encodedType: @Sendable ([DataType]) throws(QueryError) -> DataType = {
    (types: [DataType]) throws(QueryError) -> DataType in
    guard case .varchar(let length?) = types[0], length < Int(Int32.max) / 12 else { return .text }
    return .varchar(length: length * 12)
  }

  private static func encoded(_ text: StringView, _ rows: inout RowContext) -> StringView {
    text.withUTF8 { p, n in
      guard n > 0, let out = rows.room(n &* 3) else { return StringView() }
      var k = 0
      var i = 0
      while i < n {
        let byte = p[i]
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x2a, 0x5f:
          out[k] = byte
          k &+= 1
        case 0x20:
          out[k] = 0x2b
          k &+= 1
        default:
          let (high, low) = (byte &>> 4, byte & 15)
          out[k] = 0x25
          out[k &+ 1] = high < 10 ? 0x30 &+ high : 0x37 &+ high
          out[k &+ 2] = low < 10 ? 0x30 &+ low : 0x37 &+ low
          k &+= 3
        }
        i &+= 1
      }
      return rows.made(out, k, of: n &* 3)
    }
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte &- 0x30
    case 0x41...0x46: byte &- 0x37
    case 0x61...0x66: byte &- 0x57
    default: nil
    }
  }

  private static func decoded(
    _ p: UnsafePointer<UInt8>, _ n: Int, plusIsSpace: Bool, _ rows: inout RowContext
  ) -> StringView {
    guard n > 0, let out = rows.room(n) else { return StringView() }
    var (i, k) = (0, 0)
    while i < n {
      var byte = p[i]
      if byte == 0x25 {
        guard i &+ 2 < n, let high = hexadecimal(p[i &+ 1]), let low = hexadecimal(p[i &+ 2]) else {
          rows.fail(
            .invalidFunctionArgument, "URLDecoder: Incomplete trailing escape (%) pattern or illegal hex characters in it")
          return rows.made(out, 0, of: n)
        }
        byte = high &<< 4 | low
        i &+= 2
      } else if byte == 0x2b, plusIsSpace {
        byte = 0x20
      }
      out[k] = byte
      i &+= 1
      k &+= 1
    }
    return rows.made(out, k, of: n)
  }
}

/// Where the parts of a URI stand in its text.
///
///     scheme ":" [ "//" [ user "@" ] host [ ":" port ] ] path [ "?" query ] [ "#" fragment ]
///
/// - Source: RFC 2396 as `java.net.URI` reads it: characters outside ASCII are allowed.
struct URLParts {
  private(set) var scheme: Range<Int>?
  private(set) var host: Range<Int>?
  private(set) var port: Int?
  private(set) var path: Range<Int>?
  private(set) var query: Range<Int>?
  private(set) var fragment: Range<Int>?

  /// Nil when the text is no URI.
  init?(_ p: UnsafePointer<UInt8>, _ n: Int) {
    // What may stand nowhere: controls, space, and "<>\^`{|}; brackets only around an IPv6 host, % before two digits.
    var i = 0
    while i < n {
      let byte = p[i]
      switch byte {
      case 0...0x20, 0x7f, 0x22, 0x3c, 0x3e, 0x5c, 0x5e, 0x60, 0x7b, 0x7c, 0x7d: return nil
      case 0x25:
        guard i &+ 2 < n, URLParts.isHexadecimal(p[i &+ 1]), URLParts.isHexadecimal(p[i &+ 2]) else { return nil }
      case 0xc2 where i &+ 1 < n && p[i &+ 1] <= 0xa0: return nil  // Controls and the no-break space.
      default: break
      }
      i &+= 1
    }
    func find(_ byte: UInt8, _ from: Int, _ to: Int) -> Int {
      var k = from
      while k < to, p[k] != byte { k &+= 1 }
      return k
    }
    var end = n
    let hash = find(0x23, 0, n)
    if hash < n {
      if find(0x23, hash &+ 1, n) < n { return nil }
      fragment = hash &+ 1..<n
      end = hash
    }
    var at = 0
    // A scheme ends at a colon before any slash and question mark.
    var k = 0
    while k < end, p[k] != 0x3a, p[k] != 0x2f, p[k] != 0x3f { k &+= 1 }
    if k < end, p[k] == 0x3a {
      guard k > 0, URLParts.isLetter(p[0]) else { return nil }
      var s = 1
      while s < k {
        let byte = p[s]
        guard URLParts.isLetter(byte) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2b || byte == 0x2d || byte == 0x2e else {
          return nil
        }
        s &+= 1
      }
      scheme = 0..<k
      at = k &+ 1
      if at >= end { return nil }
      // Opaque: mailto:a@b has no path.
      if p[at] != 0x2f { return }
    }
    if at &+ 1 < end, p[at] == 0x2f, p[at &+ 1] == 0x2f {
      var stop = at &+ 2
      while stop < end, p[stop] != 0x2f, p[stop] != 0x3f { stop &+= 1 }
      if stop == at &+ 2, stop == end { return nil }
      authority(p, at &+ 2, stop)
      at = stop
    }
    let mark = find(0x3f, at, end)
    path = at..<mark
    if mark < end { query = mark &+ 1..<end }
    // Brackets only in the query, the fragment and around a host.
    k = at
    while k < mark {
      if p[k] == 0x5b || p[k] == 0x5d { return nil }
      k &+= 1
    }
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66)
  }

  private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a }

  /// Reads host and port; leaves them out when the authority is not made of them.
  private mutating func authority(_ p: UnsafePointer<UInt8>, _ from: Int, _ to: Int) {
    var start = from
    var k = from
    while k < to {
      if p[k] == 0x40 { start = k &+ 1 }
      k &+= 1
    }
    var end = start
    if start < to, p[start] == 0x5b {
      while end < to, p[end] != 0x5d { end &+= 1 }
      if end == to { return }
      end &+= 1
    } else {
      while end < to, p[end] != 0x3a {
        let byte = p[end]
        let isNameByte = URLParts.isLetter(byte) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2d || byte == 0x2e
        if !isNameByte { return }
        end &+= 1
      }
      if end > start, p[start] == 0x2d || p[end &- 1] == 0x2d { return }
    }
    if end == start { return }
    var number = 0
    if end < to {
      guard p[end] == 0x3a else { return }
      k = end &+ 1
      while k < to {
        guard p[k] >= 0x30, p[k] <= 0x39, number < 1 << 27 else { return }
        number = number &* 10 &+ Int(p[k] &- 0x30)
        k &+= 1
      }
      if end &+ 1 < to { port = number }
    }
    host = start..<end
  }
}
