import CKernels
import Columnar
import ObjectStore
import QueryErrors

/// Writes a Parquet file.
///
///     "PAR1" | row groups: column chunks: dictionary page, data pages | bloom filters | page indexes | footer | its length | "PAR1"
///
/// Rows are taken apart into levels and values as they come; a row group's pages are kept compressed until it is full.
///
/// - Source: apache/parquet-format.
final class ParquetWriter: BatchFileWriter {
  private let object: any ObjectWriter
  private let schema: Schema
  private let options: WriterOptions
  private let settings: ParquetWriterSettings
  private let layout: ParquetWriterSchema
  private let chunks: [ColumnChunkWriter]

  // MARK: Changes while writing

  private var position = 0
  private var rowGroups: [WrittenRowGroup] = []
  private var rowCount = 0
  /// Rows of the row group that is open.
  private var openRows = 0
  private var summaries: [FileSummary.Column]

  private struct WrittenRowGroup {
    var rowCount: Int
    var offset: Int
    var chunks: [WrittenChunk]
    var uncompressedByteCount: Int { chunks.reduce(0) { $0 + $1.uncompressedByteCount } }
    var compressedByteCount: Int { chunks.reduce(0) { $0 + $1.compressedByteCount } }
  }

  /// What the footer and the page index tell of a chunk.
  private struct WrittenChunk {
    var leaf: Int
    var valueCount: Int
    var nullCount: Int
    var dictionaryOffset: Int?
    var dataOffset = 0
    var compressedByteCount = 0
    var uncompressedByteCount = 0
    var bounds: WrittenBounds?
    var encodings: [ParquetEncoding: Int] = [:]
    var pages: [(offset: Int, byteCount: Int, firstRow: Int, nullCount: Int, valueCount: Int, bounds: WrittenBounds?, raw: StoredBounds)] = []
    var bloomFilter: (offset: Int, length: Int)?
    var hashes: [UInt64] = []
    var columnIndex: (offset: Int, length: Int)?
    var offsetIndex: (offset: Int, length: Int)?
  }

  init(_ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter) throws(QueryError) {
    self.object = object
    self.schema = schema
    self.options = options
    settings = try ParquetWriterSettings(options)
    guard !schema.fields.isEmpty else { throw QueryError.notSupported("Parquet files without columns") }
    layout = try ParquetWriterSchema(schema, options, settings)
    chunks = layout.chunks
    summaries = Array(repeating: FileSummary.Column(), count: schema.fields.count)
  }

  private static let magic: [UInt8] = Array("PAR1".utf8)

  var byteCount: Int { position + chunks.reduce(0) { $0 + $1.estimatedByteCount } }
  var heldByteCount: Int { chunks.reduce(0) { $0 + $1.heldByteCount } }

  private func write(_ bytes: [UInt8]) throws(QueryError) {
    var failure: QueryError?
    bytes.withUnsafeBytes { all in
      do throws(QueryError) { try object.write(all) } catch { failure = error }
    }
    if let failure { throw failure }
    position += bytes.count
  }

  func append(_ batch: Batch) throws(QueryError) {
    var start = 0
    while start < batch.rowCount {
      var count = min(ColumnChunkWriter.stepRowCount, batch.rowCount - start, settings.rowGroupRowCount - openRows)
      // Long strings: fewer rows at once, so that a page ends before it is too large.
      while count > 1, stringByteCount(batch, start, count) > ParquetWriter.largestStep { count = (count + 7) / 8 }
      for (index, column) in batch.columns.enumerated() {
        let part = start == 0 && count == batch.rowCount ? column : column.slice(offset: start, count: count)
        try layout.columns[index].append(part)
      }
      start += count
      openRows += count
      rowCount += count
      if openRows >= settings.rowGroupRowCount || isFull { try finishRowGroup() }
    }
  }

  private var isFull: Bool { heldByteCount >= settings.rowGroupByteCount }

  private static let largestStep = 32 << 20

