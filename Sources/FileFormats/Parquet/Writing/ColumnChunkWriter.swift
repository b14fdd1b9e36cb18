import CKernels
import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Collects the levels and values of one leaf for a row group and makes its pages.
///
/// Values are looked up in a dictionary while that pays: then pages are made when the row group ends, all dictionary-encoded. When
/// the dictionary grows too large, what was collected becomes plain pages and the rest follows page by page.
///
/// - Threads: one.
final class ColumnChunkWriter {
  let type: ParquetLeafType
  let maxDefinition: UInt8
  let maxRepetition: UInt8
  private let order: StoredOrder
  private let settings: ParquetWriterSettings
  private let pageBuilder: PageBuilder

  // MARK: The row group's

  private(set) var pages: [FinishedPage] = []
  private(set) var dictionaryPage: (bytes: [UInt8], uncompressedByteCount: Int)?
  private(set) var bounds = StoredBounds()
  private(set) var levelCount = 0
  private(set) var nullCount = 0
  /// Hashes of values, when a bloom filter is wanted and there is no dictionary.
  private(set) var hashes: [UInt64] = []
  private let hasBloomFilter: Bool

  private var words: WordDictionary?
  private var bytes: BytesDictionary?
  private var usesDictionary = false
  /// The encoding of pages without a dictionary, chosen by the first one.
  private var plainEncoding: ParquetEncoding?
  /// Pages made when the row group ends: what each holds.
  private var marks: [(levels: Int, values: Int, rows: Int)] = []

  // MARK: Not yet in a page

  private let definitions = ByteBuilder()
  private let repetitions = ByteBuilder()
  /// Int32 dictionary entries.
  private let codes = ByteBuilder()
  /// Int64 words, or byte strings behind their lengths in 4 bytes (fixed ones without).
  private let values = ByteBuilder()
  private var valueCount = 0
  private var rowCount = 0
  private let scratch = Buffer(byteCount: ColumnChunkWriter.stepRowCount * 8)
  private let body = ByteBuilder()
  private let trial = ByteBuilder()
  private var finishedByteCount = 0

  /// Values that are looked at at once.
  static let stepRowCount = 4096

  init(
    _ type: ParquetLeafType, maxDefinition: UInt8, maxRepetition: UInt8, hasBloomFilter: Bool,
    _ settings: ParquetWriterSettings, _ pageBuilder: PageBuilder
  ) {
    self.type = type
    self.maxDefinition = maxDefinition
    self.maxRepetition = maxRepetition
    self.hasBloomFilter = hasBloomFilter
    self.settings = settings
    self.pageBuilder = pageBuilder
    order = StoredOrder(type)
    reset()
  }

  /// Starts a row group.
  func reset() {
    pages = []
    dictionaryPage = nil
    bounds = StoredBounds()
    (levelCount, nullCount, finishedByteCount) = (0, 0, 0)
    hashes = []
    plainEncoding = nil
    marks = []
    clear()
    codes.removeAll()
    forget(nil)
    usesDictionary = type.physical != .boolean
    words = usesDictionary && !type.isBytes ? WordDictionary() : nil
    bytes = usesDictionary && type.isBytes ? BytesDictionary() : nil
  }

  private func clear() {
    definitions.removeAll()
    repetitions.removeAll()
    values.removeAll()
    values.shrink(to: 4 << 20)
    (valueCount, rowCount) = (0, 0)
  }

  /// Bytes that are held in memory.
  var heldByteCount: Int {
    finishedByteCount + definitions.count + repetitions.count + codes.count + values.count
      + (words?.words.count ?? 0) * 16 + (bytes.map { $0.bytes.count + $0.count * 20 } ?? 0)
  }

  /// About how many bytes the chunk will take in the file.
  var estimatedByteCount: Int {
    if !usesDictionary { return finishedByteCount + values.count / 2 }
    let entries = words.map { $0.words.count * 8 } ?? bytes.map { $0.bytes.count + $0.count * 4 } ?? 0
    return entries / 2 + codes.count / 4 * max(codeWidth, 1) / 8
  }

  // MARK: Adding

  /// Adds levels: one for each value, NULL or empty list.
  func append(definitions: UnsafePointer<UInt8>, repetitions: UnsafePointer<UInt8>?, count: Int, nullCount: Int) {
    if maxDefinition > 0 { self.definitions.append(definitions, count: count) }
    if maxRepetition > 0, let repetitions { self.repetitions.append(repetitions, count: count) }
    levelCount += count
    self.nullCount += nullCount
  }

