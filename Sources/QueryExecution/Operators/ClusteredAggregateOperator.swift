import Columnar
import QueryErrors
import SQLExpressions
import Synchronization

/// A source whose morsels may each hold values of their own in a column.
protocol ClusterableSource: MorselSource {
  /// Whether the morsels' values of a column hardly overlap, so that equal values mostly lie in one morsel. Known before
  /// the source is prepared; wrong answers cost time only.
  func isClustered(by column: ColumnID) -> Bool
  /// Asks for morsels that are clustered; before the source is prepared.
  func keepsClusters()
  /// Bounds of a column's values in each morsel; nil where there are none. Known once prepared.
  func morselBounds(of column: ColumnID) -> [ClosedRange<Int64>?]?
}

/// Groups rows whose key lies in the morsels of a source as in an index: what is equal lies together.
///
/// Bounds tell which keys no other morsel can hold. Their groups are complete at the end of their morsel and go on
/// at once, in the same pipeline; only groups at a morsel's edges are left to be merged with other workers':
///
///     morsel 1: keys  1 …  9   →  groups 1 … 8   → next operator
///     morsel 2: keys  9 … 17   →  groups 10 … 16 → next operator
///                                 groups 9, 17   → merged at the end → next operator
///
/// A morsel's few groups stay in the cache, and memory does not grow with the number of groups.
final class ClusteredAggregateOperator: StreamingOperator, @unchecked Sendable {
  private let specification: AggregateSpecification
  private let source: any ClusterableSource
  private let column: ColumnID
  private let key: Int
  /// Takes the groups that are not complete.
  fileprivate let leftover: HashAggregateOperator
  private let exclusive = Mutex<[KeyInterval?]?>(nil)
  /// Joins before whose rows may come back from disk after their morsel.
  private let spilled: [SpilledJoin]

  /// Keys between two others, both left out; nil: without a bound.
  fileprivate struct KeyInterval {
    var above: Int64?
    var below: Int64?

    /// Whether no other morsel can hold a key; the very least and greatest numbers are left out.
    func contains(_ key: Int64) -> Bool { key > above ?? .min && key < below ?? .max }
  }

  /// - Parameter key: the clustered key's place among the keys; `column` is where it comes from in `source`.
  init(
    _ node: QueryProfile.Node, _ specification: AggregateSpecification, key: Int, column: ColumnID,
    of source: any ClusterableSource, leftover: HashAggregateOperator, spilled: [SpilledJoin]
  ) {
    self.spilled = spilled
    self.specification = specification
    self.source = source
    self.column = column
    self.key = key
    self.leftover = leftover
    super.init(node)
  }

