import Glibc

/// A process told from a later one with the same number.
struct ProcessIdentity: Hashable, Sendable {
  var id: Int64
  /// When it was started, in the kernel's ticks; 0 where the kernel does not say.
  var start: Int64

  static let current = ProcessIdentity(id: Int64(getpid()), start: startTime(of: "self"))

  /// Whether the process still runs.
  var isAlive: Bool {
    if kill(pid_t(truncatingIfNeeded: id), 0) != 0, errno == ESRCH { return false }
    let now = ProcessIdentity.startTime(of: String(id))
    return start == 0 || now == 0 || now == start
  }

  /// - Source: proc(5), `/proc/pid/stat`: the 22nd field; the second is the program's name in parentheses.
  private static func startTime(of process: String) -> Int64 {
    let descriptor = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1024)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return 0 }
    let fields = bytes[(end + 1)..<count].split(separator: UInt8(ascii: " "))
    return fields.count > 19 ? Int64(String(decoding: fields[19], as: UTF8.self)) ?? 0 : 0
  }
}
