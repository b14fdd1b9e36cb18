import ObjectStore
import QueryErrors
import QueryExecution
import SQLFunctions

/// Where a statement's rows go: to its reader, and to its file in the results folder, which appears only when all went
/// well.
final class StatementOutput: ResultConsumer {
  private let consumer: any ResultConsumer
  private let file: ResultFolder?
  private let twin: ResultTwin?
  private let report: StatementReport
  private let context: StatementContext
  private var schema = Schema([])
  private var manifest: ResultManifest?

  init(
    _ consumer: any ResultConsumer, _ prepared: PreparedStatement, _ context: StatementContext
  ) throws(QueryError) {
    self.consumer = consumer
    report = context.report
    self.context = context
    switch prepared.file {
    case .none, .manifest: (file, twin) = (nil, nil)
    case .csv, .text:
      let isText = prepared.file == .text
      let folder = try context.resultsFolder()
      let file = try folder.map { (folder) throws(QueryError) in
        try ResultFolder(
          folder: try context.stores.resolve(folder), queryID: context.id, engineID: StatementOutput.engineID(context), isText: isText)
      }
      self.file = file
      let isTyped = !isText && (context.options.writesTypedResults ?? context.settings.defaults.writesTypedResults)
      twin = isTyped ? try file.map { (file) throws(QueryError) in try ResultTwin(of: file.object) } : nil
    }
  }

  /// The id that stands in `.metadata` files.
  private static func engineID(_ context: StatementContext) -> String {
    QueryID.engine(context.id, startMicros: context.environment.startMicros)
  }

  /// Whether the reader was told of the columns: then the statement cannot begin anew.
  private(set) var hasBegun = false
  private var publish: (Schema) -> Void = { _ in }

  func begin(_ schema: Schema) throws(QueryError) { try begin(schema, waitsForRows: false) { _ in } }

  /// - Parameters:
  ///   - waitsForRows: whether nothing is told before the first rows or the end.
  ///   - publish: called when it is told.
  func begin(_ schema: Schema, waitsForRows: Bool, publish: @escaping (Schema) -> Void) throws(QueryError) {
    self.schema = schema
    self.publish = publish
    if !waitsForRows { try tell() }
  }

  private func tell() throws(QueryError) {
    if hasBegun { return }
    hasBegun = true
    publish(schema)
    try consumer.begin(schema)
    try file?.begin(schema)
    try twin?.begin(schema)
  }

  func receive(_ batch: Batch) throws(QueryError) { try receive(preparation(batch)) }

  /// Makes of a batch what the reader and the file want.
  ///
  /// - Threads: called by all workers at once.
  var preparation: @Sendable (Batch) -> PreparedBatch {
    let forms = [consumer.text, file?.text].compactMap(\.self)
    let keepsBatch = consumer.text == nil || twin != nil
    return { batch in
      PreparedBatch(
        batch: keepsBatch ? batch : nil, texts: forms.isEmpty ? [] : DelimitedText.texts(batch, forms), rowCount: batch.rowCount)
    }
  }

  /// Takes rows that `preparation` prepared.
  func receive(_ prepared: PreparedBatch) throws(QueryError) {
    try tell()
    report.addRows(prepared.rowCount)
    if consumer.text != nil, let text = prepared.texts.first {
      try consumer.receive(text)
    } else if let batch = prepared.batch {
      try consumer.receive(batch)
    }
    if let file, let text = prepared.texts.last { try file.receive(text) }
    if let twin, let batch = prepared.batch { try twin.receive(batch) }
  }

  /// Rows of texts, one a column.
  func receive(rows: [[String?]]) throws(QueryError) {
    if rows.isEmpty { return }
    let builders = schema.fields.map { _ in ColumnBuilder(.text, capacity: rows.count) }
    for row in rows {
      for (builder, value) in zip(builders, row) {
        if let value { builder.append(string: value) } else { builder.appendNull() }
      }
    }
    try receive(Batch(columns: builders.map { $0.finish() }, rowCount: rows.count))
  }

  /// Writes the names of the files that the statement is about to make visible; the list itself appears at the end.
  func prepare(manifest files: [String]) throws(QueryError) {
    manifest = try context.resultsFolder().map { (folder) throws(QueryError) in
      try ResultManifest(
        folder: try context.stores.resolve(folder), queryID: context.id, engineID: StatementOutput.engineID(context), schema: FileWrite.schema,
        files: files)
    }
  }

  /// Makes the file visible, whole.
  func commit() throws(QueryError) {
    try tell()
    if let manifest {
      try manifest.commit()
      report.note(resultLocation: manifest.location, byteCount: manifest.byteCount, Schema([]))
      report.note(manifestLocation: manifest.listLocation)
    }
    guard let file else { return }
    try twin?.commit()
    try file.commit()
    report.note(resultLocation: file.location, byteCount: file.byteCount, schema)
  }

  /// Leaves nothing behind.
  func abort() {
    file?.abort()
    manifest?.abort()
    twin?.abort()
  }
}
