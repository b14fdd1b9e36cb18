import CKernels
import Glibc
package import QueryErrors

/// Files of this machine.
///
/// Symbolic links are followed; a link to one of the directories it lies in is left out of listings.
package struct LocalObjectStore: ObjectStore {
  package var scheme: String { "file" }

  /// Smaller files are read whole at `open`: cheaper than mapping them.
  package static let smallFileLimit = 64 << 10

  package init() { LocalObjectStore.raiseFileLimit }

  package func list(
    _ directory: String, depth: ListingDepth, detail: ListingDetail, meter: ScanMeter
  ) throws(QueryError) -> [ObjectEntry] {
    var entries = try listOne(directory, detail, meter)
    if depth == .oneLevel { return entries }
    // A folder of the file system costs a call, whoever makes it.
    var files: [ObjectEntry] = []
    while let entry = entries.popLast() {
      guard entry.isDirectory else {
        files.append(entry)
        continue
      }
      for var below in try listOne(ObjectPath.join(directory, entry.name), detail, meter) {
        below.name = ObjectPath.join(entry.name, below.name)
        entries.append(below)
      }
    }
    files.sort { $0.name < $1.name }
    return files
  }

  private func listOne(
    _ directory: String, _ detail: ListingDetail, _ meter: ScanMeter
  ) throws(QueryError) -> [ObjectEntry] {
    try meter.cancellation.check()
    let path = directory.isEmpty ? "." : directory
    guard let stream = opendir(path) else { throw LocalFileError.make(errno, path, "list") }
    defer { closedir(stream) }
    let descriptor = dirfd(stream)
    var entries: [ObjectEntry] = []
    while true {
      errno = 0
      guard let record = readdir(stream) else {
        if errno != 0 { throw LocalFileError.make(errno, path, "list") }
        break
      }
      let length = withUnsafeBytes(of: &record.pointee.d_name) { strlen($0.baseAddress!) }
      if length <= 2, isDots(&record.pointee, length) { continue }
      guard isText(&record.pointee, length) else {
        meter.note("A file in \(path) has a name that is no UTF-8 and is not read")
        continue
      }
      guard let entry = try entry(&record.pointee, length, in: descriptor, path, detail) else { continue }
      entries.append(entry)
      if entries.count & 1023 == 0 { try meter.cancellation.check() }
    }
    entries.sort { $0.name < $1.name }
    try meter.addListing(entryCount: entries.count)
    return entries
  }

  package func entry(_ path: String) throws(QueryError) -> ObjectEntry? {
    var status = stat()
    if stat(path.isEmpty ? "." : path, &status) != 0 {
      let code = errno
      if code == ENOENT || code == ENOTDIR { return nil }
      throw LocalFileError.make(code, path, "read")
    }
    if let descriptor = StandardInput.descriptor(path) {
      status.st_mode = S_IFREG
      status.st_size = off_t(try StandardInput.source(descriptor, path: path).byteCount)
      status.st_mtim = timespec()
    }
    return makeEntry(ObjectPath.lastName(path), status)
  }

  package func open(_ path: String, meter: ScanMeter) throws(QueryError) -> any ByteSource {
    try meter.addFile()
    if let descriptor = StandardInput.descriptor(path) {
      return MemoryByteSource(sharing: try StandardInput.source(descriptor, path: path), path: path, meter: meter)
    }
    let descriptor = openFile(path)
    guard descriptor >= 0 else { throw LocalFileError.make(errno, path, "open") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw LocalFileError.make(code, path, "read")
    }
    let type = status.st_mode & S_IFMT
    if type == S_IFDIR {
      close(descriptor)
      throw QueryError(
        .hiveCannotOpenSplit, "Is a directory: \(path)", hint: "Name a file in it, or query the folder as a table.")
    }
    guard type == S_IFREG else {
      defer { close(descriptor) }
      return try MemoryByteSource(draining: descriptor, path: path, meter: meter)
    }
    let info = ObjectInfo(
      location: ObjectLocation(store: self, path: path), byteCount: UInt64(max(0, status.st_size)),
      modificationTime: modificationTime(status))
    if info.byteCount < UInt64(LocalObjectStore.smallFileLimit), info.byteCount > 0 {
      defer { close(descriptor) }
      return try MemoryByteSource(whole: descriptor, info: info, meter: meter)
    }
    // Some file systems (/proc) say 0 for files that have bytes.
    if info.byteCount == 0 {
      defer { close(descriptor) }
      return try MemoryByteSource(draining: descriptor, path: path, meter: meter)
    }
    let identity = LocalMappingCache.Identity(
      device: UInt(status.st_dev), inode: UInt(status.st_ino), byteCount: info.byteCount,
      modificationTime: info.modificationTime)
    if let mapping = LocalMappingCache.shared.mapping(identity, descriptor: descriptor) {
      return MappedByteSource(mapping, descriptor: descriptor, info: info, meter: meter)
    }
    return PreadByteSource(descriptor: descriptor, info: info, meter: meter)
  }

  package func makeWriter(_ path: String, replacing: Bool) throws(QueryError) -> any ObjectWriter {
    try LocalObjectWriter(path, replaces: replacing)
  }

  package func remove(_ path: String) throws(QueryError) {
    var status = stat()
    if lstat(path, &status) == 0 {
      LocalMappingCache.shared.forget(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    }
    if unlink(path) != 0, errno != ENOENT { throw LocalFileError.make(errno, path, "remove") }
  }

  package func makeDirectory(_ path: String) throws(QueryError) {
    if path.isEmpty || path == "/" || path == "." { return }
    if mkdir(path, 0o777) == 0 { return }
    let code = errno
    if code == EEXIST, try isDirectory(path) { return }
    guard code == ENOENT else { throw LocalFileError.make(code, path, "create the folder") }
    try makeDirectory(ObjectPath.parent(path))
    if mkdir(path, 0o777) != 0, errno != EEXIST { throw LocalFileError.make(errno, path, "create the folder") }
  }

  package func removeEmptyDirectory(_ path: String) throws(QueryError) {
    if rmdir(path) != 0, errno != ENOENT, errno != ENOTEMPTY, errno != EEXIST { throw LocalFileError.make(errno, path, "remove") }
  }

  package func move(_ from: String, to path: String) throws(QueryError) {
    if rename(from, path) == 0 { return }
    let code = errno
    if code == ENOENT, try exists(ObjectPath.parent(path)) { throw LocalFileError.missing(from) }
    guard code == EXDEV else { throw LocalFileError.make(code, path, "write") }
    try copy(from, to: path)
    try sync([path])
    try remove(from)
  }

  /// Calls that wait for the disk at once.
  private static let syncsAtOnce = 8

  package func sync(_ paths: [String]) throws(QueryError) {
    // A folder remembers the names in it for itself.
    let all = paths + Set(paths.map(ObjectPath.parent)).sorted()
    let results = concurrentMap(all.count, threadCount: LocalObjectStore.syncsAtOnce) { (index) throws(QueryError) -> Void in
      let descriptor = Glibc.open(all[index], O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw LocalFileError.make(errno, all[index], "write") }
      defer { close(descriptor) }
      // Some file systems cannot sync folders.
      if fsync(descriptor) != 0, errno != EINVAL { throw LocalFileError.make(errno, all[index], "write") }
    }
    for result in results { try result.get() }
  }

  package func missing(_ path: String) -> QueryError { LocalFileError.missing(path) }

  package func text(of path: String) -> String { path }

  // MARK: Entries

  private func isDots(_ record: inout dirent, _ length: Int) -> Bool {
    withUnsafeBytes(of: &record.d_name) { name in
      length > 0 && name[0] == UInt8(ascii: ".") && (length == 1 || name[1] == UInt8(ascii: "."))
    }
  }

  private func isText(_ record: inout dirent, _ length: Int) -> Bool {
    withUnsafeBytes(of: &record.d_name) { name in
      var i = 0
      while i < length, name[i] < 0x80 { i += 1 }
      return i == length || String(validating: name[..<length], as: UTF8.self) != nil
    }
  }

  /// The entry of a directory record, or nil when it is neither file nor directory or leads back into itself.
  private func entry(
    _ record: inout dirent, _ length: Int, in descriptor: Int32, _ directory: String, _ detail: ListingDetail
  ) throws(QueryError) -> ObjectEntry? {
    let name = withUnsafeBytes(of: &record.d_name) { bytes in
      String(decoding: UnsafeRawBufferPointer(rebasing: bytes[..<length]), as: UTF8.self)
    }
    switch Int(record.d_type) {
    case DT_DIR: return ObjectEntry(name: name, isDirectory: true)
    case DT_REG where detail == .names: return ObjectEntry(name: name, isDirectory: false)
    case DT_REG, DT_LNK, DT_UNKNOWN: break
    default: return nil
    }
    var status = stat()
    let result = withUnsafeBytes(of: &record.d_name) {
      fstatat(descriptor, $0.baseAddress!.assumingMemoryBound(to: CChar.self), &status, 0)
    }
    if result != 0 {
      // Removed since it was listed, or a link to nothing.
      if errno == ENOENT || errno == ELOOP { return nil }
      throw LocalFileError.make(errno, ObjectPath.join(directory, name), "read")
    }
    let entry = makeEntry(name, status)
    if entry == nil { return nil }
    if entry!.isDirectory, Int(record.d_type) == DT_LNK, leadsBack(status, directory) { return nil }
    return entry
  }

  private func makeEntry(_ name: String, _ status: stat) -> ObjectEntry? {
    if status.st_mode & S_IFMT == S_IFDIR { return ObjectEntry(name: name, isDirectory: true) }
    return ObjectEntry(
      name: name, isDirectory: false, byteCount: UInt64(max(0, status.st_size)),
      modificationTime: modificationTime(status))
  }

  /// Whether `target` is the directory or one of those it lies in, as its path names them.
  private func leadsBack(_ target: stat, _ directory: String) -> Bool {
    var path = directory
    while true {
      var status = stat()
      if stat(path, &status) == 0, status.st_dev == target.st_dev, status.st_ino == target.st_ino { return true }
      let parent = ObjectPath.parent(path)
      if path == "." || path == "/" || parent == path { return false }
      path = parent
    }
  }

  private func modificationTime(_ status: stat) -> Int64 {
    Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
  }

  private func openFile(_ path: String) -> Int32 {
    while true {
      let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
      if descriptor >= 0 || errno != EINTR { return descriptor }
    }
  }

  /// Raises the soft limit of open files to the hard one, once per process.
  private static let raiseFileLimit: Void = {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(resource, &limit)
  }()
}
