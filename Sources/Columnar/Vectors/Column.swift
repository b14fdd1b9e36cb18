/// Values of one type, one per row: the unit that kernels read and make.
///
/// A column never changes once made, so it is shared freely.
///
///     flat        values[row]                              arrays and maps: offsets[row] ..< offsets[row + 1] of children
///     constant    base[0] for every row                    base is a flat column of one row
///     dictionary  base[indices[row]]                       base is a flat column of distinct or repeated entries
///
/// - Nulls: `validity` is per row and authoritative in every encoding (nil: no row is null). Values of null rows are
///   unspecified but readable; indices of null rows are within `base`.
/// - Shape: `values` holds `count` values of `type.physicalType.byteWidth` bytes.
public final class Column: @unchecked Sendable {
  /// How the values lie.
  public enum Encoding: UInt8, Sendable { case flat, constant, dictionary }

  public let type: DataType
  public let count: Int
  public let encoding: Encoding
  public let validity: Bitmap?
  /// Flat fixed-width values; nil for nested, null-typed, constant and dictionary columns.
  public let values: Buffer?
  /// Int32 per row of a dictionary column.
  public let indices: Buffer?
  /// The entries of a dictionary, or the one row of a constant.
  public let base: Column?
  /// Int32, `count + 1` of them, of a flat array or map; they need not start at 0.
  public let offsets: Buffer?
  /// Flat array: [elements]; map: [keys, values]; row: one per field.
  public let children: [Column]
  /// Keeps the bytes of long strings alive.
  public let heap: StringHeap?

  private init(
    type: DataType, count: Int, encoding: Encoding, validity: Bitmap?, values: Buffer? = nil, indices: Buffer? = nil,
    base: Column? = nil, offsets: Buffer? = nil, children: [Column] = [], heap: StringHeap? = nil
  ) {
    self.type = type
    self.count = count
    self.encoding = encoding
    self.validity = validity
    self.values = values
    self.indices = indices
    self.base = base
    self.offsets = offsets
    self.children = children
    self.heap = heap
  }

  // MARK: Making columns

  /// A flat column of fixed-width values (strings: views whose bytes `heap` keeps).
  public convenience init(flat type: DataType, count: Int, values: Buffer, validity: Bitmap?, heap: StringHeap? = nil) {
    assert(values.byteCount >= count * type.physicalType.byteWidth)
    self.init(type: type, count: count, encoding: .flat, validity: validity, values: values, heap: heap)
  }

  /// A flat array or map column.
  ///
  /// - Shape: `offsets`: count + 1 Int32; children: elements, or keys and values, of equal length.
  public convenience init(nested type: DataType, count: Int, offsets: Buffer, children: [Column], validity: Bitmap?) {
    self.init(type: type, count: count, encoding: .flat, validity: validity, offsets: offsets, children: children)
  }

  /// A flat row column: one child of `count` rows per field.
  public convenience init(row type: DataType, count: Int, children: [Column], validity: Bitmap?) {
    self.init(type: type, count: count, encoding: .flat, validity: validity, children: children)
  }

  /// `base[indices[row]]` for each row; a dictionary of a dictionary or constant is flattened into one.
  ///
  /// - Shape: `indices`: count Int32, each within `base`.
  /// - Parameter validity: nulls beside those of the entries.
  public static func dictionary(_ base: Column, indices: Buffer, count: Int, validity: Bitmap? = nil) -> Column {
    let rows = UnsafePointer(indices.typed(Int32.self))
    var merged = validity
    if let own = base.validity { merged = Bitmap.intersection(validity, own.taking(rows, count: count)) }
    switch base.encoding {
    case .flat:
      return Column(
        type: base.type, count: count, encoding: .dictionary, validity: merged, indices: indices, base: base)
    case .constant:
      if merged == nil || base.validity != nil && validity == nil { return base.resized(to: count) }
      return base.flattened().wrapped(indices: indices, count: count, validity: merged)
    case .dictionary:
      let inner = base.indices!.typed(Int32.self)
      let composed = Buffer(byteCount: count * 4)
      let out = composed.typed(Int32.self)
      var i = 0
      while i < count {
        out[i] = inner[Int(rows[i])]
        i &+= 1
      }
      return base.base!.wrapped(indices: composed, count: count, validity: merged)
    }
  }

  private func wrapped(indices: Buffer, count: Int, validity: Bitmap?) -> Column {
    Column(type: type, count: count, encoding: .dictionary, validity: validity, indices: indices, base: self)
  }

  /// `count` rows of one value.
  public static func constant(_ value: Scalar, _ type: DataType, count: Int) -> Column {
    if value.isNull { return nulls(type, count: count) }
    let builder = ColumnBuilder(type, capacity: 1)
    builder.append(value)
    return constant(row: 0, of: builder.finish(), count: count)
  }

