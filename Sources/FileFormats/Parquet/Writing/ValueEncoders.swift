import CKernels
import Columnar

/// Run-length and bit-packed runs: levels and dictionary indices.
///
/// - Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
enum RunLengthEncoder {
  /// Appends `count` numbers of `width` bits.
  static func encode<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, _ count: Int, width: Int, to out: ByteBuilder
  ) {
    if width == 0 {
      if count > 0 { out.append(varint: UInt64(count) << 1) }
      return
    }
    var i = 0
    var literal = 0
    while i < count {
      // The run of equal values from i on.
      let value = values[i]
      var end = i &+ 1
      while end < count, values[end] == value { end &+= 1 }
      // What fills the literal groups begun does not count for the run.
      let fill = literal < i ? (8 &- (i &- literal) & 7) & 7 : 0
      if end &- i &- fill >= 8 {
        let start = i &+ fill
        if start > literal { pack(values + literal, start &- literal, width, out) }
        out.append(varint: UInt64(end &- start) &<< 1)
        var bits = UInt64(truncatingIfNeeded: value)
        for _ in 0..<(width &+ 7) / 8 {
          out.append(byte: UInt8(truncatingIfNeeded: bits))
          bits &>>= 8
        }
        i = end
        literal = end
      } else {
        i = end
      }
    }
    if literal < count { pack(values + literal, count &- literal, width, out) }
  }

  /// One bit-packed run; only the last of a page may be of other length than a multiple of 8.
  private static func pack<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, _ count: Int, _ width: Int, _ out: ByteBuilder
  ) {
    let groups = (count &+ 7) / 8
    out.append(varint: UInt64(groups) &<< 1 | 1)
    let size = groups &* width
    let target = out.extend(size &+ 8)
    BitPacking.pack(width: width, count: groups &* 8, into: target) { i in
      i < count ? UInt64(truncatingIfNeeded: values[i]) : 0
    }
    out.drop(8)
  }
}

/// Numbers of some bits each, the least significant first.
enum BitPacking {
  /// - Shape: `target` has room for 8 bytes more than are needed; `count` times `width` is a multiple of 8.
  @inline(__always)
  static func pack(width: Int, count: Int, into target: UnsafeMutableRawPointer, _ value: (Int) -> UInt64) {
    var (bits, filled, at) = (UInt64(0), 0, 0)
    var i = 0
    while i < count {
      let next = value(i)
      bits |= next &<< UInt64(truncatingIfNeeded: filled)
      filled &+= width
      if filled >= 64 {
        target.storeBytes(of: bits.littleEndian, toByteOffset: at, as: UInt64.self)
        at &+= 8
        filled &-= 64
        // Bits of the number that did not fit.
        bits = filled == 0 ? 0 : next &>> UInt64(truncatingIfNeeded: width &- filled)
      }
      i &+= 1
    }
    if filled > 0 { target.storeBytes(of: bits.littleEndian, toByteOffset: at, as: UInt64.self) }
  }
}

/// Numbers as differences from the one before, packed by 32 with a width of their own.
///
/// - Source: parquet-format, Encodings.md, "Delta Encoding".
enum DeltaEncoder {
  private static let blockSize = 128
  private static let miniblockCount = 4
  private static let miniblockSize = 32

