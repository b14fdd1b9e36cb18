import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLSyntax
import Testing

@testable import QueryPlanner

/// Result columns: names as written, types as Trino gives them.
@Suite struct ColumnTests {
  let catalog = TestCatalog()

  @Test(arguments: [
    ("SELECT A, t.b, 1 + 1, c AS Name FROM t", "A bigint, b integer, _col2 integer, Name varchar"),
    ("SELECT * FROM region", "regionkey bigint, name varchar, comment varchar"),
    ("SELECT r.x, t.r.y.z, r.y FROM t", "x bigint, z varchar, y row(z varchar)"),
    ("SELECT t.r.* FROM t", "x bigint, y row(z varchar)"),
    ("SELECT r.* AS (p, q) FROM t", "p bigint, q row(z varchar)"),
    ("SELECT u.*, t.a FROM t, u", "a bigint, k integer, v varchar, a bigint"),
    ("SELECT * EXCEPT (comment) FROM region", "regionkey bigint, name varchar"),
    ("SELECT * REPLACE (1 AS name) FROM region", "regionkey bigint, name integer, comment varchar"),
    (
      "SELECT 1, 3000000000, 1.50, 0.05, 1e0, 'abc', X'00', NULL",
      "_col0 integer, _col1 bigint, _col2 decimal(3,2), _col3 decimal(2,2), _col4 double, _col5 varchar(3), "
        + "_col6 varbinary, _col7 unknown"
    ),
    (
      "SELECT DATE '2024-01-01', TIMESTAMP '2024-01-01 00:00:00.12', TIMESTAMP '2024-01-01 00:00 UTC'",
      "_col0 date, _col1 timestamp(2), _col2 timestamp(0) with time zone"
    ),
    (
      "SELECT INTERVAL '1-2' YEAR TO MONTH, INTERVAL -'1 02:03:04.5' DAY TO SECOND",
      "_col0 interval year to month, _col1 interval day to second"
    ),
    ("SELECT a FROM t UNION SELECT k FROM u", "a bigint"),
    ("SELECT 1 UNION ALL SELECT 2.5", "_col0 decimal(11,1)"),
    ("VALUES (1, 'a'), (2.5, 'bcd')", "_col0 decimal(11,1), _col1 varchar(3)"),
    ("SELECT * FROM (VALUES (1, 'a')) v(x, y)", "x integer, y varchar(1)"),
    ("TABLE region", "regionkey bigint, name varchar, comment varchar"),
    (
      "SELECT * FROM t JOIN u USING (a)",
      "a bigint, b integer, c varchar, d double, e date, ts timestamp(3), arr array(bigint), m map(varchar, bigint), "
        + "r row(x bigint, y row(z varchar)), rows array(row(p bigint, q varchar)), k integer, v varchar"
    ),
    ("SELECT name FROM nation NATURAL JOIN region", "name varchar"),
    ("SELECT x FROM t CROSS JOIN UNNEST(arr) AS w(x)", "x bigint"),
    (
      "SELECT * FROM UNNEST(ARRAY[1, 2], MAP(ARRAY['a'], ARRAY[1])) WITH ORDINALITY AS w(a, k, v, n)",
      "a integer, k varchar(1), v integer, n bigint"
    ),
    ("SELECT p, q FROM t, UNNEST(rows)", "p bigint, q varchar"),
    ("SELECT * FROM TABLE(sequence(1, 10))", "sequential_number bigint"),
    (
      "SELECT CASE WHEN a > 1 THEN 1 ELSE 2.5 END, COALESCE(b, a), IF(true, 'a', c), NULLIF(b, a) FROM t",
      "_col0 decimal(11,1), _col1 bigint, _col2 varchar, _col3 integer"
    ),
    (
      "SELECT (SELECT max(a) FROM u), (SELECT a, k FROM u LIMIT 1), EXISTS (SELECT 1), 1 IN (SELECT a FROM u)",
      "_col0 bigint, _col1 row(a bigint, k integer), _col2 boolean, _col3 boolean"
    ),
    (
      "SELECT transform(arr, x -> x + t.b), filter(rows, q -> q.p > a) FROM t",
      "_col0 array(bigint), _col1 array(row(p bigint, q varchar))"
    ),
    (
      "SELECT CURRENT_DATE, CURRENT_TIMESTAMP, LOCALTIMESTAMP(6), CURRENT_USER",
      "_col0 date, _col1 timestamp(3) with time zone, _col2 timestamp(6), _col3 varchar"
    ),
    ("SELECT arr[1], m['k'], r[2] FROM t", "_col0 bigint, _col1 bigint, _col2 row(z varchar)"),
    (
      "SELECT ROW(1, 'a'), (a, b), ARRAY[1, a], ARRAY[] FROM t",
      "_col0 row(integer, varchar(1)), _col1 row(bigint, integer), _col2 array(bigint), _col3 array(unknown)"
    ),
    ("SELECT GROUPING(a), count(*) FROM t GROUP BY CUBE (a, b)", "_col0 integer, _col1 bigint"),
  ])
  func columns(_ sql: String, _ expected: String) throws { #expect(try catalog.columns(sql) == expected) }
}

/// Queries whose plans must be whole: every column a node reads comes from its inputs.
@Suite struct PlanTests {
  let catalog = TestCatalog(views: ["vw": "SELECT a, b + 1 AS b1 FROM t", "loop": "SELECT * FROM loop"])

