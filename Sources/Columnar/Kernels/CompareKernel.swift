import Glibc

/// Compares rows of two columns of one type, one pair at a time.
///
///     order        for sorting: NaN above all numbers, NULL elements above all values
///     equal        SQL `=`: nil is unknown (NULL inside nested values); NaN equals nothing
///     isDistinct   SQL IS DISTINCT FROM: NULLs and NaNs are not distinct from their like
///
/// - Threads: read-only; may be shared.
public final class RowComparator: @unchecked Sendable {
  private enum Kind {
    case null, bool, int8, int16, int32, int64, int128, float, double, bytes, char, instant, time, array, map, row
  }
  private let kind: Kind
  private let left: Column
  private let right: Column
  private let x: ColumnView
  private let y: ColumnView
  private let leftStorage: Column
  private let rightStorage: Column
  private let children: [RowComparator]
  private let unorderedFirst: Bool

  /// - Shape: columns of any encoding with the same physical type.
  /// - Parameter unorderedFirst: whether `order` puts NaN and NULL elements below all values instead of above.
  public init(_ left: Column, _ right: Column, unorderedFirst: Bool = false) {
    self.unorderedFirst = unorderedFirst
    self.left = left
    self.right = right
    x = left.view
    y = right.view
    leftStorage = left.storage
    rightStorage = right.storage
    switch left.type {
    case .char: kind = .char
    case .timestampWithTimeZone: kind = .instant
    case .timeWithTimeZone: kind = .time
    default:
      switch left.type.physicalType {
      case .null: kind = .null
      case .bool: kind = .bool
      case .int8: kind = .int8
      case .int16: kind = .int16
      case .int32: kind = .int32
      case .int64: kind = .int64
      case .int128: kind = .int128
      case .float: kind = .float
      case .double: kind = .double
      case .string: kind = .bytes
      case .array: kind = .array
      case .map: kind = .map
      case .row: kind = .row
      }
    }
    children = zip(leftStorage.children, rightStorage.children).map { RowComparator($0, $1, unorderedFirst: unorderedFirst) }
  }

  /// Below, equal or above zero for row `i` of the left and row `j` of the right column; neither is NULL.
  public func order(_ i: Int, _ j: Int) -> Int {
    @inline(__always)
    func sign<T: BitwiseCopyable & Comparable>(_: T.Type) -> Int {
      let (a, b) = (x.value(i, as: T.self), y.value(j, as: T.self))
      return bit(a > b) &- bit(a < b)
    }
    switch kind {
    case .null: return 0
    case .bool: return sign(UInt8.self)
    case .int8: return sign(Int8.self)
    case .int16: return sign(Int16.self)
    case .int32: return sign(Int32.self)
    case .int64: return sign(Int64.self)
    case .int128: return sign(Int128.self)
    case .float: return floating(Double(x.value(i, as: Float.self)), Double(y.value(j, as: Float.self)))
    case .double: return floating(x.value(i, as: Double.self), y.value(j, as: Double.self))
    case .bytes: return StringView.compare(x.value(i, as: StringView.self), y.value(j, as: StringView.self))
    case .char: return CompareKernel.orderPadded(x.value(i, as: StringView.self), y.value(j, as: StringView.self))
    case .instant:
      let (a, b) = (x.value(i, as: Int128.self) &>> 16, y.value(j, as: Int128.self) &>> 16)
      return bit(a > b) &- bit(a < b)
    case .time:
      let a = ZonedTime.utcPicos(x.value(i, as: Int128.self))
      let b = ZonedTime.utcPicos(y.value(j, as: Int128.self))
      return bit(a > b) &- bit(a < b)
    case .array:
      let (a, b) = (leftStorage.elementRange(x.position(i)), rightStorage.elementRange(y.position(j)))
      let n = min(a.count, b.count)
      for k in 0..<n {
        let order = children[0].elementOrder(a.lowerBound + k, b.lowerBound + k)
        if order != 0 { return order }
      }
      return a.count - b.count
    case .row:
      let (a, b) = (x.position(i), y.position(j))
      for child in children {
        let order = child.elementOrder(a, b)
        if order != 0 { return order }
      }
      return 0
    case .map:
      // Maps have no SQL order; this one only has to be total and agree with isDistinct.
      let (a, b) = (sortedEntries(leftStorage, x.position(i)), sortedEntries(rightStorage, y.position(j)))
      for (p, q) in zip(a, b) {
        let order = children[0].orderNullsLast(p, q)
        if order != 0 { return order }
        let valueOrder = children[1].orderNullsLast(p, q)
        if valueOrder != 0 { return valueOrder }
      }
      return a.count - b.count
    }
  }

