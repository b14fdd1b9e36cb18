import Columnar
import Glibc
import QueryErrors

/// `||` and `concat` of texts and bytes.
package enum ConcatenationFunctions: FunctionFamily {
  package static let title = "Concatenation"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "concat", summary: "The arguments one after the other.",
      examples: [Example("concat('a', 'b', 'c')", "abc"), Example("'a' || 'b'", "ab")],
      overloads: [
        .columns([.char, .char], returns: .computed(charType)) { (columns, n, context) throws(QueryError) -> Column in
          concatenatedChars(columns, n, &context)
        },
        .columns([.varchar, .varchar, .varchar], variadic: true, returns: .varchar) {
          (columns, n, context) throws(QueryError) -> Column in concatenated(columns, n, &context)
        },
        .columns([.varbinary, .varbinary, .varbinary], variadic: true, returns: .varbinary) {
          (columns, n, context) throws(QueryError) -> Column in concatenated(columns, n, &context)
        },
      ])
  ]

  private static let charType: @Sendable ([DataType]) throws(QueryError) -> DataType = {
    (types: [DataType]) throws(QueryError) -> DataType in
    var total = 0
    for type in types { if case .char(let length) = type { total += length } }
    return .char(length: total)
  }

  private static func concatenated(_ columns: [Column], _ n: Int, _ context: inout KernelContext) -> Column {
    let views = columns.map(\.view)
    return views.withUnsafeBufferPointer { views in
      mapRows(columns, n, &context) { row, rows -> StringView in
        var total = 0
        var k = 0
        while k < views.count {
          total &+= views[k].value(row, as: StringView.self).count
          k &+= 1
        }
        if total > Int(Int32.max) {
          rows.fail(.invalidFunctionArgument, "Concatenated string is too large")
          return StringView()
        }
        if total == 0 { return StringView() }
        let start = rows.arena.reserve(total)
        var to = start
        k = 0
        while k < views.count {
          let view = views[k]
          let location = view.values.assumingMemoryBound(to: StringView.self) + view.position(row)
          let count = location.pointee.count
          memcpy(to, StringView.bytes(at: location), count)
          to += count
          k &+= 1
        }
        let result = StringView(start, count: total)
        if total <= StringView.inlineCapacity { rows.arena.unreserve(total) }
        return result
      }
    }
  }

  /// Chars: all but the last one padded.
  private static func concatenatedChars(_ columns: [Column], _ n: Int, _ context: inout KernelContext) -> Column {
    let views = columns.map(\.view)
    let lengths = columns.map { column -> Int in if case .char(let length) = column.type { length } else { 0 } }
    let text = TextBuffer()
    return mapRows(columns, n, &context) { row, rows -> StringView in
      text.removeAll()
      for (index, view) in views.enumerated() {
        let value = view.value(row, as: StringView.self)
        text.append(value)
        if index < views.count - 1 { ValueText.pad(value, to: lengths[index], in: text) }
      }
      return TextCasts.withoutPadding(rows.arena.add(UnsafeRawPointer(text.pointer), text.count))
    }
  }
}
