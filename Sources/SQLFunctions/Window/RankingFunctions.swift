import Columnar
import QueryErrors

/// Window functions that number rows.
package enum RankingFunctions: WindowFamily {
  package static let title = "Ranking"

  package static let functions: [WindowFunction] = [
    WindowFunction(
      "row_number", summary: "The row's number within its partition, from 1.",
      examples: [Example("(SELECT max(n) FROM (SELECT row_number() OVER () n FROM (VALUES 7, 7) t(x)))", "2")],
      signatures: [Signature([], returns: .bigint)]
    ) { input throws(QueryError) in
      bigints(input) { row in Int64(row - Int(input.partitionStart[row]) + 1) }
    },
    WindowFunction(
      "rank", summary: "One more than the rows before the row's peers.",
      examples: [Example("(SELECT max(n) FROM (SELECT rank() OVER (ORDER BY x) n FROM (VALUES 7, 7) t(x)))", "1")],
      signatures: [Signature([], returns: .bigint)]
    ) { input throws(QueryError) in
      bigints(input) { row in Int64(input.peerStart[row] - input.partitionStart[row] + 1) }
    },
    WindowFunction(
      "dense_rank", summary: "One more than the peer groups before the row's own.",
      examples: [
        Example("(SELECT max(n) FROM (SELECT dense_rank() OVER (ORDER BY x) n FROM (VALUES 6, 7) t(x)))", "2")
      ],
      signatures: [Signature([], returns: .bigint)]
    ) { input throws(QueryError) in
      var rank: Int64 = 0
      return bigints(input) { row in
        if row == Int(input.partitionStart[row]) { rank = 0 }
        if row == Int(input.peerStart[row]) { rank += 1 }
        return rank
      }
    },
    WindowFunction(
      "percent_rank", summary: "(rank − 1) / (rows of the partition − 1); 0 in partitions of one row.",
      examples: [
        Example("(SELECT max(n) FROM (SELECT percent_rank() OVER (ORDER BY x) n FROM (VALUES 6, 7) t(x)))", "1.0")
      ], signatures: [Signature([], returns: .double)]
    ) { input throws(QueryError) in
      doubles(input) { row in
        let rows = Double(input.partitionEnd[row] - input.partitionStart[row])
        return rows == 1 ? 0 : Double(input.peerStart[row] - input.partitionStart[row]) / (rows - 1)
      }
    },
    WindowFunction(
      "cume_dist", summary: "The share of the partition's rows that are before or peers of the row.",
      examples: [
        Example("(SELECT min(n) FROM (SELECT cume_dist() OVER (ORDER BY x) n FROM (VALUES 6, 7) t(x)))", "0.5")
      ],
      signatures: [Signature([], returns: .double)]
    ) { input throws(QueryError) in
      doubles(input) { row in
        Double(input.peerEnd[row] - input.partitionStart[row])
          / Double(input.partitionEnd[row] - input.partitionStart[row])
      }
    },
    WindowFunction(
      "ntile",
      summary: "The number, from 1, of the bucket the row falls in when the partition is cut into n equal ones.",
      examples: [Example("(SELECT max(n) FROM (SELECT ntile(2) OVER (ORDER BY x) n FROM (VALUES 6, 7, 8) t(x)))", "2")],
      signatures: [Signature([.bigint], returns: .bigint)]
    ) { input throws(QueryError) in
      let column = input.arguments[0]
      let buckets = column.view
      let values = Buffer(byteCount: input.rowCount * 8)
      let out = values.typed(Int64.self)
      for row in 0..<input.rowCount where !buckets.isNull(row) {
        let count = buckets.value(row, as: Int64.self)
        guard count > 0 else {
          throw QueryError(.invalidFunctionArgument, "Buckets must be greater than 0")
        }
        let rows = Int64(input.partitionEnd[row] - input.partitionStart[row])
        let position = Int64(row) - Int64(input.partitionStart[row])
        if rows < count {
          out[row] = position + 1
          continue
        }
        // The first `rest` buckets hold one row more.
        let (size, rest) = rows.quotientAndRemainder(dividingBy: count)
        let large = (size + 1) * rest
        out[row] = position < large ? position / (size + 1) + 1 : (position - large) / size + rest + 1
      }
      return withExtendedLifetime(column) {
        Column(flat: .bigint, count: input.rowCount, values: values, validity: column.validity)
      }
    },
  ]

  private static func bigints(_ input: WindowInput, _ value: (Int) -> Int64) -> Column {
    let values = Buffer(byteCount: input.rowCount * 8)
    let out = values.typed(Int64.self)
    for row in 0..<input.rowCount { out[row] = value(row) }
    return Column(flat: .bigint, count: input.rowCount, values: values, validity: nil)
  }

  private static func doubles(_ input: WindowInput, _ value: (Int) -> Double) -> Column {
    let values = Buffer(byteCount: input.rowCount * 8)
    let out = values.typed(Double.self)
    for row in 0..<input.rowCount { out[row] = value(row) }
    return Column(flat: .double, count: input.rowCount, values: values, validity: nil)
  }
}
