import Columnar
import Glibc
import ObjectStore
import QueryErrors
import SQLExpressions

/// What a join yields, seen from its probe side.
enum JoinOutcome: Sendable {
  /// Pairs.
  case inner
  /// Pairs, and probe rows without partner with NULLs.
  case probeOuter
  /// Pairs; build rows without partner come later, from a branch of their own.
  case buildOuter
  /// Both.
  case fullOuter
  /// Probe rows with a partner.
  case semi
  /// Probe rows without.
  case anti
  /// All probe rows, and whether they have a partner.
  case mark
  /// Nothing now; build rows with a partner come later.
  case buildSemi
  /// Nothing now; build rows without partner come later.
  case buildAnti

  var yieldsPairs: Bool {
    switch self {
    case .inner, .probeOuter, .buildOuter, .fullOuter: true
    default: false
    }
  }
  var keepsProbeRows: Bool { self == .probeOuter || self == .fullOuter }
  var marksBuildRows: Bool {
    switch self {
    case .buildOuter, .fullOuter, .buildSemi, .buildAnti: true
    default: false
    }
  }
}

/// How a join probes and what it hands on.
struct JoinProbeSpecification {
  /// Where an output column comes from.
  enum Output {
    case probe(Int)
    case build(Int)
    /// The mark of a mark join.
    case mark
  }

  var outcome: JoinOutcome
  /// Positions of the probe's keys; empty for joins without keys.
  var keys: [Int]
  /// Per key: `IS NOT DISTINCT FROM`.
  var nullsEqual: [Bool]
  var isNullAware: Bool
  var outputs: [Output]
  var outputTypes: [DataType]
  /// A condition on pairs, over the columns `residualInputs`.
  var residual: Expression?
  var residualInputs: [(reference: ColumnReference, source: Output)]
}

/// Streams the probe side of a join past the build side's table, or past all its rows when there are no keys.
final class JoinProbeOperator: StreamingOperator, @unchecked Sendable {
  private let specification: JoinProbeSpecification
  private let build: JoinBuild

  init(_ node: QueryProfile.Node, _ specification: JoinProbeSpecification, _ build: JoinBuild) {
    self.specification = specification
    self.build = build
    super.init(node)
  }

  override var yieldsNothing: Bool {
    guard !build.isSpilled, build.rowCount == 0 || (build.table.map { $0.keyedRowCount == 0 } ?? false) else { return false }
    switch specification.outcome {
    case .inner, .semi, .buildOuter, .buildSemi, .buildAnti: return true
    default: return false
    }
  }

  override func release() { build.clear() }

  override func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    var residual: PredicateEvaluator?
    if let predicate = specification.residual {
      residual = try PredicateEvaluator(
        predicate, inputs: specification.residualInputs.map(\.reference), session: worker.context.session)
    }
    return JoinProbe(worker, metrics, next: next, specification, build, residual)
  }
}

/// One worker's probing.
final class JoinProbe: BatchTransform, @unchecked Sendable {
  private let specification: JoinProbeSpecification
  private let build: JoinBuild
  private let residual: PredicateEvaluator?
  private let rows: KeyRows?
  private let coalescer: BatchCoalescer
  private let batchSize: Int
  private var matches = Buffer(byteCount: 0)
  /// Probe rows that found a partner in this batch: 1 per row.
  private var hasPartner = Buffer(byteCount: 0)
  private var probeRows: Buffer
  private var buildRows: Buffer
  private var pairCount = 0
  private var selection: Buffer
  /// Small build sides hand strings on as dictionaries.
  private let smallBuild: Bool
  /// Rows whose partner may be on disk.
  private let aside: SpilledProbeRows?

  private static let dictionaryRowCount = 4096

  init(
    _ worker: Worker, _ shared: OperatorMetrics, next: BatchConsumer, _ specification: JoinProbeSpecification,
    _ build: JoinBuild, _ residual: PredicateEvaluator?
  ) {
    self.specification = specification
    self.build = build
    self.residual = residual
    rows = build.table.map { KeyRows($0.layout, flagsNulls: build.flagsNulls, identities: build.probeIdentities) }
    batchSize = worker.context.batchSize
    coalescer = BatchCoalescer(specification.outputTypes, batchSize: batchSize)
    probeRows = Buffer(byteCount: (batchSize + 16) * 4)
    buildRows = Buffer(byteCount: (batchSize + 16) * 4)
    selection = Buffer(byteCount: (batchSize + 16) * 4)
    smallBuild = build.rowCount <= JoinProbe.dictionaryRowCount
    aside = build.isSpilled ? SpilledProbeRows(build.spilled!) : nil
    super.init(worker, shared, next: next)
  }

