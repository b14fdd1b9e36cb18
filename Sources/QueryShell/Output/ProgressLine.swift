import Glibc
package import QueryEngine
import Synchronization

/// Shows on a terminal how far a statement is, after 300 ms:
///
///     42 % · 1.23 s · 1.7 s left · 38.2 MB of 91 MB (98 % pruned) · $0.0002 · 1,204 rows · 210 MB memory · Ctrl-C stops
///
/// What does not fit the terminal is left out from the end.
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
    let parts = ProgressLine.parts(execution.progress, milliseconds: Double(milliseconds), base)
    print("\r\u{1b}[K" + ProgressLine.fit(parts, Terminal.width))
  }

  /// The parts of the line, the most important first.
  static func parts(_ progress: QueryProgress, milliseconds: Double, _ base: EngineConfiguration.UnitBase) -> [String] {
    var parts: [String] = []
    let (planned, scanned) = (progress.bytesPlanned, progress.bytesScanned)
    if planned > 0 { parts.append("\(min(100, scanned * 100 / planned)) %") }
    parts.append(StatusFooter.seconds(milliseconds))
    // Some of it has to be seen before the rest can be told from it.
    if planned > 0, scanned * 50 > planned, scanned < planned {
      parts.append(StatusFooter.seconds(milliseconds * Double(planned - scanned) / Double(scanned)) + " left")
    }
    if planned > 0 || scanned > 0 {
      var bytes = StatusFooter.bytes(scanned, base)
      if planned > scanned { bytes += " of \(StatusFooter.bytes(planned, base))" }
      if progress.bytesTotal > planned, planned > 0 { bytes += " (\((progress.bytesTotal - planned) * 100 / progress.bytesTotal) % pruned)" }
      parts.append(bytes)
      parts.append(StatusFooter.dollars(progress.dollars))
    }
    if let limit = progress.scanLimit { parts.append("\(StatusFooter.bytes(max(0, limit - scanned), base)) of the limit left") }
    if progress.rows > 0 { parts.append("\(StatusFooter.grouped(progress.rows)) rows") }
    if progress.memoryBytes > 0 { parts.append("\(StatusFooter.bytes(progress.memoryBytes, base)) memory") }
    if progress.spilledBytes > 0 { parts.append("\(StatusFooter.bytes(progress.spilledBytes, base)) spilled") }
    parts.append("Ctrl-C stops")
    return parts
  }

  /// As many parts as fit in one row.
  static func fit(_ parts: [String], _ width: Int) -> String {
    var line = ""
    for part in parts {
      let longer = line.isEmpty ? part : line + " · " + part
      if TerminalText.width(longer) >= width { break }
      line = longer
    }
    return line
  }

  private func print(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(2, $0.baseAddress!, $0.count) }
  }
}
