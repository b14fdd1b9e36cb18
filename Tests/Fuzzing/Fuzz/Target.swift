import Glibc
import QueryEngine

/// What is done with an input.
final class Target {
  private enum Input {
    case statement
    case file(path: String)
  }

  private let input: Input
  private let session: Session
  private let watchdog = Watchdog()

  /// - Parameter name: `sql`, `plan`, or the ending of a file's name such as `parquet` or `csv.gz`.
  init(_ name: String) throws {
    var configuration = EngineConfiguration()
    configuration.threads = 1
    configuration.memoryLimit = 256 << 20
    var defaults = SessionDefaults()
    defaults.isReadOnly = true
    defaults.writesResults = false
    defaults.isDryRun = name == "plan"
    session = try Engine(configuration).session(defaults)
    if name == "sql" || name == "plan" {
      input = .statement
    } else {
      let folder = "/dev/shm/sqlq-fuzz-\(getpid())"
      mkdir(folder, 0o700)
      input = .file(path: "\(folder)/input.\(name)")
    }
  }

  func test(_ bytes: UnsafeBufferPointer<UInt8>) {
    switch input {
    case .statement:
      // Statements that list folders of the machine, or read what never ends, say nothing about the engine.
      let text = String(decoding: bytes, as: UTF8.self)
      if text.contains("/") && text.contains("'/") { return }
      run(text)
    case .file(let path):
      // A new file each time: the engine keeps what it knows of a file that has not changed.
      unlink(path)
      let file = open(path, O_CREAT | O_WRONLY, 0o600)
      guard file >= 0, write(file, bytes.baseAddress, bytes.count) == bytes.count else { fatalError("cannot write \(path)") }
      close(file)
      run("SELECT * FROM '\(path)'")
      run("SELECT count(*) FROM '\(path)'")
    }
  }

  private func run(_ text: String) {
    let execution = session.queue(SQLStatement(text))
    watchdog.watch(execution)
    _ = try? execution.run(into: RowCounter())
    watchdog.rest()
  }
}

/// Forgets the rows.
private final class RowCounter: ResultConsumer {
  var count = 0
  func begin(_ schema: Schema) {}
  func receive(_ batch: Batch) { count += batch.rowCount }
}
