import Columnar
import FileFormats
import Glibc
import ObjectStore
import QueryErrors
import QueryExecution
import SQLExpressions
import Synchronization
import TableCatalog

/// The files that one statement writes, all of which become visible at once or not at all.
///
///     t/.sqlq-write-<query id>/20240301_…_<uuid>.gz     written here: scans skip hidden names
///     (the catalog notes where each file goes)          here it has happened
///     t/day=2024-03-01/20240301_…_<uuid>.gz             moved, by whoever comes first
///
/// - Threads: files may be opened and closed by any; the rest is the statement's thread's.
final class WriteTransaction: FileTarget, @unchecked Sendable {
  /// What files hold and how.
  struct Contents {
    var format: any FileFormat
    var schema: Schema
    var options: WriterOptions
    /// Names of the columns whose values stand in folder names, and their types.
    var partitionColumns: [Field]
  }

  /// A file that is written whole but not yet in its place.
  struct StagedFile {
    var path: String
    var name: String
    var partition: [Scalar]
    var rowCount: Int
    var byteCount: Int
  }

  private static let folderPrefix = ".sqlq-write-"

  private let context: StatementContext
  private let catalog: Catalog
  private let contents: Contents
  /// The folder that the hidden one is made in.
  private let root: ObjectLocation
  private let staging: ObjectLocation
  private let madeRoot: Bool
  private let namePrefix: String
  private let ending: String
  private let state = Mutex(State())
  private var isDone = false

  private struct State {
    var open: [ObjectIdentifier: OpenFile] = [:]
    var staged: [StagedFile] = []
    var met: Set<MetPartition> = []
  }

  /// A file that is being written, by one thread at a time.
  private struct OpenFile: @unchecked Sendable {
    var object: any ObjectWriter
    var partition: [Scalar]
    var name: String
  }

  private struct MetPartition: Hashable {
    var values: [Scalar]
    var bucket: Int?
  }

  /// Notes the write in the catalog and makes its folder.
  ///
  /// - Parameter root: the folder of the table, or of the files.
  init(_ context: StatementContext, _ contents: Contents, in root: ObjectLocation) throws(QueryError) {
    self.context = context
    self.contents = contents
    self.root = root
    catalog = try context.catalog()
    staging = root.appending(WriteTransaction.folderPrefix + context.id)
    namePrefix = WriteTransaction.namePrefix(context)
    ending = try contents.format.fileNameEnding(contents.options)
    let process = ProcessIdentity.current
    let declaration = TableDeclaration(context: context)
    madeRoot = try !root.exists()
    try catalog.begin(
      PendingWrite(
        id: context.id, folder: declaration.absolute(staging), process: process.id, processStart: process.start,
        begunAtMicros: context.clock.startMicros))
    if staging.store.scheme == "file" { LocalTemporaryFiles.add(folder: staging.path) }
    do throws(QueryError) { try staging.store.makeDirectory(staging.path) } catch {
      abort()
      throw error
    }
  }

  deinit { abort() }

  /// `20240301_120000_00000_x7k2p_`, as the engine's own id begins the names of Athena's files.
  private static func namePrefix(_ context: StatementContext) -> String {
    let seconds = Int(context.clock.startMicros / 1_000_000)
    let (year, month, day) = CalendarDate.civil(seconds / 86_400)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let clock = two(seconds % 86_400 / 3600) + two(seconds % 3600 / 60) + two(seconds % 60)
    let digits = context.id.utf8.filter { $0 != 0x2d }
    return "\(year)\(two(month))\(two(day))_\(clock)_00000_\(String(decoding: digits.prefix(5), as: UTF8.self))_"
  }

  // MARK: Files

