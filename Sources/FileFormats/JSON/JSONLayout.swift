import ObjectStore
import QueryErrors

/// How records lie in a JSON file.
enum JSONLayout: Sendable {
  /// One record a line.
  case lines
  /// Values one after another, or elements of one array, across lines.
  case document

  static let sampleByteCount = 64 << 10

  /// Finds out from the start of a file.
  ///
  /// A file is read as a document when its first record runs over several lines, or when it starts with an array of
  /// objects.
  ///
  /// - Parameter isEnd: whether the sample is the whole file.
  static func sniff(_ p: UnsafePointer<UInt8>, _ count: Int, isDeclared: Bool) -> JSONLayout {
    var start = 0
    if count >= 3, p[0] == 0xef, p[1] == 0xbb, p[2] == 0xbf { start = 3 }
    start = JSONText.skipBlanks(p, start, count)
    guard start < count else { return .lines }
    // Lines that end in CR alone are values one after another.
    if !isDeclared, let cr = find(0x0d, p, start, count), cr + 1 < count, p[cr + 1] != 0x0a,
      find(0x0a, p, start, cr) == nil
    {
      return .document
    }
    let lineEnd = find(0x0a, p, start, count)
    if p[start] == 0x5b {
      let inner = JSONText.skipBlanks(p, start + 1, count)
      let end = JSONText.valueEnd(p, start, count)
      if let end, end <= lineEnd ?? count {
        // An array that ends with its line: a record by position where more of them follow.
        let next = JSONText.skipBlanks(p, end, count)
        if isDeclared, next < count, p[next] == 0x5b { return .lines }
        if isDeclared, next == count, inner < count, p[inner] != 0x7b { return .lines }
        // Several arrays, one a line, are records themselves.
        if !isDeclared, next < count, p[next] == 0x5b { return .lines }
      }
      return .document
    }
    guard p[start] == 0x7b else { return .lines }
    if !isDeclared, let end = JSONText.valueEnd(p, start, count), end <= lineEnd ?? count {
      // Another record in the same line.
      let next = JSONText.skipBlanks(p, end, lineEnd ?? count)
      return next < lineEnd ?? count && p[next] == 0x7b ? .document : .lines
    }
    guard let lineEnd else { return .lines }
    if let end = JSONText.valueEnd(p, start, count), end <= lineEnd { return .lines }
    // The first object passes its line: a broken line when the next one starts an object of its own.
    let second = JSONText.skipBlanks(p, lineEnd, count)
    var last = lineEnd - 1
    while last > start, JSONText.isBlank(p[last]) { last -= 1 }
    if second < count, p[second] == 0x7b, p[last] != 0x5b, p[last] != 0x3a { return .lines }
    return .document
  }

  private static func find(_ byte: UInt8, _ p: UnsafePointer<UInt8>, _ from: Int, _ to: Int) -> Int? {
    var i = from
    while i < to {
      if p[i] == byte { return i }
      i += 1
    }
    return nil
  }
}
