import Columnar
import Glibc
import QueryErrors

/// Distances and products of vectors of numbers.
package enum VectorFunctions: FunctionFamily {
  package static let title = "Vectors"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "dot_product", summary: "The sum of the products of elements at the same index.",
      examples: [Example("dot_product(ARRAY[1e0, 2e0], ARRAY[3e0, 4e0])", "11.0")],
      isExtension: true,
      overloads: forms { (x, y, _) in
        var sum = 0.0
        for k in x.indices { sum += x[k] * y[k] }
        return sum
      }),
    ScalarFunction(
      "euclidean_distance", summary: "The length of the difference of two vectors.",
      examples: [Example("euclidean_distance(ARRAY[1e0, 2e0], ARRAY[4e0, 6e0])", "5.0")],
      isExtension: true,
      overloads: forms { (x, y, _) in
        var sum = 0.0
        for k in x.indices { sum += (x[k] - y[k]) * (x[k] - y[k]) }
        return sqrt(sum)
      }),
    ScalarFunction(
      "cosine_similarity", summary: "The cosine of the angle between two vectors, given as arrays or as sparse maps.",
      examples: [Example("cosine_similarity(MAP(ARRAY['a'], ARRAY[1.0]), MAP(ARRAY['a'], ARRAY[2.0]))", "1.0")],
      overloads: forms { cosine($0, $1, &$2) } + [
        .columns([sparse, sparse], returns: .double) { (columns, n, context) throws(QueryError) -> Column in
          sparseCosine(columns, n)
        }
      ]),
    ScalarFunction(
      "cosine_distance", summary: "One minus the cosine of the angle between two vectors.",
      examples: [Example("cosine_distance(ARRAY[1e0, 0e0], ARRAY[0e0, 1e0])", "1.0")],
      isExtension: true,
      overloads: forms { cosine($0, $1, &$2).map { 1 - $0 } }),
  ]

  private static let sparse = TypePattern.map(.exact(.text), .double)

  private static func cosine(_ x: [Double], _ y: [Double], _ rows: inout RowContext) -> Double? {
    var (dot, a, b) = (0.0, 0.0, 0.0)
    for k in x.indices {
      dot += x[k] * y[k]
      a += x[k] * x[k]
      b += y[k] * y[k]
    }
    if a == 0 || b == 0 {
      rows.fail(.invalidFunctionArgument, "Vector magnitude cannot be zero")
      return nil
    }
    return dot / sqrt(a * b)
  }

  /// The form for arrays; nil and NULL elements make the result NULL.
  private static func forms(
    _ body: @escaping @Sendable ([Double], [Double], inout RowContext) -> Double?
  ) -> [ScalarOverload] {
    [
      .columns([.array(.double), .array(.double)], returns: .double) {
        (columns, n, context) throws(QueryError) -> Column in
        let (x, y) = (ArrayInput(columns[0]), ArrayInput(columns[1]))
        func vector(_ input: ArrayInput, _ row: Int) -> [Double]? {
          let view = input.elements.view
          var list: [Double] = []
          for at in input.range(row) {
            if view.isNull(at) { return nil }
            list.append(view.value(at, as: Double.self))
          }
          return list
        }
        return mapRowsOrNull(columns, n, &context) { (row, rows) -> Double? in
          if x.length(row) != y.length(row) {
            rows.fail(.invalidFunctionArgument, "The arguments must have the same length")
            return nil
          }
          guard let a = vector(x, row), let b = vector(y, row) else { return nil }
          return body(a, b, &rows)
        }
      }
    ]
  }

  private static func sparseCosine(_ columns: [Column], _ n: Int) -> Column {
    let (x, y) = (ArrayInput(columns[0]), ArrayInput(columns[1]))
    let keys = RowComparator(x.elements, y.elements)
    let (a, b) = (x.values.view, y.values.view)
    let validity = commonValidity(columns)
    let valid = Bitmap(count: n, filled: true)
    let values = Buffer.zeroed(byteCount: n * 8)
    for row in 0..<n {
      guard validity.map({ $0[row] }) ?? true else {
        valid.clear(row)
        continue
      }
      var (dot, p, q) = (0.0, 0.0, 0.0)
      var isNull = false
      for i in x.range(row) {
        if a.isNull(i) { isNull = true }
        let value = a.value(i, as: Double.self)
        p += value * value
        for j in y.range(row) where !keys.isDistinct(i, j) { dot += value * b.value(j, as: Double.self) }
      }
      for j in y.range(row) {
        if b.isNull(j) { isNull = true }
        let value = b.value(j, as: Double.self)
        q += value * value
      }
      if isNull || p == 0 || q == 0 {
        valid.clear(row)
      } else {
        values.typed(Double.self)[row] = dot / (sqrt(p) * sqrt(q))
      }
    }
    return withExtendedLifetime(columns) { Column(flat: .double, count: n, values: values, validity: valid) }
  }
}
