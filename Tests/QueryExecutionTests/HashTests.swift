import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
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

@Suite struct GroupTableIndexTests {
  /// Integers close together that come in no order: hashed first, then found by indexing an array, and hashed again when one
  /// comes that lies far away.
  @Test(arguments: [false, true])
  func changesItsIndex(_ withNulls: Bool) throws {
    let (n, step) = (200_000, 4096)
    let table = GroupTable(KeyLayout([.bigint]))
    var wasHashed = false
    var wasDirect = false
    var expected: [Int64: Int32] = [:]
    var nullGroup: Int32 = -1
    var wrong = 0
    func add(_ keys: [Int64]) throws {
      let values = Buffer(byteCount: keys.count * 8)
      for (row, key) in keys.enumerated() { values.typed(Int64.self)[row] = key }
      var validity: Bitmap?
      if withNulls {
        let bits = Bitmap(count: keys.count, filled: true)
        for row in stride(from: 5, to: keys.count, by: 97) { bits.clear(row) }
        validity = bits
      }
      let out = Buffer(byteCount: keys.count * 4)
      let column = Column(flat: .bigint, count: keys.count, values: values, validity: validity)
      try table.assign([column], rowCount: keys.count, into: out.typed(Int32.self))
      for (row, key) in keys.enumerated() {
        let group = out.typed(Int32.self)[row]
        if let validity, !validity[row] {
          if nullGroup < 0 { nullGroup = group }
          if group != nullGroup { wrong += 1 }
        } else if expected[key, default: group] != group {
          wrong += 1
        } else {
          expected[key] = group
        }
      }
      if table.isDirect { wasDirect = true } else if !wasDirect { wasHashed = true }
    }
    // 77,773 and 300,007 have no factor in common: no key twice, and neighbours far apart.
    let keys = (0..<n).map { Int64($0) * 77_773 % 300_007 - 1000 }
    for start in stride(from: 0, to: n, by: step) { try add(Array(keys[start..<min(start + step, n)])) }
    #expect(wasHashed && wasDirect && table.isDirect)
    try add([Int64.max, 3, Int64.min, -900] + keys[0..<5000])
    #expect(!table.isDirect)
    try add(Array(keys[0..<9000]))
    #expect(wrong == 0)
    #expect(table.groupCount == expected.count + (withNulls ? 1 : 0))
    #expect(Set(expected.values).count == expected.count)
    #expect(!expected.values.contains(nullGroup))
  }

