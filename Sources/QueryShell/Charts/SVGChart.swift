import QueryEngine

/// Draws charts as SVG: one picture that needs nothing else and follows the reader's light or dark setting.
struct SVGChart {
  private let width = 800.0
  private let height = 450.0
  private let top = 30.0
  private let right = 20.0

  private static let colours = ["#4a7dbd", "#d9822b", "#4f9d69", "#c0504d", "#8064a2", "#3fa7b5"]

  static func colour(_ series: Int) -> String { colours[series % colours.count] }

  func draw(_ data: ChartData, title: String) -> String {
    var body = ""
    let isNamed: [String]?
    if case .names(let names) = data.places { isNamed = names } else { isNamed = nil }
    let up = ChartScale(data.series.flatMap(\.values), count: 6, fromZero: data.kind == .bar || data.kind == .histogram)
    let upLabels = up.ticks.map { up.text($0) }
    let left = 30 + Double(upLabels.map(\.count).max() ?? 1) * 7
    let longName = isNamed?.map { min(14, $0.count) }.max() ?? 0
    let turns = (isNamed?.count ?? 0) * (longName * 7 + 8) > Int(width - left - right)
    let bottom = turns ? 40 + Double(longName) * 5 : 50
    let (plotWidth, plotHeight) = (width - left - right, height - top - bottom)
    func y(_ value: Double) -> Double { top + plotHeight * (1 - up.place(value)) }

    for (tick, label) in zip(up.ticks, upLabels) {
      body += "<line class=\"grid\" x1=\"\(n(left))\" x2=\"\(n(width - right))\" y1=\"\(n(y(tick)))\" y2=\"\(n(y(tick)))\"/>"
      body += "<text x=\"\(n(left - 6))\" y=\"\(n(y(tick) + 4))\" text-anchor=\"end\">\(HTMLText.escaped(label))</text>\n"
    }
    switch (data.kind, data.places) {
    case (.bar, .names(let names)), (.histogram, .names(let names)):
      body += self.names(names, left, plotWidth, bottom, turns, isCentred: true)
      body += bars(data, names, left, plotWidth, y)
    case (_, .names(let names)):
      body += self.names(names, left, plotWidth, bottom, turns, isCentred: false)
      let span = Double(max(1, names.count - 1))
      body += points(data, names.indices.map { left + plotWidth * Double($0) / span }, names, y)
    case (_, .numbers(let numbers, let isTime)):
      let across = ChartScale(numbers, count: 8, isTime: isTime)
      for tick in across.ticks {
        let x = left + plotWidth * across.place(tick)
        body += "<text x=\"\(n(x))\" y=\"\(n(height - bottom + 18))\" text-anchor=\"middle\">\(HTMLText.escaped(across.text(tick)))</text>\n"
      }
      body += points(data, numbers.map { left + plotWidth * across.place($0) }, numbers.map { across.text($0) }, y)
    }
    body += "<line class=\"axis\" x1=\"\(n(left))\" x2=\"\(n(width - right))\" y1=\"\(n(height - bottom))\" y2=\"\(n(height - bottom))\"/>\n"
    body +=
      "<text class=\"name\" x=\"\(n(left + plotWidth / 2))\" y=\"\(n(height - 8))\" text-anchor=\"middle\">\(HTMLText.escaped(data.placesName))</text>\n"
    body += legend(data, left)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(n(width)) \(n(height))" role="img" font-family="system-ui, sans-serif" font-size="12">
      <title>\(HTMLText.escaped(title))</title>
      <style>
      text { fill: #333 } .grid { stroke: #8883 } .axis { stroke: #888 } .name { font-weight: 600 }
      @media (prefers-color-scheme: dark) { text { fill: #ddd } }
      </style>
      \(body)</svg>

      """
  }

  // MARK: Pieces

  private func bars(_ data: ChartData, _ names: [String], _ left: Double, _ plotWidth: Double, _ y: (Double) -> Double) -> String {
    var body = ""
    let slot = plotWidth / Double(max(1, names.count))
    let gap = data.kind == .histogram ? 1.0 : slot * 0.2
    let barWidth = max(0.5, (slot - gap) / Double(data.series.count))
    for (index, series) in data.series.enumerated() {
      for (place, value) in series.values.enumerated() where value.isFinite {
        let x = left + slot * Double(place) + gap / 2 + barWidth * Double(index)
        let (from, to) = (min(y(value), y(0)), max(y(value), y(0)))
        body += "<rect x=\"\(n(x))\" y=\"\(n(from))\" width=\"\(n(barWidth))\" height=\"\(n(to - from))\" fill=\"\(SVGChart.colour(index))\">"
        body += tip(names[place], series.name, value) + "</rect>\n"
      }
    }
    return body
  }

  private func points(_ data: ChartData, _ xs: [Double], _ labels: [String], _ y: (Double) -> Double) -> String {
    var body = ""
    for (index, series) in data.series.enumerated() {
      let colour = SVGChart.colour(index)
      if data.kind == .line {
        // A gap where there is no value.
        var path = ""
        var isDrawing = false
        for place in xs.indices.sorted(by: { xs[$0] < xs[$1] }) {
          guard xs[place].isFinite, series.values[place].isFinite else {
            isDrawing = false
            continue
          }
          path += (isDrawing ? "L" : "M") + n(xs[place]) + " " + n(y(series.values[place]))
          isDrawing = true
        }
        body += "<path d=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" stroke-linejoin=\"round\"/>\n"
      }
      // Points to touch; of very many the line alone says enough.
      guard data.kind == .scatter || xs.count <= 200 else { continue }
      for place in xs.indices where xs[place].isFinite && series.values[place].isFinite {
        body +=
          "<circle cx=\"\(n(xs[place]))\" cy=\"\(n(y(series.values[place])))\" r=\"\(data.kind == .scatter ? "3.5" : "2.5")\" fill=\"\(colour)\" fill-opacity=\"0.75\">"
        body += tip(labels[place], series.name, series.values[place]) + "</circle>\n"
      }
    }
    return body
  }

  /// Names under the axis, turned where they would not fit side by side; of too many every so many.
  private func names(
    _ names: [String], _ left: Double, _ plotWidth: Double, _ bottom: Double, _ turns: Bool, isCentred: Bool
  ) -> String {
    let slot = isCentred ? plotWidth / Double(max(1, names.count)) : plotWidth / Double(max(1, names.count - 1))
    let every = max(1, Int((14 / slot).rounded(.up)))
    var body = ""
    for place in stride(from: 0, to: names.count, by: turns ? every : 1) {
      let x = left + slot * (Double(place) + (isCentred ? 0.5 : 0))
      let y = height - bottom + 16
      let text = HTMLText.escaped(TerminalText.cut(TerminalText.printable(names[place]), to: 14))
      body +=
        turns
        ? "<text x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"end\" transform=\"rotate(-40 \(n(x)) \(n(y)))\">\(text)</text>\n"
        : "<text x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"middle\">\(text)</text>\n"
    }
    return body
  }

  private func legend(_ data: ChartData, _ left: Double) -> String {
    var x = left
    var body = ""
    for (index, series) in data.series.enumerated() {
      body += "<rect x=\"\(n(x))\" y=\"9\" width=\"10\" height=\"10\" fill=\"\(SVGChart.colour(index))\"/>"
      body += "<text x=\"\(n(x + 15))\" y=\"18\">\(HTMLText.escaped(series.name))</text>\n"
      x += 30 + Double(series.name.count) * 7
    }
    return body
  }

  private func tip(_ name: String, _ series: String, _ value: Double) -> String {
    "<title>\(HTMLText.escaped(name)) · \(HTMLText.escaped(series)): \(HTMLText.escaped(TerminalChart.number(value)))</title>"
  }

  /// A coordinate with one digit behind the point.
  private func n(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let text = StatusFooter.fixed(abs(value), digits: 1)
    let short = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    return value < 0 && short != "0" ? "-" + short : short
  }
}
