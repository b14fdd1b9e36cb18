import Columnar
import Glibc
import QueryErrors

/// JSON values: reading, writing, looking inside.
///
/// - Source: Trino `JsonFunctions`, `JsonExtract`.
package enum JSONFunctions: FunctionFamily {
  package static let title = "JSON"

  private static let text = TypePattern.exact(.text)
  /// JSON values, and texts that hold them.
  private static let inputs: [TypePattern] = [text, .json]

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "json_parse", summary: "The JSON value that a text spells.",
      examples: [Example("json_parse('{\"b\": 1, \"a\": [true]}')", "{\"a\":[true],\"b\":1}")],
      overloads: [
        .columns([text], returns: .json) { (columns, n, context) throws(QueryError) -> Column in
          let out = TextBuffer()
          return mapDocuments(columns, n, &context) { _, p, n, rows -> StringView? in
            out.removeAll()
            if JSONText.appendCanonical(p, n, to: out) { return rows.string(out) }
            rows.fail(
              .invalidFunctionArgument, "Cannot convert value to JSON: '\(StringView(p, count: n).string)'")
            return nil
          }
        }
      ]),
    ScalarFunction(
      "json_format", summary: "The text of a JSON value.", examples: [Example("json_format(JSON '[1, 2]')", "[1,2]")],
      overloads: [
        .columns([.json], returns: .varchar) { (columns, n, context) throws(QueryError) -> Column in
          columns[0].retyped(.text)
        }
      ]),
    ScalarFunction(
      "json_extract", summary: "The JSON value at a path, as JSON; NULL when there is none.",
      examples: [Example("json_extract('{\"a\": {\"b\": [1, 2]}}', '$.a.b')", "[1,2]")],
      overloads: inputs.flatMap { (type: TypePattern) in
        withPath(type, returns: .json) { columns, n, context, cache in
          let out = TextBuffer()
          return mapDocuments(columns, n, &context) { row, p, n, rows -> StringView? in
            guard let path = cache.path(columns[1].view.value(row, as: StringView.self), &rows) else { return nil }
            var reader = JSONReader(p, n)
            guard let token = path.find(&reader, out) else { return nil }
            out.removeAll()
            guard JSONText.appendCompact(&reader, token, to: out) else { return nil }
            return rows.string(out)
          }
        }
      }),
    ScalarFunction(
      "json_extract_scalar", summary: "The boolean, number or string at a path, as text; NULL when there is none.",
      examples: [Example("json_extract_scalar('{\"a\": [\"x\", 2]}', '$.a[1]')", "2")],
      overloads: inputs.flatMap { (type: TypePattern) in
        withPath(type, returns: .varchar) { columns, n, context, cache in
          let out = TextBuffer()
          return mapDocuments(columns, n, &context) { row, p, n, rows -> StringView? in
            guard let path = cache.path(columns[1].view.value(row, as: StringView.self), &rows) else { return nil }
            var reader = JSONReader(p, n)
            guard let token = path.find(&reader, out) else { return nil }
            switch token {
            case .string where reader.hasEscapes:
              out.removeAll()
              reader.appendString(to: out)
              return rows.string(out)
            case .string, .integer, .decimal, .true, .false:
              let bytes = reader.tokenBytes
              return StringView(bytes.baseAddress!, count: bytes.count)
            default: return nil
            }
          }
        }
      }),
    ScalarFunction(
      "json_size", summary: "How many members or elements the JSON value at a path has; 0 for other values.",
      examples: [Example("json_size('{\"x\": {\"a\": 1, \"b\": 2}}', '$.x')", "2")],
      overloads: inputs.flatMap { (type: TypePattern) in
        withPath(type, returns: .bigint) { columns, n, context, cache in
          let out = TextBuffer()
          return mapDocuments(columns, n, &context) { row, p, n, rows -> Int64? in
            guard let path = cache.path(columns[1].view.value(row, as: StringView.self), &rows) else { return nil }
            var reader = JSONReader(p, n)
            guard let token = path.find(&reader, out) else { return nil }
            return size(&reader, token)
          }
        }
      }),
    ScalarFunction(
      "json_array_length", summary: "How many elements a JSON array has; NULL when the value is none.",
      examples: [Example("json_array_length('[1, 2, 3]')", "3")],
      overloads: inputs.map { (type: TypePattern) in
        .columns([type], returns: .bigint) { (columns, n, context) throws(QueryError) -> Column in
          mapDocuments(columns, n, &context) { _, p, n, _ -> Int64? in
            var reader = JSONReader(p, n)
            let token = reader.next()
            return token == .beginArray ? size(&reader, token) : nil
          }
        }
      }),
    ScalarFunction(
      "json_array_get", summary: "The element of a JSON array at an index from 0 on, or from the end when negative.",
      examples: [Example("json_array_get('[1, 3, 5]', 1)", "3"), Example("json_array_get('[1, 3, 5]', -1)", "5")],
      overloads: inputs.map { (type: TypePattern) in
        .columns([type, .bigint], returns: .json) { (columns, n, context) throws(QueryError) -> Column in
          let out = TextBuffer()
          let y = columns[1].view
          return mapDocuments(columns, n, &context) { row, p, n, rows -> StringView? in
            element(p, n, y.value(row, as: Int64.self), out, &rows)
          }
        }
      }),
    ScalarFunction(
      "json_array_contains", summary: "Whether a JSON array holds a value; NULL when it is no array.",
      examples: [Example("json_array_contains('[1, 2, 3]', 2)", "true")],
      overloads: inputs.flatMap { (type: TypePattern) -> [ScalarOverload] in
        [
          containing(type, .boolean) { (token, bytes, value: Bool) in token == (value ? .true : .false) },
          containing(type, .bigint) { (token, bytes, value: Int64) in
            token == .integer
              && NumberText.parseInteger(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count) == value
          },
          containing(type, .double) { (token, bytes, value: Double) in
            token == .decimal
              && NumberText.parseDouble(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count)
                .map { $0.isFinite && $0 == value } ?? false
          },
          containingText(type),
        ]
      }),
    ScalarFunction(
      "is_json_scalar", summary: "Whether a JSON value is null, a boolean, a number or a string.",
      examples: [Example("is_json_scalar('1')", "true"), Example("is_json_scalar('[1]')", "false")],
      overloads: inputs.map { (type: TypePattern) in
        .columns([type], returns: .boolean) { (columns, n, context) throws(QueryError) -> Column in
          mapDocuments(columns, n, &context) { _, p, n, rows -> Bool? in
            var reader = JSONReader(p, n)
            let token = reader.next()
            if token != .invalid, token != .end, reader.skip(token), reader.next() == .end {
              return token != .beginObject && token != .beginArray
            }
            rows.fail(.invalidFunctionArgument, "Invalid JSON value: \(StringView(p, count: n).string)")
            return nil
          }
        }
      }),
  ]

  // MARK: Loops

  /// Calls `body` with each row's document; nil is NULL.
  @inline(__always)
  private static func mapDocuments<R: KernelValue>(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext,
    _ body: (Int, UnsafePointer<UInt8>, Int, inout RowContext) -> R?
  ) -> Column {
    let x = columns[0].view
    let views = x.values.assumingMemoryBound(to: StringView.self)
    return mapRowsOrNull(columns, n, &context) { row, rows -> R? in
      let location = views + x.position(row)
      return body(row, StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self), location.pointee.count, &rows)
    }
  }

  /// Forms whose second argument is a path, a varchar or a char.
  private static func withPath(
    _ type: TypePattern, returns: ReturnType,
    _ body: @escaping @Sendable ([Column], Int, inout KernelContext, JSONPathCache) -> Column
  ) -> [ScalarOverload] {
    let overload = ScalarOverload(Signature([type, text], returns: returns)) { (_: SignatureBinding) throws(QueryError) -> Kernel in
      let cache = JSONPathCache()
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        body(columns, n, &context, cache)
      }
    }
    return [overload, overload.takingChar(at: 1)]
  }

  // MARK: Values

  /// Members or elements of the value that `token` begins; nil when it is damaged.
  private static func size(_ reader: inout JSONReader, _ token: JSONReader.Token) -> Int64? {
    var count: Int64 = 0
    switch token {
    case .beginArray:
      while true {
        let next = reader.next()
        if next == .endArray { return count }
        guard reader.skip(next) else { return nil }
        count &+= 1
      }
    case .beginObject:
      while true {
        let next = reader.next()
        if next == .endObject { return count }
        guard next == .key, reader.skip(reader.next()) else { return nil }
        count &+= 1
      }
    case .invalid, .end: return nil
    default: return 0
    }
  }

  private static func element(
    _ p: UnsafePointer<UInt8>, _ n: Int, _ index: Int64, _ out: TextBuffer, _ rows: inout RowContext
  ) -> StringView? {
    var rest = index
    if index < 0 {
      var counter = JSONReader(p, n)
      let token = counter.next()
      guard token == .beginArray, let count = size(&counter, token), 0 &- count <= index else { return nil }
      rest = count &+ index
    }
    var reader = JSONReader(p, n)
    guard reader.next() == .beginArray else { return nil }
    while true {
      let token = reader.next()
      if token == .endArray || token == .invalid { return nil }
      if rest == 0 {
        out.removeAll()
        // A string comes without its quotes, as in Trino.
        switch token {
        case .null: return nil
        case .string: reader.appendString(to: out)
        default: if !JSONText.appendCompact(&reader, token, to: out) { return nil }
        }
        return rows.string(out)
      }
      guard reader.skip(token) else { return nil }
      rest &-= 1
    }
  }

  // MARK: Containing

  /// Whether some element of the array in the text passes `test`; nil when the text is no array.
  @inline(__always)
  private static func contains(
    _ p: UnsafePointer<UInt8>, _ n: Int, _ test: (JSONReader.Token, JSONReader) -> Bool
  ) -> Bool? {
    var reader = JSONReader(p, n)
    guard reader.next() == .beginArray else { return nil }
    while true {
      let token = reader.next()
      if token == .endArray { return false }
      if test(token, reader) { return true }
      guard reader.skip(token) else { return nil }
    }
  }

  private static func containing<T: KernelValue>(
    _ type: TypePattern, _ value: TypePattern,
    _ test: @escaping @Sendable (JSONReader.Token, UnsafeRawBufferPointer, T) -> Bool
  ) -> ScalarOverload {
    .columns([type, value], returns: .boolean) { (columns, n, context) throws(QueryError) -> Column in
      let y = columns[1].view
      return mapDocuments(columns, n, &context) { row, p, n, _ -> Bool? in
        let wanted = y.value(row, as: T.self)
        return contains(p, n) { token, reader in test(token, reader.tokenBytes, wanted) }
      }
    }
  }

  private static func containingText(_ type: TypePattern) -> ScalarOverload {
    .columns([type, text], returns: .boolean) { (columns, n, context) throws(QueryError) -> Column in
      let y = columns[1].view
      let scratch = TextBuffer()
      return mapDocuments(columns, n, &context) { row, p, n, _ -> Bool? in
        let wanted = y.value(row, as: StringView.self)
        return contains(p, n) { token, reader in
          guard token == .string else { return false }
          scratch.removeAll()
          reader.appendString(to: scratch)
          return scratch.count == wanted.count && scratch.view == wanted
        }
      }
    }
  }
}
