import Columnar
import ObjectStore
import QueryErrors

/// The bytes of one page, decompressed.
struct LoadedPage {
  var header: PageHeader
  var repetitionLevels: UnsafeRawBufferPointer
  var definitionLevels: UnsafeRawBufferPointer
  var values: UnsafeRawPointer
  var valueByteCount: Int
  /// Keeps `values` alive.
  var owner: AnyObject
}

/// Walks over the pages of one column chunk and decompresses those that are needed.
///
/// Bytes are read as late as possible: the dictionary page when codes are first needed, data pages when the first value
/// is. With an offset index pages are read one by one and those without wanted rows never; without, the chunk is read
/// whole.
///
///     | dictionary page | data page | data page | …      total_compressed_size bytes
final class PageStream {
  private let source: RangeReader
  private let leaf: ParquetLeaf
  private let metadata: ColumnChunkMetadata
  private let decompressor: Decompressor
  private let codec: CompressionCodec
  private let chunk: Range<UInt64>
  /// Rows of the row group.
  let rowCount: Int
  /// Those of them that are this reader's.
  private let rows: Range<Int>
  /// Where the first data page starts when that is known to differ from the chunk's start.
  private let firstDataOffset: UInt64
  private let index: OffsetIndex?

  // MARK: Changes while reading

  /// Sequential reading: everything from the first data page on.
  private var data: ByteSlice?
  private var position = 0
  private var valuesSeen = 0
  /// Reading by index: number of the next page.
  private var nextIndex = 0
  private var isDictionaryRead = false
  private var dictionary: LoadedPage?
  private var buffer: Buffer?
  private var dictionaryBuffer: Buffer?

  /// The current page's header; nil before the first.
  private(set) var header: PageHeader?
  private var body: ByteSlice?
  /// First row of the current page, when an offset index tells.
  private(set) var indexedRows: Range<Int>?
  /// Where the current page starts in the file, for messages.
  private(set) var pageOffset: UInt64
  private(set) var isLoaded = false
  /// Pages that were passed over without being decompressed.
  private var passedCount = 0

  /// - Parameter index: read page by page when given.
  init(
    source: RangeReader, leaf: ParquetLeaf, metadata: ColumnChunkMetadata, rowCount: Int, rows: Range<Int>,
    index: OffsetIndex?, decompressor: Decompressor
  ) throws(ParquetDamage) {
    self.source = source
    self.leaf = leaf
    self.metadata = metadata
    self.decompressor = decompressor
    self.rowCount = rowCount
    self.rows = rows
    self.index = index
    if metadata.isEncrypted {
      throw ParquetDamage(QueryError.notSupported("Encrypted Parquet columns are not supported: \(leaf.path)"))
    }
    if metadata.filePath != nil {
      throw ParquetDamage(QueryError.notSupported("Parquet column chunks in other files are not supported"))
    }
    guard let codec = ParquetCodec.codec(metadata.codecNumber) else {
      throw ParquetDamage(
        QueryError.notSupported(
          metadata.codecNumber == 3
            ? "Parquet's LZO compression is not supported" : "Unknown Parquet compression \(metadata.codecNumber)"))
    }
    self.codec = codec
    guard metadata.physicalType == leaf.physical.rawValue else {
      throw ParquetDamage("the column chunk has another physical type than the schema's \(leaf.physical.name)")
    }
    chunk = try metadata.byteRange()
    guard chunk.upperBound <= source.source.byteCount else {
      throw ParquetDamage("the column chunk ends at byte \(chunk.upperBound), after the file's end")
    }
    if let index {
      firstDataOffset = UInt64(index.pages[0].offset)
    } else if let offset = metadata.dictionaryPageOffset, metadata.dataPageOffset > offset,
      UInt64(metadata.dataPageOffset) < chunk.upperBound
    {
      firstDataOffset = UInt64(metadata.dataPageOffset)
    } else {
      firstDataOffset = chunk.lowerBound
    }
    pageOffset = chunk.lowerBound
  }

  private func read(_ range: Range<UInt64>) throws(ParquetDamage) -> ByteSlice {
    do throws(QueryError) { return try source.read(range, kind: .data) } catch { throw ParquetDamage(error) }
  }

  /// Pages passed over so far, with those after the current one when an index tells of them.
  var prunedCount: Int { passedCount + (index.map { prunedPages($0, nextIndex..<$0.pages.count) } ?? 0) }

