import Glibc

/// What a line editor needs of a terminal; tests have one of their own.
protocol EditorTerminal: AnyObject {
  /// Columns and rows; never 0.
  var size: (columns: Int, rows: Int) { get }
  /// The next byte: nil when none comes within the milliseconds, or at the end of input (nil waits).
  func readByte(_ milliseconds: Int?) -> UInt8?
  /// Whether the input has ended.
  var isAtEnd: Bool { get }
  func write(_ text: String)
  /// Letters come at once and unechoed, Ctrl-C as a letter; or as usual again.
  func setEditing(_ isEditing: Bool)
}

/// The terminal of the process.
final class TerminalDevice: EditorTerminal {
  private let input: Int32 = 0
  /// Where it is drawn: rows may go elsewhere.
  private let output: Int32
  private(set) var isAtEnd = false
  private var waiting: ArraySlice<UInt8> = []

  /// How the terminal was, to be put back however the process ends.
  nonisolated(unsafe) private static var original: termios?
  nonisolated(unsafe) private static var isRaw = false

  /// Nil where letters cannot be edited: input or output is no terminal, or a dumb one.
  init?() {
    guard isatty(0) == 1, isatty(2) == 1 || isatty(1) == 1, Theme.environment("TERM") ?? "dumb" != "dumb" else { return nil }
    output = isatty(1) == 1 ? 1 : 2
    var settings = termios()
    guard tcgetattr(0, &settings) == 0 else { return nil }
    if TerminalDevice.original == nil {
      TerminalDevice.original = settings
      atexit { TerminalDevice.restore() }
    }
  }

  /// Puts the terminal back.
  static func restore() {
    guard isRaw, var settings = original else { return }
    isRaw = false
    let off = Array("\u{1b}[?2004l".utf8)
    _ = off.withUnsafeBytes { Glibc.write(isatty(1) == 1 ? 1 : 2, $0.baseAddress!, $0.count) }
    tcsetattr(0, TCSADRAIN, &settings)
  }

  func setEditing(_ isEditing: Bool) {
    guard isEditing else { return TerminalDevice.restore() }
    guard var settings = TerminalDevice.original else { return }
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
    settings.c_iflag &= ~tcflag_t(IXON | ICRNL | INLCR | IGNCR | ISTRIP)
    tcsetattr(input, TCSADRAIN, &settings)
    TerminalDevice.isRaw = true
    // Pasted text comes in brackets, so that a line feed in it runs nothing.
    write("\u{1b}[?2004h")
  }

  var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(output, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return (80, 24) }
    return (max(2, Int(size.ws_col)), max(2, Int(size.ws_row)))
  }

  func readByte(_ milliseconds: Int?) -> UInt8? {
    if let byte = waiting.popFirst() { return byte }
    var wanted = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    while true {
      let ready = poll(&wanted, 1, milliseconds.map(Int32.init) ?? -1)
      if ready < 0, errno == EINTR { continue }
      if ready == 0 { return nil }
      var block = [UInt8](repeating: 0, count: 4096)
      let count = Glibc.read(input, &block, block.count)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count > 0 else {
        isAtEnd = true
        return nil
      }
      waiting = block[..<count]
      return waiting.popFirst()
    }
  }

  func write(_ text: String) { Descriptor.write(Array(text.utf8), to: output) }
}
