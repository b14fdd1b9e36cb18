import QueryErrors

/// Reads one row of a batch as a `Decodable` type: its properties by name, an array or a tuple-like type by position, a single
/// value when there is one column.
struct RowDecoder: Decoder {
  let layout: RowLayout
  let columns: [Column]
  let row: Int
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// - Throws: `TYPE_MISMATCH`, `COLUMN_NOT_FOUND` or `NUMERIC_VALUE_OUT_OF_RANGE`, naming the column.
  func decode<T: Decodable>(_ type: T.Type) throws(QueryError) -> T {
    do {
      if columns.count == 1, ValueDecoder.isSingleValue(type) { return try singleValueContainer().decode(type) }
      return try T(from: self)
    } catch let error as QueryError {
      throw error
    } catch let error as DecodingError {
      throw QueryError(.typeMismatch, "A row cannot be read as \(T.self): \(RowDecoder.text(of: error))")
    } catch {
      throw QueryError(.typeMismatch, "A row cannot be read as \(T.self): \(error)")
    }
  }

  private static func text(of error: DecodingError) -> String {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context): context.debugDescription
    case .keyNotFound(let key, _): "there is no '\(key.stringValue)'"
    @unknown default: "\(error)"
    }
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(RowKeys<Key>(row: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    ValueList(count: columns.count) { index in self.value(index) }
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    guard columns.count == 1 else {
      throw QueryError(.typeMismatch, "The result has \(columns.count) columns, but one value is read")
    }
    return value(0)
  }

  func value(_ index: Int) -> ValueDecoder { ValueDecoder(column: columns[index], row: row, name: layout.schema[index].name) }
}

/// The columns of a row by name.
private struct RowKeys<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let row: RowDecoder
  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { row.layout.schema.fields.compactMap { Key(stringValue: $0.name) } }

  private func value(_ key: Key) throws(QueryError) -> ValueDecoder {
    guard let index = row.layout.index(of: key.stringValue) else {
      throw QueryError(
        .columnNotFound, "The result has no column '\(key.stringValue)'",
        hint: NameSuggestion.hint(for: key.stringValue, among: row.layout.schema.fields.map(\.name)))
    }
    return row.value(index)
  }

  func contains(_ key: Key) -> Bool { row.layout.index(of: key.stringValue) != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try value(key).decodeNil() }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try value(key).decode(type) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try value(key).decode(type) }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try value(key).decode(type) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try value(key).decode(type) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try value(key).decode(type) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try value(key).decode(type) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try value(key).decode(type) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try value(key).decode(type) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try value(key).decode(type) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try value(key).decode(type) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try value(key).decode(type) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try value(key).decode(type) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try value(key).decode(type) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try value(key).decode(type) }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try value(key).decode(type) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> { try value(key).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try value(key).unkeyedContainer() }
  func superDecoder() throws -> any Decoder { row }
  func superDecoder(forKey key: Key) throws -> any Decoder { try value(key) }
}
