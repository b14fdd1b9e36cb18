import Glibc
import ObjectStore

/// Writes a statement's result as Athena leaves it: `<id>.csv` or `<id>.txt`, and its `.metadata`.
///
/// - Source: Amazon Athena user guide, working with query results: every value quoted, NULL an empty unquoted field.
final class ResultFolder: ResultConsumer {
  /// Where the result lies, or will.
  let location: String
  /// The result file.
  let object: ObjectLocation
  private let path: String
  private let engineID: String
  private let isText: Bool
  /// As Athena writes its results.
  private let form: DelimitedText
  private let writer: any ObjectWriter
  private let store: any ObjectStore
  private var schema = Schema([])
  private var pending: [UInt8] = []
  /// Bytes of the result file.
  private(set) var byteCount = 0
  private static let flushByteCount = 1 << 20

  /// - Parameter isText: UTILITY and DDL statements: tab-separated `.txt` without a header.
  /// - Throws: `HIVE_FILESYSTEM_ERROR` when the folder cannot be written.
  init(folder: ObjectLocation, queryID: String, engineID: String, isText: Bool) throws(QueryError) {
    store = folder.store
    self.engineID = engineID
    self.isText = isText
    form = isText ? DelimitedText(separator: 0x09, quoting: .never) : DelimitedText(separator: 0x2c, quoting: .always)
    try store.makeDirectory(folder.path)
    object = folder.appending(queryID + (isText ? ".txt" : ".csv"))
    path = object.path
    location = store.text(of: path)
    writer = try store.makeWriter(path)
  }

  var text: DelimitedText? { form }

  func begin(_ schema: Schema) throws(QueryError) {
    self.schema = schema
    if isText || schema.count == 0 { return }
    try receive(form.header(schema.fields.map(\.name)))
  }

  func receive(_ batch: Batch) throws(QueryError) { try receive(form.text(batch)) }

  func receive(_ text: TextBuffer) throws(QueryError) {
    let bytes = UnsafeRawBufferPointer(start: text.pointer, count: text.count)
    if text.count >= ResultFolder.flushByteCount / 4 {
      try flush()
      byteCount += text.count
      return try writer.write(bytes)
    }
    pending.append(contentsOf: bytes)
    if pending.count >= ResultFolder.flushByteCount { try flush() }
  }

  private func flush() throws(QueryError) {
    if pending.isEmpty { return }
    var failure: QueryError?
    pending.withUnsafeBytes { bytes in
      do throws(QueryError) { try writer.write(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
    byteCount += pending.count
    pending.removeAll(keepingCapacity: true)
  }

  /// Makes the result visible, whole.
  func commit() throws(QueryError) {
    try flush()
    try writer.commit(durable: false)
    let metadata = try store.makeWriter(path + ".metadata")
    let bytes = ResultMetadata.encode(queryID: engineID, schema)
    var failure: QueryError?
    bytes.withUnsafeBytes { buffer in
      do throws(QueryError) { try metadata.write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    try metadata.commit(durable: false)
  }

  /// Leaves nothing behind.
  func abort() { writer.abort() }
}
