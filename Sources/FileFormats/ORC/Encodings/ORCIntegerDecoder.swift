import CKernels
import Columnar
import Glibc

/// Integers in run-length encoding, version 1 or 2.
///
/// - Source: ORC Specification v1, "Integer Run Length Encoding, version 1" and "version 2".
final class ORCIntegerDecoder {
  private let stream: ORCStream
  private let isSigned: Bool
  private let isVersion2: Bool
  /// The values of the current run that were decoded but not taken yet.
  private let run = Buffer(byteCount: 520 * 8)
  private var at = 0
  private var count = 0

  /// The most bytes a run of version 2 takes: 512 values of 64 bits, a header, a base and 31 patches of 16 bytes.
  private static let longestRun = 512 * 8 + 16 + 31 * 16 + ORCStream.padding

  init(_ stream: ORCStream, isSigned: Bool, isVersion2: Bool) {
    self.stream = stream
    self.isSigned = isSigned
    self.isVersion2 = isVersion2
  }

  // MARK: Taking values

  func read(into out: UnsafeMutablePointer<Int64>, count wanted: Int) throws(ORCDamage) {
    let values = run.typed(Int64.self)
    var done = 0
    while done < wanted {
      if at == count {
        // A whole run goes straight to its place.
        if wanted - done >= 512 {
          done += try decode(out + done)
          continue
        }
        count = try decode(values)
        at = 0
      }
      let n = min(count - at, wanted - done)
      (out + done).update(from: values + at, count: n)
      at += n
      done += n
    }
  }

  func skip(_ wanted: Int) throws(ORCDamage) {
    var rest = wanted
    while rest > 0 {
      if at == count {
        count = try decode(run.typed(Int64.self))
        at = 0
      }
      let n = min(count - at, rest)
      at += n
      rest -= n
    }
  }

  /// Passes over values and adds them up: lengths of what is skipped with them.
  func sum(_ wanted: Int) throws(ORCDamage) -> Int {
    let values = run.typed(Int64.self)
    var rest = wanted
    var total = 0
    while rest > 0 {
      if at == count {
        count = try decode(values)
        at = 0
      }
      let n = min(count - at, rest)
      for i in at..<at + n {
        guard values[i] >= 0 else { throw ORCDamage("a length is negative") }
        let (next, overflow) = total.addingReportingOverflow(Int(values[i]))
        guard !overflow else { throw ORCDamage("lengths are too large") }
        total = next
      }
      at += n
      rest -= n
    }
    return total
  }

  func seek(_ positions: inout ORCPositions) throws(ORCDamage) {
    try positions.seek(stream)
    at = 0
    count = 0
    try skip(try positions.next())
  }

  // MARK: Decoding runs

  /// Decodes the next run into `out`, which has room for 512 values; returns how many there were.
  private func decode(_ out: UnsafeMutablePointer<Int64>) throws(ORCDamage) -> Int {
    if !isVersion2 { return try decodeVersion1(out) }
    let bytes = try stream.ensure(ORCIntegerDecoder.longestRun)
    guard bytes >= 2 else { throw ORCDamage("a stream of integers ends too early") }
    switch stream.next[0] >> 6 {
    case 0: return try shortRepeat(out, bytes)
    case 1: return try direct(out, bytes)
    case 2: return try patchedBase(out, bytes)
    default: return try delta(out, bytes)
    }
  }

  private func decodeVersion1(_ out: UnsafeMutablePointer<Int64>) throws(ORCDamage) -> Int {
    let bytes = try stream.ensure(128 * 10 + 1)
    guard bytes >= 2 else { throw ORCDamage("a stream of integers ends too early") }
    let control = Int8(bitPattern: stream.next[0])
    var place = 1
    if control >= 0 {
      let step = Int64(Int8(bitPattern: stream.next[1]))
      place = 2
      var value = try varint(&place, bytes)
      let n = Int(control) + 3
      for i in 0..<n {
        out[i] = value
        value &+= step
      }
      stream.advance(place)
      return n
    }
    let n = -Int(control)
    for i in 0..<n { out[i] = try varint(&place, bytes) }
    stream.advance(place)
    return n
  }

