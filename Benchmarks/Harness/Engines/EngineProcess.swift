import Foundation

/// Why an engine gave no reply.
enum EngineFailure: Error {
  case timedOut(seconds: Double)
  case ended(status: Int32, lastWords: String)
  /// The engine cannot be opened; `isMissing`: because it is not installed.
  case unusable(String, isMissing: Bool)

  var text: String {
    switch self {
    case .timedOut(let seconds): "no answer within \(Int(seconds)) s"
    case .ended(let status, let words): "its process ended with \(status)" + (words.isEmpty ? "" : ": \(words)")
    case .unusable(let text, _): text
    }
  }
}

/// An engine in a process of its own, which lives across statements so that they run warm.
final class EngineProcess {
  let engine: Engine
  private(set) var version = ""
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private let errors: FileHandle
  private let errorPath: String
  private var received = Data()

  /// Seconds that an engine may take to start and to open the tables.
  private static let openTimeoutSeconds = 120.0

  /// Starts `engine` by `command` and makes the tables known to it.
  init(_ engine: Engine, _ command: [String], tables: [TableSource], threads: Int) throws {
    self.engine = engine
    errorPath = NSTemporaryDirectory() + "sqlq-bench-\(UUID().uuidString).log"
    _ = FileManager.default.createFile(atPath: errorPath, contents: nil)
    errors = try FileHandle(forWritingTo: URL(fileURLWithPath: errorPath))
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["POLARS_MAX_THREADS": "\(threads)", "PYTHONUNBUFFERED": "1"]) { $1 }
    process.standardInput = input
    process.standardOutput = output
    process.standardError = errors
    do { try process.run() } catch {
      throw EngineFailure.unusable("cannot run \(command[0]): \(error.localizedDescription)", isMissing: true)
    }
    let reply: OpenReply = try ask(
      OpenRequest(tables: tables, threads: threads), timeoutSeconds: EngineProcess.openTimeoutSeconds)
    guard let found = reply.version else {
      throw EngineFailure.unusable(reply.error ?? "it did not open", isMissing: reply.isMissing ?? false)
    }
    version = found
  }

  deinit { stop() }

  var isRunning: Bool { process.isRunning }
  var processIdentifier: Int32 { process.processIdentifier }

  /// Runs one statement.
  func run(_ sql: String, wantsRows: Bool, timeoutSeconds: Double) throws -> StatementReply {
    try ask(StatementRequest(sql: sql, wantsRows: wantsRows), timeoutSeconds: timeoutSeconds)
  }

  /// Ends the process: politely where it listens, otherwise by force.
  func stop() {
    try? input.fileHandleForWriting.close()
    if process.isRunning {
      for _ in 0..<100 where process.isRunning { usleep(10_000) }
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
    }
    try? errors.close()
    try? FileManager.default.removeItem(atPath: errorPath)
  }

  private func ask<Reply: Decodable>(_ request: some Encodable, timeoutSeconds: Double) throws -> Reply {
    var line = try JSONEncoder().encode(request)
    line.append(0x0a)
    do { try input.fileHandleForWriting.write(contentsOf: line) } catch { throw ended() }
    return try JSONDecoder().decode(Reply.self, from: try readLine(timeoutSeconds: timeoutSeconds))
  }

  private func readLine(timeoutSeconds: Double) throws -> Data {
    let deadline = ContinuousClock.now + .seconds(timeoutSeconds)
    let descriptor = output.fileHandleForReading.fileDescriptor
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    var searched = received.startIndex
    while true {
      if let end = received[searched...].firstIndex(of: 0x0a) {
        let line = received[received.startIndex..<end]
        received = Data(received[(end + 1)...])
        return line
      }
      searched = received.endIndex
      let left = (deadline - ContinuousClock.now) / .milliseconds(1)
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = left > 0 ? poll(&waiting, 1, Int32(left.rounded(.up))) : 0
      if ready < 0, errno == EINTR { continue }
      if ready == 0 {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        throw EngineFailure.timedOut(seconds: timeoutSeconds)
      }
      let count = read(descriptor, &chunk, chunk.count)
      if count <= 0 { throw ended() }
      received.append(contentsOf: chunk[0..<count])
    }
  }

  private func ended() -> EngineFailure {
    process.waitUntilExit()
    let words = (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? ""
    let last = words.split(separator: "\n").last.map { String($0.prefix(200)) } ?? ""
    return .ended(status: process.terminationStatus, lastWords: last)
  }
}
