import ObjectStore

/// What a statement that writes files leaves in the results folder: `<id>-manifest.csv`, a line a file, and `<id>.metadata`.
///
/// - Source: Athena user guide, "Identifying query output files".
final class ResultManifest {
  /// `<folder>/<id>`: what GetQueryExecution tells of INSERT.
  let location: String
  /// Where the list lies.
  var listLocation: String { location + ResultManifest.ending }
  /// Bytes of the list.
  var byteCount: Int { Int(manifest.byteCount) }
  private static let ending = "-manifest.csv"
  private let manifest: any ObjectWriter
  private let metadata: any ObjectWriter

  /// - Throws: `HIVE_FILESYSTEM_ERROR` when the folder cannot be written.
  init(folder: ObjectLocation, queryID: String, engineID: String, schema: Schema, files: [String]) throws(QueryError) {
    try folder.store.makeDirectory(folder.path)
    let path = folder.appending(queryID).path
    location = folder.store.text(of: path)
    manifest = try folder.store.makeWriter(path + ResultManifest.ending)
    metadata = try folder.store.makeWriter(path + ".metadata")
    try write(Array(files.map { $0 + "\n" }.joined().utf8), to: manifest)
    try write(ResultMetadata.encode(queryID: engineID, schema), to: metadata)
  }

  private func write(_ bytes: [UInt8], to writer: any ObjectWriter) throws(QueryError) {
    var failure: QueryError?
    bytes.withUnsafeBytes { buffer in
      do throws(QueryError) { try writer.write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  func commit() throws(QueryError) {
    try manifest.commit(durable: false)
    try metadata.commit(durable: false)
  }

  func abort() {
    manifest.abort()
    metadata.abort()
  }
}
