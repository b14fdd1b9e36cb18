package import Columnar
package import QueryErrors
package import SQLFunctions

/// Computes expressions over batches.
///
/// - Threads: one per worker; kernels inside keep state.
package final class ExpressionEvaluator {
  private let nodes: [EvaluationNode]
  private let state: EvaluationState

  /// - Parameter inputs: the columns of the batches, in order.
  /// - Throws: what making a kernel for constant arguments throws (a bad pattern, say).
  package init(_ expressions: [Expression], inputs: [ColumnReference], session: SessionContext) throws(QueryError) {
    var compiler = ExpressionCompiler(inputs: inputs)
    var nodes: [EvaluationNode] = []
    for expression in expressions { nodes.append(try compiler.compile(expression)) }
    self.nodes = nodes
    state = EvaluationState(session: session)
  }

  /// One column of `batch.rowCount` rows per expression, in any encoding.
  ///
  /// - Throws: the first row's error that no TRY catches.
  package func evaluate(_ batch: Batch) throws(QueryError) -> [Column] {
    let rows = RowSet(batch)
    var columns: [Column] = []
    columns.reserveCapacity(nodes.count)
    for node in nodes { columns.append(try node.evaluate(rows, state)) }
    return columns
  }

  /// A lambda for an aggregate: it may capture no columns.
  package static func makeLambda(
    _ lambda: LambdaExpression, session: SessionContext
  ) throws(QueryError) -> any LambdaEvaluator {
    var compiler = ExpressionCompiler(inputs: [])
    let node = try compiler.compileLambda(lambda)
    return node.bound(to: RowSet(Batch(columns: [], rowCount: 1)), EvaluationState(session: session))
  }
}

/// Finds the rows of batches for which a predicate is true, conjunct by conjunct.
///
/// - Threads: one per worker.
package final class PredicateEvaluator {
  private let conjuncts: [(node: EvaluationNode, mayFail: Bool)]
  private let state: EvaluationState

  package init(_ predicate: Expression, inputs: [ColumnReference], session: SessionContext) throws(QueryError) {
    var compiler = ExpressionCompiler(inputs: inputs)
    var conjuncts: [(node: EvaluationNode, mayFail: Bool)] = []
    for conjunct in predicate.conjuncts { conjuncts.append((try compiler.compile(conjunct), conjunct.mayFail)) }
    self.conjuncts = conjuncts
    state = EvaluationState(session: session)
  }

  /// Writes the rows that pass into `selection`, ascending, and returns how many.
  ///
  /// - Shape: `selection` has room for `batch.rowCount` plus 16.
  package func select(_ batch: Batch, into selection: UnsafeMutablePointer<Int32>) throws(QueryError) -> Int {
    let rows = RowSet(batch)
    let rowCount = batch.rowCount
    var count = rowCount
    var isNarrowed = false
    for conjunct in conjuncts {
      if count == 0 { return 0 }
      if !isNarrowed {
        count = RowSelection.selectTrue(try conjunct.node.evaluate(rows, state), into: selection)
        isNarrowed = count < rowCount
        continue
      }
      if !conjunct.mayFail, count * 4 > rowCount * 3 {
        // Most rows still count: whole columns are cheaper than compacted ones.
        let column = try conjunct.node.evaluate(rows, state)
        let view = column.view
        let values = view.values.assumingMemoryBound(to: UInt8.self)
        var (kept, i) = (0, 0)
        while i < count {
          let row = Int(selection[i])
          selection[kept] = Int32(truncatingIfNeeded: row)
          kept &+= Int(values[view.position(row)]) & bit(!view.isNull(row))
          i &+= 1
        }
        count = kept
      } else {
        let chosen = Buffer(byteCount: count * 4)
        chosen.pointer.copyMemory(from: selection, byteCount: count * 4)
        let column = try conjunct.node.evaluate(RowSet(rows, rows: chosen, count: count), state)
        let kept = RowSelection.selectTrue(column, into: selection)
        let from = chosen.typed(Int32.self)
        var i = 0
        while i < kept {
          selection[i] = from[Int(selection[i])]
          i &+= 1
        }
        count = kept
      }
    }
    if !isNarrowed, conjuncts.isEmpty {
      for row in 0..<rowCount { selection[row] = Int32(truncatingIfNeeded: row) }
    }
    return count
  }
}
