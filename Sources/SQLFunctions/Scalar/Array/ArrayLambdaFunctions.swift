import Columnar
import QueryErrors

/// Functions that apply lambdas to the elements of arrays; each lambda runs once per batch, over all elements.
package enum ArrayLambdaFunctions: FunctionFamily {
  package static let title = "Lambdas on arrays"

  private static let predicate = TypePattern.function([.t], .boolean)

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "transform", summary: "The array of what the lambda makes of each element.",
      examples: [Example("transform(ARRAY[1, 2], x -> x * 10)", "[10, 20]")],
      overloads: [
        .columns([.array(.t), .function([.t], .variable("U"))], returns: .pattern(.array(.variable("U")))) {
          (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          let list = try ElementList(input, rowCount: n)
          let results = try context.lambdas[0].evaluate(
            [list.column(input.elements)], outerRows: list.rowPointer, rowCount: list.count, errors: &context.errors)
          return Column(
            nested: context.returnType, count: n, offsets: list.offsets,
            children: [results.retyped(context.returnType.childTypes[0])], validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "filter", summary: "The elements for which the lambda is true.",
      examples: [Example("filter(ARRAY[1, 2, 3], x -> x > 1)", "[2, 3]")],
      overloads: [
        .columns([.array(.t), predicate], returns: .argument(0)) { (columns, n, context) throws(QueryError) -> Column in
          let (list, elements, hits) = try evaluate(columns, n, &context)
          let view = hits.view
          var kept = ListBuilder(rowCount: n, elementCount: list.count)
          for row in 0..<n {
            for at in list.range(row) where !view.isNull(at) && view.value(at, as: Bool.self) { kept.add(at) }
            kept.end()
          }
          return try withExtendedLifetime(hits) { () throws(QueryError) in
            try kept.finish(context.returnType, elements, validity: columns[0].validity)
          }
        }
      ]),
    ScalarFunction(
      "any_match", summary: "Whether the lambda is true for an element.",
      examples: [Example("any_match(ARRAY[1, 2], x -> x > 1)", "true")],
      overloads: [match(stopsAt: true, answers: true)]),
    ScalarFunction(
      "all_match", summary: "Whether the lambda is true for all elements.",
      examples: [Example("all_match(ARRAY[1, 2], x -> x > 1)", "false")],
      overloads: [match(stopsAt: false, answers: false)]),
    ScalarFunction(
      "none_match", summary: "Whether the lambda is true for no element.",
      examples: [Example("none_match(ARRAY[1, 2], x -> x > 2)", "true")],
      overloads: [match(stopsAt: true, answers: false)]),
    ScalarFunction(
      "reduce", summary: "Folds the elements into a state, one after another, and finishes it with a second lambda.",
      examples: [Example("reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s)", "75")],
      overloads: [
        .columns(
          [
            .array(.t), .variable("S"), .function([.variable("S"), .t], .variable("S")),
            .function([.variable("S")], .variable("R")),
          ], returns: .pattern(.variable("R")), propagatesNulls: false
        ) { (columns, n, context) throws(QueryError) -> Column in try reduce(columns, n, &context) }
      ]),
    ScalarFunction(
      "zip_with", summary: "The array of what the lambda makes of each pair of elements; the shorter array is padded.",
      examples: [Example("zip_with(ARRAY[1, 2], ARRAY[3, 4], (x, y) -> x + y)", "[4, 6]")],
      overloads: [
        .columns(
          [
            .array(.t), .array(.variable("U")), .function([.t, .variable("U")], .variable("R")),
          ], returns: .pattern(.array(.variable("R")))
        ) { (columns, n, context) throws(QueryError) -> Column in
          let (x, y) = (ArrayInput(columns[0]), ArrayInput(columns[1]))
          let validity = commonValidity(columns)
          let offsets = Buffer(byteCount: (n + 1) * 4)
          let starts = offsets.typed(Int32.self)
          starts[0] = 0
          var (left, right, outer): ([Int32], [Int32], [Int32]) = ([], [], [])
          for row in 0..<n {
            if validity.map({ $0[row] }) ?? true {
              let (a, b) = (x.range(row), y.range(row))
              for k in 0..<max(a.count, b.count) {
                left.append(k < a.count ? Int32(a.lowerBound + k) : -1)
                right.append(k < b.count ? Int32(b.lowerBound + k) : -1)
                outer.append(Int32(truncatingIfNeeded: row))
              }
            }
            starts[row + 1] = Int32(truncatingIfNeeded: left.count)
          }
          try checkElementCount(left.count)
          let results = try context.lambdas[0].evaluate(
            [x.elements.takeOrNull(left), y.elements.takeOrNull(right)], outerRows: outer, rowCount: left.count,
            errors: &context.errors)
          return Column(
            nested: context.returnType, count: n, offsets: offsets,
            children: [results.retyped(context.returnType.childTypes[0])], validity: validity)
        }
      ]),
  ]

  /// The predicate's value for every element.
  private static func evaluate(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext
  ) throws(QueryError) -> (ElementList, Column, Column) {
    let input = ArrayInput(columns[0])
    let list = try ElementList(input, rowCount: n)
    let elements = list.column(input.elements)
    let hits = try context.lambdas[0].evaluate(
      [elements], outerRows: list.rowPointer, rowCount: list.count, errors: &context.errors)
    return (list, elements, hits)
  }

  /// Quantifiers: an element where the lambda equals `stopsAt` decides for `answers`; else NULL when one was NULL.
  private static func match(stopsAt: Bool, answers: Bool) -> ScalarOverload {
    .columns([.array(.t), predicate], returns: .boolean) { (columns, n, context) throws(QueryError) -> Column in
      let (list, _, hits) = try evaluate(columns, n, &context)
      let view = hits.view
      let valid = Bitmap(count: n, filled: true)
      var hasNulls = false
      let values = Buffer(byteCount: n)
      let out = values.typed(UInt8.self)
      for row in 0..<n {
        out[row] = byte(!answers)
        var meetsNull = false
        for at in list.range(row) {
          if view.isNull(at) {
            meetsNull = true
          } else if view.value(at, as: Bool.self) == stopsAt {
            out[row] = byte(answers)
            meetsNull = false
            break
          }
        }
        if meetsNull {
          valid.clear(row)
          hasNulls = true
        }
      }
      return withExtendedLifetime(hits) {
        Column(flat: .boolean, count: n, values: values, validity: hasNulls ? valid : nil)
      }
    }
  }

  /// Steps through all arrays of the batch at once: step k folds the k-th element of every array that has one.
  ///
  /// Rows go by falling length, so that the arrays still running are always the first ones.
  private static func reduce(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext
  ) throws(QueryError) -> Column {
    let input = ArrayInput(columns[0])
    var live: [Int32] = []
    for row in 0..<n where !input.isNull(row) { live.append(Int32(truncatingIfNeeded: row)) }
    let validity = columns[0].validity
    if live.isEmpty { return .nulls(context.returnType, count: n) }
    live.sort { input.length(Int($0)) > input.length(Int($1)) }
    guard case .some(let stateLambda) = context.lambdas.first, context.lambdas.count == 2 else {
      throw .internalError("reduce needs two lambdas")
    }
    var state = columns[1].take(live, count: live.count)
    var active = live.count
    // States of the rows that ended, from the last rows of `live` to the first.
    var finished: [Column] = []
    var step = 0
    while true {
      var still = active
      while still > 0, input.length(Int(live[still - 1])) <= step { still -= 1 }
      if still < active {
        finished.append(state.slice(offset: still, count: active - still))
        if still == 0 { break }
        state = state.slice(offset: 0, count: still)
        active = still
      }
      let picks = (0..<active).map { Int32(truncatingIfNeeded: input.range(Int(live[$0])).lowerBound + step) }
      state = try context.lambdas[0].evaluate(
        [state, input.elements.takeOrNull(picks)], outerRows: live, rowCount: active, errors: &context.errors)
      step += 1
    }
    _ = stateLambda
    let states = Column.concatenate(finished.reversed(), type: columns[1].type)
    let results = try context.lambdas[1].evaluate(
      [states], outerRows: live, rowCount: live.count, errors: &context.errors)
    var places = Array(repeating: Int32(-1), count: n)
    for (k, row) in live.enumerated() { places[Int(row)] = Int32(truncatingIfNeeded: k) }
    let ordered = results.takeOrNull(places).retyped(context.returnType)
    return validity == nil ? ordered : ordered.withValidity(Bitmap.intersection(validity, ordered.validity))
  }
}
