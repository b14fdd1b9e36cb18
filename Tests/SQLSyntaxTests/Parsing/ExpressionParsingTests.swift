import QueryErrors
import Testing

@testable import SQLSyntax

@Suite struct ExpressionParsingTests {
  private func parse(_ sql: String) throws -> ExpressionSyntax { try Parser.parseExpression(sql) }

  /// Each pair differs only in parentheses that precedence makes redundant.
  @Test(arguments: [
    ("a OR b AND c", "a OR (b AND c)"),
    ("NOT a AND b", "(NOT a) AND b"),
    ("NOT a = b", "NOT (a = b)"),
    ("a = b OR c < d", "(a = b) OR (c < d)"),
    ("a + b * c", "a + (b * c)"),
    ("a - b - c", "(a) - (b) - (c)"),
    ("a || b + c", "a || (b + c)"),
    ("a = b || c", "a = (b || c)"),
    ("- a * b", "(- a) * b"),
    ("- a AT TIME ZONE 'UTC'", "- (a AT TIME ZONE 'UTC')"),
    ("a BETWEEN 1 AND 2 AND b", "(a BETWEEN 1 AND 2) AND b"),
    ("a LIKE b || c ESCAPE d", "a LIKE (b || c) ESCAPE d"),
    ("a IN (1, 2) OR b", "(a IN (1, 2)) OR b"),
    (
      "a IS NOT NULL AND b IS DISTINCT FROM c + 1",
      "(a IS NOT NULL) AND (b IS DISTINCT FROM (c + 1))"
    ),
    ("x -> x + 1", "x -> (x + 1)"),
    ("a[1].b", "(a[1]).b"),
    ("-a[1]", "-(a[1])"),
  ]) func precedence(plain: String, parenthesized: String) throws {
    #expect(try parse(plain) == parse(parenthesized))
  }

  @Test(arguments: [
    ("(a AND b) AND c", "a AND b AND c"), ("a - (b - c)", "a - b - c"),
    ("(a OR b) AND c", "a OR b AND c"),
    ("-(1)", "-1"), ("(a || b) || c", "a || b || c"), ("ROW(1)", "(1)"), ("a.b", "\"a.b\""),
  ]) func parenthesesMatter(left: String, right: String) throws {
    #expect(try parse(left) != parse(right))
  }

