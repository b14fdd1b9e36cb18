import Columnar
import QueryErrors

/// Reads one row group: prunes it, evaluates conditions window by window, and decodes the other columns for survivors
/// only.
///
///     windows of rows   condition columns → selection → next condition's columns for its survivors → …
///     survivors of some windows together → the remaining columns → one batch
final class RowGroupScan {
  private let context: RowGroupContext
  private let request: ScanRequest
  private let plans: [ColumnPlan]
  private let metrics: ScanMetrics
  private let windowRowCount: Int

  // MARK: Changes while reading

  private var conditions: [ScanCondition]
  private var readers: [ColumnReader?]
  /// What is left to read, ascending.
  private var ranges: [Range<Int>]
  private var nextRange = 0
  private var row: Int
  private var chunks: [Int: ColumnChunkMetadata] = [:]
  private var isPagePruned = false
  private var windowCount = 0
  private var hasReadPages = false
  /// Dynamic domains whose values were not known when last looked at.
  private var unknownDomains: [DynamicDomain]

  // Survivors not yet handed out: rows relative to `spanStart`, and their values of condition columns.
  private var spanStart = 0
  private var spanEnd = 0
  private var survivors: Buffer
  private var survivorCount = 0
  private var pieces: [[Column]]

  // Scratch of a window: selections within it.
  private var selection: Buffer
  private var chosen: Buffer
  private var composed: Buffer

  /// A span ends after so many rows, whatever survived.
  private static let longestSpan = 1 << 20
  private static let largestWindow = 1 << 16

  /// A scan of the row group, or nil when no row of it can count.
  static func open(
    _ context: RowGroupContext, _ request: ScanRequest, _ plans: [ColumnPlan], _ conditions: [ScanCondition],
    _ metrics: ScanMetrics
  ) throws(QueryError) -> RowGroupScan? {
    guard !context.rows.isEmpty else { return nil }
    let scan = RowGroupScan(context, request, plans, conditions, metrics)
    return try scan.prune() ? scan : nil
  }

  private init(
    _ context: RowGroupContext, _ request: ScanRequest, _ plans: [ColumnPlan], _ conditions: [ScanCondition],
    _ metrics: ScanMetrics
  ) {
    self.context = context
    self.request = request
    self.plans = plans
    self.metrics = metrics
    self.conditions = conditions
    windowRowCount = min(max(request.batchSize, 1), RowGroupScan.largestWindow)
    readers = Array(repeating: nil, count: plans.count)
    ranges = [context.rows]
    row = context.rows.lowerBound
    unknownDomains = []
    pieces = Array(repeating: [], count: plans.count)
    survivors = Buffer(byteCount: (windowRowCount + 16) * 4)
    selection = Buffer(byteCount: (windowRowCount + 16) * 4)
    chosen = Buffer(byteCount: (windowRowCount + 16) * 4)
    composed = Buffer(byteCount: (windowRowCount + 16) * 4)
  }

  // MARK: Pruning

  /// Whether anything is left after statistics, bloom filters, page index and dictionaries had their say.
  private func prune() throws(QueryError) -> Bool {
    var domains = request.domain.domains
    for dynamic in request.dynamicDomains {
      if let domain = dynamic.domain {
        domains[dynamic.column] = domains[dynamic.column]?.intersection(domain) ?? domain
      } else {
        unknownDomains.append(dynamic)
      }
    }
    guard try apply(domains) else { return false }
    return try applyDictionaries()
  }

