/// A few thousand rows as columns of equal length; the unit that flows between operators.
///
/// Filters hand on compacted batches, so every row of a batch counts and kernels know no selections.
public struct Batch: Sendable {
  public var columns: [Column]
  public var rowCount: Int

  public init(columns: [Column], rowCount: Int) {
    assert(columns.allSatisfy { $0.count == rowCount })
    self.columns = columns
    self.rowCount = rowCount
  }

  /// Rows per batch unless set otherwise (performance notes, section 3).
  public static let defaultRowCount = 4096

  /// The rows `rows`, in that order.
  public func take(_ rows: UnsafePointer<Int32>, count: Int) -> Batch {
    Batch(columns: columns.map { $0.take(rows, count: count) }, rowCount: count)
  }

  /// Rows `offset ..< offset + count`.
  public func slice(offset: Int, count: Int) -> Batch {
    if offset == 0, count == rowCount { return self }
    return Batch(columns: columns.map { $0.slice(offset: offset, count: count) }, rowCount: count)
  }
}
