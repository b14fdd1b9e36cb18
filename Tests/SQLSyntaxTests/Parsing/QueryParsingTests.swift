import QueryErrors
import Testing

@testable import SQLSyntax

@Suite struct QueryParsingTests {
  private func query(_ sql: String) throws -> QuerySyntax {
    guard case .query(let query) = try Parser.parseStatement(sql) else {
      throw QueryError.internalError("not a query")
    }
    return query
  }

  private func select(_ sql: String) throws -> SelectSyntax {
    guard case .select(let select) = try query(sql).body else {
      throw QueryError.internalError("not a select")
    }
    return select
  }

  private func relation(_ sql: String) throws -> RelationSyntax {
    try select("SELECT 1 FROM " + sql).from[0]
  }

  @Test func setOperationsBindAsTrinos() throws {
    guard
      case .setOperation(let union) = try query(
        "SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 3 EXCEPT SELECT 4 ORDER BY 1"
      ).body
    else { return #expect(Bool(false)) }
    #expect(union.terms.map(\.operator) == [.union, .except])
    #expect(union.terms.map(\.isAll) == [true, false])
    guard case .setOperation(let intersect) = union.terms[0].body else {
      return #expect(Bool(false))
    }
    #expect(intersect.terms.map(\.operator) == [.intersect])
  }

  @Test func limits() throws {
    let both = try query("SELECT 1 OFFSET 2 ROWS LIMIT 3")
    guard case .integer(2, _)? = both.offset, case .limit(.integer(3, _))? = both.limit else {
      return #expect(Bool(false))
    }
    #expect(try query("SELECT 1 LIMIT ALL").limit == .all)
    guard
      case .fetchFirst(nil, isWithTies: true)? = try query(
        "SELECT 1 ORDER BY 1 FETCH FIRST ROW WITH TIES"
      ).limit
    else { return #expect(Bool(false)) }
    guard case .limit(.parameter)? = try query("SELECT 1 LIMIT ?").limit else {
      return #expect(Bool(false))
    }
  }

  @Test func selectItems() throws {
    let items = try select(
      "SELECT a, b AS c, d e, *, t.*, f(x).* AS (p, q), (a).*, * EXCEPT (a) REPLACE (1 AS b) FROM t"
    ).items
    #expect(items.count == 8)
    guard case .star(let row) = items[5], case .star(let extended) = items[7] else {
      return #expect(Bool(false))
    }
    #expect(row.aliases.map(\.name) == ["p", "q"])
    #expect(extended.except.map(\.name) == ["a"] && extended.replace.map(\.name.name) == ["b"])
    #expect(throws: QueryError.self) { try select("SELECT a + t.* FROM t") }
    guard case .setOperation = try query("SELECT * EXCEPT (SELECT 1)").body else {
      return #expect(Bool(false))
    }
    #expect(try select("SELECT a, b, FROM t").items.count == 2)
  }

  @Test func grouping() throws {
    let elements = try #require(
      try select(
        "SELECT 1 FROM t GROUP BY DISTINCT a, (b, c), (), ROLLUP (a, (b, c)), CUBE (a), GROUPING SETS ((a), ()), (a + b) * 2, ((a, b))"
      ).groupBy)
    #expect(elements.isDistinct && elements.elements.count == 8)
    guard case .simple(let pair) = elements.elements[1],
      case .simple(let none) = elements.elements[2],
      case .rollup(let rollup) = elements.elements[3],
      case .simple(let product) = elements.elements[6],
      case .simple(let row) = elements.elements[7]
    else { return #expect(Bool(false)) }
    #expect(
      pair.count == 2 && none.isEmpty && rollup.map(\.count) == [1, 2] && product.count == 1
        && row.count == 1)
    #expect(try select("SELECT a FROM t GROUP BY ALL").groupBy?.isEveryItem == true)
    #expect(try select("SELECT a FROM t GROUP BY ALL ORDER BY 1").groupBy?.isEveryItem == true)
    #expect(try select("SELECT a FROM t GROUP BY ALL a").groupBy?.isEveryItem == false)
  }

  @Test func clauseWordsAndAliases() throws {
    guard case .aliased(let alias) = try relation("t window") else { return #expect(Bool(false)) }
    #expect(alias.alias.name == "window")
    #expect(try select("SELECT 1 FROM t WINDOW w AS (PARTITION BY a)").windows.count == 1)
    guard case .table = try relation("t LIMIT 5") else { return #expect(Bool(false)) }
    guard case .aliased = try relation("t limit") else { return #expect(Bool(false)) }
    #expect(try select("SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1").qualify != nil)
    guard case .aliased = try relation("t qualify WHERE a") else { return #expect(Bool(false)) }
    guard case .sampled(let sampled) = try relation("t TABLESAMPLE BERNOULLI (10)") else {
      return #expect(Bool(false))
    }
    #expect(sampled.method == .bernoulli)
    guard case .aliased = try relation("t tablesample") else { return #expect(Bool(false)) }
  }

  @Test func joins() throws {
    guard case .join(let outer) = try relation("a JOIN b JOIN c ON x ON y") else {
      return #expect(Bool(false))
    }
    guard case .table = outer.left, case .join = outer.right else { return #expect(Bool(false)) }
    guard
      case .join(let flat) = try relation(
        "a LEFT JOIN b ON x FULL OUTER JOIN c USING (k) NATURAL JOIN d CROSS JOIN e")
    else { return #expect(Bool(false)) }
    #expect(flat.kind == .cross)
    guard case .join(let natural) = flat.left else { return #expect(Bool(false)) }
    #expect(natural.condition == .natural && natural.kind == .inner)
    #expect(
      try select("SELECT 1 FROM a, b c, LATERAL (SELECT 1), UNNEST(x) WITH ORDINALITY AS u (p, q)")
        .from.count == 4)
    #expect(throws: QueryError.self) { try relation("a JOIN b") }
    #expect(throws: QueryError.self) { try relation("a CROSS JOIN b ON x") }
  }

  @Test func relations() throws {
    guard case .file(let file) = try relation("'data/*.parquet'") else {
      return #expect(Bool(false))
    }
    #expect(file.path.value == "data/*.parquet")
    guard case .aliased = try relation("'a.csv' AS t (x, y)") else { return #expect(Bool(false)) }
    guard case .table(let table) = try relation("a.b FOR VERSION AS OF 5") else {
      return #expect(Bool(false))
    }
    #expect(table.period?.unit == .version)
    guard case .subquery = try relation("((SELECT 1))") else { return #expect(Bool(false)) }
    guard case .join = try relation("((SELECT 1) a CROSS JOIN b)") else {
      return #expect(Bool(false))
    }
    guard
      case .tableFunction(let function) = try relation(
        "TABLE(f(input => TABLE(t) PARTITION BY a PRUNE WHEN EMPTY ORDER BY (b), d => DESCRIPTOR(x bigint, y), 1 COPARTITION (t, u)))"
      )
    else { return #expect(Bool(false)) }
    #expect(function.arguments.count == 3 && function.copartitions.count == 1)
    guard case .table(let argument) = function.arguments[0].value else {
      return #expect(Bool(false))
    }
    #expect(
      argument.partitionBy?.count == 1 && argument.isPruneWhenEmpty == true
        && argument.orderBy.count == 1)
  }

  @Test func matchRecognize() throws {
    guard
      case .aliased(let aliased) = try relation(
        """
        t MATCH_RECOGNIZE (PARTITION BY a ORDER BY b MEASURES RUNNING LAST(A.x) AS m, count(A.*) AS c
        ALL ROWS PER MATCH WITH UNMATCHED ROWS AFTER MATCH SKIP TO LAST B INITIAL
        PATTERN (^ (A | B)+? {- C -} D{2,3} PERMUTE(E, F)* () $) SUBSET U = (A, B) DEFINE A AS x > PREV(x)) AS m
        """), case .matchRecognize(let match) = aliased.relation
    else { return #expect(Bool(false)) }
    #expect(
      match.rowsPerMatch == .allWithUnmatched && match.searchMode == .initial
        && match.subsets.count == 1)
    #expect(match.afterMatch == .last(try Parser.parseExpression("b").qualifiedName!.last))
    guard case .concatenation(let parts) = match.pattern else { return #expect(Bool(false)) }
    #expect(parts.count == 7)
    guard case .quantified(_, let plus) = parts[1], case .quantified(_, let range) = parts[3] else {
      return #expect(Bool(false))
    }
    #expect(
      plus.isReluctant && plus.atLeast == 1 && plus.atMost == nil && range.atLeast == 2
        && range.atMost == 3)
  }

  @Test func jsonTable() throws {
    guard
      case .aliased(let aliased) = try relation(
        """
        JSON_TABLE(x, 'lax $' AS "r" PASSING 1 AS p COLUMNS (id FOR ORDINALITY, a bigint PATH 'lax $.a' DEFAULT 0 ON EMPTY,
        b varchar FORMAT JSON WITH CONDITIONAL WRAPPER NULL ON ERROR, NESTED PATH 'lax $.n' AS n COLUMNS (c int))
        PLAN (r OUTER n) ERROR ON ERROR) j
        """), case .jsonTable(let table) = aliased.relation
    else { return #expect(Bool(false)) }
    #expect(table.columns.count == 4 && table.isErrorOnError == true && table.plan != nil)
  }

  @Test func queryShapes() throws {
    let with = try query("WITH RECURSIVE a (x) AS (SELECT 1), b AS (TABLE a) SELECT * FROM b").with
    #expect(with?.isRecursive == true && with?.queries.count == 2)
    guard case .values(let values) = try query("VALUES 1, (2, 3), ROW(4)").body else {
      return #expect(Bool(false))
    }
    #expect(values.rows.count == 3)
    guard case .table = try query("TABLE a.b").body else { return #expect(Bool(false)) }
    guard case .query(let inner) = try query("(SELECT 1 ORDER BY 1 LIMIT 1) ORDER BY 1").body else {
      return #expect(Bool(false))
    }
    #expect(inner.limit != nil)
    #expect(throws: QueryError.self) {
      try query("WITH FUNCTION f() RETURNS int RETURN 1 SELECT f()")
    }
  }
}
