import Glibc
import QueryErrors

/// What goes wrong with files of this machine, in words for their owner.
enum LocalFileError {
  /// The error for a path where nothing lies, with a hint at near names.
  static func missing(_ path: String) -> QueryError {
    QueryError(.hiveCannotOpenSplit, "No such file or directory: \(path)", hint: nearNames(path))
  }

  /// The error for a failed system call.
  static func make(_ code: Int32, _ path: String, _ action: String) -> QueryError {
    switch code {
    case ENOENT: return missing(path)
    case ENOTDIR:
      if action == "list" { return QueryError(.hiveCannotOpenSplit, "Not a directory: \(path)") }
      return missing(path)
    case EACCES, EPERM:
      return QueryError(
        .hiveFilesystemError, "Permission denied: \(path)", hint: "Check the access rights of the file and its folders.")
    case EMFILE, ENFILE:
      return QueryError(
        .hiveFilesystemError, "Too many open files: \(path)", hint: "Raise the limit of open files (ulimit -n).")
    case ELOOP:
      return QueryError(.hiveFilesystemError, "Too many levels of symbolic links: \(path)")
    case ENOSPC, EDQUOT:
      return QueryError(.diskFull, "No space left on device: \(path)")
    default:
      return QueryError(.hiveFilesystemError, "Could not \(action): \(path) (\(String(cString: strerror(code))))")
    }
  }

  /// A hint at a name beside the missing one, at the first level where the path leaves what exists.
  private static func nearNames(_ path: String) -> String? {
    var wanted = path
    for _ in 0..<64 {
      let parent = ObjectPath.parent(wanted)
      var status = stat()
      if stat(parent, &status) == 0 {
        guard status.st_mode & S_IFMT == S_IFDIR, let stream = opendir(parent) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        // Enough for a hint; a folder of millions is not read for one.
        while names.count < 10_000, let record = readdir(stream) {
          names.append(
            withUnsafeBytes(of: &record.pointee.d_name) {
              String(cString: $0.baseAddress!.assumingMemoryBound(to: CChar.self))
            })
        }
        let name = ObjectPath.lastName(wanted)
        names.removeAll { $0 == "." || $0 == ".." || $0 == name }
        guard let near = NameSuggestion.nearest(to: name, among: names) else { return nil }
        let suggestion = parent == "." && !wanted.hasPrefix("./") ? near : ObjectPath.join(parent, near)
        return "Did you mean '\(suggestion)'?"
      }
      if parent == "." || parent == "/" || parent == wanted { return nil }
      wanted = parent
    }
    return nil
  }
}
