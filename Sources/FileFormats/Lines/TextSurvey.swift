import Columnar
package import ObjectStore
package import QueryErrors

/// What of a text file a reader of lines sees otherwise than a reader of records: quotes, line ends, other character sets.
///
/// Hive's SerDes, and so Athena, cut files into lines before they look at quotes or braces.
package struct TextSurvey: Sendable {
  /// Lines looked at.
  package private(set) var lineCount = 0
  /// Line ends within quotes, and the line of the first.
  package private(set) var quotedBreakCount = 0
  package private(set) var firstQuotedBreak = 0
  /// Fields that begin with a quote.
  package private(set) var quotedFieldCount = 0
  /// Lines that end with `\r\n`.
  package private(set) var carriageReturnCount = 0
  /// Lines that are no whole JSON object, and the first of them.
  package private(set) var brokenObjectCount = 0
  package private(set) var firstBrokenObject = 0
  /// Whether the file begins with `[`.
  package private(set) var isArray = false
  package private(set) var hasByteOrderMark = false
  /// The character set, when it is not UTF-8.
  package private(set) var characterSet: String?
  /// Whether the whole file was looked at.
  package private(set) var isComplete = false

  /// Reads up to `limit` bytes of a file, decompressed.
  ///
  /// - Parameters:
  ///   - separator: of fields; nil for lines of JSON.
  ///   - quote: nil where quotes are ordinary characters.
  package init(_ source: any ByteSource, separator: UInt8?, quote: UInt8?, limit: Int) throws(QueryError) {
    if source.byteCount == 0 {
      isComplete = true
      return
    }
    let coding = try TextCoding.of(source)
    if coding.encoding != nil { characterSet = "\(coding.encoding.map { String(describing: $0) } ?? "")" }
    let input = try TextInput(source, coding, 0..<source.byteCount, kind: .sampling)
    var scanner = Scanner(separator: separator, quote: quote)
    var seen = 0
    while true {
      let bytes = UnsafeBufferPointer(start: input.base, count: input.count)
      if seen == 0 {
        hasByteOrderMark = bytes.starts(with: [0xef, 0xbb, 0xbf])
        isArray = bytes.dropFirst(hasByteOrderMark ? 3 : 0).first { $0 > 0x20 } == UInt8(ascii: "[")
      }
      for byte in bytes.prefix(max(0, limit - seen)) { scanner.take(byte, &self) }
      seen += bytes.count
      if input.isFinal || seen >= limit { break }
      try input.advance(keeping: input.count)
    }
    scanner.endLine(&self)
    isComplete = input.isFinal && seen <= limit
  }

  private struct Scanner {
    let separator: UInt8?
    let quote: UInt8?
    var isQuoted = false
    var isFieldStart = true
    var previous: UInt8 = 0
    /// The first and the last letter of the line that are no blanks.
    var first: UInt8 = 0
    var last: UInt8 = 0

    init(separator: UInt8?, quote: UInt8?) { (self.separator, self.quote) = (separator, quote) }

    mutating func take(_ byte: UInt8, _ survey: inout TextSurvey) {
      defer { previous = byte }
      if byte == 0x0a {
        if isQuoted {
          survey.quotedBreakCount += 1
          if survey.firstQuotedBreak == 0 { survey.firstQuotedBreak = survey.lineCount + 1 }
        } else {
          isFieldStart = true
        }
        return endLine(&survey)
      }
      if byte > 0x20 {
        if first == 0 { first = byte }
        last = byte
      }
      if let quote, byte == quote {
        if isFieldStart {
          (isQuoted, isFieldStart) = (true, false)
          survey.quotedFieldCount += 1
        } else {
          // A doubled quote ends and begins again.
          if isQuoted || previous == quote { isQuoted.toggle() }
        }
      } else if !isQuoted {
        isFieldStart = byte == separator
      }
    }

    mutating func endLine(_ survey: inout TextSurvey) {
      if first == 0, previous == 0 || previous == 0x0a { return }
      survey.lineCount += 1
      if previous == 0x0d { survey.carriageReturnCount += 1 }
      if separator == nil, first != 0, first != UInt8(ascii: "{") || last != UInt8(ascii: "}") {
        survey.brokenObjectCount += 1
        if survey.firstBrokenObject == 0 { survey.firstBrokenObject = survey.lineCount }
      }
      (first, last) = (0, 0)
    }
  }
}