  /// How many of these pages have rows of this reader.
  private func prunedPages(_ index: OffsetIndex, _ pages: Range<Int>) -> Int {
    if rows.count == rowCount { return pages.count }
    return pages.count { index.rows(ofPage: $0, rowCount: rowCount).overlaps(rows) }
  }

  /// Whether pages without wanted rows are not read at all.
  var isIndexed: Bool { index != nil }

  // MARK: The dictionary

  /// The chunk's dictionary page, if it has one; reads only that.
  func dictionaryPage() throws(ParquetDamage) -> LoadedPage? {
    if isDictionaryRead { return dictionary }
    isDictionaryRead = true
    guard firstDataOffset > chunk.lowerBound else { return nil }
    let slice = try read(chunk.lowerBound..<firstDataOffset)
    pageOffset = chunk.lowerBound
    var reader = ThriftCompactReader(slice.pointer, end: slice.count)
    let header = try PageHeader(&reader)
    guard header.kind == .dictionary else {
      throw ParquetDamage("there is no dictionary page where the column chunk's metadata says")
    }
    guard header.compressedByteCount <= slice.count - reader.position else {
      throw ParquetDamage("the dictionary page passes the first data page")
    }
    dictionary = try loadDictionary(
      header, slice.slice(reader.position..<reader.position + header.compressedByteCount))
    return dictionary
  }

  private func loadDictionary(_ header: PageHeader, _ body: ByteSlice) throws(ParquetDamage) -> LoadedPage {
    let (pointer, owner) = try decompress(
      body.pointer, body.count, header.uncompressedByteCount, body.owner, &dictionaryBuffer)
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    return LoadedPage(
      header: header, repetitionLevels: nothing, definitionLevels: nothing, values: pointer,
      valueByteCount: header.uncompressedByteCount, owner: owner)
  }

  // MARK: Data pages

  /// Moves to the next data page; false after the last.
  ///
  /// - Parameter row: with an offset index pages that end at or before this row are not even read.
  func advance(toRow row: Int) throws(ParquetDamage) -> Bool {
    if header != nil, !isLoaded, rows.count == rowCount { passedCount += 1 }
    isLoaded = false
    body = nil
    if let index {
      let first = index.page(ofRow: row)
      if first > nextIndex {
        passedCount += prunedPages(index, nextIndex..<first)
        nextIndex = first
      }
      guard nextIndex < index.pages.count else { return false }
      let page = index.pages[nextIndex]
      indexedRows = index.rows(ofPage: nextIndex, rowCount: rowCount)
      nextIndex += 1
      let slice = try read(UInt64(page.offset)..<UInt64(page.offset + page.byteCount))
      pageOffset = UInt64(page.offset)
      var reader = ThriftCompactReader(slice.pointer, end: slice.count)
      let header = try PageHeader(&reader)
      guard header.kind == .data || header.kind == .dataV2 else {
        throw ParquetDamage("the offset index points to something else than a data page")
      }
      guard header.compressedByteCount <= slice.count - reader.position else {
        throw ParquetDamage("a page is longer than its offset index says")
      }
      self.header = header
      body = slice.slice(reader.position..<reader.position + header.compressedByteCount)
      return true
    }
    if data == nil {
      _ = try dictionaryPage()
      data = try read(firstDataOffset..<chunk.upperBound)
    }
    let data = data!
    while true {
      guard valuesSeen < metadata.valueCount, position < data.count else { return false }
      pageOffset = firstDataOffset + UInt64(position)
      var reader = ThriftCompactReader(data.pointer, position: position, end: data.count)
      let header = try PageHeader(&reader)
      let start = reader.position
      guard header.compressedByteCount <= data.count - start else {
        throw ParquetDamage("a page of \(header.compressedByteCount) bytes passes the column chunk's end")
      }
      position = start + header.compressedByteCount
      switch header.kind {
      case .data, .dataV2:
        valuesSeen &+= header.valueCount
        self.header = header
        body = data.slice(start..<position)
        return true
      case .dictionary:
        guard dictionary == nil, valuesSeen == 0 else { throw ParquetDamage("the column chunk has two dictionaries") }
        dictionary = try loadDictionary(header, data.slice(start..<position))
      case .index, nil: continue
      }
    }
  }

