import Columnar
import QueryErrors

/// Colours for terminals.
///
/// - Source: Trino `ColorFunctions`.
package enum ColorFunctions: FunctionFamily {
  package static let title = "Colours"

  private static let color = TypePattern.exact(.color)
  /// Characters that `render` adds at most: two escape sequences.
  private static let escapeLength = 15

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "color",
      summary: "The colour of a name or of #rgb; or the one between two colours, at a share or at a value between bounds.",
      examples: [
        Example("color('#f00')", "#ff0000"), Example("color('blue')", "blue"),
        Example("color(0.5, rgb(0, 0, 0), rgb(255, 255, 255))", "#808080"),
        Example("color(15, 10, 20, rgb(0, 0, 0), rgb(255, 255, 255))", "#808080"),
      ],
      overloads: [
        .unary(.varchar, returns: .exact(.color)) { (text: StringView, rows) -> Int32 in
          if let value = ColorValue(text.string) { return value.code }
          rows.fail(.invalidFunctionArgument, "Invalid color: '\(text.string)'")
          return 0
        },
        .ternary(.double, color, color, returns: .exact(.color)) {
          (share: Double, low: Int32, high: Int32, rows) -> Int32 in blend(share, low, high, &rows)
        },
        .columns([.double, .double, .double, color, color], returns: .exact(.color)) {
          (columns, n, context) throws(QueryError) -> Column in
          let views = columns.map(\.view)
          return mapRows(columns, n, &context) { row, rows -> Int32 in
            let (value, low) = (views[0].value(row, as: Double.self), views[1].value(row, as: Double.self))
            let share = (value - low) / (views[2].value(row, as: Double.self) - low)
            return blend(share, views[3].value(row, as: Int32.self), views[4].value(row, as: Int32.self), &rows)
          }
        },
      ]),
    ScalarFunction(
      "rgb", summary: "The colour of a red, a green and a blue part, each between 0 and 255.",
      examples: [Example("rgb(255, 0, 128)", "#ff0080")],
      overloads: [
        .ternary(.bigint, .bigint, .bigint, returns: .exact(.color)) {
          (red: Int64, green: Int64, blue: Int64, rows) -> Int32 in
          for (name, part) in [("red", red), ("green", green), ("blue", blue)] where part < 0 || part > 255 {
            rows.fail(.invalidFunctionArgument, "\(name) must be between 0 and 255")
            return 0
          }
          return ColorValue(red: Int(red), green: Int(green), blue: Int(blue)).code
        }
      ]),
    ScalarFunction(
      "render", summary: "The value with the escape sequences that make a terminal show it in a colour; booleans as ✓ or ✗.",
      examples: [Example("replace(render('a', color('red')), chr(27), '^')", "^[38;5;1ma^[0m")],
      overloads: [
        .binary(
          .varchar, color,
          returns: .computed { (types) throws(QueryError) -> DataType in
            guard case .varchar(let length?) = types[0] else { return .text }
            return .varchar(length: min(length + escapeLength, Int(Int32.max)))
          }
        ) { (value: StringView, color: Int32, rows) -> StringView in rows.string(rendered(value.string, color)) },
        .binary(.bigint, color, returns: .exact(.varchar(length: 35))) {
          (value: Int64, color: Int32, rows) -> StringView in rows.string(rendered("\(value)", color))
        },
        .binary(.double, color, returns: .exact(.varchar(length: 41))) {
          (value: Double, color: Int32, rows) -> StringView in
          rows.string(rendered(NumericCasts.javaText(value), color))
        },
        .unary(.boolean, returns: .exact(.varchar(length: 16))) { (value: Bool, rows) -> StringView in
          rows.string(value ? rendered("\u{2713}", -3) : rendered("\u{2717}", -2))
        },
      ]),
    ScalarFunction(
      "bar", summary: "A bar for a terminal that fills a share of the width, from red to green or between two colours.",
      examples: [
        Example("replace(bar(0.5, 2), chr(27), '^')", "^[38;5;196m█^[0m "),
        Example("replace(bar(1, 2, rgb(0, 0, 255), rgb(0, 0, 255)), chr(27), '^')", "^[38;5;21m█^[38;5;21m█^[0m"),
      ],
      overloads: [
        .binary(.double, .bigint, returns: .varchar) { (share: Double, width: Int64, rows) -> StringView in
          bar(
            share, width, ColorValue(red: 255, green: 0, blue: 0), ColorValue(red: 0, green: 255, blue: 0), &rows)
        },
        .columns([.double, .bigint, color, color], returns: .varchar) {
          (columns, n, context) throws(QueryError) -> Column in
          let views = columns.map(\.view)
          return mapRows(columns, n, &context) { row, rows -> StringView in
            let colors = (2..<4).map { ColorValue(code: views[$0].value(row, as: Int32.self)) }
            return bar(
              views[0].value(row, as: Double.self), views[1].value(row, as: Int64.self), colors[0], colors[1], &rows)
          }
        },
      ]),
  ]

  private static func blend(_ share: Double, _ low: Int32, _ high: Int32, _ rows: inout RowContext) -> Int32 {
    for (name, code) in [("lowColor", low), ("highColor", high)] where code < 0 {
      rows.fail(.invalidFunctionArgument, "\(name) not a valid RGB color")
      return 0
    }
    let fraction = share.isNaN ? share : max(0, min(1, share))
    return ColorValue.between(ColorValue(code: low), ColorValue(code: high), at: Float(fraction)).code
  }

  private static func rendered(_ text: String, _ color: Int32) -> String {
    ColorValue(code: color).escape + text + ColorValue.reset
  }

  /// Cells of a bar that is refused.
  private static let widestBar = 1 << 16

  private static func bar(
    _ share: Double, _ width: Int64, _ low: ColorValue, _ high: ColorValue, _ rows: inout RowContext
  ) -> StringView {
    if width > widestBar {
      rows.fail(.invalidFunctionArgument, "The width of a bar must not exceed \(widestBar)")
      return StringView()
    }
    let product = share * Double(width)
    let wanted = product.isNaN ? 0 : Int64(max(-1, min(Double(widestBar), product.rounded(.towardZero))))
    let count = max(0, min(width, wanted))
    if count > 0, !low.isRGB || !high.isRGB {
      rows.fail(.invalidFunctionArgument, "color is not a valid rgb value")
      return StringView()
    }
    var out = ""
    for cell in 0..<count {
      let fraction = Float(Double(cell) / Double(width - 1))
      out += ColorValue.between(low, high, at: fraction).escape + "\u{2588}"
    }
    out += ColorValue.reset
    if width > count { out += String(repeating: " ", count: Int(width - count)) }
    return rows.string(out)
  }
}
