import CKernels

/// Decodes DELTA_BINARY_PACKED integers.
///
///     header: values per block, miniblocks per block, number of values, first value
///     block:  smallest delta, a bit width per miniblock, miniblocks of packed (delta − smallest delta)
///
/// Sums wrap at 64 bits; the low 32 bits are right for INT32 too.
///
/// - Source: parquet-format, Encodings.md, "Delta Encoding".
struct DeltaDecoder {
  private let base: UnsafePointer<UInt8>
  private(set) var position = 0
  private let end: Int
  private let miniblockSize: Int
  private let miniblockCount: Int
  /// Values not yet decoded, the first one included.
  private(set) var left: Int
  private var last: Int64
  private var isFirst = true
  private var smallest: Int64 = 0
  private var widths = 0
  private var miniblock: Int
  /// Values of the current miniblock not yet taken, and where it starts.
  private var miniblockLeft = 0
  private var miniblockIndex = 0
  private var miniblockStart = 0
  private var bitWidth: UInt32 = 0

  private static let largestMiniblock = 1 << 20

  /// - Lifetime: the bytes, and 32 after them, must stay readable.
  init(_ base: UnsafeRawPointer, count: Int) throws(ParquetDamage) {
    self.base = base.assumingMemoryBound(to: UInt8.self)
    end = count
    var reader = VarintReader(self.base, end: count)
    let blockSize = try reader.next()
    let perBlock = try reader.next()
    let total = try reader.next()
    let first = try reader.next()
    guard perBlock > 0, perBlock <= 4096, blockSize > 0, blockSize <= UInt64(DeltaDecoder.largestMiniblock),
      blockSize % perBlock == 0, (blockSize / perBlock) % 8 == 0
    else { throw ParquetDamage("delta-encoded values have blocks of \(blockSize) values in \(perBlock) parts") }
    guard total <= UInt64(Int32.max) else { throw ParquetDamage("delta-encoded values claim a count of \(total)") }
    miniblockSize = Int(blockSize / perBlock)
    miniblockCount = Int(perBlock)
    miniblock = miniblockCount
    left = Int(total)
    last = VarintReader.signed(first)
    position = reader.position
  }

  private mutating func nextMiniblock() throws(ParquetDamage) {
    if miniblock == miniblockCount {
      var reader = VarintReader(base, position: position, end: end)
      smallest = VarintReader.signed(try reader.next())
      widths = reader.position
      guard miniblockCount <= end &- widths else { throw ParquetDamage("delta-encoded values end too early") }
      position = widths &+ miniblockCount
      miniblock = 0
    }
    bitWidth = UInt32(base[widths &+ miniblock])
    guard bitWidth <= 64 else { throw ParquetDamage("delta-encoded values are \(bitWidth) bits wide") }
    miniblock &+= 1
    miniblockStart = position
    miniblockIndex = 0
    miniblockLeft = min(miniblockSize, left)
    let available = end &- position
    guard (miniblockLeft &* Int(bitWidth) &+ 7) / 8 <= available else {
      throw ParquetDamage("delta-encoded values end too early")
    }
    // The last miniblock may be cut off after its last value.
    position &+= min(miniblockSize &* Int(bitWidth) / 8, available)
  }

  /// Writes the next `count` values.
  ///
  /// - Shape: `scratch`: room for 1024 numbers.
  mutating func decode(
    _ count: Int, into out: UnsafeMutablePointer<Int64>, scratch: UnsafeMutablePointer<UInt64>
  ) throws(ParquetDamage) {
    guard count <= left else { throw ParquetDamage("there are fewer delta-encoded values than the page claims") }
    var done = 0
    if isFirst, count > 0 {
      isFirst = false
      out[0] = last
      left &-= 1
      done = 1
    }
    while done < count {
      if miniblockLeft == 0 { try nextMiniblock() }
      let n = min(min(count &- done, miniblockLeft), 1024)
      let bit = miniblockStart &* 8 &+ miniblockIndex &* Int(bitWidth)
      var sum = last
      let step = smallest
      let to = out + done
      if bitWidth == 0 {
        var i = 0
        while i < n {
          sum &+= step
          to[i] = sum
          i &+= 1
        }
      } else if bitWidth <= 32 {
        scratch.withMemoryRebound(to: UInt32.self, capacity: n) { deltas in
          if bit & 7 == 0 {
            ck_unpack32(base + (bit >> 3), bitWidth, deltas, n)
          } else {
            ck_unpack32_portable(base, bit, bitWidth, deltas, n)
          }
          var i = 0
          while i < n {
            sum &+= step &+ Int64(truncatingIfNeeded: deltas[i])
            to[i] = sum
            i &+= 1
          }
        }
      } else {
        ck_unpack64(base, bit, bitWidth, scratch, n)
        var i = 0
        while i < n {
          sum &+= step &+ Int64(bitPattern: scratch[i])
          to[i] = sum
          i &+= 1
        }
      }
      last = sum
      miniblockIndex &+= n
      miniblockLeft &-= n
      left &-= n
      done &+= n
    }
  }

  /// Where the encoded values end.
  func endPosition() throws(ParquetDamage) -> Int {
    var copy = self
    if copy.isFirst, copy.left > 0 {
      copy.isFirst = false
      copy.left &-= 1
    }
    copy.left &-= copy.miniblockLeft
    while copy.left > 0 {
      try copy.nextMiniblock()
      copy.left &-= copy.miniblockLeft
    }
    return copy.position
  }
}

/// Reads variable-length numbers from untrusted bytes.
private struct VarintReader {
  let base: UnsafePointer<UInt8>
  var position: Int
  let end: Int

  init(_ base: UnsafePointer<UInt8>, position: Int = 0, end: Int) {
    self.base = base
    self.position = position
    self.end = end
  }

  mutating func next() throws(ParquetDamage) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard position < end, shift < 70 else { throw ParquetDamage("delta-encoded values end too early") }
      let byte = base[position]
      position &+= 1
      value |= UInt64(byte & 0x7f) &<< shift
      if byte < 0x80 { return value }
      shift &+= 7
    }
  }

  static func signed(_ value: UInt64) -> Int64 { Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1) }
}
