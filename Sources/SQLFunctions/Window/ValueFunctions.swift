import Columnar
import QueryErrors

/// Window functions that answer the value of another row.
package enum ValueFunctions: WindowFamily {
  package static let title = "Values of other rows"

  package static let functions: [WindowFunction] = [
    WindowFunction(
      "first_value", summary: "The value of the frame's first row.",
      examples: [
        Example("(SELECT max(n) FROM (SELECT first_value(x) OVER (ORDER BY x) n FROM (VALUES 6, 7) t(x)))", "6")
      ], signatures: [Signature([.t], returns: .argument(0))], usesFrame: true
    ) { input throws(QueryError) in
      let validRows = ValidRows(input)
      return try pick(input) { (row) throws(QueryError) -> Int? in
        let (start, end) = (Int(input.frameStart[row]), Int(input.frameEnd[row]))
        if start >= end { return nil }
        guard let validRows else { return start }
        return validRows.first(from: start, before: end)
      }
    },
    WindowFunction(
      "last_value", summary: "The value of the frame's last row.",
      examples: [
        Example("(SELECT min(n) FROM (SELECT last_value(x) OVER (ORDER BY x) n FROM (VALUES 6, 7) t(x)))", "6")
      ], signatures: [Signature([.t], returns: .argument(0))], usesFrame: true
    ) { input throws(QueryError) in
      let validRows = ValidRows(input)
      return try pick(input) { (row) throws(QueryError) -> Int? in
        let (start, end) = (Int(input.frameStart[row]), Int(input.frameEnd[row]))
        if start >= end { return nil }
        guard let validRows else { return end - 1 }
        return validRows.last(from: start, before: end)
      }
    },
    WindowFunction(
      "nth_value", summary: "The value of the frame's n-th row, counted from 1; NULL when the frame is shorter.",
      examples: [
        Example("(SELECT max(n) FROM (SELECT nth_value(x, 2) OVER (ORDER BY x) n FROM (VALUES 6, 7) t(x)))", "7")
      ], signatures: [Signature([.t, .bigint], returns: .argument(0))], usesFrame: true
    ) { input throws(QueryError) in
      let validRows = ValidRows(input)
      let offsetColumn = input.arguments[1]
      let offsets = offsetColumn.view
      return try withExtendedLifetime(offsetColumn) { () throws(QueryError) in
        try pick(input) { (row) throws(QueryError) -> Int? in
          if offsets.isNull(row) { return nil }
          let offset = offsets.value(row, as: Int64.self)
          guard offset >= 1 else {
            throw QueryError(.invalidFunctionArgument, "Offset must be at least 1")
          }
          let (start, end) = (Int(input.frameStart[row]), Int(input.frameEnd[row]))
          if start >= end || offset > Int64(end - start) { return nil }
          guard let validRows else { return start + Int(offset) - 1 }
          return validRows.nth(Int(offset), from: start, before: end)
        }
      }
    },
    WindowFunction(
      "lead", summary: "The value of the row n rows later in the partition (1 unless given), else the default.",
      examples: [Example("(SELECT max(n) FROM (SELECT lead(x) OVER (ORDER BY x) n FROM (VALUES 6, 7) t(x)))", "7")],
      signatures: shiftSignatures
    ) { input throws(QueryError) in try shift(input, forward: true) },
    WindowFunction(
      "lag", summary: "The value of the row n rows earlier in the partition (1 unless given), else the default.",
      examples: [Example("(SELECT max(n) FROM (SELECT lag(x) OVER (ORDER BY x) n FROM (VALUES 6, 7) t(x)))", "6")],
      signatures: shiftSignatures
    ) { input throws(QueryError) in try shift(input, forward: false) },
  ]

  private static let shiftSignatures = [
    Signature([.t], returns: .argument(0)), Signature([.t, .bigint], returns: .argument(0)),
    Signature([.t, .bigint, .t], returns: .argument(0)),
  ]

  private static func shift(_ input: WindowInput, forward: Bool) throws(QueryError) -> Column {
    let validRows = ValidRows(input)
    let offsetColumn = input.arguments.count > 1 ? input.arguments[1] : nil
    let offsets = offsetColumn?.view
    var source = input.arguments[0]
    var defaultBase = 0
    if input.arguments.count > 2 {
      // Defaults stand behind the values, one per row.
      defaultBase = input.rowCount
      source = Column.concatenate([input.arguments[0], input.arguments[2]], type: input.returnType)
    }
    return try withExtendedLifetime(offsetColumn) { () throws(QueryError) in
      try pick(input, from: source) { (row) throws(QueryError) -> Int? in
        var offset: Int64 = 1
        if let offsets {
          if offsets.isNull(row) { return nil }
          offset = offsets.value(row, as: Int64.self)
          guard offset >= 0 else {
            throw QueryError(.invalidFunctionArgument, "Offset must be at least 0")
          }
        }
        let fallback = defaultBase > 0 ? defaultBase + row : nil
        let (start, end) = (Int(input.partitionStart[row]), Int(input.partitionEnd[row]))
        if offset > Int64(end - start) { return fallback }
        if let validRows, offset > 0 {
          return
            (forward
            ? validRows.nth(Int(offset), from: row + 1, before: end)
            : validRows.nthBackward(Int(offset), from: start, before: row)) ?? fallback
        }
        let target = forward ? row + Int(offset) : row - Int(offset)
        return target >= start && target < end ? target : fallback
      }
    }
  }

  /// The values at rows that `target` names; nil is NULL.
  private static func pick(
    _ input: WindowInput, from source: Column? = nil, _ target: (Int) throws(QueryError) -> Int?
  ) throws(QueryError) -> Column {
    let source = source ?? input.arguments[0]
    let rows = Buffer(byteCount: input.rowCount * 4)
    let list = rows.typed(Int32.self)
    let valid = Bitmap(count: input.rowCount, filled: true)
    var hasNulls = false
    for row in 0..<input.rowCount {
      if let at = try target(row) {
        list[row] = Int32(truncatingIfNeeded: at)
      } else {
        list[row] = 0
        valid.clear(row)
        hasNulls = true
      }
    }
    if input.rowCount == 0 { return .empty(input.returnType) }
    let taken = source.take(list, count: input.rowCount)
    return hasNulls ? taken.withValidity(Bitmap.intersection(valid, taken.validity)) : taken
  }
}

/// The rows that IGNORE NULLS counts, by binary search.
private struct ValidRows {
  private let rows: [Int32]

  /// - Returns: nil when NULLs count or there are none.
  init?(_ input: WindowInput) {
    guard input.ignoresNulls, let validity = input.arguments[0].validity else { return nil }
    var rows: [Int32] = []
    for row in 0..<input.rowCount where validity[row] { rows.append(Int32(truncatingIfNeeded: row)) }
    self.rows = rows
  }

  /// Index of the first valid row that is not before `row`.
  private func index(_ row: Int) -> Int {
    var (low, high) = (0, rows.count)
    while low < high {
      let middle = (low + high) / 2
      if Int(rows[middle]) < row { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func first(from start: Int, before end: Int) -> Int? { nth(1, from: start, before: end) }

  func nth(_ n: Int, from start: Int, before end: Int) -> Int? {
    let at = index(start) + n - 1
    return at < rows.count && Int(rows[at]) < end ? Int(rows[at]) : nil
  }

  func last(from start: Int, before end: Int) -> Int? { nthBackward(1, from: start, before: end) }

  func nthBackward(_ n: Int, from start: Int, before end: Int) -> Int? {
    let at = index(end) - n
    return at >= 0 && Int(rows[at]) >= start ? Int(rows[at]) : nil
  }
}
