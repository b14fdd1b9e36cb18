import Columnar
import Glibc
import ObjectStore

/// Reads one column of one stripe from its first row on.
///
/// - Threads: one.
class ORCColumnReader {
  let node: ORCNode
  private let present: ORCBooleanDecoder?

  init(_ node: ORCNode, _ stripe: ORCStripe) throws(ORCDamage) {
    self.node = node
    present = try stripe.stream(node.id, .present).map(ORCBooleanDecoder.init)
  }

  /// Whether some rows of the stripe may be NULL.
  final var mayHaveNulls: Bool { present != nil }

  /// The next `count` rows.
  final func read(_ count: Int) throws(ORCDamage) -> Column {
    guard let present else { return try readValues(count, of: count, validity: nil) }
    let (bits, setCount) = try present.read(count)
    return try readValues(setCount, of: count, validity: setCount == count ? nil : bits)
  }

  /// Passes over `count` rows.
  final func skip(_ count: Int) throws(ORCDamage) {
    if count == 0 { return }
    try skipValues(try present?.skip(count) ?? count)
  }

  /// Goes to the first row of a row group, as the row indexes of this column and those below it state.
  func seek(_ rowGroup: Int, _ stripe: ORCStripe) throws(ORCDamage) {
    var positions = try stripe.positions(node.id, rowGroup)
    try present?.seek(&positions)
    try seekValues(&positions)
  }

  // MARK: What a kind of column does

  /// A column of `rowCount` rows whose `count` rows that are not NULL come from the streams.
  func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    preconditionFailure("abstract")
  }

  func skipValues(_ count: Int) throws(ORCDamage) { preconditionFailure("abstract") }

  func seekValues(_ positions: inout ORCPositions) throws(ORCDamage) { preconditionFailure("abstract") }

  // MARK: Shared

  /// Spreads `count` dense values over rows; NULL rows get some other row's value, or zero.
  static func spread(
    _ values: Buffer, byteWidth: Int, count: Int, over rowCount: Int, _ validity: Bitmap?
  ) -> Buffer {
    guard let validity else { return values }
    if count == 0 { return Buffer.zeroed(byteCount: rowCount * byteWidth) }
    let spaced = Buffer(byteCount: rowCount * byteWidth)
    // NULLs behind the last value read the place after it.
    memset(values.pointer + count * byteWidth, 0, byteWidth)
    ColumnKernels.expand(byteWidth, values.pointer, UnsafePointer(validity.words), rowCount, spaced.pointer)
    return spaced
  }

  /// The reader of a plan.
  static func make(_ plan: ORCColumnPlan, _ stripe: ORCStripe) throws(ORCDamage) -> ORCColumnReader {
    switch plan {
    case .null(let type): return try ORCNullReader(type, stripe)
    case .row(let type, let node, let fields): return try ORCStructReader(type, node, fields, stripe)
    case .union(let type, let node, let fields): return try ORCUnionReader(type, node, fields, stripe)
    case .array(let type, let node, let element): return try ORCListReader(type, node, [element], stripe)
    case .map(let type, let node, let key, let value): return try ORCListReader(type, node, [key, value], stripe)
    case .leaf(let type, let node, let conversion):
      switch node.kind {
      case .boolean: return try ORCBooleanReader(node, stripe)
      case .byte, .short, .int, .long, .date: return try ORCIntegerReader(type, node, stripe)
      case .float, .double: return try ORCFloatReader(type, node, stripe)
      case .decimal: return try ORCDecimalReader(type, node, stripe)
      case .timestamp, .timestampInstant: return try ORCTimestampReader(type, node, stripe)
      case .string, .varchar, .char, .binary: return try ORCStringReader(type, node, conversion, stripe)
      case .list, .map, .structure, .union: throw ORCDamage("column \(node.id) is nested")
      }
    }
  }
}

/// A column that the file does not have.
final class ORCNullReader: ORCColumnReader {
  private let type: DataType

  init(_ type: DataType, _ stripe: ORCStripe) throws(ORCDamage) {
    self.type = type
    // No column has this number, so that no stream is its own.
    try super.init(
      ORCNode(id: -1, kind: .boolean, children: [], fieldNames: [], maximumLength: 0, precision: 0, scale: 0), stripe)
  }

  override func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    Column.nulls(type, count: rowCount)
  }
  override func skipValues(_ count: Int) throws(ORCDamage) {}
  override func seek(_ rowGroup: Int, _ stripe: ORCStripe) throws(ORCDamage) {}
}

final class ORCBooleanReader: ORCColumnReader {
  private let data: ORCBooleanDecoder

  override init(_ node: ORCNode, _ stripe: ORCStripe) throws(ORCDamage) {
    data = ORCBooleanDecoder(try stripe.requiredStream(node.id, .data))
    try super.init(node, stripe)
  }

