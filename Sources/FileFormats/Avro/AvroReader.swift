import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Reads the blocks of a file that begin behind the markers within a byte range.
///
///     count, size, rows …, marker      count, size, rows …, marker
///
/// - Threads: one owner.
final class AvroReader: TextRowReader {
  private let file: AvroFile
  private let decoder: AvroRowDecoder
  private let range: Range<UInt64>
  private let decompressor = Decompressor()
  /// Where the next marker is looked for; nil before the first.
  private var place: UInt64?
  /// Keeps the block's bytes.
  private var blockOwner: AnyObject?
  /// Memory for a block that no string points into; and how large blocks were so far.
  private var scratch: Buffer?
  private var largestBlock = 0
  private var cursor: AvroCursor?
  private var rowsLeft = 0
  private var columns: [Column] = []

  private static let searchByteCount: UInt64 = 1 << 20
  /// A block's numbers take at most so many bytes.
  private static let headByteCount: UInt64 = 20
  private static let largestBlockByteCount = 1 << 30
  /// Bytes behind a block that decoders may read.
  private static let padding = 16

  init(_ file: AvroFile, _ range: Range<UInt64>, _ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) {
    self.file = file
    self.range = range
    decoder = AvroRowDecoder(try file.rowPlan(request), request)
    super.init(request, metrics: metrics)
  }

  private func damaged(_ reason: String, at offset: UInt64?) -> QueryError {
    QueryError(
      .hiveBadData, "Corrupt Avro file: \(reason)",
      data: DataLocation(path: file.source.path, byteOffset: offset.map { Int($0) }))
  }

  override func loadRows(limit: Int) throws(QueryError) -> Int {
    decoder.begin(limit)
    // Blocks that strings of the batch lie in.
    var blocks: [AnyObject] = []
    var loaded = 0
    while loaded < limit {
      if rowsLeft == 0, try !openBlock() { break }
      guard var cursor, rowsLeft > 0 else { continue }
      let count = min(limit - loaded, rowsLeft)
      do throws(AvroDamage) {
        try decoder.decode(loaded, count, &cursor)
        loaded += count
        rowsLeft -= count
        self.cursor = cursor
        if decoder.keepsBlocks, let blockOwner { blocks.append(blockOwner) }
        if rowsLeft == 0, !cursor.isAtEnd { throw AvroDamage("a block is longer than its rows") }
      } catch { throw damaged(error.reason, at: place) }
    }
    do throws(AvroDamage) { columns = try decoder.take(loaded, blocks) } catch { throw damaged(error.reason, at: place) }
    return loaded
  }

  override func column(_ index: Int, rows: UnsafePointer<Int32>?, count: Int) throws(QueryError) -> Column {
    guard let rows else { return columns[index] }
    return columns[index].take(rows, count: count)
  }

  override func finish() throws(QueryError) { try file.source.checkUnchanged() }

  // MARK: Blocks

  /// Opens the next block of the range; false at its end.
  private func openBlock() throws(QueryError) -> Bool {
    let marker: UInt64
    if let place {
      marker = place
    } else if let first = try firstMarker() {
      marker = first
    } else {
      return false
    }
    let size = file.source.byteCount
    let start = marker + UInt64(AvroHeader.syncByteCount)
    guard marker < range.upperBound, start < size else { return false }
    let head = try file.source.read(start..<min(size, start + AvroReader.headByteCount), kind: .data)
    var numbers = AvroCursor(head.pointer.assumingMemoryBound(to: UInt8.self), count: head.count)
    let (rows, byteCount): (Int64, Int64)
    do throws(AvroDamage) { (rows, byteCount) = (try numbers.long(), try numbers.long()) } catch {
      throw damaged("the file ends within a block", at: start)
    }
    let dataStart = start + UInt64(head.count - numbers.left)
    withExtendedLifetime(head) {}
    guard rows >= 0, rows < 1 << 40, byteCount >= 0,
      UInt64(byteCount) + UInt64(AvroHeader.syncByteCount) <= size - dataStart
    else { throw damaged("a block of \(rows) rows and \(byteCount) bytes passes the file's end", at: start) }
    let dataEnd = dataStart + UInt64(byteCount)
    let bytes = try file.source.read(dataStart..<dataEnd + UInt64(AvroHeader.syncByteCount), kind: .data)
    guard bytes.slice(Int(byteCount)..<bytes.count).withBytes({ $0.elementsEqual(file.header.sync) }) else {
      throw damaged("no marker follows a block", at: dataEnd)
    }
    place = dataEnd
    rowsLeft = Int(rows)
    try expand(bytes.slice(0..<Int(byteCount)), at: dataStart)
    return true
  }

