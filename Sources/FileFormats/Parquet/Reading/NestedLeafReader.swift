import Columnar
import QueryErrors

/// Reads one leaf of a nested column: its levels as they are, and its values without the NULLs between them.
///
/// A row is the stretch of levels from one repetition level 0 to the next; version 1 pages may break inside it.
final class NestedLeafReader {
  let leaf: LeafReader
  /// Set when only the levels count.
  private let isLevelsOnly: Bool
  private let maxDefinition: UInt8
  private let maxRepetition: UInt8

  // MARK: Changes while reading

  private var repetitionDecoder: LevelDecoder?
  private var definitionDecoder: LevelDecoder?
  /// Levels of the current page that are not decoded yet.
  private var pageLevelsLeft = 0
  /// Whether the current page ends with a row.
  private var endsWithRow = false
  /// Last row of the current page and one, when an offset index tells.
  private var pageEnd: Int?
  /// Levels decoded and not yet handed out.
  private let chunkDefinitions: Buffer
  private let chunkRepetitions: Buffer
  private var chunkNext = 0
  private var chunkCount = 0
  /// Rows of the row group passed so far.
  private var row = 0

  // MARK: The last window read

  private(set) var definitions = Buffer(byteCount: 4096)
  private(set) var repetitions = Buffer(byteCount: 4096)
  private(set) var levelCount = 0
  private(set) var valueCount = 0
  private var values: Buffer?
  private var codes: Buffer?
  private var owners = ByteOwners()

  private static let chunkSize = 1024
  /// Levels of one window; more would not fit in a batch's offsets and hardly in memory.
  private static let largestWindow = 1 << 28

  init(_ leaf: LeafReader, isLevelsOnly: Bool) {
    self.leaf = leaf
    self.isLevelsOnly = isLevelsOnly
    maxDefinition = leaf.leaf.maxDefinition
    maxRepetition = leaf.leaf.maxRepetition
    chunkDefinitions = .zeroed(byteCount: NestedLeafReader.chunkSize)
    chunkRepetitions = .zeroed(byteCount: NestedLeafReader.chunkSize)
  }

  /// Reads the levels and values of `count` rows from `start` on.
  func read(from start: Int, count: Int) throws(ParquetDamage) {
    levelCount = 0
    valueCount = 0
    values = nil
    codes = nil
    owners = ByteOwners()
    if start > row { try pass(start - row, keep: false) }
    if count == 0 { return }
    try pass(count, keep: true)
  }

  /// Moves over `count` rows.
  private func pass(_ count: Int, keep: Bool) throws(ParquetDamage) {
    let target = row &+ count
    var begun = 0
    if !keep, let end = pageEnd, end <= target, pageLevelsLeft > 0 || chunkNext < chunkCount {
      // The rest of an indexed page is not wanted.
      pageLevelsLeft = 0
      chunkNext = chunkCount
      begun = end &- row
    }
    let rep = chunkRepetitions.typed(UInt8.self)
    while true {
      if chunkNext == chunkCount {
        if pageLevelsLeft == 0 {
          if begun == count, endsWithRow || maxRepetition == 0 { break }
          guard try nextPage(&begun, count, keep: keep) else { break }
          continue
        }
        try refill()
      }
      var i = chunkNext
      var stopped = false
      if maxRepetition == 0 {
        let take = min(chunkCount &- i, count &- begun)
        i &+= take
        begun &+= take
      } else {
        while i < chunkCount {
          if rep[i] == 0 {
            if begun == count {
              stopped = true
              break
            }
            begun &+= 1
          } else if begun == 0 {
            throw ParquetDamage("a row continues where a new one has to start")
          }
          i &+= 1
        }
      }
      try take(chunkNext, i, keep: keep)
      chunkNext = i
      if begun == count, stopped || maxRepetition == 0 { break }
    }
    guard begun == count else { throw ParquetDamage("the column chunk has fewer rows than its row group") }
    row = target
  }

  /// Starts the next page; false after the last.
  ///
  /// - Parameter begun: rows passed; grows by those of pages that need not be looked at.
  private func nextPage(_ begun: inout Int, _ count: Int, keep: Bool) throws(ParquetDamage) -> Bool {
    let wanted = keep ? row &+ begun : row &+ count
    guard try leaf.pages.advance(toRow: wanted), let header = leaf.pages.header else { return false }
    pageEnd = nil
    endsWithRow = header.kind == .dataV2 || leaf.pages.isIndexed
    if let rows = leaf.pages.indexedRows {
      guard rows.lowerBound >= row &+ begun, rows.lowerBound <= row &+ count else {
        throw ParquetDamage("an offset index and the pages disagree about rows")
      }
      if rows.lowerBound > row &+ begun {
        guard !keep else { throw ParquetDamage("an offset index and the pages disagree about rows") }
        begun = rows.lowerBound &- row
      }
      pageEnd = rows.upperBound
    } else if !keep {
      let rows = maxRepetition == 0 ? header.valueCount : header.kind == .dataV2 ? header.rowCount : nil
      if let rows, rows <= count &- begun {
        begun &+= rows
        return true
      }
    }
    let page = try leaf.pages.load()
    let isOld = page.header.kind == .data
    repetitionDecoder = nil
    definitionDecoder = nil
    if maxRepetition > 0 {
      repetitionDecoder = try LevelDecoder(
        page.repetitionLevels, maximum: maxRepetition, encoding: isOld ? header.repetitionEncoding : .runLength,
        count: header.valueCount)
    }
    if maxDefinition > 0 {
      definitionDecoder = try LevelDecoder(
        page.definitionLevels, maximum: maxDefinition, encoding: isOld ? header.definitionEncoding : .runLength,
        count: header.valueCount)
    }
    if !isLevelsOnly { try leaf.startValues(page) }
    pageLevelsLeft = header.valueCount
    return true
  }

