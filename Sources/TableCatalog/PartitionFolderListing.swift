import Columnar
import ObjectStore
import QueryErrors

/// Lists the folders of many partitions, several at a time.
enum PartitionFolderListing {
  /// Listing a folder of an object service takes tens of milliseconds of waiting, so more than cores.
  private static let threadCount = 8

  /// The files of all folders, in the order of the folders; one that does not exist holds none, as in Hive, and
  /// neither does an empty file.
  static func files(
    of folders: [(location: String, values: [Scalar], name: String)], _ stores: ObjectStores, meter: ScanMeter
  ) throws(QueryError) -> [TableFile] {
    let places = try folders.map { (folder) throws(QueryError) in try stores.resolve(folder.location) }
    if let store = places.first?.store, store.isFlat, places.allSatisfy({ $0.store.scheme == store.scheme }) {
      return try files(of: folders, places, store, meter)
    }
    let results = concurrentMap(folders.count, threadCount: threadCount) {
      (index) throws(QueryError) -> [TableFile] in
      let (_, values, name) = folders[index]
      let resolved = places[index]
      guard try resolved.store.exists(resolved.path) else { return [] }
      let walker = DirectoryWalker(resolved.store, root: resolved.path, meter: meter, threadCount: 1)
      return try walker.walk().filter { $0.info.byteCount > 0 }
        .map { TableFile(info: $0.info, partitionValues: values, partitionName: name) }
    }
    var files: [TableFile] = []
    for result in results { files += try result.get() }
    return files
  }

  /// The files of folders whose store reads the keys of several in one call.
  private static func files(
    of folders: [(location: String, values: [Scalar], name: String)], _ places: [ObjectLocation], _ store: any ObjectStore,
    _ meter: ScanMeter
  ) throws(QueryError) -> [TableFile] {
    let listed = try store.list(each: places.map(\.path), depth: .allLevels, detail: .infos, meter: meter)
    var files: [TableFile] = []
    for (index, entries) in listed.enumerated() {
      for entry in entries ?? [] where entry.byteCount ?? 0 > 0 {
        if entry.name.split(separator: "/").contains(where: { ObjectPath.isHidden(String($0)) }) { continue }
        files.append(
          TableFile(
            info: store.info(entry, at: places[index].appending(entry.name).path), partitionValues: folders[index].values,
            partitionName: folders[index].name))
      }
    }
    return files
  }
}
