import FileFormats
import ObjectStore
import QueryPlan
import TableCatalog

/// How `Session.export` writes files.
public struct ExportOptions: Sendable {
  /// A format's name: `parquet`, `csv`, `json`, `orc`, `avro`.
  public var format: String
  /// As Athena names it: `SNAPPY`, `ZSTD`, `GZIP`, `NONE`; nil for the format's usual one.
  public var compression: String?
  public var compressionLevel: Int?
  /// About how many bytes a file has.
  public var fileByteCount = 128 << 20

  public init(format: String) { self.format = format }
}

/// What was read and written.
public struct ExportSummary: Hashable, Codable, Sendable {
  public var rows = 0
  public var filesRead = 0
  public var bytesRead = 0
  public var filesWritten = 0
  public var bytesWritten = 0
}

extension Session {
  /// Writes the rows of a folder of files anew, in another format or in fewer files, into a folder that is empty or not there.
  ///
  /// Partition folders stay what they are. All files appear under their names at the end, one after the other; when something
  /// goes wrong before, nothing is left.
  ///
  /// - Parameter options: the format is the source's own where its name is empty.
  /// - Throws: what reading the folder throws; `HIVE_PATH_ALREADY_EXISTS` when the target holds files; `NOT_SUPPORTED` for types
  ///   that the format cannot hold.
  public func export(folder: String, to target: String, _ options: ExportOptions) throws(QueryError) -> ExportSummary {
    let statement: SQLStatement = "SELECT * FROM \(path: folder)"
    let context = try StatementExecution(self, settings, statement, StatementOptions()).makeContext()
    guard let scan = try context.prepare(statement).plan?.scans.first else { throw .internalError("no scan of \(folder)") }
    let target = try engine.stores.resolve(target)
    if try target.exists(), try !DirectoryWalker(target.store, root: target.path, meter: ScanMeter()).walk().isEmpty {
      throw QueryError(.hivePathAlreadyExists, "Target directory '\(target.description)' already holds files", hint: "Choose another folder.")
    }
    let name = options.format.isEmpty ? type(of: scan.table.format).descriptor.name : options.format
    guard let format = FormatRegistry.format(named: name) else {
      throw QueryError(.notSupported, "Files of format '\(name)' cannot be written", hint: "Use parquet, csv, json, orc or avro.")
    }
    var summary = ExportSummary()
    summary.filesRead = scan.fileSet?.files.count ?? 0
    summary.bytesRead = Int(clamping: scan.fileSet?.listing.byteCount ?? 0)
    var partitions: [String: [Scalar]] = [:]
    for file in scan.fileSet?.files ?? [] { partitions[file.partitionName ?? ""] = file.partitionValues }
    var writers: [FileExport] = []
    do throws(QueryError) {
      for (partition, values) in partitions.sorted(by: { $0.key < $1.key }) {
        let place = partition.isEmpty ? target : target.appending(partition)
        let writer = FileExport(place, try format.init(FormatOptions()), format.descriptor.extensions.first ?? name, options)
        writers.append(writer)
        try run(Session.query(folder, scan.table, values), Session.unrecorded, into: writer)
        try writer.finish()
      }
      for writer in writers { try writer.commit() }
    } catch {
      for writer in writers { writer.abort() }
      throw error
    }
    for writer in writers {
      summary.rows += writer.rowCount
      summary.filesWritten += writer.fileCount
      summary.bytesWritten += writer.byteCount
    }
    return summary
  }

  private static var unrecorded: StatementOptions {
    var options = StatementOptions()
    options.writesResults = false
    options.isRecorded = false
    return options
  }

  /// The rows of one partition, without the columns that its folder tells.
  private static func query(_ folder: String, _ table: Table, _ values: [Scalar]) -> SQLStatement {
    func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
    let columns = table.columns.fields.map { quoted($0.name) }.joined(separator: ", ")
    var conditions: [String] = []
    var parameters: [SQLParameter] = []
    for (column, value) in zip(table.partitionColumns.fields, values) {
      conditions.append(quoted(column.name) + (value.isNull ? " IS NULL" : " = ?"))
      if !value.isNull { parameters.append(.value(value, column.type)) }
    }
    let text = "SELECT " + columns + " FROM '" + folder.replacing("'", with: "''") + "'"
    return SQLStatement(conditions.isEmpty ? text : text + " WHERE " + conditions.joined(separator: " AND "), parameters: parameters)
  }
}

/// Writes rows as files of about one size, under names that readers do not see until `commit`.
private final class FileExport: ResultConsumer {
  private let place: ObjectLocation
  private let format: any FileFormat
  private let ending: String
  private let options: ExportOptions
  private var schema = Schema([])
  private var open: (writer: any BatchFileWriter, object: any ObjectWriter)?
  private var finished: [any ObjectWriter] = []
  private(set) var rowCount = 0
  private(set) var byteCount = 0
  var fileCount: Int { finished.count }

  init(_ place: ObjectLocation, _ format: any FileFormat, _ ending: String, _ options: ExportOptions) {
    (self.place, self.format, self.ending, self.options) = (place, format, ending, options)
  }

  func begin(_ schema: Schema) throws(QueryError) { self.schema = schema }

  func receive(_ batch: Batch) throws(QueryError) {
    if open == nil {
      let settings = WriterOptions(compression: options.compression, level: options.compressionLevel)
      let number = String(finished.count)
      let name = "part-" + String(repeating: "0", count: max(0, 5 - number.count)) + number + "." + ending
      try place.store.makeDirectory(place.path)
      let object = try place.store.makeWriter(place.appending(name + format.fileNameEnding(settings)).path)
      open = (try format.makeWriter(schema, settings, to: object), object)
    }
    try open?.writer.append(batch)
    rowCount += batch.rowCount
    if let writer = open?.writer, writer.byteCount >= options.fileByteCount { try finish() }
  }

  /// Ends the file that is being written.
  func finish() throws(QueryError) {
    guard let (writer, object) = open else { return }
    open = nil
    finished.append(object)
    byteCount += try writer.finish().byteCount
  }

  func commit() throws(QueryError) { for object in finished { try object.commit(durable: true) } }

  func abort() {
    open?.object.abort()
    for object in finished { object.abort() }
  }
}
