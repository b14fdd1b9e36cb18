import Columnar
import ObjectStore
import QueryErrors

/// A first look at a folder: its partition keys, told from the names of all folders that may hold partitions, and some
/// files of every level to tell the columns from.
///
/// Folders of one level are listed all when some of them hold folders; of the lowest level only a few spread ones are.
struct FolderSurvey {
  private(set) var keys = PartitionKeys()
  /// Files that are not empty, spread over the levels, in path order.
  private(set) var files: [ListedObject] = []
  /// An empty file, when there are no others.
  private(set) var emptyFile: ListedObject?
  /// Folders without folders in them; nil when they were not all seen.
  private(set) var folderCount: Int? = 0

  /// Folders listed per level to see whether it is the lowest.
  private static let probeCount = 12
  /// Folders listed at most to learn partition names; deeper trees are sampled.
  private static let largestListingCount = 50_000
  /// Files taken of each level at most.
  private static let fileCount = 24

  init(_ tree: FolderTree, witnesses: Set<String>) throws(QueryError) {
    var level = [""]
    var listed = 0
    var leaves = 0
    var sample: [ListedObject] = []
    while !level.isEmpty {
      let probes = FolderSurvey.spread(level, FolderSurvey.probeCount)
      let probed = try tree.list(probes)
      let hasFolders = probed.contains { $0.contains { $0.isDirectory } }
      var folders = probes
      if hasFolders, listed + level.count <= FolderSurvey.largestListingCount {
        folders = level
      } else if folders.count < level.count {
        // Names of lower levels are not all seen.
        if hasFolders { folderCount = nil }
      }
      listed += folders.count
      var next: [String] = []
      var found: [ListedObject] = []
      for (keyPath, entries) in zip(folders, folders.count == probes.count ? probed : try tree.list(folders)) {
        let ownFiles = take(entries.filter { !$0.isDirectory }, keyPath, tree)
        found += ownFiles
        for entry in entries where entry.isDirectory {
          if let (key, value) = PartitionFolder.parse(entry.name) { keys.add(key, value) }
          next.append(ObjectPath.join(keyPath, entry.name))
        }
        if folders.count == level.count, !keyPath.isEmpty, !entries.contains(where: \.isDirectory) { leaves += 1 }
      }
      sample += FolderSurvey.spread(found, FolderSurvey.fileCount)
      if folders.count < level.count { leaves += level.count }
      level = next
    }
    if folderCount != nil { folderCount = leaves }
    for keyPath in witnesses {
      for name in keyPath.split(separator: "/") {
        if let (key, value) = PartitionFolder.parse(name) { keys.add(key, value) }
      }
    }
    files = sample.sorted { $0.keyPath < $1.keyPath }
  }

  /// Some of a folder's files: of many the first, the last and some between.
  private mutating func take(_ entries: [ObjectEntry], _ keyPath: String, _ tree: FolderTree) -> [ListedObject] {
    let full = entries.filter { $0.byteCount ?? 0 > 0 }
    if full.isEmpty, emptyFile == nil, let empty = entries.first {
      emptyFile = tree.listed(ObjectPath.join(keyPath, empty.name), empty)
    }
    return FolderSurvey.spread(full, FolderSurvey.fileCount).map { tree.listed(ObjectPath.join(keyPath, $0.name), $0) }
  }

  /// The first, the last and evenly spaced ones between, at most `count`.
  static func spread<Item>(_ items: [Item], _ count: Int) -> [Item] {
    if items.count <= count || count < 2 { return items }
    return (0..<count).map { items[$0 * (items.count - 1) / (count - 1)] }
  }
}
