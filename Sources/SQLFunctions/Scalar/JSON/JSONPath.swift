import Columnar
import Glibc
import QueryErrors

/// A path into a JSON value, as `json_extract` takes it.
///
///     $.store.book[0]["full name"]   →   key store, key book, key 0, key "full name"
///
/// A step that is a number also is an index where the value is an array.
///
/// - Source: Trino `JsonPathTokenizer`, `JsonExtract`.
struct JSONPath {
  struct Step {
    var key: [UInt8]
    /// The key as an array's index.
    var index: Int?
  }
  private(set) var steps: [Step] = []

  /// Nil when the text is no such path.
  init?(_ text: [UInt8]) {
    guard text.first == UInt8(ascii: "$") else { return nil }
    var at = 1
    func isSubscript(_ byte: UInt8) -> Bool {
      byte == 0x2d || byte == 0x5f || (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a)
        || byte >= 0x80
    }
    let pathCharacters = Array(":$-/@|# ".utf8)
    while at < text.count {
      if text[at] == UInt8(ascii: ".") {
        at += 1
        let start = at
        while at < text.count, isSubscript(text[at]) || pathCharacters.contains(text[at]) { at += 1 }
        if at == start { return nil }
        append(Array(text[start..<at]))
      } else if text[at] == UInt8(ascii: "[") {
        at += 1
        guard at < text.count else { return nil }
        if text[at] == 0x22 || text[at] == 0x27 {
          let quote = text[at]
          at += 1
          var key: [UInt8] = []
          while at < text.count, text[at] != quote {
            if text[at] == 0x5c {
              at += 1
              guard at < text.count, text[at] == quote || text[at] == 0x5c else { return nil }
            }
            key.append(text[at])
            at += 1
          }
          guard at < text.count else { return nil }
          at += 1
          append(key)
        } else {
          let start = at
          while at < text.count, isSubscript(text[at]) { at += 1 }
          if at == start { return nil }
          append(Array(text[start..<at]))
        }
        guard at < text.count, text[at] == UInt8(ascii: "]") else { return nil }
        at += 1
      } else {
        return nil
      }
    }
  }

  private mutating func append(_ key: [UInt8]) {
    let isNumber = !key.isEmpty && key.count <= 9 && key.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    steps.append(Step(key: key, index: isNumber ? Int(String(decoding: key, as: UTF8.self)) : nil))
  }

  /// Moves the reader, at the start of a document, to the value; its first token, nil when there is no such value.
  func find(_ reader: inout JSONReader, _ scratch: TextBuffer) -> JSONReader.Token? {
    var token = reader.next()
    for step in steps {
      switch token {
      case .beginObject:
        while true {
          guard reader.next() == .key else { return nil }
          let isMatch = matches(reader, step.key, scratch)
          token = reader.next()
          if isMatch { break }
          guard reader.skip(token) else { return nil }
        }
      case .beginArray:
        guard let index = step.index else { return nil }
        var rest = index
        while true {
          token = reader.next()
          if token == .endArray || token == .invalid { return nil }
          if rest == 0 { break }
          guard reader.skip(token) else { return nil }
          rest -= 1
        }
      default: return nil
      }
    }
    return token == .invalid || token == .end ? nil : token
  }

  private func matches(_ reader: JSONReader, _ key: [UInt8], _ scratch: TextBuffer) -> Bool {
    if !reader.hasEscapes {
      let bytes = reader.tokenBytes
      return bytes.count == key.count
        && key.withUnsafeBytes { bytes.isEmpty || memcmp(bytes.baseAddress!, $0.baseAddress!, bytes.count) == 0 }
    }
    scratch.removeAll()
    reader.appendString(to: scratch)
    return scratch.count == key.count && key.withUnsafeBytes { memcmp(scratch.pointer, $0.baseAddress!, key.count) == 0 }
  }
}

/// The path argument of a call; keeps the last path read.
///
/// - Threads: one owner.
final class JSONPathCache {
  private var text: [UInt8]?
  private var path: JSONPath?

  /// The path of a row; nil, and the row failed, when it is none.
  func path(_ view: StringView, _ rows: inout RowContext) -> JSONPath? {
    if let text, let path, view.count == text.count,
      view.withUTF8({ p, n in text.withUnsafeBufferPointer { n == 0 || memcmp($0.baseAddress!, p, n) == 0 } })
    {
      return path
    }
    let bytes = view.bytes
    guard let made = JSONPath(bytes) else {
      rows.fail(.invalidFunctionArgument, "Invalid JSON path: '\(view.string)'")
      return nil
    }
    text = bytes
    path = made
    return made
  }
}
