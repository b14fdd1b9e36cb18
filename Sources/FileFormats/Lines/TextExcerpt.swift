import QueryErrors

/// A record of a text file as errors show it.
enum TextExcerpt {
  private static let longestRecord = 4000

  /// - Parameters:
  ///   - record: bytes of the record, without its line end.
  ///   - marked: those that are wrong.
  static func make(_ bytes: UnsafeBufferPointer<UInt8>, _ record: Range<Int>, _ marked: Range<Int>) -> DataLocation.Excerpt {
    // Of a very long record the part around what is wrong.
    let start = max(record.lowerBound, marked.lowerBound - longestRecord / 2)
    var end = min(record.upperBound, start + longestRecord, bytes.count)
    if end > start, bytes[end - 1] == 0x0d { end -= 1 }
    func text(_ range: Range<Int>) -> String {
      String(decoding: UnsafeBufferPointer(rebasing: bytes[range.clamped(to: start..<max(start, end))]), as: UTF8.self)
    }
    let before = text(start..<max(start, marked.lowerBound)).count
    let length = text(marked.lowerBound..<max(marked.lowerBound, marked.upperBound)).count
    return DataLocation.Excerpt(text(start..<max(start, end)), marked: before..<before + max(1, length))
  }
}
