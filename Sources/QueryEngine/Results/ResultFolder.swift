import Glibc
import ObjectStore

/// Writes a statement's result as Athena leaves it: `<id>.csv` or `<id>.txt`, and its `.metadata`.
///
/// - Source: Amazon Athena user guide, working with query results: every value quoted, NULL an empty unquoted field.
final class ResultFolder: ResultConsumer {
  /// Where the result lies, or will.
  let location: String
  private let path: String
  private let queryID: String
  private let isText: Bool
  private let writer: any ObjectWriter
  private let store: any ObjectStore
  private var schema = Schema([])
  private var pending: [UInt8] = []
  /// Bytes of the result file.
  private(set) var byteCount = 0
  private static let flushByteCount = 1 << 20

  /// - Parameter isText: UTILITY and DDL statements: tab-separated `.txt` without a header.
  /// - Throws: `HIVE_FILESYSTEM_ERROR` when the folder cannot be written.
  init(folder: ObjectLocation, queryID: String, isText: Bool) throws(QueryError) {
    store = folder.store
    self.queryID = queryID
    self.isText = isText
    try store.makeDirectory(folder.path)
    path = folder.appending(queryID + (isText ? ".txt" : ".csv")).path
    location = store.text(of: path)
    writer = try store.makeWriter(path)
    pending.reserveCapacity(ResultFolder.flushByteCount + 4096)
  }

  func begin(_ schema: Schema) throws(QueryError) {
    self.schema = schema
    if isText || schema.count == 0 { return }
    for (index, field) in schema.fields.enumerated() {
      if index > 0 { pending.append(0x2c) }
      appendQuoted(Array(field.name.utf8))
    }
    pending.append(0x0a)
  }

  func receive(_ batch: Batch) throws(QueryError) {
    let texts = batch.columns.map(ResultText.init)
    var value: [UInt8] = []
    for row in 0..<batch.rowCount {
      for (index, text) in texts.enumerated() {
        if index > 0 { pending.append(isText ? 0x09 : 0x2c) }
        if text.isNull(row) { continue }
        if isText {
          text.append(row, to: &pending)
        } else {
          value.removeAll(keepingCapacity: true)
          text.append(row, to: &value)
          appendQuoted(value)
        }
      }
      pending.append(0x0a)
      if pending.count >= ResultFolder.flushByteCount { try flush() }
    }
  }

  private func appendQuoted(_ bytes: [UInt8]) {
    pending.append(0x22)
    if bytes.contains(0x22) {
      for byte in bytes {
        if byte == 0x22 { pending.append(0x22) }
        pending.append(byte)
      }
    } else {
      pending.append(contentsOf: bytes)
    }
    pending.append(0x22)
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
    let bytes = ResultMetadata.encode(queryID: queryID, schema)
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
