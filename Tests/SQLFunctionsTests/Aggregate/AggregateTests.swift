import Columnar
import Testing

@testable import SQLFunctions

@Suite struct AggregateTests {
  private func run(_ name: String, _ a: (DataType, [Scalar])) -> String { AggregateHarness.run(name, a) }

  @Test func counting() {
    #expect(run("count", (.bigint, [1, nil, 3, 4])) == "3")
    #expect(run("count_if", (.boolean, [true, nil, false, true])) == "2")
  }

  @Test func sums() {
    #expect(run("sum", (.bigint, [1, nil, 3, 4])) == "8")
    #expect(run("sum", (.integer, [-1, -2, -3, 2_147_483_647])) == "2147483641")
    #expect(run("sum", (.tinyint, [100, 100, 100, -1])) == "299")
    #expect(run("sum", (.bigint, [nil, nil, nil])) == "NULL")
    #expect(run("sum", (.double, [1.5, nil, 2.25])) == "3.75")
    #expect(run("sum", (.decimal(precision: 4, scale: 2), [1050, nil, -25])) == "10.25")
    #expect(
      run("sum", (.bigint, [.integer(.max), 1]))
        == "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: 9223372036854775807 + 1")
    #expect(
      run("sum", (.bigint, [.integer(.max), .integer(.max), .integer(-.max), .integer(-.max)])).hasPrefix(
        "NUMERIC_VALUE_OUT_OF_RANGE"))
    #expect(run("sum", (.bigint, [.integer(.max), .integer(-.max), .integer(.min), 5])) == "-9223372036854775803")
  }

  @Test func decimalSumsMayPass128BitsOnTheWay() {
    let type = DataType.decimal(precision: 38, scale: 0)
    let half = Scalar.int128(Int128("45000000000000000000000000000000000000")!)
    let minusHalf = Scalar.int128(Int128("-45000000000000000000000000000000000000")!)
    #expect(run("sum", (type, [half, half])) == "90000000000000000000000000000000000000")
    #expect(run("sum", (type, [half, half, half, half])) == "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow")
    #expect(
      run("sum", (type, [half, half, half, half, minusHalf, minusHalf, minusHalf, minusHalf])) == "0")
    #expect(run("avg", (type, [half, half, half, half])) == "45000000000000000000000000000000000000")
    #expect(
      run("avg", (type, [minusHalf, minusHalf, minusHalf, minusHalf])) == "-45000000000000000000000000000000000000")
  }

  @Test func means() {
    #expect(run("avg", (.bigint, [1, 2, 4, nil])) == "2.3333333333333335")
    #expect(run("avg", (.decimal(precision: 3, scale: 1), [10, 15, 15])) == "1.3")
    #expect(run("avg", (.decimal(precision: 3, scale: 1), [-10, -15, -10, -15])) == "-1.3")
    #expect(run("avg", (.real, [.real(1), .real(2)])) == "1.5")
  }

  @Test func extremes() {
    #expect(run("min", (.integer, [3, nil, -1, 2])) == "-1")
    #expect(run("max", (.double, [1.0, .double(.nan), 3.0])) == "3.0")
    #expect(run("min", (.double, [.double(.nan), .double(.nan)])) == "NaN")
    #expect(run("max", (.text, ["pear", "a longer string than twelve", nil, "apple"])) == "pear")
    #expect(run("min", (.array(.integer), [[2, 1], [1, 9], [1, 2, 3]])) == "[1, 2, 3]")
    #expect(run("max", (.boolean, [nil, false])) == "false")
    #expect(AggregateHarness.run("max", (.bigint, [5, 9, nil, 7]), (.bigint, [2, 2, 2, 2])) == "[9, 7]")
    #expect(AggregateHarness.run("min", (.text, ["b", "c", "a"]), (.bigint, [5, 5, 5])) == "[a, b, c]")
  }

  @Test func chosenByKey() {
    let nan = Scalar.double(.nan)
    #expect(AggregateHarness.run("max_by", (.text, ["a", "b", "c"]), (.double, [1.0, 2.0, nan])) == "b")
    #expect(AggregateHarness.run("min_by", (.text, ["a", nil, "c"]), (.text, ["y", "x", nil])) == "NULL")
    #expect(AggregateHarness.run("max_by", (.double, [2.5, 2.0, 5.0, 3.0]), (.double, [4.0, 1.5, 2.0, 3.0])) == "2.5")
    #expect(
      AggregateHarness.run(
        "min_by", (.text, ["a", "b", "c", "d"]), (.double, [1.0, nan, 3.0, 4.0]), (.bigint, [2, 2, 2, 2])) == "[a, c]")
    #expect(AggregateHarness.run("any_value", (.text, [nil, nil, "x"])) == "x")
  }

  @Test func collections() {
    #expect(run("array_agg", (.bigint, [nil, 2, nil, 3, nil])) == "[null, 2, null, 3, null]")
    #expect(AggregateHarness.run("map_agg", (.text, ["a", "b", "a"]), (.bigint, [1, 2, 1])) == "{a=1, b=2}")
    #expect(
      AggregateHarness.run("multimap_agg", (.text, ["a", "b", "a"]), (.bigint, [1, 2, 3])) == "{a=[1, 3], b=[2]}")
    #expect(run("histogram", (.text, ["a", "b", "a", nil])) == "{a=2, b=1}")
    #expect(AggregateHarness.run("listagg", (.text, ["a", nil, "c"]), (.text, [",", ",", ","])) == "a,c")
  }

  @Test func statistics() {
    #expect(run("variance", (.double, [1.0, 2.0, 3.0, 4.0])) == "1.6666666666666667")
    #expect(run("stddev", (.double, [1.0])) == "NULL")
    #expect(run("var_pop", (.double, [1.0])) == "0.0")
    #expect(run("skewness", (.double, [1.0, 2.0, 3.0])) == "0.0")
    #expect(AggregateHarness.run("corr", (.double, [1.0, 2.0, 3.0]), (.double, [2.0, 4.0, 6.0])) == "1.0")
    #expect(AggregateHarness.run("regr_slope", (.double, [3.0, 5.0, 7.0]), (.double, [1.0, 2.0, 3.0])) == "2.0")
    #expect(AggregateHarness.run("regr_intercept", (.double, [3.0, 5.0, 7.0]), (.double, [1.0, 2.0, 3.0])) == "1.0")
    #expect(run("geometric_mean", (.double, [4.0, 4.0])) == "4.0")
  }

  @Test func bits() {
    #expect(run("bool_and", (.boolean, [true, nil, false])) == "false")
    #expect(run("every", (.boolean, [true, nil])) == "true")
    #expect(run("bool_or", (.boolean, [nil, nil])) == "NULL")
    #expect(run("bitwise_and_agg", (.bigint, [7, 13])) == "5")
    #expect(run("bitwise_or_agg", (.bigint, [1, 4])) == "5")
  }

  @Test func estimates() {
    #expect(run("approx_distinct", (.bigint, [1, 2, nil, 2, 3])) == "3")
    #expect(run("approx_percentile_missing", (.bigint, [1])).hasPrefix("FUNCTION_NOT_FOUND"))
    #expect(
      AggregateHarness.run("approx_percentile", (.bigint, [1, 2, 3, 4]), (.double, [0.5, 0.5, 0.5, 0.5])) == "3")
    #expect(
      AggregateHarness.run(
        "numeric_histogram", (.bigint, [2, 2, 2, 2]), (.double, [1.0, 1.1, 9.0, 9.2])) == "{1.05=2.0, 9.1=2.0}")
    #expect(
      AggregateHarness.run(
        "approx_most_frequent", (.bigint, [1, 1, 1]), (.text, ["a", "b", "a"]), (.bigint, [10, 10, 10])
      ).hasPrefix(
        "INVALID_FUNCTION_ARGUMENT"))
  }

  @Test func distinctEstimateStaysWithinItsError() throws {
    let log = HyperLogLog(indexBits: 11)
    for value in Int64(0)..<100_000 { log.add(SketchHash.xx(value)) }
    let estimate = Double(log.cardinality)
    #expect(abs(estimate - 100_000) < 5000)
    let copy = try HyperLogLog(bytes: log.bytes)
    #expect(copy.cardinality == log.cardinality)
    let small = HyperLogLog(indexBits: 12)
    for value in Int64(0)..<100 { small.add(SketchHash.murmur(value)) }
    #expect(small.cardinality == 100)
    #expect(try HyperLogLog(bytes: small.bytes).cardinality == 100)
  }

  @Test func hashesAreTheStandardOnes() {
    let bytes = Array("hashme".utf8)
    #expect(bytes.withUnsafeBytes { UInt64(bitPattern: SketchHash.xx($0.baseAddress!, 6)) } == 0xf9d9_6e0e_1165_e892)
    #expect(
      bytes.withUnsafeBytes { UInt64(bitPattern: SketchHash.murmur($0.baseAddress!, 6)) }
        == UInt64(0x9319_2fe8_05be_2304).byteSwapped
        || bytes.withUnsafeBytes { UInt64(bitPattern: SketchHash.murmur($0.baseAddress!, 6)) } == 0x9319_2fe8_05be_2304)
    // Trino's test of hash_counts.
    #expect(
      SketchHash.murmur(Int64(1)) == 19_144_387_141_682_250 || SketchHash.murmur(Int64(2)) == 19_144_387_141_682_250)
    withUnsafeBytes(of: Int64(12345).littleEndian) {
      #expect(SketchHash.xx(Int64(12345)) == SketchHash.xx($0.baseAddress!, 8))
    }
  }

  @Test func digestAnswersAsTrinoDoes() throws {
    let digest = TDigest()
    for value in [0.1, 0.1, 0.1, 0.1, 10] { try digest.add(value) }
    #expect([0.0001, 0.75, 0.85].map { digest.value(at: $0) } == [0.1, 0.1, 10])
    let large = TDigest()
    for k in 0..<100_000 { try large.add(Double(k * 7919 % 100_000)) }
    #expect(abs(large.value(at: 0.5) - 50_000) < 500)
    #expect(abs(large.value(at: 0.99) - 99_000) < 100)
    #expect(abs(try TDigest(bytes: large.bytes).value(at: 0.5) - 50_000) < 500)
  }

  @Test func mergingIntoItselfGivesPrefixes() throws {
    let expected = [
      "sum": ["1", "1", "6", "12"], "count": ["1", "1", "2", "3"], "avg": ["1.0", "1.0", "3.0", "4.0"],
      "min": ["1", "1", "1", "1"], "max": ["1", "1", "5", "6"],
    ]
    for (name, values) in expected {
      let (overload, binding) = try AggregateHarness.resolve(name, [.bigint])
      let accumulator = try AggregateHarness.makeAccumulator(overload, binding)
      #expect(accumulator.mergesByCopy)
      accumulator.resize(groupCount: 4)
      try accumulator.update(
        [try AggregateHarness.make(.bigint, [1, nil, 5, 6], .bigint)], groups: [0, 1, 2, 3], rowCount: 4)
      try accumulator.merge(accumulator, sources: [0, 1, 2], targets: [1, 2, 3], count: 3)
      let result = try accumulator.finish(0..<4)
      #expect((0..<4).map { FunctionHarness.text(result, $0) } == values)
    }
  }

  @Test func manyReplacedRowsArePacked() throws {
    let accumulator = RowExtremumAccumulator(.array(.text), wantsMax: true)
    accumulator.resize(groupCount: 2)
    for k in 0..<200 {
      let column = try AggregateHarness.make(
        .array(.text), [[.string("a value well beyond twelve bytes \(1000 + k)")]], .array(.text))
      try accumulator.update([column], groups: [Int32(k % 2)], rowCount: 1)
    }
    let result = try accumulator.finish(0..<2)
    #expect(FunctionHarness.text(result, 0) == "[a value well beyond twelve bytes 1198]")
    #expect(FunctionHarness.text(result, 1) == "[a value well beyond twelve bytes 1199]")
  }
}
