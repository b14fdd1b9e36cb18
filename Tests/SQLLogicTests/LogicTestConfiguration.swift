import Foundation
import QueryEngine

/// A way to run every case; the results must be the same under all of them.
struct LogicTestConfiguration: Sendable, CustomStringConvertible {
  /// What `skipif` and `onlyif` call it.
  var name: String
  /// Whether the larger cases run under it too.
  var isQuick = false
  /// The folders whose cases run under it; nil: all.
  var folders: Set<String>?
  var adjust: @Sendable (inout EngineConfiguration) -> Void

  var description: String { name }

  /// Those that run: the ones `$CONFIGURATIONS` names where it is set. The first one records expectations.
  static let all: [LogicTestConfiguration] = {
    let wanted = ProcessInfo.processInfo.environment["CONFIGURATIONS"]?.split(separator: ",").map(String.init)
    if let unknown = wanted?.first(where: { name in !every.contains { $0.name == name } }) {
      preconditionFailure("CONFIGURATIONS names \(unknown); there are \(every.map(\.name))")
    }
    return every.filter { wanted?.contains($0.name) ?? true }
  }()

  private static let every: [LogicTestConfiguration] = [
    LogicTestConfiguration(name: "threads_1", isQuick: true) { $0.threads = 1 },
    LogicTestConfiguration(name: "threads_4", isQuick: true) { $0.threads = 4 },
    LogicTestConfiguration(name: "batch_size_1") { $0.testing.batchSize = 1 },
    LogicTestConfiguration(name: "batch_size_3") { $0.testing.batchSize = 3 },
    LogicTestConfiguration(name: "optimizer_off") { $0.testing.isOptimizerOff = true },
    LogicTestConfiguration(name: "colliding_hashes") { $0.testing.collidesHashes = true },
    LogicTestConfiguration(
      name: "spill", isQuick: true,
      folders: ["aggregates", "joins", "select", "sets", "subqueries", "tpch", "types", "windows"]
    ) { $0.testing.spillsRows = true },
  ]

  /// Folders whose cases read so much that only the quick configurations run them.
  static let heavyFolders: Set<String> = ["tpch"]

  /// The folder whose cases run in sessions that accept only what Athena does.
  static let athenaFolder = "athena"

  /// A session of this configuration for the cases of a folder, which keeps nothing on disk.
  func session(for folder: String) throws -> Session {
    var configuration = EngineConfiguration()
    configuration.threads = 2
    adjust(&configuration)
    var defaults = SessionDefaults()
    if folder == LogicTestConfiguration.athenaFolder { defaults.compatibility = .athena }
    return try Engine(configuration).session(defaults)
  }
}