  @inline(__always)
  private func floating(_ a: Double, _ b: Double) -> Int {
    if unorderedFirst, a != a || b != b { return bit(b != b) &- bit(a != a) }
    return CompareKernel.order(a, b)
  }

  private func sortedEntries(_ column: Column, _ row: Int) -> [Int] {
    let keys = RowComparator(column.children[0], column.children[0])
    return column.elementRange(row).sorted { keys.orderNullsLast($0, $1) < 0 }
  }

  /// Like `order`, with NULL above every value.
  public func orderNullsLast(_ i: Int, _ j: Int) -> Int {
    let (a, b) = (x.isNull(i), y.isNull(j))
    if a || b { return bit(a) &- bit(b) }
    return order(i, j)
  }

  /// The order of elements, fields, keys or values.
  private func elementOrder(_ i: Int, _ j: Int) -> Int {
    let (a, b) = (x.isNull(i), y.isNull(j))
    if a || b { return unorderedFirst ? bit(b) &- bit(a) : bit(a) &- bit(b) }
    return order(i, j)
  }

  /// Whether the first NULL element that a comparison would meet stands before a difference, so that `<` cannot answer.
  public func meetsNull(_ i: Int, _ j: Int) -> Bool {
    switch kind {
    case .array:
      let (a, b) = (leftStorage.elementRange(x.position(i)), rightStorage.elementRange(y.position(j)))
      for k in 0..<min(a.count, b.count) {
        if children[0].hasNull(a.lowerBound + k, b.lowerBound + k) { return true }
        if children[0].order(a.lowerBound + k, b.lowerBound + k) != 0 { return false }
      }
      return false
    case .row:
      let (a, b) = (x.position(i), y.position(j))
      for child in children {
        if child.hasNull(a, b) { return true }
        if child.order(a, b) != 0 { return false }
      }
      return false
    default: return false
    }
  }

  private func hasNull(_ i: Int, _ j: Int) -> Bool { x.isNull(i) || y.isNull(j) || meetsNull(i, j) }

  /// SQL `=` of two rows; nil is unknown.
  public func equal(_ i: Int, _ j: Int) -> Bool? {
    if x.isNull(i) || y.isNull(j) { return nil }
    switch kind {
    case .float: return x.value(i, as: Float.self) == y.value(j, as: Float.self)
    case .double: return x.value(i, as: Double.self) == y.value(j, as: Double.self)
    case .bytes, .char: return x.value(i, as: StringView.self) == y.value(j, as: StringView.self)
    case .array:
      let (a, b) = (leftStorage.elementRange(x.position(i)), rightStorage.elementRange(y.position(j)))
      if a.count != b.count { return false }
      var isUnknown = false
      for k in 0..<a.count {
        switch children[0].equal(a.lowerBound + k, b.lowerBound + k) {
        case false?: return false
        case nil: isUnknown = true
        default: break
        }
      }
      return isUnknown ? nil : true
    case .row:
      let (a, b) = (x.position(i), y.position(j))
      var isUnknown = false
      for child in children {
        switch child.equal(a, b) {
        case false?: return false
        case nil: isUnknown = true
        default: break
        }
      }
      return isUnknown ? nil : true
    case .map:
      let (a, b) = (leftStorage.elementRange(x.position(i)), rightStorage.elementRange(y.position(j)))
      if a.count != b.count { return false }
      var isUnknown = false
      for p in a {
        guard let q = b.first(where: { children[0].isDistinct(p, $0) == false }) else { return false }
        switch children[1].equal(p, q) {
        case false?: return false
        case nil: isUnknown = true
        default: break
        }
      }
      return isUnknown ? nil : true
    default: return order(i, j) == 0
    }
  }