  @Test(arguments: [
    "SELECT a, sum(b) FROM t GROUP BY a HAVING count(*) > 1 ORDER BY sum(b) DESC, a LIMIT 10",
    "SELECT a + 1, (a + 1) * 2, max(c) FROM t GROUP BY a + 1 ORDER BY a + 1",
    "SELECT lower(c) x, count(DISTINCT b) FILTER (WHERE d > 1) FROM t GROUP BY 1 ORDER BY x",
    "SELECT transform(arr, x -> x + 1), count(*) FROM t GROUP BY transform(arr, x -> x + 1)",
    "SELECT count(*) FROM t HAVING max(a) > 3",
    "SELECT a, b, GROUPING(a, b), sum(d) FROM t GROUP BY GROUPING SETS ((a, b), (a), ()) ORDER BY GROUPING(a, b)",
    "SELECT a, b, c FROM t GROUP BY a, ROLLUP (b, c)",
    "SELECT a, (SELECT max(u.k) FROM u WHERE u.a = t.a) FROM t GROUP BY GROUPING SETS ((a), ())",
    "SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > (SELECT avg(k) FROM u WHERE u.a = t.a)",
    "SELECT (SELECT max(k) FROM u WHERE u.a = t.a) m, count(*) FROM t GROUP BY 1",
    "SELECT sum((SELECT max(k) FROM u WHERE u.a = t.a)) FROM t",
    "SELECT a, c, sum(b) FROM t GROUP BY ALL",
    "SELECT DISTINCT a, b + 1 FROM t ORDER BY b + 1, a",
    "SELECT a, sum(b) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN 1 PRECEDING AND b FOLLOWING) FROM t",
    "SELECT rank() OVER w, sum(a) OVER (w ROWS UNBOUNDED PRECEDING) FROM t WINDOW w AS (PARTITION BY b ORDER BY c)",
    "SELECT sum(a) OVER W FROM t WINDOW \"w\" AS (ORDER BY a), w AS (ORDER BY b)",
    "SELECT sum(b) OVER (ORDER BY e RANGE BETWEEN INTERVAL '1' MONTH PRECEDING AND CURRENT ROW) FROM t",
    "SELECT sum(b) OVER (ORDER BY d DESC RANGE BETWEEN 1 PRECEDING AND 2 FOLLOWING) FROM t",
    "SELECT a, rank() OVER (ORDER BY sum(b) DESC), sum(sum(b)) OVER () FROM t GROUP BY a",
    "SELECT a FROM t ORDER BY row_number() OVER (ORDER BY b)",
    "SELECT a AS x, b FROM t ORDER BY x + b, -b",
    "SELECT a FROM t QUALIFY row_number() OVER (PARTITION BY b ORDER BY c) = 1",
    "SELECT a, row_number() OVER (ORDER BY b) AS n FROM t QUALIFY n < 3",
    "SELECT rank() OVER (ORDER BY a) IN (SELECT k FROM u) FROM t",
    "SELECT a FROM t WHERE a IN (SELECT a FROM u WHERE u.k = t.b) AND NOT EXISTS (SELECT 1 FROM u WHERE u.v = t.c)",
    "SELECT a FROM t WHERE b > ALL (SELECT k FROM u) OR c = ANY (SELECT v FROM u WHERE u.a = t.a)",
    "SELECT a FROM t WHERE (a, b) IN (SELECT a, k FROM u)",
    "SELECT a FROM t x WHERE EXISTS (SELECT 1 FROM u WHERE u.a = x.a AND u.k > (SELECT avg(b) FROM t WHERE t.a = x.a))",
    "SELECT CASE WHEN a > 0 THEN (SELECT max(k) FROM u WHERE u.a = t.a) ELSE 0 END FROM t",
    "SELECT a FROM t ORDER BY (SELECT max(k) FROM u WHERE u.a = t.a)",
    "SELECT a AS x FROM t ORDER BY (SELECT max(k) FROM u WHERE u.a = x)",
    "SELECT * FROM t JOIN u ON t.a = u.a AND t.b IN (SELECT regionkey FROM region)",
    "SELECT * FROM t LEFT JOIN u ON t.a = u.a AND u.k > (SELECT min(regionkey) FROM region)",
    "SELECT * FROM t, LATERAL (SELECT max(k) m FROM u WHERE u.a = t.a) l",
    "SELECT * FROM t LEFT JOIN LATERAL (SELECT k FROM u WHERE u.a = t.a) l ON l.k > t.b",
    "SELECT t.a, x FROM t LEFT JOIN UNNEST(t.arr) AS w(x) ON TRUE",
    "SELECT (SELECT sum(x) FROM UNNEST(arr) AS w(x)) FROM t",
    "SELECT (SELECT max(k) FROM u WHERE u.a IN (SELECT x FROM UNNEST(t.arr) AS w(x))) FROM t",
    "SELECT * FROM t FULL JOIN u USING (a)",
    "SELECT a FROM t RIGHT JOIN u USING (a) WHERE k > 1",
    "WITH x AS (SELECT a FROM t), y AS (SELECT a FROM x) SELECT * FROM x JOIN y ON x.a = y.a",
    "WITH RECURSIVE n(i) AS (VALUES 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n",
    "WITH RECURSIVE n(i) AS (VALUES 1 UNION ALL (WITH w AS (SELECT i FROM n) SELECT i + 1 FROM w)) SELECT * FROM n, n m",
    "SELECT (WITH w AS (SELECT k FROM u WHERE u.a = t.a) SELECT count(*) FROM w w1, w w2) FROM t",
    "SELECT a FROM t UNION ALL SELECT k FROM u EXCEPT SELECT 1 INTERSECT SELECT 2 ORDER BY 1 LIMIT 3",
    "(SELECT a FROM t ORDER BY b LIMIT 2) UNION ALL (SELECT k FROM u OFFSET 1)",
    "SELECT a FROM t ORDER BY b FETCH FIRST 3 ROWS WITH TIES",
    "VALUES (1, (SELECT max(a) FROM t)), (2, 3)",
    "SELECT (VALUES t.a) FROM t",
    "SELECT b1 FROM vw WHERE a = 1",
    "SELECT count(*) FROM t TABLESAMPLE BERNOULLI (100)",
    "SELECT * FROM TABLE(exclude_columns(input => TABLE(region), columns => DESCRIPTOR(comment)))",
    "SELECT a FROM t WHERE c LIKE 'a%' AND d BETWEEN 1 AND 2.5 AND e > DATE '2024-01-01' AND b NOT IN (1, 2, NULL)",
    "SELECT CASE b WHEN 1 THEN 'x' WHEN 2 THEN 'yy' END, TRY(1 / b), CAST(a AS varchar), b IS DISTINCT FROM 1 FROM t",
    "SELECT min(a ORDER BY b), array_agg(c ORDER BY d DESC NULLS FIRST) FROM t",
    "SELECT 1 FROM t GROUP BY ()",
    "SELECT a, a FROM t ORDER BY 2",
    "SELECT count(*) FROM nation n, region r WHERE n.regionkey = r.regionkey GROUP BY r.name ORDER BY r.name",
  ])
  func validates(_ sql: String) throws { _ = try catalog.bind(sql) }

