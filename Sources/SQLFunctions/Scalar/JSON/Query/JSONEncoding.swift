import Columnar

/// How JSON text lies in bytes: varchar and json are UTF-8, varbinary is what FORMAT JSON ENCODING says.
package enum JSONEncoding: Sendable {
  case utf8
  /// Little endian, as UTF-32 is.
  case utf16
  case utf32

  /// Appends the bytes as UTF-8; damaged parts become U+FFFD.
  func decode(_ p: UnsafePointer<UInt8>, _ n: Int, to out: TextBuffer) {
    switch self {
    case .utf8: out.append(p, n)
    case .utf16:
      func unit(_ at: Int) -> UInt32 { UInt32(p[at]) | UInt32(p[at + 1]) << 8 }
      var at = 0
      while at + 1 < n {
        var code = unit(at)
        at += 2
        if code >= 0xd800, code < 0xe000 {
          if code < 0xdc00, at + 1 < n, unit(at) >= 0xdc00, unit(at) < 0xe000 {
            code = 0x10000 + ((code - 0xd800) << 10) + (unit(at) - 0xdc00)
            at += 2
          } else {
            code = 0xfffd
          }
        }
        JSONReader.appendScalar(code, to: out)
      }
      if at < n { JSONReader.appendScalar(0xfffd, to: out) }
    case .utf32:
      var at = 0
      while at + 3 < n {
        let code = UInt32(p[at]) | UInt32(p[at + 1]) << 8 | UInt32(p[at + 2]) << 16 | UInt32(p[at + 3]) << 24
        JSONReader.appendScalar(Unicode.Scalar(code) == nil ? 0xfffd : code, to: out)
        at += 4
      }
      if at < n { JSONReader.appendScalar(0xfffd, to: out) }
    }
  }

  /// Appends UTF-8 text in this encoding.
  func encode(_ text: TextBuffer, to out: TextBuffer) {
    if self == .utf8 { return out.append(text.pointer, text.count) }
    for scalar in text.string.unicodeScalars {
      if self == .utf32 {
        for shift in stride(from: 0, to: 32, by: 8) { out.append(UInt8(truncatingIfNeeded: scalar.value >> UInt32(shift))) }
      } else {
        for unit in UTF16.encode(scalar)! {
          out.append(UInt8(truncatingIfNeeded: unit))
          out.append(UInt8(truncatingIfNeeded: unit >> 8))
        }
      }
    }
  }
}

/// Reads the JSON texts of one argument into a document.
///
/// - Threads: one owner.
final class JSONInput {
  let document = JSONDocument()
  private let encoding: JSONEncoding
  private let decoded = TextBuffer()

  init(_ encoding: JSONEncoding) { self.encoding = encoding }

  /// Reads row `row` of a column of strings, not NULL there; false when it is not JSON.
  func read(_ view: ColumnView, _ row: Int) -> Bool {
    let location = view.values.assumingMemoryBound(to: StringView.self) + view.position(row)
    let p = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
    let n = location.pointee.count
    if encoding == .utf8 { return document.parse(p, n) }
    decoded.removeAll()
    encoding.decode(p, n, to: decoded)
    return document.parse(UnsafePointer(decoded.pointer), decoded.count)
  }
}
