import Foundation
import QueryEngine
import Testing

@testable import QueryShell

@Suite struct ChartTests {
  private func data(_ kind: ChartKind, _ sql: String, _ columns: [String] = []) throws -> ChartData {
    let collector = ResultCollector()
    try Engine().session().run(SQLStatement(sql), into: collector)
    return try ChartData(kind, collector.schema, collector.batches, columns: columns)
  }

  private func draw(_ data: ChartData, width: Int = 40, height: Int = 12) -> String {
    TerminalChart(width: width, height: height, theme: .none).draw(data)
  }

  private static let cities = "SELECT * FROM (VALUES ('Köln', 10), ('漢', 5), (NULL, 0), ('none', NULL)) t(city, trips)"

  @Test func bars() throws {
    #expect(
      try draw(data(.bar, Self.cities)) == """
        Köln │██████████████████████████████ 10
          漢 │███████████████                5
        NULL │                               0
        none │                               \("")
        """)
    // Below zero they grow to the left.
    let signed = try draw(data(.bar, "SELECT * FROM (VALUES ('a', -5), ('b', 5)) t(x, y)"), width: 20)
    #expect(signed == "a │██████        -5\nb │      ██████▌ 5")
  }

  /// Eighths of a block.
  @Test(arguments: [(0.0, ""), (0.5, "▌"), (1, "█"), (1.125, "█▏"), (2.9, "██▉")]) func barLengths(_ length: Double, _ bar: String) {
    #expect(TerminalChart.bar(length) == bar)
  }

  @Test func lines() throws {
    let text = try draw(data(.line, "SELECT x, x * x AS y FROM UNNEST(sequence(0, 10)) t(x)"), width: 30, height: 9)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 7)
    #expect(lines[0].hasPrefix("100┤") && lines[0].hasSuffix("⠎") || lines[0].hasSuffix("⠜") || lines[0].contains("⠊"))
    #expect(lines[4].hasPrefix("  0┤") && lines[5].hasPrefix("   └"))
    #expect(lines[6].contains("0") && lines[6].contains("10"))
  }

  @Test func histograms() throws {
    let counted = try data(.histogram, "SELECT CAST(x AS double) / 10 AS v FROM UNNEST(sequence(0, 99)) t(x)")
    guard case .names(let names) = counted.places else { Issue.record("no names"); return }
    #expect(names.first == "0.0–0.5" && names.count == 20)
    #expect(counted.series[0].values.allSatisfy { $0 == 5 })
    #expect(try data(.histogram, "SELECT 1 AS v WHERE false").places.count == 0)
    #expect(try data(.histogram, "SELECT 7 AS v").series[0].values.reduce(0, +) == 1)
  }

  @Test func columnsThatDoNotFit() throws {
    #expect(throws: QueryError.self) { try data(.bar, "SELECT 'a' AS x") }
    #expect(throws: QueryError.self) { try data(.histogram, "SELECT 'a' AS x") }
    #expect(throws: QueryError.self) { try data(.line, "SELECT 1 AS x, 2 AS y", ["x", "z"]) }
    #expect(try data(.scatter, "SELECT 'n' AS name, 1 AS x, 2 AS y").placesName == "x")
    #expect(try data(.line, "SELECT 1 AS a, 2 AS b, 3 AS c", ["c", "a"]).series.map(\.name) == ["a"])
  }

  /// Values that are no numbers, or all the same, do no harm.
  @Test(arguments: ChartKind.allCases) func oddValues(_ kind: ChartKind) throws {
    for sql in [
      "SELECT 1 AS x, nan() AS y", "SELECT 1 AS x, infinity() AS y", "SELECT 1 AS x, CAST(NULL AS double) AS y", "SELECT 1 AS x, 1e300 AS y",
      "SELECT 1 AS x, -1e-300 AS y", "SELECT 1 AS x, 1 AS y WHERE false", "SELECT x, -x AS y FROM UNNEST(sequence(1, 300)) t(x)",
      "SELECT DATE '2024-01-01' + x * INTERVAL '1' DAY AS day, x AS y FROM UNNEST(sequence(1, 40)) t(x)",
    ] {
      // Dates are no numbers to scatter by.
      guard let data = try? data(kind, sql) else {
        #expect(kind == .scatter && sql.contains("DATE"))
        continue
      }
      for (width, height) in [(10, 5), (80, 24)] { _ = draw(data, width: width, height: height) }
      let picture = SVGChart().draw(data, title: "")
      #expect(!picture.contains("nan") && !picture.contains("inf\""), "\(sql)")
      #expect(XMLCheck.isWellFormed(picture), "\(sql)")
    }
  }

  @Test func pictures() throws {
    let picture = SVGChart().draw(try data(.bar, "SELECT '<b>&' AS x, 3 AS \"a\"\"b\""), title: "1 < 2")
    #expect(XMLCheck.isWellFormed(picture))
    #expect(picture.contains("<title>1 &lt; 2</title>") && picture.contains("&lt;b&gt;&amp; · a&quot;b: 3"))
    #expect(picture.count(of: "<rect") == 2)
    let points = SVGChart().draw(try data(.scatter, "SELECT x, x * 2 AS y FROM UNNEST(sequence(1, 7)) t(x)"), title: "")
    #expect(points.count(of: "<circle") == 7)
    // A gap where there is no value.
    let gap = SVGChart().draw(try data(.line, "SELECT * FROM (VALUES (1, 1), (2, 2), (3, NULL), (4, 4), (5, 5)) t(x, y)"), title: "")
    let path = try #require(gap.firstMatch(of: /d="([^"]*)"/)).1
    #expect(path.count { $0 == "M" } == 2 && path.count { $0 == "L" } == 2)
  }

  @Test func times() throws {
    let data = try data(.line, "SELECT DATE '2024-01-01' + x * INTERVAL '1' DAY AS day, x AS y FROM UNNEST(sequence(0, 364)) t(x)")
    guard case .numbers(let seconds, true) = data.places else { Issue.record("no times"); return }
    #expect(seconds[0] == 1_704_067_200 && seconds[1] - seconds[0] == 86_400)
    #expect(ChartTime.text(seconds[0], step: 86_400) == "2024-01-01")
    #expect(ChartTime.text(seconds[0] + 3660, step: 3600) == "01-01 01:01")
    #expect(ChartTime.seconds("2024-01-01 00:00:30.500") == seconds[0] + 30.5)
    #expect(ChartTime.seconds("x") == nil)
  }

  @Test func roundSteps() {
    for (range, count, step) in [(10.0, 5, 2.0), (97, 10, 10), (0.7, 7, 0.1), (1234, 4, 500)] {
      #expect(abs(ChartScale.step(range, count: count) - step) < step * 1e-9)
    }
    #expect(ChartScale.text(1_500_000, 500_000) == "1.5M")
    #expect(ChartScale.text(0, 2000) == "0" && ChartScale.text(2000, 2000) == "2k")
    #expect(ChartScale.text(0.25, 0.05) == "0.25")
    #expect(ChartScale.text(-3, 1) == "-3")
  }
}

