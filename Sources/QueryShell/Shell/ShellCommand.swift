import QueryEngine

/// A command of the shell, written with a leading `\` or `.`: users come from psql, sqlite3, duckdb and athenacli.
struct ShellCommand {
  /// Its names; the first is the one that help shows.
  let names: [String]
  /// `\save FILE`; nil when another command's line of help names it.
  let usage: String?
  let summary: String
  /// What completes its argument.
  let argument: Argument
  let run: (_ argument: String, _ shell: Shell) -> Outcome

  enum Argument { case none, table, function, path, format, names([String]), favourite }

  /// What the shell does next.
  enum Outcome: Equatable {
    case goOn
    case leave
    /// A text is edited next.
    case edit(String)
    /// Something went wrong: a file of statements stops there.
    case failed
  }

  init(
    _ names: String..., usage: String?, _ summary: String, argument: Argument = .none,
    _ run: @escaping (_ argument: String, _ shell: Shell) -> Outcome
  ) {
    (self.names, self.usage, self.summary, self.argument, self.run) = (names, usage, summary, argument, run)
  }

  /// All commands, as help lists them.
  nonisolated(unsafe) static let all: [ShellCommand] = catalogCommands + resultCommands + editingCommands + settingCommands

  static func named(_ name: String) -> ShellCommand? { all.first { $0.names.contains(name) } }

  /// A command line's name and argument; nil when the text is none.
  ///
  /// `quit`, `exit` and `help` alone are commands, too.
  static func parse(_ text: String) -> (name: String, argument: String)? {
    let text = text.drop { $0.isWhitespace }
    let trimmed = text.reversed().drop { $0.isWhitespace || $0 == ";" }.reversed()
    if ["quit", "exit", "help"].contains(String(trimmed).lowercased()) { return (String(trimmed).lowercased(), "") }
    guard let first = text.first, first == "\\" || first == "." else { return nil }
    let rest = text.dropFirst()
    guard let letter = rest.first, letter.isLetter || letter == "?" || letter == "!" else { return nil }
    let name = rest.prefix { !$0.isWhitespace }
    let argument = rest.dropFirst(name.count).drop { $0.isWhitespace }
    return (String(name), String(argument.reversed().drop { $0.isWhitespace }.reversed()))
  }

  /// The words of an argument; quotes keep blanks.
  static func words(_ argument: String) -> [String] {
    var words: [String] = []
    var word = ""
    var quote: Character?
    var hasWord = false
    for letter in argument {
      if let open = quote {
        if letter == open { quote = nil } else { word.append(letter) }
      } else if letter == "'" || letter == "\"" {
        (quote, hasWord) = (letter, true)
      } else if letter.isWhitespace {
        if hasWord { words.append(word) }
        (word, hasWord) = ("", false)
      } else {
        word.append(letter)
        hasWord = true
      }
    }
    if hasWord { words.append(word) }
    return words
  }
}