  override func consume(_ batch: Batch) throws(QueryError) {
    var batch = batch
    if let aside {
      guard let staying = try aside.split(batch) else { return }
      batch = staying
    }
    try join(batch, noting: nil)
  }

  /// Joins a batch with the rows in memory.
  ///
  /// - Parameter notes: a byte per row that becomes 1 where it has a partner; what depends on that is left to `finish(_:noted:)`.
  func join(_ batch: Batch, noting notes: UnsafeMutablePointer<UInt8>?) throws(QueryError) {
    let n = batch.rowCount
    if matches.byteCount < (n + 16) * 4 {
      matches = Buffer(byteCount: (n + 16) * 4)
      hasPartner = Buffer(byteCount: n + 16)
    }
    if let table = build.table, let rows {
      rows.fill(
        specification.keys.map { batch.columns[$0] }, rowCount: n, wantsHashes: !table.layout.isInteger)
      let heads = matches.typed(Int32.self)
      table.find(rows, heads)
      if residual == nil, !specification.isNullAware, notes == nil {
        if try probeSimply(batch, heads, table) { return }
      }
      try probeByChains(batch, heads, table)
    } else {
      try probeAll(batch)
    }
    if let notes {
      let flags = hasPartner.typed(UInt8.self)
      for row in 0..<n { notes[row] |= flags[row] }
    } else {
      try finish(batch)
    }
  }

  /// Hands on what depends on whether the rows have found a partner, which `noted` says.
  func finish(_ batch: Batch, noted: UnsafePointer<UInt8>) throws(QueryError) {
    let n = batch.rowCount
    if hasPartner.byteCount < n + 16 {
      matches = Buffer(byteCount: (n + 16) * 4)
      hasPartner = Buffer(byteCount: n + 16)
    }
    memcpy(hasPartner.pointer, noted, n)
    rows?.fill(specification.keys.map { batch.columns[$0] }, rowCount: n)
    try finish(batch)
  }

  /// Hands on what is held back.
  func handOn() throws(QueryError) {
    if let batch = coalescer.take() { try emit(batch) }
    publish()
  }

  override func close() throws(QueryError) {
    aside?.close()
    try super.close()
  }

  override func flush() throws(QueryError) {
    if let batch = coalescer.take() { try emit(batch) }
    try next.flush()
  }

  // MARK: Without a residual

  /// Outcomes that need only know each probe row's first match; false for others.
  private func probeSimply(
    _ batch: Batch, _ heads: UnsafeMutablePointer<Int32>, _ table: JoinTable
  ) throws(QueryError) -> Bool {
    let n = batch.rowCount
    switch specification.outcome {
    case .semi, .anti:
      if selection.byteCount < (n + 16) * 4 { selection = Buffer(byteCount: (n + 16) * 4) }
      let chosen = selection.typed(Int32.self)
      let wanted: Int32 = specification.outcome == .semi ? 0 : -1
      var count = 0
      var row = 0
      // A head is -1 or a row: its sign bit says whether there is a partner.
      while row < n {
        chosen[count] = Int32(truncatingIfNeeded: row)
        count &+= bit((heads[row] &>> 31) == wanted)
        row &+= 1
      }
      try emitProbeRows(batch, chosen, count, mark: nil)
      return true
    case .mark:
      let values = Buffer(byteCount: n)
      let out = values.typed(UInt8.self)
      var row = 0
      while row < n {
        out[row] = UInt8(truncatingIfNeeded: bit(heads[row] >= 0))
        row &+= 1
      }
      try emitProbeRows(batch, nil, n, mark: Column(flat: .boolean, count: n, values: values, validity: nil))
      return true
    case .inner, .buildOuter:
      guard table.isUnique else { return false }
      if probeRows.byteCount < (n + 16) * 4 {
        probeRows = Buffer(byteCount: (n + 16) * 4)
        buildRows = Buffer(byteCount: (n + 16) * 4)
      }
      let (left, right) = (probeRows.typed(Int32.self), buildRows.typed(Int32.self))
      var count = 0
      var row = 0
      while row < n {
        let head = heads[row]
        left[count] = Int32(truncatingIfNeeded: row)
        right[count] = head
        count &+= bit(head >= 0)
        row &+= 1
      }
      if specification.outcome == .buildOuter { markBuildRows(right, count) }
      if count > 0 { try emitPairs(batch, left, right, count, mayLack: false) }
      return true
    case .probeOuter:
      guard table.isUnique else { return false }
      try emitPairs(batch, nil, heads, n, mayLack: true)
      return true
    default: return false
    }
  }

