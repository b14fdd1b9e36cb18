import Columnar
import Glibc
import QueryErrors

/// Evaluates one path on many inputs.
///
/// - Threads: one owner.
/// - Source: Trino `PathEvaluationVisitor`.
final class JSONPathEvaluator {
  // MARK: Fixed for the query

  let path: JSONPathExpression
  let isLax: Bool
  let operations: ScalarOperations
  private(set) var patterns: [RegexpPattern] = []

  // MARK: Changes from input to input

  private var input: JSONNode?
  /// The values after PASSING; nil stands for no item at all.
  private var parameters: [JSONItem?] = []
  /// `@`
  var current: JSONItem?
  /// `last`, inside of subscripts.
  private var last: Int?
  /// The id that `keyvalue()` gives the next object.
  private var nextObjectID = 0
  /// Texts of objects that the path made.
  private var made: [(document: JSONDocument, text: TextBuffer)] = []
  private var madeCount = 0

  init(_ path: JSONPathExpression, session: SessionContext) throws(QueryError) {
    self.path = path
    isLax = path.isLax
    operations = ScalarOperations(session: session)
    for pattern in path.patterns { patterns.append(try RegexpPattern(pattern)) }
  }

  /// The path's items; valid until the next evaluation.
  ///
  /// - Parameter input: `$`; its document stays parsed as long as the items are used.
  func evaluate(_ input: JSONNode, parameters: [JSONItem?]) throws(JSONPathFailure) -> [JSONItem] {
    self.input = input
    self.parameters = parameters
    madeCount = 0
    nextObjectID = 0
    return try items(path.root)
  }

  // MARK: Chains of single values

  /// What a step of a chain such as `$.a.b[0]` found.
  private enum Single {
    case node(JSONNode)
    case none
    /// Not one JSON value, or an error: the general way decides.
    case open
  }

  /// The value of a chain of member and element accessors where each step has one JSON value: no sequences are made.
  private func single(_ node: JSONPathNode) -> Single {
    switch node {
    case .context: return input.map { .node($0) } ?? .open
    case .current: if case .node(let node)? = current { return .node(node) } else { return .open }
    case .member(let base, let key?):
      let found = single(base)
      guard case .node(let object) = found else { return found }
      if object.token == .beginObject, let value = object.member(key) { return .node(value) }
      // Strict: a failure. Arrays are unwrapped.
      return isLax && object.token != .beginArray ? .none : .open
    case .elements(let base, let subscripts):
      guard subscripts.count == 1, subscripts[0].to == nil,
        case .literal(.integer(let wanted), let type) = subscripts[0].from, type.isInteger
      else { return .open }
      let found = single(base)
      guard case .node(let array) = found else { return found }
      guard array.token == .beginArray else { return isLax && wanted == 0 ? .node(array) : .open }
      var rest = wanted
      var element: JSONNode?
      array.forEachElement { node in
        if rest == 0 { element = node }
        rest &-= 1
      }
      if let element { return .node(element) }
      return isLax ? .none : .open
    default: return .open
    }
  }

  // MARK: Sequences

  /// The items a node yields.
  func items(_ node: JSONPathNode) throws(JSONPathFailure) -> [JSONItem] {
    switch node {
    case .context: return [.node(input!)]
    case .current:
      guard let current else { throw .other("'@' stands outside of a filter") }
      return [current]
    case .variable(let index): return parameters[index].map { [$0] } ?? []
    case .last:
      guard let last else { throw .other("'last' stands outside of an array accessor") }
      return [.value(.integer(Int64(last)), .integer)]
    case .literal(let value, let type): return [.value(value, type)]
    case .null: return [.node(JSONPathEvaluator.null(in: self))]
    case .member, .elements:
      switch single(node) {
      case .node(let node): return [.node(node)]
      case .none: return []
      case .open: break
      }
      if case .member(let base, let key) = node { return try members(try items(base), key) }
      if case .elements(let base, let subscripts) = node { return try elements(try items(base), subscripts) }
      return []
    case .descendants(let base, let key):
      var found: [JSONItem] = []
      for case .node(let node) in try items(base) { descendants(node, key, &found) }
      return found
    case .filter(let base, let predicate):
      let outer = current
      defer { current = outer }
      var kept: [JSONItem] = []
      for item in try operand(base) {
        current = item
        if test(predicate) == true { kept.append(item) }
      }
      return kept
    case .method(let base, let method): return try apply(method, base)
    case .datetime(let base, let template):
      var values: [JSONItem] = []
      for item in try operand(base) { values.append(try datetime(item, template)) }
      return values
    case .sign(let base, let isMinus):
      var values: [JSONItem] = []
      for item in try operand(base) {
        let number = try number(item)
        values.append(isMinus ? try call("negate", [number]) : .value(number.value, number.type))
      }
      return values
    case .arithmetic(let left, let op, let right):
      let (x, y) = (try operand(left), try operand(right))
      guard x.count == 1, y.count == 1 else {
        throw .other("arithmetic binary expression requires singleton operands")
      }
      let (a, b) = (try number(x[0]), try number(y[0]))
      do throws(QueryError) {
        if let result = try operations.call(op.rawValue, [a, b]) { return [.value(result.value, result.type)] }
      } catch { throw .other(error.message) }
      throw .other("invalid operand types to \(op.title) operator (\(a.type), \(b.type))")
    }
  }

