import CKernels
import Columnar
import Glibc
import QueryErrors
import SQLFunctions

/// Row numbers chosen from a row set, in one pass each.
enum RowSelection {
  /// Writes the rows (of 0 ..< count) for which `column` is true; returns how many.
  static func selectTrue(_ column: Column, into out: UnsafeMutablePointer<Int32>) -> Int {
    select(column, wanted: 1, into: out)
  }

  /// Rows where `column` is not null and equals `wanted` (0 or 1).
  static func select(_ column: Column, wanted: UInt8, into out: UnsafeMutablePointer<Int32>) -> Int {
    let count = column.count
    if column.isConstant {
      if column.isAllNull || count == 0 { return 0 }
      let value = column.base!.values!.typed(UInt8.self)[0]
      if value != wanted { return 0 }
      for row in 0..<count { out[row] = Int32(truncatingIfNeeded: row) }
      return count
    }
    let view = column.view
    let values = view.values.assumingMemoryBound(to: UInt8.self)
    let flip = 1 &- Int(wanted)
    var selected = 0
    var row = 0
    if let indices = view.indices {
      if let validity = column.validity {
        while row < count {
          out[selected] = Int32(truncatingIfNeeded: row)
          selected &+= (Int(values[Int(indices[row])]) ^ flip) & bit(validity[row])
          row &+= 1
        }
      } else {
        while row < count {
          out[selected] = Int32(truncatingIfNeeded: row)
          selected &+= Int(values[Int(indices[row])]) ^ flip
          row &+= 1
        }
      }
    } else if let validity = column.validity {
      while row < count {
        out[selected] = Int32(truncatingIfNeeded: row)
        selected &+= (Int(values[row]) ^ flip) & bit(validity[row])
        row &+= 1
      }
    } else {
      selected = ck_select(values, count, wanted ^ 1, out)
    }
    return selected
  }

  /// Turns numbers among `rows` into those rows.
  static func compose(_ rows: UnsafePointer<Int32>, _ taken: UnsafeMutablePointer<Int32>, _ takenCount: Int) {
    for i in 0..<takenCount { taken[i] = rows[Int(taken[i])] }
  }

  /// Turns numbers among `rows` (nil: all numbers) into those rows, and writes the other rows to `rest`; returns how many.
  static func split(
    _ rows: UnsafePointer<Int32>?, _ count: Int, _ taken: UnsafeMutablePointer<Int32>, _ takenCount: Int,
    _ rest: UnsafeMutablePointer<Int32>
  ) -> Int {
    var restCount = 0
    var row = 0
    for next in 0...takenCount {
      let end = next < takenCount ? Int(taken[next]) : count
      while row < end {
        rest[restCount] = rows.map { $0[row] } ?? Int32(truncatingIfNeeded: row)
        restCount &+= 1
        row &+= 1
      }
      if next < takenCount {
        if let rows { taken[next] = rows[row] }
        row &+= 1
      }
    }
    return restCount
  }
}

/// AND and OR: later operands are evaluated only on rows that earlier ones left open.
final class LogicalNode: EvaluationNode {
  private let operands: [(node: EvaluationNode, mayFail: Bool)]
  private let isAnd: Bool

  init(_ operands: [(node: EvaluationNode, mayFail: Bool)], isAnd: Bool) {
    self.operands = operands
    self.isAnd = isAnd
    super.init(.boolean)
  }

  override func compute(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column {
    let count = rows.rowCount
    // The value that decides: false for AND, true for OR.
    let decisive: UInt8 = isAnd ? 0 : 1
    let values = Buffer(byteCount: count)
    let out = values.typed(UInt8.self)
    memset(out, Int32(1 - decisive), count)
    var nulls: Bitmap?
    var open: Buffer?
    var openCount = count
    for (index, operand) in operands.enumerated() {
      if openCount == 0 { break }
      let subset = open.map { RowSet(rows, rows: $0, count: openCount) } ?? rows
      let column = try operand.node.evaluate(subset, state)
      let view = column.view
      let bytes = view.values.assumingMemoryBound(to: UInt8.self)
      let openRows = open.map { UnsafePointer($0.typed(Int32.self)) }
      var row = 0
      if openRows == nil, view.isFlat, column.validity == nil, nulls == nil {
        if isAnd {
          while row < count {
            out[row] &= bytes[row]
            row &+= 1
          }
        } else {
          while row < count {
            out[row] |= bytes[row]
            row &+= 1
          }
        }
      } else {
        while row < openCount {
          let at = openRows.map { Int($0[row]) } ?? row
          if view.isNull(row) {
            if out[at] != decisive {
              if nulls == nil { nulls = Bitmap(count: count, filled: false) }
              nulls!.set(at)
            }
          } else if bytes[view.position(row)] == decisive {
            out[at] = decisive
            nulls?.clear(at)
          }
          row &+= 1
        }
      }
      if index + 1 < operands.count {
        var undecided = 0
        let next = Buffer(byteCount: (count + 16) * 4)
        let nextRows = next.typed(Int32.self)
        row = 0
        while row < count {
          nextRows[undecided] = Int32(truncatingIfNeeded: row)
          undecided &+= bit(out[row] != decisive)
          row &+= 1
        }
        // Nearly all rows open and nothing can fail: cheaper to go on with whole columns.
        if undecided == count || (!operands[index + 1].mayFail && undecided * 4 > count * 3) {
          open = nil
          openCount = undecided == 0 ? 0 : count
        } else {
          open = next
          openCount = undecided
        }
      }
    }
    var validity: Bitmap?
    if let nulls {
      let bitmap = Bitmap(count: count, filled: true)
      for word in 0..<bitmap.wordCount { bitmap.words[word] &= ~nulls.words[word] }
      validity = bitmap
    }
    return Column(flat: .boolean, count: count, values: values, validity: validity)
  }
}

/// CASE: each result is evaluated only on the rows that take it.
final class CaseNode: EvaluationNode {
  private let branches: [(condition: EvaluationNode, result: EvaluationNode)]
  private let otherwise: EvaluationNode

