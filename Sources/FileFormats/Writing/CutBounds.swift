/// Bounds of byte strings that are too long to be kept whole.
enum CutBounds {
  /// The first `length` bytes of a longer value, whole characters of text.
  static func prefix(_ value: [UInt8], _ length: Int, isText: Bool) -> [UInt8] {
    var end = length
    if isText { while end > length - 4, end > 0, value[end] & 0xc0 == 0x80 { end -= 1 } }
    return Array(value[..<end])
  }

  /// The least value of that length or less that is above all that begin with `prefix`; nil when there is none.
  static func above(_ prefix: [UInt8], isText: Bool) -> [UInt8]? {
    var value = prefix
    while let last = value.last {
      // Text stays text: only characters of one byte are counted up, others are left off.
      if isText ? last < 0x7f : last < 0xff {
        value[value.count - 1] = last + 1
        return value
      }
      value.removeLast()
      if isText { while let next = value.last, last & 0xc0 == 0x80, next & 0xc0 == 0x80 { value.removeLast() } }
      if isText, last & 0xc0 == 0x80, let lead = value.last, lead >= 0xc0 { value.removeLast() }
    }
    return nil
  }
}
