import Glibc
import QueryEngine

/// Statements typed before, whole with their line feeds, kept in a file that only its owner reads.
///
/// A statement is a line of the file, its backslashes and line feeds written as `\\` and `\n`. Several shells may append to
/// one file.
final class StatementHistory {
  /// The oldest first.
  private(set) var entries: [String] = []
  private let path: String?

  private static let entryLimit = 10_000

  /// - Parameter path: nil keeps nothing on disk.
  init(path: String?) {
    self.path = path
    guard let path, let bytes = StatementHistory.read(path) else { return }
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    let isOfEditline = lines.first == "_HiStOrY_V2_"
    if isOfEditline { lines.removeFirst() }
    entries = lines.map { StatementHistory.unescaped($0, octal: isOfEditline) }
    if isOfEditline || entries.count > StatementHistory.entryLimit * 2 {
      entries = Array(entries.suffix(StatementHistory.entryLimit))
      rewrite(path)
    }
  }

  /// Appends a statement, unless it is the last one again or blank.
  func add(_ statement: String) {
    guard statement.contains(where: { !$0.isWhitespace }), statement != entries.last else { return }
    entries.append(statement)
    guard let path else { return }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    if descriptor < 0 { return }
    defer { close(descriptor) }
    Descriptor.write(Array((StatementHistory.escaped(statement) + "\n").utf8), to: descriptor)
  }

  /// The latest statement before `index` that contains the text, or from `index` on the earliest; letters' case is the same.
  func search(_ text: String, before index: Int) -> Int? {
    if text.isEmpty { return nil }
    let wanted = text.lowercased()
    return entries[..<min(index, entries.count)].lastIndex { $0.lowercased().contains(wanted) }
  }

  func search(_ text: String, after index: Int) -> Int? {
    if text.isEmpty || index + 1 >= entries.count { return nil }
    let wanted = text.lowercased()
    return entries[(index + 1)...].firstIndex { $0.lowercased().contains(wanted) }
  }

  /// What the latest statement that begins so goes on with, or nil.
  func continuation(of text: String) -> String? {
    guard let entry = entries.last(where: { $0.hasPrefix(text) && $0 != text }) else { return nil }
    return String(entry.dropFirst(text.count))
  }

  // MARK: The file

  private static func read(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = Glibc.read(descriptor, &block, block.count), count > 0 { bytes.append(contentsOf: block[..<count]) }
    return bytes
  }

  private func rewrite(_ path: String) {
    let temporary = path + ".\(getpid()).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    if descriptor < 0 { return }
    let text = entries.map { StatementHistory.escaped($0) + "\n" }.joined()
    let failure = Descriptor.write(Array(text.utf8), to: descriptor)
    close(descriptor)
    if failure != nil || rename(temporary, path) != 0 { unlink(temporary) }
  }

  static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\r", with: "\\r")
  }

  /// - Parameter octal: of libedit's files, where blanks and others are `\040`.
  static func unescaped(_ line: Substring, octal: Bool = false) -> String {
    guard line.utf8.contains(UInt8(ascii: "\\")) else { return String(line) }
    var result: [UInt8] = []
    var rest = Array(line.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      let digits = rest.prefix(3)
      if octal, digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) {
        result.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }))
        rest = rest.dropFirst(3)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "n"): result.append(0x0a)
      case UInt8(ascii: "r"): result.append(0x0d)
      case let other?: result.append(other)
      case nil: result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