  /// SQL IS DISTINCT FROM of two rows.
  public func isDistinct(_ i: Int, _ j: Int) -> Bool {
    let (isLeftNull, isRightNull) = (x.isNull(i), y.isNull(j))
    if isLeftNull || isRightNull { return isLeftNull != isRightNull }
    switch kind {
    case .bytes, .char: return !(x.value(i, as: StringView.self) == y.value(j, as: StringView.self))
    case .array:
      let (a, b) = (leftStorage.elementRange(x.position(i)), rightStorage.elementRange(y.position(j)))
      if a.count != b.count { return true }
      for k in 0..<a.count where children[0].isDistinct(a.lowerBound + k, b.lowerBound + k) { return true }
      return false
    case .row:
      let (a, b) = (x.position(i), y.position(j))
      for child in children where child.isDistinct(a, b) { return true }
      return false
    case .map:
      let (a, b) = (leftStorage.elementRange(x.position(i)), rightStorage.elementRange(y.position(j)))
      if a.count != b.count { return true }
      for p in a {
        guard let q = b.first(where: { !children[0].isDistinct(p, $0) }), !children[1].isDistinct(p, q) else {
          return true
        }
      }
      return false
    default: return order(i, j) != 0
    }
  }
}

/// Compares many pairs of rows at once.
public enum CompareKernel {
  /// Order of doubles with NaN above all and -0.0 equal to 0.0.
  @inlinable @inline(__always)
  public static func order(_ a: Double, _ b: Double) -> Int {
    if a < b { return -1 }
    if a > b { return 1 }
    if a == b { return 0 }
    return bit(a != a) &- bit(b != b)
  }

  /// Order of char values: the shorter one counts as padded with spaces.
  public static func orderPadded(_ a: StringView, _ b: StringView) -> Int {
    a.withBytes { (p, n) in
      b.withBytes { (q, m) in
        let common = min(n, m)
        let order = Int(memcmp(p, q, common))
        if order != 0 { return order }
        var k = common
        while k < n {
          let byte = p.load(fromByteOffset: k, as: UInt8.self)
          if byte != 0x20 { return byte < 0x20 ? -1 : 1 }
          k += 1
        }
        while k < m {
          let byte = q.load(fromByteOffset: k, as: UInt8.self)
          if byte != 0x20 { return byte < 0x20 ? 1 : -1 }
          k += 1
        }
        return 0
      }
    }
  }

  /// Clears `matches[k]` where row `leftRows[k]` of `left` is distinct from row `rightRows[k]` of `right`.
  ///
  /// - Shape: `count` pairs; nil rows stand for 0, 1, 2 …; `matches` holds 0 or 1.
  public static func keepNotDistinct(
    _ left: Column, _ leftRows: UnsafePointer<Int32>?, _ right: Column, _ rightRows: UnsafePointer<Int32>?, count: Int,
    matches: UnsafeMutablePointer<UInt8>
  ) {
    keep(left, leftRows, right, rightRows, count, matches, nullsMatch: true)
  }

  /// Clears `matches[k]` where row `leftRows[k]` of `left` and row `rightRows[k]` of `right` are not equal by SQL `=`.
  ///
  /// - Shape: as in `keepNotDistinct`.
  public static func keepEqual(
    _ left: Column, _ leftRows: UnsafePointer<Int32>?, _ right: Column, _ rightRows: UnsafePointer<Int32>?, count: Int,
    matches: UnsafeMutablePointer<UInt8>
  ) {
    keep(left, leftRows, right, rightRows, count, matches, nullsMatch: false)
  }

