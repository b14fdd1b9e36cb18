import Columnar
import Glibc
import QueryErrors

/// Estimates the number of distinct hashes: exactly nearly so while there are few, then by HyperLogLog registers.
///
///     sparse   3-byte … 26 bits of hash << 6 | zeros that follow; sorted, one entry per 26-bit prefix
///     dense    2^p registers: the most leading zeros after the p-bit index, plus one
///     bytes    sparse: 2, p, entry count (2 bytes), entries (4 bytes each); all little-endian
///              dense: 3, p, baseline, half-byte deltas (even register in the high half), overflow count (2 bytes),
///              overflow registers (2 bytes each), what they have above baseline + 15 (1 byte each)
///
/// - Source: Heule, Nunkesser, Hall, "HyperLogLog in Practice", EDBT 2013; bytes, thresholds and constants: airlift
///   `stats`, `SparseHll.java`, `DenseHll.java`.
final class HyperLogLog {
  let indexBits: Int
  /// Sparse: a hash table of entries, one per prefix, at most half full; empty once dense.
  private var table = Array(repeating: HyperLogLog.noEntry, count: 16)
  private var entryCount = 0
  private var registers: [UInt8] = []
  private static let prefixBits = 26
  private static let valueBits = 6
  private static let emptyShareForLinearCounting = 0.4

  init(indexBits: Int) { self.indexBits = indexBits }

