import CKernels
import Columnar
import Glibc
package import QueryErrors

/// A LIKE pattern, compiled: `%` stands for any text, `_` for one code point.
///
/// The pattern is cut at its `%`: the first part must begin the text, the last one end it, those between are found one
/// after the other, each as early as possible. No part is tried twice, so matching never backtracks.
package struct LikePattern: Sendable {
  /// Text between two `%`: literal bytes and `_`.
  struct Part: Sendable {
    /// The bytes; at a `_` a zero byte that counts for nothing.
    var bytes: [UInt8]
    /// Where the `_` stand; empty for plain literals.
    var wildcards: [Int]
    /// Code points it spans, when it has wildcards.
    var codePoints: Int
    var isLiteral: Bool { wildcards.isEmpty }
  }

  /// How much work matching is.
  enum Kind: Sendable {
    case equals, prefix, suffix, contains, any, general
  }

  let kind: Kind
  let parts: [Part]
  /// The bytes of all parts, kept for the pattern's life, and where each part's lie.
  private let storage: Buffer
  private let spans: [Span]

  private struct Span: Sendable {
    var start: Int
    var count: Int
    var isLiteral: Bool
  }
  /// Whether the text may go on before the first and after the last part.
  let startsOpen: Bool
  let endsOpen: Bool

  /// - Parameter escape: the code point that makes the next one literal.
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` when an escape is not followed by `%`, `_` or itself.
  package init(_ pattern: [UInt8], escape: [UInt8]?) throws(QueryError) {
    var parts: [Part] = []
    var current = Part(bytes: [], wildcards: [], codePoints: 0)
    var startsOpen = false
    var endsOpen = false
    var isStarted = false
    var at = 0
    while at < pattern.count {
      var byte = pattern[at]
      var isLiteral = false
      if let escape, pattern[at...].starts(with: escape) {
        at += escape.count
        guard at < pattern.count,
          pattern[at] == 0x25 || pattern[at] == 0x5f || pattern[at...].starts(with: escape)
        else {
          throw QueryError(
            .invalidFunctionArgument, "Escape character must be followed by '%', '_' or the escape character itself")
        }
        if pattern[at...].starts(with: escape), escape.count > 1 {
          current.bytes += escape
          current.codePoints += 1
          at += escape.count
          isStarted = true
          endsOpen = false
          continue
        }
        byte = pattern[at]
        isLiteral = true
      }
      at += 1
      if byte == 0x25, !isLiteral {
        if !isStarted {
          startsOpen = true
        } else if !current.bytes.isEmpty {
          parts.append(current)
          current = Part(bytes: [], wildcards: [], codePoints: 0)
        }
        isStarted = true
        endsOpen = true
        continue
      }
      isStarted = true
      endsOpen = false
      if byte == 0x5f, !isLiteral {
        current.wildcards.append(current.bytes.count)
        current.bytes.append(0)
        current.codePoints += 1
      } else {
        current.bytes.append(byte)
        if byte & 0xc0 != 0x80 { current.codePoints += 1 }
      }
    }
    if !current.bytes.isEmpty { parts.append(current) }
    self.parts = parts
    let storage = Buffer(byteCount: parts.reduce(0) { $0 + $1.bytes.count })
    var spans: [Span] = []
    var offset = 0
    for part in parts {
      storage.pointer.advanced(by: offset).copyMemory(from: part.bytes, byteCount: part.bytes.count)
      spans.append(Span(start: offset, count: part.bytes.count, isLiteral: part.isLiteral))
      offset += part.bytes.count
    }
    self.storage = storage
    self.spans = spans
    self.startsOpen = startsOpen
    self.endsOpen = endsOpen
    if parts.isEmpty {
      kind = startsOpen ? .any : .equals
    } else if parts.count == 1, parts[0].isLiteral {
      kind = startsOpen ? (endsOpen ? .contains : .suffix) : (endsOpen ? .prefix : .equals)
    } else {
      kind = .general
    }
  }

  /// The whole text that matches, when only one does.
  package var exactText: [UInt8]? { kind == .equals ? parts.first?.bytes ?? [] : nil }

  /// What every matching text begins with.
  package var prefix: [UInt8] {
    guard !startsOpen, let first = parts.first else { return [] }
    return Array(first.bytes[..<(first.wildcards.first ?? first.bytes.count)])
  }

  /// The bytes of part `index`.
  @inline(__always)
  private func needle(_ index: Int) -> (UnsafePointer<UInt8>, Int) {
    let span = spans[index]
    return (UnsafePointer(storage.typed(UInt8.self)) + span.start, span.count)
  }

  /// Whether the text matches.
  package func matches(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
    switch kind {
    case .any: return true
    case .equals:
      if spans.isEmpty { return n == 0 }
      let (q, m) = needle(0)
      return n == m && memcmp(p, q, n) == 0
    case .prefix:
      let (q, m) = needle(0)
      return n >= m && memcmp(p, q, m) == 0
    case .suffix:
      let (q, m) = needle(0)
      return n >= m && memcmp(p + (n - m), q, m) == 0
    case .contains:
      let (q, m) = needle(0)
      return ck_find(p, n, q, m) >= 0
    case .general: return matchesGeneral(p, n)
    }
  }

  private func matchesGeneral(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
    var at = 0
    var end = n
    var first = 0
    var last = spans.count
    if !startsOpen {
      at = after(0, p, 0, n)
      if at < 0 { return false }
      first = 1
      if last == 1 { return endsOpen || at == n }
    }
    if !endsOpen {
      last &-= 1
      end = start(last, p, at, n)
      if end < 0 { return false }
    }
    while first < last {
      at = find(first, p, at, end)
      if at < 0 { return false }
      first &+= 1
    }
    return true
  }

  /// Where part `index` ends when it begins at `at`; -1 when it does not match there.
  private func after(_ index: Int, _ p: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
    let (q, m) = needle(index)
    if spans[index].isLiteral { return end &- at >= m && memcmp(p + at, q, m) == 0 ? at &+ m : -1 }
    let part = parts[index]
    var position = at
    var k = 0
    var next = 0
    while k < m {
      if position >= end { return -1 }
      if next < part.wildcards.count, part.wildcards[next] == k {
        next &+= 1
        position &+= 1
        while position < end, p[position] & 0xc0 == 0x80 { position &+= 1 }
      } else {
        if p[position] != q[k] { return -1 }
        position &+= 1
      }
      k &+= 1
    }
    return position
  }

  /// Where part `index` begins when it ends at `end`; -1 when it does not match there.
  private func start(_ index: Int, _ p: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
    let (q, m) = needle(index)
    if spans[index].isLiteral {
      return end &- from >= m && memcmp(p + (end &- m), q, m) == 0 ? end &- m : -1
    }
    var position = end
    for _ in 0..<parts[index].codePoints {
      if position <= from { return -1 }
      position &-= 1
      while position > from, p[position] & 0xc0 == 0x80 { position &-= 1 }
    }
    return after(index, p, position, end) == end ? position : -1
  }

  /// Where the first match of part `index` in the range ends, or -1.
  private func find(_ index: Int, _ p: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
    if from > end { return -1 }
    let (q, m) = needle(index)
    if spans[index].isLiteral {
      let found = ck_find(p + from, end &- from, q, m)
      return found < 0 ? -1 : from &+ Int(found) &+ m
    }
    var position = from
    while position < end {
      let matchEnd = after(index, p, position, end)
      if matchEnd >= 0 { return matchEnd }
      position &+= 1
      while position < end, p[position] & 0xc0 == 0x80 { position &+= 1 }
    }
    return -1
  }
}
