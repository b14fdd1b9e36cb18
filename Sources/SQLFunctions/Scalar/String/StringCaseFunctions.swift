import Columnar
import QueryErrors

/// Letters' case, and the order of characters.
package enum StringCaseFunctions: FunctionFamily {
  package static let title = "String case and order"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "lower", summary: "The text in lower case, character by character.",
      examples: [Example("lower('Hello WORLD')", "hello world"), Example("lower('ÀÉÖ')", "àéö")],
      overloads: [.varchar, .char].map { (type: TypePattern) in
        .unary(type, returns: .argument(0)) { (text: StringView, rows) -> StringView in
          mapped(text, from: 0x41, CaseMapping.lower, &rows)
        }
      }),
    ScalarFunction(
      "upper", summary: "The text in upper case, character by character.",
      examples: [Example("upper('Hello')", "HELLO"), Example("upper('straße')", "STRAßE")],
      overloads: [.varchar, .char].map { (type: TypePattern) in
        .unary(type, returns: .argument(0)) { (text: StringView, rows) -> StringView in
          mapped(text, from: 0x61, CaseMapping.upper, &rows)
        }
      }),
    ScalarFunction(
      "reverse", summary: "The characters, or bytes, or elements in reverse order.",
      examples: [Example("reverse('hello')", "olleh"), Example("reverse('naïve')", "evïan")],
      overloads: [
        .unary(.varchar, returns: .argument(0)) { (text: StringView, rows) -> StringView in reversed(text, 0, &rows) },
        ScalarOverload(Signature([.char], returns: .argument(0))) {
          (binding: SignatureBinding) throws(QueryError) -> Kernel in
          var length = 0
          if case .char(let n) = binding.argumentTypes[0] { length = n }
          let padded = length
          return { (columns, n, context) throws(QueryError) -> Column in
            let x = columns[0].view
            return mapRows(columns, n, &context) { row, rows -> StringView in
              let text = x.value(row, as: StringView.self)
              return TextCasts.withoutPadding(reversed(text, padded &- TextScan.codePoints(text), &rows))
            }
          }
        },
        .unary(.varbinary, returns: .varbinary) { (bytes: StringView, rows) -> StringView in
          bytes.withUTF8 { p, n in
            guard let out = rows.room(n) else { return StringView() }
            var i = 0
            while i < n {
              out[i] = p[n &- 1 &- i]
              i &+= 1
            }
            return rows.made(out, n, of: n)
          }
        },
      ]),
  ]

  /// The text with one case replaced by the other.
  ///
  /// - Parameter from: the first of 26 ASCII letters that change.
  @inline(__always)
  private static func mapped(
    _ text: StringView, from letter: UInt8, _ map: @Sendable (UInt32) -> UInt32, _ rows: inout RowContext
  ) -> StringView {
    text.withUTF8 { p, n in
      if n == 0 { return StringView() }
      if TextScan.isASCII(p, n) {
        guard let out = rows.room(n) else { return StringView() }
        let raw = UnsafeRawPointer(p)
        let to = UnsafeMutableRawPointer(out)
        // Bit 7 of each byte: not below the first letter, and not above the last.
        let low = UInt64(0x80 &- letter) &* 0x0101_0101_0101_0101
        let high = UInt64(0x80 &- letter &- 26) &* 0x0101_0101_0101_0101
        var i = 0
        while i &+ 8 <= n {
          let word = raw.loadUnaligned(fromByteOffset: i, as: UInt64.self)
          let isLetter = (word &+ low) & ~(word &+ high) & 0x8080_8080_8080_8080
          to.storeBytes(of: word ^ (isLetter &>> 2), toByteOffset: i, as: UInt64.self)
          i &+= 8
        }
        while i < n {
          let byte = p[i]
          out[i] = byte &- letter < 26 ? byte ^ 0x20 : byte
          i &+= 1
        }
        return rows.made(out, n, of: n)
      }
      return mappedSlowly(p, n, map, &rows)
    }
  }

  private static func mappedSlowly(
    _ p: UnsafePointer<UInt8>, _ n: Int, _ map: (UInt32) -> UInt32, _ rows: inout RowContext
  ) -> StringView {
    // A two-byte character may become one of three bytes.
    let most = n &+ n / 2 &+ 4
    guard let out = rows.room(most) else { return StringView() }
    var (i, k) = (0, 0)
    while i < n {
      let (code, length) = TextScan.decode(p, n, i)
      if length < 0 {
        var b = 0
        while b < 0 &- length {
          out[k] = p[i]
          i &+= 1
          k &+= 1
          b &+= 1
        }
      } else {
        k &+= TextScan.encode(map(code), to: out + k)
        i &+= length
      }
    }
    return rows.made(out, k, of: most)
  }

  /// The code points in reverse, after `padding` spaces.
  private static func reversed(_ text: StringView, _ padding: Int, _ rows: inout RowContext) -> StringView {
    text.withUTF8 { p, n in
      let total = n &+ max(padding, 0)
      guard total > 0, let out = rows.room(total) else { return StringView() }
      var at = 0
      while at < total &- n {
        out[at] = 0x20
        at &+= 1
      }
      var end = total
      var i = 0
      while i < n {
        let length = abs(TextScan.decode(p, n, i).length)
        end &-= length
        var b = 0
        while b < length {
          out[end &+ b] = p[i &+ b]
          b &+= 1
        }
        i &+= length
      }
      return rows.made(out, total, of: total)
    }
  }
}

/// One code point's other case, as Java's `Character.toLowerCase` and `toUpperCase` have it.
enum CaseMapping {
  private static let tableSize = 0x600

  nonisolated(unsafe) private static let lowerTable = table(computeLower)
  nonisolated(unsafe) private static let upperTable = table(computeUpper)

  private static func table(_ map: (UInt32) -> UInt32) -> UnsafePointer<UInt16> {
    let p = UnsafeMutablePointer<UInt16>.allocate(capacity: tableSize)
    for code in 0..<tableSize {
      // What leaves the table's 16 bits is looked up each time; no code point does.
      p[code] = UInt16(truncatingIfNeeded: map(UInt32(code)))
    }
    return UnsafePointer(p)
  }

  static let lower: @Sendable (UInt32) -> UInt32 = { code in
    code < 0x600 ? UInt32(lowerTable[Int(code)]) : computeLower(code)
  }

  static let upper: @Sendable (UInt32) -> UInt32 = { code in
    code < 0x600 ? UInt32(upperTable[Int(code)]) : computeUpper(code)
  }

  private static func computeLower(_ code: UInt32) -> UInt32 {
    guard let scalar = Unicode.Scalar(code) else { return code }
    if code == 0x130 { return 0x69 }
    return single(scalar.properties.lowercaseMapping) ?? code
  }

  private static func computeUpper(_ code: UInt32) -> UInt32 {
    guard let scalar = Unicode.Scalar(code) else { return code }
    // Greek letters with iota subscript have a one-character capital only as titles.
    return single(scalar.properties.uppercaseMapping) ?? single(scalar.properties.titlecaseMapping) ?? code
  }

  private static func single(_ text: String) -> UInt32? {
    let scalars = text.unicodeScalars
    guard let first = scalars.first, scalars.index(after: scalars.startIndex) == scalars.endIndex else { return nil }
    return first.value
  }
}
