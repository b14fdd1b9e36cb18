import CKernels

/// Decodes Parquet's mix of repeated values and bit-packed groups: levels, dictionary indices, booleans.
///
///     run     := header varint, then
///     header & 1 == 0: header >> 1 times the value in ⌈bitWidth / 8⌉ bytes
///     header & 1 == 1: (header >> 1) × 8 values of bitWidth bits, first value in the lowest bits
///
/// - Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
struct RunLengthDecoder {
  private let base: UnsafePointer<UInt8>
  private var position: Int
  private let end: Int
  private let bitWidth: UInt32
  /// Values left of the current run.
  private var runLeft = 0
  private var isPacked = false
  /// The repeated value.
  private var value: UInt32 = 0
  /// Bit-packed: the run's start in bits, and values of it already taken.
  private var packedBit = 0
  private var packedIndex = 0

  /// - Lifetime: the bytes, and 32 after them, must stay readable.
  init(_ base: UnsafeRawPointer, count: Int, bitWidth: Int) {
    self.base = base.assumingMemoryBound(to: UInt8.self)
    position = 0
    end = count
    self.bitWidth = UInt32(bitWidth)
  }

  private mutating func nextRun() throws(ParquetDamage) {
    while runLeft == 0 {
      var header: UInt64 = 0
      var shift: UInt64 = 0
      while true {
        guard position < end, shift < 35 else { throw ParquetDamage("run-length encoded values end too early") }
        let byte = base[position]
        position &+= 1
        header |= UInt64(byte & 0x7f) &<< shift
        if byte < 0x80 { break }
        shift &+= 7
      }
      let left = end &- position
      if header & 1 == 1 {
        let groups = Int(header >> 1)
        var values = groups &* 8
        var bytes = groups &* Int(bitWidth)
        // The last group may be cut off after its last value.
        if bytes > left {
          bytes = left
          values = left &* 8 / Int(bitWidth)
        }
        isPacked = true
        packedBit = position &* 8
        packedIndex = 0
        runLeft = values
        position &+= bytes
      } else {
        let width = Int((bitWidth &+ 7) / 8)
        guard width <= left else { throw ParquetDamage("run-length encoded values end too early") }
        var repeated: UInt32 = 0
        var i = 0
        while i < width {
          repeated |= UInt32(base[position &+ i]) &<< UInt32(8 &* i)
          i &+= 1
        }
        position &+= width
        value = repeated
        isPacked = false
        runLeft = Int(header >> 1)
      }
    }
  }

  /// Writes the next `count` values.
  mutating func decode(_ count: Int, into out: UnsafeMutablePointer<UInt32>) throws(ParquetDamage) {
    var done = 0
    while done < count {
      if runLeft == 0 { try nextRun() }
      var n = min(count &- done, runLeft)
      if isPacked {
        let inGroup = packedIndex & 7
        if inGroup != 0 {
          n = min(n, 8 &- inGroup)
          ck_unpack32_portable(base, packedBit &+ packedIndex &* Int(bitWidth), bitWidth, out + done, n)
        } else {
          ck_unpack32(base + (packedBit &+ packedIndex &* Int(bitWidth)) / 8, bitWidth, out + done, n)
        }
        packedIndex &+= n
      } else {
        (out + done).update(repeating: value, count: n)
      }
      runLeft &-= n
      done &+= n
    }
  }

  /// Writes the next `count` values of at most 8 bits as bytes.
  mutating func decode(_ count: Int, into out: UnsafeMutablePointer<UInt8>) throws(ParquetDamage) {
    var done = 0
    while done < count {
      if runLeft == 0 { try nextRun() }
      let n = min(count &- done, runLeft)
      if isPacked {
        ck_unpack8(base, packedBit &+ packedIndex &* Int(bitWidth), bitWidth, out + done, n)
        packedIndex &+= n
      } else {
        (out + done).update(repeating: UInt8(truncatingIfNeeded: value), count: n)
      }
      runLeft &-= n
      done &+= n
    }
  }

  /// Writes the next `count` values of one bit as a bitmap from bit 0 on, and returns how many are set.
  ///
  /// - Shape: `words`: ⌈count / 64⌉ words, which are overwritten.
  mutating func decodeBits(_ count: Int, into words: UnsafeMutablePointer<UInt64>) throws(ParquetDamage) -> Int {
    // A page without nulls is one run.
    if runLeft >= count, !isPacked {
      words.update(repeating: value & 1 != 0 ? ~0 : 0, count: (count &+ 63) >> 6)
      if count & 63 != 0 { words[count >> 6] &= (1 &<< UInt64(count & 63)) &- 1 }
      runLeft &-= count
      return value & 1 != 0 ? count : 0
    }
    words.update(repeating: 0, count: (count &+ 63) >> 6)
    var set = 0
    var done = 0
    while done < count {
      if runLeft == 0 { try nextRun() }
      let n = min(count &- done, runLeft)
      if isPacked {
        var i = 0
        while i < n {
          let bit = packedBit &+ packedIndex &+ i
          let take = min(56, n &- i)
          let raw = UnsafeRawPointer(base + (bit >> 3)).loadUnaligned(as: UInt64.self)
          let bits = (raw &>> UInt64(bit & 7)) & ((1 &<< UInt64(take)) &- 1)
          set &+= bits.nonzeroBitCount
          let at = done &+ i
          words[at >> 6] |= bits &<< UInt64(at & 63)
          if (at & 63) &+ take > 64 { words[(at >> 6) &+ 1] |= bits &>> UInt64(64 &- (at & 63)) }
          i &+= take
        }
        packedIndex &+= n
      } else if value & 1 != 0 {
        RunLengthDecoder.setBits(words, from: done, count: n)
        set &+= n
      }
      runLeft &-= n
      done &+= n
    }
    return set
  }

  /// Passes over `count` values of one bit and returns how many are set.
  mutating func skipBits(_ count: Int) throws(ParquetDamage) -> Int {
    var set = 0
    var left = count
    while left > 0 {
      if runLeft == 0 { try nextRun() }
      let n = min(left, runLeft)
      if isPacked {
        var i = 0
        while i < n {
          let bit = packedBit &+ packedIndex &+ i
          let take = min(56, n &- i)
          let raw = UnsafeRawPointer(base + (bit >> 3)).loadUnaligned(as: UInt64.self)
          set &+= ((raw &>> UInt64(bit & 7)) & ((1 &<< UInt64(take)) &- 1)).nonzeroBitCount
          i &+= take
        }
        packedIndex &+= n
      } else if value & 1 != 0 {
        set &+= n
      }
      runLeft &-= n
      left &-= n
    }
    return set
  }

  /// Passes over `count` values.
  mutating func skip(_ count: Int) throws(ParquetDamage) {
    var left = count
    while left > 0 {
      if runLeft == 0 { try nextRun() }
      let n = min(left, runLeft)
      if isPacked { packedIndex &+= n }
      runLeft &-= n
      left &-= n
    }
  }

  static func setBits(_ words: UnsafeMutablePointer<UInt64>, from start: Int, count: Int) {
    var at = start
    let end = start &+ count
    while at < end {
      let take = min(64 &- (at & 63), end &- at)
      let ones: UInt64 = take == 64 ? ~0 : (1 &<< UInt64(take)) &- 1
      words[at >> 6] |= ones &<< UInt64(at & 63)
      at &+= take
    }
  }
}
