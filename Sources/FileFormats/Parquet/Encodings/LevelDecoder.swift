/// Decodes repetition or definition levels of one page.
///
/// - Source: parquet-format, Encodings.md; BIT_PACKED is the deprecated form, highest bit first.
struct LevelDecoder {
  private var runs: RunLengthDecoder?
  private var levels: [UInt8] = []
  private var next = 0
  private let maximum: UInt8

  static func bitWidth(_ maximum: UInt8) -> Int { 8 - maximum.leadingZeroBitCount }

  /// - Parameter count: levels of the page.
  init(
    _ bytes: UnsafeRawBufferPointer, maximum: UInt8, encoding: ParquetEncoding, count: Int
  ) throws(ParquetDamage) {
    self.maximum = maximum
    let width = LevelDecoder.bitWidth(maximum)
    if encoding == .bitPacked {
      guard bytes.count >= (count * width + 7) / 8 else { throw ParquetDamage("levels end too early") }
      levels = [UInt8](repeating: 0, count: count)
      for i in 0..<count {
        var value: UInt8 = 0
        for bit in i * width..<(i + 1) * width {
          value = (value << 1) | ((bytes[bit >> 3] >> UInt8(7 - (bit & 7))) & 1)
        }
        levels[i] = value
      }
    } else {
      runs = RunLengthDecoder(bytes.baseAddress ?? LevelDecoder.nothing, count: bytes.count, bitWidth: width)
    }
  }

  private nonisolated(unsafe) static let nothing = UnsafeRawPointer(
    UnsafeMutablePointer<UInt64>.allocate(capacity: 16))

  /// Writes the next `count` levels, none of them above the maximum.
  mutating func decode(_ count: Int, into out: UnsafeMutablePointer<UInt8>) throws(ParquetDamage) {
    if runs != nil {
      try runs!.decode(count, into: out)
    } else {
      guard count <= levels.count &- next else { throw ParquetDamage("levels end too early") }
      levels.withUnsafeBufferPointer { out.update(from: $0.baseAddress! + next, count: count) }
      next &+= count
    }
    var highest: UInt8 = 0
    var i = 0
    while i < count {
      highest = max(highest, out[i])
      i &+= 1
    }
    guard highest <= maximum else { throw ParquetDamage("a level of \(highest) is above the maximum \(maximum)") }
  }

  /// Writes the next `count` levels of at most 1 as a bitmap and returns how many are 1.
  mutating func decodeBits(_ count: Int, into words: UnsafeMutablePointer<UInt64>) throws(ParquetDamage) -> Int {
    if runs != nil { return try runs!.decodeBits(count, into: words) }
    guard count <= levels.count &- next else { throw ParquetDamage("levels end too early") }
    words.update(repeating: 0, count: (count &+ 63) >> 6)
    var set = 0
    var i = 0
    while i < count {
      let level = UInt64(levels[next &+ i] & 1)
      words[i >> 6] |= level &<< UInt64(i & 63)
      set &+= Int(level)
      i &+= 1
    }
    next &+= count
    return set
  }

  /// Passes over `count` levels of at most 1 and returns how many are 1.
  mutating func skipBits(_ count: Int) throws(ParquetDamage) -> Int {
    if runs != nil { return try runs!.skipBits(count) }
    guard count <= levels.count &- next else { throw ParquetDamage("levels end too early") }
    var set = 0
    for i in next..<next + count { set += Int(levels[i] & 1) }
    next += count
    return set
  }
}
