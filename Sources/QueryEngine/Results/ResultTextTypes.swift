import SQLExpressions
import SQLFunctions

/// Turns columns of a result's texts into the types they had.
final class ResultTextTypes {
  /// Of each column; nil for those that are what they should be.
  private let types: [DataType?]
  /// Casts of the columns that have a cast of their own in SQL.
  private let evaluator: ExpressionEvaluator

  init(_ types: [DataType?]) throws(QueryError) {
    self.types = types
    let inputs = types.indices.map { ColumnReference(id: ColumnID($0), name: "c\($0)", type: .text) }
    let expressions = zip(inputs, types).map { input, type -> Expression in
      guard let type, !ResultTextTypes.isOwn(type) else { return .column(input) }
      return .cast(CastExpression(.column(input), to: type))
    }
    evaluator = try ExpressionEvaluator(expressions, inputs: inputs, session: SessionContext(startMicros: 0, timeZone: .utc))
  }

  /// Types whose text no cast reads as it is meant.
  private static func isOwn(_ type: DataType) -> Bool {
    switch type {
    case .json, .varbinary, .intervalDayToSecond, .intervalYearToMonth: true
    default: type == .text
    }
  }

  func batch(_ texts: Batch) throws(QueryError) -> Batch {
    var columns = try evaluator.evaluate(texts)
    for case (let index, let type?) in types.enumerated() {
      switch type {
      case .json: columns[index] = columns[index].retyped(.json)
      case .varbinary: columns[index] = try values(columns[index], type) { .bytes(ResultTextTypes.bytes($0)) }
      case .intervalDayToSecond, .intervalYearToMonth:
        columns[index] = try values(columns[index], type) { .integer(ResultTextTypes.interval($0)) }
      default: break
      }
    }
    return Batch(columns: columns, rowCount: texts.rowCount)
  }

  private func values(_ column: Column, _ type: DataType, _ value: ([UInt8]) -> Scalar) throws(QueryError) -> Column {
    let builder = ColumnBuilder(type, capacity: column.count)
    let view = column.view
    for row in 0..<column.count {
      if column.isNull(row) {
        builder.appendNull()
        continue
      }
      let text = view.value(row, as: StringView.self).withBytes { Array(UnsafeRawBufferPointer(start: $0, count: $1)) }
      builder.append(value(text))
    }
    return builder.finish()
  }

  /// `31 32 ff`.
  private static func bytes(_ text: [UInt8]) -> [UInt8] {
    text.split(separator: 0x20).map { UInt8(String(decoding: $0, as: UTF8.self), radix: 16) ?? 0 }
  }

  /// Milliseconds of `2 00:00:00.000`, months of `0-3`.
  private static func interval(_ text: [UInt8]) -> Int64 {
    let isNegative = text.first == 0x2d
    let parts = (isNegative ? text.dropFirst() : text[...]).split { [0x20, 0x2d, 0x3a, 0x2e].contains($0) }
      .map { Int64(String(decoding: $0, as: UTF8.self)) ?? 0 }
    let value: Int64 =
      parts.count == 5
      ? (((parts[0] * 24 + parts[1]) * 60 + parts[2]) * 60 + parts[3]) * 1000 + parts[4]
      : parts.count == 2 ? parts[0] * 12 + parts[1] : 0
    return isNegative ? -value : value
  }
}
