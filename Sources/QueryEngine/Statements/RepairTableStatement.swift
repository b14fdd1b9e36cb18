import ObjectStore
import QueryErrors
import SQLSyntax
import TableCatalog

/// MSCK REPAIR TABLE.
struct RepairTableStatement: Statement {
  private let node: RepairTableSyntax
  init(_ node: RepairTableSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = try context.tableName(node.name)
    guard let table = try context.catalog().table(name) else {
      throw QueryError(.tableNotFound, "Table '\(name)' does not exist", at: node.name.range)
    }
    guard !table.partitionColumns.isEmpty else {
      throw QueryError(.genericUserError, "Table '\(name)' is not a partitioned table", at: node.name.range)
    }
    return .listing(["result"]) { () throws(QueryError) in try repair(table, context).map { [$0] } }
  }

  /// Adds the partitions whose folders exist.
  ///
  /// - Returns: what Athena prints: one line per partition added, and those whose folders are missing.
  private func repair(_ table: TableDefinition, _ context: StatementContext) throws(QueryError) -> [String] {
    let name = table.name
    let catalog = try context.catalog()
    let columns = table.partitionColumns.map(\.name)
    let resolved = try context.stores.resolve(table.location)
    guard try resolved.store.exists(resolved.path) else { throw resolved.store.missing(resolved.path) }
    let walker = DirectoryWalker(resolved.store, root: resolved.path, meter: context.meter)
    var found: [[String?]: String] = [:]
    var level: [(path: String, values: [String?])] = [("", [])]
    for column in table.partitionColumns {
      let entries = try walker.list(level.map(\.path), detail: .names)
      var next: [(path: String, values: [String?])] = []
      for (parent, entries) in zip(level, entries) {
        for entry in entries where entry.isDirectory && !entry.isHidden {
          guard let (key, value) = PartitionFolder.parse(entry.name), key.lowercased() == column.name else { continue }
          // Athena passes over keys that are not written in lower case.
          if context.settings.followsAthena, key != column.name { continue }
          if let value, PartitionValue.parse(value, column.type) == nil { continue }
          next.append((ObjectPath.join(parent.path, entry.name), parent.values + [value]))
        }
      }
      level = next
    }
    for folder in level { found[folder.values] = resolved.appending(folder.path).description }
    let known = try catalog.partitions(of: name)
    let knownValues = Set(known.map(\.values))
    let added = level.filter { !knownValues.contains($0.values) }
    try catalog.add(
      added.map { PartitionDefinition(values: $0.values, location: found[$0.values] ?? "") }, to: name, columns: columns)
    var lines: [String] = []
    if !added.isEmpty {
      let names = added.map { "\(name.name):\(PartitionFolder.name(columns, $0.values))" }
      lines.append("Partitions not in metastore: " + names.joined(separator: " "))
      lines += added.map { "Repair: Added partition to metastore \(name.name):\(PartitionFolder.name(columns, $0.values))" }
    }
    var missing: [String] = []
    let folders = Set(found.values)
    for partition in known where !folders.contains(partition.location) {
      let place = try context.stores.resolve(partition.location)
      if try !place.store.exists(place.path) {
        missing.append("\(name.name):\(PartitionFolder.name(columns, partition.values))")
      }
    }
    if !missing.isEmpty { lines.append("Partitions missing from filesystem: " + missing.joined(separator: " ")) }
    return lines
  }
}
