import Columnar
import Glibc
import QueryErrors

/// Predicates: errors inside of them make them unknown (nil).
///
/// - Source: Trino `PathPredicateEvaluationVisitor`.
extension JSONPathEvaluator {
  /// Whether a predicate holds for the current item.
  func test(_ predicate: JSONPathPredicate) -> Bool? {
    switch predicate {
    case .and(let left, let right):
      let first = test(left)
      if first == false { return false }
      let second = test(right)
      if second == false { return false }
      return first == nil || second == nil ? nil : true
    case .or(let left, let right):
      let first = test(left)
      if first == true { return true }
      let second = test(right)
      if second == true { return true }
      return first == nil || second == nil ? nil : false
    case .not(let operand): return test(operand).map { !$0 }
    case .isUnknown(let operand): return test(operand) == nil
    case .exists(let path): return (try? items(path)).map { !$0.isEmpty }
    case .comparison(let left, let comparison, let right):
      guard let x = try? operand(left), let y = try? operand(right) else { return nil }
      return compare(x, comparison, y)
    case .startsWith(let path, let prefix):
      guard let texts = try? operand(path), let prefixes = try? items(prefix), prefixes.count == 1,
        let start = prefixes[0].text
      else { return nil }
      return anyText(texts) { $0.starts(with: start) }
    case .likeRegex(let path, let index):
      guard let texts = try? operand(path) else { return nil }
      let pattern = patterns[index]
      return anyText(texts) { text in
        text.withUnsafeBufferPointer { bytes in
          let empty: UInt8 = 0
          return withUnsafePointer(to: empty) { nothing in
            let p = bytes.baseAddress ?? nothing
            return try? pattern.find(p, bytes.count, from: 0, unicode: pattern.needsUnicode(p, bytes.count))
          }
        }
      }
    }
  }

  /// Whether some text passes; unknown when an item is no text, in lax mode unless one passed before.
  private func anyText(_ sequence: [JSONItem], _ test: ([UInt8]) -> Bool?) -> Bool? {
    var found = false
    for item in sequence {
      guard let text = item.text, let result = test(text) else { return nil }
      if result {
        if isLax { return true }
        found = true
      }
    }
    return found
  }

  // MARK: Comparisons

  private struct Kinds {
    var hasNull = false
    var hasScalar = false
    var hasOther = false

    init(_ sequence: [JSONItem]) {
      for item in sequence {
        guard case .node(let node) = item else {
          hasScalar = true
          continue
        }
        switch node.token {
        case .null: hasNull = true
        case .beginArray, .beginObject: hasOther = true
        default: hasScalar = true
        }
      }
    }
  }

  private func compare(_ left: [JSONItem], _ comparison: JSONPathPredicate.Comparison, _ right: [JSONItem]) -> Bool? {
    if left.isEmpty || right.isEmpty { return false }
    let (x, y) = (Kinds(left), Kinds(right))
    if x.hasOther && (y.hasOther || y.hasScalar) || x.hasScalar && y.hasOther { return nil }
    var found = false
    switch comparison {
    case .equal: found = x.hasNull && y.hasNull
    case .notEqual: found = x.hasNull && (y.hasScalar || y.hasOther) || y.hasNull && (x.hasScalar || x.hasOther)
    default: break
    }
    if found && isLax { return true }
    if !x.hasScalar || !y.hasScalar { return found }
    for a in left where isScalar(a) {
      for b in right where isScalar(b) {
        guard let result = compare(a, comparison, b) else { return nil }
        if result {
          if isLax { return true }
          found = true
        }
      }
    }
    return found
  }

  private func isScalar(_ item: JSONItem) -> Bool {
    if case .node(let node) = item { return node.token != .null && node.token != .beginArray && node.token != .beginObject }
    return true
  }

  /// Two scalars under SQL's rules; nil when they cannot be compared.
  private func compare(_ left: JSONItem, _ comparison: JSONPathPredicate.Comparison, _ right: JSONItem) -> Bool? {
    guard let x = (try? left.scalar()) ?? nil, let y = (try? right.scalar()) ?? nil else { return nil }
    switch (x.value, y.value) {
    case (.integer(let a), .integer(let b)) where x.type.isInteger && y.type.isInteger:
      return holds(comparison, isLess: a < b, isEqual: a == b, isGreater: a > b)
    case (.double(let a), .double(let b)): return holds(comparison, isLess: a < b, isEqual: a == b, isGreater: a > b)
    case (.integer(let a), .double(let b)) where x.type.isInteger:
      return holds(comparison, isLess: Double(a) < b, isEqual: Double(a) == b, isGreater: Double(a) > b)
    case (.double(let a), .integer(let b)) where y.type.isInteger:
      return holds(comparison, isLess: a < Double(b), isEqual: a == Double(b), isGreater: a > Double(b))
    case (.bytes(let a), .bytes(let b)) where x.type.isVarchar && y.type.isVarchar:
      let isEqual = a == b
      let isLess = !isEqual && a.lexicographicallyPrecedes(b)
      return holds(comparison, isLess: isLess, isEqual: isEqual, isGreater: !isLess && !isEqual)
    default: break
    }
    let (name, operands): (String, [(value: Scalar, type: DataType)]) =
      switch comparison {
      case .equal, .notEqual: ("=", [x, y])
      case .less: ("<", [x, y])
      case .greater: ("<", [y, x])
      case .lessOrEqual: ("<=", [x, y])
      case .greaterOrEqual: ("<=", [y, x])
      }
    guard let result = (try? operations.call(name, operands)) ?? nil, case .boolean(let holds) = result.value else {
      return nil
    }
    return comparison == .notEqual ? !holds : holds
  }

  private func holds(
    _ comparison: JSONPathPredicate.Comparison, isLess: Bool, isEqual: Bool, isGreater: Bool
  ) -> Bool {
    switch comparison {
    case .equal: isEqual
    case .notEqual: !isEqual
    case .less: isLess
    case .greater: isGreater
    case .lessOrEqual: isLess || isEqual
    case .greaterOrEqual: isGreater || isEqual
    }
  }
}
