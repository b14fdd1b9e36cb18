import Columnar
import Glibc
import QueryErrors
import SQLFunctions

/// What an aggregation computes, with columns as positions in its input.
///
/// - Threads: immutable.
final class AggregateSpecification: @unchecked Sendable {
  /// One call.
  struct Call {
    enum Argument {
      case column(Int)
      case constant(Column)
    }
    var makeAccumulator: @Sendable () throws(QueryError) -> any GroupsAccumulator
    /// Lambdas left out.
    var arguments: [Argument]
    var argumentTypes: [DataType]
    var filter: Int?
    var isDistinct: Bool
    var ordering: [SortSpecification]
    var returnType: DataType

    /// Whether rows are kept until all are there, instead of going into the accumulator at once.
    var isDeferred: Bool { isDistinct || !ordering.isEmpty }

    /// The arguments of a batch.
    func columns(_ batch: Batch) -> [Column] {
      arguments.map { argument in
        switch argument {
        case .column(let index): batch.columns[index]
        case .constant(let column): column.resized(to: batch.rowCount)
        }
      }
    }
  }

  /// Positions of the grouping keys.
  let keys: [Int]
  let keyTypes: [DataType]
  /// Indices into `keys`.
  let sets: [[Int]]
  let calls: [Call]
  let hasSetIndex: Bool
  /// Per set the set whose groups it is made of: the smallest that has all its keys; nil for sets made of rows.
  let parents: [Int?]
  /// Sets in an order in which parents come first.
  let parentsFirst: [Int]
  let layouts: [KeyLayout]
  /// Argument and filter columns that calls read, for rows that are set aside.
  let argumentColumns: [Int]
  let argumentColumnTypes: [DataType]
  /// Whether rows can be set aside by partition.
  let canPartition: Bool
  /// All input columns that keys and calls read, for rows that go to disk, and their types.
  let usedColumns: [Int]
  let usedColumnTypes: [DataType]

  init(
    keys: [Int], keyTypes: [DataType], sets: [[Int]], calls: [Call], inputTypes: [DataType], hasSetIndex: Bool,
    collides: Bool
  ) {
    self.keys = keys
    self.keyTypes = keyTypes
    self.sets = sets
    self.calls = calls
    self.hasSetIndex = hasSetIndex
    parentsFirst = sets.indices.sorted { (sets[$0].count, $1) > (sets[$1].count, $0) }
    // Kept rows of DISTINCT and ORDER BY have no groups to be made of.
    let canDerive = sets.count > 1 && !calls.contains(where: \.isDeferred)
    var parents: [Int?] = sets.map { _ in nil }
    if canDerive {
      for (place, index) in parentsFirst.enumerated() {
        let candidates = parentsFirst[..<place].filter { Set(sets[$0]).isSuperset(of: sets[index]) }
        parents[index] = candidates.min { sets[$0].count < sets[$1].count }
      }
    }
    self.parents = parents
    layouts = sets.map { set in KeyLayout(set.map { keyTypes[$0] }, collides: collides) }
    var used: [Int] = []
    for call in calls {
      for case .column(let index) in call.arguments where !used.contains(index) { used.append(index) }
      if let filter = call.filter, !used.contains(filter) { used.append(filter) }
    }
    var all = used
    for key in keys where !all.contains(key) { all.append(key) }
    for call in calls { for key in call.ordering where !all.contains(key.position) { all.append(key.position) } }
    usedColumns = all
    usedColumnTypes = all.map { inputTypes[$0] }
    argumentColumns = used
    argumentColumnTypes = used.map { inputTypes[$0] }
    canPartition =
      !calls.contains(where: \.isDeferred) && argumentColumnTypes.allSatisfy { $0.physicalType.byteWidth > 0 }
      && layouts.allSatisfy(\.encodedColumns.isEmpty)
  }

  /// The columns that keys and calls read.
  func usedBatch(_ batch: Batch) -> Batch {
    Batch(columns: usedColumns.map { batch.columns[$0] }, rowCount: batch.rowCount)
  }

