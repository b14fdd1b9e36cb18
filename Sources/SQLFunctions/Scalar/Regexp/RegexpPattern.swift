import CKernels
import CPCRE2
import Columnar
import Glibc
import QueryErrors
import RegularExpressions

/// A compiled pattern and room for its matches.
///
/// Text that is all ASCII is matched byte by byte, other text as UTF-8 with Unicode's classes.
///
/// - Threads: one owner.
final class RegexpPattern {
  /// One compiled form; no object, for it is asked for with every row.
  private struct Code {
    let code: OpaquePointer
    let data: OpaquePointer
    let isCompiledToMachineCode: Bool

    init?(_ pattern: [UInt8], _ options: UInt32, _ error: inout (code: Int32, offset: Int)) {
      var number: Int32 = 0
      var offset = 0
      let compiled = pattern.withUnsafeBufferPointer { bytes in
        pcre2_compile_8(bytes.baseAddress, bytes.count, options, &number, &offset, RegexpPattern.compileContext)
      }
      guard let compiled, let data = pcre2_match_data_create_from_pattern_8(compiled, nil) else {
        pcre2_code_free_8(compiled)
        error = (number, offset)
        return nil
      }
      code = compiled
      self.data = data
      isCompiledToMachineCode = pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE)) == 0
    }

    func free() {
      pcre2_match_data_free_8(data)
      pcre2_code_free_8(code)
    }
  }

  /// Newlines are `\n` alone, as in Joni.
  nonisolated(unsafe) private static let compileContext: OpaquePointer? = {
    let context = pcre2_compile_context_create_8(nil)
    if let context { pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF)) }
    return context
  }()

  /// What the pattern finds, when it is plain text.
  private let literal: [UInt8]?
  private let translated: [UInt8]
  private let ascii: Code?
  private var utf8: Code?
  private let context: OpaquePointer?
  private let stack: OpaquePointer?
  /// Groups besides the whole match.
  let groupCount: Int
  /// Start and end of the last match and its groups, −1 for groups that took no part.
  private(set) var ranges: UnsafeMutablePointer<Int>
  private let rangeCount: Int

  private static let unicodeOptions = UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP) | UInt32(PCRE2_MATCH_INVALID_UTF)

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` when it is no pattern.
  init(_ pattern: [UInt8]) throws(QueryError) {
    let special = Set("\\^$.|?*+()[]{}".utf8)
    literal = !pattern.isEmpty && !pattern.contains(where: special.contains) ? pattern : nil
    translated = try PatternTranslator.translate(pattern)
    var error: (code: Int32, offset: Int) = (0, 0)
    let isASCII = pattern.allSatisfy { $0 < 0x80 }
    ascii = isASCII ? Code(translated, 0, &error) : nil
    if ascii == nil { utf8 = Code(translated, RegexpPattern.unicodeOptions, &error) }
    guard let code = ascii ?? utf8 else { throw RegexpPattern.failure(error, pattern) }
    var count: UInt32 = 0
    pcre2_pattern_info_8(code.code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
    groupCount = Int(count)
    rangeCount = (groupCount + 1) * 2
    ranges = .allocate(capacity: rangeCount)
    ranges.initialize(repeating: -1, count: rangeCount)
    context = pcre2_match_context_create_8(nil)
    stack = pcre2_jit_stack_create_8(32 << 10, 8 << 20, nil)
    if let context {
      pcre2_set_match_limit_8(context, 100_000_000)
      pcre2_set_heap_limit_8(context, 256 << 10)
      if let stack { pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack)) }
    }
  }

  deinit {
    ascii?.free()
    utf8?.free()
    ranges.deallocate()
    pcre2_match_context_free_8(context)
    pcre2_jit_stack_free_8(stack)
  }

  private static func failure(_ error: (code: Int32, offset: Int), _ pattern: [UInt8]) -> QueryError {
    var message = [UInt8](repeating: 0, count: 256)
    let length = pcre2_get_error_message_8(error.code, &message, message.count)
    let text = String(decoding: message.prefix(max(0, Int(length))), as: UTF8.self)
    return QueryError(
      .invalidFunctionArgument,
      "Invalid pattern '\(String(decoding: pattern, as: UTF8.self))': \(text) at character \(error.offset)")
  }

  /// The number of the group of that name.
  func group(named name: [UInt8]) -> Int? {
    guard let code = ascii ?? utf8 else { return nil }
    let number = (name + [0]).withUnsafeBufferPointer { pcre2_substring_number_from_name_8(code.code, $0.baseAddress) }
    return number > 0 && Int(number) <= groupCount ? Int(number) : nil
  }

  /// Whether the text is matched as UTF-8; ask once per text.
  @inline(__always)
  func needsUnicode(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool { ascii == nil || !TextScan.isASCII(p, n) }

  /// Looks for the next match from `start` on; where it is stands in `ranges`.
  ///
  /// - Throws: an error when the pattern takes too many steps.
  @inline(__always)
  func find(_ p: UnsafePointer<UInt8>, _ n: Int, from start: Int, unicode: Bool) throws(QueryError) -> Bool {
    if let literal {
      if start > n { return false }
      let at = literal.withUnsafeBufferPointer { Int(ck_find(p + start, n &- start, $0.baseAddress!, $0.count)) }
      ranges[0] = start &+ at
      ranges[1] = start &+ at &+ literal.count
      return at >= 0
    }
    return try search(p, n, start, unicode)
  }

  private func search(_ p: UnsafePointer<UInt8>, _ n: Int, _ start: Int, _ unicode: Bool) throws(QueryError) -> Bool {
    if start > n { return false }
    let code = try code(unicode)
    var result: Int32
    if code.isCompiledToMachineCode {
      result = pcre2_jit_match_8(code.code, p, n, start, 0, code.data, context)
      if result == Int32(PCRE2_ERROR_JIT_STACKLIMIT) {
        result = pcre2_match_8(code.code, p, n, start, UInt32(PCRE2_NO_JIT), code.data, context)
      }
    } else {
      result = pcre2_match_8(code.code, p, n, start, 0, code.data, context)
    }
    if result < 0 {
      if result == Int32(PCRE2_ERROR_NOMATCH) || result == Int32(PCRE2_ERROR_BADUTFOFFSET) { return false }
      throw QueryError(.genericUserError, "A regular expression took too many steps to match a text of \(n) bytes")
    }
    let vector = pcre2_get_ovector_pointer_8(code.data)!
    var k = 0
    while k < rangeCount {
      ranges[k] = vector[k]
      k &+= 1
    }
    // \K in a lookahead may end a match before it starts.
    if ranges[1] < ranges[0] { ranges[1] = ranges[0] }
    return true
  }

  private func code(_ unicode: Bool) throws(QueryError) -> Code {
    if !unicode, let ascii { return ascii }
    if let utf8 { return utf8 }
    var error: (code: Int32, offset: Int) = (0, 0)
    guard let compiled = Code(translated, RegexpPattern.unicodeOptions, &error) else {
      throw RegexpPattern.failure(error, translated)
    }
    utf8 = compiled
    return compiled
  }

  /// Where to look after the last match: an empty match moves on by a character.
  @inline(__always)
  func next(_ p: UnsafePointer<UInt8>, _ n: Int) -> Int {
    let end = ranges[1]
    if ranges[0] != end { return end }
    if end >= n { return end &+ 1 }
    return end &+ abs(TextScan.decode(p, n, end).length)
  }
}

/// The pattern argument of a call: compiled once as long as it does not change.
///
/// - Threads: one owner.
final class RegexpCache {
  private var text: [UInt8] = []
  private var pattern: RegexpPattern?
  private var failure: QueryError?

  /// The pattern of a row; nil, and the row failed, when it is none.
  @inline(__always)
  func pattern(_ view: StringView, _ rows: inout RowContext) -> RegexpPattern? {
    if let pattern, view.count == text.count,
      view.withUTF8({ p, n in text.withUnsafeBufferPointer { n == 0 || memcmp($0.baseAddress!, p, n) == 0 } })
    {
      return pattern
    }
    return compile(view, &rows)
  }

  private func compile(_ view: StringView, _ rows: inout RowContext) -> RegexpPattern? {
    let bytes = view.bytes
    if let failure, bytes == text {
      rows.errors.record(rows.row, failure)
      return nil
    }
    text = bytes
    do throws(QueryError) {
      pattern = try RegexpPattern(bytes)
      failure = nil
    } catch {
      pattern = nil
      failure = error
      rows.errors.record(rows.row, error)
    }
    return pattern
  }
}
