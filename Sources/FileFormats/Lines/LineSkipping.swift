import Glibc
import ObjectStore
import QueryErrors

/// The lines that `skip.header.line.count` and `skip.footer.line.count` leave out of a text file.
enum LineSkipping {
  private static let stepByteCount: UInt64 = 64 << 10

  /// The number of lines that a property names.
  ///
  /// - Throws: `INVALID_TABLE_PROPERTY`.
  static func count(_ properties: [String: String], _ property: String) throws(QueryError) -> Int? {
    guard let text = properties[property] else { return nil }
    guard let count = Int(text), count >= 0 else {
      throw QueryError(.invalidTableProperty, "Invalid value for \(property) property: \(text)")
    }
    return count
  }

  /// Whether files written for a table begin with a line of column names, so that readers skip no row.
  ///
  /// - Throws: `NOT_SUPPORTED` for more lines than one, and for footers.
  /// - Source: Trino, `HiveMetadata.beginInsert` and `TextHeaderWriter`.
  static func writesHeader(_ properties: [String: String]) throws(QueryError) -> Bool {
    let (header, footer) = ("skip.header.line.count", "skip.footer.line.count")
    let lines = try count(properties, header) ?? 0
    if lines > 1 { throw QueryError.notSupported("Writing to a table whose \(header) is greater than 1") }
    if try count(properties, footer) ?? 0 > 0 { throw QueryError.notSupported("Writing to a table with \(footer)") }
    return lines == 1
  }

  /// - Throws: `NOT_SUPPORTED` when a table declares that its text is not UTF-8, which is what is written.
  static func checkWritten(_ encoding: TextEncoding?) throws(QueryError) {
    guard let encoding else { return }
    throw QueryError.notSupported("Writing to a table whose text is declared as \(encoding.name)")
  }

  /// Where the lines behind the header of a plain file start; behind a byte order mark without one.
  static func start(_ source: any ByteSource, skipping count: Int) throws(QueryError) -> UInt64 {
    if source.byteCount == 0 { return 0 }
    let prefix = try source.read(0..<min(3, source.byteCount), kind: .sampling)
    var at: UInt64 = prefix.withBytes { $0.elementsEqual([0xef, 0xbb, 0xbf]) } ? 3 : 0
    var missing = count
    while missing > 0, at < source.byteCount {
      let to = min(source.byteCount, at + stepByteCount)
      let slice = try source.read(at..<to, kind: .sampling)
      if let end = slice.withBytes({ $0.firstIndex(of: 0x0a) }) {
        at += UInt64(end) + 1
        missing -= 1
      } else {
        at = to
      }
    }
    return at
  }

  /// Where a file's last `count` lines start, in decoded bytes; the largest number for none.
  static func end(_ source: any ByteSource, _ coding: TextCoding, skipping count: Int) throws(QueryError) -> UInt64 {
    if count == 0 || source.byteCount == 0 { return .max }
    return coding == .none ? try plainEnd(source, count) : try decodedEnd(source, coding, count)
  }

  /// Walks back from the end of a plain file.
  private static func plainEnd(_ source: any ByteSource, _ count: Int) throws(QueryError) -> UInt64 {
    var missing = count
    // The file's last byte ends a line; it does not begin one.
    var to = source.byteCount - 1
    while to > 0 {
      let from = to > stepByteCount ? to - stepByteCount : 0
      let slice = try source.read(from..<to, kind: .sampling)
      let found: UInt64? = slice.withBytes { bytes in
        var at = bytes.count
        while at > 0 {
          at -= 1
          if bytes[at] == 0x0a {
            missing -= 1
            if missing == 0 { return from + UInt64(at) + 1 }
          }
        }
        return nil
      }
      if let found { return found }
      to = from
    }
    return 0
  }

  /// Goes through a compressed file, for its lines are known only at its end.
  private static func decodedEnd(_ source: any ByteSource, _ coding: TextCoding, _ count: Int) throws(QueryError) -> UInt64 {
    let input = try TextInput(source, coding, 0..<source.byteCount, kind: .sampling)
    var starts: [UInt64] = [0]
    while true {
      var at = 0
      while at < input.count, let end = memchr(input.base + at, 0x0a, input.count - at) {
        at = UnsafeRawPointer(end) - UnsafeRawPointer(input.base) + 1
        starts.append(input.offset + UInt64(at))
        if starts.count > count + 1 { starts.removeFirst() }
      }
      if input.isFinal { break }
      try input.advance(keeping: input.count)
    }
    if starts.last == input.offset + UInt64(input.count) { starts.removeLast() }
    return starts.count < count ? 0 : starts[starts.count - count]
  }

  /// Line ends of a plain file before a place; for error messages.
  static func lineCount(_ source: any ByteSource, before end: UInt64) throws(QueryError) -> Int {
    var (at, count): (UInt64, Int) = (0, 0)
    while at < end {
      let to = min(end, at + stepByteCount)
      let slice = try source.read(at..<to, kind: .sampling)
      count += slice.withBytes { bytes in bytes.reduce(0) { $0 + ($1 == 0x0a ? 1 : 0) } }
      at = to
    }
    return count
  }
}