  /// Register bits for a standard error.
  ///
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` outside 0.0040625 … 0.26.
  static func indexBits(standardError: Double) throws(QueryError) -> Int {
    guard standardError >= 0.0040625, standardError <= 0.26 else {
      throw QueryError(
        .invalidFunctionArgument, "Max standard error must be in [0.0040625, 0.26]: \(standardError)")
    }
    let buckets = Int((1.0816 / (standardError * standardError)).rounded(.up))
    return Int.bitWidth - (buckets - 1).leadingZeroBitCount
  }

  @inline(__always)
  func add(_ hash: Int64) {
    let bits = UInt64(bitPattern: hash)
    if table.isEmpty {
      let index = Int(bits &>> UInt64(64 &- indexBits))
      let value = UInt8(zeros(bits, after: indexBits) + 1)
      if value > registers[index] { registers[index] = value }
    } else {
      addSparse(
        UInt32(bits &>> UInt64(64 - Self.prefixBits)) << UInt32(Self.valueBits)
          | UInt32(zeros(bits, after: Self.prefixBits)))
    }
  }

  /// Leading zeros after the first `n` bits, at most 64 − n.
  @inline(__always)
  private func zeros(_ bits: UInt64, after n: Int) -> Int {
    ((bits &<< UInt64(n)) | (1 &<< UInt64(n &- 1))).leadingZeroBitCount
  }

  /// No hash's: it would have 63 zeros behind its prefix.
  private static let noEntry = UInt32.max

  private func addSparse(_ entry: UInt32) {
    insert(entry)
    if entryCount > sparseLimit { makeDense() }
  }

  @inline(__always)
  private func insert(_ entry: UInt32) {
    // The prefix is a part of a hash: its low bits are as good as any.
    let mask = table.count &- 1
    var slot = Int(entry >> UInt32(Self.valueBits)) & mask
    while table[slot] != Self.noEntry {
      if table[slot] >> UInt32(Self.valueBits) == entry >> UInt32(Self.valueBits) {
        if entry > table[slot] { table[slot] = entry }
        return
      }
      slot = (slot &+ 1) & mask
    }
    table[slot] = entry
    entryCount &+= 1
    if entryCount &* 2 > table.count { growTable() }
  }

  private func growTable() {
    let old = table
    table = Array(repeating: Self.noEntry, count: old.count * 2)
    entryCount = 0
    for entry in old where entry != Self.noEntry { insert(entry) }
  }

  /// Sorted; nil once dense.
  private var entries: [UInt32]? { table.isEmpty ? nil : table.filter { $0 != Self.noEntry }.sorted() }

  /// Entries up to which the sparse form is the smaller one: it grows by ten entries of 4 bytes, its header is 16 bytes
  /// shorter than that of the dense form, which has half a byte a register.
  private var sparseLimit: Int { ((1 << indexBits) / 8 + 3) / 10 * 10 + 1 }

  private func makeDense() {
    guard let list = entries else { return }
    registers = Array(repeating: 0, count: 1 << indexBits)
    for entry in list {
      let index = Int(entry >> UInt32(32 - indexBits))
      var value = (entry << UInt32(indexBits)).leadingZeroBitCount
      let bits = Self.prefixBits - indexBits
      if value >= bits { value = bits + Int(entry & 63) }
      registers[index] = max(registers[index], UInt8(value + 1))
    }
    table = []
  }

  /// - Throws: when the numbers of registers differ.
  func merge(_ other: HyperLogLog) throws(QueryError) {
    guard indexBits == other.indexBits else {
      throw QueryError(
        .invalidFunctionArgument,
        "Cannot merge HLLs with different number of buckets: \(1 << indexBits) vs \(1 << other.indexBits)")
    }
    if !table.isEmpty {
      for entry in other.table where entry != Self.noEntry && !table.isEmpty { addSparse(entry) }
      if !other.table.isEmpty, !table.isEmpty { return }
    }
    makeDense()
    if !other.table.isEmpty {
      let copy = HyperLogLog(indexBits: indexBits)
      copy.table = other.table
      copy.makeDense()
      for index in registers.indices { registers[index] = max(registers[index], copy.registers[index]) }
    } else {
      for index in registers.indices { registers[index] = max(registers[index], other.registers[index]) }
    }
  }

  var cardinality: Int64 {
    if !table.isEmpty {
      let total = Double(1 << Self.prefixBits)
      return Int64((total * log(total / (total - Double(entryCount)))).rounded())
    }
    let m = Double(registers.count)
    // Powers of two from 1 down to 2^-64: their sum is exact enough in any order that registers come in.
    var (sum, empty) = (0.0, 0.0)
    for value in registers {
      sum += Double(sign: .plus, exponent: -Int(value), significand: 1)
      if value == 0 { empty += 1 }
    }
    if empty > Self.emptyShareForLinearCounting * m { return Int64((m * log(m / empty)).rounded()) }
    return Int64(HyperLogLogBias.corrected(Self.alpha(indexBits) * m * m / sum, indexBits: indexBits).rounded())
  }

  /// The constant that makes the raw estimate right for many values.
  private static func alpha(_ indexBits: Int) -> Double {
    switch indexBits {
    case 4: 0.673
    case 5: 0.697
    case 6: 0.709
    default: 0.7213 / (1 + 1.079 / Double(1 << indexBits))
    }
  }

  // MARK: Bytes

  var bytes: [UInt8] {
    if let list = entries {
      var out: [UInt8] = [2, UInt8(indexBits), UInt8(list.count & 255), UInt8(list.count >> 8)]
      for entry in list {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { out.append(UInt8((entry >> shift) & 255)) }
      }
      return out
    }
    let baseline = registers.min() ?? 0
    var out: [UInt8] = [3, UInt8(indexBits), baseline]
    var overflows: [(register: Int, value: UInt8)] = []
    var index = 0
    while index < registers.count {
      var byte: UInt8 = 0
      for place in 0..<2 {
        let delta = registers[index + place] - baseline
        if delta > 15 { overflows.append((index + place, delta - 15)) }
        byte = byte << 4 | min(delta, 15)
      }
      out.append(byte)
      index += 2
    }
    out += [UInt8(overflows.count & 255), UInt8(overflows.count >> 8)]
    for overflow in overflows { out += [UInt8(overflow.register & 255), UInt8(overflow.register >> 8)] }
    for overflow in overflows { out.append(overflow.value) }
    return out
  }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for bytes that are no sketch.
  init(bytes: [UInt8]) throws(QueryError) {
    let damaged = QueryError(.invalidFunctionArgument, "Cannot deserialize HyperLogLog")
    guard bytes.count >= 4, (4...16).contains(bytes[1]) else { throw damaged }
    indexBits = Int(bytes[1])
    let size = 1 << indexBits
    switch bytes[0] {
    case 2:
      let count = Int(bytes[2]) | Int(bytes[3]) << 8
      guard bytes.count == 4 + 4 * count else { throw damaged }
      var list: [UInt32] = []
      for k in 0..<count {
        var entry: UInt32 = 0
        for place in 0..<4 { entry |= UInt32(bytes[4 + 4 * k + place]) << UInt32(8 * place) }
        list.append(entry)
      }
      for (a, b) in zip(list, list.dropFirst()) { guard a < b else { throw damaged } }
      guard list.last != Self.noEntry else { throw damaged }
      for entry in list { insert(entry) }
    case 3:
      let start = 3 + size / 2
      guard bytes.count >= start + 2 else { throw damaged }
      let count = Int(bytes[start]) | Int(bytes[start + 1]) << 8
      guard bytes.count == start + 2 + 3 * count else { throw damaged }
      registers = Array(repeating: 0, count: size)
      let limit = UInt8(65 - indexBits)
      for index in 0..<size {
        let pair = bytes[3 + index / 2]
        registers[index] = min(bytes[2] & 63, limit) + (index & 1 == 0 ? pair >> 4 : pair & 15)
      }
      for k in 0..<count {
        let register = Int(bytes[start + 2 + 2 * k]) | Int(bytes[start + 3 + 2 * k]) << 8
        guard register < size else { throw damaged }
        registers[register] = registers[register] &+ min(bytes[start + 2 + 2 * count + k], 64)
      }
      for index in 0..<size { registers[index] = min(registers[index], limit) }
      table = []
    default: throw damaged
    }
  }

  var byteCount: Int { 64 + table.count * 4 + registers.count }
}
