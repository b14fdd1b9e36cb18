import Columnar
import ObjectStore
import QueryErrors

/// Writes one record after the other into a text file.
///
/// - Threads: one owner.
protocol RecordEncoder: AnyObject {
  /// What stands before the first record.
  func appendHeader(to out: TextBuffer)
  /// All rows of a batch, each with its line end.
  func append(_ batch: Batch, to out: TextBuffer) throws(QueryError)
}

/// Compresses what an encoder makes, block by block, and counts.
///
/// Blocks are members, frames or streams of their own that follow one another, which all readers of such files accept.
final class TextFileWriter: BatchFileWriter {
  private let encoder: any RecordEncoder
  private let object: any ObjectWriter
  private let codec: CompressionCodec
  private let level: Int32?
  private let compressor = Compressor()

  // MARK: Changes while writing

  private let text = TextBuffer(capacity: 64 << 10)
  private var target = Buffer(byteCount: 0)
  private var rowCount = 0
  private var writtenByteCount = 0
  private var hasBegun = false
  private var columns: [FileSummary.Column]

  /// Text that is compressed at once.
  private static let blockByteCount = 1 << 20

  init(_ encoder: any RecordEncoder, columnCount: Int, _ options: WriterOptions, to object: any ObjectWriter) throws(QueryError) {
    self.encoder = encoder
    self.object = object
    codec = try TextFileWriter.codec(options)
    level = options.level.map(Int32.init)
    columns = Array(repeating: FileSummary.Column(), count: columnCount)
  }

  /// - Throws: `INVALID_TABLE_PROPERTY` for a codec that text files do not have.
  static func codec(_ options: WriterOptions) throws(QueryError) -> CompressionCodec {
    switch options.compression?.uppercased() ?? "NONE" {
    case "NONE", "UNCOMPRESSED": return .none
    case "GZIP": return .gzip
    case "ZSTD": return .zstd
    case "BZIP2": return .bzip2
    case "DEFLATE", "ZLIB": return .zlib
    case "SNAPPY": return .snappyHadoop
    case "LZ4": return .lz4Hadoop
    case let name:
      throw QueryError(
        .invalidTableProperty, "Text files cannot be written with compression '\(name)'",
        hint: "Use GZIP, ZSTD, BZIP2, DEFLATE, SNAPPY, LZ4 or NONE.")
    }
  }

  static func fileNameEnding(_ options: WriterOptions) throws(QueryError) -> String {
    switch try codec(options) {
    case .gzip: ".gz"
    case .zstd: ".zst"
    case .bzip2: ".bz2"
    case .zlib: ".deflate"
    case .snappyHadoop: ".snappy"
    case .lz4Hadoop: ".lz4"
    default: ""
    }
  }

  var byteCount: Int { writtenByteCount + (codec == .none ? text.count : text.count / 4) }
  var heldByteCount: Int { text.count }

  private func begin() {
    if hasBegun { return }
    hasBegun = true
    encoder.appendHeader(to: text)
  }

  func append(_ batch: Batch) throws(QueryError) {
    begin()
    try encoder.append(batch, to: text)
    rowCount += batch.rowCount
    for (index, column) in batch.columns.enumerated() { columns[index].nullCount += column.nullCount }
    if text.count >= TextFileWriter.blockByteCount { try flush() }
  }

  private func flush() throws(QueryError) {
    if text.count == 0 { return }
    if codec == .none {
      try object.write(UnsafeRawBufferPointer(start: text.pointer, count: text.count))
      writtenByteCount += text.count
      text.removeAll()
      return
    }
    // Some codecs take a bounded number of bytes at once.
    var start = 0
    while start < text.count {
      let n = min(text.count - start, 1 << 28)
      let capacity = compressor.maximumSize(codec, count: n)
      if target.byteCount < capacity { target = Buffer(byteCount: capacity) }
      let size = try compressor.compress(
        codec, text.pointer + start, count: n, into: target.pointer, capacity: capacity, level: level)
      try object.write(UnsafeRawBufferPointer(start: target.pointer, count: size))
      writtenByteCount += size
      start += n
    }
    text.removeAll()
  }

  func finish() throws(QueryError) -> FileSummary {
    begin()
    try flush()
    return FileSummary(rowCount: rowCount, byteCount: writtenByteCount, columns: columns)
  }
}
