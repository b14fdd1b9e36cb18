import QueryErrors
import Testing

@testable import SQLSyntax

@Suite struct NestingTests {
  private func repeated(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: count)
  }

  /// Long chains are flat and therefore fine.
  @Test(arguments: [
    " AND a", " OR a AND b", " + a * 2", " || a", " - 1", ", a", " UNION ALL SELECT 1",
    " INTERSECT SELECT 1",
  ]) func longChains(link: String) throws {
    let statement = try Parser.parseStatement("SELECT 1" + repeated(link, 5000))
    #expect(SQLFormatter.format(statement).utf8.count > 5000)
  }

  /// Deep nesting ends in an error, never in a crash.
  @Test(arguments: [
    ("(", ")"), ("(SELECT ", ")"), ("f(", ")"), ("CASE WHEN ", " THEN 1 END"), ("NOT ", ""),
    ("- ", ""), ("x -> ", ""),
    ("ARRAY[", "]"), ("a[", "]"), ("position(", " IN x)"), ("TRIM(", ")"),
    ("EXTRACT(DAY FROM ", ")"), ("NORMALIZE(", ")"), ("1 IN (", ")"),
    ("sum(1) OVER (ORDER BY ", ")"), ("JSON_VALUE(", ", '$')"), ("CAST(", " AS int)"),
    ("substring(", " FROM 1)"),
    ("a BETWEEN (", ") AND 1"), ("LISTAGG(", ") WITHIN GROUP (ORDER BY 1)"), ("b.f(", ")"),
    ("(1).f(", ")"),
    ("(SELECT 1 FROM t WHERE (", "))"),
  ]) func deepExpressions(open: String, close: String) throws {
    _ = try Parser.parseStatement("SELECT " + repeated(open, 20) + "1" + repeated(close, 20))
    for count in [5_000, 50_000] {
      #expect {
        try Parser.parseStatement("SELECT " + repeated(open, count) + "1" + repeated(close, count))
      } throws: {
        ErrorCode.stackOverflow ~= $0
      }
    }
  }

  @Test(arguments: [
    ("SELECT 1 FROM ", "(SELECT * FROM ", "t", ") x"), ("SELECT 1 FROM ", "(", "t", ")"),
    ("", "(", "SELECT 1", ")"),
    ("SELECT CAST(a AS ", "array(", "int", ")"), ("SELECT a", "[1]", "", ""),
    ("SELECT a", ".b", "", ""),
    ("SELECT 1 FROM t", " CROSS JOIN t", "", ""), ("", "EXPLAIN ", "SELECT 1", ""),
    ("SELECT CAST(a AS int", " array", ")", ""),
    ("SELECT 1 FROM t MATCH_RECOGNIZE (PATTERN (", "(", "a", ")"),
  ]) func deepForms(start: String, open: String, middle: String, close: String) {
    #expect {
      try Parser.parseStatement(start + repeated(open, 20_000) + middle + repeated(close, 20_000))
    } throws: {
      ErrorCode.stackOverflow ~= $0
    }
  }
}
