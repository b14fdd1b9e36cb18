package import Columnar
package import QueryErrors

/// An argument of a call, as overload resolution sees it.
package enum CallArgument {
  case type(DataType)
  /// A lambda; `bind` binds its body under given parameter types and answers the body's type.
  case lambda(
    parameterCount: Int, range: SourceRange?, bind: (_ parameterTypes: [DataType]) throws(QueryError) -> DataType)
}

/// Chooses the form of a function that a call means.
///
/// First forms that take the argument types as they are, those without variables before those with; then, with implicit
/// coercions, the most specific form: the one whose parameter types coerce to those of all others.
///
/// - Source: Trino `FunctionResolver`, `SignatureBinder`.
package enum OverloadResolution {
  /// - Parameter name: as messages show it; for operators the symbol.
  /// - Throws: `FUNCTION_NOT_FOUND`, for operators `TYPE_MISMATCH`, or `AMBIGUOUS_FUNCTION_CALL`; errors of lambda bodies.
  package static func resolve(
    name: String, _ signatures: [Signature], _ arguments: [CallArgument], at range: SourceRange?
  ) throws(QueryError) -> (index: Int, binding: SignatureBinding) {
    var lambdaError: QueryError?
    var matches: [Match] = []
    for wantsVariables in [false, true] {
      for (index, signature) in signatures.enumerated() where signature.hasVariables == wantsVariables {
        if let binding = match(signature, arguments, coercing: false, lambdaError: &lambdaError) {
          return (index, try checked(binding, at: range))
        }
      }
    }
    for (index, signature) in signatures.enumerated() {
      if let binding = match(signature, arguments, coercing: true, lambdaError: &lambdaError) {
        matches.append(Match(index: index, signature: signature, binding: binding))
      }
    }
    if matches.isEmpty {
      if let lambdaError { throw lambdaError.located(at: range) }
      throw notFound(name, signatures, arguments, at: range)
    }
    let best = mostSpecific(matches, arguments)
    if best.count > 1 {
      let candidates = best.map { candidate in
        "\n\t * \(name)(\(candidate.binding.argumentTypes.map(\.description).joined(separator: ", "))):"
          + candidate.binding.returnType.description
      }
      throw QueryError(
        .ambiguousFunctionCall,
        "Could not choose a best candidate operator. Explicit type casts must be added.\nCandidates are:"
          + candidates.joined(),
        at: range)
    }
    return (best[0].index, try checked(best[0].binding, at: range))
  }

  /// Refuses results of types that do not exist: `char(40000) || char(40000)`, decimals of more decimals than digits.
  private static func checked(_ binding: SignatureBinding, at range: SourceRange?) throws(QueryError) -> SignatureBinding {
    switch binding.returnType {
    case .char(let length) where length > TypeCoercion.maxCharLength:
      throw QueryError(
        .invalidFunctionArgument, "CHAR length must be in range [0, \(TypeCoercion.maxCharLength)], got \(length)",
        at: range)
    case .decimal(let precision, let scale) where scale > precision:
      throw QueryError(
        .invalidFunctionArgument, "DECIMAL scale must be in range [0, precision (\(precision))]: \(scale)", at: range)
    default: return binding
    }
  }

  private struct Match {
    var index: Int
    var signature: Signature
    var binding: SignatureBinding
  }

  // MARK: Choosing among forms

  private static func mostSpecific(_ matches: [Match], _ arguments: [CallArgument]) -> [Match] {
    if matches.count == 1 { return matches }
    var best: [Match] = []
    for candidate in matches {
      var isBeaten = false
      var k = 0
      while k < best.count {
        if accepts(best[k], candidate) {
          if accepts(candidate, best[k]) {
            isBeaten = true  // Equal: the first one stays.
            break
          }
          best.remove(at: k)
        } else if accepts(candidate, best[k]) {
          isBeaten = true
          break
        } else {
          k += 1
        }
      }
      if !isBeaten { best.append(candidate) }
    }
    if best.count == 1 { return best }
    var types: [DataType] = []
    for argument in arguments {
      guard case .type(let type) = argument else { return best }
      types.append(type)
    }
    guard types.contains(.unknown) else { return best }
    let castsOnlyUnknown = matches.filter { candidate in
      zip(types, candidate.binding.argumentTypes).allSatisfy { $0 == .unknown || $0 == $1 }
    }
    if !castsOnlyUnknown.isEmpty { best = castsOnlyUnknown }
    if best.count > 1 {
      // Any will do when all answer the same type: a NULL argument makes the result NULL.
      let result = best[0].binding.returnType
      if best.allSatisfy({ $0.binding.returnType == result }) { return [best[0]] }
    }
    return best
  }

  /// Whether `general`'s form takes the parameter types of `specific`.
  private static func accepts(_ general: Match, _ specific: Match) -> Bool {
    var ignored: QueryError?
    let arguments = specific.binding.argumentTypes.map { CallArgument.type($0) }
    return match(general.signature, arguments, coercing: true, lambdaError: &ignored) != nil
  }

  // MARK: Matching one form

  /// How `arguments` bind to `signature`; nil when they do not fit.
  private static func match(
    _ signature: Signature, _ arguments: [CallArgument], coercing: Bool, lambdaError: inout QueryError?
  ) -> SignatureBinding? {
    if let resolve = signature.resolve {
      var types: [DataType] = []
      for argument in arguments {
        guard case .type(let type) = argument else { return nil }
        types.append(type)
      }
      guard let binding = resolve(types), binding.argumentTypes.count == types.count else { return nil }
      for (actual, wanted) in zip(types, binding.argumentTypes) {
        guard coercing ? TypeCoercion.canCoerce(actual, to: wanted) : actual == wanted else { return nil }
      }
      return binding
    }
    var patterns = signature.parameters
    if signature.isVariadic {
      guard let last = patterns.last, arguments.count >= patterns.count - 1 else { return nil }
      patterns.removeLast()
      while patterns.count < arguments.count { patterns.append(last) }
    }
    guard patterns.count == arguments.count else { return nil }

    var solver = VariableSolver(coercing: coercing)
    for (pattern, argument) in zip(patterns, arguments) {
      switch argument {
      case .type(let type):
        if case .function(let parameters, let result) = pattern {
          // Comparing two forms: their lambdas stand as function types.
          guard case .function(let actual, let actualResult) = type, actual.count == parameters.count else { return nil }
          for (p, a) in zip(parameters, actual) { guard solver.unify(p, a) else { return nil } }
          guard solver.unify(result, actualResult) else { return nil }
        } else if !solver.unify(pattern, type) {
          return nil
        }
      case .lambda(let count, let range, _):
        guard case .function(let parameters, _) = pattern else { return nil }
        guard parameters.count == count else {
          if lambdaError == nil {
            lambdaError = QueryError(
              .invalidParameterUsage, "Expected a lambda that takes \(parameters.count) argument(s) but got \(count)",
              at: range)
          }
          return nil
        }
      }
    }
    // Lambdas: bound once their parameters are known; a result that widens a variable binds them again.
    var lambdaTypes: [Int: DataType] = [:]
    var round = 0
    while true {
      let before = solver.variables
      for (index, argument) in arguments.enumerated() {
        guard case .lambda(_, _, let bind) = argument, case .function(let parameters, let result) = patterns[index] else {
          continue
        }
        var types: [DataType] = []
        for parameter in parameters {
          guard let type = solver.concrete(parameter, actual: nil) else { break }
          types.append(type)
        }
        guard types.count == parameters.count else { continue }
        if case .function(let known, _)? = lambdaTypes[index], known == types { continue }
        do throws(QueryError) {
          let type = try bind(types)
          guard solver.unifyResult(result, type) else { return nil }
          lambdaTypes[index] = .function(parameters: types, result: type)
        } catch {
          if lambdaError == nil { lambdaError = error }
          return nil
        }
      }
      round += 1
      if solver.variables == before || round > 8 { break }
    }
    guard solver.satisfiesConstraints(patterns) else { return nil }
    var types: [DataType] = []
    for (index, argument) in arguments.enumerated() {
      switch argument {
      case .type(let actual):
        guard let wanted = solver.concrete(patterns[index], actual: actual) else { return nil }
        if case .function = wanted {
          types.append(actual)
          continue
        }
        guard coercing ? TypeCoercion.canCoerce(actual, to: wanted) : actual == wanted else { return nil }
        types.append(wanted)
      case .lambda:
        guard case .function(let parameters, let bodyType)? = lambdaTypes[index],
          case .function(_, let result) = patterns[index]
        else { return nil }
        guard let wanted = solver.concrete(result, actual: bodyType), TypeCoercion.canCoerce(bodyType, to: wanted),
          isKept(bodyType, as: wanted, result)
        else { return nil }
        types.append(.function(parameters: parameters, result: wanted))
      }
    }
    switch signature.returns {
    case .pattern(let pattern):
      guard let result = solver.concrete(pattern, actual: nil) else { return nil }
      return SignatureBinding(argumentTypes: types, returnType: result)
    case .computed(let compute):
      do throws(QueryError) {
        return SignatureBinding(argumentTypes: types, returnType: try compute(types))
      } catch {
        if lambdaError == nil { lambdaError = error }
        return nil
      }
    }
  }

  /// Whether a lambda may answer `type` where a variable stands for `wanted`, which Trino coerces no lambda's result to.
  /// NULL, other lengths of the same type and parts of nested values are let through.
  private static func isKept(_ type: DataType, as wanted: DataType, _ pattern: TypePattern) -> Bool {
    guard case .variable = pattern else { return true }
    if type == wanted || type == .unknown || type.isNested { return true }
    return TypeCoercion.coerced(wanted, toBaseOf: type) != nil && TypeCoercion.coerced(type, toBaseOf: wanted) != nil
  }

  // MARK: Messages

  private static let operators: Set<String> = [
    "+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=", "is_distinct_from", "negate", "subscript", "[]", "not",
  ]

  private static func notFound(
    _ name: String, _ signatures: [Signature], _ arguments: [CallArgument], at range: SourceRange?
  ) -> QueryError {
    let types = arguments.map { argument in
      switch argument {
      case .type(let type): type.description
      case .lambda: "<function>"
      }
    }
    if operators.contains(name) {
      let text: String
      switch (name, types.count) {
      case ("negate", 1): text = "Cannot negate \(types[0])"
      case ("subscript", 2), ("[]", 2): text = "Cannot use \(types[1]) for subscript of \(types[0])"
      case ("is_distinct_from", 2): text = "Cannot apply operator: \(types[0]) IS DISTINCT FROM \(types[1])"
      case (_, 2): text = "Cannot apply operator: \(types[0]) \(name) \(types[1])"
      default: text = "Cannot apply operator: \(name)(\(types.joined(separator: ", ")))"
      }
      return QueryError(.typeMismatch, text, at: range)
    }
    let expected = signatures.map { signature in
      var text = "\(name)(" + signature.parameters.map(\.description).joined(separator: ", ")
      if signature.isVariadic { text += ", …" }
      text += ")"
      let constraints = signature.variableConstraints
      return constraints.isEmpty ? text : text + " " + constraints.joined(separator: ", ")
    }
    return QueryError(
      .functionNotFound,
      "Unexpected parameters (\(types.joined(separator: ", "))) for function \(name). Expected: "
        + expected.joined(separator: ", "),
      at: range)
  }
}

