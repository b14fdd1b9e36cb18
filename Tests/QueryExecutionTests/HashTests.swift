import Columnar
import QueryErrors
import Testing

@testable import QueryExecution

@Suite struct GroupTableTests {
  /// Key columns of several kinds: types and values by row.
  static func values(_ kind: Int, _ random: inout TestRandom, _ n: Int) -> ([DataType], [Row]) {
    func pick(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }
    func text(_ long: Bool) -> Scalar { .string((long ? "a rather long string number " : "s") + "\(pick(0...60))") }
    func maybe(_ value: Scalar) -> Scalar { pick(0...9) == 0 ? .null : value }
    var rows: [Row] = []
    let types: [DataType]
    switch kind {
    case 0: types = [.integer]
    case 1: types = [.bigint]
    case 2: types = [.bigint, .integer]
    case 3: types = [.text]
    case 4: types = [.text, .integer, .boolean]
    case 5: types = [.double]
    case 6: types = [.array(.integer)]
    case 7: types = [.decimal(precision: 30, scale: 2), .tinyint]
    case 8: types = [.text, .text]
    case 9: types = [.smallint, .boolean]
    default: types = [.timestampWithTimeZone(precision: 3)]
    }
    for _ in 0..<n {
      switch kind {
      case 0: rows.append([maybe(.integer(pick(-20...20)))])
      case 1: rows.append([maybe(.integer(pick(0...40) * 1_000_000_007_000))])
      case 2: rows.append([maybe(.integer(pick(0...9))), maybe(.integer(pick(-4...4)))])
      case 3: rows.append([maybe(text(pick(0...1) == 0))])
      case 4: rows.append([maybe(text(true)), maybe(.integer(pick(0...2))), maybe(.boolean(pick(0...1) == 0))])
      case 5:
        let special: [Double] = [0.0, -0.0, .nan, 1.5, -.infinity]
        rows.append([maybe(.double(special[Int(pick(0...4))]))])
      case 6: rows.append([maybe(.array([.integer(pick(0...3)), maybe(.integer(pick(0...2)))]))])
      case 7: rows.append([maybe(.int128(Int128(pick(-5...5)) << 70)), .integer(pick(0...3))])
      case 8: rows.append([maybe(text(false)), maybe(text(true))])
      case 9: rows.append([maybe(.integer(pick(-3...3))), maybe(.boolean(pick(0...1) == 0))])
      default: rows.append([maybe(.int128(Int128(pick(0...10)) << 16 | Int128(pick(0...3))))])
      }
    }
    return (types, rows)
  }

  /// A key as values that are equal when the keys are not distinct.
  static func canonical(_ row: Row, _ types: [DataType]) -> String {
    zip(row, types).map { value, type in
      switch value {
      case .double(let x): x.isNaN ? "nan" : "\(x + 0.0)"
      case .int128(let x):
        if case .timestampWithTimeZone = type { "\(x >> 16)" } else { "\(x)" }
      default: "\(value)"
      }
    }.joined(separator: "|")
  }

  @Test(arguments: 0..<11, [false, true])
  func groupsAreDistinctKeys(_ kind: Int, _ collides: Bool) throws {
    var random = TestRandom(state: UInt64(kind) + 7)
    let table = { (types: [DataType]) in GroupTable(KeyLayout(types, collides: collides)) }
    let (types, rows) = GroupTableTests.values(kind, &random, 3000)
    let groups = table(types)
    var expected: [String: Int32] = [:]
    var start = 0
    var isEncoded = false
    while start < rows.count {
      let end = min(start + Int.random(in: 1...700, using: &random), rows.count)
      let part = Array(rows[start..<end])
      let columns = types.indices.map { k in
        MemoryFormat.column(part.map { $0[k] }, types[k], isEncoded: isEncoded && !types[k].isNested)
      }
      let out = Buffer(byteCount: part.count * 4)
      try groups.assign(columns, rowCount: part.count, into: out.typed(Int32.self))
      for (i, row) in part.enumerated() {
        let key = GroupTableTests.canonical(row, types)
        let group = out.typed(Int32.self)[i]
        if let known = expected[key] {
          #expect(known == group)
        } else {
          expected[key] = group
        }
      }
      isEncoded.toggle()
      start = end
    }
    #expect(groups.groupCount == expected.count)
    #expect(Set(expected.values).count == expected.count)
    let keys = groups.keyColumns(0..<groups.groupCount)
    for (key, group) in expected {
      let row = keys.map { $0.scalar(Int(group)) }
      #expect(GroupTableTests.canonical(row, types) == key)
    }
    // Merged into another table, the same keys come out.
    let merged = table(types)
    let sources = Buffer(byteCount: groups.groupCount * 4)
    let targets = Buffer(byteCount: groups.groupCount * 4)
    for k in 0..<groups.groupCount { sources.typed(Int32.self)[k] = Int32(groups.groupCount - 1 - k) }
    groups.seal()
    try merged.assign(
      from: groups, sources.typed(Int32.self), count: groups.groupCount, into: targets.typed(Int32.self))
    #expect(merged.groupCount == groups.groupCount)
    let mergedKeys = merged.keyColumns(0..<merged.groupCount)
    for k in 0..<groups.groupCount {
      let group = Int(targets.typed(Int32.self)[k])
      let row = mergedKeys.map { $0.scalar(group) }
      let source = keys.map { $0.scalar(groups.groupCount - 1 - k) }
      #expect(GroupTableTests.canonical(row, types) == GroupTableTests.canonical(source, types))
    }
  }
}

@Suite struct BloomFilterTests {
  @Test func holdsWhatWasAdded() {
    let filter = BloomFilter(count: 10_000)
    for value in 0..<10_000 { filter.add(HashKernel.hash(Int64(value))) }
    var strangers = 0
    for value in 0..<10_000 {
      #expect(filter.mayContain(HashKernel.hash(Int64(value))))
      if filter.mayContain(HashKernel.hash(Int64(value + 1_000_000))) { strangers += 1 }
    }
    #expect(strangers < 300)
  }
}
