/// How tightly an expression's outermost operator binds.
private enum Precedence: Int, Comparable {
  case lambda, or, and, not, predicate, concatenation, sum, product, sign, atTimeZone, primary

  static func < (left: Precedence, right: Precedence) -> Bool { left.rawValue < right.rawValue }

  init(_ expression: ExpressionSyntax) {
    switch expression {
    case .lambda: self = .lambda
    case .logical(let node): self = node.operator == .or ? .or : .and
    case .not: self = .not
    case .comparison, .isNull, .isDistinctFrom, .between, .inList, .inSubquery, .quantifiedComparison, .like:
      self = .predicate
    case .concatenation: self = .concatenation
    case .arithmetic(let node): self = node.terms[0].operator.isMultiplicative ? .product : .sum
    case .unary: self = .sign
    case .atTimeZone: self = .atTimeZone
    default: self = .primary
    }
  }
}

extension SQLFormatter {
  /// Writes an expression in parentheses when it binds less tightly than its place demands.
  private mutating func write(_ expression: ExpressionSyntax, atLeast precedence: Precedence) {
    if Precedence(expression) < precedence {
      text += "("
      write(expression)
      text += ")"
    } else {
      write(expression)
    }
  }

  /// Writes a predicate's left operand and a blank; nothing for the operand of a CASE.
  private mutating func writeOperand(_ expression: ExpressionSyntax) {
    if case .caseOperand = expression { return }
    write(expression, atLeast: .concatenation)
    text += " "
  }

  /// Writes what a dot or bracket may follow.
  private mutating func writeBase(_ expression: ExpressionSyntax) {
    if case .literal(let literal) = expression {
      switch literal.value {
      case .integer, .decimal, .double:
        text += "("
        write(expression)
        text += ")"
        return
      default: break
      }
    }
    write(expression, atLeast: .primary)
  }

  mutating func write(_ expression: ExpressionSyntax) {
    switch expression {
    case .literal(let node): write(node.value)
    case .identifier(let node): write(node)
    case .dereference(let node):
      writeBase(node.base)
      text += "."
      write(node.field)
    case .parameter: text += "?"
    case .unary(let node): write(node)
    case .arithmetic(let node): write(node)
    case .concatenation(let node):
      writeList(node.operands, separator: " || ") { $0.write($1, atLeast: .sum) }
    case .comparison(let node):
      writeOperand(node.left)
      text += node.operator.rawValue + " "
      write(node.right, atLeast: .concatenation)
    case .logical(let node):
      let least: Precedence = node.operator == .or ? .and : .not
      writeList(node.operands, separator: " \(node.operator.rawValue) ") { $0.write($1, atLeast: least) }
    case .not(let node):
      text += "NOT "
      write(node.operand, atLeast: .not)
    case .isNull(let node):
      writeOperand(node.operand)
      text += node.isNegated ? "IS NOT NULL" : "IS NULL"
    case .isDistinctFrom(let node):
      writeOperand(node.left)
      text += node.isNegated ? "IS NOT DISTINCT FROM " : "IS DISTINCT FROM "
      write(node.right, atLeast: .concatenation)
    case .between(let node):
      writeOperand(node.operand)
      text += node.isNegated ? "NOT BETWEEN " : "BETWEEN "
      write(node.low, atLeast: .concatenation)
      text += " AND "
      write(node.high, atLeast: .concatenation)
    case .inList(let node):
      writeOperand(node.operand)
      text += node.isNegated ? "NOT IN (" : "IN ("
      writeExpressions(node.list)
      text += ")"
    case .inSubquery(let node):
      writeOperand(node.operand)
      text += node.isNegated ? "NOT IN " : "IN "
      writeParenthesized(node.query)
    case .exists(let node):
      text += "EXISTS "
      writeParenthesized(node.query)
    case .quantifiedComparison(let node):
      writeOperand(node.operand)
      text += "\(node.operator.rawValue) \(node.quantifier.rawValue) "
      writeParenthesized(node.query)
    case .like(let node):
      writeOperand(node.operand)
      text += node.isNegated ? "NOT LIKE " : "LIKE "
      write(node.pattern, atLeast: .concatenation)
      if let escape = node.escape {
        text += " ESCAPE "
        write(escape, atLeast: .concatenation)
      }
    case .subquery(let node): writeParenthesized(node.query)
    case .case(let node): write(node)
    case .caseOperand: break
    case .cast(let node):
      text += node.isTry ? "TRY_CAST(" : "CAST("
      write(node.operand)
      text += " AS "
      write(node.type)
      text += ")"
    case .extract(let node):
      text += "EXTRACT(\(node.field.rawValue) FROM "
      write(node.operand, atLeast: .concatenation)
      text += ")"
    case .atTimeZone(let node):
      write(node.operand, atLeast: .atTimeZone)
      if case .functionCall = node.zone {
        text += " AT LOCAL"
      } else {
        text += " AT TIME ZONE "
        write(node.zone)
      }
    case .currentTime(let node):
      text += node.function.rawValue
      if let precision = node.precision { text += "(\(precision))" }
    case .currentName(let node): text += node.function.rawValue
    case .row(let node):
      text += "ROW("
      writeList(node.fields) { formatter, field in
        formatter.write(field.value)
        if let name = field.name {
          formatter.write(" AS ")
          formatter.write(name)
        }
      }
      text += ")"
    case .array(let node):
      text += "ARRAY["
      writeExpressions(node.elements)
      text += "]"
    case .subscript(let node):
      writeBase(node.base)
      text += "["
      if let index = node.index { write(index, atLeast: .concatenation) } else { text += "*" }
      text += "]"
    case .lambda(let node):
      if node.parameters.count == 1 {
        write(node.parameters[0])
      } else {
        writeNames(node.parameters)
      }
      text += " -> "
      write(node.body)
    case .functionCall(let node): write(node)
    case .measure(let node):
      write(node.name)
      text += " OVER "
      write(node.over)
    case .grouping(let node):
      text += "GROUPING("
      writeExpressions(node.columns)
      text += ")"
    case .jsonExists(let node):
      text += "JSON_EXISTS("
      write(node.path)
      if let onError = node.onError { text += " \(onError.rawValue) ON ERROR" }
      text += ")"
    case .jsonValue(let node): write(node)
    case .jsonQuery(let node): write(node)
    case .jsonObject(let node): write(node)
    case .jsonArray(let node): write(node)
    }
  }

