import Columnar

/// Reads one column of one row group, row range by row range, in ascending order.
///
/// - Threads: one worker.
class ColumnReader {
  /// Rows `start ..< start + count` of the row group, or of those the selected ones.
  ///
  /// - Parameters:
  ///   - start: at or after the end of the range read before.
  ///   - selection: row numbers relative to `start`, ascending; nil for all.
  ///   - keepsCodes: whether dictionary-encoded numbers come as a dictionary column.
  func read(
    from start: Int, count: Int, selection: UnsafePointer<Int32>?, selectionCount: Int, keepsCodes: Bool
  ) throws(ParquetDamage) -> Column {
    preconditionFailure("abstract")
  }

  /// Where the reader is in the file, for messages.
  var fileOffset: UInt64? { nil }
  /// Pages passed over without decompression.
  var prunedPageCount: Int { 0 }
}

/// A column that the file does not have, or holds only NULLs of: all NULL.
final class NullColumnReader: ColumnReader {
  private let type: DataType

  init(_ type: DataType) { self.type = type }

  override func read(
    from start: Int, count: Int, selection: UnsafePointer<Int32>?, selectionCount: Int, keepsCodes: Bool
  ) throws(ParquetDamage) -> Column {
    .nulls(type, count: selection == nil ? count : selectionCount)
  }
}

/// Reads a top-level column that is not nested.
///
/// Definition levels are decoded straight into validity bits, runs at a time; a column without nulls costs nothing for
/// them.
final class FlatColumnReader: ColumnReader {
  let leaf: LeafReader
  private let scratch: DecodeScratch

  // MARK: Changes while reading

  /// Rows of the current page.
  private var pageRows = 0..<0
  /// The next row that the decoders stand at, within `pageRows`.
  private var row = 0
  private var isLoaded = false
  private var levels: LevelDecoder?

  init(_ leaf: LeafReader) {
    self.leaf = leaf
    scratch = leaf.context.scratch
  }

  override var fileOffset: UInt64? { leaf.pages.pageOffset }
  override var prunedPageCount: Int { leaf.pages.prunedCount }

  /// What a read has put together so far.
  private struct Output {
    let capacity: Int
    var filled = 0
    /// Dictionary indices, as long as all pages are dictionary-encoded.
    var codes: Buffer?
    var values: Buffer?
    var validity: Bitmap?
    var owners = ByteOwners()
    var arena = StringArena()
    var usesArena = false
  }

  override func read(
    from start: Int, count: Int, selection: UnsafePointer<Int32>?, selectionCount: Int, keepsCodes: Bool
  ) throws(ParquetDamage) -> Column {
    var out = Output(capacity: selection == nil ? count : selectionCount)
    let end = start &+ count
    var at = start
    var taken = 0
    while at < end {
      if let selection {
        if taken == selectionCount { break }
        at = max(at, start &+ Int(selection[taken]))
      }
      try move(to: at)
      if !isLoaded { try load() }
      try skip(to: at)
      var stop = min(min(end, pageRows.upperBound), at &+ DecodeScratch.rowCount)
      var picked: UnsafePointer<Int32>?
      var pickedCount = 0
      if let selection {
        // The selected rows up to the next large gap, relative to `at`.
        let base = Int32(truncatingIfNeeded: at &- start)
        let limit = Int32(truncatingIfNeeded: stop &- start)
        var last = base
        while taken < selectionCount {
          let next = selection[taken]
          if next >= limit || next &- last > FlatColumnReader.largeGap { break }
          scratch.selection[pickedCount] = next &- base
          pickedCount &+= 1
          taken &+= 1
          last = next
        }
        stop = start &+ Int(last) &+ 1
        picked = UnsafePointer(scratch.selection)
        if pickedCount == stop &- at { picked = nil }
      }
      try decode(stop &- at, picked, pickedCount, keepsCodes: keepsCodes, &out)
      row = stop
      at = stop
    }
    return finish(&out)
  }

  /// Rows between two selected ones from which on passing over is cheaper than decoding.
  private static let largeGap: Int32 = 512
  /// Makes the page that holds `target` the current one.
  private func move(to target: Int) throws(ParquetDamage) {
    while target >= pageRows.upperBound {
      guard try leaf.pages.advance(toRow: target), let header = leaf.pages.header else {
        throw ParquetDamage("the column chunk has fewer values than the row group has rows")
      }
      isLoaded = false
      if let rows = leaf.pages.indexedRows {
        guard header.valueCount == rows.count else {
          throw ParquetDamage("a page has \(header.valueCount) rows, its offset index says \(rows.count)")
        }
        pageRows = rows
      } else {
        let first = pageRows.upperBound
        guard header.valueCount <= leaf.context.rowCount &- first else {
          throw ParquetDamage("the column chunk has more values than the row group has rows")
        }
        pageRows = first..<first &+ header.valueCount
      }
      row = pageRows.lowerBound
    }
  }

