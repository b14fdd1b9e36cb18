import Columnar
import Glibc
import QueryErrors

/// A column as Arrow lays it out: flat, with one bit per row for NULLs.
///
/// - Shape: `buffers` as Arrow's columnar format lists them for the type; the first is the validity, nil when nothing is NULL.
struct ArrowArray {
  let length: Int
  let nullCount: Int
  let buffers: [Bytes?]
  let children: [ArrowArray]

  /// A buffer and how much of it counts.
  struct Bytes {
    let buffer: Buffer
    let byteCount: Int
    init(_ buffer: Buffer, _ byteCount: Int) {
      self.buffer = buffer
      self.byteCount = byteCount
    }
  }

  /// - Throws: `NUMERIC_VALUE_OUT_OF_RANGE` where nanoseconds exceed 64 bits or a column's texts 2 GB.
  init(_ column: Column, _ type: ArrowType) throws(QueryError) {
    let column = column.flattened()
    let count = column.count
    length = count
    if case .null = type {
      (nullCount, buffers, children) = (count, [], [])
      return
    }
    nullCount = column.nullCount
    let validity = column.validity.map { Bytes(ArrowArray.copy($0), ($0.count + 7) / 8) }
    switch type {
    case .null: (buffers, children) = ([], [])
    case .bool: (buffers, children) = ([validity, ArrowArray.bits(column)], [])
    case .int, .float, .double, .date, .milliseconds:
      let byteCount = count * column.type.physicalType.byteWidth
      (buffers, children) = ([validity, column.values.map { Bytes($0, byteCount) } ?? Bytes(Buffer(byteCount: 0), 0)], [])
    case .decimal:
      let values = ArrowArray.map(column, Int128.self) { (row: Int) -> Int128 in
        column.type.physicalType == .int128 ? column.values!.typed(Int128.self)[row] : Int128(column.values!.typed(Int64.self)[row])
      }
      (buffers, children) = ([validity, values], [])
    case .months:
      // Months in the low 32 of 128 bits; no days, no nanoseconds.
      let values = ArrowArray.map(column, Int128.self) { Int128(UInt32(bitPattern: column.values!.typed(Int32.self)[$0])) }
      (buffers, children) = ([validity, values], [])
    case .time:
      (buffers, children) = ([validity, ArrowArray.map(column, Int64.self) { column.values!.typed(Int64.self)[$0] / 1000 }], [])
    case .timestamp(let isNano, let zone):
      (buffers, children) = ([validity, try ArrowArray.instants(column, isNano: isNano, hasZone: zone != nil)], [])
    case .utf8, .binary:
      let (offsets, bytes) = try ArrowArray.texts(column) { row, out in
        column.values!.typed(StringView.self)[row].withBytes { out.append($0, $1) }
      }
      (buffers, children) = ([validity, offsets, bytes], [])
    case .text:
      let text = ResultText(column)
      var scratch: [UInt8] = []
      let (offsets, bytes) = try ArrowArray.texts(column) { row, out in
        scratch.removeAll(keepingCapacity: true)
        text.append(row, to: &scratch)
        scratch.withUnsafeBytes { out.append($0.baseAddress ?? UnsafeRawPointer(out.pointer), $0.count) }
      }
      (buffers, children) = ([validity, offsets, bytes], [])
    case .list(let item):
      let (offsets, range) = ArrowArray.offsets(column)
      let elements = column.children[0].slice(offset: range.lowerBound, count: range.count)
      (buffers, children) = ([validity, offsets], [try ArrowArray(elements, item.type)])
    case .map(let key, let value):
      let (offsets, range) = ArrowArray.offsets(column)
      let entries = try [(column.children[0], key), (column.children[1], value)].map { (child, field) throws(QueryError) in
        try ArrowArray(child.slice(offset: range.lowerBound, count: range.count), field.type)
      }
      (buffers, children) = ([validity, offsets], [ArrowArray(row: range.count, entries)])
    case .row(let fields):
      buffers = [validity]
      children = try zip(column.children, fields).map { (child, field) throws(QueryError) in try ArrowArray(child, field.type) }
    }
  }

