import Columnar
import Glibc
import QueryErrors

/// Quantiles of a stream of numbers from few weighted means, finest at both ends.
///
///     bytes   0, min, max, compression, total weight (8 bytes each), count (4 bytes), means, weights (8 bytes each)
///
/// - Source: Dunning and Ertl, "Computing extremely accurate quantiles using t-digests", 2019: merging digest with the
///   scale function k2; single values are never interpolated.
final class TDigest {
  private(set) var means: [Double] = []
  private(set) var weights: [Double] = []
  private(set) var totalWeight = 0.0
  private(set) var lowest = Double.infinity
  private(set) var highest = -Double.infinity
  private let compression: Double
  private var isSorted = true
  private var goesBackwards = false
  static let standardCompression = 100.0

  init(compression: Double = TDigest.standardCompression) { self.compression = compression }

  private var bufferLimit: Int { Int(6 * (2 * compression + 10)) }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for NaN and infinities.
  func add(_ value: Double, weight: Double = 1) throws(QueryError) {
    if value.isNaN { throw QueryError(.invalidFunctionArgument, "value is NaN") }
    if value.isInfinite { throw QueryError(.invalidFunctionArgument, "value must be finite") }
    if means.count >= bufferLimit { compress(2 * compression) }
    means.append(value)
    weights.append(weight)
    totalWeight += weight
    lowest = min(lowest, value)
    highest = max(highest, value)
    isSorted = false
  }

  func merge(_ other: TDigest) {
    if means.count + other.means.count > bufferLimit {
      compress(2 * compression)
      other.compress(2 * other.compression)
    }
    means += other.means
    weights += other.weights
    totalWeight += other.totalWeight
    lowest = min(lowest, other.lowest)
    highest = max(highest, other.highest)
    isSorted = false
  }

  /// Joins neighbouring centroids as far as the scale function lets them grow, in alternating direction.
  private func compress(_ factor: Double) {
    if means.isEmpty { return }
    var order = means.withUnsafeBufferPointer { means in means.indices.sorted { means[$0] < means[$1] } }
    if goesBackwards { order.reverse() }
    let normalizer = factor / (4 * log(totalWeight / factor) + 24)
    func limit(_ q: Double) -> Double { q * (1 - q) / normalizer }
    var joined: [(mean: Double, weight: Double)] = []
    var current = (mean: means[order[0]], weight: weights[order[0]])
    var before = 0.0
    var startLimit = limit(0)
    for index in order.dropFirst() {
      let weight = current.weight + weights[index]
      let end = min((before + weight) / totalWeight, 1)
      if weight <= totalWeight * min(startLimit, limit(end)) {
        current.mean += (means[index] - current.mean) * weights[index] / weight
        current.weight = weight
      } else {
        joined.append(current)
        before += current.weight
        startLimit = limit(before / totalWeight)
        current = (means[index], weights[index])
      }
    }
    joined.append(current)
    if goesBackwards { joined.reverse() }
    goesBackwards.toggle()
    means = joined.map(\.mean)
    weights = joined.map(\.weight)
    isSorted = true
  }

  /// The value below which a share of the weight lies.
  ///
  /// - Parameter quantile: 0 … 1.
  /// - Returns: NaN when empty.
  func value(at quantile: Double) -> Double {
    if means.isEmpty { return .nan }
    if !isSorted { compress(2 * compression) }
    if means.count == 1 { return means[0] }
    let place = quantile * totalWeight
    let last = means.count - 1
    if place < 1 { return lowest }
    if place < weights[0] / 2 { return line(place, 1, lowest, weights[0] / 2, means[0]) }
    let fromTop = totalWeight - place
    if fromTop >= 1, fromTop <= weights[last] / 2, weights[last] / 2 > 1 {
      return line(fromTop, 1, highest, weights[last] / 2, means[last])
    }
    if fromTop <= 1 { return highest }
    var centre = weights[0] / 2
    for k in 0..<last {
      let gap = (weights[k] + weights[k + 1]) / 2
      if centre + gap <= place {
        centre += gap
        continue
      }
      let offset = place - centre
      let (isSingle, isNextSingle) = (weights[k] == 1, weights[k + 1] == 1)
      if isSingle, offset < 0.5 { return means[k] }
      if isNextSingle, offset >= weights[k] / 2 { return means[k + 1] }
      if isSingle { return line(offset - 0.5, 0, means[k], weights[k + 1] / 2, means[k + 1]) }
      if isNextSingle { return line(offset, 0, means[k], weights[k] / 2, means[k + 1]) }
      return line(offset, 0, means[k], gap, means[k + 1])
    }
    return weights[last] / 2 > 1 ? line(fromTop, 1, highest, weights[last] / 2, means[last]) : highest
  }

  /// The line through two points at x.
  private func line(_ x: Double, _ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double) -> Double {
    y0 + (x - x0) / (x1 - x0) * (y1 - y0)
  }

  // MARK: Bytes

  var bytes: [UInt8] {
    compress(compression)
    var out: [UInt8] = [0]
    func append(_ value: Double) { withUnsafeBytes(of: value.bitPattern.littleEndian) { out += $0 } }
    for value in [lowest, highest, compression, totalWeight] { append(value) }
    withUnsafeBytes(of: Int32(means.count).littleEndian) { out += $0 }
    for mean in means { append(mean) }
    for weight in weights { append(weight) }
    return out
  }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for bytes that are no digest.
  init(bytes: [UInt8]) throws(QueryError) {
    let damaged = QueryError(.invalidFunctionArgument, "Cannot deserialize tdigest")
    guard bytes.count >= 37, bytes[0] == 0 else { throw damaged }
    func double(_ at: Int) -> Double {
      bytes.withUnsafeBytes {
        Double(bitPattern: UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
      }
    }
    let count = Int(bytes.withUnsafeBytes { Int32(littleEndian: $0.loadUnaligned(fromByteOffset: 33, as: Int32.self)) })
    compression = double(17)
    guard count >= 0, bytes.count == 37 + 16 * count, compression >= 10, compression <= 1e6 else { throw damaged }
    lowest = double(1)
    highest = double(9)
    for k in 0..<count {
      let (mean, weight) = (double(37 + 8 * k), double(37 + 8 * (count + k)))
      guard mean.isFinite, weight.isFinite, weight > 0 else { throw damaged }
      means.append(mean)
      weights.append(weight)
      totalWeight += weight
    }
    isSorted = zip(means, means.dropFirst()).allSatisfy { $0 <= $1 }
  }

  var byteCount: Int { 96 + means.capacity * 16 }
}
