package import Columnar
import QueryErrors

/// The functions behind JSON_OBJECT and JSON_ARRAY, made for one call.
///
/// - Source: Trino `JsonObjectFunction`, `JsonArrayFunction`.
package enum JSONConstructors {
  /// A value put into the object or array.
  package enum Value: Sendable {
    /// JSON text that is copied in.
    case json(JSONEncoding)
    /// A boolean, number or text.
    case sql(DataType)
  }

  /// JSON_ARRAY: the call's arguments are the elements, and a text that tells calls apart.
  package static func array(_ values: [Value], keepsNulls: Bool, _ output: JSONOutput) -> ScalarFunction {
    function("$json_array", output, values) { (rows: Rows, columns, n, context) in
      for row in 0..<n {
        rows.text.removeAll()
        rows.text.append(0x5b)
        for (index, column) in columns.prefix(values.count).enumerated() {
          if column.isNull(row), !keepsNulls { continue }
          if rows.text.count > 1 { rows.text.append(0x2c) }
          if let error = rows.append(index, column, row) { context.errors.record(row, error) }
        }
        rows.text.append(0x5d)
        rows.builder.append(rows.text)
      }
    }
  }

  /// JSON_OBJECT: the call's arguments are all keys, then all values, then a text that tells calls apart.
  package static func object(
    _ values: [Value], keepsNulls: Bool, hasUniqueKeys: Bool, _ output: JSONOutput
  ) -> ScalarFunction {
    function("$json_object", output, values) { (rows: Rows, columns, n, context) in
      let views = columns.map(\.view)
      for row in 0..<n {
        rows.text.removeAll()
        rows.text.append(0x7b)
        var seen: Set<[UInt8]> = []
        for index in values.indices {
          let column = columns[values.count + index]
          if views[index].isNull(row) {
            context.errors.record(
              row, .invalidFunctionArgument, "null value passed for JSON object key to JSON_OBJECT function")
            continue
          }
          if column.isNull(row), !keepsNulls { continue }
          let key = views[index].value(row, as: StringView.self)
          if !seen.insert(key.bytes).inserted {
            // The standard would keep both; Trino cannot.
            if hasUniqueKeys {
              context.errors.record(row, .invalidFunctionArgument, "duplicate key passed to JSON_OBJECT function")
            } else {
              context.errors.record(row, .notSupported, "cannot construct a JSON object with duplicate key")
            }
            continue
          }
          if rows.text.count > 1 { rows.text.append(0x2c) }
          key.withBytes { (p, n) in JSONText.appendString(p, n, to: rows.text) }
          rows.text.append(0x3a)
          if let error = rows.append(index, column, row) { context.errors.record(row, error) }
        }
        rows.text.append(0x7d)
        rows.builder.append(rows.text)
      }
    }
  }

  /// What one worker keeps between batches.
  private final class Rows {
    let text = TextBuffer()
    let builder: JSONTextBuilder
    private let writers: [JSONValueWriter?]
    private let inputs: [JSONInput?]

    init(_ values: [Value], _ output: JSONOutput) {
      builder = JSONTextBuilder(output)
      writers = values.map { if case .sql(let type) = $0 { JSONValueWriter(type) } else { nil } }
      inputs = values.map { if case .json(let encoding) = $0 { JSONInput(encoding) } else { nil } }
    }

    /// Appends one value; the error when it is not JSON.
    func append(_ index: Int, _ column: Column, _ row: Int) -> QueryError? {
      if column.isNull(row) {
        text.append("null")
      } else if let writer = writers[index] {
        writer.append(column, row, to: text)
      } else if let input = inputs[index] {
        guard input.read(column.view, row) else {
          text.append("null")
          return QueryError(.jsonInputConversionError, "conversion to JSON failed: malformed JSON text")
        }
        input.document.root.appendJSON(to: text)
      }
      return nil
    }
  }

  private static func function(
    _ name: String, _ output: JSONOutput, _ values: [Value],
    _ body: @escaping @Sendable (Rows, [Column], Int, inout KernelContext) -> Void
  ) -> ScalarFunction {
    let overload = ScalarOverload(Signature([], variadic: true, returns: .varchar), propagatesNulls: false) {
      (_: SignatureBinding) throws(QueryError) -> Kernel in
      let rows = Rows(values, output)
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        body(rows, columns, n, &context)
        return try rows.builder.finish(&context)
      }
    }
    return ScalarFunction(
      name, summary: "\(name.dropFirst().uppercased()) of one call.", isHidden: true, overloads: [overload])
  }
}
