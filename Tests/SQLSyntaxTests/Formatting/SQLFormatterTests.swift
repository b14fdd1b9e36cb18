import Testing

@testable import SQLSyntax

@Suite struct SQLFormatterTests {
  @Test(arguments: [
    ("select a,b c from t where (x=1) and not(y)", "SELECT a, b AS c FROM t WHERE x = 1 AND NOT y"),
    (
      "select (a+b)*c, a+(b*c), -(1), -(-x), (a.b)[1]",
      "SELECT (a + b) * c, a + b * c, -(1), - -x, a.b[1]"
    ),
    (
      "select \"A b\", \"x\", count(*) from \"select\"",
      "SELECT \"A b\", \"x\", count(*) FROM \"select\""
    ),
    (
      "select 'it''s', x'0a', date '2024-01-01', interval -'1' day",
      "SELECT 'it''s', X'0A', DATE '2024-01-01', INTERVAL -'1' DAY"
    ),
    ("select cast(a as row(b bigint)) is not null", "SELECT CAST(a AS row(b bigint)) IS NOT NULL"),
    ("select trim(leading 'x' from y), position('a' in b)", "SELECT ltrim(y, 'x'), strpos(b, 'a')"),
    ("select 1 from (a join b using (k)) x", "SELECT 1 FROM (a INNER JOIN b USING (k)) AS x"),
    ("drop table if exists `a`.b", "DROP TABLE IF EXISTS \"a\".b"),
  ]) func oneLine(sql: String, formatted: String) throws {
    #expect(try SQLFormatter.format(Parser.parseStatement(sql)) == formatted)
  }

  @Test func lines() throws {
    let statement = try Parser.parseStatement(
      "create view v as with w as (select 1 a) select a, b from w join (values 1, 2) u on true where a > 1 group by a order by 1 limit 3"
    )
    #expect(
      SQLFormatter.format(statement, layout: .lines) == """
        CREATE VIEW v AS
        WITH w AS (
          SELECT
            1 AS a
        )
        SELECT
          a
        , b
        FROM
          w
          INNER JOIN (
            VALUES\u{20}
                1
              , 2
          ) AS u ON TRUE
        WHERE a > 1
        GROUP BY a
        ORDER BY 1
        LIMIT 3
        """)
  }

  @Test func hiveStatementsKeepHivesSpelling() throws {
    let sql =
      #"CREATE EXTERNAL TABLE `t` (`a b` array<struct<x:int>> COMMENT 'it\'s') ROW FORMAT SERDE 's' WITH SERDEPROPERTIES ('quoteChar' = '\"', 'e' = '\\') LOCATION 's3://b/'"#
    let statement = try Parser.parseStatement(sql)
    #expect(SQLFormatter.format(statement) == sql.replacing(#"'\"'"#, with: #"'"'"#))
    #expect(try Parser.parseStatement(SQLFormatter.format(statement)) == statement)
  }
}
