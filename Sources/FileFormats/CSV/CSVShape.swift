/// How regular a sample of records is: how many fields most have, and where the regular ones start.
struct CSVShape {
  /// Fields of a regular record; 0 without records.
  private(set) var width = 0
  /// The share of regular records from the first one on.
  private(set) var consistency = 0.0
  /// The first record of the table: above it are lines of text or comments.
  private(set) var first = 0
  /// Lines above it that begin with `#`.
  private(set) var leadingComments: [CSVSample.Record] = []
  /// The record above `first`, if any.
  private(set) var before: CSVSample.Record?
  /// Whether all lines above `first` are one field.
  private(set) var isPreambleText = true
  /// Whether lines among the regular ones begin with `#` and are none of them.
  private(set) var hasComments = false
  private(set) var recordCount = 0

  private static let largestRecordCount = 20_000

  /// - Parameter skipped: records above the table, when that was declared.
  init(_ sample: CSVSample, skipped: Int?) {
    var records: [CSVSample.Record] = []
    sample.forEachRecord { record in
      if record.ordinal >= skipped ?? 0 { records.append(record) }
      return records.count < CSVShape.largestRecordCount
    }
    func isHash(_ record: CSVSample.Record) -> Bool { sample.base[record.start] == 0x23 }
    let hashes = skipped == nil ? records.prefix(while: isHash).count : 0
    if hashes == records.count {
      choose(records.map(\.fieldCount), records)
    } else {
      choose(records.dropFirst(hashes).map(\.fieldCount), Array(records.dropFirst(hashes)))
      // A line like the others is one of them unless it is written as comments are.
      while let last = leadingCandidate(records, hashes), last.fieldCount == width, !CSVShape.isRemark(sample, last) {
        first = last.ordinal
        break
      }
      leadingComments = records.prefix(hashes).filter { $0.ordinal < first }
    }
    recordCount = records.count
    let own = records.filter { $0.ordinal >= first }
    before = records.last { $0.ordinal < first }
    isPreambleText = records.allSatisfy { $0.ordinal >= first || $0.fieldCount == 1 || isHash($0) }
    if width > 1 {
      let marked = own.filter(isHash)
      hasComments = !marked.isEmpty && marked.allSatisfy { $0.fieldCount != width } && marked.count < own.count
      if hasComments {
        let rest = own.filter { !isHash($0) }
        consistency = Double(rest.count { $0.fieldCount == width }) / Double(rest.count)
      }
    }
  }

  private func leadingCandidate(_ records: [CSVSample.Record], _ hashes: Int) -> CSVSample.Record? {
    hashes > 0 && first == records[hashes].ordinal ? records[hashes - 1] : nil
  }

  /// `# text` and `##text`.
  private static func isRemark(_ sample: CSVSample, _ record: CSVSample.Record) -> Bool {
    let next = sample.base[record.start + 1]
    return next == 0x20 || next == 0x23
  }

  private mutating func choose(_ widths: [Int], _ records: [CSVSample.Record]) {
    guard !widths.isEmpty else { return }
    var counts: [Int: Int] = [:]
    for width in widths { counts[width, default: 0] += 1 }
    var best = -1.0
    for (candidate, count) in counts.sorted(by: { $0.key > $1.key }) {
      guard count > 1 || widths.count == 1 else { continue }
      let start = widths.firstIndex { $0 >= candidate }!
      let share = Double(widths[start...].count { $0 == candidate }) / Double(widths.count - start)
      // Lines of text above a table are few.
      if start > 0, candidate > 1, share < 0.8 || count * 4 < start { continue }
      let score = share * (Double(count) / Double(widths.count)).squareRoot()
      if score > best + 1e-9 {
        best = score
        (width, consistency, first) = (candidate, share, records[start].ordinal)
      }
    }
    if best < 0 {
      let mode = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }!
      (width, consistency, first) = (mode.key, Double(mode.value) / Double(widths.count), records[0].ordinal)
    }
  }

  /// How well the sample reads so: regular and wide is better, as chance makes narrow tables only.
  func score(separator: UInt8) -> Double {
    if width < 2 { return 0 }
    var score = consistency * (1 + 0.05 * Double(min(width, 10)))
    if first > 0, leadingComments.isEmpty { score *= 0.8 }
    // Every line holding as many of them by chance is rarer than with commas, which also stand in numbers.
    if separator == 0x09 || separator == 0x3b { score *= 1.06 }
    return score
  }
}
