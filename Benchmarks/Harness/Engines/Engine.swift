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

  /// A whole process that answers one question, for start-up times.
  func command(_ work: StartUpWork, sqlqPath: String) -> [String] {
    let file = StartUpWork.filePath
    let statement =
      switch (self, work) {
      case (.sqlq, .selectOne): "SELECT 1"
      case (.sqlq, .countRows): "SELECT count(*) FROM '\(file)'"
      case (.duckdb, .selectOne): "import duckdb; print(duckdb.sql('SELECT 1').fetchall())"
      case (.duckdb, .countRows): "import duckdb; print(duckdb.sql(\"SELECT count(*) FROM '\(file)'\").fetchall())"
      case (.datafusion, .selectOne): "import datafusion; print(datafusion.SessionContext().sql('SELECT 1').collect())"
      case (.datafusion, .countRows): "import datafusion; print(datafusion.SessionContext().read_parquet('\(file)').count())"
      case (.chdb, .selectOne): "import chdb; print(chdb.query('SELECT 1'))"
      case (.chdb, .countRows): "import chdb; print(chdb.query(\"SELECT count() FROM file('\(file)', Parquet)\"))"
      case (.polars, .selectOne): "import polars; print(polars.SQLContext().execute('SELECT 1').collect())"
      case (.polars, .countRows): "import polars; print(polars.scan_parquet('\(file)').select(polars.len()).collect())"
      }
    if self == .sqlq { return [sqlqPath, "--no-results", "--output-format", "csv", statement] }
    return ["/usr/bin/env", "python3", "-c", statement]
  }
}

/// What a process whose start-up is measured does.
enum StartUpWork: String, CaseIterable, Codable, Sendable {
  case selectOne = "SELECT 1"
  case countRows = "count(*) of a small file"

  /// A Parquet file of 5 rows.
  static let filePath =
    URL(fileURLWithPath: BenchmarkFolder.path).deletingLastPathComponent().path + "/sample-data/tpch/region.parquet"
}

/// Where suites, makers of data and drivers lie: the folder above this target.
enum BenchmarkFolder {
  static let path: String =
    ProcessInfo.processInfo.environment["SQLQ_BENCH_FOLDER"]
    ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
}
