import Columnar
import QueryErrors

/// Finds operations of a path that cannot work for any input, such as `-"text"`.
///
/// - Source: Trino `JsonPathAnalyzer`.
struct JSONPathTypeChecker {
  private let position: SourceRange?

  init(_ position: SourceRange?) { self.position = position }

  private func invalid(_ message: String) -> QueryError { QueryError(.invalidPath, message, at: position) }

  /// The type of the values a node yields; nil when that depends on the input.
  ///
  /// - Throws: `INVALID_PATH`.
  mutating func type(of node: JSONPathNode) throws(QueryError) -> DataType? {
    switch node {
    case .context, .variable, .current, .null: return nil
    case .last: return .integer
    case .literal(_, let type): return type
    case .member(let base, _), .descendants(let base, _):
      _ = try type(of: base)
      return nil
    case .elements(let base, let subscripts):
      _ = try type(of: base)
      for item in subscripts {
        _ = try type(of: item.from)
        if let to = item.to { _ = try type(of: to) }
      }
      return nil
    case .filter(let base, let predicate):
      try check(predicate)
      return try type(of: base)
    case .method(let base, let method): return try result(of: method, on: try type(of: base))
    case .datetime(let base, let template):
      if let source = try type(of: base), !source.isCharacter {
        throw invalid("JSON path datetime() method requires character string argument (found \(source))")
      }
      return template?.type
    case .sign(let base, let isMinus):
      guard let source = try type(of: base) else { return nil }
      if !isMinus {
        guard source.isNumeric else {
          throw invalid("Invalid operand type (\(source)) in JSON path arithmetic unary expression")
        }
        return source
      }
      return try result("negate", [source]) { "invalid operand type (\(source)) in JSON path arithmetic unary expression: \($0)" }
    case .arithmetic(let left, let op, let right):
      let (x, y) = (try type(of: left), try type(of: right))
      guard let x, let y else { return nil }
      return try result(op.rawValue, [x, y]) {
        "invalid operand types (\(x) and \(y)) in JSON path arithmetic binary expression: \($0)"
      }
    }
  }

  private func result(of method: JSONPathNode.Method, on source: DataType?) throws(QueryError) -> DataType? {
    switch method {
    case .type: return .varchar(length: 27)
    case .size: return .integer
    case .keyvalue: return nil
    case .double:
      if let source, !source.isCharacter, !source.isNumeric {
        throw invalid("cannot perform JSON path double() method with \(source) argument")
      }
      return .double
    case .abs, .ceiling, .floor:
      guard let source else { return nil }
      return try result(method.rawValue, [source]) {
        "cannot perform JSON path \(method.rawValue)() method with \(source) argument: \($0)"
      }
    }
  }

  private func result(
    _ function: String, _ types: [DataType], _ message: (String) -> String
  ) throws(QueryError) -> DataType {
    let overloads = FunctionRegistry.scalar(function)?.overloads ?? []
    do throws(QueryError) {
      return try OverloadResolution.resolve(
        name: function, overloads.map(\.signature), types.map { .type($0) }, at: nil
      ).binding.returnType
    } catch { throw invalid(message(error.message)) }
  }

  private mutating func check(_ predicate: JSONPathPredicate) throws(QueryError) {
    switch predicate {
    case .and(let left, let right), .or(let left, let right):
      try check(left)
      try check(right)
    case .not(let operand), .isUnknown(let operand): try check(operand)
    case .exists(let path), .likeRegex(let path, _): _ = try type(of: path)
    case .comparison(let left, _, let right), .startsWith(let left, let right):
      _ = try type(of: left)
      _ = try type(of: right)
    }
  }
}
