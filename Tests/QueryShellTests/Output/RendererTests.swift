import Foundation
import QueryEngine
import Testing

@testable import QueryShell

/// What renderers print, byte for byte.
@Suite struct RendererTests {
  /// What a format makes of a query's rows.
  private func render(_ sql: String, _ format: OutputFormat, _ style: DisplayStyle = DisplayStyle(), isFile: Bool = false) throws -> String {
    let path = FileManager.default.temporaryDirectory.appending(path: "rendered-\(UUID().uuidString)").path
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    defer {
      close(descriptor)
      unlink(path)
    }
    let renderer = format.makeRenderer(OutputStream(descriptor), style, isFile: isFile)
    let session = try Engine().session()
    try session.run(SQLStatement(sql), into: renderer)
    try renderer.end()
    return try String(contentsOfFile: path, encoding: .utf8)
  }

  private static let two = "SELECT * FROM (VALUES ('Köln', 12, NULL), (NULL, 1234567, 'a|b')) t(city, trips, note)"

  @Test func boxes() throws {
    var style = DisplayStyle(width: 80)
    #expect(
      try render(Self.two, .table, style) == """
        ┌────────────┬─────────┬────────────┐
        │ city       │   trips │ note       │
        │ varchar(4) │ integer │ varchar(3) │
        ├────────────┼─────────┼────────────┤
        │ Köln       │      12 │ NULL       │
        │ NULL       │ 1234567 │ a|b        │
        └────────────┴─────────┴────────────┘

        """)
    style.showsTypes = false
    style.groupsDigits = true
    style.null = "∅"
    #expect(
      try render(Self.two, .table, style) == """
        ┌──────┬───────────┬──────┐
        │ city │     trips │ note │
        ├──────┼───────────┼──────┤
        │ Köln │        12 │ ∅    │
        │ ∅    │ 1,234,567 │ a|b  │
        └──────┴───────────┴──────┘

        """)
    // Piped: all rows, no types, no colours.
    #expect(
      try render(Self.two, .table) == """
        ┌──────┬─────────┬──────┐
        │ city │   trips │ note │
        ├──────┼─────────┼──────┤
        │ Köln │      12 │ NULL │
        │ NULL │ 1234567 │ a|b  │
        └──────┴─────────┴──────┘

        """)
  }

  @Test func coloursOfBoxes() throws {
    var style = DisplayStyle(width: 80)
    style.theme = .dark
    style.showsTypes = false
    let text = try render("SELECT CAST(NULL AS varchar) AS a", .table, style)
    #expect(text.contains("\u{1b}[2mNULL\u{1b}[0m"))
    #expect(text.contains("\u{1b}[1ma\u{1b}[0m"))
  }

  /// Wide, combining and control letters keep the columns straight.
  @Test func widths() throws {
    let sql = "SELECT * FROM (VALUES '漢字', U&'e\\0301', '👩‍👩‍👧', U&'a\\0009b\\000ac', U&'\\001b[31m\\202e') t(x)"
    #expect(
      try render(sql, .table) == """
        ┌────────┐
        │ x      │
        ├────────┤
        │ 漢字   │
        │ e\u{301}      │
        │ 👩‍👩‍👧     │
        │ a⇥b⏎c  │
        │ ␛[31m� │
        └────────┘

        """)
  }

  /// Long texts are cut with the count of letters left out, numbers never.
  @Test func narrowTerminals() throws {
    var style = DisplayStyle(width: 40)
    style.showsTypes = false
    let sql = "SELECT DECIMAL '12345678901234567890' AS n, 'abcdefghijklmnopqrstuvwxyz' AS letters"
    #expect(
      try render(sql, .table, style) == """
        ┌──────────────────────┬───────────────┐
        │                    n │ letters       │
        ├──────────────────────┼───────────────┤
        │ 12345678901234567890 │ abcdefghi…+17 │
        └──────────────────────┴───────────────┘

        """)
    // Not even that is enough: a line per value.
    style.width = 30
    #expect(
      try render(sql, .table, style) == """
        ─── row 1 ───
              n: 12345678901234567890
        letters: abcdefghijklmnopqrstuvwxyz

        """)
    style.expanded = .off
    #expect(
      try render(sql, .table, style) == """
        ┌──────────────┬───┐
        │            n │ … │
        ├──────────────┼───┤
        │ 12345678…+12 │ … │
        └──────────────┴───┘
        (1 of 2 columns do not fit; \\x shows a line a value)

        """)
  }

  /// Of many rows the first and the last ones.
  @Test func longResults() throws {
    var style = DisplayStyle(width: 80)
    style.showsTypes = false
    style.headRowCount = 2
    style.tailRowCount = 1
    #expect(
      try render("SELECT * FROM UNNEST(sequence(1, 9000)) t(x)", .table, style) == """
        ┌──────┐
        │    x │
        ├──────┤
        │    1 │
        │    2 │
        │    ⋮ │
        │ 9000 │
        └──────┘
        (2 first and 1 last of 9,000 rows)

        """)
  }

  @Test(arguments: [
    (OutputFormat.csv, "Köln,12,\n,1234567,a|b\n"), (.csvHeader, "city,trips,note\nKöln,12,\n,1234567,a|b\n"),
    (.tsvHeader, "city\ttrips\tnote\nKöln\t12\t\n\t1234567\ta|b\n"),
    (.json, "[\n{\"city\":\"Köln\",\"trips\":12,\"note\":null},\n{\"city\":null,\"trips\":1234567,\"note\":\"a|b\"}\n]\n"),
    (.jsonl, "{\"city\":\"Köln\",\"trips\":12,\"note\":null}\n{\"city\":null,\"trips\":1234567,\"note\":\"a|b\"}\n"),
    (.jsonlCompact, "[\"Köln\",12,null]\n[null,1234567,\"a|b\"]\n"),
    (.markdown, "| city | trips | note |\n| --- | ---: | --- |\n| Köln | 12 | NULL |\n| NULL | 1234567 | a\\|b |\n"),
    (.vertical, "─── row 1 ───\n city: Köln\ntrips: 12\n note: NULL\n─── row 2 ───\n city: NULL\ntrips: 1234567\n note: a|b\n"),
    (
      .html,
      "<table>\n<thead><tr><th title=\"varchar(4)\">city</th><th title=\"integer\">trips</th><th title=\"varchar(3)\">note</th></tr></thead>\n<tbody>\n<tr><td>Köln</td><td class=\"number\">12</td><td class=\"null\">NULL</td></tr>\n<tr><td class=\"null\">NULL</td><td class=\"number\">1234567</td><td>a|b</td></tr>\n</tbody>\n</table>\n"
    ),
  ]) func formats(_ format: OutputFormat, _ expected: String) throws {
    #expect(try render(Self.two, format) == expected)
  }

  @Test func htmlEscapes() throws {
    let page = try render("SELECT '<script>&\"''' AS \"<b>\"", .html, isFile: true)
    #expect(page.hasPrefix("<!doctype html>") && page.hasSuffix("</body></html>\n"))
    #expect(page.contains("<td>&lt;script&gt;&amp;&quot;&#39;</td>") && page.contains(">&lt;b&gt;</th>"))
  }

  @Test func statementsWithoutColumns() throws {
    for format in OutputFormat.allCases { #expect(try render("USE \"default\"", format) == "", "\(format)") }
  }
}

