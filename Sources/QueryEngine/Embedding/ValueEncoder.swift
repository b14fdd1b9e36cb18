import Columnar
import QueryErrors

/// Takes down what an `Encodable` value says of itself, into a tree whose nodes are filled as containers are written to.
struct ValueEncoder: Encoder {
  private let node: Node
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// Types that are SQL values are taken as such, all others by their own encoding.
  ///
  /// - Throws: `NUMERIC_VALUE_OUT_OF_RANGE` for whole numbers that no bigint holds, and what `value` throws.
  static func encode(_ value: some Encodable) throws -> HostValue {
    let node = Node()
    try node.take(value)
    return node.value
  }

  private final class Node {
    private enum Content {
      case null
      case scalar(Scalar, DataType)
      case list([Node])
      case fields([(name: String, node: Node)])
    }

    private var content = Content.null

    var value: HostValue {
      switch content {
      case .null: .null
      case .scalar(let scalar, let type): .scalar(scalar, type)
      case .list(let items): .list(items.map(\.value))
      case .fields(let fields): .fields(fields.map { ($0.name, $0.node.value) })
      }
    }

    func takeNull() { content = .null }

    func take(_ value: some Encodable) throws {
      switch value {
      case let value as any FixedWidthInteger where !(value is any ScalarEncodable): try take(whole: value)
      case let value as UInt8: try take(whole: value)
      case let value as any ScalarEncodable:
        let scalar = value.scalar
        content = scalar.isNull ? .null : .scalar(scalar, value.sqlType)
      default: try value.encode(to: ValueEncoder(node: self))
      }
    }

    private func take(whole value: some FixedWidthInteger) throws(QueryError) {
      guard let whole = Int64(exactly: value) else {
        throw QueryError(.numericValueOutOfRange, "\(value) is out of the range of bigint")
      }
      content = .scalar(.integer(whole), .bigint)
    }

    func field(_ name: String) -> Node {
      var fields: [(name: String, node: Node)] = []
      if case .fields(let known) = content { fields = known }
      if let known = fields.first(where: { $0.name == name }) { return known.node }
      let node = Node()
      content = .fields(fields + [(name, node)])
      return node
    }

    func item() -> Node {
      var items: [Node] = []
      if case .list(let known) = content { items = known }
      let node = Node()
      content = .list(items + [node])
      return node
    }

    func beginFields() { if case .fields = content {} else { content = .fields([]) } }
    func beginList() { if case .list = content {} else { content = .list([]) } }
    var itemCount: Int { if case .list(let items) = content { items.count } else { 0 } }
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    node.beginFields()
    return KeyedEncodingContainer(Fields<Key>(node: node))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.beginList()
    return Items(node: node)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { Single(node: node) }

  private struct Fields<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: Node
    var codingPath: [any CodingKey] { [] }
    func encodeNil(forKey key: Key) throws { node.field(key.stringValue).takeNull() }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try node.field(key.stringValue).take(value) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
      ValueEncoder(node: node.field(key.stringValue)).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
      ValueEncoder(node: node.field(key.stringValue)).unkeyedContainer()
    }
    func superEncoder() -> any Encoder { ValueEncoder(node: node) }
    func superEncoder(forKey key: Key) -> any Encoder { ValueEncoder(node: node.field(key.stringValue)) }
  }

  private struct Items: UnkeyedEncodingContainer {
    let node: Node
    var codingPath: [any CodingKey] { [] }
    var count: Int { node.itemCount }
    func encodeNil() throws { node.item().takeNull() }
    func encode<T: Encodable>(_ value: T) throws { try node.item().take(value) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
      ValueEncoder(node: node.item()).container(keyedBy: type)
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { ValueEncoder(node: node.item()).unkeyedContainer() }
    func superEncoder() -> any Encoder { ValueEncoder(node: node.item()) }
  }

  private struct Single: SingleValueEncodingContainer {
    let node: Node
    var codingPath: [any CodingKey] { [] }
    func encodeNil() throws { node.takeNull() }
    func encode<T: Encodable>(_ value: T) throws { try node.take(value) }
  }
}
