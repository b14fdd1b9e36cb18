import Columnar

/// How the key columns of one row lie in 64-bit words, so that keys are hashed, compared and stored as words.
///
///     one key of up to 8 bytes     its value in one word; NULLs are flagged beside (`isInteger`)
///     strings                      two words: a `StringView`; NULL is a view no string has
///     8 bytes                      one word                         128 bits   two words
///     smaller, and null bits       packed into shared words
///     nested, values with zone     their canonical bytes as a string (`KeyEncoding`); the values are kept beside
///
/// Equal keys have equal words, up to the bytes that long strings point to: -0.0 is 0.0, all NaNs are one.
///
/// - Threads: immutable.
final class KeyLayout: @unchecked Sendable {
  /// Where one column lies.
  enum Place {
    case word(Int)
    case bits(word: Int, shift: UInt64)
    case wide(Int)
    case string(Int)
    case encoded(Int)
    /// A type without values: only its null bit.
    case nothing
  }

  let types: [DataType]
  let places: [Place]
  /// Where each column's null bit lies; nil for strings, and where NULLs are flagged.
  let nullBits: [(word: Int, mask: UInt64)?]
  let wordCount: Int
  /// One fixed-width column whose NULLs are flagged beside.
  let isInteger: Bool
  /// How many leading words hold strings, two each; a count and no list, because it is asked for every row.
  let stringWordCount: Int
  let encodedColumns: [Int]
  /// Tests: all hashes are equal.
  let collides: Bool

  /// - Parameter flagsNulls: per column whether NULLs are flagged beside instead of being part of the key; nil: of a lone column,
  ///   where that fits a word.
  init(_ types: [DataType], flagsNulls: [Bool]? = nil, collides: Bool = false) {
    self.types = types
    self.collides = collides
    if flagsNulls?.first ?? true, types.count == 1, (1...8).contains(types[0].physicalType.byteWidth) {
      isInteger = true
      places = [.word(0)]
      nullBits = [nil]
      wordCount = 1
      stringWordCount = 0
      encodedColumns = []
      return
    }
    isInteger = false
    var places: [Place] = Array(repeating: .nothing, count: types.count)
    var encoded: [Int] = []
    var next = 0
    for (index, type) in types.enumerated() {
      if KeyEncoding.isNeeded(type) {
        places[index] = .encoded(next)
        encoded.append(index)
        next += 2
      } else if type.physicalType == .string {
        places[index] = .string(next)
        next += 2
      }
    }
    let firstPlain = next
    for (index, type) in types.enumerated() where !KeyEncoding.isNeeded(type) {
      if type.physicalType == .int128 {
        places[index] = .wide(next)
        next += 2
      } else if type.physicalType.byteWidth == 8 {
        places[index] = .word(next)
        next += 1
      }
    }
    var bit = 0
    func take(_ width: Int) -> (word: Int, shift: UInt64) {
      if bit % 64 + width > 64 { bit = (bit + 63) / 64 * 64 }
      let place = (next + bit / 64, UInt64(bit % 64))
      bit += width
      return place
    }
    let small = types.indices.filter { (1...4).contains(types[$0].physicalType.byteWidth) }
    for index in small.sorted(by: { types[$0].physicalType.byteWidth > types[$1].physicalType.byteWidth }) {
      let (word, shift) = take(types[index].physicalType.byteWidth * 8)
      places[index] = .bits(word: word, shift: shift)
    }
    var nullBits: [(word: Int, mask: UInt64)?] = []
    for index in types.indices {
      switch places[index] {
      case .string, .encoded: nullBits.append(nil)
      case _ where flagsNulls?[index] ?? false: nullBits.append(nil)
      default:
        let (word, shift) = take(1)
        nullBits.append((word, 1 << shift))
      }
    }
    next += (bit + 63) / 64
    self.places = places
    self.nullBits = nullBits
    wordCount = max(next, 1)
    stringWordCount = firstPlain
    encodedColumns = encoded
  }

  var hasStrings: Bool { stringWordCount > 0 }

  /// The low word of NULL among strings: length 0, yet not the empty string.
  static let nullString: UInt64 = 0xffff_ffff_0000_0000

  /// Whether two rows of keys are the same.
  @inline(__always)
  func areEqual(_ a: UnsafePointer<UInt64>, _ b: UnsafePointer<UInt64>) -> Bool {
    if stringWordCount == 0 {
      var w = 0
      let n = wordCount
      while w < n {
        if a[w] != b[w] { return false }
        w &+= 1
      }
      return true
    }
    return areEqualWithStrings(a, b)
  }

