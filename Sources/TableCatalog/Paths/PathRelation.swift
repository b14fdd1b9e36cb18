package import Columnar
package import FileFormats
package import ObjectStore
package import QueryErrors
import Synchronization

/// The files that a path in FROM stands for, as one statement sees them: `SELECT * FROM 'sales/'`.
///
/// Format, partition keys and columns are told from names and from some files of every level. Where other files turn out to
/// hold more, what they hold is learned and the statement begins anew (`QueryError.mayStartAgain`), with the same listing.
///
/// - Threads: workers of the statement check files at the same time.
package final class PathRelation: Sendable {
  package let location: String
  private let stores: ObjectStores
  private let meter: ScanMeter
  private let source: Source
  private let folderFormat: FolderFormat
  private let format: any FileFormat
  /// Whether files outside all partition folders are passed over.
  private let passesOverLooseFiles: Bool
  private let folderCount: Int?
  private let state: Mutex<State>

  private enum Source {
    case folder(FolderTree)
    case files([ListedObject])
  }

  private struct State {
    var keys: PartitionKeys
    var merge: SchemaMerge
    /// Files whose columns are in `merge`.
    var seen: Set<ObjectInfo> = []
    /// Whether all records of the files in `seen` were looked at.
    var hasSeenAllRecords = false
    /// Whether all files were looked at.
    var isComplete = false
    /// How often the statement began anew.
    var restarts = 0
  }

  /// A statement begins anew so often at most.
  private static let largestRestartCount = 50
  private static let sampledFileCount = 32
  private static let largestLookByteCount: UInt64 = 512 << 20
  private static let threadCount = 4

  // MARK: Making

  /// Looks at what lies at a location.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when nothing lies there; `NOT_SUPPORTED` when no reader knows the files;
  ///   `HIVE_BAD_DATA` when they are not of their format.
  init(
    _ location: String, _ reading: PathReading? = nil, _ stores: ObjectStores, meter: ScanMeter
  ) throws(QueryError) {
    self.location = location
    self.stores = stores
    self.meter = meter
    let witnesses = PathMemory.shared.witnesses(of: location)
    let resolved = try stores.resolve(location)
    var keys: PartitionKeys
    var sample: [ListedObject]
    if try resolved.store.entry(resolved.path)?.isDirectory ?? false {
      let tree = FolderTree(DirectoryWalker(resolved.store, root: resolved.path, meter: meter))
      let survey = try FolderSurvey(tree, witnesses: witnesses.folders)
      keys = survey.keys
      sample = survey.files
      if sample.isEmpty { sample = try PathRelation.someFile(tree, location) ?? survey.emptyFile.map { [$0] } ?? [] }
      if sample.isEmpty {
        throw QueryError(
          .hiveCannotOpenSplit, "No files in folder: \(location)",
          hint: "Files whose names start with _ or . are skipped.")
      }
      source = .folder(tree)
      folderCount = survey.folderCount
    } else {
      let listing = try ObjectGlob.expand(resolved, meter: meter)
      let full = listing.objects.count > 1 ? listing.objects.filter { $0.info.byteCount > 0 } : listing.objects
      sample = full.isEmpty ? Array(listing.objects.prefix(1)) : full
      keys = PartitionKeys()
      for object in sample {
        for (key, value) in PathRelation.partitions(of: object) { keys.add(key, value) }
      }
      source = .files(sample)
      folderCount = nil
    }
    if case .folder = source, !keys.columns.isEmpty {
      let keyed = sample.filter { !PathRelation.partitions(of: $0).isEmpty }
      passesOverLooseFiles = !keyed.isEmpty
      if !keyed.isEmpty { sample = keyed }
    } else {
      passesOverLooseFiles = false
    }
    if let given = reading?.format, let type = FormatRegistry.format(named: given) {
      folderFormat = FolderFormat(given: type)
    } else {
      folderFormat = try FolderFormat.choose(sample, meter)
    }
    format = try folderFormat.type.init(FormatOptions(properties: reading?.properties ?? [:]))
    state = Mutex(State(keys: keys, merge: SchemaMerge(isText: folderFormat.type.descriptor.isText)))
    var chosen: [ListedObject] = []
    for object in sample where try folderFormat.verdict(object, meter) == .data { chosen.append(object) }
    chosen = FolderSurvey.spread(chosen, PathRelation.sampledFileCount)
    for (info, fields) in witnesses.files.sorted(by: { $0.key.path < $1.key.path }) {
      guard (try? resolved.store.info(info.location.path)) == info else { continue }
      if !chosen.contains(where: { $0.info == info }) { chosen.append(ListedObject(info: info, keyPath: info.path)) }
      state.withLock { $0.merge.add(Schema(fields), path: info.path) }
    }
    try look(at: chosen.map(\.info))
    if case .files(let all) = source, all.count == chosen.count { state.withLock { $0.isComplete = true } }
  }

  /// A file of a folder whose sampled folders hold none.
  private static func someFile(_ tree: FolderTree, _ location: String) throws(QueryError) -> [ListedObject]? {
    var level = [""]
    while !level.isEmpty {
      var next: [String] = []
      for (keyPath, entries) in zip(level, try tree.list(level)) {
        for entry in entries {
          let path = ObjectPath.join(keyPath, entry.name)
          if entry.isDirectory { next.append(path) } else if entry.byteCount ?? 0 > 0 { return [tree.listed(path, entry)] }
        }
      }
      level = next
    }
    return nil
  }

  private static func partitions(of object: ListedObject) -> [(key: String, value: String?)] {
    object.keyPath.split(separator: "/").dropLast().compactMap { PartitionFolder.parse($0) }
  }

  /// Adds the columns of files. One that cannot be read matters only to statements that read it, unless none can.
  private func look(at files: [ObjectInfo]) throws(QueryError) {
    let missing = state.withLock { state in files.filter { !state.seen.contains($0) } }
    guard let first = missing.first else { return }
    // The first file shows a text format how the others are likely written.
    var results = [PathRelation.result { () throws(QueryError) in try self.schema(of: first) }]
    let rest = Array(missing.dropFirst())
    results += concurrentMap(rest.count, threadCount: PathRelation.threadCount) {
      (index) throws(QueryError) in
      PathRelation.result { () throws(QueryError) in try self.schema(of: rest[index]) }
    }.map { result in result.flatMap { $0 } }
    var failure: QueryError?
    var isRead = false
    state.withLock { state in
      for (info, result) in zip(missing, results) {
        state.seen.insert(info)
        switch result {
        case .success(let schema):
          state.merge.add(schema, path: info.path)
          isRead = true
        case .failure(let error): failure = failure ?? error
        }
      }
    }
    if let failure, !isRead || failure.code.kind == .cancelled { throw failure }
  }

  private static func result(_ body: () throws(QueryError) -> Schema) -> Result<Schema, QueryError> {
    do throws(QueryError) { return .success(try body()) } catch { return .failure(error) }
  }

  private func schema(of info: ObjectInfo) throws(QueryError) -> Schema {
    try format.inferSchema(try info.open(meter: meter))
  }

  // MARK: The table

  /// The table as it is known now.
  package func table() -> Table {
    takeLearned()
    let (keys, fields) = state.withLock { ($0.keys.columns, $0.merge.schema.fields) }
    // A partition column wins over a file's column of the same name, as folders are what Hive believes.
    let names = Set(keys.map(\.name))
    let isText = folderFormat.type.descriptor.isText
    let columns = fields.filter { !names.contains($0.name.lowercased()) }
      .map { Field($0.name, isText ? SchemaMerge.settled($0.type) : $0.type) }
    var table = Table(
      name: TableName(catalog: "", database: "", name: location), columns: Schema(columns),
      partitionColumns: Schema(keys), files: PathFiles(relation: self, columns: keys), format: format)
    table.path = self
    return table
  }

  /// The files whose partitions may match.
  func list(_ columns: [Field], _ predicate: (any PartitionPredicate)?) throws(QueryError) -> TableListing {
    var walk = FolderWalk(self, columns: columns, predicate)
    switch source {
    case .folder(let tree): try walk.walk(tree)
    case .files(let objects): try walk.take(objects)
    }
    var files: [TableFile] = []
    files.reserveCapacity(walk.files.count)
    var partitions: Set<String> = []
    var loose: [String] = []
    for found in walk.files {
      if passesOverLooseFiles, found.partition.isEmpty {
        loose.append(found.object.info.path)
        continue
      }
      guard try folderFormat.verdict(found.object, meter) == .data else { continue }
      files.append(
        TableFile(
          info: found.object.info, partitionValues: found.values.map { $0 ?? .null },
          partitionName: found.partition.isEmpty ? nil : found.partition))
      if partitions.count < 2 || files[files.count - 2].partitionName != found.partition { partitions.insert(found.partition) }
    }
    if let first = loose.first {
      let more = loose.count > 1 ? " and \(loose.count - 1) more" : ""
      meter.note("\(first)\(more) beside the partition folders of \(location): not read, as in Hive")
    }
    if columns.isEmpty { return TableListing(files: files, partitionsRead: 1, partitionsTotal: 1) }
    let total = walk.skipped == 0 ? partitions.count : folderCount.map { max($0, partitions.count) }
    return TableListing(files: files, partitionsRead: partitions.count, partitionsTotal: total)
  }

  // MARK: Learning

  /// Looks at the columns of all files that were not looked at; whether the table changed.
  func lookFurther() throws(QueryError) -> Bool {
    if try lookAtAllRecords() { return true }
    let before = state.withLock { state -> Schema? in
      if state.isComplete || state.restarts >= PathRelation.largestRestartCount { return nil }
      state.isComplete = true
      state.restarts += 1
      return state.merge.schema
    }
    guard let before else { return false }
    let files = try list(state.withLock { $0.keys.columns }, nil).files.map(\.info)
    try? look(at: files)
    let after = state.withLock { $0.merge.schema }
    if after == before { return false }
    noteWitnesses(of: files, before)
    return true
  }

  /// Looks at all records of files whose keys were sampled; whether the table changed.
  private func lookAtAllRecords() throws(QueryError) -> Bool {
    let (seen, before) = state.withLock { state in
      let files = state.hasSeenAllRecords ? [] : Array(state.seen)
      state.hasSeenAllRecords = true
      return (files, state.merge.schema)
    }
    guard seen.reduce(0, { $0 + $1.byteCount }) <= PathRelation.largestLookByteCount else { return false }
    for file in seen {
      guard let schema = try format.inferWholeSchema(try file.open(meter: meter)) else { return false }
      state.withLock { $0.merge.add(schema, path: file.path) }
      if schema.fields.contains(where: { field in !before.fields.contains { $0.name.lowercased() == field.name.lowercased() } }) {
        PathMemory.shared.note(file, schema.fields, of: location)
      }
    }
    return state.withLock { $0.merge.schema } != before
  }

  /// Remembers the files that hold what the first sample did not show.
  private func noteWitnesses(of files: [ObjectInfo], _ before: Schema) {
    var known = SchemaMerge(isText: folderFormat.type.descriptor.isText)
    known.add(before, path: "")
    for info in files {
      guard let schema = try? schema(of: info) else { continue }
      let old = known.schema
      known.add(schema, path: info.path)
      if known.schema != old { PathMemory.shared.note(info, [], of: location) }
    }
  }

  /// Takes note of a partition folder whose key or value does not fit the columns told so far.
  ///
  /// - Returns: the error to throw, which lets the statement begin anew.
  func learn(folder keyPath: String) -> QueryError {
    let isNew = state.withLock { state in
      var isNew = false
      for name in keyPath.split(separator: "/") {
        if let (key, value) = PartitionFolder.parse(name), state.keys.add(key, value) { isNew = true }
      }
      state.restarts += 1
      return isNew && state.restarts <= PathRelation.largestRestartCount
    }
    if isNew { PathMemory.shared.note(folder: keyPath, of: location) }
    var error = QueryError(
      .hiveInvalidMetadata, "Folder '\(keyPath)' of \(location) does not fit the partition columns of the other folders",
      hint: "Declare the table with CREATE EXTERNAL TABLE.")
    error.mayStartAgain = isNew
    return error
  }

  /// Checks an opened file against what the statement reads of it.
  ///
  /// - Parameters:
  ///   - columns: what is read, as the statement was bound.
  ///   - all: the table's columns if the statement wants all there are, as `*` does.
  /// - Throws: an error that lets the statement begin anew when the file has wider types or, with `all`, more columns;
  ///   `HIVE_PARTITION_SCHEMA_MISMATCH` when a type cannot go together with the other files'.
  package func check(
    _ file: any FormatFile, _ info: ObjectInfo, columns: [ScanColumn], all: Schema?
  ) throws(QueryError) {
    // The table was made of what this file holds.
    if state.withLock({ $0.seen.contains(info) && !$0.merge.hasConflict }) { return }
    guard let own = file.ownColumns else { return }
    var types: [String: DataType] = [:]
    var known: [String: DataType] = [:]
    for column in columns { types[column.name.lowercased()] = column.type }
    for field in all?.fields ?? [] { known[field.name.lowercased()] = field.type }
    let isText = folderFormat.type.descriptor.isText
    var widened: Field?
    var added: Field?
    for field in own {
      let name = field.name.lowercased()
      if let type = types[name], field.type != .unknown, field.type != type,
        !SchemaMerge.holds(type, field.type, isText: isText)
      {
        widened = widened ?? field
      }
      if all == nil || added != nil { continue }
      if known[name].map({ SchemaMerge.hasMoreFields(field.type, than: $0) }) ?? !isPartitionKey(name) { added = field }
    }
    if widened == nil, added == nil { return }
    try learn(Schema(own), of: info, widened: widened, added: added)
  }

  private func isPartitionKey(_ name: String) -> Bool {
    state.withLock { $0.keys.columns.contains { $0.name == name } }
  }

  private func learn(_ own: Schema, of info: ObjectInfo, widened: Field?, added: Field?) throws(QueryError) {
    // A text file's names are known, its types are not.
    let isText = folderFormat.type.descriptor.isText
    let learned = isText ? (try? schema(of: info)) ?? own : own
    let (isNew, conflict) = state.withLock { state -> (Bool, QueryError?) in
      let before = state.merge.schema
      if state.seen.insert(info).inserted { state.merge.add(learned, path: info.path) }
      state.restarts += 1
      // Another worker may have met the same file's like.
      let isNew = state.restarts <= PathRelation.largestRestartCount
      return (isNew && (state.merge.schema != before || added != nil), widened.flatMap { state.merge.conflict(of: $0.name) })
    }
    if let conflict { throw conflict }
    PathMemory.shared.note(info, [], of: location)
    let name = (widened ?? added)?.name ?? ""
    var error = QueryError(
      .hivePartitionSchemaMismatch,
      widened.map { "Column '\(name)' is \($0.type) in this file and was told otherwise from a sample of the files" }
        ?? "Column '\(name)' was in none of the files that the columns were told from",
      data: DataLocation(path: info.path, column: name),
      hint: "Run the statement again: the file is looked at first from now on. Or declare the table with CREATE EXTERNAL TABLE.")
    error.mayStartAgain = isNew
    throw error
  }

  /// Takes over what readers found in files beyond their samples.
  private func takeLearned() {
    for (file, fields) in format.takeLearned() {
      state.withLock { $0.merge.add(Schema(fields), path: file.path) }
      PathMemory.shared.note(file, fields, of: location)
    }
    for note in format.takeNotes() { meter.note(note) }
  }
}

/// The files of a path, listed with partition columns as they were known when the statement was bound.
private struct PathFiles: TableFiles {
  let relation: PathRelation
  let columns: [Field]

  var location: String { relation.location }

  func list(_ predicate: (any PartitionPredicate)?, meter: ScanMeter) throws(QueryError) -> TableListing {
    try relation.list(columns, predicate)
  }
}
