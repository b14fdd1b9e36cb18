import Columnar
import QueryErrors

/// Writes one column of the type tree, and those below it, into the streams of a stripe.
///
/// Runs end where a row group ends, so that row indexes point at the beginning of runs.
///
/// - Threads: one.
class ORCColumnWriter {
  /// A row group: where it begins in the streams, and what it holds.
  struct RowGroup {
    var presentPosition: [Int]
    var positions: [Int]
    var statistics = ORCStatisticsBuilder()
    var bloomFilter: [UInt8]?
  }

  let node: ORCNode
  let children: [ORCColumnWriter]
  let compressor: ORCChunkCompressor
  private let present: ORCBooleanEncoder
  /// Whether the stripe has NULLs so far.
  private var hasNulls = false
  private(set) var rowGroups: [RowGroup] = []
  /// Of the current row group; not yet in `rowGroups`.
  final var statistics = ORCStatisticsBuilder()
  final var bloomFilter: ORCBloomFilterBuilder?
  private var picks = Buffer(byteCount: 0)

  init(_ node: ORCNode, _ children: [ORCColumnWriter], _ compressor: ORCChunkCompressor) {
    self.node = node
    self.children = children
    self.compressor = compressor
    present = ORCBooleanEncoder(compressor)
  }

  /// This column and all below it, by their numbers.
  final var all: [ORCColumnWriter] { [self] + children.flatMap(\.all) }

  /// Adds rows.
  final func append(_ column: Column) throws(QueryError) {
    let count = column.count
    guard let validity = column.validity else {
      try present.append(ones: count)
      statistics.valueCount += count
      if count > 0 { try appendValues(column, nil, count) }
      return
    }
    if picks.byteCount < count * 4 { picks = Buffer(byteCount: max(count * 4, 16 << 10)) }
    let rows = picks.typed(Int32.self)
    let bits = validity.words
    var found = 0
    try present.append(count: count) { row in
      let isPresent = (bits[row >> 6] &>> UInt64(row & 63)) & 1
      rows[found] = Int32(truncatingIfNeeded: row)
      found &+= Int(truncatingIfNeeded: isPresent)
      return UInt8(truncatingIfNeeded: isPresent)
    }
    withExtendedLifetime(validity) {}
    statistics.valueCount += found
    if found < count {
      hasNulls = true
      statistics.hasNull = true
    }
    if found > 0 { try appendValues(column, found == count ? nil : UnsafePointer(rows), found) }
  }

  /// Begins a row group, the stripe's first one too.
  final func beginRowGroup() throws(QueryError) {
    endRowGroup()
    rowGroups.append(RowGroup(presentPosition: try present.position(), positions: try positions()))
    for child in children { try child.beginRowGroup() }
  }

  private func endRowGroup() {
    if rowGroups.isEmpty { return }
    rowGroups[rowGroups.count - 1].statistics = statistics
    rowGroups[rowGroups.count - 1].bloomFilter = bloomFilter?.take()
    statistics = ORCStatisticsBuilder()
  }

  // MARK: The stripe

  /// Ends what is open, so that `rowGroups` and `streams` are whole; not of the columns below.
  final func endStripe() throws(QueryError) {
    endRowGroup()
    try finishValues()
    try present.flush()
  }

  /// The stripe's streams.
  final var streams: [(kind: ORCStripe.StreamKind, stream: ORCOutputStream)] {
    (hasNulls ? [(.present, present.stream)] : []) + valueStreams
  }

  /// The row index: positions and statistics of every row group.
  final var rowIndex: [UInt8] {
    var out = ProtobufWriter()
    for group in rowGroups {
      out.field(
        1,
        message: { entry in
          entry.field(1, packed: (hasNulls ? group.presentPosition : []) + group.positions)
          entry.field(2, message: { group.statistics.write(node, to: &$0) })
        })
    }
    return out.bytes
  }

  /// One filter a row group; nil when none are wanted.
  final var bloomFilterIndex: [UInt8]? {
    guard bloomFilter != nil else { return nil }
    var out = ProtobufWriter()
    for group in rowGroups { out.field(1, bytes: group.bloomFilter ?? []) }
    return out.bytes
  }

  final func beginStripe() {
    hasNulls = false
    rowGroups = []
    statistics = ORCStatisticsBuilder()
    present.stream.removeAll()
    for (_, stream) in valueStreams { stream.removeAll() }
    clear()
  }

