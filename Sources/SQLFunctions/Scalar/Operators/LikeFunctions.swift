import Columnar
import Glibc
import QueryErrors

/// LIKE, with and without ESCAPE.
package enum LikeFunctions: FunctionFamily {
  package static let title = "Pattern matching"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "like", summary: "Whether a text matches a pattern in which % stands for any text and _ for one character.",
      isHidden: true,
      overloads: [.varchar, .char].flatMap { (value: TypePattern) -> [ScalarOverload] in
        [
          ScalarOverload(Signature([value, .varchar], returns: .boolean), makeKernel: makeKernel),
          ScalarOverload(Signature([value, .varchar, .varchar], returns: .boolean), makeKernel: makeKernel),
        ]
      })
  ]

  /// The last pattern compiled; patterns seldom change within a column.
  private final class Cache {
    var text: [UInt8] = []
    var escape: [UInt8]?
    var compiled: LikePattern?
  }

  private static let makeKernel: KernelFactory = { (binding: SignatureBinding) throws(QueryError) -> Kernel in
    let cache = Cache()
    var charLength: Int?
    if case .char(let length) = binding.argumentTypes[0] { charLength = length }
    let length = charLength
    return { (columns, n, context) throws(QueryError) -> Column in
      let patterns = columns[1]
      let escapes = columns.count > 2 ? columns[2] : nil
      if patterns.encoding == .constant, !patterns.isAllNull, escapes?.encoding ?? .constant == .constant,
        escapes?.isAllNull != true
      {
        do throws(QueryError) {
          let pattern = try compile(patterns, escapes, 0, cache)
          return match(columns[0], pattern, n, length)
        } catch {
          let validity = commonValidity(columns)
          for row in 0..<n where validity.map({ $0[row] }) ?? true {
            context.errors.record(row, error)
            if !context.errors.collectsRows { break }
          }
          return .nulls(.boolean, count: n)
        }
      }
      let x = columns[0].view
      let text = TextBuffer()
      return mapRows(columns, n, &context) { row, rows -> Bool in
        do throws(QueryError) {
          let pattern = try compile(patterns, escapes, row, cache)
          return matches(x.value(row, as: StringView.self), pattern, length, text)
        } catch {
          rows.errors.record(row, error)
          return false
        }
      }
    }
  }

  private static func compile(
    _ patterns: Column, _ escapes: Column?, _ row: Int, _ cache: Cache
  ) throws(QueryError) -> LikePattern {
    let text = patterns.view.value(row, as: StringView.self).bytes
    let escape = escapes.map { $0.view.value(row, as: StringView.self).bytes }
    if let compiled = cache.compiled, cache.text == text, cache.escape == escape { return compiled }
    if let escape {
      let count = escape.withUnsafeBufferPointer { bytes in
        bytes.baseAddress.map { ValueText.codePoints($0, bytes.count) } ?? 0
      }
      if count != 1 { throw QueryError(.invalidFunctionArgument, "Escape string must be a single character") }
    }
    let compiled = try LikePattern(text, escape: escape)
    cache.text = text
    cache.escape = escape
    cache.compiled = compiled
    return compiled
  }

  private static func matches(
    _ value: StringView, _ pattern: LikePattern, _ charLength: Int?, _ text: TextBuffer
  ) -> Bool {
    guard let charLength else {
      return value.withBytes { (p, n) in pattern.matches(p.assumingMemoryBound(to: UInt8.self), n) }
    }
    text.removeAll()
    text.append(value)
    ValueText.pad(value, to: charLength, in: text)
    return pattern.matches(text.pointer, text.count)
  }

  /// One pattern against a column.
  private static func match(_ column: Column, _ pattern: LikePattern, _ n: Int, _ charLength: Int?) -> Column {
    if column.encoding == .dictionary, let base = column.base, base.count < n {
      let entries = match(base, pattern, base.count, charLength)
      return Column.dictionary(entries, indices: column.indices!, count: n, validity: column.validity).flattened()
    }
    let values = Buffer(byteCount: n)
    let out = values.typed(UInt8.self)
    let validity = column.validity
    let x = column.view
    let views = x.values.assumingMemoryBound(to: StringView.self)
    if let charLength {
      let text = TextBuffer()
      for row in 0..<n {
        let isMatch =
          (validity.map { $0[row] } ?? true)
          && matches(x.value(row, as: StringView.self), pattern, charLength, text)
        out[row] = byte(isMatch)
      }
      return Column(flat: .boolean, count: n, values: values, validity: validity)
    }
    withExtendedLifetime(column) {
      var row = 0
      switch pattern.kind {
      case .equals:
        (pattern.parts.first?.bytes ?? []).withUnsafeBytes { bytes in
          let wanted = bytes.baseAddress.map { StringView($0, count: bytes.count) } ?? StringView()
          while row < n {
            let isValid = validity.map { $0[row] } ?? true
            out[row] = isValid ? byte(views[x.position(row)] == wanted) : 0
            row &+= 1
          }
        }
      case .prefix:
        pattern.parts[0].bytes.withUnsafeBytes { bytes in
          let m = bytes.count
          let needle = bytes.baseAddress!
          let known = min(m, 4)
          let mask: UInt64 = known == 4 ? 0xffff_ffff : (1 &<< UInt64(known &* 8)) &- 1
          let start = StringView(needle, count: m).low &>> 32 & mask
          while row < n {
            let isValid = validity.map { $0[row] } ?? true
            let location = views + x.position(row)
            // The first four bytes stand in the view itself.
            var isMatch = isValid && location.pointee.count >= m && (location.pointee.low &>> 32) & mask == start
            if isMatch, m > 4 { isMatch = memcmp(StringView.bytes(at: location) + 4, needle + 4, m &- 4) == 0 }
            out[row] = byte(isMatch)
            row &+= 1
          }
        }
      default:
        while row < n {
          let isValid = validity.map { $0[row] } ?? true
          if isValid {
            let location = views + x.position(row)
            let p = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
            out[row] = byte(pattern.matches(p, location.pointee.count))
          } else {
            out[row] = 0
          }
          row &+= 1
        }
      }
    }
    return Column(flat: .boolean, count: n, values: values, validity: validity)
  }
}
