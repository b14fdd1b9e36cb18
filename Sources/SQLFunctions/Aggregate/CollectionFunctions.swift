import Columnar
import QueryErrors

/// Aggregates that collect values into arrays, maps and text.
package enum CollectionFunctions: AggregateFamily {
  package static let title = "Collections"

  package static let functions: [AggregateFunction] = [
    AggregateFunction(
      "array_agg", summary: "The array of all values, NULLs included.",
      examples: [Example("(SELECT array_agg(x ORDER BY x DESC) FROM (VALUES 1, 3, 2) t(x))", "[3, 2, 1]")],
      isOrderSensitive: true,
      overloads: [
        AggregateOverload([.t], returns: .pattern(.array(.t))) { (context) throws(QueryError) in
          ArrayAccumulator(context.binding)
        }
      ]),
    AggregateFunction(
      "map_agg", summary: "The map from keys to values; of equal keys one value is kept.",
      examples: [Example("(SELECT map_agg(x, y) FROM (VALUES ('a', 1)) t(x, y))", "{a=1}")], isOrderSensitive: true,
      overloads: [
        AggregateOverload(
          [.comparable("K"), .variable("V")], returns: .pattern(.map(.variable("K"), .variable("V")))
        ) { (context) throws(QueryError) in MapAccumulator(context.binding, .entries) }
      ]),
    AggregateFunction(
      "map_union", summary: "The entries of all maps; of equal keys one value is kept.",
      examples: [Example("(SELECT map_union(x) FROM (VALUES map(ARRAY['a'], ARRAY[1])) t(x))", "{a=1}")],
      isOrderSensitive: true,
      overloads: [
        AggregateOverload([.map(.variable("K"), .variable("V"))], returns: .argument(0)) {
          (context) throws(QueryError) in MapAccumulator(context.binding, .maps)
        }
      ]),
    AggregateFunction(
      "histogram", summary: "The map from each value to the number of its occurrences.",
      examples: [Example("(SELECT histogram(x) FROM (VALUES 'a', 'a') t(x))", "{a=2}")],
      overloads: [
        AggregateOverload([.comparable("K")], returns: .pattern(.map(.variable("K"), .bigint))) {
          (context) throws(QueryError) in MapAccumulator(context.binding, .counts)
        }
      ]),
    AggregateFunction(
      "multimap_agg", summary: "The map from each key to the array of its values.",
      examples: [Example("(SELECT multimap_agg(x, y) FROM (VALUES ('a', 1), ('a', 2)) t(x, y))", "{a=[1, 2]}")],
      isOrderSensitive: true,
      overloads: [
        AggregateOverload(
          [.comparable("K"), .variable("V")], returns: .pattern(.map(.variable("K"), .array(.variable("V"))))
        ) { (context) throws(QueryError) in MultimapAccumulator(context.binding) }
      ]),
    AggregateFunction(
      "listagg", summary: "The values as one text with a separator between; NULLs are left out.",
      examples: [
        Example("(SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x) FROM (VALUES 'b', 'a') t(x))", "a,b")
      ], isOrderSensitive: true,
      overloads: [
        AggregateOverload([.varchar, .varchar], returns: .varchar) { (context) throws(QueryError) in
          TextAccumulator(context.binding)
        },
        AggregateOverload([.varchar, .varchar, .boolean, .varchar, .boolean], returns: .varchar) {
          (context) throws(QueryError) in TextAccumulator(context.binding)
        },
      ]),
  ]
}

/// `array_agg`.
final class ArrayAccumulator: GroupsAccumulator {
  private let rows: GroupedRows
  private let returnType: DataType

  init(_ binding: SignatureBinding) {
    rows = GroupedRows([binding.argumentTypes[0]])
    returnType = binding.returnType
  }

  func resize(groupCount: Int) { rows.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    try rows.add([arguments[0]], groups, rowCount: rowCount)
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    try rows.merge((other as! ArrayAccumulator).rows, sources, targets, count)
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let sorted = rows.sort()
    var list = ListBuilder(rowCount: range.count)
    let valid = Bitmap(count: range.count, filled: true)
    var hasNulls = false
    for (k, group) in range.enumerated() {
      let picks = sorted.rows(group)
      for row in picks { list.add(Int(row)) }
      list.end()
      if picks.isEmpty {
        valid.clear(k)
        hasNulls = true
      }
    }
    return try list.finish(returnType, sorted.columns[0], validity: hasNulls ? valid : nil)
  }

  var keepsRows: Bool { true }
  var byteCount: Int { rows.byteCount }
}

/// `map_agg`, `map_union` and `histogram`.
final class MapAccumulator: GroupsAccumulator {
  enum Kind { case entries, maps, counts }
  private let kind: Kind
  private let rows: DistinctGroupedRows
  private let returnType: DataType
  /// Groups that saw a map, though maybe an empty one (`map_union`).
  private var seen = GroupArray<UInt8>(empty: 0)

  init(_ binding: SignatureBinding, _ kind: Kind) {
    self.kind = kind
    returnType = binding.returnType
    let types = binding.returnType.childTypes
    rows = DistinctGroupedRows(kind == .counts ? [types[0]] : types)
  }