  override func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    Transform(worker, metrics, self, next: next)
  }

  /// The keys that only this morsel can hold; nil when there are none.
  private func interval(ofMorsel morsel: Int) -> KeyInterval? {
    if spilled.contains(where: \.isActive) { return nil }
    return exclusive.withLock { exclusive in
      if exclusive == nil { exclusive = ClusteredAggregateOperator.intervals(source.morselBounds(of: column) ?? []) }
      return morsel < exclusive!.count ? exclusive![morsel] : nil
    }
  }

  private static func intervals(_ bounds: [ClosedRange<Int64>?]) -> [KeyInterval?] {
    var result: [KeyInterval?] = bounds.map { _ in nil }
    let order = bounds.indices.filter { bounds[$0] != nil }.sorted { bounds[$0]!.lowerBound < bounds[$1]!.lowerBound }
    var highest: Int64?
    for (place, morsel) in order.enumerated() {
      let own = bounds[morsel]!
      let below = place + 1 < order.count ? bounds[order[place + 1]]!.lowerBound : nil
      if highest ?? .min < own.upperBound, below ?? .max > own.lowerBound {
        result[morsel] = KeyInterval(above: highest, below: below)
      }
      highest = max(highest ?? .min, own.upperBound)
    }
    return result
  }

  private final class Transform: BatchTransform, @unchecked Sendable {
    private let aggregate: ClusteredAggregateOperator
    private var sequence = -1
    private var interval: KeyInterval?
    private var state: AggregateState?
    private var groupCount = 0
    private var leftover: HashAggregateOperator.Writer?
    private let reservation: MemoryReservation

    init(
      _ worker: Worker, _ shared: OperatorMetrics, _ aggregate: ClusteredAggregateOperator, next: BatchConsumer
    ) {
      self.aggregate = aggregate
      reservation = MemoryReservation(aggregate.leftover.consumer)
      super.init(worker, shared, next: next)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      if worker.sequence != sequence {
        sequence = worker.sequence
        interval = aggregate.interval(ofMorsel: worker.morsel)
      }
      if interval == nil { return try leftoverWriter().consume(batch) }
      if state == nil {
        state = try AggregateState(aggregate.specification, setIndex: 0, expectedGroups: groupCount)
      }
      try state!.add(batch)
    }

    override func flush() throws(QueryError) {
      if let state, let interval {
        self.state = nil
        groupCount = state.groupCount
        try reservation.set(state.byteCount)
        state.seal()
        try emit(state, interval)
        try reservation.set(0)
      }
      try next.flush()
    }

    private func leftoverWriter() throws(QueryError) -> HashAggregateOperator.Writer {
      if let leftover { return leftover }
      let made = try aggregate.leftover.makeGroupWriter(worker)
      leftover = made
      return made
    }

    /// Hands complete groups on and sets the others aside.
    private func emit(_ state: AggregateState, _ interval: KeyInterval) throws(QueryError) {
      let step = worker.context.batchSize
      let (complete, open) = (Buffer(byteCount: step * 4), Buffer(byteCount: step * 4))
      var start = 0
      while start < state.groupCount {
        let end = min(start + step, state.groupCount)
        let batch = try state.output(start..<end)
        let (completeCount, openCount) = interval.split(
          batch.columns[aggregate.key], first: start, complete.typed(Int32.self), open.typed(Int32.self))
        if openCount > 0 {
          try leftoverWriter().merge(state, open.typed(Int32.self), count: openCount)
        }
        if openCount == 0 {
          try emit(batch)
        } else if completeCount > 0 {
          try emit(batch.take(complete.typed(Int32.self), count: completeCount))
        }
        start = end
      }
    }
  }
}

extension ClusteredAggregateOperator.KeyInterval {
  /// Parts the rows of a key column: the places of keys inside go to `inside`, the groups of others to `outside`.
  ///
  /// - Parameter first: the group of row 0.
  fileprivate func split(
    _ column: Column, first: Int, _ inside: UnsafeMutablePointer<Int32>, _ outside: UnsafeMutablePointer<Int32>
  ) -> (inside: Int, outside: Int) {
    switch column.type.physicalType.byteWidth {
    case 1: split(column, as: Int8.self, first: first, inside, outside)
    case 2: split(column, as: Int16.self, first: first, inside, outside)
    case 4: split(column, as: Int32.self, first: first, inside, outside)
    default: split(column, as: Int64.self, first: first, inside, outside)
    }
  }

  @inline(__always)
  private func split<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, as type: T.Type, first: Int, _ inside: UnsafeMutablePointer<Int32>,
    _ outside: UnsafeMutablePointer<Int32>
  ) -> (inside: Int, outside: Int) {
    let view = column.view
    let values = view.values.assumingMemoryBound(to: T.self)
    return withExtendedLifetime(column) {
      var counts = (inside: 0, outside: 0)
      for row in 0..<column.count {
        if !view.isNull(row), contains(Int64(truncatingIfNeeded: values[view.position(row)])) {
          inside[counts.inside] = Int32(truncatingIfNeeded: row)
          counts.inside &+= 1
        } else {
          outside[counts.outside] = Int32(truncatingIfNeeded: first &+ row)
          counts.outside &+= 1
        }
      }
      return counts
    }
  }
}