@Suite struct ProgressTests {
  private func progress(_ planned: Int, _ scanned: Int, limit: Int? = nil) throws -> QueryProgress {
    var progress = try Engine().session().queue("SELECT 1").progress
    (progress.bytesPlanned, progress.bytesScanned, progress.scanLimit) = (planned, scanned, limit)
    return progress
  }

  @Test func parts() throws {
    var half = try progress(2 << 20, 1 << 20, limit: 4 << 20)
    half.bytesTotal = 8 << 20
    half.rows = 1234
    half.memoryBytes = 3 << 20
    half.spilledBytes = 5 << 20
    #expect(
      ProgressLine.parts(half, milliseconds: 2000, .binary) == [
        "50 %", "2.00 s", "2.00 s left", "1.00 MB of 2.00 MB (75 % pruned)", "$0", "3.00 MB of the limit left", "1,234 rows",
        "3.00 MB memory", "5.00 MB spilled", "Ctrl-C stops",
      ])
    let unknown = try progress(0, 0)
    #expect(ProgressLine.parts(unknown, milliseconds: 400, .binary) == ["0.40 s", "Ctrl-C stops"])
    // No time left is told before anything is known, or when all is read.
    for scanned in [1, 1000] {
      let parts = ProgressLine.parts(try progress(1000, scanned), milliseconds: 400, .binary)
      #expect(!parts.contains { $0.hasSuffix("left") })
    }
  }

  /// As much as fits with a column to spare, on terminals of any width.
  @Test(arguments: [(0, ""), (1, ""), (4, ""), (5, "50 %"), (13, "50 %"), (14, "50 % · 2.00 s"), (80, "50 % · 2.00 s · rest")])
  func width(_ width: Int, _ line: String) {
    #expect(ProgressLine.fit(["50 %", "2.00 s", "rest"], width) == line)
  }
}

/// Whether tags are closed in order: enough for what is drawn here.
enum XMLCheck {
  static func isWellFormed(_ text: String) -> Bool {
    var open: [Substring] = []
    for tag in text.matches(of: /<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/) {
      if !tag.1.isEmpty { if open.popLast() != tag.2 { return false } } else if tag.3.isEmpty { open.append(tag.2) }
    }
    return open.isEmpty
  }
}

extension String {
  fileprivate func count(of part: String) -> Int { components(separatedBy: part).count - 1 }
}
