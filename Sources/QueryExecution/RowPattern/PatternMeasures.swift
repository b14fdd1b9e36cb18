import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

/// Rows to come out, and the matches they belong to.
struct PatternOutput {
  /// One match, with the rows that show it one after the other.
  struct Match {
    /// Its first row.
    var start: Int
    /// Where its variables lie in `variables`.
    var variables: Range<Int>
    /// Rows that may be looked at.
    var search: Range<Int>
    var number: Int
    /// Its rows among the measured ones.
    var outputs: Range<Int>

    var rowCount: Int { variables.count }
  }

  private(set) var matches: [Match] = []
  /// Variables of all matches.
  private(set) var variables: [Int32] = []
  /// Measured rows: the current row of each, from its match's first.
  private(set) var current: [Int32] = []
  /// The input row of each row to come out.
  private(set) var rows: [Int32] = []
  /// Which measured row each row to come out shows; -1 for unmatched rows.
  private(set) var measured: [Int32] = []

  var hasUnmatched: Bool { measured.count > current.count }
  /// Roughly what is held.
  var size: Int { rows.count + variables.count }

  mutating func addUnmatched(_ row: Int) {
    rows.append(Int32(row))
    measured.append(-1)
  }

  /// Starts a match; the rows that show it follow.
  mutating func beginMatch(_ attempt: MatchAttempt, _ path: [Int32]) {
    let first = variables.count
    variables += path
    matches.append(
      Match(
        start: attempt.start, variables: first..<variables.count, search: attempt.search, number: attempt.number,
        outputs: current.count..<current.count))
  }

  /// A row that shows the last match as its row `position` sees it.
  mutating func add(_ row: Int, at position: Int) {
    rows.append(Int32(row))
    measured.append(Int32(current.count))
    current.append(Int32(position))
    let last = matches.count - 1
    matches[last].outputs = matches[last].outputs.lowerBound..<current.count
  }

  mutating func clear() {
    matches.removeAll(keepingCapacity: true)
    variables.removeAll(keepingCapacity: true)
    current.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    measured.removeAll(keepingCapacity: true)
  }
}

/// Computes measures for rows of matches, many rows at once.
///
/// - Threads: one owner.
final class PatternMeasures {
  private struct Measure {
    var inputs: [PatternInput]
    var arguments: [PatternArguments?]
    var evaluator: ExpressionEvaluator
    var type: DataType
  }

  private let rows: PatternRows
  private let context: QueryContext
  private var measures: [Measure] = []

  init(
    _ specification: RowPatternSpecification, needed: [Int], _ rows: PatternRows, _ context: QueryContext
  ) throws(QueryError) {
    self.rows = rows
    self.context = context
    for index in needed {
      let measure = specification.measures[index]
      var arguments: [PatternArguments?] = []
      for input in measure.value.inputs {
        if case .aggregate(let aggregate) = input.source {
          arguments.append(try PatternArguments(aggregate, specification, rows, session: context.session))
        } else {
          arguments.append(nil)
        }
      }
      measures.append(
        Measure(
          inputs: measure.value.inputs, arguments: arguments,
          evaluator: try ExpressionEvaluator(
            [measure.value.expression], inputs: measure.value.inputs.map(\.reference), session: context.session),
          type: measure.reference.type))
    }
  }

  /// A column per measure, with a row per row to come out.
  func evaluate(_ output: PatternOutput) throws(QueryError) -> [Column] {
    let count = output.current.count
    if count == 0 { return measures.map { .nulls($0.type, count: output.rows.count) } }
    var members: [[Int]: Members] = [:]
    func membersOf(_ variables: [Int]) -> Members {
      if let known = members[variables] { return known }
      let made = Members(variables, output)
      members[variables] = made
      return made
    }
    var columns: [Column] = []
    for measure in measures {
      var inputs: [Column] = []
      for (index, input) in measure.inputs.enumerated() {
        switch input.source {
        case .value(let value, let pointer):
          guard let reference = value.columnReference else { throw .internalError("a pattern reads \(value), no column") }
          inputs.append(
            taken(
              try rows.column(reference), PatternMeasures.targets(pointer, membersOf(pointer.variables), output)))
        case .classifier(let pointer):
          var targets = PatternMeasures.targets(pointer, membersOf(pointer.variables), output)
          for match in output.matches {
            for k in match.outputs where targets[k] >= 0 {
              let position = Int(targets[k]) - match.start
              let isInside = position >= 0 && position < match.rowCount
              targets[k] = isInside ? output.variables[match.variables.lowerBound + position] : -1
            }
          }
          inputs.append(taken(rows.variableNames, targets))
        case .matchNumber: inputs.append(PatternMeasures.numbers(output.matches, of: \.outputs.count, count))
        case .aggregate(let aggregate):
          inputs.append(
            try self.aggregate(
              aggregate, measure.arguments[index]!, membersOf(aggregate.variables), output, input.reference.type))
        }
      }
      columns.append(
        spread(
          try measure.evaluator.evaluate(Batch(columns: inputs, rowCount: count))[0].retyped(measure.type), output))
    }
    return columns
  }

