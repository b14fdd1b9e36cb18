import Columnar
import QueryErrors
import SQLFunctions
import Synchronization

/// What a value of an optional type says of itself.
private protocol OptionalValue { static var isOptional: Bool { get } }
extension Optional: OptionalValue { static var isOptional: Bool { true } }

extension Engine {
  /// Makes a Swift closure callable from SQL, in every session of this engine.
  ///
  ///     try engine.register(function: "distance_km") { (a: Double, b: Double) in haversine(a, b) }
  ///     try await session.run("SELECT distance_km(lat, lon) FROM 'trips/'")
  ///
  /// Parameters and result are the SQL types of their Swift types; arguments are coerced to them as for built-in functions. A NULL
  /// for a parameter that is no optional makes the result NULL without a call. What the closure throws is the statement's error,
  /// and NULL inside `TRY`.
  ///
  /// - Parameters:
  ///   - name: case is ignored.
  ///   - isDeterministic: whether equal arguments give equal results, so that calls may be folded and shared.
  ///   - body: called from several threads at once.
  /// - Throws: `ALREADY_EXISTS` when a function has the name.
  public func register<each Argument: ScalarEncodable & ScalarDecodable, Result: ScalarEncodable>(
    function name: String, isDeterministic: Bool = true,
    _ body: @escaping @Sendable (repeat each Argument) throws -> Result
  ) throws(QueryError) {
    let name = name.lowercased()
    if FunctionRegistry.names.contains(name) {
      throw QueryError(.alreadyExists, "Function '\(name)' already exists")
    }
    var parameters: [TypePattern] = []
    for type in repeat (each Argument).self { parameters.append(.exact(type.sqlType)) }
    let resultType = Result.sqlType
    let overload = ScalarOverload.columns(parameters, returns: .exact(resultType), propagatesNulls: false) {
      (columns, count, context) throws(QueryError) -> Column in
      let builder = ColumnBuilder(resultType, capacity: count)
      for row in 0..<count {
        do {
          builder.append(try HostCall.value(row, columns, resultType, body))
        } catch let error as QueryError {
          context.errors.record(row, error)
          builder.appendNull()
        } catch {
          context.errors.record(row, .invalidFunctionArgument, "\(name): \(error)")
          builder.appendNull()
        }
      }
      return builder.finish()
    }
    let function = ScalarFunction(
      name, summary: "A function of the program that embeds the engine.", determinism: isDeterministic ? .immutable : .volatile,
      isExtension: true, overloads: [overload])
    try host.withLock { host throws(QueryError) in
      guard host.functions[name] == nil else { throw QueryError(.alreadyExists, "Function '\(name)' already exists") }
      host.functions[name] = function
    }
  }
}

/// One call of a closure.
private enum HostCall {
  /// An argument is NULL and its parameter no optional.
  struct NullArgument: Error {}

  static func value<each Argument: ScalarDecodable, Result: ScalarEncodable>(
    _ row: Int, _ columns: [Column], _ type: DataType, _ body: (repeat each Argument) throws -> Result
  ) throws -> Scalar {
    var index = -1
    func next<A: ScalarDecodable>(_: A.Type) throws -> A {
      index += 1
      let scalar = columns[index].scalar(row)
      if scalar.isNull, !(A.self is any OptionalValue.Type) { throw NullArgument() }
      return try A(scalar, of: columns[index].type)
    }
    do {
      let result = try body(repeat try next((each Argument).self))
      return try fitted(result.scalar, result.sqlType, to: type)
    } catch is NullArgument {
      return .null
    }
  }

  /// A value whose own type may say more than its Swift type does: a decimal's digits, a timestamp's picoseconds.
  private static func fitted(_ scalar: Scalar, _ own: DataType, to type: DataType) throws(QueryError) -> Scalar {
    if scalar.isNull || own == type { return scalar }
    guard TypeCoercion.isTypeOnly(own, to: type) else {
      throw QueryError(.typeMismatch, "A function that gives \(type) gave a value of type \(own)")
    }
    return scalar
  }
}