@Suite struct ParameterTextTests {
  @Test(arguments: [
    ("n=10", "n", "bigint", "10"), ("d=2024-01-01", "d", "date", "2024-01-01"), ("r=0.50", "r", "decimal(2,2)", "0.50"),
    ("x=1e3", "x", "double", "1.0E3"), ("t=2024-01-01T10:30", "t", "timestamp(0)", "2024-01-01 10:30:00"), ("b=true", "b", "boolean", "true"),
    ("s=O'Brien", "s", "varchar", "O'Brien"), ("z=007", "z", "varchar", "007"), ("q='10'", "q", "varchar", "10"),
    ("v:varchar=42", "v", "varchar", "42"), ("i:integer=42", "i", "integer", "42"), ("e=", "e", "varchar", ""),
  ]) func types(_ text: String, _ name: String, _ type: String, _ value: String) throws {
    let parsed = try #require(ParameterText.parse(text))
    #expect(parsed.name == name)
    let collector = ResultCollector()
    let session = try Engine().session()
    try session.run(
      SQLStatement("SELECT typeof(:\(name)) || '|' || CAST(:\(name) AS varchar)", named: [name: parsed.value]), into: collector)
    let texts = ResultText(try #require(collector.batches.first).columns[0])
    var bytes: [UInt8] = []
    texts.append(0, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == type + "|" + value)
  }

  @Test(arguments: ["day", "=1", "1a=2", "a b=1", "a-b=1"]) func wrong(_ text: String) { #expect(ParameterText.parse(text) == nil) }
}

@Suite struct ShellCommandTests {
  @Test func parsing() {
    func parse(_ text: String) -> [String]? { ShellCommand.parse(text).map { [$0.name, $0.argument] } }
    #expect(parse("\\d sales ") == ["d", "sales"])
    #expect(parse("  .tables") == ["tables", ""])
    #expect(parse("\\?") == ["?", ""])
    #expect(parse("quit;") == ["quit", ""])
    #expect(parse("EXIT") == ["exit", ""])
    #expect(parse("SELECT 1") == nil)
    #expect(parse(".5 + 1") == nil)
    #expect(parse("help me") == nil)
    #expect(ShellCommand.words("a 'b c' \"d\"'e' ''") == ["a", "b c", "de", ""])
  }

  /// No name means two things, and each is found.
  @Test func names() {
    let names = ShellCommand.all.flatMap(\.names)
    #expect(Set(names).count == names.count)
    #expect(ShellCommand.all.filter { $0.usage != nil }.count <= 23)
  }
}
