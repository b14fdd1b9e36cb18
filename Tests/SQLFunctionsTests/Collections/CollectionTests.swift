import Columnar
import QueryErrors
import Testing

@testable import SQLFunctions

@Suite struct CollectionTests {
  private let ints = DataType.array(.integer)
  private let texts = DataType.array(.text)

  private func call(_ name: String, _ arguments: (Scalar, DataType)...) -> String {
    switch arguments.count {
    case 0: return FunctionHarness.call(name)
    case 1: return FunctionHarness.call(name, arguments[0])
    case 2: return FunctionHarness.call(name, arguments[0], arguments[1])
    case 3: return FunctionHarness.call(name, arguments[0], arguments[1], arguments[2])
    default: return FunctionHarness.call(name, arguments[0], arguments[1], arguments[2], arguments[3])
    }
  }

  @Test func making() {
    #expect(call("array_constructor", (1, .integer), (nil, .integer), (3, .bigint)) == "[1, null, 3]")
    #expect(call("row_constructor", (1, .integer), ("a", .text)) == "{field0=1, field1=a}")
    #expect(call("repeat", ("a", .text), (3, .bigint)) == "[a, a, a]")
    #expect(call("concat", ([1], ints), ([2, 3], ints)) == "[1, 2, 3]")
    #expect(call("concat", ([1], ints), (2, .integer)) == "[1, 2]")
    #expect(call("concat", (1, .integer), ([2], ints)) == "[1, 2]")
    #expect(call("flatten", ([[1, 2], nil, [3]], .array(ints))) == "[1, 2, 3]")
    #expect(call("zip", ([1], ints), (["a", "b"], texts)) == "[{field0=1, field1=a}, {field0=null, field1=b}]")
    #expect(call("sequence", (10, .bigint), (4, .bigint), (-3, .bigint)) == "[10, 7, 4]")
    #expect(
      call("sequence", (1, .bigint), (2, .bigint), (0, .bigint)) == "INVALID_FUNCTION_ARGUMENT: step must not be zero")
    #expect(
      call("sequence", (16903, .date), (17263, .date), (2, .intervalYearToMonth))
        == "[2016-04-12, 2016-06-12, 2016-08-12, 2016-10-12, 2016-12-12, 2017-02-12]")
  }

  @Test func elements() {
    #expect(call("subscript", ([1, 2, 3], ints), (3, .bigint)) == "3")
    #expect(
      call("subscript", ([1, 2, 3], ints), (4, .bigint))
        == "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: 4 > 3")
    #expect(
      call("subscript", ([1, 2, 3], ints), (0, .bigint)) == "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1")
    #expect(
      call("subscript", ([1, 2, 3], ints), (-1, .bigint))
        == "INVALID_FUNCTION_ARGUMENT: Array subscript is negative: -1")
    #expect(call("element_at", ([1, 2, 3], ints), (-3, .bigint)) == "1")
    #expect(call("element_at", ([1, 2, 3], ints), (-4, .bigint)) == "NULL")
    #expect(call("slice", ([1, 2, 3, 4], ints), (-3, .bigint), (5, .bigint)) == "[2, 3, 4]")
    #expect(call("slice", ([1, 2, 3, 4], ints), (-6, .bigint), (5, .bigint)) == "[]")
    #expect(
      call("trim_array", ([1, 2, 3], ints), (4, .bigint))
        == "INVALID_FUNCTION_ARGUMENT: size must not exceed array cardinality 3: 4")
    #expect(call("reverse", ([1, 2, 3], ints)) == "[3, 2, 1]")
    #expect(call("cardinality", ([1, nil], ints)) == "2")
    #expect(call("ngrams", (["a", "b", "c"], texts), (2, .bigint)) == "[[a, b], [b, c]]")
    #expect(call("ngrams", (["a", "b"], texts), (9, .bigint)) == "[[a, b]]")
    #expect(
      call("combinations", (["a", "bb", "ccc", "dddd"], texts), (2, .bigint))
        == "[[a, bb], [a, ccc], [bb, ccc], [a, dddd], [bb, dddd], [ccc, dddd]]")
    #expect(call("combinations", (["a"], texts), (0, .bigint)) == "[[]]")
    #expect(
      call("combinations", (["a"], texts), (10, .bigint))
        == "INVALID_FUNCTION_ARGUMENT: combination size must not exceed 5: 10")
  }

  @Test func searching() {
    #expect(call("contains", ([1, nil], ints), (2, .integer)) == "NULL")
    #expect(call("contains", ([1, nil], ints), (1, .integer)) == "true")
    #expect(call("contains", ([[1, nil]], .array(ints)), ([1, nil], ints)).hasPrefix("NOT_SUPPORTED"))
    #expect(call("contains_sequence", ([1, 2, 3], ints), ([2, 3], ints)) == "true")
    #expect(call("array_position", (["a", "b", "b"], texts), ("b", .text)) == "2")
    #expect(call("array_position", (["a", "b", "b"], texts), ("b", .text), (-1, .bigint)) == "3")
    #expect(call("array_remove", ([1, nil, 3], ints), (1, .integer)) == "[null, 3]")
    #expect(call("array_max", ([1, 3, 2], ints)) == "3")
    #expect(call("array_min", ([1, nil, 2], ints)) == "NULL")
  }

  @Test func sets() {
    #expect(call("array_distinct", ([1, 2, 1, nil, nil], ints)) == "[1, 2, null]")
    #expect(call("array_union", ([1, 2], ints), ([2, 3], ints)) == "[1, 2, 3]")
    #expect(call("array_intersect", ([1, 2, 5, 5, 6], ints), ([5, 5, 6, 6, 7, 8], ints)) == "[5, 6]")
    #expect(
      call("array_intersect", ([5.1, 7.0, 4.8, 10.0], .array(.double)), ([10.0, 1.9, 5.1, 3.9, 4.8], .array(.double)))
        == "[10.0, 5.1, 4.8]")
    #expect(call("array_except", ([1, 5, 3, 5, 1], ints), ([3], ints)) == "[1, 5]")
    #expect(call("arrays_overlap", ([1, nil], ints), ([2], ints)) == "NULL")
    #expect(call("array_sort", ([1, nil, 0, nil, -1], ints)) == "[-1, 0, 1, null, null]")
    #expect(call("array_join", ([1, nil, 2], ints), (",", .text)) == "1,2")
    #expect(call("array_join", ([1, nil, 2], ints), (",", .text), ("x", .text)) == "1,x,2")
    #expect(call("array_join", ([[1]], .array(ints)), (",", .text)).hasPrefix("FUNCTION_NOT_FOUND"))
    #expect(call("array_histogram", (["a", "b", "a", nil], texts)) == "{a=2, b=1}")
  }

  @Test func maps() {
    let map = DataType.map(key: .text, value: .integer)
    let one = Scalar.map([.init(key: "a", value: 1), .init(key: "b", value: nil)])
    #expect(call("map", (["a", "b"], texts), ([1, 2], ints)) == "{a=1, b=2}")
    #expect(
      call("map", (["a", "a"], texts), ([1, 2], ints))
        == "INVALID_FUNCTION_ARGUMENT: Duplicate map keys (a) are not allowed")
    #expect(call("map", (["a", nil], texts), ([1, 2], ints)) == "INVALID_FUNCTION_ARGUMENT: map key cannot be null")
    #expect(
      call("map", (["a"], texts), ([1, 2], ints))
        == "INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length")
    #expect(call("subscript", (one, map), ("a", .text)) == "1")
    #expect(call("subscript", (one, map), ("z", .text)) == "INVALID_FUNCTION_ARGUMENT: Key not present in map: z")
    #expect(call("element_at", (one, map), ("b", .text)) == "NULL")
    #expect(call("map_keys", (one, map)) == "[a, b]")
    #expect(call("map_values", (one, map)) == "[1, null]")
    #expect(call("map_entries", (one, map)) == "[{field0=a, field1=1}, {field0=b, field1=null}]")
    #expect(call("cardinality", (one, map)) == "2")
    let entries = DataType.array(.row([.init(name: nil, type: .text), .init(name: nil, type: .integer)]))
    #expect(call("map_from_entries", ([.row(["x", 1]), .row(["y", nil])], entries)) == "{x=1, y=null}")
    #expect(call("multimap_from_entries", ([.row(["x", 1]), .row(["x", 2])], entries)) == "{x=[1, 2]}")
    #expect(call("map_concat", (one, map), (.map([.init(key: "a", value: 9)]), map)) == "{a=9, b=null}")
  }

  @Test func vectors() {
    let doubles = DataType.array(.double)
    #expect(call("dot_product", ([1.1, 2.2, 3.3], doubles), ([4.4, 5.5, 6.6], doubles)) == "38.72")
    #expect(
      call("dot_product", ([1.0], doubles), ([1.0, 2.0], doubles))
        == "INVALID_FUNCTION_ARGUMENT: The arguments must have the same length")
    #expect(call("euclidean_distance", ([1.0, 2.0], doubles), ([4.0, 6.0], doubles)) == "5.0")
  }

  // MARK: Lambdas

  /// A lambda made of a closure on one binding's values.
  private final class ClosureLambda: LambdaEvaluator {
    let type: DataType
    let body: ([Scalar]) -> Scalar
    init(_ type: DataType, _ body: @escaping ([Scalar]) -> Scalar) {
      self.type = type
      self.body = body
    }
    func evaluate(
      _ parameters: [Column], outerRows: UnsafePointer<Int32>, rowCount: Int, errors: inout RowErrors
    ) throws(QueryError) -> Column {
      let builder = ColumnBuilder(type)
      for row in 0..<rowCount { builder.append(body(parameters.map { $0.scalar(row) })) }
      return builder.finish()
    }
  }

  private func apply(
    _ name: String, _ arguments: [(Scalar, DataType)], _ lambdas: [ClosureLambda], _ parameterTypes: [[DataType]]
  ) -> String {
    do throws(QueryError) {
      let function = FunctionRegistry.scalar(name)!
      var calls: [CallArgument] = arguments.map { .type($0.1) }
      for (lambda, types) in zip(lambdas, parameterTypes) {
        let type = lambda.type
        calls.append(.lambda(parameterCount: types.count, range: nil) { (_) throws(QueryError) in type })
      }
      let (index, binding) = try OverloadResolution.resolve(
        name: name, function.overloads.map(\.signature), calls, at: nil)
      let kernel = try function.overloads[index].makeKernel(binding)
      var results: Set<String> = []
      for isFlat in [false, true] {
        var context = KernelContext(returnType: binding.returnType, lambdas: lambdas, session: FunctionHarness.session)
        let columns = arguments.map { value, type in
          let column = Column.constant(value, type, count: 2)
          return isFlat ? column.flattened() : column
        }
        let result = try kernel(columns, 2, &context)
        if let first = context.errors.first { return first.error.description }
        for row in 0..<2 { results.insert(FunctionHarness.text(result, row)) }
      }
      return results.count == 1 ? results.first! : "shapes differ: \(results.sorted())"
    } catch { return error.description }
  }

  private func number(_ value: Scalar) -> Int64 { value.integerValue ?? 0 }

  @Test func lambdas() {
    let list: (Scalar, DataType) = ([5, nil, 20, 50], ints)
    let double = ClosureLambda(.integer) { $0[0].isNull ? .null : .integer(self.number($0[0]) * 2) }
    #expect(apply("transform", [list], [double], [[.integer]]) == "[10, null, 40, 100]")
    let big = ClosureLambda(.boolean) { $0[0].isNull ? .null : .boolean(self.number($0[0]) > 10) }
    #expect(apply("filter", [list], [big], [[.integer]]) == "[20, 50]")
    #expect(apply("any_match", [list], [big], [[.integer]]) == "true")
    #expect(apply("all_match", [list], [big], [[.integer]]) == "false")
    #expect(apply("none_match", [([1, nil], ints)], [big], [[.integer]]) == "NULL")
    let add = ClosureLambda(.integer) { .integer(self.number($0[0]) + self.number($0[1])) }
    let same = ClosureLambda(.integer) { $0[0] }
    #expect(apply("reduce", [list, (100, .integer)], [add, same], [[.integer, .integer], [.integer]]) == "175")
    #expect(
      apply("reduce", [([], ints), (100, .integer)], [add, same], [[.integer, .integer], [.integer]]) == "100")
    #expect(apply("zip_with", [([1, 2], ints), ([3], ints)], [add], [[.integer, .integer]]) == "[4, 2]")
    let descending = ClosureLambda(.bigint) { pair in
      let (a, b) = (self.number(pair[0]), self.number(pair[1]))
      return .integer(a < b ? 1 : a == b ? 0 : -1)
    }
    #expect(
      apply("array_sort", [([2, 3, 2, 9, 4, 1], ints)], [descending], [[.integer, .integer]]) == "[9, 4, 3, 2, 2, 1]")
    let wrong = ClosureLambda(.bigint) { .integer(self.number($0[1]) - self.number($0[0])) }
    #expect(
      apply("array_sort", [([2, 1, 2, 4], ints)], [wrong], [[.integer, .integer]])
        == "INVALID_FUNCTION_ARGUMENT: Lambda comparator must return either -1, 0, or 1")
    let map = DataType.map(key: .integer, value: .integer)
    let entries = Scalar.map([.init(key: 1, value: 10), .init(key: 2, value: 20)])
    #expect(apply("transform_values", [(entries, map)], [add], [[.integer, .integer]]) == "{1=11, 2=22}")
    #expect(apply("transform_keys", [(entries, map)], [add], [[.integer, .integer]]) == "{11=10, 22=20}")
    let zero = ClosureLambda(.integer) { _ in 0 }
    #expect(
      apply("transform_keys", [(entries, map)], [zero], [[.integer, .integer]])
        == "INVALID_FUNCTION_ARGUMENT: Duplicate map keys (0) are not allowed")
    let second = ClosureLambda(.boolean) { .boolean(self.number($0[0]) == 2) }
    #expect(apply("map_filter", [(entries, map)], [second], [[.integer, .integer]]) == "{2=20}")
    let three = ClosureLambda(.integer) { .integer($0.reduce(0) { $0 + self.number($1) }) }
    let other = Scalar.map([.init(key: 2, value: 5), .init(key: 3, value: 7)])
    #expect(
      apply("map_zip_with", [(entries, map), (other, map)], [three], [[.integer, .integer, .integer]])
        == "{1=11, 2=27, 3=10}")
  }
}