  override func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    let (bits, _) = try data.read(count)
    let values = Buffer(byteCount: count)
    let (out, words) = (values.typed(UInt8.self), bits.words)
    var i = 0
    while i < count {
      out[i] = UInt8(truncatingIfNeeded: (words[i >> 6] &>> UInt64(i & 63)) & 1)
      i &+= 1
    }
    withExtendedLifetime(bits) {}
    let spaced = ORCColumnReader.spread(values, byteWidth: 1, count: count, over: rowCount, validity)
    return Column(flat: .boolean, count: rowCount, values: spaced, validity: validity)
  }

  override func skipValues(_ count: Int) throws(ORCDamage) { _ = try data.skip(count) }
  override func seekValues(_ positions: inout ORCPositions) throws(ORCDamage) { try data.seek(&positions) }
}

/// tinyint (its own byte encoding), smallint, int, bigint and dates.
final class ORCIntegerReader: ORCColumnReader {
  private let type: DataType
  private let integers: ORCIntegerDecoder?
  private let bytes: ORCByteDecoder?
  private var scratch = Buffer(byteCount: 0)

  init(_ type: DataType, _ node: ORCNode, _ stripe: ORCStripe) throws(ORCDamage) {
    self.type = type
    let stream = try stripe.requiredStream(node.id, .data)
    if node.kind == .byte {
      bytes = ORCByteDecoder(stream)
      integers = nil
    } else {
      bytes = nil
      integers = ORCIntegerDecoder(stream, isSigned: true, isVersion2: try stripe.encoding(node.id).isVersion2)
    }
    try super.init(node, stripe)
  }

  override func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    let width = type.physicalType.byteWidth
    let values = Buffer(byteCount: count * width)
    if width == 8, let integers {
      try integers.read(into: values.typed(Int64.self), count: count)
    } else {
      if scratch.byteCount < count * 8 { scratch = Buffer(byteCount: max(count * 8, 32 << 10)) }
      let wide = scratch.typed(Int64.self)
      if let integers {
        try integers.read(into: wide, count: count)
      } else if let bytes {
        // The bytes at the scratch's end, so that widening them from its start never overtakes.
        let narrow = scratch.typed(UInt8.self) + (count * 8 - count)
        try bytes.read(into: narrow, count: count)
        for i in 0..<count { wide[i] = Int64(Int8(bitPattern: narrow[i])) }
      }
      try narrow(wide, count, values)
    }
    let spaced = ORCColumnReader.spread(values, byteWidth: width, count: count, over: rowCount, validity)
    return Column(flat: type, count: rowCount, values: spaced, validity: validity)
  }

  private func narrow(_ from: UnsafePointer<Int64>, _ count: Int, _ values: Buffer) throws(ORCDamage) {
    let fits =
      switch type.physicalType {
      case .int8: ORCIntegerReader.narrow(from, count, values.typed(Int8.self))
      case .int16: ORCIntegerReader.narrow(from, count, values.typed(Int16.self))
      case .int32: ORCIntegerReader.narrow(from, count, values.typed(Int32.self))
      default: ORCIntegerReader.narrow(from, count, values.typed(Int64.self))
      }
    if fits { return }
    throw ORCDamage("a value does not fit in \(type)")
  }

  @inline(__always)
  private static func narrow<T: FixedWidthInteger>(
    _ from: UnsafePointer<Int64>, _ count: Int, _ to: UnsafeMutablePointer<T>
  ) -> Bool {
    var lost: Int64 = 0
    var i = 0
    while i < count {
      let value = T(truncatingIfNeeded: from[i])
      lost |= Int64(truncatingIfNeeded: value) ^ from[i]
      to[i] = value
      i &+= 1
    }
    return lost == 0
  }

  override func skipValues(_ count: Int) throws(ORCDamage) {
    try integers?.skip(count)
    try bytes?.skip(count)
  }

  override func seekValues(_ positions: inout ORCPositions) throws(ORCDamage) {
    try integers?.seek(&positions)
    try bytes?.seek(&positions)
  }
}

final class ORCFloatReader: ORCColumnReader {
  private let type: DataType
  private let data: ORCStream
  private let storedWidth: Int

  init(_ type: DataType, _ node: ORCNode, _ stripe: ORCStripe) throws(ORCDamage) {
    self.type = type
    data = try stripe.requiredStream(node.id, .data)
    storedWidth = node.kind == .float ? 4 : 8
    try super.init(node, stripe)
  }

  override func readValues(_ count: Int, of rowCount: Int, validity: Bitmap?) throws(ORCDamage) -> Column {
    let width = type.physicalType.byteWidth
    let values = Buffer(byteCount: count * width)
    try data.require(count * storedWidth)
    let source = UnsafeRawPointer(data.next)
    if width == storedWidth {
      values.pointer.copyMemory(from: source, byteCount: count * width)
    } else {
      let out = values.typed(Double.self)
      for i in 0..<count {
        out[i] = Double(Float(bitPattern: UInt32(littleEndian: source.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self))))
      }
    }
    data.advance(count * storedWidth)
    let spaced = ORCColumnReader.spread(values, byteWidth: width, count: count, over: rowCount, validity)
    return Column(flat: type, count: rowCount, values: spaced, validity: validity)
  }

  override func skipValues(_ count: Int) throws(ORCDamage) { try data.skip(count * storedWidth) }
  override func seekValues(_ positions: inout ORCPositions) throws(ORCDamage) { try positions.seek(data) }
}
