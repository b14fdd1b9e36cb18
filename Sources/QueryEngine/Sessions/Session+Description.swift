import QueryErrors
import SQLSyntax

/// What statements have made of a session: for protocols whose clients keep it.
package struct SessionDescription: Hashable, Sendable {
  package var database: String
  /// Those that SET SESSION set.
  package var properties: [String: String]
}

extension Session {
  package func describe() -> SessionDescription {
    let settings = settings
    return SessionDescription(database: settings.database, properties: settings.properties)
  }

  /// Sets a property as SET SESSION does.
  ///
  /// - Throws: `INVALID_SESSION_PROPERTY`.
  package func set(property name: String, to value: String) throws(QueryError) {
    guard let property = SessionProperty.all.first(where: { $0.name == name.lowercased() }) else {
      throw QueryError(
        .invalidSessionProperty, "Session property '\(name)' does not exist",
        hint: NameSuggestion.hint(for: name, among: SessionProperty.all.map(\.name)))
    }
    let change = try property.change(value)
    self.change(change)
  }
}

extension SessionProperty {
  /// What setting the property changes.
  ///
  /// - Throws: `INVALID_SESSION_PROPERTY` for a value that is none of its kind.
  func change(_ value: String) throws(QueryError) -> @Sendable (inout SessionSettings) -> Void {
    let name = name
    func require(_ number: Int?, _ hint: String) throws(QueryError) {
      if number == nil { throw QueryError(.invalidSessionProperty, "\(name) is invalid: \(value)", hint: hint) }
    }
    switch name {
    case "time_zone_id":
      let zone = try SessionSettings.timeZone(named: value)
      return {
        $0.timeZone = zone
        $0.properties[name] = value
      }
    case "query_max_run_time": try require(SessionProperty.seconds(value), "A duration is a number and ms, s, m, h or d.")
    default: try require(SessionProperty.byteCount(value), "A data size is a number and B, kB, MB, GB or TB.")
    }
    return { $0.properties[name] = value }
  }
}
