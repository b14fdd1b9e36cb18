import CKernels
import Columnar
import ObjectStore
import QueryErrors

/// A column chunk's split block bloom filter: says of a value "not here" or "maybe".
///
/// - Source: parquet-format, BloomFilter.md.
enum BloomFilter {
  /// More values than this make a "maybe" certain enough to not look.
  private static let largestList = 64
  private static let longestHeader = 64

  /// Whether some value of the domain may be in the chunk; false only for short lists of values that the filter rules
  /// out.
  static func mayHold(
    _ domain: Domain, _ plan: ColumnPlan, _ metadata: ColumnChunkMetadata, source: RangeReader
  ) throws(QueryError) -> Bool {
    guard let offset = metadata.bloomFilterOffset, !domain.allowsNull, let values = domain.singleValues,
      !values.isEmpty, values.count <= largestList
    else { return true }
    var hashes: [UInt64] = []
    for value in values {
      guard let own = self.hashes(value, plan) else { return true }
      hashes += own
    }
    if hashes.isEmpty { return true }
    let end = source.source.byteCount
    guard UInt64(offset) < end else { return true }
    let head = try source.read(
      UInt64(offset)..<min(end, UInt64(offset) + UInt64(longestHeader)), kind: .metadata)
    guard let (byteCount, headerSize) = try? header(head), byteCount >= 32, byteCount % 32 == 0 else { return true }
    let start = UInt64(offset) + UInt64(headerSize)
    guard start + UInt64(byteCount) <= end else { return true }
    let blockCount = UInt64(byteCount / 32)
    for hash in hashes {
      let block = ((hash &>> 32) &* blockCount) &>> 32
      let place = start + block * 32
      let slice = try source.read(place..<place + 32, kind: .metadata)
      if withExtendedLifetime(slice, { contains(slice.pointer, UInt32(truncatingIfNeeded: hash)) }) { return true }
    }
    return false
  }

  /// Size of the filter's bits and of its header; nil for kinds other than the one there is.
  private static func header(_ slice: ByteSlice) throws(ParquetDamage) -> (Int, Int)? {
    var reader = ThriftCompactReader(slice.pointer, end: slice.count)
    defer { withExtendedLifetime(slice) {} }
    var byteCount = 0
    var known = 0
    var id = 0
    while let type = try reader.nextField(&id) {
      switch id {
      case 1: byteCount = try reader.size(type)
      case 2, 3, 4:
        try reader.expectStructure(type)
        var member = 0
        while let inner = try reader.nextField(&member) {
          if member == 1 { known += 1 }
          try reader.skip(inner)
        }
      default: try reader.skip(type)
      }
    }
    return known == 3 ? (byteCount, reader.position) : nil
  }

  static let salts: [UInt32] = [
    0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31,
  ]

  private static func contains(_ block: UnsafeRawPointer, _ key: UInt32) -> Bool {
    for (word, salt) in salts.enumerated() {
      let bit: UInt32 = 1 &<< ((key &* salt) &>> 27)
      if block.loadUnaligned(fromByteOffset: word * 4, as: UInt32.self) & bit == 0 { return false }
    }
    return true
  }

  /// Hashes of all stored forms that read as `value`; nil when they cannot be told.
  private static func hashes(_ value: Scalar, _ plan: ColumnPlan) -> [UInt64]? {
    guard case .leaf(let type, _, let leaf, _, let conversion) = plan else { return nil }
    func hash<T: BitwiseCopyable>(_ value: T) -> UInt64 {
      withUnsafeBytes(of: value) { ck_xxh64($0.baseAddress, $0.count) }
    }
    switch (leaf.physical, value) {
    case (.int32, .integer(let number)):
      switch conversion {
      case .identity: return Int32(exactly: number).map { [hash($0)] } ?? []
      case .integer(.int32, _): return Int32(exactly: number).map { [hash($0)] } ?? []
      case .integer(.uint32, _): return UInt32(exactly: number).map { [hash($0)] } ?? []
      case .integerToDecimal(.int32, 1, 1, _, _): return Int32(exactly: number).map { [hash($0)] } ?? []
      default: return nil
      }
    case (.int64, .integer(let number)):
      switch conversion {
      case .identity, .integer(.int64, _), .integerToDecimal(.int64, 1, 1, _, _): return [hash(number)]
      case .integer(.uint64, _): return UInt64(exactly: number).map { [hash($0)] } ?? []
      default: return nil
      }
    case (.float, .real(let number)) where conversion.isIdentity && !number.isNaN:
      return number == 0 ? [hash(Float(0)), hash(-Float(0))] : [hash(number)]
    case (.double, .double(let number)) where conversion.isIdentity && !number.isNaN:
      return number == 0 ? [hash(0.0), hash(-0.0)] : [hash(number)]
    case (.byteArray, .bytes(let bytes)), (.fixedByteArray, .bytes(let bytes)):
      guard conversion.isIdentity, !type.isChar else { return nil }
      return [bytes.withUnsafeBytes { ck_xxh64($0.baseAddress, $0.count) }]
    default: return nil
    }
  }
}
