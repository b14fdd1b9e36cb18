/// Draws an error with its source line, a caret and its hint.
public enum ErrorRenderer {
  /// The error as the command line prints it.
  ///
  ///     COLUMN_NOT_FOUND: line 1:8: Column 'nme' cannot be resolved
  ///     SELECT nme FROM t
  ///            ^^^
  ///     hint: Did you mean 'name'?
  ///
  /// - Parameter sql: the text that `error.range` counts in.
  public static func render(_ error: QueryError, sql: String?) -> String {
    var lines = [error.description]
    if let range = error.range, let sql {
      let sourceLines = sql.split(separator: "\n", omittingEmptySubsequences: false)
      let lineIndex = range.start.line - 1
      if lineIndex >= 0, lineIndex < sourceLines.count {
        let line = sourceLines[lineIndex]
        lines.append(String(line))
        let lead = line.prefix(max(0, range.start.column - 1)).map { $0 == "\t" ? "\t" : " " }.joined()
        let width =
          range.end.line == range.start.line
          ? max(1, min(range.end.column - range.start.column, max(1, line.count - range.start.column + 1)))
          : max(1, line.count - range.start.column + 1)
        lines.append(lead + String(repeating: "^", count: width))
      }
    }
    if let hint = error.hint { lines.append("hint: " + hint) }
    return lines.joined(separator: "\n")
  }
}