  /// Decompresses the current page.
  func load() throws(ParquetDamage) -> LoadedPage {
    guard let header, let body else { throw ParquetDamage("there is no page to decompress") }
    isLoaded = true
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    var page = LoadedPage(
      header: header, repetitionLevels: nothing, definitionLevels: nothing, values: body.pointer, valueByteCount: 0,
      owner: body.owner)
    if header.kind == .dataV2 {
      let (levels, overflow) = header.repetitionByteCount.addingReportingOverflow(header.definitionByteCount)
      guard !overflow, levels <= body.count, levels <= header.uncompressedByteCount else {
        throw ParquetDamage("a page's levels are longer than the page")
      }
      page.repetitionLevels = UnsafeRawBufferPointer(start: body.pointer, count: header.repetitionByteCount)
      page.definitionLevels = UnsafeRawBufferPointer(
        start: body.pointer + header.repetitionByteCount, count: header.definitionByteCount)
      let stored = body.count - levels
      let size = header.uncompressedByteCount - levels
      page.valueByteCount = size
      if !header.isCompressed || codec == .none {
        guard stored == size else { throw ParquetDamage("a page is of another size than its header says") }
        page.values = body.pointer + levels
      } else if size > 0 {
        (page.values, page.owner) = try decompress(body.pointer + levels, stored, size, body.owner, &buffer)
      }
      return page
    }
    (page.values, page.owner) = try decompress(
      body.pointer, body.count, header.uncompressedByteCount, body.owner, &buffer)
    var left = header.uncompressedByteCount
    if leaf.maxRepetition > 0 {
      page.repetitionLevels = try levels(&page.values, &left, leaf.maxRepetition, header.repetitionEncoding, header)
    }
    if leaf.maxDefinition > 0 {
      page.definitionLevels = try levels(&page.values, &left, leaf.maxDefinition, header.definitionEncoding, header)
    }
    page.valueByteCount = left
    return page
  }

  /// Cuts the levels of a version 1 page off its front.
  private func levels(
    _ pointer: inout UnsafeRawPointer, _ left: inout Int, _ maximum: UInt8, _ encoding: ParquetEncoding,
    _ header: PageHeader
  ) throws(ParquetDamage) -> UnsafeRawBufferPointer {
    var size: Int
    switch encoding {
    case .runLength:
      guard left >= 4 else { throw ParquetDamage("a page ends before its levels") }
      size = Int(UInt32(littleEndian: pointer.loadUnaligned(as: UInt32.self)))
      pointer += 4
      left -= 4
    case .bitPacked: size = (header.valueCount * LevelDecoder.bitWidth(maximum) + 7) / 8
    default: throw ParquetDamage("levels are encoded in an unknown way")
    }
    guard size <= left else { throw ParquetDamage("levels of \(size) bytes pass their page") }
    let levels = UnsafeRawBufferPointer(start: pointer, count: size)
    pointer += size
    left -= size
    return levels
  }

  /// How many times its size a codec can make of a block at most; nil when it has no such bound.
  private var largestRatio: Int? {
    switch codec {
    case .snappyRaw: 64
    case .lz4Raw, .lz4Hadoop: 256
    case .gzip: 1100
    default: nil
    }
  }

  private func decompress(
    _ source: UnsafeRawPointer, _ count: Int, _ size: Int, _ owner: AnyObject, _ buffer: inout Buffer?
  ) throws(ParquetDamage) -> (UnsafeRawPointer, AnyObject) {
    // What would not compress is read where it lies.
    if let offset = Decompressor.offsetOfStored(codec, source, count: count, size: size) {
      return (source + offset, owner)
    }
    if codec == .none { throw ParquetDamage("a page is of another size than its header says") }
    if let largestRatio, size > count * largestRatio + 1024 {
      throw ParquetDamage("a page of \(count) bytes cannot hold \(size) bytes")
    }
    // A buffer that string views point into stays theirs.
    if buffer == nil || buffer!.byteCount < size || !isKnownUniquelyReferenced(&buffer) {
      buffer = nil
      buffer = Buffer(byteCount: max(size, 4096))
    }
    let target = buffer!
    var produced = 0
    do throws(QueryError) {
      produced = try decompressor.decompress(codec, source, count: count, into: target.pointer, capacity: size)
    } catch {
      // Before LZ4_RAW existed, some writers put bare blocks under LZ4.
      guard codec == .lz4Hadoop, error.code == .hiveBadData else {
        throw error.code == .hiveBadData ? ParquetDamage(error.message) : ParquetDamage(error)
      }
      do throws(QueryError) {
        produced = try decompressor.decompress(.lz4Raw, source, count: count, into: target.pointer, capacity: size)
      } catch { throw ParquetDamage(error.message) }
    }
    guard produced == size else {
      throw ParquetDamage("a page decompresses to \(produced) bytes, its header says \(size)")
    }
    return (UnsafeRawPointer(target.pointer), target)
  }
}
