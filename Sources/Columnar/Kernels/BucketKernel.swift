/// Which bucket a row of a bucketed table belongs to: the hash functions of the engines that write such tables.
///
///     hive     Java's hash codes of the values, h = 31 · h + next    (bucketing_version 1, Athena's default)
///     hive2    Murmur3 of most values, combined the same way         (bucketing_version 2)
///     spark    Murmur3, each value's hash the seed of the next       (bucketing_format 'spark')
///
/// - Source: Hive `ObjectInspectorUtils.getBucketHashCode`, Trino `HiveBucketing`, Spark `Murmur3Hash`.
public enum BucketFunction: String, Sendable, Hashable {
  case hive, hive2, spark

  /// Whether rows can be bucketed by columns of the type.
  public func supports(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .varchar, .date: true
    case .timestamp(let precision): self == .spark && precision <= DataType.maxShortTimestampPrecision
    case .decimal, .varbinary: self == .spark
    case .array(let element): self != .spark && supports(element)
    case .map(let key, let value): self != .spark && supports(key) && supports(value)
    default: false
    }
  }

  /// The buckets, from 0, of whole rows.
  ///
  /// - Shape: `columns`, the ones bucketed by in declared order, of `rowCount` rows each; `buckets`: room for as many.
  public func buckets(
    of columns: [Column], rowCount: Int, count: Int, into buckets: UnsafeMutablePointer<Int32>
  ) {
    hashes(of: columns, rowCount: rowCount, into: buckets)
    let n = Int32(truncatingIfNeeded: max(1, count))
    for row in 0..<rowCount {
      if self == .spark {
        let rest = buckets[row] % n
        buckets[row] = rest < 0 ? rest &+ n : rest
      } else {
        buckets[row] = (buckets[row] & .max) % n
      }
    }
  }

  /// The bucket, from 0, of one row.
  public func bucket(of values: [Scalar], _ types: [DataType], count: Int) -> Int {
    let columns = zip(values, types).map { Column.constant($0, $1, count: 1) }
    var bucket: Int32 = 0
    buckets(of: columns, rowCount: 1, count: count, into: &bucket)
    return Int(bucket)
  }

  /// The hash codes of whole rows.
  ///
  /// - Shape: as for `buckets`.
  public func hashes(of columns: [Column], rowCount: Int, into hashes: UnsafeMutablePointer<Int32>) {
    for row in 0..<rowCount { hashes[row] = self == .spark ? SparkHash.seed : 0 }
    for column in columns {
      if self == .spark {
        SparkHash.extend(hashes, by: column, rowCount)
      } else {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(1, rowCount)) { next in
          HiveHash.hashes(of: column, isMurmur: self == .hive2, rowCount, into: next.baseAddress!)
          for row in 0..<rowCount { hashes[row] = hashes[row] &* 31 &+ next[row] }
        }
      }
    }
  }
}