  private func stringByteCount(_ batch: Batch, _ start: Int, _ count: Int) -> Int {
    var largest = 0
    for column in batch.columns where column.type.physicalType == .string && column.encoding != .constant {
      let views = column.storage.values!.typed(StringView.self)
      let indices = column.indices?.typed(Int32.self)
      var total = 0
      var i = start
      while i < start + count {
        if !column.isNull(i) { total &+= views[indices.map { Int($0[i]) } ?? i].count }
        i &+= 1
      }
      largest = max(largest, total)
    }
    return largest
  }

  // MARK: Row groups

  func endBlock() throws(QueryError) { try finishRowGroup() }

  private func finishRowGroup() throws(QueryError) {
    if openRows == 0 { return }
    if position == 0 { try write(ParquetWriter.magic) }
    var written = WrittenRowGroup(rowCount: openRows, offset: position, chunks: [])
    for (leaf, chunk) in chunks.enumerated() {
      try chunk.finish()
      written.chunks.append(try write(chunk, leaf))
      chunk.reset()
    }
    rowGroups.append(written)
    openRows = 0
  }

  private func write(_ chunk: ColumnChunkWriter, _ leaf: Int) throws(QueryError) -> WrittenChunk {
    var result = WrittenChunk(leaf: leaf, valueCount: chunk.levelCount, nullCount: chunk.nullCount)
    let start = position
    if let page = chunk.dictionaryPage {
      result.dictionaryOffset = position
      result.uncompressedByteCount += page.uncompressedByteCount
      try write(page.bytes)
    }
    result.dataOffset = position
    var row = 0
    for page in chunk.pages {
      result.pages.append(
        (position, page.bytes.count, row, page.nullCount, page.valueCount, WrittenBounds(page.bounds, chunk.type), page.bounds))
      result.encodings[page.encoding, default: 0] += 1
      result.uncompressedByteCount += page.uncompressedByteCount
      row += page.rowCount
      try write(page.bytes)
    }
    result.compressedByteCount = position - start
    result.bounds = WrittenBounds(chunk.bounds, chunk.type)
    result.hashes = chunk.hashes
    summarize(chunk, leaf)
    return result
  }

  /// Adds a chunk to what the summary tells of its column.
  private func summarize(_ chunk: ColumnChunkWriter, _ leaf: Int) {
    var column = 0
    var first = 0
    while first + layout.columns[column].chunks.count <= leaf {
      first += layout.columns[column].chunks.count
      column += 1
    }
    guard case .leaf(_, let type, _) = layout.columns[column].node else { return }
    summaries[column].nullCount += chunk.nullCount
    guard !chunk.bounds.isEmpty, let low = scalar(chunk.bounds.leastWord, chunk.bounds.leastBytes, type, chunk.type),
      let high = scalar(chunk.bounds.greatestWord, chunk.bounds.greatestBytes, type, chunk.type)
    else { return }
    if summaries[column].min.flatMap({ Scalar.order(low, $0) }) ?? -1 < 0 { summaries[column].min = low }
    if summaries[column].max.flatMap({ Scalar.order(high, $0) }) ?? 1 > 0 { summaries[column].max = high }
  }

  /// A stored value in the column's type; nil for types whose bounds a summary does not tell.
  private func scalar(_ word: Int64?, _ bytes: [UInt8]?, _ type: DataType, _ leaf: ParquetLeafType) -> Scalar? {
    if let bytes {
      guard leaf.decimal != nil else { return .bytes(bytes) }
      var value: Int128 = bytes.first.map { $0 & 0x80 != 0 ? -1 : 0 } ?? 0
      for byte in bytes { value = value << 8 | Int128(byte) }
      return .int128(value)
    }
    guard let word else { return nil }
    switch (type, leaf.form) {
    case (.boolean, _): return .boolean(word != 0)
    case (.real, _): return .real(StoredOrder.float(word))
    case (.double, _): return .double(StoredOrder.double(word))
    case (.timestampWithTimeZone, _): return nil
    case (.timestamp, .divided(let divisor)) where type.physicalType == .int128: return .int128(Int128(word) * Int128(divisor))
    case (_, .divided(let divisor)): return .integer(word &* divisor)
    default: return .integer(word)
    }
  }

