/// A statement's text and the values bound to it.
///
/// Interpolated values are bound, never pasted into the text, so that quotes in them mean nothing:
///
///     let statement: SQLStatement = "SELECT * FROM guests WHERE name = \("O'Brien") AND day >= \(SQLDate(2024, 3, 1))"
///
/// The same holds for a literal written out as `SQLStatement("… \(value) …")`; only a `String` variable is taken as it is.
///
/// What cannot be a value in SQL is interpolated under a label: `\(identifier: table)`, `\(path: file)`, `\(sql: text)`.
public struct SQLStatement: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
  /// The text, `?` or `:name` for each value.
  public var text: String
  /// What stands for each `?`, in order.
  public var parameters: [SQLParameter]
  /// What stands for each `:name`; names are as written, without the colon.
  public var namedParameters: [String: SQLParameter]

  public init(_ text: String, parameters: [SQLParameter] = [], named: [String: SQLParameter] = [:]) {
    self.text = text
    self.parameters = parameters
    namedParameters = named
  }

  /// A text with values for each `:name` in it.
  public init(_ text: String, named: [String: any ScalarEncodable]) {
    self.init(text, named: named.mapValues { SQLParameter($0) })
  }

  /// A text with values for each `?` in it.
  public init(_ text: String, values: [any ScalarEncodable]) {
    self.init(text, parameters: values.map { SQLParameter($0) })
  }

  public init(stringLiteral value: String) { self.init(value) }

  public init(stringInterpolation: StringInterpolation) {
    self.init(stringInterpolation.text, parameters: stringInterpolation.parameters)
  }

  public var description: String { text }

  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""
    fileprivate var parameters: [SQLParameter] = []

    public init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity + interpolationCount) }

    public mutating func appendLiteral(_ literal: String) { text += literal }

    /// Binds a value.
    public mutating func appendInterpolation(_ value: some ScalarEncodable) {
      text += "?"
      parameters.append(SQLParameter(value))
    }

    /// A name of a table, column or database, quoted.
    public mutating func appendInterpolation(identifier: String) { text += SQLStatement.quoted(identifier, "\"") }

    /// A file, folder or pattern in FROM, quoted.
    public mutating func appendInterpolation(path: String) { text += SQLStatement.quoted(path, "'") }

    /// Text as it is: never from a user.
    public mutating func appendInterpolation(sql: String) { text += sql }
  }

  private static func quoted(_ text: String, _ quote: Character) -> String {
    var result = String(quote)
    for letter in text {
      if letter == quote { result.append(quote) }
      result.append(letter)
    }
    result.append(quote)
    return result
  }
}

/// What stands for a `?` or a `:name`.
public enum SQLParameter: Sendable, Hashable {
  /// A value of a type.
  case value(Scalar, DataType)
  /// A constant SQL expression: `5`, `'text'`, `DATE '2024-01-01'`, as Athena's ExecutionParameters are.
  case expression(String)

  public init(_ value: some ScalarEncodable) { self = .value(value.scalar, value.sqlType) }
}
