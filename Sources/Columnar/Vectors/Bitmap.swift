import Glibc

/// One bit per row, in 64-bit words; as a validity, a set bit means "not null".
///
/// - Shape: `wordCount` words; bits past `count` are zero.
public struct Bitmap: @unchecked Sendable {
  public let count: Int
  @usableFromInline let buffer: Buffer

  /// All bits set, or none.
  public init(count: Int, filled: Bool) {
    self.count = count
    let words = (count + 63) >> 6
    buffer = Buffer(byteCount: words * 8)
    memset(buffer.pointer, filled ? 0xff : 0, words * 8)
    if filled, count & 63 != 0 { self.words[words - 1] = (1 << UInt64(count & 63)) &- 1 }
  }

  /// - Parameter buffer: `(count + 63) / 64` words whose bits past `count` are zero.
  public init(count: Int, buffer: Buffer) {
    self.count = count
    self.buffer = buffer
  }

  @inlinable public var words: UnsafeMutablePointer<UInt64> { buffer.typed(UInt64.self) }
  @inlinable public var wordCount: Int { (count &+ 63) >> 6 }

  @inlinable @inline(__always)
  public subscript(row: Int) -> Bool { (words[row >> 6] &>> UInt64(row & 63)) & 1 != 0 }

  @inlinable @inline(__always)
  public func set(_ row: Int) { words[row >> 6] |= 1 &<< UInt64(row & 63) }

  @inlinable @inline(__always)
  public func clear(_ row: Int) { words[row >> 6] &= ~(1 &<< UInt64(row & 63)) }

  /// Sets the bits of rows in ascending order.
  public func set(_ rows: UnsafePointer<Int32>, count: Int) {
    var (word, gathered) = (0, UInt64(0))
    var i = 0
    while i < count {
      let row = Int(rows[i])
      if row >> 6 != word {
        words[word] |= gathered
        (word, gathered) = (row >> 6, 0)
      }
      gathered |= 1 &<< UInt64(row & 63)
      i &+= 1
    }
    if gathered != 0 { words[word] |= gathered }
  }

  /// Copies `count` bits from bit 0 of `source` to the bits from `offset` on.
  package func copy(_ source: UnsafePointer<UInt64>, count: Int, to offset: Int) {
    var done = 0
    while done < count {
      let at = offset &+ done
      let room = 64 &- (at & 63)
      let take = min(room, count &- done)
      var bits = source[done >> 6] &>> UInt64(done & 63)
      if (done & 63) &+ take > 64 { bits |= source[(done >> 6) &+ 1] &<< UInt64(64 &- (done & 63)) }
      let ones: UInt64 = take == 64 ? ~0 : (1 &<< UInt64(take)) &- 1
      let shift = UInt64(at & 63)
      words[at >> 6] = (words[at >> 6] & ~(ones &<< shift)) | ((bits & ones) &<< shift)
      done &+= take
    }
  }

  /// Number of set bits.
  public var setCount: Int {
    var total = 0
    let p = words
    var i = 0
    let n = wordCount
    while i < n {
      total &+= p[i].nonzeroBitCount
      i &+= 1
    }
    return total
  }

  /// The bits of both that are set; nil stands for "all set".
  public static func intersection(_ a: Bitmap?, _ b: Bitmap?) -> Bitmap? {
    guard let a else { return b }
    guard let b else { return a }
    let result = Bitmap(count: a.count, buffer: Buffer(byteCount: a.wordCount * 8))
    let (p, q, r) = (a.words, b.words, result.words)
    var i = 0
    let n = a.wordCount
    while i < n {
      r[i] = p[i] & q[i]
      i &+= 1
    }
    return result
  }

  /// The bits at `rows`, in that order; nil when all of them are set.
  public func taking(_ rows: UnsafePointer<Int32>, count: Int) -> Bitmap? {
    let result = Bitmap(count: count, buffer: Buffer(byteCount: ((count + 63) >> 6) * 8))
    let (p, r) = (words, result.words)
    var missing: UInt64 = 0
    var row = 0
    while row < count {
      let end = min(row &+ 64, count)
      var word: UInt64 = 0
      var k = row
      while k < end {
        let at = Int(rows[k])
        word |= ((p[at >> 6] &>> UInt64(at & 63)) & 1) &<< UInt64(k & 63)
        k &+= 1
      }
      let full: UInt64 = end &- row == 64 ? ~0 : (1 &<< UInt64(end &- row)) &- 1
      missing |= word ^ full
      r[row >> 6] = word
      row = end
    }
    return missing == 0 ? nil : result
  }

  /// The bits from `offset` on; nil when all of them are set.
  public func slice(offset: Int, count: Int) -> Bitmap? {
    let result = Bitmap(count: count, buffer: Buffer(byteCount: ((count + 63) >> 6) * 8))
    let (p, r) = (words, result.words)
    let shift = UInt64(offset & 63)
    let first = offset >> 6
    let lastWord = wordCount &- 1
    var missing: UInt64 = 0
    var i = 0
    let n = result.wordCount
    while i < n {
      var word = p[first &+ i] &>> shift
      if shift != 0, first &+ i < lastWord { word |= p[first &+ i &+ 1] &<< (64 &- shift) }
      let rest = count &- (i << 6)
      let full: UInt64 = rest >= 64 ? ~0 : (1 &<< UInt64(rest)) &- 1
      word &= full
      missing |= word ^ full
      r[i] = word
      i &+= 1
    }
    return missing == 0 ? nil : result
  }
}

/// A Bool as 0 or 1 without a branch.
@inlinable @inline(__always)
public func bit(_ value: Bool) -> Int { Int(truncatingIfNeeded: unsafeBitCast(value, to: UInt8.self)) }