  /// The same for so many values without lists around them, none of them NULL.
  func appendPresent(_ count: Int) {
    if maxDefinition > 0 { memset(definitions.extend(count), Int32(maxDefinition), count) }
    levelCount += count
  }

  /// Adds numbers in stored form.
  func append(words source: UnsafePointer<Int64>, _ count: Int) throws(QueryError) {
    if count == 0 { return }
    if hasBloomFilter, !usesDictionary { addHashes(source, count) }
    guard usesDictionary else {
      values.append(source, count: count * 8)
      valueCount += count
      return
    }
    words!.codes(source, count, into: codes.extend(count * 4).assumingMemoryBound(to: Int32.self))
    valueCount += count
    if words!.words.count > settings.largestDictionary / (type.physical == .int64 || type.physical == .double ? 8 : 4)
      || isUnfit(words!.words.count)
    {
      try giveUpDictionary()
    }
  }

  /// Whether nearly every value so far is another one.
  private func isUnfit(_ entries: Int) -> Bool {
    let seen = codes.count / 4
    return seen >= settings.dictionaryTrial && entries * 2 > seen
  }

  /// Adds byte strings: those of `rows`, or all of the first `count`.
  ///
  /// - Shape: `column`: strings, flat or dictionary-encoded.
  func append(strings column: Column, rows: UnsafePointer<Int32>?, _ count: Int) throws(QueryError) {
    let storage = column.storage
    let views = UnsafePointer(storage.values!.typed(StringView.self))
    let indices = column.encoding == .dictionary ? UnsafePointer(column.indices!.typed(Int32.self)) : nil
    defer { withExtendedLifetime((column, storage)) {} }
    if usesDictionary {
      let out = codes.extend(count * 4).assumingMemoryBound(to: Int32.self)
      if let indices, storage.count * 2 <= count || storage === lastBase {
        // Entries of the column's own dictionary are looked up once.
        if storage !== lastBase { forget(storage) }
        entryCodes.withUnsafeMutableBufferPointer { known in
          var i = 0
          while i < count {
            let entry = Int(indices[rows.map { Int($0[i]) } ?? i])
            if known[entry] < 0 { known[entry] = code(views + entry) }
            out[i] = known[entry]
            i &+= 1
          }
        }
      } else {
        var i = 0
        while i < count {
          let row = rows.map { Int($0[i]) } ?? i
          out[i] = code(views + (indices.map { Int($0[row]) } ?? (column.encoding == .constant ? 0 : row)))
          i &+= 1
        }
      }
      valueCount += count
      if bytes!.bytes.count + bytes!.count * 4 > settings.largestDictionary || isUnfit(bytes!.count) {
        try giveUpDictionary()
      }
      return
    }
    let isFixed = type.physical == .fixedByteArray
    var i = 0
    while i < count {
      let row = rows.map { Int($0[i]) } ?? i
      let view = views + (indices.map { Int($0[row]) } ?? (column.encoding == .constant ? 0 : row))
      let length = view.pointee.count
      let pointer = StringView.bytes(at: view)
      if !isFixed { values.append(UInt32(truncatingIfNeeded: length)) }
      values.append(pointer, count: length)
      if hasBloomFilter { hashes.append(ck_xxh64(pointer, length)) }
      i &+= 1
    }
    valueCount += count
  }

  /// The dictionary column looked at last, and the codes of its entries: -1 where not known.
  private var lastBase: Column?
  private var entryCodes: [Int32] = []

  private func forget(_ base: Column?) {
    lastBase = base
    entryCodes = Array(repeating: -1, count: base?.count ?? 0)
  }

  @inline(__always)
  private func code(_ view: UnsafePointer<StringView>) -> Int32 {
    bytes!.code(StringView.bytes(at: view), view.pointee.count)
  }

  /// Adds byte strings of `width` bytes each that lie one after the other.
  func append(fixed pointer: UnsafeRawPointer, width: Int, _ count: Int) throws(QueryError) {
    if count == 0 { return }
    if usesDictionary {
      let out = codes.extend(count * 4).assumingMemoryBound(to: Int32.self)
      for i in 0..<count { out[i] = bytes!.code(pointer + i * width, width) }
      valueCount += count
      if bytes!.bytes.count > settings.largestDictionary || isUnfit(bytes!.count) { try giveUpDictionary() }
      return
    }
    values.append(pointer, count: width * count)
    if hasBloomFilter { for i in 0..<count { hashes.append(ck_xxh64(pointer + i * width, width)) } }
    valueCount += count
  }

  private func addHashes(_ words: UnsafePointer<Int64>, _ count: Int) {
    for i in 0..<count { hashes.append(hash(words[i])) }
  }

