import Columnar
import QueryErrors

/// Functions that make maps and take them apart.
package enum MapFunctions: FunctionFamily {
  package static let title = "Maps"

  private static let k = TypePattern.variable("K")
  private static let v = TypePattern.variable("V")
  private static let anyMap = TypePattern.map(k, v)

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "map", summary: "The map from each key of the first array to the value of the second at the same index.",
      examples: [Example("map(ARRAY['a', 'b'], ARRAY[1, 2])", "{a=1, b=2}"), Example("map()", "{}")],
      overloads: [
        .columns([], returns: .exact(.map(key: .unknown, value: .unknown))) {
          (columns, n, context) throws(QueryError) -> Column in
          Column(
            nested: context.returnType, count: n, offsets: .zeroed(byteCount: (n + 1) * 4),
            children: [.empty(.unknown), .empty(.unknown)], validity: nil)
        },
        .columns([.array(.comparable("K")), .array(v)], returns: .pattern(anyMap)) {
          (columns, n, context) throws(QueryError) -> Column in
          let (keys, values) = (ArrayInput(columns[0]), ArrayInput(columns[1]))
          let validity = commonValidity(columns)
          MapKeys.check(keys.elements, rowCount: n, &context) { row in
            (validity.map { $0[row] } ?? true) ? keys.range(row) : 0..<0
          }
          var (keyList, valueList) = (ListBuilder(rowCount: n), ListBuilder(rowCount: n))
          for row in 0..<n {
            if validity.map({ $0[row] }) ?? true {
              let (a, b) = (keys.range(row), values.range(row))
              if a.count != b.count {
                context.errors.record(row, .invalidFunctionArgument, "Key and value arrays must be the same length")
              } else {
                keyList.add(a)
                valueList.add(b)
              }
            }
            keyList.end()
            valueList.end()
          }
          return try map(context.returnType, n, validity, keyList, keys.elements, valueList, values.elements)
        },
      ]),
    ScalarFunction(
      "map_from_entries", summary: "The map with the entries of an array of rows.",
      examples: [Example("map_from_entries(ARRAY[(1, 'x'), (2, 'y')])", "{1=x, 2=y}")],
      overloads: [
        entryOverload(value: { $0 }) { (columns, n, context) throws(QueryError) -> Column in
          try fromEntries(columns[0], n, &context)
        }
      ]),
    ScalarFunction(
      "multimap_from_entries", summary: "The map from each key in an array of rows to the array of its values.",
      examples: [Example("multimap_from_entries(ARRAY[(1, 'x'), (2, 'y'), (1, 'z')])", "{1=[x, z], 2=[y]}")],
      overloads: [
        entryOverload(value: { .array($0) }) { (columns, n, context) throws(QueryError) -> Column in
          try multimapFromEntries(columns[0], n, &context)
        }
      ]),
    ScalarFunction(
      "map_entries", summary: "The entries of a map as an array of rows.",
      examples: [
        Example("map_entries(map(ARRAY[1, 2], ARRAY['x', 'y']))", "[{field0=1, field1=x}, {field0=2, field1=y}]")
      ],
      overloads: [
        .columns(
          [anyMap],
          returns: .computed { (types) throws(QueryError) -> DataType in
            .array(.row(types[0].childTypes.map { DataType.RowField(name: nil, type: $0) }))
          }
        ) { (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          let list = try ElementList(input, rowCount: n)
          guard case .array(let rowType) = context.returnType else { throw .internalError("map_entries: no array") }
          let rows = Column(
            row: rowType, count: list.count, children: [list.column(input.elements), list.column(input.values)],
            validity: nil)
          return Column(
            nested: context.returnType, count: n, offsets: list.offsets, children: [rows], validity: columns[0].validity
          )
        }
      ]),
    ScalarFunction(
      "map_keys", summary: "The keys of a map.",
      examples: [Example("map_keys(map(ARRAY[1, 2], ARRAY['x', 'y']))", "[1, 2]")],
      overloads: [
        .columns([anyMap], returns: .pattern(.array(k))) { (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          let list = try ElementList(input, rowCount: n)
          return Column(
            nested: context.returnType, count: n, offsets: list.offsets, children: [list.column(input.elements)],
            validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "map_values", summary: "The values of a map.",
      examples: [Example("map_values(map(ARRAY[1, 2], ARRAY['x', 'y']))", "[x, y]")],
      overloads: [
        .columns([anyMap], returns: .pattern(.array(v))) { (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          let list = try ElementList(input, rowCount: n)
          return Column(
            nested: context.returnType, count: n, offsets: list.offsets, children: [list.column(input.values)],
            validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "map_concat", summary: "The entries of all maps; of equal keys the last map's counts.",
      examples: [Example("map_concat(map(ARRAY[1], ARRAY['x']), map(ARRAY[1, 2], ARRAY['y', 'z']))", "{1=y, 2=z}")],
      overloads: [
        .columns([anyMap], variadic: true, returns: .pattern(anyMap)) {
          (columns, n, context) throws(QueryError) -> Column in try concat(columns, n, &context)
        }
      ]),
    ScalarFunction(
      "cardinality", summary: "The number of entries.",
      examples: [Example("cardinality(MAP(ARRAY['a', 'b'], ARRAY[1, 2]))", "2")],
      overloads: [
        .columns([anyMap], returns: .bigint) { (columns, n, _) throws(QueryError) -> Column in
          ArrayAccessFunctions.cardinality(columns[0], n)
        }
      ]),
    ScalarFunction(
      "element_at", summary: "The value of a key; NULL when the map has no such key.",
      examples: [Example("element_at(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), 'b')", "2")],
      overloads: [
        .columns([anyMap, k], returns: .pattern(v)) { (columns, n, context) throws(QueryError) -> Column in
          try lookUp(columns, n) { _ in }
        }
      ]),
    ScalarFunction(
      "subscript", summary: "The value of a key; an error when the map has no such key.", isHidden: true,
      overloads: [
        .columns([anyMap, k], returns: .pattern(v)) { (columns, n, context) throws(QueryError) -> Column in
          let session = context.session
          return try lookUp(columns, n) { row in
            let key = MapKeys.castText(columns[1], row, session)
            context.errors.record(
              row, .invalidFunctionArgument,
              key.map { "Key not present in map: \($0)" } ?? "Key not present in map")
          }
        }
      ]),
  ]

  /// A map column from two lists of equal shape.
  static func map(
    _ type: DataType, _ n: Int, _ validity: Bitmap?, _ keyList: ListBuilder, _ keys: Column, _ valueList: ListBuilder,
    _ values: Column
  ) throws(QueryError) -> Column {
    let keyed = try keyList.finish(.array(type.childTypes[0]), keys, validity: nil)
    let valued = try valueList.finish(.array(type.childTypes[1]), values, validity: nil)
    return Column(
      nested: type, count: n, offsets: keyed.offsets!, children: [keyed.children[0], valued.children[0]],
      validity: validity)
  }

  private static func lookUp(_ columns: [Column], _ n: Int, _ onMissing: (Int) -> Void) throws(QueryError) -> Column {
    let input = ArrayInput(columns[0])
    let comparator = RowComparator(input.elements, columns[1])
    var picks: [Int32] = []
    picks.reserveCapacity(n)
    for row in 0..<n {
      if input.isNull(row) || columns[1].isNull(row) {
        picks.append(-1)
        continue
      }
      if let at = input.range(row).first(where: { !comparator.isDistinct($0, row) }) {
        picks.append(Int32(truncatingIfNeeded: at))
      } else {
        onMissing(row)
        picks.append(-1)
      }
    }
    return input.values.takeOrNull(picks)
  }

  // MARK: Entries

  /// A form that takes an array of rows of two fields.
  private static func entryOverload(
    value: @escaping @Sendable (DataType) -> DataType,
    _ kernel: @escaping @Sendable ([Column], Int, inout KernelContext) throws(QueryError) -> Column
  ) -> ScalarOverload {
    let resolve: @Sendable ([DataType]) -> SignatureBinding? = { types in
      guard types.count == 1 else { return nil }
      var fields = [DataType.unknown, .unknown]
      var names: [String?] = [nil, nil]
      switch types[0] {
      case .array(.row(let actual)):
        guard actual.count == 2, actual[0].type.isComparable else { return nil }
        fields = actual.map(\.type)
        names = actual.map(\.name)
      case .array(.unknown), .unknown: break
      default: return nil
      }
      let row = DataType.row(zip(names, fields).map { DataType.RowField(name: $0, type: $1) })
      return SignatureBinding(argumentTypes: [.array(row)], returnType: .map(key: fields[0], value: value(fields[1])))
    }
    return ScalarOverload(
      Signature([.array(.anyRow("R"))], returns: .exact(.map(key: .unknown, value: .unknown)), resolve: resolve)
    ) { (_) throws(QueryError) -> Kernel in kernel }
  }

  /// Positions of the entries' rows in the fields; NULL entries are errors.
  private static func entries(_ column: Column, _ n: Int, _ context: inout KernelContext) -> (
    Column, Column, ListBuilder
  ) {
    let input = ArrayInput(column)
    let rows = input.elements
    let storage = rows.storage
    var list = ListBuilder(rowCount: n)
    for row in 0..<n {
      let range = input.range(row)
      if range.contains(where: { rows.isNull($0) }) {
        context.errors.record(row, .invalidFunctionArgument, "map entry cannot be null")
      } else {
        for at in range { list.add(rows.position(at)) }
      }
      list.end()
    }
    return (storage.children[0], storage.children[1], list)
  }

  private static func fromEntries(_ column: Column, _ n: Int, _ context: inout KernelContext) throws(QueryError)
    -> Column
  {
    let (keys, values, list) = entries(column, n, &context)
    let result = try map(context.returnType, n, column.validity, list, keys, list, values)
    MapKeys.check(result.children[0], rowCount: n, &context) { result.elementRange($0) }
    return result
  }

  private static func multimapFromEntries(
    _ column: Column, _ n: Int, _ context: inout KernelContext
  ) throws(QueryError) -> Column {
    let (keys, values, list) = entries(column, n, &context)
    let flat = try list.finish(.array(keys.type), keys, validity: nil)
    let ordered = flat.children[0]
    var set = ElementSet(ordered)
    var keyList = ListBuilder(rowCount: n)
    var groups: [[Int32]] = []
    for row in 0..<n {
      let range = flat.elementRange(row)
      set.clear(count: range.count)
      var place: [Int: Int] = [:]
      for at in range {
        if ordered.isNull(at) {
          context.errors.record(row, .invalidFunctionArgument, "map key cannot be null")
          break
        }
        if let held = set.insert(at) {
          groups[place[held]!].append(list.picks[at])
        } else {
          place[at] = groups.count
          groups.append([list.picks[at]])
          keyList.add(at)
        }
      }
      keyList.end()
    }
    var valueLists = ListBuilder(rowCount: groups.count)
    for group in groups {
      for at in group { valueLists.add(Int(at)) }
      valueLists.end()
    }
    let lists = try valueLists.finish(context.returnType.childTypes[1], values, validity: nil)
    let keyed = try keyList.finish(.array(context.returnType.childTypes[0]), ordered, validity: nil)
    return Column(
      nested: context.returnType, count: n, offsets: keyed.offsets!, children: [keyed.children[0], lists],
      validity: column.validity)
  }

  private static func concat(_ columns: [Column], _ n: Int, _ context: inout KernelContext) throws(QueryError) -> Column {
    let inputs = columns.map { ArrayInput($0) }
    let types = context.returnType.childTypes
    let keys = Column.concatenate(inputs.map(\.elements), type: types[0])
    let values = Column.concatenate(inputs.map(\.values), type: types[1])
    var bases: [Int] = []
    var next = 0
    for input in inputs {
      bases.append(next)
      next += input.elements.count
    }
    let validity = commonValidity(columns)
    var set = ElementSet(keys)
    var list = ListBuilder(rowCount: n, elementCount: next)
    for row in 0..<n {
      if validity.map({ $0[row] }) ?? true {
        set.clear(count: inputs.reduce(0) { $0 + $1.length(row) })
        for index in inputs.indices.reversed() {
          for at in inputs[index].range(row) where set.insert(bases[index] + at) == nil { list.add(bases[index] + at) }
        }
      }
      list.end()
    }
    return try map(context.returnType, n, validity, list, keys, list, values)
  }
}
