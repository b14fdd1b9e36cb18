import CKernels
import Columnar
import QueryErrors

/// One predicate of a scan as one reader applies it: evaluator, outcome per dictionary entry, observed selectivity.
final class ScanCondition {
  let columns: [Int]
  /// Whether outcomes per dictionary entry may stand for outcomes per row.
  let usesDictionary: Bool
  private let evaluator: any ScanPredicateEvaluator
  /// Cost of decoding the columns, for ordering.
  private let cost: Double

  // MARK: Changes while reading

  private var rowsSeen = 0.0
  private var rowsPassed = 0.0
  private var dictionary: Column?
  /// Per entry 1 when it passes; behind the last one the outcome of NULL.
  private var outcomes: Buffer?
  private(set) var passingEntryCount = 0

  /// - Parameter costs: what decoding and testing a value of each column costs, relative to a number's.
  init(_ predicate: ScanPredicate, costs: [Double]) {
    columns = predicate.columns
    usesDictionary = predicate.isDictionarySafe && predicate.columns.count == 1
    evaluator = predicate.makeEvaluator()
    cost = predicate.columns.reduce(0.5) { $0 + costs[$1] }
  }

  /// Rank among the reader's conditions: the lower, the earlier. Cost per row that it takes out.
  func rank(isDictionary: Bool) -> Double {
    let passRate = rowsSeen > 0 ? rowsPassed / rowsSeen : 0.5
    return (isDictionary ? min(cost, 1) : cost) / (1.01 - passRate)
  }

  /// Writes the numbers of the rows that pass and returns how many.
  func apply(
    _ values: [Column], rowCount: Int, into selection: UnsafeMutablePointer<Int32>
  ) throws(QueryError) -> Int {
    let passed: Int
    if usesDictionary, values[0].encoding == .dictionary, let base = values[0].base,
      try prepare(base, limit: max(rowCount * 4, 1024))
    {
      passed = applyOutcomes(values[0], rowCount, selection)
    } else {
      passed = try evaluator.select(values, rowCount: rowCount, into: selection)
    }
    rowsSeen = rowsSeen * 0.9 + Double(rowCount)
    rowsPassed = rowsPassed * 0.9 + Double(passed)
    return passed
  }

  /// Finds the outcome of every entry, once per dictionary; false when there are too many entries for that to pay.
  func prepare(_ base: Column, limit: Int = .max) throws(QueryError) -> Bool {
    if let dictionary, dictionary === base { return outcomes != nil }
    if base.count > limit, dictionary == nil || dictionary !== base {
      // A large dictionary pays off over the row group, not over one window: tested by its size there.
      if base.count > ScanCondition.largestDictionary { return false }
    }
    let table = Buffer.zeroed(byteCount: base.count + 1)
    let out = table.typed(UInt8.self)
    let step = Batch.defaultRowCount
    let chosen = Buffer(byteCount: (step + 16) * 4)
    let rows = chosen.typed(Int32.self)
    defer { withExtendedLifetime(chosen) {} }
    var passing = 0
    var start = 0
    while start < base.count {
      let n = min(step, base.count - start)
      let found = try evaluator.select([base.window(offset: start, count: n)], rowCount: n, into: rows)
      for i in 0..<found { out[start + Int(rows[i])] = 1 }
      passing += found
      start += n
    }
    out[base.count] = UInt8(try evaluator.select([.nulls(base.type, count: 1)], rowCount: 1, into: rows))
    dictionary = base
    outcomes = table
    passingEntryCount = passing
    return true
  }

  private static let largestDictionary = 1 << 20

  /// Whether NULL passes; known once `prepare` succeeded.
  var passesNull: Bool { outcomes!.typed(UInt8.self)[dictionary!.count] != 0 }

  private func applyOutcomes(_ column: Column, _ count: Int, _ selection: UnsafeMutablePointer<Int32>) -> Int {
    let table = outcomes!.typed(UInt8.self)
    let codes = column.indices!.typed(Int32.self)
    if let validity = column.validity {
      var (found, row) = (0, 0)
      let words = validity.words
      let null = Int(column.base!.count)
      while row < count {
        let isPresent = (words[row >> 6] &>> UInt64(row & 63)) & 1 != 0
        selection[found] = Int32(truncatingIfNeeded: row)
        found &+= Int(table[isPresent ? Int(codes[row]) : null])
        row &+= 1
      }
      return found
    }
    return ck_select_coded(table, codes, count, selection)
  }
}
