import ArgumentParser

/// `sqlq completions SHELL`: the script that makes a shell complete commands and their options.
struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions", abstract: "Print the script by which a shell completes commands and options.",
    discussion: """
      bash: sqlq completions bash > /etc/bash_completion.d/sqlq
      zsh:  sqlq completions zsh > "${fpath[1]}/_sqlq"
      fish: sqlq completions fish > ~/.config/fish/completions/sqlq.fish
      """)

  enum Shell: String, CaseIterable, ExpressibleByArgument { case bash, zsh, fish }

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  func run() throws {
    FileHandleText.print(SubcommandRoot.completionScript(for: CompletionShell(rawValue: shell.rawValue) ?? .bash), to: 1)
  }
}
