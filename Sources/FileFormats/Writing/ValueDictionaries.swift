import CKernels
import Columnar
import Glibc

/// The distinct values of a column chunk in the order they came, found by hash; numbers as words of 64 bits.
struct WordDictionary {
  private(set) var words: [Int64] = []
  /// Entry numbers, -1 where free; a power of two of them.
  private var slots: [Int32]
  private var mask: Int

  init() {
    slots = Array(repeating: -1, count: 1024)
    mask = 1023
  }

  @inline(__always)
  private static func hash(_ word: Int64) -> Int {
    Int(truncatingIfNeeded: (UInt64(bitPattern: word) &* 0x9e37_79b9_7f4a_7c15) &>> 32)
  }

  /// Writes the entry numbers of `count` words to `codes`.
  mutating func codes(_ words: UnsafePointer<Int64>, _ count: Int, into codes: UnsafeMutablePointer<Int32>) {
    if (self.words.count &+ count) &* 2 > slots.count { grow(self.words.count &+ count) }
    let mask = mask
    slots.withUnsafeMutableBufferPointer { slots in
      var i = 0
      while i < count {
        let word = words[i]
        var place = WordDictionary.hash(word) & mask
        while true {
          let entry = slots[place]
          if entry < 0 {
            slots[place] = Int32(truncatingIfNeeded: self.words.count)
            codes[i] = Int32(truncatingIfNeeded: self.words.count)
            self.words.append(word)
            break
          }
          if self.words[Int(entry)] == word {
            codes[i] = entry
            break
          }
          place = (place &+ 1) & mask
        }
        i &+= 1
      }
    }
  }

  private mutating func grow(_ wanted: Int) {
    var size = slots.count
    while wanted &* 2 > size { size *= 2 }
    slots = Array(repeating: -1, count: size)
    mask = size - 1
    for (entry, word) in words.enumerated() {
      var place = WordDictionary.hash(word) & mask
      while slots[place] >= 0 { place = (place + 1) & mask }
      slots[place] = Int32(entry)
    }
  }
}

/// The same for byte strings.
struct BytesDictionary {
  /// All entries one after the other.
  let bytes = ByteBuilder(capacity: 4096)
  /// Where each entry ends in `bytes`.
  private(set) var ends: [Int] = []
  private var hashes: [UInt32] = []
  private var slots: [Int32]
  private var mask: Int

  init() {
    slots = Array(repeating: -1, count: 1024)
    mask = 1023
  }

  var count: Int { ends.count }

  func entry(_ index: Int) -> UnsafeRawBufferPointer {
    let start = index == 0 ? 0 : ends[index - 1]
    return UnsafeRawBufferPointer(start: bytes.pointer + start, count: ends[index] - start)
  }

  mutating func code(_ pointer: UnsafeRawPointer, _ length: Int) -> Int32 {
    if ends.count &* 2 >= slots.count { grow() }
    let hash = ck_xxh64(pointer, length)
    let tag = UInt32(truncatingIfNeeded: hash)
    var place = Int(truncatingIfNeeded: hash &>> 32) & mask
    while true {
      let slot = slots[place]
      if slot < 0 { break }
      let index = Int(slot)
      if hashes[index] == tag {
        let known = entry(index)
        if known.count == length, length == 0 || memcmp(known.baseAddress!, pointer, length) == 0 { return slot }
      }
      place = (place &+ 1) & mask
    }
    let entry = Int32(truncatingIfNeeded: ends.count)
    slots[place] = entry
    hashes.append(tag)
    bytes.append(pointer, count: length)
    ends.append(bytes.count)
    return entry
  }

  private mutating func grow() {
    let size = slots.count * 2
    slots = Array(repeating: -1, count: size)
    mask = size - 1
    for entry in 0..<ends.count {
      let bytes = self.entry(entry)
      let hash = ck_xxh64(bytes.baseAddress!, bytes.count)
      var place = Int(truncatingIfNeeded: hash &>> 32) & mask
      while slots[place] >= 0 { place = (place + 1) & mask }
      slots[place] = Int32(entry)
    }
  }
}
