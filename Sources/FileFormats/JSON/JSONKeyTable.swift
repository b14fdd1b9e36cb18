import Glibc

/// Finds the column of a JSON key, trying first the key that stood in its place in the record before.
///
/// - Threads: one owner.
final class JSONKeyTable {
  /// One spelling of a key.
  private struct Key {
    /// 8 readable bytes behind it.
    var bytes: UnsafeMutablePointer<UInt8>
    var count: Int
    /// The first bytes, up to eight.
    var word: UInt64
    var mask: UInt64
    /// Which requested key it is, or -1.
    var slot: Int32
  }

  private var keys: UnsafeMutablePointer<Key>
  private var keyCount = 0
  private var keyCapacity = 64
  /// Open addressing over `keys`; -1 is free.
  private var table: UnsafeMutablePointer<Int32>
  private var tableMask = 255
  /// By place in the record: the key that stood there last.
  private let expected: UnsafeMutablePointer<Int32>
  private let slots: [String: Int]
  /// By spelling, before `slots`.
  private let exact: [String: Int]
  private let mapping: JSONKeyMapping

  /// Places within a record that are remembered, less one; a power of two less one.
  private let placeMask: Int
  /// Spellings that are remembered; further ones are looked up slowly.
  private static let maxKeyCount = 1 << 20

  /// - Parameters:
  ///   - slots: by normalised key.
  ///   - exact: by spelling, before `slots`.
  init(_ slots: [String: Int], exact: [String: Int] = [:], _ mapping: JSONKeyMapping) {
    self.slots = slots
    self.exact = exact
    var placeCount = 1024
    while placeCount < slots.count, placeCount < 1 << 20 { placeCount *= 2 }
    placeMask = placeCount - 1
    self.mapping = mapping
    keys = .allocate(capacity: keyCapacity)
    table = .allocate(capacity: 256)
    table.initialize(repeating: -1, count: 256)
    expected = .allocate(capacity: placeCount)
    expected.initialize(repeating: -1, count: placeCount)
  }

  deinit {
    for i in 0..<keyCount { keys[i].bytes.deallocate() }
    keys.deallocate()
    table.deallocate()
    expected.deallocate()
  }

  /// The slot of the `place`-th key of a record, or -1.
  @inline(__always)
  func slot(_ text: UnsafePointer<UInt8>, _ count: Int, place: Int) -> Int {
    let at = place & placeMask
    let guess = expected[at]
    if guess >= 0 {
      let key = keys + Int(guess)
      let word = UnsafeRawPointer(text).loadUnaligned(as: UInt64.self)
      if key.pointee.count == count, (word ^ key.pointee.word) & key.pointee.mask == 0,
        count <= 8 || isEqualTail(text, key.pointee, count)
      {
        return Int(key.pointee.slot)
      }
    }
    return find(text, count, at)
  }

  /// Whether the bytes from the ninth on are equal.
  @inline(__always)
  private func isEqualTail(_ text: UnsafePointer<UInt8>, _ key: Key, _ count: Int) -> Bool {
    if count <= 16 {
      let at = count &- 8
      return UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self)
        == UnsafeRawPointer(key.bytes + at).loadUnaligned(as: UInt64.self)
    }
    return memcmp(text + 8, key.bytes + 8, count &- 8) == 0
  }

  @inline(never)
  private func find(_ text: UnsafePointer<UInt8>, _ count: Int, _ place: Int) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for i in 0..<count { hash = (hash ^ UInt64(text[i])) &* 0x0000_0100_0000_01b3 }
    var at = Int(truncatingIfNeeded: hash &>> 20) & tableMask
    while table[at] >= 0 {
      let key = keys[Int(table[at])]
      if key.count == count, memcmp(key.bytes, text, count) == 0 {
        expected[place] = table[at]
        return Int(key.slot)
      }
      at = (at &+ 1) & tableMask
    }
    let spelling = JSONText.string(text, count)
    let slot = exact[spelling] ?? slots[mapping.normalise(spelling)] ?? -1
    if keyCount >= JSONKeyTable.maxKeyCount { return slot }
    insert(text, count, slot)
    expected[place] = Int32(truncatingIfNeeded: keyCount &- 1)
    return slot
  }

  private func insert(_ text: UnsafePointer<UInt8>, _ count: Int, _ slot: Int) {
    if keyCount == keyCapacity {
      let larger = UnsafeMutablePointer<Key>.allocate(capacity: keyCapacity * 2)
      larger.update(from: keys, count: keyCount)
      keys.deallocate()
      keys = larger
      keyCapacity *= 2
    }
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: count + 16)
    bytes.initialize(repeating: 0, count: count + 16)
    memcpy(bytes, text, count)
    keys[keyCount] = Key(
      bytes: bytes, count: count, word: UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self),
      mask: count >= 8 ? ~0 : (1 << UInt64(count * 8)) - 1, slot: Int32(slot))
    keyCount += 1
    if keyCount * 2 > tableMask {
      table.deallocate()
      tableMask = tableMask * 2 + 1
      table = .allocate(capacity: tableMask + 1)
      table.initialize(repeating: -1, count: tableMask + 1)
      for index in 0..<keyCount { link(index) }
    } else {
      link(keyCount - 1)
    }
  }

  private func link(_ index: Int) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for i in 0..<keys[index].count { hash = (hash ^ UInt64(keys[index].bytes[i])) &* 0x0000_0100_0000_01b3 }
    var at = Int(truncatingIfNeeded: hash &>> 20) & tableMask
    while table[at] >= 0 { at = (at + 1) & tableMask }
    table[at] = Int32(truncatingIfNeeded: index)
  }
}

/// Which JSON keys columns and fields stand for.
struct JSONKeyMapping: Sendable {
  var isCaseInsensitive = true
  /// `a.b` in files is `a_b` in the table.
  var replacesDots = false
  /// By lower-case column or field name: the key it reads (`mapping.<column>`).
  var keys: [String: String] = [:]

  /// A key as it is compared.
  func normalise(_ key: String) -> String {
    var key = key
    if replacesDots { key = String(key.map { $0 == "." ? "_" : $0 }) }
    return isCaseInsensitive ? key.lowercased() : key
  }

  /// The normalised key of a column or field.
  func key(for name: String) -> String { normalise(keys[name.lowercased()] ?? name) }
}