  /// Narrows `ranges` to what may satisfy the domains; false when nothing is left.
  private func apply(_ all: [Int: Domain]) throws(QueryError) -> Bool {
    let usable = RowGroupPruning.usable(all, plans)
    if usable.isEmpty { return true }
    guard
      let domains = try RowGroupPruning.undecided(usable, plans, file: context.file, rowGroup: context.rowGroup)
    else { return false }
    for (column, domain) in domains where plans.indices.contains(column) {
      guard let leaf = plans[column].flatLeaf, !domain.isAll else { continue }
      let metadata = try chunk(leaf)
      guard try BloomFilter.mayHold(domain, plans[column], metadata, source: context.source) else { return false }
    }
    for (column, domain) in domains where plans.indices.contains(column) {
      guard let leaf = plans[column].flatLeaf, !domain.isAll else { continue }
      guard
        let kept = try PagePruning.ranges(domain, plans[column], try chunk(leaf), context: context)
      else { continue }
      ranges = PagePruning.intersection(ranges, kept)
      isPagePruned = true
      if ranges.isEmpty { return false }
    }
    if let first = ranges.first, windowCount == 0 { row = first.lowerBound }
    return true
  }

  /// Evaluates conditions on whole dictionaries: one that no entry passes ends the row group, one that all pass goes.
  private func applyDictionaries() throws(QueryError) -> Bool {
    var kept: [ScanCondition] = []
    sortConditions()
    for condition in conditions {
      guard condition.usesDictionary, let leaf = plans[condition.columns[0]].flatLeaf else {
        kept.append(condition)
        continue
      }
      let metadata = try chunk(leaf)
      guard metadata.isFullyDictionary, let reader = try reader(condition.columns[0]) as? FlatColumnReader else {
        kept.append(condition)
        continue
      }
      markRead()
      var dictionary: Column?
      do throws(ParquetDamage) { dictionary = try reader.leaf.loadDictionary() } catch {
        throw failure(error, condition.columns[0])
      }
      guard let dictionary, reader.leaf.dictionaryCount > 0, try condition.prepare(dictionary, limit: context.rowCount)
      else {
        kept.append(condition)
        continue
      }
      let nulls = metadata.nullCount(leaf, rowCount: context.rowCount)
      if condition.passingEntryCount == 0, !condition.passesNull || nulls == 0 { return false }
      if condition.passingEntryCount == dictionary.count, condition.passesNull || nulls == 0 { continue }
      kept.append(condition)
    }
    conditions = kept
    sortConditions()
    return true
  }

  private func sortConditions() {
    if conditions.count < 2 { return }
    let ranked = conditions.map { condition in
      (condition, condition.rank(isDictionary: isDictionaryCoded(condition)))
    }
    conditions = ranked.sorted { $0.1 < $1.1 }.map(\.0)
  }

  private func isDictionaryCoded(_ condition: ScanCondition) -> Bool {
    guard condition.usesDictionary, let leaf = plans[condition.columns[0]].flatLeaf else { return false }
    return chunks[leaf.index]?.dictionaryPageOffset != nil
  }

  /// Rows after which a domain becomes known that is not.
  private var rowsNeeded: Int {
    var least = Int.max
    for dynamic in unknownDomains { least = min(least, dynamic.rowsNeeded ?? Int.max) }
    return least
  }

  /// Looks again at domains that were unknown; false when nothing is left to read.
  private func refreshDomains() throws(QueryError) -> Bool {
    if unknownDomains.isEmpty { return true }
    var known: [Int: Domain] = [:]
    var unknown: [DynamicDomain] = []
    for dynamic in unknownDomains {
      if let domain = dynamic.domain {
        known[dynamic.column] = known[dynamic.column]?.intersection(domain) ?? domain
      } else {
        unknown.append(dynamic)
      }
    }
    if known.isEmpty { return true }
    unknownDomains = unknown
    // Rows before `row` are done.
    ranges = PagePruning.intersection(ranges, [row..<max(row, context.rows.upperBound)])
    nextRange = 0
    return try apply(known) && !ranges.isEmpty
  }

  // MARK: Readers

  private func chunk(_ leaf: ParquetLeaf) throws(QueryError) -> ColumnChunkMetadata {
    if let known = chunks[leaf.index] { return known }
    let metadata = try context.file.chunk(context.rowGroup, leaf)
    chunks[leaf.index] = metadata
    return metadata
  }