  private static func keep(
    _ left: Column, _ leftRows: UnsafePointer<Int32>?, _ right: Column, _ rightRows: UnsafePointer<Int32>?, _ count: Int,
    _ matches: UnsafeMutablePointer<UInt8>, nullsMatch: Bool
  ) {
    let (x, y) = (left.view, right.view)
    withExtendedLifetime((left, right)) {
      switch (left.type, left.type.physicalType) {
      case (.timestampWithTimeZone, _), (.timeWithTimeZone, _), (_, .array), (_, .map), (_, .row), (_, .null):
        let comparator = RowComparator(left, right)
        var k = 0
        while k < count {
          if matches[k] != 0 {
            let i = leftRows.map { Int($0[k]) } ?? k
            let j = rightRows.map { Int($0[k]) } ?? k
            let isMatch = nullsMatch ? !comparator.isDistinct(i, j) : comparator.equal(i, j) ?? false
            matches[k] = isMatch ? 1 : 0
          }
          k += 1
        }
        return
      case (_, .bool), (_, .int8): loop(UInt8.self, x, leftRows, y, rightRows, count, matches, nullsMatch) { $0 == $1 }
      case (_, .int16): loop(Int16.self, x, leftRows, y, rightRows, count, matches, nullsMatch) { $0 == $1 }
      case (_, .int32): loop(Int32.self, x, leftRows, y, rightRows, count, matches, nullsMatch) { $0 == $1 }
      case (_, .int64): loop(Int64.self, x, leftRows, y, rightRows, count, matches, nullsMatch) { $0 == $1 }
      case (_, .int128): loop(Int128.self, x, leftRows, y, rightRows, count, matches, nullsMatch) { $0 == $1 }
      case (_, .float):
        if nullsMatch {
          loop(Float.self, x, leftRows, y, rightRows, count, matches, nullsMatch) { $0 == $1 || ($0 != $0 && $1 != $1) }
        } else {
          loop(Float.self, x, leftRows, y, rightRows, count, matches, nullsMatch) { $0 == $1 }
        }
      case (_, .double):
        if nullsMatch {
          loop(Double.self, x, leftRows, y, rightRows, count, matches, nullsMatch) { $0 == $1 || ($0 != $0 && $1 != $1) }
        } else {
          loop(Double.self, x, leftRows, y, rightRows, count, matches, nullsMatch) { $0 == $1 }
        }
      case (_, .string): loop(StringView.self, x, leftRows, y, rightRows, count, matches, nullsMatch) { $0 == $1 }
      }
    }
  }

  @inline(__always)
  private static func loop<T: BitwiseCopyable>(
    _: T.Type, _ x: ColumnView, _ leftRows: UnsafePointer<Int32>?, _ y: ColumnView, _ rightRows: UnsafePointer<Int32>?,
    _ count: Int, _ matches: UnsafeMutablePointer<UInt8>, _ nullsMatch: Bool, _ isEqual: (T, T) -> Bool
  ) {
    let a = x.values.assumingMemoryBound(to: T.self)
    let b = y.values.assumingMemoryBound(to: T.self)
    var k = 0
    if x.validity != nil || y.validity != nil {
      while k < count {
        let i = leftRows.map { Int($0[k]) } ?? k
        let j = rightRows.map { Int($0[k]) } ?? k
        let (isLeftNull, isRightNull) = (x.isNull(i), y.isNull(j))
        let isMatch =
          isLeftNull || isRightNull
          ? nullsMatch && isLeftNull == isRightNull : isEqual(a[x.position(i)], b[y.position(j)])
        matches[k] &= unsafeBitCast(isMatch, to: UInt8.self)
        k &+= 1
      }
      return
    }
    while k < count {
      let i = x.position(leftRows.map { Int($0[k]) } ?? k)
      let j = y.position(rightRows.map { Int($0[k]) } ?? k)
      matches[k] &= unsafeBitCast(isEqual(a[i], b[j]), to: UInt8.self)
      k &+= 1
    }
  }
}
