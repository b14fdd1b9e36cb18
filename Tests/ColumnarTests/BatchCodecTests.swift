import Testing

@testable import Columnar

/// Batches written as bytes and read back are the same batches, and stand alone.
@Suite struct BatchCodecTests {
  private static let types: [DataType] = [
    .unknown, .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal(precision: 30, scale: 2),
    .varchar(length: nil), .varbinary, .date, .timestamp(precision: 3), .array(.varchar(length: nil)),
    .map(key: .integer, value: .array(.bigint)),
    .row([.init(name: "a", type: .varchar(length: nil)), .init(name: "b", type: .array(.row([.init(name: "c", type: .double)])))]),
  ]

  private static func value(_ type: DataType, _ random: inout RepeatableRandom, depth: Int = 0) -> Scalar {
    if random.below(6) == 0 { return .null }
    switch type.physicalType {
    case .null: return .null
    case .bool: return .boolean(random.below(2) == 0)
    case .int8, .int16, .int32, .int64: return .integer(Int64(random.below(100)))
    case .int128: return .int128(Int128(random.below(1 << 40)) << 60)
    case .float: return .real(Float(random.below(1000)))
    case .double: return .double(Double(random.below(1000)) / 8)
    case .string: return .bytes((0..<random.below(40)).map { _ in UInt8(97 + random.below(20)) })
    case .array: return .array((0..<random.below(4)).map { _ in value(type.childTypes[0], &random) })
    case .map:
      return .map(
        (0..<random.below(3)).map { .init(key: .integer(Int64($0)), value: value(type.childTypes[1], &random)) })
    case .row: return .row(type.childTypes.map { value($0, &random) })
    }
  }

  private static func column(_ type: DataType, _ count: Int, _ random: inout RepeatableRandom) -> Column {
    let builder = ColumnBuilder(type)
    for _ in 0..<count { builder.append(value(type, &random)) }
    return builder.finish()
  }

  /// Every encoding of a type, of `count` rows.
  private static func columns(_ type: DataType, _ count: Int, _ random: inout RepeatableRandom) -> [Column] {
    let flat = column(type, count, &random)
    var result = [flat, Column.nulls(type, count: count)]
    if count > 0 {
      result.append(.constant(row: random.below(count), of: flat, count: count))
      result.append(column(type, count + 7, &random).slice(offset: 5, count: count))
    }
    for entries in [3, 5000] where type.physicalType != .null {
      let base = column(type, entries, &random)
      let codes = Buffer(byteCount: count * 4)
      for row in 0..<count { codes.typed(Int32.self)[row] = Int32(random.below(entries)) }
      result.append(.dictionary(base, indices: codes, count: count))
    }
    return result
  }

  @Test(arguments: [0, 1, 63, 64, 1000]) func roundTrip(_ count: Int) throws {
    var random = RepeatableRandom(state: 0x9e37_79b9_7f4a_7c15)
    for type in BatchCodecTests.types {
      let columns = BatchCodecTests.columns(type, count, &random)
      let batch = Batch(columns: columns, rowCount: count)
      let expected = columns.map { column in (0..<count).map(column.scalar) }
      let plain = BatchCodec.encode(batch)
      var blocks = [plain]
      if let (bytes, n) = BatchCodec.compress(plain) {
        #expect(n < plain.byteCount)
        blocks.append(try BatchCodec.decompress(bytes.pointer, n, byteCount: plain.byteCount))
      }
      for block in blocks {
        let read = BatchCodec.decode(block, types: columns.map(\.type))
        #expect(read.rowCount == count)
        for (own, values) in zip(read.columns, expected) { #expect((0..<count).map(own.scalar) == values, "\(type)") }
      }
    }
  }

  /// Constants and dictionaries whose entries pay stay what they are; a few rows do not take a large dictionary along.
  @Test func encodingsStay() {
    var random = RepeatableRandom(state: 7)
    let columns = BatchCodecTests.columns(.varchar(length: nil), 100, &random)
    let read = BatchCodec.detached(Batch(columns: columns, rowCount: 100)).columns
    #expect(read.map(\.encoding) == [.flat, .constant, .constant, .flat, .dictionary, .flat])
  }

  @Test func detachedRowsStandAlone() {
    weak var heap: StringHeap?
    func made() -> Batch {
      let builder = ColumnBuilder(.varchar(length: nil))
      for k in 0..<10 { builder.append(string: "a string longer than twelve bytes \(k)") }
      let column = builder.finish()
      heap = column.heap
      return BatchCodec.detached(Batch(columns: [column], rowCount: 10))
    }
    let batch = made()
    #expect(heap == nil)
    #expect(batch.columns[0].scalar(9) == .bytes(Array("a string longer than twelve bytes 9".utf8)))
  }

  @Test func damagedBlocksAreTold() {
    let noise = Buffer.zeroed(byteCount: 100)
    #expect(throws: (any Error).self) { try BatchCodec.decompress(noise.pointer, 100, byteCount: 1000) }
  }
}

/// Memory is charged to whose thread takes it, and given back to the same account from anywhere.
@Suite(.serialized) struct MemoryAccountTests {
  @Test func buffersAreCharged() throws {
    let account = MemoryAccount.open(limit: 64 << 20)
    defer { account.close() }
    let before = MemoryAccount.bind(account)
    var small: Buffer? = Buffer(byteCount: 1 << 20)
    var large: Buffer? = Buffer(byteCount: 16 << 20)
    MemoryAccount.tell()
    #expect(account.used >= 17 << 20 && account.used < 20 << 20)
    #expect(account.peak >= 17 << 20)
    #expect(throws: (any Error).self) { try MemoryAccount.require(60 << 20) }
    try MemoryAccount.require(8 << 20)
    MemoryAccount.bind(before)
    // The account pays until they go, whoever lets them go.
    small = nil
    #expect(account.used >= 16 << 20)
    large = nil
    #expect(account.used == 0)
    withExtendedLifetime((small, large)) {}
  }

  /// Strings that may not be held are written nowhere, and the next check says so.
  @Test func refusedStringsTakeNoMemory() throws {
    let account = MemoryAccount.open(limit: 8 << 20)
    defer { account.close() }
    let before = MemoryAccount.bind(account)
    defer { MemoryAccount.bind(before) }
    var arena = StringArena()
    for _ in 0..<100 { _ = arena.reserve(1 << 20) }
    _ = arena.reserve(512 << 20)
    MemoryAccount.tell()
    #expect(account.used <= 9 << 20)
    #expect(throws: (any Error).self) { try MemoryAccount.check() }
    try MemoryAccount.checkRefused()
  }
}
