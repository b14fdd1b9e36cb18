import QueryErrors
import SQLSyntax

/// Questions about an expression's outer form.
enum SyntaxForm {
  /// The value of an integer literal, as ORDER BY 2 has it.
  static func integer(_ expression: ExpressionSyntax) -> Int64? {
    guard case .literal(let literal) = expression, case .integer(let value) = literal.value else { return nil }
    return value
  }
}

extension ExpressionSyntax {
  /// The expression as error messages show it.
  var text: String {
    let text = SQLFormatter.format(self)
    switch self {
    // Trino puts parentheses around operators.
    case .arithmetic, .comparison, .logical, .not, .between, .like, .inList, .isNull, .isDistinctFrom: return "(\(text))"
    default: return text
    }
  }

  /// Where errors about the whole expression point: at its operator when it has one, as in Trino.
  var errorRange: SourceRange {
    switch self {
    case .arithmetic(let node): node.terms[node.terms.count - 1].operatorRange
    case .concatenation(let node): node.operatorRanges.last?.wrappedValue ?? node.range
    case .comparison(let node): node.operatorRange
    case .isNull(let node): node.operatorRange
    case .isDistinctFrom(let node): node.operatorRange
    case .between(let node): node.operatorRange
    case .inList(let node): node.operatorRange
    case .inSubquery(let node): node.operatorRange
    case .quantifiedComparison(let node): node.operatorRange
    case .like(let node): node.operatorRange
    case .atTimeZone(let node): node.operatorRange
    default: range
    }
  }
}