  private func refill() throws(ParquetDamage) {
    let n = min(pageLevelsLeft, NestedLeafReader.chunkSize)
    if repetitionDecoder != nil { try repetitionDecoder!.decode(n, into: chunkRepetitions.typed(UInt8.self)) }
    if definitionDecoder != nil { try definitionDecoder!.decode(n, into: chunkDefinitions.typed(UInt8.self)) }
    pageLevelsLeft &-= n
    chunkNext = 0
    chunkCount = n
  }

  /// Hands out or passes over the levels `from ..< to` of the chunk and their values.
  private func take(_ from: Int, _ to: Int, keep: Bool) throws(ParquetDamage) {
    let n = to &- from
    if n == 0 { return }
    let levels = chunkDefinitions.typed(UInt8.self) + from
    var present = 0
    var i = 0
    while i < n {
      present &+= bit(levels[i] == maxDefinition)
      i &+= 1
    }
    guard keep else {
      if !isLevelsOnly { try leaf.decoder.skip(present, leaf.context.scratch) }
      return
    }
    guard levelCount &+ n <= NestedLeafReader.largestWindow else {
      throw ParquetDamage(
        QueryError(.exceededLocalMemoryLimit, "Arrays are too long: more than 268 million elements in a batch of rows"))
    }
    definitions = NestedLeafReader.grown(definitions, used: levelCount, wanted: levelCount &+ n)
    (definitions.pointer + levelCount).copyMemory(from: levels, byteCount: n)
    if maxRepetition > 0 {
      repetitions = NestedLeafReader.grown(repetitions, used: levelCount, wanted: levelCount &+ n)
      (repetitions.pointer + levelCount).copyMemory(from: chunkRepetitions.pointer + from, byteCount: n)
    }
    levelCount &+= n
    if !isLevelsOnly, present > 0 { try takeValues(present) }
  }

  private func takeValues(_ n: Int) throws(ParquetDamage) {
    let width = leaf.byteWidth
    if leaf.decoder.isDictionary, leaf.isString, maxRepetition == 0, values == nil {
      codes = NestedLeafReader.grown(
        codes ?? Buffer(byteCount: 4096 * 4), used: valueCount &* 4, wanted: (valueCount &+ n) &* 4)
      try leaf.decodeCodes(n, into: codes!.typed(Int32.self) + valueCount)
      valueCount &+= n
      return
    }
    if values == nil {
      let block = Buffer(byteCount: max(4096, valueCount &+ n) * width)
      if let codes, let dictionary = leaf.dictionary {
        ColumnKernels.gather(
          width, dictionary.values!.pointer, codes.typed(Int32.self), valueCount, block.pointer)
        if let heap = dictionary.heap { owners.add(heap) }
      }
      codes = nil
      values = block
    }
    values = NestedLeafReader.grown(values!, used: valueCount &* width, wanted: (valueCount &+ n) &* width)
    try leaf.decodeValues(n, into: values!.pointer + valueCount &* width, &owners)
    valueCount &+= n
  }

  private static func grown(_ buffer: Buffer, used: Int, wanted: Int) -> Buffer {
    if wanted <= buffer.byteCount { return buffer }
    let larger = Buffer(byteCount: max(wanted, buffer.byteCount * 2))
    larger.pointer.copyMemory(from: buffer.pointer, byteCount: used)
    return larger
  }

  // MARK: The column

  /// The window's values as a column: one row per slot of `node`.
  func column(_ node: ParquetNode) -> Column {
    let levels = definitions.typed(UInt8.self)
    let width = leaf.byteWidth
    // Levels below the slot's stand for missing ancestors, not for values.
    var slots = levelCount
    if node.slotDefinition > 0 {
      slots = 0
      var i = 0
      while i < levelCount {
        slots &+= bit(levels[i] >= node.slotDefinition)
        i &+= 1
      }
    }
    if codes == nil, values == nil {
      return .nulls(leaf.type, count: slots).flattened()
    }
    var validity: Bitmap?
    if slots != valueCount {
      let bitmap = Bitmap(count: slots, filled: false)
      let words = bitmap.words
      var slot = 0
      var i = 0
      while i < levelCount {
        let level = levels[i]
        if level >= node.slotDefinition {
          words[slot >> 6] |= UInt64(truncatingIfNeeded: bit(level == maxDefinition)) &<< UInt64(slot & 63)
          slot &+= 1
        }
        i &+= 1
      }
      validity = bitmap
    }
    if let codes, let dictionary = leaf.dictionary {
      var indices = codes
      if let validity {
        NestedLeafReader.terminate(codes, at: valueCount &* 4, width: 4)
        indices = Buffer(byteCount: slots * 4)
        ColumnKernels.expand(4, codes.pointer, validity.words, slots, indices.pointer)
      }
      return .dictionary(dictionary, indices: indices, count: slots, validity: validity)
    }
    var block = values!
    if let validity {
      NestedLeafReader.terminate(block, at: valueCount &* width, width: width)
      let spread = Buffer(byteCount: slots * width)
      ColumnKernels.expand(width, block.pointer, validity.words, slots, spread.pointer)
      block = spread
    }
    return Column(
      flat: leaf.type, count: slots, values: block, validity: validity, heap: leaf.isString ? owners.heap : nil)
  }

  /// Puts a zero behind the last value (in the slack at the latest), for NULLs that follow it.
  private static func terminate(_ buffer: Buffer, at offset: Int, width: Int) {
    (buffer.pointer + offset).initializeMemory(as: UInt8.self, repeating: 0, count: width)
  }
}