  mutating func write(_ value: LiteralValue) {
    switch value {
    case .null: text += "NULL"
    case .boolean(let value): text += value ? "TRUE" : "FALSE"
    case .integer(let value): text += String(value)
    case .decimal(let digits), .double(let digits): text += digits
    case .string(let value): writeString(value)
    case .binary(let bytes):
      text += "X'"
      for byte in bytes { text += (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }
      text += "'"
    case .typed(let type, let value):
      if case .dateTime(let type) = type {
        text += type.base.rawValue.uppercased()
      } else if case .named(let type) = type {
        if type.name.isDelimited { write(type.name) } else { text += type.name.name.uppercased() }
      } else {
        write(type)
      }
      text += " "
      writeString(value)
    case .interval(let interval):
      text += interval.isNegative ? "INTERVAL -" : "INTERVAL "
      writeString(interval.text)
      text += " " + interval.from.rawValue
      if let to = interval.to { text += " TO " + to.rawValue }
    }
  }

  private mutating func write(_ node: UnarySyntax) {
    text += node.operator.rawValue
    // `-1` is a literal and `--` a comment, so the operand of a sign keeps its distance.
    switch node.operand {
    case .literal:
      text += "("
      write(node.operand)
      text += ")"
    case .unary:
      text += " "
      write(node.operand)
    default:
      write(node.operand, atLeast: .atTimeZone)
    }
  }

  private mutating func write(_ node: ArithmeticSyntax) {
    let least: Precedence = node.terms[0].operator.isMultiplicative ? .sign : .product
    write(node.first, atLeast: least)
    for term in node.terms {
      text += " \(term.operator.rawValue) "
      write(term.operand, atLeast: least)
    }
  }

  private mutating func write(_ node: CaseSyntax) {
    text += "CASE"
    if let operand = node.operand {
      text += " "
      write(operand)
    }
    for branch in node.branches {
      text += " WHEN "
      write(branch.condition)
      text += " THEN "
      write(branch.result)
    }
    if let otherwise = node.otherwise {
      text += " ELSE "
      write(otherwise)
    }
    text += " END"
  }
}

// MARK: - Calls

extension SQLFormatter {
  private mutating func write(_ call: FunctionCallSyntax) {
    if let mode = call.processingMode { text += mode.rawValue + " " }
    var arguments = call.arguments[...]
    if call.isMethod, let base = arguments.popFirst() {
      if base.qualifiedName != nil {
        text += "("
        write(base)
        text += ")"
      } else {
        writeBase(base)
      }
      text += "."
    }
    writeFunctionName(call.name)
    text += "("
    if call.isDistinct { text += "DISTINCT " }
    if let label = call.starLabel {
      write(label)
      text += "."
    }
    if call.isStar { text += "*" }
    if isNormalize(call), case .literal(let form) = call.arguments[1], case .string(let name) = form.value {
      write(call.arguments[0], atLeast: .concatenation)
      text += ", " + name
    } else {
      let names = call.argumentNames.suffix(arguments.count)
      for (position, argument) in arguments.enumerated() {
        if position > 0 { text += ", " }
        if !names.isEmpty, let name = names[names.startIndex + position] {
          write(name)
          text += " => "
        }
        write(argument)
      }
    }
    if let listagg = call.listagg {
      write(listagg)
    } else if !call.orderBy.isEmpty {
      if !arguments.isEmpty { text += " " }
      writeOrderBy(call.orderBy)
    }
    text += ")"
    if call.listagg != nil {
      text += " WITHIN GROUP ("
      writeOrderBy(call.orderBy)
      text += ")"
    }
    if let filter = call.filter {
      text += " FILTER (WHERE "
      write(filter)
      text += ")"
    }
    if let treatment = call.nullTreatment { text += " \(treatment.rawValue) NULLS" }
    if let over = call.over {
      text += " OVER "
      write(over)
    }
  }

