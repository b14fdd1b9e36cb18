import CPCRE2
import Columnar
import QueryErrors
import RegularExpressions

/// A regular expression in Java's syntax, compiled, with its groups.
///
/// - Threads: shared by all workers; each matches by a `LineMatcher` of its own.
final class LinePattern: @unchecked Sendable {
  fileprivate let code: OpaquePointer
  let groupCount: Int
  /// Names of named groups by their number; nil for the others. The whole match has none.
  let groupNames: [String?]

  /// - Parameters:
  ///   - isWhole: whether it must match the whole line, as `Matcher.matches` does.
  ///   - property: whose value it is, for messages.
  /// - Throws: `INVALID_TABLE_PROPERTY` when it is no pattern, `NOT_SUPPORTED` for parts of Java's syntax.
  init(_ pattern: String, isWhole: Bool, ignoresCase: Bool = false, property: String) throws(QueryError) {
    let translated = try PatternTranslator.translate(Array(pattern.utf8))
    var options = UInt32(PCRE2_UTF) | UInt32(PCRE2_MATCH_INVALID_UTF) | UInt32(PCRE2_DOTALL)
    if isWhole { options |= UInt32(PCRE2_ANCHORED) | UInt32(PCRE2_ENDANCHORED) }
    if ignoresCase { options |= UInt32(PCRE2_CASELESS) }
    var number: Int32 = 0
    var offset = 0
    let compiled = translated.withUnsafeBufferPointer { bytes in
      pcre2_compile_8(bytes.baseAddress, bytes.count, options, &number, &offset, nil)
    }
    guard let compiled else {
      var message = [UInt8](repeating: 0, count: 256)
      let length = pcre2_get_error_message_8(number, &message, message.count)
      let text = String(decoding: message.prefix(max(0, Int(length))), as: UTF8.self)
      throw QueryError(.invalidTableProperty, "Invalid pattern in \(property): \(text) at character \(offset) of '\(pattern)'")
    }
    pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))
    code = compiled
    var count: UInt32 = 0
    pcre2_pattern_info_8(compiled, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
    groupCount = Int(count)
    groupNames = LinePattern.names(compiled, groupCount)
  }

  deinit { pcre2_code_free_8(code) }

  private static func names(_ code: OpaquePointer, _ count: Int) -> [String?] {
    var names = [String?](repeating: nil, count: count + 1)
    var (nameCount, entryByteCount): (UInt32, UInt32) = (0, 0)
    var table: UnsafePointer<UInt8>?
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &nameCount)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &entryByteCount)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
    guard let table else { return names }
    // An entry is the group's number in two bytes, the higher first, and its name.
    for entry in 0..<Int(nameCount) {
      let p = table + entry * Int(entryByteCount)
      let number = Int(p[0]) << 8 | Int(p[1])
      if number <= count { names[number] = String(cString: p + 2) }
    }
    return names
  }
}

/// Matches lines, one after the other.
///
/// - Threads: one owner.
final class LineMatcher {
  private let pattern: LinePattern
  private let data: OpaquePointer?
  private let context: OpaquePointer?
  /// Steps after which a line counts as one that cannot be matched.
  private static let stepLimit: UInt32 = 10_000_000

  init(_ pattern: LinePattern) {
    self.pattern = pattern
    data = pcre2_match_data_create_from_pattern_8(pattern.code, nil)
    context = pcre2_match_context_create_8(nil)
    if let context { pcre2_set_match_limit_8(context, LineMatcher.stepLimit) }
  }

  deinit {
    pcre2_match_data_free_8(data)
    pcre2_match_context_free_8(context)
  }

  /// Start and end of the whole match and of each group, -1 for groups that took no part; nil when the line does not
  /// match. Valid until the next call.
  ///
  /// - Throws: `HIVE_BAD_DATA` when the pattern takes too many steps.
  func match(_ line: UnsafePointer<UInt8>, _ count: Int) throws(QueryError) -> UnsafePointer<Int>? {
    let result = pcre2_match_8(pattern.code, line, count, 0, 0, data, context)
    if result >= 0 {
      return UnsafePointer(pcre2_get_ovector_pointer_8(data)!)
    }
    if result == Int32(PCRE2_ERROR_NOMATCH) { return nil }
    throw QueryError(
      .hiveBadData, "The table's pattern takes too many steps to match a line of \(count) bytes",
      hint: "Nested repetitions such as (.*)* are what makes a pattern slow.")
  }
}
