import Foundation
import QueryEngine

/// An example of a connector: the files of a folder as rows.
///
///     CREATE CATALOG here USING folder WITH (path = '/tmp')
///     SELECT name, size FROM here.files.folder WHERE size > 1000
struct FolderConnector: Connector {
  let name = "folder"
  let properties = [ConnectorProperty("path", "the folder", isRequired: true, isPath: true)]

  func connect(_ values: [String: String], _ context: ConnectorContext) throws(QueryError) -> any ForeignCatalog {
    FolderCatalog(path: values["path"] ?? "/", context: context)
  }
}

/// One schema of one table.
struct FolderCatalog: ForeignCatalog {
  let path: String
  let context: ConnectorContext

  func schemaNames() -> [String] { ["files"] }

  func tableNames(in schema: String) -> [String]? { schema == "files" ? ["folder"] : nil }

  func table(schema: String, name: String) -> (any ForeignTable)? {
    schema == "files" && name == "folder" ? FolderTable(catalog: self) : nil
  }
}

/// Filters on the name are done here: of a single name no folder need be listed.
struct FolderTable: ForeignTable {
  let catalog: FolderCatalog
  let columns = Schema([Field("name", .text), Field("size", .bigint), Field("is_folder", .boolean)])

  func accept(_ offer: ForeignRequest) -> ForeignRequest {
    var request = ForeignRequest(columns: offer.columns)
    request.filters = offer.filters.filter { $0.column == 0 && $0.values != nil && !$0.allowsNull }
    return request
  }

  func text(of request: ForeignRequest) -> String { "readdir \(catalog.path) \(names(request)?.joined(separator: " ") ?? "*")" }

  func scan(_ request: ForeignRequest, parallelism: Int) throws(QueryError) -> any ForeignScan {
    let all = names(request) ?? (try? FileManager.default.contentsOfDirectory(atPath: catalog.path))
    guard let all else { throw .foreign(catalog.context.catalog, "cannot list \(catalog.path)") }
    return FolderScan(table: self, request: request, names: all.sorted())
  }

  /// The names wanted, where only some are.
  private func names(_ request: ForeignRequest) -> [String]? {
    request.filters.first?.values?.compactMap(\.stringValue)
  }
}

/// All in one split.
struct FolderScan: ForeignScan {
  let table: FolderTable
  let request: ForeignRequest
  let names: [String]
  let splitCount = 1

  func open(_ split: Int, batchSize: Int) -> any ForeignReader { FolderReader(self, batchSize) }
}

final class FolderReader: ForeignReader {
  private let scan: FolderScan
  private let batchSize: Int
  private var position = 0
  private(set) var receivedByteCount = 0

  init(_ scan: FolderScan, _ batchSize: Int) {
    self.scan = scan
    self.batchSize = batchSize
  }

  func next() throws(QueryError) -> Batch? {
    let builders = scan.request.columns.map { ColumnBuilder(scan.table.columns[$0].type) }
    var count = 0
    while position < scan.names.count, count < batchSize {
      let name = scan.names[position]
      position += 1
      let path = scan.table.catalog.path + "/" + name
      guard let facts = try? FileManager.default.attributesOfItem(atPath: path) else { continue }
      let row: [Scalar] = [
        .string(name), .integer((facts[.size] as? NSNumber)?.int64Value ?? 0),
        .boolean(facts[.type] as? FileAttributeType == .typeDirectory),
      ]
      for (builder, column) in zip(builders, scan.request.columns) { builder.append(row[column]) }
      receivedByteCount += name.utf8.count + 9
      count += 1
    }
    return count == 0 ? nil : Batch(columns: builders.map { $0.finish() }, rowCount: count)
  }
}
