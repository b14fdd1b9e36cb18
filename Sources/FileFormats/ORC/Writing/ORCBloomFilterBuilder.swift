import Columnar

/// Collects hashes of a row group's values for a Bloom filter.
struct ORCBloomFilterBuilder {
  private var hashes: Set<UInt64> = []

  /// Whether readers look for values of such a column.
  static func isKnown(_ kind: ORCNode.Kind) -> Bool {
    switch kind {
    case .byte, .short, .int, .long, .date, .float, .double, .string, .varchar: true
    default: false
    }
  }

  mutating func add(_ values: UnsafePointer<Int64>, _ count: Int) {
    for i in 0..<count { hashes.insert(ORCBloomFilter.hash(values[i])) }
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer) { hashes.insert(ORCBloomFilter.murmur(bytes)) }

  /// The message `BloomFilter` of the values so far, which takes one in a hundred others for one of them; begins anew.
  mutating func take() -> [UInt8] {
    let filter = ORCBloomFilter(hashes)
    hashes.removeAll(keepingCapacity: true)
    var out = ProtobufWriter()
    out.field(1, number: filter.hashCount)
    out.field(3, bytes: filter.words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } })
    return out.bytes
  }
}