  /// - Parameter isShort: whether numbers, and the differences with them, are of 32 bits.
  static func encode(_ values: UnsafePointer<Int64>, _ count: Int, isShort: Bool, to out: ByteBuilder) {
    out.append(varint: UInt64(blockSize))
    out.append(varint: UInt64(miniblockCount))
    out.append(varint: UInt64(count))
    out.append(zigzag: count > 0 ? values[0] : 0)
    var deltas = [Int64](repeating: 0, count: blockSize)
    var start = 1
    while start < count {
      let n = min(blockSize, count &- start)
      deltas.withUnsafeMutableBufferPointer { deltas in
        var least = Int64.max
        var i = 0
        while i < n {
          var delta = values[start &+ i] &- values[start &+ i &- 1]
          // Differences of 32-bit numbers wrap around as they do.
          if isShort { delta = Int64(Int32(truncatingIfNeeded: delta)) }
          deltas[i] = delta
          least = min(least, delta)
          i &+= 1
        }
        out.append(zigzag: least)
        let widths = out.extend(miniblockCount)
        let widthPlace = out.count &- miniblockCount
        widths.initializeMemory(as: UInt8.self, repeating: 0, count: miniblockCount)
        var mini = 0
        while mini &* miniblockSize < n {
          let first = mini &* miniblockSize
          let used = min(miniblockSize, n &- first)
          var all: UInt64 = 0
          i = 0
          while i < used {
            all |= excess(deltas[first &+ i], least, isShort)
            i &+= 1
          }
          let width = 64 &- all.leadingZeroBitCount
          (out.pointer + widthPlace + mini).storeBytes(of: UInt8(width), as: UInt8.self)
          if width > 0 {
            let target = out.extend(width &* 4 &+ 8)
            BitPacking.pack(width: width, count: miniblockSize, into: target) { k in
              k < used ? excess(deltas[first &+ k], least, isShort) : 0
            }
            out.drop(8)
          }
          mini &+= 1
        }
      }
      start &+= n
    }
  }

  @inline(__always)
  private static func excess(_ delta: Int64, _ least: Int64, _ isShort: Bool) -> UInt64 {
    let rest = UInt64(bitPattern: delta &- least)
    return isShort ? rest & 0xffff_ffff : rest
  }
}

/// The bytes of fixed-width numbers, all first bytes, then all second ones, and so on.
enum StreamSplitEncoder {
  static func encode(_ values: UnsafePointer<Int64>, _ count: Int, byteWidth: Int, to out: ByteBuilder) {
    let target = out.extend(count &* byteWidth).assumingMemoryBound(to: UInt8.self)
    var byte = 0
    while byte < byteWidth {
      let (place, shift) = (target + byte &* count, Int64(byte &* 8))
      var i = 0
      while i < count {
        place[i] = UInt8(truncatingIfNeeded: values[i] &>> shift)
        i &+= 1
      }
      byte &+= 1
    }
  }
}

/// Byte strings with their lengths in front, delta-encoded; or as what they share with the one before and the rest.
enum DeltaBytesEncoder {
  /// - Shape: `plain`: `count` values, each behind its length in 4 bytes.
  static func encodeLengths(_ plain: UnsafeRawPointer, _ count: Int, to out: ByteBuilder) {
    var lengths = [Int64](repeating: 0, count: max(count, 1))
    var at = 0
    for i in 0..<count {
      let length = Int(plain.loadUnaligned(fromByteOffset: at, as: UInt32.self))
      lengths[i] = Int64(length)
      at += 4 + length
    }
    lengths.withUnsafeBufferPointer { DeltaEncoder.encode($0.baseAddress!, count, isShort: true, to: out) }
    let target = out.extend(at - 4 * count)
    var (from, to) = (0, 0)
    for i in 0..<count {
      let length = Int(lengths[i])
      if length > 0 { (target + to).copyMemory(from: plain + from + 4, byteCount: length) }
      from += 4 + length
      to += length
    }
  }

  static func encodePrefixes(_ plain: UnsafeRawPointer, _ count: Int, to out: ByteBuilder) {
    var prefixes = [Int64](repeating: 0, count: max(count, 1))
    let suffixes = ByteBuilder(capacity: 4096)
    var at = 0
    var previous = UnsafeRawBufferPointer(start: nil, count: 0)
    for i in 0..<count {
      let length = Int(plain.loadUnaligned(fromByteOffset: at, as: UInt32.self))
      let value = UnsafeRawBufferPointer(start: plain + at + 4, count: length)
      var shared = 0
      let limit = min(length, previous.count)
      while shared < limit, value[shared] == previous[shared] { shared += 1 }
      prefixes[i] = Int64(shared)
      suffixes.append(UInt32(length - shared))
      if length > shared { suffixes.append(value.baseAddress! + shared, count: length - shared) }
      previous = value
      at += 4 + length
    }
    prefixes.withUnsafeBufferPointer { DeltaEncoder.encode($0.baseAddress!, count, isShort: true, to: out) }
    encodeLengths(suffixes.pointer, count, to: out)
  }
}
