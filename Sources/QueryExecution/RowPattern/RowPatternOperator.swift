import Columnar
import ObjectStore
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

/// What a row pattern operator computes, with columns as positions.
struct RowPatternTask: Sendable {
  var pattern: RowPatternSpecification
  var program: PatternProgram
  var rowsPerMatch: RowPatternNode.RowsPerMatch
  /// The input's columns.
  var layout: [ColumnReference]
  /// Input columns handed on.
  var kept: [Int]
  /// Measures that somebody reads.
  var measures: [Int]
  /// Windows: the rows that a match may use, from the current one on.
  var frame: FrameSpecification
  var calls: [WindowCallSpecification]
}

/// Finds matches of a row pattern in sorted partitions.
final class RowPatternOperator: PartitionedRowsOperator, @unchecked Sendable {
  let task: RowPatternTask

  init(
    _ node: QueryProfile.Node, partitionKeys: [Int], ordering: [SortSpecification], task: RowPatternTask,
    types: [DataType], _ context: QueryContext
  ) {
    self.task = task
    super.init(node, partitionKeys: partitionKeys, ordering: ordering, types: types, context)
  }

  override func makeReader(_ part: Int, batchSize: Int) throws(QueryError) -> any BatchReader {
    let (input, layout) = try sorted(part)
    let search = try RowPatternSearch(self, input, layout)
    guard task.rowsPerMatch == .window, !task.calls.isEmpty else {
      return RowPatternReader(search, batchSize: batchSize)
    }
    // Calls need the frames of all rows.
    var batches: [Batch] = []
    while let batch = try search.next() { batches.append(batch) }
    var batch = Batch.concatenate(batches, types: batches.isEmpty ? [] : batches[0].columns.map(\.type))
    for call in task.calls {
      try context.cancellation.check()
      batch.columns.append(try call.evaluate(input, layout, search.frames, context))
    }
    return SlicingReader([batch], batchSize: batchSize)
  }
}

/// Yields what a search finds, in pieces of at most the batch size.
private final class RowPatternReader: BatchReader {
  private let search: RowPatternSearch
  private let batchSize: Int
  private var pieces: SlicingReader?

  init(_ search: RowPatternSearch, batchSize: Int) {
    self.search = search
    self.batchSize = batchSize
  }

  func next() throws(QueryError) -> Batch? {
    while true {
      if let piece = try pieces?.next() { return piece }
      guard let batch = try search.next() else { return nil }
      pieces = SlicingReader([batch], batchSize: batchSize)
    }
  }
}

/// Goes through the rows of sorted partitions, matching, and makes batches of what is found.
///
/// - Threads: one owner.
/// - Source: Trino `PatternRecognitionPartition`.
private final class RowPatternSearch {
  private let task: RowPatternTask
  private let context: QueryContext
  private let input: Batch
  private let layout: WindowLayout
  private let matcher: PatternMatcher
  private let measures: PatternMeasures
  /// Windows: one past the last row that a match starting at the row may use.
  private let searchEnds: Buffer?
  private let skipSet: [Int]

  // MARK: Changes while searching
  private var output = PatternOutput()
  private var partition = 0
  private var row = 0
  private var lastSkipped = -1
  private var lastMatched = -1
  private var matchNumber = 1
  /// Windows: the matched rows of each row's match.
  private let frameStarts: Buffer
  private let frameEnds: Buffer

  /// Rows and variables gathered before a batch is made.
  private static let batchSize = 1 << 13

  init(_ sink: RowPatternOperator, _ input: Batch, _ layout: WindowLayout) throws(QueryError) {
    task = sink.task
    context = sink.context
    self.input = input
    self.layout = layout
    let pattern = task.pattern
    let isWindow = task.rowsPerMatch == .window
    let names = ColumnBuilder(.text, capacity: pattern.variables.count)
    for name in pattern.variables { names.append(string: name) }
    let rows = PatternRows(batch: input, layout: task.layout, variableNames: names.finish())
    let path = MatchPath(variableCount: pattern.variables.count)
    var conditions: [PatternCondition?] = []
    for (variable, definition) in pattern.definitions.enumerated() {
      if let definition {
        conditions.append(
          try PatternCondition(
            definition, of: variable, in: pattern, rows, path, partitions: layout.partitionStarts, isWindow: isWindow,
            session: context.session))
      } else {
        conditions.append(nil)
      }
    }
    let starts = layout.partitionStarts
    let largest = zip(starts.dropFirst(), starts).map { $0 - $1 }.max() ?? 0
    matcher = try PatternMatcher(
      task.program, conditions, path, partitionSize: Int(largest),
      isBounded: isWindow && task.frame.end != .unboundedFollowing, context: context)
    measures = try PatternMeasures(pattern, needed: task.measures, rows, context)
    if isWindow {
      searchEnds = try sink.frames(task.frame, input, layout, pattern.range).end
    } else {
      searchEnds = nil
    }
    frameStarts = .zeroed(byteCount: isWindow ? input.rowCount * 4 : 0)
    frameEnds = .zeroed(byteCount: isWindow ? input.rowCount * 4 : 0)
    skipSet =
      switch pattern.skip {
      case .first(let variables), .last(let variables): variables
      case .pastLastRow, .nextRow: []
      }
  }