/// Finds the types of a signature's variables.
private struct VariableSolver {
  let coercing: Bool
  var variables: [String: DataType] = [:]

  init(coercing: Bool) { self.coercing = coercing }

  /// Lets `pattern` stand for `type`; whether it may.
  mutating func unify(_ pattern: TypePattern, _ type: DataType) -> Bool {
    switch pattern {
    case .exact(let wanted): return coercing ? TypeCoercion.canCoerce(type, to: wanted) : type == wanted
    case .variable(let name), .comparable(let name), .orderable(let name): return bind(name, type)
    case .anyRow(let name):
      switch type {
      case .row: return bind(name, type)
      case .unknown: return coercing && bind(name, type)
      default: return false
      }
    case .varchar, .char, .decimal, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone:
      return kept(pattern, type) != nil
    case .array(let element):
      if case .array(let actual) = type { return unify(element, actual) }
      return coercing && type == .unknown && unify(element, .unknown)
    case .map(let key, let value):
      if case .map(let k, let v) = type { return unify(key, k) && unify(value, v) }
      return coercing && type == .unknown && unify(key, .unknown) && unify(value, .unknown)
    case .function: return false
    }
  }

  /// Like `unify`, for what a lambda's body answers: it may coerce to a variable bound before even in exact matching.
  mutating func unifyResult(_ pattern: TypePattern, _ type: DataType) -> Bool {
    let strict = self
    var lenient = VariableSolver(coercing: true)
    lenient.variables = strict.variables
    guard lenient.unify(pattern, type) else { return false }
    variables = lenient.variables
    return true
  }

