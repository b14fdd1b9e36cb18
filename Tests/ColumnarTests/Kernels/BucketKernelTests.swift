import Columnar
import Testing

/// Hash codes as Trino's TestHiveBucketing has them, checked there against Hive's own; Spark's are `hash(…)` of PySpark 4.
@Suite struct BucketKernelTests {
  private func hash(_ function: BucketFunction, _ values: [Scalar], _ types: [DataType]) -> Int32 {
    var hash: Int32 = 0
    function.hashes(of: zip(values, types).map { .constant($0, $1, count: 1) }, rowCount: 1, into: &hash)
    return hash
  }

  private func check(_ value: Scalar, _ type: DataType, _ hive: Int32, _ hive2: Int32) {
    #expect(hash(.hive, [value], [type]) == hive, "\(type) \(value)")
    #expect(hash(.hive2, [value], [type]) == hive2, "\(type) \(value)")
  }

  @Test func hiveNumbers() {
    check(.null, .bigint, 0, 0)
    check(.boolean(true), .boolean, 1, 1)
    check(.integer(-128), .tinyint, -128, -128)
    check(.integer(300), .smallint, 300, 2_107_031_704)
    check(.integer(-32768), .smallint, -32768, 1_342_976_838)
    check(.integer(300_000), .integer, 300_000, -678_663_480)
    check(.integer(Int64(Int32.min)), .integer, Int32.min, 1_194_881_028)
    check(.integer(300_000_000_000), .bigint, -647_710_651, -888_935_297)
    check(.integer(.min), .bigint, Int32.min, 1_728_983_947)
    check(.real(12.34), .real, 1_095_069_860, -381_747_602)
    check(.real(.infinity), .real, 2_139_095_040, -292_175_804)
    check(.real(Float(bitPattern: 0xffc0_1234)), .real, 2_143_289_344, -480_354_314)
    check(.double(12.34), .double, 986_311_098, -2_070_733_568)
    check(.double(.nan), .double, 2_146_959_360, 1_138_026_565)
    check(.integer(16758), .date, 16758, 8_542_395)
    check(.integer(-6983), .date, -6983, -431_619_185)
  }

  @Test func hiveTexts() {
    check(.string("Trino rocks"), .text, 1_132_136_730, -399_107_423)
    #expect(BucketFunction.hive.bucket(of: [.string("Trino rocks")], [.text], count: 4) == 2)
    #expect(BucketFunction.hive2.bucket(of: [.string("Trino rocks")], [.text], count: 4) == 1)
    check(.string(""), .text, 0, -965_378_730)
    check(.string(""), .varchar(length: 15), 1, -965_378_730)
    check(.string("test string"), .varchar(length: 15), -189_841_218, -138_301_454)
    check(.string("\u{5f3a}\u{5927}\u{7684}Trino\u{5f15}\u{64ce}"), .text, 1_688_501_507, 1_784_416_344)
  }

  @Test func hiveNestedAndSeveral() {
    check(.array([.integer(5), .integer(8), .integer(13)]), .array(.smallint), 5066, -905_011_156)
    check(.array(["test1", "test2", "test3", "test4"].map { .string($0) }), .array(.text), 957_612_994, 1_305_539_282)
    let lists: Scalar = .array([.array([.integer(10), .integer(20)]), .array([.integer(-10), .integer(-20)]), .array([.null])])
    check(lists, .array(.array(.bigint)), 326_368, 611_324_477)
    let map: Scalar = .map([
      .init(key: .string("key"), value: .integer(123)), .init(key: .string("key2"), value: .integer(123_456_789)),
      .init(key: .string("key3"), value: .integer(-123_456)),
    ])
    check(map, .map(key: .text, value: .bigint), 127_880_789, -1_910_999_650)
    let several: [Scalar] = [
      .null, .array([.integer(5), .integer(8), .integer(13)]), .null,
      .map([.init(key: .string("key"), value: .integer(123))]), .null,
    ]
    let types: [DataType] = [.double, .array(.smallint), .boolean, .map(key: .text, value: .bigint), .tinyint]
    #expect(hash(.hive, several, types) == 154_207_826)
    #expect(hash(.hive2, several, types) == -1_120_812_524)
  }

  @Test func spark() {
    func check(_ values: [Scalar], _ types: [DataType], _ expected: Int32) {
      #expect(hash(.spark, values, types) == expected, "\(types) \(values)")
    }
    check([.integer(1)], [.integer], -559_580_957)
    check([.boolean(true)], [.boolean], -559_580_957)
    check([.integer(-7)], [.integer], -1_618_159_745)
    check([.integer(300_000_000_000)], [.bigint], -473_131_632)
    check([.integer(5)], [.tinyint], 1_023_896_466)
    check([.real(1.5)], [.real], -221_251_528)
    check([.double(2.5)], [.double], -892_273_744)
    check([.double(-0.0)], [.double], -1_670_924_195)
    check([.string("")], [.text], 142_593_372)
    check([.string("abc")], [.text], 1_322_437_556)
    check([.string("Spark rocks, é")], [.text], 422_673_078)
    check([.integer(19724)], [.date], -21_057_580)
    check([.integer(1_704_153_600_500_000)], [.timestamp(precision: 3)], -75_132_831)
    check([.integer(123)], [.decimal(precision: 10, scale: 2)], -46_242_105)
    check([.int128(-123)], [.decimal(precision: 30, scale: 2)], 1_285_747_285)
    check([.null, .string("x")], [.integer, .text], -80_340_190)
    check([.integer(1), .string("abc")], [.integer, .text], -1_267_584_506)
    check([.bytes([0, 0xff])], [.varbinary], 1_246_198_977)
    #expect(BucketFunction.spark.bucket(of: [.integer(1)], [.integer], count: 8) == 3)
  }
}
