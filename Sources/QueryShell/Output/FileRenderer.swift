import Glibc
package import QueryEngine

/// Writes a result to a file, whose name tells the format: `.parquet`, `.csv`, `.json`, `.html` and others.
///
/// The file appears whole at the end; an existing one is replaced.
package final class FileRenderer: ResultRenderer {
  private let path: String
  private let engine: Engine
  private var table: ResultFileWriter?
  private var text: (renderer: any ResultRenderer, descriptor: Int32, temporary: String)?
  private var hasColumns = false

  package init(_ path: String, _ engine: Engine) {
    self.path = path
    self.engine = engine
  }

  deinit { abort() }

  /// Whether a file of that name can be written.
  package static func canWrite(_ path: String) -> Bool {
    OutputFormat(fileName: path) != nil || ResultFileWriter.canWrite(path)
  }

  package func begin(_ schema: Schema) throws(QueryError) {
    hasColumns = schema.count > 0
    guard hasColumns else { return }
    guard let format = OutputFormat(fileName: path) else {
      let writer = try ResultFileWriter(path, engine)
      table = writer
      return try writer.begin(schema)
    }
    let temporary = path + ".\(getpid()).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileRenderer.failure(path) }
    let renderer = format.makeRenderer(OutputStream(descriptor), DisplayStyle(), isFile: true)
    text = (renderer, descriptor, temporary)
    try renderer.begin(schema)
  }

  package func receive(_ batch: Batch) throws(QueryError) {
    try table?.receive(batch)
    try text?.renderer.receive(batch)
  }

  package func end() throws(QueryError) {
    try table?.finish()
    table = nil
    guard let (renderer, descriptor, temporary) = text else { return }
    try renderer.end()
    text = nil
    close(descriptor)
    if rename(temporary, path) != 0 {
      let error = FileRenderer.failure(path)
      unlink(temporary)
      throw error
    }
  }

  private func abort() {
    table?.abort()
    guard let text else { return }
    close(text.descriptor)
    unlink(text.temporary)
  }

  private static func failure(_ path: String) -> QueryError {
    let code = errno
    let message = "Cannot write \(path): \(String(cString: strerror(code)))"
    return QueryError(code == ENOSPC || code == EDQUOT ? .diskFull : .hiveFilesystemError, message)
  }
}
