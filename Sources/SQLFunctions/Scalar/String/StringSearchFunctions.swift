import CKernels
import Columnar
import Glibc
import QueryErrors

/// Finding, replacing and splitting at given text.
package enum StringSearchFunctions: FunctionFamily {
  package static let title = "String search"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "strpos",
      summary: "Where a text first stands in another (1 is the first character), or 0; of several places the n-th, from the end when negative.",
      examples: [Example("strpos('high', 'ig')", "2"), Example("strpos('abc/xyz/foo', '/', -1)", "8")],
      overloads: [
        .binary(.exact(.text), .exact(.text), returns: .bigint) { (text: StringView, needle: StringView, _) -> Int64 in
          text.withUTF8 { p, n in
            needle.withUTF8 { q, m in
              let at = Int(ck_find(p, n, q, m))
              return at < 0 ? 0 : Int64(TextScan.codePoints(p, at) &+ 1)
            }
          }
        },
        .ternary(.exact(.text), .exact(.text), .bigint, returns: .bigint) {
          (text: StringView, needle: StringView, instance: Int64, rows) -> Int64 in
          position(text, needle, instance, &rows)
        },
      ]),
    ScalarFunction(
      "starts_with", summary: "Whether a text begins with another.",
      examples: [Example("starts_with('foobar', 'foo')", "true")],
      overloads: [
        .binary(.exact(.text), .exact(.text), returns: .boolean) { (text: StringView, start: StringView, _) -> Bool in
          let m = start.count
          if m > text.count { return false }
          return text.withUTF8 { p, _ in start.withUTF8 { q, _ in memcmp(p, q, m) == 0 } }
        }
      ]),
    ScalarFunction(
      "ends_with", summary: "Whether a text ends with another.",
      examples: [Example("ends_with('foobar', 'bar')", "true")],
      isExtension: true,
      overloads: [
        .binary(.exact(.text), .exact(.text), returns: .boolean) { (text: StringView, end: StringView, _) -> Bool in
          let m = end.count
          if m > text.count { return false }
          return text.withUTF8 { p, n in end.withUTF8 { q, _ in memcmp(p + (n - m), q, m) == 0 } }
        }
      ]),
    ScalarFunction(
      "replace", summary: "The text with every occurrence of another replaced, or removed.",
      examples: [Example("replace('aba', 'b', 'xx')", "axxa"), Example("replace('aba', 'b')", "aa")],
      overloads: [
        .binary(.varchar, .exact(.text), returns: .argument(0)) { (text: StringView, search: StringView, rows) -> StringView in
          replaced(text, search, StringView(), &rows)
        },
        ScalarOverload.ternary(.varchar, .varchar, .varchar, returns: .computed(replacedType)) {
          (text: StringView, search: StringView, by: StringView, rows) -> StringView in
          replaced(text, search, by, &rows)
        },
      ]),
    ScalarFunction(
      "overlay", summary: "The text with so many characters from a position on replaced by another text.",
      examples: [Example("overlay('Txxxxas', 'hom', 2, 4)", "Thomas")],
      isExtension: true,
      overloads: [
        .ternary(.varchar, .varchar, .bigint, returns: .computed(overlaidType)) {
          (text: StringView, by: StringView, start: Int64, rows) -> StringView in
          overlaid(text, by, start, Int64(TextScan.codePoints(by)), &rows)
        },
        .columns([.varchar, .varchar, .bigint, .bigint], returns: .computed(overlaidType)) {
          (columns, n, context) throws(QueryError) -> Column in
          let views = columns.map(\.view)
          return mapRows(columns, n, &context) { row, rows -> StringView in
            overlaid(
              views[0].value(row, as: StringView.self), views[1].value(row, as: StringView.self),
              views[2].value(row, as: Int64.self), views[3].value(row, as: Int64.self), &rows)
          }
        },
      ]),
    ScalarFunction(
      "translate", summary: "The text with each character of a list replaced by the one at the same place of another, or removed.",
      examples: [Example("translate('abcd', 'ac', 'z')", "zbd")],
      overloads: [
        .ternary(.exact(.text), .exact(.text), .exact(.text), returns: .varchar) {
          (text: StringView, from: StringView, to: StringView, rows) -> StringView in
          translated(text, from, to, &rows)
        }
      ]),
    ScalarFunction(
      "split", summary: "The parts of a text between delimiters, at most so many.",
      examples: [Example("split('a.b.c', '.')", "[a, b, c]"), Example("split('a.b.c', '.', 2)", "[a, b.c]")],
      overloads: [
        .columns([.varchar, .exact(.text)], returns: .arrayOfSameLength) {
          (columns, n, context) throws(QueryError) -> Column in split(columns, n, &context)
        },
        .columns([.varchar, .exact(.text), .bigint], returns: .arrayOfSameLength) {
          (columns, n, context) throws(QueryError) -> Column in split(columns, n, &context)
        },
      ]),
    ScalarFunction(
      "split_part", summary: "The n-th part of a text between delimiters; NULL when there are fewer.",
      examples: [Example("split_part('a,b,c', ',', 2)", "b"), Example("split_part('a,b', ',', 3)", "NULL")],
      overloads: [
        .ternaryOrNull(.varchar, .exact(.text), .bigint, returns: .argument(0)) {
          (text: StringView, delimiter: StringView, index: Int64, rows) -> StringView? in
          part(text, delimiter, index, &rows)
        }
      ]),
    ScalarFunction(
      "concat_ws", summary: "The texts that are not NULL, one after the other, with a separator in between.",
      examples: [Example("concat_ws(', ', 'a', NULL, 'b')", "a, b"), Example("concat_ws('-', ARRAY['x', 'y'])", "x-y")],
      overloads: [
        .columns(
          [.exact(.text), .exact(.text)], variadic: true,
          returns: .computed { (types) throws(QueryError) in
            guard types.count > 1 else {
              throw QueryError(.invalidFunctionArgument, "There must be two or more arguments")
            }
            return .text
          }, propagatesNulls: false
        ) {
          (columns, n, context) throws(QueryError) -> Column in joined(columns, n, &context)
        },
        .columns([.exact(.text), .array(.exact(.text))], returns: .varchar) {
          (columns, n, context) throws(QueryError) -> Column in joinedElements(columns, n, &context)
        },
      ]),
  ]

  // MARK: Finding

  private static func position(
    _ text: StringView, _ needle: StringView, _ instance: Int64, _ rows: inout RowContext
  ) -> Int64 {
    if instance == 0 {
      rows.fail(.invalidFunctionArgument, "'instance' must be a positive or negative number.")
      return 0
    }
    if needle.count == 0 { return 1 }
    return text.withUTF8 { p, n in
      needle.withUTF8 { q, m in
        if m > n { return 0 }
        var rest = instance.magnitude
        if instance > 0 {
          var from = 0
          while true {
            let at = Int(ck_find(p + from, n &- from, q, m))
            if at < 0 { return 0 }
            rest &-= 1
            if rest == 0 { return Int64(TextScan.codePoints(p, from &+ at) &+ 1) }
            from &+= at &+ 1
          }
        }
        var at = n &- m
        while at >= 0 {
          if p[at] == q[0], memcmp(p + at, q, m) == 0 {
            rest &-= 1
            if rest == 0 { return Int64(TextScan.codePoints(p, at) &+ 1) }
          }
          at &-= 1
        }
        return 0
      }
    }
  }

  // MARK: Replacing

  /// varchar(x), varchar(y), varchar(z) → varchar(x + z · (x + 1)).
  private static let replacedType: @Sendable ([DataType]) throws(QueryError) -> DataType = {
    (types: [DataType]) throws(QueryError) -> DataType in
    guard case .varchar(let x?) = types[0], case .varchar(let z?) = types[2] else { return .text }
    let (product, overflows) = z.multipliedReportingOverflow(by: x + 1)
    let length = overflows ? Int(Int32.max) : x + product
    return length >= Int(Int32.max) ? .text : .varchar(length: length)
  }

  private static let overlaidType: @Sendable ([DataType]) throws(QueryError) -> DataType = {
    (types: [DataType]) throws(QueryError) -> DataType in
    guard case .varchar(let x?) = types[0], case .varchar(let y?) = types[1], x + y < Int(Int32.max) else {
      return .text
    }
    return .varchar(length: x + y)
  }

  /// The text before `start`, the replacement, and the text from `start + length` on.
  private static func overlaid(
    _ text: StringView, _ by: StringView, _ start: Int64, _ length: Int64, _ rows: inout RowContext
  ) -> StringView {
    if start < 1 {
      rows.fail(.invalidFunctionArgument, "overlay start must be positive: \(start)")
      return StringView()
    }
    let (end, overflows) = start.addingReportingOverflow(max(length, 0))
    let head = StringSliceFunctions.part(text, 1, start - 1)
    let tail =
      overflows ? StringView() : StringSliceFunctions.part(text, end, Int64.max)
    let total = head.count + by.count + tail.count
    guard total > 0, let out = rows.room(total) else { return StringView() }
    var at = 0
    for piece in [head, by, tail] {
      piece.withUTF8 { p, n in _ = memcpy(out + at, p, n) }
      at += piece.count
    }
    return rows.made(out, total, of: total)
  }

  private static func replaced(
    _ text: StringView, _ search: StringView, _ by: StringView, _ rows: inout RowContext
  ) -> StringView {
    text.withUTF8 { p, n in
      search.withUTF8 { q, m in
        by.withUTF8 { r, k in
          if m == 0 { return interleaved(p, n, r, k, &rows) }
          var at = Int(ck_find(p, n, q, m))
          if at < 0 { return text }
          // Counted first, so that the room is right.
          var hits = 1
          var from = at &+ m
          while true {
            let next = Int(ck_find(p + from, n &- from, q, m))
            if next < 0 { break }
            hits &+= 1
            from &+= next &+ m
          }
          let total = n &+ hits &* (k &- m)
          if total == 0 { return StringView() }
          guard let out = rows.room(total) else { return StringView() }
          var to = out
          from = 0
          while at >= 0 {
            memcpy(to, p + from, at)
            memcpy(to + at, r, k)
            to += at &+ k
            from &+= at &+ m
            at = Int(ck_find(p + from, n &- from, q, m))
          }
          memcpy(to, p + from, n &- from)
          return rows.made(out, total, of: total)
        }
      }
    }
  }

  /// The replacement before every character and at the end: what an empty search text finds.
  private static func interleaved(
    _ p: UnsafePointer<UInt8>, _ n: Int, _ r: UnsafePointer<UInt8>, _ k: Int, _ rows: inout RowContext
  ) -> StringView {
    let (inserted, overflows) = (TextScan.codePoints(p, n) &+ 1).multipliedReportingOverflow(by: k)
    let total = overflows ? Int(Int32.max) &+ 1 : inserted &+ n
    guard total > 0, let out = rows.room(total) else { return StringView() }
    var to = out
    var i = 0
    while i < n {
      memcpy(to, r, k)
      to += k
      repeat {
        to[0] = p[i]
        to += 1
        i &+= 1
      } while i < n && p[i] & 0xc0 == 0x80
    }
    memcpy(to, r, k)
    return rows.made(out, min(to - out &+ k, total), of: total)
  }

  private static func translated(
    _ text: StringView, _ from: StringView, _ to: StringView, _ rows: inout RowContext
  ) -> StringView {
    var (source, sources, targets): ([UInt32], [UInt32], [UInt32]) = ([], [], [])
    for (view, which) in [(text, 0), (from, 1), (to, 2)] {
      var codes: [UInt32] = []
      let isSound = view.withUTF8 { p, n in TextScan.decodeAll(p, n, into: &codes) }
      if !isSound {
        rows.fail(.invalidFunctionArgument, "Invalid UTF-8 encoding in characters: \(view.string)")
        return StringView()
      }
      switch which {
      case 0: source = codes
      case 1: sources = codes
      default: targets = codes
      }
    }
    let most = source.count * 4
    guard most > 0, let out = rows.room(most) else { return StringView() }
    var k = 0
    for code in source {
      if let place = sources.firstIndex(of: code) {
        if place < targets.count { k &+= TextScan.encode(targets[place], to: out + k) }
      } else {
        k &+= TextScan.encode(code, to: out + k)
      }
    }
    return rows.made(out, k, of: most)
  }

  // MARK: Splitting

  private static func split(_ columns: [Column], _ n: Int, _ context: inout KernelContext) -> Column {
    let (x, y) = (columns[0].view, columns[1].view)
    let z = columns.count > 2 ? columns[2].view : nil
    return mapStringLists(columns, n, &context) { row, list, rows in
      let text = x.value(row, as: StringView.self)
      let delimiter = y.value(row, as: StringView.self)
      let limit = z.map { $0.value(row, as: Int64.self) } ?? Int64(Int32.max)
      if limit <= 0 { return rows.fail(.invalidFunctionArgument, "Limit must be positive") }
      if limit > Int64(Int32.max) { return rows.fail(.invalidFunctionArgument, "Limit is too large") }
      if delimiter.count == 0 {
        return rows.fail(.invalidFunctionArgument, "The delimiter may not be the empty string")
      }
      text.withUTF8 { p, n in
        delimiter.withUTF8 { q, m in
          var from = 0
          var made: Int64 = 1
          while made < limit {
            let at = Int(ck_find(p + from, n &- from, q, m))
            if at < 0 { break }
            list.append(StringView(p + from, count: at))
            from &+= at &+ m
            made &+= 1
          }
          list.append(StringView(p + from, count: n &- from))
        }
      }
    }
  }

  private static func part(
    _ text: StringView, _ delimiter: StringView, _ index: Int64, _ rows: inout RowContext
  ) -> StringView? {
    if index <= 0 {
      rows.fail(.invalidFunctionArgument, "Index must be greater than zero")
      return nil
    }
    return text.withUTF8 { p, n -> StringView? in
      delimiter.withUTF8 { q, m -> StringView? in
        if m == 0 {
          if index > Int64(n) { return nil }
          let from = TextScan.offset(p, n, of: Int(index &- 1))
          if from >= n { return nil }
          let length = TextScan.decode(p, n, from).length
          if length < 0 {
            rows.fail(.invalidFunctionArgument, "Invalid UTF-8 encoding")
            return nil
          }
          return StringView(p + from, count: length)
        }
        var from = 0
        var part: Int64 = 1
        while true {
          let at = from <= n ? Int(ck_find(p + from, n &- from, q, m)) : -1
          if at < 0 { return part == index ? StringView(p + from, count: n &- from) : nil }
          if part == index { return StringView(p + from, count: at) }
          part &+= 1
          from &+= at &+ m
        }
      }
    }
  }

  // MARK: Joining

  private static func joined(_ columns: [Column], _ n: Int, _ context: inout KernelContext) -> Column {
    let views = columns.map(\.view)
    let text = TextBuffer()
    return mapRows([columns[0]], n, &context) { row, rows -> StringView in
      text.removeAll()
      let separator = views[0].value(row, as: StringView.self)
      var isFirst = true
      var k = 1
      while k < views.count {
        if !views[k].isNull(row) {
          if !isFirst { text.append(separator) }
          isFirst = false
          text.append(views[k].value(row, as: StringView.self))
        }
        k &+= 1
      }
      return rows.string(text)
    }
  }

  private static func joinedElements(_ columns: [Column], _ n: Int, _ context: inout KernelContext) -> Column {
    let x = columns[0].view
    let arrays = columns[1]
    let elements = arrays.storage.children[0]
    let y = elements.view
    let text = TextBuffer()
    return mapRows(columns, n, &context) { row, rows -> StringView in
      text.removeAll()
      let separator = x.value(row, as: StringView.self)
      var isFirst = true
      for element in arrays.storage.elementRange(arrays.position(row)) where !elements.isNull(element) {
        if !isFirst { text.append(separator) }
        isFirst = false
        text.append(y.value(element, as: StringView.self))
      }
      return rows.string(text)
    }
  }
}
