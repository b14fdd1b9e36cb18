package import QueryErrors

/// The files that a location stands for.
package struct ObjectListing: Sendable {
  package var store: any ObjectStore
  /// The directory that key paths are relative to.
  package var root: String
  /// Sorted by key path.
  package var objects: [ListedObject]
}

/// Finds the files that a path, a folder or a pattern stands for.
///
///     trips.csv               that file, hidden or not
///     trips                   all files below the folder, those whose names start with _ or . left out
///     trips/year=*/*.parquet  *  any letters but /
///     trips/**/*.csv          ** any number of folders
///     day-0?.csv              ?  one letter but /
///     [a-c]*.csv  [!x]*.csv   one letter of a set, or not of it
///     {2023,2024}/*.csv       any of the texts
///
/// A pattern's wildcards do not match names that start with `_` or `.`, unless its name starts with that letter. A folder
/// that matches the whole pattern stands for the files below it. A path that exists as written is never a pattern.
package enum ObjectGlob {
  /// All files of a location.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when nothing lies there, or no file matches the pattern.
  package static func expand(
    _ location: ObjectLocation, meter: ScanMeter, threadCount: Int = 4
  ) throws(QueryError) -> ObjectListing {
    let store = location.store
    let path = location.path
    if path.isEmpty { throw QueryError(.hiveCannotOpenSplit, "The path is empty") }
    if let entry = try store.entry(path) {
      guard entry.isDirectory else {
        return ObjectListing(
          store: store, root: ObjectPath.parent(path),
          objects: [ListedObject(info: store.info(entry, at: path), keyPath: ObjectPath.lastName(path))])
      }
      let walker = DirectoryWalker(store, root: path, meter: meter, threadCount: threadCount)
      return ObjectListing(store: store, root: path, objects: try walker.walk())
    }
    guard GlobPattern.isPattern(path) else { throw store.missing(path) }

    var objects: [ListedObject] = []
    var root: String?
    for pattern in try GlobPattern.expandBraces(path) {
      let match = try matches(pattern, store, meter, threadCount)
      objects += match.objects
      root = root.map { commonDirectory($0, match.root) } ?? match.root
    }
    let top = root ?? "."
    var seen = Set<String>()
    objects = objects.filter { seen.insert($0.info.location.path).inserted }
    for index in objects.indices { objects[index].keyPath = relative(objects[index].info.location.path, to: top) }
    objects.sort { $0.keyPath < $1.keyPath }
    if objects.isEmpty {
      throw QueryError(.hiveCannotOpenSplit, "No files match the pattern: \(location)")
    }
    return ObjectListing(store: store, root: top, objects: objects)
  }

  /// The files of one pattern without braces, and the directory in front of its first wildcard.
  private static func matches(
    _ pattern: String, _ store: any ObjectStore, _ meter: ScanMeter, _ threadCount: Int
  ) throws(QueryError) -> (root: String, objects: [ListedObject]) {
    let names = pattern.split(separator: "/").map(String.init)
    let firstWild = names.firstIndex(where: GlobPattern.isPattern) ?? names.count
    if firstWild == names.count {
      // One of the braces' texts, without wildcards.
      guard let entry = try store.entry(pattern) else { return (ObjectPath.parent(pattern), []) }
      if entry.isDirectory {
        let walker = DirectoryWalker(store, root: pattern, meter: meter, threadCount: threadCount)
        return (pattern, try walker.walk())
      }
      let object = ListedObject(info: store.info(entry, at: pattern), keyPath: ObjectPath.lastName(pattern))
      return (ObjectPath.parent(pattern), [object])
    }
    var root = names[..<firstWild].joined(separator: "/")
    if pattern.hasPrefix("/") { root = "/" + root }
    let base = root.isEmpty ? "." : root
    guard try store.entry(base) != nil else { throw store.missing(base) }

    // States: the directories reached so far, each with the number of pattern names already matched.
    let steps = names[firstWild...].map(GlobPattern.init)
    let walker = DirectoryWalker(store, root: root, meter: meter, threadCount: threadCount)
    var found: [ListedObject] = []
    var level: [String: Set<Int>] = ["": closure([0], steps)]
    var depth = 0
    while !level.isEmpty {
      depth += 1
      if depth > DirectoryWalker.maximumDepth {
        throw QueryError(
          .hiveFilesystemError,
          "Folders are nested deeper than \(DirectoryWalker.maximumDepth) levels: \(base)")
      }
      var next: [String: Set<Int>] = [:]
      // A literal name needs no listing.
      var listed: [(keyPath: String, states: Set<Int>)] = []
      for (keyPath, states) in level.sorted(by: { $0.key < $1.key }) {
        if states.count == 1, let state = states.first, state < steps.count, let name = steps[state].literal {
          let key = ObjectPath.join(keyPath, name)
          guard let entry = try store.entry(ObjectPath.join(root, key)) else { continue }
          visit(entry, key, [state], steps, &next, &found, walker)
        } else {
          listed.append((keyPath, states))
        }
      }
      let entries = try walker.list(listed.map(\.keyPath), detail: .infos)
      for ((keyPath, states), entries) in zip(listed, entries) {
        for entry in entries {
          let matching = states.filter { state in
            state == steps.count ? !entry.isHidden : steps[state].matches(entry.name)
          }
          if matching.isEmpty { continue }
          visit(entry, ObjectPath.join(keyPath, entry.name), matching, steps, &next, &found, walker)
        }
      }
      level = next
    }
    return (root.isEmpty ? "." : root, found)
  }

  /// Takes one entry whose name matches at `states`. State `steps.count` means: below a folder that matched wholly.
  private static func visit(
    _ entry: ObjectEntry, _ key: String, _ states: Set<Int>, _ steps: [GlobPattern],
    _ next: inout [String: Set<Int>], _ found: inout [ListedObject], _ walker: DirectoryWalker
  ) {
    var after = Set<Int>()
    for state in states {
      if state == steps.count {
        after.insert(state)
      } else if steps[state].isAnyDepth {
        // `**` stays; at the pattern's end it also takes every file.
        after.insert(state)
      } else {
        after.insert(state + 1)
      }
    }
    if entry.isDirectory {
      next[key, default: []].formUnion(closure(after, steps))
    } else if after.contains(steps.count) || states.contains(where: { steps[safe: $0]?.isAnyDepth == true && $0 == steps.count - 1 }) {
      found.append(walker.listed(key, entry))
    }
  }

  /// Adds the states that `**` reaches by matching no folder.
  private static func closure(_ states: Set<Int>, _ steps: [GlobPattern]) -> Set<Int> {
    var all = states
    for state in states.sorted() {
      var reached = state
      while reached < steps.count - 1, steps[reached].isAnyDepth {
        reached += 1
        all.insert(reached)
      }
    }
    return all
  }

  private static func commonDirectory(_ a: String, _ b: String) -> String {
    if a == b { return a }
    let isAbsolute = a.hasPrefix("/") && b.hasPrefix("/")
    let left = a.split(separator: "/")
    let right = b.split(separator: "/")
    var count = 0
    while count < min(left.count, right.count), left[count] == right[count] { count += 1 }
    let path = left[..<count].joined(separator: "/")
    return isAbsolute ? "/" + path : path.isEmpty ? "." : path
  }

  private static func relative(_ path: String, to root: String) -> String {
    if root == "." { return path.hasPrefix("./") ? String(path.dropFirst(2)) : path }
    let prefix = root.hasSuffix("/") ? root : root + "/"
    return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.utf8.count)) : path
  }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? { index < count ? self[index] : nil }
}