  // MARK: Pairs

  private func probeByChains(
    _ batch: Batch, _ heads: UnsafePointer<Int32>, _ table: JoinTable
  ) throws(QueryError) {
    let n = batch.rowCount
    memset(hasPartner.pointer, 0, n)
    let chain = table.chain
    reservePairs()
    var (left, right) = (probeRows.typed(Int32.self), buildRows.typed(Int32.self))
    var count = 0
    // Without a residual a first partner is enough to know.
    let stopsAtFirst = residual == nil && !specification.outcome.yieldsPairs && !specification.outcome.marksBuildRows
    var row = 0
    while row < n {
      var head = heads[row]
      while head >= 0 {
        left[count] = Int32(truncatingIfNeeded: row)
        right[count] = head
        count &+= 1
        if count == batchSize {
          pairCount = count
          try flushPairs(batch)
          (left, right) = (probeRows.typed(Int32.self), buildRows.typed(Int32.self))
          count = 0
        }
        if stopsAtFirst { break }
        guard let chain else { break }
        head = chain[Int(head)] &- 1
      }
      row &+= 1
    }
    pairCount = count
    try flushPairs(batch)
  }

  /// All pairs of probe and build rows.
  private func probeAll(_ batch: Batch) throws(QueryError) {
    let n = batch.rowCount
    memset(hasPartner.pointer, 0, n)
    let m = build.rowCount
    if m == 0 { return }
    if m == 1, residual == nil {
      if specification.outcome.marksBuildRows { build.matched!.typed(UInt8.self)[0] = 1 }
      memset(hasPartner.pointer, 1, n)
      if specification.outcome.yieldsPairs { try emitWithOneBuildRow(batch) }
      return
    }
    reservePairs()
    let isEnough = residual == nil && !specification.outcome.yieldsPairs && !specification.outcome.marksBuildRows
    if isEnough {
      memset(hasPartner.pointer, 1, n)
      return
    }
    var count = 0
    for row in 0..<n {
      var other = 0
      while other < m {
        let run = min(m - other, batchSize - count)
        let (left, right) = (probeRows.typed(Int32.self) + count, buildRows.typed(Int32.self) + count)
        var k = 0
        while k < run {
          left[k] = Int32(truncatingIfNeeded: row)
          right[k] = Int32(truncatingIfNeeded: other &+ k)
          k &+= 1
        }
        count += run
        other += run
        if count == batchSize {
          pairCount = count
          try flushPairs(batch)
          count = 0
          try worker.context.cancellation.check()
          if worker.control.isStopped { return }
        }
      }
    }
    pairCount = count
    try flushPairs(batch)
  }

  private func reservePairs() {
    if probeRows.byteCount < (batchSize + 16) * 4 {
      probeRows = Buffer(byteCount: (batchSize + 16) * 4)
      buildRows = Buffer(byteCount: (batchSize + 16) * 4)
    }
  }

  /// Checks the residual on the pairs gathered, notes partners, and hands pairs on.
  private func flushPairs(_ batch: Batch) throws(QueryError) {
    var count = pairCount
    pairCount = 0
    if count == 0 { return }
    let (left, right) = (probeRows.typed(Int32.self), buildRows.typed(Int32.self))
    if let residual {
      let inputs = specification.residualInputs.map { input in
        column(input.source, batch, left, right, count, mayLack: false)
      }
      let chosen = selection.typed(Int32.self)
      let kept = try residual.select(Batch(columns: inputs, rowCount: count), into: chosen)
      if kept < count {
        var i = 0
        while i < kept {
          let at = Int(chosen[i])
          left[i] = left[at]
          right[i] = right[at]
          i &+= 1
        }
        count = kept
      }
    }
    if count == 0 { return }
    let flags = hasPartner.typed(UInt8.self)
    var i = 0
    while i < count {
      flags[Int(left[i])] = 1
      i &+= 1
    }
    if specification.outcome.marksBuildRows { markBuildRows(right, count) }
    if specification.outcome.yieldsPairs { try emitPairs(batch, left, right, count, mayLack: false) }
  }

