import Glibc

/// One field's text, where it lies in a sample or in what `CSVTexts` keeps.
struct CSVText {
  /// Readable for 64 bytes past the text.
  var start: UnsafePointer<UInt8>
  /// -1 for NULL.
  var count: Int
  var isQuoted: Bool

  /// Whether it is NULL or empty.
  var isBlank: Bool { count <= 0 }

  var text: String { String(decoding: UnsafeBufferPointer(start: start, count: max(0, count)), as: UTF8.self) }

  func hasSameText(_ other: CSVText) -> Bool {
    count == other.count && (count <= 0 || memcmp(start, other.start, count) == 0)
  }

  /// What types the text could have; all for a blank.
  var kinds: UInt8 { isBlank ? 0xff : ColumnGuesses.kinds(start, count).kinds }

  /// The whole number that the text is.
  var integer: Int? {
    guard count > 0, count <= 20, start[0] &- 0x30 <= 9 || start[0] == 0x2d || start[0] == 0x2b else { return nil }
    return Int(text)
  }

  // MARK: Patterns

  /// Bytes whose pattern is looked at.
  private static let patternByteCount = 64

  /// Whether a digit stands in the pattern.
  var hasDigit: Bool {
    var i = 0
    while i < min(count, CSVText.patternByteCount) {
      if start[i] &- 0x30 <= 9 { return true }
      i += 1
    }
    return false
  }

  /// Whether both texts are the same with letters as `a`, digits as `9` and runs taken together: `12 May 2020` is `9 a 9`.
  func hasSamePattern(_ other: CSVText) -> Bool {
    var (i, j) = (0, 0)
    while true {
      let (a, b) = (CSVText.nextMark(self, &i), CSVText.nextMark(other, &j))
      if a != b { return false }
      if a == nil { return true }
    }
  }

  /// The mark of the run at `i`, which is moved behind it; nil at the end.
  private static func nextMark(_ text: CSVText, _ i: inout Int) -> UInt8? {
    let end = min(text.count, patternByteCount)
    guard i < end else { return nil }
    let run = mark(text.start[i])
    while i < end, mark(text.start[i]) == run { i += 1 }
    return run
  }

  private static func mark(_ c: UInt8) -> UInt8 {
    if c &- 0x30 <= 9 { return 0x39 }
    return (c | 0x20) &- 0x61 < 26 || c >= 0x80 ? 0x61 : c
  }
}
