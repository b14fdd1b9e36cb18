import Columnar
import FileFormats
import ObjectStore
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import Synchronization
import TableCatalog

/// Reads a table's files: a morsel is a split of a file.
///
/// Predicates over file columns go into the readers. Partition and hidden columns are constants of a file: predicates on
/// them alone decide about whole files, mixed ones are specialised per file.
final class TableScanSource: MorselSource, ClusterableSource, @unchecked Sendable {
  // MARK: Fixed for the query
  private let scan: ScanNode
  private let files: FileSet
  private let context: QueryContext
  /// The columns yielded.
  let outputs: [ScanNode.Column]
  /// Predicates that may fail for rows the others drop: for the operator above.
  let residual: [Expression]
  private let safePredicates: [Expression]
  private let requestColumns: [ScanNode.Column]
  /// Where each output stands among `requestColumns`; nil for constants of a file.
  private let outputColumns: [Int?]
  private let scanColumns: [ScanColumn]
  private let predicateOnly: Set<Int>
  private let isLazy: Bool
  private let scanMetrics = ScanMetrics()
  private let limit: Int?
  /// Along which lines files are cut; set before the query runs.
  private var splitUnit = SplitUnit.size

  // MARK: Changes while running
  private var morsels: [Morsel] = []
  private var plans: [FilePlan?] = []
  /// Morsels before this one were asked for ahead.
  private let prefetchedEnd = Atomic<Int>(0)

  /// A split, and the plan of its file.
  private struct Morsel {
    var file: Int
    var split: Split
  }

  /// What is the same for all splits of a file.
  private struct FilePlan {
    var scan: any FileScan
    /// One row each: constants of the file, by output position.
    var constants: [Int: Column]
  }

  /// Bytes of a split that splits anywhere.
  private static let largestSplit = 64 << 20
  private static let smallestSplit = 4 << 20

  /// - Parameter needed: outputs that somebody uses; the others are not yielded.
  /// - Parameter isLazy: whether files are opened one after the other, as few as the rows wanted take.
  init(
    _ node: QueryProfile.Node, _ scan: ScanNode, needed: Set<ColumnID>, isLazy: Bool, context: QueryContext
  ) throws(QueryError) {
    guard let files = scan.fileSet else {
      throw QueryError.internalError("scan of \(scan.table.name) without its files")
    }
    self.scan = scan
    self.files = files
    self.context = context
    self.isLazy = isLazy
    let safe = scan.predicates.filter { !$0.mayFail && $0.isDeterministic }
    residual = scan.predicates.filter { $0.mayFail || !$0.isDeterministic }
    safePredicates = safe
    var wanted = needed
    for predicate in residual { for column in predicate.columnsUsed { wanted.insert(column.id) } }
    outputs = scan.columns.filter { wanted.contains($0.reference.id) }
    var used: Set<ColumnID> = []
    for predicate in safe { for column in predicate.columnsUsed { used.insert(column.id) } }
    for filter in scan.dynamicFilters { used.insert(filter.column.id) }
    let fileColumns = scan.columns.filter { column in
      guard case .file = column.source else { return false }
      return wanted.contains(column.reference.id) || used.contains(column.reference.id)
    }
    requestColumns = fileColumns
    var places: [ColumnID: Int] = [:]
    for (place, column) in fileColumns.enumerated() { places[column.reference.id] = place }
    outputColumns = outputs.map { output in
      guard case .file = output.source else { return nil }
      return places[output.reference.id]
    }
    var scanColumns: [ScanColumn] = []
    for column in fileColumns {
      guard case .file(let index) = column.source, index < scan.table.columns.count else { continue }
      scanColumns.append(
        ScanColumn(name: scan.table.columns[index].name, type: column.reference.type, ordinal: index))
    }
    self.scanColumns = scanColumns
    predicateOnly = Set(fileColumns.indices.filter { !wanted.contains(fileColumns[$0].reference.id) })
    limit = residual.isEmpty ? scan.limit : nil
    super.init(node)
    node.scan = scanMetrics
  }

  override var morselCount: Int { isLazy ? 1 : morsels.count }

