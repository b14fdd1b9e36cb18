import Glibc

extension NumberText {
  /// The shortest digits that read back: plain from 10⁻⁴ up to 10¹⁷, else with an exponent and 16 digits after the point.
  ///
  ///     1 → 1     0.25 → 0.25     1e20 → 1.0000000000000000e+20
  ///
  /// - Source: Java's `%.17g` with the zeros after the point's digits taken off, as Esri's well-known text has it.
  public static func writeGeneral(_ x: Double, to p: UnsafeMutablePointer<UInt8>) -> Int {
    if !x.isFinite { return write(x, to: p) }
    var at = 0
    if x.sign == .minus {
      p[0] = 0x2d
      at = 1
    }
    if x == 0 {
      p[at] = 0x30
      return at + 1
    }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { room in
      let d = room.baseAddress!
      let digits = digits(of: x.magnitude, to: d)
      let (n, point) = (digits.count, digits.pointAt)
      if point > 17 || point < -3 { return writeExponent(d, n, point - 1, at, to: p) }
      if point <= 0 {
        p[at] = 0x30
        p[at + 1] = 0x2e
        at += 2
        for _ in point..<0 {
          p[at] = 0x30
          at += 1
        }
        memcpy(p + at, d, n)
        return at + n
      }
      let whole = min(n, point)
      memcpy(p + at, d, whole)
      at += whole
      for _ in whole..<point {
        p[at] = 0x30
        at += 1
      }
      if n > point {
        p[at] = 0x2e
        memcpy(p + at + 1, d + point, n - point)
        at += 1 + n - point
      }
      return at
    }
  }

  private static func writeExponent(
    _ d: UnsafePointer<UInt8>, _ n: Int, _ exponent: Int, _ start: Int, to p: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var at = start
    p[at] = d[0]
    p[at + 1] = 0x2e
    at += 2
    for k in 1...16 {
      p[at] = k < n ? d[k] : 0x30
      at += 1
    }
    p[at] = 0x65
    p[at + 1] = exponent < 0 ? 0x2d : 0x2b
    at += 2
    let size = UInt64(exponent.magnitude)
    writePadded(size, digits: size < 100 ? 2 : 3, to: p + at)
    return at + (size < 100 ? 2 : 3)
  }
}