  func open(partition: [Scalar], bucket: Int?, blockByteCount: Int?) throws(QueryError) -> any BatchFileWriter {
    let name: String
    if let bucket {
      // Hive and Trino read the bucket off the name.
      let digits = String(bucket)
      let bucketName = "0" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + "_0_"
      name = bucketName + namePrefix + QueryID.make() + ending
    } else {
      name = namePrefix + QueryID.make() + ending
    }
    let object = try staging.store.makeWriter(staging.appending(name).path, replacing: false)
    var options = contents.options
    if let blockByteCount { options.blockByteCount = min(blockByteCount, 128 << 20) }
    let writer = try contents.format.makeWriter(contents.schema, options, to: object)
    let (key, file) = (ObjectIdentifier(writer), OpenFile(object: object, partition: partition, name: name))
    state.withLock { $0.open[key] = file }
    return writer
  }

  func close(_ writer: any BatchFileWriter) throws(QueryError) {
    let summary = try writer.finish()
    let key = ObjectIdentifier(writer)
    guard let file = state.withLock({ $0.open.removeValue(forKey: key) }) else { return }
    try file.object.commit(durable: false)
    let staged = StagedFile(
      path: file.object.path, name: file.name, partition: file.partition, rowCount: summary.rowCount,
      byteCount: Int(file.object.byteCount))
    state.withLock { $0.staged.append(staged) }
  }

  func note(partition: [Scalar], bucket: Int?) throws(QueryError) -> Int {
    let (count, isNew) = state.withLock { state in
      let isNew = state.met.insert(MetPartition(values: partition, bucket: bucket)).inserted
      return (state.met.count, isNew)
    }
    if isNew, count == WriteTransaction.athenaPartitionCount + 1 {
      context.meter.note(
        "More than \(WriteTransaction.athenaPartitionCount) partitions are written; Athena allows that many in one statement.")
    }
    return count
  }

  /// Partitions and buckets that one statement of Athena may write.
  static let athenaPartitionCount = 100

  // MARK: The end

  /// All files, once writing has ended.
  var stagedFiles: [StagedFile] { state.withLock { $0.staged } }

  /// Makes the files visible.
  ///
  /// - Parameters:
  ///   - manifest: is told where the files will be, before that happens.
  ///   - changes: runs within the step that makes them visible; answers the folder of each partition.
  func commit(
    manifest: ([String]) throws(QueryError) -> Void,
    _ changes: (_ partitions: [[Scalar]]) throws(QueryError) -> [[Scalar]: ObjectLocation]
  ) throws(QueryError) {
    let files = stagedFiles.sorted { $0.name < $1.name }
    try staging.store.sync(files.map(\.path))
    try context.meter.cancellation.check()
    let declaration = TableDeclaration(context: context)
    let partitions = Array(Set(files.map(\.partition)))
    let moves = try catalog.commit(write: context.id) { () throws(QueryError) in
      let folders = try changes(partitions)
      var moves: [PendingMove] = []
      for folder in folders.values { try folder.store.makeDirectory(folder.path) }
      for file in files {
        let folder = folders[file.partition] ?? root
        moves.append(
          PendingMove(
            source: declaration.absolute(staging.appending(file.name)),
            target: declaration.absolute(folder.appending(file.name))))
      }
      try manifest(moves.map(\.target))
      // From here on nobody may remove the files.
      LocalTemporaryFiles.remove(folder: staging.path)
      return moves
    }
    isDone = true
    try PendingWrites(catalog: catalog, stores: context.stores).finish(context.id, folder: declaration.absolute(staging), moves)
    for file in files { context.report.noteWritten(rows: file.rowCount, bytes: file.byteCount, files: 1) }
  }

  /// Leaves nothing behind; does nothing once the files are visible.
  func abort() {
    if isDone { return }
    isDone = true
    state.withLock { state in
      for file in state.open.values { file.object.abort() }
      state.open = [:]
    }
    // A cancelled statement cleans up, too: its meter would refuse the calls.
    let store = (try? context.engine.stores.resolve(TableDeclaration(context: context).absolute(staging)).store) ?? staging.store
    do throws(QueryError) {
      try store.removeTree(staging.path)
      if madeRoot { try store.removeEmptyDirectory(root.path) }
      try catalog.end(write: context.id)
    } catch {
      // What is left is known to the catalog, and `sqlq clean` removes it.
    }
    LocalTemporaryFiles.remove(folder: staging.path)
  }
}
