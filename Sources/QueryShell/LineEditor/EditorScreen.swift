import QueryEngine

/// A text with the colours of its letters: what is drawn of a buffer.
struct PaintedText {
  /// Letter by letter, the role of its colour.
  var letters: [Character]
  var roles: [Theme.Role?]

  init(_ text: String, _ role: Theme.Role? = nil) {
    letters = Array(text)
    roles = Array(repeating: role, count: letters.count)
  }

  mutating func append(_ text: String, _ role: Theme.Role?) {
    let added = Array(text)
    letters += added
    roles += Array(repeating: role, count: added.count)
  }
}

/// Where the letters of an edited text stand on the screen: rows of at most the terminal's width.
struct ScreenLayout {
  /// Painted rows, none wider than the terminal.
  private(set) var rows: [String] = [""]
  private(set) var cursorRow = 0
  private(set) var cursorColumn = 0

  /// - Parameters:
  ///   - prompt: before the first line; `continuation` before the others, of the same width.
  ///   - cursor: letters before the cursor.
  init(_ text: PaintedText, cursor: Int, prompt: PaintedText, continuation: PaintedText, columns: Int, theme: Theme) {
    var column = 0
    var run = ""
    var runRole: Theme.Role?
    rows = []
    var row = ""
    func flush() {
      row += runRole.map { theme.paint(run, $0) } ?? run
      run = ""
    }
    func put(_ letter: Character, _ role: Theme.Role?) {
      let shown = letter == "\t" ? "  " : TerminalText.printable(String(letter))
      let width = TerminalText.width(shown)
      if column + width > columns, column > 0 { breakRow() }
      if role != runRole {
        flush()
        runRole = role
      }
      run += shown
      column += width
    }
    func breakRow() {
      flush()
      rows.append(row)
      (row, column) = ("", 0)
    }
    func put(_ painted: PaintedText) { for (letter, role) in zip(painted.letters, painted.roles) { put(letter, role) } }
    // A prompt that leaves no room is cut.
    let room = max(1, columns - 4)
    func fitting(_ prompt: PaintedText) -> PaintedText {
      var prompt = prompt
      while prompt.letters.count > 2, TerminalText.width(String(prompt.letters)) > room {
        prompt.letters.removeFirst()
        prompt.roles.removeFirst()
      }
      return prompt
    }
    put(fitting(prompt))
    let next = fitting(continuation)
    for index in 0...text.letters.count {
      if index == cursor {
        // Behind a full row the cursor stands at the start of the next one.
        if column >= columns { breakRow() }
        (cursorRow, cursorColumn) = (rows.count, column)
      }
      guard index < text.letters.count else { break }
      if text.letters[index] == "\n" {
        breakRow()
        put(next)
      } else {
        put(text.letters[index], text.roles[index])
      }
    }
    breakRow()
  }
}

/// Draws the edited text in place, row by row, and what is shown below it.
///
/// The terminal never wraps by itself: each row is written alone, so widths are what `TerminalText` says.
final class EditorScreen {
  private let terminal: any EditorTerminal
  /// Rows above the cursor that belong to the text.
  private var rowsAbove = 0

  init(_ terminal: any EditorTerminal) { self.terminal = terminal }

  /// Begins on the row the cursor stands on.
  func begin() { rowsAbove = 0 }

  /// Draws anew; of a text higher than the terminal the rows around the cursor.
  ///
  /// - Parameter below: rows under the text: a menu, a hint.
  func draw(_ layout: ScreenLayout, below: [String]) {
    let height = terminal.size.rows
    let below = Array(below.prefix(max(0, height - 1)))
    let shown = max(1, height - below.count)
    var first = 0
    if layout.rows.count > shown { first = min(max(0, layout.cursorRow - shown / 2), layout.rows.count - shown) }
    let rows = Array(layout.rows[first..<min(layout.rows.count, first + shown)]) + below
    var out = "\u{1b}[?25l\r"
    if rowsAbove > 0 { out += "\u{1b}[\(rowsAbove)A" }
    out += rows.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n") + "\u{1b}[J"
    let cursorRow = layout.cursorRow - first
    let up = rows.count - 1 - cursorRow
    if up > 0 { out += "\u{1b}[\(up)A" }
    out += "\r"
    if layout.cursorColumn > 0 { out += "\u{1b}[\(layout.cursorColumn)C" }
    terminal.write(out + "\u{1b}[?25h")
    rowsAbove = cursorRow
  }

  /// Draws for the last time and leaves the cursor below the text.
  func end(_ layout: ScreenLayout) {
    // A text that does not fit is written whole, so that it can be scrolled back to.
    var out = "\r" + (rowsAbove > 0 ? "\u{1b}[\(rowsAbove)A" : "")
    out += layout.rows.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n") + "\u{1b}[J\r\n"
    terminal.write(out)
    rowsAbove = 0
  }

  func clear() {
    terminal.write("\u{1b}[2J\u{1b}[H")
    rowsAbove = 0
  }
}
