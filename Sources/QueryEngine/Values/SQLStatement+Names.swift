import QueryErrors
import SQLSyntax

extension SQLStatement {
  /// A statement's text with `?` for each of its values.
  struct Positional {
    var text: String
    var parameters: [SQLParameter]

    /// The parameters that are SQL texts.
    var texts: [String] {
      parameters.compactMap { if case .expression(let text) = $0 { text } else { nil } }
    }
  }

  /// The text with `?` in place of each `:name`, padded with blanks so that every place in the text stays what it is.
  ///
  /// - Throws: `INVALID_PARAMETER_USAGE` for names without a value and values without a name.
  func withPositionalParameters() throws(QueryError) -> Positional {
    if namedParameters.isEmpty { return Positional(text: text, parameters: parameters) }
    var bytes = Array(text.utf8)
    var rest = parameters[...]
    var bound: [SQLParameter] = []
    var used: Set<String> = []
    for place in ParameterPlaces.find(in: text) {
      guard let name = place.name else {
        if let next = rest.popFirst() { bound.append(next) }
        continue
      }
      guard let value = namedParameters[name] else { continue }
      used.insert(name)
      bound.append(value)
      bytes[place.offset] = UInt8(ascii: "?")
      for index in 1...name.utf8.count { bytes[place.offset + index] = UInt8(ascii: " ") }
    }
    for name in namedParameters.keys.sorted() where !used.contains(name) {
      throw QueryError(
        .invalidParameterUsage, "The statement has no parameter :\(name)",
        hint: "Named parameters are written :name, outside of quotes.")
    }
    return Positional(text: String(decoding: bytes, as: UTF8.self), parameters: bound + rest)
  }
}
