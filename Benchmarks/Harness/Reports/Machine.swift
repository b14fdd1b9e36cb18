import Foundation

/// What the measurements ran on.
enum Machine {
  static var description: String {
    let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n")
      .first { $0.hasPrefix("model name") }?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
    let memory = ProcessInfo.processInfo.physicalMemory / 1_073_741_824
    return "\(cpu ?? "unknown processor") × \(ProcessInfo.processInfo.activeProcessorCount), \(memory) GiB"
  }

  /// Now, as `2026-01-31 12:00 UTC`.
  static var date: String {
    let format = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day().time(includingFractionalSeconds: false)
    return Date.now.formatted(format).replacing("T", with: " ").prefix(16) + " UTC"
  }
}
