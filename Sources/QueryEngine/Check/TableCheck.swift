import FileFormats
import ObjectStore
import TableCatalog

extension Session {
  /// What in a table of the catalog, its partitions and its files real Athena would do otherwise.
  ///
  /// - Throws: `TABLE_NOT_FOUND`, `USER_CANCELED`.
  public func check(table name: String, in database: String? = nil) throws(QueryError) -> [CheckFinding] {
    let full = TableName(database: database ?? self.database, name: name)
    let catalog = try engine.openCatalog()
    guard let table = try catalog.table(full) else {
      if try catalog.view(full) != nil { return try check("SELECT * FROM \"\(full.database)\".\"\(full.name)\"") }
      throw QueryError(
        .tableNotFound, "Table '\(full)' does not exist",
        hint: NameSuggestion.hint(for: name, among: try catalog.relations(in: full.database).map(\.name)))
    }
    return try TableCheck(table: table, catalog: catalog, stores: engine.stores).findings()
  }
}

/// Checks of a declared table.
private struct TableCheck {
  let table: TableDefinition
  let catalog: Catalog
  let stores: ObjectStores
  private let meter = ScanMeter()

  init(table: TableDefinition, catalog: Catalog, stores: ObjectStores) {
    self.table = table
    self.catalog = catalog
    self.stores = stores
  }

  private var place: String { "\(table.name.database).\(table.name.name)" }

  func findings() throws(QueryError) -> [CheckFinding] {
    var found: [CheckFinding] = []
    if !table.location.hasSuffix("/") {
      found.append(
        .init(.warning, "LOCATION_SLASH", at: place, "LOCATION '\(table.location)' does not end with /", fix: "Athena asks for a folder."))
    }
    let location = try stores.resolve(table.location)
    let objects = try location.exists() ? DirectoryWalker(location.store, root: location.path, meter: meter).walk() : []
    if !table.partitionColumns.isEmpty { found += try partitionFindings(objects, location) }
    found += try textFindings(objects)
    return found
  }

  // MARK: Partitions

  private func partitionFindings(_ objects: [ListedObject], _ location: ObjectLocation) throws(QueryError) -> [CheckFinding] {
    let depth = table.partitionColumns.count
    var folders: Set<String> = []
    for object in objects where object.info.byteCount > 0 {
      let parts = object.keyPath.split(separator: "/").dropLast()
      if parts.count >= depth { folders.insert(parts.prefix(depth).joined(separator: "/")) }
    }
    let columns = table.partitionColumns.map(\.name)
    var found: [CheckFinding] = FolderCheck.names(objects.filter { $0.info.byteCount > 0 }, place).filter { $0.code.hasPrefix("PARTITION_") }
    let definition = try CatalogResolver.table(table, catalog, stores)
    if ProjectedPartitions.isEnabled(definition.properties) {
      // Which folders the projection leads to is told by the files that it finds.
      var reached: Set<String> = []
      do throws(QueryError) {
        for file in try definition.files.list(nil, meter: meter).files { reached.insert(ObjectPath.parent(file.info.path)) }
      } catch {
        return found + [.init(.warning, "PROJECTION", at: place, error.message, fix: error.hint)]
      }
      let missed = folders.filter { folder in
        let full = location.appending(folder).description
        return !reached.contains { $0 == full || $0.hasPrefix(full + "/") }
      }.sorted()
      if let first = missed.first {
        found.append(
          .init(
            .error, "PROJECTION_GAP", at: place,
            "\(missed.count) of \(folders.count) folders lie outside of the projection and are invisible to Athena, \(first) among them",
            fix: "Widen projection.<column>.range or values."))
      }
      return found
    }
    let known = try catalog.partitions(of: table.name)
    let registered = Set(known.map { PartitionFolder.name(columns, $0.values) })
    let unregistered = folders.filter { folder in
      let values = folder.split(separator: "/").map { PartitionFolder.parse(String($0))?.value }
      return !registered.contains(PartitionFolder.name(columns, values)) && folder.split(separator: "/").allSatisfy { $0.contains("=") }
    }.sorted()
    if let first = unregistered.first {
      found.append(
        .init(
          .error, "UNREGISTERED_PARTITIONS", at: place,
          "\(unregistered.count) folders match the layout but are not registered, \(first) among them; Athena does not see their rows",
          fix: "MSCK REPAIR TABLE \(table.name.name), or enable partition projection."))
    }
    var lost: [PartitionDefinition] = []
    for partition in known {
      let folder = try stores.resolve(partition.location)
      if try !folder.exists() { lost.append(partition) }
    }
    if let first = lost.first {
      found.append(
        .init(
          .warning, "MISSING_FOLDER", at: place,
          "\(lost.count) partitions are registered but their folders are gone, \(PartitionFolder.name(columns, first.values)) among them",
          fix: "ALTER TABLE \(table.name.name) DROP PARTITION (…)."))
    }
    return found
  }

  // MARK: Text

  private var properties: [String: String] {
    let all = table.properties.merging(table.serdeProperties) { $1 }
    return Dictionary(all.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
  }

  private func textFindings(_ objects: [ListedObject]) throws(QueryError) -> [CheckFinding] {
    let serde = (table.serde ?? "").lowercased()
    let isJSON = table.format == "json" || serde.contains("json")
    let isCSV = serde.contains("opencsv") || table.format == "csv"
    let isDelimited = !isJSON && !isCSV && ["text", "textfile", "delimited"].contains(table.format.lowercased())
    guard isJSON || isCSV || isDelimited else { return [] }
    let properties = properties
    let separator = (properties["separatorchar"] ?? properties["field.delim"])?.utf8.first ?? (isCSV ? 0x2c : 0x01)
    var found: [CheckFinding] = []
    var left = FolderCheck.largestLook
    for object in objects where object.info.byteCount > 0 && left > 0 {
      let source = try object.info.open(meter: meter)
      let survey = try TextSurvey(
        source, separator: isJSON ? nil : separator, quote: isJSON ? nil : 0x22, limit: FolderCheck.largestFileLook)
      left -= min(FolderCheck.largestFileLook, Int(clamping: object.info.byteCount))
      found += FolderCheck.text(survey, object.info.path, isJSON: isJSON).filter { $0.code != "CSV_QUOTES" || isDelimited }
      if !isJSON, properties["skip.header.line.count"] == nil, try TextHead(source, separator).names(table.columns.map(\.name)) {
        found.append(
          .init(
            .error, "HEADER_AS_DATA", at: "\(object.info.path):1", "the first line holds the column names; Athena returns it as a row",
            fix: "ALTER TABLE \(table.name.name) SET TBLPROPERTIES ('skip.header.line.count'='1')"))
      }
    }
    return FolderCheck.once(found)
  }
}
