import Columnar
import QueryErrors

/// What an unnest yields.
struct UnnestSpecification {
  /// Positions of input columns that are kept.
  var kept: [Int]
  /// Positions of the arrays and maps, and how many columns each becomes.
  var items: [(position: Int, outputCount: Int)]
  var hasOrdinality: Bool
  var isLeft: Bool
}

/// Repeats each row once per element of its arrays and maps; shorter ones are padded with NULL.
final class UnnestOperator: StreamingOperator, @unchecked Sendable {
  private let specification: UnnestSpecification

  init(_ node: QueryProfile.Node, _ specification: UnnestSpecification) {
    self.specification = specification
    super.init(node)
  }

  override func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    Transform(worker, metrics, next: next, specification)
  }

  private final class Transform: BatchTransform, @unchecked Sendable {
    private let specification: UnnestSpecification
    private let capacity: Int
    /// The input row, the element number from 1 (0: none) of each output row; per item the element's row or -1.
    private let rows: Buffer
    private let ordinals: Buffer
    private let elements: [Buffer]
    private var count = 0

    init(_ worker: Worker, _ shared: OperatorMetrics, next: BatchConsumer, _ specification: UnnestSpecification) {
      self.specification = specification
      capacity = worker.context.batchSize
      let bytes = (worker.context.batchSize + 16) * 4
      rows = Buffer(byteCount: bytes)
      ordinals = Buffer(byteCount: bytes)
      elements = specification.items.map { _ in Buffer(byteCount: bytes) }
      super.init(worker, shared, next: next)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      let columns = specification.items.map { batch.columns[$0.position] }
      let storages = columns.map(\.storage)
      count = 0
      for row in 0..<batch.rowCount {
        var longest = 0
        var ranges: [Range<Int>] = []
        for (column, storage) in zip(columns, storages) {
          let range = column.isNull(row) ? 0..<0 : storage.elementRange(column.position(row))
          ranges.append(range)
          longest = max(longest, range.count)
        }
        if longest == 0, specification.isLeft {
          try add(row, ordinal: 0, ranges, at: 0, batch)
          continue
        }
        for k in 0..<longest { try add(row, ordinal: k + 1, ranges, at: k, batch) }
      }
      try hand(batch)
    }

    @inline(__always)
    private func add(_ row: Int, ordinal: Int, _ ranges: [Range<Int>], at k: Int, _ batch: Batch) throws(QueryError) {
      rows.typed(Int32.self)[count] = Int32(truncatingIfNeeded: row)
      ordinals.typed(Int32.self)[count] = Int32(truncatingIfNeeded: ordinal)
      for (index, range) in ranges.enumerated() {
        elements[index].typed(Int32.self)[count] = k < range.count ? Int32(truncatingIfNeeded: range.lowerBound + k) : -1
      }
      count += 1
      if count == capacity { try hand(batch) }
    }

    /// Hands on the rows gathered.
    private func hand(_ batch: Batch) throws(QueryError) {
      let n = count
      count = 0
      if n == 0 { return }
      let list = UnsafePointer(rows.typed(Int32.self))
      var columns = specification.kept.map { batch.columns[$0].take(list, count: n) }
      for (index, item) in specification.items.enumerated() {
        let storage = batch.columns[item.position].storage
        let p = elements[index].typed(Int32.self)
        let present = Bitmap(count: n, filled: false)
        var isComplete = true
        for i in 0..<n {
          if p[i] >= 0 {
            present.set(i)
          } else {
            p[i] = 0
            isComplete = false
          }
        }
        let validity = isComplete ? nil : present
        for child in storage.children {
          if case .row(let fields) = child.type, case .array = storage.type {
            let own = child.count == 0 ? nil : Transform.validity(child, p, n)
            let both = Bitmap.intersection(own, validity)
            for (k, field) in fields.enumerated() {
              columns.append(Transform.take(child.storage.children[k], field.type, child, p, n, both))
            }
          } else {
            columns.append(Transform.take(child, child.type, nil, p, n, validity))
          }
        }
      }
      if specification.hasOrdinality {
        let values = Buffer(byteCount: n * 8)
        let (out, from) = (values.typed(Int64.self), ordinals.typed(Int32.self))
        let bits = Bitmap(count: n, filled: true)
        var hasNull = false
        for i in 0..<n {
          out[i] = Int64(from[i])
          if from[i] == 0 {
            bits.clear(i)
            hasNull = true
          }
        }
        columns.append(Column(flat: .bigint, count: n, values: values, validity: hasNull ? bits : nil))
      }
      try emit(Batch(columns: columns, rowCount: n))
    }

    /// Which of the rows are not NULL in a column.
    private static func validity(_ column: Column, _ rows: UnsafePointer<Int32>, _ n: Int) -> Bitmap? {
      column.validity?.taking(rows, count: n)
    }

    /// Elements, or a field of row elements (`parent`), NULL where `validity` says.
    private static func take(
      _ column: Column, _ type: DataType, _ parent: Column?, _ rows: UnsafePointer<Int32>, _ n: Int, _ validity: Bitmap?
    ) -> Column {
      if column.count == 0 { return .nulls(type, count: n) }
      var taken: Column
      if let parent, parent.encoding != .flat {
        // Fields lie behind the parent's own encoding.
        let places = Buffer(byteCount: n * 4)
        let out = places.typed(Int32.self)
        for i in 0..<n { out[i] = Int32(parent.position(Int(rows[i]))) }
        taken = column.take(out, count: n)
      } else {
        taken = column.take(rows, count: n)
      }
      if let validity { taken = taken.withValidity(Bitmap.intersection(taken.validity, validity)) }
      return taken
    }
  }
}
