import Columnar
import ObjectStore
import QueryErrors

/// What all readers of one row group's columns share.
final class RowGroupContext {
  let file: ParquetFile
  /// Number of the row group.
  let rowGroup: Int
  let rowCount: Int
  /// Those of them that are this reader's.
  let rows: Range<Int>
  let source: RangeReader
  let metrics: ScanMetrics
  let decompressor: Decompressor
  let scratch: DecodeScratch

  init(
    file: ParquetFile, rowGroup: Int, rows: Range<Int>, shared: SharedReads?, metrics: ScanMetrics,
    decompressor: Decompressor, scratch: DecodeScratch
  ) {
    self.file = file
    self.rowGroup = rowGroup
    rowCount = file.footer.rowGroups[rowGroup].rowCount
    self.rows = rows
    source = RangeReader(source: file.source, shared: shared)
    self.metrics = metrics
    self.decompressor = decompressor
    self.scratch = scratch
  }

  /// The damage as an error that names its place.
  func error(_ damage: ParquetDamage, column: String, offset: UInt64? = nil) -> QueryError {
    let place = DataLocation(
      path: file.source.path, column: column, byteOffset: offset.map { Int(truncatingIfNeeded: $0) })
    if let cause = damage.cause { return cause.located(in: place) }
    return QueryError(.hiveBadData, "Corrupt Parquet file: \(damage.reason) (row group \(rowGroup))", data: place)
  }
}

/// Decodes the values of one leaf column in one row group: pages, dictionary, conversion to the column's type.
///
/// Subclasses add the levels: `FlatColumnReader` for plain columns, `NestedLeafReader` for leaves of nested ones.
class LeafReader {
  let context: RowGroupContext
  let leaf: ParquetLeaf
  let type: DataType
  let layout: RawLayout
  let conversion: ValueConversion
  /// Bytes per value of the column's type.
  let byteWidth: Int
  let isString: Bool
  let pages: PageStream
  let metadata: ColumnChunkMetadata

  // MARK: Changes while reading

  var decoder = ValueDecoder()
  private(set) var dictionary: Column?
  private(set) var dictionaryCount = 0
  private var isDictionaryLoaded = false

  /// - Parameter index: given when pages are to be read one by one.
  init(
    _ context: RowGroupContext, _ leaf: ParquetLeaf, type: DataType, layout: RawLayout, conversion: ValueConversion,
    metadata: ColumnChunkMetadata, index: OffsetIndex?
  ) throws(ParquetDamage) {
    self.context = context
    self.leaf = leaf
    self.type = type
    self.layout = layout
    self.conversion = conversion
    self.metadata = metadata
    byteWidth = type.physicalType.byteWidth
    isString = type.physicalType == .string
    pages = try PageStream(
      source: context.source, leaf: leaf, metadata: metadata, rowCount: context.rowCount, rows: context.rows,
      index: index, decompressor: context.decompressor)
  }

  /// The dictionary's entries as a flat column of the column's type, if the chunk has one.
  func loadDictionary() throws(ParquetDamage) -> Column? {
    if isDictionaryLoaded { return dictionary }
    isDictionaryLoaded = true
    if let known = context.source.shared?.dictionary(leaf.index), known.entries.type == type {
      (dictionary, dictionaryCount) = known
      return dictionary
    }
    guard let page = try pages.dictionaryPage() else { return nil }
    guard page.header.encoding == .plain || page.header.encoding == .plainDictionary else {
      throw ParquetDamage("the dictionary is encoded as \(page.header.encodingNumber)")
    }
    let count = page.header.valueCount
    // Every entry takes a byte at least; a bit for booleans.
    let smallest = leaf.physical == .boolean ? 0 : leaf.physical == .byteArray ? 4 : max(1, fixedByteCount)
    guard count <= page.valueByteCount * 8, smallest == 0 || count <= page.valueByteCount / smallest else {
      throw ParquetDamage("the dictionary claims \(count) entries in \(page.valueByteCount) bytes")
    }
    var owners = ByteOwners()
    let asTheyAre = valuesAsTheyAre(page, count)
    let buffer = if let asTheyAre { asTheyAre } else { try convertedValues(page, count, &owners) }
    let entries = Column(
      flat: type, count: max(count, 1), values: buffer, validity: nil, heap: isString ? owners.heap : nil)
    context.source.shared?.keep((entries, count), leaf.index)
    (dictionary, dictionaryCount) = (entries, count)
    return entries
  }

  /// The values of a decompressed page where they have the column's form already.
  private func valuesAsTheyAre(_ page: LoadedPage, _ count: Int) -> Buffer? {
    guard conversion.isIdentity, count > 0, fixedByteCount == byteWidth, leaf.physical != .fixedByteArray,
      let buffer = page.owner as? Buffer, page.values == buffer.pointer
    else { return nil }
    return buffer
  }

