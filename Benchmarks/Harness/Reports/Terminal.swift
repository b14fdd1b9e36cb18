import Foundation

/// Notes and progress for people, on stderr.
enum Terminal {
  static let isInteractive = isatty(2) == 1

  static func note(_ text: String) { write("sqlq-bench: " + text + "\n") }

  static func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}

/// One line on a terminal that says how far work is; silent elsewhere.
final class ProgressBar {
  private static let width = 28
  private let start = ContinuousClock.now

  func show(fraction: Double, _ text: String) {
    guard Terminal.isInteractive else { return }
    let filled = Int(Double(ProgressBar.width) * min(max(fraction, 0), 1))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: ProgressBar.width - filled)
    let seconds = Int((ContinuousClock.now - start) / .seconds(1))
    let clock = String(format: "%d:%02d", seconds / 60, seconds % 60)
    Terminal.write("\r\u{1b}[K\(bar) \(Int(min(fraction, 1) * 100)) % \(clock) \(text)")
  }

  func clear() { if Terminal.isInteractive { Terminal.write("\r\u{1b}[K") } }
}
