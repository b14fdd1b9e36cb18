import QueryErrors

/// Patterns of `like_regex`: XQuery's syntax, as far as the regular expressions of SQL functions share it.
///
/// - Source: ISO/IEC 9075-2 §9.46; Trino `XQueryRegex`.
enum JSONPathPattern {
  /// The pattern with its flags in front.
  ///
  /// - Throws: `INVALID_PATH` when the flags or the pattern are none of XQuery's.
  static func translate(_ pattern: String, flags: String, at range: SourceRange?) throws(QueryError) -> [UInt8] {
    var seen: Set<Character> = []
    for flag in flags {
      guard "imsx".contains(flag) else {
        throw QueryError(
          .invalidPath, "invalid like_regex flags in JSON path: invalid XQuery regular expression flag: \(flag)", at: range)
      }
      guard seen.insert(flag).inserted else {
        throw QueryError(
          .invalidPath, "invalid like_regex flags in JSON path: duplicate XQuery regular expression flag: \(flag)",
          at: range)
      }
    }
    func invalid(_ reason: String) -> QueryError {
      QueryError(.invalidPath, "invalid like_regex pattern in JSON path: \(reason)", at: range)
    }
    if let reason = foreignSyntax(Array(pattern.utf8)) { throw invalid(reason) }
    let translated = Array(((flags.isEmpty ? "" : "(?\(flags))") + pattern).utf8)
    do throws(QueryError) { _ = try RegexpPattern(translated) } catch { throw invalid(error.message) }
    return translated
  }

  /// What in a pattern Java's syntax has and XQuery's does not; nil when there is nothing.
  private static func foreignSyntax(_ pattern: [UInt8]) -> String? {
    func byte(_ at: Int) -> UInt8 { at < pattern.count ? pattern[at] : 0 }
    var at = 0
    while at < pattern.count {
      let c = pattern[at]
      switch c {
      case UInt8(ascii: "\\"):
        if byte(at + 1) == UInt8(ascii: "x"), byte(at + 2) != UInt8(ascii: "{") {
          return "\\xHH numeric escape is not valid XQuery regex syntax; use \\x{HHHH}"
        }
        if byte(at + 1) == UInt8(ascii: "u") {
          return "\\uHHHH numeric escape is not valid XQuery regex syntax; use \\x{HHHH}"
        }
        at += 2
        continue
      case UInt8(ascii: "[") where byte(at + 1) == UInt8(ascii: "[") && byte(at + 2) == UInt8(ascii: ":"):
        return "POSIX bracket classes ([[:class:]]) are not valid XQuery regex syntax; use \\p{IsClass}"
      case UInt8(ascii: "(") where byte(at + 1) == UInt8(ascii: "?"):
        switch byte(at + 2) {
        case UInt8(ascii: "<"):
          return byte(at + 3) == UInt8(ascii: "=") || byte(at + 3) == UInt8(ascii: "!")
            ? "lookbehind assertions ((?<=...), (?<!...)) are not valid XQuery regex syntax"
            : "named groups ((?<name>...)) are not valid XQuery regex syntax"
        case UInt8(ascii: ">"): return "atomic groups ((?>...)) are not valid XQuery regex syntax"
        case UInt8(ascii: "("): return "conditional groups ((?(cond)...)) are not valid XQuery regex syntax"
        case UInt8(ascii: "P"): return "Python-style named groups ((?P<name>...)) are not valid XQuery regex syntax"
        case UInt8(ascii: "="), UInt8(ascii: "!"):
          return "lookahead assertions ((?=...), (?!...)) are not valid XQuery regex syntax"
        case UInt8(ascii: "-"), UInt8(ascii: "i"), UInt8(ascii: "m"), UInt8(ascii: "s"), UInt8(ascii: "x"):
          return "inline regex flags ((?i), (?ims:...), (?-i)) are not valid XQuery regex syntax; "
            + "pass flags as the like_regex flag argument"
        default: break
        }
      case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "}"):
        if byte(at + 1) == UInt8(ascii: "+") {
          return "possessive quantifiers (*+, ++, ?+, }+) are not valid XQuery regex syntax"
        }
      default: break
      }
      at += 1
    }
    return nil
  }
}
