import Columnar

/// A row group's Bloom filter of one column.
///
/// - Source: ORC Specification v1, "Bloom Filter Index"; Hive's `BloomFilterUtf8` and `Murmur3`.
struct ORCBloomFilter {
  private(set) var hashCount = 0
  private(set) var words: [UInt64] = []

  init(_ bytes: UnsafeRawBufferPointer) throws(ORCDamage) {
    var reader = ProtobufReader(bytes)
    while let (field, wire) = try reader.next() {
      switch field {
      case 1: hashCount = try reader.size(wire)
      case 3:
        let set = try reader.bytes(wire)
        for i in 0..<set.count / 8 {
          words.append(UInt64(littleEndian: set.loadUnaligned(fromByteOffset: i * 8, as: UInt64.self)))
        }
      default: try reader.skip(wire)
      }
    }
  }

  /// A filter that holds these hashes; one in a hundred other values is taken for one of them.
  init(_ hashes: Set<UInt64>) {
    // -n · ln(0.01) / ln(2)² bits, and ln(2) · bits / n of them set for each value.
    words = Array(repeating: 0, count: (max(1, hashes.count) * 959 / 100 + 63) / 64)
    hashCount = 7
    for hash in hashes { for place in places(of: hash) { words[place >> 6] |= 1 &<< UInt64(place & 63) } }
  }

  /// Whether a value may be among those of the row group; true when unsure.
  func mayContain(_ value: Scalar, _ node: ORCNode) -> Bool {
    guard !words.isEmpty, hashCount > 0, hashCount < 64 else { return true }
    switch (value, node.kind) {
    case (.integer(let number), .byte), (.integer(let number), .short), (.integer(let number), .int),
      (.integer(let number), .long), (.integer(let number), .date):
      return mayContain(hash: ORCBloomFilter.hash(number))
    case (.double(let number), .double):
      return number == 0 || mayContain(hash: ORCBloomFilter.hash(Int64(bitPattern: number.bitPattern)))
    case (.bytes(let bytes), .string), (.bytes(let bytes), .varchar):
      return mayContain(hash: bytes.withUnsafeBytes { ORCBloomFilter.murmur($0) })
    default: return true
    }
  }

  private func mayContain(hash: UInt64) -> Bool {
    places(of: hash).allSatisfy { words[$0 >> 6] &>> UInt64($0 & 63) & 1 == 1 }
  }

  /// The bits that are set for a value.
  private func places(of hash: UInt64) -> some Sequence<Int> {
    let first = Int32(truncatingIfNeeded: hash)
    let second = Int32(truncatingIfNeeded: hash >> 32)
    let bits = words.count * 64
    return (1...hashCount).lazy.map { i in
      let combined = first &+ Int32(truncatingIfNeeded: i) &* second
      return Int(combined < 0 ? ~combined : combined) % bits
    }
  }

  /// Thomas Wang's hash of 64 bits.
  static func hash(_ value: Int64) -> UInt64 {
    var key = ~value &+ (value &<< 21)
    key ^= key &>> 24
    key = (key &+ (key &<< 3)) &+ (key &<< 8)
    key ^= key &>> 14
    key = (key &+ (key &<< 2)) &+ (key &<< 4)
    key ^= key &>> 28
    key = key &+ (key &<< 31)
    return UInt64(bitPattern: key)
  }

  static func murmur(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let (c1, c2): (UInt64, UInt64) = (0x87c3_7b91_1142_53d5, 0x4cf5_ad43_2745_937f)
    func rotated(_ x: UInt64, _ by: UInt64) -> UInt64 { x &<< by | x &>> (64 &- by) }
    var hash: UInt64 = 104_729
    let blocks = bytes.count / 8
    for i in 0..<blocks {
      var k = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i * 8, as: UInt64.self))
      k = rotated(k &* c1, 31) &* c2
      hash = rotated(hash ^ k, 27) &* 5 &+ 0x52dc_e729
    }
    var k: UInt64 = 0
    for i in stride(from: bytes.count - 1, through: blocks * 8, by: -1) { k = k &<< 8 | UInt64(bytes[i]) }
    if bytes.count > blocks * 8 { hash ^= rotated(k &* c1, 31) &* c2 }
    hash ^= UInt64(bytes.count)
    hash ^= hash &>> 33
    hash = hash &* 0xff51_afd7_ed55_8ccd
    hash ^= hash &>> 33
    hash = hash &* 0xc4ce_b9fe_1a85_ec53
    return hash ^ hash &>> 33
  }
}
