/// Outcomes as JUnit's XML, which CI systems read.
enum JUnitReport {
  static func text(_ outcomes: [SQLTestOutcome]) -> String {
    var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
    let failures = outcomes.count { !$0.failures.isEmpty }
    let errors = outcomes.count { $0.error != nil }
    let seconds = outcomes.reduce(0) { $0 + $1.milliseconds } / 1000
    lines.append("<testsuites tests=\"\(outcomes.count)\" failures=\"\(failures)\" errors=\"\(errors)\" time=\"\(seconds)\">")
    var files: [String] = []
    for outcome in outcomes where files.last != outcome.test.file { files.append(outcome.test.file) }
    for file in files {
      let own = outcomes.filter { $0.test.file == file }
      lines.append(
        "  <testsuite name=\"\(escaped(file))\" tests=\"\(own.count)\" failures=\"\(own.count { !$0.failures.isEmpty })\" errors=\"\(own.count { $0.error != nil })\">"
      )
      for outcome in own {
        let head =
          "    <testcase name=\"\(escaped(outcome.test.name))\" classname=\"\(escaped(file))\" file=\"\(escaped(file))\" line=\"\(outcome.test.line)\" time=\"\(outcome.milliseconds / 1000)\""
        guard !outcome.hasPassed else {
          lines.append(head + "/>")
          continue
        }
        lines.append(head + ">")
        if let error = outcome.error { lines.append("      <error message=\"\(escaped(firstLine(error)))\">\(escaped(error))</error>") }
        if !outcome.failures.isEmpty {
          let text = outcome.failures.joined(separator: "\n")
          lines.append("      <failure message=\"\(escaped(firstLine(text)))\">\(escaped(text))</failure>")
        }
        lines.append("    </testcase>")
      }
      lines.append("  </testsuite>")
    }
    return (lines + ["</testsuites>"]).joined(separator: "\n") + "\n"
  }

  private static func firstLine(_ text: String) -> String { text.split(separator: "\n").first.map(String.init) ?? "" }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += "&#10;"
      case "\t": result.unicodeScalars.append(scalar)
      // XML has no place for other control characters.
      case _ where scalar.value < 0x20: result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
