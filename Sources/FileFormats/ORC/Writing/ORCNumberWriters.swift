import Columnar
import QueryErrors

extension ORCColumnWriter {
  /// Values of the wanted rows as 64-bit words.
  @inline(__always)
  static func widen<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _: T.Type, _ rows: UnsafePointer<Int32>?, _ count: Int, _ out: UnsafeMutablePointer<Int64>
  ) {
    let from = column.values!.typed(T.self)
    var i = 0
    while i < count {
      out[i] = Int64(truncatingIfNeeded: from[rows.map { Int($0[i]) } ?? i])
      i &+= 1
    }
  }
}

final class ORCBooleanWriter: ORCColumnWriter {
  private let data: ORCBooleanEncoder

  override init(_ node: ORCNode, _ children: [ORCColumnWriter], _ compressor: ORCChunkCompressor) {
    data = ORCBooleanEncoder(compressor)
    super.init(node, children, compressor)
  }

  override func appendValues(_ column: Column, _ rows: UnsafePointer<Int32>?, _ count: Int) throws(QueryError) {
    let column = column.flattened()
    let values = column.values!.typed(UInt8.self)
    var trues = 0
    try data.append(count: count) { i in
      let bit = values[rows.map { Int($0[i]) } ?? i] & 1
      trues &+= Int(bit)
      return bit
    }
    withExtendedLifetime(column) {}
    statistics.trueCount += trues
  }

  override func positions() throws(QueryError) -> [Int] { try data.position() }
  override func finishValues() throws(QueryError) { try data.flush() }
  override var valueStreams: [(kind: ORCStripe.StreamKind, stream: ORCOutputStream)] { [(.data, data.stream)] }
  override var valueByteCount: Int { data.byteCount }
  override var encoding: (kind: Int, dictionarySize: Int?) { (0, nil) }
}

/// tinyint (its own byte encoding), smallint, int, bigint and dates.
final class ORCIntegerWriter: ORCColumnWriter {
  private let integers: ORCIntegerEncoder?
  private let bytes: ORCByteEncoder?
  private var words = Buffer(byteCount: 0)

  override init(_ node: ORCNode, _ children: [ORCColumnWriter], _ compressor: ORCChunkCompressor) {
    integers = node.kind == .byte ? nil : ORCIntegerEncoder(compressor, isSigned: true)
    bytes = node.kind == .byte ? ORCByteEncoder(compressor) : nil
    super.init(node, children, compressor)
  }

  override func appendValues(_ column: Column, _ rows: UnsafePointer<Int32>?, _ count: Int) throws(QueryError) {
    let column = column.flattened()
    if words.byteCount < count * 8 { words = Buffer(byteCount: max(count * 8, 32 << 10)) }
    let out = words.typed(Int64.self)
    switch node.kind {
    case .byte: ORCColumnWriter.widen(column, Int8.self, rows, count, out)
    case .short: ORCColumnWriter.widen(column, Int16.self, rows, count, out)
    case .int, .date: ORCColumnWriter.widen(column, Int32.self, rows, count, out)
    default: ORCColumnWriter.widen(column, Int64.self, rows, count, out)
    }
    withExtendedLifetime(column) {}
    var (low, high) = (out[0], out[0])
    // High and low halves, so that no sum overflows.
    var (lowSum, highSum) = (Int64(0), Int64(0))
    var i = 0
    while i < count {
      let value = out[i]
      low = min(low, value)
      high = max(high, value)
      lowSum &+= value & 0xffff_ffff
      highSum &+= value &>> 32
      i &+= 1
    }
    statistics.add(Int128(low), Int128(high))
    if node.kind != .date { statistics.sum += Int128(highSum) << 32 + Int128(lowSum) }
    bloomFilter?.add(out, count)
    try integers?.append(out, count: count)
    if let bytes { for i in 0..<count { try bytes.append(UInt8(truncatingIfNeeded: out[i])) } }
  }