  @Test func namedQueryUsedOnceIsInlined() throws {
    let once = try catalog.plan("WITH x AS (SELECT a FROM t) SELECT * FROM x")
    #expect(!once.contains("Common"))
    let twice = try catalog.bind("WITH x AS (SELECT a FROM t) SELECT * FROM x, x y")
    var uses = 0
    func count(_ plan: LogicalPlan) {
      if case .common = plan { uses += 1 } else { plan.children.forEach(count) }
    }
    count(twice.plan)
    #expect(uses == 2)
  }

  @Test func correlationIsRecorded() throws {
    let bound = try catalog.bind("SELECT (SELECT max(k) FROM u WHERE u.a = t.a AND u.v = t.c) FROM t")
    var names: [String] = []
    func visit(_ plan: LogicalPlan) {
      if case .apply(let node) = plan { names = node.correlation.map(\.name).sorted() }
      plan.children.forEach(visit)
    }
    visit(bound.plan)
    #expect(names == ["a", "c"])
  }

  @Test func equalAggregatesAndSubqueriesAreComputedOnce() throws {
    let bound = try catalog.bind(
      "SELECT sum(b), sum(b) + 1, (SELECT max(k) FROM u), (SELECT max(k) FROM u) + 1 FROM t HAVING sum(b) > 0")
    var (calls, applies) = (0, 0)
    func visit(_ plan: LogicalPlan) {
      switch plan {
      case .apply(let node):
        applies += 1
        visit(node.input)
      case .aggregate(let node): calls = node.calls.count
      default: plan.children.forEach(visit)
      }
    }
    visit(bound.plan)
    #expect((calls, applies) == (1, 1))
  }
}

/// Messages as Trino words them, with their places.
@Suite struct BindingErrorTests {
  let catalog = TestCatalog(views: ["loop": "SELECT * FROM loop"])