  /// What `usedBatch` left over, at the positions of the input.
  func inputBatch(_ used: Batch) -> Batch {
    guard let last = usedColumns.max() else { return used }
    let filler = used.columns[0]
    var columns = Array(repeating: filler, count: last + 1)
    for (column, position) in zip(used.columns, usedColumns) { columns[position] = column }
    return Batch(columns: columns, rowCount: used.rowCount)
  }

  /// Whether rows of a set can go to disk: they are told apart by their keys.
  func canSpill(_ set: Int) -> Bool { !sets[set].isEmpty }

  /// Whether rows set aside for a set can be grouped before all are there: what is kept of them would otherwise keep all
  /// their strings.
  func canGroupAside(_ set: Int) -> Bool {
    !layouts[set].hasStrings && argumentColumnTypes.allSatisfy { $0.physicalType != .string }
  }

  func makeAccumulators() throws(QueryError) -> [any GroupsAccumulator] {
    var result: [any GroupsAccumulator] = []
    for call in calls { result.append(try call.makeAccumulator()) }
    return result
  }
}

/// Groups, accumulators and kept rows of one grouping set: a worker's, or a merged partition's.
///
/// - Threads: one owner; a worker's may be read by several mergers once sealed, each taking other groups.
final class AggregateState: @unchecked Sendable {
  let specification: AggregateSpecification
  let setIndex: Int
  let table: GroupTable?
  let accumulators: [any GroupsAccumulator]
  private var accumulatorGroups = 0
  /// Rows of DISTINCT and ORDER BY calls, by call.
  private(set) var kept: [KeptRows?]
  private var groupBuffer = Buffer(byteCount: 0)
  private var selection = Buffer(byteCount: 0)
  /// Filtered groups.
  private var chosenGroups = Buffer(byteCount: 0)

  init(_ specification: AggregateSpecification, setIndex: Int, expectedGroups: Int = 0) throws(QueryError) {
    self.specification = specification
    self.setIndex = setIndex
    let set = specification.sets[setIndex]
    table = set.isEmpty ? nil : GroupTable(specification.layouts[setIndex], expectedGroups: expectedGroups)
    accumulators = try specification.makeAccumulators()
    kept = specification.calls.map { call in
      call.isDeferred ? KeptRows(call, isGrouped: !set.isEmpty, collides: specification.layouts[setIndex].collides) : nil
    }
    if table == nil { growAccumulators() }
  }

  var groupCount: Int { table?.groupCount ?? 1 }

  /// Whether `n` rows more may make tables grow, which takes about as much again as they hold.
  func mayGrowTables(_ n: Int) -> Bool {
    table?.mayGrow(n) ?? false || kept.contains { $0?.mayGrow(n) ?? false }
  }

  /// Whether the groups' results take about as much again as the groups.
  var keepsRows: Bool { accumulators.contains(where: \.keepsRows) }

  /// Whether arguments of DISTINCT calls can go to disk where there are no keys to go by.
  var canSpillDistinct: Bool { table == nil && kept.contains { $0.map { $0.canSpill && $0.spilled == nil } ?? false } }

  /// Lets further arguments of DISTINCT calls go to disk.
  func spillDistinct(_ consumer: MemoryConsumer, _ context: QueryContext) {
    for kept in kept where table == nil { kept?.startSpilling(consumer, context) }
  }

  var byteCount: Int {
    (table?.byteCount ?? 0) + accumulators.reduce(0) { $0 + $1.byteCount } + kept.reduce(0) { $0 + ($1?.byteCount ?? 0) }
  }

  private func growAccumulators() {
    let count = groupCount
    if count > accumulatorGroups {
      for accumulator in accumulators { accumulator.resize(groupCount: count) }
      accumulatorGroups = count
    }
  }

