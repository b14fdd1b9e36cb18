import Columnar
import Glibc

/// NULL, whatever the file says; takes no bytes.
final class AvroNullReader: AvroValueReader {
  override func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) {}
  override func appendEmpty() {}
  override func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column {
    Column.nulls(type, count: count).flattened()
  }
}

/// Values of a fixed width.
final class AvroFixedReader<Value: BitwiseCopyable>: AvroValueReader {
  private let decode: (inout AvroCursor) throws(AvroDamage) -> Value
  private var values: [Value] = []

  init(_ type: DataType, _ decode: @escaping (inout AvroCursor) throws(AvroDamage) -> Value) {
    self.decode = decode
    super.init(type)
  }

  override func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) { values.append(try decode(&cursor)) }
  override func appendEmpty() {
    values.append(
      withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { place in
        memset(place.baseAddress!, 0, MemoryLayout<Value>.size)
        return place[0]
      })
  }

  override func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column {
    let buffer = Buffer(byteCount: count * MemoryLayout<Value>.stride)
    values.withUnsafeBytes { buffer.pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(buffer.pointer), byteCount: $0.count) }
    values.removeAll(keepingCapacity: true)
    return Column(flat: type, count: count, values: buffer, validity: validity)
  }
}

/// Strings and bytes, cut to the type's length.
final class AvroStringReader: AvroValueReader {
  private let decode: (inout AvroCursor) throws(AvroDamage) -> (UnsafeRawPointer, Int)
  private var views: [StringView] = []
  private var arena = StringArena()
  private let limit: Int?
  private let isChar: Bool

  init(_ type: DataType, _ decode: @escaping (inout AvroCursor) throws(AvroDamage) -> (UnsafeRawPointer, Int)) {
    self.decode = decode
    switch type {
    case .varchar(let length): (limit, isChar) = (length, false)
    case .char(let length): (limit, isChar) = (length, true)
    default: (limit, isChar) = (nil, false)
    }
    super.init(type)
  }

  override func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) {
    var (bytes, length) = try decode(&cursor)
    if let limit { length = AvroStringReader.cut(bytes, length, limit, isChar) }
    views.append(arena.add(bytes, length))
  }

  /// Bytes of the first `limit` code points, without spaces at the end for char.
  private static func cut(_ p: UnsafeRawPointer, _ length: Int, _ limit: Int, _ isChar: Bool) -> Int {
    let bytes = p.assumingMemoryBound(to: UInt8.self)
    var count = length
    if length > limit {
      var (points, at) = (0, 0)
      while at < length {
        if bytes[at] & 0xc0 != 0x80 {
          if points == limit { break }
          points += 1
        }
        at += 1
      }
      count = at
    }
    if isChar { while count > 0, bytes[count - 1] == 0x20 { count -= 1 } }
    return count
  }

  override func appendEmpty() { views.append(StringView()) }

  override func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column {
    let buffer = Buffer(byteCount: count * 16)
    views.withUnsafeBytes { buffer.pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(buffer.pointer), byteCount: $0.count) }
    let heap = arena.heap
    views.removeAll(keepingCapacity: true)
    arena = StringArena()
    return Column(flat: type, count: count, values: buffer, validity: validity, heap: heap)
  }
}

/// Numbers of an enum's symbols.
final class AvroEnumReader: AvroValueReader {
  private let symbols: [String]
  private let dictionary: Column
  private var codes: [Int32] = []

  init(_ symbols: [String], _ type: DataType) {
    self.symbols = symbols
    let builder = ColumnBuilder(type, capacity: max(symbols.count, 1))
    for symbol in symbols { builder.append(string: symbol) }
    if symbols.isEmpty { builder.append(string: "") }
    dictionary = builder.finish()
    super.init(type)
  }

  override func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) {
    let code = try cursor.long()
    guard code >= 0, code < symbols.count else { throw AvroDamage("an enum has no symbol \(code)") }
    codes.append(Int32(code))
  }

  override func appendEmpty() { codes.append(0) }

  override func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column {
    let buffer = Buffer(byteCount: count * 4)
    codes.withUnsafeBytes { buffer.pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(buffer.pointer), byteCount: $0.count) }
    codes.removeAll(keepingCapacity: true)
    return Column.dictionary(dictionary, indices: buffer, count: count, validity: validity)
  }
}

