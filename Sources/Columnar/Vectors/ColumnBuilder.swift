import Glibc

/// Makes a flat column value by value, for any type.
///
/// Kernels that know their type write buffers directly; this is for nested values, constants, tests and readers' slow paths.
public final class ColumnBuilder {
  public let type: DataType
  public private(set) var count = 0
  private let physical: PhysicalType
  private let width: Int
  private var capacity: Int
  private var values: Buffer
  private var nullRows: [Int32] = []
  private var offsets: [Int32] = []
  public private(set) var children: [ColumnBuilder] = []
  private var bytes: StringArena
  private var heaps: [AnyObject] = []

  public init(_ type: DataType, capacity: Int = 64) {
    self.type = type
    physical = type.physicalType
    width = physical.byteWidth
    self.capacity = max(capacity, 1)
    values = Buffer(byteCount: max(capacity, 1) * physical.byteWidth)
    bytes = StringArena()
    children = type.childTypes.map { ColumnBuilder($0, capacity: capacity) }
    if physical == .array || physical == .map { offsets.append(0) }
  }

  /// Room for one more fixed-width value; its address.
  @inline(__always)
  private func next() -> UnsafeMutableRawPointer {
    if count == capacity {
      capacity *= 2
      let larger = Buffer(byteCount: capacity * width)
      larger.pointer.copyMemory(from: values.pointer, byteCount: count * width)
      values = larger
    }
    count += 1
    return values.pointer + (count - 1) * width
  }

  public func appendNull() {
    nullRows.append(Int32(count))
    switch physical {
    case .array, .map:
      offsets.append(offsets[count])
      count += 1
    case .row:
      for child in children { child.appendNull() }
      count += 1
    case .null: count += 1
    default: memset(next(), 0, width)
    }
  }

  /// A fixed-width value of the type's own physical type.
  @inlinable
  public func append<T: BitwiseCopyable>(fixed value: T) { appendRaw(value) }

  @usableFromInline
  func appendRaw<T: BitwiseCopyable>(_ value: T) {
    assert(MemoryLayout<T>.size == width)
    next().storeBytes(of: value, as: T.self)
  }

  public func append(bytes source: UnsafeRawBufferPointer) {
    let view = bytes.add(source)
    next().storeBytes(of: view, as: StringView.self)
  }

  public func append(string: String) {
    var copy = string
    copy.withUTF8 { append(bytes: UnsafeRawBufferPointer($0)) }
  }

  /// Ends one array or map whose elements were appended to `children`.
  public func endNested() {
    offsets.append(Int32(children[0].count))
    count += 1
  }

  /// Ends one row whose fields were appended to `children`.
  public func endRow() { count += 1 }

  public func append(_ value: Scalar) {
    switch (value, physical) {
    case (.null, _): appendNull()
    case (.boolean(let x), .bool): appendRaw(UInt8(x ? 1 : 0))
    case (.integer(let x), .int8): appendRaw(Int8(truncatingIfNeeded: x))
    case (.integer(let x), .int16): appendRaw(Int16(truncatingIfNeeded: x))
    case (.integer(let x), .int32): appendRaw(Int32(truncatingIfNeeded: x))
    case (.integer(let x), .int64): appendRaw(x)
    case (.integer(let x), .int128): appendRaw(Int128(x))
    case (.int128(let x), .int128): appendRaw(x)
    case (.int128(let x), .int64): appendRaw(Int64(truncatingIfNeeded: x))
    case (.real(let x), .float): appendRaw(x)
    case (.double(let x), .double): appendRaw(x)
    case (.bytes(let x), .string): x.withUnsafeBytes { append(bytes: $0) }
    case (.array(let items), .array):
      for item in items { children[0].append(item) }
      endNested()
    case (.map(let entries), .map):
      for entry in entries {
        children[0].append(entry.key)
        children[1].append(entry.value)
      }
      endNested()
    case (.row(let fields), .row):
      precondition(fields.count == children.count)
      for (child, field) in zip(children, fields) { child.append(field) }
      endRow()
    default: preconditionFailure("scalar \(value) is not a \(type)")
    }
  }

  /// Row `row` of a column of the same physical type; long strings are copied.
  public func append(_ column: Column, row: Int) {
    if column.isNull(row) { return appendNull() }
    let storage = column.storage
    let at = column.position(row)
    switch physical {
    case .null: appendNull()
    case .string:
      storage.values!.typed(StringView.self)[at].withBytes { (p, n) in
        append(bytes: UnsafeRawBufferPointer(start: p, count: n))
      }
    case .array, .map:
      let range = storage.elementRange(at)
      for (child, source) in zip(children, storage.children) { for k in range { child.append(source, row: k) } }
      endNested()
    case .row:
      for (child, source) in zip(children, storage.children) { child.append(source, row: at) }
      endRow()
    default: next().copyMemory(from: storage.values!.pointer + at * width, byteCount: width)
    }
  }

  /// The column; the builder is empty afterwards.
  public func finish() -> Column {
    defer {
      count = 0
      capacity = 1
      values = Buffer(byteCount: width)
      nullRows = []
      offsets = offsets.isEmpty ? [] : [0]
      bytes = StringArena()
    }
    var validity: Bitmap?
    if !nullRows.isEmpty {
      let bitmap = Bitmap(count: count, filled: true)
      for row in nullRows { bitmap.clear(Int(row)) }
      validity = bitmap
    }
    switch physical {
    case .array, .map:
      let buffer = Buffer(byteCount: offsets.count * 4)
      offsets.withUnsafeBytes { buffer.pointer.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      return Column(nested: type, count: count, offsets: buffer, children: children.map { $0.finish() }, validity: validity)
    case .row: return Column(row: type, count: count, children: children.map { $0.finish() }, validity: validity)
    case .null: return ColumnBuilder.nulls(type, count: count)
    default: return Column(flat: type, count: count, values: values, validity: validity, heap: bytes.heap)
    }
  }

  /// A flat column of `count` NULLs.
  static func nulls(_ type: DataType, count: Int) -> Column {
    let validity = count == 0 ? nil : Bitmap(count: count, filled: false)
    switch type.physicalType {
    case .array, .map:
      return Column(
        nested: type, count: count, offsets: .zeroed(byteCount: (count + 1) * 4),
        children: type.childTypes.map { Column.empty($0) }, validity: validity)
    case .row:
      return Column(row: type, count: count, children: type.childTypes.map { nulls($0, count: count) }, validity: validity)
    case .null: return Column(flat: type, count: count, values: Buffer(byteCount: 0), validity: validity)
    default:
      return Column(
        flat: type, count: count, values: .zeroed(byteCount: count * type.physicalType.byteWidth), validity: validity)
    }
  }
}
