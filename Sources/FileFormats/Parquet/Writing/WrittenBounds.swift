import Columnar

/// Bounds of a page or chunk as a file states them.
struct WrittenBounds {
  var min: [UInt8]
  var max: [UInt8]
  var isMinExact = true
  var isMaxExact = true

  /// Bytes of a bound that are stated; longer ones are cut off.
  private static let largestBound = 64

  /// nil when there are no values, or a bound would be too long and cannot be cut off.
  init?(_ bounds: StoredBounds, _ type: ParquetLeafType) {
    if let low = bounds.leastWord, let high = bounds.greatestWord {
      min = WrittenBounds.bytes(low, type.physical)
      max = WrittenBounds.bytes(high, type.physical)
      return
    }
    guard let low = bounds.leastBytes, let high = bounds.greatestBytes else { return nil }
    (min, max) = (low, high)
    if type.physical == .fixedByteArray { return }
    if low.count > WrittenBounds.largestBound {
      min = WrittenBounds.prefix(low, isText: type.isText)
      isMinExact = false
    }
    if high.count > WrittenBounds.largestBound {
      guard let above = WrittenBounds.above(WrittenBounds.prefix(high, isText: type.isText), isText: type.isText) else {
        return nil
      }
      max = above
      isMaxExact = false
    }
  }

  private static func bytes(_ word: Int64, _ physical: ParquetPhysicalType) -> [UInt8] {
    switch physical {
    case .boolean: [UInt8(truncatingIfNeeded: word)]
    case .int32, .float: withUnsafeBytes(of: UInt32(truncatingIfNeeded: word).littleEndian) { Array($0) }
    default: withUnsafeBytes(of: UInt64(bitPattern: word).littleEndian) { Array($0) }
    }
  }

  /// The first bytes, whole characters of text.
  private static func prefix(_ value: [UInt8], isText: Bool) -> [UInt8] {
    var end = largestBound
    if isText { while end > largestBound - 4, end > 0, value[end] & 0xc0 == 0x80 { end -= 1 } }
    return Array(value[..<end])
  }

  /// The least value of that length or less that is above all that begin with `prefix`; nil when there is none.
  private static func above(_ prefix: [UInt8], isText: Bool) -> [UInt8]? {
    var value = prefix
    while let last = value.last {
      // Text stays text: only characters of one byte are counted up, others are left off.
      if isText ? last < 0x7f : last < 0xff {
        value[value.count - 1] = last + 1
        return value
      }
      value.removeLast()
      if isText { while let next = value.last, last & 0xc0 == 0x80, next & 0xc0 == 0x80 { value.removeLast() } }
      if isText, last & 0xc0 == 0x80, let lead = value.last, lead >= 0xc0 { value.removeLast() }
    }
    return nil
  }
}
