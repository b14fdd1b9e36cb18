import Glibc
import QueryErrors
import TableCatalog

/// When candidates have to be there.
struct CompletionDeadline: Sendable {
  private let end: Int

  init(milliseconds: Int) { end = StatementClock.now(CLOCK_MONOTONIC) + milliseconds * 1_000_000 }

  var isPassed: Bool { StatementClock.now(CLOCK_MONOTONIC) >= end }
}

/// Finds the values of a partition column, as many as there is time for.
struct PartitionValues {
  private let deadline: CompletionDeadline

  struct Found {
    var values: [String] = []
    var isPartial = false
  }

  private static let valueLimit = 200
  /// Partitions fetched at once.
  private static let blockCount = 1000

  init(_ deadline: CompletionDeadline) { self.deadline = deadline }

  // MARK: Of the catalog

  /// Values of a column of a declared table, in the order the catalog keeps partitions in.
  ///
  /// Jumps from one value to the next, so that the first column of 100,000 partitions costs as many look-ups as it has
  /// values; of later columns the values known to be asked for narrow the range.
  func values(
    of table: TableDefinition, _ catalog: Catalog, column: String, beginning typed: String, _ given: [String: String]
  ) -> Found {
    let keys = table.partitionColumns.map { $0.name.lowercased() }
    guard let place = keys.firstIndex(of: column.lowercased()) else { return Found() }
    var found = Found()
    var seen: Set<String> = []
    // Folders in front of the column that the statement fixes already.
    var prefix = ""
    for key in keys[..<place] {
      guard let value = given[key] else { break }
      prefix += PartitionFolder.encode(key) + "=" + PartitionFolder.encode(value) + "/"
    }
    let fixedCount = prefix.utf8.count { $0 == UInt8(ascii: "/") }
    let isDirect = fixedCount == place
    let typedFolder = PartitionFolder.encode(keys[place]) + "=" + PartitionFolder.encode(typed)
    var from = prefix + (isDirect ? typedFolder : "")
    let bound = isDirect ? prefix + typedFolder : prefix
    while true {
      if deadline.isPassed || found.values.count >= PartitionValues.valueLimit {
        found.isPartial = true
        break
      }
      let limit = isDirect ? 1 : PartitionValues.blockCount
      guard let folders = try? catalog.partitionFolders(of: table.name, from: from, limit: limit), let last = folders.last else { break }
      for folder in folders where folder.hasPrefix(bound) {
        let values = PartitionFolder.values(folder)
        guard place < values.count, let value = values[place], value.hasPrefix(typed) else { continue }
        if seen.insert(value).inserted { found.values.append(value) }
      }
      guard last.hasPrefix(bound) else { break }
      if isDirect {
        // Past all partitions with this value: the first name behind `value/…`.
        let parts = last.split(separator: "/")
        from = parts.count > place + 1 ? parts.prefix(place + 1).joined(separator: "/") + "0" : last + "\u{1}"
      } else {
        if folders.count < limit { break }
        from = last + "\u{1}"
      }
    }
    if !isDirect { found.values.sort() }
    return found
  }

  // MARK: Of folders

  /// Values of a key of Hive's folder names below a path; nil when no folder has that key.
  func values(ofPath path: String, column: String, beginning typed: String, _ given: [String: String]) -> Found? {
    if path.contains("://") || path.contains("*") { return nil }
    var found = Found()
    var seen: Set<String> = []
    var hasKey = false
    var level = [path.hasSuffix("/") ? String(path.dropLast()) : path]
    let column = column.lowercased()
    for _ in 0..<16 {
      var next: [String] = []
      for folder in level {
        guard let stream = opendir(folder.isEmpty ? "/" : folder) else { continue }
        defer { closedir(stream) }
        var count = 0
        while let record = readdir(stream) {
          count += 1
          if count & 255 == 0, deadline.isPassed {
            found.isPartial = true
            break
          }
          if Int(record.pointee.d_type) != DT_DIR, Int(record.pointee.d_type) != DT_LNK, Int(record.pointee.d_type) != DT_UNKNOWN { continue }
          let name = withUnsafeBytes(of: &record.pointee.d_name) { String(cString: $0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
          guard name.utf8.contains(UInt8(ascii: "=")), let (key, value) = PartitionFolder.parse(name) else { continue }
          if key.lowercased() == column {
            hasKey = true
            if let value, value.hasPrefix(typed), seen.insert(value).inserted { found.values.append(value) }
          } else if let wanted = given[key.lowercased()], value != wanted {
            continue
          } else {
            next.append(folder + "/" + name)
          }
        }
        if found.isPartial || (hasKey && deadline.isPassed) { break }
      }
      if hasKey || next.isEmpty || deadline.isPassed { break }
      level = next
    }
    guard hasKey else { return nil }
    found.values.sort()
    if found.values.count > PartitionValues.valueLimit {
      found.values = Array(found.values.prefix(PartitionValues.valueLimit))
      found.isPartial = true
    }
    return found
  }
}

/// Finds files and folders.
struct PathCompletion {
  private let deadline: CompletionDeadline

  init(_ deadline: CompletionDeadline) { self.deadline = deadline }

  /// Names below the typed folder that begin as typed; folders first.
  ///
  /// - Parameter isOpen: whether the closing quote is missing.
  func completions(_ typed: String, start: Int, isOpen: Bool) -> Completions {
    if typed.contains("://") { return Completions(start: start) }
    let slash = typed.lastIndex(of: "/")
    let folder = slash.map { String(typed[...$0]) } ?? ""
    let prefix = slash.map { String(typed[typed.index(after: $0)...]) } ?? typed
    var result = Completions(start: start + folder.replacing("'", with: "''").utf8.count)
    guard let stream = opendir(folder.isEmpty ? "." : folder) else { return result }
    defer { closedir(stream) }
    var count = 0
    while let record = readdir(stream) {
      count += 1
      if count & 255 == 0, deadline.isPassed {
        result.isPartial = true
        break
      }
      let name = withUnsafeBytes(of: &record.pointee.d_name) { String(cString: $0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
      guard name.hasPrefix(prefix), name != ".", name != "..", prefix.hasPrefix(".") || !name.hasPrefix(".") else { continue }
      var isFolder = Int(record.pointee.d_type) == DT_DIR
      if Int(record.pointee.d_type) == DT_LNK || Int(record.pointee.d_type) == DT_UNKNOWN {
        var status = stat()
        isFolder = stat(folder + name, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
      }
      let text = name.replacing("'", with: "''") + (isFolder ? "/" : "")
      result.items.append(
        Completions.Item(text, label: name + (isFolder ? "/" : ""), kind: .path, suffix: isFolder || !isOpen ? "" : "'"))
    }
    result.items.sort { ($0.text.hasSuffix("/") ? 0 : 1, $0.text) < ($1.text.hasSuffix("/") ? 0 : 1, $1.text) }
    if result.items.count > Completer.itemLimit {
      result.items = Array(result.items.prefix(Completer.itemLimit))
      result.isPartial = true
    }
    return result
  }
}
