import FileFormats
import ObjectStore
import TableCatalog

extension Session {
  /// What in a folder of files, or in a file, a table of real Athena would read otherwise.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when nothing lies there, `USER_CANCELED`.
  public func check(folder: String) throws(QueryError) -> [CheckFinding] {
    let stores = engine.stores
    let location = try stores.resolve(folder)
    guard let entry = try location.entry() else { throw location.store.missing(location.path) }
    let meter = ScanMeter()
    var objects: [ListedObject] = []
    var found: [CheckFinding] = []
    if entry.isDirectory {
      objects = try DirectoryWalker(location.store, root: location.path, meter: meter).walk()
      found += FolderCheck.names(objects, folder)
    } else {
      let info = ObjectInfo(
        location: location, byteCount: entry.byteCount ?? 0, modificationTime: entry.modificationTime ?? 0, version: entry.version)
      objects = [ListedObject(info: info, keyPath: ObjectPath.lastName(location.path))]
      found.append(
        .init(
          .note, "LOCATION_IS_A_FILE", at: folder, "Athena's LOCATION is a folder, all of whose files are read",
          fix: "Give the file a folder of its own."))
    }
    found += try FolderCheck.contents(objects, meter)
    found += FolderCheck.columns(try columns(of: folder), folder)
    return found
  }

  /// The columns of a path in FROM, as they are found out; none when they cannot be.
  private func columns(of folder: String) throws(QueryError) -> Schema {
    let statement: SQLStatement = "SELECT * FROM \(path: folder)"
    let context = try StatementExecution(self, settings, statement, StatementOptions()).makeContext()
    do throws(QueryError) { return try context.prepare(statement).schema } catch {
      if error.code == .userCanceled { throw error }
      return Schema([])
    }
  }
}

/// Checks of files without a declared table.
enum FolderCheck {
  /// Bytes of a text file that are looked at, and of all together.
  static let largestFileLook = 64 << 20
  static let largestLook = 512 << 20

  // MARK: Names

  static func names(_ objects: [ListedObject], _ folder: String) -> [CheckFinding] {
    var found: [CheckFinding] = []
    var formats: [String: String] = [:]
    var strays: [String] = []
    var depths: [Int: String] = [:]
    for object in objects {
      let path = object.info.path
      let parts = object.keyPath.split(separator: "/").dropLast().map(String.init)
      let keys = parts.compactMap { PartitionFolder.parse($0)?.key }
      if let format = FormatRegistry.format(forFileNamed: ObjectPath.lastName(object.keyPath)) {
        formats[format.descriptor.name] = formats[format.descriptor.name] ?? path
        depths[keys.count] = depths[keys.count] ?? path
      } else if object.info.byteCount > 0 {
        strays.append(path)
      }
      if let key = keys.first(where: { $0 != $0.lowercased() }) {
        found.append(
          .init(
            .error, "PARTITION_KEY_CASE", at: path, "MSCK REPAIR TABLE passes over folders whose key is not in lower case: \(key)=",
            fix: "Rename the folders, or add them with ALTER TABLE … ADD PARTITION … LOCATION."))
      }
      if parts.contains(where: { $0.contains(":") }) {
        found.append(
          .init(
            .warning, "PARTITION_COLON", at: path, "MSCK REPAIR TABLE passes over partition values with ':'",
            fix: "Add them with ALTER TABLE … ADD PARTITION."))
      }
    }
    if formats.count > 1 {
      let examples = formats.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
      found.append(
        .init(
          .error, "MIXED_FORMATS", at: folder, "a table has one format, but the folder holds \(examples)",
          fix: "Move each format to a folder of its own."))
    }
    if let first = strays.first, !formats.isEmpty {
      found.append(
        .init(
          .error, "STRAY_FILE", at: first,
          "Athena reads every file of a table's folder as data\(strays.count > 1 ? ": \(strays.count) files are of no known format" : "")",
          fix: "Move it away, or give it a name that begins with _ or a dot."))
    }
    if depths.count > 1, let shallow = depths.min(by: { $0.key < $1.key }) {
      found.append(
        .init(
          .error, "LOOSE_FILE", at: shallow.value, "files lie in partition folders and outside of them; Athena finds only those in partitions",
          fix: "Move them into a partition's folder."))
    }
    return once(found)
  }