  override func prepare(_ scheduler: Scheduler) throws(QueryError) {
    node.note("files", "\(files.files.count)")
    plans = Array(repeating: nil, count: files.files.count)
    if isLazy { return }
    let count = files.files.count
    let results = Results(count: count)
    let target = splitTarget
    try files.openAhead()
    try scheduler.forEach(count) { [self] (index) throws(QueryError) in
      guard let plan = try self.plan(index) else { return }
      let splits = try plan.scan.splits(targetByteCount: target, unit: splitUnit)
      results.set(index, plan, splits)
    }
    morsels = []
    for index in 0..<count {
      let (plan, splits) = results.take(index)
      plans[index] = plan
      for split in splits { morsels.append(Morsel(file: index, split: split)) }
    }
    if context.threads > 1, splitUnit == .size { try cutLastMorsels() }
    context.progress.plan(byteCount: morsels.reduce(0) { $0 + $1.split.scanByteCount }, splits: morsels.count)
  }

  /// Makes the last morsels smaller, so that no worker is left with much when the others are done.
  private func cutLastMorsels() throws(QueryError) {
    let last = morsels.suffix(context.threads)
    morsels.removeLast(last.count)
    for morsel in last {
      let plan = plans[morsel.file]!
      let parts = try plan.scan.parts(of: morsel.split, count: TableScanSource.partsOfLast)
      for part in parts { morsels.append(Morsel(file: morsel.file, split: part)) }
    }
  }

  private static let partsOfLast = 4

  override func release() {
    plans = []
    morsels = []
  }

  /// What parallel opening yields.
  private final class Results: @unchecked Sendable {
    private var items: [(FilePlan?, [Split])]
    private let lock = Mutex(())
    init(count: Int) { items = Array(repeating: (nil, []), count: count) }
    func set(_ index: Int, _ plan: FilePlan, _ splits: [Split]) { lock.withLock { _ in items[index] = (plan, splits) } }
    func take(_ index: Int) -> (FilePlan?, [Split]) { lock.withLock { _ in items[index] } }
  }

  private var splitTarget: Int {
    let total = Int(clamping: files.listing.byteCount)
    return min(TableScanSource.largestSplit, max(TableScanSource.smallestSplit, total / (context.threads * 8)))
  }