/// Big-endian two's complement numbers.
final class AvroDecimalReader: AvroValueReader {
  private let decode: (inout AvroCursor) throws(AvroDamage) -> (UnsafeRawPointer, Int)
  private let multiplier: Int128
  private let divisor: Int128
  private let limit: Int128
  private var values: [Int128] = []

  init(
    _ type: DataType, storedScale: Int,
    _ decode: @escaping (inout AvroCursor) throws(AvroDamage) -> (UnsafeRawPointer, Int)
  ) {
    func power(_ exponent: Int) -> Int128 { (0..<max(0, exponent)).reduce(1) { value, _ in value * 10 } }
    guard case .decimal(let precision, let scale) = type else { preconditionFailure("decimals are read as decimals") }
    self.decode = decode
    multiplier = power(scale - storedScale)
    divisor = power(storedScale - scale)
    limit = power(precision)
    super.init(type)
  }

  override func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) {
    let (bytes, length) = try decode(&cursor)
    guard length > 0 else {
      values.append(0)
      return
    }
    var value: Int128 = bytes.load(as: Int8.self) < 0 ? -1 : 0
    for i in 0..<length {
      guard i < length - 16 else {
        value = value &<< 8 | Int128(bytes.load(fromByteOffset: i, as: UInt8.self))
        continue
      }
      // Bytes before the last sixteen only repeat the sign.
      guard bytes.load(fromByteOffset: i, as: UInt8.self) == (value < 0 ? 0xff : 0) else {
        throw AvroDamage("a decimal has more than 38 digits")
      }
    }
    let (scaled, overflow) = value.multipliedReportingOverflow(by: multiplier)
    guard !overflow, scaled % divisor == 0 else { throw AvroDamage("a value does not fit in \(type)") }
    let result = scaled / divisor
    guard result > -limit, result < limit else { throw AvroDamage("a value does not fit in \(type)") }
    values.append(result)
  }

  override func appendEmpty() { values.append(0) }

  override func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column {
    let width = type.physicalType.byteWidth
    let buffer = Buffer(byteCount: count * width)
    if width == 8 {
      let out = buffer.typed(Int64.self)
      for i in 0..<count { out[i] = Int64(truncatingIfNeeded: values[i]) }
    } else {
      let out = buffer.typed(Int128.self)
      for i in 0..<count { out[i] = values[i] }
    }
    values.removeAll(keepingCapacity: true)
    return Column(flat: type, count: count, values: buffer, validity: validity)
  }
}

/// A union of null and one other type.
final class AvroOptionalReader: AvroValueReader {
  private let value: AvroValueReader
  private let nullTag: Int
  private let memberCount: Int

  init(_ value: AvroValueReader, nullTag: Int, _ memberCount: Int) {
    self.value = value
    self.nullTag = nullTag
    self.memberCount = memberCount
    super.init(value.type)
  }

  override func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) {
    if try cursor.tag(memberCount) == nullTag { value.appendNull() } else { try value.read(&cursor) }
  }

  override func appendEmpty() { value.appendNull() }

  override func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column { try value.take() }
}

/// A union whose members are all read as one type.
final class AvroMergedReader: AvroValueReader {
  private let members: [AvroValueReader?]
  /// The member of each value; −1: NULL.
  private var tags: [Int32] = []

  init(_ type: DataType, _ members: [AvroValueReader?]) {
    self.members = members
    super.init(type)
  }

  override func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) {
    let tag = try cursor.tag(members.count)
    if let member = members[tag] { try member.read(&cursor) }
    tags.append(members[tag] == nil ? -1 : Int32(tag))
  }

  override func appendEmpty() { tags.append(-1) }

  override func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column {
    var pieces: [Column] = []
    var starts: [Int32] = []
    var total: Int32 = 0
    for member in members {
      starts.append(total)
      guard let member else { continue }
      let column = try member.take().flattened()
      total += Int32(column.count)
      pieces.append(column)
    }
    pieces.append(Column.nulls(type, count: 1).flattened())
    let all = Column.concatenate(pieces, type: type)
    let rows = Buffer(byteCount: count * 4)
    let p = rows.typed(Int32.self)
    for (row, tag) in tags.enumerated() {
      if tag < 0 {
        p[row] = total
      } else {
        p[row] = starts[Int(tag)]
        starts[Int(tag)] += 1
      }
    }
    tags.removeAll(keepingCapacity: true)
    return withExtendedLifetime(rows) { all.take(p, count: count) }
  }
}