  /// The first finding of each code, saying how many there are.
  static func once(_ findings: [CheckFinding]) -> [CheckFinding] {
    var result: [CheckFinding] = []
    var counts: [String: Int] = [:]
    for finding in findings {
      counts[finding.code, default: 0] += 1
      if counts[finding.code] == 1 { result.append(finding) }
    }
    return result.map { finding in
      var finding = finding
      if let count = counts[finding.code], count > 1 { finding.message += " (\(count) files)" }
      return finding
    }
  }

  // MARK: Contents

  static func contents(_ objects: [ListedObject], _ meter: ScanMeter) throws(QueryError) -> [CheckFinding] {
    var found: [CheckFinding] = []
    var left = largestLook
    for object in objects {
      guard let type = FormatRegistry.format(forFileNamed: ObjectPath.lastName(object.keyPath)), left > 0 else { continue }
      let descriptor = type.descriptor
      guard descriptor.isText else { continue }
      let isJSON = descriptor.name == "json"
      let source = try object.info.open(meter: meter)
      let survey: TextSurvey
      do throws(QueryError) {
        survey = try TextSurvey(
          source, separator: isJSON ? nil : TextHead(source).separator, quote: isJSON ? nil : 0x22, limit: min(left, largestFileLook))
      } catch {
        if error.code == .userCanceled { throw error }
        found.append(.init(.error, error.code.rawValue, at: object.info.path, error.message))
        continue
      }
      left -= min(largestFileLook, Int(clamping: object.info.byteCount))
      found += text(survey, object.info.path, isJSON: isJSON)
    }
    if left <= 0 {
      found.append(
        .init(.note, "NOT_ALL_READ", at: objects.first?.info.path ?? "", "only the first \(largestLook >> 20) MB of the files were looked at"))
    }
    return once(found)
  }

  static func text(_ survey: TextSurvey, _ path: String, isJSON: Bool) -> [CheckFinding] {
    var found: [CheckFinding] = []
    if survey.quotedBreakCount > 0 {
      found.append(
        .init(
          .error, "CSV_EMBEDDED_NEWLINE", at: "\(path):\(survey.firstQuotedBreak)",
          "a quoted field holds a line end; Athena cuts it into broken rows, sqlq reads one (\(survey.quotedBreakCount) line ends)",
          fix: "Convert to Parquet: sqlq convert"))
    }
    if survey.quotedFieldCount > 0 {
      found.append(
        .init(
          .warning, "CSV_QUOTES", at: path, "fields are quoted; LazySimpleSerDe (ROW FORMAT DELIMITED) keeps the quotes in the values",
          fix: "Declare ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'."))
    }
    if survey.carriageReturnCount > 0, !isJSON {
      found.append(
        .init(
          .warning, "CARRIAGE_RETURN", at: path, "lines end with \\r\\n; in the last column of LazySimpleSerDe \\r is part of the value",
          fix: "Convert the line ends to \\n."))
    }
    if survey.isArray, isJSON {
      found.append(
        .init(
          .error, "JSON_ARRAY", at: path, "the file is one JSON array; Athena's JSON SerDes read one object a line",
          fix: "Write an object a line: sqlq convert --format json"))
    } else if survey.brokenObjectCount > 0 {
      found.append(
        .init(
          .error, "JSON_OVER_LINES", at: "\(path):\(survey.firstBrokenObject)",
          "a JSON object goes over several lines; Athena's JSON SerDes read one object a line",
          fix: "Write an object a line: sqlq convert --format json"))
    }
    if let set = survey.characterSet {
      found.append(.init(.error, "NOT_UTF8", at: path, "Athena reads UTF-8; the file is \(set)", fix: "Convert it: sqlq convert"))
    } else if survey.hasByteOrderMark {
      found.append(
        .init(.warning, "BYTE_ORDER_MARK", at: path, "the byte order mark becomes part of the first value or name", fix: "Remove it."))
    }
    return found
  }

  // MARK: Columns

  static func columns(_ schema: Schema, _ folder: String) -> [CheckFinding] {
    var found: [CheckFinding] = []
    var names: [String: String] = [:]
    for field in schema.fields {
      let lower = field.name.lowercased()
      if let other = names[lower] {
        found.append(
          .init(
            .error, "COLUMN_CASE", at: folder, "'\(other)' and '\(field.name)' differ in case only; Athena's names are in lower case",
            fix: "Rename one."))
      }
      names[lower] = field.name
      let isPlain = lower.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7a || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5f }
      if !isPlain {
        found.append(
          .init(
            .warning, "COLUMN_NAME", at: folder, "column '\(field.name)': Athena's names are letters, digits and underscores",
            fix: "Declare it under another name; text columns are found by position."))
      }
    }
    return once(found)
  }
}