  /// Several workers may write the same 1.
  private func markBuildRows(_ rows: UnsafePointer<Int32>, _ count: Int) {
    let matched = build.matched!.typed(UInt8.self)
    var i = 0
    while i < count {
      matched[Int(rows[i])] = 1
      i &+= 1
    }
  }

  /// Hands on what depends on whether a probe row found a partner.
  private func finish(_ batch: Batch) throws(QueryError) {
    let n = batch.rowCount
    let flags = hasPartner.typed(UInt8.self)
    switch specification.outcome {
    case .inner, .buildOuter, .buildSemi, .buildAnti: return
    case .probeOuter, .fullOuter:
      if selection.byteCount < (n + 16) * 4 { selection = Buffer(byteCount: (n + 16) * 4) }
      let chosen = selection.typed(Int32.self)
      let count = choose(flags, 0, n, chosen)
      if count == 0 { return }
      let lacking = Buffer(byteCount: count * 4)
      memset(lacking.pointer, 0xff, count * 4)
      try emitPairs(batch, chosen, lacking.typed(Int32.self), count, mayLack: true)
    case .semi, .anti, .mark:
      let unknown = specification.isNullAware ? try unknownRows(batch) : nil
      if specification.outcome == .mark {
        let values = Buffer(byteCount: n)
        memcpy(values.pointer, flags, n)
        var validity: Bitmap?
        if let unknown {
          let bits = Bitmap(count: n, filled: true)
          for row in 0..<n where unknown[row] { bits.clear(row) }
          validity = bits
        }
        return try emitProbeRows(
          batch, nil, n, mark: Column(flat: .boolean, count: n, values: values, validity: validity))
      }
      if selection.byteCount < (n + 16) * 4 { selection = Buffer(byteCount: (n + 16) * 4) }
      let chosen = selection.typed(Int32.self)
      var count = choose(flags, specification.outcome == .semi ? 1 : 0, n, chosen)
      if let unknown, specification.outcome == .anti {
        var kept = 0
        for i in 0..<count where !unknown[Int(chosen[i])] {
          chosen[kept] = chosen[i]
          kept += 1
        }
        count = kept
      }
      try emitProbeRows(batch, chosen, count, mark: nil)
    }
  }

  private func choose(
    _ flags: UnsafePointer<UInt8>, _ wanted: UInt8, _ n: Int, _ out: UnsafeMutablePointer<Int32>
  ) -> Int {
    var count = 0
    var row = 0
    while row < n {
      out[count] = Int32(truncatingIfNeeded: row)
      count &+= bit(flags[row] == wanted)
      row &+= 1
    }
    return count
  }

  // MARK: NOT IN

  /// Probe rows for which NULLs leave open whether there is a partner; nil when there are none.
  ///
  /// A row is open when some build row that passes the residual has keys that are equal or NULL on either side.
  private func unknownRows(_ batch: Batch) throws(QueryError) -> [Bool]? {
    guard build.rowCount > 0 || build.isSpilled || build.hasOtherNullKeys, let rows else { return nil }
    let n = batch.rowCount
    let flags = hasPartner.typed(UInt8.self)
    let buildNulls = build.nullKeyRows
    let hasBuildNulls = !buildNulls.isEmpty || build.hasOtherNullKeys
    if !rows.hasNulls, !hasBuildNulls { return nil }
    var unknown = Array(repeating: false, count: n)
    var isAny = false
    if residual == nil, specification.nullsEqual == [false] {
      for row in 0..<n where flags[row] == 0 {
        if hasBuildNulls || (rows.hasNulls && rows.nulls[row] != 0) {
          unknown[row] = true
          isAny = true
        }
      }
      return isAny ? unknown : nil
    }
    // Candidates are all build rows for a probe row with NULL, and build rows with NULL otherwise.
    let probeKeys = specification.keys.map { batch.columns[$0] }
    let comparators = zip(probeKeys, buildKeyColumns).map { RowComparator($0, $1) }
    for row in 0..<n where flags[row] == 0 {
      let hasNull = rows.hasNulls && rows.nulls[row] != 0
      let candidateCount = hasNull ? build.rowCount : buildNulls.count
      var first = 0
      while first < candidateCount, !unknown[row] {
        reservePairs()
        let (left, right) = (probeRows.typed(Int32.self), buildRows.typed(Int32.self))
        var count = 0
        while first < candidateCount, count < batchSize {
          let candidate = hasNull ? Int32(first) : buildNulls[first]
          first += 1
          var isOpen = true
          for (index, comparator) in comparators.enumerated() where isOpen {
            if specification.nullsEqual[index] {
              if comparator.isDistinct(row, Int(candidate)) { isOpen = false }
              continue
            }
            if probeKeys[index].isNull(row) || buildKeyColumns[index].isNull(Int(candidate)) { continue }
            if comparator.equal(row, Int(candidate)) == false { isOpen = false }
          }
          if isOpen {
            left[count] = Int32(row)
            right[count] = candidate
            count += 1
          }
        }
        if count == 0 { continue }
        if let residual {
          let inputs = specification.residualInputs.map { input in
            column(input.source, batch, left, right, count, mayLack: false)
          }
          let kept = try residual.select(
            Batch(columns: inputs, rowCount: count), into: selection.typed(Int32.self))
          if kept == 0 { continue }
        }
        unknown[row] = true
        isAny = true
      }
    }
    return isAny ? unknown : nil
  }

