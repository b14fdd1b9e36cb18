import Columnar
import FileFormats
import ObjectStore
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import TableCatalog

@testable import QueryExecution

/// Repeatable random numbers (SplitMix64).
struct TestRandom: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

typealias Row = [Scalar]

/// A relation in memory that is scanned through a file format, so that it has several morsels.
struct TestTable {
  var columns: [ColumnReference]
  var rows: [Row]

  init(_ columns: [(String, DataType)], firstID: Int, rows: [Row]) {
    self.columns = columns.enumerated().map {
      ColumnReference(id: ColumnID(firstID + $0), name: $1.0, type: $1.1)
    }
    self.rows = rows
  }

  /// - Parameter rowsPerSplit: rows of a morsel; every second split is dictionary-encoded.
  func scan(rowsPerSplit: Int = 100) -> LogicalPlan {
    let schema = Schema(columns.map { Field($0.name, $0.type) })
    let format = MemoryFormat(schema: schema, rows: rows, rowsPerSplit: rowsPerSplit)
    let info = ObjectInfo(path: #filePath, byteCount: 1, modificationTime: 0)
    let listing = TableListing(
      files: [TableFile(info: info, partitionValues: [])], partitionsRead: 1, partitionsTotal: 1)
    let table = Table(
      name: TableName(database: "test", name: "t"), columns: schema, partitionColumns: Schema([]),
      files: NoFiles(), format: format)
    var node = ScanNode(table: table, columns: columns.enumerated().map { .init($1, .file($0)) })
    node.fileSet = FileSet(listing: listing, format: format, prunedBy: [], meter: ScanMeter())
    return .scan(node)
  }

  subscript(name: String) -> ColumnReference { columns.first { $0.name == name }! }
}

private struct NoFiles: TableFiles {
  var location: String { "memory" }
  func list(_ predicate: (any PartitionPredicate)?, meter: ScanMeter) throws(QueryError) -> TableListing {
    TableListing(files: [], partitionsRead: 0, partitionsTotal: 0)
  }
}

/// Rows in memory as a file format.
struct MemoryFormat: FileFormat, FormatFile {
  static let descriptor = FormatDescriptor(name: "memory", storedAs: [], serdes: [], extensions: [], summary: "")
  var schema = Schema([])
  var rows: [Row] = []
  var rowsPerSplit = 100

  init(schema: Schema, rows: [Row], rowsPerSplit: Int) {
    self.schema = schema
    self.rows = rows
    self.rowsPerSplit = rowsPerSplit
  }

  init(_ options: FormatOptions) throws(QueryError) {}
  func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema { schema }
  func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile { self }
  var rowCount: Int? { rows.count }
  func statistics(of column: ScanColumn) -> ColumnStatistics? { nil }
  func scanByteCount(of columns: [ScanColumn]) -> Int { 0 }

  func scan(_ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any FileScan {
    MemoryScan(format: self, request: request)
  }
}

/// A scan of rows in memory: splits are ranges of rows.
private struct MemoryScan: FileScan {
  var format: MemoryFormat
  var request: ScanRequest

  func splits(targetByteCount: Int, unit: SplitUnit) throws(QueryError) -> [Split] {
    stride(from: 0, to: format.rows.count, by: format.rowsPerSplit).map { first in
      Split(
        range: UInt64(first)..<UInt64(min(first + format.rowsPerSplit, format.rows.count)), scanByteCount: 0)
    }
  }