  /// The rows of all matches that were matched with some variables.
  private struct Members {
    /// Input rows, match after match, and what they were matched with.
    var rows: [Int32] = []
    var variables: [Int32] = []
    /// Where each match's rows start, and the end.
    var starts: [Int] = [0]
    /// Per measured row how many of its match's rows lie up to its current row.
    var counts: [Int32] = []

    init(_ wanted: [Int], _ output: PatternOutput) {
      counts.reserveCapacity(output.current.count)
      let wanted = Set(wanted.map(Int32.init))
      for match in output.matches {
        var position = 0
        for k in match.outputs {
          add(match, &position, to: min(Int(output.current[k]) + 1, match.rowCount), wanted, output.variables)
          counts.append(Int32(rows.count - starts[starts.count - 1]))
        }
        add(match, &position, to: match.rowCount, wanted, output.variables)
        starts.append(rows.count)
      }
    }

    /// Adds a match's rows up to one.
    private mutating func add(
      _ match: PatternOutput.Match, _ position: inout Int, to end: Int, _ wanted: Set<Int32>, _ all: [Int32]
    ) {
      while position < end {
        let variable = all[match.variables.lowerBound + position]
        if wanted.isEmpty || wanted.contains(variable) {
          rows.append(Int32(match.start + position))
          variables.append(variable)
        }
        position += 1
      }
    }
  }

  /// The row that a pointer finds for each measured row; -1 when there is none.
  private static func targets(_ pointer: PatternPointer, _ members: Members, _ output: PatternOutput) -> [Int32] {
    var targets = [Int32](repeating: -1, count: output.current.count)
    for (index, match) in output.matches.enumerated() {
      let (first, end) = (members.starts[index], members.starts[index + 1])
      for k in match.outputs {
        let found: Int
        if pointer.isLast {
          let count = pointer.isRunning ? Int(members.counts[k]) : end - first
          if pointer.logicalOffset >= count { continue }
          found = first + count - 1 - pointer.logicalOffset
        } else {
          // FIRST sees the whole match in both modes, as it does in Trino.
          if pointer.logicalOffset >= end - first { continue }
          found = first + pointer.logicalOffset
        }
        let target = Int(members.rows[found]) + pointer.physicalOffset
        if match.search.contains(target) { targets[k] = Int32(target) }
      }
    }
    return targets
  }

  /// Rows of a column; NULL where the row number is negative.
  private func taken(_ column: Column, _ targets: [Int32]) -> Column {
    let count = targets.count
    if column.count == 0 { return .nulls(column.type, count: count) }
    let indices = Buffer(byteCount: count * 4)
    let p = indices.typed(Int32.self)
    var validity: Bitmap?
    for k in 0..<count {
      p[k] = max(targets[k], 0)
      if targets[k] < 0 {
        if validity == nil { validity = Bitmap(count: count, filled: true) }
        validity!.clear(k)
      }
    }
    return .dictionary(column, indices: indices, count: count, validity: validity)
  }

  private static func numbers(
    _ matches: [PatternOutput.Match], of length: (PatternOutput.Match) -> Int, _ count: Int
  ) -> Column {
    let values = Buffer(byteCount: count * 8)
    let p = values.typed(Int64.self)
    var k = 0
    for match in matches {
      for _ in 0..<length(match) {
        p[k] = Int64(match.number)
        k += 1
      }
    }
    return Column(flat: .bigint, count: count, values: values, validity: nil)
  }

  private func aggregate(
    _ aggregate: PatternAggregate, _ arguments: PatternArguments, _ members: Members, _ output: PatternOutput,
    _ type: DataType
  ) throws(QueryError) -> Column {
    let count = output.current.count
    let starts = Buffer(byteCount: count * 4)
    let ends = Buffer(byteCount: count * 4)
    let (p, q) = (starts.typed(Int32.self), ends.typed(Int32.self))
    for (index, match) in output.matches.enumerated() {
      let (first, end) = (members.starts[index], members.starts[index + 1])
      for k in match.outputs {
        p[k] = Int32(first)
        q[k] = Int32(aggregate.isRunning ? first + Int(members.counts[k]) : end)
      }
    }
    var lengths = zip(members.starts.dropFirst(), members.starts).map { $0 - $1 }[...]
    let columns = try arguments.evaluate(members.rows, variables: members.variables) {
      PatternMeasures.numbers(output.matches, of: { _ in lengths.removeFirst() }, members.rows.count)
    }
    let frames = FrameAggregate(
      make: aggregate.accumulators(context.session), arguments: columns, rowCount: members.rows.count,
      returnType: type, context: context)
    return try frames.evaluate(starts: p, ends: q, count: count)
  }

  /// Measured rows laid out among the unmatched ones.
  private func spread(_ column: Column, _ output: PatternOutput) -> Column {
    output.hasUnmatched ? taken(column, output.measured) : column
  }
}
