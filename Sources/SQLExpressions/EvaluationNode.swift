import Columnar
import QueryErrors
import SQLFunctions

/// One node of a compiled expression; holds kernels and caches of one worker.
class EvaluationNode {
  let type: DataType
  /// Where row sets keep the result when several places use this node.
  var cacheSlot: Int?

  init(_ type: DataType) { self.type = type }

  /// The value of every row of `rows`.
  final func evaluate(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column {
    guard let cacheSlot else { return try compute(rows, state) }
    // Inside TRY errors must be recorded again, so results made outside of it do not serve.
    if state.failures == nil, let known = rows.cached(cacheSlot) { return known }
    let column = try compute(rows, state)
    if state.failures == nil { rows.remember(column, cacheSlot) }
    return column
  }

  /// Whether the value is there without work and cannot fail.
  var isImmediate: Bool { false }

  func compute(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column {
    preconditionFailure("abstract")
  }
}

/// What nodes share while a batch is evaluated.
final class EvaluationState {
  let session: SessionContext
  /// The innermost TRY, when inside one.
  var failures: TryFailures?

  init(session: SessionContext) { self.session = session }

  /// Deals with the errors a kernel recorded for `rows`: thrown, or noted for the innermost TRY.
  func settle(_ errors: RowErrors, _ rows: RowSet, _ range: SourceRange?) throws(QueryError) {
    if errors.isEmpty { return }
    if let first = errors.first { throw first.error.located(at: range) }
    failures?.add(errors.failedRows, of: rows)
  }
}

/// Rows for which an operand of TRY failed.
final class TryFailures {
  let rows: RowSet
  private(set) var failed: [Int32] = []

  init(_ rows: RowSet) { self.rows = rows }

  /// Adds rows of `set`, which narrows the TRY's rows in zero or more steps.
  func add(_ failedRows: [Int32], of set: RowSet) {
    var numbers = failedRows
    var current: RowSet = set
    while current !== rows, let parent = current.parent, let selection = current.selection {
      for index in numbers.indices { numbers[index] = selection[Int(numbers[index])] }
      current = parent
    }
    failed += numbers
  }
}

/// A column of the batch.
final class ColumnNode: EvaluationNode {
  private let slot: Int
  init(slot: Int, _ type: DataType) {
    self.slot = slot
    super.init(type)
  }
  override var isImmediate: Bool { true }
  override func compute(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column { rows.column(slot) }
}

/// A constant.
final class ConstantNode: EvaluationNode {
  private let column: Column
  init(_ value: Scalar, _ type: DataType) {
    column = .constant(value, type, count: 1)
    super.init(type)
  }
  override var isImmediate: Bool { true }
  override func compute(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column {
    column.resized(to: rows.rowCount)
  }
}

/// A call of a scalar function or a cast.
final class CallNode: EvaluationNode {
  private let kernel: Kernel
  private let arguments: [EvaluationNode]
  private let lambdas: [LambdaNode]
  private let propagatesNulls: Bool
  private let isFoldable: Bool
  private let range: SourceRange?
  /// The last dictionary this call was evaluated on, the constants beside it, and the outcome for its entries.
  private var dictionaryBase: Column?
  private var dictionaryConstants: [Scalar] = []
  private var dictionaryResult: Column?
  private var dictionaryRows = 0

  /// - Parameter isFoldable: whether equal arguments give equal results.
  init(
    _ type: DataType, kernel: @escaping Kernel, arguments: [EvaluationNode], lambdas: [LambdaNode],
    propagatesNulls: Bool, isFoldable: Bool, range: SourceRange?
  ) {
    self.kernel = kernel
    self.arguments = arguments
    self.lambdas = lambdas
    self.propagatesNulls = propagatesNulls
    self.isFoldable = isFoldable
    self.range = range
    super.init(type)
  }

  override func compute(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column {
    let rowCount = rows.rowCount
    var columns: [Column] = []
    columns.reserveCapacity(arguments.count)
    for argument in arguments { columns.append(try argument.evaluate(rows, state)) }
    if propagatesNulls, columns.contains(where: \.isAllNull) { return .nulls(type, count: rowCount) }
    if isFoldable, lambdas.isEmpty, rowCount > 0 {
      var dictionary: Column?
      var isUniform = true
      for column in columns {
        switch column.encoding {
        case .constant: continue
        case .flat: isUniform = false
        case .dictionary:
          if let known = dictionary, known !== column { isUniform = false }
          dictionary = column
        }
      }
      if isUniform, dictionary == nil, rowCount > 1, !columns.isEmpty {
        let one = try call(columns.map { $0.resized(to: 1) }, 1, rows, state)
        if let one { return .constant(row: 0, of: one, count: rowCount) }
      } else if isUniform, propagatesNulls, let dictionary, let result = try onEntries(of: dictionary, columns, rows, state) {
        return result
      }
    }
    return try call(columns, rowCount, rows, state)!
  }

  /// The result computed on a dictionary's entries; nil when that does not pay or an entry fails.
  /// Only for functions that propagate NULLs: rows may be NULL beside the entries.
  private func onEntries(
    of dictionary: Column, _ columns: [Column], _ rows: RowSet, _ state: EvaluationState
  ) throws(QueryError) -> Column? {
    let base = dictionary.base!
    // What is constant in a batch need not be so in the next.
    let constants = columns.compactMap { $0 === dictionary ? nil : $0.scalar(0) }
    if dictionaryBase !== base || dictionaryConstants != constants {
      dictionaryBase = base
      dictionaryConstants = constants
      dictionaryResult = nil
      dictionaryRows = 0
    }
    if dictionaryRows < 0 { return nil }
    if dictionaryResult == nil {
      dictionaryRows += rows.rowCount
      // A dictionary larger than the rows met so far is not worth evaluating yet.
      if base.count > 2 * dictionaryRows { return nil }
      let entries = columns.map { $0 === dictionary ? base : $0.resized(to: base.count) }
      var context = KernelContext(returnType: type, session: state.session)
      var result: Column?
      do throws(QueryError) { result = try kernel(entries, base.count, &context) } catch { result = nil }
      guard let result, context.errors.isEmpty else {
        // Some entry fails, maybe one that no row uses: go row by row for this dictionary.
        dictionaryRows = -1
        return nil
      }
      dictionaryResult = CallNode.nullsOf(entries, result)
    }
    return .dictionary(
      dictionaryResult!, indices: dictionary.indices!, count: dictionary.count,
      validity: dictionary.validity)
  }

  private func call(
    _ columns: [Column], _ rowCount: Int, _ rows: RowSet, _ state: EvaluationState
  ) throws(QueryError) -> Column? {
    var context = KernelContext(
      errors: RowErrors(collecting: state.failures != nil), returnType: type,
      lambdas: lambdas.map { $0.bound(to: rows, state) }, session: state.session)
    let result: Column
    do throws(QueryError) {
      result = try kernel(columns, rowCount, &context)
      try MemoryAccount.checkRefused()
    } catch { throw error.located(at: range) }
    if !context.errors.isEmpty {
      // A folded call failed for its one row, which stands for all of them: go row by row, so that TRY sees each.
      if rowCount != rows.rowCount { return nil }
      try state.settle(context.errors, rows, range)
    }
    return propagatesNulls ? CallNode.nullsOf(columns, result) : result
  }

  private static func nullsOf(_ arguments: [Column], _ result: Column) -> Column {
    guard let validity = commonValidity(arguments) else { return result }
    if result.isAllNull { return result }
    return result.withValidity(Bitmap.intersection(validity, result.validity))
  }
}

/// Field of a row.
final class FieldNode: EvaluationNode {
  private let operand: EvaluationNode
  private let index: Int

  init(_ operand: EvaluationNode, index: Int, _ type: DataType) {
    self.operand = operand
    self.index = index
    super.init(type)
  }

  override func compute(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column {
    let column = try operand.evaluate(rows, state)
    if column.isAllNull { return .nulls(type, count: rows.rowCount) }
    let field = column.storage.children[index]
    switch column.encoding {
    case .flat: return field.withValidity(Bitmap.intersection(column.validity, field.validity))
    case .constant: return .constant(row: 0, of: field, count: rows.rowCount)
    case .dictionary:
      return .dictionary(field, indices: column.indices!, count: column.count, validity: column.validity)
    }
  }
}

/// TRY: rows for which the operand fails are NULL.
final class TryNode: EvaluationNode {
  private let operand: EvaluationNode

  init(_ operand: EvaluationNode) {
    self.operand = operand
    super.init(operand.type)
  }

  override func compute(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column {
    let outer = state.failures
    let failures = TryFailures(rows)
    state.failures = failures
    defer { state.failures = outer }
    let column: Column
    do throws(QueryError) { column = try operand.evaluate(rows, state) } catch {
      // A kernel gave up on the whole batch: find the rows one by one.
      guard error.code.isCaughtByTry else { throw error }
      if rows.rowCount <= 1 { return .nulls(type, count: rows.rowCount) }
      return try rowByRow(rows, state)
    }
    if failures.failed.isEmpty { return column }
    let validity = Bitmap(count: rows.rowCount, filled: true)
    for row in failures.failed { validity.clear(Int(row)) }
    return column.flattened().withValidity(Bitmap.intersection(validity, column.validity))
  }

  private func rowByRow(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column {
    var parts: [Column] = []
    for row in 0..<rows.rowCount {
      let one = Buffer(byteCount: 4)
      one.typed(Int32.self)[0] = Int32(row)
      parts.append(try compute(RowSet(rows, rows: one, count: 1), state))
    }
    return .concatenate(parts, type: type)
  }
}
