/// Draws an error with its source line, a caret and its hint.
public enum ErrorRenderer {
  /// The error as the command line prints it.
  ///
  ///     COLUMN_NOT_FOUND: line 1:8: Column 'nme' cannot be resolved
  ///     SELECT nme FROM t
  ///            ^^^
  ///     hint: Did you mean 'name'?
  ///
  /// Control letters of values and names are shown as visible ones.
  ///
  /// - Parameters:
  ///   - sql: the text that `error.range` counts in.
  ///   - width: columns of the terminal: of a longer source line the part around the caret is shown.
  public static func render(_ error: QueryError, sql: String?, width: Int? = nil) -> String {
    var lines = [TerminalText.printable(error.description, keepsLines: true)]
    if let range = error.range, let sql, let line = sourceLine(range.start.line, of: sql) {
      let letters = Array(TerminalText.printable(line, keepsLines: true))
      let start = min(max(0, range.start.column - 1), letters.count)
      let end = range.end.line == range.start.line ? range.end.column - 1 : letters.count
      lines.append(contentsOf: excerpt(letters, start..<max(start + 1, min(end, letters.count)), width ?? longestLine))
    }
    if let record = error.data?.excerpt {
      let letters = record.text.map { Character(TerminalText.printable(String($0))) }
      let start = min(record.marked.lowerBound, letters.count)
      lines.append(contentsOf: excerpt(letters, start..<max(start + 1, min(record.marked.upperBound, letters.count)), width ?? longestLine))
    }
    if let hint = error.hint { lines.append("hint: " + TerminalText.printable(hint, keepsLines: true)) }
    return lines.joined(separator: "\n")
  }

  /// Columns of a source line that are shown where the terminal's width is not known.
  private static let longestLine = 400
  /// Columns that are shown before the caret of a longer line.
  private static let leadWidth = 20

  private static func sourceLine(_ number: Int, of sql: String) -> String? {
    let lines = sql.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.indices.contains(number - 1) else { return nil }
    return String(lines[number - 1].last == "\r" ? lines[number - 1].dropLast() : lines[number - 1])
  }

  /// A line and the carets under the marked letters; of a line that does not fit, the part around them.
  private static func excerpt(_ letters: [Character], _ marked: Range<Int>, _ width: Int) -> [String] {
    let width = max(width, 16)
    func columns(_ range: Range<Int>) -> Int { range.reduce(0) { $0 + (letters[$1] == "\t" ? 8 : TerminalText.width(letters[$1])) } }
    var first = 0
    var last = letters.count
    if columns(0..<letters.count) > width {
      let lead = min(leadWidth, width / 3)
      first = min(marked.lowerBound, letters.count)
      while first > 0, columns((first - 1)..<min(marked.lowerBound, letters.count)) <= lead { first -= 1 }
      last = first
      // Room for an ellipsis on either side.
      while last < letters.count, columns(first..<(last + 1)) <= width - 2 { last += 1 }
    }
    let before = first > 0 ? "…" : ""
    let text = before + String(letters[first..<last]) + (last < letters.count ? "…" : "")
    let upTo = min(marked.lowerBound, last)
    var blanks = before.isEmpty ? "" : " "
    for letter in letters[first..<max(first, upTo)] {
      blanks += letter == "\t" ? "\t" : String(repeating: " ", count: TerminalText.width(letter))
    }
    let carets = max(1, columns(upTo..<max(upTo, min(marked.upperBound, last))))
    return [text, blanks + String(repeating: "^", count: carets)]
  }
}
