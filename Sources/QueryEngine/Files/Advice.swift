import FileFormats
import ObjectStore
import QueryPlan
import SQLExpressions
import TableCatalog

/// What would make a statement scan less, measured on its files.
public struct Advice: Hashable, Codable, Sendable {
  public enum Kind: String, Codable, Sendable {
    case partitionFilter = "PARTITION_FILTER"
    case fewerColumns = "FEWER_COLUMNS"
    case parquet = "PARQUET"
    case compaction = "COMPACTION"
  }

  public var kind: Kind
  public var table: String
  /// Bytes that the table's scan reads now, and then.
  public var bytes: Int
  public var bytesThen: Int
  public var text: String
  /// What does it.
  public var statement: String

  /// The share of the bytes that it saves, 0 to 1.
  public var saving: Double { bytes > 0 ? Double(bytes - bytesThen) / Double(bytes) : 0 }
}

extension Session {
  /// What would make a query scan less: each answer is measured by what-if plans and on samples of its files, the best first.
  ///
  /// - Throws: what binding the statement throws.
  public func advise(_ sql: String) throws(QueryError) -> [Advice] {
    let context = try StatementExecution(self, settings, SQLStatement(sql), StatementOptions()).makeContext()
    guard let plan = try context.prepare(SQLStatement(sql)).plan else { return [] }
    var advice: [Advice] = []
    var seen: Set<String> = []
    for scan in plan.scans where seen.insert(ScanSummary(scan).table).inserted {
      advice += try ScanAdvisor(scan, self, context).advice()
    }
    return advice.sorted { $0.saving > $1.saving }
  }
}

/// Measures one scan.
private struct ScanAdvisor {
  private let scan: ScanNode
  private let session: Session
  private let context: StatementContext
  private let summary: ScanSummary
  private let files: FileSet
  /// The columns read, and the bytes that reading them takes of each file.
  private let columns: [ScanColumn]
  private let fileBytes: [Int]
  private var bytes: Int { fileBytes.reduce(0, +) }

  /// Files that are opened for measuring; of more, the first ones stand for all.
  private static let largestFileCount = 500
  private static let sampleByteCount = 64 << 20
  /// What is saved less is not worth a word.
  private static let leastSaving = 0.05
  private static let goodFileByteCount = 128 << 20

  init(_ scan: ScanNode, _ session: Session, _ context: StatementContext) throws(QueryError) {
    self.scan = scan
    self.session = session
    self.context = context
    summary = ScanSummary(scan)
    files =
      scan.fileSet
      ?? FileSet(
        listing: TableListing(files: [], partitionsRead: 0, partitionsTotal: 0), format: scan.table.format, prunedBy: [], meter: context.meter)
    var columns: [ScanColumn] = []
    for column in scan.columns {
      guard case .file(let ordinal) = column.source else { continue }
      columns.append(ScanColumn(name: scan.table.columns[ordinal].name, type: column.reference.type, ordinal: ordinal))
    }
    self.columns = columns
    var fileBytes: [Int] = []
    for index in files.files.indices {
      if index < ScanAdvisor.largestFileCount {
        fileBytes.append(try files.open(index).scanByteCount(of: columns))
      } else {
        let measured = Double(fileBytes.prefix(ScanAdvisor.largestFileCount).reduce(0, +))
        let whole = files.files.prefix(ScanAdvisor.largestFileCount).reduce(0.0) { $0 + Double($1.info.byteCount) }
        fileBytes.append(Int(Double(files.files[index].info.byteCount) * (whole > 0 ? measured / whole : 1)))
      }
    }
    self.fileBytes = fileBytes
  }

  private var isText: Bool { type(of: scan.table.format).descriptor.isText }

  func advice() throws(QueryError) -> [Advice] {
    if files.files.isEmpty || bytes == 0 { return [] }
    let found = [partitionFilter(), try fewerColumns(), try parquet(), compaction()]
    return found.compactMap { $0 }.filter { $0.saving >= ScanAdvisor.leastSaving || $0.kind == .compaction }
  }

  private func percent(_ then: Int) -> String {
    let share = bytes > 0 ? Double(bytes - then) / Double(bytes) * 100 : 0
    return "-\(Int(share)).\(Int(share * 10) % 10) %"
  }

  // MARK: Partitions

  /// What one value of the first partition column that is not filtered on would read.
  private func partitionFilter() -> Advice? {
    guard files.prunedBy.isEmpty, let key = summary.partitionColumns.first, summary.partitions.count > 1 else { return nil }
    var byValue: [String: Int] = [:]
    for (file, bytes) in zip(files.files, fileBytes) {
      guard let first = file.partitionName?.split(separator: "/").first, let value = PartitionFolder.parse(String(first))?.value else { continue }
      byValue[value, default: 0] += bytes
    }
    guard byValue.count > 1 || summary.partitionColumns.count > 1, let latest = byValue.keys.max(by: ScanAdvisor.precedes) else { return nil }
    let then = byValue[latest] ?? 0
    let isNumber = scan.table.partitionColumns.fields.first?.type.isNumeric ?? false
    let literal = isNumber ? latest : "'" + latest.replacing("'", with: "''") + "'"
    let cast = scan.table.partitionColumns.fields.first?.type == .date ? "DATE " : ""
    return Advice(
      kind: .partitionFilter, table: summary.table, bytes: bytes, bytesThen: then,
      text: "\(percent(then)): nothing filters on partitions; \(key) = \(literal) alone reads \(then) of \(bytes) bytes",
      statement: "… WHERE \(key) = \(cast)\(literal)")
  }

