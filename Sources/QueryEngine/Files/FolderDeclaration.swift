import FileFormats
import ObjectStore
import QueryPlan
import TableCatalog

/// How CREATE EXTERNAL TABLE for a folder is to be written.
public struct DeclarationOptions: Sendable {
  /// The table's name; nil for the folder's last name.
  public var table: String?
  /// LOCATION, where the files will lie; nil for where they are.
  public var location: String?
  /// Whether partitions are projected instead of registered.
  public var projectsPartitions = false

  public init() {}
}

extension Session {
  /// The statements that declare a folder of files as a table of Athena: CREATE EXTERNAL TABLE, and what makes its partitions
  /// known.
  ///
  /// Columns and types are told from the files, as for a path in FROM. Types that the table's SerDe does not read are declared
  /// as string.
  ///
  /// - Throws: what reading the folder as a path in FROM throws; `INVALID_ARGUMENTS` when partitions cannot be projected.
  public func declaration(ofFolder folder: String, _ options: DeclarationOptions = DeclarationOptions()) throws(QueryError) -> [String] {
    let statement: SQLStatement = "SELECT * FROM \(path: folder)"
    let context = try StatementExecution(self, settings, statement, StatementOptions()).makeContext()
    let prepared = try context.prepare(statement)
    guard let scan = prepared.plan?.scans.first else { throw .internalError("no scan of \(folder)") }
    return try FolderDeclaration(folder: folder, scan.table, scan.fileSet?.files ?? [], context, options).statements()
  }
}

/// Writes DDL for one folder.
private struct FolderDeclaration {
  let folder: String
  let table: Table
  let files: [TableFile]
  let context: StatementContext
  let options: DeclarationOptions

  init(folder: String, _ table: Table, _ files: [TableFile], _ context: StatementContext, _ options: DeclarationOptions) {
    (self.folder, self.table, self.files, self.context, self.options) = (folder, table, files, context, options)
  }

  private var format: String { type(of: table.format).descriptor.name }

  private var name: String {
    if let name = options.table { return name }
    let last = ObjectPath.lastName(folder.hasSuffix("/") ? String(folder.dropLast()) : folder)
    let letters = last.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    let name = String(letters.drop { $0 == "_" })
    return name.isEmpty ? "t" : name
  }

  func statements() throws(QueryError) -> [String] {
    let storage = try self.storage()
    let location = try self.location()
    let partitions = partitionColumns()
    var properties = storage.properties
    if options.projectsPartitions {
      guard !partitions.isEmpty else { throw QueryError(.invalidArguments, "\(folder) has no partitions to project") }
      let isNull = { (file: TableFile) -> Bool in file.partitionValues.contains(.null) }
      if let file = files.first(where: isNull) {
        throw QueryError(
          .invalidArguments,
          "\(folder) has rows without a value of a partition column, in \(file.partitionName ?? "its root"): no projection names it",
          hint: "Without --projection the partitions are registered, that one too.")
      }
      properties += partitions.flatMap(\.projection)
      let template = partitions.map { "\($0.key)=${\($0.name)}" }.joined(separator: "/")
      properties = [("projection.enabled", "true")] + properties + [("storage.location.template", location + template + "/")]
    }
    var lines = ["CREATE EXTERNAL TABLE \(quoted(name)) ("]
    lines.append(table.columns.fields.map { "  \(quoted($0.name.lowercased())) \(hiveType($0.type, storage))" }.joined(separator: ",\n"))
    lines.append(")")
    if !partitions.isEmpty {
      lines.append("PARTITIONED BY (" + partitions.map { "\(quoted($0.name)) \($0.type)" }.joined(separator: ", ") + ")")
    }
    lines += storage.clauses
    lines.append("LOCATION \(text(location))")
    if !properties.isEmpty {
      lines.append("TBLPROPERTIES (\n" + properties.map { "  \(text($0.0)) = \(text($0.1))" }.joined(separator: ",\n") + "\n)")
    }
    var statements = [lines.joined(separator: "\n")]
    if !partitions.isEmpty, !options.projectsPartitions { statements += registrations(partitions, location) }
    return statements
  }

  private func quoted(_ name: String) -> String { "`" + name.replacing("`", with: "``") + "`" }
  private func text(_ value: String) -> String { "'" + value.replacing("'", with: "''") + "'" }

  /// With a slash at its end; of a single file the folder that it lies in.
  private func location() throws(QueryError) -> String {
    var location = options.location
    if location == nil {
      let resolved = try context.stores.resolve(folder)
      let isFolder = try resolved.entry()?.isDirectory ?? false
      var path = isFolder ? resolved.path : ObjectPath.parent(resolved.path)
      if resolved.store.scheme == "file", !path.hasPrefix("/") { path = ObjectPath.join(WorkingDirectory.path, path) }
      location = resolved.store.scheme == "file" ? path : resolved.store.text(of: path)
    }
    let known = location ?? folder
    return known.hasSuffix("/") ? known : known + "/"
  }

  // MARK: Storage

  private struct Storage {
    var clauses: [String]
    var properties: [(String, String)] = []
    /// Whether OpenCSVSerde reads it, which knows few types.
    var isOpenCSV = false
  }

  private func storage() throws(QueryError) -> Storage {
    switch format {
    case "parquet": return Storage(clauses: ["STORED AS PARQUET"])
    case "orc":
      // Athena finds ORC columns by position unless it is told.
      return Storage(clauses: [
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.orc.OrcSerde'", "WITH SERDEPROPERTIES ('orc.column.index.access' = 'false')",
        "STORED AS ORC",
      ])
    case "avro": return Storage(clauses: ["STORED AS AVRO"])
    case "json":
      // It finds keys whatever their case.
      return Storage(clauses: ["ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"])
    default: return try delimited()
    }
  }

