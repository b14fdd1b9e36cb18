import Columnar
import QueryErrors

/// Strings and binaries: numbers of a dictionary's entries while that pays, else lengths and bytes.
///
/// Numbers are kept until the stripe ends. When the dictionary grows too large, what was collected is written as it is.
final class ORCStringWriter: ORCColumnWriter {
  private let data: ORCOutputStream
  private let lengths: ORCIntegerEncoder
  private let codes: ORCIntegerEncoder
  private let dictionaryData: ORCOutputStream

  private var dictionary: BytesDictionary?
  /// Int32 entry numbers of the stripe's values.
  private let collected = ByteBuilder()
  /// How many values are before each row group.
  private var marks: [Int] = []
  /// The dictionary column looked at last, and the numbers of its entries: -1 where not known.
  private var lastBase: Column?
  private var entryCodes: [Int32] = []

  override init(_ node: ORCNode, _ children: [ORCColumnWriter], _ compressor: ORCChunkCompressor) {
    data = ORCOutputStream(compressor)
    lengths = ORCIntegerEncoder(compressor, isSigned: false)
    codes = ORCIntegerEncoder(compressor, isSigned: false)
    dictionaryData = ORCOutputStream(compressor)
    super.init(node, children, compressor)
    clear()
  }

  override func clear() {
    dictionary = node.kind == .binary ? nil : BytesDictionary()
    collected.removeAll()
    marks = []
    forget(nil)
    codes.stream.removeAll()
    lengths.stream.removeAll()
    data.removeAll()
    dictionaryData.removeAll()
  }

  private func forget(_ base: Column?) {
    lastBase = base
    entryCodes = Array(repeating: -1, count: base?.count ?? 0)
  }

  // MARK: Adding

  override func appendValues(_ column: Column, _ rows: UnsafePointer<Int32>?, _ count: Int) throws(QueryError) {
    let storage = column.storage
    let views = UnsafePointer(storage.values!.typed(StringView.self))
    let indices = column.encoding == .dictionary ? UnsafePointer(column.indices!.typed(Int32.self)) : nil
    let isConstant = column.encoding == .constant
    defer { withExtendedLifetime((column, storage)) {} }
    @inline(__always) func place(_ i: Int) -> Int {
      let row = rows.map { Int($0[i]) } ?? i
      return isConstant ? 0 : indices.map { Int($0[row]) } ?? row
    }
    var (least, greatest, total) = (views + place(0), views + place(0), 0)
    var i = 0
    while i < count {
      let view = views + place(i)
      total &+= view.pointee.count
      if view.pointee < least.pointee { least = view }
      if greatest.pointee < view.pointee { greatest = view }
      i &+= 1
    }
    statistics.byteCount += total
    if node.kind != .binary { statistics.add(ORCStringWriter.bytes(least), ORCStringWriter.bytes(greatest)) }
    if bloomFilter != nil {
      for i in 0..<count { bloomFilter?.add(ORCStringWriter.bytes(views + place(i))) }
    }
    guard dictionary != nil else {
      for i in 0..<count { try appendDirect(ORCStringWriter.bytes(views + place(i))) }
      return
    }
    let out = collected.extend(count * 4).assumingMemoryBound(to: Int32.self)
    if indices != nil, storage.count * 2 <= count || storage === lastBase {
      // Entries of the column's own dictionary are looked up once.
      if storage !== lastBase { forget(storage) }
      entryCodes.withUnsafeMutableBufferPointer { known in
        for i in 0..<count {
          let entry = place(i)
          if known[entry] < 0 { known[entry] = dictionary!.code(StringView.bytes(at: views + entry), views[entry].count) }
          out[i] = known[entry]
        }
      }
    } else {
      for i in 0..<count {
        let view = views + place(i)
        out[i] = dictionary!.code(StringView.bytes(at: view), view.pointee.count)
      }
    }
    let seen = collected.count / 4
    let settings = compressor.settings
    if dictionary!.bytes.count > settings.largestDictionary
      || seen >= settings.dictionaryTrial && dictionary!.count * 2 > seen
    {
      try giveUpDictionary()
    }
  }

  private static func bytes(_ view: UnsafePointer<StringView>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: StringView.bytes(at: view), count: view.pointee.count)
  }

  @inline(__always)
  private func appendDirect(_ bytes: UnsafeRawBufferPointer) throws(QueryError) {
    try lengths.append(Int64(bytes.count))
    if let base = bytes.baseAddress { try data.append(base, count: bytes.count) }
  }

  // MARK: Dictionaries

  /// Writes what was collected as it is.
  private func giveUpDictionary() throws(QueryError) {
    guard let dictionary else { return }
    try eachCollected { (code, rowGroup) throws(QueryError) in
      if let rowGroup { setPositions(try directPositions(), ofRowGroup: rowGroup) }
      if let code { try appendDirect(dictionary.entry(code)) }
    }
    self.dictionary = nil
    collected.removeAll()
    collected.shrink(to: 0)
    forget(nil)
  }

  /// Calls with the beginning of each row group, and with each value.
  private func eachCollected(_ body: (_ code: Int?, _ rowGroup: Int?) throws(QueryError) -> Void) throws(QueryError) {
    let values = collected.pointer.assumingMemoryBound(to: Int32.self)
    let count = collected.count / 4
    for (group, start) in marks.enumerated() {
      try body(nil, group)
      for i in start..<(group + 1 < marks.count ? marks[group + 1] : count) { try body(Int(values[i]), nil) }
    }
  }

  private func directPositions() throws(QueryError) -> [Int] { data.position + (try lengths.position()) }

  override func positions() throws(QueryError) -> [Int] {
    guard dictionary != nil else { return try directPositions() }
    // Known when the stripe ends.
    marks.append(collected.count / 4)
    return []
  }

  override func finishValues() throws(QueryError) {
    // Entries that hardly ever come again are a burden.
    if let dictionary, dictionary.count * 10 > collected.count / 4 * 8 { try giveUpDictionary() }
    guard let dictionary else {
      try lengths.flush()
      return
    }
    try eachCollected { (code, rowGroup) throws(QueryError) in
      if let rowGroup { setPositions(try codes.position(), ofRowGroup: rowGroup) }
      if let code { try codes.append(Int64(code)) }
    }
    try codes.flush()
    for entry in 0..<dictionary.count { try lengths.append(Int64(dictionary.entry(entry).count)) }
    try lengths.flush()
    try dictionaryData.append(dictionary.bytes)
  }

  // MARK: The stripe

  override var valueStreams: [(kind: ORCStripe.StreamKind, stream: ORCOutputStream)] {
    dictionary == nil
      ? [(.data, data), (.length, lengths.stream)]
      : [(.data, codes.stream), (.length, lengths.stream), (.dictionaryData, dictionaryData)]
  }
  override var encoding: (kind: Int, dictionarySize: Int?) { dictionary.map { (3, $0.count) } ?? (2, nil) }
  override var valueByteCount: Int {
    data.byteCount + lengths.byteCount + collected.count + (dictionary.map { $0.bytes.count + $0.count * 20 } ?? 0)
  }
  override var estimatedValueByteCount: Int {
    guard let dictionary else { return data.byteCount + lengths.byteCount }
    let width = Int.bitWidth - dictionary.count.leadingZeroBitCount
    return collected.count / 4 * width / 8 + dictionary.bytes.count / 2
  }
}