  private func markRead() {
    if hasReadPages { return }
    hasReadPages = true
    if context.source.shared?.countsAsRead() ?? true { metrics.add(rowGroupsRead: 1) }
  }

  private func failure(_ damage: ParquetDamage, _ column: Int) -> QueryError {
    context.error(damage, column: request.columns[column].name, offset: readers[column]?.fileOffset)
  }

  private func reader(_ column: Int) throws(QueryError) -> ColumnReader {
    if let reader = readers[column] { return reader }
    let plan = plans[column]
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
    case .array(_, _, let element): try collectLeaves(element, column, &leaves)
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
      let isFirst = conditions.first.map { $0.columns.contains(column) } ?? true
      let maySpare = isPagePruned || request.limit != nil || !isFirst
      guard maySpare, UInt64(metadata.compressedByteCount) > 4 * UInt64(place.count) else { return nil }
    }
    return try quietly { () throws(QueryError) in
      try PagePruning.offsetIndex(metadata, context.rowCount, context.source)
    }
  }

  private func read(
    _ column: Int, from start: Int, count: Int, _ rows: UnsafePointer<Int32>?, _ rowCount: Int, keepsCodes: Bool
  ) throws(QueryError) -> Column {
    let reader = try reader(column)
    do throws(ParquetDamage) {
      return try reader.read(
        from: start, count: count, selection: rows, selectionCount: rowCount, keepsCodes: keepsCodes)
    } catch { throw failure(error, column) }
  }

  // MARK: Reading

  /// The next rows to look at: at most a window, within one range.
  private func nextWindow() -> Range<Int>? {
    while nextRange < ranges.count {
      let range = ranges[nextRange]
      let start = max(row, range.lowerBound)
      if start < range.upperBound { return start..<min(range.upperBound, start + windowRowCount) }
      nextRange += 1
    }
    return nil
  }

  /// The next batch of rows that pass, or nil at the end; never empty.
  func next(rowsWanted: Int) throws(QueryError) -> Batch? {
    if conditions.isEmpty {
      guard try refreshDomains(), let window = nextWindow() else { return nil }
      markRead()
      let n = min(window.count, rowsWanted)
      row = window.lowerBound + n
      windowCount += 1
      metrics.add(rowsPassed: n)
      var columns: [Column] = []
      columns.reserveCapacity(plans.count)
      for index in plans.indices {
        if request.predicateOnlyColumns.contains(index) {
          columns.append(.nulls(plans[index].type, count: n))
        } else {
          columns.append(try read(index, from: window.lowerBound, count: n, nil, 0, keepsCodes: false))
        }
      }
      return Batch(columns: columns, rowCount: n)
    }
    while true {
      guard try refreshDomains(), let window = nextWindow() else {
        return survivorCount > 0 ? try emit() : nil
      }
      markRead()
      var passed = 0
      let columns = try evaluate(window, &passed)
      row = window.upperBound
      windowCount += 1
      if windowCount & 15 == 0 { sortConditions() }
      metrics.add(rowsRead: window.count)
      metrics.add(rowsPassed: passed)
      if passed == 0 {
        if survivorCount > 0, row - spanStart > RowGroupScan.longestSpan { return try emit() }
        continue
      }
      if survivorCount + passed > max(request.batchSize, 1)
        || (survivorCount > 0 && window.upperBound - spanStart > RowGroupScan.longestSpan)
      {
        let batch = try emit()
        add(window, passed, columns)
        return batch
      }
      add(window, passed, columns)
      if survivorCount * 2 >= request.batchSize || survivorCount >= rowsWanted || survivorCount >= rowsNeeded {
        return try emit()
      }
    }
  }

  /// Applies all conditions to a window; `selection` then holds the rows that pass, relative to the window.
  ///
  /// - Returns: the condition columns' values of those rows, by column; nil where not read.
  private func evaluate(_ window: Range<Int>, _ passed: inout Int) throws(QueryError) -> [Column?] {
    var decoded: [Column?] = Array(repeating: nil, count: plans.count)
    var count = window.count
    var isAll = true
    for (number, condition) in conditions.enumerated() {
      var values: [Column] = []
      values.reserveCapacity(condition.columns.count)
      for column in condition.columns {
        if decoded[column] == nil {
          decoded[column] = try read(
            column, from: window.lowerBound, count: window.count, isAll ? nil : selection.typed(Int32.self), count,
            keepsCodes: condition.usesDictionary)
        }
        values.append(decoded[column]!)
      }
      let rows = chosen.typed(Int32.self)
      let found = try condition.apply(values, rowCount: count, into: rows)
      if found == 0 {
        passed = 0
        return decoded
      }
      if found == count { continue }
      if isAll {
        swap(&selection, &chosen)
      } else {
        ColumnKernels.compose(selection.typed(Int32.self), rows, found, composed.typed(Int32.self))
        swap(&selection, &composed)
      }
      let taken = isAll ? selection.typed(Int32.self) : rows
      for column in decoded.indices where decoded[column] != nil {
        let isNeeded =
          !request.predicateOnlyColumns.contains(column)
          || conditions[(number + 1)...].contains { $0.columns.contains(column) }
        decoded[column] = isNeeded ? decoded[column]!.take(taken, count: found) : nil
      }
      isAll = false
      count = found
    }
    passed = count
    if isAll {
      let rows = selection.typed(Int32.self)
      var i = 0
      while i < count {
        rows[i] = Int32(truncatingIfNeeded: i)
        i &+= 1
      }
    }
    return decoded
  }

  /// Adds a window's survivors to those waiting.
  private func add(_ window: Range<Int>, _ passed: Int, _ columns: [Column?]) {
    if survivorCount == 0 { spanStart = window.lowerBound }
    spanEnd = window.upperBound
    let shift = Int32(truncatingIfNeeded: window.lowerBound - spanStart)
    let from = selection.typed(Int32.self)
    let to = survivors.typed(Int32.self) + survivorCount
    var i = 0
    while i < passed {
      to[i] = from[i] &+ shift
      i &+= 1
    }
    survivorCount += passed
    for (index, column) in columns.enumerated() {
      if let column, !request.predicateOnlyColumns.contains(index) { pieces[index].append(column) }
    }
  }

  /// A batch of the waiting survivors.
  private func emit() throws(QueryError) -> Batch {
    let count = survivorCount
    let span = spanEnd - spanStart
    let rows: UnsafePointer<Int32>? = count == span ? nil : UnsafePointer(survivors.typed(Int32.self))
    var columns: [Column] = []
    columns.reserveCapacity(plans.count)
    for index in plans.indices {
      if request.predicateOnlyColumns.contains(index) {
        columns.append(.nulls(plans[index].type, count: count))
      } else if !pieces[index].isEmpty {
        var column = Column.joined(pieces[index], type: plans[index].type)
        if column.encoding == .dictionary, column.type.physicalType != .string { column = column.flattened() }
        columns.append(count &* 2 < span ? withoutPages(column) : column)
      } else {
        columns.append(try read(index, from: spanStart, count: span, rows, count, keepsCodes: false))
      }
      pieces[index].removeAll(keepingCapacity: true)
    }
    survivorCount = 0
    return Batch(columns: columns, rowCount: count)
  }

  /// A condition's column of few survivors: strings are copied where they would keep pages, or a large dictionary, alive.
  private func withoutPages(_ column: Column) -> Column {
    guard column.type.physicalType == .string, column.storage.heap != nil else { return column }
    if column.encoding == .dictionary,
      !FlatColumnReader.isBurden(entryCount: column.storage.count, rowCount: context.rowCount)
    {
      return column
    }
    return column.copyingStrings()
  }

  /// Tells the metrics what was spared.
  func close() {
    metrics.add(pagesPruned: readers.reduce(0) { $0 + ($1?.prunedPageCount ?? 0) })
  }
}
