import Columnar
import ObjectStore
import QueryErrors

/// Lists the folders of many partitions, several at a time.
enum PartitionFolderListing {
  /// Listing a folder of an object service takes tens of milliseconds of waiting, so more than cores.
  private static let threadCount = 8

  /// The files of all folders, in the order of the folders; one that does not exist holds none, as in Hive.
  static func files(
    of folders: [(location: String, values: [Scalar])], meter: ScanMeter
  ) throws(QueryError) -> [TableFile] {
    let results = concurrentMap(folders.count, threadCount: threadCount) {
      (index) throws(QueryError) -> [TableFile] in
      let (location, values) = folders[index]
      let resolved = try ObjectStores.standard.resolve(location)
      guard try resolved.store.exists(resolved.path) else { return [] }
      let walker = DirectoryWalker(resolved.store, root: resolved.path, meter: meter, threadCount: 1)
      return try walker.walk().map { TableFile(info: $0.info, partitionValues: values) }
    }
    var files: [TableFile] = []
    for result in results { files += try result.get() }
    return files
  }
}
