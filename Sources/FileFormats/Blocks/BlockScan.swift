import Columnar
import QueryErrors

/// Reads one block: prunes it, evaluates conditions window by window, and decodes the other columns for survivors only.
///
///     windows of rows   condition columns → selection → next condition's columns for its survivors → …
///     survivors of some windows together → the remaining columns → one batch
final class BlockScan {
  private let block: any ColumnBlock
  private let request: ScanRequest
  private let metrics: ScanMetrics
  private let windowRowCount: Int
  private let filter: WindowFilter

  // MARK: Changes while reading

  /// What is left to read, ascending.
  private var ranges: [Range<Int>]
  private var nextRange = 0
  private var row: Int
  private var windowCount = 0
  /// Dynamic domains whose values were not known when last looked at.
  private var unknownDomains: [DynamicDomain] = []

  // Survivors not yet handed out: rows relative to `spanStart`, and their values of condition columns.
  private var spanStart = 0
  private var spanEnd = 0
  private var survivors: Buffer
  private var survivorCount = 0
  private var pieces: [[Column]]

  /// A span ends after so many rows, whatever survived.
  private static let longestSpan = 1 << 20
  private static let largestWindow = 1 << 16

  /// A scan of the block, or nil when no row of it can count.
  static func open(
    _ block: any ColumnBlock, _ request: ScanRequest, _ conditions: [ScanCondition], _ metrics: ScanMetrics
  ) throws(QueryError) -> BlockScan? {
    guard !block.rows.isEmpty else { return nil }
    let scan = BlockScan(block, request, conditions, metrics)
    return try scan.prune() ? scan : nil
  }

  private init(
    _ block: any ColumnBlock, _ request: ScanRequest, _ conditions: [ScanCondition], _ metrics: ScanMetrics
  ) {
    self.block = block
    self.request = request
    self.metrics = metrics
    windowRowCount = min(max(request.batchSize, 1), BlockScan.largestWindow)
    filter = WindowFilter(conditions, request, windowRowCount: windowRowCount)
    ranges = [block.rows]
    row = block.rows.lowerBound
    pieces = conditions.isEmpty ? [] : Array(repeating: [], count: request.columns.count)
    survivors = conditions.isEmpty ? WindowFilter.nothing : Buffer(byteCount: (windowRowCount + 16) * 4)
  }

  // MARK: Pruning

  /// Whether anything is left after the block's metadata and dictionaries were asked.
  private func prune() throws(QueryError) -> Bool {
    guard try apply(BlockPruning.known(request, unknown: &unknownDomains)) else { return false }
    return try applyDictionaries()
  }

  /// Narrows `ranges` to what may satisfy the domains; false when nothing is left.
  private func apply(_ all: [Int: Domain]) throws(QueryError) -> Bool {
    let usable = BlockPruning.usable(all, request.columns)
    if usable.isEmpty { return true }
    if let kept = try block.rows(mayHold: usable) {
      ranges = RowRanges.intersection(ranges, kept)
      if ranges.isEmpty { return false }
    }
    if let first = ranges.first, windowCount == 0 { row = first.lowerBound }
    return true
  }

  /// Evaluates conditions on whole dictionaries: one that no entry passes ends the block, one that all pass goes.
  private func applyDictionaries() throws(QueryError) -> Bool {
    if filter.isEmpty { return true }
    var kept: [ScanCondition] = []
    sortConditions()
    for condition in filter.conditions {
      guard condition.usesDictionary, let dictionary = try block.dictionary(of: condition.columns[0]),
        try condition.prepare(dictionary.entries, limit: block.rowCount)
      else {
        kept.append(condition)
        continue
      }
      let passesNulls = condition.passesNull || !dictionary.mayHaveNulls
      if condition.passingEntryCount == 0, !dictionary.mayHaveNulls || !condition.passesNull { return false }
      if condition.passingEntryCount == dictionary.entries.count, passesNulls { continue }
      kept.append(condition)
    }
    filter.keep(kept)
    sortConditions()
    return true
  }

