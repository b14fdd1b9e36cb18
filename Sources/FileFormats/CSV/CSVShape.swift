/// How regular a sample of records is: how many fields most have, and where the regular ones start.
struct CSVShape {
  /// Fields of a regular record; 0 without records.
  private(set) var width = 0
  /// The share of regular records from the first one on.
  private(set) var consistency = 0.0
  /// The first record of the table: above it are lines of text or comments.
  private(set) var first = 0
  /// Whether lines above it begin with `#`.
  private(set) var hasLeadingComments = false
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
    records.reserveCapacity(min(sample.rowCount, CSVShape.largestRecordCount))
    var hashes = 0
    sample.forEachRecord { record in
      if record.ordinal >= skipped ?? 0 {
        if skipped == nil, hashes == records.count, CSVShape.isHash(sample, record) { hashes += 1 }
        records.append(record)
      }
      return records.count < CSVShape.largestRecordCount
    }
    recordCount = records.count
    if hashes == records.count {
      choose(records, from: 0)
    } else {
      choose(records, from: hashes)
      // A line like the others is one of them unless it is written as comments are.
      if hashes > 0, first == records[hashes].ordinal {
        let last = records[hashes - 1]
        if last.fieldCount == width, !CSVShape.isRemark(sample, last) { first = last.ordinal }
      }
      hasLeadingComments = hashes > 0 && records[0].ordinal < first
    }
    look(at: records, sample)
  }

  private static func isHash(_ sample: CSVSample, _ record: CSVSample.Record) -> Bool { sample.base[record.start] == 0x23 }

  /// `# text` and `##text`.
  private static func isRemark(_ sample: CSVSample, _ record: CSVSample.Record) -> Bool {
    let next = sample.base[record.start + 1]
    return next == 0x20 || next == 0x23
  }

  /// Looks at what stands above the first regular record, and at comments below.
  private mutating func look(at records: [CSVSample.Record], _ sample: CSVSample) {
    var own = 0
    var (marked, markedRegular, regular) = (0, 0, 0)
    var i = 0
    while i < records.count {
      let record = records[i]
      i += 1
      let isHash = CSVShape.isHash(sample, record)
      if record.ordinal < first {
        before = record
        if record.fieldCount != 1, !isHash { isPreambleText = false }
        continue
      }
      own += 1
      let isRegular = record.fieldCount == width
      if isHash {
        marked += 1
        if isRegular { markedRegular += 1 }
      } else if isRegular {
        regular += 1
      }
    }
    guard width > 1 else { return }
    hasComments = marked > 0 && markedRegular == 0 && marked < own
    if hasComments { consistency = Double(regular) / Double(own - marked) }
  }

  /// Chooses the width that most records from record `from` on have.
  private mutating func choose(_ records: [CSVSample.Record], from: Int) {
    let total = records.count - from
    guard total > 0 else { return }
    var counts = WidthCounts()
    var i = from
    while i < records.count {
      counts.add(records[i].fieldCount, at: i - from)
      i += 1
    }
    var best = -1.0
    for (candidate, count, start) in counts.descending {
      guard count > 1 || total == 1 else { continue }
      let share = Double(count) / Double(total - start)
      // Lines of text above a table are few.
      if start > 0, candidate > 1, share < 0.8 || count * 4 < start { continue }
      let score = share * (Double(count) / Double(total)).squareRoot()
      if score > best + 1e-9 {
        best = score
        (width, consistency, first) = (candidate, share, records[from + start].ordinal)
      }
    }
    if best < 0 {
      let mode = counts.descending.max { ($0.count, $0.width) < ($1.count, $1.width) }!
      (width, consistency, first) = (mode.width, Double(mode.count) / Double(total), records[from].ordinal)
    }
  }

  /// How well the sample reads so: regular and wide is better, as chance makes narrow tables only.
  func score(separator: UInt8) -> Double {
    if width < 2 { return 0 }
    var score = consistency * (1 + 0.05 * Double(min(width, 10)))
    if first > 0, !hasLeadingComments { score *= 0.8 }
    // Every line holding as many of them by chance is rarer than with commas, which also stand in numbers.
    if separator == 0x09 || separator == 0x3b { score *= 1.06 }
    return score
  }
}

/// How many records have which number of fields.
private struct WidthCounts {
  /// Records of each width up to the widest.
  private var counts: [Int] = []
  /// Records wider than all before, with their places.
  private var rises: [(width: Int, place: Int)] = []

  mutating func add(_ width: Int, at place: Int) {
    if width >= counts.count {
      rises.append((width, place))
      counts.append(contentsOf: repeatElement(0, count: width + 1 - counts.count))
    }
    counts[width] += 1
  }

  /// The widths, the greatest first, each with the records that have it and the place of the first record at least as wide.
  var descending: [(width: Int, count: Int, start: Int)] {
    var result: [(width: Int, count: Int, start: Int)] = []
    var rise = rises.count - 1
    var width = counts.count - 1
    while width >= 0 {
      while rise > 0, rises[rise - 1].width >= width { rise -= 1 }
      if counts[width] > 0 { result.append((width, counts[width], rises[rise].place)) }
      width -= 1
    }
    return result
  }
}