  /// The build side's key columns, in the order of the keys.
  private var buildKeyColumns: [Column] { build.keyColumns }

  // MARK: Output

  private func emitPairs(
    _ batch: Batch, _ left: UnsafePointer<Int32>?, _ right: UnsafePointer<Int32>, _ count: Int, mayLack: Bool
  ) throws(QueryError) {
    var columns: [Column] = []
    columns.reserveCapacity(specification.outputs.count)
    let indices = sharedIndices(right, count)
    for output in specification.outputs {
      columns.append(column(output, batch, left, right, count, mayLack: mayLack, indices))
    }
    try hand(Batch(columns: columns, rowCount: count))
  }

  /// Pairs with the build side's only row.
  private func emitWithOneBuildRow(_ batch: Batch) throws(QueryError) {
    let columns = specification.outputs.map { output in
      switch output {
      case .probe(let index): batch.columns[index]
      case .build(let index): Column.constant(row: 0, of: build.columns[index], count: batch.rowCount)
      case .mark: Column.nulls(.boolean, count: batch.rowCount)
      }
    }
    try hand(Batch(columns: columns, rowCount: batch.rowCount))
  }

  private func emitProbeRows(
    _ batch: Batch, _ rows: UnsafePointer<Int32>?, _ count: Int, mark: Column?
  ) throws(QueryError) {
    if count == 0 { return }
    let isAll = rows == nil || count == batch.rowCount
    let columns = specification.outputs.map { output in
      switch output {
      case .probe(let index): isAll ? batch.columns[index] : batch.columns[index].take(rows!, count: count)
      case .build(let index): Column.nulls(build.columns[index].type, count: count)
      case .mark: mark ?? .nulls(.boolean, count: count)
      }
    }
    try hand(Batch(columns: columns, rowCount: count))
  }

  private func hand(_ batch: Batch) throws(QueryError) {
    if batch.rowCount * 4 >= batchSize, coalescer.isEmpty { return try emit(batch) }
    if coalescer.add(batch), let full = coalescer.take() { try emit(full) }
  }

  /// Build rows as dictionary codes, shared by the columns that stay encoded.
  private func sharedIndices(_ right: UnsafePointer<Int32>, _ count: Int) -> Buffer? {
    guard smallBuild, build.rowCount > 0 else { return nil }
    let buffer = Buffer(byteCount: count * 4)
    let out = buffer.typed(Int32.self)
    var i = 0
    while i < count {
      out[i] = max(right[i], 0)
      i &+= 1
    }
    return buffer
  }

