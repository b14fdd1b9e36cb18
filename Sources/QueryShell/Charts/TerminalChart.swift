import QueryEngine

/// Draws charts with letters: bars of eighths of a block, points of Braille dots.
struct TerminalChart {
  let width: Int
  let height: Int
  let theme: Theme

  private static let roles: [Theme.Role] = [.good, .number, .keyword, .parameter, .string, .error]

  func draw(_ data: ChartData) -> String {
    if data.places.count == 0 { return "(no rows)" }
    switch data.kind {
    case .bar, .histogram: return bars(data)
    case .line, .scatter: return points(data)
    }
  }

  // MARK: Bars

  /// A row a bar, its name left and its number right; of several series a bar each.
  private func bars(_ data: ChartData) -> String {
    guard case .names(let names) = data.places else { return "" }
    let shown = min(names.count, 100)
    let labels = names[..<shown].map { TerminalText.cut(TerminalText.printable($0), to: max(4, width / 3)) }
    let labelWidth = labels.map { TerminalText.width($0) }.max() ?? 0
    let all = data.series.flatMap { $0.values.prefix(shown) }.filter(\.isFinite)
    let (low, high) = (min(0, all.min() ?? 0), max(0, all.max() ?? 0))
    let texts = data.series.map { $0.values.prefix(shown).map(TerminalChart.number) }
    let numberWidth = texts.flatMap { $0 }.map(\.count).max() ?? 0
    let room = max(4, width - labelWidth - numberWidth - 4)
    let scale = high > low ? Double(room) / (high - low) : 0
    let zero = Int((-low * scale).rounded(.down))
    var lines: [String] = []
    if data.series.count > 1 { lines.append(legend(data)) }
    for row in 0..<shown {
      for (index, series) in data.series.enumerated() {
        let label = index == 0 ? labels[row] : ""
        let padded = String(repeating: " ", count: labelWidth - TerminalText.width(label)) + label
        let value = series.values[row]
        var bar = String(repeating: " ", count: zero)
        if value.isFinite, value < 0 {
          let length = min(zero, Int((-value * scale).rounded()))
          bar = String(repeating: " ", count: zero - length) + String(repeating: "█", count: length)
        } else if value.isFinite {
          bar += TerminalChart.bar(value * scale)
        }
        let role = TerminalChart.roles[index % TerminalChart.roles.count]
        let fill = String(repeating: " ", count: max(0, room - bar.count))
        lines.append(padded + " " + theme.paint("│", .rule) + theme.paint(bar, role) + fill + " " + texts[index][row])
      }
    }
    let left = names.count - shown + data.hiddenCount
    if left > 0 { lines.append(theme.paint("(\(left) more)", .hint)) }
    return lines.joined(separator: "\n")
  }

  /// A bar of eighths.
  static func bar(_ length: Double) -> String {
    let eighths = max(0, Int((length * 8).rounded()))
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }

  static func number(_ value: Double) -> String {
    if !value.isFinite { return "" }
    if value == value.rounded(), abs(value) < 1e15 { return (value < 0 ? "-" : "") + StatusFooter.grouped(Int(abs(value))) }
    return ChartScale.text(value, max(abs(value), 1e-9) / 1000)
  }

  private func legend(_ data: ChartData) -> String {
    data.series.enumerated().map { index, series in
      theme.paint("■", TerminalChart.roles[index % TerminalChart.roles.count]) + " " + TerminalText.printable(series.name)
    }.joined(separator: "   ")
  }

  // MARK: Points