/// Hive's hash codes.
private enum HiveHash {
  static func hashes(of column: Column, isMurmur: Bool, _ n: Int, into out: UnsafeMutablePointer<Int32>) {
    if column.type.isNested {
      return nested(column.encoding == .flat ? column : column.flattened(), isMurmur: isMurmur, n, into: out)
    }
    let view = column.view
    func each<T: BitwiseCopyable>(_: T.Type, _ hash: (T) -> Int32) {
      for row in 0..<n { out[row] = view.isNull(row) ? 0 : hash(view.value(row, as: T.self)) }
    }
    withExtendedLifetime(column) {
      switch column.type.physicalType {
      case .bool: each(UInt8.self) { Int32($0) }
      case .int8: each(Int8.self) { Int32($0) }
      case .int16: each(Int16.self) { isMurmur ? murmur(bigEndian: UInt64(UInt16(bitPattern: $0)), 2) : Int32($0) }
      case .int32: each(Int32.self) { isMurmur ? murmur(bigEndian: UInt64(UInt32(bitPattern: $0)), 4) : $0 }
      case .int64: each(Int64.self) { isMurmur ? murmur(bigEndian: UInt64(bitPattern: $0), 8) : fold(UInt64(bitPattern: $0)) }
      case .float:
        // Hive takes the bits for a number, which it turns into a float before it hashes that one's bits.
        each(Float.self) {
          let bits = Int32(bitPattern: ($0.isNaN ? Float(bitPattern: 0x7fc0_0000) : $0).bitPattern)
          return isMurmur ? murmur(bigEndian: UInt64(Float(bits).bitPattern), 4) : bits
        }
      case .double:
        each(Double.self) {
          let bits = ($0.isNaN ? Double(bitPattern: 0x7ff8_0000_0000_0000) : $0).bitPattern
          return isMurmur ? murmur(bigEndian: Double(Int64(bitPattern: bits)).bitPattern, 8) : fold(bits)
        }
      case .string:
        // Varchars with a length begin at 1, strings at 0.
        let first: Int32 = if case .varchar(.some) = column.type { 1 } else { 0 }
        each(StringView.self) { view in
          view.withBytes { (p, count) in
            let bytes = p.assumingMemoryBound(to: UInt8.self)
            if isMurmur { return murmur(bytes, count) }
            var hash = first
            for at in 0..<count { hash = hash &* 31 &+ Int32(Int8(bitPattern: bytes[at])) }
            return hash
          }
        }
      default: for row in 0..<n { out[row] = 0 }
      }
    }
  }

  private static func nested(_ column: Column, isMurmur: Bool, _ n: Int, into out: UnsafeMutablePointer<Int32>) {
    let offsets = column.offsets!.typed(Int32.self)
    let view = column.view
    // Hive hashes a map's values by the first version in both.
    let parts = column.children.enumerated().map { index, child in
      var hashes = [Int32](repeating: 0, count: max(1, child.count))
      HiveHash.hashes(of: child, isMurmur: isMurmur && index == 0, child.count, into: &hashes)
      return hashes
    }
    for row in 0..<n {
      var hash: Int32 = 0
      if !view.isNull(row) {
        for at in Int(offsets[row])..<Int(offsets[row + 1]) {
          hash = parts.count == 2 ? hash &+ (parts[0][at] ^ parts[1][at]) : hash &* 31 &+ parts[0][at]
        }
      }
      out[row] = hash
    }
  }

  private static func fold(_ bits: UInt64) -> Int32 { Int32(truncatingIfNeeded: bits ^ (bits &>> 32)) }

  /// The hash of an integer's bytes, the highest first.
  private static func murmur(bigEndian value: UInt64, _ count: Int) -> Int32 {
    var bytes = (value &<< UInt64(64 - count * 8)).bigEndian
    return withUnsafeBytes(of: &bytes) { murmur($0.baseAddress!.assumingMemoryBound(to: UInt8.self), count) }
  }

  /// Murmur3, with Hive's slip: the bytes behind the last whole word are signed.
  private static func murmur(_ p: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    var hash: UInt32 = 104_729
    var at = 0
    while at + 4 <= count {
      hash = Murmur.mix(hash, Murmur.word(UnsafeRawPointer(p + at).loadUnaligned(as: UInt32.self).littleEndian))
      at += 4
    }
    if at < count {
      var tail: UInt32 = 0
      for k in at..<count { tail ^= UInt32(bitPattern: Int32(Int8(bitPattern: p[k]))) &<< UInt32((k - at) * 8) }
      hash ^= Murmur.word(tail)
    }
    return Murmur.finish(hash, count)
  }
}

/// Spark's hash codes: each value is hashed with the hash of those before it as the seed; NULL changes nothing.
private enum SparkHash {
  static let seed: Int32 = 42

