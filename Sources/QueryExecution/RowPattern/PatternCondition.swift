import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

/// The condition of one pattern variable: whether the row last put on a path may be matched with it.
///
/// Conditions that look at nothing but rows at fixed distances are computed for all rows at once, when first asked for.
///
/// - Threads: one owner.
final class PatternCondition {
  private enum Input {
    case value(Column, PathPointer)
    case classifier(PathPointer)
    case matchNumber
    case aggregate(PathAggregate)
  }

  private let variable: Int
  private let inputs: [Input]
  private let types: [DataType]
  private let evaluator: ExpressionEvaluator
  private let variableNames: Column
  private let partitions: [Int32]
  let dependence: ConditionDependence
  let histories: [PathHistory]
  /// Outcomes of all rows, as 0 or 1, once computed.
  private var table: Buffer?
  private var canTabulate: Bool
  private let rowCount: Int

  /// - Parameter partitions: the first row of each partition, and the end.
  init(
    _ definition: PatternExpression, of variable: Int, in specification: RowPatternSpecification, _ rows: PatternRows,
    _ path: MatchPath, partitions: [Int32], isWindow: Bool, session: SessionContext
  ) throws(QueryError) {
    self.variable = variable
    self.partitions = partitions
    variableNames = rows.variableNames
    rowCount = rows.batch.rowCount
    var inputs: [Input] = []
    var types: [DataType] = []
    var dependence = definition.expression.isDeterministic ? ConditionDependence.position : .attempt
    var histories: [PathHistory] = []
    func note(_ other: ConditionDependence) { dependence = max(dependence, other) }
    func pointer(_ pointer: PatternPointer, isValue: Bool) -> PathPointer {
      let set = path.set(pointer.variables)
      let isOwn = set.contains(variable)
      if isWindow, pointer.physicalOffset != 0 { note(.attempt) }
      if pointer.isLast, isOwn, pointer.logicalOffset == 0 {
        // The row under test itself.
        if !isValue, pointer.physicalOffset != 0 {
          note(.history)
          histories.append(.whole(path.set([])))
        }
      } else if set.variables.isEmpty, isValue {
        note(.attempt)
      } else {
        note(.history)
        if isValue || pointer.physicalOffset == 0 {
          let count = pointer.logicalOffset + (pointer.isLast && isOwn ? 0 : 1)
          histories.append(.ends(set, isLast: pointer.isLast, count: count))
          if !isValue { histories.append(.whole(set)) }
        } else {
          histories.append(.whole(path.set([])))
        }
      }
      return PathPointer(
        set: set, isLast: pointer.isLast, logicalOffset: pointer.logicalOffset, physicalOffset: pointer.physicalOffset)
    }
    for input in definition.inputs {
      types.append(input.reference.type)
      switch input.source {
      case .value(let value, let target):
        guard let column = value.columnReference else { throw .internalError("a pattern reads \(value), no column") }
        inputs.append(.value(try rows.column(column), pointer(target, isValue: true)))
      case .classifier(let target): inputs.append(.classifier(pointer(target, isValue: false)))
      case .matchNumber:
        note(.attempt)
        inputs.append(.matchNumber)
      case .aggregate(let aggregate):
        let set = path.set(aggregate.variables)
        note(.history)
        histories.append(.whole(set))
        inputs.append(
          .aggregate(
            PathAggregate(
              set, try PatternArguments(aggregate, specification, rows, session: session),
              make: aggregate.accumulators(session), type: input.reference.type)))
      }
    }
    self.inputs = inputs
    self.types = types
    self.dependence = dependence
    self.histories = histories
    canTabulate = dependence == .position
    evaluator = try ExpressionEvaluator(
      [definition.expression], inputs: definition.inputs.map(\.reference), session: session)
  }

  /// A new attempt starts.
  func begin() {
    for input in inputs { if case .aggregate(let aggregate) = input { aggregate.begin() } }
  }

  /// Whether the path's last row may stand where it does.
  func isTrue(_ path: MatchPath, _ attempt: MatchAttempt) throws(QueryError) -> Bool {
    let row = attempt.start + path.count - 1
    if canTabulate {
      if table == nil {
        // What fails for some row may never be asked for that row.
        do throws(QueryError) { table = try tabulate() } catch { canTabulate = false }
      }
      if let table { return table.typed(UInt8.self)[row] != 0 }
    }
    var columns: [Column] = []
    columns.reserveCapacity(inputs.count)
    for (index, input) in inputs.enumerated() {
      switch input {
      case .value(let column, let pointer):
        if let target = self.target(of: pointer, attempt) {
          columns.append(column.slice(offset: target, count: 1))
        } else {
          columns.append(.nulls(types[index], count: 1))
        }
      case .classifier(let pointer):
        if let target = self.target(of: pointer, attempt), target >= attempt.start, target <= row {
          let variable = Int(path.variables[target - attempt.start])
          columns.append(variableNames.slice(offset: variable, count: 1))
        } else {
          columns.append(.nulls(types[index], count: 1))
        }
      case .matchNumber: columns.append(.constant(.integer(Int64(attempt.number)), .bigint, count: 1))
      case .aggregate(let aggregate): columns.append(try aggregate.value(path, attempt))
      }
    }
    let result = try evaluator.evaluate(Batch(columns: columns, rowCount: 1))[0]
    return !result.isNull(0) && result.view.value(0, as: UInt8.self) != 0
  }

