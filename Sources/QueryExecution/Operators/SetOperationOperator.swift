import Columnar
import QueryErrors
import QueryPlan
import SQLFunctions

/// Adds a column that says which input of a set operation a row comes from.
final class MarkInputOperator: StreamingOperator, @unchecked Sendable {
  private let input: Int

  init(_ node: QueryProfile.Node, input: Int) {
    self.input = input
    super.init(node)
  }

  override func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    Transform(worker, metrics, next: next, .constant(.integer(Int64(input)), .integer, count: 1))
  }

  private final class Transform: BatchTransform, @unchecked Sendable {
    private let mark: Column

    init(_ worker: Worker, _ shared: OperatorMetrics, next: BatchConsumer, _ mark: Column) {
      self.mark = mark
      super.init(worker, shared, next: next)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      try emit(Batch(columns: batch.columns + [mark.resized(to: batch.rowCount)], rowCount: batch.rowCount))
    }
  }
}

/// Counts a group's rows from one input of a set operation.
final class InputCount: GroupsAccumulator {
  private let input: Int32
  private var counts: [Int64] = []

  init(input: Int) { self.input = Int32(input) }

  func resize(groupCount: Int) {
    if groupCount > counts.count { counts += Array(repeating: 0, count: groupCount - counts.count) }
  }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let view = arguments[0].view
    counts.withUnsafeMutableBufferPointer { counts in
      for row in 0..<rowCount where view.value(row, as: Int32.self) == input {
        counts[groups.map { Int($0[row]) } ?? 0] &+= 1
      }
    }
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    guard let other = other as? InputCount else { return }
    for i in 0..<count {
      counts[targets.map { Int($0[i]) } ?? i] &+= other.counts[sources.map { Int($0[i]) } ?? i]
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let values = Buffer(byteCount: range.count * 8)
    let out = values.typed(Int64.self)
    for (i, group) in range.enumerated() { out[i] = counts[group] }
    return Column(flat: .bigint, count: range.count, values: values, validity: nil)
  }

  var byteCount: Int { counts.count * 8 }
}

/// Yields each distinct row of an INTERSECT or EXCEPT as often as its counts in the inputs say.
///
/// - Shape: batches of `columnCount` columns, followed by one count per input.
final class RepeatByCountsOperator: StreamingOperator, @unchecked Sendable {
  private let kind: SetOperationNode.Kind
  private let isAll: Bool
  private let columnCount: Int
  private let inputCount: Int

  init(_ node: QueryProfile.Node, kind: SetOperationNode.Kind, isAll: Bool, columnCount: Int, inputCount: Int) {
    self.kind = kind
    self.isAll = isAll
    self.columnCount = columnCount
    self.inputCount = inputCount
    super.init(node)
  }

  override func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    Transform(worker, metrics, next: next, self)
  }

  /// How often a row counts, from its counts in the inputs.
  fileprivate func repeats(_ counts: [Int64]) -> Int64 {
    switch kind {
    case .union: return isAll ? counts.reduce(0, +) : 1
    case .intersect:
      let least = counts.min() ?? 0
      return isAll ? least : min(least, 1)
    case .except:
      if isAll { return max(0, counts[0] - counts.dropFirst().reduce(0, +)) }
      return counts[0] > 0 && counts.dropFirst().allSatisfy { $0 == 0 } ? 1 : 0
    }
  }

  private final class Transform: BatchTransform, @unchecked Sendable {
    private let operation: RepeatByCountsOperator
    private let capacity: Int

    init(
      _ worker: Worker, _ shared: OperatorMetrics, next: BatchConsumer, _ operation: RepeatByCountsOperator
    ) {
      self.operation = operation
      capacity = worker.context.batchSize
      super.init(worker, shared, next: next)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      let kept = Batch(columns: Array(batch.columns.prefix(operation.columnCount)), rowCount: batch.rowCount)
      let counts = batch.columns.suffix(operation.inputCount).map { $0.view }
      let rows = Buffer(byteCount: (capacity + 16) * 4)
      let out = rows.typed(Int32.self)
      var count = 0
      for row in 0..<batch.rowCount {
        var repeats = operation.repeats(counts.map { $0.value(row, as: Int64.self) })
        while repeats > 0 {
          out[count] = Int32(row)
          count += 1
          repeats -= 1
          if count == capacity {
            try emit(kept.take(out, count: count))
            count = 0
          }
        }
      }
      if count > 0 { try emit(kept.take(out, count: count)) }
    }
  }
}