  @inline(never)
  private func areEqualWithStrings(_ a: UnsafePointer<UInt64>, _ b: UnsafePointer<UInt64>) -> Bool {
    // The bytes of strings, which may be far away, come last.
    var w = stringWordCount
    while w < wordCount {
      if a[w] != b[w] { return false }
      w &+= 1
    }
    w = 0
    while w < stringWordCount {
      if !(StringView(low: a[w], high: a[w &+ 1]) == StringView(low: b[w], high: b[w &+ 1])) { return false }
      w &+= 2
    }
    return true
  }
}

/// How a key's values are told apart: which bits stand for those that do not equal themselves.
enum KeyIdentity: UInt8 {
  /// NaN is NaN: groups, `IS NOT DISTINCT FROM`, and the rows of a table that keys are looked for in.
  case notDistinct = 0
  /// NaN, and NULL inside of a value, is like nothing in a table: keys looked for by `=`.
  case equal = 1

  @inline(__always) func bits(_ value: Double) -> UInt64 {
    value != value ? 0x7ff8_0000_0000_0000 | UInt64(rawValue) : (value + 0.0).bitPattern
  }
  @inline(__always) func bits(_ value: Float) -> UInt32 {
    value != value ? 0x7fc0_0000 | UInt32(rawValue) : (value + 0.0).bitPattern
  }
  /// The byte before a part of a nested value.
  fileprivate func mark(isNull: Bool) -> UInt8 { isNull ? 2 + rawValue : 1 }
}

/// Canonical bytes of values that words cannot hold: equal bytes exactly for values that are not distinct.
enum KeyEncoding {
  /// Whether keys of the type are encoded.
  static func isNeeded(_ type: DataType) -> Bool {
    switch type {
    case .timestampWithTimeZone, .timeWithTimeZone, .array, .map, .row: true
    default: false
    }
  }

  /// The encoded values of a column, NULL where the column is.
  static func encode(_ column: Column, _ identity: KeyIdentity = .notDistinct) -> Column {
    let builder = ColumnBuilder(.varbinary, capacity: column.count)
    var bytes: [UInt8] = []
    for row in 0..<column.count {
      if column.isNull(row) {
        builder.appendNull()
      } else {
        bytes.removeAll(keepingCapacity: true)
        append(column, row, identity, to: &bytes)
        bytes.withUnsafeBytes { builder.append(bytes: $0) }
      }
    }
    return builder.finish()
  }

  private static func append(_ column: Column, _ row: Int, _ identity: KeyIdentity, to bytes: inout [UInt8]) {
    bytes.append(identity.mark(isNull: column.isNull(row)))
    if column.isNull(row) { return }
    let storage = column.storage
    let at = column.position(row)
    func append<T: BitwiseCopyable>(_ value: T) {
      withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }
    switch (column.type, column.type.physicalType) {
    case (.timestampWithTimeZone, _): append(storage.values!.typed(Int128.self)[at] &>> 16)
    case (.timeWithTimeZone, _): append(ZonedTime.utcPicos(storage.values!.typed(Int128.self)[at]))
    case (_, .null): break
    case (_, .bool), (_, .int8): append(storage.values!.typed(UInt8.self)[at])
    case (_, .int16): append(storage.values!.typed(Int16.self)[at])
    case (_, .int32): append(storage.values!.typed(Int32.self)[at])
    case (_, .int64): append(storage.values!.typed(Int64.self)[at])
    case (_, .int128): append(storage.values!.typed(Int128.self)[at])
    case (_, .float): append(identity.bits(storage.values!.typed(Float.self)[at]))
    case (_, .double): append(identity.bits(storage.values!.typed(Double.self)[at]))
    case (_, .string):
      storage.values!.typed(StringView.self)[at].withBytes { (p, n) in
        append(UInt32(truncatingIfNeeded: n))
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: p, count: n))
      }
    case (_, .row): for child in storage.children { KeyEncoding.append(child, at, identity, to: &bytes) }
    case (_, .array):
      let range = storage.elementRange(at)
      append(UInt32(truncatingIfNeeded: range.count))
      for k in range { KeyEncoding.append(storage.children[0], k, identity, to: &bytes) }
    case (_, .map):
      // Entries in the order of their encoded keys: maps that list them differently are equal.
      let range = storage.elementRange(at)
      append(UInt32(truncatingIfNeeded: range.count))
      var entries: [[UInt8]] = []
      for k in range {
        var entry: [UInt8] = []
        KeyEncoding.append(storage.children[0], k, identity, to: &entry)
        KeyEncoding.append(storage.children[1], k, identity, to: &entry)
        entries.append(entry)
      }
      for entry in entries.sorted(by: { $0.lexicographicallyPrecedes($1) }) { bytes.append(contentsOf: entry) }
    }
  }
}
