import Columnar
package import FileFormats
package import ObjectStore
package import QueryErrors
import Synchronization
package import TableCatalog

/// The files one scan reads after partition pruning, with footers opened at most once.
///
/// Shared by optimizer (statistics) and executor (splits).
///
/// - Threads: `open` may be called from several threads at once.
package final class FileSet: Sendable {
  package let listing: TableListing
  /// The partition predicates used, as EXPLAIN prints them.
  package let prunedBy: [String]
  package let meter: ScanMeter
  private let format: any FileFormat
  private let opened: OpenedFiles
  private let samples = Mutex<[SampledColumns: FileSample?]>([:])

  package init(listing: TableListing, format: any FileFormat, prunedBy: [String], meter: ScanMeter) {
    self.listing = listing
    self.format = format
    self.prunedBy = prunedBy
    self.meter = meter
    opened = OpenedFiles(count: listing.files.count)
  }

  package var files: [TableFile] { listing.files }

  /// The opened file, its footer read on first use.
  package func open(_ index: Int) throws(QueryError) -> any FormatFile {
    if let file = opened[index] { return file }
    let source = try listing.files[index].info.open(meter: meter)
    let file = try format.open(source)
    opened[index] = file
    return file
  }
}

extension FileSet {
  /// Opens all files, several at once, where a store takes its time to answer; elsewhere nothing is done.
  ///
  /// - Throws: as `open`.
  package func openAhead() throws(QueryError) {
    let calls = files.map(\.info.location.store.parallelCalls).max() ?? 1
    guard calls > 1, files.count > 1 else { return }
    for result in concurrentMap(files.count, threadCount: 2 * calls, { (index) throws(QueryError) in try open(index) }) {
      _ = try result.get()
    }
  }

  /// What some rows of a text file say of it: an estimate, taken once.
  package func sample(_ index: Int, _ columns: [ScanColumn]) -> FileSample? {
    let key = SampledColumns(file: index, columns: columns)
    if let known = samples.withLock({ $0[key] }) { return known }
    guard let source = try? listing.files[index].info.open(meter: meter) else { return nil }
    let sample = FileSample.take(source, format, columns)
    samples.withLock { $0[key] = .some(sample) }
    return sample
  }
}

/// What a sample was taken of.
private struct SampledColumns: Hashable {
  var file: Int
  var columns: [ScanColumn]
}

/// A lock around the opened files.
private final class OpenedFiles: @unchecked Sendable {
  private var files: [(any FormatFile)?]
  private let lock = Mutex(())

  init(count: Int) { files = Array(repeating: nil, count: count) }

  subscript(index: Int) -> (any FormatFile)? {
    get { lock.withLock { _ in files[index] } }
    set { lock.withLock { _ in files[index] = newValue } }
  }
}
