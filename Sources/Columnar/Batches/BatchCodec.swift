import CLZ4
import Glibc
package import QueryErrors

/// Writes batches as bytes and reads them back, for memory that has to be left: all types, constants and small dictionaries kept.
///
///     column   encoding · validity? · what the encoding has
///     flat     values, or string lengths and bytes, or offsets and children
///     others   indices?, then the base column
///
/// Every part begins at a multiple of 64 bytes, so that columns read back lie in the block as they are; only views of strings are
/// made anew. The bytes are for this process alone: they carry no types and no version.
///
/// - Threads: none of its own.
package enum BatchCodec {
  private static let alignment = 64

  // MARK: Writing

  /// The batch as bytes.
  package static func encode(_ batch: Batch) -> Buffer {
    let columns = batch.columns.map(prepared)
    var size = aligned(8)
    for column in columns { size += byteCount(column) }
    let buffer = Buffer(byteCount: size)
    var cursor = Cursor(buffer.pointer)
    cursor.put(Int64(batch.rowCount))
    for column in columns { write(column, &cursor) }
    assert(cursor.position == size)
    return buffer
  }

  /// The column as it is written: dictionaries with few entries for their rows stay, others are flattened.
  private static func prepared(_ column: Column) -> Column {
    if column.encoding == .dictionary, column.base!.count > column.count { return column.flattened() }
    return column
  }

  private static func aligned(_ size: Int) -> Int { (size + alignment - 1) & ~(alignment - 1) }

  /// Bytes that `write` writes.
  private static func byteCount(_ column: Column) -> Int {
    let n = column.count
    let header = aligned(8) + (column.validity == nil ? 0 : aligned((n + 63) / 64 * 8))
    switch column.encoding {
    case .constant: return header + byteCount(column.base!)
    case .dictionary: return header + aligned(n * 4) + byteCount(column.base!)
    case .flat: break
    }
    switch column.type.physicalType {
    case .null: return header
    case .string: return header + aligned(8) + aligned(n * 4) + aligned(stringBytes(column))
    case .row: return header + column.children.reduce(0) { $0 + byteCount(prepared($1)) }
    case .array, .map:
      let (first, last) = elements(column)
      return header + aligned((n + 1) * 4)
        + column.children.reduce(0) { $0 + byteCount(prepared($1.slice(offset: first, count: last - first))) }
    default: return header + aligned(n * column.type.physicalType.byteWidth)
    }
  }

  private static func elements(_ column: Column) -> (first: Int, last: Int) {
    if column.count == 0 { return (0, 0) }
    return (column.elementRange(0).lowerBound, column.elementRange(column.count - 1).upperBound)
  }

  private static func stringBytes(_ column: Column) -> Int {
    let views = column.values!.typed(StringView.self)
    var total = 0
    var row = 0
    if let validity = column.validity {
      while row < column.count {
        if validity[row] { total &+= views[row].count }
        row &+= 1
      }
    } else {
      while row < column.count {
        total &+= views[row].count
        row &+= 1
      }
    }
    return total
  }

  private struct Cursor {
    let start: UnsafeMutableRawPointer
    var position = 0

    init(_ start: UnsafeMutableRawPointer) { self.start = start }

    mutating func put(_ value: Int64) {
      start.storeBytes(of: value, toByteOffset: position, as: Int64.self)
      position += alignment
    }

    mutating func put(_ source: UnsafeRawPointer, _ count: Int) {
      memcpy(start + position, source, count)
      skip(count)
    }

    mutating func skip(_ count: Int) {
      let end = aligned(position + count)
      // What lies between the parts is compressed too.
      memset(start + position + count, 0, end - position - count)
      position = end
    }
  }

  private static func write(_ column: Column, _ cursor: inout Cursor) {
    let n = column.count
    cursor.put(Int64(n) << 8 | Int64(column.encoding.rawValue) << 1 | (column.validity == nil ? 0 : 1))
    if let validity = column.validity { cursor.put(validity.words, (n + 63) / 64 * 8) }
    switch column.encoding {
    case .constant: return write(column.base!, &cursor)
    case .dictionary:
      cursor.put(column.indices!.pointer, n * 4)
      return write(column.base!, &cursor)
    case .flat: break
    }
    switch column.type.physicalType {
    case .null: return
    case .string: writeStrings(column, &cursor)
    case .row: for child in column.children { write(prepared(child), &cursor) }
    case .array, .map:
      let (first, last) = elements(column)
      let (from, to) = (column.offsets!.typed(Int32.self), (cursor.start + cursor.position).assumingMemoryBound(to: Int32.self))
      for row in 0...n { to[row] = from[row] &- Int32(first) }
      cursor.skip((n + 1) * 4)
      for child in column.children { write(prepared(child.slice(offset: first, count: last - first)), &cursor) }
    default: cursor.put(column.values!.pointer, n * column.type.physicalType.byteWidth)
    }
  }

  private static func writeStrings(_ column: Column, _ cursor: inout Cursor) {
    let n = column.count
    let views = column.values!.typed(StringView.self)
    let total = stringBytes(column)
    cursor.put(Int64(total))
    let lengths = (cursor.start + cursor.position).assumingMemoryBound(to: UInt32.self)
    let bytes = cursor.start + cursor.position + aligned(n * 4)
    var at = 0
    for row in 0..<n {
      let count = column.isNull(row) ? 0 : views[row].count
      lengths[row] = UInt32(truncatingIfNeeded: count)
      if count > 0 {
        memcpy(bytes + at, StringView.bytes(at: views + row), count)
        at &+= count
      }
    }
    cursor.skip(n * 4)
    cursor.skip(total)
  }

  // MARK: Reading

  /// The batch that `encode` wrote; its columns lie in `block`.
  ///
  /// - Parameter types: of the columns.
  package static func decode(_ block: Buffer, types: [DataType]) -> Batch {
    var reader = Reader(block)
    let rowCount = Int(reader.number())
    let columns = types.map { read($0, &reader) }
    return Batch(columns: columns, rowCount: rowCount)
  }

  /// The same batch in memory of its own: it keeps no pages and dictionaries alive.
  package static func detached(_ batch: Batch) -> Batch {
    decode(encode(batch), types: batch.columns.map(\.type))
  }

  private struct Reader {
    let block: Buffer
    let heap: StringHeap
    var position = 0

    init(_ block: Buffer) {
      self.block = block
      heap = StringHeap([block])
    }

    mutating func number() -> Int64 {
      defer { position += alignment }
      return block.pointer.load(fromByteOffset: position, as: Int64.self)
    }

    mutating func part(_ count: Int) -> Buffer {
      defer { position += aligned(count) }
      return Buffer(borrowing: block.pointer + position, byteCount: count, owner: block)
    }
  }

  private static func read(_ type: DataType, _ reader: inout Reader) -> Column {
    let header = reader.number()
    let n = Int(header >> 8)
    let encoding = Column.Encoding(rawValue: UInt8(header >> 1 & 0x7f))!
    let validity = header & 1 == 0 ? nil : Bitmap(count: n, buffer: reader.part((n + 63) / 64 * 8))
    switch encoding {
    case .constant:
      let base = read(type, &reader)
      return validity == nil ? .constant(row: 0, of: base, count: n) : .nulls(type, count: n)
    case .dictionary:
      let indices = reader.part(n * 4)
      // The nulls are the column's alone: those of the entries are among them.
      return .dictionary(read(type, &reader), indices: indices, count: n, validity: validity)
    case .flat: break
    }
    switch type.physicalType {
    case .null: return Column(flat: type, count: n, values: Buffer(byteCount: 0), validity: validity)
    case .string: return readStrings(type, n, validity, &reader)
    case .row:
      return Column(row: type, count: n, children: type.childTypes.map { read($0, &reader) }, validity: validity)
    case .array, .map:
      let offsets = reader.part((n + 1) * 4)
      return Column(
        nested: type, count: n, offsets: offsets, children: type.childTypes.map { read($0, &reader) }, validity: validity)
    default:
      return Column(flat: type, count: n, values: reader.part(n * type.physicalType.byteWidth), validity: validity)
    }
  }

  private static func readStrings(_ type: DataType, _ n: Int, _ validity: Bitmap?, _ reader: inout Reader) -> Column {
    let total = Int(reader.number())
    let lengths = reader.part(n * 4)
    let bytes = reader.part(total)
    let values = Buffer(byteCount: n * 16)
    let (from, views) = (lengths.typed(UInt32.self), values.typed(StringView.self))
    var next = UnsafeRawPointer(bytes.pointer)
    var row = 0
    while row < n {
      let count = Int(from[row])
      views[row] = StringView(next, count: count)
      next += count
      row &+= 1
    }
    return Column(flat: type, count: n, values: values, validity: validity, heap: total == 0 ? nil : reader.heap)
  }

  // MARK: Compressing

  /// The bytes compressed, or nil where that does not pay.
  package static func compress(_ block: Buffer) -> (bytes: Buffer, count: Int)? {
    let n = block.byteCount
    guard n > 0, n < Int(LZ4_MAX_INPUT_SIZE) else { return nil }
    let target = Buffer(byteCount: n)
    // Room for less than there was: what hardly shrinks is not worth the reading back.
    let count = LZ4_compress_default(block.pointer, target.pointer, Int32(n), Int32(n - n / 16))
    return count > 0 ? (target, Int(count)) : nil
  }

  /// The `byteCount` bytes that were compressed.
  ///
  /// - Throws: when the bytes are not those that were written.
  package static func decompress(_ source: UnsafeRawPointer, _ count: Int, byteCount: Int) throws(QueryError) -> Buffer {
    let target = Buffer(byteCount: byteCount)
    let produced = LZ4_decompress_safe(source, target.pointer, Int32(count), Int32(byteCount))
    if Int(produced) != byteCount { throw QueryError.internalError("a block of spilled rows is damaged") }
    return target
  }
}