  private func delimited() throws(QueryError) -> Storage {
    guard let first = files.first(where: { $0.info.byteCount > 0 }) else { return Storage(clauses: []) }
    let source = try first.info.open(meter: context.meter)
    let head = try TextHead(source)
    let survey = try TextSurvey(source, separator: head.separator, quote: 0x22, limit: 4 << 20)
    var storage = Storage(clauses: [])
    let separator = head.separator == 0x09 ? "\\t" : String(UnicodeScalar(head.separator))
    if survey.quotedFieldCount > 0 {
      storage.isOpenCSV = true
      storage.clauses = ["ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"]
      if head.separator != 0x2c { storage.clauses.append("WITH SERDEPROPERTIES ('separatorChar' = \(text(separator)))") }
    } else {
      storage.clauses = ["ROW FORMAT DELIMITED FIELDS TERMINATED BY \(text(separator))"]
    }
    storage.clauses.append("STORED AS TEXTFILE")
    if head.names(table.columns.fields.map(\.name)) { storage.properties.append(("skip.header.line.count", "1")) }
    return storage
  }

  /// The type as Hive's DDL has it, where the SerDe reads it.
  private func hiveType(_ type: DataType, _ storage: Storage) -> String {
    switch type {
    case .timestampWithTimeZone where ["parquet", "orc", "avro"].contains(format): "timestamp"
    case .unknown, .char, .json, .uuid, .ipaddress, .time, .timeWithTimeZone, .timestampWithTimeZone, .intervalDayToSecond, .intervalYearToMonth:
      "string"
    case .varchar: "string"
    case .date, .timestamp, .decimal, .tinyint, .smallint, .real:
      // OpenCSVSerde reads dates as numbers of days, and knows no decimals.
      storage.isOpenCSV ? "string" : type.hiveName
    case .array(let element): "array<\(hiveType(element, storage))>"
    case .map(let key, let value): "map<\(hiveType(key, storage)),\(hiveType(value, storage))>"
    case .row(let fields):
      "struct<\(fields.enumerated().map { "\(($1.name ?? "field\($0)").lowercased()):\(hiveType($1.type, storage))" }.joined(separator: ","))>"
    default: type.hiveName
    }
  }

  // MARK: Partitions

  private struct Partition {
    /// As the column is declared, and as the folders' names have it.
    var name: String
    var key: String
    var type: String
    var projection: [(String, String)]
  }

  private func partitionColumns() -> [Partition] {
    table.partitionColumns.fields.enumerated().map { index, field in
      var values: Set<String> = []
      var key = field.name
      for file in files {
        let parts = (file.partitionName ?? "").split(separator: "/")
        guard index < parts.count, let (name, value) = PartitionFolder.parse(String(parts[index])) else { continue }
        key = name
        if let value { values.insert(value) }
      }
      let name = field.name.lowercased()
      let isDate = !values.isEmpty && values.allSatisfy(FolderDeclaration.isDay)
      if isDate, options.projectsPartitions {
        let range = "\(values.min() ?? ""),NOW"
        return Partition(
          name: name, key: key, type: "string",
          projection: [("type", "date"), ("format", "yyyy-MM-dd"), ("range", range)].map { ("projection.\(name).\($0.0)", $0.1) })
      }
      let numbers = values.compactMap { Int($0) }
      if !values.isEmpty, numbers.count == values.count, let least = numbers.min(), let most = numbers.max() {
        var projection = [("type", "integer"), ("range", "\(least),\(most)")]
        let width = values.map(\.count).min() ?? 0
        if values.allSatisfy({ $0.count == width }), values.contains(where: { $0.hasPrefix("0") && $0.count > 1 }) {
          projection.append(("digits", "\(width)"))
        }
        return Partition(
          name: name, key: key, type: hivePartitionType(field.type), projection: projection.map { ("projection.\(name).\($0.0)", $0.1) })
      }
      return Partition(
        name: name, key: key, type: hivePartitionType(field.type),
        projection: [("type", "enum"), ("values", values.sorted().joined(separator: ","))].map { ("projection.\(name).\($0.0)", $0.1) })
    }
  }

  /// `2024-05-01`.
  private static func isDay(_ text: String) -> Bool {
    text.utf8.count == 10
      && text.utf8.enumerated().allSatisfy { index, byte in index == 4 || index == 7 ? byte == 0x2d : byte >= 0x30 && byte <= 0x39 }
  }

  private func hivePartitionType(_ type: DataType) -> String {
    switch type {
    case .tinyint, .smallint, .integer, .bigint, .date: type.hiveName
    default: "string"
    }
  }

  /// What makes the partitions known: MSCK where it finds them, else each by its name.
  private func registrations(_ partitions: [Partition], _ location: String) -> [String] {
    if partitions.allSatisfy({ $0.key == $0.name }), !files.contains(where: { ($0.partitionName ?? "").contains("%3A") }) {
      return ["MSCK REPAIR TABLE \(quoted(name))"]
    }
    var seen: Set<String> = []
    var lines: [String] = []
    for file in files {
      guard let folder = file.partitionName, seen.insert(folder).inserted else { continue }
      let values = folder.split(separator: "/").map { PartitionFolder.parse(String($0))?.value }
      let specification = zip(partitions, values).map { partition, value in
        "\(partition.name) = " + (partition.type == "string" || partition.type == "date" ? text(value ?? "") : value ?? "NULL")
      }.joined(separator: ", ")
      lines.append("  PARTITION (\(specification)) LOCATION \(text(location + folder + "/"))")
    }
    return lines.isEmpty ? [] : ["ALTER TABLE \(quoted(name)) ADD IF NOT EXISTS\n" + lines.joined(separator: "\n")]
  }
}
