package import Columnar
import Glibc

/// UUIDs and IP addresses, 16 bytes each, as text and back.
package enum NetworkText {
  /// `12151fd2-7586-11e9-8f9e-2a86e4085a59`.
  package static func appendUUID(_ p: UnsafeRawPointer, _ n: Int, to out: TextBuffer) {
    let bytes = p.assumingMemoryBound(to: UInt8.self)
    func digit(_ x: UInt8) -> UInt8 { x < 10 ? 0x30 + x : 0x57 + x }
    for k in 0..<min(n, 16) {
      if k == 4 || k == 6 || k == 8 || k == 10 { out.append(0x2d) }
      out.append(digit(bytes[k] >> 4))
      out.append(digit(bytes[k] & 15))
    }
  }

  /// The 16 bytes of a UUID's text; false when it is none.
  package static func parseUUID(_ p: UnsafePointer<UInt8>, _ n: Int, to out: UnsafeMutablePointer<UInt8>) -> Bool {
    guard n == 36 else { return false }
    var k = 0
    var at = 0
    while at < 36 {
      if at == 8 || at == 13 || at == 18 || at == 23 {
        if p[at] != 0x2d { return false }
        at += 1
        continue
      }
      guard let high = nibble(p[at]), let low = nibble(p[at + 1]) else { return false }
      out[k] = high << 4 | low
      k += 1
      at += 2
    }
    return true
  }

  private static func nibble(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }

  /// `1.2.3.4` for mapped IPv4 addresses, else the shortest IPv6 text of RFC 5952.
  package static func appendIPAddress(_ p: UnsafeRawPointer, _ n: Int, to out: TextBuffer) {
    guard n == 16 else { return }
    let bytes = p.assumingMemoryBound(to: UInt8.self)
    var isMapped = bytes[10] == 0xff && bytes[11] == 0xff
    for k in 0..<10 where bytes[k] != 0 { isMapped = false }
    if isMapped {
      for k in 12..<16 {
        if k > 12 { out.append(0x2e) }
        out.count += NumberText.write(Int64(bytes[k]), to: out.room(4))
      }
      return
    }
    let groups = (0..<8).map { UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]) }
    var (bestStart, bestCount) = (-1, 1)
    var k = 0
    while k < 8 {
      var end = k
      while end < 8, groups[end] == 0 { end += 1 }
      if end - k > bestCount { (bestStart, bestCount) = (k, end - k) }
      k = max(end, k + 1)
    }
    k = 0
    while k < 8 {
      if k == bestStart {
        out.append("::")
        k += bestCount
        continue
      }
      if k > 0, k != bestStart + bestCount || bestStart < 0 { out.append(0x3a) }
      out.append(String(groups[k], radix: 16))
      k += 1
    }
  }

  /// The 16 bytes of an IP address's text; false when it is none.
  package static func parseIPAddress(_ p: UnsafePointer<UInt8>, _ n: Int, to out: UnsafeMutablePointer<UInt8>) -> Bool {
    guard n > 0, n < 64 else { return false }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: n + 1) { text in
      memcpy(text.baseAddress!, p, n)
      text[n] = 0
      for k in 0..<n where p[k] == 0 { return false }
      if inet_pton(AF_INET6, text.baseAddress!, out) == 1 { return true }
      memset(out, 0, 10)
      out[10] = 0xff
      out[11] = 0xff
      return inet_pton(AF_INET, text.baseAddress!, out + 12) == 1
    }
  }
}
