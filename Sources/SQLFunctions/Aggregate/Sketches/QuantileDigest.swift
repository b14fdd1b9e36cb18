import QueryErrors

/// Quantiles of a stream within a share of its weight, of values whose order 64-bit integers keep.
///
///     bytes   1, accuracy, count (4 bytes), keys, weights (8 bytes each)
///
/// Every value is kept until there are many; then neighbours are joined while together they weigh less than the accuracy
/// allows, each under its largest key.
final class QuantileDigest {
  let accuracy: Double
  private var keys: [Int64] = []
  private var weights: [Double] = []
  private(set) var totalWeight = 0.0
  private var sortedCount = 0
  static let standardAccuracy = 0.01

  init(accuracy: Double) { self.accuracy = accuracy }

  func add(_ key: Int64, weight: Double) {
    keys.append(key)
    weights.append(weight)
    totalWeight += weight
    if keys.count > 2 * sortedCount + limit { compress() }
  }

  func merge(_ other: QuantileDigest) {
    keys += other.keys
    weights += other.weights
    totalWeight += other.totalWeight
    if keys.count > 2 * sortedCount + limit { compress() }
  }

  private var limit: Int { Int(min(8 / accuracy, 1e6)) + 64 }

  private func compress() {
    let order = keys.indices.sorted { keys[$0] < keys[$1] }
    let mayJoin = keys.count > limit
    var (newKeys, newWeights): ([Int64], [Double]) = ([], [])
    for index in order {
      if let last = newKeys.last,
        last == keys[index]
          || mayJoin && newWeights[newWeights.count - 1] + weights[index] <= accuracy * totalWeight / 2
      {
        newKeys[newKeys.count - 1] = keys[index]
        newWeights[newWeights.count - 1] += weights[index]
      } else {
        newKeys.append(keys[index])
        newWeights.append(weights[index])
      }
    }
    keys = newKeys
    weights = newWeights
    sortedCount = keys.count
  }

  /// The key at a share of the weight; nil when empty.
  func key(at quantile: Double) -> Int64? {
    if keys.isEmpty { return nil }
    if sortedCount != keys.count { compress() }
    let place = quantile * totalWeight
    var sum = 0.0
    for (key, weight) in zip(keys, weights) {
      sum += weight
      if sum > place { return key }
    }
    return keys.last
  }

  /// The share of the weight below a key; nil when empty or outside of all keys.
  func quantile(of wanted: Int64) -> Double? {
    if keys.isEmpty { return nil }
    if sortedCount != keys.count { compress() }
    guard wanted >= keys[0], wanted <= keys[keys.count - 1] else { return nil }
    var sum = 0.0
    for (key, weight) in zip(keys, weights) {
      if key >= wanted { break }
      sum += weight
    }
    return sum / totalWeight
  }

  var bytes: [UInt8] {
    compress()
    var out: [UInt8] = [1]
    withUnsafeBytes(of: accuracy.bitPattern.littleEndian) { out += $0 }
    withUnsafeBytes(of: Int32(keys.count).littleEndian) { out += $0 }
    for key in keys { withUnsafeBytes(of: key.littleEndian) { out += $0 } }
    for weight in weights { withUnsafeBytes(of: weight.bitPattern.littleEndian) { out += $0 } }
    return out
  }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for bytes that are no digest.
  init(bytes: [UInt8]) throws(QueryError) {
    let damaged = QueryError(.invalidFunctionArgument, "Cannot deserialize qdigest")
    guard bytes.count >= 13, bytes[0] == 1 else { throw damaged }
    func word(_ at: Int) -> UInt64 {
      bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }
    }
    accuracy = Double(bitPattern: word(1))
    let count = Int(bytes.withUnsafeBytes { Int32(littleEndian: $0.loadUnaligned(fromByteOffset: 9, as: Int32.self)) })
    guard count >= 0, bytes.count == 13 + 16 * count, accuracy > 0, accuracy < 1 else { throw damaged }
    for k in 0..<count {
      let weight = Double(bitPattern: word(13 + 8 * (count + k)))
      guard weight.isFinite, weight > 0 else { throw damaged }
      keys.append(Int64(bitPattern: word(13 + 8 * k)))
      weights.append(weight)
      totalWeight += weight
    }
  }

  // MARK: Keys

  static func key(_ value: Double) -> Int64 {
    let bits = Int64(bitPattern: value.bitPattern)
    return bits ^ ((bits >> 63) & .max)
  }

  static func double(_ key: Int64) -> Double { Double(bitPattern: UInt64(bitPattern: key ^ ((key >> 63) & .max))) }

  var byteCount: Int { 64 + keys.capacity * 16 }
}
