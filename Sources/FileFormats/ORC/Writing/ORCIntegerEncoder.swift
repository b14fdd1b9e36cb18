import Columnar
import QueryErrors

/// Integers in run-length encoding, version 2: of each run's encodings the smallest is taken.
///
/// - Source: ORC Specification v1, "Integer Run Length Encoding, version 2".
final class ORCIntegerEncoder {
  let stream: ORCOutputStream
  private let isSigned: Bool
  private let pending = Buffer(byteCount: ORCIntegerEncoder.capacity * 8)
  private var count = 0
  private let encoded = ByteBuilder()
  private let scratch = Buffer(byteCount: ORCIntegerEncoder.longestRun * 8)

  /// A multiple of the longest run, so that runs that go on lose nothing.
  private static let capacity = 8 * longestRun
  static let longestRun = 512

  init(_ compressor: ORCChunkCompressor, isSigned: Bool) {
    stream = ORCOutputStream(compressor)
    self.isSigned = isSigned
  }

  var byteCount: Int { stream.byteCount + count * 8 }

  func append(_ values: UnsafePointer<Int64>, count added: Int) throws(QueryError) {
    var taken = 0
    while taken < added {
      let n = min(added - taken, ORCIntegerEncoder.capacity - count)
      (pending.typed(Int64.self) + count).update(from: values + taken, count: n)
      count += n
      taken += n
      if count == ORCIntegerEncoder.capacity { try flush() }
    }
  }

  @inline(__always)
  func append(_ value: Int64) throws(QueryError) {
    pending.typed(Int64.self)[count] = value
    count &+= 1
    if count == ORCIntegerEncoder.capacity { try flush() }
  }

  /// Where the next value comes to lie: its run begins there.
  func position() throws(QueryError) -> [Int] {
    try flush()
    return stream.position + [0]
  }

  /// Writes all values so far as runs that end here.
  func flush() throws(QueryError) {
    if count == 0 { return }
    let values = UnsafePointer(pending.typed(Int64.self))
    encoded.removeAll()
    var literal = 0
    // All bits that values since `literal` have: how wide they would be.
    var bits: UInt64 = 0
    var i = 0
    while i < count {
      let value = values[i]
      var end = i &+ 1
      while end < count, end &- i < ORCIntegerEncoder.longestRun, values[end] == value { end &+= 1 }
      let own = stored(value)
      if paysAsRun(end &- i, own, bits | own, isAlone: literal == i) {
        appendLiterals(values, literal..<i)
        appendRepeated(value, end &- i)
        literal = end
        bits = 0
      } else {
        bits |= own
      }
      i = end
    }
    appendLiterals(values, literal..<count)
    count = 0
    try stream.append(encoded)
  }

  /// As values lie in a run: zigzag where they may be negative.
  @inline(__always)
  private func stored(_ value: Int64) -> UInt64 {
    isSigned ? UInt64(bitPattern: (value &<< 1) ^ (value &>> 63)) : UInt64(bitPattern: value)
  }

  /// Whether equal values are smaller as a run of their own than among their neighbours, whose run it cuts in two.
  private func paysAsRun(_ length: Int, _ value: UInt64, _ around: UInt64, isAlone: Bool) -> Bool {
    guard length >= 3 else { return false }
    let width = max(1, 64 &- around.leadingZeroBitCount)
    let own = max(1, (64 &- value.leadingZeroBitCount &+ 7) / 8) &+ (length > 10 ? 3 : 1)
    return length &* width > 8 &* (own &+ (isAlone ? 0 : 2))
  }

  // MARK: Runs

  private func appendRepeated(_ value: Int64, _ length: Int) {
    let word = stored(value)
    if length > 10 {
      appendHeader(3, code: 0, length)
      encoded.append(varint: word)
      encoded.append(byte: 0)
      return
    }
    let byteCount = max(1, (64 - word.leadingZeroBitCount + 7) / 8)
    encoded.append(byte: UInt8((byteCount - 1) << 3 | (length - 3)))
    for byte in stride(from: byteCount - 1, through: 0, by: -1) {
      encoded.append(byte: UInt8(truncatingIfNeeded: word >> UInt64(byte * 8)))
    }
  }

  private func appendHeader(_ encoding: UInt8, code: Int, _ length: Int) {
    encoded.append(byte: encoding << 6 | UInt8(code << 1) | UInt8((length - 1) >> 8))
    encoded.append(byte: UInt8(truncatingIfNeeded: length - 1))
  }