  private func target(of pointer: PathPointer, _ attempt: MatchAttempt) -> Int? {
    guard let position = pointer.set.position(pointer) else { return nil }
    let target = attempt.start + position + pointer.physicalOffset
    return attempt.search.contains(target) ? target : nil
  }

  /// Rows computed at once.
  private static let chunkSize = 8192

  private func tabulate() throws(QueryError) -> Buffer {
    let table = Buffer(byteCount: rowCount)
    let out = table.typed(UInt8.self)
    var partition = 0
    var first = 0
    while first < rowCount {
      let count = min(PatternCondition.chunkSize, rowCount - first)
      // Partitions of the chunk's rows, for offsets that leave them.
      while Int(partitions[partition + 1]) <= first { partition += 1 }
      var columns: [Column] = []
      for input in inputs {
        guard case .value(let column, let pointer) = input else { throw .internalError("no row of its own") }
        if pointer.physicalOffset == 0 {
          columns.append(column.slice(offset: first, count: count))
        } else {
          columns.append(shifted(column, by: pointer.physicalOffset, first, count, partition))
        }
      }
      let result = try evaluator.evaluate(Batch(columns: columns, rowCount: count))[0]
      let view = result.view
      withExtendedLifetime(result) {
        for row in 0..<count {
          out[first + row] = view.isNull(row) ? 0 : view.value(row, as: UInt8.self)
        }
      }
      first += count
    }
    return table
  }

  /// Rows `first ..< first + count`, each replaced by the one so far from it in its partition.
  private func shifted(_ column: Column, by offset: Int, _ first: Int, _ count: Int, _ partition: Int) -> Column {
    var partition = partition
    let indices = Buffer(byteCount: count * 4)
    let rows = indices.typed(Int32.self)
    let validity = Bitmap(count: count, filled: true)
    for k in 0..<count {
      let row = first + k
      while Int(partitions[partition + 1]) <= row { partition += 1 }
      let target = row + offset
      if target >= Int(partitions[partition]), target < Int(partitions[partition + 1]) {
        rows[k] = Int32(target)
      } else {
        rows[k] = 0
        validity.clear(k)
      }
    }
    return .dictionary(column, indices: indices, count: count, validity: validity)
  }
}

/// An aggregate over the rows of a path that are in a set, kept up to date while the path grows and shrinks.
///
/// - Threads: one owner.
final class PathAggregate {
  private let set: VariableSet
  private let arguments: PatternArguments
  private let make: @Sendable () throws(QueryError) -> any GroupsAccumulator
  private let type: DataType
  /// The first `addedCount` rows of the set; `addedHash` tells whether they still are.
  private var accumulator: (any GroupsAccumulator)?
  private var addedCount = 0
  private var addedHash = PathHash()

  init(
    _ set: VariableSet, _ arguments: PatternArguments,
    make: @escaping @Sendable () throws(QueryError) -> any GroupsAccumulator, type: DataType
  ) {
    self.set = set
    self.arguments = arguments
    self.make = make
    self.type = type
  }

  /// A new match starts at another row.
  func begin() {
    accumulator = nil
    addedCount = 0
  }

  /// The aggregate of the path's rows, the last one included.
  func value(_ path: MatchPath, _ attempt: MatchAttempt) throws(QueryError) -> Column {
    let count = set.positions.count
    if addedCount > count || (accumulator != nil && set.prefixHash(addedCount) != addedHash) { begin() }
    let state: any GroupsAccumulator
    if let accumulator {
      state = accumulator
    } else {
      state = try make()
      state.resize(groupCount: 1)
      accumulator = state
    }
    guard state.mergesByCopy, count > 0 else {
      try add(count, to: state, path, attempt)
      return try state.finish(0..<1).retyped(type)
    }
    // The last row may be taken back as soon as it is tested: it is added to a copy.
    try add(max(count - 1, addedCount), to: state, path, attempt)
    if addedCount == count { return try state.finish(0..<1).retyped(type) }
    let copy = try make()
    copy.resize(groupCount: 1)
    try copy.merge(state, sources: nil, targets: nil, count: 1)
    try update(copy, addedCount..<count, path, attempt)
    return try copy.finish(0..<1).retyped(type)
  }

  private func add(
    _ count: Int, to state: any GroupsAccumulator, _ path: MatchPath, _ attempt: MatchAttempt
  ) throws(QueryError) {
    if count > addedCount { try update(state, addedCount..<count, path, attempt) }
    addedCount = count
    addedHash = set.prefixHash(count)
  }

  private func update(
    _ state: any GroupsAccumulator, _ range: Range<Int>, _ path: MatchPath, _ attempt: MatchAttempt
  ) throws(QueryError) {
    let positions = set.positions[range]
    let first = Int32(attempt.start)
    let rows = positions.map { $0 + first }
    let variables = arguments.needsVariables ? positions.map { path.variables[Int($0)] } : []
    let columns = try arguments.evaluate(rows, variables: variables) {
      .constant(.integer(Int64(attempt.number)), .bigint, count: rows.count)
    }
    try state.update(columns, groups: nil, rowCount: rows.count)
  }
}
