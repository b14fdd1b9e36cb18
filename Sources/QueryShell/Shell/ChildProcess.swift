import Glibc

/// Runs another program in the terminal: an editor, a pager.
enum ChildProcess {
  /// Runs a command of the shell `sh` and waits for its end.
  ///
  /// Signals reach it as they would in the user's shell, although this process takes them on a thread of its own.
  ///
  /// - Parameters:
  ///   - arguments: what `"$@"` stands for in the command.
  ///   - input: its standard input; nil: the terminal.
  /// - Returns: its exit code, or nil when it could not be run.
  static func run(_ command: String, _ arguments: [String] = [], input: [UInt8]? = nil) -> Int32? {
    var pipes: [Int32] = [-1, -1]
    if input != nil {
      guard pipe(&pipes) == 0 else { return nil }
      for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if input != nil { posix_spawn_file_actions_adddup2(&actions, pipes[0], 0) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    sigaddset(&defaults, SIGPIPE)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var words = (["sh", "-c", command, "sh"] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    let status = posix_spawn(&process, "/bin/sh", &actions, &attributes, &words, environ)
    if pipes[0] >= 0 { close(pipes[0]) }
    guard status == 0 else {
      if pipes[1] >= 0 { close(pipes[1]) }
      return nil
    }
    if let input {
      Descriptor.write(input, to: pipes[1])
      close(pipes[1])
    }
    var code: Int32 = 0
    while waitpid(process, &code, 0) < 0, errno == EINTR {}
    return code & 0x7f == 0 ? (code >> 8) & 0xff : 128 + (code & 0x7f)
  }

  /// A file only this user reads, with a text in it; nil when there is no place for one.
  static func temporaryFile(_ text: String, ending: String) -> String? {
    let folder = Theme.environment("TMPDIR") ?? "/tmp"
    var name = Array("\(folder)/sqlq-XXXXXX\(ending)".utf8CString)
    let descriptor = mkstemps(&name, Int32(ending.utf8.count))
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    Descriptor.write(Array(text.utf8), to: descriptor)
    return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Shows long texts page by page.
enum Pager {
  /// What shows them: `$SQLQ_PAGER`, `$PAGER`, else less, which passes colours on and leaves what was read on the screen.
  private static var command: String {
    for name in ["SQLQ_PAGER", "PAGER"] { if let value = Theme.environment(name), !value.isEmpty { return value } }
    return "if command -v less > /dev/null; then less -FRSX; else cat; fi"
  }

  /// - Returns: false when there is no pager.
  static func show(_ text: [UInt8]) -> Bool {
    guard let code = ChildProcess.run(command, input: text) else { return false }
    // The shell's "not found" and "cannot be run".
    return code != 127 && code != 126
  }
}
