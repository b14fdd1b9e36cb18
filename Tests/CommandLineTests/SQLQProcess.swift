import Foundation

/// Runs the built `sqlq` as a process of its own.
struct SQLQProcess {
  struct Outcome {
    var exitCode: Int32
    var output: String
    var errors: String
  }

  static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The executable beside the test bundle.
  static let executable: URL = {
    // SwiftPM runs the bundle of a package's tests out of the folder that its executables are built into.
    let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let beside = bundle.appending(path: "sqlq")
    if FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
    return package.appending(path: ".build/debug/sqlq")
  }()

  /// An empty home that is gone after `body`.
  static func withHome<T>(_ body: (URL) throws -> T) throws -> T {
    let home = FileManager.default.temporaryDirectory.appending(path: "sqlq-process-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: home) }
    return try body(home)
  }

  /// Runs `sqlq` with a home and other arguments, in the package's folder.
  ///
  /// - Parameter signal: sent after so many seconds.
  static func run(
    _ arguments: [String], home: URL?, input: String = "", signal: (Int32, after: Double)? = nil
  ) throws -> Outcome {
    try run(executable, (home.map { ["--home", $0.path] } ?? []) + arguments, input: input, signal: signal)
  }

  /// Runs a line of bash.
  static func run(shell line: String) throws -> Outcome { try run(URL(filePath: "/bin/bash"), ["-c", line]) }

  private static func run(
    _ program: URL, _ arguments: [String], input: String = "", signal: (Int32, after: Double)? = nil
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = package
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stderr
    try process.run()
    try? stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try? stdin.fileHandleForWriting.close()
    if let signal {
      let identifier = process.processIdentifier
      DispatchQueue.global().asyncAfter(deadline: .now() + signal.after) { kill(identifier, signal.0) }
    }
    let errors = Arrival()
    let reader = Thread { errors.set(stderr.fileHandleForReading.readDataToEndOfFile()) }
    reader.start()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      exitCode: process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus,
      output: String(decoding: output, as: UTF8.self), errors: String(decoding: errors.get(), as: UTF8.self))
  }

  /// What one thread reads and another waits for.
  private final class Arrival: @unchecked Sendable {
    private let condition = NSCondition()
    private var data: Data?

    func set(_ data: Data) {
      condition.lock()
      self.data = data
      condition.signal()
      condition.unlock()
    }

    func get() -> Data {
      condition.lock()
      while data == nil { condition.wait() }
      condition.unlock()
      return data!
    }
  }
}
