public import Columnar
import QueryErrors
import Testing

@testable import SQLFunctions

/// Runs aggregates over values as operators would: at once, in small batches, and merged from parts.
enum AggregateHarness {
  /// The result over all rows, printed; errors as `CODE: message`.
  ///
  /// - Parameter columns: per argument its type and one value per row.
  static func run(_ name: String, _ columns: (DataType, [Scalar])...) -> String {
    do throws(QueryError) {
      let (overload, binding) = try resolve(name, columns.map(\.0))
      var results: Set<String> = []
      let rowCount = columns[0].1.count
      for shape in Shape.allCases {
        let all = try zip(columns, binding.argumentTypes).map { (column, wanted) throws(QueryError) in
          try make(column.0, column.1, wanted)
        }
        let accumulator = try makeAccumulator(overload, binding)
        accumulator.resize(groupCount: 1)
        switch shape {
        case .whole: try accumulator.update(all, groups: nil, rowCount: rowCount)
        case .grouped:
          // Group 2 of 3; the others stay empty.
          accumulator.resize(groupCount: 3)
          let groups = Array(repeating: Int32(2), count: rowCount)
          for row in 0..<rowCount {
            try accumulator.update(
              all.map { $0.slice(offset: row, count: 1) }, groups: Array(groups[row...row]), rowCount: 1)
          }
          results.insert(FunctionHarness.text(try accumulator.finish(2..<3), 0))
          continue
        case .dictionary:
          let rows = Buffer(byteCount: rowCount * 4)
          for row in 0..<rowCount { rows.typed(Int32.self)[row] = Int32(row) }
          try accumulator.update(
            all.map { $0.isConstant ? $0 : .dictionary($0, indices: rows, count: rowCount) },
            groups: Array(repeating: 0, count: rowCount), rowCount: rowCount)
        case .merged:
          let other = try makeAccumulator(overload, binding)
          other.resize(groupCount: 2)
          let middle = rowCount / 2
          try accumulator.update(all.map { $0.slice(offset: 0, count: middle) }, groups: nil, rowCount: middle)
          try other.update(
            all.map { $0.slice(offset: middle, count: rowCount - middle) },
            groups: Array(repeating: 1, count: rowCount - middle), rowCount: rowCount - middle)
          try accumulator.merge(other, sources: [1], targets: [0], count: 1)
        }
        results.insert(FunctionHarness.text(try accumulator.finish(0..<1), 0))
      }
      return results.count == 1 ? results.first! : "shapes differ: \(results.sorted())"
    } catch { return error.description }
  }

  private enum Shape: CaseIterable { case whole, grouped, dictionary, merged }

  static func resolve(
    _ name: String, _ types: [DataType]
  ) throws(QueryError) -> (AggregateOverload, SignatureBinding) {
    guard let function = FunctionRegistry.aggregate(name) else {
      throw QueryError(.functionNotFound, "no aggregate \(name)")
    }
    let (index, binding) = try OverloadResolution.resolve(
      name: name, function.overloads.map(\.signature), types.map { .type($0) }, at: nil)
    return (function.overloads[index], binding)
  }

  static func makeAccumulator(
    _ overload: AggregateOverload, _ binding: SignatureBinding
  ) throws(QueryError) -> any GroupsAccumulator {
    try overload.makeAccumulator(AccumulatorContext(binding: binding, session: FunctionHarness.session))
  }

  static func make(_ type: DataType, _ values: [Scalar], _ wanted: DataType) throws(QueryError) -> Column {
    let builder = ColumnBuilder(type)
    for value in values { builder.append(value) }
    var context = KernelContext(returnType: wanted, session: FunctionHarness.session)
    return try FunctionHarness.cast(builder.finish(), type, wanted, &context)
  }
}

extension Scalar: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByNilLiteral,
  ExpressibleByBooleanLiteral
{
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: Scalar...) { self = .array(elements) }
  public init(nilLiteral: ()) { self = .null }
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
}