  // MARK: The end

  func finish() throws(QueryError) -> FileSummary {
    try finishRowGroup()
    if position == 0 { try write(ParquetWriter.magic) }
    try writeBloomFilters()
    try writePageIndexes()
    let footer = footer()
    try write(footer)
    try write(withUnsafeBytes(of: UInt32(footer.count).littleEndian) { Array($0) } + ParquetWriter.magic)
    return FileSummary(rowCount: rowCount, byteCount: position, columns: summaries)
  }

  private func writeBloomFilters() throws(QueryError) {
    for group in rowGroups.indices {
      for chunk in rowGroups[group].chunks.indices where !rowGroups[group].chunks[chunk].hashes.isEmpty {
        let bytes = BloomFilter.make(rowGroups[group].chunks[chunk].hashes)
        rowGroups[group].chunks[chunk].bloomFilter = (position, bytes.count)
        rowGroups[group].chunks[chunk].hashes = []
        try write(bytes)
      }
    }
  }

  private func writePageIndexes() throws(QueryError) {
    for group in rowGroups.indices {
      for chunk in rowGroups[group].chunks.indices {
        guard let bytes = columnIndex(rowGroups[group].chunks[chunk]) else { continue }
        rowGroups[group].chunks[chunk].columnIndex = (position, bytes.count)
        try write(bytes)
      }
    }
    for group in rowGroups.indices {
      for chunk in rowGroups[group].chunks.indices {
        let pages = rowGroups[group].chunks[chunk].pages
        var out = ThriftCompactWriter()
        out.structure { index in
          index.field(1, structures: pages) { place, page in
            place.field(1, int64: page.offset)
            place.field(2, int32: page.byteCount)
            place.field(3, int64: page.firstRow)
          }
        }
        rowGroups[group].chunks[chunk].offsetIndex = (position, out.bytes.count)
        try write(out.bytes)
      }
    }
  }

  /// nil when some page has values but no bounds: NaN only, or too long.
  private func columnIndex(_ chunk: WrittenChunk) -> [UInt8]? {
    let type = chunks[chunk.leaf].type
    for page in chunk.pages where page.bounds == nil && page.nullCount < page.valueCount { return nil }
    var out = ThriftCompactWriter()
    out.structure { index in
      index.field(1, bools: chunk.pages.map { $0.bounds == nil })
      index.field(2, byteArrays: chunk.pages.map { $0.bounds?.min ?? [] })
      index.field(3, byteArrays: chunk.pages.map { $0.bounds?.max ?? [] })
      index.field(4, int32: boundaryOrder(chunk, StoredOrder(type)))
      index.field(5, int64s: chunk.pages.map(\.nullCount))
    }
    return out.bytes
  }

  /// 1 when the pages' bounds ascend, 2 when they descend, else 0.
  private func boundaryOrder(_ chunk: WrittenChunk, _ order: StoredOrder) -> Int {
    let pages = chunk.pages.filter { $0.bounds != nil }.map(\.raw)
    func ascends(_ a: StoredBounds, _ b: StoredBounds) -> Bool {
      if let x = a.leastWord, let y = b.leastWord, let u = a.greatestWord, let v = b.greatestWord {
        return !order.precedes(y, x) && !order.precedes(v, u)
      }
      if let x = a.leastBytes, let y = b.leastBytes, let u = a.greatestBytes, let v = b.greatestBytes {
        return !order.precedes(y, x) && !order.precedes(v, u)
      }
      return false
    }
    if zip(pages, pages.dropFirst()).allSatisfy({ ascends($0, $1) }) { return 1 }
    return zip(pages, pages.dropFirst()).allSatisfy { ascends($1, $0) } ? 2 : 0
  }

