import Columnar
import Testing

@Suite struct HashKernelTests {
  private func hashes(_ column: Column) -> [UInt64] {
    let out = Buffer(byteCount: column.count * 8)
    HashKernel.hash([column], rowCount: column.count, into: out.typed(UInt64.self))
    return (0..<column.count).map { out.typed(UInt64.self)[$0] }
  }

  private func column(_ values: [Scalar], _ type: DataType) -> Column {
    let builder = ColumnBuilder(type)
    for value in values { builder.append(value) }
    return builder.finish()
  }

  @Test func equalValuesHashAlike() {
    let h = hashes(column([.double(0.0), .double(-0.0), .double(.nan), .double(-.nan), .null, .null], .double))
    #expect(h[0] == h[1])
    #expect(h[2] == h[3])
    #expect(h[4] == h[5])
    let zoned = hashes(column([.int128(5 << 16 | 1), .int128(5 << 16 | 7)], .timestampWithTimeZone(precision: 3)))
    #expect(zoned[0] == zoned[1])
    let text = column([.string("a string beyond twelve"), .string("short"), .null], .text)
    let indices = Buffer(byteCount: 12)
    for k in 0..<3 { indices.typed(Int32.self)[k] = Int32(2 - k) }
    #expect(hashes(.dictionary(text, indices: indices, count: 3)) == hashes(text).reversed())
    let maps = hashes(
      column(
        [
          .map([.init(key: .integer(1), value: .integer(2)), .init(key: .integer(3), value: .null)]),
          .map([.init(key: .integer(3), value: .null), .init(key: .integer(1), value: .integer(2))]),
        ], .map(key: .bigint, value: .bigint)))
    #expect(maps[0] == maps[1])
  }

  @Test func notDistinct() {
    let a = column([.null, .integer(1), .null, .integer(2)], .bigint)
    let b = column([.null, .integer(1), .integer(1), .integer(3)], .bigint)
    var matches: [UInt8] = [1, 1, 1, 1]
    CompareKernel.keepNotDistinct(a, nil, b, nil, count: 4, matches: &matches)
    #expect(matches == [1, 1, 0, 0])
    matches = [1, 1, 1, 0]
    CompareKernel.keepEqual(a, nil, b, nil, count: 4, matches: &matches)
    #expect(matches == [0, 1, 0, 0])
  }
}
