/// A column of any encoding as plain pointers; what kernels loop over.
///
/// - Lifetime: valid while the column lives; hold it with `withExtendedLifetime`.
@frozen
public struct ColumnView: @unchecked Sendable {
  public let values: UnsafeRawPointer
  /// Row → position in `values`, or nil when `row & mask` is the position.
  public let indices: UnsafePointer<Int32>?
  /// Bit set = not null; nil: no nulls.
  public let validity: UnsafePointer<UInt64>?
  /// 0 for a constant column, all ones otherwise.
  public let mask: Int

  @inlinable
  init(values: UnsafeRawPointer, indices: UnsafePointer<Int32>?, validity: Bitmap?, mask: Int) {
    self.values = values
    self.indices = indices
    self.validity = validity.map { UnsafePointer($0.words) }
    self.mask = mask
  }

  @inlinable @inline(__always)
  public func position(_ row: Int) -> Int {
    if let indices { return Int(indices[row]) }
    return row & mask
  }

  @inlinable @inline(__always)
  public func isNull(_ row: Int) -> Bool {
    if let validity { return (validity[row >> 6] &>> UInt64(row & 63)) & 1 == 0 }
    return false
  }

  @inlinable @inline(__always)
  public func value<T: BitwiseCopyable>(_ row: Int, as _: T.Type) -> T {
    values.assumingMemoryBound(to: T.self)[position(row)]
  }

  /// Whether `values[row]` is row `row`'s value.
  @inlinable
  public var isFlat: Bool { indices == nil && mask != 0 }
}
