import Columnar
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

private let text = DataType.text

/// The rows of an `.expected` fixture: what Python's csv module reads.
func expectedRows(_ name: String) -> [[String?]] {
  let bytes = TextTesting.fixture(name)
  return bytes.split(separator: 0x1e, omittingEmptySubsequences: false).map { row in
    row.split(separator: 0x1f, omittingEmptySubsequences: false).map { cell in
      Array(cell) == [0] ? nil : String(decoding: cell, as: UTF8.self)
    }
  }
}

@Suite struct CSVFormatTests {
  // MARK: Records

  @Test func quotesLineEndsAndBlankLines() throws {
    let rows = try TextTesting.read(
      "\u{feff}id,name\r\n1,\"a \"\"quoted\"\" name\"\r\n\r\n2,\"two\r\nlines\"\r\n3,\r\n4,\"\"")
    #expect(rows == [["1", "a \"quoted\" name"], ["2", "two\r\nlines"], ["3", nil], ["4", ""]])
    #expect(try TextTesting.read("a,b\r1,x\r2,y\r") == [["1", "x"], ["2", "y"]])
    #expect(try TextTesting.read("a\n1\n\n2\n") == [["1"], [nil], ["2"]])
  }

  @Test func quotedFieldsAsPythonReadsThem() throws {
    let bytes = TextTesting.fixture("quoted.csv")
    let expected = expectedRows("quoted.expected")
    let schema = try CSVFormat(FormatOptions()).inferSchema(TextTesting.source(bytes))
    #expect(schema.fields.map(\.name) == ["id", "t1", "t2", "n"])
    #expect(schema.fields.map(\.type) == [.bigint, text, text, .bigint])
    #expect(try TextTesting.read(bytes) == expected)
    #expect(try TextTesting.read(bytes, batchSize: 3) == expected)
  }