  /// Keys whose bytes an operator keeps anyway are not copied; others are. Both outlive the columns they came in.
  @Test func copiesOnlyBytesThatNobodyKeeps() throws {
    func grouped(isKept: Bool) throws -> GroupTable {
      let table = GroupTable(KeyLayout([.text]))
      let out = Buffer(byteCount: 400)
      for _ in 0..<2 {
        let builder = ColumnBuilder(.text)
        for k in 0..<100 { builder.append(string: "a string too long to lie in its view: \(k)") }
        let column = builder.finish()
        column.heap?.outlivesBatches = isKept
        try table.assign([column], rowCount: 100, into: out.typed(Int32.self))
      }
      #expect((0..<100).allSatisfy { out.typed(Int32.self)[$0] == Int32($0) })
      return table
    }
    let (kept, copied) = (try grouped(isKept: true), try grouped(isKept: false))
    for table in [kept, copied] {
      #expect(table.groupCount == 100)
      #expect(table.keyColumns(0..<100)[0].scalar(42) == .string("a string too long to lie in its view: 42"))
    }
    #expect(kept.byteCount < copied.byteCount)
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

@Suite struct JoinTableTests {
  /// Many rows, so that all workers build and slots lie in regions.
  @Test(arguments: 0..<8)
  func findsAllRows(_ kind: Int) throws {
    var random = TestRandom(state: UInt64(kind) + 99)
    let n = 90_000
    let distinct = kind == 0 ? 200_000 : 50_000
    func key() -> Int64 {
      let k = Int64.random(in: 0..<Int64(distinct), using: &random)
      return kind == 1 ? k &* 0x1234_5678_9abc_def1 : k
    }
    var keys = (0..<n).map { _ in key() }
    if kind == 6 {
      // In order, with runs that tasks cut and one that is longer than a task.
      for row in keys.indices { keys[row] = Int64(row < 10_000 ? row / 3 : row < 50_000 ? 4000 : row / 2 - 20_900) }
    } else if kind == 4 || kind == 5 {
      // Unique, in their order or not.
      for row in keys.indices { keys[row] = Int64(row * 3 - 40_000 + row % 2) }
      if kind == 5 { keys.shuffle(using: &random) }
    }
    let probes = (0..<20_000).map { _ in kind == 2 && Bool.random(using: &random) ? key() &+ 1_000_000 : key() }
    func columns(_ keys: [Int64]) -> [Column] {
      let values = Buffer(byteCount: keys.count * 8)
      for (row, key) in keys.enumerated() { values.typed(Int64.self)[row] = key }
      let integers = Column(flat: .bigint, count: keys.count, values: values, validity: nil)
      switch kind {
      case 2, 7: return [integers, integers]
      case 3:
        let builder = ColumnBuilder(.text)
        for key in keys { builder.append(string: key % 3 == 0 ? "key \(key)" : "a long key with number \(key)") }
        return [builder.finish()]
      default: return [integers]
      }
    }
    let build = columns(keys)
    // NULLs have bits of their own in the last kind.
    let layout = KeyLayout(build.map(\.type), flagsNulls: kind == 7 ? nil : build.map { _ in true })
    #expect(layout.wordCount == [2: 2, 3: 2, 7: 3][kind] ?? 1)
    let scheduler = Scheduler(TestConfiguration(threads: 3, batchSize: 4096).context())
    defer { scheduler.close() }
    let buildKeys = try JoinKeys(
      layout, build, rowCount: n, flagsNulls: build.map { _ in true }, scheduler)
    let table = try JoinTable(buildKeys, try buildKeys.integerSet(scheduler), scheduler)
    var expected: [Int64: [Int32]] = [:]
    for (row, key) in keys.enumerated() { expected[key, default: []].append(Int32(row)) }
    #expect(table.isUnique == expected.values.allSatisfy { $0.count == 1 })
    let probe = KeyRows(layout)
    let probeColumns = columns(probes)
    probe.fill(probeColumns, rowCount: probes.count)
    let matches = Buffer(byteCount: probes.count * 4)
    table.find(probe, matches.typed(Int32.self))
    var wrong = 0
    for (row, key) in probes.enumerated() {
      var found: [Int32] = []
      var next = matches.typed(Int32.self)[row]
      while next >= 0 {
        found.append(next)
        guard let chain = table.chain else { break }
        next = chain[Int(next)] - 1
      }
      if found != expected[key] ?? [] { wrong += 1 }
    }
    #expect(wrong == 0)
    withExtendedLifetime((build, probeColumns)) {}
  }
}

@Suite struct AggregateVolumeTests {
  /// DISTINCT over so many rows that hardly repeat that they are kept as they are.
  @Test(arguments: [1, 2])
  func manyDistinctRows(_ threads: Int) throws {
    var random = TestRandom(state: 11)
    let rows = (0..<300_000).map { _ -> Row in
      let k = Int64.random(in: 0..<40, using: &random)
      return [.integer(k * k), k == 7 ? .null : .integer(Int64.random(in: 0..<6000, using: &random))]
    }
    let table = TestTable([("k", .bigint), ("x", .bigint)], firstID: 0, rows: rows)
    var expected: [Int64: Set<Int64>] = [:]
    for row in rows {
      expected[row[0].integerValue!, default: []].formUnion(row[1].integerValue.map { [$0] } ?? [])
    }
    let node = AggregateNode(
      input: table.scan(rowsPerSplit: 20_000), keys: [.init(input: table["k"], output: table["k"])],
      calls: [try aggregate("count", [.column(table["x"])], id: 50, isDistinct: true)])
    let result = try TestConfiguration(threads: threads, batchSize: 4096).run(.aggregate(node))
    #expect(result.count == expected.count)
    #expect(result.allSatisfy { Int64(expected[$0[0].integerValue!]!.count) == $0[1].integerValue })
  }

  /// More groups than are merged in one piece.
  @Test(arguments: [1, 3])
  func manyGroups(_ threads: Int) throws {
    var random = TestRandom(state: 3)
    let rows = (0..<30_000).map { _ -> Row in
      [.integer(Int64.random(in: 0..<25_000, using: &random) &* 0x10_0000_0001), .integer(1)]
    }
    let table = TestTable([("k", .bigint), ("x", .bigint)], firstID: 0, rows: rows)
    var expected: [Int64: Int64] = [:]
    for row in rows { expected[row[0].integerValue!, default: 0] += 1 }
    for partitionsAfter in [nil, 1000] {
      let configuration = TestConfiguration(
        threads: threads, batchSize: 4096, testing: .init(partitionsAggregatesAfter: partitionsAfter))
      let node = AggregateNode(
        input: table.scan(rowsPerSplit: 9_000), keys: [.init(input: table["k"], output: table["k"])],
        calls: [try aggregate("sum", [.column(table["x"])], id: 50)])
      let result = try configuration.run(.aggregate(node))
      #expect(result.count == expected.count)
      #expect(result.allSatisfy { expected[$0[0].integerValue!] == $0[1].integerValue })
    }
  }
}