  private mutating func bind(_ name: String, _ type: DataType) -> Bool {
    guard let known = variables[name] else {
      variables[name] = type
      return true
    }
    if known == type { return true }
    guard coercing, let common = TypeCoercion.commonSuperType(known, type) else { return false }
    variables[name] = common
    return true
  }

  /// The type an argument is coerced to where its own length, precision or scale is kept.
  private func kept(_ pattern: TypePattern, _ actual: DataType) -> DataType? {
    let base: DataType
    switch (pattern, actual) {
    case (.varchar, .varchar), (.char, .char), (.decimal, .decimal), (.time, .time),
      (.timeWithTimeZone, .timeWithTimeZone), (.timestamp, .timestamp),
      (.timestampWithTimeZone, .timestampWithTimeZone):
      return actual
    case (.varchar, _): base = .varchar(length: nil)
    case (.char, _): base = .char(length: 1)
    case (.decimal, _): base = .decimal(precision: 1, scale: 0)
    case (.time, _): base = .time(precision: 0)
    case (.timeWithTimeZone, _): base = .timeWithTimeZone(precision: 0)
    case (.timestamp, _): base = .timestamp(precision: 0)
    case (.timestampWithTimeZone, _): base = .timestampWithTimeZone(precision: 0)
    default: return nil
    }
    return coercing ? TypeCoercion.coerced(actual, toBaseOf: base) : nil
  }