  /// `count` rows of `column[row]`.
  public static func constant(row: Int, of column: Column, count: Int) -> Column {
    if column.isNull(row) { return nulls(column.type, count: count) }
    let base = column.encoding == .flat && column.count == 1 ? column : column.slice(offset: row, count: 1).flattened()
    return Column(type: column.type, count: count, encoding: .constant, validity: nil, base: base)
  }

  /// `count` NULLs.
  public static func nulls(_ type: DataType, count: Int) -> Column {
    let base = nullRow(type)
    return Column(
      type: type, count: count, encoding: .constant, validity: count == 0 ? nil : Bitmap(count: count, filled: false),
      base: base)
  }

  /// A flat column of one NULL.
  private static func nullRow(_ type: DataType) -> Column {
    let validity = Bitmap(count: 1, filled: false)
    switch type.physicalType {
    case .array, .map:
      return Column(
        nested: type, count: 1, offsets: .zeroed(byteCount: 8), children: type.childTypes.map { empty($0) },
        validity: validity)
    case .row: return Column(row: type, count: 1, children: type.childTypes.map(nullRow), validity: validity)
    case .null: return Column(type: type, count: 1, encoding: .flat, validity: validity)
    default: return Column(flat: type, count: 1, values: .zeroed(byteCount: 16), validity: validity)
    }
  }

  /// No rows.
  public static func empty(_ type: DataType) -> Column { ColumnBuilder(type, capacity: 0).finish() }

  /// A constant column of another length.
  public func resized(to count: Int) -> Column {
    precondition(encoding == .constant)
    if count == self.count { return self }
    return Column(
      type: type, count: count, encoding: .constant,
      validity: validity == nil || count == 0 ? nil : Bitmap(count: count, filled: false), base: base)
  }

  // MARK: Reading

  @inlinable
  public func isNull(_ row: Int) -> Bool { validity.map { !$0[row] } ?? false }

  public var isConstant: Bool { encoding == .constant }

  /// Whether every row is the same NULL.
  public var isAllNull: Bool { encoding == .constant && validity != nil }

  public var nullCount: Int { validity.map { count - $0.setCount } ?? 0 }

  /// The flat column that holds the values, and how rows map to its positions.
  public var view: ColumnView {
    switch encoding {
    case .flat:
      ColumnView(values: Column.address(values), indices: nil, validity: validity, mask: -1)
    case .constant:
      ColumnView(values: Column.address(base!.values), indices: nil, validity: validity, mask: 0)
    case .dictionary:
      ColumnView(
        values: Column.address(base!.values), indices: indices!.typed(Int32.self), validity: validity,
        mask: -1)
    }
  }

  private static func address(_ values: Buffer?) -> UnsafeRawPointer {
    values.map { UnsafeRawPointer($0.pointer) } ?? noValues
  }

  nonisolated(unsafe) private static let noValues = UnsafeRawPointer(Buffer.zeroed(byteCount: 64).retainedForever)

  /// The flat column behind any encoding.
  public var storage: Column { base ?? self }

  /// Position of `row` in `storage`.
  @inlinable
  public func position(_ row: Int) -> Int {
    switch encoding {
    case .flat: row
    case .constant: 0
    case .dictionary: Int(indices!.typed(Int32.self)[row])
    }
  }

  /// The value of one row; slow, for messages, constants and row-at-a-time output.
  public func scalar(_ row: Int) -> Scalar {
    if isNull(row) { return .null }
    return storage.flatScalar(position(row))
  }

  private func flatScalar(_ row: Int) -> Scalar {
    func value<T: BitwiseCopyable>(_: T.Type) -> T { values!.typed(T.self)[row] }
    switch type.physicalType {
    case .bool: return .boolean(value(UInt8.self) != 0)
    case .int8: return .integer(Int64(value(Int8.self)))
    case .int16: return .integer(Int64(value(Int16.self)))
    case .int32: return .integer(Int64(value(Int32.self)))
    case .int64: return .integer(value(Int64.self))
    case .int128: return .int128(value(Int128.self))
    case .float: return .real(value(Float.self))
    case .double: return .double(value(Double.self))
    case .string: return .bytes(value(StringView.self).bytes)
    case .array: return .array(elementRange(row).map(children[0].scalar))
    case .map:
      return .map(elementRange(row).map { Scalar.MapEntry(key: children[0].scalar($0), value: children[1].scalar($0)) })
    case .row: return .row(children.map { $0.scalar(row) })
    case .null: return .null
    }
  }

  /// The child rows of row `row` of a flat array or map.
  @inlinable
  public func elementRange(_ row: Int) -> Range<Int> {
    let p = offsets!.typed(Int32.self)
    return Int(p[row])..<Int(p[row + 1])
  }

  // MARK: Changing the shape

  /// Whether these are strings of few different entries: four bytes a row instead of sixteen.
  package var isSmallDictionary: Bool {
    encoding == .dictionary && type.physicalType == .string && base!.count * 4 <= count
  }

