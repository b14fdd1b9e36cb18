import Columnar
package import QueryErrors

/// A SQL/JSON path, parsed and checked.
///
///     lax $.items[*] ? (@.price > $limit).name
///
/// - Source: ISO/IEC 9075-2 §9.46; Trino's JSON path language.
package struct JSONPathExpression: Sendable {
  /// Whether arrays are unwrapped, single items wrapped, and missing members skipped.
  let isLax: Bool
  let root: JSONPathNode
  /// The patterns of like_regex, flags in front; nodes refer to them by position.
  let patterns: [[UInt8]]

  /// - Parameter parameters: the names after PASSING, in order.
  /// - Throws: `SYNTAX_ERROR`, `INVALID_PATH`, at `position` advanced to the place in the text.
  package init(_ text: String, parameters: [String], at position: SourceRange?) throws(QueryError) {
    var parser = JSONPathParser(text, parameters: parameters, at: position)
    self = try parser.parse()
  }

  init(isLax: Bool, root: JSONPathNode, patterns: [[UInt8]]) {
    self.isLax = isLax
    self.root = root
    self.patterns = patterns
  }
}

/// One step or operation of a path.
indirect enum JSONPathNode: Sendable {
  /// `$`
  case context
  /// `$name`, by its position among the parameters.
  case variable(Int)
  /// `@`
  case current
  case last
  case literal(Scalar, DataType)
  case null
  /// `.key`, or `.*` when the key is nil.
  case member(JSONPathNode, key: [UInt8]?)
  /// `..key`
  case descendants(JSONPathNode, key: [UInt8])
  /// `[0, 2 to last]`; `[*]` when there are no subscripts.
  case elements(JSONPathNode, [Subscript])
  case filter(JSONPathNode, JSONPathPredicate)
  case method(JSONPathNode, Method)
  case datetime(JSONPathNode, template: JSONDatetimeTemplate?)
  case sign(JSONPathNode, isMinus: Bool)
  case arithmetic(JSONPathNode, Operator, JSONPathNode)

  struct Subscript: Sendable {
    var from: JSONPathNode
    var to: JSONPathNode?
  }

  enum Method: String, Sendable {
    case type, size, double, ceiling, floor, abs, keyvalue
  }

  enum Operator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulus = "%"

    /// As messages name it.
    var title: String {
      switch self {
      case .add: "ADD"
      case .subtract: "SUBTRACT"
      case .multiply: "MULTIPLY"
      case .divide: "DIVIDE"
      case .modulus: "MODULUS"
      }
    }
  }
}

/// What stands in `? ( … )`: true, false or unknown, never an error.
indirect enum JSONPathPredicate: Sendable {
  case and(JSONPathPredicate, JSONPathPredicate)
  case or(JSONPathPredicate, JSONPathPredicate)
  case not(JSONPathPredicate)
  case isUnknown(JSONPathPredicate)
  case exists(JSONPathNode)
  case comparison(JSONPathNode, Comparison, JSONPathNode)
  case startsWith(JSONPathNode, prefix: JSONPathNode)
  /// The pattern by its position in `JSONPathExpression.patterns`.
  case likeRegex(JSONPathNode, pattern: Int)

  enum Comparison: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case greater = ">"
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
  }
}