  override func positions() throws(QueryError) -> [Int] {
    if let integers { return try integers.position() }
    return try bytes?.position() ?? []
  }
  override func finishValues() throws(QueryError) {
    try integers?.flush()
    try bytes?.flush()
  }
  override var valueStreams: [(kind: ORCStripe.StreamKind, stream: ORCOutputStream)] {
    (integers?.stream ?? bytes?.stream).map { [(.data, $0)] } ?? []
  }
  override var valueByteCount: Int { integers?.byteCount ?? bytes?.byteCount ?? 0 }
  override var encoding: (kind: Int, dictionarySize: Int?) { (node.kind == .byte ? 0 : 2, nil) }
}

/// float and double, as they lie in memory.
final class ORCFloatWriter: ORCColumnWriter {
  private let data: ORCOutputStream
  private var packed = Buffer(byteCount: 0)

  override init(_ node: ORCNode, _ children: [ORCColumnWriter], _ compressor: ORCChunkCompressor) {
    data = ORCOutputStream(compressor)
    super.init(node, children, compressor)
  }

  override func appendValues(_ column: Column, _ rows: UnsafePointer<Int32>?, _ count: Int) throws(QueryError) {
    let column = column.flattened()
    if node.kind == .float {
      try append(column, Float.self, rows, count)
    } else {
      try append(column, Double.self, rows, count)
    }
    withExtendedLifetime(column) {}
  }

  @inline(__always)
  private func append<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ column: Column, _: T.Type, _ rows: UnsafePointer<Int32>?, _ count: Int
  ) throws(QueryError) {
    let width = MemoryLayout<T>.size
    var values = UnsafePointer(column.values!.typed(T.self))
    if let rows {
      if packed.byteCount < count * width { packed = Buffer(byteCount: max(count * width, 32 << 10)) }
      let out = packed.typed(T.self)
      for i in 0..<count { out[i] = values[Int(rows[i])] }
      values = UnsafePointer(out)
    }
    var (low, high, sum, found) = (T.infinity, -T.infinity, 0.0, false)
    var i = 0
    while i < count {
      let value = values[i]
      if !value.isNaN {
        low = min(low, value)
        high = max(high, value)
        found = true
      }
      sum += Double(value)
      i &+= 1
    }
    if found { statistics.add(Double(low), Double(high)) }
    statistics.doubleSum += sum
    if bloomFilter != nil {
      for i in 0..<count {
        withUnsafePointer(to: Int64(bitPattern: Double(values[i]).bitPattern)) { bloomFilter?.add($0, 1) }
      }
    }
    try data.append(values, count: count * width)
  }

  override func positions() throws(QueryError) -> [Int] { data.position }
  override var valueStreams: [(kind: ORCStripe.StreamKind, stream: ORCOutputStream)] { [(.data, data)] }
  override var encoding: (kind: Int, dictionarySize: Int?) { (0, nil) }
}

/// Decimals: zigzag varints of any length, and the scale of each.
final class ORCDecimalWriter: ORCColumnWriter {
  private let data: ORCOutputStream
  private let scales: ORCIntegerEncoder
  private let encoded = ByteBuilder()

  override init(_ node: ORCNode, _ children: [ORCColumnWriter], _ compressor: ORCChunkCompressor) {
    data = ORCOutputStream(compressor)
    scales = ORCIntegerEncoder(compressor, isSigned: true)
    super.init(node, children, compressor)
  }

  override func appendValues(_ column: Column, _ rows: UnsafePointer<Int32>?, _ count: Int) throws(QueryError) {
    let column = column.flattened()
    encoded.removeAll()
    let scale = Int64(node.scale)
    if column.type.physicalType == .int64 {
      let values = column.values!.typed(Int64.self)
      var (low, high) = (Int64.max, Int64.min)
      for i in 0..<count {
        let value = values[rows.map { Int($0[i]) } ?? i]
        low = min(low, value)
        high = max(high, value)
        encoded.append(zigzag: value)
        try scales.append(scale)
      }
      statistics.add(Int128(low), Int128(high))
    } else {
      let values = column.values!.typed(Int128.self)
      var (low, high) = (Int128.max, Int128.min)
      for i in 0..<count {
        let value = values[rows.map { Int($0[i]) } ?? i]
        low = min(low, value)
        high = max(high, value)
        var rest = UInt128(bitPattern: (value &<< 1) ^ (value &>> 127))
        while rest >= 0x80 {
          encoded.append(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
          rest &>>= 7
        }
        encoded.append(byte: UInt8(truncatingIfNeeded: rest))
        try scales.append(scale)
      }
      statistics.add(low, high)
    }
    withExtendedLifetime(column) {}
    try data.append(encoded)
  }

  override func positions() throws(QueryError) -> [Int] { data.position + (try scales.position()) }
  override func finishValues() throws(QueryError) { try scales.flush() }
  override var valueStreams: [(kind: ORCStripe.StreamKind, stream: ORCOutputStream)] {
    [(.data, data), (.secondary, scales.stream)]
  }
}

/// Timestamps: seconds from the beginning of 2015, in UTC, and nanoseconds without their trailing zeros.
///
/// - Source: ORC Specification v1, "Timestamp Columns"; ORC's C++ writer for what comes before 1970.
final class ORCTimestampWriter: ORCColumnWriter {
  private let seconds: ORCIntegerEncoder
  private let nanoseconds: ORCIntegerEncoder
  private let name: String