  private func footer() -> [UInt8] {
    var out = ThriftCompactWriter()
    out.structure { file in
      file.field(1, int32: 1)
      file.field(2, structures: layout.elements) { $1.write(&$0) }
      file.field(3, int64: rowCount)
      file.field(4, structures: Array(rowGroups.enumerated())) { group, entry in write(entry.element, entry.offset, &group) }
      if !options.keyValues.isEmpty {
        file.field(5, structures: options.keyValues.sorted { $0.key < $1.key }) { pair, entry in
          pair.field(1, string: entry.key)
          pair.field(2, string: entry.value)
        }
      }
      file.field(6, string: "sqlq version 1.0.0 (build 1)")
      file.field(7, structures: chunks) { order, _ in order.field(1, structure: { _ in }) }
    }
    return out.bytes
  }

  private func write(_ group: WrittenRowGroup, _ ordinal: Int, _ out: inout ThriftCompactWriter) {
    out.field(1, structures: group.chunks) { chunk, entry in
      chunk.field(2, int64: 0)
      chunk.field(3, structure: { self.write(entry, &$0) })
      if let place = entry.offsetIndex {
        chunk.field(4, int64: place.offset)
        chunk.field(5, int32: place.length)
      }
      if let place = entry.columnIndex {
        chunk.field(6, int64: place.offset)
        chunk.field(7, int32: place.length)
      }
    }
    out.field(2, int64: group.uncompressedByteCount)
    out.field(3, int64: group.rowCount)
    let sorting = sortingColumns
    if !sorting.isEmpty {
      out.field(4, structures: sorting) { column, entry in
        column.field(1, int32: entry.leaf)
        column.field(2, bool: entry.isDescending)
        column.field(3, bool: false)
      }
    }
    out.field(5, int64: group.offset)
    out.field(6, int64: group.compressedByteCount)
    if ordinal < 1 << 15 { out.field(7, int16: ordinal) }
  }

  /// Leaves of the columns that rows are sorted by, up to the first nested one.
  private var sortingColumns: [(leaf: Int, isDescending: Bool)] {
    var result: [(Int, Bool)] = []
    for column in options.sortedBy {
      guard layout.columns.indices.contains(column), case .leaf = layout.columns[column].node else { break }
      let leaf = layout.columns[..<column].reduce(0) { $0 + $1.chunks.count }
      result.append((leaf, options.descending.contains(column)))
    }
    return result
  }

  private func write(_ chunk: WrittenChunk, _ out: inout ThriftCompactWriter) {
    let leaf = chunks[chunk.leaf]
    out.field(1, int32: leaf.type.physical.rawValue)
    var encodings = Set(chunk.encodings.keys.map(\.rawValue))
    encodings.insert(ParquetEncoding.runLength.rawValue)
    out.field(2, int32s: encodings.sorted())
    out.field(3, strings: layout.paths[chunk.leaf])
    out.field(4, int32: settings.codecNumber)
    out.field(5, int64: chunk.valueCount)
    out.field(6, int64: chunk.uncompressedByteCount)
    out.field(7, int64: chunk.compressedByteCount)
    out.field(9, int64: chunk.dataOffset)
    if let offset = chunk.dictionaryOffset { out.field(11, int64: offset) }
    out.field(
      12,
      structure: { statistics in
        statistics.field(3, int64: chunk.nullCount)
        if let bounds = chunk.bounds {
          statistics.field(5, bytes: bounds.max)
          statistics.field(6, bytes: bounds.min)
          statistics.field(7, bool: bounds.isMaxExact)
          statistics.field(8, bool: bounds.isMinExact)
        }
      })
    var pages = chunk.encodings.sorted { $0.key.rawValue < $1.key.rawValue }.map { (0, $0.key.rawValue, $0.value) }
    if chunk.dictionaryOffset != nil { pages.insert((2, ParquetEncoding.plainDictionary.rawValue, 1), at: 0) }
    out.field(13, structures: pages) { page, entry in
      page.field(1, int32: entry.0)
      page.field(2, int32: entry.1)
      page.field(3, int32: entry.2)
    }
    if let filter = chunk.bloomFilter {
      out.field(14, int64: filter.offset)
      out.field(15, int32: filter.length)
    }
  }
}
