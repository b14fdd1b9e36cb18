import QueryErrors

/// An engine's error in Trino's client protocol.
enum TrinoError {
  /// Trino's numbers of the codes that clients look at.
  ///
  /// - Source: Trino 440, `StandardErrorCode`.
  private static let numbers: [ErrorCode: Int] = [
    .genericUserError: 0, .syntaxError: 1, .userCanceled: 3, .functionNotFound: 6, .divisionByZero: 8, .invalidCastArgument: 9,
    .notSupported: 13, .invalidSessionProperty: 14, .catalogNotFound: 44, .schemaNotFound: 45, .tableNotFound: 46, .columnNotFound: 47,
    .typeMismatch: 58,
  ]

  static func json(_ error: QueryError) -> JSONValue {
    let (type, base) =
      switch error.code.kind {
      case .userError, .notSupported, .cancelled, .overLimit: ("USER_ERROR", 0)
      case .insufficientResources: ("INSUFFICIENT_RESOURCES", 0x2_0000)
      case .external, .badData: ("EXTERNAL", 0x100_0000)
      case .internalError: ("INTERNAL_ERROR", 0x1_0000)
      }
    let place = error.range.map { "line \($0.start.line):\($0.start.column): " } ?? ""
    var members: [String: JSONValue] = [
      "message": .string(place + error.message), "errorCode": .number(numbers[error.code] ?? base), "errorName": .string(error.code.rawValue),
      "errorType": .string(type),
      "failureInfo": [
        "type": .string("io.trino.spi.TrinoException"), "message": .string(place + error.message), "suppressed": [], "stack": [],
      ],
    ]
    if let start = error.range?.start {
      members["errorLocation"] = ["lineNumber": .number(start.line), "columnNumber": .number(start.column)]
    }
    return .object(members)
  }
}
