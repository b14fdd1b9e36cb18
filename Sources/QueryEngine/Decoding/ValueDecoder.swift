import QueryErrors

/// Reads one value of a column: straight from the column's memory for numbers and texts, by `ScalarDecodable` for types that say
/// so, and as containers for arrays, maps and rows.
struct ValueDecoder: Decoder, SingleValueDecodingContainer {
  let column: Column
  let row: Int
  /// Of the result's column, for messages.
  let name: String
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// Whether values of the type are single ones, so that a row of one column is such a value and not a type with properties.
  static func isSingleValue(_ type: any Decodable.Type) -> Bool {
    type is any ScalarDecodable.Type || type is any FixedWidthInteger.Type
  }

  private var scalar: Scalar { column.scalar(row) }

  private func located(_ error: QueryError) -> QueryError {
    QueryError(error.code, "Column '\(name)': \(error.message)", hint: error.hint)
  }

  private func mismatch<T>(_ wanted: T.Type) -> QueryError {
    located(DecodingFailure.mismatch(scalar, column.type, wanted))
  }

  private func integer<T: FixedWidthInteger>(_ wanted: T.Type) throws(QueryError) -> T {
    let type = column.type
    guard type.isInteger, !column.isNull(row) else { throw mismatch(wanted) }
    let position = column.position(row)
    guard let values = column.storage.values else { throw mismatch(wanted) }
    let value: Int64 =
      switch type {
      case .bigint: values.typed(Int64.self)[position]
      case .integer: Int64(values.typed(Int32.self)[position])
      case .smallint: Int64(values.typed(Int16.self)[position])
      default: Int64(values.typed(Int8.self)[position])
      }
    guard let narrow = T(exactly: value) else { throw located(DecodingFailure.range(value, wanted)) }
    return narrow
  }

  private func read<T: ScalarDecodable>(_ wanted: T.Type) throws(QueryError) -> T {
    do throws(QueryError) { return try T(scalar, of: column.type) } catch { throw located(error) }
  }

  // MARK: Single values

  func decodeNil() -> Bool { column.isNull(row) }
  func decode(_ type: Bool.Type) throws -> Bool { try read(type) }
  func decode(_ type: String.Type) throws -> String {
    guard case .varchar = column.type, !column.isNull(row), let values = column.storage.values else { return try read(type) }
    return values.typed(StringView.self)[column.position(row)].withBytes { bytes, count in
      String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
  }
  func decode(_ type: Double.Type) throws -> Double {
    guard column.type == .double, !column.isNull(row), let values = column.storage.values else { return try read(type) }
    return values.typed(Double.self)[column.position(row)]
  }
  func decode(_ type: Float.Type) throws -> Float { try read(type) }
  func decode(_ type: Int.Type) throws -> Int { try integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    if let known = type as? any ScalarDecodable.Type, let value = try read(known) as? T { return value }
    return try T(from: self)
  }

  // MARK: Nested values

  func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard !column.isNull(row) else { throw mismatch(type) }
    let storage = column.storage
    let position = column.position(row)
    switch column.type {
    case .row(let fields):
      let schema = Schema(fields.enumerated().map { Field($0.element.name ?? "field\($0.offset)", $0.element.type) })
      let decoder = RowDecoder(layout: RowLayout(schema), columns: storage.children, row: position)
      return try decoder.container(keyedBy: type)
    case .map(.varchar, _):
      return KeyedDecodingContainer(MapKeys<Key>(map: self, entries: storage.elementRange(position)))
    default: throw mismatch(type)
    }
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard !column.isNull(row) else { throw mismatch([String].self) }
    let storage = column.storage
    let position = column.position(row)
    switch column.type {
    case .array:
      let range = storage.elementRange(position)
      return ValueList(count: range.count) { ValueDecoder(column: storage.children[0], row: range.lowerBound + $0, name: name) }
    case .row:
      return ValueList(count: storage.children.count) { ValueDecoder(column: storage.children[$0], row: position, name: name) }
    case .map:
      // As Swift encodes a dictionary whose keys are no texts: key, value, key, value.
      let range = storage.elementRange(position)
      return ValueList(count: range.count * 2) {
        ValueDecoder(column: storage.children[$0 & 1], row: range.lowerBound + $0 / 2, name: name)
      }
    default: throw mismatch([String].self)
    }
  }

  /// The entries of a map whose keys are texts.
  fileprivate func entry(_ key: String, _ entries: Range<Int>) -> ValueDecoder? {
    let (keys, values) = (column.storage.children[0], column.storage.children[1])
    for at in entries where keys.scalar(at).stringValue == key { return ValueDecoder(column: values, row: at, name: name) }
    return nil
  }

  fileprivate func keys(_ entries: Range<Int>) -> [String] { entries.compactMap { column.storage.children[0].scalar($0).stringValue } }
}

/// The values of an array, or of a row by position.
struct ValueList: UnkeyedDecodingContainer {
  let length: Int
  let value: (Int) -> ValueDecoder
  private(set) var currentIndex = 0
  var codingPath: [any CodingKey] { [] }
  var count: Int? { length }
  var isAtEnd: Bool { currentIndex >= length }

  init(count: Int, _ value: @escaping (Int) -> ValueDecoder) {
    length = count
    self.value = value
  }

  private mutating func next() throws(QueryError) -> ValueDecoder {
    guard currentIndex < length else { throw QueryError(.typeMismatch, "There are \(length) values, and one more is read") }
    currentIndex += 1
    return value(currentIndex - 1)
  }

  mutating func decodeNil() throws -> Bool {
    guard currentIndex < length, value(currentIndex).decodeNil() else { return false }
    currentIndex += 1
    return true
  }
  mutating func decode(_ type: Bool.Type) throws -> Bool { try next().decode(type) }
  mutating func decode(_ type: String.Type) throws -> String { try next().decode(type) }
  mutating func decode(_ type: Double.Type) throws -> Double { try next().decode(type) }
  mutating func decode(_ type: Float.Type) throws -> Float { try next().decode(type) }
  mutating func decode(_ type: Int.Type) throws -> Int { try next().decode(type) }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try next().decode(type) }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try next().decode(type) }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try next().decode(type) }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try next().decode(type) }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try next().decode(type) }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next().decode(type) }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next().decode(type) }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next().decode(type) }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next().decode(type) }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().decode(type) }
  mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    try next().container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
  mutating func superDecoder() throws -> any Decoder { try next() }
}

/// The entries of a map by key.
private struct MapKeys<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let map: ValueDecoder
  let entries: Range<Int>
  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { map.keys(entries).compactMap { Key(stringValue: $0) } }

  private func value(_ key: Key) throws(QueryError) -> ValueDecoder {
    guard let value = map.entry(key.stringValue, entries) else {
      throw QueryError(.typeMismatch, "Column '\(map.name)': the map has no key '\(key.stringValue)'")
    }
    return value
  }

  func contains(_ key: Key) -> Bool { map.entry(key.stringValue, entries) != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try value(key).decodeNil() }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try value(key).decode(type) }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> { try value(key).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try value(key).unkeyedContainer() }
  func superDecoder() throws -> any Decoder { map }
  func superDecoder(forKey key: Key) throws -> any Decoder { try value(key) }
}
