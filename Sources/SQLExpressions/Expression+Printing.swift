package import Columnar
import SQLFunctions

extension Expression: CustomStringConvertible {
  /// The expression as EXPLAIN prints it: SQL with `name#id` columns left as plain names.
  package var description: String {
    switch self {
    case .column(let column): return column.name
    case .constant(let value, let type): return Expression.literal(value, type)
    case .call(let call):
      let arguments = call.arguments.map(\.description)
      let name = call.function.name
      if arguments.count == 2, Expression.infixOperators.contains(name) {
        return "(\(arguments[0]) \(name) \(arguments[1]))"
      }
      if name == "not", arguments.count == 1 { return "(NOT \(arguments[0]))" }
      if name == "is_null", arguments.count == 1 { return "(\(arguments[0]) IS NULL)" }
      return "\(name)(\(arguments.joined(separator: ", ")))"
    case .cast(let cast): return "\(cast.isTry ? "TRY_CAST" : "CAST")(\(cast.operand) AS \(cast.type))"
    case .and(let operands): return "(" + operands.map(\.description).joined(separator: " AND ") + ")"
    case .or(let operands): return "(" + operands.map(\.description).joined(separator: " OR ") + ")"
    case .caseWhen(let expression):
      return "CASE " + expression.branches.map { "WHEN \($0.condition) THEN \($0.result)" }.joined(separator: " ")
        + " ELSE \(expression.otherwise) END"
    case .coalesce(let operands, _): return "COALESCE(" + operands.map(\.description).joined(separator: ", ") + ")"
    case .inList(let list):
      return "(\(list.value) IN (" + list.items.map(\.description).joined(separator: ", ") + "))"
    case .tryCatch(let operand): return "TRY(\(operand))"
    case .field(let operand, let index, _):
      if case .row(let fields) = operand.type, let name = fields[index].name { return "\(operand).\(name)" }
      return "\(operand)[\(index + 1)]"
    case .lambda(let lambda):
      return "(" + lambda.parameters.map(\.name).joined(separator: ", ") + ") -> \(lambda.body)"
    }
  }

  private static let infixOperators: Set<String> = ["+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">="]

  private static func literal(_ value: Scalar, _ type: DataType) -> String {
    switch value {
    case .null: "NULL"
    case .boolean(let flag): flag ? "true" : "false"
    case .integer(let number):
      switch type {
      case .date, .time, .timestamp, .decimal, .intervalDayToSecond, .intervalYearToMonth:
        "\(type) '\(ScalarText.text(value, type))'"
      default: String(number)
      }
    case .int128: "\(type) '\(ScalarText.text(value, type))'"
    case .real(let number): "\(number)"
    case .double(let number): "\(number)"
    case .bytes where type == .varbinary: "X'\(ScalarText.text(value, type))'"
    case .bytes: "'" + (value.stringValue ?? "").replacingQuotes + "'"
    case .array(let items): "ARRAY[\(items.map { literal($0, type.childTypes.first ?? .unknown) }.joined(separator: ", "))]"
    case .map: "MAP(…)"
    case .row(let fields):
      "ROW(\(zip(fields, type.childTypes).map { literal($0, $1) }.joined(separator: ", ")))"
    }
  }
}

extension String {
  fileprivate var replacingQuotes: String {
    split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
  }
}

/// Scalars as text, through the casts to varchar.
package enum ScalarText {
  /// The text `CAST(value AS varchar)` gives, or a raw form where no such cast exists.
  package static func text(_ value: Scalar, _ type: DataType) -> String {
    let column = Column.constant(value, type, count: 1)
    guard let cast = try? ConstantFolding.cast(column, to: .text) else { return "\(value)" }
    return cast.scalar(0).stringValue ?? "NULL"
  }
}
