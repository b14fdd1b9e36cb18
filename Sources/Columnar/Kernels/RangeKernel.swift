extension Column {
  /// The least and greatest of the values that are not NULL, as integers; nil without any, and for other than integers of
  /// up to 64 bits.
  package var integerRange: ClosedRange<Int64>? {
    switch type.physicalType {
    case .int8: range(of: Int8.self)
    case .int16: range(of: Int16.self)
    case .int32: range(of: Int32.self)
    case .int64: range(of: Int64.self)
    default: nil
    }
  }

  @inline(__always)
  private func range<T: FixedWidthInteger & BitwiseCopyable>(of _: T.Type) -> ClosedRange<Int64>? {
    let view = view
    let values = view.values.assumingMemoryBound(to: T.self)
    return withExtendedLifetime(self) {
      var (low, high) = (T.max, T.min)
      var row = 0
      while row < count {
        if !view.isNull(row) {
          let value = values[view.position(row)]
          low = min(low, value)
          high = max(high, value)
        }
        row &+= 1
      }
      return low <= high ? Int64(truncatingIfNeeded: low)...Int64(truncatingIfNeeded: high) : nil
    }
  }
}
