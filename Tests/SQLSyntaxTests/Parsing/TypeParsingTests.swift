import Testing

@testable import SQLSyntax

@Suite struct TypeParsingTests {
  @Test(arguments: [
    ("bigint", "bigint"), ("VARCHAR(10)", "VARCHAR(10)"), ("decimal(10,2)", "decimal(10, 2)"),
    ("array<int>", "array(int)"), ("array(array(varchar))", "array(array(varchar))"),
    ("int array", "array(int)"),
    ("bigint ARRAY ARRAY[3]", "array(array(bigint))"),
    ("map<string,array<int>>", "map(string, array(int))"),
    ("map(varchar, row(a bigint))", "map(varchar, row(a bigint))"),
    ("struct<a:int,end:struct<b:string>>", "row(a int, \"end\" row(b string))"),
    (
      "row(bigint, x double precision, timestamp(3) with time zone)",
      "row(bigint, x double, timestamp(3) with time zone)"
    ),
    (
      "row(double precision, bigint array, y bigint array)",
      "row(double, array(bigint), y array(bigint))"
    ),
    ("row(date date, interval year to month)", "row(date date, interval year to month)"),
    ("timestamp", "timestamp"), ("time without time zone", "time"),
    ("TIMESTAMP(6) WITH TIME ZONE", "timestamp(6) with time zone"),
    ("interval day to second", "interval day to second"), ("\"my type\"", "\"my type\""),
    ("qdigest(double)", "qdigest(double)"),
    ("struct<a:int COMMENT 'c'>", "row(a int)"),
  ]) func spellings(sql: String, trino: String) throws {
    let type = try Parser.parseType(sql)
    #expect(SQLFormatter.format(type) == trino)
    #expect(try SQLFormatter.format(Parser.parseType(trino)) == trino)
  }

  @Test func hiveSpelling() throws {
    let type = try Parser.parseType("row(a array(map(varchar, decimal(10, 2))), b timestamp)")
    #expect(
      SQLFormatter.format(type, isHive: true)
        == "struct<a:array<map<varchar,decimal(10,2)>>,b:timestamp>")
    #expect(try Parser.parseType(SQLFormatter.format(type, isHive: true)) == type)
  }

  @Test(arguments: ["", "array<int", "decimal(", "row()", "map<int>", "struct<int>", "int int"])
  func refused(sql: String) {
    #expect(throws: (any Error).self) { try Parser.parseType(sql) }
  }
}
