import Columnar
import QueryErrors
import Testing

@testable import SQLFunctions

/// Calls functions and casts on single values, as the evaluator would.
enum FunctionHarness {
  static let session = SessionContext(
    startMicros: 1_700_000_000_000_000, timeZone: TimeZoneDatabase.find("Pacific/Apia") ?? .utc)

  /// The value of `name(arguments)`, printed as a result; errors as `CODE: message`.
  static func call(_ name: String, _ arguments: (Scalar, DataType)..., rows: Int = 3) -> String {
    do throws(QueryError) {
      guard let function = FunctionRegistry.scalar(name) else { return "no function \(name)" }
      let types = arguments.map(\.1)
      let (index, binding) = try OverloadResolution.resolve(
        name: name, function.overloads.map(\.signature), types.map { .type($0) }, at: nil)
      let kernel = try function.overloads[index].makeKernel(binding)
      var results: Set<String> = []
      // Constant, flat and dictionary columns must agree.
      for shape in 0..<3 {
        var context = KernelContext(returnType: binding.returnType, session: session)
        var columns: [Column] = []
        for (k, (value, type)) in arguments.enumerated() {
          let wanted = binding.argumentTypes[k]
          let column = try cast(shaped(value, type, rows, shape), type, wanted, &context)
          columns.append(column)
        }
        let result = try kernel(columns, rows, &context)
        if let (_, error) = context.errors.first {
          results.insert(error.description)
        } else {
          for row in 0..<rows { results.insert(text(result, row)) }
        }
      }
      return results.count == 1 ? results.first! : "shapes differ: \(results.sorted())"
    } catch { return error.description }
  }

  private static func shaped(_ value: Scalar, _ type: DataType, _ rows: Int, _ shape: Int) -> Column {
    let constant = Column.constant(value, type, count: rows)
    switch shape {
    case 0: return constant
    case 1: return constant.flattened()
    default:
      let indices = Buffer.zeroed(byteCount: rows * 4)
      return .dictionary(Column.constant(value, type, count: 1).flattened(), indices: indices, count: rows)
    }
  }

  static func cast(
    _ column: Column, _ from: DataType, _ to: DataType, _ context: inout KernelContext
  ) throws(QueryError) -> Column {
    if from == to { return column }
    guard let factory = CastRegistry.makeKernel(from: from, to: to) else {
      throw QueryError(.typeMismatch, "Cannot cast \(from) to \(to)")
    }
    let kernel = try factory(SignatureBinding(argumentTypes: [from], returnType: to))
    return try kernel([column], column.count, &context)
  }

  /// The value of `CAST(value AS to)`.
  static func cast(_ value: Scalar, _ from: DataType, _ to: DataType) -> String {
    do throws(QueryError) {
      var context = KernelContext(returnType: to, session: session)
      let result = try cast(.constant(value, from, count: 1).flattened(), from, to, &context)
      if let (_, error) = context.errors.first { return error.description }
      return text(result, 0)
    } catch { return error.description }
  }

  /// The value of `CAST('text' AS to)`.
  static func cast(_ text: String, _ to: DataType) -> String { cast(.string(text), .text, to) }

  /// A value made by casting text.
  static func value(_ text: String, _ type: DataType) -> (Scalar, DataType) {
    var context = KernelContext(returnType: type, session: session)
    let column = try? cast(.constant(.string(text), .text, count: 1), .text, type, &context)
    return (context.errors.isEmpty ? column?.scalar(0) ?? .null : .null, type)
  }

  static func text(_ column: Column, _ row: Int) -> String {
    if column.isNull(row) { return "NULL" }
    let out = TextBuffer()
    ValueText(column.type, .output).append(column, row, to: out)
    return out.string
  }
}