  func resize(groupCount: Int) {
    rows.rows.resize(groupCount)
    seen.resize(groupCount)
  }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let flags = seen.pointer
    switch kind {
    case .entries:
      try rows.add(arguments, groups, rowCount: rowCount, where: arguments[0].validity)
      try forEachRow(arguments[0].validity, groups, rowCount) { group, _ in flags[group] = 1 }
    case .counts:
      try rows.add([arguments[0]], groups, rowCount: rowCount, where: arguments[0].validity)
      try forEachRow(arguments[0].validity, groups, rowCount) { group, _ in flags[group] = 1 }
    case .maps:
      let input = ArrayInput(arguments[0])
      let list = try ElementList(input, rowCount: rowCount)
      try forEachRow(arguments[0].validity, groups, rowCount) { group, _ in flags[group] = 1 }
      if list.count == 0 { return }
      let outer = list.rowPointer
      let numbers = Buffer(byteCount: list.count * 4)
      let out = numbers.typed(Int32.self)
      for k in 0..<list.count { out[k] = groups.map { $0[Int(outer[k])] } ?? 0 }
      try rows.add(
        [list.column(input.elements), list.column(input.values)], out, rowCount: list.count, where: nil)
      withExtendedLifetime(numbers) {}
    }
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! MapAccumulator
    try rows.merge(other.rows, sources, targets, count)
    let (own, theirs) = (seen.pointer, other.seen.pointer)
    try forEachPair(sources, targets, count) { source, target in own[target] |= theirs[source] }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    rows.compact()
    let sorted = rows.rows.sort()
    var list = ListBuilder(rowCount: range.count)
    let valid = Bitmap(count: range.count, filled: true)
    var hasNulls = false
    for (k, group) in range.enumerated() {
      for row in sorted.rows(group) { list.add(Int(row)) }
      list.end()
      if seen.pointer[group] == 0 {
        valid.clear(k)
        hasNulls = true
      }
    }
    return try list.finish(returnType, sorted.columns[0], sorted.columns[1], validity: hasNulls ? valid : nil)
  }

  var keepsRows: Bool { true }
  var byteCount: Int { rows.rows.byteCount + seen.byteCount }
}

/// `multimap_agg`.
final class MultimapAccumulator: GroupsAccumulator {
  private let rows: GroupedRows
  private let returnType: DataType

  init(_ binding: SignatureBinding) {
    rows = GroupedRows(binding.argumentTypes)
    returnType = binding.returnType
  }

  func resize(groupCount: Int) { rows.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    try rows.add(arguments, groups, rowCount: rowCount, where: arguments[0].validity)
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    try rows.merge((other as! MultimapAccumulator).rows, sources, targets, count)
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let sorted = rows.sort()
    var set = ElementSet(sorted.columns[0])
    var keys = ListBuilder(rowCount: range.count)
    var lists: [[Int32]] = []
    let valid = Bitmap(count: range.count, filled: true)
    var hasNulls = false
    for (k, group) in range.enumerated() {
      let picks = sorted.rows(group)
      set.clear(count: picks.count)
      var place: [Int: Int] = [:]
      for row in picks {
        if let held = set.insert(Int(row)) {
          lists[place[held]!].append(row)
        } else {
          place[Int(row)] = lists.count
          lists.append([row])
          keys.add(Int(row))
        }
      }
      keys.end()
      if picks.isEmpty {
        valid.clear(k)
        hasNulls = true
      }
    }
    var values = ListBuilder(rowCount: lists.count, elementCount: sorted.order.count)
    for list in lists {
      for row in list { values.add(Int(row)) }
      values.end()
    }
    let valued = try values.finish(returnType.childTypes[1], sorted.columns[1], validity: nil)
    let keyed = try keys.finish(.array(returnType.childTypes[0]), sorted.columns[0], validity: nil)
    return Column(
      nested: returnType, count: range.count, offsets: keyed.offsets!, children: [keyed.children[0], valued],
      validity: hasNulls ? valid : nil)
  }

  var keepsRows: Bool { true }
  var byteCount: Int { rows.byteCount }
}

/// `listagg`: value, separator and, when spelt out, whether overflow is an error, the filler and whether to count.
final class TextAccumulator: GroupsAccumulator {
  private let rows: GroupedRows
  private static let largestLength = 1 << 20

  init(_ binding: SignatureBinding) { rows = GroupedRows(binding.argumentTypes) }

  func resize(groupCount: Int) { rows.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    try rows.add(arguments, groups, rowCount: rowCount, where: arguments[0].validity)
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    try rows.merge((other as! TextAccumulator).rows, sources, targets, count)
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let sorted = rows.sort()
    let columns = sorted.columns
    let (values, separators) = (columns[0].view, columns[1].view)
    var arena = StringArena()
    return try withExtendedLifetime(columns) { () throws(QueryError) in
      var views: [StringView?] = []
      for group in range {
        let list = sorted.rows(group)
        guard let first = list.first else {
          views.append(nil)
          continue
        }
        let separator = columns[1].isNull(Int(first)) ? [] : separators.value(Int(first), as: StringView.self).bytes
        let failsOnOverflow = columns.count < 5 || columns[2].scalar(Int(first)).booleanValue ?? true
        var text: [UInt8] = []
        var emitted = 0
        for row in list {
          let value = values.value(Int(row), as: StringView.self)
          if text.count + value.count + (emitted == 0 ? 0 : separator.count) > Self.largestLength {
            if failsOnOverflow {
              throw QueryError(
                .invalidFunctionArgument,
                "Concatenated string has the length in bytes larger than the maximum output length \(Self.largestLength)"
              )
            }
            text += separator
            text += columns[3].view.value(Int(first), as: StringView.self).bytes
            if columns[4].scalar(Int(first)).booleanValue ?? false { text += Array("(\(list.count - emitted))".utf8) }
            break
          }
          if emitted > 0 { text += separator }
          value.withBytes { text.append(contentsOf: UnsafeRawBufferPointer(start: $0, count: $1)) }
          emitted += 1
        }
        views.append(text.withUnsafeBytes { arena.add($0) })
      }
      return try resultColumn(.text, range, heap: arena.heap, zero: StringView()) { views[$0 - range.lowerBound] }
    }
  }

  var keepsRows: Bool { true }
  var byteCount: Int { rows.byteCount }
}
