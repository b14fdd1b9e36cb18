import QueryEngine

/// What the editor asks the shell while a user types.
protocol LineEditorDelegate: AnyObject {
  /// Whether Enter runs the text, rather than beginning a new line of it.
  func isComplete(_ text: String) -> Bool
  /// The text in its colours.
  func paint(_ text: String) -> PaintedText
  /// What may stand at the cursor.
  ///
  /// - Parameter offset: bytes of `text` before the cursor.
  func completions(_ text: String, at offset: Int) -> Completions
  /// One line of help for where the cursor is, such as the signature of the function whose arguments are typed.
  func hint(_ text: String, at offset: Int) -> String?
}

/// Reads statements of several lines: editing, history, search, completion, colours while one types.
///
/// Keys are Emacs', as in other shells; `LineEditor.help` lists them.
///
/// - Threads: the main thread's.
final class LineEditor {
  /// How reading a text ended.
  enum Outcome: Hashable {
    case text(String)
    /// Ctrl-C on an empty line or Ctrl-D: `text` was thrown away when it is not nil.
    case interrupted(discarded: Bool)
    case end
  }

  private let terminal: any EditorTerminal
  private let screen: EditorScreen
  private let history: StatementHistory
  private let theme: Theme
  private weak var delegate: (any LineEditorDelegate)?

  // MARK: While a text is read
  private var buffer = EditBuffer()
  private var prompt = PaintedText("")
  private var continuation = PaintedText("")
  /// The history entry shown; `history.entries.count` is what is being typed.
  private var historyIndex = 0
  /// What was being typed when the user went into the history.
  private var draft = ""
  private var menu: Menu?
  private var search: Search?
  private var drawnSize = (columns: 0, rows: 0)

  /// Candidates to choose from.
  private struct Menu {
    var completions: Completions
    /// Nil before one is chosen.
    var chosen: Int?
    /// Bytes before the cursor that the next choice replaces.
    var replaced: Int
  }

  /// A search in the history.
  private struct Search {
    var text = ""
    var index: Int
    var original: EditBuffer
    var hasFailed = false
  }

  private static let menuRowCount = 8
  private static let paintedLetterCount = 20_000
  /// How often the terminal's size is looked at while nobody types.
  private static let pollMilliseconds = 200

  init(_ terminal: any EditorTerminal, _ history: StatementHistory, _ theme: Theme, _ delegate: any LineEditorDelegate) {
    self.terminal = terminal
    self.history = history
    self.theme = theme
    self.delegate = delegate
    screen = EditorScreen(terminal)
  }

  static let help = """
    Enter         runs a statement that ends with ; else begins a new line (Alt-Enter always does)
    Tab           completes; Tab again chooses, Shift-Tab goes back
    Up, Down      lines, then history        Ctrl-R, Ctrl-S  search the history
    Ctrl-A, E     start and end of line      Alt-B, F        a word back or on
    Ctrl-W, Alt-D cut a word                 Ctrl-K, U       cut to the line's end or start
    Ctrl-Y        insert what was cut        Ctrl-_          undo
    Ctrl-L        clear the screen           Ctrl-C          discard; Ctrl-D leaves
    """

  /// Reads one text.
  ///
  /// - Parameter initial: what stands there already, such as what an editor left.
  func read(prompt: PaintedText, continuation: PaintedText, initial: String = "") -> Outcome {
    (self.prompt, self.continuation) = (prompt, continuation)
    buffer = EditBuffer(initial)
    (menu, search, draft) = (nil, nil, "")
    historyIndex = history.entries.count
    terminal.setEditing(true)
    defer { terminal.setEditing(false) }
    screen.begin()
    draw()
    while true {
      guard let first = terminal.readByte(LineEditor.pollMilliseconds) else {
        if terminal.isAtEnd { return finish(.end) }
        if terminal.size != drawnSize { draw() }
        continue
      }
      let key = KeyDecoder.key(first) { self.terminal.readByte($0) }
      let outcome = search == nil ? take(key) : takeInSearch(key)
      if let outcome { return finish(outcome) }
      draw()
    }
  }

  private func finish(_ outcome: Outcome) -> Outcome {
    menu = nil
    search = nil
    buffer.moveToEnd()
    screen.end(layout(isFinal: true))
    return outcome
  }

  // MARK: Keys

