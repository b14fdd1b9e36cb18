import Foundation
import Synchronization

/// Watches a process's anonymous resident memory, so that files mapped into memory do not count.
///
/// - Units: bytes.
/// - Threads: samples on a thread of its own between `init` and `stop`.
final class MemorySampler: Sendable {
  private let peak: Atomic<Int>
  private let isStopped = Atomic<Bool>(false)
  private let start: Int

  private static let intervalMicroseconds: UInt32 = 2000

  init(_ processIdentifier: Int32) {
    start = MemorySampler.anonymousBytes(processIdentifier)
    peak = Atomic(start)
    Thread.detachNewThread { [self] in
      while !isStopped.load(ordering: .relaxed) {
        let now = MemorySampler.anonymousBytes(processIdentifier)
        if now > peak.load(ordering: .relaxed) { peak.store(now, ordering: .relaxed) }
        usleep(MemorySampler.intervalMicroseconds)
      }
    }
  }

  /// Ends the watch.
  ///
  /// - Returns: the peak less what the process held at the start.
  func stop() -> Int {
    isStopped.store(true, ordering: .relaxed)
    return peak.load(ordering: .relaxed) - start
  }

  private static func anonymousBytes(_ processIdentifier: Int32) -> Int {
    guard let text = try? String(contentsOfFile: "/proc/\(processIdentifier)/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
      let kilobytes = Int(line.split(whereSeparator: \.isWhitespace).dropFirst().first ?? "")
    else { return 0 }
    return kilobytes * 1024
  }
}
