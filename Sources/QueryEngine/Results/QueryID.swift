/// Makes query ids: random UUIDs, as Athena's are.
enum QueryID {
  static func make() -> String {
    var generator = SystemRandomNumberGenerator()
    var bytes = withUnsafeBytes(of: (generator.next(), generator.next()) as (UInt64, UInt64)) { Array($0) }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append(0x2d) }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The id that the engine behind Athena's API gives a query, as it stands in `.metadata` files and in names of data files:
  /// `20190423_125128_00001_ehtur`.
  ///
  /// - Source: Trino `QueryIdGenerator`: time of day in UTC, a number, five letters.
  static func engine(_ id: String, startMicros: Int64) -> String {
    let time = Ledger.timestamp(startMicros).filter(\.isNumber)
    let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
    let digits = id.compactMap(\.hexDigitValue)
    let number = String(digits.prefix(4).reduce(0) { $0 * 16 + $1 })
    let suffix = stride(from: 4, to: min(14, digits.count - 1), by: 2).map { letters[(digits[$0] * 16 + digits[$0 + 1]) % letters.count] }
    return "\(time.prefix(8))_\(time.dropFirst(8).prefix(6))_\(String(repeating: "0", count: max(0, 5 - number.count)))\(number)_\(String(suffix))"
  }
}
