package import Columnar
package import FileFormats
package import ObjectStore
package import QueryErrors

/// Makes a table of a path in FROM: `SELECT * FROM 'sales/'`; format, columns and partitions are found out.
package enum PathRelation {
  /// Files whose columns are looked at, at most, besides the first: the schema is the union of theirs.
  private static let sampledFileCount = 8

  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when nothing lies there; `HIVE_BAD_DATA` when files are not of their format.
  package static func resolve(
    _ location: String, _ stores: ObjectStores, meter: ScanMeter
  ) throws(QueryError) -> Table {
    let resolved = try stores.resolve(location)
    let name = TableName(catalog: "", database: "", name: location)
    if try resolved.store.entry(resolved.path)?.isDirectory ?? false {
      return try folder(name, resolved.store, resolved.path, meter)
    }
    let listing = try ObjectGlob.expand(resolved, meter: meter)
    let keys = partitionKeys(listing.objects.map(\.keyPath))
    let columns = keys.enumerated().map { depth, key in
      Field(key, partitionType(listing.objects.map { folderValues($0.keyPath)[depth] }))
    }
    var files: [TableFile] = []
    for object in listing.objects {
      var values: [Scalar] = []
      for (column, text) in zip(columns, folderValues(object.keyPath)) {
        values.append(try PartitionValue.parse(text, column, in: object.keyPath, of: location))
      }
      files.append(TableFile(info: object.info, partitionValues: values))
    }
    let (format, schema) = try inferFiles(listing.objects, location, listing.store, meter, partitionColumns: columns)
    return Table(
      name: name, columns: schema, partitionColumns: Schema(columns),
      files: ListedFiles(location: location, files: files), format: format)
  }

  /// A folder: partition keys are read off its first folders; what lies in it is listed when the query is planned.
  private static func folder(
    _ name: TableName, _ store: any ObjectStore, _ root: String, _ meter: ScanMeter
  ) throws(QueryError) -> Table {
    let walker = DirectoryWalker(store, root: root, meter: meter)
    var columns: [Field] = []
    var path = ""
    var sample: [ListedObject] = []
    // Down the first folder of each level; a level's type is told from all names of that level in one folder.
    while true {
      let entries = try walker.list([path], detail: .infos)[0].filter { !$0.isHidden }
      let folders = entries.filter(\.isDirectory).map(\.name)
      let parsed = folders.compactMap { PartitionFolder.parse($0) }
      let files = entries.filter { !$0.isDirectory }
      if files.isEmpty, !folders.isEmpty, parsed.count == folders.count, Set(parsed.map { $0.key.lowercased() }).count == 1 {
        columns.append(Field(parsed[0].key.lowercased(), partitionType(parsed.map(\.value))))
        path = ObjectPath.join(path, folders[0])
        continue
      }
      sample = files.map { walker.listed(ObjectPath.join(path, $0.name), $0) }
      if sample.isEmpty, !folders.isEmpty {
        let below = DirectoryWalker(store, root: ObjectPath.join(root, path), meter: meter)
        sample = try below.walk()
      }
      break
    }
    if sample.isEmpty { sample = try walker.walk() }
    if sample.isEmpty {
      throw QueryError(
        .hiveCannotOpenSplit, "No files in folder: \(name.name)",
        hint: "Files whose names start with _ or . are skipped.")
    }
    let (format, schema) = try inferFiles(sample, name.name, store, meter, partitionColumns: columns)
    return Table(
      name: name, columns: schema, partitionColumns: Schema(columns),
      files: FolderPartitions(location: name.name, store: store, root: root, columns: columns), format: format)
  }

  private static func inferFiles(
    _ objects: [ListedObject], _ location: String, _ store: any ObjectStore, _ meter: ScanMeter,
    partitionColumns: [Field]
  ) throws(QueryError) -> (any FileFormat, Schema) {
    guard let first = objects.first(where: { $0.info.byteCount > 0 }) ?? objects.first else {
      throw QueryError(.hiveCannotOpenSplit, "No files match: \(location)")
    }
    var known = FormatRegistry.format(forFileNamed: ObjectPath.lastName(first.keyPath))
    if known == nil { known = try sniff(first, store, meter) }
    guard let type = known else {
      let endings = FormatRegistry.all.flatMap { $0.descriptor.extensions }.map { "." + $0 }.joined(separator: ", ")
      throw QueryError(
        .hiveCannotOpenSplit, "Cannot tell the format of \(first.info.path)",
        hint: "Known endings are \(endings); otherwise declare it with CREATE EXTERNAL TABLE.")
    }
    let format = try type.init(FormatOptions())
    var fields: [Field] = []
    var merger = SchemaMerge()
    var looked = 0
    let step = max(1, objects.count / sampledFileCount)
    for (index, object) in objects.enumerated() where index % step == 0 || object.info == first.info {
      if object.info.byteCount == 0, objects.count > 1 { continue }
      if looked > sampledFileCount { break }
      looked += 1
      let source = try object.info.open(meter: meter)
      try merger.add(try format.inferSchema(source), path: object.info.path)
    }
    fields = merger.fields
    // A partition column wins over a file's column of the same name, as folders are what Hive believes.
    let names = Set(partitionColumns.map { $0.name.lowercased() })
    fields.removeAll { names.contains($0.name.lowercased()) }
    return (format, Schema(fields))
  }

  /// Formats that can be told by a file's first bytes.
  private static func sniff(
    _ object: ListedObject, _ store: any ObjectStore, _ meter: ScanMeter
  ) throws(QueryError) -> (any FileFormat.Type)? {
    let source = try object.info.open(meter: meter)
    guard source.byteCount >= 4 else { return nil }
    let head = try source.read(0..<min(source.byteCount, 4096), kind: .sampling)
    return withExtendedLifetime(head) {
      let bytes = head.bytes
      if bytes.starts(with: "PAR1".utf8) { return FormatRegistry.format(named: "parquet") }
      guard let letter = bytes.first(where: { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 }) else { return nil }
      if letter == UInt8(ascii: "{") || letter == UInt8(ascii: "[") { return FormatRegistry.format(named: "json") }
      return bytes.contains(0) ? nil : FormatRegistry.format(named: "csv")
    }
  }

  // MARK: Partition keys in paths

  private static func folderValues(_ keyPath: String) -> [String?] {
    keyPath.split(separator: "/").dropLast().compactMap { PartitionFolder.parse($0) }.map(\.value)
  }

  /// The keys that all files' folders share, in order; none when they differ.
  private static func partitionKeys(_ keyPaths: [String]) -> [String] {
    var keys: [String]?
    for path in keyPaths {
      let own = path.split(separator: "/").dropLast().compactMap { PartitionFolder.parse($0)?.key.lowercased() }
      if let known = keys, known != own { return [] }
      keys = own
    }
    return keys ?? []
  }

  /// bigint when all values are whole numbers, date when all are dates, else varchar.
  private static func partitionType(_ values: [String?]) -> DataType {
    let known = values.compactMap { $0 }
    if known.isEmpty { return .text }
    if known.allSatisfy({ PartitionValue.parse($0, .bigint) != nil }) { return .bigint }
    if known.allSatisfy({ PartitionValue.days($0) != nil }) { return .date }
    return .text
  }
}
