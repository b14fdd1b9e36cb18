import Glibc
import QueryErrors

/// Pieces of SQL text.
enum SQLText {
  static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
  static func identifier(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }

  /// Names and types of `id bigint, "my price" decimal(10,2)`.
  static func columns(_ text: String) -> [(name: String, type: String)] {
    var parts: [String] = [""]
    var depth = 0
    for letter in text {
      if letter == "(" || letter == "<" { depth += 1 }
      if letter == ")" || letter == ">" { depth -= 1 }
      if letter == ",", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(letter) }
    }
    return parts.map(\.trimmed).filter { !$0.isEmpty }.map { part in
      if part.first == "\"", let end = part.dropFirst().firstIndex(of: "\"") {
        return (String(part[part.index(after: part.startIndex)..<end]), part[part.index(after: end)...].trimmed)
      }
      let words = part.split(separator: " ", maxSplits: 1).map(String.init)
      return (words[0], words.count > 1 ? words[1].trimmed : "varchar")
    }
  }
}

/// CSV by RFC 4180: an empty field is NULL, `""` the empty text.
enum CSVText {
  static func rows(_ text: String) -> [[String?]] {
    var rows: [[String?]] = []
    var row: [String?] = []
    var field: [UInt8] = []
    var (isQuoted, isInside) = (false, false)
    func endField() {
      row.append(field.isEmpty && !isQuoted ? nil : String(decoding: field, as: UTF8.self))
      (field, isQuoted) = ([], false)
    }
    var bytes = Array(text.utf8)[...]
    while let byte = bytes.popFirst() {
      switch byte {
      case 0x22 where isInside && bytes.first == 0x22:
        field.append(byte)
        bytes.removeFirst()
      case 0x22 where isInside: isInside = false
      case _ where isInside: field.append(byte)
      case 0x22 where field.isEmpty: (isQuoted, isInside) = (true, true)
      case 0x2c: endField()
      case 0x0d where bytes.first == 0x0a: break
      case 0x0a:
        endField()
        rows.append(row)
        row = []
      default: field.append(byte)
      }
    }
    if !row.isEmpty || !field.isEmpty || isQuoted {
      endField()
      rows.append(row)
    }
    return rows
  }

  static func line(_ values: [String?]) -> String {
    values.map { value in
      guard let value else { return "" }
      let needsQuotes = value.isEmpty || value.contains { ",\"\n\r".contains($0) } || value.first == " " || value.last == " "
      return needsQuotes ? "\"" + value.replacing("\"", with: "\"\"") + "\"" : value
    }.joined(separator: ",") + "\n"
  }
}

/// Partition values in folder names.
enum PathText {
  /// - Source: Hive `FileUtils.escapePathName`.
  static func escaped(_ value: String) -> String {
    var result: [UInt8] = []
    for byte in value.utf8 {
      if byte < 0x20 || byte == 0x7f || "\"#%'*/:=?\\{[]^".utf8.contains(byte) {
        result += Array(("%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)).utf8)
      } else {
        result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

/// Folders and files, without Foundation.
enum FileTree {
  static func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func isFolder(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// The files below a folder, or the file itself, whose names have an ending; in the order of their names.
  static func files(_ path: String, ending: String) -> [String] {
    guard isFolder(path) else { return access(path, R_OK) == 0 ? [path] : [] }
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(cString: $0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
      if !name.hasPrefix(".") { names.append(name) }
    }
    let base = path.hasSuffix("/") ? String(path.dropLast()) : path
    return names.sorted().flatMap { name -> [String] in
      let full = base + "/" + name
      return isFolder(full) ? files(full, ending: ending) : name.hasSuffix(ending) ? [full] : []
    }
  }

  /// Writes a file and makes the folders above it.
  ///
  /// - Throws: `HIVE_FILESYSTEM_ERROR`.
  static func write(_ text: String, to path: String) throws(QueryError) {
    var made = ""
    for part in parent(path).split(separator: "/", omittingEmptySubsequences: false) {
      made += part + "/"
      mkdir(made, 0o777)
    }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    var rest = Array(text.utf8)[...]
    while descriptor >= 0, !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count < 0 { break }
      rest = rest.dropFirst(count)
    }
    let reason = String(cString: strerror(errno))
    if descriptor >= 0 { close(descriptor) }
    if descriptor < 0 || !rest.isEmpty { throw QueryError(.hiveFilesystemError, "Cannot write \(path): \(reason)") }
  }

  /// A new folder that nobody else has.
  static func makeTemporary() throws(QueryError) -> String {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/sqlq-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw QueryError(.hiveFilesystemError, "Cannot make a folder in \(base): \(String(cString: strerror(errno)))")
    }
    return String(cString: made)
  }

  /// Removes a folder that `makeTemporary` made, with all in it.
  static func removeTemporary(_ path: String) {
    guard let stream = opendir(path) else { return }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(cString: $0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
      if name != ".", name != ".." { names.append(name) }
    }
    closedir(stream)
    for name in names {
      let full = path + "/" + name
      var info = stat()
      if lstat(full, &info) == 0, info.st_mode & S_IFMT == S_IFDIR { removeTemporary(full) } else { unlink(full) }
    }
    rmdir(path)
  }
}

/// Time that passes.
enum Clock {
  static var milliseconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1e6
  }
}