  /// Decompresses a block.
  private func expand(_ bytes: ByteSlice, at offset: UInt64) throws(QueryError) {
    guard file.header.codec != .none else {
      blockOwner = bytes.owner
      cursor = AvroCursor(bytes.pointer.assumingMemoryBound(to: UInt8.self), count: bytes.count)
      return
    }
    let count = file.header.isSnappy ? bytes.count - 4 : bytes.count
    guard count >= 0 else { throw damaged("a block is too short", at: offset) }
    // Blocks do not tell how large they become.
    var capacity = largestBlock > 0 ? largestBlock + largestBlock / 8 : max(64 << 10, count * 4)
    while true {
      let buffer: Buffer
      if !decoder.keepsBlocks, let scratch, scratch.byteCount >= capacity + AvroReader.padding {
        buffer = scratch
      } else {
        buffer = Buffer(byteCount: capacity + AvroReader.padding)
        scratch = decoder.keepsBlocks ? nil : buffer
      }
      do throws(QueryError) {
        let size = try decompressor.decompress(
          file.header.codec, bytes.pointer, count: count, into: buffer.pointer, capacity: capacity)
        blockOwner = buffer
        largestBlock = max(largestBlock, size)
        cursor = AvroCursor(UnsafePointer(buffer.typed(UInt8.self)), count: size)
      } catch {
        if capacity >= min(AvroReader.largestBlockByteCount, count * 1100 + 64 << 10) { throw damaged(error.message, at: offset) }
        capacity = min(AvroReader.largestBlockByteCount, capacity * 4)
        continue
      }
      if file.header.isSnappy, let cursor {
        let checksum = UInt32(bigEndian: bytes.pointer.loadUnaligned(fromByteOffset: count, as: UInt32.self))
        guard Checksums.crc32(buffer.pointer, count: cursor.left) == checksum else {
          throw damaged("a block's checksum is wrong", at: offset)
        }
      }
      return
    }
  }

  /// The first marker that begins within the range.
  private func firstMarker() throws(QueryError) -> UInt64? {
    let size = file.source.byteCount
    let headerMarker = file.header.byteCount - UInt64(AvroHeader.syncByteCount)
    if range.lowerBound <= headerMarker { return headerMarker }
    var at = range.lowerBound
    while at < range.upperBound, at + UInt64(AvroHeader.syncByteCount) <= size {
      // Markers may lie across the ends of what is looked at.
      let end = min(size, at + AvroReader.searchByteCount + UInt64(AvroHeader.syncByteCount))
      let bytes = try file.source.read(at..<end, kind: .data)
      if let found = bytes.withBytes(indexOfMarker) { return at + UInt64(found) }
      at += AvroReader.searchByteCount
    }
    return nil
  }

  private func indexOfMarker(_ bytes: UnsafeRawBufferPointer) -> Int? {
    file.header.sync.withUnsafeBytes { sync -> Int? in
      guard let base = bytes.baseAddress, bytes.count >= sync.count else { return nil }
      var from = 0
      // Markers are random bytes: their first one is met once in 256.
      while from <= bytes.count - sync.count,
        let hit = memchr(base + from, Int32(sync[0]), bytes.count - sync.count - from + 1)
      {
        let index = UnsafeRawPointer(hit) - base
        if memcmp(hit, sync.baseAddress!, sync.count) == 0 { return index }
        from = index + 1
      }
      return nil
    }
  }
}
