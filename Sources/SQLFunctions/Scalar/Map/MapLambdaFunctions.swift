import Columnar
import QueryErrors

/// Functions that apply lambdas to the entries of maps; each lambda runs once per batch, over all entries.
package enum MapLambdaFunctions: FunctionFamily {
  package static let title = "Lambdas on maps"

  private static let k = TypePattern.variable("K")
  private static let v = TypePattern.variable("V")

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "map_filter", summary: "The entries for which the lambda is true.",
      examples: [Example("map_filter(map(ARRAY[1, 2], ARRAY['x', 'y']), (k, v) -> k > 1)", "{2=y}")],
      overloads: [
        .columns([.map(k, v), .function([k, v], .boolean)], returns: .argument(0)) {
          (columns, n, context) throws(QueryError) -> Column in
          let (list, keys, values, hits) = try evaluate(columns, n, &context)
          let view = hits.view
          var kept = ListBuilder(rowCount: n)
          for row in 0..<n {
            for at in list.range(row) where !view.isNull(at) && view.value(at, as: Bool.self) { kept.add(at) }
            kept.end()
          }
          return try withExtendedLifetime(hits) { () throws(QueryError) in
            try MapFunctions.map(context.returnType, n, columns[0].validity, kept, keys, kept, values)
          }
        }
      ]),
    ScalarFunction(
      "transform_values", summary: "The map with what the lambda makes of each entry as the entry's value.",
      examples: [Example("transform_values(map(ARRAY[1, 2], ARRAY[10, 20]), (k, v) -> k + v)", "{1=11, 2=22}")],
      overloads: [
        .columns(
          [.map(k, v), .function([k, v], .variable("W"))], returns: .pattern(.map(k, .variable("W")))
        ) { (columns, n, context) throws(QueryError) -> Column in
          let (list, keys, _, results) = try evaluate(columns, n, &context)
          return Column(
            nested: context.returnType, count: n, offsets: list.offsets,
            children: [keys, results.retyped(context.returnType.childTypes[1])], validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "transform_keys", summary: "The map with what the lambda makes of each entry as the entry's key.",
      examples: [Example("transform_keys(map(ARRAY[1, 2], ARRAY[10, 20]), (k, v) -> k + v)", "{11=10, 22=20}")],
      overloads: [
        .columns(
          [.map(k, v), .function([k, v], .comparable("L"))], returns: .pattern(.map(.variable("L"), v))
        ) { (columns, n, context) throws(QueryError) -> Column in
          let (list, _, values, results) = try evaluate(columns, n, &context)
          let keys = results.retyped(context.returnType.childTypes[0])
          MapKeys.check(keys, rowCount: n, &context) { list.range($0) }
          return Column(
            nested: context.returnType, count: n, offsets: list.offsets, children: [keys, values],
            validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "map_zip_with", summary: "The map of what the lambda makes of each key of either map and its values in both.",
      examples: [
        Example(
          "map_zip_with(map(ARRAY[1, 2], ARRAY['a', 'b']), map(ARRAY[1, 2], ARRAY['x', 'y']), (k, v, w) -> concat(v, w))",
          "{1=ax, 2=by}")
      ],
      overloads: [
        .columns(
          [
            .map(k, v), .map(k, .variable("W")), .function([k, v, .variable("W")], .variable("R")),
          ], returns: .pattern(.map(k, .variable("R")))
        ) { (columns, n, context) throws(QueryError) -> Column in try zip(columns, n, &context) }
      ]),
  ]

  /// The lambda's value for every entry, and the entries.
  private static func evaluate(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext
  ) throws(QueryError) -> (ElementList, Column, Column, Column) {
    let input = ArrayInput(columns[0])
    let list = try ElementList(input, rowCount: n)
    let (keys, values) = (list.column(input.elements), list.column(input.values))
    let results = try context.lambdas[0].evaluate(
      [keys, values], outerRows: list.rowPointer, rowCount: list.count, errors: &context.errors)
    return (list, keys, values, results)
  }

  private static func zip(_ columns: [Column], _ n: Int, _ context: inout KernelContext) throws(QueryError) -> Column {
    let (x, y) = (ArrayInput(columns[0]), ArrayInput(columns[1]))
    let base = x.elements.count
    let keys = Column.concatenate([x.elements, y.elements], type: context.returnType.childTypes[0])
    let validity = commonValidity(columns)
    var set = ElementSet(keys)
    var list = ListBuilder(rowCount: n)
    var (left, right, outer): ([Int32], [Int32], [Int32]) = ([], [], [])
    for row in 0..<n {
      if validity.map({ $0[row] }) ?? true {
        let (a, b) = (x.range(row), y.range(row))
        set.clear(count: a.count + b.count)
        let first = left.count
        for at in a {
          _ = set.insert(at)
          list.add(at)
          left.append(Int32(at))
          right.append(-1)
          outer.append(Int32(truncatingIfNeeded: row))
        }
        for at in b {
          if let held = set.insert(base + at), held < base {
            right[first + held - a.lowerBound] = Int32(at)
          } else {
            list.add(base + at)
            left.append(-1)
            right.append(Int32(at))
            outer.append(Int32(truncatingIfNeeded: row))
          }
        }
      }
      list.end()
    }
    let keyed = try list.finish(.array(context.returnType.childTypes[0]), keys, validity: nil)
    let results = try context.lambdas[0].evaluate(
      [keyed.children[0], x.values.takeOrNull(left), y.values.takeOrNull(right)], outerRows: outer,
      rowCount: left.count, errors: &context.errors)
    return Column(
      nested: context.returnType, count: n, offsets: keyed.offsets!,
      children: [keyed.children[0], results.retyped(context.returnType.childTypes[1])], validity: validity)
  }
}
