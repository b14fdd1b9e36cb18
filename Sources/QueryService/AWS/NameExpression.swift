import Glibc

/// The regular expression that a list of tables is asked for with; it has to match whole names, case ignored.
final class NameExpression {
  private var compiled = regex_t()

  /// - Throws: InvalidRequestException when it is none.
  init(_ text: String) throws(AWSError) {
    guard regcomp(&compiled, "^(" + text + ")$", REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0 else {
      throw .invalidInput("The expression '\(text)' is no regular expression")
    }
  }

  deinit {
    var compiled = compiled
    regfree(&compiled)
  }

  func matches(_ name: String) -> Bool {
    var compiled = compiled
    return regexec(&compiled, name, 0, nil, 0) == 0
  }
}