  /// Adds a batch of input.
  func add(_ batch: Batch) throws(QueryError) {
    let n = batch.rowCount
    guard let table else { return try update(batch, groups: nil) }
    if groupBuffer.byteCount < n * 4 { groupBuffer = Buffer(byteCount: n * 4) }
    let groups = groupBuffer.typed(Int32.self)
    let set = specification.sets[setIndex]
    try table.assign(set.map { batch.columns[specification.keys[$0]] }, rowCount: n, into: groups)
    try update(batch, groups: groups)
  }

  /// Adds rows that were set aside.
  ///
  /// - Parameter heap: keeps their long strings.
  func add(_ chunks: [PartitionedRows.Chunk], heap: StringHeap?) throws(QueryError) {
    guard let table else { return }
    if table.layout.hasStrings { table.keep(heap) }
    var hashes = Buffer(byteCount: 0)
    for chunk in chunks {
      let n = chunk.count
      if groupBuffer.byteCount < n * 4 { groupBuffer = Buffer(byteCount: n * 4) }
      let groups = groupBuffer.typed(Int32.self)
      let words = chunk.words.typed(UInt64.self)
      if table.layout.isInteger {
        try table.assignIntegers(
          UnsafeMutableRawPointer(words).assumingMemoryBound(to: Int64.self),
          nulls: chunk.nulls.map { UnsafePointer($0.typed(UInt8.self)) }, n, groups)
      } else {
        if hashes.byteCount < n * 8 { hashes = Buffer(byteCount: n * 8) }
        KeyRows.hash(table.layout, words, n, into: hashes.typed(UInt64.self))
        try table.assignWords(words, hashes.typed(UInt64.self), n, false, groups)
      }
      let columns = chunk.columns(specification.argumentColumnTypes, heap: heap)
      try update(Batch(columns: placed(columns, n), rowCount: n), groups: groups)
    }
  }

  /// Adds rows that were on disk.
  ///
  /// - Shape: `batch`: the specification's `usedColumns`.
  func add(used batch: Batch) throws(QueryError) {
    try add(specification.inputBatch(batch))
  }

  /// Argument columns at the positions the calls look for them.
  private func placed(_ columns: [Column], _ rowCount: Int) -> [Column] {
    guard let last = specification.argumentColumns.max() else { return [] }
    let filler = columns.first ?? .nulls(.boolean, count: rowCount)
    var result = Array(repeating: filler, count: last + 1)
    for (column, position) in zip(columns, specification.argumentColumns) { result[position] = column }
    return result
  }

  /// Adds rows whose groups are known.
  func update(_ batch: Batch, groups: UnsafePointer<Int32>?) throws(QueryError) {
    growAccumulators()
    for (index, call) in specification.calls.enumerated() {
      guard let filter = call.filter else {
        try update(index, call, batch, call.columns(batch), groups)
        continue
      }
      let n = batch.rowCount
      if selection.byteCount < n * 4 {
        selection = Buffer(byteCount: n * 4)
        chosenGroups = Buffer(byteCount: n * 4)
      }
      let rows = selection.typed(Int32.self)
      let count = AggregateState.selectTrue(batch.columns[filter], rows)
      if count == 0 { continue }
      if count == n {
        try update(index, call, batch, call.columns(batch), groups)
        continue
      }
      let chosen = batch.take(rows, count: count)
      if let groups {
        let out = chosenGroups.typed(Int32.self)
        var i = 0
        while i < count {
          out[i] = groups[Int(rows[i])]
          i &+= 1
        }
        try update(index, call, chosen, call.columns(chosen), out)
      } else {
        try update(index, call, chosen, call.columns(chosen), nil)
      }
    }
  }

  private func update(
    _ index: Int, _ call: AggregateSpecification.Call, _ batch: Batch, _ arguments: [Column],
    _ groups: UnsafePointer<Int32>?
  ) throws(QueryError) {
    if let kept = kept[index] {
      try kept.add(
        arguments, ordering: call.ordering.map { batch.columns[$0.position] }, groups: groups, rowCount: batch.rowCount)
    } else {
      try accumulators[index].update(arguments, groups: groups, rowCount: batch.rowCount)
    }
  }

