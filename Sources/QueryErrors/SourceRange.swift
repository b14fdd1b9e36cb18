/// A place in SQL text.
///
/// - Units: `offset` counts UTF-8 bytes from 0; `line` and `column` count from 1, columns in characters.
public struct SourcePosition: Hashable, Sendable {
  public var offset: Int
  public var line: Int
  public var column: Int

  public init(offset: Int, line: Int, column: Int) {
    self.offset = offset
    self.line = line
    self.column = column
  }
}

/// A half-open stretch of SQL text, from `start` up to but not including `end`.
public struct SourceRange: Hashable, Sendable {
  public var start: SourcePosition
  public var end: SourcePosition

  public init(start: SourcePosition, end: SourcePosition) {
    self.start = start
    self.end = end
  }

  /// The smallest range that covers both.
  public func union(_ other: SourceRange) -> SourceRange {
    SourceRange(
      start: start.offset <= other.start.offset ? start : other.start,
      end: end.offset >= other.end.offset ? end : other.end)
  }
}