/// A union as a row of its tag and a field a member.
final class AvroUnionReader: AvroValueReader {
  private let members: [AvroValueReader?]
  /// The tag a member has among those that are not null.
  private let numbers: [Int8]
  private var nullRows: [Int32] = []
  private var tagValues: [Int8] = []

  init(_ type: DataType, _ members: [AvroValueReader?]) {
    self.members = members
    var next: Int8 = 0
    numbers = members.map { member in
      defer { if member != nil { next += 1 } }
      return next
    }
    super.init(type)
  }

  override func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) {
    let tag = try cursor.tag(members.count)
    if members[tag] == nil {
      nullRows.append(Int32(tagValues.count))
      appendEmpty()
      return
    }
    tagValues.append(numbers[tag])
    for (index, member) in members.enumerated() {
      if index == tag { try member?.read(&cursor) } else { member?.appendNull() }
    }
  }

  override func appendEmpty() {
    tagValues.append(0)
    for member in members { member?.appendNull() }
  }

  override func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column {
    var own = validity
    if !nullRows.isEmpty {
      let bits = Bitmap(count: count, filled: true)
      for row in nullRows { bits.clear(Int(row)) }
      own = Bitmap.intersection(validity, bits)
    }
    let buffer = Buffer(byteCount: count)
    for i in 0..<count { buffer.typed(Int8.self)[i] = tagValues[i] }
    var children = [Column(flat: .tinyint, count: count, values: buffer, validity: own)]
    for member in members { if let member { children.append(try member.take()) } }
    tagValues.removeAll(keepingCapacity: true)
    nullRows.removeAll(keepingCapacity: true)
    return Column(row: type, count: count, children: children, validity: own)
  }
}

/// Arrays and maps: blocks of items, an empty one at the end.
final class AvroListReader: AvroValueReader {
  private let keys: AvroValueReader?
  private let items: AvroValueReader
  private var offsets: [Int32] = [0]

  init(_ type: DataType, keys: AvroValueReader?, _ items: AvroValueReader) {
    self.keys = keys
    self.items = items
    super.init(type)
  }

  override func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) {
    while true {
      let count = try cursor.blockCount()
      if count == 0 { break }
      // Items of no bytes could be endless.
      guard items.count + count < 1 << 30 else { throw AvroDamage("arrays of more than a thousand million items") }
      for _ in 0..<count {
        try keys?.read(&cursor)
        try items.read(&cursor)
      }
    }
    offsets.append(Int32(items.count))
  }

  override func appendEmpty() { offsets.append(Int32(items.count)) }

  override func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column {
    let buffer = Buffer(byteCount: (count + 1) * 4)
    offsets.withUnsafeBytes { buffer.pointer.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    offsets.removeAll(keepingCapacity: true)
    offsets.append(0)
    var children: [Column] = []
    if let keys { children.append(try keys.take()) }
    children.append(try items.take())
    return Column(nested: type, count: count, offsets: buffer, children: children, validity: validity)
  }
}

/// Records: their fields one after the other.
final class AvroRecordReader: AvroValueReader {
  private let fields: [AvroValueReader]
  /// The file's fields in order, and which of `fields` reads each; nil: it is passed over.
  private let members: [(schema: AvroSchema, field: Int?)]
  /// Fields that the file does not have.
  private let missing: [Int]

  init(_ type: DataType, _ fields: [AvroValueReader], _ members: [(schema: AvroSchema, field: Int?)]) {
    self.fields = fields
    self.members = members
    let read = Set(members.compactMap(\.field))
    missing = fields.indices.filter { !read.contains($0) }
    super.init(type)
  }

  override func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) {
    for (schema, field) in members {
      if let field { try fields[field].read(&cursor) } else { try cursor.skip(schema) }
    }
    for field in missing { fields[field].appendNull() }
  }

  override func appendEmpty() { for field in fields { field.appendNull() } }

  override func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column {
    var children: [Column] = []
    for field in fields { children.append(try field.take()) }
    return Column(row: type, count: count, children: children, validity: validity)
  }
}
