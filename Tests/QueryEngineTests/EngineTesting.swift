import Foundation
import QueryEngine
import Testing

/// Homes and data for tests.
enum EngineTesting {
  static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static let sales = package.appending(path: "sample-data/sales").path + "/"

  /// An empty folder that is gone after `body`.
  static func withFolder<T>(_ body: (URL) async throws -> T) async throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(path: "sqlq-engine-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
  }

  static func engine(home: URL? = nil, threads: Int = 2) throws -> Engine {
    var configuration = EngineConfiguration(home: home?.path)
    configuration.threads = threads
    return try Engine(configuration)
  }

  /// More rows than anybody waits for.
  static let endless: SQLStatement =
    "SELECT x FROM UNNEST(sequence(1, 2000)) a(x), UNNEST(sequence(1, 9000)) b(y), UNNEST(sequence(1, 9000)) c(z)"

  /// Waits until `condition` holds.
  ///
  /// - Returns: how long that took, or nil when it never held.
  static func wait(seconds: Double = 20, until condition: () -> Bool) async -> Duration? {
    let start = ContinuousClock.now
    while ContinuousClock.now - start < .seconds(seconds) {
      if condition() { return ContinuousClock.now - start }
      try? await Task.sleep(for: .milliseconds(1))
    }
    // Other tests may have kept all threads busy meanwhile.
    return condition() ? ContinuousClock.now - start : nil
  }
}
