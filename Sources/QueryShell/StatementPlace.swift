package import QueryEngine

/// Where a statement stands in a file of statements.
package struct StatementPlace: Sendable {
  package var file: String
  /// The whole file.
  package var text: String
  package var start: SourcePosition

  package init(file: String, text: String, start: SourcePosition) {
    self.file = file
    self.text = text
    self.start = start
  }

  /// An error as the command line prints it; of a statement in a file, with the file's lines and its name:
  ///
  ///     COLUMN_NOT_FOUND: line 12:8: Column 'nme' cannot be resolved
  ///     SELECT nme FROM t
  ///            ^^^
  ///     in report.sql:12:8
  package static func render(_ error: QueryError, _ sql: String, at place: StatementPlace?, width: Int? = nil) -> String {
    guard let place else { return ErrorRenderer.render(error, sql: sql, width: width) }
    var error = error
    error.range = error.range.map { SourceRange(start: place.position($0.start), end: place.position($0.end)) }
    let at = error.range?.start ?? place.start
    let column = error.range == nil ? "" : ":\(at.column)"
    return ErrorRenderer.render(error, sql: place.text, width: width) + "\nin \(place.file):\(at.line)\(column)"
  }

  /// A place of the statement as a place of the file.
  private func position(_ inner: SourcePosition) -> SourcePosition {
    SourcePosition(
      offset: start.offset + inner.offset, line: start.line + inner.line - 1,
      column: inner.line == 1 ? start.column + inner.column - 1 : inner.column)
  }
}
