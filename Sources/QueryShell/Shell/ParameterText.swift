package import QueryEngine

/// Values of parameters as users write them.
package enum ParameterText {
  /// `name=value` or `name:type=value` as a parameter.
  ///
  ///     day=2024-01-01      a date            limit=10        a whole number
  ///     rate=0.5            a decimal         city=Köln       a text
  ///     id:varchar=0042     of that type      gone=null       NULL
  ///
  /// - Returns: nil when there is no name.
  package static func parse(_ text: String) -> (name: String, value: SQLParameter)? {
    guard let equals = text.firstIndex(of: "=") else { return nil }
    var name = text[..<equals]
    var type: Substring?
    if let colon = name.firstIndex(of: ":") {
      type = name[name.index(after: colon)...]
      name = name[..<colon]
    }
    guard isName(name) else { return nil }
    return (String(name), value(String(text[text.index(after: equals)...]), type: type.map(String.init)))
  }

  static func isName(_ text: some StringProtocol) -> Bool {
    guard let first = text.unicodeScalars.first, first == "_" || first.properties.isAlphabetic else { return false }
    return text.unicodeScalars.allSatisfy { $0 == "_" || $0.properties.isAlphabetic || ("0"..."9").contains($0) }
  }

  /// A value, of the type its form tells where none is given. Quotes make it a text.
  static func value(_ text: String, type: String? = nil) -> SQLParameter {
    if let type { return .expression("CAST(\(quoted(text)) AS \(type))") }
    if text.count >= 2, text.first == "'", text.last == "'" {
      return SQLParameter(text.dropFirst().dropLast().replacing("''", with: "'"))
    }
    switch text.lowercased() {
    case "null": return .expression("NULL")
    case "true": return SQLParameter(true)
    case "false": return SQLParameter(false)
    default: break
    }
    // Leading zeros are no number's.
    if text.wholeMatch(of: /-?(0|[1-9][0-9]{0,17})/) != nil, let number = Int64(text) { return SQLParameter(number) }
    if text.wholeMatch(of: /-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}/) != nil { return .expression("DECIMAL '\(text)'") }
    if text.wholeMatch(of: /-?[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]+/) != nil { return .expression("DOUBLE '\(text)'") }
    if text.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}/) != nil { return .expression("DATE '\(text)'") }
    if text.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?/) != nil {
      return .expression("TIMESTAMP '\(text.replacing("T", with: " "))'")
    }
    return SQLParameter(text)
  }

  private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }

  /// A parameter as it is shown.
  static func text(_ parameter: SQLParameter) -> String {
    switch parameter {
    case .expression(let text): text
    case .value(.bytes(let bytes), _): quoted(String(decoding: bytes, as: UTF8.self))
    case .value(let value, _): "\(value)"
    }
  }
}
