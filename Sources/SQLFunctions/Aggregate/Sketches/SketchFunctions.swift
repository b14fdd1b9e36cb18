import Columnar
import QueryErrors

/// Scalar functions that read sketches.
package enum SketchFunctions: FunctionFamily {
  package static let title = "Sketches"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "cardinality", summary: "About how many distinct values a sketch stands for.",
      examples: [Example("(SELECT cardinality(approx_set(x)) FROM (VALUES 1, 2, 2) t(x))", "2")],
      overloads: [
        sketch(.hyperLogLog, .bigint, Int64.self) { (bytes, _, _) throws(QueryError) -> Int64? in
          try HyperLogLog(bytes: bytes).cardinality
        },
        sketch(.setDigest, .bigint, Int64.self) { (bytes, _, _) throws(QueryError) -> Int64? in
          try SetDigest(bytes: bytes).cardinality
        },
      ]),
    ScalarFunction(
      "empty_approx_set", summary: "The HyperLogLog sketch of no values.",
      examples: [Example("cardinality(empty_approx_set())", "0")],
      overloads: [
        .columns([], returns: .exact(.hyperLogLog)) { (_, n, _) throws(QueryError) -> Column in
          .constant(.bytes(HyperLogLog(indexBits: 12).bytes), .hyperLogLog, count: n)
        }
      ]),
    ScalarFunction(
      "value_at_quantile", summary: "The value at a quantile, between 0 and 1, of a digest.",
      examples: [Example("(SELECT value_at_quantile(tdigest_agg(x), 0.5) FROM (VALUES 1e0, 2e0, 3e0) t(x))", "2.0")],
      overloads: [
        sketch(.tDigest, .double, Double.self, [.double]) { (bytes, columns, row) throws(QueryError) -> Double? in
          let digest = try TDigest(bytes: bytes)
          return digest.value(at: try quantile(columns[1].view.value(row, as: Double.self)))
        },
        sketch(.qDigest(.bigint), .bigint, Int64.self, [.double]) {
          (bytes, columns, row) throws(QueryError) -> Int64? in
          try QuantileDigest(bytes: bytes).key(at: try quantile(columns[1].view.value(row, as: Double.self)))
        },
        sketch(.qDigest(.double), .double, Double.self, [.double]) {
          (bytes, columns, row) throws(QueryError) -> Double? in
          try QuantileDigest(bytes: bytes).key(at: try quantile(columns[1].view.value(row, as: Double.self)))
            .map { QuantileDigest.double($0) }
        },
        sketch(.qDigest(.real), .real, Float.self, [.double]) { (bytes, columns, row) throws(QueryError) -> Float? in
          try QuantileDigest(bytes: bytes).key(at: try quantile(columns[1].view.value(row, as: Double.self)))
            .map { QuantileDigest.float($0) }
        },
      ]),
    ScalarFunction(
      "values_at_quantiles", summary: "The values at ascending quantiles of a digest.",
      examples: [
        Example(
          "(SELECT values_at_quantiles(tdigest_agg(x), ARRAY[0.0, 1.0]) FROM (VALUES 1e0, 2e0, 3e0) t(x))", "[1.0, 3.0]"
        )
      ],
      overloads: [
        many(.tDigest, .double) { (bytes, quantiles, builder) throws(QueryError) in
          let digest = try TDigest(bytes: bytes)
          for quantile in quantiles { builder.append(.double(digest.value(at: quantile))) }
        },
        many(.qDigest(.bigint), .bigint) { (bytes, quantiles, builder) throws(QueryError) in
          let digest = try QuantileDigest(bytes: bytes)
          for quantile in quantiles { builder.append(digest.key(at: quantile).map { .integer($0) } ?? .null) }
        },
        many(.qDigest(.double), .double) { (bytes, quantiles, builder) throws(QueryError) in
          let digest = try QuantileDigest(bytes: bytes)
          for quantile in quantiles {
            builder.append(digest.key(at: quantile).map { .double(QuantileDigest.double($0)) } ?? .null)
          }
        },
        many(.qDigest(.real), .real) { (bytes, quantiles, builder) throws(QueryError) in
          let digest = try QuantileDigest(bytes: bytes)
          for quantile in quantiles {
            builder.append(digest.key(at: quantile).map { .real(QuantileDigest.float($0)) } ?? .null)
          }
        },
      ]),
    ScalarFunction(
      "quantile_at_value", summary: "The share of a digest's values below a value; NULL outside of all values.",
      examples: [Example("(SELECT quantile_at_value(qdigest_agg(x), 1) FROM (VALUES 1, 2) t(x))", "0.0")],
      overloads: [
        sketch(.qDigest(.bigint), .double, Double.self, [.bigint]) {
          (bytes, columns, row) throws(QueryError) -> Double? in
          try QuantileDigest(bytes: bytes).quantile(of: columns[1].view.value(row, as: Int64.self))
        },
        sketch(.qDigest(.double), .double, Double.self, [.double]) {
          (bytes, columns, row) throws(QueryError) -> Double? in
          try QuantileDigest(bytes: bytes).quantile(of: QuantileDigest.key(columns[1].view.value(row, as: Double.self)))
        },
        sketch(.qDigest(.real), .double, Double.self, [.real]) { (bytes, columns, row) throws(QueryError) -> Double? in
          try QuantileDigest(bytes: bytes).quantile(
            of: QuantileDigest.key(columns[1].view.value(row, as: Float.self)))
        },
      ]),
    ScalarFunction(
      "intersection_cardinality", summary: "About how many values two set digests have in common.",
      examples: [
        Example(
          "(SELECT intersection_cardinality(make_set_digest(x), make_set_digest(y)) FROM (VALUES (1, 1), (2, 3)) t(x, y))",
          "1")
      ],
      overloads: [
        sketch(.setDigest, .bigint, Int64.self, [.exact(.setDigest)]) {
          (bytes, columns, row) throws(QueryError) -> Int64? in
          try SetDigest.intersectionCardinality(
            SetDigest(bytes: bytes), SetDigest(bytes: columns[1].view.value(row, as: StringView.self).bytes))
        }
      ]),
    ScalarFunction(
      "jaccard_index", summary: "About what share of the values of two set digests they have in common.",
      examples: [
        Example("(SELECT jaccard_index(make_set_digest(x), make_set_digest(y)) FROM (VALUES (1, 1), (2, 2)) t(x, y))", "1.0")
      ],
      overloads: [
        sketch(.setDigest, .double, Double.self, [.exact(.setDigest)]) {
          (bytes, columns, row) throws(QueryError) -> Double? in
          try SetDigest.jaccardIndex(
            SetDigest(bytes: bytes), SetDigest(bytes: columns[1].view.value(row, as: StringView.self).bytes))
        }
      ]),
    ScalarFunction(
      "hash_counts", summary: "The hashes a set digest keeps, and how often each was met.",
      examples: [
        Example(
          "(SELECT hash_counts(make_set_digest(x)) FROM (VALUES 1, 1, 1, 2, 2) t(x))",
          "{-2447670524089286488=2, 19144387141682250=3}")
      ],
      overloads: [
        .columns([.exact(.setDigest)], returns: .exact(.map(key: .bigint, value: .smallint))) {
          (columns, n, context) throws(QueryError) -> Column in
          let view = columns[0].view
          let builder = ColumnBuilder(context.returnType, capacity: max(n, 1))
          for row in 0..<n {
            if view.isNull(row) {
              builder.appendNull()
              continue
            }
            do throws(QueryError) {
              let digest = try SetDigest(bytes: view.value(row, as: StringView.self).bytes)
              for (hash, count) in zip(digest.hashes, digest.counts) {
                builder.children[0].append(fixed: hash)
                builder.children[1].append(fixed: count)
              }
              builder.endNested()
            } catch {
              context.errors.record(row, error)
              builder.appendNull()
            }
          }
          return withExtendedLifetime(columns) { builder.finish() }
        }
      ]),
  ]

  private static func quantile(_ value: Double) throws(QueryError) -> Double {
    guard value >= 0, value <= 1 else {
      throw QueryError(.invalidFunctionArgument, "Quantile should be within bounds [0, 1], was: \(value)")
    }
    return value
  }

  /// A form whose first argument is a sketch.
  private static func sketch<R: KernelValue>(
    _ type: DataType, _ returns: DataType, _: R.Type, _ more: [TypePattern] = [],
    _ body: @escaping @Sendable ([UInt8], [Column], Int) throws(QueryError) -> R?
  ) -> ScalarOverload {
    .columns([.exact(type)] + more, returns: .exact(returns)) { (columns, n, context) throws(QueryError) -> Column in
      let view = columns[0].view
      return mapRowsOrNull(columns, n, &context) { (row, rows) -> R? in
        do throws(QueryError) {
          return try body(view.value(row, as: StringView.self).bytes, columns, row)
        } catch {
          rows.errors.record(row, error)
          return nil
        }
      }
    }
  }

  private static func many(
    _ type: DataType, _ element: DataType,
    _ body: @escaping @Sendable ([UInt8], [Double], ColumnBuilder) throws(QueryError) -> Void
  ) -> ScalarOverload {
    .columns([.exact(type), .array(.double)], returns: .exact(.array(element))) {
      (columns, n, context) throws(QueryError) -> Column in
      let view = columns[0].view
      let input = ArrayInput(columns[1])
      let quantiles = input.elements.view
      let builder = ColumnBuilder(context.returnType, capacity: max(n, 1))
      for row in 0..<n {
        if view.isNull(row) || input.isNull(row) {
          builder.appendNull()
          continue
        }
        do throws(QueryError) {
          var list: [Double] = []
          for at in input.range(row) {
            guard !quantiles.isNull(at) else {
              throw QueryError(.invalidFunctionArgument, "percentile must not be null")
            }
            let value = try quantile(quantiles.value(at, as: Double.self))
            if let last = list.last, value < last {
              throw QueryError(.invalidFunctionArgument, "percentiles must be sorted in increasing order")
            }
            list.append(value)
          }
          try body(view.value(row, as: StringView.self).bytes, list, builder.children[0])
          builder.endNested()
        } catch {
          context.errors.record(row, error)
          builder.appendNull()
        }
      }
      return withExtendedLifetime(columns) { builder.finish() }
    }
  }
}