  @Test(arguments: [
    ("SELECT nme FROM nation", "COLUMN_NOT_FOUND: line 1:8: Column 'nme' cannot be resolved"),
    ("SELECT x.name FROM nation", "COLUMN_NOT_FOUND: line 1:8: Column 'x.name' cannot be resolved"),
    ("SELECT r.nope FROM t", "COLUMN_NOT_FOUND: line 1:8: Column 'r.nope' cannot be resolved"),
    ("SELECT a FROM t, u", "AMBIGUOUS_NAME: line 1:8: Column 'a' is ambiguous"),
    ("SELECT * FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.nope' does not exist"),
    ("SELECT * FROM x.nope", "SCHEMA_NOT_FOUND: line 1:15: Schema 'x' does not exist"),
    ("SELECT * FROM c.x.nope", "CATALOG_NOT_FOUND: line 1:15: Catalog 'c' does not exist"),
    ("SELECT *", "COLUMN_NOT_FOUND: line 1:8: SELECT * not allowed in queries without FROM clause"),
    ("SELECT nofunc(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nofunc' not registered"),
    (
      "SELECT a, b FROM t GROUP BY a",
      "EXPRESSION_NOT_AGGREGATE: line 1:11: 'b' must be an aggregate expression or appear in GROUP BY clause"
    ),
    (
      "SELECT a + b FROM t GROUP BY a",
      "EXPRESSION_NOT_AGGREGATE: line 1:10: '(a + b)' must be an aggregate expression or appear in GROUP BY clause"
    ),
    ("SELECT a FROM t GROUP BY 2", "INVALID_COLUMN_REFERENCE: line 1:26: GROUP BY position 2 is not in select list"),
    ("SELECT a FROM t ORDER BY 2", "INVALID_COLUMN_REFERENCE: line 1:26: ORDER BY position 2 is not in select list"),
    (
      "SELECT sum(max(a)) FROM t",
      "NESTED_AGGREGATION: line 1:12: Cannot nest aggregations inside aggregation 'sum': [max(a)]"
    ),
    (
      "SELECT a FROM t WHERE sum(a) > 1",
      "EXPRESSION_NOT_SCALAR: line 1:30: WHERE clause cannot contain aggregations, window functions or grouping "
        + "operations: [sum(a)]"
    ),
    ("SELECT a FROM t WHERE b", "TYPE_MISMATCH: line 1:23: WHERE clause must evaluate to a boolean: actual type integer"),
    ("SELECT a = c FROM t", "TYPE_MISMATCH: line 1:10: Cannot apply operator: bigint = varchar"),
    ("SELECT CAST(m AS bigint) FROM t", "TYPE_MISMATCH: line 1:8: Cannot cast map(varchar, bigint) to bigint"),
    ("SELECT CAST(1 AS foo)", "TYPE_MISMATCH: line 1:8: Unknown type: foo"),
    ("SELECT DATE '2024-13-01'", "INVALID_LITERAL: line 1:8: '2024-13-01' is not a valid DATE literal"),
    ("SELECT INTERVAL 'x' DAY", "INVALID_LITERAL: line 1:8: 'x' is not a valid INTERVAL literal"),
    ("SELECT 1 UNION SELECT 1, 2", "TYPE_MISMATCH: line 1:10: UNION query has different number of fields: 1, 2"),
    (
      "SELECT 1 UNION SELECT 'a'",
      "TYPE_MISMATCH: line 1:10: column 1 in UNION query has incompatible types: integer, varchar(1)"
    ),
    (
      "SELECT * FROM t x(p)",
      "MISMATCHED_COLUMN_ALIASES: line 1:15: Column alias list has 1 entries but 'x' has 10 columns available"
    ),
    (
      "WITH x AS (SELECT 1), x AS (SELECT 2) SELECT 1",
      "DUPLICATE_NAMED_QUERY: line 1:23: WITH query name 'x' specified more than once"
    ),
    ("SELECT * FROM t JOIN u USING (k)", "COLUMN_NOT_FOUND: line 1:31: Column 'k' is missing from left side of join"),
    (
      "SELECT DISTINCT a FROM t ORDER BY b",
      "EXPRESSION_NOT_IN_DISTINCT: line 1:1: For SELECT DISTINCT, ORDER BY expressions must appear in select list"
    ),
    ("SELECT rank() FROM t", "MISSING_OVER: line 1:8: Window function rank requires an OVER clause"),
    ("SELECT rank() OVER nope FROM t", "INVALID_WINDOW_REFERENCE: line 1:20: Cannot resolve WINDOW name nope"),
    (
      "SELECT a FROM t FETCH FIRST ROW WITH TIES",
      "MISSING_ORDER_BY: line 1:1: FETCH FIRST WITH TIES clause requires ORDER BY"
    ),
    ("SELECT * FROM UNNEST(1)", "INVALID_FUNCTION_ARGUMENT: line 1:22: Cannot unnest type: integer"),
    ("SELECT ?", "INVALID_PARAMETER_USAGE: line 1:8: Incorrect number of parameters: expected 1 but found 0"),
    (
      "SELECT transform(arr, x -> (SELECT 1)) FROM t",
      "NOT_SUPPORTED: line 1:28: Lambda expression cannot contain subqueries"
    ),
    (
      "SELECT GROUPING(a) FROM t",
      "MISSING_GROUP_BY: line 1:8: A GROUPING() operation can only be used with a corresponding GROUPING "
        + "SET/CUBE/ROLLUP/GROUP BY clause"
    ),
    (
      "SELECT a, (SELECT t.b) FROM t GROUP BY a",
      "EXPRESSION_NOT_AGGREGATE: line 1:11: Subquery uses 'b' which must appear in GROUP BY clause"
    ),
    (
      "WITH RECURSIVE n AS (VALUES 1 UNION ALL SELECT 1 FROM n) SELECT * FROM n",
      "MISSING_COLUMN_ALIASES: line 1:16: missing column aliases in recursive WITH query"
    ),
    (
      "SELECT sum(a) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM t",
      "INVALID_WINDOW_FRAME: line 1:21: Window frame starting from CURRENT ROW cannot end with PRECEDING"
    ),
  ])
  func message(_ sql: String, _ expected: String) { #expect(catalog.error(sql) == expected) }

  @Test func hintsNameWhatWasMeant() throws {
    #expect(throws: QueryError.self) { try catalog.bind("SELECT nme FROM nation") }
    do throws(QueryError) { _ = try catalog.bind("SELECT nme FROM nation") } catch {
      #expect(error.hint == "Did you mean 'name'?")
    }
    do throws(QueryError) { _ = try catalog.bind("SELECT * FROM natoin") } catch {
      #expect(error.hint == "Did you mean 'nation'?")
    }
  }

  @Test func recursiveViewsFail() {
    #expect(catalog.error("SELECT * FROM loop")?.contains("View is recursive") == true)
  }
}

/// Queries that programs write.
@Suite struct LongQueryTests {
  let catalog = TestCatalog()

  @Test func longFlatExpressions() throws {
    let conditions = (0..<5000).map { "a <> \($0)" }.joined(separator: " AND ")
    _ = try catalog.bind("SELECT 1 FROM t WHERE \(conditions)")
    let items = (0..<10_000).map(String.init).joined(separator: ", ")
    _ = try catalog.bind("SELECT 1 FROM t WHERE a IN (\(items))")
    let sum = Array(repeating: "d", count: 1000).joined(separator: " + ")
    _ = try catalog.bind("SELECT \(sum) FROM t")
    _ = try catalog.bind("SELECT \(sum) FROM t GROUP BY \(sum)")
    let text = Array(repeating: "c", count: 3000).joined(separator: " || ")
    _ = try catalog.bind("SELECT \(text) FROM t")
    let rows = (0..<5000).map { "(\($0), 'x\($0)')" }.joined(separator: ", ")
    #expect(try catalog.bind("VALUES \(rows)").outputs.map(\.type) == [.integer, .varchar(length: 5)])
  }
}
