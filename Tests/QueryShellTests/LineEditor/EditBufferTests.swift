import Testing

@testable import QueryShell

@Suite struct EditBufferTests {
  @Test func insertsAndMoves() {
    var buffer = EditBuffer("SELECT 1")
    buffer.moveWordLeft()
    buffer.insert("größe, ")
    #expect(buffer.text == "SELECT größe, 1")
    #expect(buffer.cursorOffset == "SELECT größe, ".utf8.count)
    buffer.moveToLineStart()
    buffer.deleteForward()
    #expect(buffer.text == "ELECT größe, 1")
    buffer.moveToLineEnd()
    buffer.deleteBackward()
    #expect(buffer.text == "ELECT größe, ")
  }

  /// Marks join the letter before them, and are deleted with it.
  @Test func combiningMarks() {
    var buffer = EditBuffer("e")
    buffer.insert("\u{301}")
    #expect(buffer.letters.count == 1)
    buffer.insert("👩‍👩‍👧")
    #expect(buffer.letters.count == 2)
    buffer.deleteBackward()
    #expect(buffer.text == "e\u{301}")
  }

  @Test func linesKeepTheColumn() {
    var buffer = EditBuffer("first line\nab\nthird line")
    var moves = [buffer.moveUp()]
    #expect(buffer.cursor == "first line\nab".count)
    moves.append(buffer.moveUp())
    #expect(buffer.cursor == 10)
    moves += [buffer.moveUp(), buffer.moveDown(), buffer.moveDown()]
    #expect(buffer.isAtEnd)
    moves.append(buffer.moveDown())
    #expect(moves == [true, true, false, true, true, false])
  }

  @Test func cutsAndInserts() {
    var buffer = EditBuffer("one two\nthree")
    buffer.cutWordBackward()
    #expect(buffer.text == "one two\n")
    buffer.moveLeft()
    buffer.cutToLineStart()
    #expect(buffer.text == "\n")
    buffer.insertCutText()
    #expect(buffer.text == "one two\n")
    buffer.cutToLineEnd()
    #expect(buffer.text == "one two")
    buffer.moveToStart()
    buffer.cutWordForward()
    #expect(buffer.text == " two")
  }

  /// Letters typed in a row are one step, a word or a change of another kind the next.
  @Test func undoes() {
    var buffer = EditBuffer()
    for letter in "ab" { buffer.insert(String(letter), typing: true) }
    buffer.insert(" ", typing: true)
    for letter in "cd" { buffer.insert(String(letter), typing: true) }
    buffer.undo()
    #expect(buffer.text == "ab ")
    buffer.undo()
    #expect(buffer.text == "ab")
    buffer.undo()
    #expect(buffer.text == "")
    buffer.undo()
    #expect(buffer.text == "")
  }

  @Test func replacesBytesBeforeTheCursor() {
    var buffer = EditBuffer("SELECT grö")
    buffer.replace(bytesBeforeCursor: "grö".utf8.count, with: "größe")
    #expect(buffer.text == "SELECT größe")
  }

  @Test func findsBrackets() {
    var buffer = EditBuffer("f(a, (b))")
    let last = buffer.matchingBrackets
    #expect(last?.0 == 8 && last?.1 == 1)
    buffer.moveLeft()
    let inner = buffer.matchingBrackets
    #expect(inner?.0 == 7 && inner?.1 == 5)
    buffer.moveToStart()
    #expect(buffer.matchingBrackets == nil)
  }
}
