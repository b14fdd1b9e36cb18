import Foundation
import QueryEngine
import Testing

/// Results larger than what workers may hold back, which sample data alone is too small for.
@Suite("Large results") struct LargeResultTests {
  private final class RowCounter: ResultConsumer {
    private(set) var rowCount = 0
    func begin(_ schema: Schema) throws(QueryError) {}
    func receive(_ batch: Batch) throws(QueryError) { rowCount += batch.rowCount }
  }

  /// Workers wait for each other here: whoever has the earliest morsel must go on.
  @Test(arguments: [1, 2, 3])
  func everyRowArrives(threads: Int) throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    var configuration = EngineConfiguration()
    configuration.threads = threads
    let session = try Engine(configuration).session()
    // A thread that waits for ever would keep the test from ending.
    try session.run("SET SESSION query_max_run_time = '40s'", into: RowCounter())
    let sales = package.appending(path: "sample-data/sales").path
    // Rows as sample-data/README.md counts them; each of the 20 files alone makes more rows than are held back.
    let salesCount = 6_058
    let repeated = RowCounter()
    try session.run("SELECT x FROM \(path: sales + "/") CROSS JOIN UNNEST(sequence(1, 600)) t(x)", into: repeated)
    #expect(repeated.rowCount == salesCount * 600)
  }
}
