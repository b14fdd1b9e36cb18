package import QueryErrors

/// Buckets of an object service kept below one local folder: `s3://bucket/key` is the file `folder/bucket/key`.
///
/// No location leaves the folder: keys with `.`, `..` or empty names are refused.
package struct FolderObjectStore: ObjectStore {
  package let scheme: String
  private let folder: String
  private let files = LocalObjectStore()

  package init(scheme: String, folder: String) {
    self.scheme = scheme
    self.folder = folder
  }

  /// The local path of a bucket and key.
  ///
  /// - Throws: `INVALID_ARGUMENTS` for keys that no file can have.
  package static func path(_ path: String, in folder: String) throws(QueryError) -> String {
    let trimmed = path.hasSuffix("/") ? path.dropLast() : path[...]
    if trimmed.isEmpty { return folder }
    for part in trimmed.split(separator: "/", omittingEmptySubsequences: false)
    where part.isEmpty || part == "." || part == ".." || part.utf8.count > 255 || part.utf8.contains(0) {
      throw QueryError(
        .invalidArguments, "The key '\(path)' cannot be kept in a folder", hint: "Keys are paths of names; '.', '..' and empty names are none.")
    }
    return folder + "/" + trimmed
  }

  private func local(_ path: String) throws(QueryError) -> String { try FolderObjectStore.path(path, in: folder) }

  package func list(
    _ directory: String, depth: ListingDepth, detail: ListingDetail, meter: ScanMeter
  ) throws(QueryError) -> [ObjectEntry] {
    try files.list(local(directory), depth: depth, detail: detail, meter: meter)
  }

  package func entry(_ path: String) throws(QueryError) -> ObjectEntry? { try files.entry(local(path)) }

  package func open(_ path: String, meter: ScanMeter) throws(QueryError) -> any ByteSource {
    try files.open(local(path), meter: meter)
  }

  package func makeWriter(_ path: String, replacing: Bool) throws(QueryError) -> any ObjectWriter {
    let local = try local(path)
    // There are no folders to be made first in an object service; buckets there are.
    try files.makeDirectory(ObjectPath.parent(local))
    return try files.makeWriter(local, replacing: replacing)
  }

  package func remove(_ path: String) throws(QueryError) { try files.remove(local(path)) }
  package func makeDirectory(_ path: String) throws(QueryError) { try files.makeDirectory(local(path)) }

  package func missing(_ path: String) -> QueryError {
    QueryError(.hiveCannotOpenSplit, "Object does not exist: \(text(of: path))")
  }
}
