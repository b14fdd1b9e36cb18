import QueryErrors

/// A sketch of a set for comparing sets: the smallest hashes with their counts, and a HyperLogLog.
///
///     bytes   1, HyperLogLog length (4 bytes), HyperLogLog, most hashes (4 bytes), hash count (4 bytes),
///             hashes (8 bytes each, ascending), counts (2 bytes each)
///
/// - Source: Broder, "On the resemblance and containment of documents", 1997; Trino `SetDigest`.
final class SetDigest {
  private(set) var hashes: [Int64] = []
  private(set) var counts: [Int16] = []
  private let log: HyperLogLog
  private static let largestCount = 8192
  private static let indexBits = 11

  init() { log = HyperLogLog(indexBits: SetDigest.indexBits) }

  func add(_ hash: Int64) {
    log.add(hash)
    insert(hash, 1)
  }

  private func insert(_ hash: Int64, _ count: Int16) {
    var (low, high) = (0, hashes.count)
    while low < high {
      let middle = (low + high) / 2
      if hashes[middle] < hash { low = middle + 1 } else { high = middle }
    }
    if low < hashes.count, hashes[low] == hash {
      counts[low] = Int16(clamping: Int(counts[low]) + Int(count))
      return
    }
    if hashes.count >= Self.largestCount {
      if low == hashes.count { return }
      hashes.removeLast()
      counts.removeLast()
    }
    hashes.insert(hash, at: low)
    counts.insert(count, at: low)
  }

  func merge(_ other: SetDigest) throws(QueryError) {
    try log.merge(other.log)
    for (hash, count) in zip(other.hashes, other.counts) { insert(hash, count) }
  }

  /// Whether all hashes are kept.
  var isExact: Bool { hashes.count < Self.largestCount }

  var cardinality: Int64 { isExact ? Int64(hashes.count) : log.cardinality }

  static func jaccardIndex(_ a: SetDigest, _ b: SetDigest) -> Double {
    let size = min(a.hashes.count, b.hashes.count)
    if size == 0 { return 0 }
    let union = Set(a.hashes).union(b.hashes).sorted().prefix(size)
    let (left, right) = (Set(a.hashes), Set(b.hashes))
    return Double(union.filter { left.contains($0) && right.contains($0) }.count) / Double(size)
  }

  static func intersectionCardinality(_ a: SetDigest, _ b: SetDigest) throws(QueryError) -> Int64 {
    if a.isExact, b.isExact { return Int64(Set(a.hashes).intersection(b.hashes).count) }
    let union = try HyperLogLog(bytes: a.log.bytes)
    try union.merge(b.log)
    let estimate = Int64((jaccardIndex(a, b) * Double(union.cardinality)).rounded())
    return min(estimate, a.cardinality, b.cardinality)
  }

  var bytes: [UInt8] {
    let inner = log.bytes
    var out: [UInt8] = [1]
    func append(_ value: Int32) { withUnsafeBytes(of: value.littleEndian) { out += $0 } }
    append(Int32(inner.count))
    out += inner
    append(Int32(Self.largestCount))
    append(Int32(hashes.count))
    for hash in hashes { withUnsafeBytes(of: hash.littleEndian) { out += $0 } }
    for count in counts { withUnsafeBytes(of: count.littleEndian) { out += $0 } }
    return out
  }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for bytes that are no digest.
  init(bytes: [UInt8]) throws(QueryError) {
    let damaged = QueryError(.invalidFunctionArgument, "Cannot deserialize setdigest")
    func int(_ at: Int) -> Int {
      bytes.withUnsafeBytes { Int(Int32(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: Int32.self))) }
    }
    guard bytes.count >= 13, bytes[0] == 1 else { throw damaged }
    let length = int(1)
    guard length >= 0, bytes.count >= 13 + length else { throw damaged }
    log = try HyperLogLog(bytes: Array(bytes[5..<(5 + length)]))
    let count = int(9 + length)
    let start = 13 + length
    guard count >= 0, count <= Self.largestCount, bytes.count == start + 10 * count else { throw damaged }
    bytes.withUnsafeBytes { p in
      for k in 0..<count {
        hashes.append(Int64(littleEndian: p.loadUnaligned(fromByteOffset: start + 8 * k, as: Int64.self)))
        counts.append(Int16(littleEndian: p.loadUnaligned(fromByteOffset: start + 8 * count + 2 * k, as: Int16.self)))
      }
    }
    for (a, b) in zip(hashes, hashes.dropFirst()) { guard a < b else { throw damaged } }
  }
}
