package import QueryEngine

/// The kinds of charts.
package enum ChartKind: String, CaseIterable, Sendable { case bar, line, scatter, histogram }

/// What a chart shows: places along the horizontal axis, and a series of numbers for each.
package struct ChartData: Sendable {
  /// Where the values stand.
  enum Places: Sendable {
    /// One after the other, each with its name.
    case names([String])
    /// By number; times are seconds since 1970.
    case numbers([Double], isTime: Bool)

    var count: Int {
      switch self {
      case .names(let names): names.count
      case .numbers(let numbers, _): numbers.count
      }
    }
  }

  struct Series: Sendable {
    var name: String
    /// NaN where there is no value.
    var values: [Double]
  }

  var kind: ChartKind
  var places: Places
  var placesName: String
  var series: [Series]
  /// Rows that were left out for want of room.
  var hiddenCount = 0

  /// Points that are drawn at most.
  private static let pointLimit = 20_000
  private static let barLimit = 200
  private static let binCount = 20

  /// A chart of a result's columns.
  ///
  ///     bar        a text or number column names the bars, numbers are their lengths
  ///     line       the first column is the horizontal axis, each further number a line
  ///     scatter    two numbers: across and up
  ///     histogram  one number, counted in bins
  ///
  /// - Parameter columns: the columns' names: across, then up; empty: chosen by their types.
  /// - Throws: `INVALID_ARGUMENTS` when the columns do not fit.
  package init(_ kind: ChartKind, _ schema: Schema, _ batches: [Batch], columns: [String] = []) throws(QueryError) {
    self.kind = kind
    let fields = schema.fields
    func index(_ name: String) throws(QueryError) -> Int {
      if let index = fields.firstIndex(where: { $0.name.lowercased() == name.lowercased() }) { return index }
      throw QueryError(.invalidArguments, "The result has no column '\(name)'", hint: NameSuggestion.hint(for: name, among: fields.map(\.name)))
    }
    var chosen: [Int] = []
    for column in columns { chosen.append(try index(column)) }
    let numbers = fields.indices.filter { fields[$0].type.isNumeric }
    let across: Int
    var up: [Int]
    if kind == .histogram {
      guard let column = chosen.first ?? numbers.first, fields[column].type.isNumeric else { throw ChartData.wants("a number", kind) }
      let values = ChartData.values(batches, column).filter(\.isFinite)
      (places, series) = ChartData.bins(values)
      placesName = fields[column].name
      return
    }
    across = chosen.first ?? (kind == .scatter ? numbers.first : fields.indices.first { !numbers.contains($0) }) ?? 0
    up = chosen.isEmpty ? numbers.filter { $0 != across } : Array(chosen.dropFirst())
    if kind == .scatter, chosen.isEmpty { up = Array(up.prefix(1)) }
    guard fields.indices.contains(across), !up.isEmpty, up.allSatisfy({ fields[$0].type.isNumeric }) else {
      throw ChartData.wants(kind == .scatter ? "two numbers" : "a column across and a number", kind)
    }
    let limit = kind == .bar ? ChartData.barLimit : ChartData.pointLimit
    let rowCount = batches.reduce(0) { $0 + $1.rowCount }
    hiddenCount = max(0, rowCount - limit)
    placesName = fields[across].name
    series = up.map { Series(name: fields[$0].name, values: Array(ChartData.values(batches, $0).prefix(limit))) }
    let type = fields[across].type
    if kind != .bar, type.isNumeric {
      places = .numbers(Array(ChartData.values(batches, across).prefix(limit)), isTime: false)
    } else if kind != .bar, let times = ChartData.times(batches, across, type, limit) {
      places = .numbers(times, isTime: true)
    } else {
      places = .names(ChartData.texts(batches, across).prefix(limit).map { $0 ?? "NULL" })
    }
  }

  private static func wants(_ what: String, _ kind: ChartKind) -> QueryError {
    QueryError(.invalidArguments, "A \(kind.rawValue) chart wants \(what)", hint: "Name the columns: across first, then up.")
  }

  // MARK: Values

  private static func texts(_ batches: [Batch], _ column: Int) -> [String?] {
    batches.flatMap { batch -> [String?] in
      let text = ResultText(batch.columns[column])
      return (0..<batch.rowCount).map { row -> String? in
        if text.isNull(row) { return nil }
        var bytes: [UInt8] = []
        text.append(row, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
      }
    }
  }

  private static func values(_ batches: [Batch], _ column: Int) -> [Double] {
    texts(batches, column).map { $0.flatMap(Double.init) ?? .nan }
  }

  /// Seconds since 1970 of dates and timestamps; nil for columns of other types.
  private static func times(_ batches: [Batch], _ column: Int, _ type: DataType, _ limit: Int) -> [Double]? {
    switch type {
    case .date, .timestamp: return texts(batches, column).prefix(limit).map { $0.flatMap(ChartTime.seconds) ?? .nan }
    default: return nil
    }
  }

  // MARK: Histograms

  /// Counts values in bins whose bounds are round numbers.
  private static func bins(_ values: [Double]) -> (Places, [Series]) {
    guard let least = values.min(), let greatest = values.max() else { return (.names([]), [Series(name: "count", values: [])]) }
    let step = ChartScale.step(greatest == least ? max(1, abs(least)) : greatest - least, count: binCount)
    let start = (least / step).rounded(.down) * step
    let count = min(200, max(1, Int(((greatest - start) / step).rounded(.down)) + 1))
    var counts = [Double](repeating: 0, count: count)
    for value in values { counts[min(count - 1, max(0, Int((value - start) / step)))] += 1 }
    let names = (0..<count).map { ChartScale.text(start + Double($0) * step, step) + "–" + ChartScale.text(start + Double($0 + 1) * step, step) }
    return (.names(names), [Series(name: "count", values: counts)])
  }
}

/// Times on an axis.
enum ChartTime {
  /// Seconds since 1970 of `2024-03-01` and `2024-03-01 10:30:00.5`.
  static func seconds(_ text: String) -> Double? {
    let parts = text.split(whereSeparator: { "-: T".contains($0) }).map { Double($0) }
    guard parts.count >= 3, let year = parts[0], let month = parts[1], let day = parts[2], abs(year) < 1e6 else { return nil }
    let days = CalendarDate.days(year: Int(year), month: Int(month), day: Int(day))
    var seconds = Double(days) * 86_400
    for (place, factor) in [(3, 3600.0), (4, 60), (5, 1)] where parts.count > place { seconds += (parts[place] ?? 0) * factor }
    return seconds
  }

  /// As coarse as the step between labels allows.
  static func text(_ seconds: Double, step: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e14 else { return "" }
    let day = (seconds / 86_400).rounded(.down)
    let (year, month, date) = CalendarDate.civil(Int(day))
    func pad(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if step >= 86_400 * 360 { return "\(year)" }
    if step >= 86_400 * 28 { return "\(year)-\(pad(month))" }
    if step >= 86_400 { return "\(year)-\(pad(month))-\(pad(date))" }
    let rest = Int(seconds - day * 86_400)
    return "\(pad(month))-\(pad(date)) \(pad(rest / 3600)):\(pad(rest / 60 % 60))"
  }
}

/// Round numbers for axes.
struct ChartScale {
  let low: Double
  let high: Double
  let step: Double
  let isTime: Bool

  /// A scale that holds all finite values, with about `count` steps.
  init(_ values: some Sequence<Double>, count: Int, fromZero: Bool = false, isTime: Bool = false) {
    var least = Double.infinity
    var greatest = -Double.infinity
    for value in values where value.isFinite { (least, greatest) = (min(least, value), max(greatest, value)) }
    if !least.isFinite { (least, greatest) = (0, 1) }
    if fromZero { (least, greatest) = (min(0, least), max(0, greatest)) }
    if least == greatest { (least, greatest) = (least - max(1, abs(least)) / 2, greatest + max(1, abs(greatest)) / 2) }
    step = isTime ? ChartScale.timeStep(greatest - least, count: count) : ChartScale.step(greatest - least, count: count)
    low = isTime ? least : (least / step).rounded(.down) * step
    high = isTime ? greatest : (greatest / step).rounded(.up) * step
    self.isTime = isTime
  }

  /// 0 at the low end, 1 at the high one.
  func place(_ value: Double) -> Double { (value - low) / (high - low) }

  var ticks: [Double] {
    let first = (low / step).rounded(.up) * step
    return (0..<100).map { first + Double($0) * step }.prefix { $0 <= high + step * 1e-9 }
  }

  func text(_ value: Double) -> String { isTime ? ChartTime.text(value, step: step) : ChartScale.text(value, step) }

  /// 1, 2 or 5 times a power of ten.
  static func step(_ range: Double, count: Int) -> Double {
    let rough = range / Double(max(1, count))
    guard rough > 0, rough.isFinite else { return 1 }
    var power = 1.0
    while power > rough { power /= 10 }
    while power * 10 <= rough { power *= 10 }
    for factor in [1.0, 2, 5, 10] where power * factor >= rough * 0.999 { return power * factor }
    return power * 10
  }

  private static func timeStep(_ range: Double, count: Int) -> Double {
    let rough = range / Double(max(1, count))
    let day = 86_400.0
    let steps: [Double] = [60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, day, 2 * day, 7 * day, 14 * day, 30 * day, 91 * day, 182 * day]
    return steps.first { $0 >= rough } ?? step(range / (365 * day), count: count) * 365 * day
  }

  /// As many digits behind the point as the step has; large numbers short: `1.5M`.
  static func text(_ value: Double, _ step: Double) -> String {
    if value == 0, step >= 1 { return "0" }
    let size = max(abs(value), step)
    for (unit, name) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] where size >= unit * 10 || (size >= unit && step >= unit / 10) {
      return text(value / unit, step / unit) + name
    }
    var digits = 0
    var probe = step
    while digits < 6, abs(probe - probe.rounded()) > 1e-6 * max(1, probe) {
      probe *= 10
      digits += 1
    }
    if size < 1e-4 || size >= 1e15 { return "\(value)" }
    let text = StatusFooter.fixed(abs(value), digits: digits)
    return (value < 0 && text.contains { $0 != "0" && $0 != "." } ? "-" : "") + text
  }
}