  /// The items of an operand, in lax mode with arrays replaced by their elements.
  func operand(_ node: JSONPathNode) throws(JSONPathFailure) -> [JSONItem] {
    let sequence = try items(node)
    return isLax ? unwrapped(sequence) : sequence
  }

  /// The items with arrays replaced by their elements.
  func unwrapped(_ sequence: [JSONItem]) -> [JSONItem] {
    let hasArrays = sequence.contains { item in
      if case .node(let node) = item { node.token == .beginArray } else { false }
    }
    guard hasArrays else { return sequence }
    var result: [JSONItem] = []
    for item in sequence {
      if case .node(let node) = item, node.token == .beginArray {
        node.forEachElement { result.append(.node($0)) }
      } else {
        result.append(item)
      }
    }
    return result
  }

  private func members(_ sequence: [JSONItem], _ key: [UInt8]?) throws(JSONPathFailure) -> [JSONItem] {
    var found: [JSONItem] = []
    for item in isLax ? unwrapped(sequence) : sequence {
      guard case .node(let node) = item, node.token == .beginObject else {
        if isLax { continue }
        throw .itemType(expected: "OBJECT", actual: item.kindName)
      }
      if let key {
        if let value = node.member(key) {
          found.append(.node(value))
        } else if !isLax {
          throw .missingMember(key)
        }
      } else {
        node.forEachMember { _, value in found.append(.node(value)) }
      }
    }
    return found
  }

  private func descendants(_ node: JSONNode, _ key: [UInt8], _ found: inout [JSONItem]) {
    switch node.token {
    case .beginObject:
      if let value = node.member(key) { found.append(.node(value)) }
      var values: [JSONNode] = []
      node.forEachMember { _, value in values.append(value) }
      for value in values { descendants(value, key, &found) }
    case .beginArray:
      var values: [JSONNode] = []
      node.forEachElement { values.append($0) }
      for value in values { descendants(value, key, &found) }
    default: break
    }
  }

  private func elements(
    _ sequence: [JSONItem], _ subscripts: [JSONPathNode.Subscript]
  ) throws(JSONPathFailure) -> [JSONItem] {
    var found: [JSONItem] = []
    for item in sequence {
      var elements: [JSONItem] = []
      if case .node(let node) = item, node.token == .beginArray {
        node.forEachElement { elements.append(.node($0)) }
      } else if isLax {
        elements = [item]
      } else {
        throw .itemType(expected: "ARRAY", actual: item.kindName)
      }
      if subscripts.isEmpty {
        found += elements
        continue
      }
      if elements.isEmpty {
        if isLax { continue }
        throw .emptyArray
      }
      let outer = last
      last = elements.count - 1
      defer { last = outer }
      for item in subscripts {
        let from = try position(item.from, "from")
        let to = try item.to.map { (node: JSONPathNode) throws(JSONPathFailure) in try position(node, "to") } ?? from
        let range = 0..<Int64(elements.count)
        if !isLax, !range.contains(from) || !range.contains(to) || from > to {
          throw .invalidSubscript(from: from, to: to, count: elements.count)
        }
        let (first, final) = (max(from, 0), min(to, Int64(elements.count) - 1))
        if first <= final { found += elements[Int(first)...Int(final)] }
      }
    }
    return found
  }

  /// The value of a subscript.
  private func position(_ node: JSONPathNode, _ what: String) throws(JSONPathFailure) -> Int64 {
    let sequence = try items(node)
    guard sequence.count == 1 else { throw .other("array subscript '\(what)' value must be singleton numeric") }
    let number = try number(sequence[0])
    if case .integer(let value) = number.value, number.type.isInteger { return value }
    // A JSON number loses its fraction, a SQL number is rounded.
    if case .node = sequence[0], case .double(let value) = number.value {
      guard let whole = Int64(exactly: value.rounded(.towardZero)) else {
        throw .other("cannot convert value \(value) to long")
      }
      return whole
    }
    do throws(QueryError) {
      if case .integer(let value)? = try operations.cast(number.value, number.type, to: .bigint) { return value }
    } catch { throw .other(error.message) }
    throw .itemType(expected: "NUMBER", actual: sequence[0].kindName)
  }

  // MARK: Methods

