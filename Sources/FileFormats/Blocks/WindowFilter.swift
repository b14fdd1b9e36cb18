import Columnar
import QueryErrors

/// Applies a scan's conditions to windows of rows: each condition's columns are read only for the rows that passed the ones
/// before, and conditions that take out most per cost come first.
///
/// - Threads: one reader.
final class WindowFilter {
  /// In the order they are applied.
  private(set) var conditions: [ScanCondition]
  private let columnCount: Int
  /// Columns that nobody wants once the conditions on them were applied.
  private let predicateOnly: Set<Int>

  // MARK: The window filtered last

  /// Rows that passed, relative to the window; written only when not all did.
  private var selection: Buffer
  private var chosen: Buffer
  private var composed: Buffer
  private(set) var passedCount = 0
  private(set) var isAll = true

  /// - Parameter windowRowCount: the most rows of a window.
  init(_ conditions: [ScanCondition], _ request: ScanRequest, windowRowCount: Int) {
    self.conditions = conditions
    columnCount = request.columns.count
    predicateOnly = request.predicateOnlyColumns
    // Without conditions nothing is ever written there; the second and third only go with more than one.
    let size = (windowRowCount + 16) * 4
    selection = conditions.isEmpty ? WindowFilter.nothing : Buffer(byteCount: size)
    chosen = conditions.isEmpty ? selection : Buffer(byteCount: size)
    composed = conditions.count < 2 ? selection : Buffer(byteCount: size)
  }

  static let nothing = Buffer(byteCount: 0)

  var isEmpty: Bool { conditions.isEmpty }

  /// The rows that passed; nil for all.
  var passed: UnsafePointer<Int32>? { isAll ? nil : UnsafePointer(selection.typed(Int32.self)) }

  /// Keeps these conditions, in their order.
  func keep(_ conditions: [ScanCondition]) { self.conditions = conditions }

  /// Puts conditions that take out most rows per cost first.
  func sort(isDictionaryCoded: (ScanCondition) -> Bool) {
    if conditions.count < 2 { return }
    let ranked = conditions.map { ($0, $0.rank(isDictionary: isDictionaryCoded($0))) }
    conditions = ranked.sorted { $0.1 < $1.1 }.map(\.0)
  }

  /// Applies all conditions to a window.
  ///
  /// - Parameter read: a column's values in the rows of the window, or in `rows` of them.
  /// - Returns: what was read and is still wanted, for the rows that passed, by column; nothing of use when none did.
  func apply(
    rowCount: Int,
    read: (
      _ column: Int, _ rows: UnsafePointer<Int32>?, _ count: Int, _ keepsCodes: Bool
    ) throws(QueryError) -> Column
  ) throws(QueryError) -> [Column?] {
    var decoded = [Column?](repeating: nil, count: columnCount)
    var count = rowCount
    isAll = true
    for (number, condition) in conditions.enumerated() {
      var values: [Column] = []
      values.reserveCapacity(condition.columns.count)
      for column in condition.columns {
        if decoded[column] == nil { decoded[column] = try read(column, passed, count, condition.usesDictionary) }
        values.append(decoded[column]!)
      }
      let rows = chosen.typed(Int32.self)
      let found = try condition.apply(values, rowCount: count, into: rows)
      if found == 0 {
        passedCount = 0
        return decoded
      }
      if found == count { continue }
      if isAll {
        swap(&selection, &chosen)
      } else {
        ColumnKernels.compose(selection.typed(Int32.self), rows, found, composed.typed(Int32.self))
        swap(&selection, &composed)
      }
      let taken = isAll ? selection.typed(Int32.self) : rows
      for column in decoded.indices where decoded[column] != nil {
        let isNeeded =
          !predicateOnly.contains(column) || conditions[(number + 1)...].contains { $0.columns.contains(column) }
        decoded[column] = isNeeded ? decoded[column]!.take(taken, count: found) : nil
      }
      isAll = false
      count = found
    }
    passedCount = count
    return decoded
  }
}