  /// `pattern` with its variables replaced; nil while one is not known.
  ///
  /// - Parameter actual: the argument's own type, for patterns that keep it; nil for results.
  func concrete(_ pattern: TypePattern, actual: DataType?) -> DataType? {
    switch pattern {
    case .exact(let type): return type
    case .variable(let name), .comparable(let name), .orderable(let name), .anyRow(let name): return variables[name]
    case .varchar, .char, .decimal, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone:
      if let actual { return kept(pattern, actual) }
      return pattern == .varchar ? .varchar(length: nil) : nil
    case .array(let element):
      var inner: DataType?
      if case .array(let type)? = actual { inner = type } else if actual == .unknown { inner = .unknown }
      return concrete(element, actual: inner).map { .array($0) }
    case .map(let key, let value):
      var (k, v): (DataType?, DataType?)
      if case .map(let a, let b)? = actual { (k, v) = (a, b) } else if actual == .unknown { (k, v) = (.unknown, .unknown) }
      guard let key = concrete(key, actual: k), let value = concrete(value, actual: v) else { return nil }
      return .map(key: key, value: value)
    case .function(let parameters, let result):
      var types: [DataType] = []
      for parameter in parameters {
        guard let type = concrete(parameter, actual: nil) else { return nil }
        types.append(type)
      }
      return concrete(result, actual: nil).map { .function(parameters: types, result: $0) }
    }
  }

  /// Whether the variables meet what their patterns ask.
  func satisfiesConstraints(_ patterns: [TypePattern]) -> Bool {
    patterns.allSatisfy { pattern in
      switch pattern {
      case .comparable(let name): variables[name]?.isComparable ?? true
      case .orderable(let name): variables[name]?.isOrderable ?? true
      case .array(let element): satisfiesConstraints([element])
      case .map(let key, let value): satisfiesConstraints([key, value])
      default: true
      }
    }
  }
}

extension TypePattern: CustomStringConvertible {
  /// As Trino shows parameters: `array(T)`, `decimal(p,s)`.
  package var description: String {
    switch self {
    case .exact(let type): type.description
    case .variable(let name), .comparable(let name), .orderable(let name), .anyRow(let name): name
    case .varchar: "varchar(x)"
    case .char: "char(x)"
    case .decimal: "decimal(p,s)"
    case .time: "time(p)"
    case .timeWithTimeZone: "time(p) with time zone"
    case .timestamp: "timestamp(p)"
    case .timestampWithTimeZone: "timestamp(p) with time zone"
    case .array(let element): "array(\(element))"
    case .map(let key, let value): "map(\(key),\(value))"
    case .function(let parameters, let result):
      "function(\((parameters + [result]).map(\.description).joined(separator: ",")))"
    }
  }

  /// The variables inside, as `name` or `name:comparable`.
  fileprivate func collectConstraints(into list: inout [String]) {
    var text: String?
    switch self {
    case .variable(let name): text = name
    case .anyRow(let name): text = "\(name):row(*)"
    case .comparable(let name): text = "\(name):comparable"
    case .orderable(let name): text = "\(name):orderable"
    case .array(let element): element.collectConstraints(into: &list)
    case .map(let key, let value):
      key.collectConstraints(into: &list)
      value.collectConstraints(into: &list)
    case .function(let parameters, let result):
      for parameter in parameters { parameter.collectConstraints(into: &list) }
      result.collectConstraints(into: &list)
    default: break
    }
    if let text, !list.contains(text) { list.append(text) }
  }
}

extension Signature {
  /// Whether any parameter has a type variable.
  var hasVariables: Bool { resolve == nil && !variableConstraints.isEmpty }

  fileprivate var variableConstraints: [String] {
    var list: [String] = []
    for parameter in parameters { parameter.collectConstraints(into: &list) }
    return list
  }
}
