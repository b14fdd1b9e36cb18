import FileFormats
import Glibc
import QueryErrors
import TableCatalog

/// What DESCRIBE FORMATTED and DESCRIBE EXTENDED tell beside columns.
///
/// - Source: Hive `MetaDataFormatUtils`, whose text Athena prints.
enum TableDetails {
  /// Rows of the blocks `# Detailed Table Information` (or `Partition`) and `# Storage Information`.
  static func rows(_ table: TableDefinition, _ partition: PartitionDefinition?) -> [[String?]] {
    func row(_ name: String, _ value: String) -> [String?] { [name, value, nil] }
    var rows: [[String?]] = []
    if let partition {
      rows.append(["# Detailed Partition Information", nil, nil])
      rows.append(row("Partition Value:", "[" + partition.values.map { $0 ?? PartitionFolder.defaultValue }.joined(separator: ", ") + "]"))
      rows += [row("Database:", table.name.database), row("Table:", table.name.name)]
      rows.append(row("CreateTime:", time(partition.createdAtMicros)))
      rows.append(row("Location:", partition.location))
      rows += parameters("Partition Parameters:", partition.properties)
    } else {
      rows.append(["# Detailed Table Information", nil, nil])
      rows += [row("Database:", table.name.database), row("CreateTime:", time(table.createdAtMicros))]
      rows += [row("LastAccessTime:", "UNKNOWN"), row("Retention:", "0"), row("Location:", table.location)]
      rows.append(row("Table Type:", "EXTERNAL_TABLE"))
      var properties = table.properties
      properties["EXTERNAL"] = "TRUE"
      properties["comment"] = table.comment ?? properties["comment"]
      if let micros = table.updatedAtMicros { properties["transient_lastDdlTime"] = String(micros / 1_000_000) }
      rows += parameters("Table Parameters:", properties)
    }
    let storage = TableStorage(table)
    let bucketing = table.bucketing
    let sortColumns = (bucketing?.sortColumns ?? []).map { "Order(col:\($0.name), order:\($0.isDescending ? 0 : 1))" }
    rows += [[nil, nil, nil], ["# Storage Information", nil, nil]]
    rows += [row("SerDe Library:", storage.serde ?? table.format), row("InputFormat:", storage.inputFormat ?? "null")]
    rows += [row("OutputFormat:", storage.outputFormat ?? "null"), row("Compressed:", "No")]
    rows.append(row("Num Buckets:", String(bucketing?.count ?? -1)))
    rows.append(row("Bucket Columns:", "[" + (bucketing?.columns ?? []).joined(separator: ", ") + "]"))
    rows.append(row("Sort Columns:", "[" + sortColumns.joined(separator: ", ") + "]"))
    if !table.serdeProperties.isEmpty { rows += parameters("Storage Desc Params:", table.serdeProperties) }
    return rows
  }

  private static func parameters(_ title: String, _ properties: [String: String]) -> [[String?]] {
    [[title, nil, nil]] + properties.sorted { $0.key < $1.key }.map { ["", $0.key, $0.value] }
  }

  /// The one line of DESCRIBE EXTENDED.
  static func summary(_ table: TableDefinition, _ partition: PartitionDefinition?) -> String {
    let storage = TableStorage(table)
    func fields(_ columns: [ColumnDefinition]) -> String {
      columns.map { "FieldSchema(name:\($0.name), type:\($0.type.hiveName), comment:\($0.comment ?? "null"))" }.joined(separator: ", ")
    }
    func pairs(_ properties: [String: String]) -> String {
      properties.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }
    let columns = partition?.columns ?? table.columns
    let descriptor =
      "sd:StorageDescriptor(cols:[\(fields(columns + table.partitionColumns))], location:\(partition?.location ?? table.location), "
      + "inputFormat:\(storage.inputFormat ?? "null"), outputFormat:\(storage.outputFormat ?? "null"), compressed:false, "
      + "numBuckets:\(table.bucketing?.count ?? -1), serdeInfo:SerDeInfo(serializationLib:\(storage.serde ?? "null"), "
      + "parameters:{\(pairs(table.serdeProperties))}), bucketCols:[\((table.bucketing?.columns ?? []).joined(separator: ", "))])"
    if let partition {
      let values = partition.values.map { $0 ?? PartitionFolder.defaultValue }.joined(separator: ", ")
      return "Partition(values:[\(values)], dbName:\(table.name.database), tableName:\(table.name.name), \(descriptor))"
    }
    return
      "Table(tableName:\(table.name.name), dbName:\(table.name.database), \(descriptor), "
      + "partitionKeys:[\(fields(table.partitionColumns))], parameters:{\(pairs(table.properties))}, tableType:EXTERNAL_TABLE)"
  }

  /// `Wed Jul 17 15:31:20 UTC 2024`.
  private static func time(_ micros: Int64?) -> String {
    guard let micros else { return "UNKNOWN" }
    var seconds = time_t(micros / 1_000_000)
    var parts = tm()
    guard gmtime_r(&seconds, &parts) != nil else { return "UNKNOWN" }
    var text = [CChar](repeating: 0, count: 64)
    let count = strftime(&text, text.count, "%a %b %d %H:%M:%S UTC %Y", &parts)
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A row's cells padded as Athena's text has them.
  static func padded(_ row: [String?]) -> [String?] {
    row.map { cell in
      let cell = cell ?? ""
      return cell + String(repeating: " ", count: max(0, 20 - cell.count))
    }
  }
}
