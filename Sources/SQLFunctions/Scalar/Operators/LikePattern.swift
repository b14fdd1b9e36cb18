import CKernels
package import Columnar
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

  /// Whether the text matches.
  package func matches(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
    switch kind {
    case .any: return true
    case .equals:
      guard let part = parts.first else { return n == 0 }
      return n == part.bytes.count && memcmp(p, part.bytes, n) == 0
    case .prefix: return n >= parts[0].bytes.count && memcmp(p, parts[0].bytes, parts[0].bytes.count) == 0
    case .suffix:
      let m = parts[0].bytes.count
      return n >= m && memcmp(p + (n - m), parts[0].bytes, m) == 0
    case .contains: return ck_find(p, n, parts[0].bytes, parts[0].bytes.count) >= 0
    case .general: return matchesGeneral(p, n)
    }
  }

  private func matchesGeneral(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
    var at = 0
    var end = n
    var first = 0
    var last = parts.count
    if !startsOpen {
      guard let length = LikePattern.length(parts[0], p, 0, n) else { return false }
      at = length
      first = 1
      if last == 1 { return endsOpen || at == n }
    }
    if !endsOpen {
      last -= 1
      guard let start = LikePattern.start(parts[last], p, at, n) else { return false }
      end = start
    }
    while first < last {
      guard let next = LikePattern.find(parts[first], p, at, end) else { return false }
      at = next
      first += 1
    }
    return true
  }

  /// Where the part ends when it begins at `at`; nil when it does not match there.
  private static func length(_ part: Part, _ p: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int? {
    if part.isLiteral {
      let m = part.bytes.count
      return end - at >= m && memcmp(p + at, part.bytes, m) == 0 ? at + m : nil
    }
    var position = at
    var k = 0
    var next = 0
    while k < part.bytes.count {
      if position >= end { return nil }
      if next < part.wildcards.count, part.wildcards[next] == k {
        next += 1
        position += 1
        while position < end, p[position] & 0xc0 == 0x80 { position += 1 }
      } else {
        if p[position] != part.bytes[k] { return nil }
        position += 1
      }
      k += 1
    }
    return position
  }

  /// Where the part begins when it ends at `end`; nil when it does not match there.
  private static func start(_ part: Part, _ p: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int? {
    if part.isLiteral {
      let m = part.bytes.count
      return end - from >= m && memcmp(p + (end - m), part.bytes, m) == 0 ? end - m : nil
    }
    var position = end
    for _ in 0..<part.codePoints {
      if position <= from { return nil }
      position -= 1
      while position > from, p[position] & 0xc0 == 0x80 { position -= 1 }
    }
    return length(part, p, position, end) == end ? position : nil
  }

  /// Where the part's first match in the range ends.
  private static func find(_ part: Part, _ p: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int? {
    if from > end { return nil }
    if part.isLiteral {
      let found = ck_find(p + from, end - from, part.bytes, part.bytes.count)
      return found < 0 ? nil : from + Int(found) + part.bytes.count
    }
    var position = from
    while position < end {
      if let after = length(part, p, position, end) { return after }
      position += 1
      while position < end, p[position] & 0xc0 == 0x80 { position += 1 }
    }
    return nil
  }
}
