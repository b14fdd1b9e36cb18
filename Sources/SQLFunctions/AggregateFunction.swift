package import Columnar
package import QueryErrors

/// A function from many rows to one value.
package struct AggregateFunction: Sendable {
  package var name: String
  package var aliases: [String]
  package var summary: String
  package var examples: [Example]
  package var overloads: [AggregateOverload]
  /// Whether the order of rows matters (`array_agg`), so that ORDER BY inside the call has an effect.
  package var isOrderSensitive: Bool
  /// Whether repeated rows do not matter (`min`, `max`, `bool_and`), so that DISTINCT may be dropped.
  package var ignoresDuplicates: Bool
  package var isHidden: Bool
  /// Whether Athena lacks it: refused under `--compat athena`.
  package var isExtension: Bool

  package init(
    _ name: String, aliases: [String] = [], summary: String, examples: [Example] = [], isOrderSensitive: Bool = false,
    ignoresDuplicates: Bool = false, isHidden: Bool = false, isExtension: Bool = false, overloads: [AggregateOverload]
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.examples = examples
    self.isOrderSensitive = isOrderSensitive
    self.ignoresDuplicates = ignoresDuplicates
    self.isHidden = isHidden
    self.isExtension = isExtension
    self.overloads = overloads
  }
}

/// One form of an aggregate function.
package struct AggregateOverload: Sendable {
  package var signature: Signature
  package var makeAccumulator: AccumulatorFactory

  package init(_ signature: Signature, makeAccumulator: @escaping AccumulatorFactory) {
    self.signature = signature
    self.makeAccumulator = makeAccumulator
  }

  package init(
    _ parameters: [TypePattern], variadic: Bool = false, returns: ReturnType,
    makeAccumulator: @escaping AccumulatorFactory
  ) {
    self.init(Signature(parameters, variadic: variadic, returns: returns), makeAccumulator: makeAccumulator)
  }
}

/// Makes an empty accumulator for bound types; called per worker and hash partition.
package typealias AccumulatorFactory = @Sendable (AccumulatorContext) throws(QueryError) -> any GroupsAccumulator

/// What an accumulator may know.
package struct AccumulatorContext: Sendable {
  package var binding: SignatureBinding
  package var session: SessionContext
  /// Lambdas among the arguments (`reduce_agg`), in order; each accumulator gets its own.
  package var makeLambdas: @Sendable () throws(QueryError) -> [any LambdaEvaluator]

  package init(
    binding: SignatureBinding, session: SessionContext,
    makeLambdas: @escaping @Sendable () throws(QueryError) -> [any LambdaEvaluator] = { () throws(QueryError) in [] }
  ) {
    self.binding = binding
    self.session = session
    self.makeLambdas = makeLambdas
  }
}

/// The states of one aggregate for many groups, as arrays indexed by dense group numbers.
///
/// - Threads: one owner at a time.
/// - Source: DataFusion's `GroupsAccumulator`.
package protocol GroupsAccumulator: AnyObject {
  /// Makes room for groups `0 ..< groupCount`; new groups are empty. Called before `update` and `merge` when it grows.
  func resize(groupCount: Int)

  /// Adds row `i` to group `groups[i]`, for all rows; nil `groups` means every row belongs to group 0.
  ///
  /// - Shape: `arguments` of `rowCount` rows in any encoding (lambdas left out); DISTINCT, FILTER and ORDER BY have been
  ///   dealt with by the caller. NULL arguments are the accumulator's to skip or keep.
  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError)

  /// Adds the state of `other`'s group `sources[i]` to own group `targets[i]`, for `count` pairs; nil stands for 0, 1, 2 ….
  ///
  /// - Parameter other: an accumulator of the same class and binding; not used afterwards, so states may be stolen.
  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError)

  /// The results of groups `range`, of the binding's return type; does not change the state.
  func finish(_ range: Range<Int>) throws(QueryError) -> Column

  /// Whether `merge` leaves `other` as it was, so that it can be merged again, into others or into itself: states are
  /// added pair by pair in the order given. For window frames.
  var mergesByCopy: Bool { get }

  /// Whether the state is the rows that came, so that results take about as much as it once more.
  var keepsRows: Bool { get }

  /// Roughly the bytes held.
  var byteCount: Int { get }
}

extension GroupsAccumulator {
  package var keepsRows: Bool { false }
  package var mergesByCopy: Bool { false }
}