  private static func precedes(_ first: String, _ second: String) -> Bool {
    if let a = Int(first), let b = Int(second) { return a < b }
    return first < second
  }

  // MARK: Columns

  /// Where `*` reads all columns: what leaving out the largest would save.
  private func fewerColumns() throws(QueryError) -> Advice? {
    guard !isText, columns.count > 1, scan.readsAllFileColumns else { return nil }
    var sizes = [Int](repeating: 0, count: columns.count)
    var measured = 0
    for index in files.files.indices.prefix(ScanAdvisor.largestFileCount) {
      let file = try files.open(index)
      for (number, column) in columns.enumerated() { sizes[number] += file.scanByteCount(of: [column]) }
      measured += fileBytes[index]
    }
    guard measured > 0, let largest = sizes.indices.max(by: { sizes[$0] < sizes[$1] }) else { return nil }
    let then = Int(Double(bytes) * (1 - min(1, Double(sizes[largest]) / Double(measured))))
    func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
    let others = columns.indices.filter { $0 != largest }.map { quoted(columns[$0].name) }.joined(separator: ", ")
    return Advice(
      kind: .fewerColumns, table: summary.table, bytes: bytes, bytesThen: then,
      text: "\(percent(then)): all \(columns.count) columns are read; without '\(columns[largest].name)' it is \(then) of \(bytes) bytes",
      statement: "SELECT \(others) …")
  }

  // MARK: Parquet

  /// Text in Parquet: measured by writing a sample, and looking at the columns that the statement reads.
  private func parquet() throws(QueryError) -> Advice? {
    guard isText, let format = try FormatRegistry.format(named: "parquet")?.init(FormatOptions()) else { return nil }
    guard let index = files.files.indices.first(where: { files.files[$0].info.byteCount > 0 }) else { return nil }
    let sample = try ParquetSample(files.open(index), scan.table.columns, format, limit: ScanAdvisor.sampleByteCount)
    guard sample.sourceByteCount > 0 else { return nil }
    let wanted = columns.map { ScanColumn(name: $0.name, type: $0.type, ordinal: $0.ordinal) }
    let written = try format.open(sample.source).scanByteCount(of: wanted)
    let then = Int(Double(bytes) * min(1, Double(written) / Double(sample.sourceByteCount)))
    let target = (summary.table.hasSuffix("/") ? String(summary.table.dropLast()) : summary.table).replacing(".", with: "_") + "_parquet"
    return Advice(
      kind: .parquet, table: summary.table, bytes: bytes, bytesThen: then,
      text: "\(percent(then)): as Parquet (ZSTD) the columns read take about \(then) of \(bytes) bytes, measured on \(sample.rowCount) rows",
      statement: "sqlq convert '\(place)' '\(target)/' --compression ZSTD")
  }

  private var place: String { scan.table.path == nil ? scan.table.files.location : scan.table.name.name }

  // MARK: Compaction

  /// Many small files: each costs requests and, in Parquet, a footer.
  private func compaction() -> Advice? {
    let total = Int(clamping: files.listing.byteCount)
    let folders = max(1, Set(files.files.map { $0.partitionName ?? "" }).count)
    let needed = max(folders, (total + ScanAdvisor.goodFileByteCount - 1) / ScanAdvisor.goodFileByteCount)
    guard files.files.count >= 4 * needed, files.files.count > 8 else { return nil }
    let metadata = context.meter.metadataBytes
    let then = bytes + metadata * needed / files.files.count
    let target = (summary.table.hasSuffix("/") ? String(summary.table.dropLast()) : summary.table).replacing(".", with: "_") + "_compact"
    return Advice(
      kind: .compaction, table: summary.table, bytes: bytes + metadata, bytesThen: then,
      text:
        "\(files.files.count) files of \(total / files.files.count) bytes each; \(needed) would do: \(files.files.count - needed) requests fewer, and \(metadata - metadata * needed / files.files.count) bytes of footers",
      statement: "sqlq compact '\(place)' '\(target)/'")
  }
}

/// Some rows of a text file as a Parquet file in memory.
private struct ParquetSample {
  private(set) var rowCount = 0
  /// Bytes of the text that the rows were read from.
  private(set) var sourceByteCount = 0
  let source: any ByteSource

  /// Reads about `limit` bytes of a file.
  init(_ file: any FormatFile, _ schema: Schema, _ format: any FileFormat, limit: Int) throws(QueryError) {
    let kept = schema.fields.enumerated().filter { ResultTwin.keeps($0.element.type) }
    let columns = kept.map { ScanColumn(name: $0.element.name, type: $0.element.type, ordinal: $0.offset) }
    let memory = MemoryWriter()
    let writer = try format.makeWriter(Schema(kept.map(\.element)), WriterOptions(compression: "ZSTD"), to: memory)
    let scan = try file.scan(ScanRequest(columns: columns), metrics: ScanMetrics())
    for split in try scan.splits(targetByteCount: 8 << 20, unit: .size) where sourceByteCount < limit {
      let reader = try scan.makeReader(split)
      while let batch = try reader.next() {
        try writer.append(batch)
        rowCount += batch.rowCount
      }
      sourceByteCount += split.scanByteCount
    }
    _ = try writer.finish()
    source = try MemoryByteSource(memory.bytes, path: memory.path, meter: ScanMeter())
  }
}

/// Keeps what is written.
private final class MemoryWriter: ObjectWriter {
  let path = "sample.parquet"
  private(set) var bytes: [UInt8] = []
  var byteCount: UInt64 { UInt64(bytes.count) }
  func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError) { self.bytes.append(contentsOf: bytes) }
  func commit(durable: Bool) throws(QueryError) {}
  func abort() { bytes = [] }
}
