import Columnar
import QueryErrors

/// Functions that make arrays.
package enum ArrayConstructionFunctions: FunctionFamily {
  package static let title = "Making arrays"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "array_constructor", summary: "The array of the arguments: ARRAY[…].",
      examples: [Example("ARRAY[1, 2, 3]", "[1, 2, 3]")], isHidden: true,
      overloads: [
        ScalarOverload(
          Signature([.t], variadic: true, returns: .pattern(.array(.t)), resolve: commonElementType),
          propagatesNulls: false
        ) { (_) throws(QueryError) -> Kernel in construct }
      ]),
    ScalarFunction(
      "repeat", summary: "An array of the element, count times.",
      examples: [Example("repeat('a', 3)", "[a, a, a]")],
      overloads: [
        .columns([.t, .bigint], returns: .pattern(.array(.t)), propagatesNulls: false) {
          (columns, n, context) throws(QueryError) -> Column in
          let counts = columns[1].view
          var list = ListBuilder(rowCount: n)
          for row in 0..<n {
            if !counts.isNull(row) {
              let count = counts.value(row, as: Int64.self)
              if count > 10_000 {
                context.errors.record(
                  row, .invalidFunctionArgument,
                  "count argument of repeat function must be less than or equal to 10000")
              } else if count < 0 {
                context.errors.record(
                  row, .invalidFunctionArgument,
                  "count argument of repeat function must be greater than or equal to 0")
              } else {
                guard fits(columns[0], row, count) else {
                  context.errors.record(
                    row, .invalidFunctionArgument,
                    "result of repeat function must not take more than 1000000 bytes")
                  list.end()
                  continue
                }
                for _ in 0..<count { list.add(row) }
              }
            }
            list.end()
          }
          return try withExtendedLifetime(columns) { () throws(QueryError) in
            try list.finish(context.returnType, columns[0], validity: columns[1].validity)
          }
        }
      ]),
    ScalarFunction(
      "concat", summary: "The elements of all arrays, or of an array and one more element, in order.",
      examples: [Example("concat(ARRAY[1, 2], ARRAY[3])", "[1, 2, 3]")], overloads: concatenations),
    ScalarFunction(
      "flatten", summary: "The elements of the arrays in an array, in order.",
      examples: [Example("flatten(ARRAY[ARRAY[1, 2], ARRAY[3]])", "[1, 2, 3]")],
      overloads: [
        .columns([.array(.array(.t))], returns: .pattern(.array(.t))) {
          (columns, n, context) throws(QueryError) -> Column in
          let outer = ArrayInput(columns[0])
          let inner = ArrayInput(outer.elements)
          var list = ListBuilder(rowCount: n)
          for row in 0..<n {
            for element in outer.range(row) { list.add(inner.range(element)) }
            list.end()
          }
          return try list.finish(context.returnType, inner.elements, validity: columns[0].validity)
        }
      ]),
    ScalarFunction(
      "zip", summary: "Arrays merged into one of rows; missing elements are NULL.",
      examples: [Example("zip(ARRAY[1, 2], ARRAY['a'])", "[{field0=1, field1=a}, {field0=2, field1=null}]")],
      overloads: (2...5).map { count in
        let names = (1...count).map { "T\($0)" }
        let returns = ReturnType.computed { (types) throws(QueryError) -> DataType in
          .array(.row(types.map { DataType.RowField(name: nil, type: $0.childTypes.first ?? .unknown) }))
        }
        return .columns(names.map { .array(.variable($0)) }, returns: returns) {
          (columns, n, context) throws(QueryError) -> Column in
          let inputs = columns.map { ArrayInput($0) }
          let validity = commonValidity(columns)
          let offsets = Buffer(byteCount: (n + 1) * 4)
          let starts = offsets.typed(Int32.self)
          starts[0] = 0
          var picks = Array(repeating: [Int32](), count: count)
          var total = 0
          for row in 0..<n {
            if validity.map({ $0[row] }) ?? true {
              let longest = inputs.reduce(0) { max($0, $1.length(row)) }
              for (index, input) in inputs.enumerated() {
                let range = input.range(row)
                for k in 0..<longest { picks[index].append(k < range.count ? Int32(range.lowerBound + k) : -1) }
              }
              total += longest
            }
            starts[row + 1] = Int32(truncatingIfNeeded: total)
          }
          try checkElementCount(total)
          guard case .array(let rowType) = context.returnType else { throw .internalError("zip returns no array") }
          let fields = zip(inputs, picks).enumerated().map { index, pair in
            pair.0.elements.takeOrNull(pair.1).retyped(rowType.childTypes[index])
          }
          return Column(
            nested: context.returnType, count: n, offsets: offsets,
            children: [Column(row: rowType, count: total, children: fields, validity: nil)], validity: validity)
        }
      }),
  ]

  /// Whether so many copies of a value stay within a million bytes.
  ///
  /// - Source: Trino `RepeatFunction`, which weighs only what it keeps as an object, by its block's size.
  private static func fits(_ column: Column, _ row: Int, _ count: Int64) -> Bool {
    if count == 0 || column.isNull(row) { return true }
    switch column.type.physicalType {
    case .string, .array, .map, .row: return blockSize(column, row) <= (1_000_000 + count) / count
    default: return true
    }
  }

  /// The bytes of a Trino block that holds one row of the column.
  private static func blockSize(_ column: Column, _ row: Int) -> Int64 {
    let storage = column.storage
    let at = column.view.position(row)
    switch column.type.physicalType {
    case .string: return column.isNull(row) ? 5 : Int64(column.view.value(row, as: StringView.self).count) + 5
    case .array, .map:
      let range = column.isNull(row) ? 0..<0 : storage.elementRange(at)
      return range.reduce(5) { total, k in storage.children.reduce(total) { $0 + blockSize($1, k) } }
    case .row: return storage.children.reduce(5) { $0 + blockSize($1, at) }
    default: return Int64(column.type.physicalType.byteWidth) + 1
    }
  }

  private static let commonElementType: @Sendable ([DataType]) -> SignatureBinding? = { types in
    var element = types.first ?? .unknown
    for type in types.dropFirst() {
      guard let common = TypeCoercion.commonSuperType(element, type) else { return nil }
      element = common
    }
    return SignatureBinding(
      argumentTypes: Array(repeating: element, count: types.count), returnType: .array(element))
  }

  private static func construct(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext
  ) throws(QueryError) -> Column {
    let width = columns.count
    try checkElementCount(width * n)
    let offsets = Buffer(byteCount: (n + 1) * 4)
    let starts = offsets.typed(Int32.self)
    for row in 0...n { starts[row] = Int32(row * width) }
    guard case .array(let type) = context.returnType else { throw .internalError("array constructor returns no array") }
    let elements: Column
    if width == 0 {
      elements = .empty(type)
    } else if width == 1 {
      elements = columns[0].retyped(type)
    } else {
      let rows = Buffer(byteCount: width * n * 4)
      let list = rows.typed(Int32.self)
      var k = 0
      for row in 0..<n {
        for index in 0..<width {
          list[k] = Int32(truncatingIfNeeded: index * n + row)
          k &+= 1
        }
      }
      elements = n == 0 ? .empty(type) : Column.concatenate(columns, type: type).take(list, count: width * n)
    }
    return Column(nested: context.returnType, count: n, offsets: offsets, children: [elements], validity: nil)
  }

  private static let concatenations: [ScalarOverload] = [
    .columns([.array(.t)], variadic: true, returns: .pattern(.array(.t))) {
      (columns, n, context) throws(QueryError) -> Column in
      let inputs = columns.map { ArrayInput($0) }
      guard case .array(let type) = context.returnType else { throw .internalError("concat returns no array") }
      let all = Column.concatenate(inputs.map(\.elements), type: type)
      var bases: [Int] = []
      var next = 0
      for input in inputs {
        bases.append(next)
        next += input.elements.count
      }
      let validity = commonValidity(columns)
      var list = ListBuilder(rowCount: n, elementCount: next)
      for row in 0..<n {
        if validity.map({ $0[row] }) ?? true {
          for (input, base) in zip(inputs, bases) { for at in input.range(row) { list.add(base + at) } }
        }
        list.end()
      }
      return try list.finish(context.returnType, all, validity: validity)
    },
    .columns([.array(.t), .t], returns: .pattern(.array(.t))) {
      (columns, n, context) throws(QueryError) -> Column in
      try withElement(columns[0], columns[1], n, context.returnType, elementFirst: false)
    },
    .columns([.t, .array(.t)], returns: .pattern(.array(.t))) {
      (columns, n, context) throws(QueryError) -> Column in
      try withElement(columns[1], columns[0], n, context.returnType, elementFirst: true)
    },
  ]

  private static func withElement(
    _ array: Column, _ element: Column, _ n: Int, _ type: DataType, elementFirst: Bool
  ) throws(QueryError) -> Column {
    let input = ArrayInput(array)
    let all = Column.concatenate([input.elements, element], type: type.childTypes[0])
    let base = input.elements.count
    var list = ListBuilder(rowCount: n, elementCount: base + n)
    for row in 0..<n {
      if !input.isNull(row), !element.isNull(row) {
        if elementFirst { list.add(base + row) }
        list.add(input.range(row))
        if !elementFirst { list.add(base + row) }
      }
      list.end()
    }
    return try list.finish(type, all, validity: Bitmap.intersection(array.validity, element.validity))
  }
}
