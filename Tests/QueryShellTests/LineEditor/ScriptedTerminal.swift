import QueryEngine

@testable import QueryShell

/// A terminal whose user types a script, and whose screen can be looked at.
///
/// Understands what `EditorScreen` sends: text, CR, LF, and the sequences A, C, J, K, H, l, h and m.
final class ScriptedTerminal: EditorTerminal {
  var size: (columns: Int, rows: Int)
  private var input: ArraySlice<UInt8>
  private(set) var isAtEnd = false
  private(set) var isEditing = false
  private var cells: [[String]]
  private var row = 0
  private var column = 0
  /// The screen each time the user was waited for.
  private(set) var screens: [String] = []
  private(set) var written = ""

  init(_ keys: String, columns: Int = 40, rows: Int = 10) {
    size = (columns, rows)
    input = Array(keys.utf8)[...]
    cells = Array(repeating: Array(repeating: " ", count: columns), count: rows)
  }

  func readByte(_ milliseconds: Int?) -> UInt8? {
    screens.append(screen)
    guard let byte = input.popFirst() else {
      isAtEnd = true
      return nil
    }
    return byte
  }

  func setEditing(_ isEditing: Bool) { self.isEditing = isEditing }

  /// Its rows without blanks at their ends, the last empty ones left out.
  var screen: String {
    var lines = cells.map { line in
      var text = line.joined()
      while text.last == " " { text.removeLast() }
      return text
    }
    while lines.last == "" { lines.removeLast() }
    return lines.joined(separator: "\n")
  }

  var cursor: (row: Int, column: Int) { (row, column) }

  func write(_ text: String) {
    written += text
    var letters = Array(text)[...]
    while let letter = letters.popFirst() {
      switch letter {
      case "\r": column = 0
      case "\n": lineFeed()
      case "\r\n":
        column = 0
        lineFeed()
      case "\u{1b}":
        _ = letters.popFirst()
        var number = ""
        while let next = letters.popFirst() {
          if next.isLetter {
            control(next, Int(number) ?? 1)
            break
          }
          number.append(next)
        }
      default:
        let width = TerminalText.width(letter)
        if width > 0, column + width <= size.columns {
          cells[row][column] = String(letter)
          if width == 2 { cells[row][column + 1] = "" }
        }
        column += width
      }
    }
  }

  private func lineFeed() {
    row += 1
    if row == size.rows {
      cells.removeFirst()
      cells.append(Array(repeating: " ", count: size.columns))
      row -= 1
    }
  }

  private func control(_ letter: Character, _ number: Int) {
    switch letter {
    case "A": row = max(0, row - number)
    case "C": column = min(size.columns - 1, column + number)
    case "K": for index in min(column, size.columns)..<size.columns { cells[row][index] = " " }
    case "J" where number == 2: cells = Array(repeating: Array(repeating: " ", count: size.columns), count: size.rows)
    case "J":
      for index in min(column, size.columns)..<size.columns { cells[row][index] = " " }
      for below in (row + 1)..<max(row + 1, size.rows) { cells[below] = Array(repeating: " ", count: size.columns) }
    case "H": (row, column) = (0, 0)
    default: break
    }
  }
}

/// A shell that runs nothing.
final class ScriptedDelegate: LineEditorDelegate {
  var words: [String] = []

  func isComplete(_ text: String) -> Bool { text.hasSuffix(";") || text.hasPrefix("\\") }
  func paint(_ text: String) -> PaintedText { SQLPainter.paint(text) }

  func completions(_ text: String, at offset: Int) -> Completions {
    let typed = String(text.prefix(offset).reversed().prefix { $0.isLetter || $0 == "_" }.reversed())
    let items = words.filter { $0.hasPrefix(typed) }.map { Completions.Item($0, kind: .column, detail: "a \($0)", suffix: " ") }
    return Completions(items, start: offset - typed.utf8.count)
  }

  func hint(_ text: String, at offset: Int) -> String? { text.hasSuffix("(") ? "signature" : nil }
}
