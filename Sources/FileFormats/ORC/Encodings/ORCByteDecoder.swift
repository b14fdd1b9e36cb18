import Columnar

/// Byte run-length encoding.
///
///     0 … 127     that many plus 3 of the next byte        −1 … −128    so many bytes as they are
///
/// - Source: ORC Specification v1, "Byte Run Length Encoding".
final class ORCByteDecoder {
  private let stream: ORCStream
  /// What is left of the current run.
  private var left = 0
  private var isRepeated = false
  private var value: UInt8 = 0

  init(_ stream: ORCStream) { self.stream = stream }

  private func begin() throws(ORCDamage) {
    try stream.require(2)
    let control = Int8(bitPattern: stream.next[0])
    if control >= 0 {
      isRepeated = true
      left = Int(control) + 3
      value = stream.next[1]
      stream.advance(2)
    } else {
      isRepeated = false
      left = -Int(control)
      stream.advance(1)
      try stream.require(left)
    }
  }

  func read(into out: UnsafeMutablePointer<UInt8>, count: Int) throws(ORCDamage) {
    var done = 0
    while done < count {
      if left == 0 { try begin() }
      let n = min(left, count - done)
      if isRepeated {
        (out + done).update(repeating: value, count: n)
      } else {
        try stream.require(n)
        (out + done).update(from: stream.next, count: n)
        stream.advance(n)
      }
      left -= n
      done += n
    }
  }

  func skip(_ count: Int) throws(ORCDamage) {
    var rest = count
    while rest > 0 {
      if left == 0 { try begin() }
      let n = min(left, rest)
      if !isRepeated {
        try stream.require(n)
        stream.advance(n)
      }
      left -= n
      rest -= n
    }
  }

  /// Goes to a place of a row index: chunk, bytes in the chunk (where there are chunks), bytes of the run.
  func seek(_ positions: inout ORCPositions) throws(ORCDamage) {
    try positions.seek(stream)
    left = 0
    try skip(try positions.next())
  }
}

/// Bits, eight a byte, the first in the highest place, in byte run-length encoding.
final class ORCBooleanDecoder {
  private let bytes: ORCByteDecoder
  /// Bits of the current byte that are left, in its low places.
  private var pending: UInt8 = 0
  private var pendingCount = 0
  private var scratch = Buffer(byteCount: 0)

  init(_ stream: ORCStream) { bytes = ORCByteDecoder(stream) }

  /// Byte → the same bits in the opposite order.
  private static func reversed(_ byte: UInt8) -> UInt8 {
    var x = byte
    x = (x & 0xf0) >> 4 | (x & 0x0f) << 4
    x = (x & 0xcc) >> 2 | (x & 0x33) << 2
    return (x & 0xaa) >> 1 | (x & 0x55) << 1
  }

  /// The next `count` bits as a bitmap, the first in the lowest place, and how many are set.
  func read(_ count: Int) throws(ORCDamage) -> (bits: Bitmap, setCount: Int) {
    let bitmap = Bitmap(count: count, filled: false)
    let words = bitmap.words
    var done = min(pendingCount, count)
    if done > 0 {
      words[0] = UInt64(pending) & ((1 &<< UInt64(done)) &- 1)
      pending = done == 8 ? 0 : pending &>> UInt8(done)
      pendingCount -= done
    }
    let byteCount = (count - done + 7) >> 3
    if byteCount > 0 {
      if scratch.byteCount < byteCount { scratch = Buffer(byteCount: max(byteCount, 1024)) }
      let p = scratch.typed(UInt8.self)
      try bytes.read(into: p, count: byteCount)
      var i = 0
      while i < byteCount {
        let byte = ORCBooleanDecoder.reversed(p[i])
        let n = min(8, count - done)
        let kept = n == 8 ? UInt64(byte) : UInt64(byte) & ((1 &<< UInt64(n)) &- 1)
        let shift = UInt64(done & 63)
        words[done >> 6] |= kept &<< shift
        if shift > 56, Int(shift) + n > 64 { words[(done >> 6) + 1] |= kept &>> (64 &- shift) }
        done += n
        if n < 8 {
          pending = byte &>> UInt8(n)
          pendingCount = 8 - n
        }
        i += 1
      }
    }
    return (bitmap, bitmap.setCount)
  }

  /// Passes over bits; returns how many of them were set.
  func skip(_ count: Int) throws(ORCDamage) -> Int {
    var rest = count
    var set = 0
    while rest > 0 {
      let n = min(rest, 8192)
      set += try read(n).setCount
      rest -= n
    }
    return set
  }

  /// Goes to a place of a row index: that of the bytes, then bits of the byte.
  func seek(_ positions: inout ORCPositions) throws(ORCDamage) {
    pendingCount = 0
    try bytes.seek(&positions)
    let bits = try positions.next()
    if bits > 0 { _ = try read(bits) }
  }
}

/// The places of one row index entry, taken one after the other by the streams of a column.
struct ORCPositions {
  private let values: [UInt64]
  private var at = 0
  private let hasChunks: Bool

  init(_ values: [UInt64], hasChunks: Bool) {
    self.values = values
    self.hasChunks = hasChunks
  }

  mutating func next() throws(ORCDamage) -> Int {
    guard at < values.count, let value = Int(exactly: values[at]) else { throw ORCDamage("a row index entry is too short") }
    at += 1
    return value
  }

  mutating func seek(_ stream: ORCStream) throws(ORCDamage) {
    let chunk = try next()
    try stream.seek(chunk: chunk, offset: hasChunks ? try next() : 0)
  }
}