  /// - Returns: how reading ends, or nil when it goes on.
  private func take(_ key: Key) -> Outcome? {
    switch key {
    case .tab: return complete(backwards: false)
    case .backTab: return complete(backwards: true)
    case .enter where menu?.chosen != nil:
      // Enter takes what is chosen; the next one runs.
      menu = nil
      return nil
    case .escape where menu != nil:
      menu = nil
      return nil
    default: menu = nil
    }
    switch key {
    case .character(let letter): buffer.insert(String(letter), typing: true)
    case .paste(let text): buffer.insert(text)
    case .enter:
      if delegate?.isComplete(buffer.text) ?? true { return .text(buffer.text) }
      buffer.insert("\n")
    case .alt("\r"), .control("o"): buffer.insert("\n")
    case .control("j"): return .text(buffer.text)
    case .backspace: buffer.deleteBackward()
    case .delete: buffer.deleteForward()
    case .control("d"):
      if buffer.isEmpty { return .end }
      buffer.deleteForward()
    case .control("c"):
      let hadText = !buffer.isEmpty
      return .interrupted(discarded: hadText)
    case .left, .control("b"): buffer.moveLeft()
    case .right, .control("f"): if buffer.isAtEnd { acceptSuggestion() } else { buffer.moveRight() }
    case .home, .control("a"): buffer.moveToLineStart()
    case .end, .control("e"): if buffer.isAtEnd { acceptSuggestion() } else { buffer.moveToLineEnd() }
    case .wordLeft, .alt("b"): buffer.moveWordLeft()
    case .wordRight, .alt("f"): buffer.moveWordRight()
    case .alt("<"): buffer.moveToStart()
    case .alt(">"): buffer.moveToEnd()
    case .up: if !buffer.moveUp() { goBack() }
    case .down: if !buffer.moveDown() { goOn() }
    case .control("p"), .pageUp: goBack()
    case .control("n"), .pageDown: goOn()
    case .control("w"), .alt("\u{7f}"): buffer.cutWordBackward()
    case .alt("d"): buffer.cutWordForward()
    case .control("k"): buffer.cutToLineEnd()
    case .control("u"): buffer.cutToLineStart()
    case .control("y"): buffer.insertCutText()
    case .control("t"): buffer.transpose()
    case .control("_"), .control("z"): buffer.undo()
    case .control("l"): screen.clear()
    case .control("r"): search = Search(index: historyIndex, original: buffer)
    default: break
    }
    return nil
  }

  // MARK: History

  private func goBack() {
    guard historyIndex > 0 else { return }
    if historyIndex == history.entries.count { draft = buffer.text }
    historyIndex -= 1
    buffer.set(history.entries[historyIndex])
  }

  private func goOn() {
    guard historyIndex < history.entries.count else { return }
    historyIndex += 1
    buffer.set(historyIndex == history.entries.count ? draft : history.entries[historyIndex])
  }

  /// What the latest statement that begins as the text does goes on with.
  private var suggestion: String? {
    guard buffer.isAtEnd, buffer.text.count >= 2, menu == nil, search == nil, !theme.isPlain else { return nil }
    return history.continuation(of: buffer.text)
  }

  private func acceptSuggestion() { if let suggestion { buffer.insert(suggestion) } }

  private func takeInSearch(_ key: Key) -> Outcome? {
    guard var current = search else { return nil }
    defer { if search != nil { search = current } }
    func look(_ found: Int?) {
      current.hasFailed = found == nil && !current.text.isEmpty
      guard let found else { return }
      current.index = found
      buffer.set(history.entries[found])
    }
    switch key {
    case .character(let letter):
      current.text.append(letter)
      look(history.search(current.text, before: min(current.index + 1, history.entries.count)))
    case .backspace:
      if !current.text.isEmpty { current.text.removeLast() }
      look(history.search(current.text, before: history.entries.count))
    case .control("r"), .up: look(history.search(current.text, before: current.index))
    case .control("s"), .down: look(history.search(current.text, after: current.index))
    case .control("g"), .control("c"), .escape:
      buffer = current.original
      search = nil
    default:
      if current.index < history.entries.count { historyIndex = current.index }
      search = nil
      return take(key)
    }
    return nil
  }

  // MARK: Completion

