import Columnar
import ObjectStore
import QueryErrors

/// Compresses chunks of streams, footers and indexes.
///
/// - Threads: one.
final class ORCChunkCompressor {
  let settings: ORCWriterSettings
  private let compressor = Compressor()
  private var target = Buffer(byteCount: 4096)

  init(_ settings: ORCWriterSettings) { self.settings = settings }

  /// Appends a chunk with its header: compressed, or as it is where that is not smaller.
  func append(_ bytes: UnsafeRawPointer, count: Int, to out: ByteBuilder) throws(QueryError) {
    guard let codec = settings.codec else {
      out.append(bytes, count: count)
      return
    }
    let capacity = compressor.maximumSize(codec, count: count)
    if target.byteCount < capacity { target = Buffer(byteCount: capacity) }
    let size = try compressor.compress(
      codec, bytes, count: count, into: target.pointer, capacity: target.byteCount, level: settings.level)
    let isOriginal = size >= count
    let header = UInt32(isOriginal ? count : size) << 1 | (isOriginal ? 1 : 0)
    withUnsafeBytes(of: header.littleEndian) { out.append($0.baseAddress!, count: 3) }
    if isOriginal { out.append(bytes, count: count) } else { out.append(target.pointer, count: size) }
  }

  /// A footer or an index as it stands in the file.
  func section(_ bytes: [UInt8]) throws(QueryError) -> ByteBuilder {
    let out = ORCOutputStream(self)
    var failure: QueryError?
    bytes.withUnsafeBytes { all in
      guard let base = all.baseAddress else { return }
      do throws(QueryError) { try out.append(base, count: all.count) } catch { failure = error }
    }
    if let failure { throw failure }
    return try out.finish()
  }
}

/// One stream of a stripe while it is written: chunks that are compressed, and bytes that are not yet.
///
/// - Threads: one.
final class ORCOutputStream {
  private let compressor: ORCChunkCompressor
  private let done = ByteBuilder()
  /// What the next chunk will hold; empty when the file is not compressed.
  private let open = ByteBuilder()

  init(_ compressor: ORCChunkCompressor) { self.compressor = compressor }

  var byteCount: Int { done.count + open.count }

  /// Where the next byte comes to lie, as row indexes state it: the chunk and bytes in it, or bytes alone.
  var position: [Int] { compressor.settings.codec == nil ? [done.count] : [done.count, open.count] }

  func append(_ bytes: UnsafeRawPointer, count: Int) throws(QueryError) {
    if compressor.settings.codec == nil {
      done.append(bytes, count: count)
      return
    }
    var taken = 0
    while taken < count {
      let n = min(count - taken, compressor.settings.chunkByteCount - open.count)
      open.append(bytes + taken, count: n)
      taken += n
      if open.count == compressor.settings.chunkByteCount { try closeChunk() }
    }
  }

  func append(_ bytes: ByteBuilder) throws(QueryError) { try append(bytes.pointer, count: bytes.count) }

  private func closeChunk() throws(QueryError) {
    if open.count == 0 { return }
    try compressor.append(open.pointer, count: open.count, to: done)
    open.removeAll()
  }

  /// The whole stream.
  func finish() throws(QueryError) -> ByteBuilder {
    try closeChunk()
    return done
  }

  /// Begins anew.
  func removeAll() {
    done.removeAll()
    open.removeAll()
  }
}
