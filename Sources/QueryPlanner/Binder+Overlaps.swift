import Columnar
import QueryErrors
import SQLExpressions
import SQLSyntax

extension Binder {
  /// One side of OVERLAPS: a period's ends, in order once both are known.
  private struct Period {
    var start: Expression
    var end: Expression
  }

  /// Binds `(start, end) OVERLAPS (start, end)`; an end may be an interval, then it is the period's length.
  ///
  /// A period with an unknown start is a point at its end; ends out of order are swapped. Two periods overlap when one
  /// starts within the other, ends excluded, or when both start together.
  ///
  /// - Source: SQL:2016 8.14 `<overlaps predicate>`.
  func bindOverlaps(_ node: FunctionCallSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    var sides: [(start: Expression, end: Expression)] = []
    for operand in node.arguments {
      let row = try bind(operand, place)
      guard case .row(let fields) = row.type, fields.count == 2 else {
        throw QueryError(
          .typeMismatch, "OVERLAPS operand must be a row of two values (actual: \(row.type))", at: operand.errorRange)
      }
      let start = Expression.field(row, index: 0, type: fields[0].type)
      let end = Expression.field(row, index: 1, type: fields[1].type)
      guard isPointInTime(fields[0].type) else {
        throw QueryError(
          .typeMismatch, "First value of an OVERLAPS operand must be a date, time or timestamp (actual: \(fields[0].type))",
          at: operand.errorRange)
      }
      sides.append((start, end))
    }
    guard sides.count == 2 else {
      throw QueryError(.syntaxError, "OVERLAPS takes two operands", at: node.range)
    }
    let areLengths = sides.map { isInterval($0.end.type) }
    guard areLengths[0] == areLengths[1] || sides.contains(where: { $0.end.type == .unknown }) else {
      throw QueryError(
        .typeMismatch, "Cannot check if \(rowText(sides[0])) OVERLAPS \(rowText(sides[1]))", at: node.range)
    }
    for index in sides.indices where areLengths[index] {
      sides[index].end = try call("+", [sides[index].start, sides[index].end], at: node.range)
    }
    guard let type = TypeCoercion.commonSuperType(of: sides.flatMap { [$0.start.type, $0.end.type] }), isPointInTime(type)
    else {
      throw QueryError(
        .typeMismatch, "Cannot check if \(rowText(sides[0])) OVERLAPS \(rowText(sides[1]))", at: node.range)
    }
    func compared(_ op: String, _ a: Expression, _ b: Expression) throws(QueryError) -> Expression {
      try call(op, [a, b], at: node.range)
    }
    var periods: [Period] = []
    for side in sides {
      let (start, end) = (coerced(side.start, to: type), coerced(side.end, to: type))
      let isSwapped = Expression.or([
        try call("is_null", [start], at: node.range), try compared("<", end, start),
      ])
      func picked(_ first: Expression, _ second: Expression) -> Expression {
        .caseWhen(
          CaseExpression(branches: [.init(condition: isSwapped, result: first)], otherwise: second, type: type))
      }
      periods.append(Period(start: picked(end, start), end: picked(start, end)))
    }
    let (a, b) = (periods[0], periods[1])
    /// Whether `late` starts after `early` and does not lie behind its end.
    func startsWithin(_ late: Period, _ early: Period) throws(QueryError) -> Expression {
      let isBehind = Expression.and([
        try compared(">=", late.start, early.end), try compared(">=", late.end, early.end),
      ])
      return .and([try compared(">", late.start, early.start), try call("not", [isBehind], at: node.range)])
    }
    let startTogether = Expression.and([
      try compared("=", a.start, b.start),
      .or([try compared("<>", a.end, b.end), try compared("=", a.end, b.end)]),
    ])
    return .or([try startsWithin(a, b), try startsWithin(b, a), startTogether])
  }

  private func rowText(_ side: (start: Expression, end: Expression)) -> String {
    "row(\(side.start.type), \(side.end.type))"
  }

  private func isPointInTime(_ type: DataType) -> Bool {
    switch type {
    case .date, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone, .unknown: true
    default: false
    }
  }

  private func isInterval(_ type: DataType) -> Bool { type == .intervalDayToSecond || type == .intervalYearToMonth }
}
