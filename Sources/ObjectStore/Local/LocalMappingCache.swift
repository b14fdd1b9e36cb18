import Synchronization

/// Mappings of the files read last, for the queries to come: mapping a file anew means to fault in each of its pages again,
/// and to unmap them after the query.
///
/// A mapping is used again for the same file of the same size and time only. Files in use are not held by it alone, so that
/// one that is dropped here lives until its last slice goes.
///
/// - Threads: any.
final class LocalMappingCache: Sendable {
  static let shared = LocalMappingCache(capacity: 128)

  /// What tells a file, and a state of it, from others.
  struct Identity: Equatable {
    var device: UInt
    var inode: UInt
    var byteCount: UInt64
    /// Nanoseconds since 1970.
    var modificationTime: Int64

    func isOfFile(device: UInt, inode: UInt) -> Bool { self.inode == inode && self.device == device }
  }

  private struct Entry {
    var identity: Identity
    var mapping: FileMapping
  }

  private let capacity: Int
  /// The one used last stands last.
  private let entries = Mutex<[Entry]>([])

  init(capacity: Int) { self.capacity = capacity }

  /// The file's mapping, made where there is none.
  func mapping(_ identity: Identity, descriptor: Int32) -> FileMapping? {
    let known = entries.withLock { entries -> FileMapping? in
      guard let at = entries.lastIndex(where: { $0.identity == identity }) else { return nil }
      let entry = entries.remove(at: at)
      if entry.mapping.isDamaged { return nil }
      entries.append(entry)
      return entry.mapping
    }
    if let known { return known }
    guard let made = FileMapping(descriptor: descriptor, byteCount: identity.byteCount) else { return nil }
    // Unmapping takes its time: not under the lock.
    let dropped = entries.withLock { entries -> [Entry] in
      // Other states of the same file will not come back.
      var dropped = LocalMappingCache.take(&entries, device: identity.device, inode: identity.inode)
      if entries.count >= capacity { dropped.append(entries.removeFirst()) }
      entries.append(Entry(identity: identity, mapping: made))
      return dropped
    }
    withExtendedLifetime(dropped) {}
    return made
  }

  /// Lets a file go that is about to be removed: mapped, it would keep its place on the disk.
  func forget(device: UInt, inode: UInt) {
    let dropped = entries.withLock { LocalMappingCache.take(&$0, device: device, inode: inode) }
    withExtendedLifetime(dropped) {}
  }

  /// A file's entries, which are none of the cache's any more.
  private static func take(_ entries: inout [Entry], device: UInt, inode: UInt) -> [Entry] {
    let taken = entries.filter { $0.identity.isOfFile(device: device, inode: inode) }
    if !taken.isEmpty { entries.removeAll { $0.identity.isOfFile(device: device, inode: inode) } }
    return taken
  }
}