  @Test(arguments: [1, 2, 3, 5, 7, 16, 31, 63, 64, 65, 100, 1000])
  func splitsOfAnySizeReadTheSame(_ size: Int) throws {
    #expect(
      try TextTesting.read(TextTesting.fixture("quoted.csv"), splitByteCount: size) == expectedRows("quoted.expected"))
    let stray = TextTesting.fixture("stray.csv")
    let three = Schema([Field("a", text), Field("b", text), Field("c", text)])
    #expect(
      try TextTesting.read(stray, ["escapechar": ""], schema: three, splitByteCount: size) == expectedRows("stray.expected"))
    let crlf = Array("a,b\r\n1,\"x\r\ny\"\r\n\r\n2,z\r\n".utf8)
    #expect(try TextTesting.read(crlf, splitByteCount: size) == [["1", "x\r\ny"], ["2", "z"]])
  }

  @Test func splitsInAnyOrderKnowWhetherTheyStartInQuotes() throws {
    let bytes = TextTesting.fixture("quoted.csv")
    let format = try CSVFormat(FormatOptions())
    let source = TextTesting.source(bytes)
    let schema = try format.inferSchema(source)
    let request = ScanRequest(
      columns: schema.fields.enumerated().map { ScanColumn(name: $1.name, type: $1.type, ordinal: $0) })
    let file = try format.open(source)
    let metrics = ScanMetrics()
    var parts: [[[String?]]] = []
    let scan = try file.scan(request, metrics: metrics)
    for split in try scan.splits(targetByteCount: 97, unit: .size).reversed() {
      let reader = try scan.makeReader(split)
      var rows: [[String?]] = []
      while let batch = try reader.next() {
        for row in 0..<batch.rowCount {
          rows.append(zip(batch.columns, request.columns).map { TextTesting.render($0.scalar(row), $1.type) })
        }
      }
      parts.insert(rows, at: 0)
    }
    #expect(parts.flatMap(\.self) == expectedRows("quoted.expected"))
  }

  @Test func everyByteIsScannedOnce() throws {
    let bytes = TextTesting.fixture("plain.csv")
    for size in [100, 1000, 1 << 20] {
      let meter = ScanMeter()
      _ = try TextTesting.read(bytes, splitByteCount: size, meter: meter)
      #expect(meter.scannedBytes == bytes.count)
    }
    let packed = TextTesting.fixture("plain.csv.gz")
    let meter = ScanMeter()
    _ = try TextTesting.read(packed, path: "plain.csv.gz", meter: meter)
    #expect(meter.scannedBytes == packed.count)
  }

  @Test func compressedFiles() throws {
    let expected = try TextTesting.read(TextTesting.fixture("plain.csv"))
    #expect(expected.count == 3000)
    #expect(expected[7] == ["7", "name 7", "1.0"])
    #expect(try TextTesting.read(TextTesting.fixture("plain.csv.gz"), path: "plain.csv.gz") == expected)
    #expect(try TextTesting.read(TextTesting.fixture("plain.csv.bz2"), path: "plain.csv.bz2") == expected)
  }

  // MARK: Sniffing

  @Test func separators() throws {
    #expect(try TextTesting.inferred("id;zip;name\n1;00501;a,b\n2;10115;c\n") == "id bigint, zip varchar, name varchar")
    #expect(try TextTesting.inferred("id|x\n1|2.5\n") == "id bigint, x double")
    #expect(try TextTesting.inferred("id\tx\n1\ttrue\n") == "id bigint, x boolean")
    #expect(try TextTesting.inferred("one\n1\n") == "one bigint")
  }

  @Test func headers() throws {
    #expect(try TextTesting.inferred("0,0,row 0\n1,1,row 1\n") == "_col0 bigint, _col1 bigint, _col2 varchar")
    #expect(try TextTesting.inferred("a,b,c\n") == "a unknown, b unknown, c unknown")
    #expect(try TextTesting.inferred("name,city\nAnn,Rome\nBob,Oslo\n") == "name varchar, city varchar")
    #expect(try TextTesting.inferred("x,y\nx,z\n") == "_col0 varchar, _col1 varchar")
    #expect(
      try TextTesting.inferred("a,A,a,,\n1,2,3,4,5\n") == "a bigint, A_1 bigint, a_2 bigint, _col3 bigint, _col4 bigint"
    )
    #expect(try TextTesting.inferred("junk\na,b\n1,2\n", ["skip.header.line.count": "2"]) == "a bigint, b bigint")
    #expect(try TextTesting.inferred("a,b\n1,2\n", ["skip.header.line.count": "0"]) == "_col0 varchar, _col1 varchar")
  }

  @Test func types() throws {
    let csv = """
      b,i,w,f,d,t3,t6,z,m,q,u
      true,1,12345678901234567890,1.5,2024-02-29,2024-01-02 03:04:05.123,2024-01-02T03:04:05.1234,007,1,"5",
      FALSE,-7,1,1e3,1999-12-31,2024-01-02 03:04:05,2024-01-02T03:04:05.123456,1,x,6,

      """
    #expect(
      try TextTesting.inferred(csv)
        == "b boolean, i bigint, w decimal(38,0), f double, d date, t3 timestamp(3), t6 timestamp(6), z varchar, m varchar, q varchar, u unknown"
    )
    let rows = try TextTesting.read(csv)
    #expect(
      rows[0] == [
        "true", "1", "12345678901234567890", "1.5", "19782", "1704164645123000", "1704164645123400", "007", "1", "5",
        nil,
      ])
    #expect(
      rows[1] == ["false", "-7", "1", "1000.0", "10956", "1704164645000000", "1704164645123456", "1", "x", "6", nil])
    // All fields quoted: quotes say nothing.
    #expect(try TextTesting.inferred("\"a\",\"b\"\n\"1\",\"x\"\n") == "a bigint, b varchar")
    #expect(try TextTesting.inferred("a,b\n 1 , 2.5\n") == "a bigint, b double")
    #expect(try TextTesting.inferred("a,b\n2023-02-29,2024-13-01\n") == "a varchar, b varchar")
    #expect(try TextTesting.inferred("a\n+49\n") == "a varchar")
  }

  @Test func middleAndEndOfLongFilesAreSampled() throws {
    var csv = "a,b\n"
    for i in 0..<60_000 { csv += "\(i),\(i > 55_000 ? "x" : "1")\n" }
    #expect(try TextTesting.inferred(csv) == "a bigint, b varchar")
  }

  // MARK: Errors

  @Test func lateValuesThatDoNotFit() throws {
    // Long enough that the row lies between the samples.
    var csv = "id,amount\n"
    for i in 100_000..<700_000 { csv += i == 409_000 ? "\(i),12.5O\n" : "\(i),12.50\n" }
    let error = TextTesting.failure { _ = try TextTesting.read(csv, splitByteCount: 1_000_000) }
    #expect(error?.code == .hiveBadData)
    #expect(error?.mayStartAgain == true)
    #expect(error?.data?.row == 309_002)
    #expect(error?.data?.column == "amount")
    #expect(error?.data?.value == "12.5O")
    #expect(error?.data?.path == "t.csv")
    #expect(error?.hint?.contains("SELECT * FROM TABLE(read_csv('t.csv', types => 'amount varchar'))") == true)
  }

  @Test func leadingZerosAfterTheSampleAreErrors() throws {
    let schema = Schema([Field("a", .bigint), Field("t", .timestamp(precision: 3))])
    let format = try CSVFormat(FormatOptions())
    for bad in ["007,2024-01-01", "+1,2024-01-01", "1,2024-01-01 00:00:00.0001", "9223372036854775808,"] {
      let source = TextTesting.source(Array("a,t\n\(bad)\n".utf8))
      let columns = schema.fields.enumerated().map { ScanColumn(name: $1.name, type: $1.type, ordinal: $0) }
      let error = TextTesting.failure {
        _ = try TextTesting.rows(try format.open(source), ScanRequest(columns: columns), splitByteCount: 1000)
      }
      #expect(error?.code == .hiveBadData)
      #expect(error?.data?.row == 2)
    }
  }

  @Test func tooManyAndTooFewFields() throws {
    let error = TextTesting.failure {
      _ = try TextTesting.read("id,name,amount\n1,a,10\n2,b,20\n3,c,30,extra\n4,d,40\n")
    }
    #expect(error?.code == .hiveBadData)
    #expect(error?.data?.row == 4)
    #expect(try TextTesting.read("id,name,amount\n1,a,10\n2,b\n3,c,30\n")[1] == ["2", "b", nil])
  }

  @Test func quoteNeverClosed() throws {
    let error = TextTesting.failure { _ = try TextTesting.read("id,name\n1,\"ok\"\n2,\"never closed\n3,x\n") }
    #expect(error?.code == .hiveBadData)
    #expect(error?.data?.row == 3)
  }

  @Test func illFormedUTF8() throws {
    let bytes: [UInt8] = Array("id,name\n1,ok\n2,".utf8) + [0x66, 0xfc, 0x72] + Array("\n".utf8)
    let error = TextTesting.failure { _ = try TextTesting.read(bytes) }
    #expect(error?.code == .hiveBadData)
    #expect(error?.data?.row == 3)
    let schema = Schema([Field("id", .text), Field("name", .text)])
    #expect(try TextTesting.read(bytes, ["skip.header.line.count": "1"], schema: schema)[1] == ["2", "f\u{fffd}r"])
  }

  // MARK: OpenCSVSerde

  @Test func openCSV() throws {
    let schema = Schema([
      Field("s", text), Field("i", .integer), Field("d", .date), Field("t", .timestamp(precision: 3)),
      Field("b", .boolean),
    ])
    let rows = try TextTesting.read(
      "x\\\"y,1,19782,1704164645123,TRUE\n\"a\\\"b\\\\c\",-2,0,-1,false\n\n\"\",3,1,0,true,extra\nz\n", schema: schema)
    #expect(rows[0] == ["x\\\"y", "1", "19782", "1704164645123000", "true"])
    #expect(rows[1] == ["a\"b\\c", "-2", "0", "-1000", "false"])
    #expect(rows[2] == [nil, nil, nil, nil, nil])
    #expect(rows[3] == ["", "3", "1", "0", "true"])
    #expect(rows[4] == ["z", nil, nil, nil, nil])
    let error = TextTesting.failure { _ = try TextTesting.read("a,\n", schema: schema) }
    #expect(error?.message == "Error parsing field value '' for field 1: For input string: \"\"")
    let lenient = try TextTesting.read("a,\n", ["use.null.for.invalid.data": "true"], schema: schema)
    #expect(lenient == [["a", nil, nil, nil, nil]])
    let odd = try TextTesting.read(
      "a|'b|c'|d\n", ["separatorchar": "|", "quotechar": "'"], schema: Schema([Field("a", text), Field("b", text)]))
    #expect(odd == [["a", "b|c"]])
    #expect(throws: QueryError.self) {
      try CSVFormat(FormatOptions(properties: ["separatorchar": "\""], schema: schema))
    }
  }

  @Test(arguments: [1, 2, 3, 7, 64, 1000]) func escapesAcrossSplits(_ size: Int) throws {
    let schema = Schema([Field("a", text), Field("b", text)])
    let rows = try TextTesting.read(
      "\"x\\\"\ny\",1\n\"\\\\\",2\n\"a\\b\",3\n", schema: schema, splitByteCount: size)
    #expect(rows == [["x\"\ny", "1"], ["\\", "2"], ["a\\b", "3"]])
  }

  // MARK: LazySimpleSerDe

  @Test func delimitedText() throws {
    let schema = Schema([
      Field("i", .integer), Field("s", text), Field("d", .decimal(precision: 5, scale: 2)),
      Field("v", .varchar(length: 2)),
      Field("c", .char(length: 3)), Field("t", .timestamp(precision: 3)), Field("l", .date),
    ])
    let rows = try TextTesting.read(
      "1\u{1}\"q\"\u{1}1.005\u{1}äöü\u{1}a  \u{1}2024-01-02 03:04:05.6789\u{1}2024-1-2\nx\u{1}\\N\u{1}1000\u{1}\u{1}\u{1}\u{1}\n\n",
      as: DelimitedTextFormat.self, schema: schema)
    #expect(rows[0] == ["1", "\"q\"", "1.01", "äö", "a", "1704164645679000", "19724"])
    #expect(rows[1] == [nil, nil, nil, "", "", nil, nil])
    #expect(rows[2] == [nil, nil, nil, nil, nil, nil, nil])
    let escaped = try TextTesting.read(
      "a\\,b,c\\\\\n", as: DelimitedTextFormat.self, ["field.delim": ",", "escape.delim": "\\"],
      schema: Schema([Field("x", text), Field("y", text)]))
    #expect(escaped == [["a,b", "c\\"]])
    let rest = try TextTesting.read(
      "a,b,c\n", as: DelimitedTextFormat.self, ["field.delim": ",", "serialization.last.column.takes.rest": "true"],
      schema: Schema([Field("x", text), Field("y", text)]))
    #expect(rest == [["a", "b,c"]])
  }

  @Test func timestampFormats() throws {
    let schema = Schema([Field("t", .timestamp(precision: 3))])
    let rows = try TextTesting.read(
      "02/01/2024 03.04.05\n2-Jan-2024 3:04 PM\n20240102T030405.678+0130\n1704164645123\n2024-01-02 03:04:05\nx\n",
      as: DelimitedTextFormat.self,
      ["timestamp.formats": "dd/MM/yyyy HH.mm.ss,d-MMM-yyyy h:mm a,yyyyMMdd'T'HHmmss.SSSZ,millis"], schema: schema)
    #expect(
      rows.map { $0[0] } == [
        "1704164645000000", "1704207840000000", "1704159245678000", "1704164645123000", "1704164645000000", nil,
      ])
    #expect(throws: QueryError.self) {
      try DelimitedTextFormat(FormatOptions(properties: ["timestamp.formats": "EEE yyyy"], schema: schema))
    }
  }

  @Test func nestedDelimitedText() throws {
    let schema = Schema([
      Field("a", .array(.integer)), Field("m", .map(key: text, value: .bigint)),
      Field("r", .row([.init(name: "x", type: .integer), .init(name: "y", type: text)])),
      Field("aa", .array(.array(text))),
    ])
    let rows = try TextTesting.read(
      "1|2|x,k=1|l=\\N,5|z,a=b|c\n,,,\n\\N,\\N,\\N,\\N\n", as: DelimitedTextFormat.self,
      ["field.delim": ",", "collection.delim": "|", "mapkey.delim": "="], schema: schema)
    #expect(rows[0] == ["[1, 2, NULL]", "{k=1, l=NULL}", "{5, z}", "[[a, b], [c]]"])
    #expect(rows[1] == ["[]", "{}", "{NULL, NULL}", "[]"])
    #expect(rows[2] == [nil, nil, nil, nil])
  }

  // MARK: Scans

  @Test func predicatesAndLimits() throws {
    let bytes = TextTesting.fixture("plain.csv")
    let format = try CSVFormat(FormatOptions())
    let source = TextTesting.source(bytes)
    let schema = try format.inferSchema(source)
    let columns = schema.fields.enumerated().map { ScanColumn(name: $1.name, type: $1.type, ordinal: $0) }
    let file = try format.open(source)
    let byID = ScanPredicate(columns: [0], isDictionarySafe: true) {
      ClosureEvaluator([.bigint]) { Int($0[0]!)! % 3 == 0 }
    }
    let byName = ScanPredicate(columns: [1, 0], isDictionarySafe: true) {
      ClosureEvaluator([.text, .bigint]) { $0[0]! == "name 6" && Int($0[1]!)! > 100 }
    }
    var request = ScanRequest(columns: columns, predicates: [byID, byName], batchSize: 100)
    let expected = (101..<3000).filter { $0 % 3 == 0 && $0 % 17 == 6 }
    #expect(try TextTesting.rows(file, request, splitByteCount: 1 << 20).map { $0[0] } == expected.map(String.init))
    request.limit = 5
    #expect(
      try TextTesting.rows(file, request, splitByteCount: 1 << 20).map { $0[0] } == expected.prefix(5).map(String.init))
    request = ScanRequest(columns: [columns[2]], limit: 3)
    #expect(try TextTesting.rows(file, request, splitByteCount: 1 << 20) == [["0.0"], ["0.14"], ["0.29"]])
    #expect(try TextTesting.rows(file, ScanRequest(columns: []), splitByteCount: 1000).count == 3000)
  }

  @Test func headerNamesSayWhereColumnsLie() throws {
    let format = try CSVFormat(FormatOptions())
    let file = try format.open(TextTesting.source(Array("b,a\n1,x\n2,y\n".utf8)))
    let columns = [
      ScanColumn(name: "a", type: text, ordinal: 0), ScanColumn(name: "b", type: .bigint, ordinal: 1),
      ScanColumn(name: "missing", type: .double, ordinal: 2),
    ]
    #expect(
      try TextTesting.rows(file, ScanRequest(columns: columns), splitByteCount: 100) == [
        ["x", "1", nil], ["y", "2", nil],
      ])
  }

  @Test func filesOfATableAreReadAlike() throws {
    func table(_ files: [String], inferring count: Int = 1) throws -> [[[String?]]] {
      let format = try CSVFormat(FormatOptions())
      let sources = files.enumerated().map { TextTesting.source(Array($1.utf8), path: "\($0).csv") }
      var schema = Schema([])
      for source in sources.prefix(count) { schema = try format.inferSchema(source) }
      let columns = schema.fields.enumerated().map { ScanColumn(name: $1.name, type: $1.type, ordinal: $0) }
      return try sources.map {
        try TextTesting.rows(try format.open($0), ScanRequest(columns: columns), splitByteCount: 1000)
      }
    }
    // Headers with the columns in another order; a part without a header; a part of names only.
    #expect(
      try table(["id,name\n1,a\n", "name,id\nb,2\n", "3,c\n4,d\n", "id,name\n", ""])
        == [[["1", "a"]], [["2", "b"]], [["3", "c"], ["4", "d"]], [], []])
    // No header in the first file: none anywhere.
    #expect(try table(["1,a\n2,b\n", "3,c\n"]) == [[["1", "a"], ["2", "b"]], [["3", "c"]]])
    #expect(try TextTesting.read("\n\nid,name\n\n1,a\n") == [["1", "a"]])
  }

  @Test func randomBytesNeverCrash() throws {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("\"\",\n\r\\a1-.;\t|".utf8) + [0, 0xff, 0xc3, 0xa9]
    for _ in 0..<300 {
      let bytes = (0..<Int.random(in: 0..<300, using: &generator)).map { _ in alphabet.randomElement(using: &generator)!
      }
      let whole = Result { try TextTesting.read(bytes) }
      let split = Result { try TextTesting.read(bytes, splitByteCount: Int.random(in: 1..<100)) }
      switch (whole, split) {
      case (.success(let a), .success(let b)): #expect(a == b, "\(bytes)")
      case (.failure(let a), .failure(let b)): #expect((a as? QueryError)?.code == (b as? QueryError)?.code)
      default: Issue.record("whole and split disagree: \(bytes)")
      }
    }
  }
}
