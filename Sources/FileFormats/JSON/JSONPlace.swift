import Glibc

/// Finds values in a whole JSON document by the keys that lead to them.
package enum JSONPlace {
  /// What is at a place.
  package enum Found: Equatable, Sendable {
    /// No such key, or one of what is no object.
    case missing
    case null
    /// Where its bytes are.
    case array(Range<Int>)
    case object(Range<Int>)
    case string(String)
    /// A number, `true` or `false`, as written.
    case scalar(String)
  }

  /// The keys of a path: `data.items`, `$.data.items`, `results.0`; nil when it is none.
  package static func path(_ text: String) -> [String]? {
    var keys = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if keys.first == "$" { keys.removeFirst() }
    return keys.contains("") ? nil : keys
  }

  /// What is behind some keys, numbers counting an array's elements from 0; nil when the bytes are no JSON.
  package static func find(_ path: [String], in bytes: [UInt8]) -> Found? {
    bytes.withUnsafeBufferPointer { buffer -> Found? in
      guard let p = buffer.baseAddress, let whole = document(p, buffer.count) else { return nil }
      var range = whole
      for key in path {
        guard let inner = child(key, p, range) else { return .missing }
        range = inner
      }
      switch p[range.lowerBound] {
      case 0x7b: return .object(range)
      case 0x5b: return .array(range)
      case 0x22: return .string(JSONText.string(p + range.lowerBound + 1, range.count - 2))
      default:
        let text = String(decoding: UnsafeBufferPointer(start: p + range.lowerBound, count: range.count), as: UTF8.self)
        return text == "null" ? .null : .scalar(text)
      }
    }
  }

  /// The members of an object of strings; nil when the bytes are none.
  package static func members(_ bytes: [UInt8]) -> [(name: String, value: String)]? {
    bytes.withUnsafeBufferPointer { buffer -> [(name: String, value: String)]? in
      guard let p = buffer.baseAddress, let whole = document(p, buffer.count), p[whole.lowerBound] == 0x7b else { return nil }
      var result: [(name: String, value: String)] = []
      let isSound = walk(p, whole) { name, value in
        guard let name, p[value.lowerBound] == 0x22 else { return false }
        result.append((name, JSONText.string(p + value.lowerBound + 1, value.count - 2)))
        return true
      }
      return isSound ? result : nil
    }
  }

  /// About where a text that is no JSON goes wrong, for messages.
  package static func firstError(in bytes: [UInt8]) -> Int {
    bytes.withUnsafeBufferPointer { buffer in
      guard let p = buffer.baseAddress else { return 0 }
      let start = JSONText.skipBlanks(p, 0, buffer.count)
      guard let end = valueEnd(p, start, buffer.count) else { return start }
      return JSONText.skipBlanks(p, end, buffer.count)
    }
  }

  // MARK: Walking

  /// The one value that the bytes are.
  private static func document(_ p: UnsafePointer<UInt8>, _ count: Int) -> Range<Int>? {
    // Some services begin with a byte order mark.
    let mark = count >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf ? 3 : 0
    let start = JSONText.skipBlanks(p, mark, count)
    guard let end = valueEnd(p, start, count), JSONText.skipBlanks(p, end, count) == count else { return nil }
    return start..<end
  }

  /// As `JSONText.valueEnd`, which may look at bytes behind a scalar; of those only the first letter is checked.
  private static func valueEnd(_ p: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int? {
    guard at < end else { return nil }
    if [0x22, 0x5b, 0x7b].contains(p[at]) { return JSONText.valueEnd(p, at, end) }
    guard p[at] &- 0x30 <= 9 || [0x2d, 0x74, 0x66, 0x6e].contains(p[at]) else { return nil }
    var close = at
    while close < end, ![0x2c, 0x5d, 0x7d].contains(p[close]), !JSONText.isBlank(p[close]) { close += 1 }
    return close > at ? close : nil
  }

  private static func child(_ key: String, _ p: UnsafePointer<UInt8>, _ range: Range<Int>) -> Range<Int>? {
    guard p[range.lowerBound] == 0x7b || p[range.lowerBound] == 0x5b else { return nil }
    var found: Range<Int>?
    var index = 0
    _ = walk(p, range) { name, value in
      if name.map({ $0 == key }) ?? (String(index) == key) { found = value }
      index += 1
      return found == nil
    }
    return found
  }

  /// Calls `body` with each member or element until it answers false; whether all were walked.
  private static func walk(
    _ p: UnsafePointer<UInt8>, _ range: Range<Int>, _ body: (_ name: String?, _ value: Range<Int>) -> Bool
  ) -> Bool {
    let isObject = p[range.lowerBound] == 0x7b
    let end = range.upperBound - 1
    var at = JSONText.skipBlanks(p, range.lowerBound + 1, end)
    if at == end { return true }
    while true {
      var name: String?
      if isObject {
        guard at < end, p[at] == 0x22, let close = JSONText.stringEnd(p, at, end) else { return false }
        name = JSONText.string(p + at + 1, close - at - 1)
        at = JSONText.skipBlanks(p, close + 1, end)
        guard at < end, p[at] == 0x3a else { return false }
        at = JSONText.skipBlanks(p, at + 1, end)
      }
      guard let after = valueEnd(p, at, end), body(name, at..<after) else { return false }
      at = JSONText.skipBlanks(p, after, end)
      if at == end { return true }
      guard p[at] == 0x2c else { return false }
      at = JSONText.skipBlanks(p, at + 1, end)
    }
  }
}
