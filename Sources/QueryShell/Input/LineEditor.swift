import CEdit
import Glibc
import QueryEngine
import Synchronization

/// Reads lines with history and completion through libedit.
///
/// - Threads: used by the main thread only; `interrupt` may be called by any.
package final class LineEditor {
  private let historyPath: String?
  /// What completion offers; replaced before each line.
  nonisolated(unsafe) private static var words: [String] = []
  nonisolated(unsafe) private static var matches: [String] = []
  nonisolated(unsafe) private static var nextMatch = 0

  private static let historyLineCount: Int32 = 10_000

  /// - Parameter historyPath: where lines are kept between sessions, or nil.
  package init(historyPath: String?) {
    self.historyPath = historyPath
    rl_initialize()
    using_history()
    stifle_history(LineEditor.historyLineCount)
    if let historyPath { read_history(historyPath) }
    cedit_set_completion { text, state in LineEditor.complete(text, state) }
  }

  /// The next line without its end, or nil at the end of input.
  package func readLine(prompt: String, words: [String]) -> String? {
    LineEditor.words = words
    guard let line = readline(prompt) else { return nil }
    defer { free(line) }
    return String(cString: line)
  }

  /// Adds a whole statement to the history.
  package func remember(_ statement: String) {
    let line = statement.split(whereSeparator: \.isNewline).joined(separator: " ")
    if line.isEmpty { return }
    add_history(line)
    if let historyPath { write_history(historyPath) }
  }

  /// Tells a waiting user that Ctrl-C alone does not end the session.
  static func interrupt() {
    let text = Array("\n(type .exit or press Ctrl-D to leave)\n".utf8)
    _ = text.withUnsafeBytes { write(2, $0.baseAddress!, $0.count) }
  }

  private static func complete(_ text: UnsafePointer<CChar>?, _ state: Int32) -> UnsafeMutablePointer<CChar>? {
    if state == 0 {
      let typed = text.map { String(cString: $0) } ?? ""
      let lower = typed.lowercased()
      // Keywords follow the case they are begun in.
      let isUpper = typed == typed.uppercased() && typed != lower
      matches =
        typed.isEmpty
        ? []
        : words.filter { $0.lowercased().hasPrefix(lower) }.map { isUpper ? $0.uppercased() : $0.lowercased() }
      nextMatch = 0
    }
    guard nextMatch < matches.count else { return nil }
    defer { nextMatch += 1 }
    return strdup(matches[nextMatch])
  }
}