  var frames: WindowFrames { WindowFrames(start: frameStarts, end: frameEnds) }

  /// The next rows; nil when there are no more.
  func next() throws(QueryError) -> Batch? {
    output.clear()
    let starts = layout.partitionStarts
    while row < input.rowCount, output.size < RowPatternSearch.batchSize {
      if row == Int(starts[partition + 1]) { partition += 1 }
      if row == Int(starts[partition]) {
        matcher.beginPartition()
        matchNumber = 1
        lastSkipped = row - 1
        lastMatched = row - 1
      }
      try step(Int(starts[partition])..<Int(starts[partition + 1]))
      row += 1
      if row & 1023 == 0 { try context.cancellation.check() }
    }
    // Most searches find nothing for long: only the end of the input ends them.
    if output.rows.isEmpty, row >= input.rowCount { return nil }
    let count = output.rows.count
    var columns = output.rows.withUnsafeBufferPointer { p in
      task.kept.map { input.columns[$0].take(p.baseAddress!, count: count) }
    }
    columns += try measures.evaluate(output)
    return Batch(columns: columns, rowCount: count)
  }

  private var showsUnmatched: Bool {
    switch task.rowsPerMatch {
    case .window: true
    case .all(_, let showsUnmatched): showsUnmatched && row > lastMatched
    case .one: false
    }
  }

  private var showsEmpty: Bool {
    if case .all(let showsEmpty, _) = task.rowsPerMatch { return showsEmpty }
    return true
  }

  /// Searches from the current row.
  private func step(_ rows: Range<Int>) throws(QueryError) {
    if row <= lastSkipped {
      if task.rowsPerMatch == .window { output.addUnmatched(row) }
      return
    }
    var search = rows
    if let searchEnds { search = row..<max(row, Int(searchEnds.typed(Int32.self)[row])) }
    var attempt = MatchAttempt(start: row, search: search, partition: rows, number: matchNumber)
    var isMatch = try matcher.matches(attempt)
    while !isMatch, !task.pattern.isInitial, attempt.start < search.upperBound - 1 {
      attempt.start += 1
      isMatch = try matcher.matches(attempt)
    }
    guard isMatch else {
      if showsUnmatched { output.addUnmatched(row) }
      lastSkipped = row
      return
    }
    let variables = matcher.path.variables
    if variables.isEmpty {
      if showsEmpty {
        output.beginMatch(attempt, [])
        output.add(row, at: 0)
      }
      lastSkipped = row
      matchNumber += 1
      return
    }
    output.beginMatch(attempt, variables)
    switch task.rowsPerMatch {
    case .one, .window: output.add(row, at: variables.count - 1)
    case .all:
      var position = 0
      var exclusion = 0
      let captures = matcher.captures
      while position < variables.count {
        if exclusion + 1 < captures.count, position >= Int(captures[exclusion]) {
          position = max(position, Int(captures[exclusion + 1]))
          exclusion += 2
          continue
        }
        output.add(attempt.start + position, at: position)
        position += 1
      }
    }
    if task.rowsPerMatch == .window {
      frameStarts.typed(Int32.self)[row] = Int32(attempt.start)
      frameEnds.typed(Int32.self)[row] = Int32(attempt.start + variables.count)
    }
    lastMatched = max(lastMatched, attempt.start + variables.count - 1)
    try skip(attempt, variables)
    matchNumber += 1
  }

  private func skip(_ attempt: MatchAttempt, _ variables: [Int32]) throws(QueryError) {
    let position: Int?
    switch task.pattern.skip {
    case .pastLastRow:
      lastSkipped = attempt.start + variables.count - 1
      return
    case .nextRow:
      lastSkipped = row
      return
    case .first: position = variables.firstIndex { skipSet.contains(Int($0)) }
    case .last: position = variables.lastIndex { skipSet.contains(Int($0)) }
    }
    guard let position else {
      throw QueryError(
        .genericUserError, "AFTER MATCH SKIP failed: pattern variable is not present in match", at: task.pattern.range)
    }
    guard position > 0 else {
      throw QueryError(
        .genericUserError, "AFTER MATCH SKIP failed: cannot skip to first row of match", at: task.pattern.range)
    }
    lastSkipped = attempt.start + position - 1
  }
}
