import QueryErrors
import SQLExpressions
import SQLSyntax

/// A property that SET SESSION changes.
///
/// - Source: Trino `SystemSessionProperties`; only those that mean something to one process on local files.
struct SessionProperty: Sendable {
  var name: String
  /// As SHOW SESSION says it: `varchar`, `bigint`, `boolean`.
  var type: String
  var summary: String
  var defaultValue: @Sendable (SessionConfiguration) -> String

  static let all: [SessionProperty] = [
    SessionProperty(
      name: "query_max_memory", type: "varchar", summary: "Maximum amount of memory a query can use",
      defaultValue: { $0.memoryLimit.map { "\($0)B" } ?? "" }),
    SessionProperty(
      name: "query_max_run_time", type: "varchar", summary: "Maximum run time of a query (includes the queueing time)",
      defaultValue: { _ in "" }),
    SessionProperty(
      name: "query_max_scan_physical_bytes", type: "varchar", summary: "Maximum scan physical bytes of a query",
      defaultValue: { $0.scanLimit.map { "\($0)B" } ?? "" }),
    SessionProperty(
      name: "time_zone_id", type: "varchar", summary: "Time Zone Id for the current session",
      defaultValue: { $0.timeZone }),
  ]

  /// - Throws: `INVALID_SESSION_PROPERTY` with the name most likely meant.
  static func named(_ name: QualifiedName) throws(QueryError) -> SessionProperty {
    if let property = all.first(where: { $0.name == name.canonicalName }) { return property }
    throw QueryError(
      .invalidSessionProperty, "Session property '\(name.canonicalName)' does not exist", at: name.range,
      hint: NameSuggestion.hint(for: name.canonicalName, among: all.map(\.name)))
  }

  /// A number of bytes as Trino writes data sizes: `10GB`, `512kB`, `100B`.
  static func byteCount(_ text: String) -> Int? {
    scaled(text, units: ["B": 1, "kB": 0x1p10, "MB": 0x1p20, "GB": 0x1p30, "TB": 0x1p40, "PB": 0x1p50])
  }

  /// Seconds of a duration as Trino writes it: `30s`, `5.00m`, `2h`.
  static func seconds(_ text: String) -> Int? {
    scaled(text, units: ["ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400])
  }

  private static func scaled(_ text: String, units: [String: Double]) -> Int? {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let unit = text.dropFirst(digits.count).drop { $0 == " " }
    guard let number = Double(digits), let factor = units[String(unit)], number * factor < 9e18 else { return nil }
    return Int(number * factor)
  }
}

extension StatementRun {
  /// SET SESSION: the value is checked at once.
  func setSession(_ node: SetSessionSyntax) throws(QueryError) {
    let property = try SessionProperty.named(node.name)
    let value = try StatementBinding.constant(node.value, session)
    guard value.type.isVarchar, let text = value.constantValue?.stringValue else {
      throw QueryError(
        .invalidSessionProperty, "Unable to set session property '\(property.name)' to '\(value)'", at: node.value.range)
    }
    switch property.name {
    case "time_zone_id": state.timeZone = try SessionState.timeZone(named: text)
    case "query_max_run_time": try require(SessionProperty.seconds(text), "duration")
    default: try require(SessionProperty.byteCount(text), "data size")
    }
    func require(_ number: Int?, _ what: String) throws(QueryError) {
      if number != nil { return }
      throw QueryError(
        .invalidSessionProperty, "\(property.name) is invalid: \(text)", at: node.value.range,
        hint: what == "duration" ? "A duration is a number and ms, s, m, h or d." : "A data size is a number and B, kB, MB, GB or TB.")
    }
    state.properties[property.name] = text
  }

  /// RESET SESSION.
  func resetSession(_ node: ResetSessionSyntax) throws(QueryError) {
    let property = try SessionProperty.named(node.name)
    if property.name == "time_zone_id" { state.timeZone = try SessionState.timeZone(named: state.configuration.timeZone) }
    state.properties[property.name] = nil
  }
}
