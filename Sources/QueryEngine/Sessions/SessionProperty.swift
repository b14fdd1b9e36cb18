import QueryErrors
import SQLSyntax

/// A property that SET SESSION changes.
///
/// - Source: Trino `SystemSessionProperties`; only those that mean something to one process on local files.
struct SessionProperty: Sendable {
  var name: String
  /// As SHOW SESSION says it: `varchar`, `bigint`, `boolean`.
  var type: String
  var summary: String
  var defaultValue: @Sendable (EngineConfiguration, SessionDefaults) -> String

  static let all: [SessionProperty] = [
    SessionProperty(
      name: "query_max_memory", type: "varchar", summary: "Maximum amount of memory a query can use",
      defaultValue: { engine, _ in engine.memoryLimit.map { "\($0)B" } ?? "" }),
    SessionProperty(
      name: "query_max_run_time", type: "varchar", summary: "Maximum run time of a query (includes the queueing time)",
      defaultValue: { _, _ in "" }),
    SessionProperty(
      name: "query_max_scan_physical_bytes", type: "varchar", summary: "Maximum scan physical bytes of a query",
      defaultValue: { _, session in session.scanLimit.map { "\($0)B" } ?? "" }),
    SessionProperty(
      name: "target_max_file_size", type: "varchar", summary: "Target maximum size of written files; the actual size may be larger",
      defaultValue: { _, _ in "\(SessionSettings.usualFileByteCount >> 20)MB" }),
    SessionProperty(
      name: "time_zone_id", type: "varchar", summary: "Time Zone Id for the current session",
      defaultValue: { _, session in session.timeZone }),
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
