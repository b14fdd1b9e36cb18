/// Something that real Athena would do otherwise.
public struct CheckFinding: Hashable, Codable, Sendable {
  public enum Severity: String, CaseIterable, Codable, Sendable {
    /// Athena fails, or gives other rows.
    case error
    /// Athena may give other rows, or costs more than it should.
    case warning
    /// Worth knowing.
    case note
  }

  public var severity: Severity
  /// `CSV_EMBEDDED_NEWLINE`.
  public var code: String
  /// Where: a file and line, a place in the statement, a table.
  public var place: String
  public var message: String
  /// What to do about it.
  public var fix: String?

  init(_ severity: Severity, _ code: String, at place: String, _ message: String, fix: String? = nil) {
    self.severity = severity
    self.code = code
    self.place = place
    self.message = message
    self.fix = fix
  }
}

extension SourceRange {
  /// `line 3:8`.
  var placeText: String { "line \(start.line):\(start.column)" }
}
