import Foundation
import QueryEngine
import Testing

@testable import QueryShell

@Suite struct LineEditorTests {
  private let delegate = ScriptedDelegate()

  /// Reads one text that a user types.
  private func read(
    _ keys: String, history: [String] = [], words: [String] = [], columns: Int = 40, theme: Theme = .none, initial: String = ""
  ) -> (outcome: LineEditor.Outcome, terminal: ScriptedTerminal) {
    let terminal = ScriptedTerminal(keys, columns: columns)
    let past = StatementHistory(path: nil)
    for entry in history { past.add(entry) }
    delegate.words = words
    let editor = LineEditor(terminal, past, theme, delegate)
    let outcome = editor.read(prompt: PaintedText("sql> "), continuation: PaintedText("  -> "), initial: initial)
    #expect(!terminal.isEditing)
    return (outcome, terminal)
  }

  @Test func statementsOfSeveralLines() {
    let (outcome, terminal) = read("SELECT 'größe',\r1;\r")
    #expect(outcome == .text("SELECT 'größe',\n1;"))
    #expect(terminal.screen == "sql> SELECT 'größe',\n  -> 1;")
    #expect(terminal.cursor == (2, 0))
  }

  @Test func editsAboveTheLastLine() {
    #expect(read("a\rc\u{1b}[A\u{5}b\u{1b}[B;\r").outcome == .text("ab\nc;"))
  }

  /// Ctrl-C throws away what is typed, also of several lines; on an empty line it says nothing was.
  @Test func interrupts() {
    #expect(read("SELECT\rx\u{3}").outcome == .interrupted(discarded: true))
    #expect(read("\u{3}").outcome == .interrupted(discarded: false))
    #expect(read("\u{4}").outcome == .end)
    #expect(read("ab\u{1}\u{4};\u{5};\r").outcome == .text(";b;"))
    #expect(read("").outcome == .end)
  }

  /// Entries come back whole, and what was typed before is kept.
  @Test func history() {
    let past = ["SELECT 1;", "-- c\nSELECT 'a\nb';"]
    #expect(read("\u{1b}[A\r", history: past).outcome == .text(past[1]))
    // Up goes through the lines of an entry before it goes on to the next one.
    #expect(read("\u{10}\u{10}\r", history: past).outcome == .text(past[0]))
    #expect(read("new\u{10}\u{10}\u{e}\u{e};\r", history: past).outcome == .text("new;"))
    #expect(read("\u{10}\u{10}\u{10}\u{10}\r", history: past).outcome == .text(past[0]))
  }

  @Test func searches() {
    let past = ["SELECT alpha;", "SELECT beta;", "SELECT Alpha2;"]
    let (outcome, terminal) = read("\u{12}alph\r", history: past)
    #expect(outcome == .text("SELECT Alpha2;"))
    #expect(terminal.screens.contains { $0.hasPrefix("(history) 'alph' SELECT Alpha2;") })
    #expect(read("\u{12}alph\u{12}\r", history: past).outcome == .text("SELECT alpha;"))
    #expect(read("\u{12}alph\u{12}\u{13}\r", history: past).outcome == .text("SELECT Alpha2;"))
    let failed = read("x\u{12}nothing\u{7};\r", history: past)
    #expect(failed.outcome == .text("x;"))
    #expect(failed.terminal.screens.contains { $0.hasPrefix("(no match) 'nothing'") })
  }

  @Test func completes() {
    #expect(read("sel\t1;\r", words: ["select"]).outcome == .text("select 1;"))
    // The common beginning first, then one after the other.
    let (outcome, terminal) = read("co\t\t\t\r;\r", words: ["column_a", "column_b", "other"])
    #expect(outcome == .text("column_b;"))
    #expect(terminal.screens.contains("sql> column_\ncolumn_a  column_b"))
    #expect(terminal.screens.contains("sql> column_b\ncolumn_a  column_b\na column_b"))
    #expect(read("co\t\t\t\t\r;\r", words: ["column_a", "column_b"]).outcome == .text("column_a;"))
    #expect(read("co\t\u{1b}[Z\r;\r", words: ["column_a", "column_b"]).outcome == .text("column_b;"))
    // Nothing to complete: blanks.
    #expect(read("\tx;\r").outcome == .text("  x;"))
  }