  private func appendLiterals(_ values: UnsafePointer<Int64>, _ range: Range<Int>) {
    var start = range.lowerBound
    while start < range.upperBound {
      let n = min(ORCIntegerEncoder.longestRun, range.upperBound - start)
      appendRun(values + start, n)
      start += n
    }
  }

  /// One run in the encoding that takes the fewest bytes.
  private func appendRun(_ values: UnsafePointer<Int64>, _ n: Int) {
    var (least, greatest, bits) = (values[0], values[0], UInt64(0))
    var i = 0
    while i < n {
      let value = values[i]
      least = min(least, value)
      greatest = max(greatest, value)
      bits |= stored(value)
      i &+= 1
    }
    let width = ORCIntegerWidth.closest(64 - bits.leadingZeroBitCount)
    let directSize = 2 + (n * width + 7) / 8
    let (span, overflow) = greatest.subtractingReportingOverflow(least)
    if !overflow {
      if let delta = ORCDeltaRun(values, n), delta.byteCount(stored(values[0])) <= directSize {
        append(delta, values, n)
        return
      }
      if let patched = ORCPatchedRun(values, n, least: least, span: span), patched.byteCount(n) < directSize {
        append(patched, values, n)
        return
      }
    }
    appendHeader(1, code: ORCIntegerWidth.code(width), n)
    pack(n, width) { stored(values[$0]) }
  }

  private func append(_ run: ORCDeltaRun, _ values: UnsafePointer<Int64>, _ n: Int) {
    appendHeader(3, code: run.width == 0 ? 0 : ORCIntegerWidth.code(run.width), n)
    encoded.append(varint: stored(values[0]))
    encoded.append(zigzag: run.first)
    if run.width > 0 { pack(n - 2, run.width) { (values[$0 + 2] &- values[$0 + 1]).magnitude } }
  }

  private func append(_ run: ORCPatchedRun, _ values: UnsafePointer<Int64>, _ n: Int) {
    appendHeader(2, code: ORCIntegerWidth.code(run.width), n)
    encoded.append(byte: UInt8((run.baseByteCount - 1) << 5 | ORCIntegerWidth.code(run.patchWidth)))
    let mask = run.width == 64 ? UInt64.max : (1 << UInt64(run.width)) - 1
    // Gaps of more than 255 go on in patches of 0.
    let entries = scratch.typed(Int64.self)
    var (entryCount, last) = (0, 0)
    for i in 0..<n {
      let excess = UInt64(bitPattern: values[i] &- run.base)
      guard excess > mask else { continue }
      var gap = i - last
      while gap > 255 {
        entries[entryCount] = Int64(bitPattern: 255 << UInt64(run.patchWidth))
        entryCount += 1
        gap -= 255
      }
      entries[entryCount] = Int64(bitPattern: UInt64(gap) << UInt64(run.patchWidth) | excess >> UInt64(run.width))
      entryCount += 1
      last = i
    }
    encoded.append(byte: UInt8((run.gapWidth - 1) << 5 | entryCount))
    // Sign and magnitude.
    var base = run.base.magnitude
    if run.base < 0 { base |= 1 << UInt64(run.baseByteCount * 8 - 1) }
    for byte in stride(from: run.baseByteCount - 1, through: 0, by: -1) {
      encoded.append(byte: UInt8(truncatingIfNeeded: base >> UInt64(byte * 8)))
    }
    pack(n, run.width) { UInt64(bitPattern: values[$0] &- run.base) & mask }
    pack(entryCount, run.entryWidth) { UInt64(bitPattern: entries[$0]) }
  }

  /// Appends `n` values of `width` bits, the most significant first.
  @inline(__always)
  private func pack(_ n: Int, _ width: Int, _ value: (Int) -> UInt64) {
    if n == 0 { return }
    let byteCount = (n &* width &+ 7) / 8
    let target = encoded.extend(byteCount &+ 8)
    var (word, filled, at) = (UInt64(0), 0, 0)
    var i = 0
    while i < n {
      let next = value(i)
      let free = 64 &- filled
      if width < free {
        word |= next &<< UInt64(free &- width)
        filled &+= width
      } else {
        let rest = width &- free
        word |= next &>> UInt64(rest)
        target.storeBytes(of: word.bigEndian, toByteOffset: at, as: UInt64.self)
        at &+= 8
        word = rest == 0 ? 0 : next &<< UInt64(64 &- rest)
        filled = rest
      }
      i &+= 1
    }
    if filled > 0 { target.storeBytes(of: word.bigEndian, toByteOffset: at, as: UInt64.self) }
    encoded.drop(8)
  }
}