  static func extend(_ hashes: UnsafeMutablePointer<Int32>, by column: Column, _ n: Int) {
    let view = column.view
    func each<T: BitwiseCopyable>(_: T.Type, _ hash: (T, UInt32) -> UInt32) {
      for row in 0..<n where !view.isNull(row) {
        hashes[row] = Int32(bitPattern: hash(view.value(row, as: T.self), UInt32(bitPattern: hashes[row])))
      }
    }
    withExtendedLifetime(column) {
      switch column.type.physicalType {
      case .bool: each(UInt8.self) { int(Int32($0), $1) }
      case .int8: each(Int8.self) { int(Int32($0), $1) }
      case .int16: each(Int16.self) { int(Int32($0), $1) }
      case .int32: each(Int32.self) { int($0, $1) }
      case .int64: each(Int64.self) { long(UInt64(bitPattern: $0), $1) }
      case .int128:
        each(Int128.self) { value, seed in
          var bytes = withUnsafeBytes(of: value.bigEndian) { Array($0) }
          // As many bytes as the number takes, its sign included.
          while bytes.count > 1, (bytes[0] == 0 && bytes[1] < 0x80) || (bytes[0] == 0xff && bytes[1] >= 0x80) { bytes.removeFirst() }
          return SparkHash.bytes(bytes, bytes.count, seed)
        }
      case .float:
        each(Float.self) { int(Int32(bitPattern: ($0.isNaN ? .init(bitPattern: 0x7fc0_0000) : $0 + 0.0).bitPattern), $1) }
      case .double: each(Double.self) { long(($0.isNaN ? .init(bitPattern: 0x7ff8_0000_0000_0000) : $0 + 0.0).bitPattern, $1) }
      case .string:
        each(StringView.self) { view, seed in
          view.withBytes { (p, count) in bytes(p.assumingMemoryBound(to: UInt8.self), count, seed) }
        }
      default: break
      }
    }
  }

  private static func int(_ value: Int32, _ seed: UInt32) -> UInt32 {
    UInt32(bitPattern: Murmur.finish(Murmur.mix(seed, Murmur.word(UInt32(bitPattern: value))), 4))
  }

  private static func long(_ value: UInt64, _ seed: UInt32) -> UInt32 {
    let low = Murmur.mix(seed, Murmur.word(UInt32(truncatingIfNeeded: value)))
    return UInt32(bitPattern: Murmur.finish(Murmur.mix(low, Murmur.word(UInt32(truncatingIfNeeded: value &>> 32))), 8))
  }

  /// Whole words first, then each byte by itself as a signed number.
  private static func bytes(_ p: UnsafePointer<UInt8>, _ count: Int, _ seed: UInt32) -> UInt32 {
    var hash = seed
    var at = 0
    while at + 4 <= count {
      hash = Murmur.mix(hash, Murmur.word(UnsafeRawPointer(p + at).loadUnaligned(as: UInt32.self).littleEndian))
      at += 4
    }
    while at < count {
      hash = Murmur.mix(hash, Murmur.word(UInt32(bitPattern: Int32(Int8(bitPattern: p[at])))))
      at += 1
    }
    return UInt32(bitPattern: Murmur.finish(hash, count))
  }
}

/// The steps of Murmur3 in 32 bits.
private enum Murmur {
  static func word(_ k: UInt32) -> UInt32 { rotate(k &* 0xcc9e_2d51, 15) &* 0x1b87_3593 }
  static func mix(_ hash: UInt32, _ word: UInt32) -> UInt32 { rotate(hash ^ word, 13) &* 5 &+ 0xe654_6b64 }

  static func finish(_ hash: UInt32, _ count: Int) -> Int32 {
    var h = hash ^ UInt32(truncatingIfNeeded: count)
    h = (h ^ (h &>> 16)) &* 0x85eb_ca6b
    h = (h ^ (h &>> 13)) &* 0xc2b2_ae35
    return Int32(bitPattern: h ^ (h &>> 16))
  }

  private static func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { (x &<< n) | (x &>> (32 &- n)) }
}
