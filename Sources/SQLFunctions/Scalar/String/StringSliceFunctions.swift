import Columnar
import Glibc
import QueryErrors

/// Lengths, parts, trimming and padding of texts.
package enum StringSliceFunctions: FunctionFamily {
  package static let title = "String length and parts"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "length", summary: "Number of characters of a text, or of bytes.",
      examples: [Example("length('hello')", "5"), Example("length('naïve')", "5")],
      overloads: [
        .columns([.varchar], returns: .bigint) { (columns, n, context) throws(QueryError) -> Column in
          lengths(columns[0], n) { TextScan.codePoints($0) }
        },
        .columns([.char], returns: .bigint) { (columns, n, context) throws(QueryError) -> Column in
          guard case .char(let length) = columns[0].type else { return .nulls(.bigint, count: n) }
          return lengths(columns[0], n) { _ in length }
        },
        .columns([.varbinary], returns: .bigint) { (columns, n, context) throws(QueryError) -> Column in
          lengths(columns[0], n) { $0.count }
        },
      ]),
    ScalarFunction(
      "substr", aliases: ["substring"],
      summary: "The text from a position on (1 is the first, -1 the last character), at most so many characters long.",
      examples: [
        Example("substr('Quadratically', 5)", "ratically"), Example("substr('Quadratically', -3, 2)", "ll"),
      ],
      overloads: [
        .binary(.varchar, .bigint, returns: .argument(0)) { (text: StringView, start: Int64, _) -> StringView in
          part(text, start, Int64.max)
        },
        .ternary(.varchar, .bigint, .bigint, returns: .argument(0)) {
          (text: StringView, start: Int64, length: Int64, _) -> StringView in part(text, start, length)
        },
        padded([.char, .bigint]), padded([.char, .bigint, .bigint]),
        .binary(.varbinary, .bigint, returns: .varbinary) { (bytes: StringView, start: Int64, _) -> StringView in
          bytePart(bytes, start, Int64.max)
        },
        .ternary(.varbinary, .bigint, .bigint, returns: .varbinary) {
          (bytes: StringView, start: Int64, length: Int64, _) -> StringView in bytePart(bytes, start, length)
        },
      ]),
    trimming("trim", both: true, leading: true, summary: "The text without spaces, or given characters, at both ends."),
    trimming("ltrim", both: false, leading: true, summary: "The text without spaces, or given characters, at its start."),
    trimming("rtrim", both: false, leading: false, summary: "The text without spaces, or given characters, at its end."),
    padding("lpad", atStart: true, summary: "The text filled at its start, or cut, to so many characters."),
    padding("rpad", atStart: false, summary: "The text filled at its end, or cut, to so many characters."),
  ]

  // MARK: Length

  @inline(__always)
  private static func lengths(_ column: Column, _ n: Int, _ body: (StringView) -> Int) -> Column {
    let values = Buffer(byteCount: n * 8)
    let out = values.typed(Int64.self)
    let x = column.view
    let views = x.values.assumingMemoryBound(to: StringView.self)
    if let validity = column.validity {
      var row = 0
      while row < n {
        out[row] = validity[row] ? Int64(body(views[x.position(row)])) : 0
        row &+= 1
      }
    } else {
      fillUnary(column, n, out) { (view: StringView) in Int64(body(view)) }
    }
    return Column(flat: .bigint, count: n, values: values, validity: column.validity)
  }

  // MARK: Parts

  /// `substr` by code points.
  @inline(__always)
  static func part(_ text: StringView, _ start: Int64, _ length: Int64) -> StringView {
    if start == 0 || length <= 0 || text.count == 0 { return StringView() }
    return text.withUTF8 { p, n in
      if start > 0 {
        // Characters are at least a byte long.
        if start > Int64(n) { return StringView() }
        let from = TextScan.offset(p, n, of: Int(start &- 1))
        if length >= Int64(n &- from) { return StringView(p + from, count: n &- from) }
        let to = TextScan.offset(p, n, from: from, of: Int(length))
        return StringView(p + from, count: to &- from)
      }
      let count = TextScan.codePoints(p, n)
      if start < 0 &- Int64(count) { return StringView() }
      let from = TextScan.offset(p, n, of: count &+ Int(start))
      if length >= Int64(n &- from) { return StringView(p + from, count: n &- from) }
      let to = TextScan.offset(p, n, from: from, of: Int(length))
      return StringView(p + from, count: to &- from)
    }
  }

  /// `substr` by bytes.
  @inline(__always)
  private static func bytePart(_ bytes: StringView, _ start: Int64, _ length: Int64) -> StringView {
    let n = Int64(bytes.count)
    if start == 0 || length <= 0 || start > n || start < 0 &- n { return StringView() }
    let from = start > 0 ? start &- 1 : n &+ start
    return bytes.slice(Int(from), Int(length >= n &- from ? n : from &+ length))
  }

  /// `substr` of a char, with its padding.
  private static func padded(_ parameters: [TypePattern]) -> ScalarOverload {
    .columns(parameters, returns: .sameLength) { (columns, n, context) throws(QueryError) -> Column in
      var charLength = 0
      if case .char(let length) = columns[0].type { charLength = length }
      let text = TextBuffer()
      let (x, y) = (columns[0].view, columns[1].view)
      let z = columns.count > 2 ? columns[2].view : nil
      let padded = charLength
      return mapRows(columns, n, &context) { row, rows -> StringView in
        text.removeAll()
        let value = x.value(row, as: StringView.self)
        text.append(value)
        ValueText.pad(value, to: padded, in: text)
        let result = part(text.view, y.value(row, as: Int64.self), z.map { $0.value(row, as: Int64.self) } ?? Int64.max)
        return rows.arena.add(result)
      }
    }
  }

  // MARK: Trimming

  private static func trimming(_ name: String, both: Bool, leading: Bool, summary: String) -> ScalarFunction {
    let trailing = both || !leading
    let example =
      both
      ? Example("trim('  a b ')", "a b")
      : leading ? Example("ltrim('xxab', 'x')", "ab") : Example("rtrim('abxx', 'x')", "ab")
    return ScalarFunction(
      name, summary: summary, examples: [example],
      overloads: [
        .unary(.varchar, returns: .argument(0)) { (text: StringView, _) -> StringView in
          trimmed(text, leading, trailing) { TextScan.isWhitespace($0) }
        },
        // Both ends: a char is stored without the spaces it is filled with, and none of them stay.
        .unary(.char, returns: .sameLength) { (text: StringView, _) -> StringView in
          trimmed(text, leading, trailing) { TextScan.isWhitespace($0) }
        },
      ]
        + [.varchar, .char].map { (type: TypePattern) -> ScalarOverload in
          ScalarOverload(Signature([type, .exact(.text)], returns: .sameLength)) {
            (binding: SignatureBinding) throws(QueryError) -> Kernel in
            var set = CodePointSet()
            let isChar = binding.argumentTypes[0].isChar
            return { (columns, n, context) throws(QueryError) -> Column in
              let (x, y) = (columns[0].view, columns[1].view)
              return mapRows(columns, n, &context) { row, rows -> StringView in
                let characters = y.value(row, as: StringView.self)
                guard set.load(characters) else {
                  rows.fail(.invalidFunctionArgument, "Invalid UTF-8 encoding in characters: \(characters.string)")
                  return StringView()
                }
                let result = trimmed(x.value(row, as: StringView.self), leading, trailing) { set.contains($0) }
                // A char has no spaces at its end.
                return isChar ? TextCasts.withoutPadding(result) : result
              }
            }
          }
        }.flatMap { [$0, $0.takingChar(at: 1)] })
  }

  @inline(__always)
  private static func trimmed(
    _ text: StringView, _ leading: Bool, _ trailing: Bool, _ drops: (UInt32) -> Bool
  ) -> StringView {
    text.withUTF8 { p, n in
      var from = 0
      var to = n
      if leading {
        while from < to {
          let (code, length) = TextScan.decode(p, to, from)
          if length < 0 || !drops(code) { break }
          from &+= length
        }
      }
      if trailing {
        while to > from {
          var at = to &- 1
          while at > from, p[at] & 0xc0 == 0x80, to &- at < 4 { at &-= 1 }
          let (code, length) = TextScan.decode(p, to, at)
          if length != to &- at || !drops(code) { break }
          to = at
        }
      }
      if from == 0, to == n { return text }
      return StringView(p + from, count: to &- from)
    }
  }

  /// The characters that a trim drops; keeps the last set read.
  private struct CodePointSet {
    private var known: [UInt8]?
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private var others: [UInt32] = []

    /// False when the text is damaged.
    mutating func load(_ characters: StringView) -> Bool {
      let isKnown = characters.withUTF8 { p, n in
        known.map { $0.count == n && memcmp($0, p, n) == 0 } ?? false
      }
      if isKnown { return true }
      known = nil
      var codes: [UInt32] = []
      let isSound = characters.withUTF8 { p, n in TextScan.decodeAll(p, n, into: &codes) }
      if !isSound { return false }
      low = 0
      high = 0
      others = []
      for code in codes {
        if code < 64 {
          low |= 1 << UInt64(code)
        } else if code < 128 {
          high |= 1 << UInt64(code - 64)
        } else {
          others.append(code)
        }
      }
      known = characters.bytes
      return true
    }

    @inline(__always)
    func contains(_ code: UInt32) -> Bool {
      if code < 64 { return (low &>> UInt64(code)) & 1 != 0 }
      if code < 128 { return (high &>> UInt64(code &- 64)) & 1 != 0 }
      return others.contains(code)
    }
  }

  // MARK: Padding

  private static func padding(_ name: String, atStart: Bool, summary: String) -> ScalarFunction {
    ScalarFunction(
      name, summary: summary,
      examples: [atStart ? Example("lpad('7', 3, '0')", "007") : Example("rpad('ab', 5, 'xy')", "abxyx")],
      overloads: [
        .ternary(.exact(.text), .bigint, .exact(.text), returns: .varchar) {
          (text: StringView, target: Int64, fill: StringView, rows) -> StringView in
          pad(text, target, fill, atStart, &rows)
        },
        ScalarOverload.ternary(.exact(.text), .bigint, .exact(.text), returns: .varchar) {
          (text: StringView, target: Int64, fill: StringView, rows) -> StringView in
          pad(text, target, fill, atStart, &rows)
        }.takingChar(at: 0),
        .ternary(.varbinary, .bigint, .varbinary, returns: .varbinary) {
          (bytes: StringView, target: Int64, fill: StringView, rows) -> StringView in
          padBytes(bytes, target, fill, atStart, &rows)
        },
      ])
  }

  @inline(__always)
  private static func checkPadding(_ target: Int64, _ fill: StringView, _ what: String, _ rows: inout RowContext) -> Bool {
    if target < 0 || target > Int64(Int32.max) {
      rows.fail(.invalidFunctionArgument, "Target length must be in the range [0..2147483647]")
      return false
    }
    if fill.count == 0 {
      rows.fail(.invalidFunctionArgument, "Padding \(what) must not be empty")
      return false
    }
    return true
  }

  private static func pad(
    _ text: StringView, _ target: Int64, _ fill: StringView, _ atStart: Bool, _ rows: inout RowContext
  ) -> StringView {
    guard checkPadding(target, fill, "string", &rows) else { return StringView() }
    let missing = Int(target) &- TextScan.codePoints(text)
    if missing == 0 { return text }
    if missing < 0 { return part(text, 1, target) }
    let perFill = max(TextScan.codePoints(fill), 1)
    let (repeats, rest) = missing.quotientAndRemainder(dividingBy: perFill)
    return fill.withUTF8 { q, m in
      let tail = TextScan.offset(q, m, of: rest)
      let (product, overflows) = repeats.multipliedReportingOverflow(by: m)
      let fillBytes = overflows ? Int(Int32.max) : product &+ (rest == 0 ? 0 : tail)
      let total = text.count &+ fillBytes
      guard let out = rows.room(total) else { return StringView() }
      var at = atStart ? 0 : text.count
      let end = at &+ fillBytes
      while at < end {
        let count = min(m, end &- at)
        memcpy(out + at, q, count)
        at &+= count
      }
      text.withUTF8 { p, n in _ = memcpy(out + (atStart ? fillBytes : 0), p, n) }
      return rows.made(out, total, of: total)
    }
  }

  private static func padBytes(
    _ bytes: StringView, _ target: Int64, _ fill: StringView, _ atStart: Bool, _ rows: inout RowContext
  ) -> StringView {
    guard checkPadding(target, fill, "bytes", &rows) else { return StringView() }
    let total = Int(target)
    if total <= bytes.count { return bytes.slice(0, total) }
    guard let out = rows.room(total) else { return StringView() }
    fill.withUTF8 { q, m in
      var at = atStart ? 0 : bytes.count
      let end = at &+ total &- bytes.count
      while at < end {
        let count = min(m, end &- at)
        memcpy(out + at, q, count)
        at &+= count
      }
    }
    bytes.withUTF8 { p, n in _ = memcpy(out + (atStart ? total &- n : 0), p, n) }
    return rows.made(out, total, of: total)
  }
}
