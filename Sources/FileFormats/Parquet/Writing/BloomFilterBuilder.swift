import Columnar

extension BloomFilter {
  /// A filter that holds these hashes, with its header; one in a hundred other values is taken for one of them.
  ///
  /// - Source: parquet-format, BloomFilter.md.
  static func make(_ hashes: [UInt64]) -> [UInt8] {
    let distinct = Set(hashes)
    // Bits for a false answer in a hundred, with eight bits set a value: -8 / ln(1 - 0.01^(1/8)) = 9.7 bits a value.
    var byteCount = 32
    while byteCount < largestByteCount, byteCount * 8 < distinct.count * 10 { byteCount *= 2 }
    let blockCount = UInt64(byteCount / 32)
    var words = [UInt32](repeating: 0, count: byteCount / 4)
    for hash in distinct {
      let block = Int(((hash &>> 32) &* blockCount) &>> 32)
      let key = UInt32(truncatingIfNeeded: hash)
      for (word, salt) in salts.enumerated() { words[block * 8 + word] |= 1 &<< ((key &* salt) &>> 27) }
    }
    var header = ThriftCompactWriter()
    header.structure { filter in
      filter.field(1, int32: byteCount)
      for member in 2...4 { filter.field(member, structure: { $0.field(1, structure: { _ in }) }) }
    }
    return header.bytes + words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
  }

  private static let largestByteCount = 1 << 20
}