  private func isNormalize(_ call: FunctionCallSyntax) -> Bool {
    call.name.parts.count == 1 && call.name.last.canonicalName == "normalize" && !call.name.last.isDelimited
      && call.arguments.count == 2
  }

  /// Writes a function's name; the reserved words that call functions stand without quotes.
  private mutating func writeFunctionName(_ name: QualifiedName) {
    if name.parts.count == 1, !name.last.isDelimited,
      ["trim", "normalize", "listagg"].contains(name.last.canonicalName)
    {
      text += name.last.name
    } else {
      write(name)
    }
  }

  private mutating func write(_ listagg: ListaggSyntax) {
    guard case .truncate(let filler, let isCounted) = listagg.overflow else { return }
    text += " ON OVERFLOW TRUNCATE"
    if let filler {
      text += " "
      write(filler)
    }
    text += isCounted ? " WITH COUNT" : " WITHOUT COUNT"
  }

  mutating func write(_ reference: WindowReferenceSyntax) {
    switch reference {
    case .named(let name): write(name)
    case .specification(let specification): write(specification)
    }
  }

  mutating func write(_ specification: WindowSpecificationSyntax) {
    text += "("
    let start = text.utf8.count
    func separator(_ formatter: SQLFormatter) -> String { formatter.text.utf8.count > start ? " " : "" }
    if let name = specification.existingName { write(name) }
    if !specification.partitionBy.isEmpty {
      text += separator(self) + "PARTITION BY "
      writeExpressions(specification.partitionBy)
    }
    if !specification.orderBy.isEmpty {
      text += separator(self)
      writeOrderBy(specification.orderBy)
    }
    if let frame = specification.frame {
      text += separator(self)
      write(frame)
    }
    text += ")"
  }

  private mutating func write(_ frame: WindowFrameSyntax) {
    if let pattern = frame.pattern, !pattern.measures.isEmpty {
      writeMeasures(pattern.measures)
      text += " "
    }
    text += frame.unit.rawValue + " "
    if let end = frame.end {
      text += "BETWEEN "
      write(frame.start)
      text += " AND "
      write(end)
    } else {
      write(frame.start)
    }
    guard let pattern = frame.pattern else { return }
    if let afterMatch = pattern.afterMatch {
      text += " "
      write(afterMatch)
    }
    if let mode = pattern.searchMode { text += " " + mode.rawValue }
    if let rows = pattern.pattern {
      text += " PATTERN ("
      write(rows)
      text += ")"
    }
    if !pattern.subsets.isEmpty {
      text += " "
      writeSubsets(pattern.subsets)
    }
    if !pattern.definitions.isEmpty {
      text += " "
      writeDefinitions(pattern.definitions)
    }
  }