  func makeReader(_ split: Split) throws(QueryError) -> any BatchReader {
    let part = Array(format.rows[Int(split.byteRange.lowerBound)..<Int(split.byteRange.upperBound)])
    let isEncoded = Int(split.byteRange.lowerBound) / format.rowsPerSplit % 2 == 1
    let request = self.request
    let evaluators = request.predicates.map { ($0.columns, $0.makeEvaluator()) }
    var next = 0
    return GeneratingReader { () throws(QueryError) -> Batch? in
      while next < part.count {
        let end = min(next + request.batchSize, part.count)
        var batch = Batch(
          columns: request.columns.map { column in
            MemoryFormat.column(part[next..<end].map { $0[column.ordinal] }, column.type, isEncoded: isEncoded)
          }, rowCount: end - next)
        next = end
        for (columns, evaluator) in evaluators where batch.rowCount > 0 {
          let selection = Buffer(byteCount: (batch.rowCount + 16) * 4)
          let count = try evaluator.select(
            columns.map { batch.columns[$0] }, rowCount: batch.rowCount, into: selection.typed(Int32.self))
          batch = batch.take(selection.typed(Int32.self), count: count)
        }
        if batch.rowCount > 0 { return batch }
      }
      return nil
    }
  }
}

extension MemoryFormat {
  static func column(_ values: [Scalar], _ type: DataType, isEncoded: Bool) -> Column {
    let builder = ColumnBuilder(type)
    if !isEncoded {
      for value in values { builder.append(value) }
      return builder.finish()
    }
    var codes: [Scalar: Int32] = [:]
    let indices = Buffer(byteCount: values.count * 4)
    let validity = Bitmap(count: values.count, filled: true)
    for (row, value) in values.enumerated() {
      if value.isNull {
        validity.clear(row)
        indices.typed(Int32.self)[row] = 0
        continue
      }
      let code = codes[value] ?? Int32(codes.count)
      if codes[value] == nil {
        codes[value] = code
        builder.append(value)
      }
      indices.typed(Int32.self)[row] = code
    }
    if codes.isEmpty { builder.appendNull() }
    return .dictionary(
      builder.finish(), indices: indices, count: values.count, validity: values.contains(.null) ? validity : nil)
  }
}

/// Settings under which all answers must be the same.
struct TestConfiguration: CustomStringConvertible, Sendable {
  var threads: Int
  var batchSize: Int
  var testing = QueryContext.TestSettings()
  var description: String {
    "threads \(threads), batches of \(batchSize), \(testing)"
  }

  static let all: [TestConfiguration] = [
    TestConfiguration(threads: 1, batchSize: 4096),
    TestConfiguration(threads: 3, batchSize: 4096),
    TestConfiguration(threads: 1, batchSize: 1),
    TestConfiguration(threads: 2, batchSize: 3),
    TestConfiguration(threads: 2, batchSize: 64, testing: .init(collidesHashes: true)),
    TestConfiguration(threads: 2, batchSize: 64, testing: .init(partitionsAggregatesAfter: 5)),
    TestConfiguration(threads: 2, batchSize: 64, testing: .init(collidesHashes: true, partitionsAggregatesAfter: 5)),
    TestConfiguration(threads: 2, batchSize: 64, testing: .init(spillsRows: true)),
    TestConfiguration(threads: 1, batchSize: 3, testing: .init(collidesHashes: true, spillsRows: true)),
    TestConfiguration(threads: 2, batchSize: 64, testing: .init(partitionsAggregatesAfter: 5, spillsRows: true)),
  ]

  func context(memoryLimit: Int? = nil) -> QueryContext {
    QueryContext(
      session: SessionContext(startMicros: 0, timeZone: .utc), threads: threads, batchSize: batchSize,
      memory: MemoryBudget(limit: memoryLimit), testing: testing)
  }

  /// All rows of a plan.
  func run(_ plan: LogicalPlan, _ outputs: [ColumnReference]? = nil) throws -> [Row] {
    let outputs = outputs ?? plan.outputs
    let batches = try QueryExecutor.collect(plan, outputs: outputs, context: context())
    return batches.flatMap { batch in
      (0..<batch.rowCount).map { row in batch.columns.map { $0.scalar(row) } }
    }
  }
}

/// Rows as text, sorted: equal for equal bags of rows.
func bag(_ rows: [Row]) -> [String] { rows.map { "\($0)" }.sorted() }

func column(_ id: Int, _ name: String, _ type: DataType) -> ColumnReference {
  ColumnReference(id: ColumnID(id), name: name, type: type)
}

func aggregate(
  _ name: String, _ arguments: [Expression], id: Int, isDistinct: Bool = false, filter: ColumnReference? = nil,
  ordering: [SortKey] = []
) throws -> AggregateCall {
  let function = FunctionRegistry.aggregate(name)!
  let (index, binding) = try OverloadResolution.resolve(
    name: name, function.overloads.map(\.signature), arguments.map { .type($0.type) }, at: nil)
  return AggregateCall(
    column(id, name, binding.returnType), function: function, overloadIndex: index, binding: binding,
    arguments: arguments, isDistinct: isDistinct, filter: filter, ordering: ordering)
}
