import Columnar
import QueryErrors

/// Byte run-length encoding, as `ORCByteDecoder` reads it.
final class ORCByteEncoder {
  let stream: ORCOutputStream
  private let pending = Buffer(byteCount: ORCByteEncoder.capacity)
  private var count = 0
  private let encoded = ByteBuilder()

  private static let capacity = 4096
  private static let shortestRun = 3
  private static let longestRun = 130
  private static let longestLiteral = 128

  init(_ compressor: ORCChunkCompressor) { stream = ORCOutputStream(compressor) }

  var byteCount: Int { stream.byteCount + count }

  @inline(__always)
  func append(_ byte: UInt8) throws(QueryError) {
    pending.typed(UInt8.self)[count] = byte
    count &+= 1
    if count == ORCByteEncoder.capacity { try flush() }
  }

  /// Where the next byte comes to lie: its run begins there.
  func position() throws(QueryError) -> [Int] {
    try flush()
    return stream.position + [0]
  }

  /// Writes all bytes so far as runs that end here.
  func flush() throws(QueryError) {
    if count == 0 { return }
    let values = pending.typed(UInt8.self)
    encoded.removeAll()
    var literal = 0
    var i = 0
    while i < count {
      var end = i + 1
      while end < count, end - i < ORCByteEncoder.longestRun, values[end] == values[i] { end += 1 }
      if end - i >= ORCByteEncoder.shortestRun {
        appendLiterals(values, literal..<i)
        encoded.append(byte: UInt8(end - i - ORCByteEncoder.shortestRun))
        encoded.append(byte: values[i])
        literal = end
      }
      i = end
    }
    appendLiterals(values, literal..<count)
    count = 0
    try stream.append(encoded)
  }

  private func appendLiterals(_ values: UnsafePointer<UInt8>, _ range: Range<Int>) {
    var start = range.lowerBound
    while start < range.upperBound {
      let n = min(ORCByteEncoder.longestLiteral, range.upperBound - start)
      encoded.append(byte: UInt8(bitPattern: Int8(-n)))
      encoded.append(values + start, count: n)
      start += n
    }
  }
}

/// Bits, eight a byte, the first in the highest place, in byte run-length encoding.
final class ORCBooleanEncoder {
  private let bytes: ORCByteEncoder
  private var pending: UInt8 = 0
  private var pendingCount = 0

  init(_ compressor: ORCChunkCompressor) { bytes = ORCByteEncoder(compressor) }

  var stream: ORCOutputStream { bytes.stream }
  var byteCount: Int { bytes.byteCount }

  /// Appends bits of 0 or 1.
  @inline(__always)
  func append(count: Int, _ bit: (Int) -> UInt8) throws(QueryError) {
    var i = 0
    while i < count {
      pending = pending &<< 1 | bit(i)
      pendingCount &+= 1
      i &+= 1
      if pendingCount == 8 {
        try bytes.append(pending)
        (pending, pendingCount) = (0, 0)
      }
    }
  }

  /// Appends ones.
  func append(ones count: Int) throws(QueryError) {
    let first = min(count, (8 - pendingCount) & 7)
    try append(count: first) { _ in 1 }
    for _ in 0..<(count - first) / 8 { try bytes.append(0xff) }
    try append(count: (count - first) % 8) { _ in 1 }
  }

  /// Where the next bit comes to lie: its byte, and the bit in it.
  func position() throws(QueryError) -> [Int] { try bytes.position() + [pendingCount] }

  /// Writes the last bits.
  func flush() throws(QueryError) {
    if pendingCount > 0 {
      try bytes.append(pending &<< UInt8(8 - pendingCount))
      (pending, pendingCount) = (0, 0)
    }
    try bytes.flush()
  }
}
