import Columnar
import ObjectStore
import QueryErrors

/// Lists the files below a folder with the values of their partition keys, entering only folders that may match.
///
/// Keys are found by name, in any order and at any depth: what a path does not name is NULL.
struct FolderWalk {
  /// A file and what its folders say.
  struct Found {
    var object: ListedObject
    /// One per partition column, nil where no folder names it.
    var values: [Scalar?]
    /// `year=2024/month=05`; empty outside all partitions.
    var partition: String
  }

  private struct Folder {
    var keyPath: String
    var values: [Scalar?]
    var partition: String
  }

  private let relation: PathRelation
  private let columns: [Field]
  private let predicate: (any PartitionPredicate)?
  private(set) var files: [Found] = []
  /// Folders that were not entered.
  private(set) var skipped = 0

  init(_ relation: PathRelation, columns: [Field], _ predicate: (any PartitionPredicate)?) {
    self.relation = relation
    self.columns = columns
    self.predicate = predicate
  }

  mutating func walk(_ tree: FolderTree) throws(QueryError) {
    var level = [Folder(keyPath: "", values: Array(repeating: nil, count: columns.count), partition: "")]
    var depth = 0
    while !level.isEmpty {
      depth += 1
      if depth > DirectoryWalker.maximumDepth {
        throw QueryError(
          .hiveFilesystemError,
          "Folders are nested deeper than \(DirectoryWalker.maximumDepth) levels: \(relation.location)")
      }
      var next: [Folder] = []
      for (folder, entries) in zip(level, try tree.list(level.map(\.keyPath))) {
        for entry in entries {
          let keyPath = ObjectPath.join(folder.keyPath, entry.name)
          if !entry.isDirectory {
            if entry.byteCount ?? 0 > 0 { try add(tree.listed(keyPath, entry), folder) }
          } else if let below = try enter(folder, entry.name, keyPath) {
            next.append(below)
          }
        }
      }
      level = next
    }
    if depth > 2 { files.sort { $0.object.keyPath < $1.object.keyPath } }
  }

  /// Takes files that a pattern named.
  mutating func take(_ objects: [ListedObject]) throws(QueryError) {
    var known: [String: Folder?] = [:]
    let root = Folder(keyPath: "", values: Array(repeating: nil, count: columns.count), partition: "")
    for object in objects {
      let parent = ObjectPath.parent(object.keyPath)
      if known[parent] == nil {
        var folder: Folder? = root
        if parent != ".", parent != "/" {
          for name in parent.split(separator: "/") {
            guard let above = folder else { break }
            folder = try enter(above, String(name), ObjectPath.join(above.keyPath, String(name)))
          }
        }
        known[parent] = .some(folder)
      }
      if let folder = known[parent] ?? nil { try add(object, folder) }
    }
  }

  private mutating func add(_ object: ListedObject, _ folder: Folder) throws(QueryError) {
    if let predicate, folder.values.contains(where: { $0 == nil }) {
      guard try predicate.mayMatch(folder.values.map { $0 ?? .null }) else { return }
    }
    files.append(Found(object: object, values: folder.values, partition: folder.partition))
  }

  /// The folder below another with its key's value; nil when no row in it may match.
  private mutating func enter(_ above: Folder, _ name: String, _ keyPath: String) throws(QueryError) -> Folder? {
    guard let (key, text) = PartitionFolder.parse(name) else {
      return Folder(keyPath: keyPath, values: above.values, partition: above.partition)
    }
    let wanted = key.lowercased()
    guard let index = columns.firstIndex(where: { $0.name == wanted }), text.map({ PartitionKeys.fits($0, columns[index].type) }) ?? true
    else {
      throw relation.learn(folder: keyPath)
    }
    guard above.values[index] == nil else {
      throw QueryError(
        .hiveInvalidMetadata, "Folder '\(keyPath)' of \(relation.location) names the partition column '\(wanted)' twice",
        hint: "Rename one of the folders, or name the files with a pattern below them.")
    }
    var folder = Folder(
      keyPath: keyPath, values: above.values, partition: above.partition.isEmpty ? name : above.partition + "/" + name)
    folder.values[index] = try PartitionValue.parse(text, columns[index], in: keyPath, of: relation.location)
    if let predicate, try !predicate.mayMatch(folder.values) {
      skipped += 1
      return nil
    }
    return folder
  }
}
