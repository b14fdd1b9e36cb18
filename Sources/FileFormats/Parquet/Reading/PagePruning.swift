import Columnar
import ObjectStore
import QueryErrors

/// Tells from the page index which rows of a row group may satisfy a domain.
///
/// - Source: parquet-format, PageIndex.md.
enum PagePruning {
  /// The rows of pages that may hold wanted values; nil when there is no index or it takes nothing out.
  static func ranges(
    _ domain: Domain, _ plan: ColumnPlan, _ metadata: ColumnChunkMetadata, context: RowGroupContext
  ) throws(QueryError) -> [Range<Int>]? {
    guard let place = metadata.columnIndex, let offsets = metadata.offsetIndex,
      place.upperBound <= context.file.source.byteCount,
      // Indexes that are larger than what they could spare.
      place.count + offsets.count < metadata.compressedByteCount
    else { return nil }
    guard let leaf = plan.flatLeaf else { return nil }
    let (file, rowCount) = (context.file, context.rowCount)
    if let known = file.footer.hasKnownOrder, !known[leaf.index] { return nil }
    if leaf.physical == .int96 || leaf.annotation == .interval { return nil }
    let slice = try context.source.read(place, kind: .metadata)
    defer { withExtendedLifetime(slice) {} }
    var reader = ThriftCompactReader(slice.pointer, end: slice.count)
    // An index that cannot be used is no reason to fail: the pages tell the same.
    guard let index = try? ColumnIndex(&reader), let pages = try offsetIndex(metadata, rowCount, context.source),
      pages.pages.count == index.nullPages.count
    else { return nil }
    let bounds = ValueBounds(metadata.statistics, plan, file.footer)
    let chunkNulls = metadata.nullCount(leaf, rowCount: rowCount)
    guard
      let nullCounts = PageBounds.nullCounts(index, pages, chunkNulls: chunkNulls, rowCount: rowCount, leaf)
    else { return contradiction(leaf, context) }
    let values = PageBounds.values(index, plan)
    guard PageBounds.agree(values, with: bounds, isBytes: plan.type.physicalType == .string) else {
      return contradiction(leaf, context)
    }
    var kept: [Range<Int>] = []
    for page in index.nullPages.indices {
      let rows = pages.rows(ofPage: page, rowCount: rowCount)
      if rows.isEmpty { continue }
      let mayHold: Bool
      if index.nullPages[page] {
        mayHold = domain.allowsNull
      } else {
        mayHold = BlockPruning.mayHold(
          domain, values[page], nullCount: nullCounts[page], rowCount: rows.count, type: plan.type)
      }
      if mayHold { RowRanges.append(rows, to: &kept) }
    }
    if kept.count == 1, kept[0] == 0..<rowCount { return nil }
    return kept
  }

  /// Passes an index over that says something else than the footer.
  private static func contradiction(_ leaf: ParquetLeaf, _ context: RowGroupContext) -> [Range<Int>]? {
    context.metrics.note(
      "\(context.file.source.path): the page index of column '\(leaf.path)' is not used, it contradicts the footer")
    return nil
  }

  /// The chunk's offset index; nil when it has none that can be used.
  static func offsetIndex(
    _ metadata: ColumnChunkMetadata, _ rowCount: Int, _ source: RangeReader
  ) throws(QueryError) -> OffsetIndex? {
    guard let place = metadata.offsetIndex, place.upperBound <= source.source.byteCount else { return nil }
    guard let chunk = try? metadata.byteRange() else { return nil }
    let slice = try source.read(place, kind: .metadata)
    defer { withExtendedLifetime(slice) {} }
    var reader = ThriftCompactReader(slice.pointer, end: slice.count)
    return try? OffsetIndex(&reader, rowCount: rowCount, chunk: chunk)
  }
}
