import Columnar

/// Loops over values of a given width, each compiled per width.
enum ColumnKernels {
  /// `target[i] = source[rows[i]]`.
  static func gather(
    _ byteWidth: Int, _ source: UnsafeRawPointer, _ rows: UnsafePointer<Int32>, _ count: Int,
    _ target: UnsafeMutableRawPointer
  ) {
    switch byteWidth {
    case 1: gather(UInt8.self, source, rows, count, target)
    case 2: gather(UInt16.self, source, rows, count, target)
    case 4: gather(UInt32.self, source, rows, count, target)
    case 8: gather(UInt64.self, source, rows, count, target)
    case 16: gather(StringView.self, source, rows, count, target)
    default:
      var i = 0
      while i < count {
        (target + i &* byteWidth).copyMemory(from: source + Int(rows[i]) &* byteWidth, byteCount: byteWidth)
        i &+= 1
      }
    }
  }

  @inline(__always)
  private static func gather<T: BitwiseCopyable>(
    _: T.Type, _ source: UnsafeRawPointer, _ rows: UnsafePointer<Int32>, _ count: Int,
    _ target: UnsafeMutableRawPointer
  ) {
    let to = target.assumingMemoryBound(to: T.self)
    let stride = MemoryLayout<T>.stride
    var i = 0
    while i < count {
      // Pages do not align their values.
      to[i] = source.loadUnaligned(fromByteOffset: Int(rows[i]) &* stride, as: T.self)
      i &+= 1
    }
  }

  /// Spreads packed values over rows: `target[row]` is the next value where the row's bit is set, anything elsewhere.
  ///
  /// - Shape: `source` has a readable value behind its last; `bits`: one per row.
  static func expand(
    _ byteWidth: Int, _ source: UnsafeRawPointer, _ bits: UnsafePointer<UInt64>, _ count: Int,
    _ target: UnsafeMutableRawPointer
  ) {
    switch byteWidth {
    case 1: expand(UInt8.self, source, bits, count, target)
    case 2: expand(UInt16.self, source, bits, count, target)
    case 4: expand(UInt32.self, source, bits, count, target)
    case 8: expand(UInt64.self, source, bits, count, target)
    default: expand(StringView.self, source, bits, count, target)
    }
  }

  @inline(__always)
  private static func expand<T: BitwiseCopyable>(
    _: T.Type, _ source: UnsafeRawPointer, _ bits: UnsafePointer<UInt64>, _ count: Int,
    _ target: UnsafeMutableRawPointer
  ) {
    let from = source.assumingMemoryBound(to: T.self)
    let to = target.assumingMemoryBound(to: T.self)
    var next = 0
    var row = 0
    while row < count {
      let word = bits[row >> 6]
      let end = min(row &+ 64, count)
      if word == ~0, end &- row == 64 {
        (to + row).update(from: from + next, count: 64)
        next &+= 64
        row = end
        continue
      }
      var k = row
      while k < end {
        to[k] = from[next]
        next &+= Int(truncatingIfNeeded: (word &>> UInt64(k & 63)) & 1)
        k &+= 1
      }
      row = end
    }
  }

  /// Of the rows in `selection`, those whose bit is set: their numbers among the set bits, and a bit per selected row.
  ///
  /// - Shape: `ordinals`: `count` and one more; `selectedBits`: ⌈count / 64⌉ words.
  /// - Returns: how many ordinals.
  static func rank(
    _ selection: UnsafePointer<Int32>, _ count: Int, _ bits: UnsafePointer<UInt64>,
    _ ordinals: UnsafeMutablePointer<Int32>, _ selectedBits: UnsafeMutablePointer<UInt64>
  ) -> Int {
    selectedBits.update(repeating: 0, count: (count &+ 63) >> 6)
    var word = 0
    var before = 0
    var found = 0
    var i = 0
    while i < count {
      let row = Int(selection[i])
      while word < row >> 6 {
        before &+= bits[word].nonzeroBitCount
        word &+= 1
      }
      let shift = UInt64(row & 63)
      let bit = (bits[word] &>> shift) & 1
      ordinals[found] = Int32(
        truncatingIfNeeded: before &+ (bits[word] & ((1 &<< shift) &- 1)).nonzeroBitCount)
      found &+= Int(truncatingIfNeeded: bit)
      selectedBits[i >> 6] |= bit &<< UInt64(i & 63)
      i &+= 1
    }
    return found
  }

  /// `target[i] = a[b[i]]`, for selections of selections.
  static func compose(
    _ a: UnsafePointer<Int32>, _ b: UnsafePointer<Int32>, _ count: Int, _ target: UnsafeMutablePointer<Int32>
  ) {
    var i = 0
    while i < count {
      target[i] = a[Int(b[i])]
      i &+= 1
    }
  }
}

/// Memory that all columns of a reader decode through; nothing in it outlives one call.
final class DecodeScratch {
  /// Rows that are decoded at once, so that scratch stays in the cache.
  static let rowCount = 4096

  let codes: UnsafeMutablePointer<Int32>
  let ordinals: UnsafeMutablePointer<Int32>
  let selection: UnsafeMutablePointer<Int32>
  let bits: UnsafeMutablePointer<UInt64>
  let selectedBits: UnsafeMutablePointer<UInt64>
  let deltas: UnsafeMutablePointer<UInt64>
  let numbers: UnsafeMutablePointer<Int64>
  let suffixes: UnsafeMutablePointer<Int64>
  let views: UnsafeMutablePointer<StringView>
  /// Values as stored.
  let raw: UnsafeMutableRawPointer
  /// Values as stored, before some are picked.
  let unpicked: UnsafeMutableRawPointer
  /// Values of the column's type, before nulls are put between them.
  let dense: UnsafeMutableRawPointer
  let definitions: UnsafeMutablePointer<UInt8>
  let repetitions: UnsafeMutablePointer<UInt8>
  private let memory: Buffer

  init() {
    let n = DecodeScratch.rowCount
    let widest = ParquetLeaf.maxNumberBytes
    let sizes = [
      n * 4 + 64, n * 4 + 64, n * 4 + 64, n / 8 + 64, n / 8 + 64, 1024 * 8 + 64, n * 8 + 64, n * 8 + 64, n * 16 + 64,
      n * widest + 128, n * widest + 128, n * 16 + 128, n + 128, n + 128,
    ]
    memory = Buffer(byteCount: sizes.reduce(0) { $0 + (($1 + 63) & ~63) })
    var at = memory.pointer
    var places: [UnsafeMutableRawPointer] = []
    for size in sizes {
      places.append(at)
      at += (size + 63) & ~63
    }
    codes = places[0].assumingMemoryBound(to: Int32.self)
    ordinals = places[1].assumingMemoryBound(to: Int32.self)
    selection = places[2].assumingMemoryBound(to: Int32.self)
    bits = places[3].assumingMemoryBound(to: UInt64.self)
    selectedBits = places[4].assumingMemoryBound(to: UInt64.self)
    deltas = places[5].assumingMemoryBound(to: UInt64.self)
    numbers = places[6].assumingMemoryBound(to: Int64.self)
    suffixes = places[7].assumingMemoryBound(to: Int64.self)
    views = places[8].assumingMemoryBound(to: StringView.self)
    raw = places[9]
    unpicked = places[10]
    dense = places[11]
    definitions = places[12].assumingMemoryBound(to: UInt8.self)
    repetitions = places[13].assumingMemoryBound(to: UInt8.self)
  }
}