  /// One column of pairs; `left` nil: each probe row once.
  private func column(
    _ source: JoinProbeSpecification.Output, _ batch: Batch, _ left: UnsafePointer<Int32>?,
    _ right: UnsafePointer<Int32>, _ count: Int, mayLack: Bool, _ indices: Buffer? = nil
  ) -> Column {
    switch source {
    case .probe(let index):
      let column = batch.columns[index]
      // As many pairs as probe rows: of unique keys, or by chance. Only then the rows may be all of them in order.
      if left == nil || (count == batch.rowCount && JoinProbe.isIdentity(left!, count)) { return column }
      return column.take(left!, count: count)
    case .mark: return .nulls(.boolean, count: count)
    case .build(let index):
      let column = build.columns[index]
      if column.count == 0 { return .nulls(column.type, count: count) }
      var validity: Bitmap?
      if mayLack { validity = JoinProbe.presence(right, count) }
      if let indices, column.type.physicalType == .string {
        return .dictionary(column, indices: indices, count: count, validity: validity)
      }
      if !mayLack || validity == nil { return column.take(right, count: count) }
      let safe = Buffer(byteCount: count * 4)
      let p = safe.typed(Int32.self)
      var i = 0
      while i < count {
        p[i] = max(right[i], 0)
        i &+= 1
      }
      let taken = column.take(p, count: count)
      return taken.withValidity(Bitmap.intersection(taken.validity, validity))
    }
  }

  private static func isIdentity(_ rows: UnsafePointer<Int32>, _ count: Int) -> Bool {
    var difference: Int32 = 0
    var i = 0
    while i < count {
      difference |= rows[i] ^ Int32(truncatingIfNeeded: i)
      i &+= 1
    }
    return difference == 0
  }

  /// A bit per row that has a build row; nil when all have.
  private static func presence(_ rows: UnsafePointer<Int32>, _ count: Int) -> Bitmap? {
    let bits = Bitmap(count: count, filled: false)
    let words = bits.words
    var missing = false
    var i = 0
    while i < count {
      words[i >> 6] |= UInt64(truncatingIfNeeded: bit(rows[i] >= 0)) &<< UInt64(i & 63)
      missing = missing || rows[i] < 0
      i &+= 1
    }
    return missing ? bits : nil
  }
}

/// Yields build rows after all probing: those without partner of outer and anti joins, those with one of semi joins.
final class JoinBuildRowsSource: MorselSource, @unchecked Sendable {
  private let build: JoinBuild
  private let outputs: [JoinProbeSpecification.Output]
  private let types: [DataType]
  private let wantsMatched: Bool
  private let batchSize: Int
  private static let rowsPerMorsel = 1 << 16

  init(
    _ node: QueryProfile.Node, _ build: JoinBuild, outputs: [JoinProbeSpecification.Output], types: [DataType],
    wantsMatched: Bool, batchSize: Int
  ) {
    self.build = build
    self.outputs = outputs
    self.types = types
    self.wantsMatched = wantsMatched
    self.batchSize = batchSize
    super.init(node)
  }

  override var morselCount: Int {
    (build.rowCount + JoinBuildRowsSource.rowsPerMorsel - 1) / JoinBuildRowsSource.rowsPerMorsel
  }

  override func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    let (build, outputs, types, wantsMatched) = (self.build, self.outputs, self.types, self.wantsMatched)
    var row = morsel * JoinBuildRowsSource.rowsPerMorsel
    let end = min(row + JoinBuildRowsSource.rowsPerMorsel, build.rowCount)
    let batchSize = self.batchSize
    return GeneratingReader { () throws(QueryError) -> Batch? in
      while row < end {
        let next = min(row + batchSize, end)
        defer { row = next }
        if let batch = JoinBuildRowsSource.rows(row..<next, build, outputs, types, wantsMatched: wantsMatched) { return batch }
      }
      return nil
    }
  }

  /// Those of some build rows that found a partner, or those that found none.
  static func rows(
    _ range: Range<Int>, _ build: JoinBuild, _ outputs: [JoinProbeSpecification.Output], _ types: [DataType], wantsMatched: Bool
  ) -> Batch? {
    let chosen = Buffer(byteCount: (range.count + 16) * 4)
    let (out, matched) = (chosen.typed(Int32.self), build.matched!.typed(UInt8.self))
    let wanted: UInt8 = wantsMatched ? 1 : 0
    var count = 0
    for row in range {
      out[count] = Int32(truncatingIfNeeded: row)
      count &+= bit(matched[row] == wanted)
    }
    if count == 0 { return nil }
    let columns = zip(outputs, types).map { output, type in
      if case .build(let index) = output { return build.columns[index].take(out, count: count) }
      return Column.nulls(type, count: count)
    }
    return Batch(columns: columns, rowCount: count)
  }
}
