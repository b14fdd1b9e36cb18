import Columnar
import Glibc

/// Turns the raw bytes of a field into its text: takes off quotes and escapes.
struct DelimitedField {
  let quote: UInt8
  let hasQuote: Bool
  let escape: UInt8
  let hasEscape: Bool
  let escapesAnywhere: Bool
  let emptyIsNull: Bool
  private let quotedIsNeverNull: Bool
  private let dropsBlanksBehindQuote: Bool
  private let nullText: UnsafeMutableBufferPointer<UInt8>?

  /// - Parameter nullText: freed by `destroy`.
  init(_ dialect: DelimitedDialect) {
    quote = dialect.quote ?? 0
    hasQuote = dialect.quote != nil
    escape = dialect.escape ?? 0
    hasEscape = dialect.escape != nil
    escapesAnywhere = dialect.escapesAnywhere
    emptyIsNull = dialect.emptyIsNull
    quotedIsNeverNull = dialect.quotedIsNeverNull
    dropsBlanksBehindQuote = dialect.refusesStrayText
    nullText = dialect.nullText.map { text in
      let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count + 1)
      _ = copy.initialize(from: text)
      return UnsafeMutableBufferPointer(rebasing: copy[0..<text.count])
    }
  }

  func destroy() { nullText?.baseAddress?.deallocate() }

  /// Puts the text of the field `raw[0 ..< count]` at row `row` of `spans`.
  @inline(__always)
  func resolve(_ raw: UnsafePointer<UInt8>, _ count: Int, into spans: TextSpans, _ row: Int) {
    if hasQuote, count > 0, raw[0] == quote {
      resolveQuoted(raw, count, spans, row)
      return
    }
    spans.starts[row] = raw
    spans.lengths[row] = count == 0 && emptyIsNull ? -1 : Int32(truncatingIfNeeded: count)
    if let nullText, count == nullText.count, memcmp(raw, nullText.baseAddress!, count) == 0 {
      spans.lengths[row] = -1
      return
    }
    if escapesAnywhere, hasEscape { unescape(raw, count, spans, row) }
  }

  @inline(never)
  private func resolveQuoted(_ raw: UnsafePointer<UInt8>, _ count: Int, _ spans: TextSpans, _ row: Int) {
    if count >= 2, raw[count &- 1] == quote {
      // Without a quote or escape between them, the text lies between the quotes.
      let end = count &- 1
      var i = 1
      if hasEscape {
        while i < end, raw[i] != quote, raw[i] != escape { i &+= 1 }
      } else if end &- i > 16 {
        let found = memchr(raw + 1, Int32(quote), end &- 1)
        i = found.map { UnsafeRawPointer($0) - UnsafeRawPointer(raw) } ?? end
      } else {
        while i < end, raw[i] != quote { i &+= 1 }
      }
      if i == end {
        spans.starts[row] = raw + 1
        spans.lengths[row] = Int32(truncatingIfNeeded: count &- 2)
        if !quotedIsNeverNull, let nullText, count &- 2 == nullText.count, nullText.count > 0,
          memcmp(raw + 1, nullText.baseAddress!, count &- 2) == 0
        {
          spans.lengths[row] = -1
        }
        return
      }
    }
    let out = spans.reserve(count)
    var n = 0
    var i = 1
    var isInside = true
    while i < count {
      let c = raw[i]
      i &+= 1
      if isInside {
        if hasEscape, c == escape {
          if i < count, raw[i] == quote || raw[i] == escape {
            out[n] = raw[i]
            i &+= 1
          } else {
            out[n] = c
          }
          n &+= 1
          continue
        }
        if c == quote {
          if i < count, raw[i] == quote {
            i &+= 1
          } else {
            if dropsBlanksBehindQuote, areBlanks(raw, i, count) { break }
            isInside = false
            continue
          }
        }
      }
      out[n] = c
      n &+= 1
    }
    spans.arena.unreserve(count &- n)
    spans.starts[row] = UnsafePointer(out)
    spans.lengths[row] = Int32(truncatingIfNeeded: n)
  }

  private func areBlanks(_ raw: UnsafePointer<UInt8>, _ from: Int, _ to: Int) -> Bool {
    var i = from
    while i < to, raw[i] == 0x20 || raw[i] == 0x09 { i &+= 1 }
    return i == to
  }

  @inline(never)
  private func unescape(_ raw: UnsafePointer<UInt8>, _ count: Int, _ spans: TextSpans, _ row: Int) {
    guard count > 0, memchr(raw, Int32(escape), count) != nil else { return }
    let out = spans.reserve(count)
    var n = 0
    var i = 0
    while i < count {
      var c = raw[i]
      i &+= 1
      if c == escape, i < count {
        c = raw[i]
        i &+= 1
      }
      out[n] = c
      n &+= 1
    }
    spans.arena.unreserve(count &- n)
    spans.starts[row] = UnsafePointer(out)
    spans.lengths[row] = Int32(truncatingIfNeeded: n)
  }
}