  @inline(__always)
  private func unsignedVarint(_ place: inout Int, _ end: Int) throws(ORCDamage) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while place < end, shift < 70 {
      let byte = stream.next[place]
      place += 1
      if shift < 64 { value |= UInt64(byte & 0x7f) &<< shift }
      if byte < 0x80 { return value }
      shift += 7
    }
    throw ORCDamage("a stream of integers ends within a number")
  }

  private func varint(_ place: inout Int, _ end: Int) throws(ORCDamage) -> Int64 {
    let value = try unsignedVarint(&place, end)
    return isSigned ? ORCIntegerDecoder.zigzag(value) : Int64(bitPattern: value)
  }

  @inline(__always)
  private static func zigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1) }

  /// Bits of a value by its five-bit code.
  private static func width(_ code: UInt8) -> Int {
    switch code {
    case 0...23: Int(code) + 1
    case 24...27: 26 + (Int(code) - 24) * 2
    default: 40 + (Int(code) - 28) * 8
    }
  }

  private func shortRepeat(_ out: UnsafeMutablePointer<Int64>, _ bytes: Int) throws(ORCDamage) -> Int {
    let head = stream.next[0]
    let byteCount = Int((head >> 3) & 7) + 1
    let n = Int(head & 7) + 3
    guard 1 + byteCount <= bytes else { throw ORCDamage("a stream of integers ends too early") }
    var value: UInt64 = 0
    for i in 1...byteCount { value = value &<< 8 | UInt64(stream.next[i]) }
    out.update(repeating: isSigned ? ORCIntegerDecoder.zigzag(value) : Int64(bitPattern: value), count: n)
    stream.advance(1 + byteCount)
    return n
  }

  private func direct(_ out: UnsafeMutablePointer<Int64>, _ bytes: Int) throws(ORCDamage) -> Int {
    let width = ORCIntegerDecoder.width((stream.next[0] >> 1) & 31)
    let n = Int(stream.next[0] & 1) << 8 + Int(stream.next[1]) + 1
    let byteCount = (width * n + 7) >> 3
    guard 2 + byteCount <= bytes else { throw ORCDamage("a stream of integers ends too early") }
    ORCIntegerDecoder.unpack(stream.next + 2, width, n, out)
    if isSigned {
      var i = 0
      while i < n {
        out[i] = ORCIntegerDecoder.zigzag(UInt64(bitPattern: out[i]))
        i &+= 1
      }
    }
    stream.advance(2 + byteCount)
    return n
  }

  private func patchedBase(_ out: UnsafeMutablePointer<Int64>, _ bytes: Int) throws(ORCDamage) -> Int {
    guard bytes >= 4 else { throw ORCDamage("a stream of integers ends too early") }
    let p = stream.next
    let width = ORCIntegerDecoder.width((p[0] >> 1) & 31)
    let n = Int(p[0] & 1) << 8 + Int(p[1]) + 1
    let baseBytes = Int(p[2] >> 5) + 1
    let patchWidth = ORCIntegerDecoder.width(p[2] & 31)
    let gapWidth = Int(p[3] >> 5) + 1
    let patchCount = Int(p[3] & 31)
    let dataBytes = (width * n + 7) >> 3
    let entryWidth = ORCIntegerDecoder.closestWidth(gapWidth + patchWidth)
    guard entryWidth <= 64 else { throw ORCDamage("a patch of an integer run is wider than 64 bits") }
    let patchBytes = (entryWidth * patchCount + 7) >> 3
    guard 4 + baseBytes + dataBytes + patchBytes <= bytes else { throw ORCDamage("a stream of integers ends too early") }
    var raw: UInt64 = 0
    for i in 0..<baseBytes { raw = raw &<< 8 | UInt64(p[4 + i]) }
    // Sign and magnitude.
    let sign: UInt64 = 1 &<< UInt64(baseBytes * 8 - 1)
    let base = raw & sign == 0 ? Int64(bitPattern: raw) : 0 &- Int64(bitPattern: raw & ~sign)
    ORCIntegerDecoder.unpack(p + 4 + baseBytes, width, n, out)
    if patchCount > 0 {
      try withUnsafeTemporaryAllocation(of: Int64.self, capacity: 32) { patches throws(ORCDamage) in
        ORCIntegerDecoder.unpack(p + 4 + baseBytes + dataBytes, entryWidth, patchCount, patches.baseAddress!)
        var place = 0
        for i in 0..<patchCount {
          let entry = UInt64(bitPattern: patches[i])
          let gap = patchWidth == 64 ? 0 : Int(entry &>> UInt64(patchWidth))
          let patch = patchWidth == 64 ? entry : entry & ((1 &<< UInt64(patchWidth)) &- 1)
          place += gap
          guard place < n else { throw ORCDamage("a patch of an integer run passes its end") }
          // A patch of 0 only carries a gap on that does not fit.
          if patch != 0, width < 64 { out[place] |= Int64(bitPattern: patch &<< UInt64(width)) }
        }
      }
    }
    var i = 0
    while i < n {
      out[i] &+= base
      i &+= 1
    }
    stream.advance(4 + baseBytes + dataBytes + patchBytes)
    return n
  }

  private func delta(_ out: UnsafeMutablePointer<Int64>, _ bytes: Int) throws(ORCDamage) -> Int {
    let p = stream.next
    let code = (p[0] >> 1) & 31
    let n = Int(p[0] & 1) << 8 + Int(p[1]) + 1
    var place = 2
    var value = try varint(&place, bytes)
    let step = ORCIntegerDecoder.zigzag(try unsignedVarint(&place, bytes))
    out[0] = value
    if code == 0 {
      var i = 1
      while i < n {
        value &+= step
        out[i] = value
        i &+= 1
      }
      stream.advance(place)
      return n
    }
    guard n >= 2 else {
      stream.advance(place)
      return n
    }
    value &+= step
    out[1] = value
    let width = ORCIntegerDecoder.width(code)
    let byteCount = (width * (n - 2) + 7) >> 3
    guard place + byteCount <= bytes else { throw ORCDamage("a stream of integers ends too early") }
    ORCIntegerDecoder.unpack(p + place, width, n - 2, out + 2)
    var i = 2
    if step < 0 {
      while i < n {
        value &-= out[i]
        out[i] = value
        i &+= 1
      }
    } else {
      while i < n {
        value &+= out[i]
        out[i] = value
        i &+= 1
      }
    }
    stream.advance(place + byteCount)
    return n
  }

  private static func closestWidth(_ bits: Int) -> Int {
    switch bits {
    case ...24: max(bits, 1)
    case ...26: 26
    case ...28: 28
    case ...30: 30
    case ...32: 32
    case ...40: 40
    case ...48: 48
    case ...56: 56
    case ...64: 64
    default: bits
    }
  }

  /// Big-endian values of `width` bits. Up to eight bytes behind the last are read.
  static func unpack(_ p: UnsafePointer<UInt8>, _ width: Int, _ count: Int, _ out: UnsafeMutablePointer<Int64>) {
    let raw = UnsafeRawPointer(p)
    var i = 0
    switch width {
    case 8:
      while i < count {
        out[i] = Int64(p[i])
        i &+= 1
      }
    case 16:
      while i < count {
        out[i] = Int64(UInt16(bigEndian: raw.loadUnaligned(fromByteOffset: i &* 2, as: UInt16.self)))
        i &+= 1
      }
    case 32:
      while i < count {
        out[i] = Int64(UInt32(bigEndian: raw.loadUnaligned(fromByteOffset: i &* 4, as: UInt32.self)))
        i &+= 1
      }
    case 64:
      while i < count {
        out[i] = Int64(bitPattern: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: i &* 8, as: UInt64.self)))
        i &+= 1
      }
    default:
      // Widths up to 57 lie within eight bytes from the byte they begin in.
      let down = UInt64(64 &- width)
      var bit = 0
      while i < count {
        let word = UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
        out[i] = Int64(bitPattern: (word &<< UInt64(bit & 7)) &>> down)
        bit &+= width
        i &+= 1
      }
    }
  }
}
