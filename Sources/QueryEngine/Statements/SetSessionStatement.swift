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
    let change: @Sendable (inout SessionSettings) -> Void
    do throws(QueryError) { change = try property.change(text) } catch {
      throw error.located(at: property.name == "time_zone_id" ? nil : node.value.range)
    }
    return .effect(file: .none) { context.session.change(change) }
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
