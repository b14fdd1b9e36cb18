package import Columnar
package import QueryErrors
package import SQLFunctions

/// Evaluates expressions without columns.
package enum ConstantFolding {
  /// The value of an expression that reads no columns.
  ///
  /// - Throws: the error its evaluation gives.
  package static func evaluate(_ expression: Expression, session: SessionContext) throws(QueryError) -> Scalar {
    if case .constant(let value, _) = expression { return value }
    let evaluator = try ExpressionEvaluator([expression], inputs: [], session: session)
    return try evaluator.evaluate(Batch(columns: [], rowCount: 1))[0].scalar(0)
  }

  /// A column cast to another type, in the zone UTC; for messages and printing.
  package static func cast(_ column: Column, to type: DataType) throws(QueryError) -> Column {
    let session = SessionContext(startMicros: 0, timeZone: .utc)
    let reference = ColumnReference(id: ColumnID(0), name: "", type: column.type)
    let evaluator = try ExpressionEvaluator(
      [.cast(CastExpression(.column(reference), to: type))], inputs: [reference], session: session)
    return try evaluator.evaluate(Batch(columns: [column], rowCount: column.count))[0]
  }
}
