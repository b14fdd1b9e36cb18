import Columnar
import Glibc

/// The rows an expression is evaluated on: a whole batch, or some rows of another row set, whose columns are compacted
/// only when an expression reads them.
final class RowSet {
  let rowCount: Int
  /// By slot of the evaluator's layout; nil until read, for narrowed sets.
  private var columns: [Column?]
  let parent: RowSet?
  /// Row numbers in `parent`.
  let selection: UnsafePointer<Int32>?
  private let owner: AnyObject?
  /// Results of shared subexpressions, by cache slot.
  private var cache: [Int: Column] = [:]

  /// All rows of a batch.
  init(_ batch: Batch) {
    rowCount = batch.rowCount
    columns = batch.columns
    parent = nil
    selection = nil
    owner = nil
  }

  /// Rows `selection` of `parent`.
  init(_ parent: RowSet, rows: Buffer, count: Int) {
    rowCount = count
    columns = Array(repeating: nil, count: parent.columns.count)
    self.parent = parent
    selection = UnsafePointer(rows.typed(Int32.self))
    owner = rows
  }

  /// A lambda's bindings: rows `outerRows` of `parent`, with the parameters in the slots from `firstSlot` on.
  init(_ parent: RowSet, outerRows: UnsafePointer<Int32>, count: Int, parameters: [Column], firstSlot: Int) {
    rowCount = count
    var columns = [Column?](repeating: nil, count: max(parent.columns.count, firstSlot + parameters.count))
    for (index, column) in parameters.enumerated() { columns[firstSlot + index] = column }
    self.columns = columns
    self.parent = parent
    selection = outerRows
    owner = nil
  }

  func column(_ slot: Int) -> Column {
    if let column = columns[slot] { return column }
    let column = parent!.column(slot).take(selection!, count: rowCount)
    columns[slot] = column
    return column
  }

  func cached(_ slot: Int) -> Column? { cache[slot] }
  func remember(_ column: Column, _ slot: Int) { cache[slot] = column }
}
