import Glibc
package import QueryErrors
import Synchronization

/// A file found below a root.
package struct ListedObject: Hashable, Sendable {
  package var info: ObjectInfo
  /// The path relative to the root: `year=2024/part-0.parquet`.
  package var keyPath: String

  package init(info: ObjectInfo, keyPath: String) {
    self.info = info
    self.keyPath = keyPath
  }
}

/// A subdirectory that a walk may enter.
package struct DirectoryVisit: Sendable {
  /// Path relative to the root: `year=2024/month=01`.
  package var keyPath: String
  /// The last name: `month=01`.
  package var name: String
  /// 1 for the root's own subdirectories.
  package var depth: Int
}

/// Lists the files below a directory, level by level, entering only the subdirectories that are asked for.
///
/// Directories of one level are listed by several threads; what they hold is known before the next level starts, so a
/// partition filter can drop most of them by name. Names that start with `_` or `.` are left out.
package struct DirectoryWalker: Sendable {
  private let store: any ObjectStore
  private let root: String
  private let meter: ScanMeter
  private let threadCount: Int

  /// Deeper directories are an error.
  package static let maximumDepth = 100

  /// - Parameter threadCount: how many threads list directories; 1 lists them on the calling thread.
  package init(_ store: any ObjectStore, root: String, meter: ScanMeter, threadCount: Int = 4) {
    self.store = store
    self.root = root
    self.meter = meter
    self.threadCount = max(1, threadCount)
  }

  /// All files below the root, in the order of their key paths' names.
  ///
  /// - Throws: the errors of `ObjectStore.list`.
  package func walk() throws(QueryError) -> [ListedObject] {
    guard store.isFlat else { return try walk { (_) throws(QueryError) in true } }
    return try store.list(root, depth: .allLevels, detail: .infos, meter: meter).compactMap { entry in
      entry.name.split(separator: "/").contains { ObjectPath.isHidden(String($0)) } ? nil : listed(entry.name, entry)
    }
  }

  /// The files below the root that lie in directories which `enter` takes, in the order of their key paths' names.
  ///
  /// - Parameter enter: called on this thread for every subdirectory found, before it is listed.
  /// - Throws: the errors of `ObjectStore.list`, and those of `enter`.
  package func walk(
    enter: (DirectoryVisit) throws(QueryError) -> Bool
  ) throws(QueryError) -> [ListedObject] {
    var found: [ListedObject] = []
    var level = [""]
    var depth = 1
    while !level.isEmpty {
      if depth > DirectoryWalker.maximumDepth {
        throw QueryError(
          .hiveFilesystemError, "Folders are nested deeper than \(DirectoryWalker.maximumDepth) levels: \(root)")
      }
      var next: [String] = []
      for (keyPath, entries) in zip(level, try list(level, detail: .infos)) {
        for entry in entries where !entry.isHidden {
          let key = ObjectPath.join(keyPath, entry.name)
          if entry.isDirectory {
            if try enter(DirectoryVisit(keyPath: key, name: entry.name, depth: depth)) { next.append(key) }
          } else {
            found.append(listed(key, entry))
          }
        }
      }
      level = next
      depth += 1
    }
    if depth > 2 { found.sort { $0.keyPath < $1.keyPath } }
    return found
  }

  /// The entries of several directories, given by key path (`""` is the root), in the order given.
  ///
  /// - Throws: the errors of `ObjectStore.list`, those of the first directory that has one.
  package func list(_ keyPaths: [String], detail: ListingDetail) throws(QueryError) -> [[ObjectEntry]] {
    let paths = keyPaths.map { ObjectPath.join(root, $0) }
    if store.isFlat {
      let listed = try store.list(each: paths, depth: .oneLevel, detail: detail, meter: meter)
      // Folders below the root that have no files, but for the mark that says they exist.
      if keyPaths.contains(""), paths.count == 1, listed[0] == nil { throw store.missing(root) }
      return listed.map { $0 ?? [] }
    }
    let results = concurrentMap(paths.count, threadCount: threadCount) {
      index throws(QueryError) in try store.list(paths[index], detail: detail, meter: meter)
    }
    var entries: [[ObjectEntry]] = []
    entries.reserveCapacity(results.count)
    for result in results { entries.append(try result.get()) }
    return entries
  }

  /// The listed object of an entry that was listed with details.
  package func listed(_ keyPath: String, _ entry: ObjectEntry) -> ListedObject {
    ListedObject(info: store.info(entry, at: ObjectPath.join(root, keyPath)), keyPath: keyPath)
  }
}

/// Runs `body` for 0 ..< count on up to `threadCount` threads, the calling one included; after a failure the rest is
/// not started and fails alike.
package func concurrentMap<Value: Sendable>(
  _ count: Int, threadCount: Int, _ body: @Sendable (Int) throws(QueryError) -> Value
) -> [Result<Value, QueryError>] {
  // Few calls end sooner than a thread starts.
  if count < 4 || threadCount < 2 {
    var results: [Result<Value, QueryError>] = []
    for index in 0..<count {
      do throws(QueryError) {
        results.append(.success(try body(index)))
      } catch {
        results.append(.failure(error))
        break
      }
    }
    return results
  }
  return withoutActuallyEscaping(body) { body in
    let work = ConcurrentWork(count, body)
    var threads: [pthread_t] = []
    for _ in 1..<min(threadCount, count) {
      var thread = pthread_t()
      let retained = Unmanaged.passRetained(work as AnyObject)
      let started = pthread_create(
        &thread, nil,
        { argument in
          (Unmanaged<AnyObject>.fromOpaque(argument!).takeRetainedValue() as! any Runnable).run()
          return nil
        }, retained.toOpaque())
      if started == 0 { threads.append(thread) } else { retained.release() }
    }
    work.run()
    for thread in threads { pthread_join(thread, nil) }
    return work.finished()
  }
}

/// What a thread runs.
private protocol Runnable: AnyObject, Sendable {
  func run()
}

/// The indexes that threads take and the results they leave.
private final class ConcurrentWork<Value: Sendable>: Runnable, @unchecked Sendable {
  private let count: Int
  private let body: @Sendable (Int) throws(QueryError) -> Value
  private let nextIndex = Atomic<Int>(0)
  private let hasFailed = Atomic<Bool>(false)
  // Each index is written by the one thread that took it; read after all threads have ended.
  private let results: UnsafeMutablePointer<Result<Value, QueryError>?>

  init(_ count: Int, _ body: @escaping @Sendable (Int) throws(QueryError) -> Value) {
    self.count = count
    self.body = body
    results = .allocate(capacity: count)
    results.initialize(repeating: nil, count: count)
  }

  deinit {
    results.deinitialize(count: count)
    results.deallocate()
  }

  func run() {
    while !hasFailed.load(ordering: .relaxed) {
      let index = nextIndex.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      do throws(QueryError) {
        results[index] = .success(try body(index))
      } catch {
        results[index] = .failure(error)
        hasFailed.store(true, ordering: .relaxed)
      }
    }
  }

  func finished() -> [Result<Value, QueryError>] {
    var all: [Result<Value, QueryError>] = []
    var failure: QueryError?
    for index in 0..<count {
      if case .failure(let error) = results[index] { failure = failure ?? error }
    }
    for index in 0..<count {
      if let failure { return [.failure(failure)] }
      if let result = results[index] { all.append(result) }
    }
    return all
  }
}
