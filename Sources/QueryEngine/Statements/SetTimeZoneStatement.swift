import QueryErrors
import SQLExpressions
import SQLFunctions
import SQLSyntax

/// SET TIME ZONE.
struct SetTimeZoneStatement: Statement {
  private let node: SetTimeZoneSyntax
  init(_ node: SetTimeZoneSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let zone = try zone(context)
    return .effect(file: .none) { context.session.change { $0.timeZone = zone } }
  }

  private func zone(_ context: StatementContext) throws(QueryError) -> TimeZoneKey {
    guard let zone = node.zone else { return try SessionSettings.timeZone(named: context.settings.defaults.timeZone) }
    let value = try context.constant(zone)
    switch (value.constantValue, value.type) {
    case (.bytes?, .varchar): return try SessionSettings.timeZone(named: value.constantValue?.stringValue ?? "")
    case (.integer(let milliseconds)?, .intervalDayToSecond):
      let minutes = milliseconds / 60_000
      guard milliseconds % 60_000 == 0, abs(minutes) <= 14 * 60 else {
        throw QueryError(.invalidFunctionArgument, "Invalid time zone offset interval", at: zone.range)
      }
      return TimeZoneKey(offsetMinutes: Int(minutes))
    default: throw QueryError(.typeMismatch, "Expected expression of varchar or interval day-time type", at: zone.range)
    }
  }
}