  override func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    if isLazy { return LazyReader(self) }
    prefetch(behind: morsel)
    let morsel = morsels[morsel]
    return try makeReader(plans[morsel.file]!, morsel.split)
  }

  /// Morsels asked for ahead, for each worker.
  private static let prefetchedMorsels = 2

  /// Says that this morsel and those that come next will be read.
  private func prefetch(behind morsel: Int) {
    let end = min(morsels.count, morsel + 1 + context.threads * TableScanSource.prefetchedMorsels)
    let start = max(morsel, prefetchedEnd.load(ordering: .relaxed))
    guard start < end else { return }
    for index in start..<end {
      plans[morsels[index].file]?.scan.prefetch(morsels[index].split)
    }
    prefetchedEnd.store(end, ordering: .relaxed)
  }

  private func makeReader(_ plan: FilePlan, _ split: Split) throws(QueryError) -> any BatchReader {
    let reader = try plan.scan.makeReader(split)
    var sources: [OutputReader.Source] = []
    sources.reserveCapacity(outputs.count)
    for index in outputs.indices {
      if let constant = plan.constants[index] {
        sources.append(.constant(constant))
      } else if let column = outputColumns[index] {
        sources.append(.file(column))
      }
    }
    return OutputReader(reader, sources, context.progress)
  }

  /// Attaches the file's constants to what its reader yields.
  private final class OutputReader: BatchReader {
    enum Source {
      case file(Int)
      case constant(Column)
    }
    private let reader: any BatchReader
    private let sources: [Source]
    private let progress: QueryProgress

    init(_ reader: any BatchReader, _ sources: [Source], _ progress: QueryProgress) {
      self.reader = reader
      self.sources = sources
      self.progress = progress
    }

    func next() throws(QueryError) -> Batch? {
      guard let batch = try reader.next() else {
        progress.finishSplit()
        return nil
      }
      var columns: [Column] = []
      columns.reserveCapacity(sources.count)
      for source in sources {
        switch source {
        case .file(let index): columns.append(batch.columns[index])
        case .constant(let column): columns.append(column.resized(to: batch.rowCount))
        }
      }
      return Batch(columns: columns, rowCount: batch.rowCount)
    }
  }

  // MARK: Bounds of values

  /// What metadata tells of an output's values in each block of each file; nil when it does not tell all.
  private func blockBounds(of output: ColumnID) -> [[ClosedRange<Int64>?]]? {
    guard !isLazy, let column = requestColumns.firstIndex(where: { $0.reference.id == output }),
      files.files.allSatisfy({ $0.absentColumns.isEmpty })
    else { return nil }
    var result: [[ClosedRange<Int64>?]] = []
    for index in files.files.indices {
      guard let file = try? files.open(index), let bounds = file.blockBounds(of: scanColumns[column]) else {
        return nil
      }
      result.append(bounds)
    }
    return result
  }

  func isClustered(by output: ColumnID) -> Bool {
    guard files.files.count <= TableScanSource.largestClusteredFileCount,
      let ranges = blockBounds(of: output)?.joined().compactMap({ $0 }).sorted(by: { $0.lowerBound < $1.lowerBound }),
      ranges.count >= TableScanSource.smallestClusteredCount
    else { return false }
    var overlapping = 0
    for (range, previous) in zip(ranges.dropFirst(), ranges)
    where range.lowerBound < previous.upperBound || range.upperBound == previous.upperBound { overlapping += 1 }
    return overlapping * 4 <= ranges.count
  }

  private static let largestClusteredFileCount = 256
  private static let smallestClusteredCount = 4

  func keepsClusters() { splitUnit = .block }

  func morselBounds(of output: ColumnID) -> [ClosedRange<Int64>?]? {
    guard let column = requestColumns.firstIndex(where: { $0.reference.id == output }),
      files.files.allSatisfy({ $0.absentColumns.isEmpty })
    else { return nil }
    var result: [ClosedRange<Int64>?] = []
    for morsel in morsels {
      switch plans[morsel.file]!.scan.bounds(of: column, in: morsel.split) {
      case .unknown: return nil
      case .noValues: result.append(nil)
      case .range(let range): result.append(range)
      }
    }
    return result
  }

  /// Reads all files one after the other, opening each when it is its turn.
  private final class LazyReader: BatchReader {
    private let source: TableScanSource
    private var file = 0
    private var splits: [Split] = []
    private var plan: FilePlan?
    private var current: (any BatchReader)?

    init(_ source: TableScanSource) { self.source = source }

    func next() throws(QueryError) -> Batch? {
      while true {
        if let current, let batch = try current.next() { return batch }
        current = nil
        if !splits.isEmpty, let plan {
          current = try source.makeReader(plan, splits.removeFirst())
          continue
        }
        if file >= source.files.files.count { return nil }
        plan = try source.plan(file)
        file += 1
        if let plan {
          splits = try plan.scan.splits(targetByteCount: TableScanSource.smallestSplit, unit: .size)
          source.context.progress.plan(byteCount: splits.reduce(0) { $0 + $1.scanByteCount }, splits: splits.count)
        }
      }
    }
  }

  // MARK: One file

  /// How to read a file; nil when its partition values already fail a predicate.
  private func plan(_ index: Int) throws(QueryError) -> FilePlan? {
    let file = files.files[index]
    var constants: [Int: Column] = [:]
    var values: [ColumnID: Scalar] = [:]
    for column in scan.columns {
      guard let value = fileConstant(column, file) else { continue }
      values[column.reference.id] = value
      if let output = outputs.firstIndex(where: { $0.reference == column.reference }) {
        constants[output] = .constant(value, column.reference.type, count: 1)
      }
    }
    var request = ScanRequest(
      columns: scanColumns, batchSize: context.batchSize, limit: limit, predicateOnlyColumns: predicateOnly)
    request.badRows = context.badRows?.scan(of: scan.table.name.name, in: scan.table.name.database)
    let position: [ColumnID: Int] = Dictionary(
      uniqueKeysWithValues: requestColumns.enumerated().map { ($1.reference.id, $0) })
    var fileConditions: [Expression] = []
    for predicate in safePredicates {
      let used = predicate.columnsUsed
      let fixed = used.filter { values[$0.id] != nil }
      if fixed.isEmpty, !used.isEmpty {
        fileConditions.append(predicate)
        continue
      }
      var replacements: [ColumnID: Expression] = [:]
      for column in fixed { replacements[column.id] = .constant(values[column.id]!, column.type) }
      let specialised = predicate.replacing(replacements)
      if fixed.count < used.count {
        fileConditions.append(specialised)
        continue
      }
      let evaluator = try PredicateEvaluator(specialised, inputs: [], session: context.session)
      let selection = Buffer(byteCount: 17 * 4)
      if try evaluator.select(Batch(columns: [], rowCount: 1), into: selection.typed(Int32.self)) == 0 { return nil }
    }
    for predicate in fileConditions {
      let inputs = requestColumns.map(\.reference).filter { predicate.columnsUsed.contains($0) }
      let session = context.session
      request.predicates.append(
        ScanPredicate(
          columns: inputs.map { position[$0.id]! }, isDictionarySafe: true,
          makeEvaluator: { ExpressionPredicate(predicate, inputs, session) }))
    }
    request.domain = DomainExtraction.rowDomain(of: fileConditions) { position[$0.id] }
    for dynamic in scan.dynamicFilters {
      let filters = context.dynamicFilters
      guard let filter = filters.filter(dynamic.id) else { continue }
      if let value = values[dynamic.column.id] {
        if value.isNull || filter.domain?.overlaps(min: value, max: value, mayHaveNulls: false) == false { return nil }
        continue
      }
      guard let at = position[dynamic.column.id] else { continue }
      request.dynamicDomains.append(DynamicDomain(column: at, rowsNeeded: filter.rowsNeeded) { filter.domain })
      if filter.testsRows {
        request.predicates.append(
          ScanPredicate(
            columns: [at], isDictionarySafe: filter.isDictionarySafe, makeEvaluator: { filter.makeEvaluator() }))
      }
    }
    if scan.table.path != nil {
      request.wantsAllColumns = !isLazy && scanColumns.count == scan.table.columns.count
      request.wholeColumns = Set(
        scanColumns.indices.filter { place in
          let column = scanColumns[place]
          return column.type.isNested && scan.table.columns[column.ordinal].type == column.type
        })
    }
    let opened = try files.open(index)
    try scan.table.path?.check(
      opened, file.info, columns: scanColumns, all: isLazy || !scan.readsAllFileColumns ? nil : scan.table.columns)
    return FilePlan(scan: try opened.scan(request, metrics: scanMetrics), constants: constants)
  }

  /// The value of a partition or hidden column, or NULL for one that the partition lacks; nil for columns in the file.
  private func fileConstant(_ column: ScanNode.Column, _ file: TableFile) -> Scalar? {
    switch column.source {
    case .file(let index): return file.absentColumns.contains(index) ? .null : nil
    case .partition(let index):
      return index < file.partitionValues.count ? file.partitionValues[index] : .null
    case .path: return .string(file.info.path)
    case .fileSize: return .integer(Int64(clamping: file.info.byteCount))
    case .fileModifiedTime:
      // Milliseconds, as picoseconds beside the zone key of UTC.
      let millis = Int128(file.info.modificationTime / 1_000_000)
      return .int128((millis * 1_000_000_000) << 16)
    case .partitionName:
      return file.partitionName.map { .string($0) } ?? .null
    case .bucket: return file.bucket.map { .integer(Int64($0)) } ?? .null
    }
  }
}

/// A scan predicate that evaluates an expression.
private final class ExpressionPredicate: ScanPredicateEvaluator {
  private let predicate: Expression
  private let inputs: [ColumnReference]
  private let session: SessionContext
  private var evaluator: PredicateEvaluator?

  init(_ predicate: Expression, _ inputs: [ColumnReference], _ session: SessionContext) {
    self.predicate = predicate
    self.inputs = inputs
    self.session = session
  }

  func select(
    _ columns: [Column], rowCount: Int, into selection: UnsafeMutablePointer<Int32>
  ) throws(QueryError) -> Int {
    let evaluator: PredicateEvaluator
    if let made = self.evaluator {
      evaluator = made
    } else {
      evaluator = try PredicateEvaluator(predicate, inputs: inputs, session: session)
      self.evaluator = evaluator
    }
    return try evaluator.select(Batch(columns: columns, rowCount: rowCount), into: selection)
  }
}
