import Columnar
import QueryErrors

/// Functions that treat arrays as sets, and sort or join them.
package enum ArraySetFunctions: FunctionFamily {
  package static let title = "Arrays as sets"

  private static let comparable = TypePattern.array(.comparable("T"))
  private static let result = ReturnType.pattern(.array(.variable("T")))

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "array_distinct", summary: "The elements without repetitions.",
      examples: [Example("array_distinct(ARRAY[1, 2, 1])", "[1, 2]")],
      overloads: [
        .columns([comparable], returns: result) { (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          var set = ElementSet(input.elements)
          var list = ListBuilder(rowCount: n, elementCount: input.elements.count)
          for row in 0..<n {
            let range = input.range(row)
            set.clear(count: range.count)
            for at in range where set.insert(at) == nil { list.add(at) }
            list.end()
          }
          return try list.finish(context.returnType, input.elements, validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "array_union", summary: "The elements of both arrays without repetitions.",
      examples: [Example("array_union(ARRAY[1, 2], ARRAY[2, 3])", "[1, 2, 3]")],
      overloads: [
        .columns([comparable, comparable], returns: result) { (columns, n, context) throws(QueryError) -> Column in
          try pairs(columns, n, context.returnType) { (left, right, set, list) in
            set.clear(count: left.count + right.count)
            for at in left where set.insert(at) == nil { list.add(at) }
            for at in right where set.insert(at) == nil { list.add(at) }
          }
        }
      ]),
    ScalarFunction(
      "array_intersect", summary: "The elements that both arrays have, without repetitions.",
      examples: [Example("array_intersect(ARRAY[1, 2, 2], ARRAY[2, 3])", "[2]")],
      overloads: [
        .columns([comparable, comparable], returns: result) { (columns, n, context) throws(QueryError) -> Column in
          try pairs(columns, n, context.returnType) { (left, right, set, list) in
            // The longer array gives the order, as in Trino.
            let (long, short) = left.count < right.count ? (right, left) : (left, right)
            set.clear(count: short.count)
            for at in short { _ = set.insert(at) }
            var given: Set<Int> = []
            for at in long {
              if let held = set.equal(to: at), given.insert(held).inserted { list.add(at) }
            }
          }
        }
      ]),
    ScalarFunction(
      "array_except", summary: "The elements of the first array that the second has not, without repetitions.",
      examples: [Example("array_except(ARRAY[1, 2, 3], ARRAY[2])", "[1, 3]")],
      overloads: [
        .columns([comparable, comparable], returns: result) { (columns, n, context) throws(QueryError) -> Column in
          try pairs(columns, n, context.returnType) { (left, right, set, list) in
            set.clear(count: left.count + right.count)
            for at in right { _ = set.insert(at) }
            for at in left where set.insert(at) == nil { list.add(at) }
          }
        }
      ]),
    ScalarFunction(
      "arrays_overlap", summary: "Whether the arrays have an element in common; NULL when they have not but NULLs.",
      examples: [Example("arrays_overlap(ARRAY[1, 2], ARRAY[2, 3])", "true")],
      overloads: [
        .columns([comparable, comparable], returns: .boolean) { (columns, n, context) throws(QueryError) -> Column in
          let (x, y) = (ArrayInput(columns[0]), ArrayInput(columns[1]))
          let base = x.elements.count
          let all = Column.concatenate([x.elements, y.elements], type: x.elements.type)
          var set = ElementSet(all)
          let valid = Bitmap(count: n, filled: true)
          var hasNulls = false
          let values = Buffer.zeroed(byteCount: n)
          let out = values.typed(UInt8.self)
          for row in 0..<n {
            let (left, right) = (x.range(row), y.range(row))
            if left.isEmpty || right.isEmpty { continue }
            var meetsNull = false
            set.clear(count: left.count)
            for at in left { if all.isNull(at) { meetsNull = true } else { _ = set.insert(at) } }
            for at in right {
              if all.isNull(base + at) {
                meetsNull = true
              } else if set.contains(base + at) {
                out[row] = 1
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
      "array_histogram", summary: "A map from each element that is not NULL to the number of its occurrences.",
      examples: [Example("array_histogram(ARRAY['a', 'b', 'a'])", "{a=2, b=1}")],
      overloads: [
        .columns([comparable], returns: .pattern(.map(.variable("T"), .bigint))) {
          (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          var set = ElementSet(input.elements)
          var list = ListBuilder(rowCount: n)
          var counts: [Int64] = []
          for row in 0..<n {
            let range = input.range(row)
            set.clear(count: range.count)
            var place: [Int: Int] = [:]
            for at in range where !input.elements.isNull(at) {
              if let held = set.insert(at) {
                counts[place[held]!] += 1
              } else {
                place[at] = counts.count
                counts.append(1)
                list.add(at)
              }
            }
            list.end()
          }
          let values = Buffer(byteCount: counts.count * 8)
          for (k, count) in counts.enumerated() { values.typed(Int64.self)[k] = count }
          let keyed = try list.finish(.array(input.elements.type), input.elements, validity: columns[0].validity)
          return Column(
            nested: context.returnType, count: n, offsets: keyed.offsets!,
            children: [
              keyed.children[0].retyped(context.returnType.childTypes[0]),
              Column(flat: .bigint, count: counts.count, values: values, validity: nil),
            ], validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "array_sort", summary: "The elements in ascending order, NULLs last, or as a comparing lambda orders them.",
      examples: [
        Example("array_sort(ARRAY[3, NULL, 1])", "[1, 3, null]"),
        Example("array_sort(ARRAY[1, 3, 2], (x, y) -> IF(x < y, 1, IF(x = y, 0, -1)))", "[3, 2, 1]"),
      ],
      overloads: [
        .columns([.array(.orderable("T"))], returns: result) { (columns, n, context) throws(QueryError) -> Column in
          let input = ArrayInput(columns[0])
          let comparator = RowComparator(input.elements, input.elements)
          var list = ListBuilder(rowCount: n, elementCount: input.elements.count)
          for row in 0..<n {
            // Swift's sort is stable.
            for at in input.range(row).sorted(by: { comparator.orderNullsLast($0, $1) < 0 }) { list.add(at) }
            list.end()
          }
          return try list.finish(context.returnType, input.elements, validity: columns[0].validity)
        },
        .columns([.array(.t), .function([.t, .t], .bigint)], returns: .pattern(.array(.t))) {
          (columns, n, context) throws(QueryError) -> Column in
          try ComparatorSort.sort(columns[0], n, &context)
        },
      ]),
    ScalarFunction(
      "array_join", summary: "The elements as text with a delimiter between; NULLs are left out or replaced.",
      examples: [
        Example("array_join(ARRAY[1, NULL, 2], ',')", "1,2"),
        Example("array_join(ARRAY[1, NULL, 2], ',', 'x')", "1,x,2"),
      ],
      overloads: [joins(replacing: false), joins(replacing: true)]),
  ]

  /// Calls `body` per row with both ranges, counted in the concatenation of all elements.
  private static func pairs(
    _ columns: [Column], _ n: Int, _ type: DataType,
    _ body: (Range<Int>, Range<Int>, inout ElementSet, inout ListBuilder) -> Void
  ) throws(QueryError) -> Column {
    let (x, y) = (ArrayInput(columns[0]), ArrayInput(columns[1]))
    let base = x.elements.count
    let all = Column.concatenate([x.elements, y.elements], type: type.childTypes[0])
    let validity = commonValidity(columns)
    var set = ElementSet(all)
    var list = ListBuilder(rowCount: n)
    for row in 0..<n {
      if validity.map({ $0[row] }) ?? true {
        let right = y.range(row)
        body(x.range(row), (base + right.lowerBound)..<(base + right.upperBound), &set, &list)
      }
      list.end()
    }
    return try list.finish(type, all, validity: validity)
  }

  private static func joins(replacing: Bool) -> ScalarOverload {
    let resolve: @Sendable ([DataType]) -> SignatureBinding? = { types in
      guard types.count == (replacing ? 3 : 2) else { return nil }
      let element: DataType
      switch types[0] {
      case .array(let type): element = type
      case .unknown: element = .unknown
      default: return nil
      }
      guard !element.isNested, element == .unknown || CastRegistry.canCast(element, to: .text) else { return nil }
      return SignatureBinding(
        argumentTypes: [.array(element)] + Array(repeating: .text, count: types.count - 1), returnType: .text)
    }
    return ScalarOverload(
      Signature(
        [.array(.t), .varchar] + (replacing ? [.varchar] : []), returns: .varchar, resolve: resolve)
    ) { (binding) throws(QueryError) -> Kernel in
      guard case .array(let element) = binding.argumentTypes[0] else {
        throw .internalError("array_join bound to \(binding.argumentTypes[0])")
      }
      let isText = element.isVarchar
      let cast =
        isText
        ? nil
        : try CastRegistry.makeKernel(from: element, to: .text)?(
          SignatureBinding(argumentTypes: [element], returnType: .text))
      return { (columns, n, context) throws(QueryError) -> Column in
        let input = ArrayInput(columns[0])
        var texts = input.elements
        if let cast, texts.count > 0 {
          var inner = KernelContext(returnType: .text, session: context.session)
          texts = try cast([texts], texts.count, &inner)
          if let first = inner.errors.first { throw first.error }
          if let own = input.elements.validity {
            texts = texts.withValidity(Bitmap.intersection(own, texts.validity))
          }
        }
        return join(columns, texts, input, n)
      }
    }
  }

  private static func join(_ columns: [Column], _ texts: Column, _ input: ArrayInput, _ n: Int) -> Column {
    let validity = commonValidity(columns)
    let (delimiters, parts) = (columns[1].view, texts.view)
    let replacements = columns.count > 2 ? columns[2].view : nil
    let values = Buffer.zeroed(byteCount: n * 16)
    let out = values.typed(StringView.self)
    var arena = StringArena()
    var text: [UInt8] = []
    for row in 0..<n where validity.map({ $0[row] }) ?? true {
      text.removeAll(keepingCapacity: true)
      let delimiter = delimiters.value(row, as: StringView.self)
      var isFirst = true
      for at in input.range(row) {
        let isNull = parts.isNull(at)
        if isNull, replacements == nil { continue }
        if !isFirst { delimiter.withBytes { text.append(contentsOf: UnsafeRawBufferPointer(start: $0, count: $1)) } }
        isFirst = false
        let part = isNull ? replacements!.value(row, as: StringView.self) : parts.value(at, as: StringView.self)
        part.withBytes { text.append(contentsOf: UnsafeRawBufferPointer(start: $0, count: $1)) }
      }
      out[row] = text.withUnsafeBytes { arena.add($0) }
    }
    return withExtendedLifetime((columns, texts)) {
      Column(flat: .text, count: n, values: values, validity: validity, heap: arena.heap)
    }
  }
}

/// Sorts the arrays of a batch by a lambda, all in step.
///
/// Every round of the merge sort takes one comparison from each merge in progress, of all arrays, and asks the lambda
/// for all of them at once; a batch needs about as many rounds as its longest array has elements, twice.
///
/// - Throws: `INVALID_FUNCTION_ARGUMENT` per row when the lambda answers anything but −1, 0 or 1.
enum ComparatorSort {
  private struct Merge {
    var row: Int32
    var left, leftEnd, right, rightEnd, out: Int
  }

  static func sort(_ column: Column, _ n: Int, _ context: inout KernelContext) throws(QueryError) -> Column {
    let list = try ElementList(ArrayInput(column), rowCount: n)
    let elements = list.column(ArrayInput(column).elements)
    var order = (0..<list.count).map { Int32(truncatingIfNeeded: $0) }
    var next = order
    var longest = 0
    for row in 0..<n { longest = max(longest, list.range(row).count) }
    var failed = Array(repeating: false, count: n)
    var width = 1
    while width < longest {
      var merges: [Merge] = []
      next = order
      for row in 0..<n where !failed[row] {
        let range = list.range(row)
        var start = range.lowerBound
        while start + width < range.upperBound {
          let end = min(start + 2 * width, range.upperBound)
          merges.append(
            Merge(
              row: Int32(row), left: start, leftEnd: start + width, right: start + width, rightEnd: end, out: start))
          start = end
        }
      }
      while !merges.isEmpty {
        let count = merges.count
        let rows = Buffer(byteCount: count * 12)
        let outer = rows.typed(Int32.self)
        let (xs, ys) = (outer + count, outer + 2 * count)
        for (k, merge) in merges.enumerated() {
          outer[k] = merge.row
          // The later element comes first, as in Java's sort.
          xs[k] = order[merge.right]
          ys[k] = order[merge.left]
        }
        let answers = try context.lambdas[0].evaluate(
          [elements.take(xs, count: count), elements.take(ys, count: count)], outerRows: outer, rowCount: count,
          errors: &context.errors)
        let view = answers.view
        var kept: [Merge] = []
        kept.reserveCapacity(count)
        for k in 0..<count {
          var merge = merges[k]
          let answer = view.isNull(k) ? 2 : view.value(k, as: Int64.self)
          if answer < -1 || answer > 1 {
            let row = Int(merge.row)
            if !failed[row] {
              context.errors.record(
                row, .invalidFunctionArgument, "Lambda comparator must return either -1, 0, or 1")
            }
            failed[row] = true
            continue
          }
          if answer < 0 {
            next[merge.out] = order[merge.right]
            merge.right += 1
          } else {
            next[merge.out] = order[merge.left]
            merge.left += 1
          }
          merge.out += 1
          if merge.left < merge.leftEnd, merge.right < merge.rightEnd {
            kept.append(merge)
            continue
          }
          while merge.left < merge.leftEnd {
            next[merge.out] = order[merge.left]
            merge.left += 1
            merge.out += 1
          }
          while merge.right < merge.rightEnd {
            next[merge.out] = order[merge.right]
            merge.right += 1
            merge.out += 1
          }
        }
        withExtendedLifetime((rows, answers)) {}
        merges = kept
      }
      swap(&order, &next)
      width *= 2
    }
    return Column(
      nested: context.returnType, count: n, offsets: list.offsets,
      children: [elements.takeOrNull(order).retyped(context.returnType.childTypes[0])], validity: column.validity)
  }
}