  private static let beginningOf2015: Int64 = 1_420_070_400

  /// - Parameter name: the table's column, for messages.
  init(_ node: ORCNode, _ compressor: ORCChunkCompressor, name: String) {
    seconds = ORCIntegerEncoder(compressor, isSigned: true)
    nanoseconds = ORCIntegerEncoder(compressor, isSigned: false)
    self.name = name
    super.init(node, [], compressor)
  }

  override func appendValues(_ column: Column, _ rows: UnsafePointer<Int32>?, _ count: Int) throws(QueryError) {
    let column = column.flattened()
    var (low, high) = (Int128.max, Int128.min)
    let isShort = column.type.physicalType == .int64
    let isZoned = if case .timestampWithTimeZone = column.type { true } else { false }
    for i in 0..<count {
      let row = rows.map { Int($0[i]) } ?? i
      let nanos: Int128
      if isShort {
        nanos = Int128(column.values!.typed(Int64.self)[row]) &* 1000
      } else {
        let picos = column.values!.typed(Int128.self)[row] &>> (isZoned ? 16 : 0)
        let (quotient, rest) = picos.quotientAndRemainder(dividingBy: 1000)
        nanos = rest < 0 ? quotient - 1 : quotient
      }
      low = min(low, nanos)
      high = max(high, nanos)
      try append(nanos)
    }
    withExtendedLifetime(column) {}
    statistics.add(low, high)
  }

  private func append(_ nanos: Int128) throws(QueryError) {
    var (whole, rest): (Int64, Int64)
    if let short = Int64(exactly: nanos) {
      (whole, rest) = short.quotientAndRemainder(dividingBy: 1_000_000_000)
    } else {
      let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: 1_000_000_000)
      guard quotient.magnitude < 1 << 42 else {
        throw QueryError(.numericValueOutOfRange, "Column '\(name)': a timestamp is outside what ORC files can hold")
      }
      (whole, rest) = (Int64(quotient), Int64(remainder))
    }
    if rest < 0 {
      whole -= 1
      rest += 1_000_000_000
    }
    // Readers take a second off what is before 1970 and has more than a millisecond; in the last second before it they
    // cannot tell, and negative nanoseconds are what most take.
    if whole < 0, rest > 999_999 {
      whole += 1
      if whole == 0 { rest -= 1_000_000_000 }
    }
    try seconds.append(whole - ORCTimestampWriter.beginningOf2015)
    try nanoseconds.append(ORCTimestampWriter.stored(rest))
  }

  /// The lowest three bits say how many zeros were cut off: 1 for two, 2 for three …
  private static func stored(_ nanos: Int64) -> Int64 {
    if nanos == 0 || nanos % 100 != 0 { return nanos << 3 }
    var (value, code) = (nanos / 100, Int64(1))
    while value % 10 == 0, code < 7 {
      value /= 10
      code += 1
    }
    return value << 3 | code
  }

  override func positions() throws(QueryError) -> [Int] { try seconds.position() + nanoseconds.position() }
  override func finishValues() throws(QueryError) {
    try seconds.flush()
    try nanoseconds.flush()
  }
  override var valueStreams: [(kind: ORCStripe.StreamKind, stream: ORCOutputStream)] {
    [(.data, seconds.stream), (.secondary, nanoseconds.stream)]
  }
  override var valueByteCount: Int { seconds.byteCount + nanoseconds.byteCount }
}
