import Columnar
import FileFormats
import ObjectStore
import QueryErrors
import QueryExecution
import QueryPlan
import QueryPlanner
import TableCatalog

/// Runs a query into files: what CREATE TABLE AS, INSERT INTO and UNLOAD have in common.
struct FileWrite {
  let context: StatementContext
  /// The plan and its columns, partition columns last; no plan when there are no rows to be written.
  var query: (plan: LogicalPlan, bound: BoundQuery)?
  var contents: WriteTransaction.Contents
  var buckets: FileLayout.Buckets?
  /// The folder of the table or of the files.
  var root: ObjectLocation
  /// See `WriteTransaction.commit`.
  var changes: (_ partitions: [[Scalar]]) throws(QueryError) -> [[Scalar]: ObjectLocation]

  /// The columns that Athena's metadata says such statements have; no row comes, the number of rows written is a figure.
  static let schema = Schema([Field("rows", .bigint)])

  /// - Throws: what the format says against the columns and options, before anything is done.
  func prepared() throws(QueryError) -> PreparedStatement {
    _ = try contents.format.makeWriter(contents.schema, contents.options, to: NoObject())
    _ = try contents.format.fileNameEnding(contents.options)
    return PreparedStatement(schema: Schema([]), plan: query?.plan, file: .manifest) { (output) throws(QueryError) in
      try run(output)
    }
  }

  private var layout: FileLayout {
    FileLayout(
      columns: contents.schema.fields, partitionColumns: contents.partitionColumns, buckets: buckets,
      targetByteCount: context.settings.targetFileByteCount,
      largestPartitionCount: context.settings.followsAthena ? WriteTransaction.athenaPartitionCount : nil)
  }

  private func run(_ output: StatementOutput) throws(QueryError) {
    let transaction = try WriteTransaction(context, contents, in: root)
    do throws(QueryError) {
      if let (plan, bound) = query { try context.execute(plan, bound.outputs, into: .files(layout, transaction)) }
      try transaction.commit(manifest: { (files) throws(QueryError) in try output.prepare(manifest: files) }, changes)
    } catch {
      transaction.abort()
      throw error
    }
  }

  /// Takes nothing: for asking whether a writer can be made.
  private final class NoObject: ObjectWriter {
    let path = ""
    let byteCount: UInt64 = 0
    func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError) {}
    func commit(durable: Bool) throws(QueryError) {}
    func abort() {}
  }
}

extension SessionSettings {
  /// Bytes after which a file that is being written is followed by another one.
  var targetFileByteCount: Int {
    max(1, properties["target_max_file_size"].flatMap(SessionProperty.byteCount) ?? SessionSettings.usualFileByteCount)
  }

  static let usualFileByteCount = 128 << 20
}
