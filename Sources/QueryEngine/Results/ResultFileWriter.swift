import FileFormats
import ObjectStore

/// Writes rows to a file of a table format, such as Parquet; the file appears whole at `finish`.
///
///     let file = try ResultFileWriter("top.parquet", engine)
///     try session.run("SELECT …", into: file)
///     try file.finish()
public final class ResultFileWriter: ResultConsumer {
  private let path: String
  private let format: any FileFormat.Type
  private let object: any ObjectWriter
  private var writer: (any BatchFileWriter)?

  /// Whether the name's ending is that of a format that keeps types and can be written.
  public static func canWrite(_ path: String) -> Bool {
    FormatRegistry.format(forFileNamed: path).map { !$0.descriptor.isText } ?? false
  }

  /// - Parameter path: its ending tells the format: `.parquet`.
  /// - Throws: `NOT_SUPPORTED` for other endings, `HIVE_FILESYSTEM_ERROR` when the folder cannot be written.
  public init(_ path: String, _ engine: Engine) throws(QueryError) {
    guard let format = FormatRegistry.format(forFileNamed: path) else {
      throw .notSupported("Files with the ending of '\(path)' cannot be written")
    }
    self.path = path
    self.format = format
    let location = try engine.stores.resolve(path)
    object = try location.store.makeWriter(location.path)
  }

  public func begin(_ schema: Schema) throws(QueryError) {
    let format = try format.init(FormatOptions(properties: [:], schema: schema))
    writer = try format.makeWriter(schema, WriterOptions(), to: object)
  }

  public func receive(_ batch: Batch) throws(QueryError) { try writer?.append(batch) }

  /// Makes the file visible.
  public func finish() throws(QueryError) {
    guard let writer else { return object.abort() }
    _ = try writer.finish()
    try object.commit(durable: false)
    self.writer = nil
  }

  /// Leaves nothing behind.
  public func abort() { object.abort() }
}
