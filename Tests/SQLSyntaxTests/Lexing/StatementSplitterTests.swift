import QueryErrors
import Testing

@testable import SQLSyntax

@Suite struct StatementSplitterTests {
  private func texts(_ sql: String) -> [String] {
    StatementSplitter.split(sql).statements.map(\.text)
  }

  @Test func splitsOutsideQuotesAndComments() {
    #expect(
      texts("SELECT 1; SELECT ';' ;\n-- a;b\nSELECT \";\" /* ; */ ;") == [
        "SELECT 1", "SELECT ';'", "SELECT \";\"",
      ])
    #expect(texts("") == [])
    #expect(texts(" ; ;; -- nothing\n") == [])
    #expect(texts("SELECT 1") == ["SELECT 1"])
  }

  @Test func knowsWhatIsComplete() {
    #expect(StatementSplitter.split("SELECT 1;").isComplete)
    #expect(StatementSplitter.split("").isComplete)
    #expect(StatementSplitter.split("-- only a comment").isComplete)
    #expect(!StatementSplitter.split("SELECT 1").isComplete)
    #expect(!StatementSplitter.split("SELECT 1; SELECT").isComplete)
    let open = StatementSplitter.split("SELECT 1; SELECT 'a;\nb")
    #expect(!open.isComplete)
    #expect(open.isInsideQuoteOrComment)
    #expect(open.statements.map(\.text) == ["SELECT 1", "SELECT 'a;\nb"])
    #expect(StatementSplitter.split("SELECT 1 /* ;").isInsideQuoteOrComment)
    #expect(StatementSplitter.split("/* ;").isInsideQuoteOrComment)
  }

  @Test func rangesPointIntoTheWholeText() {
    let statements = StatementSplitter.split("SELECT 1;\n  SELECT 2 ;").statements
    #expect(statements[1].range.start == SourcePosition(offset: 12, line: 2, column: 3))
    #expect(statements[1].range.end == SourcePosition(offset: 20, line: 2, column: 11))
    #expect(statements.map(\.isTerminated) == [true, true])
  }

  @Test func followsHivesEscapes() {
    let sql =
      #"CREATE EXTERNAL TABLE t (a int) ROW FORMAT SERDE 'x' WITH SERDEPROPERTIES ("quoteChar" = "\"", 'e' = '\'') LOCATION 's3://b/'; SELECT '\'; SELECT 2"#
    #expect(texts(sql).count == 3)
    #expect(texts(sql)[1] == #"SELECT '\'"#)
  }
}
