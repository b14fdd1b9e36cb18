import Columnar
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

private let text = DataType.text

@Suite struct JSONFormatTests {
  private func read(
    _ json: String, _ properties: [String: String] = [:], schema: Schema? = nil, splitByteCount: Int = 1 << 20,
    path: String = "t.json", batchSize: Int = 4096
  ) throws -> [[String?]] {
    try TextTesting.read(
      json, as: JSONFormat.self, properties, schema: schema, path: path, splitByteCount: splitByteCount,
      batchSize: batchSize)
  }

  private func inferred(_ json: String) throws -> String {
    try TextTesting.inferred(json, as: JSONFormat.self, path: "t.json")
  }

  private func failure(_ json: String, _ properties: [String: String] = [:], schema: Schema? = nil) -> QueryError? {
    TextTesting.failure { _ = try read(json, properties, schema: schema) }
  }

  // MARK: Records

  @Test(arguments: ["lines.json", "array.json"]) func recordsAsPythonWroteThem(_ name: String) throws {
    let bytes = TextTesting.fixture(name)
    let schema = try JSONFormat(FormatOptions()).inferSchema(TextTesting.source(bytes, path: name))
    #expect(
      Dictionary(uniqueKeysWithValues: schema.fields.map { ($0.name, $0.type) }) == [
        "id": .bigint, "name": text, "score": .double, "ok": .boolean, "tags": .array(text),
        "o": .row([.init(name: "k", type: .bigint), .init(name: "s", type: text)]),
      ])
    let columns = ["id", "name", "score", "ok", "tags", "o"]
    let expected = expectedRows("lines.expected")
    for batchSize in [3, 4096] {
      let rows = try TextTesting.read(bytes, as: JSONFormat.self, path: name, batchSize: batchSize, columns: columns)
      #expect(rows.count == expected.count)
      for (row, wanted) in zip(rows, expected) where row != wanted { Issue.record("\(row) is not \(wanted)") }
    }
  }

  @Test(arguments: [1, 2, 3, 7, 16, 64, 65, 100, 1000]) func splitsOfAnySizeReadTheSame(_ size: Int) throws {
    let columns = ["id", "name", "score", "ok", "tags", "o"]
    let rows = try TextTesting.read(
      TextTesting.fixture("lines.json"), as: JSONFormat.self, path: "t.json", splitByteCount: size, columns: columns)
    #expect(rows == expectedRows("lines.expected"))
    #expect(try read("{\"a\":1}\r\n\r\n  \n{\"a\":2}", splitByteCount: size) == [["1"], ["2"]])
  }

  @Test func prettyObjectsAndCompressedLines() throws {
    let pretty = try TextTesting.read(
      TextTesting.fixture("pretty.json"), as: JSONFormat.self, path: "pretty.json", columns: ["id", "name"])
    #expect(pretty == expectedRows("lines.expected").prefix(100).map { Array($0.prefix(2)) })
    let packed = TextTesting.fixture("plain.json.gz")
    let meter = ScanMeter()
    let rows = try TextTesting.read(packed, as: JSONFormat.self, path: "plain.json.gz", meter: meter)
    #expect(rows.count == 1500)
    #expect(rows[700] == ["700", "name 3", "100.0"])
    #expect(meter.scannedBytes == packed.count)
    let lines = TextTesting.fixture("lines.json")
    for size in [100, 10_000] {
      let meter = ScanMeter()
      _ = try TextTesting.read(lines, as: JSONFormat.self, path: "t.json", splitByteCount: size, meter: meter)
      #expect(meter.scannedBytes == lines.count)
    }
  }

  @Test func documents() throws {
    #expect(try read("[]") == [])
    #expect(try read("[{\"a\":1},{\"a\":2}]") == [["1"], ["2"]])
    #expect(try read("\u{feff}[\n {\"a\": 1},\n {\"a\": 2}\n]\n") == [["1"], ["2"]])
    #expect(try read("{\n\"a\":1}\n{\n\"a\":2}") == [["1"], ["2"]])
    #expect(try read("") == [])
    for (bad, row) in [
      ("[{\"a\":1},{\"a\":2}", 3), ("[{\"a\":1}{\"a\":2}]", 2), ("[{\"a\":1}] x", 2), ("[{\"a\":1},]", 2),
      ("[{\"a\":1},3]", 2),
    ] {
      let error = failure(bad, schema: Schema([Field("a", .bigint)]))
      #expect(error?.code == .hiveCursorError, "\(bad)")
      #expect(error?.data?.row == row, "\(bad)")
    }
  }

  // MARK: Inference

  @Test func inference() throws {
    #expect(
      try inferred("{\"a\":1,\"b\":1.5,\"c\":\"x\",\"d\":true,\"e\":null}")
        == "a bigint, b double, c varchar, d boolean, e unknown")
    #expect(try inferred("{\"a\":1}\n{\"a\":1.5}") == "a double")
    #expect(try inferred("{\"a\":1}\n{\"a\":\"x\"}") == "a varchar")
    #expect(try inferred("{\"a\":12345678901234567890}") == "a decimal(38,0)")
    #expect(try inferred("{\"o\":{\"x\":1}}\n{\"o\":{\"y\":\"s\"}}\n{\"o\":null}") == "o row(x bigint, y varchar)")
    #expect(try inferred("{\"l\":[1,2.5]}\n{\"l\":[]}\n{\"l\":[{\"k\":1}]}") == "l array(varchar)")
    #expect(try inferred("{\"l\":[[1],[]]}") == "l array(array(bigint))")
    #expect(
      try inferred("{\"d\":\"2024-01-02\",\"t\":\"2024-01-02 03:04:05\",\"z\":\"2024-01-02T03:04:05Z\"}")
        == "d date, t timestamp(3), z timestamp(3) with time zone")
    #expect(try inferred("{\"t\":\"2024-01-02T03:04:05.123456\"}\n{\"t\":\"2024-01-02\"}") == "t timestamp(6)")
    #expect(try inferred("{\"d\":\"2024-01-02\"}\n{\"d\":\"\"}") == "d varchar")
    #expect(try inferred("{\"a\":1,\"B\":2}\n{\"A\":1,\"b\":2,\"c\":3}") == "a bigint, B bigint, c bigint")
    #expect(try inferred("{\"o\":{}}") == "o row()")
    #expect(try inferred("{\"l\":[]}") == "l array(unknown)")
  }

  // MARK: Values

  @Test func valuesOfEveryType() throws {
    let schema = Schema([
      Field("i", .integer), Field("s", .smallint), Field("d", .decimal(precision: 10, scale: 2)),
      Field("w", .decimal(precision: 38, scale: 5)), Field("f", .real), Field("b", .boolean), Field("t", text),
      Field("day", .date), Field("at", .timestamp(precision: 3)), Field("bin", .varbinary),
      Field("c", .char(length: 2)),
    ])
    let rows = try read(
      """
      {"i":"7","s":-5,"d":1.005,"w":123456789012345678901234.5,"f":0.1,"b":"true","t":{"x": [1, "}"]},"day":"2024-02-29","at":"2024-01-02T03:04:05.678Z","bin":"aGk=","c":"xyz"}
      {"i":1e3,"s":2.0,"d":"-3.1","w":1,"f":1e-3,"b":false,"t":12.50,"day":null,"at":1704164645678,"bin":"","c":"a "}
      {"t":true,"at":"2024-01-02 05:04:05+02:00"}

      {"t":null,"d":"","at":1704164645}
      {"t":"a\\u00e9\\ud83d\\ude00\\n\\"\\\\\\/"}
      """, schema: schema)
    #expect(
      rows[0] == [
        "7", "-5", "1.01", "123456789012345678901234.50000", "0.1", "true", "{\"x\": [1, \"}\"]}", "19782",
        "1704164645678000", "hi", "xy",
      ])
    #expect(
      rows[1] == ["1000", "2", "-3.10", "1.00000", "0.001", "false", "12.50", nil, "1704164645678000", "", "a"])
    #expect(rows[2] == [nil, nil, nil, nil, nil, nil, "true", nil, "1704164645000000", nil, nil])
    #expect(rows[3] == Array(repeating: nil, count: 11))
    #expect(rows[4] == [nil, nil, nil, nil, nil, nil, nil, nil, "1704164645000000", nil, nil])
    #expect(rows[5][6] == "aé😀\n\"\\/")
  }

  @Test func nestedValues() throws {
    let schema = Schema([
      Field("r", .row([.init(name: "x", type: .integer), .init(name: "y", type: .array(.date))])),
      Field("m", .map(key: text, value: .double)), Field("aa", .array(.array(.bigint))),
      Field("ar", .array(.row([.init(name: "k", type: text)]))), Field("mi", .map(key: .integer, value: text)),
    ])
    let rows = try read(
      """
      {"r":{"Y":["2024-01-01",null],"z":[{}],"x":1},"m":{"a":1,"b\\n":2.5,"a":9},"aa":[[1,2],[],null],"ar":[{"k":{"q":1}},{"K":"v\\t"},{}],"mi":{"1":"x"}}
      {"r":[3,["1970-01-02"]],"m":{},"aa":[],"ar":null,"mi":null}
      {"r":{}}
      """, schema: schema)
    #expect(
      rows[0] == [
        "{1, [19723, NULL]}", "{a=1.0, b\n=2.5}", "[[1, 2], [], NULL]", "[{{\"q\":1}}, {v\t}, {NULL}]", "{1=x}",
      ])
    #expect(rows[1] == ["{3, [1]}", "{}", "[]", nil, nil])
    #expect(rows[2] == ["{NULL, NULL}", nil, nil, nil, nil])
    for bad in [
      "{\"r\":1}", "{\"r\":{\"x\":[1]}}", "{\"aa\":[1]}", "{\"aa\":[[1]", "{\"aa\":[[1 2]]}", "{\"r\":{\"x\" 1}}",
      "{\"m\":[]}",
    ] {
      // A value of another kind than its column's, or no JSON at all.
      let isMalformed = ["{\"aa\":[[1]", "{\"aa\":[[1 2]]}", "{\"r\":{\"x\" 1}}"].contains(bad)
      #expect(failure(bad, schema: schema)?.code == (isMalformed ? .hiveCursorError : .hiveBadData), "\(bad)")
    }
    #expect(
      try read("{\"aa\":[[1 2]]}\n{\"aa\":[[1]]}", ["ignore.malformed.json": "true"], schema: schema).map { $0[2] } == [
        nil, "[[1]]",
      ])
  }

  // MARK: OpenX properties

  @Test func keysAndMappings() throws {
    let schema = Schema([Field("eventid", .integer), Field("a_b", .integer), Field("ts", .bigint)])
    #expect(try read("{\"eventId\":1}\n{\"EVENTID\":2}", schema: schema).map { $0[0] } == ["1", "2"])
    #expect(try read("{\"eventId\":1}", ["case.insensitive": "false"], schema: schema)[0][0] == nil)
    #expect(
      try read("{\"eventId\":1}", ["case.insensitive": "false", "mapping.eventid": "eventId"], schema: schema)[0][0]
        == "1")
    #expect(try read("{\"a.b\":1}", ["dots.in.keys": "true"], schema: schema)[0][1] == "1")
    #expect(try read("{\"time:stamp\":5,\"ts\":6}", ["mapping.ts": "time:stamp"], schema: schema)[0][2] == "5")
    #expect(try read("[1,2]\n[3]", schema: schema) == [["1", "2", nil], ["3", nil, nil]])
    #expect(try read("{\"event\\u0049d\":9}", schema: schema)[0][0] == "9")
    let error = failure("{\"ts\":1,\"TS\":2}", schema: schema)
    #expect(error?.message.contains("Duplicate key") == true)
    #expect(try read("{\"a\":1,\"A\":2}") == [["1", "2"]])
  }

  @Test func malformedRecords() throws {
    let schema = Schema([Field("a", .bigint), Field("b", text)])
    let bad = [
      "{\"a\":1", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":}", "{\"a\":1 \"b\":2}", "{\"a\":1}}", "{\"a\":1} x", "x",
      "{",
      "{\"a\":tru}", "{\"b\":\"x}", "{\"b\":[1,2}", "{\"b\":{\"x\":1]}", "{\"b\":\"\\x\"}", "\"a\"",
      "{\"a\":1,,\"b\":2}", "{,}",
      "{\"a\":nul}", "{\"b\":\"\\u12\"}", "{\"a\":1}{\"a\":2}", "{\"a\"}", "{\"a\":1:2}", "}", "{\"a\":[}", "]", "12",
    ]
    for record in bad {
      let error = failure("{\"a\":1}\n\(record)\n{\"a\":3}\n", schema: schema)
      #expect(error?.code == .hiveCursorError, "\(record)")
      #expect(error?.message.hasPrefix("Row is not a valid JSON Object") == true, "\(record)")
      #expect(error?.data?.row == 2, "\(record)")
      let rows = try read("{\"a\":1}\n\(record)\n{\"a\":3}\n", ["ignore.malformed.json": "true"], schema: schema)
      #expect(rows.map { $0[0] } == ["1", nil, "3"] || record == "{\"b\":\"\\x\"}", "\(record)")
      #expect(rows.map { $0[1] } == [nil, nil, nil], "\(record)")
    }
  }

  @Test func valuesThatDoNotFit() throws {
    let schema = Schema([Field("a", .integer), Field("b", text)])
    for bad in ["1.5", "3000000000", "\"x\"", "true", "{}", "[1]", "1e99", "-", "1-2"] {
      let error = failure("{\"a\":1}\n{\"a\":\(bad)}", schema: schema)
      #expect(error?.code == .hiveBadData, "\(bad)")
      #expect(error?.data?.row == 2)
      #expect(error?.data?.column == "a")
    }
    #expect(try read("{\"a\":\"x\"}", ["use.null.for.invalid.data": "true"], schema: schema) == [[nil, nil]])
    var long = ""
    for i in 0..<300_000 { long += i == 154_500 ? "{\"v\":1.5}\n" : "{\"v\":100000000000000000}\n" }
    let late = TextTesting.failure { _ = try read(long, splitByteCount: 1_000_000) }
    #expect(late?.data?.row == 154_501)
    #expect(late?.mayStartAgain == true)
    #expect(late?.hint?.contains("TABLE(read_json('t.json', types => 'v varchar'))") == true)
  }

  @Test func depthIsLimited() throws {
    let schema = Schema([Field("b", text)])
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    #expect(failure("{\"b\":\(deep)}", schema: schema)?.code == .hiveCursorError)
    #expect(failure("{\"b\":\(deep)}")?.code == .hiveBadData)
    let fine = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
    #expect(try read("{\"b\":\(fine)}", schema: schema) == [[fine]])
    #expect(try read("{\"b\":\(fine)}").count == 1)
  }

  @Test func predicatesAndLimits() throws {
    let bytes = TextTesting.fixture("lines.json")
    let format = try JSONFormat(FormatOptions())
    let file = try format.open(TextTesting.source(bytes, path: "t.json"))
    let columns = [
      ScanColumn(name: "ID", type: .bigint, ordinal: 0), ScanColumn(name: "tags", type: .array(text), ordinal: 4),
      ScanColumn(name: "none", type: .double, ordinal: 9),
    ]
    let predicate = ScanPredicate(columns: [0], isDictionarySafe: true) {
      ClosureEvaluator([.bigint]) { Int($0[0]!)! % 7 == 3 }
    }
    var request = ScanRequest(columns: columns, predicates: [predicate], batchSize: 64)
    let expected = expectedRows("lines.expected").filter { Int($0[0]!)! % 7 == 3 }.map { [$0[0], $0[4], nil] }
    #expect(try TextTesting.rows(file, request, splitByteCount: 5000) == expected)
    request.limit = 4
    #expect(try TextTesting.rows(file, request, splitByteCount: 1 << 20) == Array(expected.prefix(4)))
    #expect(try TextTesting.rows(file, ScanRequest(columns: []), splitByteCount: 1000).count == 500)
  }

  @Test func randomBytesNeverCrash() throws {
    var generator = SystemRandomNumberGenerator()
    let pieces = [
      "{", "}", "[", "]", ",", ":", "\"", "\"a\":", "\"b\":", "1", "\\", "\n", " ", "null", "tru", "\"x\"", "{\"a\":1}",
      "\u{e9}",
    ]
    let schema = Schema([
      Field("a", .bigint), Field("b", .array(.row([.init(name: "a", type: text)]))), Field("c", text),
    ])
    for _ in 0..<400 {
      let json = (0..<Int.random(in: 0..<30, using: &generator)).map { _ in pieces.randomElement(using: &generator)! }
        .joined()
      for properties in [[:], ["ignore.malformed.json": "true"]] {
        let whole = Result { try read(json, properties, schema: schema) }
        let split = Result { try read(json, properties, schema: schema, splitByteCount: Int.random(in: 1..<50)) }
        switch (whole, split) {
        case (.success(let a), .success(let b)): #expect(a == b, "\(json)")
        case (.failure(let a), .failure(let b)): #expect((a as? QueryError)?.code == (b as? QueryError)?.code)
        default: Issue.record("whole and split disagree: \(json)")
        }
      }
      _ = try? read(json)
    }
  }
}