  private func points(_ data: ChartData) -> String {
    let rows = max(4, height - 4)
    let up = ChartScale(data.series.flatMap(\.values), count: max(2, rows / 4))
    let ticks = up.ticks
    let labelWidth = ticks.map { up.text($0).count }.max() ?? 1
    let columns = max(8, width - labelWidth - 2)
    let numbers: [Double]
    var names: [String] = []
    var isTime = false
    switch data.places {
    case .numbers(let values, let areTimes): (numbers, isTime) = (values, areTimes)
    case .names(let texts):
      numbers = texts.indices.map(Double.init)
      names = texts
    }
    let across = ChartScale(numbers, count: max(2, columns / 16), isTime: isTime)
    let exact = names.isEmpty ? across : ChartScale([0, Double(max(1, names.count - 1))], count: max(1, names.count - 1))
    var canvas = BrailleCanvas(columns: columns, rows: rows)
    for (index, series) in data.series.enumerated() {
      var last: (Int, Int)?
      let order = data.kind == .line ? numbers.indices.sorted { numbers[$0] < numbers[$1] } : Array(numbers.indices)
      for place in order {
        let (x, y) = (exact.place(numbers[place]), up.place(series.values[place]))
        guard x.isFinite, y.isFinite else {
          last = nil
          continue
        }
        let dot = (Int((x * Double(columns * 2 - 1)).rounded()), Int(((1 - y) * Double(rows * 4 - 1)).rounded()))
        if data.kind == .line, let last { canvas.line(last, dot, index) } else { canvas.dot(dot, index) }
        last = dot
      }
    }
    var lines: [String] = []
    if data.series.count > 1 { lines.append(legend(data)) }
    for row in 0..<rows {
      let tick = ticks.first { Int(((1 - up.place($0)) * Double(rows - 1)).rounded()) == row }
      let label = tick.map { up.text($0) } ?? ""
      let padded = String(repeating: " ", count: max(0, labelWidth - label.count)) + label
      let cells = canvas.row(row).map { letter, series in
        series.map { theme.paint(String(letter), TerminalChart.roles[$0 % TerminalChart.roles.count]) } ?? String(letter)
      }
      lines.append(padded + theme.paint(tick == nil ? "│" : "┤", .rule) + cells.joined())
    }
    let indent = String(repeating: " ", count: labelWidth)
    lines.append(indent + theme.paint("└" + String(repeating: "─", count: columns), .rule))
    lines.append(indent + " " + axis(columns, exact, names))
    if data.hiddenCount > 0 { lines.append(theme.paint("(\(data.hiddenCount) more rows)", .hint)) }
    return lines.joined(separator: "\n")
  }

  /// Labels under the horizontal axis, where there is room.
  private func axis(_ columns: Int, _ scale: ChartScale, _ names: [String]) -> String {
    var line = ""
    let labels: [(Double, String)] =
      names.isEmpty
      ? scale.ticks.map { (scale.place($0), scale.text($0)) }
      : names.indices.map { (scale.place(Double($0)), TerminalText.cut(TerminalText.printable(names[$0]), to: 12)) }
    for (place, text) in labels {
      let width = TerminalText.width(text)
      let start = min(max(0, Int((place * Double(columns - 1)).rounded()) - width / 2), max(0, columns - width))
      let used = TerminalText.width(line)
      guard used == 0 || start > used else { continue }
      line += String(repeating: " ", count: max(0, start - used)) + text
    }
    return line
  }
}

/// Dots of Braille letters: two across and four down in each.
struct BrailleCanvas {
  private let columns: Int
  private let rows: Int
  private var bits: [UInt8]
  private var owners: [Int?]

  init(columns: Int, rows: Int) {
    (self.columns, self.rows) = (columns, rows)
    bits = Array(repeating: 0, count: columns * rows)
    owners = Array(repeating: nil, count: columns * rows)
  }

  /// - Source: Unicode block Braille Patterns: the numbers of the eight dots.
  private static let dots: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]

  mutating func dot(_ place: (Int, Int), _ series: Int) {
    let (x, y) = place
    guard x >= 0, y >= 0, x < columns * 2, y < rows * 4 else { return }
    let cell = y / 4 * columns + x / 2
    bits[cell] |= BrailleCanvas.dots[y % 4][x % 2]
    owners[cell] = series
  }

  mutating func line(_ from: (Int, Int), _ to: (Int, Int), _ series: Int) {
    let steps = max(abs(to.0 - from.0), abs(to.1 - from.1), 1)
    for step in 0...steps {
      let share = Double(step) / Double(steps)
      dot(
        (from.0 + Int((Double(to.0 - from.0) * share).rounded()), from.1 + Int((Double(to.1 - from.1) * share).rounded())), series)
    }
  }

  func row(_ row: Int) -> [(Character, Int?)] {
    (0..<columns).map { column in
      let cell = row * columns + column
      return (bits[cell] == 0 ? " " : Character(Unicode.Scalar(0x2800 + UInt32(bits[cell])) ?? " "), owners[cell])
    }
  }
}
