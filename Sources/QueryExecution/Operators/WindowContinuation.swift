import Columnar
import QueryErrors
import QueryPlan
import SQLFunctions

/// How a call goes on in a partition that is worked on piece by piece.
struct WindowContinuation {
  private enum Kind {
    /// Values of the piece, moved by the rows before it.
    case countsRows
    /// Values of the piece, moved by the peer groups before it.
    case countsGroups
    /// Rows near the own one: those of the piece are enough.
    case nearby
    /// An aggregate from the partition's first row to the own one, its state so far.
    case running((any GroupsAccumulator)?)
    /// The first row's value.
    case first(Column?)
    /// The same for all rows: an aggregate of the whole partition.
    case total(any GroupsAccumulator, Column?)
  }

  private var kind: Kind
  /// Rows before the own one, and behind it, that the call looks at.
  private(set) var rowsBehind = 0
  private(set) var rowsAhead = 0
  /// Whether a group of peers has to be in one piece.
  private(set) var looksAtPeers = false

  /// Rows that a call may look at on either side of a piece.
  private static let farthestRow = 1 << 16

  /// Rows of a partition, some of them handed out before, and what came before them.
  struct Piece {
    var rows: Batch
    var layout: WindowLayout
    /// Those whose values are asked for.
    var range: Range<Int>
    /// Rows and peer groups of the partition before `rows`.
    var rowsBefore: Int
    var groupsBefore: Int
  }

  /// - Returns: nil when the call has to see all rows of a partition at once.
  init?(_ call: WindowCallSpecification, ordering: [SortSpecification]) {
    let frame = call.frame
    let fromFirst = frame.start == .unboundedPreceding
    let toOwn = frame.end == .currentRow
    let isByRows = frame.unit == .rows
    let isWhole = fromFirst && (frame.end == .unboundedFollowing || toOwn && !isByRows && ordering.isEmpty)
    switch call.function {
    case .window(let function):
      if call.ignoresNulls { return nil }
      switch function.name {
      case "row_number": kind = .countsRows
      case "rank":
        kind = .countsRows
        looksAtPeers = true
      case "dense_rank":
        kind = .countsGroups
        looksAtPeers = true
      case "lag", "lead":
        guard let distance = WindowContinuation.distance(call) else { return nil }
        kind = .nearby
        if function.name == "lag" { rowsBehind = distance } else { rowsAhead = distance }
      case "first_value" where fromFirst && (toOwn || isWhole): kind = .first(nil)
      case "last_value" where fromFirst && toOwn && !isWhole:
        kind = .nearby
        looksAtPeers = !isByRows
      case "first_value", "last_value", "nth_value":
        kind = .nearby
        if !limit(frame) { return nil }
      default: return nil
      }
    case .aggregate(let make):
      if call.isDistinct || !call.ordering.isEmpty { return nil }
      if isWhole {
        guard let accumulator = try? make() else { return nil }
        accumulator.resize(groupCount: 1)
        kind = .total(accumulator, nil)
      } else if fromFirst, toOwn {
        guard let accumulator = try? make(), accumulator.mergesByCopy else { return nil }
        kind = .running(nil)
        looksAtPeers = !isByRows
      } else {
        kind = .nearby
        if !limit(frame) { return nil }
      }
    }
  }

  /// Sets how far rows of a frame are from its own row; false when that is not the same for all rows.
  private mutating func limit(_ frame: FrameSpecification) -> Bool {
    guard frame.unit == .rows else { return false }
    for (bound, offset) in [(frame.start, frame.startOffset), (frame.end, frame.endOffset)] {
      switch bound {
      case .currentRow: break
      case .preceding, .following:
        guard let offset, offset <= WindowContinuation.farthestRow else { return false }
        if case .preceding = bound { rowsBehind = max(rowsBehind, offset) } else { rowsAhead = max(rowsAhead, offset) }
      case .unboundedPreceding, .unboundedFollowing: return false
      }
    }
    return true
  }

  /// How many rows `lag` and `lead` go, where that is the same for all rows.
  private static func distance(_ call: WindowCallSpecification) -> Int? {
    guard call.arguments.count > 1 else { return 1 }
    guard case .constant(let column) = call.arguments[1] else { return nil }
    guard column.count > 0, let offset = column.scalar(0).integerValue, offset >= 0, offset <= farthestRow else { return nil }
    return Int(offset)
  }

  // MARK: Totals

  var needsTotal: Bool {
    if case .total = kind { return true }
    return false
  }

  func addToTotal(_ call: WindowCallSpecification, _ rows: Batch, _ context: QueryContext) throws(QueryError) {
    guard case .total(let accumulator, _) = kind, let aggregate = call.frameAggregate(rows, context) else { return }
    try aggregate.add(to: accumulator)
  }

  mutating func finishTotal(_ call: WindowCallSpecification) throws(QueryError) {
    guard case .total(let accumulator, _) = kind else { return }
    kind = .total(accumulator, try accumulator.finish(0..<1).retyped(call.returnType))
  }

  // MARK: Values

  /// The values of the piece's rows.
  mutating func evaluate(
    _ call: WindowCallSpecification, _ piece: Piece, _ known: inout FrameCache, _ context: QueryContext
  ) throws(QueryError) -> Column {
    let (first, count) = (piece.range.lowerBound, piece.range.count)
    switch kind {
    case .total(_, let value): return .constant(row: 0, of: value ?? .nulls(call.returnType, count: 1), count: count)
    case .first(let value):
      var own = value
      if own == nil {
        own = try call.evaluate(piece.rows, piece.layout, try known.frames(call), context).slice(offset: 0, count: 1).flattened()
        kind = .first(own)
      }
      guard let own else { throw QueryError.internalError("no first value") }
      return .constant(row: 0, of: own, count: count)
    case .running(var state):
      let own = piece.rows.slice(offset: first, count: count)
      guard let aggregate = call.frameAggregate(own, context) else { throw QueryError.internalError("not an aggregate") }
      let peers = piece.layout.peerEnd.typed(Int32.self)
      let isByRows = call.frame.unit == .rows
      let ends = piece.range.map { isByRows ? Int32($0 - first + 1) : peers[$0] - Int32(first) }
      let values = try aggregate.continued(ends: ends, after: &state)
      kind = .running(state)
      return values
    case .nearby, .countsRows, .countsGroups: break
    }
    let values = try call.evaluate(piece.rows, piece.layout, try known.frames(call), context).slice(offset: first, count: count)
    switch kind {
    case .countsRows: return WindowContinuation.moved(values, by: piece.rowsBefore)
    case .countsGroups: return WindowContinuation.moved(values, by: piece.groupsBefore)
    default: return values
    }
  }

  private static func moved(_ numbers: Column, by distance: Int) -> Column {
    let flat = numbers.flattened()
    let result = Buffer(byteCount: flat.count * 8)
    guard let values = flat.values?.typed(Int64.self) else { return numbers }
    for row in 0..<flat.count { result.typed(Int64.self)[row] = values[row] + Int64(distance) }
    return Column(flat: .bigint, count: flat.count, values: result, validity: nil)
  }
}
