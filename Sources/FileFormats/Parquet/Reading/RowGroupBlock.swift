import Columnar
import ObjectStore
import QueryErrors

/// One row group as a block: prunes by footer, bloom filters and page index, and reads columns by their leaves.
final class RowGroupBlock: ColumnBlock {
  private let context: RowGroupContext
  private let scan: ParquetScan

  // MARK: Changes while reading

  private var readers: [ColumnReader?]
  private var chunks: [Int: ColumnChunkMetadata] = [:]
  private var isPagePruned = false
  private var isCounted = false
  private var hasPrefetchedRest = false
  /// Columns read for every row; nil for all.
  private var fullyRead: [Int]?

  init(_ scan: ParquetScan, _ context: RowGroupContext) {
    self.scan = scan
    self.context = context
    readers = Array(repeating: nil, count: scan.plans.count)
  }

  var rowCount: Int { context.rowCount }
  var rows: Range<Int> { context.rows }
  var prunedPageCount: Int { readers.reduce(0) { $0 + ($1?.prunedPageCount ?? 0) } }

  func countAsRead() {
    if isCounted { return }
    isCounted = true
    if context.source.shared?.countsAsRead() ?? true { context.metrics.add(blocksRead: 1) }
  }

  func willReadFully(_ columns: [Int]?) {
    fullyRead = columns
    if !isPagePruned {
      scan.prefetch(columns, ofRowGroup: context.rowGroup, isShared: context.source.shared != nil)
    }
  }

  /// Says that the columns which are read for survivors only will be read, when the first of them is.
  private func prefetchRest(_ column: Int) {
    guard !hasPrefetchedRest, let fullyRead, !fullyRead.contains(column) else { return }
    hasPrefetchedRest = true
    let rest = scan.plans.indices.filter { !fullyRead.contains($0) && readers[$0] == nil }
    scan.prefetch(rest, ofRowGroup: context.rowGroup, isShared: context.source.shared != nil, isRest: true)
  }

  // MARK: Pruning

  func rows(mayHold all: [Int: Domain]) throws(QueryError) -> [Range<Int>]? {
    let plans = scan.plans
    guard
      let domains = try RowGroupPruning.undecided(
        all, plans, file: context.file, rowGroup: context.rowGroup, metrics: context.metrics)
    else { return [] }
    for (column, domain) in domains where plans.indices.contains(column) {
      guard let leaf = plans[column].flatLeaf, !domain.isAll else { continue }
      let metadata = try chunk(leaf)
      guard try BloomFilter.mayHold(domain, plans[column], metadata, source: context.source) else { return [] }
    }
    var kept: [Range<Int>]?
    for (column, domain) in domains where plans.indices.contains(column) {
      guard let leaf = plans[column].flatLeaf, !domain.isAll else { continue }
      guard let own = try PagePruning.ranges(domain, plans[column], try chunk(leaf), context: context) else { continue }
      kept = kept.map { RowRanges.intersection($0, own) } ?? own
      isPagePruned = true
      if kept!.isEmpty { break }
    }
    return kept
  }

  func dictionary(of column: Int) throws(QueryError) -> BlockDictionary? {
    guard let leaf = scan.plans[column].flatLeaf else { return nil }
    let metadata = try chunk(leaf)
    guard metadata.isFullyDictionary, let reader = try reader(column) as? FlatColumnReader else { return nil }
    countAsRead()
    var entries: Column?
    do throws(ParquetDamage) { entries = try reader.leaf.loadDictionary() } catch { throw failure(error, column) }
    guard let entries, reader.leaf.dictionaryCount > 0 else { return nil }
    return BlockDictionary(
      entries: entries, mayHaveNulls: metadata.nullCount(leaf, rowCount: context.rowCount) != 0)
  }

  func isDictionaryCoded(_ column: Int) -> Bool {
    guard let leaf = scan.plans[column].flatLeaf else { return false }
    return chunks[leaf.index]?.dictionaryPageOffset != nil
  }

  // MARK: Readers

