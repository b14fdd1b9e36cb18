import Columnar
import ObjectStore
import QueryErrors
import SQLExpressions
import TableCatalog

/// Finds the folders of partitions that rows are written to, and adds those to the catalog that it does not know.
struct WritePartitions {
  let table: TableDefinition
  let catalog: Catalog
  let context: StatementContext
  let root: ObjectLocation

  private var columns: [Field] { table.partitionColumns.map { Field($0.name, $0.type) } }

  /// The texts that stand in folder names; nil for NULL, and for what Hive does not tell from it.
  static func texts(of values: [Scalar], _ columns: [Field]) -> [String?] {
    zip(values, columns).map { value, column in
      if value.isNull { return nil }
      let text = ScalarText.text(value, column.type)
      return text.isEmpty ? nil : text
    }
  }

  /// - Throws: `HIVE_INVALID_PARTITION_VALUE` for values that cannot be read back, `NOT_SUPPORTED` for partitions whose files are of
  ///   another format.
  func place(_ partitions: [[Scalar]]) throws(QueryError) -> (folders: [[Scalar]: ObjectLocation], new: [PartitionDefinition]) {
    var folders: [[Scalar]: ObjectLocation] = [:]
    if columns.isEmpty {
      folders[[]] = root
      return (folders, [])
    }
    let names = columns.map(\.name)
    let projected = try projection()
    let declaration = TableDeclaration(context: context)
    var new: [String: PartitionDefinition] = [:]
    for values in partitions {
      if let projected {
        folders[values] = try context.stores.resolve(try projected.location(of: values))
        continue
      }
      let texts = WritePartitions.texts(of: values, columns)
      if context.settings.followsAthena { try checkPrintable(texts) }
      if let known = try catalog.partition(texts, of: table.name, columns: names) {
        try check(known, texts)
        folders[values] = try context.stores.resolve(known.location)
        continue
      }
      let name = PartitionFolder.name(names, texts)
      let folder = root.appending(name)
      folders[values] = folder
      new[name] = PartitionDefinition(values: texts, location: declaration.absolute(folder))
    }
    return (folders, new.sorted { $0.key < $1.key }.map(\.value))
  }

  private func projection() throws(QueryError) -> ProjectedPartitions? {
    let properties = Dictionary(table.properties.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
    guard ProjectedPartitions.isEnabled(properties) else { return nil }
    return ProjectedPartitions(
      table: table.name, location: table.location, columns: columns, properties: properties, stores: context.stores)
  }

  /// - Source: Trino `HiveWriteUtils`, partition values.
  private func checkPrintable(_ texts: [String?]) throws(QueryError) {
    for case .some(let text) in texts where !text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) {
      throw QueryError(
        .hiveInvalidPartitionValue, "Hive partition keys can only contain printable ASCII characters (0x20 - 0x7E). Invalid value: \(text)")
    }
  }

  private func check(_ partition: PartitionDefinition, _ texts: [String?]) throws(QueryError) {
    let sameFormat = (partition.serde ?? table.serde) == table.serde && (partition.format ?? table.format) == table.format
    if !sameFormat || (partition.columns ?? table.columns).map(\.name) != table.columns.map(\.name) {
      throw QueryError.notSupported(
        "Partition \(PartitionFolder.name(columns.map(\.name), texts)) has a format or columns of its own, and cannot be written to",
        hint: "Drop the partition and add it again, so that it is as the table declares.")
    }
  }
}
