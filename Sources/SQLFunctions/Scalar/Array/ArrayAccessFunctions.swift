import Columnar
import QueryErrors

/// Functions that look up elements of arrays or cut pieces out.
package enum ArrayAccessFunctions: FunctionFamily {
  package static let title = "Elements and parts of arrays"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "subscript", summary: "The element at an index counted from 1; an error beyond the array's ends.",
      examples: [Example("ARRAY['a', 'b'][2]", "b")], isHidden: true,
      overloads: [
        .columns([.array(.t), .bigint], returns: .pattern(.t)) { (columns, n, context) throws(QueryError) -> Column in
          try elements(columns, n) { (row, index, length) -> Int? in
            if index >= 1, index <= Int64(length) { return Int(index) - 1 }
            if index == 0 {
              context.errors.record(row, .invalidFunctionArgument, "SQL array indices start at 1")
            } else if index < 0 {
              context.errors.record(row, .invalidFunctionArgument, "Array subscript is negative: \(index)")
            } else {
              context.errors.record(
                row, .invalidFunctionArgument,
                "Array subscript must be less than or equal to array length: \(index) > \(length)")
            }
            return nil
          }
        }
      ]),
    ScalarFunction(
      "element_at",
      summary: "The element at an index, counted from 1 or, when negative, from the end; NULL beyond the array's ends.",
      examples: [Example("element_at(ARRAY['a', 'b'], -1)", "b"), Example("element_at(ARRAY['a', 'b'], 3)", "NULL")],
      overloads: [
        .columns([.array(.t), .bigint], returns: .pattern(.t)) { (columns, n, context) throws(QueryError) -> Column in
          try elements(columns, n) { (row, index, length) -> Int? in
            if index == 0 {
              context.errors.record(row, .invalidFunctionArgument, "SQL array indices start at 1")
              return nil
            }
            if index > 0 { return index <= Int64(length) ? Int(index) - 1 : nil }
            return index >= -Int64(length) ? length + Int(index) : nil
          }
        }
      ]),
    ScalarFunction(
      "array_first", summary: "The first element; NULL of an empty array.",
      examples: [Example("array_first(ARRAY[7, 8])", "7")],
      isExtension: true,
      overloads: [
        .columns([.array(.t)], returns: .pattern(.t)) { (columns, n, _) throws(QueryError) -> Column in
          try ends(columns, n) { $0.first }
        }
      ]),
    ScalarFunction(
      "array_last", summary: "The last element; NULL of an empty array.",
      examples: [Example("array_last(ARRAY[7, 8])", "8")],
      isExtension: true,
      overloads: [
        .columns([.array(.t)], returns: .pattern(.t)) { (columns, n, _) throws(QueryError) -> Column in
          try ends(columns, n) { $0.last }
        }
      ]),
    ScalarFunction(
      "cardinality", summary: "The number of elements.", examples: [Example("cardinality(ARRAY[7, 8, 9])", "3")],
      overloads: [
        .columns([.array(.t)], returns: .bigint) { (columns, n, _) throws(QueryError) -> Column in
          cardinality(columns[0], n)
        }
      ]),
    ScalarFunction(
      "slice", summary: "length elements from an index on, counted from 1 or, when negative, from the end.",
      examples: [
        Example("slice(ARRAY[1, 2, 3, 4], 2, 2)", "[2, 3]"), Example("slice(ARRAY[1, 2, 3], -2, 2)", "[2, 3]"),
      ],
      overloads: [
        .columns([.array(.t), .bigint, .bigint], returns: .argument(0)) {
          (columns, n, context) throws(QueryError) -> Column in
          let (starts, lengths) = (columns[1].view, columns[2].view)
          return try parts(columns, n, &context) { (row, count, errors) -> Range<Int>? in
            let (start, length) = (starts.value(row, as: Int64.self), lengths.value(row, as: Int64.self))
            if length < 0 {
              errors.record(row, .invalidFunctionArgument, "length must be greater than or equal to 0")
              return nil
            }
            if start == 0 {
              errors.record(row, .invalidFunctionArgument, "SQL array indices start at 1")
              return nil
            }
            let first = start > 0 ? start &- 1 : Int64(count) &+ start
            if first < 0 || first >= Int64(count) { return 0..<0 }
            return Int(first)..<Int(first + min(length, Int64(count) - first))
          }
        }
      ]),
    ScalarFunction(
      "trim_array", summary: "The array without its last n elements.",
      examples: [Example("trim_array(ARRAY[1, 2, 3], 1)", "[1, 2]")],
      overloads: [
        .columns([.array(.t), .bigint], returns: .argument(0)) { (columns, n, context) throws(QueryError) -> Column in
          let sizes = columns[1].view
          return try parts(columns, n, &context) { (row, count, errors) -> Range<Int>? in
            let size = sizes.value(row, as: Int64.self)
            if size < 0 {
              errors.record(row, .invalidFunctionArgument, "size must not be negative: \(size)")
              return nil
            }
            if size > Int64(count) {
              errors.record(
                row, .invalidFunctionArgument, "size must not exceed array cardinality \(count): \(size)")
              return nil
            }
            return 0..<(count - Int(size))
          }
        }
      ]),
    ScalarFunction(
      "reverse", summary: "The elements in reverse order.", examples: [Example("reverse(ARRAY[1, 2, 3])", "[3, 2, 1]")],
      overloads: [
        .columns([.array(.t)], returns: .argument(0)) { (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          var list = ListBuilder(rowCount: n, elementCount: input.elements.count)
          for row in 0..<n {
            for at in input.range(row).reversed() { list.add(at) }
            list.end()
          }
          return try list.finish(context.returnType, input.elements, validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "shuffle", summary: "The elements in random order.",
      examples: [Example("cardinality(shuffle(ARRAY[1, 2, 3]))", "3")],
      determinism: .volatile,
      overloads: [
        .columns([.array(.t)], returns: .argument(0)) { (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          var list = ListBuilder(rowCount: n, elementCount: input.elements.count)
          for row in 0..<n {
            for at in Array(input.range(row)).shuffled() { list.add(at) }
            list.end()
          }
          return try list.finish(context.returnType, input.elements, validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "ngrams", summary: "All runs of n neighbouring elements; the whole array when it is shorter.",
      examples: [Example("ngrams(ARRAY['a', 'b', 'c'], 2)", "[[a, b], [b, c]]")],
      overloads: [
        .columns([.array(.t), .bigint], returns: .pattern(.array(.array(.t)))) {
          (columns, n, context) throws(QueryError) -> Column in
          let sizes = columns[1].view
          return try lists(columns, n, &context) { (row, range, errors, add) in
            let size = sizes.value(row, as: Int64.self)
            if size <= 0 {
              errors.record(row, .invalidFunctionArgument, "N must be positive")
              return
            }
            let length = size >= Int64(range.count) ? range.count : Int(size)
            for start in range.lowerBound...(range.upperBound - length) { add(Array(start..<(start + length))) }
          }
        }
      ]),
    ScalarFunction(
      "combinations", summary: "All combinations of n of the elements, n at most 5.",
      examples: [Example("combinations(ARRAY['a', 'b', 'c'], 2)", "[[a, b], [a, c], [b, c]]")],
      overloads: [
        .columns([.array(.t), .bigint], returns: .pattern(.array(.array(.t)))) {
          (columns, n, context) throws(QueryError) -> Column in
          let sizes = columns[1].view
          return try lists(columns, n, &context) { (row, range, errors, add) in
            combinations(sizes.value(row, as: Int64.self), row, range, &errors, add)
          }
        }
      ]),
  ]

  /// The element that `index` picks of each row, by place within the array; nil is NULL.
  private static func elements(
    _ columns: [Column], _ n: Int, _ index: (Int, Int64, Int) -> Int?
  ) throws(QueryError) -> Column {
    let input = ArrayInput(columns[0])
    let indices = columns[1].view
    var picks: [Int32] = []
    picks.reserveCapacity(n)
    for row in 0..<n {
      if input.isNull(row) || indices.isNull(row) {
        picks.append(-1)
        continue
      }
      let range = input.range(row)
      if let place = index(row, indices.value(row, as: Int64.self), range.count) {
        picks.append(Int32(truncatingIfNeeded: range.lowerBound + place))
      } else {
        picks.append(-1)
      }
    }
    return withExtendedLifetime(columns) { input.elements.takeOrNull(picks) }
  }

  private static func ends(_ columns: [Column], _ n: Int, _ pick: (Range<Int>) -> Int?) throws(QueryError) -> Column {
    let input = ArrayInput(columns[0])
    return input.elements.takeOrNull((0..<n).map { Int32(truncatingIfNeeded: pick(input.range($0)) ?? -1) })
  }

  /// Entries of arrays or maps.
  static func cardinality(_ column: Column, _ n: Int) -> Column {
    let input = ArrayInput(column)
    let values = Buffer(byteCount: n * 8)
    let out = values.typed(Int64.self)
    for row in 0..<n { out[row] = Int64(input.length(row)) }
    return Column(flat: .bigint, count: n, values: values, validity: column.validity)
  }

  /// The part of each array that `part` names, by places within it.
  private static func parts(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ part: (Int, Int, inout RowErrors) -> Range<Int>?
  ) throws(QueryError) -> Column {
    let input = ArrayInput(columns[0])
    let validity = commonValidity(columns)
    var list = ListBuilder(rowCount: n)
    for row in 0..<n {
      if validity.map({ $0[row] }) ?? true {
        let range = input.range(row)
        if let part = part(row, range.count, &context.errors) {
          list.add((range.lowerBound + part.lowerBound)..<(range.lowerBound + part.upperBound))
        }
      }
      list.end()
    }
    return try withExtendedLifetime(columns) { () throws(QueryError) in
      try list.finish(context.returnType, input.elements, validity: validity)
    }
  }

  /// Arrays of arrays of each row's elements.
  private static func lists(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext,
    _ body: (Int, Range<Int>, inout RowErrors, ([Int]) -> Void) -> Void
  ) throws(QueryError) -> Column {
    let input = ArrayInput(columns[0])
    let validity = commonValidity(columns)
    guard case .array(let innerType) = context.returnType else { throw .internalError("no array of arrays") }
    var picks: [Int32] = []
    var innerOffsets: [Int32] = [0]
    let offsets = Buffer(byteCount: (n + 1) * 4)
    let starts = offsets.typed(Int32.self)
    starts[0] = 0
    for row in 0..<n {
      if validity.map({ $0[row] }) ?? true {
        body(row, input.range(row), &context.errors) { places in
          for place in places { picks.append(Int32(truncatingIfNeeded: place)) }
          innerOffsets.append(Int32(truncatingIfNeeded: picks.count))
        }
      }
      try checkElementCount(picks.count)
      starts[row + 1] = Int32(truncatingIfNeeded: innerOffsets.count - 1)
    }
    let inner = Buffer(byteCount: innerOffsets.count * 4)
    innerOffsets.withUnsafeBytes { inner.pointer.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    let elements = input.elements.takeOrNull(picks).retyped(innerType.childTypes[0])
    let lists = Column(
      nested: innerType, count: innerOffsets.count - 1, offsets: inner, children: [elements], validity: nil)
    return withExtendedLifetime(columns) {
      Column(nested: context.returnType, count: n, offsets: offsets, children: [lists], validity: validity)
    }
  }

  private static func combinations(
    _ size: Int64, _ row: Int, _ range: Range<Int>, _ errors: inout RowErrors, _ add: ([Int]) -> Void
  ) {
    if size < 0 {
      errors.record(row, .invalidFunctionArgument, "combination size must not be negative: \(size)")
      return
    }
    if size > 5 {
      errors.record(row, .invalidFunctionArgument, "combination size must not exceed 5: \(size)")
      return
    }
    let k = Int(size)
    let n = range.count
    if k > n { return }
    var total = 1.0
    for i in 0..<k { total = total * Double(n - i) / Double(i + 1) }
    if total > 100_000 {
      errors.record(row, .invalidFunctionArgument, "combinations exceed max size")
      return
    }
    // Co-lexicographic order: the first place that can move does, those before it start over.
    var places = Array(0..<k)
    while true {
      add(places.map { range.lowerBound + $0 })
      var i = 0
      while i < k, places[i] + 1 == (i + 1 < k ? places[i + 1] : n) { i += 1 }
      if i == k { return }
      places[i] += 1
      for j in 0..<i { places[j] = j }
    }
  }
}
