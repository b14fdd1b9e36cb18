package import ObjectStore
package import QueryErrors

/// The files that a table's own files list: SymlinkTextInputFormat's, one location a line.
///
/// A location without a scheme that is no absolute path is one below the folder of the list. A listed file belongs to the
/// partition of its list.
///
/// - Source: Hive `SymlinkTextInputFormat`.
package struct SymlinkedFiles: TableFiles {
  private let lists: any TableFiles
  private let stores: ObjectStores

  package init(_ lists: any TableFiles, stores: ObjectStores) {
    self.lists = lists
    self.stores = stores
  }

  package var location: String { lists.location }

  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` for a listed file that does not exist or is a folder.
  package func list(_ predicate: (any PartitionPredicate)?, meter: ScanMeter) throws(QueryError) -> TableListing {
    let listing = try lists.list(predicate, meter: meter)
    var places: [(list: TableFile, location: ObjectLocation)] = []
    for list in listing.files {
      for line in try lines(list.info, meter) { places.append((list, try place(line, in: list.info.location))) }
    }
    let calls = places.map(\.location.store.parallelCalls).max() ?? 1
    let (found, known) = (places, places.count)
    let results = concurrentMap(known, threadCount: calls) { (index) throws(QueryError) in
      try found[index].location.store.info(found[index].location.path)
    }
    var files: [TableFile] = []
    for (place, result) in zip(places, results) {
      var file = place.list
      file.info = try result.get()
      if file.info.byteCount > 0 { files.append(file) }
    }
    return TableListing(files: files, partitionsRead: listing.partitionsRead, partitionsTotal: listing.partitionsTotal)
  }

  private func lines(_ list: ObjectInfo, _ meter: ScanMeter) throws(QueryError) -> [String] {
    let source = try list.open(meter: meter)
    let text = try source.read(0..<source.byteCount, kind: .metadata).withBytes { String(decoding: $0, as: UTF8.self) }
    return text.split(whereSeparator: \.isNewline).map { line in
      var line = line
      while line.last == " " || line.last == "\t" { line.removeLast() }
      return String(line.drop { $0 == " " || $0 == "\t" })
    }.filter { !$0.isEmpty }
  }

  private func place(_ line: String, in list: ObjectLocation) throws(QueryError) -> ObjectLocation {
    if ObjectPath.splitScheme(line) != nil || line.hasPrefix("/") || line.hasPrefix("~") { return try stores.resolve(line) }
    let folder = list.path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    return ObjectLocation(store: list.store, path: folder.isEmpty ? line : ObjectPath.join(folder, line))
  }
}