  private func apply(_ method: JSONPathNode.Method, _ base: JSONPathNode) throws(JSONPathFailure) -> [JSONItem] {
    var result: [JSONItem] = []
    switch method {
    case .type:
      for item in try items(base) { result.append(.value(.string(typeName(item)), .varchar(length: 27))) }
    case .size:
      for item in try items(base) {
        if case .node(let node) = item, node.token == .beginArray {
          result.append(.value(.integer(Int64(node.elementCount)), .integer))
        } else if isLax {
          result.append(.value(.integer(1), .integer))
        } else {
          throw .itemType(expected: "ARRAY", actual: item.kindName)
        }
      }
    case .double: for item in try operand(base) { result.append(.value(.double(try double(item)), .double)) }
    case .ceiling, .floor, .abs:
      for item in try operand(base) {
        let number = try number(item)
        let isWhole = number.type.isInteger && method != .abs
        result.append(isWhole ? .value(number.value, number.type) : try call(method.rawValue, [number]))
      }
    case .keyvalue:
      for item in try operand(base) {
        guard case .node(let node) = item, node.token == .beginObject else {
          throw .itemType(expected: "OBJECT", actual: item.kindName)
        }
        var members: [JSONItem] = []
        node.forEachMember { key, value in members.append(.node(pair(key, value))) }
        result += members
        nextObjectID += 1
      }
    }
    return result
  }

  /// The number an item is.
  private func number(_ item: JSONItem) throws(JSONPathFailure) -> (value: Scalar, type: DataType) {
    guard let number = try item.number() else { throw .itemType(expected: "NUMBER", actual: item.kindName) }
    return number
  }

  private func call(
    _ name: String, _ arguments: [(value: Scalar, type: DataType)]
  ) throws(JSONPathFailure) -> JSONItem {
    do throws(QueryError) {
      if let result = try operations.call(name, arguments) { return .value(result.value, result.type) }
    } catch { throw .other(error.message) }
    throw .itemType(expected: "NUMBER", actual: arguments[0].type.description)
  }

  private func double(_ item: JSONItem) throws(JSONPathFailure) -> Double {
    var value = try item.number()
    if value == nil { value = item.text.map { (.bytes($0), .text) } }
    guard let value else { throw .itemType(expected: "NUMBER or TEXT", actual: item.kindName) }
    do throws(QueryError) {
      if case .double(let double)? = try operations.cast(value.value, value.type, to: .double) { return double }
    } catch { throw .other(error.message) }
    throw .itemType(expected: "NUMBER or TEXT", actual: item.kindName)
  }

  private func typeName(_ item: JSONItem) -> String {
    switch item {
    case .node(let node): return node.kindName.lowercased()
    case .value(_, let type):
      if type.isNumeric { return "number" }
      if type.isCharacter { return "string" }
      switch type {
      case .time: return "time without time zone"
      case .timeWithTimeZone: return "time with time zone"
      case .timestamp: return "timestamp without time zone"
      case .timestampWithTimeZone: return "timestamp with time zone"
      default: return type.description
      }
    }
  }

  private func datetime(_ item: JSONItem, _ template: JSONDatetimeTemplate?) throws(JSONPathFailure) -> JSONItem {
    guard let bytes = item.text else { throw .itemType(expected: "TEXT", actual: item.kindName) }
    let shown = String(decoding: bytes, as: UTF8.self)
    var text = shown
    if let template {
      do { text = try template.literal(bytes) } catch { throw .other(error.message) }
    }
    do throws(QueryError) {
      let literal: (type: DataType, value: Scalar)?
      if text.utf8.contains(0x20) {
        literal = try LiteralValues.timestamp(text)
      } else if text.utf8.contains(0x3a) {
        literal = try LiteralValues.time(text)
      } else {
        literal = LiteralValues.date(text).map { (.date, $0) }
      }
      if let literal { return .value(literal.value, literal.type) }
    } catch { throw .other(error.message) }
    throw .other("Invalid datetime value: \(shown)")
  }

  // MARK: Values the path makes

  private func makeNode(_ write: (TextBuffer) -> Void) -> JSONNode {
    if madeCount == made.count { made.append((JSONDocument(), TextBuffer(capacity: 64))) }
    let (document, text) = made[madeCount]
    madeCount += 1
    text.removeAll()
    write(text)
    // What was put together from parsed values parses again, unless it is nested too deeply.
    if document.parse(UnsafePointer(text.pointer), text.count) { return document.root }
    text.removeAll()
    text.append("null")
    _ = document.parse(UnsafePointer(text.pointer), text.count)
    return document.root
  }

  private static func null(in evaluator: JSONPathEvaluator) -> JSONNode { evaluator.makeNode { $0.append("null") } }

  /// `{"name":key,"value":value,"id":…}`
  private func pair(_ key: JSONDocument.Entry, _ value: JSONNode) -> JSONNode {
    makeNode { out in
      out.append("{\"name\":")
      let name = TextBuffer(capacity: Int(key.end - key.start))
      value.document.appendPlain(key, to: name)
      JSONText.appendString(name.pointer, name.count, to: out)
      out.append(",\"value\":")
      value.appendJSON(to: out)
      out.append(",\"id\":\(nextObjectID)}")
    }
  }
}
