import Columnar
import QueryErrors

/// Functions that look for elements in arrays.
package enum ArraySearchFunctions: FunctionFamily {
  package static let title = "Searching arrays"

  private static let comparable = TypePattern.comparable("T")
  private static let arrayOfComparable = TypePattern.array(.comparable("T"))

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "contains", summary: "Whether the array has the element; NULL when it has not but has NULLs.",
      examples: [Example("contains(ARRAY[1, 2], 2)", "true"), Example("contains(ARRAY[1, NULL], 2)", "NULL")],
      overloads: [
        .columns([arrayOfComparable, comparable], returns: .boolean) {
          (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          let comparator = RowComparator(input.elements, columns[1])
          let valid = Bitmap(count: n, filled: true)
          var hasNulls = false
          let values = Buffer.zeroed(byteCount: n)
          let out = values.typed(UInt8.self)
          for row in 0..<n where !input.isNull(row) && !columns[1].isNull(row) {
            var meetsNull = false
            for at in input.range(row) {
              if input.elements.isNull(at) {
                meetsNull = true
              } else if let isEqual = comparator.equal(at, row) {
                if isEqual {
                  out[row] = 1
                  break
                }
              } else {
                context.errors.record(row, indeterminate("contains"))
                break
              }
            }
            if meetsNull, out[row] == 0 {
              valid.clear(row)
              hasNulls = true
            }
          }
          return Column(flat: .boolean, count: n, values: values, validity: hasNulls ? valid : nil)
        }
      ]),
    ScalarFunction(
      "contains_sequence", summary: "Whether the array has the elements of the second one, in order and without gaps.",
      examples: [Example("contains_sequence(ARRAY[1, 2, 3], ARRAY[2, 3])", "true")],
      overloads: [
        .columns([arrayOfComparable, arrayOfComparable], returns: .boolean) {
          (columns, n, _) throws(QueryError) -> Column in
          let (input, wanted) = (ArrayInput(columns[0]), ArrayInput(columns[1]))
          let comparator = RowComparator(input.elements, wanted.elements)
          return .booleans(n) { row in
            let (all, part) = (input.range(row), wanted.range(row))
            if part.isEmpty { return true }
            if part.count > all.count { return false }
            return (all.lowerBound...(all.upperBound - part.count)).contains { start in
              part.indices.allSatisfy { !comparator.isDistinct(start + ($0 - part.lowerBound), $0) }
            }
          }
        }
      ]),
    ScalarFunction(
      "array_position", summary: "The index of the element's first occurrence, from 1; 0 when there is none.",
      examples: [Example("array_position(ARRAY['a', 'b', 'b'], 'b')", "2")],
      overloads: [
        .columns([arrayOfComparable, comparable], returns: .bigint) {
          (columns, n, context) throws(QueryError) -> Column in
          try positions(columns, n, &context)
        },
        .columns([arrayOfComparable, comparable, .bigint], returns: .bigint) {
          (columns, n, context) throws(QueryError) -> Column in
          try positions(columns, n, &context)
        },
      ]),
    ScalarFunction(
      "array_remove", summary: "The array without the elements equal to the second argument.",
      examples: [Example("array_remove(ARRAY[1, 2, 1], 1)", "[2]")],
      overloads: [
        .columns([arrayOfComparable, comparable], returns: .pattern(.array(.variable("T")))) {
          (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          let comparator = RowComparator(input.elements, columns[1])
          let validity = commonValidity(columns)
          var list = ListBuilder(rowCount: n, elementCount: input.elements.count)
          for row in 0..<n {
            if validity.map({ $0[row] }) ?? true {
              for at in input.range(row) {
                if input.elements.isNull(at) {
                  list.add(at)
                } else if let isEqual = comparator.equal(at, row) {
                  if !isEqual { list.add(at) }
                } else {
                  context.errors.record(row, indeterminate("array_remove"))
                }
              }
            }
            list.end()
          }
          return try list.finish(context.returnType, input.elements, validity: validity)
        }
      ]),
    ScalarFunction(
      "array_max", summary: "The largest element; NULL when the array is empty or has a NULL.",
      examples: [Example("array_max(ARRAY[1, 3, 2])", "3")],
      overloads: [
        .columns([.array(.orderable("T"))], returns: .pattern(.variable("T"))) {
          (columns, n, context) throws(QueryError) -> Column in try extremum(columns[0], n, &context, wantsMax: true)
        }
      ]),
    ScalarFunction(
      "array_min", summary: "The smallest element; NULL when the array is empty or has a NULL.",
      examples: [Example("array_min(ARRAY[3, 1, 2])", "1")],
      overloads: [
        .columns([.array(.orderable("T"))], returns: .pattern(.variable("T"))) {
          (columns, n, context) throws(QueryError) -> Column in try extremum(columns[0], n, &context, wantsMax: false)
        }
      ]),
  ]

  /// Indices of the first or, with a third argument, of the n-th occurrence; n < 0 counts from the end.
  private static func positions(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext
  ) throws(QueryError) -> Column {
    let input = ArrayInput(columns[0])
    let comparator = RowComparator(input.elements, columns[1])
    let validity = commonValidity(columns)
    let values = Buffer.zeroed(byteCount: n * 8)
    let out = values.typed(Int64.self)
    for row in 0..<n where validity.map({ $0[row] }) ?? true {
      var instance: Int64 = 1
      if columns.count > 2 { instance = columns[2].view.value(row, as: Int64.self) }
      if instance == 0 {
        context.errors.record(row, .invalidFunctionArgument, "array_position cannot take a 0-valued instance argument.")
        continue
      }
      let range = input.range(row)
      var left = instance.magnitude
      func visit(_ at: Int) -> Bool {
        if input.elements.isNull(at) { return false }
        guard let isEqual = comparator.equal(at, row) else {
          context.errors.record(row, indeterminate("array_position"))
          return true
        }
        if isEqual {
          left -= 1
          if left == 0 {
            out[row] = Int64(at - range.lowerBound + 1)
            return true
          }
        }
        return false
      }
      if instance > 0 {
        for at in range where visit(at) { break }
      } else {
        for at in range.reversed() where visit(at) { break }
      }
    }
    return withExtendedLifetime(columns) { Column(flat: .bigint, count: n, values: values, validity: validity) }
  }

  private static func extremum(
    _ column: Column, _ n: Int, _ context: inout KernelContext, wantsMax: Bool
  ) throws(QueryError) -> Column {
    let input = ArrayInput(column)
    let elements = input.elements
    let comparator = RowComparator(elements, elements, unorderedFirst: wantsMax)
    let isFloating = elements.type.isFloating
    var picks: [Int32] = []
    picks.reserveCapacity(n)
    for row in 0..<n {
      var best = -1
      for at in input.range(row) {
        if elements.isNull(at) {
          best = -1
          break
        }
        if best < 0 {
          best = at
        } else if isFloating, elements.scalar(best).isNaN {
          best = at
        } else if !(isFloating && elements.scalar(at).isNaN) {
          if elements.type.isNested, comparator.meetsNull(at, best) {
            context.errors.record(row, nullElements(elements.type))
            break
          }
          let order = comparator.order(at, best)
          if wantsMax ? order > 0 : order < 0 { best = at }
        }
      }
      picks.append(Int32(truncatingIfNeeded: best))
    }
    return elements.takeOrNull(picks).retyped(context.returnType)
  }
}
