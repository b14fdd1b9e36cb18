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
      min = CutBounds.prefix(low, WrittenBounds.largestBound, isText: type.isText)
      isMinExact = false
    }
    if high.count > WrittenBounds.largestBound {
      let prefix = CutBounds.prefix(high, WrittenBounds.largestBound, isText: type.isText)
      guard let above = CutBounds.above(prefix, isText: type.isText) else { return nil }
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
}