  private func load() throws(ParquetDamage) {
    let page = try leaf.pages.load()
    levels = nil
    if leaf.leaf.maxDefinition > 0 {
      let encoding = page.header.kind == .dataV2 ? .runLength : page.header.definitionEncoding
      levels = try LevelDecoder(
        page.definitionLevels, maximum: leaf.leaf.maxDefinition, encoding: encoding, count: page.header.valueCount)
    }
    try leaf.startValues(page)
    isLoaded = true
  }

  /// Passes over rows of the loaded page.
  private func skip(to target: Int) throws(ParquetDamage) {
    let rows = target &- row
    if rows == 0 { return }
    let values = levels == nil ? rows : try levels!.skipBits(rows)
    try leaf.decoder.skip(values, scratch)
    row = target
  }

  /// Decodes `rows` rows of the loaded page, or the picked ones of them, and adds them to the output.
  private func decode(
    _ rows: Int, _ picked: UnsafePointer<Int32>?, _ pickedCount: Int, keepsCodes: Bool, _ out: inout Output
  ) throws(ParquetDamage) {
    let produced = picked == nil ? rows : pickedCount
    let values = levels == nil ? rows : try levels!.decodeBits(rows, into: scratch.bits)
    let hasNulls = values != rows
    // Rows' validity goes to the output; `bits` then tells which produced rows have values.
    var bits = scratch.bits
    var valueCount = values
    var ordinals: UnsafePointer<Int32>? = picked
    if hasNulls {
      if let picked {
        valueCount = ColumnKernels.rank(picked, pickedCount, scratch.bits, scratch.ordinals, scratch.selectedBits)
        ordinals = UnsafePointer(scratch.ordinals)
        bits = scratch.selectedBits
      }
      if valueCount != produced {
        if out.validity == nil { out.validity = Bitmap(count: out.capacity, filled: true) }
        out.validity!.copy(bits, count: produced, to: out.filled)
      }
    } else if picked != nil {
      valueCount = pickedCount
    }
    let hasGaps = valueCount != produced
    // Survivors should not keep more of a page in memory than they are; nor a dictionary in which every string is
    // some row's own.
    let copiesStrings =
      leaf.isString && ordinals != nil && valueCount &* 2 < values
      && (!leaf.decoder.isDictionary
        || BlockScan.isBurden(entryCount: leaf.dictionaryCount, rowCount: leaf.context.rowCount))

    if leaf.decoder.isDictionary, out.values == nil, leaf.isString || keepsCodes, !copiesStrings {
      if out.codes == nil { out.codes = Buffer(byteCount: out.capacity &* 4) }
      let to = out.codes!.typed(Int32.self) + out.filled
      let target = hasGaps ? scratch.dense.assumingMemoryBound(to: Int32.self) : to
      if let ordinals {
        try leaf.decodeCodes(values, picking: ordinals, valueCount, into: target)
      } else {
        try leaf.decodeCodes(values, into: target)
      }
      if hasGaps {
        // A NULL behind the last value takes the entry 0.
        target[valueCount] = 0
        ColumnKernels.expand(4, target, bits, produced, to)
      }
      out.filled &+= produced
      return
    }

    if out.values == nil { startValues(&out) }
    let width = leaf.byteWidth
    let to = out.values!.pointer + out.filled &* width
    let target = hasGaps ? scratch.dense : to
    if let ordinals {
      if copiesStrings {
        var owners = ByteOwners()
        try leaf.decodeValues(values, picking: ordinals, valueCount, into: target, &owners)
        let views = target.assumingMemoryBound(to: StringView.self)
        var byteCount = 0
        var i = 0
        while i < valueCount {
          byteCount &+= views[i].isInline ? 0 : views[i].count
          i &+= 1
        }
        out.arena.prepare(byteCount)
        i = 0
        while i < valueCount {
          views[i] = out.arena.add(views[i])
          i &+= 1
        }
        out.usesArena = true
      } else {
        try leaf.decodeValues(values, picking: ordinals, valueCount, into: target, &out.owners)
      }
    } else {
      try leaf.decodeValues(values, into: target, &out.owners)
    }
    if hasGaps {
      if leaf.isString { target.assumingMemoryBound(to: StringView.self)[valueCount] = StringView() }
      ColumnKernels.expand(width, target, bits, produced, to)
    }
    out.filled &+= produced
  }

  /// Goes over from dictionary indices to values.
  private func startValues(_ out: inout Output) {
    let values = Buffer(byteCount: out.capacity &* leaf.byteWidth)
    if let codes = out.codes, let dictionary = leaf.dictionary {
      ColumnKernels.gather(
        leaf.byteWidth, dictionary.values!.pointer, codes.typed(Int32.self), out.filled, values.pointer)
      if leaf.isString, let heap = dictionary.heap { out.owners.add(heap) }
    }
    out.codes = nil
    out.values = values
  }

  private func finish(_ out: inout Output) -> Column {
    if let codes = out.codes, let dictionary = leaf.dictionary {
      return .dictionary(dictionary, indices: codes, count: out.capacity, validity: out.validity)
    }
    if out.values == nil { startValues(&out) }
    if out.usesArena, let heap = out.arena.heap { out.owners.add(heap) }
    return Column(
      flat: leaf.type, count: out.capacity, values: out.values!, validity: out.validity,
      heap: leaf.isString ? out.owners.heap : nil)
  }
}