  @Test func hints() {
    let terminal = read("f(\u{3}").terminal
    #expect(terminal.screens.contains("sql> f(\nsignature"))
    // Gone with the text.
    #expect(terminal.screen == "sql> f(")
  }

  /// Texts wider than the terminal go on in the next row, wide letters whole.
  @Test func wraps() {
    let (outcome, terminal) = read("abcdefgh漢字xyz;\r", columns: 14)
    #expect(outcome == .text("abcdefgh漢字xyz;"))
    #expect(terminal.screen == "sql> abcdefgh\n漢字xyz;")
    #expect(read("abcdefghi\u{3}", columns: 14).terminal.screen == "sql> abcdefghi")
  }

  /// Terminals of hardly any width or height do no harm.
  @Test(arguments: [(2, 2), (3, 2), (7, 3), (12, 4)]) func tinyTerminals(_ columns: Int, _ rows: Int) {
    let terminal = ScriptedTerminal("SELECT 'größe',\r 漢字\rco\t\t\r;\r", columns: columns, rows: rows)
    delegate.words = ["column_a", "column_b"]
    let editor = LineEditor(terminal, StatementHistory(path: nil), .none, delegate)
    let outcome = editor.read(prompt: PaintedText("sqlq:default> "), continuation: PaintedText("           -> "))
    #expect(outcome == .text("SELECT 'größe',\n 漢字\ncolumn_a;"))
  }

  @Test func pastedLinesRunNothing() {
    #expect(read("\u{1b}[200~SELECT 1;\nSELECT 2\u{1b}[201~;\r").outcome == .text("SELECT 1;\nSELECT 2;"))
  }

  /// The latest statement that begins so is offered; Right takes it.
  @Test func suggests() {
    let past = ["SELECT city FROM trips;"]
    #expect(read("SELECT c\u{1b}[C\r", history: past, theme: .dark).outcome == .text(past[0]))
    // Without colours nobody could tell it from what was typed.
    #expect(read("SELECT c\u{1b}[C;\r", history: past).outcome == .text("SELECT c;"))
  }

  @Test func colours() {
    let dark = read("SELECT 1;\r", theme: .dark).terminal.written
    #expect(dark.contains("\u{1b}[1;94mSELECT\u{1b}[0m \u{1b}[93m1\u{1b}[0m;"))
    let light = read("SELECT 1;\r", theme: .light).terminal.written
    #expect(light.contains("\u{1b}[1;34mSELECT\u{1b}[0m \u{1b}[31m1\u{1b}[0m;"))
    #expect(!read("SELECT 1;\r").terminal.written.contains("m"))
  }

  @Test func startsWithAText() { #expect(read(";\r", initial: "SELECT 1").outcome == .text("SELECT 1;")) }
}

@Suite struct StatementHistoryTests {
  /// Statements come back as they were typed, whatever is in them; the file is its owner's.
  @Test func keepsStatements() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "history-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let statements = ["SELECT 'a\nb'", "-- c\nSELECT 1", #"SELECT '\n \\'"#, "größe"]
    let history = StatementHistory(path: path)
    for statement in statements { history.add(statement) }
    history.add("größe")
    history.add("  \n ")
    #expect(StatementHistory(path: path).entries == statements)
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
  }

  /// A file that libedit wrote is taken over.
  @Test func readsTheOldForm() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "history-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data("_HiStOrY_V2_\nSELECT\\0401;\n.tables\n".utf8).write(to: URL(filePath: path))
    #expect(StatementHistory(path: path).entries == ["SELECT 1;", ".tables"])
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "SELECT 1;\n.tables\n")
  }
}
