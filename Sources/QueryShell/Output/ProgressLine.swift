import Glibc
package import QueryEngine
import Synchronization

/// Shows on a terminal how far a statement is, after 300 ms: percent of the bytes planned, bytes, cost so far.
///
/// - Threads: draws on a thread of its own until stopped.
package final class ProgressLine: @unchecked Sendable {
  private let execution: QueryExecution
  private let base: EngineConfiguration.UnitBase
  private let isStopped = Atomic<Bool>(false)
  private var thread = pthread_t()
  private var hasThread = false

  private static let delayMilliseconds = 300
  private static let intervalMilliseconds = 100

  package init(_ execution: QueryExecution, base: EngineConfiguration.UnitBase) {
    self.execution = execution
    self.base = base
  }

  /// Begins to wait; nothing is drawn for statements that end soon.
  package func start() {
    let line = Unmanaged.passRetained(self)
    hasThread =
      pthread_create(
        &thread, nil,
        { argument in
          Unmanaged<ProgressLine>.fromOpaque(argument!).takeRetainedValue().run()
          return nil
        }, line.toOpaque()) == 0
    if !hasThread { line.release() }
  }

  /// Wipes the line.
  package func stop() {
    isStopped.store(true, ordering: .relaxed)
    if hasThread { pthread_join(thread, nil) }
    hasThread = false
  }

  private func run() {
    var waited = 0
    var hasDrawn = false
    while !isStopped.load(ordering: .relaxed) {
      usleep(10_000)
      waited += 10
      guard waited >= ProgressLine.delayMilliseconds, waited % ProgressLine.intervalMilliseconds == 0 else { continue }
      hasDrawn = true
      draw(waited)
    }
    if hasDrawn { print("\r\u{1b}[K") }
  }

  private func draw(_ milliseconds: Int) {
    var text = "\r\u{1b}[K" + StatusFooter.seconds(Double(milliseconds))
    let progress = execution.progress
    if progress.bytesPlanned > 0 {
      let percent = min(100, progress.bytesScanned * 100 / progress.bytesPlanned)
      text += " · \(percent) %"
    }
    if progress.bytesPlanned > 0 || progress.bytesScanned > 0 {
      text += " · \(StatusFooter.bytes(progress.bytesScanned, base)) · \(StatusFooter.dollars(progress.dollars))"
    }
    print(text + " · Ctrl-C stops")
  }

  private func print(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(2, $0.baseAddress!, $0.count) }
  }
}