  /// Rows that are never NULL.
  init(row length: Int, _ children: [ArrowArray]) {
    self.length = length
    nullCount = 0
    buffers = [nil]
    self.children = children
  }

  // MARK: Buffers

  private static func copy(_ bitmap: Bitmap) -> Buffer {
    let bytes = Buffer(byteCount: bitmap.wordCount * 8)
    bytes.pointer.copyMemory(from: bitmap.words, byteCount: bitmap.wordCount * 8)
    return bytes
  }

  private static func bits(_ column: Column) -> Bytes {
    let bitmap = Bitmap(count: column.count, filled: false)
    if let values = column.values?.typed(UInt8.self) { for row in 0..<column.count where values[row] != 0 { bitmap.set(row) } }
    return Bytes(copy(bitmap), (column.count + 7) / 8)
  }

  private static func map<T: BitwiseCopyable>(_ column: Column, _: T.Type, _ value: (Int) -> T) -> Bytes {
    let width = MemoryLayout<T>.stride
    let out = Buffer.zeroed(byteCount: column.count * width)
    for row in 0..<column.count where !column.isNull(row) { out.typed(T.self)[row] = value(row) }
    return Bytes(out, column.count * width)
  }

  private static func instants(_ column: Column, isNano: Bool, hasZone: Bool) throws(QueryError) -> Bytes {
    let out = Buffer.zeroed(byteCount: column.count * 8)
    for row in 0..<column.count where !column.isNull(row) {
      // Long timestamps are picoseconds; those with a zone have it in their low 16 bits.
      let micros: Int128
      var picos: Int128 = 0
      if column.type.physicalType == .int128 {
        picos = column.values!.typed(Int128.self)[row]
        if hasZone { picos >>= 16 }
        micros = floorDivide(picos, 1_000_000)
      } else {
        micros = Int128(column.values!.typed(Int64.self)[row])
      }
      guard let value = Int64(exactly: isNano ? floorDivide(picos, 1000) : micros) else {
        throw QueryError(.numericValueOutOfRange, "A timestamp of row \(row + 1) of a batch is out of the range of Arrow's nanoseconds")
      }
      out.typed(Int64.self)[row] = value
    }
    return Bytes(out, column.count * 8)
  }

  private static func floorDivide(_ a: Int128, _ b: Int128) -> Int128 {
    let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
    return rest < 0 ? quotient - 1 : quotient
  }

  private static func texts(
    _ column: Column, _ append: (Int, TextBuffer) -> Void
  ) throws(QueryError) -> (offsets: Bytes, bytes: Bytes) {
    let offsets = Buffer(byteCount: (column.count + 1) * 4)
    let out = TextBuffer()
    offsets.typed(Int32.self)[0] = 0
    for row in 0..<column.count {
      if !column.isNull(row) { append(row, out) }
      guard let end = Int32(exactly: out.count) else {
        throw QueryError(.numericValueOutOfRange, "The texts of a column of \(column.count) rows exceed 2 GB")
      }
      offsets.typed(Int32.self)[row + 1] = end
    }
    let bytes = Buffer(byteCount: out.count)
    bytes.pointer.copyMemory(from: out.pointer, byteCount: out.count)
    return (Bytes(offsets, (column.count + 1) * 4), Bytes(bytes, out.count))
  }

  /// Offsets that begin at 0, and the rows of the children that they had pointed to.
  private static func offsets(_ column: Column) -> (Bytes, Range<Int>) {
    let from = column.offsets!.typed(Int32.self)
    let out = Buffer(byteCount: (column.count + 1) * 4)
    for row in 0...column.count { out.typed(Int32.self)[row] = from[row] - from[0] }
    return (Bytes(out, (column.count + 1) * 4), Int(from[0])..<Int(from[column.count]))
  }
}