  init(branches: [(condition: EvaluationNode, result: EvaluationNode)], otherwise: EvaluationNode, _ type: DataType) {
    self.branches = branches
    self.otherwise = otherwise
    super.init(type)
  }

  override func compute(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column {
    let count = rows.rowCount
    var results = PartialResults(type, count: count)
    // Columns and constants are there for all rows, and cannot fail: rows that a branch takes are put over them.
    let isFilled = results.isDirect && otherwise.isImmediate
    if isFilled { results.add(try otherwise.evaluate(rows, state), rows: nil, count: count) }
    var open: Buffer?
    var openCount = count
    for (number, branch) in branches.enumerated() {
      if openCount == 0 { break }
      let subset = open.map { RowSet(rows, rows: $0, count: openCount) } ?? rows
      let condition = try branch.condition.evaluate(subset, state)
      let taken = Buffer(byteCount: (openCount + 16) * 4)
      let takenRows = taken.typed(Int32.self)
      let takenCount = RowSelection.selectTrue(condition, into: takenRows)
      if takenCount == 0 { continue }
      if isFilled, number == branches.count - 1 {
        if let open { RowSelection.compose(open.typed(Int32.self), takenRows, takenCount) }
        openCount = 0
      } else {
        let rest = Buffer(byteCount: (openCount + 16) * 4)
        openCount = RowSelection.split(open?.typed(Int32.self), openCount, takenRows, takenCount, rest.typed(Int32.self))
        open = rest
      }
      if results.isDirect, branch.result.isImmediate {
        results.add(try branch.result.evaluate(rows, state), picking: takenRows, count: takenCount)
      } else {
        let chosen = takenCount == count ? rows : RowSet(rows, rows: taken, count: takenCount)
        results.add(try branch.result.evaluate(chosen, state), rows: takenRows, count: takenCount)
      }
    }
    if openCount > 0, !isFilled {
      let subset = open.map { RowSet(rows, rows: $0, count: openCount) } ?? rows
      results.add(
        try otherwise.evaluate(subset, state), rows: open.map { UnsafePointer($0.typed(Int32.self)) }, count: openCount)
    }
    return results.finish()
  }
}

/// COALESCE: later operands are evaluated only on rows that are NULL so far.
final class CoalesceNode: EvaluationNode {
  private let operands: [EvaluationNode]

  init(_ operands: [EvaluationNode], _ type: DataType) {
    self.operands = operands
    super.init(type)
  }

  override func compute(_ rows: RowSet, _ state: EvaluationState) throws(QueryError) -> Column {
    let count = rows.rowCount
    var results = PartialResults(type, count: count)
    var open: Buffer?
    var openCount = count
    for (index, operand) in operands.enumerated() {
      if openCount == 0 { break }
      let subset = open.map { RowSet(rows, rows: $0, count: openCount) } ?? rows
      let column = try operand.evaluate(subset, state)
      if index == 0, column.validity == nil { return column }
      let openRows = open.map { UnsafePointer($0.typed(Int32.self)) }
      if column.validity == nil || index == operands.count - 1 {
        results.add(column, rows: openRows, count: openCount)
        break
      }
      let (known, knownRows) = (Buffer(byteCount: openCount * 4), Buffer(byteCount: openCount * 4))
      let rest = Buffer(byteCount: (openCount + 16) * 4)
      let (k, kr, r) = (known.typed(Int32.self), knownRows.typed(Int32.self), rest.typed(Int32.self))
      var (knownCount, restCount) = (0, 0)
      for row in 0..<openCount {
        let at = openRows.map { $0[row] } ?? Int32(truncatingIfNeeded: row)
        if column.isNull(row) {
          r[restCount] = at
          restCount &+= 1
        } else {
          k[knownCount] = Int32(truncatingIfNeeded: row)
          kr[knownCount] = at
          knownCount &+= 1
        }
      }
      results.add(column.take(k, count: knownCount), rows: kr, count: knownCount)
      open = rest
      openCount = restCount
    }
    return results.finish()
  }
}

/// A lambda argument: its body over the batch's columns and its parameters.
final class LambdaNode {
  let body: EvaluationNode
  let firstSlot: Int

  init(body: EvaluationNode, firstSlot: Int) {
    self.body = body
    self.firstSlot = firstSlot
  }

  func bound(to rows: RowSet, _ state: EvaluationState) -> any LambdaEvaluator {
    BoundLambda(self, rows, state)
  }
}

/// A lambda over the rows of one call.
private final class BoundLambda: LambdaEvaluator {
  private let lambda: LambdaNode
  private let rows: RowSet
  private let state: EvaluationState

  init(_ lambda: LambdaNode, _ rows: RowSet, _ state: EvaluationState) {
    self.lambda = lambda
    self.rows = rows
    self.state = state
  }

  func evaluate(
    _ parameters: [Column], outerRows: UnsafePointer<Int32>, rowCount: Int, errors: inout RowErrors
  ) throws(QueryError) -> Column {
    try MemoryAccount.check()
    // Errors settle through the row sets: thrown, or noted under the call's row for the innermost TRY.
    let bindings = RowSet(
      rows, outerRows: outerRows, count: rowCount, parameters: parameters, firstSlot: lambda.firstSlot)
    return try lambda.body.evaluate(bindings, state)
  }
}
