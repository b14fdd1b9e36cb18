import Columnar
import QueryErrors

/// Finds functions by name; the one place that names the families.
package enum FunctionRegistry {
  /// A new family adds one name here.
  package static let scalarFamilies: [any FunctionFamily.Type] = [
    ArithmeticFunctions.self, ComparisonFunctions.self, LikeFunctions.self, ConcatenationFunctions.self,
    ConditionalFunctions.self,
    ArrayConstructionFunctions.self, ArrayAccessFunctions.self, ArraySearchFunctions.self, ArraySetFunctions.self,
    ArrayLambdaFunctions.self, SequenceFunctions.self, VectorFunctions.self, MapFunctions.self, MapLambdaFunctions.self,
    RowFunctions.self, SketchFunctions.self, SubqueryFunctions.self,
    StringSliceFunctions.self, StringCaseFunctions.self, StringSearchFunctions.self,
    DatePartFunctions.self, DateTruncation.self, DateArithmeticFunctions.self,
    RegexpFunctions.self, RoundingFunctions.self, MathFunctions.self, ProbabilityFunctions.self,
    TimestampFunctions.self, DateTimeFormatFunctions.self, JSONFunctions.self, URLFunctions.self, BinaryFunctions.self, BitwiseFunctions.self,
    StringCharacterFunctions.self, StringMapFunctions.self, FormatFunctions.self, SystemFunctions.self, NetworkFunctions.self,
    GeometryFormatFunctions.self, GeometryAccessorFunctions.self, GeometryRelationFunctions.self,
    GeometryOperationFunctions.self, BingTileFunctions.self,
    ColorFunctions.self, WordStemFunctions.self,
  ]
  package static let aggregateFamilies: [any AggregateFamily.Type] = [
    CountFunctions.self, SumFunctions.self, ExtremumFunctions.self, ChosenValueFunctions.self,
    LogicalAggregateFunctions.self, StatisticsFunctions.self, CollectionFunctions.self, ReduceFunctions.self,
    ApproximateFunctions.self, ChecksumFunctions.self, GeometryAggregateFunctions.self,
  ]
  package static let windowFamilies: [any WindowFamily.Type] = [RankingFunctions.self, ValueFunctions.self]

  /// - Parameter name: lower case.
  package static func scalar(_ name: String) -> ScalarFunction? { scalars[name] }
  /// - Parameter name: lower case.
  package static func aggregate(_ name: String) -> AggregateFunction? { aggregates[name] }
  /// - Parameter name: lower case.
  package static func window(_ name: String) -> WindowFunction? { windows[name] }

  /// Whether Athena has no function of this name.
  ///
  /// - Parameter name: lower case.
  package static func isExtension(_ name: String) -> Bool {
    scalars[name]?.isExtension ?? aggregates[name]?.isExtension ?? false
  }

  /// Names of all functions users may call, sorted.
  package static var names: [String] {
    // Names with a dollar are the parser's, for keywords such as AT TIME ZONE.
    let scalar = scalars.filter { !$0.value.isHidden && !$0.key.hasPrefix("$") }.keys
    return Set(scalar).union(aggregates.keys).union(windows.keys).sorted()
  }

  private static let scalars: [String: ScalarFunction] = {
    var table: [String: ScalarFunction] = [:]
    for family in scalarFamilies {
      for function in family.functions {
        for name in [function.name] + function.aliases {
          if var known = table[name] {
            known.overloads += function.overloads
            table[name] = known
          } else {
            table[name] = function
          }
        }
      }
    }
    return table
  }()

  private static let aggregates: [String: AggregateFunction] = {
    var table: [String: AggregateFunction] = [:]
    for family in aggregateFamilies {
      for function in family.functions { for name in [function.name] + function.aliases { table[name] = function } }
    }
    return table
  }()

  private static let windows: [String: WindowFunction] = {
    var table: [String: WindowFunction] = [:]
    for family in windowFamilies { for function in family.functions { table[function.name] = function } }
    return table
  }()
}
