import Columnar
import Glibc
import QueryErrors
@_spi(_Unicode) import Swift

/// Single characters, UTF-8, distances and codes of texts.
///
/// - Source: Trino `StringFunctions`, `LuhnCheckFunction`, `SoundexFunction`.
package enum StringCharacterFunctions: FunctionFamily {
  package static let title = "Characters, codes and distances"

  private static let text = TypePattern.exact(.text)

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "chr", summary: "The character of a Unicode code point.", examples: [Example("chr(65)", "A")],
      overloads: [
        .unary(.bigint, returns: .exact(.varchar(length: 1))) { (code: Int64, rows) -> StringView in
          guard code >= 0, code <= 0x10ffff, !(code >= 0xd800 && code < 0xe000) else {
            rows.fail(.invalidFunctionArgument, "Not a valid Unicode code point: \(code)")
            return StringView()
          }
          let out = rows.arena.reserve(4).assumingMemoryBound(to: UInt8.self)
          return rows.made(out, TextScan.encode(UInt32(code), to: out), of: 4)
        }
      ]),
    ScalarFunction(
      "codepoint", summary: "The Unicode code point of the one character of a text.",
      examples: [Example("codepoint('x')", "120")],
      overloads: [
        .unary(.exact(.varchar(length: 1)), returns: .integer) { (text: StringView, rows) -> Int32 in
          text.withUTF8 { p, n in
            guard n > 0, case (let code, let length) = TextScan.decode(p, n, 0), length == n else {
              rows.fail(.invalidFunctionArgument, "Input string must be a single character string")
              return 0
            }
            return Int32(code)
          }
        }
      ]),
    ScalarFunction(
      "to_utf8", summary: "The bytes of a text in UTF-8.", examples: [Example("to_utf8('ab')", "61 62")],
      overloads: [
        .columns([.varchar], returns: .varbinary) { (columns, n, context) throws(QueryError) -> Column in
          columns[0].retyped(.varbinary)
        },
        .columns([.char], returns: .varbinary) { (columns, n, context) throws(QueryError) -> Column in
          guard case .char(let length) = columns[0].type else { return .nulls(.varbinary, count: n) }
          let x = columns[0].view
          let out = TextBuffer()
          return mapRows(columns, n, &context) { row, rows -> StringView in
            let value = x.value(row, as: StringView.self)
            out.removeAll()
            out.append(value)
            ValueText.pad(value, to: length, in: out)
            return rows.string(out)
          }
        },
      ]),
    ScalarFunction(
      "from_utf8", summary: "The text of bytes in UTF-8; damaged parts become U+FFFD or the character given.",
      examples: [Example("from_utf8(X'6162')", "ab"), Example("from_utf8(X'58BF', '#')", "X#")],
      overloads: [
        .unary(.varbinary, returns: .varchar) { (bytes: StringView, rows) -> StringView in
          repaired(bytes, [0xef, 0xbf, 0xbd], &rows)
        },
        .binary(.varbinary, text, returns: .varchar) { (bytes: StringView, replacement: StringView, rows) -> StringView in
          if TextScan.codePoints(replacement) > 1 {
            rows.fail(
              .invalidFunctionArgument, "Replacement character string must empty or a single character")
            return StringView()
          }
          return repaired(bytes, replacement.bytes, &rows)
        },
        .binary(.varbinary, .bigint, returns: .varchar) { (bytes: StringView, code: Int64, rows) -> StringView in
          guard code >= 0, code <= 0x10ffff, let scalar = Unicode.Scalar(UInt32(code)) else {
            rows.fail(.invalidFunctionArgument, "Invalid replacement character")
            return StringView()
          }
          return repaired(bytes, Array(String(scalar).utf8), &rows)
        },
      ]),
    ScalarFunction(
      "normalize", summary: "The text in a Unicode normal form: NFC, unless NFD, NFKC or NFKD is asked for.",
      examples: [
        Example("length(normalize('e' || chr(769), NFC))", "1"), Example("normalize('㈱Ⅲ', NFKC)", "(株)III"),
      ],
      overloads: [
        .unary(text, returns: .varchar) { (text: StringView, rows) -> StringView in normalized(text, "NFC", &rows) },
        .binary(text, text, returns: .varchar) { (text: StringView, form: StringView, rows) -> StringView in
          normalized(text, form.string.uppercased(), &rows)
        },
      ]),
    ScalarFunction(
      "levenshtein_distance", summary: "The fewest insertions, deletions and substitutions that make one text the other.",
      examples: [Example("levenshtein_distance('kitten', 'sitting')", "3")],
      overloads: [
        .binary(text, text, returns: .bigint) { (a: StringView, b: StringView, rows) -> Int64 in
          guard let (a, b) = codes(a, b, &rows) else { return 0 }
          return levenshtein(a, b, &rows)
        }
      ]),
    ScalarFunction(
      "hamming_distance", summary: "At how many places two texts of equal length differ.",
      examples: [Example("hamming_distance('karolin', 'kathrin')", "3")],
      overloads: [
        .binary(text, text, returns: .bigint) { (a: StringView, b: StringView, rows) -> Int64 in
          guard let (a, b) = codes(a, b, &rows) else { return 0 }
          if a.count != b.count {
            rows.fail(
              .invalidFunctionArgument, "The input strings to hamming_distance function must have the same length")
            return 0
          }
          return Int64(zip(a, b).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) })
        }
      ]),
    ScalarFunction(
      "soundex", summary: "The Soundex code of a text: a letter and three digits.",
      examples: [Example("soundex('Robert')", "R163")],
      overloads: [
        .unary(text, returns: .exact(.varchar(length: 4))) { (text: StringView, rows) -> StringView in
          soundex(text, &rows)
        }
      ]),
    ScalarFunction(
      "luhn_check", summary: "Whether a text of digits passes the Luhn check.",
      examples: [Example("luhn_check('79927398713')", "true")],
      overloads: [
        .unary(text, returns: .boolean) { (text: StringView, rows) -> Bool in
          text.withUTF8 { p, n in
            var sum = 0
            var i = 0
            while i < n {
              let digit = p[n &- 1 &- i] &- 0x30
              if digit > 9 {
                rows.fail(
                  .invalidFunctionArgument, "The input string must only contain digits: \(text.string)")
                return false
              }
              let doubled = i & 1 == 1 ? Int(digit) * 2 : Int(digit)
              sum &+= doubled > 9 ? doubled &- 9 : doubled
              i &+= 1
            }
            return n > 0 && sum % 10 == 0
          }
        }
      ]),
    ScalarFunction(
      "char2hexint", summary: "The UTF-16 code units of a text in hexadecimal.",
      examples: [Example("char2hexint('Az')", "0041007A")],
      overloads: [
        .unary(text, returns: .varchar) { (text: StringView, rows) -> StringView in
          let digits = Array("0123456789ABCDEF".utf8)
          let out = text.string.utf16.flatMap { unit in
            [12, 8, 4, 0].map { digits[Int(unit >> UInt16($0)) & 15] }
          }
          return rows.string(out)
        }
      ]),
    ScalarFunction(
      "index", summary: "Where a text first stands in another, or 0.", examples: [Example("index('high', 'ig')", "2")],
      overloads: Array((StringSearchFunctions.functions.first { $0.name == "strpos" }?.overloads ?? []).prefix(1))),
  ]

  // MARK: UTF-8

  private static func repaired(_ bytes: StringView, _ replacement: [UInt8], _ rows: inout RowContext) -> StringView {
    bytes.withUTF8 { p, n in
      if TextScan.isASCII(p, n) { return bytes }
      var isSound = true
      var i = 0
      while i < n {
        let length = TextScan.decode(p, n, i).length
        if length < 0 {
          isSound = false
          break
        }
        i &+= length
      }
      if isSound { return bytes }
      var out: [UInt8] = []
      i = 0
      while i < n {
        let length = TextScan.decode(p, n, i).length
        if length < 0 {
          out += replacement
          i &-= length
        } else {
          out += UnsafeBufferPointer(start: p + i, count: length)
          i &+= length
        }
      }
      return rows.string(out)
    }
  }

  private static func normalized(_ text: StringView, _ form: String, _ rows: inout RowContext) -> StringView {
    let isASCII = text.withUTF8 { p, n in TextScan.isASCII(p, n) }
    if isASCII, ["NFC", "NFD", "NFKC", "NFKD"].contains(form) { return text }
    switch form {
    case "NFC", "NFD": return rows.string(canonical(text.string, composed: form == "NFC"))
    case "NFKC", "NFKD":
      var mapped = ""
      for scalar in text.string.unicodeScalars {
        if let codes = CompatibilityMappings[scalar.value] {
          for code in codes { if let part = UnicodeScalar(code) { mapped.unicodeScalars.append(part) } }
        } else {
          mapped.unicodeScalars.append(scalar)
        }
      }
      return rows.string(canonical(mapped, composed: form == "NFKC"))
    default:
      rows.fail(.invalidFunctionArgument, "Normalization form must be one of [NFD, NFC, NFKD, NFKC]")
      return StringView()
    }
  }

  private static func canonical(_ text: String, composed: Bool) -> String {
    var out = ""
    if composed {
      for scalar in text._nfc { out.unicodeScalars.append(scalar) }
    } else {
      for scalar in text._nfd { out.unicodeScalars.append(scalar) }
    }
    return out
  }

  // MARK: Distances

  private static func codes(_ a: StringView, _ b: StringView, _ rows: inout RowContext) -> ([UInt32], [UInt32])? {
    var (x, y): ([UInt32], [UInt32]) = ([], [])
    let isSound =
      a.withUTF8 { p, n in TextScan.decodeAll(p, n, into: &x) } && b.withUTF8 { p, n in TextScan.decodeAll(p, n, into: &y) }
    if isSound { return (x, y) }
    rows.fail(.invalidFunctionArgument, "Invalid UTF-8 encoding in characters: \(a.string)")
    return nil
  }

  private static func levenshtein(_ a: [UInt32], _ b: [UInt32], _ rows: inout RowContext) -> Int64 {
    if a.isEmpty { return Int64(b.count) }
    if b.isEmpty { return Int64(a.count) }
    if a.count * (b.count - 1) > 1_000_000 {
      rows.fail(
        .invalidFunctionArgument,
        "The combined inputs for Levenshtein distance are too large")
      return 0
    }
    var line = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = line[0]
      line[0] = i + 1
      for (j, y) in b.enumerated() {
        let above = line[j + 1]
        line[j + 1] = x == y ? diagonal : min(diagonal, above, line[j]) + 1
        diagonal = above
      }
    }
    return Int64(line[b.count])
  }

  /// - Source: Apache Commons Codec `Soundex`, US English.
  private static func soundex(_ text: StringView, _ rows: inout RowContext) -> StringView {
    let codes = Array("01230120022455012623010202".utf8)
    var letters: [UInt8] = []
    for scalar in text.string.unicodeScalars {
      if scalar.value >= 0x80 {
        guard scalar.properties.isAlphabetic else { continue }
        rows.fail(.invalidFunctionArgument, "The character is not mapped: \(scalar)")
        return StringView()
      }
      let upper = UInt8(scalar.value) & 0xdf
      if upper >= 0x41, upper <= 0x5a { letters.append(upper) }
    }
    guard let first = letters.first else { return StringView() }
    var out = [first]
    var last = codes[Int(first - 0x41)]
    for letter in letters.dropFirst() where out.count < 4 {
      // H and W do not part equal codes.
      if letter == 0x48 || letter == 0x57 { continue }
      let code = codes[Int(letter - 0x41)]
      if code != 0x30, code != last { out.append(code) }
      last = code
    }
    while out.count < 4 { out.append(0x30) }
    return rows.string(out)
  }
}