  /// The rows where a boolean column is true.
  static func selectTrue(_ column: Column, _ rows: UnsafeMutablePointer<Int32>) -> Int {
    let view = column.view
    let p = view.values.assumingMemoryBound(to: UInt8.self)
    let n = column.count
    return withExtendedLifetime(column) {
      var count = 0
      var row = 0
      while row < n {
        rows[count] = Int32(truncatingIfNeeded: row)
        count &+= Int(p[view.position(row)]) & bit(!view.isNull(row))
        row &+= 1
      }
      return count
    }
  }

  // MARK: Merging

  /// No more rows will come: what mergers read is fixed.
  func seal() {
    table?.seal()
    for kept in kept { kept?.seal() }
  }

  /// Adds groups of a worker's state, kept rows left out.
  ///
  /// - Shape: `sources`: `count` groups of `other`; their groups here go to `targets`.
  func merge(
    _ other: AggregateState, _ sources: UnsafePointer<Int32>, count: Int, targets: UnsafeMutablePointer<Int32>
  ) throws(QueryError) {
    if let table, let otherTable = other.table {
      try table.assign(from: otherTable, sources, count: count, into: targets)
    } else {
      for i in 0..<count { targets[i] = 0 }
    }
    growAccumulators()
    for (index, accumulator) in accumulators.enumerated() where kept[index] == nil {
      try accumulator.merge(other.accumulators[index], sources: sources, targets: targets, count: count)
    }
  }

  /// Adds all groups of a state.
  func mergeAll(_ other: AggregateState) throws(QueryError) {
    other.seal()
    let n = other.groupCount
    let (sources, targets) = (Buffer(byteCount: n * 4), Buffer(byteCount: n * 4))
    for group in 0..<n { sources.typed(Int32.self)[group] = Int32(group) }
    try merge(other, sources.typed(Int32.self), count: n, targets: targets.typed(Int32.self))
  }

  /// Adds all groups of a state of the same worker whose set has all keys of this one's; that one gets no more rows.
  func add(groupsOf other: AggregateState) throws(QueryError) {
    other.seal()
    let set = specification.sets[setIndex]
    let from = specification.sets[other.setIndex]
    let step = Batch.defaultRowCount
    let (sources, targets) = (Buffer(byteCount: step * 4), Buffer(byteCount: step * 4))
    let (p, q) = (sources.typed(Int32.self), targets.typed(Int32.self))
    var start = 0
    while start < other.groupCount {
      let n = min(step, other.groupCount - start)
      for i in 0..<n { p[i] = Int32(start + i) }
      if let table, let otherTable = other.table {
        let columns = otherTable.keyColumns(start..<start + n)
        try table.assign(set.map { columns[from.firstIndex(of: $0)!] }, rowCount: n, into: q)
      } else {
        memset(q, 0, n * 4)
      }
      growAccumulators()
      for (accumulator, own) in zip(other.accumulators, accumulators) {
        try own.merge(accumulator, sources: p, targets: q, count: n)
      }
      start += n
    }
  }