  /// The values of a page with plain ones, decoded.
  private func convertedValues(
    _ page: LoadedPage, _ count: Int, _ owners: inout ByteOwners
  ) throws(ParquetDamage) -> Buffer {
    var values = try ValueDecoder(
      page.values, count: page.valueByteCount, encoding: .plain, leaf: leaf, layout: layout, owner: page.owner)
    // One entry at least, so that indices of NULLs have something to point to.
    let buffer = count == 0 ? Buffer.zeroed(byteCount: byteWidth) : Buffer(byteCount: count * byteWidth)
    var done = 0
    while done < count {
      let n = min(count - done, DecodeScratch.rowCount)
      if conversion.isIdentity {
        try values.decode(n, into: buffer.pointer + done * byteWidth, context.scratch, &owners)
      } else {
        try values.decode(n, into: context.scratch.raw, context.scratch, &owners)
        try conversion.convert(
          context.scratch.raw, n, into: buffer.pointer + done * byteWidth, byteWidth: byteWidth)
      }
      done += n
    }
    return buffer
  }

  private var fixedByteCount: Int {
    switch leaf.physical {
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    case .fixedByteArray: leaf.fixedByteCount
    default: 0
    }
  }

  /// Makes `decoder` read the values of a page.
  func startValues(_ page: LoadedPage) throws(ParquetDamage) {
    guard let encoding = page.header.encoding else {
      throw ParquetDamage("a page has the unknown encoding \(page.header.encodingNumber)")
    }
    if encoding.isDictionary, try loadDictionary() == nil {
      throw ParquetDamage("a page refers to a dictionary that the column chunk does not have")
    }
    decoder = try ValueDecoder(
      page.values, count: page.valueByteCount, encoding: encoding, leaf: leaf, layout: layout, owner: page.owner)
  }

  /// The next `count` dictionary indices, checked; the current page must be dictionary-encoded.
  func decodeCodes(_ count: Int, into out: UnsafeMutablePointer<Int32>) throws(ParquetDamage) {
    try decoder.decodeCodes(count, into: out)
    try check(out, count)
  }

  private func check(_ codes: UnsafePointer<Int32>, _ count: Int) throws(ParquetDamage) {
    var highest: UInt32 = 0
    var i = 0
    while i < count {
      highest = max(highest, UInt32(bitPattern: codes[i]))
      i &+= 1
    }
    if count > 0, Int(highest) >= dictionaryCount {
      throw ParquetDamage("dictionary index \(highest) is outside a dictionary of \(dictionaryCount) entries")
    }
  }

  /// Of the next `count` dictionary indices those at `ordinals`.
  func decodeCodes(
    _ count: Int, picking ordinals: UnsafePointer<Int32>, _ picked: Int, into out: UnsafeMutablePointer<Int32>
  ) throws(ParquetDamage) {
    let scratch = context.scratch
    if picked &* 32 >= count {
      let codes = scratch.codes
      try decodeCodes(count, into: codes)
      ColumnKernels.gather(4, codes, ordinals, picked, out)
      return
    }
    var next = 0
    var i = 0
    while i < picked {
      let at = Int(ordinals[i])
      try decoder.skip(at &- next, scratch)
      try decoder.decodeCodes(1, into: out + i)
      next = at &+ 1
      i &+= 1
    }
    try decoder.skip(count &- next, scratch)
    try check(out, picked)
  }

  /// Writes the next `count` values, in the column's type.
  ///
  /// - Shape: `count` ≤ `DecodeScratch.rowCount`.
  func decodeValues(
    _ count: Int, into out: UnsafeMutableRawPointer, _ owners: inout ByteOwners
  ) throws(ParquetDamage) {
    if count == 0 { return }
    let scratch = context.scratch
    if decoder.isDictionary {
      try decodeCodes(count, into: scratch.codes)
      ColumnKernels.gather(byteWidth, dictionary!.values!.pointer, scratch.codes, count, out)
      if isString, let heap = dictionary!.heap { owners.add(heap) }
    } else if conversion.isIdentity {
      try decoder.decode(count, into: out, scratch, &owners)
    } else {
      try decoder.decode(count, into: scratch.raw, scratch, &owners)
      try conversion.convert(scratch.raw, count, into: out, byteWidth: byteWidth)
    }
  }

  /// Of the next `count` values writes those at `ordinals`.
  func decodeValues(
    _ count: Int, picking ordinals: UnsafePointer<Int32>, _ picked: Int, into out: UnsafeMutableRawPointer,
    _ owners: inout ByteOwners
  ) throws(ParquetDamage) {
    if count == 0 { return }
    let scratch = context.scratch
    if decoder.isDictionary {
      // Codes land where the picked values' raw form would.
      let codes = scratch.raw.assumingMemoryBound(to: Int32.self)
      try decodeCodes(count, picking: ordinals, picked, into: codes)
      ColumnKernels.gather(byteWidth, dictionary!.values!.pointer, codes, picked, out)
      if isString, let heap = dictionary!.heap { owners.add(heap) }
    } else if conversion.isIdentity {
      try decoder.decode(count, picking: ordinals, picked, into: out, scratch, &owners)
    } else {
      try decoder.decode(count, picking: ordinals, picked, into: scratch.raw, scratch, &owners)
      try conversion.convert(scratch.raw, picked, into: out, byteWidth: byteWidth)
    }
  }
}
