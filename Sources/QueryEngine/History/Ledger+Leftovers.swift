import Glibc
import ObjectStore
import QueryErrors
import TableCatalog

extension Ledger {
  /// Mends what processes that were killed have left: statements that seem to run, and halves of their results.
  ///
  /// - Parameter home: the folder that `results` lies in.
  func sweepLeftovers(home: String) throws(QueryError) {
    if database.isReadOnly { return }
    for record in try unfinishedRecords() {
      guard record.state.isFinal, let process = record.process else { continue }
      let folders = [ObjectPath.join(home, "results"), record.outputFolder].compactMap { $0 }
      for folder in folders { Ledger.removeUnfinished(of: record.id, process.id, in: folder) }
    }
  }

  /// Removes the files that a writer had not yet put in their place: `._<id>.csv.<process>.<number>.tmp`.
  private static func removeUnfinished(of id: String, _ process: Int64, in folder: String) {
    guard let stream = opendir(folder) else { return }
    defer { closedir(stream) }
    var found: [String] = []
    while let record = readdir(stream) {
      let name = withUnsafeBytes(of: &record.pointee.d_name) {
        String(cString: $0.baseAddress!.assumingMemoryBound(to: CChar.self))
      }
      if name.hasPrefix("._" + id), name.hasSuffix(".tmp"), name.contains(".\(process).") { found.append(name) }
    }
    for name in found { unlink(ObjectPath.join(folder, name)) }
  }
}