  /// Feeds kept rows, sorted and without duplicates as the call wants, into the accumulator.
  ///
  /// - Parameter rows: the arguments and sort keys; `groups` are groups here.
  func finishKept(
    _ index: Int, arguments: [Column], ordering: [Column], groups: UnsafePointer<Int32>?, rowCount: Int
  ) throws(QueryError) {
    if rowCount == 0 { return }
    let call = specification.calls[index]
    var arguments = arguments
    var ownGroups: Buffer?
    var groups = groups
    var rowCount = rowCount
    func takeRows(_ rows: UnsafePointer<Int32>, _ count: Int) {
      arguments = arguments.map { $0.take(rows, count: count) }
      if let from = groups {
        let taken = Buffer(byteCount: count * 4)
        let out = taken.typed(Int32.self)
        for i in 0..<count { out[i] = from[Int(rows[i])] }
        groups = UnsafePointer(out)
        ownGroups = taken
      }
      rowCount = count
    }
    if !call.ordering.isEmpty {
      // All rows in the order of the keys; within a group that is the order wanted.
      let sorter = RowSorter(ordering, call.ordering.map(\.order), rowCount: rowCount)
      let order = sorter.sortAll()
      takeRows(order.typed(Int32.self), rowCount)
    }
    if call.isDistinct {
      let layout = KeyLayout(
        (groups == nil ? [] : [.integer]) + call.argumentTypes, collides: specification.layouts[setIndex].collides)
      let distinct = GroupTable(layout, expectedGroups: rowCount)
      var columns = arguments
      if let groups {
        let values = Buffer(byteCount: rowCount * 4)
        memcpy(values.pointer, groups, rowCount * 4)
        columns.insert(Column(flat: .integer, count: rowCount, values: values, validity: nil), at: 0)
      }
      let found = Buffer(byteCount: rowCount * 4)
      let p = found.typed(Int32.self)
      try distinct.assign(columns, rowCount: rowCount, into: p)
      // The first row of each group; NULL may have got its group before rows that come first.
      let seen = Buffer.zeroed(byteCount: distinct.groupCount)
      let flags = seen.typed(UInt8.self)
      var count = 0
      for row in 0..<rowCount where flags[Int(p[row])] == 0 {
        flags[Int(p[row])] = 1
        p[count] = Int32(row)
        count += 1
      }
      takeRows(p, count)
    }
    try accumulators[index].update(arguments, groups: groups, rowCount: rowCount)
    withExtendedLifetime(ownGroups) {}
  }

  // MARK: Results

  /// The output columns of groups `range`: all keys, calls, set index.
  func output(_ range: Range<Int>) throws(QueryError) -> Batch {
    var columns: [Column] = []
    let set = specification.sets[setIndex]
    let own = table?.keyColumns(range) ?? []
    for (index, type) in specification.keyTypes.enumerated() {
      if let at = set.firstIndex(of: index) {
        columns.append(own[at].retyped(type))
      } else {
        columns.append(.nulls(type, count: range.count))
      }
    }
    for (accumulator, call) in zip(accumulators, specification.calls) {
      columns.append(try accumulator.finish(range).retyped(call.returnType))
    }
    if specification.hasSetIndex {
      columns.append(.constant(.integer(Int64(setIndex)), .bigint, count: range.count))
    }
    return Batch(columns: columns, rowCount: range.count)
  }
}

/// The rows of one DISTINCT or ORDER BY call, kept until all are there.
///
/// DISTINCT without ORDER BY keeps each combination of group and arguments once, or all rows where they hardly repeat.
///
/// - Threads: one owner until sealed.
final class KeptRows: @unchecked Sendable {
  private let isGrouped: Bool
  private let argumentTypes: [DataType]
  private let set: GroupTable?
  /// Whether rows may be kept as they are: strings would keep the pages they lie in.
  private let mayGiveUpSet: Bool
  private var isSetGivenUp = false
  private var rowsSeen = 0
  private var groupsAtCheck = 0
  private var batches: [Batch] = []
  private var heldBytes = 0
  private var scratch = Buffer(byteCount: 0)
  /// Once sealed: group column if grouped, arguments, sort keys.
  private(set) var columns: [Column] = []
  private(set) var rowCount = 0

  init(_ call: AggregateSpecification.Call, isGrouped: Bool, collides: Bool) {
    self.isGrouped = isGrouped
    argumentTypes = call.argumentTypes
    set =
      call.ordering.isEmpty
      ? GroupTable(KeyLayout((isGrouped ? [.integer] : []) + call.argumentTypes, collides: collides)) : nil
    mayGiveUpSet =
      isGrouped && call.argumentTypes.allSatisfy { (1...16).contains($0.physicalType.byteWidth) && $0.physicalType != .string }
  }

  // MARK: To disk

  /// Rows that came when memory was short.
  private(set) var spilled: SpilledDistinctRows?

