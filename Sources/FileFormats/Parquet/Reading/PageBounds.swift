import Columnar

/// Checks a column index against itself and against what the footer tells of the same chunk.
///
/// An index that contradicts either may lie anywhere: it is not used then, for the pages themselves tell the same.
enum PageBounds {
  /// Bounds of each page, none for pages of NULLs; of which the least is above the greatest count as unknown.
  static func values(_ index: ColumnIndex, _ plan: ColumnPlan) -> [ValueBounds] {
    index.nullPages.indices.map { page in
      if index.nullPages[page] { return .unknown }
      return ValueBounds(
        min: ValueBounds.scalar(index.minValues[page], plan), max: ValueBounds.scalar(index.maxValues[page], plan))
    }
  }

  /// Whether the pages' bounds may be those of one chunk's parts.
  ///
  /// - Parameter isBytes: such bounds may be cut off, in the footer and in the index at other lengths.
  static func agree(_ pages: [ValueBounds], with chunk: ValueBounds, isBytes: Bool) -> Bool {
    guard let low = chunk.min, let high = chunk.max else { return true }
    var least: Scalar?
    var greatest: Scalar?
    var isComplete = true
    for page in pages {
      guard let min = page.min, let max = page.max else {
        isComplete = false
        continue
      }
      // Beside the chunk's bounds altogether.
      if Scalar.order(min, high) ?? 0 > 0 || Scalar.order(max, low) ?? 0 < 0 { return false }
      if isBytes { continue }
      if Scalar.order(min, low) ?? 0 < 0 || Scalar.order(max, high) ?? 0 > 0 { return false }
      if least == nil || Scalar.order(min, least!) ?? 0 < 0 { least = min }
      if greatest == nil || Scalar.order(max, greatest!) ?? 0 > 0 { greatest = max }
    }
    // Some page has to hold the values that bounds which occur stand for.
    guard isComplete, !isBytes, chunk.isExact, let least, let greatest else { return true }
    return Scalar.order(least, low) ?? 0 == 0 && Scalar.order(greatest, high) ?? 0 == 0
  }

  /// NULLs of each page, nil where unknown; nil altogether when the index contradicts the footer about pages of NULLs.
  static func nullCounts(
    _ index: ColumnIndex, _ offsets: OffsetIndex, chunkNulls: Int?, rowCount: Int, _ leaf: ParquetLeaf
  ) -> [Int?]? {
    let count = index.nullPages.count
    let rows = (0..<count).map { offsets.rows(ofPage: $0, rowCount: rowCount).count }
    let rowsOfNullPages = (0..<count).reduce(0) { index.nullPages[$1] ? $0 + rows[$1] : $0 }
    if leaf.maxDefinition == 0 { return rowsOfNullPages == 0 ? Array(repeating: 0, count: count) : nil }
    if let chunkNulls, rowsOfNullPages > chunkNulls { return nil }
    guard let counts = index.nullCounts, (0..<count).allSatisfy({ counts[$0] >= 0 && counts[$0] <= rows[$0] }),
      chunkNulls == nil || counts.reduce(0, +) == chunkNulls
    else { return Array(repeating: nil, count: count) }
    for page in 0..<count where index.nullPages[page] && counts[page] != rows[page] { return nil }
    return counts
  }
}
