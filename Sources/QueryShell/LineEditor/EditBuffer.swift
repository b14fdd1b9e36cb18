/// The text that is edited, and the cursor in it: several lines, letter by letter.
///
/// Pure: draws nothing and reads nothing.
struct EditBuffer: Hashable {
  private(set) var letters: [Character] = []
  /// Letters before the cursor.
  private(set) var cursor = 0
  /// What was cut last.
  private var cutText: [Character] = []
  /// The column that moving up and down keeps to.
  private var goalColumn: Int?
  private var undoStates: [State] = []
  /// Whether letters typed now belong to the last undo state.
  private var isTyping = false

  private struct State: Hashable {
    var letters: [Character]
    var cursor: Int
  }

  private static let undoCount = 200

  init(_ text: String = "") {
    letters = Array(text)
    cursor = letters.count
  }

  var text: String { String(letters) }
  var isEmpty: Bool { letters.isEmpty }
  var isAtEnd: Bool { cursor == letters.count }
  var textBeforeCursor: String { String(letters[..<cursor]) }

  /// Bytes of UTF-8 before the cursor.
  var cursorOffset: Int { textBeforeCursor.utf8.count }

  // MARK: Changing

  private mutating func remember(typing: Bool = false) {
    defer { (isTyping, goalColumn) = (typing, nil) }
    if typing, isTyping { return }
    undoStates.append(State(letters: letters, cursor: cursor))
    if undoStates.count > EditBuffer.undoCount { undoStates.removeFirst() }
  }

  mutating func undo() {
    guard let state = undoStates.popLast() else { return }
    (letters, cursor, isTyping) = (state.letters, state.cursor, false)
  }

  mutating func insert(_ text: String, typing: Bool = false) {
    remember(typing: typing && text != " " && text != "\n")
    // A mark joins the letter before it.
    let joined = (cursor > 0 ? String(letters[cursor - 1]) : "") + text
    let added = Array(joined)
    let start = max(0, cursor - 1)
    letters.replaceSubrange(start..<cursor, with: added)
    cursor = start + added.count
  }

  /// Replaces everything.
  mutating func set(_ text: String) {
    remember()
    letters = Array(text)
    cursor = letters.count
  }

  /// Replaces the `byteCount` bytes before the cursor.
  mutating func replace(bytesBeforeCursor byteCount: Int, with text: String) {
    remember()
    var start = cursor
    var left = byteCount
    while start > 0, left > 0 {
      start -= 1
      left -= letters[start].utf8.count
    }
    letters.replaceSubrange(start..<cursor, with: Array(text))
    cursor = start + text.count
  }

  private mutating func remove(_ range: Range<Int>, cuts: Bool) {
    if range.isEmpty { return }
    remember()
    if cuts { cutText = Array(letters[range]) }
    letters.removeSubrange(range)
    cursor = range.lowerBound
  }

  mutating func deleteBackward() { if cursor > 0 { remove(cursor - 1..<cursor, cuts: false) } }
  mutating func deleteForward() { if !isAtEnd { remove(cursor..<cursor + 1, cuts: false) } }
  mutating func cutWordBackward() { remove(wordStart(before: cursor)..<cursor, cuts: true) }
  mutating func cutWordForward() { remove(cursor..<wordEnd(after: cursor), cuts: true) }
  mutating func cutToLineStart() { remove(lineStart(of: cursor)..<cursor, cuts: true) }

  /// Cuts up to the line's end; at it, the line feed.
  mutating func cutToLineEnd() {
    let end = lineEnd(of: cursor)
    remove(cursor..<(end == cursor ? min(end + 1, letters.count) : end), cuts: true)
  }

  mutating func insertCutText() { if !cutText.isEmpty { insert(String(cutText)) } }

  /// Swaps the letters around the cursor.
  mutating func transpose() {
    guard cursor > 0, letters.count > 1 else { return }
    remember()
    let at = isAtEnd ? cursor - 1 : cursor
    letters.swapAt(at - 1, at)
    cursor = at + 1
  }

  // MARK: Moving

  private mutating func move(to place: Int) { (cursor, isTyping, goalColumn) = (place, false, nil) }

  mutating func moveLeft() { move(to: max(0, cursor - 1)) }
  mutating func moveRight() { move(to: min(letters.count, cursor + 1)) }
  mutating func moveToLineStart() { move(to: lineStart(of: cursor)) }
  mutating func moveToLineEnd() { move(to: lineEnd(of: cursor)) }
  mutating func moveToStart() { move(to: 0) }
  mutating func moveToEnd() { move(to: letters.count) }
  mutating func moveWordLeft() { move(to: wordStart(before: cursor)) }
  mutating func moveWordRight() { move(to: wordEnd(after: cursor)) }

  /// - Returns: false on the first line.
  mutating func moveUp() -> Bool {
    let start = lineStart(of: cursor)
    guard start > 0 else { return false }
    let goal = goalColumn ?? cursor - start
    let above = lineStart(of: start - 1)
    move(to: min(above + goal, start - 1))
    goalColumn = goal
    return true
  }

  /// - Returns: false on the last line.
  mutating func moveDown() -> Bool {
    let end = lineEnd(of: cursor)
    guard end < letters.count else { return false }
    let goal = goalColumn ?? cursor - lineStart(of: cursor)
    move(to: min(end + 1 + goal, lineEnd(of: end + 1)))
    goalColumn = goal
    return true
  }

  // MARK: Places

  private func lineStart(of place: Int) -> Int { (letters[..<place].lastIndex(of: "\n") ?? -1) + 1 }
  private func lineEnd(of place: Int) -> Int { letters[place...].firstIndex(of: "\n") ?? letters.count }

  private static func isWord(_ letter: Character) -> Bool { letter.isLetter || letter.isNumber || letter == "_" }

  private func wordStart(before place: Int) -> Int {
    var at = place
    while at > 0, !EditBuffer.isWord(letters[at - 1]) { at -= 1 }
    while at > 0, EditBuffer.isWord(letters[at - 1]) { at -= 1 }
    return at
  }

  private func wordEnd(after place: Int) -> Int {
    var at = place
    while at < letters.count, !EditBuffer.isWord(letters[at]) { at += 1 }
    while at < letters.count, EditBuffer.isWord(letters[at]) { at += 1 }
    return at
  }

  // MARK: Brackets

  /// The bracket beside the cursor and its partner, quotes not looked at; for the eye only.
  var matchingBrackets: (Int, Int)? {
    let pairs: [(Character, Character)] = [("(", ")"), ("[", "]")]
    for place in [cursor - 1, cursor] where letters.indices.contains(place) {
      for (open, close) in pairs {
        let isOpen = letters[place] == open
        guard isOpen || letters[place] == close else { continue }
        var depth = 0
        var at = place
        while letters.indices.contains(at) {
          if letters[at] == open { depth += 1 } else if letters[at] == close { depth -= 1 }
          if depth == 0 { return (place, at) }
          at += isOpen ? 1 : -1
        }
      }
    }
    return nil
  }
}