  /// Whether equal arguments can be told apart partition by partition.
  var canSpill: Bool { self.set != nil && !isGrouped }

  func mayGrow(_ n: Int) -> Bool { !isSetGivenUp && spilled == nil && set?.mayGrow(n) ?? false }

  func startSpilling(_ consumer: MemoryConsumer, _ context: QueryContext) {
    guard canSpill, spilled == nil, let set else { return }
    spilled = SpilledDistinctRows(set.layout, consumer, context)
  }

  /// Hands all rows over.
  func take(into all: SpilledDistinctRows) throws(QueryError) {
    seal()
    let step = 1 << 15
    var start = 0
    while start < rowCount {
      let n = min(step, rowCount - start)
      try all.add(Batch(columns: columns.map { $0.slice(offset: start, count: n) }, rowCount: n))
      start += n
    }
    columns = []
    rowCount = 0
    all.rows.scatter()
    if let spilled {
      spilled.rows.scatter()
      for (own, other) in zip(all.rows.partitions, spilled.rows.partitions) { own.append(contentsOf: other) }
    }
  }

  /// Rows after which it is looked at how many of them were met before.
  private static let trialRowCount = 1 << 17

  var byteCount: Int { (set?.byteCount ?? 0) + heldBytes }
  /// The rows kept so far.
  var heldRowCount: Int { columns.isEmpty ? (set?.groupCount ?? 0) + batches.reduce(0) { $0 + $1.rowCount } : rowCount }

  func add(
    _ arguments: [Column], ordering: [Column], groups: UnsafePointer<Int32>?, rowCount n: Int
  ) throws(QueryError) {
    var columns = arguments
    if let groups {
      let values = Buffer(byteCount: n * 4)
      memcpy(values.pointer, groups, n * 4)
      columns.insert(Column(flat: .integer, count: n, values: values, validity: nil), at: 0)
    }
    if let spilled {
      try spilled.add(Batch(columns: columns, rowCount: n))
    } else if let set, !isSetGivenUp {
      if scratch.byteCount < n * 4 { scratch = Buffer(byteCount: n * 4) }
      try set.assign(columns, rowCount: n, into: scratch.typed(Int32.self))
      rowsSeen += n
      if mayGiveUpSet, rowsSeen >= KeptRows.trialRowCount {
        isSetGivenUp = (set.groupCount - groupsAtCheck) * 2 > rowsSeen
        groupsAtCheck = set.groupCount
        rowsSeen = 0
      }
    } else {
      let batch = Batch(columns: columns.map { $0.flattened() } + ordering, rowCount: n)
      batches.append(batch)
      heldBytes += batch.approximateByteCount
    }
  }

  /// Makes `columns`.
  func seal() {
    if let set {
      set.seal()
      batches.insert(Batch(columns: set.keyColumns(0..<set.groupCount), rowCount: set.groupCount), at: 0)
    }
    if let first = batches.first {
      let all = BatchCoalescer.concatenate(batches, types: first.columns.map(\.type))
      columns = all.columns
      rowCount = all.rowCount
      batches = []
    }
  }

  /// The group of each row; nil when there is one group only.
  var groups: UnsafePointer<Int32>? {
    isGrouped && rowCount > 0 ? UnsafePointer(columns[0].flattened().values!.typed(Int32.self)) : nil
  }

  /// Arguments and sort keys of all rows.
  var all: (arguments: [Column], ordering: [Column]) {
    let all = isGrouped ? Array(columns.dropFirst()) : columns
    return (Array(all.prefix(argumentTypes.count)), Array(all.dropFirst(argumentTypes.count)))
  }

  /// Arguments and sort keys of some rows.
  func take(_ rows: UnsafePointer<Int32>, count: Int) -> (arguments: [Column], ordering: [Column]) {
    let all = (isGrouped ? Array(columns.dropFirst()) : columns).map { $0.take(rows, count: count) }
    return (Array(all.prefix(argumentTypes.count)), Array(all.dropFirst(argumentTypes.count)))
  }
}
