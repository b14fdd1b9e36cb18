import QueryErrors

extension Parser {
  /// Parses a type in Trino's or Hive's spelling.
  @inline(never)
  mutating func parseType() throws(Failure) -> TypeSyntax {
    let rule = beginRule("<type>")
    try enter(2)
    let start = index
    var type = try parseBaseType()
    var suffixCount = 0
    while token.keyword == .array {
      suffixCount += 1
      try checkDepth(2 * suffixCount)
      advance()
      if accept(.leftBracket) {
        _ = try parseInteger()
        try expect(.rightBracket)
      }
      type = .array(ArrayTypeSyntax(element: type, range: range(from: start)))
    }
    leave(2)
    endRule(rule)
    return type
  }

  @inline(never)
  private mutating func parseBaseType() throws(Failure) -> TypeSyntax {
    let start = index
    switch token.keyword {
    case .row where peek(1).kind == .leftParenthesis:
      advance()
      let fields = try parseParenthesizedList { (parser: inout Parser) throws(Failure) in try parser.parseRowField() }
      return .row(RowTypeSyntax(fields: fields, range: range(from: start)))
    case .interval where Parser.isIntervalField(peek(1).keyword):
      advance()
      let from = try parseIntervalField()
      let to = accept(.to) ? try parseIntervalField() : nil
      return .interval(IntervalTypeSyntax(from: from, to: to, range: range(from: start)))
    case .timestamp: return try parseDateTimeType(.timestamp)
    case .time: return try parseDateTimeType(.time)
    case .double where peek(1).keyword == .precision:
      index += 2
      let range = range(from: start)
      return .named(NamedTypeSyntax(name: Identifier(name: "double", range: range), range: range))
    case .array where peek(1).kind == .lessThan:
      index += 2
      let element = try parseType()
      try expect(.greaterThan)
      return .array(ArrayTypeSyntax(element: element, range: range(from: start)))
    case .map where peek(1).kind == .lessThan:
      index += 2
      let key = try parseType()
      try expect(.comma)
      let value = try parseType()
      try expect(.greaterThan)
      return .map(MapTypeSyntax(key: key, value: value, range: range(from: start)))
    default: return try parseNamedType()
    }
  }

  @inline(never)
  private mutating func parseNamedType() throws(Failure) -> TypeSyntax {
    let start = index
    let name = try parseIdentifier()
    if name.canonicalName == "uniontype", token.kind == .lessThan { throw failNotSupported("The type uniontype", at: name.range) }
    if name.canonicalName == "struct", accept(.lessThan) {
      var fields: [RowTypeFieldSyntax] = []
      repeat {
        let fieldStart = index
        let fieldName = try parseStructFieldName()
        try expect(.colon)
        let type = try parseType()
        let comment = accept(.comment) ? try parseString() : nil
        fields.append(
          RowTypeFieldSyntax(name: fieldName, type: type, comment: comment, range: range(from: fieldStart)))
      } while accept(.comma)
      try expect(.greaterThan)
      return .row(RowTypeSyntax(fields: fields, range: range(from: start)))
    }
    guard token.kind == .leftParenthesis else {
      return .named(NamedTypeSyntax(name: name, range: range(from: start)))
    }
    let parameters = try parseParenthesizedList { (parser: inout Parser) throws(Failure) -> TypeParameterSyntax in
      if parser.token.kind == .integer { return .integer(try parser.parseInteger()) }
      parser.record("<integer>")
      return .type(try parser.parseType())
    }
    let range = range(from: start)
    if name.canonicalName == "array", parameters.count == 1, case .type(let element) = parameters[0] {
      return .array(ArrayTypeSyntax(element: element, range: range))
    }
    if name.canonicalName == "map", parameters.count == 2, case .type(let key) = parameters[0],
      case .type(let value) = parameters[1]
    {
      return .map(MapTypeSyntax(key: key, value: value, range: range))
    }
    return .named(NamedTypeSyntax(name: name, parameters: parameters, range: range))
  }

  /// A struct's field may have any name, reserved words and leading digits included.
  @inline(never)
  private mutating func parseStructFieldName() throws(Failure) -> Identifier {
    let token = self.token
    if token.kind == .word || token.kind == .digitIdentifier || token.kind == .integer {
      advance()
      return Identifier(name: string(of: token), range: token.range)
    }
    return try parseIdentifier()
  }

  @inline(never)
  private mutating func parseDateTimeType(_ base: DateTimeTypeSyntax.Base) throws(Failure) -> TypeSyntax {
    let start = index
    advance()
    var precision: Int64?
    if accept(.leftParenthesis) {
      precision = try parseInteger()
      try expect(.rightParenthesis)
    }
    var isWithTimeZone = false
    if peek(1).keyword == .time, token.keyword == .with || token.keyword == .without {
      isWithTimeZone = token.keyword == .with
      index += 2
      try expect(.zone)
    } else {
      record("'WITH'")
      record("'WITHOUT'")
    }
    return .dateTime(
      DateTimeTypeSyntax(base: base, precision: precision, isWithTimeZone: isWithTimeZone, range: range(from: start)))
  }

  /// Parses `name type` or `type` in a row type.
  @inline(never)
  private mutating func parseRowField() throws(Failure) -> RowTypeFieldSyntax {
    let start = index
    var name: Identifier?
    if !isAtUnnamedRowField { name = try parseIdentifier() }
    let type = try parseType()
    return RowTypeFieldSyntax(name: name, type: type, comment: nil, range: range(from: start))
  }

  /// Whether what follows is a type alone, without a field name before it.
  private var isAtUnnamedRowField: Bool {
    let next = peek(1)
    switch next.kind {
    case .comma, .rightParenthesis, .leftParenthesis, .lessThan: return true
    default: break
    }
    switch (token.keyword, next.keyword) {
    case (.double, .precision): return peek(2).kind == .comma || peek(2).kind == .rightParenthesis
    case (.time, .with), (.time, .without), (.timestamp, .with), (.timestamp, .without): return true
    case (.interval, let field): if Parser.isIntervalField(field) { return true }
    default: break
    }
    guard next.keyword == .array else { return false }
    let afterArray = peek(2)
    return afterArray.kind == .comma || afterArray.kind == .rightParenthesis || afterArray.kind == .leftBracket
      || afterArray.keyword == .array
  }

  static func isIntervalField(_ keyword: Keyword?) -> Bool {
    switch keyword {
    case .year, .month, .day, .hour, .minute, .second: true
    default: false
    }
  }
}
