import Foundation

/// An engine that the harness can run: sqlq in a process that embeds it, a peer in a Python process.
enum Engine: String, CaseIterable, Codable, Sendable {
  case sqlq, duckdb, datafusion, chdb, polars

  static let peers: [Engine] = [.duckdb, .datafusion, .chdb, .polars]

  /// What starts the engine's process.
  ///
  /// - Parameter build: the build of this program whose sqlq runs; nil: this one.
  func command(build: String?) -> [String] {
    switch self {
    case .sqlq: [build ?? Engine.executable, "serve"]
    case .duckdb, .datafusion, .chdb, .polars:
      ["/usr/bin/env", "python3", BenchmarkFolder.path + "/Harness/drivers.py", rawValue]
    }
  }

  /// This program's own path.
  static var executable: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  }

  /// A whole process that runs one statement, for start-up times; nil: there is none.
  func processCommand(_ sql: String, sqlqPath: String) -> [String] {
    let python = ["/usr/bin/env", "python3", "-c"]
    return switch self {
    case .sqlq: [sqlqPath, "--no-results", "--output-format", "csv", sql]
    case .duckdb: python + ["import duckdb; print(duckdb.sql(\"\(sql)\").fetchall())"]
    case .datafusion: python + ["import datafusion; print(datafusion.SessionContext().sql(\"\(sql)\").collect())"]
    case .chdb: python + ["import chdb; print(chdb.query(\"\(sql)\"))"]
    case .polars: python + ["import polars; print(polars.SQLContext().execute(\"\(sql)\").collect())"]
    }
  }
}

/// Where suites, makers of data and drivers lie: the folder above this target.
enum BenchmarkFolder {
  static let path: String =
    ProcessInfo.processInfo.environment["SQLQ_BENCH_FOLDER"]
    ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
}