  func read(
    _ column: Int, from start: Int, count: Int, selection: UnsafePointer<Int32>?, selectionCount: Int, keepsCodes: Bool
  ) throws(QueryError) -> Column {
    let reader = try reader(column)
    do throws(ParquetDamage) {
      return try reader.read(
        from: start, count: count, selection: selection, selectionCount: selectionCount, keepsCodes: keepsCodes)
    } catch { throw failure(error, column) }
  }

  private func chunk(_ leaf: ParquetLeaf) throws(QueryError) -> ColumnChunkMetadata {
    if let known = chunks[leaf.index] { return known }
    let metadata = try context.file.chunk(context.rowGroup, leaf)
    chunks[leaf.index] = metadata
    return metadata
  }

  private func failure(_ damage: ParquetDamage, _ column: Int) -> QueryError {
    context.error(damage, column: scan.request.columns[column].name, offset: readers[column]?.fileOffset)
  }

  private func reader(_ column: Int) throws(QueryError) -> ColumnReader {
    if let reader = readers[column] { return reader }
    prefetchRest(column)
    let plan = scan.plans[column]
    let reader: ColumnReader
    do throws(ParquetDamage) {
      if case .null(let type) = plan {
        reader = NullColumnReader(type)
      } else if plan.flatLeaf != nil {
        reader = FlatColumnReader(try leafReader(plan, column))
      } else {
        var leaves: [Int: NestedLeafReader] = [:]
        try collectLeaves(plan, column, &leaves)
        reader = NestedColumnReader(plan, leaves: leaves)
      }
    } catch { throw failure(error, column) }
    readers[column] = reader
    return reader
  }

  private func leafReader(_ plan: ColumnPlan, _ column: Int) throws(ParquetDamage) -> LeafReader {
    guard case .leaf(let type, _, let leaf, let layout, let conversion) = plan else {
      throw ParquetDamage("a group has no values")
    }
    let metadata = try quietly { () throws(QueryError) in try chunk(leaf) }
    return try LeafReader(
      context, leaf, type: type, layout: layout, conversion: conversion, metadata: metadata,
      index: try offsetIndex(metadata, column))
  }

  private func quietly<T>(_ body: () throws(QueryError) -> T) throws(ParquetDamage) -> T {
    do throws(QueryError) { return try body() } catch { throw ParquetDamage(error) }
  }

  private func collectLeaves(
    _ plan: ColumnPlan, _ column: Int, _ leaves: inout [Int: NestedLeafReader]
  ) throws(ParquetDamage) {
    switch plan {
    case .null: return
    case .leaf(_, _, let leaf, _, _):
      leaves[leaf.index] = NestedLeafReader(try leafReader(plan, column), isLevelsOnly: false)
      return
    case .array(_, _, let element), .variant(_, _, let element): try collectLeaves(element, column, &leaves)
    case .map(_, _, let key, let value):
      try collectLeaves(key, column, &leaves)
      try collectLeaves(value, column, &leaves)
    case .row(_, _, let fields): for field in fields { try collectLeaves(field, column, &leaves) }
    }
    if let leaf = plan.levelLeaf, leaves[leaf.index] == nil {
      let metadata = try quietly { () throws(QueryError) in try chunk(leaf) }
      let reader = try LeafReader(
        context, leaf, type: .varbinary, layout: .views, conversion: .identity, metadata: metadata,
        index: try offsetIndex(metadata, column))
      leaves[leaf.index] = NestedLeafReader(reader, isLevelsOnly: true)
    }
  }

  /// The chunk's offset index when reading by pages may spare some.
  private func offsetIndex(_ metadata: ColumnChunkMetadata, _ column: Int) throws(ParquetDamage) -> OffsetIndex? {
    guard let place = metadata.offsetIndex else { return nil }
    // Readers that share a row group have to cut it into the same ranges.
    if context.source.shared == nil {
      let isFirst = fullyRead.map { $0.contains(column) } ?? true
      let maySpare = isPagePruned || scan.request.limit != nil || !isFirst
      guard maySpare, UInt64(metadata.compressedByteCount) > 4 * UInt64(place.count) else { return nil }
    }
    return try quietly { () throws(QueryError) in
      try PagePruning.offsetIndex(metadata, context.rowCount, context.source)
    }
  }
}
