/// Every failure a user can meet: what happened, where, and what to do about it.
public struct QueryError: Error, Hashable, Sendable {
  public var code: ErrorCode
  public var message: String
  /// Where in the SQL text.
  public var range: SourceRange?
  /// Where in the data.
  public var data: DataLocation?
  /// What the user can do about it.
  public var hint: String?
  /// Whether something was learned about files without a declared schema, so that the statement comes further when it
  /// begins anew; while rows were sent already it cannot.
  package var mayStartAgain = false

  public init(
    _ code: ErrorCode, _ message: String, at range: SourceRange? = nil, data: DataLocation? = nil, hint: String? = nil
  ) {
    self.code = code
    self.message = message
    self.range = range
    self.data = data
    self.hint = hint
  }

  /// The same error with `range`, unless it already has one.
  public func located(at range: SourceRange?) -> QueryError {
    var error = self
    if error.range == nil { error.range = range }
    return error
  }

  /// The same error with a place in the data, unless it already has one.
  public func located(in data: DataLocation) -> QueryError {
    var error = self
    // Where a query was when it was stopped says nothing about the data.
    if error.data == nil, code.kind != .cancelled { error.data = data }
    return error
  }

  /// A defect of sqlq, with the request to report it.
  public static func internalError(_ message: String, at range: SourceRange? = nil) -> QueryError {
    QueryError(.internalError, message, at: range, hint: "This is a defect of sqlq; please report it with the query.")
  }

  /// A feature that does not exist here.
  public static func notSupported(_ message: String, at range: SourceRange? = nil, hint: String? = nil) -> QueryError {
    QueryError(.notSupported, message, at: range, hint: hint)
  }
}

extension QueryError: CustomStringConvertible {
  /// `CODE: line 1:8: message`, as Athena words it.
  public var description: String {
    var text = code.rawValue + ": "
    if let range { text += "line \(range.start.line):\(range.start.column): " }
    text += message
    if let data { text += " \(data)" }
    return text
  }
}

extension DataLocation: CustomStringConvertible {
  /// `at trips/2024.csv row 17, column 'fare', value 'abc'`.
  public var description: String {
    var text = "at \(path)"
    if let row { text += " row \(row)" }
    if let column { text += ", column '\(column)'" }
    if let value { text += ", value '\(value)'" }
    if let byteOffset { text += ", byte \(byteOffset)" }
    return text
  }
}
