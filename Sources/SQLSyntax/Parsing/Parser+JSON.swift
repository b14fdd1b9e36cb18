import QueryErrors

extension Parser {
  // MARK: Pieces

  /// Parses `input, 'path' [AS name] [PASSING …]`.
  @inline(never)
  mutating func parseJSONPathInvocation() throws(Failure) -> JSONPathInvocationSyntax {
    let input = try parseJSONInput()
    try expect(.comma)
    let path = try parseString()
    let pathName = accept(.as) ? try parseIdentifier() : nil
    var arguments: [JSONArgumentSyntax] = []
    if accept(.passing) {
      arguments = try parseList { (parser: inout Parser) throws(Failure) -> JSONArgumentSyntax in
        let value = try parser.parseJSONInput()
        try parser.expect(.as)
        return JSONArgumentSyntax(value: value, name: try parser.parseIdentifier())
      }
    }
    return JSONPathInvocationSyntax(input: input, path: path, pathName: pathName, arguments: arguments)
  }

  @inline(never)
  private mutating func parseJSONInput() throws(Failure) -> JSONInputSyntax {
    let value = try parseExpression()
    return JSONInputSyntax(value: value, format: try parseJSONFormat())
  }

  /// Parses `FORMAT JSON [ENCODING …]`, if it is next.
  @inline(never)
  private mutating func parseJSONFormat() throws(Failure) -> JSONFormatSyntax? {
    guard accept(.format) else { return nil }
    try expect(.json)
    guard accept(.encoding) else { return .json }
    if accept(.utf8) { return .utf8 }
    if accept(.utf16) { return .utf16 }
    try expect(.utf32)
    return .utf32
  }

  @inline(never)
  private mutating func parseReturning() throws(Failure) -> (type: TypeSyntax?, format: JSONFormatSyntax?) {
    guard accept(.returning) else { return (nil, nil) }
    let type = try parseType()
    return (type, try parseJSONFormat())
  }

  @inline(never)
  private mutating func parseJSONValueBehavior() throws(Failure) -> JSONValueBehavior? {
    if accept(.error) { return .error }
    if accept(.null) { return .null }
    return accept(.default) ? .default(try parseExpression()) : nil
  }

  @inline(never)
  private mutating func parseJSONQueryBehavior() throws(Failure) -> JSONQueryBehavior? {
    if accept(.error) { return .error }
    if accept(.null) { return .null }
    guard accept(.empty) else { return nil }
    if accept(.array) { return .emptyArray }
    try expect(.object)
    return .emptyObject
  }

  /// Parses `[behavior ON EMPTY] [behavior ON ERROR]`.
  @inline(never)
  private mutating func parseBehaviors<Behavior>(
    _ behavior: (inout Parser) throws(Failure) -> Behavior?
  ) throws(Failure) -> (onEmpty: Behavior?, onError: Behavior?) {
    guard let first = try behavior(&self) else { return (nil, nil) }
    try expect(.on)
    if accept(.error) { return (nil, first) }
    try expect(.empty)
    guard let second = try behavior(&self) else { return (first, nil) }
    try expect(.on, .error)
    return (first, second)
  }

  @inline(never)
  private mutating func parseWrapper() throws(Failure) -> JSONWrapper? {
    let wrapper: JSONWrapper
    if accept(.without) {
      wrapper = .without
    } else if accept(.with) {
      if accept(.conditional) {
        wrapper = .conditional
      } else {
        _ = accept(.unconditional)
        wrapper = .unconditional
      }
    } else {
      return nil
    }
    _ = accept(.array)
    try expect(.wrapper)
    return wrapper
  }

  @inline(never)
  private mutating func parseQuotes() throws(Failure) -> JSONQuotesSyntax? {
    let isKeep = accept(.keep)
    guard isKeep || accept(.omit) else { return nil }
    try expect(.quotes)
    var isOnScalarString = false
    if accept(.on) {
      try expect(.scalar, .string)
      isOnScalarString = true
    }
    return JSONQuotesSyntax(isKeep: isKeep, isOnScalarString: isOnScalarString)
  }

  // MARK: Expressions

