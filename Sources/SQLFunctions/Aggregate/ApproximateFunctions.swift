import Columnar
import QueryErrors

/// Aggregates that estimate, and the sketches they keep.
package enum ApproximateFunctions: AggregateFamily {
  package static let title = "Estimates"

  package static let functions: [AggregateFunction] = [
    AggregateFunction(
      "approx_distinct",
      summary: "About how many distinct values there are, with a standard error of 2.3 % unless given.",
      examples: [Example("(SELECT approx_distinct(x) FROM (VALUES 1, 2, 2) t(x))", "2")], ignoresDuplicates: true,
      overloads: [
        AggregateOverload([.comparable("T")], returns: .bigint) { (_) throws(QueryError) in
          HyperLogLogAccumulator(.distinct)
        },
        AggregateOverload([.comparable("T"), .double], returns: .bigint) { (_) throws(QueryError) in
          HyperLogLogAccumulator(.distinct)
        },
      ]),
    AggregateFunction(
      "approx_set", summary: "The HyperLogLog sketch of the values.",
      examples: [Example("(SELECT cardinality(approx_set(x)) FROM (VALUES 1, 2, 2) t(x))", "2")],
      ignoresDuplicates: true,
      overloads: [TypePattern.bigint, .double, .exact(.text), .varbinary].flatMap { type in
        [[type], [type, .double]].map { parameters in
          AggregateOverload(parameters, returns: .exact(.hyperLogLog)) { (_) throws(QueryError) in
            HyperLogLogAccumulator(.set)
          }
        }
      }),
    AggregateFunction(
      "merge", summary: "The union of HyperLogLogs, t-digests or quantile digests.",
      examples: [
        Example(
          "(SELECT cardinality(merge(s)) FROM (SELECT approx_set(x) s FROM (VALUES 1, 2) t(x) GROUP BY x))", "2")
      ],
      overloads: [
        AggregateOverload([.exact(.hyperLogLog)], returns: .exact(.hyperLogLog)) { (_) throws(QueryError) in
          HyperLogLogAccumulator(.merge)
        },
        AggregateOverload([.exact(.tDigest)], returns: .exact(.tDigest)) { (context) throws(QueryError) in
          TDigestAccumulator(.merge, context.binding, hasWeight: false)
        },
      ]
        + [DataType.bigint, .double, .real].map { type in
          AggregateOverload([.exact(.qDigest(type))], returns: .argument(0)) { (context) throws(QueryError) in
            QuantileDigestAccumulator(context.binding, merging: true)
          }
        }),
    AggregateFunction(
      "tdigest_agg", summary: "The t-digest of the values, maybe weighted.",
      examples: [Example("(SELECT value_at_quantile(tdigest_agg(x), 0.5) FROM (VALUES 1e0, 2e0, 3e0) t(x))", "2.0")],
      overloads: [
        AggregateOverload([.double], returns: .exact(.tDigest)) { (context) throws(QueryError) in
          TDigestAccumulator(.digest, context.binding, hasWeight: false)
        },
        AggregateOverload([.double, .double], returns: .exact(.tDigest)) { (context) throws(QueryError) in
          TDigestAccumulator(.digest, context.binding, hasWeight: true)
        },
      ]),
    AggregateFunction(
      "qdigest_agg", summary: "The quantile digest of the values, maybe weighted, of some accuracy.",
      examples: [Example("(SELECT value_at_quantile(qdigest_agg(x), 0.5) FROM (VALUES 1, 2, 3) t(x))", "2")],
      overloads: [TypePattern.bigint, .double, .real].flatMap { type in
        [[type], [type, .bigint], [type, .bigint, .double]].map { parameters in
          let returns = ReturnType.computed { (types) throws(QueryError) -> DataType in .qDigest(types[0]) }
          return AggregateOverload(parameters, returns: returns) { (context) throws(QueryError) in
            QuantileDigestAccumulator(context.binding, merging: false)
          }
        }
      }),
    AggregateFunction(
      "approx_percentile", summary: "About the value at a percentile between 0 and 1, or those at several.",
      examples: [Example("(SELECT approx_percentile(x, 0.5) FROM (VALUES 1, 2, 3) t(x))", "2")],
      overloads: [TypePattern.bigint, .double, .real].flatMap { percentiles($0) }),
    AggregateFunction(
      "numeric_histogram", summary: "A map from the means of so many buckets to their weights.",
      examples: [Example("(SELECT numeric_histogram(2, x) FROM (VALUES 1e0, 2e0) t(x))", "{1.0=1.0, 2.0=1.0}")],
      overloads: [
        histogram([.bigint, .double], .double), histogram([.bigint, .double, .double], .double),
        histogram([.bigint, .real], .real), histogram([.bigint, .real, .double], .real),
      ]),
    AggregateFunction(
      "approx_most_frequent", summary: "A map from the so many most frequent values to how often they occur.",
      examples: [Example("(SELECT approx_most_frequent(2, x, 10) FROM (VALUES 1, 1, 1, 2, 2) t(x))", "{1=3, 2=2}")],
      overloads: [TypePattern.bigint, .varchar].map { type in
        AggregateOverload(
          [.bigint, type, .bigint],
          returns: .computed { (types) throws(QueryError) -> DataType in .map(key: types[1], value: .bigint) }
        ) { (context) throws(QueryError) in MostFrequentAccumulator(context.binding) }
      }),
    AggregateFunction(
      "make_set_digest", summary: "The set digest of the values.",
      examples: [Example("(SELECT cardinality(make_set_digest(x)) FROM (VALUES 1, 2, 2) t(x))", "2")],
      overloads: [
        AggregateOverload([.comparable("T")], returns: .exact(.setDigest)) { (_) throws(QueryError) in
          SetDigestAccumulator(merging: false)
        }
      ]),
    AggregateFunction(
      "merge_set_digest", summary: "The union of set digests.",
      examples: [
        Example(
          "(SELECT cardinality(merge_set_digest(s)) FROM (SELECT make_set_digest(x) s FROM (VALUES 1, 2) t(x) GROUP BY x))",
          "2")
      ],
      overloads: [
        AggregateOverload([.exact(.setDigest)], returns: .exact(.setDigest)) { (_) throws(QueryError) in
          SetDigestAccumulator(merging: true)
        }
      ]),
  ]

  private static func percentiles(_ type: TypePattern) -> [AggregateOverload] {
    let many = ReturnType.computed { (types) throws(QueryError) -> DataType in .array(types[0]) }
    let array = TypePattern.array(.double)
    return [
      AggregateOverload([type, .double], returns: .argument(0)) { (context) throws(QueryError) in
        TDigestAccumulator(.percentile, context.binding, hasWeight: false)
      },
      AggregateOverload([type, .double, .double], returns: .argument(0)) { (context) throws(QueryError) in
        TDigestAccumulator(.percentile, context.binding, hasWeight: true)
      },
      AggregateOverload([type, .double, .double, .double], returns: .argument(0)) { (context) throws(QueryError) in
        TDigestAccumulator(.percentile, context.binding, hasWeight: true)
      },
      AggregateOverload([type, array], returns: many) { (context) throws(QueryError) in
        TDigestAccumulator(.percentiles, context.binding, hasWeight: false)
      },
      AggregateOverload([type, .double, array], returns: many) { (context) throws(QueryError) in
        TDigestAccumulator(.percentiles, context.binding, hasWeight: true)
      },
      AggregateOverload([type, .double, array, .double], returns: many) { (context) throws(QueryError) in
        TDigestAccumulator(.percentiles, context.binding, hasWeight: true)
      },
    ]
  }

  private static func histogram(_ parameters: [TypePattern], _ type: DataType) -> AggregateOverload {
    AggregateOverload(parameters, returns: .exact(.map(key: type, value: type))) { (context) throws(QueryError) in
      NumericHistogramAccumulator(context.binding)
    }
  }
}
