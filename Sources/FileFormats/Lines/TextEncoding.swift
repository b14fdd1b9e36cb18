import Glibc
import QueryErrors

/// A character set other than UTF-8, known to the C library's `iconv`.
struct TextEncoding: Sendable, Hashable {
  /// As `iconv` spells it.
  let name: String

  /// - Throws: `INVALID_TABLE_PROPERTY` when nobody knows a character set of that name.
  /// - Returns: nil for UTF-8 and ASCII, which need no conversion.
  static func named(_ name: String, property: String) throws(QueryError) -> TextEncoding? {
    let wanted = name.uppercased()
    if ["UTF-8", "UTF8", "US-ASCII", "ASCII"].contains(wanted) { return nil }
    let known = aliases[wanted] ?? wanted
    guard let handle = iconv_open("UTF-8", known), handle != iconv_t(bitPattern: -1) else {
      throw QueryError(
        .invalidTableProperty, "Unknown character set of \(property): '\(name)'",
        hint: NameSuggestion.hint(for: wanted, among: common) ?? "Names are those of iconv, such as ISO-8859-1.")
    }
    iconv_close(handle)
    return TextEncoding(name: known)
  }

  /// The character set that a byte order mark tells; nil for UTF-8's mark and for none.
  static func marked(_ bytes: [UInt8]) -> TextEncoding? {
    guard bytes.count >= 2 else { return nil }
    switch (bytes[0], bytes[1]) {
    case (0xff, 0xfe):
      return bytes.count >= 4 && bytes[2] == 0 && bytes[3] == 0
        ? TextEncoding(name: "UTF-32LE") : TextEncoding(name: "UTF-16LE")
    case (0xfe, 0xff): return TextEncoding(name: "UTF-16BE")
    default: return nil
    }
  }

  /// Names of Java and of common usage that iconv spells otherwise.
  private static let aliases = [
    "LATIN-1": "ISO-8859-1", "ISO8859_1": "ISO-8859-1", "ISO_8859_1": "ISO-8859-1", "WINDOWS-1252": "CP1252",
    "ANSI": "CP1252", "CP-1252": "CP1252", "UTF16": "UTF-16", "UTF32": "UTF-32", "SHIFT-JIS": "SHIFT_JIS",
    "LATIN-9": "ISO-8859-15",
  ]
  private static let common = [
    "ISO-8859-1", "ISO-8859-2", "ISO-8859-15", "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "UTF-16", "UTF-16LE",
    "UTF-16BE", "UTF-32", "SHIFT_JIS", "EUC-JP", "EUC-KR", "GBK", "GB18030", "BIG5", "KOI8-R", "LATIN1", "CP437", "MACINTOSH",
  ]
}

/// A stream of another character set as UTF-8; what is ill-formed becomes U+FFFD.
///
/// - Threads: one owner.
final class ConvertingReader: TextStream {
  private let bytes: any TextStream
  private let handle: iconv_t
  private let input: UnsafeMutablePointer<UInt8>
  private var inputStart = 0
  private var inputEnd = 0
  private var isInputFinal = false
  /// Converted bytes that found no room.
  private var rest: [UInt8] = []

  private static let inputByteCount = 256 << 10
  private static let replacement: [UInt8] = [0xef, 0xbf, 0xbd]

  init(_ bytes: any TextStream, _ encoding: TextEncoding) throws(QueryError) {
    guard let handle = iconv_open("UTF-8", encoding.name), handle != iconv_t(bitPattern: -1) else {
      throw QueryError(.invalidTableProperty, "Unknown character set: '\(encoding.name)'")
    }
    self.bytes = bytes
    self.handle = handle
    input = .allocate(capacity: ConvertingReader.inputByteCount)
  }

  deinit {
    iconv_close(handle)
    input.deallocate()
  }

  func read(into target: UnsafeMutableRawPointer, capacity: Int) throws(QueryError) -> Int {
    var produced = 0
    while produced < capacity {
      if !rest.isEmpty {
        let count = min(rest.count, capacity - produced)
        rest.withUnsafeBytes { _ = memcpy(target + produced, $0.baseAddress!, count) }
        rest.removeFirst(count)
        produced += count
        continue
      }
      if inputStart == inputEnd {
        if isInputFinal { return produced }
        try fill()
        continue
      }
      produced += try convert(target + produced, capacity - produced)
    }
    return produced
  }

  /// Moves what is left to the front and reads more behind it.
  private func fill() throws(QueryError) {
    let left = inputEnd - inputStart
    memmove(input, input + inputStart, left)
    let wanted = ConvertingReader.inputByteCount - left
    let read = try bytes.read(into: UnsafeMutableRawPointer(input + left), capacity: wanted)
    isInputFinal = read < wanted
    (inputStart, inputEnd) = (0, left + read)
  }

  /// Converts some of the input; what does not fit goes to `rest`.
  private func convert(_ target: UnsafeMutableRawPointer, _ capacity: Int) throws(QueryError) -> Int {
    var from: UnsafeMutablePointer<CChar>? = UnsafeMutableRawPointer(input + inputStart).assumingMemoryBound(to: CChar.self)
    var fromCount = inputEnd - inputStart
    var to: UnsafeMutablePointer<CChar>? = target.assumingMemoryBound(to: CChar.self)
    var toCount = capacity
    let result = iconv(handle, &from, &fromCount, &to, &toCount)
    let reason = errno
    inputStart = inputEnd - fromCount
    let produced = capacity - toCount
    if result != Int(bitPattern: UInt.max) { return produced }
    switch reason {
    case E2BIG:
      if produced > 0 { return produced }
      // Less room than one character needs.
      var small = [UInt8](repeating: 0, count: 16)
      let count = small.withUnsafeMutableBytes { buffer -> Int in
        var to: UnsafeMutablePointer<CChar>? = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
        var toCount = buffer.count
        _ = iconv(handle, &from, &fromCount, &to, &toCount)
        return buffer.count - toCount
      }
      inputStart = inputEnd - fromCount
      rest = Array(small[0..<count])
    case EINVAL where !isInputFinal: try fill()
    default:
      inputStart = min(inputEnd, inputStart + 1)
      if reason == EINVAL { inputStart = inputEnd }
      rest = ConvertingReader.replacement
    }
    return produced
  }
}
