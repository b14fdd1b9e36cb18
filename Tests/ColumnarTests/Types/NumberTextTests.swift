import Columnar
import Testing

@Suite struct NumberTextTests {
  private func text(_ write: (UnsafeMutablePointer<UInt8>) -> Int) -> String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: NumberText.maxLength) { buffer in
      let n = write(buffer.baseAddress!)
      return String(decoding: buffer[0..<n], as: UTF8.self)
    }
  }

  private func digits(_ text: String) -> String {
    var mantissa = text.split(whereSeparator: { $0 == "e" || $0 == "E" })[0].filter(\.isNumber)
    while mantissa.hasPrefix("0") { mantissa.removeFirst() }
    while mantissa.hasSuffix("0") { mantissa.removeLast() }
    return String(mantissa)
  }

  @Test func doublesAreShortestAndReadBack() {
    var state: UInt64 = 7
    for k in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var x = Double(bitPattern: (state ^ (state >> 29)) & 0x7fff_ffff_ffff_ffff)
      if k % 3 == 0 { x = Double(state >> 40) / 100 }
      if k % 7 == 0 { x = Double(state >> 60) * Double(sign: .plus, exponent: Int(state >> 50) % 1000, significand: 1) }
      guard x.isFinite, x > 0, x != .leastNonzeroMagnitude else { continue }
      let written = text { NumberText.write(x, to: $0) }
      #expect(Double(written) == x)
      if digits(written) != digits(x.description) {
        Issue.record("\(x) is written \(written)")
        return
      }
      let parsed = written.utf8.withContiguousStorageIfAvailable { NumberText.parseDouble($0.baseAddress!, $0.count) }
      if let parsed, parsed != x { Issue.record("\(written) is read as \(String(describing: parsed))") }
      let single = Float(bitPattern: UInt32(truncatingIfNeeded: state >> 33))
      if single.isFinite, single > 0 {
        let short = text { NumberText.write(single, to: $0) }
        if digits(short) != digits(single.description) {
          Issue.record("\(single) is written \(short)")
          return
        }
      }
    }
  }

  @Test func integersAndDecimals() {
    for value: Int64 in [0, 9, 10, 99, 100, 101, 999, 1000, 12345, .max, .min, -1, -100] {
      #expect(text { NumberText.write(value, to: $0) } == "\(value)")
    }
    var power: Int128 = 1
    for _ in 0..<38 {
      power *= 10
      for value in [power, power - 1, -power] { #expect(text { NumberText.write(value, to: $0) } == "\(value)") }
    }
    #expect(text { NumberText.writeDecimal(-5, scale: 3, to: $0) } == "-0.005")
    #expect(text { NumberText.writeDecimal(-123_456, scale: 2, to: $0) } == "-1234.56")
    #expect(text { NumberText.writeDecimal(.init(Int64.min), scale: 18, to: $0) } == "-9.223372036854775808")
  }
}
