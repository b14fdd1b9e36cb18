import CAllocationCounter
import Foundation
import QueryEngine
import Testing

/// What queries over the sample data read and allocate stays within the limits of Benchmarks/Thresholds/counters.json.
///
/// `RECORD=1 swift test --filter CounterTests` writes what was measured; the difference is for a person to review.
@Suite("Counters", .serialized) struct CounterTests {
  /// A query and its limits.
  struct Threshold: Codable, Sendable, CustomTestStringConvertible {
    var name: String
    var sql: String
    /// Rows of the tables it reads, which make its batches.
    var inputRowCount: Int
    var bytesScanned: Int
    var filesRead: Int
    var rowGroupsRead: Int
    /// Of a build without optimization, which allocates more than one with it.
    var allocationsPerBatch: Int

    var testDescription: String { name }
  }

  private static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let file = package.appending(path: "Benchmarks/Thresholds/counters.json")
  private static let isRecording = ProcessInfo.processInfo.environment["RECORD"] == "1"
  /// Room for what differs between machines and versions of the libraries.
  private static let allocationSlack = 1.3

  @Test func countersStayWithinLimits() throws {
    try #require(FileManager.default.changeCurrentDirectoryPath(Self.package.path))
    let limits = try JSONDecoder().decode([Threshold].self, from: Data(contentsOf: Self.file))
    #expect(!limits.isEmpty)
    var recorded: [Threshold] = []
    for limit in limits {
      let measured = try Self.measure(limit)
      recorded.append(measured)
      if Self.isRecording { continue }
      #expect(measured.bytesScanned <= limit.bytesScanned, "\(limit.name): bytes scanned")
      #expect(measured.filesRead <= limit.filesRead, "\(limit.name): files read")
      #expect(measured.rowGroupsRead <= limit.rowGroupsRead, "\(limit.name): row groups read")
      #expect(
        Double(measured.allocationsPerBatch) <= Double(limit.allocationsPerBatch) * Self.allocationSlack,
        "\(limit.name): allocations per batch")
    }
    if Self.isRecording {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try (encoder.encode(recorded) + Data("\n".utf8)).write(to: Self.file)
    }
  }

  /// Runs a query twice and takes the second run, when what is made once is there; one worker is the calling thread.
  private static func measure(_ threshold: Threshold) throws -> Threshold {
    var configuration = EngineConfiguration()
    configuration.threads = 1
    let session = try Engine(configuration).session()
    try session.run(SQLStatement(threshold.sql), into: ResultCollector())
    let before = allocation_count()
    let statistics = try session.run(SQLStatement(threshold.sql), into: ResultCollector())
    let allocations = Int(allocation_count() - before)
    let batchCount = max(1, (threshold.inputRowCount + Batch.defaultRowCount - 1) / Batch.defaultRowCount)
    var measured = threshold
    measured.bytesScanned = statistics.bytesScanned
    measured.filesRead = statistics.filesRead
    measured.rowGroupsRead = statistics.rowGroupsRead
    measured.allocationsPerBatch = allocations / batchCount
    return measured
  }
}
