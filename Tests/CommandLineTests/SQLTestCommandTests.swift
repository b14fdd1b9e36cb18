import Foundation
import Testing

/// `sqlq test`: what passes, what fails and how that is told.
@Suite("sqlq test") struct SQLTestCommandTests {
  private static func run(_ text: String, _ options: [String] = []) throws -> (outcome: SQLQProcess.Outcome, junit: String) {
    try SQLQProcess.withHome { folder in
      try text.write(to: folder.appending(path: "orders.sql"), atomically: true, encoding: .utf8)
      try "a,b\n1,x\n".write(to: folder.appending(path: "beside.csv"), atomically: true, encoding: .utf8)
      let junit = folder.appending(path: "out/junit.xml")
      let outcome = try SQLQProcess.run(["test", folder.path, "--junit", junit.path] + options, home: nil)
      return (outcome, (try? String(contentsOf: junit, encoding: .utf8)) ?? "")
    }
  }

  private static let orders = """
    /* given customers values (id int, name varchar):
    (1, 'Ada'), (2, NULL)
    */
    CREATE VIEW paid AS SELECT * FROM orders WHERE paid;

    """

  @Test func givenTablesRowsAndCost() throws {
    let (outcome, junit) = try Self.run(
      Self.orders
        + """
        /* test: by region
        given orders csv (amount decimal(10,2), paid boolean):
        id,region,amount,paid
        1,north,10.50,true
        2,south,3,true
        3,north,1,false
        4,,"",true

        expect rows:
        region,total
        north,10.5
        south,3.00
        ,

        expect count: 3
        expect columns_read: region, amount, paid
        */
        SELECT region, sum(amount) AS total FROM paid GROUP BY region;

        /* test: one day
        given orders csv partitioned by (day):
        id,day,amount,paid
        1,2024-01-01,5,true
        2,2024-01-02,6,true

        expect rows in order:
        s
        6

        expect partitions: day=2024-01-02
        expect max_bytes: 1kB
        expect max_files: 1
        */
        SELECT sum(amount) AS s FROM paid WHERE day = DATE '2024-01-02';

        /* test: an error is expected
        given orders json:
        {"id": 1, "paid": true}

        expect error: COLUMN_NOT_FOUND nothing
        */
        SELECT nothing FROM orders;

        /* test: files beside it
        given orders from 'beside.csv'
        expect no rows
        */
        SELECT * FROM orders WHERE a > 1;
        """)
    // The view needs a column that the last given table lacks.
    #expect(outcome.output.contains("3 passed, 1 failed"), "\(outcome.output)")
    #expect(outcome.output.contains("FAIL") && outcome.output.contains("files beside it"))
    #expect(outcome.exitCode == 1)
    #expect(junit.contains("tests=\"4\" failures=\"0\" errors=\"1\""))
  }

  @Test func failuresAreTold() throws {
    let (outcome, junit) = try Self.run(
      """
      /* test: rows <differ>
      given t values (a int, b varchar):
      (1, 'x'), (2, NULL), (3, '')

      expect rows:
      a,b
      1,x
      2,
      4,y
      */
      SELECT * FROM t;

      /* test: order
      given t values (a int):
      (1), (2)

      expect rows in order:
      a
      2
      1
      */
      SELECT * FROM t ORDER BY a;

      /* test: columns
      given t csv:
      a,b
      1,2

      expect columns_read: a
      expect max_bytes: 1
      expect count: 2
      */
      SELECT b FROM t;

      /* test: no error comes
      expect error: DIVISION_BY_ZERO
      */
      SELECT 1;

      /* test: an error comes
      expect count: 1
      */
      SELECT 1 / 0;
      """)
    #expect(outcome.exitCode == 1)
    let output = outcome.output
    #expect(output.contains("0 passed, 5 failed"), "\(output)")
    #expect(output.contains("rows differ: 1 missing, 1 unexpected (3 expected, 3 given)"))
    #expect(output.contains("    a | b\n  - 4 | y\n  + 3 | ''\n"))
    #expect(output.contains("rows are in another order, from row 1 on"))
    #expect(output.contains("read other columns than expected\n  - a\n  + b"))
    #expect(output.contains("expected at most 1.00 B") || output.contains("expected at most 1 B"))
    #expect(output.contains("expected 2 rows, but got 1"))
    #expect(output.contains("expected error DIVISION_BY_ZERO"))
    #expect(output.contains("DIVISION_BY_ZERO: line 1:10"))
    #expect(output.contains("orders.sql:1 rows <differ>"))
    #expect(junit.contains("rows &lt;differ&gt;"))
    #expect(junit.contains("<testsuites tests=\"5\" failures=\"5\" errors=\"0\""))
  }

  @Test(arguments: [
    ("/* test: x\nexpect nothing: 1\n*/ SELECT 1", "orders.sql:2"),
    ("/* test: x */ SELECT 1", "expects nothing"),
    ("/* test: x\ngiven t values:\n(1)\n\nexpect count: 1 */ SELECT 1", "need their columns"),
    ("/* test: x\nexpect count: many */ SELECT 1", "needs a number"),
    ("SELECT 1", "There are no tests"),
  ]) func mistakesAreToldWithTheirPlace(_ text: String, _ message: String) throws {
    let outcome = try Self.run(text).outcome
    #expect(outcome.exitCode == 1)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }
}
