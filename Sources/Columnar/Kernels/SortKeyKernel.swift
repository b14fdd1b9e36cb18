/// The direction of one sort key.
package struct SortKeyOrder: Sendable, Hashable {
  package var isAscending: Bool
  package var nullsFirst: Bool

  package init(isAscending: Bool, nullsFirst: Bool) {
    self.isAscending = isAscending
    self.nullsFirst = nullsFirst
  }
}

/// Turns sort keys into 64-bit words whose order as unsigned numbers is the order of the rows.
///
/// Keys are packed bit by bit, the most significant first: a null bit where there may be NULLs, then the value mapped so
/// that it sorts as an unsigned number, inverted for DESC.
///
///     (integer ASC NULLS LAST, boolean DESC)   →   n vvvvvvvv vvvvvvvv vvvvvvvv vvvvvvvv n b 0000…
///
/// Long strings and nested values do not fit: words end with what fits of the first such key, and the caller settles ties
/// with a `RowComparator` from key `exactKeyCount` on.
///
/// - Source: Graefe, "Implementing Sorting in Database Systems", ACM Computing Surveys 2006, section 4.
package struct SortKeyKernel: Sendable {
  /// A stretch of bits taken from one column.
  private struct Segment {
    enum Source { case null, value, wideHigh, wideLow, prefix, suffix, length }
    var column: Int
    var source: Source
    /// Bits from the most significant of word 0.
    var offset: Int
    var width: Int
  }

  package let wordCount: Int
  /// Leading keys that the words hold whole.
  package let exactKeyCount: Int
  /// Whether equal words mean equal keys.
  package var isExact: Bool { exactKeyCount == types.count }
  private let types: [DataType]
  private let orders: [SortKeyOrder]
  private let segments: [Segment]

  /// - Parameter mayHaveNulls: per key; false saves the null bit and is wrong for columns with NULLs.
  /// - Parameter longestStrings: per key the most bytes of a string when known, so that short ones are exact.
  package init(
    types: [DataType], orders: [SortKeyOrder], mayHaveNulls: [Bool], longestStrings: [Int?], maxWords: Int = 4
  ) {
    self.types = types
    self.orders = orders
    var segments: [Segment] = []
    var offset = 0
    var exact = 0
    let limit = maxWords * 64
    func add(_ column: Int, _ source: Segment.Source, _ width: Int) -> Bool {
      if offset + width > limit { return false }
      segments.append(Segment(column: column, source: source, offset: offset, width: width))
      offset += width
      return true
    }
    keys: for (column, type) in types.enumerated() {
      if mayHaveNulls[column], !add(column, .null, 1) { break }
      switch (type, type.physicalType) {
      case (.timestampWithTimeZone, _), (_, .int128):
        if case .timeWithTimeZone = type {
          if !add(column, .value, 64) { break keys }
        } else if !add(column, .wideHigh, 64) || !add(column, .wideLow, 64) {
          break keys
        }
      case (.char, _), (_, .array), (_, .map), (_, .row): break keys
      case (_, .null): break
      case (_, .string):
        if let longest = longestStrings[column], longest <= 16 {
          let prefix = min(longest, 8) * 8
          if prefix > 0, !add(column, .prefix, prefix) { break keys }
          if longest > 8, !add(column, .suffix, (longest - 8) * 8) { break keys }
          if !add(column, .length, 5) { break keys }
        } else {
          _ = add(column, .prefix, min(64, limit - offset))
          if offset < limit { _ = add(column, .suffix, min(64, limit - offset)) }
          break keys
        }
      default:
        if !add(column, .value, type.physicalType == .bool ? 1 : type.physicalType.byteWidth * 8) { break keys }
      }
      exact = column + 1
    }
    self.segments = segments
    exactKeyCount = exact
    wordCount = max(1, (offset + 63) / 64)
  }

  /// The words of rows `range`: word `k` of row `r` goes to `words[k * stride + r]`.
  ///
  /// - Shape: `columns`: one per key, any encoding.
  package func encode(
    _ columns: [Column], _ range: Range<Int>, into words: UnsafeMutablePointer<UInt64>, stride: Int
  ) {
    for k in 0..<wordCount {
      let out = words + k * stride
      var row = range.lowerBound
      while row < range.upperBound {
        out[row] = 0
        row &+= 1
      }
    }
    for segment in segments { encode(segment, columns[segment.column], range, words, stride) }
  }

  private func encode(
    _ segment: Segment, _ column: Column, _ range: Range<Int>, _ words: UnsafeMutablePointer<UInt64>, _ stride: Int
  ) {
    let order = orders[segment.column]
    let view = column.view
    func p<T: BitwiseCopyable>(_: T.Type) -> UnsafePointer<T> { view.values.assumingMemoryBound(to: T.self) }
    let invert: UInt64 = order.isAscending ? 0 : ~0
    withExtendedLifetime(column) {
      switch segment.source {
      case .null:
        let whenNull: UInt64 = order.nullsFirst ? 0 : 1
        put(segment, range, words, stride) { row in view.isNull(row) ? whenNull : 1 &- whenNull }
      case .value:
        if case .timeWithTimeZone = types[segment.column] {
          let x = p(Int128.self)
          put(segment, view, range, words, stride, invert) { UInt64(bitPattern: ZonedTime.utcPicos(x[$0])) ^ (1 << 63) }
          return
        }
        switch types[segment.column].physicalType {
        case .bool:
          let x = p(UInt8.self)
          put(segment, view, range, words, stride, invert) { UInt64(x[$0]) }
        case .int8:
          let x = p(Int8.self)
          put(segment, view, range, words, stride, invert) { UInt64(UInt8(bitPattern: x[$0])) ^ 0x80 }
        case .int16:
          let x = p(Int16.self)
          put(segment, view, range, words, stride, invert) { UInt64(UInt16(bitPattern: x[$0])) ^ 0x8000 }
        case .int32:
          let x = p(Int32.self)
          put(segment, view, range, words, stride, invert) { UInt64(UInt32(bitPattern: x[$0])) ^ 0x8000_0000 }
        case .int64:
          let x = p(Int64.self)
          put(segment, view, range, words, stride, invert) { UInt64(bitPattern: x[$0]) ^ (1 << 63) }
        case .float:
          let x = p(Float.self)
          put(segment, view, range, words, stride, invert) { row in
            let value = x[row]
            let bits: UInt32 = value != value ? 0x7fc0_0000 : (value + 0.0).bitPattern
            return UInt64(bits ^ (bits &>> 31 != 0 ? ~0 : 0x8000_0000))
          }
        case .double:
          let x = p(Double.self)
          put(segment, view, range, words, stride, invert) { row in
            let value = x[row]
            let bits: UInt64 = value != value ? 0x7ff8_0000_0000_0000 : (value + 0.0).bitPattern
            return bits ^ (bits &>> 63 != 0 ? ~0 : 1 << 63)
          }
        default: break
        }
      case .wideHigh:
        let x = p(Int128.self)
        put(segment, view, range, words, stride, invert) {
          UInt64(truncatingIfNeeded: x[$0] &>> 64) ^ (1 << 63)
        }
      case .wideLow:
        let x = p(Int128.self)
        // Of a timestamp with time zone the zone does not count.
        var mask: UInt64 = ~0
        if case .timestampWithTimeZone = types[segment.column] { mask = ~0xffff }
        put(segment, view, range, words, stride, invert) { UInt64(truncatingIfNeeded: x[$0]) & mask }
      case .prefix:
        let x = p(StringView.self)
        let shift = UInt64(64 - segment.width)
        put(segment, view, range, words, stride, invert) { SortKeyKernel.prefix(x[$0]) &>> shift }
      case .suffix:
        let x = p(StringView.self)
        let shift = UInt64(64 - segment.width)
        put(segment, view, range, words, stride, invert) { SortKeyKernel.suffix(x[$0]) &>> shift }
      case .length:
        let x = p(StringView.self)
        put(segment, view, range, words, stride, invert) { UInt64(min(x[$0].count, 31)) }
      }
    }
  }

  /// The first eight bytes, zero-padded, the first being the most significant.
  @inline(__always)
  private static func prefix(_ view: StringView) -> UInt64 {
    if view.isInline { return ((view.low &>> 32) | (view.high &<< 32)).byteSwapped }
    return view.withBytes { (p, _) in p.loadUnaligned(as: UInt64.self).byteSwapped }
  }

  /// Bytes 8 to 15, zero-padded.
  @inline(__always)
  private static func suffix(_ view: StringView) -> UInt64 {
    if view.isInline { return (view.high &>> 32).byteSwapped }
    return view.withBytes { (p, n) in
      if n >= 16 { return (p + 8).loadUnaligned(as: UInt64.self).byteSwapped }
      let last = (p + (n &- 8)).loadUnaligned(as: UInt64.self)
      return (last &>> (UInt64(16 &- n) &* 8)).byteSwapped
    }
  }

  /// Puts values of non-null rows, inverted for DESC; `value` gets positions.
  @inline(__always)
  private func put(
    _ segment: Segment, _ view: ColumnView, _ range: Range<Int>, _ words: UnsafeMutablePointer<UInt64>, _ stride: Int,
    _ invert: UInt64, _ value: (Int) -> UInt64
  ) {
    let mask: UInt64 = segment.width == 64 ? ~0 : (1 &<< UInt64(segment.width)) &- 1
    if view.validity == nil {
      put(segment, range, words, stride) { row in (value(view.position(row)) ^ invert) & mask }
    } else {
      put(segment, range, words, stride) { row in
        view.isNull(row) ? 0 : (value(view.position(row)) ^ invert) & mask
      }
    }
  }

  /// Puts `segment.width` bits per row at the segment's place, which may straddle two words.
  @inline(__always)
  private func put(
    _ segment: Segment, _ range: Range<Int>, _ words: UnsafeMutablePointer<UInt64>, _ stride: Int,
    _ value: (Int) -> UInt64
  ) {
    let first = words + (segment.offset >> 6) &* stride
    let room = 64 &- (segment.offset & 63)
    var row = range.lowerBound
    if segment.width <= room {
      let shift = UInt64(room &- segment.width)
      while row < range.upperBound {
        first[row] |= value(row) &<< shift
        row &+= 1
      }
    } else {
      let second = first + stride
      let down = UInt64(segment.width &- room)
      let up = 64 &- down
      while row < range.upperBound {
        let bits = value(row)
        first[row] |= bits &>> down
        second[row] |= bits &<< up
        row &+= 1
      }
    }
  }
}
