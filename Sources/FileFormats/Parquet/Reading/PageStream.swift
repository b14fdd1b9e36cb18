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
  /// Where the metadata says that the first data page starts: behind the dictionary page when it is not the chunk's start.
  private let firstDataOffset: UInt64
  private let index: OffsetIndex?

  // MARK: Changes while reading

  /// Sequential reading: everything from the first data page on.
  private var data: ByteSlice?
  /// Where `data` starts in the file.
  private var dataOffset: UInt64 = 0
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
    dataOffset = firstDataOffset
    guard firstDataOffset > chunk.lowerBound else { return nil }
    var slice = try read(chunk.lowerBound..<firstDataOffset)
    pageOffset = chunk.lowerBound
    var reader = ThriftCompactReader(slice.pointer, end: slice.count)
    var header = try PageHeader(&reader)
    guard header.kind == .dictionary else {
      // Data pages from the start on: the dictionary's place is one that no reader needs.
      if header.kind == nil { throw ParquetDamage("there is no page where the column chunk's metadata says") }
      if index == nil { dataOffset = chunk.lowerBound }
      return nil
    }
    let end = reader.position + header.compressedByteCount
    if end > slice.count {
      // DuckDB up to 0.9.2 forgot the page's header in the place of the first data page.
      slice = try extended(slice, from: chunk.lowerBound, to: end)
      reader = ThriftCompactReader(slice.pointer, end: slice.count)
      header = try PageHeader(&reader)
    }
    // The first data page stands behind the dictionary, whatever its place is said to be.
    if index == nil { dataOffset = chunk.lowerBound + UInt64(end) }
    dictionary = try loadDictionary(header, slice.slice(reader.position..<end))
    return dictionary
  }

  /// Bytes read from `start` on, with those up to `count`: what metadata says of sizes may be a page header short.
  private func extended(_ slice: ByteSlice, from start: UInt64, to count: Int) throws(ParquetDamage) -> ByteSlice {
    let from = start + UInt64(slice.count)
    let (end, overflow) = start.addingReportingOverflow(UInt64(count))
    guard !overflow, end <= max(chunk.upperBound + PageStream.largestShortage, from),
      end <= source.source.byteCount
    else { throw ParquetDamage("a page of \(count) bytes passes the column chunk's end") }
    let rest = try read(from..<end)
    let joined = Buffer(byteCount: count + ByteSlice.padding)
    joined.pointer.copyMemory(from: slice.pointer, byteCount: slice.count)
    (joined.pointer + slice.count).copyMemory(from: rest.pointer, byteCount: rest.count)
    withExtendedLifetime((slice, rest)) {}
    return ByteSlice(pointer: joined.pointer, count: count, owner: joined)
  }

  /// Bytes by which a chunk may be longer than its metadata says.
  ///
  /// - Source: PARQUET-816 and IMPALA-694: old writers left the dictionary's page header out; other readers allow 100 bytes.
  private static let largestShortage: UInt64 = 100

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
      data = try read(dataOffset..<max(chunk.upperBound, dataOffset))
    }
    while true {
      guard valuesSeen < metadata.valueCount else { return false }
      guard position < data!.count || isShort(by: 1) else { return false }
      pageOffset = dataOffset + UInt64(position)
      let (header, start) = try headerAtPosition()
      if header.compressedByteCount > data!.count - start {
        data = try extended(data!, from: dataOffset, to: start + header.compressedByteCount)
      }
      let data = data!
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

  /// Whether the file goes on behind the chunk's end by so many bytes that pages may still be there.
  private func isShort(by byteCount: Int) -> Bool {
    let end = dataOffset + UInt64(data!.count)
    return end < chunk.upperBound + PageStream.largestShortage
      && end + UInt64(byteCount) + PageStream.footerByteCount <= source.source.byteCount
  }

  /// Length and magic bytes behind the footer.
  private static let footerByteCount: UInt64 = 8

  /// The header of the page at `position`, and where its bytes start.
  private func headerAtPosition() throws(ParquetDamage) -> (PageHeader, Int) {
    var reader = ThriftCompactReader(data!.pointer, position: position, end: data!.count)
    do throws(ParquetDamage) {
      let header = try PageHeader(&reader)
      return (header, reader.position)
    } catch {
      // The chunk's end cuts a header in two.
      guard data!.count - position < Int(PageStream.largestShortage), isShort(by: 1) else { throw error }
      let limit = min(
        chunk.upperBound + PageStream.largestShortage, source.source.byteCount - PageStream.footerByteCount)
      data = try extended(data!, from: dataOffset, to: Int(limit - dataOffset))
      reader = ThriftCompactReader(data!.pointer, position: position, end: data!.count)
      let header = try PageHeader(&reader)
      return (header, reader.position)
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
      // Arrow before 3.0 said "not compressed" of pages that were.
      if codec == .none || (!header.isCompressed && stored == size) {
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

  private func decompress(
    _ source: UnsafeRawPointer, _ count: Int, _ size: Int, _ owner: AnyObject, _ buffer: inout Buffer?
  ) throws(ParquetDamage) -> (UnsafeRawPointer, AnyObject) {
    // What would not compress is read where it lies.
    if let offset = Decompressor.offsetOfStored(codec, source, count: count, size: size) {
      return (source + offset, owner)
    }
    if codec == .none { throw ParquetDamage("a page is of another size than its header says") }
    guard Decompressor.mayHold(size, in: codec, source, count: count) else {
      throw ParquetDamage("a page of \(count) bytes cannot hold \(size) bytes")
    }
    // A buffer that string views point into stays theirs.
    if buffer == nil || buffer!.byteCount < size || !isKnownUniquelyReferenced(&buffer) {
      buffer = nil
      do throws(QueryError) { try MemoryAccount.require(size) } catch { throw ParquetDamage(error) }
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
