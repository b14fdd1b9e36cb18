import Columnar
import QueryErrors

/// One item of the sequence that a SQL/JSON path yields: a JSON value, or a SQL value that the path computed.
enum JSONItem {
  case node(JSONNode)
  case value(Scalar, DataType)

  /// What the item is, for messages about its type.
  var kindName: String {
    switch self {
    case .node(let node): node.kindName
    case .value(_, let type): type.description
    }
  }

  /// The number an item is; nil for other items.
  ///
  /// - Throws: for integers beyond 64 bits.
  func number() throws(JSONPathFailure) -> (value: Scalar, type: DataType)? {
    switch self {
    case .value(let value, let type): return type.isNumeric ? (value, type) : nil
    case .node(let node):
      let bytes = node.bytes
      switch node.token {
      case .integer:
        guard let value = NumberText.parseInteger(bytes.baseAddress!, bytes.count) else {
          throw .conversion(String(decoding: bytes, as: UTF8.self))
        }
        return (.integer(value), Int32(exactly: value) == nil ? .bigint : .integer)
      case .decimal: return (.double(NumberText.parseDouble(bytes.baseAddress!, bytes.count) ?? 0), .double)
      default: return nil
      }
    }
  }

  /// The text an item is; nil for other items.
  var text: [UInt8]? {
    switch self {
    case .value(.bytes(let bytes), let type): return type.isCharacter ? bytes : nil
    case .value: return nil
    case .node(let node):
      guard node.token == .string else { return nil }
      if !node.hasEscapes { return Array(node.bytes) }
      let out = TextBuffer()
      node.appendString(to: out)
      return Array(UnsafeBufferPointer(start: out.pointer, count: out.count))
    }
  }

  /// The SQL value of a scalar; nil for arrays, objects and null.
  func scalar() throws(JSONPathFailure) -> (value: Scalar, type: DataType)? {
    switch self {
    case .value(let value, let type): return (value, type)
    case .node(let node):
      switch node.token {
      case .true: return (.boolean(true), .boolean)
      case .false: return (.boolean(false), .boolean)
      case .string: return (.bytes(text ?? []), .text)
      case .integer, .decimal: return try number()
      default: return nil
      }
    }
  }
}

/// Why a path has no result for an input.
///
/// - Source: Trino `PathEvaluationException`, its messages.
enum JSONPathFailure: Error {
  case itemType(expected: String, actual: String)
  case missingMember([UInt8])
  case invalidSubscript(from: Int64, to: Int64, count: Int)
  case emptyArray
  /// A number that no SQL type holds.
  case conversion(String)
  case other(String)

  var message: String {
    switch self {
    case .itemType(let expected, let actual):
      "path evaluation failed: invalid item type. Expected: \(expected), actual: \(actual)"
    case .missingMember(let key):
      "path evaluation failed: structural error: missing member '\(String(decoding: key, as: UTF8.self))' in JSON object"
    case .invalidSubscript(let from, let to, let count):
      "path evaluation failed: structural error: invalid array subscript: [\(from), \(to)] for array of size \(count)"
    case .emptyArray: "path evaluation failed: structural error: invalid array subscript for empty array"
    case .conversion(let text): "path evaluation failed: cannot convert \(text) to Trino value (value too big)"
    case .other(let message): "path evaluation failed: \(message)"
    }
  }

  var error: QueryError { QueryError(.pathEvaluationError, message) }
}