  private func sortConditions() {
    filter.sort { $0.usesDictionary && block.isDictionaryCoded($0.columns[0]) }
    block.willReadFully(filter.conditions.first?.columns)
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
    ranges = RowRanges.intersection(ranges, [row..<max(row, block.rows.upperBound)])
    nextRange = 0
    return try apply(known) && !ranges.isEmpty
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
    if filter.isEmpty { return try nextWithoutConditions(rowsWanted) }
    while true {
      guard try refreshDomains(), let window = nextWindow() else {
        return survivorCount > 0 ? try emit() : nil
      }
      let block = self.block
      block.countAsRead()
      let columns = try filter.apply(rowCount: window.count) { (column, rows, count, keepsCodes) throws(QueryError) in
        try block.read(
          column, from: window.lowerBound, count: window.count, selection: rows, selectionCount: count,
          keepsCodes: keepsCodes)
      }
      let passed = filter.passedCount
      row = window.upperBound
      windowCount += 1
      if windowCount & 15 == 0 { sortConditions() }
      metrics.add(rowsRead: window.count)
      metrics.add(rowsPassed: passed)
      if passed == 0 {
        if survivorCount > 0, row - spanStart > BlockScan.longestSpan { return try emit() }
        continue
      }
      if survivorCount + passed > max(request.batchSize, 1)
        || (survivorCount > 0 && window.upperBound - spanStart > BlockScan.longestSpan)
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

  private func nextWithoutConditions(_ rowsWanted: Int) throws(QueryError) -> Batch? {
    guard try refreshDomains(), let window = nextWindow() else { return nil }
    block.countAsRead()
    let n = min(window.count, rowsWanted)
    row = window.lowerBound + n
    windowCount += 1
    metrics.add(rowsPassed: n)
    var columns: [Column] = []
    columns.reserveCapacity(request.columns.count)
    for index in request.columns.indices {
      if request.predicateOnlyColumns.contains(index) {
        columns.append(.nulls(request.columns[index].type, count: n))
      } else {
        columns.append(
          try block.read(
            index, from: window.lowerBound, count: n, selection: nil, selectionCount: 0, keepsCodes: false))
      }
    }
    return Batch(columns: columns, rowCount: n)
  }

  /// Adds a window's survivors to those waiting.
  private func add(_ window: Range<Int>, _ passed: Int, _ columns: [Column?]) {
    if survivorCount == 0 { spanStart = window.lowerBound }
    spanEnd = window.upperBound
    let shift = Int32(truncatingIfNeeded: window.lowerBound - spanStart)
    let to = survivors.typed(Int32.self) + survivorCount
    var i = 0
    if let from = filter.passed {
      while i < passed {
        to[i] = from[i] &+ shift
        i &+= 1
      }
    } else {
      while i < passed {
        to[i] = Int32(truncatingIfNeeded: i) &+ shift
        i &+= 1
      }
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
    columns.reserveCapacity(request.columns.count)
    for index in request.columns.indices {
      let type = request.columns[index].type
      if request.predicateOnlyColumns.contains(index) {
        columns.append(.nulls(type, count: count))
      } else if !pieces[index].isEmpty {
        var column = Column.joined(pieces[index], type: type)
        if column.encoding == .dictionary, column.type.physicalType != .string { column = column.flattened() }
        columns.append(count &* 2 < span ? withoutPages(column) : column)
      } else {
        columns.append(
          try block.read(
            index, from: spanStart, count: span, selection: rows, selectionCount: count, keepsCodes: false))
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
      !BlockScan.isBurden(entryCount: column.storage.count, rowCount: block.rowCount)
    {
      return column
    }
    return column.copyingStrings()
  }

  /// Entries of a dictionary that is no burden.
  private static let smallDictionary = 4096

  /// Whether a dictionary is large and has an entry for every few rows of its block.
  static func isBurden(entryCount: Int, rowCount: Int) -> Bool {
    entryCount > smallDictionary && entryCount &* 4 > rowCount
  }

  /// Tells the metrics what was spared.
  func close() { metrics.add(pagesPruned: block.prunedPageCount) }
}