  private func hash(_ word: Int64) -> UInt64 {
    switch type.physical {
    case .int32, .float:
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: word)) { ck_xxh64($0.baseAddress, 4) }
    default: withUnsafeBytes(of: word) { ck_xxh64($0.baseAddress, 8) }
    }
  }

  /// Says that all levels and values of so many more rows were added; ends a page where it is full.
  func endRows(_ count: Int) throws(QueryError) {
    rowCount += count
    guard rowCount >= settings.pageRowCount || values.count >= settings.pageByteCount else { return }
    try cutPage()
  }

  private func cutPage() throws(QueryError) {
    if usesDictionary {
      marks.append((levelCount, codes.count / 4, rowCount))
      (valueCount, rowCount) = (0, 0)
      return
    }
    if rowCount == 0 { return }
    try finishPlainPage(levels: maxDefinition > 0 ? definitions.count : valueCount, values: valueCount, rows: rowCount)
    clear()
  }

  // MARK: Pages

  private func append(levels: ByteBuilder, from: Int, count: Int, maximum: UInt8) {
    if maximum == 0 { return }
    let place = body.count
    body.append(UInt32(0))
    RunLengthEncoder.encode(
      UnsafePointer((levels.pointer + from).assumingMemoryBound(to: UInt8.self)), count,
      width: LevelDecoder.bitWidth(maximum), to: body)
    (body.pointer + place).storeBytes(of: UInt32(body.count - place - 4).littleEndian, as: UInt32.self)
  }

  private func add(
    _ encoding: ParquetEncoding, levels: Int, values: Int, rows: Int, _ pageBounds: StoredBounds
  ) throws(QueryError) {
    let (bytes, uncompressed) = try pageBuilder.finish(body, encoding: encoding, valueCount: levels)
    pages.append(
      FinishedPage(
        bytes: bytes, uncompressedByteCount: uncompressed, encoding: encoding, rowCount: rows, valueCount: levels,
        nullCount: levels - values, bounds: pageBounds))
    bounds.add(pageBounds, order)
    finishedByteCount += bytes.count
    body.removeAll()
    body.shrink(to: 4 << 20)
  }

  /// One page of the values collected, which are not in a dictionary.
  private func finishPlainPage(levels: Int, values count: Int, rows: Int) throws(QueryError) {
    append(levels: repetitions, from: 0, count: levels, maximum: maxRepetition)
    append(levels: definitions, from: 0, count: levels, maximum: maxDefinition)
    let encoding = try chooseEncoding(count)
    encode(encoding, count, to: body)
    try add(encoding, levels: levels, values: count, rows: rows, plainBounds(count))
  }

  private func plainBounds(_ count: Int) -> StoredBounds {
    guard type.isBytes else { return order.bounds(UnsafePointer(values.pointer.assumingMemoryBound(to: Int64.self)), count) }
    var (low, high): (UnsafeRawBufferPointer?, UnsafeRawBufferPointer?)
    var at = 0
    for _ in 0..<count {
      var length = type.fixedByteCount
      if type.physical == .byteArray {
        length = Int(values.pointer.loadUnaligned(fromByteOffset: at, as: UInt32.self))
        at += 4
      }
      let value = UnsafeRawBufferPointer(start: values.pointer + at, count: length)
      if low == nil || precedes(value, low!) { low = value }
      if high == nil || precedes(high!, value) { high = value }
      at += length
    }
    var result = StoredBounds()
    result.leastBytes = low.map(Array.init)
    result.greatestBytes = high.map(Array.init)
    return result
  }

  private func precedes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    if order == .signedBytes, a.count > 0, b.count > 0, (a[0] ^ b[0]) & 0x80 != 0 { return a[0] & 0x80 != 0 }
    let n = min(a.count, b.count)
    let result = n == 0 ? 0 : memcmp(a.baseAddress!, b.baseAddress!, n)
    return result != 0 ? result < 0 : a.count < b.count
  }

  /// The encoding whose page comes out smallest, tried on the chunk's first page.
  private func chooseEncoding(_ count: Int) throws(QueryError) -> ParquetEncoding {
    if let plainEncoding { return plainEncoding }
    var best = ParquetEncoding.plain
    let others = settings.encodings.others(type.physical)
    if !others.isEmpty, count > 0 {
      trial.removeAll()
      encode(.plain, count, to: trial)
      // Plain values are read fastest: others have to save something.
      var least = try pageBuilder.compressedSize(trial) * 97 / 100
      for encoding in others {
        trial.removeAll()
        encode(encoding, count, to: trial)
        let size = try pageBuilder.compressedSize(trial)
        if size < least { (best, least) = (encoding, size) }
      }
      trial.removeAll()
      trial.shrink(to: 4 << 20)
    }
    plainEncoding = best
    return best
  }

  private func encode(_ encoding: ParquetEncoding, _ count: Int, to out: ByteBuilder) {
    let words = UnsafePointer(values.pointer.assumingMemoryBound(to: Int64.self))
    switch (encoding, type.physical) {
    case (.deltaBinaryPacked, _): DeltaEncoder.encode(words, count, isShort: type.physical == .int32, to: out)
    case (.byteStreamSplit, _):
      StreamSplitEncoder.encode(words, count, byteWidth: type.physical == .float || type.physical == .int32 ? 4 : 8, to: out)
    case (.deltaLengthByteArray, _): DeltaBytesEncoder.encodeLengths(values.pointer, count, to: out)
    case (.deltaByteArray, _): DeltaBytesEncoder.encodePrefixes(values.pointer, count, to: out)
    case (_, .boolean):
      let target = out.extend((count + 7) / 8 + 16)
      BitPacking.pack(width: 1, count: (count + 7) & ~7, into: target) { $0 < count ? UInt64(bitPattern: words[$0]) & 1 : 0 }
      out.drop(16)
    case (_, .int32), (_, .float):
      let target = out.extend(count * 4).assumingMemoryBound(to: Int32.self)
      var i = 0
      while i < count {
        target[i] = Int32(truncatingIfNeeded: words[i])
        i &+= 1
      }
    case (_, .int64), (_, .double): out.append(values.pointer, count: count * 8)
    default: out.append(values.pointer, count: values.count)
    }
  }

  // MARK: The dictionary

  private var entryCount: Int { words?.words.count ?? bytes?.count ?? 0 }
  private var codeWidth: Int { max(1, Int.bitWidth - max(entryCount - 1, 0).leadingZeroBitCount) }

  /// Makes plain pages of what was collected.
  private func giveUpDictionary() throws(QueryError) {
    let (words, bytes) = (self.words, self.bytes)
    let all = marks + [(levelCount, codes.count / 4, rowCount)]
    if hasBloomFilter { hashDictionary() }
    usesDictionary = false
    self.words = nil
    self.bytes = nil
    forget(nil)
    marks = []
    let open = (rows: rowCount, values: valueCount)
    // Levels of all pages lie in one builder each: each page takes its part.
    var (level, value) = (0, 0)
    let entries = UnsafePointer(codes.pointer.assumingMemoryBound(to: Int32.self))
    for (number, mark) in all.enumerated() {
      let count = mark.values - value
      fillValues(entries + value, count, words, bytes)
      if number == all.count - 1 { break }
      let levels = mark.levels - level
      append(levels: repetitions, from: level, count: levels, maximum: maxRepetition)
      append(levels: definitions, from: level, count: levels, maximum: maxDefinition)
      let encoding = try chooseEncoding(count)
      encode(encoding, count, to: body)
      try add(encoding, levels: levels, values: count, rows: mark.rows, plainBounds(count))
      (level, value) = (mark.levels, mark.values)
    }
    keepRest(of: definitions, from: level)
    keepRest(of: repetitions, from: level)
    codes.removeAll()
    (rowCount, valueCount) = open
  }

  /// Makes `values` those of some dictionary entries.
  private func fillValues(
    _ entries: UnsafePointer<Int32>, _ count: Int, _ words: WordDictionary?, _ bytes: BytesDictionary?
  ) {
    values.removeAll()
    if let words {
      let target = values.extend(count * 8).assumingMemoryBound(to: Int64.self)
      words.words.withUnsafeBufferPointer { words in
        for i in 0..<count { target[i] = words[Int(entries[i])] }
      }
    } else if let bytes {
      for i in 0..<count {
        let entry = bytes.entry(Int(entries[i]))
        if type.physical == .byteArray { values.append(UInt32(entry.count)) }
        if entry.count > 0 { values.append(entry.baseAddress!, count: entry.count) }
      }
    }
  }

  /// Whether the chunk comes out smaller without its dictionary, by what some of its values take either way.
  private func isSmallerPlain() throws(QueryError) -> Bool {
    let total = codes.count / 4
    // Entries that come again and again pay off however values are encoded.
    guard entryCount * 16 > total else { return false }
    let count = min(total, settings.pageRowCount)
    let entries = UnsafePointer(codes.pointer.assumingMemoryBound(to: Int32.self))
    defer {
      values.removeAll()
      trial.removeAll()
    }
    trial.removeAll()
    RunLengthEncoder.encode(entries, count, width: codeWidth, to: trial)
    let coded = try pageBuilder.compressedSize(trial)
    trial.removeAll()
    appendEntries(to: trial)
    let dictionary = try pageBuilder.compressedSize(trial)
    fillValues(entries, count, words, bytes)
    var plain = Int.max
    for encoding in [.plain] + settings.encodings.others(type.physical) {
      trial.removeAll()
      encode(encoding, count, to: trial)
      plain = min(plain, try pageBuilder.compressedSize(trial))
    }
    // Dictionaries let readers test conditions on few values: something has to be saved.
    return Double(plain) * Double(total) < 0.9 * (Double(coded) * Double(total) + Double(dictionary) * Double(count))
  }

  private func keepRest(of levels: ByteBuilder, from: Int) {
    let rest = levels.count - from
    if rest <= 0 { return }
    memmove(levels.pointer, levels.pointer + from, rest)
    levels.drop(levels.count - rest)
  }

  private func hashDictionary() {
    if let words { for word in words.words { hashes.append(hash(word)) } }
    if let bytes {
      for index in 0..<bytes.count {
        let entry = bytes.entry(index)
        hashes.append(ck_xxh64(entry.baseAddress!, entry.count))
      }
    }
  }

  /// Makes the pages that are left.
  func finish() throws(QueryError) {
    if usesDictionary, codes.count > 0 {
      // A dictionary that saves nothing goes.
      if try isSmallerPlain() { try giveUpDictionary() }
    } else if usesDictionary {
      // NULLs only.
      try giveUpDictionary()
    }
    guard usesDictionary else {
      try cutPage()
      return
    }
    if rowCount > 0 { try cutPage() }
    if hasBloomFilter { hashDictionary() }
    try finishDictionaryPage()
    var (level, value) = (0, 0)
    let width = codeWidth
    let entries = UnsafePointer(codes.pointer.assumingMemoryBound(to: Int32.self))
    for mark in marks {
      let levels = mark.levels - level
      let count = mark.values - value
      append(levels: repetitions, from: level, count: levels, maximum: maxRepetition)
      append(levels: definitions, from: level, count: levels, maximum: maxDefinition)
      body.append(byte: UInt8(width))
      RunLengthEncoder.encode(entries + value, count, width: width, to: body)
      try add(.plainDictionary, levels: levels, values: count, rows: mark.rows, codedBounds(entries + value, count))
      (level, value) = (mark.levels, mark.values)
    }
    clear()
  }

  /// The dictionary's entries, plain.
  private func appendEntries(to out: ByteBuilder) {
    if let words {
      let isShort = type.physical == .int32 || type.physical == .float
      for word in words.words {
        if isShort { out.append(Int32(truncatingIfNeeded: word)) } else { out.append(word) }
      }
    } else if let bytes {
      for index in 0..<bytes.count {
        let entry = bytes.entry(index)
        if type.physical == .byteArray { out.append(UInt32(entry.count)) }
        if entry.count > 0 { out.append(entry.baseAddress!, count: entry.count) }
      }
    }
  }

  private func finishDictionaryPage() throws(QueryError) {
    appendEntries(to: body)
    dictionaryPage = try pageBuilder.finish(
      body, encoding: .plainDictionary, valueCount: entryCount, dictionaryCount: entryCount)
    finishedByteCount += dictionaryPage!.bytes.count
    body.removeAll()
    stamps = Array(repeating: -1, count: entryCount)
  }

  /// The page that each entry was last seen in.
  private var stamps: [Int32] = []

  private func codedBounds(_ codes: UnsafePointer<Int32>, _ count: Int) -> StoredBounds {
    let page = Int32(pages.count)
    var seen: [Int] = []
    for i in 0..<count where stamps[Int(codes[i])] != page {
      stamps[Int(codes[i])] = page
      seen.append(Int(codes[i]))
    }
    if let words {
      let own = seen.map { words.words[$0] }
      return own.withUnsafeBufferPointer { $0.isEmpty ? StoredBounds() : order.bounds($0.baseAddress!, $0.count) }
    }
    guard let bytes, let first = seen.first else { return StoredBounds() }
    var (low, high) = (bytes.entry(first), bytes.entry(first))
    for index in seen {
      let entry = bytes.entry(index)
      if precedes(entry, low) { low = entry }
      if precedes(high, entry) { high = entry }
    }
    var result = StoredBounds()
    result.leastBytes = Array(low)
    result.greatestBytes = Array(high)
    return result
  }
}