  /// The same values as a flat column.
  public func flattened() -> Column {
    switch encoding {
    case .flat: return self
    case .constant:
      if validity != nil { return ColumnBuilder.nulls(type, count: count) }
      let rows = Buffer.zeroed(byteCount: count * 4)
      return base!.gather(rows.typed(Int32.self), count: count, validity: nil)
    case .dictionary: return base!.gather(indices!.typed(Int32.self), count: count, validity: validity)
    }
  }

  /// The same strings, flat, in memory of their own: they keep nothing else alive.
  public func copyingStrings() -> Column {
    precondition(type.physicalType == .string)
    var arena = StringArena()
    let copies = Buffer(byteCount: count * 16)
    let (view, out) = (view, copies.typed(StringView.self))
    let from = view.values.assumingMemoryBound(to: StringView.self)
    var row = 0
    while row < count {
      out[row] = view.isNull(row) ? StringView() : arena.add(from[view.position(row)])
      row &+= 1
    }
    return Column(flat: type, count: count, values: copies, validity: validity, heap: arena.heap)
  }

  /// The same values under another type of the same physical type: `varchar(3)` as `varchar`.
  public func retyped(_ type: DataType) -> Column {
    if type == self.type { return self }
    precondition(type.physicalType == self.type.physicalType)
    var children = self.children
    if !children.isEmpty { children = zip(children, type.childTypes).map { $0.retyped($1) } }
    return Column(
      type: type, count: count, encoding: encoding, validity: validity, values: values, indices: indices,
      base: base?.retyped(type), offsets: offsets, children: children, heap: heap)
  }

  /// The same values with other nulls.
  public func withValidity(_ validity: Bitmap?) -> Column {
    if encoding == .constant, validity != nil || self.validity != nil { return flattened().withValidity(validity) }
    return Column(
      type: type, count: count, encoding: encoding, validity: validity, values: values, indices: indices, base: base,
      offsets: offsets, children: children, heap: heap)
  }

  /// The rows `rows`, in that order; flat and dictionary columns stay flat and dictionary.
  ///
  /// - Shape: `rows`: `count` row numbers of this column.
  public func take(_ rows: UnsafePointer<Int32>, count: Int) -> Column {
    switch encoding {
    case .constant: return resized(to: count)
    case .flat: return gather(rows, count: count, validity: validity?.taking(rows, count: count))
    case .dictionary:
      let taken = Buffer(byteCount: count * 4)
      let (from, to) = (indices!.typed(Int32.self), taken.typed(Int32.self))
      var i = 0
      while i < count {
        to[i] = from[Int(rows[i])]
        i &+= 1
      }
      return base!.wrapped(indices: taken, count: count, validity: validity?.taking(rows, count: count))
    }
  }

  /// Rows `offset ..< offset + count` of a flat column without NULLs, for a look at them: fixed-width values stay where they are.
  ///
  /// - Parameter offset: a multiple of 64.
  public func window(offset: Int, count: Int) -> Column {
    guard encoding == .flat, validity == nil, children.isEmpty, let values, offset & 63 == 0 else {
      return slice(offset: offset, count: count)
    }
    precondition(offset >= 0 && count >= 0 && offset + count <= self.count)
    let width = type.physicalType.byteWidth
    let rows = Buffer(borrowing: values.pointer + offset * width, byteCount: count * width, owner: values)
    return Column(flat: type, count: count, values: rows, validity: nil, heap: heap)
  }

  /// Rows `offset ..< offset + count`, values copied.
  public func slice(offset: Int, count: Int) -> Column {
    precondition(offset >= 0 && count >= 0 && offset + count <= self.count)
    if offset == 0, count == self.count { return self }
    if encoding == .constant { return resized(to: count) }
    let validity = validity?.slice(offset: offset, count: count)
    if encoding == .dictionary {
      let copy = Buffer(byteCount: count * 4)
      copy.pointer.copyMemory(from: indices!.pointer + offset * 4, byteCount: count * 4)
      return base!.wrapped(indices: copy, count: count, validity: validity)
    }
    switch type.physicalType {
    case .array, .map:
      let copy = Buffer(byteCount: (count + 1) * 4)
      copy.pointer.copyMemory(from: offsets!.pointer + offset * 4, byteCount: (count + 1) * 4)
      return Column(nested: type, count: count, offsets: copy, children: children, validity: validity)
    case .row:
      return Column(
        row: type, count: count, children: children.map { $0.slice(offset: offset, count: count) }, validity: validity)
    case .null: return Column(type: type, count: count, encoding: .flat, validity: validity)
    default:
      let width = type.physicalType.byteWidth
      let copy = Buffer(byteCount: count * width)
      copy.pointer.copyMemory(from: values!.pointer + offset * width, byteCount: count * width)
      return Column(flat: type, count: count, values: copy, validity: validity, heap: heap)
    }
  }
}

extension Buffer {
  /// Leaks the buffer on purpose: memory for the life of the process.
  var retainedForever: UnsafeMutableRawPointer {
    _ = Unmanaged.passRetained(self)
    return pointer
  }
}
