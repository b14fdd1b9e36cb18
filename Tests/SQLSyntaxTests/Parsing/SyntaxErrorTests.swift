import QueryErrors
import Testing

@testable import SQLSyntax

/// The messages are Trino's, but for the words that only sqlq expects.
@Suite struct SyntaxErrorTests {
  private func message(_ sql: String) -> String {
    do throws(QueryError) {
      _ = try Parser.parseStatement(sql)
      return "parsed"
    } catch {
      return error.description
    }
  }

  @Test(arguments: [
    ("select * from foo where @what", "line 1:25: mismatched input '@'. Expecting: <expression>"),
    ("select *\nfrom x\nwhere from", "line 3:7: mismatched input 'from'. Expecting: <expression>"),
    (
      "select ",
      "line 1:8: mismatched input '<EOF>'. Expecting: '*', 'ALL', 'DISTINCT', <expression>"
    ),
    (
      "select * from `foo`",
      "line 1:15: backquoted identifiers are not supported; use double quotes to quote identifiers"
    ),
    (
      "select 1x from dual",
      "line 1:8: identifiers must not start with a digit; surround the identifier with double quotes"
    ),
    (
      "select fuu from dual order by fuu order by fuu",
      "line 1:35: mismatched input 'order'. Expecting: '%', '*', '+', ',', '-', '.', '/', 'AND', 'ASC', 'AT', 'DESC', 'FETCH', 'LIMIT', 'NULLS', 'OFFSET', 'OR', '[', '||', <EOF>, <predicate>"
    ),
    (
      "select fuu from dual limit 10 order by fuu",
      "line 1:31: mismatched input 'order'. Expecting: <EOF>"
    ),
    ("select foo.!", "line 1:12: mismatched input '!'. Expecting: '*', <identifier>"),
    (
      "select foo(,1)",
      "line 1:12: mismatched input ','. Expecting: ')', '*', 'ALL', 'DISTINCT', 'ORDER', <expression>"
    ),
    ("select foo(DISTINCT ,1)", "line 1:21: mismatched input ','. Expecting: <expression>"),
    (
      "CREATE TABLE ) AS (VALUES 1)",
      "line 1:14: mismatched input ')'. Expecting: 'IF', <identifier>"
    ),
    (
      "CREATE TABLE foo (*) AS (VALUES 1)",
      "line 1:19: mismatched input '*'. Expecting: 'LIKE', <identifier>"
    ),
    (
      "SELECT grouping(a+2) FROM (VALUES (1)) AS t (a)",
      "line 1:18: mismatched input '+'. Expecting: ')', ',', '.'"
    ),
    (
      "SELECT x() over (ROWS select) FROM t",
      "line 1:23: mismatched input 'select'. Expecting: 'BETWEEN', 'CURRENT', 'UNBOUNDED', <expression>"
    ),
    (
      "SELECT X() OVER (ROWS UNBOUNDED) FROM T",
      "line 1:32: mismatched input ')'. Expecting: 'FOLLOWING', 'PRECEDING'"
    ),
    (
      "SELECT a FROM a AS x TABLESAMPLE x ",
      "line 1:34: mismatched input 'x'. Expecting: 'BERNOULLI', 'SYSTEM'"
    ),
    (
      "SELECT a AS z FROM t GROUP BY CUBE (a), ",
      "line 1:41: mismatched input '<EOF>'. Expecting: '(', 'CUBE', 'GROUPING', 'ROLLUP', <expression>"
    ),
    ("SELECT CAST(a AS )", "line 1:18: mismatched input ')'. Expecting: <type>"),
    ("SELECT CAST(a AS decimal()", "line 1:26: mismatched input ')'. Expecting: <integer>, <type>"),
    ("SELECT foo(*) filter (", "line 1:23: mismatched input '<EOF>'. Expecting: 'WHERE'"),
    ("SELECT * FROM t WHERE EXISTS (", "line 1:31: mismatched input '<EOF>'. Expecting: <query>"),
    ("SELECT \"\" FROM t", "line 1:8: Zero-length delimited identifier not allowed"),
    (
      "SHOW CATALOGS LIKE '%$_%' ESCAPE", "line 1:33: mismatched input '<EOF>'. Expecting: <string>"
    ),
    (
      "SELECT 12223222232535343423232435343",
      "line 1:8: Invalid numeric literal: 12223222232535343423232435343"
    ),
    ("SELECT EXTRACT(foo FROM x)", "line 1:16: Invalid EXTRACT field: foo"),
    ("SELECT X'abc'", "line 1:8: Binary literal must contain an even number of digits"),
    ("SELECT X'zz'", "line 1:8: Binary literal can only contain hexadecimal digits"),
    ("SELECT U&'\\00'", "line 1:8: Incomplete escape sequence: 00"),
    ("SELECT U&'\\00G0'", "line 1:8: Invalid hexadecimal digit: G"),
    (
      "SELECT CASE WHEN 1 * 2 * 3",
      "line 1:27: mismatched input '<EOF>'. Expecting: '%', '*', '+', '-', '/', 'AND', 'AT', 'OR', 'THEN', '||', <predicate>"
    ),
  ]) func messages(sql: String, expected: String) {
    #expect(
      message(sql).replacing(" '.',", with: "").replacing(" '[',", with: "") == "SYNTAX_ERROR: "
        + expected.replacing(" '.',", with: "").replacing(" '[',", with: ""))
  }

  @Test func hints() {
    func hint(_ sql: String) -> String? {
      do throws(QueryError) {
        _ = try Parser.parseStatement(sql)
        return nil
      } catch { return error.hint }
    }
    #expect(hint("SELCT 1") == "Did you mean 'SELECT'?")
    #expect(hint("SELECT a FORM t WHERE a") == "Did you mean 'FROM' instead of 'FORM'?")
    #expect(hint("SELECT a FROM t WERE a = 1") == "Did you mean 'WHERE' instead of 'WERE'?")
    #expect(hint("SELECT 'abc") == "The quote that starts here is never closed.")
  }

  @Test func rangeCoversTheToken() throws {
    do {
      _ = try Parser.parseStatement("SELECT 'é' FROM t WHERE\n  a = frm frm")
      #expect(Bool(false))
    } catch {
      let range = try #require((error as QueryError).range)
      #expect(range.start.line == 2 && range.start.column == 11 && range.end.column == 14)
    }
  }
}