/// Widths that values of a run may have, and their five-bit codes.
enum ORCIntegerWidth {
  static func closest(_ bits: Int) -> Int {
    switch bits {
    case ...24: max(bits, 1)
    case ...32: (bits + 1) & ~1
    default: (bits + 7) & ~7
    }
  }

  static func code(_ width: Int) -> Int {
    switch width {
    case ...24: width - 1
    case ...32: 24 + (width - 26) / 2
    default: 28 + (width - 40) / 8
    }
  }
}

/// A run that only rises or only falls: its first value, the first difference and the sizes of the others.
struct ORCDeltaRun {
  var first: Int64
  /// Bits of a difference; 0 when all are the same.
  var width: Int
  private var count: Int

  /// nil when values go up and down.
  ///
  /// - Shape: differences do not overflow.
  init?(_ values: UnsafePointer<Int64>, _ n: Int) {
    guard n >= 2 else { return nil }
    first = values[1] &- values[0]
    count = n
    var (rises, falls, isFixed, bits) = (true, true, true, UInt64(0))
    var i = 2
    while i < n {
      let delta = values[i] &- values[i &- 1]
      rises = rises && delta >= 0
      falls = falls && delta <= 0
      isFixed = isFixed && delta == first
      bits |= delta.magnitude
      if !rises && !falls { return nil }
      i &+= 1
    }
    if isFixed {
      width = 0
      return
    }
    // The first difference says which way values go.
    guard first < 0 ? falls : rises else { return nil }
    width = max(2, ORCIntegerWidth.closest(64 - bits.leadingZeroBitCount))
  }

  func byteCount(_ base: UInt64) -> Int {
    func varint(_ value: UInt64) -> Int { max(1, (70 - value.leadingZeroBitCount) / 7) }
    return 2 + varint(base) + varint(first.magnitude << 1) + ((count - 2) * width + 7) / 8
  }
}

/// A run of small values with a few large ones: what is above the least value, and patches with the upper bits of the large ones.
struct ORCPatchedRun {
  var base: Int64
  var width: Int
  var patchWidth: Int
  var gapWidth: Int
  private var patchCount: Int

  private static let mostPatches = 31
  private static let largestGap = 255

  /// The choice of widths that takes the fewest bytes; nil when there is none.
  init?(_ values: UnsafePointer<Int64>, _ n: Int, least: Int64, span: Int64) {
    // The base has a sign bit, and readers add it to what is below 2⁵⁶.
    guard least.magnitude < 1 << 55, span < 1 << 56, n > 32 else { return nil }
    let full = 64 - span.leadingZeroBitCount
    // How many values have so many bits.
    let smallest: Int? = withUnsafeTemporaryAllocation(of: Int.self, capacity: 65) { counts in
      counts.initialize(repeating: 0)
      for i in 0..<n { counts[64 - (values[i] &- least).leadingZeroBitCount] += 1 }
      var (exceptions, bits) = (0, full)
      while bits > 0, exceptions + counts[bits] <= ORCPatchedRun.mostPatches {
        exceptions += counts[bits]
        bits -= 1
      }
      return bits < full ? bits : nil
    }
    guard let smallest else { return nil }
    let width = ORCIntegerWidth.closest(smallest)
    guard width < full else { return nil }
    base = least
    self.width = width
    patchWidth = ORCIntegerWidth.closest(full - width)
    var (patches, last, largest) = (0, 0, 0)
    let limit: Int64 = (1 << Int64(width)) - 1
    for i in 0..<n where values[i] &- least > limit {
      let gap = i - last
      patches += 1 + (gap > ORCPatchedRun.largestGap ? (gap - 1) / ORCPatchedRun.largestGap : 0)
      largest = max(largest, min(gap, ORCPatchedRun.largestGap))
      last = i
    }
    gapWidth = max(1, 8 - UInt8(largest).leadingZeroBitCount)
    patchCount = patches
    guard patches <= ORCPatchedRun.mostPatches, gapWidth + patchWidth <= 64, width + patchWidth <= 64 else { return nil }
  }

  /// Bytes of the base with its sign.
  var baseByteCount: Int { (64 - base.magnitude.leadingZeroBitCount + 1 + 7) / 8 }
  var entryWidth: Int { ORCIntegerWidth.closest(gapWidth + patchWidth) }
  func byteCount(_ n: Int) -> Int { 4 + baseByteCount + (n * width + 7) / 8 + (patchCount * entryWidth + 7) / 8 }
}
