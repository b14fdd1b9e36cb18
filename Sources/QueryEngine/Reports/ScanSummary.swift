import QueryPlan
import TableCatalog

/// What one scan of a statement's plan reads.
public struct ScanSummary: Hashable, Codable, Sendable {
  /// `database.table`, or the path in FROM.
  public var table: String
  /// Columns in files that are read.
  public var columns: [String]
  public var columnsTotal: Int
  /// Hive's names of the partitions that files are read of: `year=2024/month=05`.
  public var partitions: [String]
  /// Nil when pruning spared counting them.
  public var partitionsTotal: Int?
  /// Names of the partition columns.
  public var partitionColumns: [String]
  public var files: Int
  /// Bytes of the files, all columns.
  public var bytes: Int

  init(_ scan: ScanNode) {
    let name = scan.table.name
    table = name.database.isEmpty ? name.name : "\(name.database).\(name.name)"
    columns = scan.columns.compactMap { column in
      if case .file(let index) = column.source { scan.table.columns[index].name } else { nil }
    }
    columnsTotal = scan.table.columns.count
    partitionColumns = scan.table.partitionColumns.fields.map(\.name)
    partitionsTotal = scan.fileSet?.listing.partitionsTotal
    files = scan.fileSet?.files.count ?? 0
    bytes = Int(clamping: scan.fileSet?.listing.byteCount ?? 0)
    var seen: Set<String> = []
    partitions = scan.fileSet?.files.compactMap(\.partitionName).filter { seen.insert($0).inserted } ?? []
  }
}
