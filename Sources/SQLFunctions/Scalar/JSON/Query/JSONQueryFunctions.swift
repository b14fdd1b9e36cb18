import Columnar
import QueryErrors

/// The functions behind JSON_EXISTS, JSON_VALUE and JSON_QUERY.
///
/// They are made for one call: the path and the clauses are part of the function. The call's arguments are the input, the
/// values after PASSING, a text that tells calls apart, and the lambdas of defaults.
///
/// - Source: Trino `JsonExistsFunction`, `JsonValueFunction`, `JsonQueryFunction`.
package enum JSONQueryFunctions {
  /// What JSON_EXISTS answers when the input is not JSON or the path fails.
  package enum ExistsOnError: Sendable {
    case `true`, `false`, unknown, error
  }

  /// JSON_EXISTS.
  package static func exists(_ invocation: JSONPathInvocation, onError: ExistsOnError) -> ScalarFunction {
    function("$json_exists", invocation, { ExistsCollector(onError) }) { collector, found in
      switch found {
      case .null: collector.add(nil)
      case .error(let error): collector.add(error())
      case .items(let items): collector.add(!items.isEmpty)
      }
    } finish: { (collector, context) throws(QueryError) in
      collector.finish(&context)
    }
  }

  /// JSON_VALUE.
  package static func value(_ invocation: JSONPathInvocation, _ options: JSONValueOptions) -> ScalarFunction {
    function("$json_value", invocation, { JSONValueCollector(options) }) { collector, found in
      switch found {
      case .null: collector.addNull()
      case .error(let error): collector.add(error())
      case .items(let items): collector.add(items)
      }
    } finish: { (collector, context) throws(QueryError) in
      try collector.finish(nil, &context)
    }
  }

  /// JSON_QUERY.
  package static func query(_ invocation: JSONPathInvocation, _ options: JSONQueryOptions) -> ScalarFunction {
    function("$json_query", invocation, { JSONTextCollector(options) }) { collector, found in
      switch found {
      case .null: collector.addNull()
      case .error(let error): collector.add(error())
      case .items(let items): collector.add(items)
      }
    } finish: { (collector, context) throws(QueryError) in
      try collector.finish(nil, &context)
    }
  }

  /// What a path gave for a row.
  private enum Found {
    case null
    case error(() -> QueryError)
    case items([JSONItem])
  }

  /// What one worker keeps between batches.
  private final class State<Collector> {
    let arguments: JSONPathArguments
    let collector: Collector
    var evaluator: JSONPathEvaluator?

    init(_ invocation: JSONPathInvocation, _ collector: Collector) {
      arguments = JSONPathArguments(invocation)
      self.collector = collector
    }
  }

  private static func function<Collector>(
    _ name: String, _ invocation: JSONPathInvocation, _ makeCollector: @escaping @Sendable () -> Collector,
    _ add: @escaping @Sendable (Collector, Found) -> Void,
    finish: @escaping @Sendable (Collector, inout KernelContext) throws(QueryError) -> Column
  ) -> ScalarFunction {
    let title = name.dropFirst().uppercased()
    let overload = ScalarOverload(Signature([], variadic: true, returns: .boolean), propagatesNulls: false) {
      (_: SignatureBinding) throws(QueryError) -> Kernel in
      let state = State(invocation, makeCollector())
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        if state.evaluator == nil { state.evaluator = try JSONPathEvaluator(invocation.path, session: context.session) }
        let (arguments, collector, evaluator) = (state.arguments, state.collector, state.evaluator!)
        arguments.begin(columns)
        for row in 0..<n {
          let outcome = arguments.read(row)
          switch outcome {
          case .null: add(collector, .null)
          case .malformedInput, .malformedParameter:
            add(collector, .error({ JSONPathArguments.error(outcome, title) }))
          case .ready:
            do throws(JSONPathFailure) {
              add(collector, .items(try evaluator.evaluate(arguments.root, parameters: arguments.items)))
            } catch { add(collector, .error({ error.error })) }
          }
        }
        return try finish(collector, &context)
      }
    }
    return ScalarFunction(name, summary: "\(title) of one call.", isHidden: true, overloads: [overload])
  }
}

/// Collects the answers of JSON_EXISTS.
private final class ExistsCollector {
  private let onError: JSONQueryFunctions.ExistsOnError
  private let builder = ColumnBuilder(.boolean)
  private var errors: [(row: Int, error: QueryError)] = []

  init(_ onError: JSONQueryFunctions.ExistsOnError) { self.onError = onError }

  func add(_ exists: Bool?) {
    if let exists { builder.append(fixed: UInt8(exists ? 1 : 0)) } else { builder.appendNull() }
  }

  func add(_ error: @autoclosure () -> QueryError) {
    switch onError {
    case .true: add(true)
    case .false: add(false)
    case .unknown: add(nil)
    case .error:
      errors.append((builder.count, error()))
      add(nil)
    }
  }

  func finish(_ context: inout KernelContext) -> Column {
    for (row, error) in errors { context.errors.record(row, error) }
    errors.removeAll()
    return builder.finish()
  }
}
