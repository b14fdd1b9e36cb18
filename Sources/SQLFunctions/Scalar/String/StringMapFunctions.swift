import CKernels
import Columnar
import QueryErrors

/// Texts of keys and values as maps.
///
/// - Source: Trino `SplitToMapFunction`, `SplitToMultimapFunction`.
package enum StringMapFunctions: FunctionFamily {
  package static let title = "Texts as maps"

  private static let text = TypePattern.exact(.text)
  private static let lists = DataType.array(.text)

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "split_to_map", summary: "The map of keys and values that a text lists: text, delimiter of entries, of key and value.",
      examples: [Example("split_to_map('a=1,b=2', ',', '=')", "{a=1, b=2}")],
      overloads: [
        .columns([text, text, text], returns: .exact(.map(key: .text, value: .text))) {
          (columns, n, context) throws(QueryError) -> Column in split(columns, n, &context, isMultimap: false)
        }
      ]),
    ScalarFunction(
      "split_to_multimap", summary: "The map of keys to all their values that a text lists.",
      examples: [Example("split_to_multimap('a=1,b=2,a=3', ',', '=')", "{a=[1, 3], b=[2]}")],
      overloads: [
        .columns([text, text, text], returns: .exact(.map(key: .text, value: lists))) {
          (columns, n, context) throws(QueryError) -> Column in split(columns, n, &context, isMultimap: true)
        }
      ]),
  ]

  private static func split(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, isMultimap: Bool
  ) -> Column {
    let builder = ColumnBuilder(context.returnType, capacity: n)
    let validity = commonValidity(columns)
    let views = columns.map(\.view)
    var rows = RowContext(errors: context.errors, session: context.session)
    for row in 0..<n {
      rows.row = row
      guard validity.map({ $0[row] }) ?? true,
        let entries = entries(
          views[0].value(row, as: StringView.self), views[1].value(row, as: StringView.self),
          views[2].value(row, as: StringView.self), isMultimap, &rows)
      else {
        builder.appendNull()
        continue
      }
      for (key, values) in entries {
        key.withUnsafeBytes { builder.children[0].append(bytes: $0) }
        if isMultimap {
          for value in values { value.withUnsafeBytes { builder.children[1].children[0].append(bytes: $0) } }
          builder.children[1].endNested()
        } else {
          values[0].withUnsafeBytes { builder.children[1].append(bytes: $0) }
        }
      }
      builder.endNested()
    }
    context.errors = rows.errors
    return builder.finish()
  }

  /// Keys and their values in the order of the text; nil, and the row failed, when it is damaged.
  private static func entries(
    _ text: StringView, _ entryDelimiter: StringView, _ valueDelimiter: StringView, _ isMultimap: Bool,
    _ rows: inout RowContext
  ) -> [(key: [UInt8], values: [[UInt8]])]? {
    func fail(_ message: String) -> [(key: [UInt8], values: [[UInt8]])]? {
      rows.fail(.invalidFunctionArgument, message)
      return nil
    }
    if entryDelimiter.count == 0 { return fail("entryDelimiter is empty") }
    if valueDelimiter.count == 0 { return fail("keyValueDelimiter is empty") }
    if entryDelimiter == valueDelimiter { return fail("entryDelimiter and keyValueDelimiter must not be the same") }
    let (bytes, outer, inner) = (text.bytes, entryDelimiter.bytes, valueDelimiter.bytes)
    func find(_ needle: [UInt8], _ from: Int, _ to: Int) -> Int? {
      bytes.withUnsafeBufferPointer { p in
        needle.withUnsafeBufferPointer { q in
          guard let base = p.baseAddress else { return nil }
          let at = Int(ck_find(base + from, to - from, q.baseAddress!, q.count))
          return at < 0 ? nil : from + at
        }
      }
    }
    var places: [[UInt8]: Int] = [:]
    var entries: [(key: [UInt8], values: [[UInt8]])] = []
    var at = 0
    while at < bytes.count {
      let end = find(outer, at, bytes.count) ?? bytes.count
      guard let split = find(inner, at, end), find(inner, split + inner.count, end) == nil else {
        return fail(
          "Key-value delimiter must appear exactly once in each entry. Bad input: '"
            + String(decoding: bytes[at..<end], as: UTF8.self) + "'")
      }
      let key = Array(bytes[at..<split])
      let value = Array(bytes[(split + inner.count)..<end])
      if let place = places[key] {
        if !isMultimap {
          return fail("Duplicate keys (\(String(decoding: key, as: UTF8.self))) are not allowed")
        }
        entries[place].values.append(value)
      } else {
        places[key] = entries.count
        entries.append((key, [value]))
      }
      at = end + outer.count
    }
    return entries
  }
}
