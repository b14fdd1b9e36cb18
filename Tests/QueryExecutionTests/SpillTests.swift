import Columnar
import Glibc
import QueryErrors
import Testing

@testable import QueryExecution

/// Rows that go to disk and come back.
@Suite struct SpillTests {
  private static func batch(_ first: Int, _ count: Int) -> Batch {
    let (numbers, texts) = (ColumnBuilder(.bigint), ColumnBuilder(.varchar(length: nil)))
    for k in first..<first + count {
      numbers.append(.integer(Int64(k)))
      texts.append(string: k % 3 == 0 ? "short" : "a text longer than twelve bytes, number \(k)")
    }
    return Batch(columns: [numbers.finish(), texts.finish()], rowCount: count)
  }

  private static func numbers(_ reader: any BatchReader) throws -> [Int64] {
    var result: [Int64] = []
    while let batch = try reader.next() {
      for row in 0..<batch.rowCount {
        guard case .integer(let k) = batch.columns[0].scalar(row) else { continue }
        result.append(k)
        let text = k % 3 == 0 ? "short" : "a text longer than twelve bytes, number \(k)"
        #expect(batch.columns[1].scalar(row) == .bytes(Array(text.utf8)))
      }
    }
    return result
  }

  private static let types: [DataType] = [.bigint, .varchar(length: nil)]

  @Test func runsKeepTheirOrder() throws {
    let context = TestConfiguration(threads: 1, batchSize: 64).context()
    let consumer = context.memory.register(QueryProfile.Node("Test"))
    let runs = RowRuns(SpillTests.types, consumer, context.spillFile)
    runs.append(SpillTests.batch(0, 100))
    runs.append(SpillTests.batch(100, 50))
    #expect(try runs.spill() > 0)
    #expect(runs.heldBytes == 0)
    runs.append(SpillTests.batch(150, 3000))
    runs.append(SpillTests.batch(3150, 1))
    #expect(runs.rowCount == 3151)
    #expect(try SpillTests.numbers(runs.makeReader()) == (0..<3151).map(Int64.init))
    try runs.spill(1)
    let other = RowRuns(SpillTests.types, consumer, context.spillFile)
    other.append(SpillTests.batch(3151, 10))
    runs.append(contentsOf: other)
    #expect(other.isEmpty)
    #expect(try SpillTests.numbers(runs.consumingReader()) == (0..<3161).map(Int64.init))
    #expect(runs.isEmpty)
    #expect(consumer.held == 0)
    #expect(consumer.spilled == context.spillFile.written)
  }

  @Test func partitionsHoldAllRows() throws {
    let context = TestConfiguration(threads: 1, batchSize: 64).context()
    let consumer = context.memory.register(QueryProfile.Node("Test"))
    let rows = RowPartitions(count: 8, types: SpillTests.types, consumer, context.spillFile)
    for first in stride(from: 0, to: 70_000, by: 1000) {
      let batch = SpillTests.batch(first, 1000)
      rows.add(batch) { out in for row in 0..<1000 { out[row] = UInt8((first + row) % 8) } }
      if first == 40_000 { try rows.spill() }
    }
    rows.scatter()
    for (index, partition) in rows.partitions.enumerated() {
      let found = try SpillTests.numbers(partition.consumingReader())
      #expect(found == stride(from: Int64(index), to: 70_000, by: 8).map { $0 })
    }
  }

  @Test func diskSpaceIsBounded() throws {
    let file = SpillFile(limit: 100_000)
    let bytes = Buffer(byteCount: 60_000)
    let place = try file.write(bytes.pointer, count: 60_000)
    let error = #expect(throws: QueryError.self) { _ = try file.write(bytes.pointer, count: 60_000) }
    #expect(error?.code == .diskFull)
    // What has been read gives its space back.
    file.drop(place)
    _ = try file.write(bytes.pointer, count: 60_000)
  }

  @Test func folderThatIsNotThere() throws {
    let file = SpillFile(folder: "/nonexistent/folder")
    let bytes = Buffer(byteCount: 10)
    let error = #expect(throws: QueryError.self) { _ = try file.write(bytes.pointer, count: 10) }
    #expect(error?.code == .diskFull)
    #expect(error?.message.contains("/nonexistent/folder") ?? false)
  }

  /// Sorted input with a key that fills most of it: ranges of equal keys are not sorted, others are split again.
  @Test func rangesOfEqualKeys() throws {
    let keys = [SortSpecification(position: 0, order: SortKeyOrder(isAscending: true, nullsFirst: false))]
    let builder = ColumnBuilder(.bigint)
    for k in 0..<1000 { builder.append(.integer(Int64(k < 800 ? 5 : k))) }
    let batch = Batch(columns: [builder.finish()], rowCount: 1000)
    let ranges = SortRanges(keys, [batch], types: [.bigint], keyCount: 7)
    let numbers = Buffer(byteCount: 1000)
    ranges.makeAssigner().assign(batch, numbers.typed(UInt8.self))
    let own = (0..<1000).map { numbers.typed(UInt8.self)[$0] }
    #expect(Set(own[..<800]).count == 1)
    #expect(SortRanges.isUniform(Int(own[0])))
    #expect(zip(own, own.dropFirst()).allSatisfy { $0 <= $1 })
  }
}
