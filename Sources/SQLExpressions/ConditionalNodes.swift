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

/// Puts values computed for parts of a row set back in row order.
struct PartialResults {
  private let type: DataType
  private let count: Int
  private var parts: [Column] = []
  private var partRows = 0
  private let positions: Buffer

  init(_ type: DataType, count: Int) {
    self.type = type
    self.count = count
    positions = Buffer.zeroed(byteCount: count * 4)
  }

  /// `column[i]` is the value of row `rows[i]` (nil: of row i).
  mutating func add(_ column: Column, rows: UnsafePointer<Int32>?, count: Int) {
    if count == 0 { return }
    let at = positions.typed(Int32.self)
    var row = 0
    if column.isConstant {
      let position = Int32(partRows)
      while row < count {
        at[rows.map { Int($0[row]) } ?? row] = position
        row &+= 1
      }
      parts.append(column.resized(to: 1))
      partRows += 1
    } else {
      let first = Int32(partRows)
      while row < count {
        at[rows.map { Int($0[row]) } ?? row] = first &+ Int32(truncatingIfNeeded: row)
        row &+= 1
      }
      parts.append(column)
      partRows += count
    }
  }

  func finish() -> Column {
    if parts.isEmpty { return .nulls(type, count: count) }
    if parts.count == 1, parts[0].isConstant { return parts[0].resized(to: count) }
    return Column.concatenate(parts, type: type).take(positions.typed(Int32.self), count: count)
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
    var open: Buffer?
    var openCount = count
    for branch in branches {
      if openCount == 0 { break }
      let subset = open.map { RowSet(rows, rows: $0, count: openCount) } ?? rows
      let condition = try branch.condition.evaluate(subset, state)
      let taken = Buffer(byteCount: (openCount + 16) * 4)
      let takenRows = taken.typed(Int32.self)
      let takenCount = RowSelection.selectTrue(condition, into: takenRows)
      if takenCount == 0 { continue }
      // The other rows of the subset, and both as rows of `rows`.
      let rest = Buffer(byteCount: (openCount + 16) * 4)
      let restRows = rest.typed(Int32.self)
      var restCount = 0
      var next = 0
      let openRows = open.map { UnsafePointer($0.typed(Int32.self)) }
      for row in 0..<openCount {
        let isTaken = next < takenCount && takenRows[next] == Int32(truncatingIfNeeded: row)
        let at = openRows.map { $0[row] } ?? Int32(truncatingIfNeeded: row)
        if isTaken {
          takenRows[next] = at
          next &+= 1
        } else {
          restRows[restCount] = at
          restCount &+= 1
        }
      }
      let chosen = takenCount == count ? rows : RowSet(rows, rows: taken, count: takenCount)
      results.add(try branch.result.evaluate(chosen, state), rows: takenRows, count: takenCount)
      open = rest
      openCount = restCount
    }
    if openCount > 0 {
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
    // Errors settle through the row sets: thrown, or noted under the call's row for the innermost TRY.
    let bindings = RowSet(
      rows, outerRows: outerRows, count: rowCount, parameters: parameters, firstSlot: lambda.firstSlot)
    return try lambda.body.evaluate(bindings, state)
  }
}