  private mutating func write(_ bound: FrameBoundSyntax) {
    switch bound {
    case .unboundedPreceding: text += "UNBOUNDED PRECEDING"
    case .unboundedFollowing: text += "UNBOUNDED FOLLOWING"
    case .currentRow: text += "CURRENT ROW"
    case .preceding(let offset):
      write(offset)
      text += " PRECEDING"
    case .following(let offset):
      write(offset)
      text += " FOLLOWING"
    }
  }
}

// MARK: - JSON

extension SQLFormatter {
  mutating func write(_ path: JSONPathInvocationSyntax) {
    write(path.input)
    text += ", "
    write(path.path)
    if let name = path.pathName {
      text += " AS "
      write(name)
    }
    if !path.arguments.isEmpty {
      text += " PASSING "
      writeList(path.arguments) { formatter, argument in
        formatter.write(argument.value)
        formatter.write(" AS ")
        formatter.write(argument.name)
      }
    }
  }

  private mutating func write(_ input: JSONInputSyntax) {
    write(input.value)
    if let format = input.format { text += " FORMAT " + format.rawValue }
  }

  private mutating func writeReturning(_ type: TypeSyntax?, _ format: JSONFormatSyntax?) {
    guard let type else { return }
    text += " RETURNING "
    write(type)
    if let format { text += " FORMAT " + format.rawValue }
  }

  mutating func writeBehavior(_ behavior: JSONValueBehavior?, _ condition: String) {
    guard let behavior else { return }
    switch behavior {
    case .error: text += " ERROR"
    case .null: text += " NULL"
    case .default(let value):
      text += " DEFAULT "
      write(value)
    }
    text += " ON " + condition
  }

  mutating func writeBehavior(_ behavior: JSONQueryBehavior?, _ condition: String) {
    if let behavior { text += " \(behavior.rawValue) ON \(condition)" }
  }

  mutating func write(_ quotes: JSONQuotesSyntax) {
    text += (quotes.isKeep ? " KEEP QUOTES" : " OMIT QUOTES") + (quotes.isOnScalarString ? " ON SCALAR STRING" : "")
  }

  private mutating func write(_ node: JSONValueSyntax) {
    text += "JSON_VALUE("
    write(node.path)
    writeReturning(node.returning, nil)
    writeBehavior(node.onEmpty, "EMPTY")
    writeBehavior(node.onError, "ERROR")
    text += ")"
  }

  private mutating func write(_ node: JSONQuerySyntax) {
    text += "JSON_QUERY("
    write(node.path)
    writeReturning(node.returning, node.returningFormat)
    if let wrapper = node.wrapper { text += " \(wrapper.rawValue) WRAPPER" }
    if let quotes = node.quotes { write(quotes) }
    writeBehavior(node.onEmpty, "EMPTY")
    writeBehavior(node.onError, "ERROR")
    text += ")"
  }

  private mutating func write(_ node: JSONObjectSyntax) {
    text += "JSON_OBJECT("
    writeList(node.members) { formatter, member in
      formatter.write("KEY ")
      formatter.write(member.key)
      formatter.write(" VALUE ")
      formatter.write(member.value)
    }
    if !node.members.isEmpty {
      if node.isAbsentOnNull { text += " ABSENT ON NULL" }
      if node.isUniqueKeys { text += " WITH UNIQUE KEYS" }
    }
    writeReturning(node.returning, node.returningFormat)
    text += ")"
  }

  private mutating func write(_ node: JSONArraySyntax) {
    text += "JSON_ARRAY("
    writeList(node.elements) { $0.write($1) }
    if node.isNullOnNull { text += " NULL ON NULL" }
    writeReturning(node.returning, node.returningFormat)
    text += ")"
  }
}