  private func complete(backwards: Bool) -> Outcome? {
    if var open = menu {
      let count = open.completions.items.count
      open.chosen = open.chosen.map { ($0 + (backwards ? count - 1 : 1)) % count } ?? (backwards ? count - 1 : 0)
      let text = open.completions.items[open.chosen!].text
      buffer.replace(bytesBeforeCursor: open.replaced, with: text)
      open.replaced = text.utf8.count
      menu = open
      return nil
    }
    guard let delegate else { return nil }
    let offset = buffer.cursorOffset
    let found = delegate.completions(buffer.text, at: offset)
    if found.items.isEmpty {
      // Nothing to complete at the start of a line: Tab indents.
      if buffer.textBeforeCursor.last.map({ $0 == "\n" || $0 == " " }) ?? true { buffer.insert("  ") }
      return nil
    }
    let typed = offset - found.start
    if found.items.count == 1 {
      buffer.replace(bytesBeforeCursor: typed, with: found.items[0].text + found.items[0].suffix)
      return nil
    }
    let common = found.commonPrefix
    if common.utf8.count > typed {
      buffer.replace(bytesBeforeCursor: typed, with: common)
      menu = Menu(completions: found, replaced: common.utf8.count)
    } else {
      menu = Menu(completions: found, replaced: typed)
    }
    return nil
  }

  // MARK: Drawing

  private func layout(isFinal: Bool) -> ScreenLayout {
    let text = buffer.text
    var painted = text.utf8.count <= LineEditor.paintedLetterCount ? delegate?.paint(text) ?? PaintedText(text) : PaintedText(text)
    if !isFinal {
      if let (one, other) = buffer.matchingBrackets, painted.roles.indices.contains(max(one, other)) {
        painted.roles[one] = .bracket
        painted.roles[other] = .bracket
      }
      if let suggestion { painted.append(suggestion, .hint) }
    }
    var prompt = prompt
    if let search {
      prompt = PaintedText(search.hasFailed ? "(no match) " : "(history) ", search.hasFailed ? .error : .prompt)
      prompt.append("'\(search.text)' ", .hint)
    }
    return ScreenLayout(
      painted, cursor: buffer.cursor, prompt: prompt, continuation: continuation, columns: terminal.size.columns, theme: theme)
  }

  private func draw() {
    drawnSize = terminal.size
    var below: [String] = []
    if let menu {
      below = menuRows(menu)
    } else if search == nil, let hint = delegate?.hint(buffer.text, at: buffer.cursorOffset) {
      below = [theme.paint(TerminalText.cut(hint, to: drawnSize.columns - 1), .hint)]
    }
    screen.draw(layout(isFinal: false), below: below)
  }

  /// Candidates in columns, the chosen one marked, and what is known of it.
  private func menuRows(_ menu: Menu) -> [String] {
    let items = menu.completions.items
    let widest = items.map { TerminalText.width($0.label) }.max() ?? 1
    let cell = min(widest + 2, drawnSize.columns - 1)
    let columnCount = max(1, (drawnSize.columns - 1) / cell)
    let rowCount = min(LineEditor.menuRowCount, max(1, drawnSize.rows - 4))
    let page = (menu.chosen ?? 0) / (columnCount * rowCount)
    let first = page * columnCount * rowCount
    let shown = items.indices[first..<min(items.count, first + columnCount * rowCount)]
    let rows = (shown.count + columnCount - 1) / columnCount
    var lines = (0..<rows).map { row in
      (0..<columnCount).compactMap { column -> String? in
        let index = first + column * rows + row
        guard index < first + shown.count else { return nil }
        let label = TerminalText.cut(TerminalText.printable(items[index].label), to: cell - 2)
        let text = label + String(repeating: " ", count: max(0, cell - 2 - TerminalText.width(label)))
        let role: Theme.Role? = menu.chosen == index ? .selection : items[index].kind.role
        return (role.map { theme.paint(text, $0) } ?? text) + "  "
      }.joined()
    }
    var status = menu.chosen.flatMap { items[$0].detail } ?? ""
    if items.count > shown.count || menu.completions.isPartial {
      status += (status.isEmpty ? "" : "  ") + "\(items.count)\(menu.completions.isPartial ? "+" : "") candidates"
    }
    if !status.isEmpty {
      lines.append(theme.paint(TerminalText.cut(TerminalText.printable(status), to: drawnSize.columns - 1), .hint))
    }
    return lines
  }
}

extension Completions.Kind {
  /// The colour of a candidate.
  var role: Theme.Role? {
    switch self {
    case .keyword: .keyword
    case .function: .function
    case .value: .string
    case .path: .string
    case .column: .parameter
    case .table, .database, .command: nil
    }
  }
}
