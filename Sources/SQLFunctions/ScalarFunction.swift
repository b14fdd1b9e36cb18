package import Columnar
package import QueryErrors

/// A function from one row's values to a value: its names, documentation, forms and kernels.
package struct ScalarFunction: Sendable {
  /// Lower case; operators go by their symbols: `+`, `<=`, `||`.
  package var name: String
  package var aliases: [String]
  package var summary: String
  package var examples: [Example]
  package var determinism: Determinism
  /// Left out of `SHOW FUNCTIONS` (operators and internal ones).
  package var isHidden: Bool
  /// Whether Athena lacks it: refused under `--compat athena`.
  package var isExtension: Bool
  package var overloads: [ScalarOverload]

  package init(
    _ name: String, aliases: [String] = [], summary: String, examples: [Example] = [],
    determinism: Determinism = .immutable, isHidden: Bool = false, isExtension: Bool = false,
    overloads: [ScalarOverload]
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.examples = examples
    self.determinism = determinism
    self.isHidden = isHidden
    self.isExtension = isExtension
    self.overloads = overloads
  }
}

/// One form of a scalar function.
package struct ScalarOverload: Sendable {
  package var signature: Signature
  /// Whether any NULL argument makes the result NULL; the evaluator then still calls the kernel, on all rows, and sets
  /// the result's nulls itself: the kernel may read unspecified values of null rows but must not fail on them.
  package var propagatesNulls: Bool
  package var makeKernel: KernelFactory

  package init(_ signature: Signature, propagatesNulls: Bool = true, makeKernel: @escaping KernelFactory) {
    self.signature = signature
    self.propagatesNulls = propagatesNulls
    self.makeKernel = makeKernel
  }

  /// A form whose kernel works on whole columns.
  package static func columns(
    _ parameters: [TypePattern], variadic: Bool = false, returns: ReturnType, propagatesNulls: Bool = true,
    _ kernel: @escaping @Sendable ([Column], Int, inout KernelContext) throws(QueryError) -> Column
  ) -> ScalarOverload {
    ScalarOverload(
      Signature(parameters, variadic: variadic, returns: returns), propagatesNulls: propagatesNulls,
      makeKernel: { (_: SignatureBinding) throws(QueryError) -> Kernel in kernel })
  }
}

/// Computes a return type from the coerced argument types (a lambda's is `.function`).
package typealias ReturnTypeRule = @Sendable ([DataType]) throws(QueryError) -> DataType

/// Computes a window function's column for one partition.
package typealias WindowEvaluator = @Sendable (WindowInput) throws(QueryError) -> Column

/// The loop that computes a function over columns.
///
/// - Shape: columns of `rowCount` rows in any encoding, of the binding's argument types; arguments that are lambdas are
///   left out and stand in `KernelContext.lambdas` instead. The result has `rowCount` rows of the binding's return type.
/// - Errors of single rows go to `KernelContext.errors`; throw only what concerns the whole query.
package typealias Kernel = ([Column], Int, inout KernelContext) throws(QueryError) -> Column

/// Makes a kernel for bound types; called once per worker and call site, so kernels may keep state such as caches.
package typealias KernelFactory = @Sendable (SignatureBinding) throws(QueryError) -> Kernel

/// What a kernel may use besides its arguments.
package struct KernelContext {
  package var errors: RowErrors
  /// The call's return type.
  package var returnType: DataType
  /// The lambdas among the arguments, in order.
  package var lambdas: [any LambdaEvaluator]
  package let session: SessionContext

  package init(
    errors: RowErrors = RowErrors(), returnType: DataType, lambdas: [any LambdaEvaluator] = [], session: SessionContext
  ) {
    self.errors = errors
    self.returnType = returnType
    self.lambdas = lambdas
    self.session = session
  }
}

/// A lambda argument, ready to be applied to many rows at once.
package protocol LambdaEvaluator: AnyObject {
  /// The body's value for each of `rowCount` bindings of the parameters.
  ///
  /// - Shape: `parameters`: one column of `rowCount` rows per lambda parameter; `outerRows[i]` is the row of the call's
  ///   batch that binding `i` belongs to (captured columns are read there).
  /// - Errors of single bindings are recorded in `errors` under their outer row.
  func evaluate(
    _ parameters: [Column], outerRows: UnsafePointer<Int32>, rowCount: Int, errors: inout RowErrors
  ) throws(QueryError) -> Column
}

/// What functions may know of the session and the query.
package struct SessionContext: Sendable {
  /// Start of the query, microseconds since 1970-01-01 UTC: what `now()` says.
  package var startMicros: Int64
  /// The session's time zone, as `SET TIME ZONE` names it: `UTC`, `Europe/Berlin`, `+02:00`.
  package var timeZone: TimeZoneKey
  package var user: String
  package var catalog: String
  package var database: String
  /// `query_id` of the running query.
  package var queryID: String
  /// Whether what Athena refuses is refused, and errors are worded as Athena words them.
  package var followsAthena = false
  /// Functions of the program that embeds the engine, by name in lower case; none has the name of a built-in one.
  package var hostFunctions: [String: ScalarFunction] = [:]

  package init(
    startMicros: Int64, timeZone: TimeZoneKey, user: String = "sqlq", catalog: String = "awsdatacatalog",
    database: String = "default", queryID: String = ""
  ) {
    self.startMicros = startMicros
    self.timeZone = timeZone
    self.user = user
    self.catalog = catalog
    self.database = database
    self.queryID = queryID
  }
}
