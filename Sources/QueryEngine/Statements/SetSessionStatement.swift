import QueryErrors
import SQLExpressions
import SQLSyntax

/// SET SESSION: the value is checked at once.
struct SetSessionStatement: Statement {
  private let node: SetSessionSyntax
  init(_ node: SetSessionSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let property = try SessionProperty.named(node.name)
    let value = try context.constant(node.value)
    guard value.type.isVarchar, let text = value.constantValue?.stringValue else {
      throw QueryError(
        .invalidSessionProperty, "Unable to set session property '\(property.name)' to '\(value)'", at: node.value.range)
    }
    switch property.name {
    case "time_zone_id":
      let zone = try SessionSettings.timeZone(named: text)
      return .effect(file: .none) {
        context.session.change {
          $0.timeZone = zone
          $0.properties[property.name] = text
        }
      }
    case "query_max_run_time":
      try require(SessionProperty.seconds(text), property, text, "A duration is a number and ms, s, m, h or d.")
    default:
      try require(SessionProperty.byteCount(text), property, text, "A data size is a number and B, kB, MB, GB or TB.")
    }
    return .effect(file: .none) { context.session.change { $0.properties[property.name] = text } }
  }

  private func require(
    _ number: Int?, _ property: SessionProperty, _ text: String, _ hint: String
  ) throws(QueryError) {
    if number != nil { return }
    throw QueryError(
      .invalidSessionProperty, "\(property.name) is invalid: \(text)", at: node.value.range, hint: hint)
  }
}

/// RESET SESSION.
struct ResetSessionStatement: Statement {
  private let node: ResetSessionSyntax
  init(_ node: ResetSessionSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let property = try SessionProperty.named(node.name)
    let zone = try SessionSettings.timeZone(named: context.settings.defaults.timeZone)
    return .effect(file: .none) {
      context.session.change { settings in
        if property.name == "time_zone_id" { settings.timeZone = zone }
        settings.properties[property.name] = nil
      }
    }
  }
}
