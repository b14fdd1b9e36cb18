import Columnar
import QueryErrors
import SQLExpressions
import SQLFunctions
import SQLSyntax

extension Binder {
  func bindLiteral(_ literal: LiteralSyntax) throws(QueryError) -> Expression {
    switch literal.value {
    case .null: return .null(.unknown)
    case .boolean(let value): return .constant(.boolean(value), .boolean)
    case .integer(let value): return .constant(.integer(value), Int32(exactly: value) != nil ? .integer : .bigint)
    case .decimal(let text): return try decimal(text, at: literal.range)
    case .double(let text):
      guard let value = Double(text) else {
        throw QueryError(.invalidLiteral, "Invalid numeric literal: \(text)", at: literal.range)
      }
      return .constant(.double(value), .double)
    case .string(let text): return .constant(.string(text), .varchar(length: text.unicodeScalars.count))
    case .binary(let bytes): return .constant(.bytes(bytes), .varbinary)
    case .typed(let type, let text): return try typedLiteral(type, text, at: literal.range)
    case .interval(let interval): return try self.interval(interval)
    }
  }

  /// A decimal constant; precision and scale are those of its digits, leading zeros aside.
  private func decimal(_ text: String, at range: SourceRange) throws(QueryError) -> Expression {
    func invalid() -> QueryError {
      QueryError(.invalidLiteral, "'\(text)' is not a valid DECIMAL literal", at: range)
    }
    var bytes = Array(text.utf8)[...]
    var isNegative = false
    if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      isNegative = first == UInt8(ascii: "-")
      bytes = bytes.dropFirst()
    }
    var value: Int128 = 0
    var digits = 0
    var scale = 0
    var sawPoint = false
    var sawDigit = false
    for byte in bytes {
      if byte == UInt8(ascii: ".") {
        if sawPoint { throw invalid() }
        sawPoint = true
        continue
      }
      if byte == UInt8(ascii: "_") { continue }
      guard byte >= 0x30, byte <= 0x39 else { throw invalid() }
      sawDigit = true
      if sawPoint { scale += 1 }
      if digits > 0 || byte != 0x30 || sawPoint { digits += 1 }
      guard digits <= 38 else {
        throw QueryError(.invalidLiteral, "Invalid DECIMAL literal: precision exceeds 38 digits: \(text)", at: range)
      }
      value = value &* 10 &+ Int128(byte - 0x30)
    }
    guard sawDigit else { throw invalid() }
    let precision = max(1, digits)
    return .constant(
      Binder.decimalScalar(isNegative ? -value : value, precision: precision),
      .decimal(precision: precision, scale: scale))
  }

  static func decimalScalar(_ value: Int128, precision: Int) -> Scalar {
    precision <= DataType.maxShortDecimalPrecision ? .integer(Int64(truncatingIfNeeded: value)) : .int128(value)
  }

  /// `DATE '2024-01-01'` and its like.
  private func typedLiteral(_ syntax: TypeSyntax, _ text: String, at range: SourceRange) throws(QueryError) -> Expression {
    var title: String
    let isBare: Bool
    switch syntax {
    case .named(let named): isBare = named.parameters.isEmpty
    case .dateTime(let dateTime): isBare = dateTime.precision == nil && !dateTime.isWithTimeZone
    default: isBare = false
    }
    let type = try TypeBinder.bind(syntax)
    title = type.description.uppercased()
    if isBare {
      switch type {
      case .decimal: return try decimal(text.trimmed, at: range)
      case .char: return .constant(.string(text), .char(length: text.unicodeScalars.count))
      case .varchar: return .constant(.string(text), type)
      case .time, .timestamp:
        let isTime = if case .time = type { true } else { false }
        title = isTime ? "TIME" : "TIMESTAMP"
        let literal: (type: DataType, value: Scalar)?
        do throws(QueryError) {
          literal = isTime ? try LiteralValues.time(text) : try LiteralValues.timestamp(text)
        } catch { throw error.located(at: range) }
        guard let literal else {
          throw QueryError(.invalidLiteral, "'\(text)' is not a valid \(title) literal", at: range)
        }
        return .constant(literal.value, literal.type)
      case .json:
        let parsed = try call("json_parse", [.constant(.string(text), .text)], at: range)
        do throws(QueryError) {
          return .constant(try ConstantFolding.evaluate(parsed, session: session), .json)
        } catch {
          throw QueryError(.invalidLiteral, "'\(text)' is not a valid JSON literal", at: range)
        }
      default: break
      }
    }
    let source = Expression.constant(.string(text), .text)
    guard CastRegistry.canCast(.text, to: type) else {
      throw QueryError(.invalidLiteral, "No literal form for type \(type)", at: range)
    }
    do throws(QueryError) {
      let value = try ConstantFolding.evaluate(.cast(CastExpression(source, to: type)), session: session)
      return .constant(value, type)
    } catch {
      throw QueryError(.invalidLiteral, "'\(text)' is not a valid \(title) literal", at: range)
    }
  }

  // MARK: Intervals

  private func interval(_ literal: IntervalLiteralSyntax) throws(QueryError) -> Expression {
    func invalid() -> QueryError {
      QueryError(.invalidLiteral, "'\(literal.text)' is not a valid INTERVAL literal", at: literal.range)
    }
    let isYearMonth = literal.from == .year || literal.from == .month
    let fields: [IntervalField] = isYearMonth ? [.year, .month] : [.day, .hour, .minute, .second]
    guard let first = fields.firstIndex(of: literal.from), let last = fields.firstIndex(of: literal.to ?? literal.from),
      first <= last
    else {
      throw QueryError(
        .invalidLiteral,
        "Invalid interval qualifier: \(literal.from.rawValue) TO \((literal.to ?? literal.from).rawValue)", at: literal.range)
    }
    let text = literal.text.trimmed
    let units: [IntervalField: IntervalText.Unit] = [
      .year: .year, .month: .month, .day: .day, .hour: .hour, .minute: .minute, .second: .second,
    ]
    guard let unit = units[fields[first]], let end = units[fields[last]],
      let (type, value) = LiteralValues.interval(text, isNegative: literal.isNegative, from: unit, to: end)
    else { throw invalid() }
    return .constant(value, type)
  }

  // MARK: Session

  /// `CURRENT_TIMESTAMP` and its like: constants of the query.
  func bindCurrentTime(_ syntax: CurrentTimeSyntax) throws(QueryError) -> Expression {
    let precision = Int(clamping: syntax.precision ?? 3)
    guard (0...12).contains(precision) else {
      throw QueryError(
        .invalidFunctionArgument, "\(syntax.function.rawValue) precision must be in range [0, 12]: \(precision)",
        at: syntax.range)
    }
    let target: DataType =
      switch syntax.function {
      case .currentDate: .date
      case .currentTime: .timeWithTimeZone(precision: precision)
      case .currentTimestamp: .timestampWithTimeZone(precision: precision)
      case .localTime: .time(precision: precision)
      case .localTimestamp: .timestamp(precision: precision)
      }
    let now = Expression.constant(
      .int128(ZonedTimestamp.pack(utcPicos: Int128(session.startMicros) * 1_000_000, session.timeZone)),
      .timestampWithTimeZone(precision: 6))
    if target == now.type { return now }
    let value = try ConstantFolding.evaluate(.cast(CastExpression(now, to: target)), session: session)
    return .constant(value, target)
  }

  func bindCurrentName(_ syntax: CurrentNameSyntax) -> Expression {
    let text =
      switch syntax.function {
      case .user: session.user
      case .catalog: session.catalog
      case .schema: session.database
      case .path: ""
      }
    return .constant(.string(text), .text)
  }

  // MARK: Coercion

  /// The expression as `type`; constants are converted at once where that cannot fail.
  func coerced(_ expression: Expression, to type: DataType) -> Expression {
    if expression.type == type { return expression }
    guard case .constant(let value, let from) = expression else { return expression.coerced(to: type) }
    switch (value, from, type) {
    case (.null, _, _): return .constant(.null, type)
    case (.integer(let number), _, _) where from.isInteger:
      switch type {
      case .tinyint, .smallint, .integer, .bigint:
        return TypeCoercion.canCoerce(from, to: type) ? .constant(value, type) : expression.coerced(to: type)
      case .double: return .constant(.double(Double(number)), type)
      case .decimal(let precision, let scale):
        if let scaled = Binder.rescale(Int128(number), by: scale), Binder.fits(scaled, precision) {
          return .constant(Binder.decimalScalar(scaled, precision: precision), type)
        }
        return expression.coerced(to: type)
      default: return expression.coerced(to: type)
      }
    case (_, .decimal(_, let scale), .decimal(let precision, let newScale)) where newScale >= scale:
      let unscaled: Int128
      switch value {
      case .integer(let number): unscaled = Int128(number)
      case .int128(let number): unscaled = number
      default: return expression.coerced(to: type)
      }
      if let scaled = Binder.rescale(unscaled, by: newScale - scale), Binder.fits(scaled, precision) {
        return .constant(Binder.decimalScalar(scaled, precision: precision), type)
      }
      return expression.coerced(to: type)
    case (.bytes, .varchar(let a), .varchar(let b)):
      guard b == nil || (a != nil && a! <= b!) else { return expression.coerced(to: type) }
      return .constant(value, type)
    default: return expression.coerced(to: type)
    }
  }

  private static func rescale(_ value: Int128, by digits: Int) -> Int128? {
    var value = value
    for _ in 0..<digits {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
    }
    return value
  }

  private static func fits(_ value: Int128, _ precision: Int) -> Bool {
    var limit: Int128 = 1
    for _ in 0..<min(precision, 38) { limit *= 10 }
    return value < limit && value > -limit
  }

  /// The expression as `type` when it coerces.
  ///
  /// - Throws: `TYPE_MISMATCH` with the message that `message` makes of the actual type.
  func coerce(
    _ expression: Expression, to type: DataType, at range: SourceRange, _ message: (DataType) -> String
  ) throws(QueryError) -> Expression {
    guard TypeCoercion.canCoerce(expression.type, to: type) else {
      throw QueryError(.typeMismatch, message(expression.type), at: range)
    }
    return coerced(expression, to: type)
  }

  /// All expressions as their common super type.
  ///
  /// - Parameter what: names them in the message: "CASE results".
  func unified(
    _ expressions: [Expression], _ syntax: [ExpressionSyntax], what: String
  ) throws(QueryError) -> (expressions: [Expression], type: DataType) {
    guard var type = expressions.first?.type else { return ([], .unknown) }
    for (index, expression) in expressions.enumerated() where expression.type != type {
      guard let common = TypeCoercion.commonSuperType(type, expression.type) else {
        var types: [String] = []
        for expression in expressions where !types.contains(expression.type.description) {
          types.append(expression.type.description)
        }
        throw QueryError(
          .typeMismatch,
          "\(what) must be the same type or coercible to a common type. Cannot find common type between \(type) and "
            + "\(expression.type), all types (without duplicates): [\(types.joined(separator: ", "))]",
          at: index < syntax.count ? syntax[index].errorRange : nil)
      }
      type = common
    }
    return (expressions.map { coerced($0, to: type) }, type)
  }
}

extension String {
  /// Without spaces around.
  var trimmed: String {
    var text = self[...]
    while text.first == " " { text = text.dropFirst() }
    while text.last == " " { text = text.dropLast() }
    return String(text)
  }
}