  @inline(never)
  mutating func parseJSONExists() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    try expect(.leftParenthesis)
    let path = try parseJSONPathInvocation()
    var onError: JSONExistsSyntax.ErrorBehavior?
    if accept(.true) {
      onError = .true
    } else if accept(.false) {
      onError = .false
    } else if accept(.unknown) {
      onError = .unknown
    } else if accept(.error) {
      onError = .error
    }
    if onError != nil { try expect(.on, .error) }
    try expect(.rightParenthesis)
    return .jsonExists(JSONExistsSyntax(path: path, onError: onError, range: range(from: start)))
  }

  @inline(never)
  mutating func parseJSONValue() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    try expect(.leftParenthesis)
    let path = try parseJSONPathInvocation()
    let returning = accept(.returning) ? try parseType() : nil
    let (onEmpty, onError) = try parseBehaviors { (parser: inout Parser) throws(Failure) in
      try parser.parseJSONValueBehavior()
    }
    try expect(.rightParenthesis)
    return .jsonValue(
      JSONValueSyntax(path: path, returning: returning, onEmpty: onEmpty, onError: onError, range: range(from: start)))
  }

  @inline(never)
  mutating func parseJSONQuery() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    try expect(.leftParenthesis)
    let path = try parseJSONPathInvocation()
    let returning = try parseReturning()
    let wrapper = try parseWrapper()
    let quotes = try parseQuotes()
    let (onEmpty, onError) = try parseBehaviors { (parser: inout Parser) throws(Failure) in
      try parser.parseJSONQueryBehavior()
    }
    try expect(.rightParenthesis)
    return .jsonQuery(
      JSONQuerySyntax(
        path: path, returning: returning.type, returningFormat: returning.format, wrapper: wrapper, quotes: quotes,
        onEmpty: onEmpty, onError: onError, range: range(from: start)))
  }

  @inline(never)
  mutating func parseJSONObject() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    try expect(.leftParenthesis)
    var members: [JSONObjectMemberSyntax] = []
    var isAbsentOnNull = false
    var isUniqueKeys = false
    if !isAt(.rightParenthesis), !isAtReturning {
      members = try parseList { (parser: inout Parser) throws(Failure) in try parser.parseJSONMember() }
      isAbsentOnNull = try parseNullTreatment() == .absent
      if isAt(.with) || isAt(.without) {
        isUniqueKeys = token.keyword == .with
        advance()
        try expect(.unique)
        _ = accept(.keys)
      }
    }
    let returning = try parseReturning()
    try expect(.rightParenthesis)
    return .jsonObject(
      JSONObjectSyntax(
        members: members, isAbsentOnNull: isAbsentOnNull, isUniqueKeys: isUniqueKeys, returning: returning.type,
        returningFormat: returning.format, range: range(from: start)))
  }

  /// Whether RETURNING and a type come next, and not a column named returning.
  private var isAtReturning: Bool {
    token.keyword == .returning && (peek(1).kind == .word || peek(1).kind == .quotedIdentifier)
      && peek(1).keyword != .value
  }

  @inline(never)
  private mutating func parseJSONMember() throws(Failure) -> JSONObjectMemberSyntax {
    if isAt(.key), !isOperatorAfterName(peek(1)) {
      advance()
      let key = try parseExpression()
      try expect(.value)
      return JSONObjectMemberSyntax(key: key, value: try parseJSONInput())
    }
    let key = try parseExpression()
    if !accept(.value) { try expect(.colon) }
    return JSONObjectMemberSyntax(key: key, value: try parseJSONInput())
  }

  /// Whether the token shows that the word before it is a column's name.
  private func isOperatorAfterName(_ token: Token) -> Bool {
    switch token.kind {
    case .colon, .dot, .concatenation, .leftBracket, .endOfText: true
    default: token.keyword == .value
    }
  }

  private enum NullBehavior { case null, absent }

  @inline(never)
  private mutating func parseNullTreatment() throws(Failure) -> NullBehavior? {
    let behavior: NullBehavior
    if accept(.null) {
      behavior = .null
    } else if accept(.absent) {
      behavior = .absent
    } else {
      return nil
    }
    try expect(.on, .null)
    return behavior
  }

  @inline(never)
  mutating func parseJSONArray() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    try expect(.leftParenthesis)
    var elements: [JSONInputSyntax] = []
    var isNullOnNull = false
    if !isAt(.rightParenthesis), !isAtReturning {
      elements = try parseList { (parser: inout Parser) throws(Failure) in try parser.parseJSONInput() }
      isNullOnNull = try parseNullTreatment() == .null
    }
    let returning = try parseReturning()
    try expect(.rightParenthesis)
    return .jsonArray(
      JSONArraySyntax(
        elements: elements, isNullOnNull: isNullOnNull, returning: returning.type, returningFormat: returning.format,
        range: range(from: start)))
  }

  // MARK: JSON_TABLE

  @inline(never)
  mutating func parseJSONTable() throws(Failure) -> RelationSyntax {
    let start = index
    try expect(.jsonTable)
    try expect(.leftParenthesis)
    let path = try parseJSONPathInvocation()
    let columns = try parseJSONTableColumns()
    var plan: JSONTablePlanSyntax?
    if accept(.plan) {
      if isAt(.default), peek(1).kind == .leftParenthesis {
        advance()
        plan = try parseDefaultPlan()
      } else {
        try expect(.leftParenthesis)
        plan = try parsePlan()
        try expect(.rightParenthesis)
      }
    }
    var isErrorOnError: Bool?
    if isAt(.error) || isAt(.empty) {
      isErrorOnError = token.keyword == .error
      advance()
      try expect(.on, .error)
    }
    try expect(.rightParenthesis)
    return .jsonTable(
      JSONTableSyntax(
        path: path, columns: columns, plan: plan, isErrorOnError: isErrorOnError, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseJSONTableColumns() throws(Failure) -> [JSONTableColumnSyntax] {
    try enter(2)
    try expect(.columns)
    let columns = try parseParenthesizedList { (parser: inout Parser) throws(Failure) in
      try parser.parseJSONTableColumn()
    }
    leave(2)
    return columns
  }

  @inline(never)
  private mutating func parseJSONTableColumn() throws(Failure) -> JSONTableColumnSyntax {
    if isAt(.nested), peek(1).keyword == .path || peek(1).kind == .string || peek(1).kind == .unicodeString {
      advance()
      _ = accept(.path)
      let path = try parseString()
      let pathName = accept(.as) ? try parseIdentifier() : nil
      let columns = try parseJSONTableColumns()
      return .nested(JSONTableNestedColumnsSyntax(path: path, pathName: pathName, columns: columns))
    }
    let name = try parseIdentifier()
    if accept(.for) {
      try expect(.ordinality)
      return .ordinality(name)
    }
    let type = try parseType()
    if let format = try parseJSONFormat() {
      let path = accept(.path) ? try parseString() : nil
      let wrapper = try parseWrapper()
      let quotes = try parseQuotes()
      let (onEmpty, onError) = try parseBehaviors { (parser: inout Parser) throws(Failure) in
        try parser.parseJSONQueryBehavior()
      }
      return .query(
        JSONTableQueryColumnSyntax(
          name: name, type: type, format: format, path: path, wrapper: wrapper, quotes: quotes, onEmpty: onEmpty,
          onError: onError))
    }
    let path = accept(.path) ? try parseString() : nil
    let (onEmpty, onError) = try parseBehaviors { (parser: inout Parser) throws(Failure) in
      try parser.parseJSONValueBehavior()
    }
    return .value(JSONTableValueColumnSyntax(name: name, type: type, path: path, onEmpty: onEmpty, onError: onError))
  }

  @inline(never)
  private mutating func parsePlan() throws(Failure) -> JSONTablePlanSyntax {
    try enter(2)
    let first = try parsePlanPrimary()
    var plan = first
    if case .leaf(let parent) = first, isAt(.outer) || isAt(.inner) {
      let isOuter = token.keyword == .outer
      advance()
      plan = .join(parent: parent, isOuter: isOuter, child: try parsePlanPrimary())
    } else if isAt(.union) {
      var parts = [first]
      while accept(.union) { parts.append(try parsePlanPrimary()) }
      plan = .union(parts)
    } else if isAt(.cross) {
      var parts = [first]
      while accept(.cross) { parts.append(try parsePlanPrimary()) }
      plan = .cross(parts)
    }
    leave(2)
    return plan
  }

  @inline(never)
  private mutating func parsePlanPrimary() throws(Failure) -> JSONTablePlanSyntax {
    guard accept(.leftParenthesis) else { return .leaf(try parseIdentifier()) }
    let plan = try parsePlan()
    try expect(.rightParenthesis)
    return plan
  }

  @inline(never)
  private mutating func parseDefaultPlan() throws(Failure) -> JSONTablePlanSyntax {
    try expect(.leftParenthesis)
    var isOuter: Bool?
    var isUnion: Bool?
    repeat {
      if isOuter == nil, isAt(.outer) || isAt(.inner) {
        isOuter = token.keyword == .outer
      } else if isUnion == nil, isAt(.union) || isAt(.cross) {
        isUnion = token.keyword == .union
      } else {
        throw Failure()
      }
      advance()
    } while accept(.comma)
    try expect(.rightParenthesis)
    return .default(isOuter: isOuter ?? true, isUnion: isUnion ?? true)
  }
}