  @Test func chainsAreFlat() throws {
    guard case .arithmetic(let sum) = try parse("1 + 2 - 3 + 4 * 5 / 6") else {
      return #expect(Bool(false))
    }
    #expect(sum.terms.map(\.operator) == [.add, .subtract, .add])
    guard case .arithmetic(let product) = sum.terms[2].operand else { return #expect(Bool(false)) }
    #expect(product.terms.map(\.operator) == [.multiply, .divide])
    guard case .logical(let and) = try parse("a AND b AND c AND d") else {
      return #expect(Bool(false))
    }
    #expect(and.operands.count == 4)
  }

  @Test(arguments: [
    ("1", LiteralValue.integer(1)), ("-9223372036854775808", .integer(.min)), ("- 5", .integer(-5)),
    ("1_000", .integer(1000)), ("0xFF", .integer(255)), ("-0b101", .integer(-5)),
    ("0o17", .integer(15)),
    ("1.50", .decimal("1.50")), (".5", .decimal(".5")), ("-1.", .decimal("-1.")),
    ("1_0.5", .decimal("10.5")),
    ("1e3", .double("1e3")), ("-1.5E-7", .double("-1.5E-7")), ("'it''s'", .string("it's")),
    ("''", .string("")),
    ("U&'\\0041\\+01F600\\\\'", .string("A\u{1F600}\\")), ("U&'a#0042' UESCAPE '#'", .string("aB")),
    ("X'65 ff'", .binary([0x65, 0xFF])), ("NULL", .null), ("TRUE", .boolean(true)),
    ("false", .boolean(false)),
  ]) func literals(sql: String, value: LiteralValue) throws {
    guard case .literal(let literal) = try parse(sql) else { return #expect(Bool(false)) }
    #expect(literal.value == value)
  }

  @Test func typedAndIntervalLiterals() throws {
    guard case .literal(let date) = try parse("DATE '2024-01-02'"),
      case .typed(.named(let type), "2024-01-02") = date.value
    else { return #expect(Bool(false)) }
    #expect(type.name.canonicalName == "date")
    guard case .literal(let time) = try parse("timestamp '2024-01-02'"),
      case .typed(.dateTime(let base), _) = time.value
    else { return #expect(Bool(false)) }
    #expect(base.base == .timestamp)
    #expect(try parse("DOUBLE PRECISION '1'") == parse("double '1'"))
    guard case .literal(let literal) = try parse("INTERVAL - '1-2' YEAR TO MONTH"),
      case .interval(let interval) = literal.value
    else { return #expect(Bool(false)) }
    #expect(
      interval.isNegative && interval.text == "1-2" && interval.from == .year
        && interval.to == .month)
    #expect(
      try parse("interval")
        == .identifier(Identifier(name: "INTERVAL", range: try parse("interval").range)))
    #expect(try parse("123L") == parse("BIGINT '123'"))
  }

  @Test(arguments: [
    ("SUBSTRING(x FROM 2 FOR 3)", "substring(x, 2, 3)"), ("SUBSTRING(x FROM 2)", "substring(x, 2)"),
    ("POSITION('a' IN x)", "strpos(x, 'a')"), ("TRIM(x)", "\"trim\"(x)"),
    ("TRIM(BOTH FROM x)", "\"trim\"(x)"),
    ("TRIM(LEADING 'a' FROM x)", "ltrim(x, 'a')"), ("TRIM(TRAILING FROM x)", "rtrim(x)"),
    ("TRIM('a' FROM x)", "\"trim\"(x, 'a')"), ("TRIM(x, 'a')", "\"trim\"(x, 'a')"),
    ("NORMALIZE(x, NFD)", "\"normalize\"(x, 'NFD')"),
    ("OVERLAY(x PLACING 'a' FROM 1)", "overlay(x, 'a', 1)"),
    ("(1, 2)", "ROW(1, 2)"), ("[1, 2]", "ARRAY[1, 2]"), ("a != b", "a <> b"),
    ("'x'.length()", "length('x')"),
  ]) func equalForms(left: String, right: String) throws {
    var (one, other) = (try parse(left), try parse(right))
    if case .functionCall(var call) = one {
      call.isMethod = false
      one = .functionCall(call)
    }
    if case .functionCall(var call) = other {
      call.isMethod = false
      other = .functionCall(call)
    }
    #expect(one == other)
  }

  @Test func calls() throws {
    guard
      case .functionCall(let call) = try parse(
        "a.b.f(DISTINCT x, y ORDER BY z DESC NULLS FIRST) FILTER (WHERE w) IGNORE NULLS OVER (v PARTITION BY p ORDER BY q ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING)"
      )
    else { return #expect(Bool(false)) }
    #expect(call.name.canonicalName == "a.b.f")
    #expect(
      call.isDistinct && call.arguments.count == 2 && call.filter != nil
        && call.nullTreatment == .ignore)
    #expect(call.orderBy[0].isDescending && call.orderBy[0].isNullsFirst == true)
    guard case .specification(let window)? = call.over else { return #expect(Bool(false)) }
    #expect(
      window.existingName?.name == "v" && window.partitionBy.count == 1 && window.orderBy.count == 1
    )
    #expect(window.frame?.unit == .rows && window.frame?.end == .unboundedFollowing)
    guard case .functionCall(let count) = try parse("count(*)") else { return #expect(Bool(false)) }
    #expect(count.isStar && count.arguments.isEmpty)
    guard case .functionCall(let named) = try parse("f(1, b => 2)") else {
      return #expect(Bool(false))
    }
    #expect(named.argumentNames.map { $0?.name } == [nil, "b"])
    guard
      case .functionCall(let listagg) = try parse(
        "LISTAGG(DISTINCT a, ',' ON OVERFLOW TRUNCATE '..' WITHOUT COUNT) WITHIN GROUP (ORDER BY b)"
      )
    else { return #expect(Bool(false)) }
    #expect(listagg.arguments.count == 2 && listagg.orderBy.count == 1)
    guard case .truncate(let filler, false)? = listagg.listagg?.overflow else {
      return #expect(Bool(false))
    }
    #expect(filler?.value == "..")
  }

  @Test func lambdas() throws {
    guard case .lambda(let two) = try parse("(x, y) -> x + y") else { return #expect(Bool(false)) }
    #expect(two.parameters.map(\.name) == ["x", "y"])
    guard case .lambda(let none) = try parse("() -> 1") else { return #expect(Bool(false)) }
    #expect(none.parameters.isEmpty)
    guard case .functionCall(let call) = try parse("filter(a, x -> x > 1 AND x < 3)"),
      case .lambda(let lambda) = call.arguments[1], case .logical = lambda.body
    else { return #expect(Bool(false)) }
  }

  @Test func subqueriesAndParentheses() throws {
    guard case .subquery = try parse("((SELECT 1))") else { return #expect(Bool(false)) }
    guard case .arithmetic = try parse("((SELECT 1) + 1)") else { return #expect(Bool(false)) }
    guard case .subquery = try parse("((SELECT 1) UNION (SELECT 2))") else {
      return #expect(Bool(false))
    }
    guard case .inSubquery = try parse("a IN (SELECT 1)") else { return #expect(Bool(false)) }
    guard case .inList(let list) = try parse("a IN ((SELECT 1))") else {
      return #expect(Bool(false))
    }
    #expect(list.list.count == 1)
    guard case .inSubquery = try parse("a NOT IN ((SELECT 1) UNION (SELECT 2))") else {
      return #expect(Bool(false))
    }
    guard case .quantifiedComparison(let all) = try parse("a > ALL (VALUES 1)") else {
      return #expect(Bool(false))
    }
    #expect(all.quantifier == .all)
    guard case .comparison = try parse("a = any(b)") else { return #expect(Bool(false)) }
    guard case .comparison = try parse("a = EXISTS (SELECT 1)") else { return #expect(Bool(false)) }
  }

  @Test func caseWithPredicates() throws {
    guard
      case .case(let node) = try parse(
        "CASE x WHEN 1 THEN 'a' WHEN > 5 THEN 'b' WHEN NOT IN (2) THEN 'c' ELSE 'd' END")
    else { return #expect(Bool(false)) }
    #expect(node.branches.map(\.isPredicate) == [false, true, true])
    guard case .comparison(let comparison) = node.branches[1].condition,
      case .caseOperand = comparison.left
    else { return #expect(Bool(false)) }
  }

  @Test func keywordsThatAreNames() throws {
    for name in [
      "date", "position", "row", "array", "interval", "first", "last", "final", "all", "at",
      "filter", "over",
    ] {
      guard case .identifier(let identifier) = try parse(name) else {
        #expect(Bool(false), "\(name)")
        continue
      }
      #expect(identifier.name == name)
    }
    for name in ["select", "from", "table", "end", "trim", "natural", "skip", "exists"] {
      #expect(throws: QueryError.self) { try parse(name) }
    }
  }

  @Test func qualifiedNames() throws {
    #expect(try parse("a.\"B c\".d").qualifiedName?.parts.map(\.name) == ["a", "B c", "d"])
    #expect(try parse("a.\"B c\".d").qualifiedName?.canonicalName == "a.b c.d")
    #expect(try parse("f(a).b").qualifiedName == nil)
    #expect(try parse("A") == parse("\"a\""))
  }

  @Test func ranges() throws {
    let expression = try parse("  a + f(b, 'x')")
    #expect(expression.range.start.offset == 2 && expression.range.end.offset == 15)
    guard case .arithmetic(let sum) = expression,
      case .functionCall(let call) = sum.terms[0].operand
    else { return #expect(Bool(false)) }
    #expect(sum.terms[0].operatorRange.start.offset == 4)
    #expect(call.range.start.offset == 6 && call.arguments[1].range.start.offset == 11)
    guard case .between(let between) = try parse("a NOT BETWEEN 1 AND 2") else {
      return #expect(Bool(false))
    }
    #expect(between.operatorRange.start.column == 3 && between.operatorRange.end.column == 14)
  }

  @Test func parametersCount() throws {
    guard case .row(let row) = try parse("(?, ?, ?)") else { return #expect(Bool(false)) }
    let indices = row.fields.map { field in
      if case .parameter(let parameter) = field.value { parameter.index } else { -1 }
    }
    #expect(indices == [0, 1, 2])
  }
}
