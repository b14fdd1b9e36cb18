import Columnar
import ObjectStore
import QueryErrors
import QueryPlan
import SQLFunctions

/// One call over a window, with columns as positions.
struct WindowCallSpecification: Sendable {
  enum Function: Sendable {
    case window(WindowFunction)
    case aggregate(@Sendable () throws(QueryError) -> any GroupsAccumulator)
  }
  var function: Function
  /// Columns by position, or constants of one row.
  var arguments: [AggregateSpecification.Call.Argument]
  var returnType: DataType
  var frame: FrameSpecification
  var ignoresNulls: Bool
  var isDistinct: Bool
  var filter: Int?
  /// ORDER BY inside the call.
  var ordering: [SortSpecification]
  var range: SourceRange?

  /// The call's value for each row.
  func evaluate(
    _ input: Batch, _ layout: WindowLayout, _ frames: WindowFrames, _ context: QueryContext
  ) throws(QueryError) -> Column {
    let n = input.rowCount
    let (starts, ends) = (frames.start.typed(Int32.self), frames.end.typed(Int32.self))
    defer { withExtendedLifetime((layout, frames)) {} }
    switch function {
    case .window(let function):
      let input = WindowInput(
        arguments: argumentColumns(input), rowCount: n, returnType: returnType,
        partitionStart: layout.partitionStart.typed(Int32.self), partitionEnd: layout.partitionEnd.typed(Int32.self),
        peerStart: layout.peerStart.typed(Int32.self), peerEnd: layout.peerEnd.typed(Int32.self),
        frameStart: starts, frameEnd: ends, ignoresNulls: ignoresNulls, session: context.session)
      return try function.evaluate(input).retyped(returnType)
    case .aggregate:
      guard var aggregate = frameAggregate(input, context) else { throw QueryError.internalError("not an aggregate") }
      if isDistinct { aggregate.keepDistinct() }
      if !ordering.isEmpty {
        aggregate.sort(by: ordering.map { input.columns[$0.position] }, ordering.map(\.order))
      }
      return try aggregate.evaluate(starts: starts, ends: ends, count: n)
    }
  }

  private func argumentColumns(_ input: Batch) -> [Column] {
    arguments.map { argument in
      switch argument {
      case .column(let index): input.columns[index]
      case .constant(let column): column.resized(to: input.rowCount)
      }
    }
  }

  /// The aggregate over these rows, DISTINCT and ORDER BY aside; nil for functions of another kind.
  func frameAggregate(_ input: Batch, _ context: QueryContext) -> FrameAggregate? {
    guard case .aggregate(let make) = function else { return nil }
    return FrameAggregate(
      make: make, arguments: argumentColumns(input), rowCount: input.rowCount, filter: filter.map { input.columns[$0] },
      returnType: returnType, context: context)
  }
}

/// Adds columns computed over windows.
final class WindowOperator: PartitionedRowsOperator, @unchecked Sendable {
  private let calls: [WindowCallSpecification]

  init(
    _ node: QueryProfile.Node, partitionKeys: [Int], ordering: [SortSpecification], presort: SortOperator?,
    calls: [WindowCallSpecification], types: [DataType], _ context: QueryContext
  ) {
    self.calls = calls
    super.init(node, partitionKeys: partitionKeys, ordering: ordering, presort: presort, types: types, context)
  }

  override func makeReader(_ part: Int, batchSize: Int) throws(QueryError) -> any BatchReader {
    if let rows = ordered(part, batchSize: batchSize) {
      return WindowStream(rows, partitionKeys: partitionKeys, ordering: ordering, calls: calls, types: types, consumer, context)
    }
    let (input, layout) = try sorted(part)
    var known = FrameCache(input, layout, ordering)
    var columns = input.columns
    for call in calls {
      try context.cancellation.check()
      columns.append(try call.evaluate(input, layout, try known.frames(call), context))
    }
    return SlicingReader([Batch(columns: columns, rowCount: input.rowCount)], batchSize: batchSize)
  }
}