  /// Bytes held in memory, of the columns below too.
  final var heldByteCount: Int { present.byteCount + valueByteCount + children.reduce(0) { $0 + $1.heldByteCount } }

  /// About how many bytes they will take in the file.
  final var estimatedByteCount: Int {
    (hasNulls ? present.byteCount : 0) + estimatedValueByteCount + children.reduce(0) { $0 + $1.estimatedByteCount }
  }

  // MARK: What a kind of column does

  /// Adds the values of `rows`, or of the first `count` rows; none is NULL.
  ///
  /// - Parameter column: in any encoding.
  func appendValues(_ column: Column, _ rows: UnsafePointer<Int32>?, _ count: Int) throws(QueryError) {
    preconditionFailure("abstract")
  }

  /// Where the next value comes to lie in each stream.
  func positions() throws(QueryError) -> [Int] { [] }
  /// Writes what is pending into the streams.
  func finishValues() throws(QueryError) {}
  var valueStreams: [(kind: ORCStripe.StreamKind, stream: ORCOutputStream)] { [] }
  /// The stripe's encoding of the column: 0 direct, 2 direct of version 2, 3 dictionary of version 2.
  var encoding: (kind: Int, dictionarySize: Int?) { (2, nil) }
  /// Begins a stripe; the streams are empty.
  func clear() {}
  var valueByteCount: Int { valueStreams.reduce(0) { $0 + $1.stream.byteCount } }
  var estimatedValueByteCount: Int { valueByteCount }

  /// For values whose places are known only when the stripe ends.
  final func setPositions(_ positions: [Int], ofRowGroup index: Int) { rowGroups[index].positions = positions }
}

// MARK: Rows, arrays and maps

final class ORCStructWriter: ORCColumnWriter {
  override func appendValues(_ column: Column, _ rows: UnsafePointer<Int32>?, _ count: Int) throws(QueryError) {
    let column = column.flattened()
    for (child, field) in zip(children, column.children) {
      try child.append(rows.map { field.take($0, count: count) } ?? field.slice(offset: 0, count: count))
    }
  }

  /// The root: a batch's columns are its fields.
  func append(_ columns: [Column], count: Int) throws(QueryError) {
    statistics.valueCount += count
    for (child, column) in zip(children, columns) { try child.append(column) }
  }

  override var encoding: (kind: Int, dictionarySize: Int?) { (0, nil) }
}

/// Arrays and maps: the number of elements of each row.
final class ORCListWriter: ORCColumnWriter {
  private let lengths: ORCIntegerEncoder
  private let name: String

  /// - Parameter name: the table's column, for messages.
  init(_ node: ORCNode, _ children: [ORCColumnWriter], _ compressor: ORCChunkCompressor, name: String) {
    lengths = ORCIntegerEncoder(compressor, isSigned: false)
    self.name = name
    super.init(node, children, compressor)
  }

  override func appendValues(_ column: Column, _ rows: UnsafePointer<Int32>?, _ count: Int) throws(QueryError) {
    let column = column.flattened()
    let offsets = column.offsets!.typed(Int32.self)
    var total = 0
    for i in 0..<count {
      let row = rows.map { Int($0[i]) } ?? i
      try lengths.append(Int64(offsets[row + 1] - offsets[row]))
      total += Int(offsets[row + 1] - offsets[row])
    }
    var elements = column.children
    if let rows {
      let picks = Buffer(byteCount: max(total * 4, 4))
      let p = picks.typed(Int32.self)
      var next = 0
      for i in 0..<count {
        for element in offsets[Int(rows[i])]..<offsets[Int(rows[i]) + 1] {
          p[next] = element
          next += 1
        }
      }
      elements = withExtendedLifetime(picks) { elements.map { $0.take(p, count: total) } }
    } else {
      elements = elements.map { $0.slice(offset: Int(offsets[0]), count: total) }
    }
    withExtendedLifetime(column) {}
    if node.kind == .map, elements[0].nullCount > 0 {
      throw QueryError(.invalidFunctionArgument, "map key is NULL in column '\(name)'")
    }
    for (child, column) in zip(children, elements) { try child.append(column) }
  }

  override func positions() throws(QueryError) -> [Int] { try lengths.position() }
  override func finishValues() throws(QueryError) { try lengths.flush() }
  override var valueStreams: [(kind: ORCStripe.StreamKind, stream: ORCOutputStream)] { [(.length, lengths.stream)] }
  override var valueByteCount: Int { lengths.byteCount }
}
