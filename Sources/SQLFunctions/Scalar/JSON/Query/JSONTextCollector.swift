package import Columnar
import QueryErrors

/// How JSON is handed out as SQL text.
package struct JSONOutput: Sendable {
  /// varchar, char, varbinary or json.
  package var type: DataType
  /// Of varbinary.
  package var encoding: JSONEncoding

  package init(type: DataType, encoding: JSONEncoding) {
    self.type = type
    self.encoding = encoding
  }
}

/// How JSON_QUERY, or a column of JSON_TABLE, turns items into JSON text.
package struct JSONQueryOptions: Sendable {
  package enum Behavior: Sendable {
    case null, error, emptyArray, emptyObject
  }
  package enum Wrapper: Sendable {
    case without, conditional, unconditional
  }

  package var output: JSONOutput
  package var wrapper: Wrapper
  package var omitsQuotes: Bool
  package var onEmpty: Behavior
  package var onError: Behavior

  package init(output: JSONOutput, wrapper: Wrapper, omitsQuotes: Bool, onEmpty: Behavior, onError: Behavior) {
    self.output = output
    self.wrapper = wrapper
    self.omitsQuotes = omitsQuotes
    self.onEmpty = onEmpty
    self.onError = onError
  }
}

/// Builds a column of JSON texts in the type and encoding wanted.
///
/// - Threads: one owner.
final class JSONTextBuilder {
  private let output: JSONOutput
  private let builder: ColumnBuilder
  private let encoded = TextBuffer()

  init(_ output: JSONOutput) {
    self.output = output
    builder = ColumnBuilder(output.type == .json || output.type == .varbinary ? output.type : .text)
  }

  func appendNull() { builder.appendNull() }

  /// - Parameter text: UTF-8.
  func append(_ text: TextBuffer) {
    var source = text
    encoded.removeAll()
    if output.type == .varbinary, output.encoding != .utf8 {
      output.encoding.encode(text, to: encoded)
      source = encoded
    } else if output.type == .json, JSONText.appendCanonical(UnsafePointer(text.pointer), text.count, to: encoded) {
      source = encoded
    }
    builder.append(bytes: UnsafeRawBufferPointer(start: source.pointer, count: source.count))
  }

  /// The column; the builder is empty afterwards.
  func finish(_ context: inout KernelContext) throws(QueryError) -> Column {
    let type = builder.type
    let column = builder.finish()
    guard type != output.type, let factory = CastRegistry.makeKernel(from: type, to: output.type) else { return column }
    let kernel = try factory(SignatureBinding(argumentTypes: [type], returnType: output.type))
    return try kernel([column], column.count, &context)
  }
}

/// Collects what paths find row by row and makes the column of JSON texts.
///
/// - Threads: one owner.
/// - Source: Trino `JsonQueryFunction`, `JsonOutputFunctions`.
final class JSONTextCollector {
  private let options: JSONQueryOptions
  private let builder: JSONTextBuilder
  private let text = TextBuffer()
  private var writers: [DataType: JSONValueWriter] = [:]
  /// Errors that end the query, by row.
  private var errors: [(row: Int, error: QueryError)] = []
  private(set) var count = 0

  init(_ options: JSONQueryOptions) {
    self.options = options
    builder = JSONTextBuilder(options.output)
  }

  /// Adds a row of NULL.
  func addNull() {
    builder.appendNull()
    count += 1
  }

  /// Adds a row without items because of an error.
  func add(_ error: @autoclosure () -> QueryError) { add(options.onError, error()) }

  private func add(_ behavior: JSONQueryOptions.Behavior, _ error: @autoclosure () -> QueryError) {
    text.removeAll()
    switch behavior {
    case .null: return addNull()
    case .error:
      errors.append((count, error()))
      return addNull()
    case .emptyArray: text.append("[]")
    case .emptyObject: text.append("{}")
    }
    builder.append(text)
    count += 1
  }

  private static func error(_ reason: String) -> QueryError {
    QueryError(.jsonOutputConversionError, "conversion from JSON failed: \(reason)")
  }

  /// Adds the row that a path's items mean.
  func add(_ items: [JSONItem]) {
    if items.isEmpty { return add(options.onEmpty, JSONTextCollector.error("JSON path found no items")) }
    let isWrapped =
      switch options.wrapper {
      case .without: false
      case .unconditional: true
      case .conditional: items.count > 1 || !isStructure(items[0])
      }
    text.removeAll()
    if isWrapped { text.append(0x5b) }
    for (index, item) in items.enumerated() {
      if index > 0 { text.append(0x2c) }
      if let error = append(item, isAlone: items.count == 1 && !isWrapped) { return add(options.onError, error) }
    }
    if isWrapped { text.append(0x5d) }
    if items.count > 1, !isWrapped {
      return add(options.onError, JSONTextCollector.error("JSON path found multiple items"))
    }
    builder.append(text)
    count += 1
  }

  private func isStructure(_ item: JSONItem) -> Bool {
    if case .node(let node) = item { return node.token == .beginObject || node.token == .beginArray }
    return false
  }

  /// Appends an item's text; the error when it has none.
  private func append(_ item: JSONItem, isAlone: Bool) -> QueryError? {
    if isAlone, options.omitsQuotes, let string = item.text {
      string.withUnsafeBytes { if let p = $0.baseAddress { text.append(p, $0.count) } }
      return nil
    }
    switch item {
    case .node(let node): node.appendJSON(to: text)
    case .value(let value, let type):
      guard type == .boolean || type.isNumeric || type.isCharacter else {
        return JSONTextCollector.error(
          "JSON path returned a scalar SQL value of type \(type) that cannot be represented as JSON")
      }
      let writer = writers[type] ?? JSONValueWriter(type)
      writers[type] = writer
      writer.append(.constant(value, type, count: 1), 0, to: text)
    }
    return nil
  }

  /// The column of all rows added; the collector is empty afterwards.
  ///
  /// - Parameter outerRows: the row of the call's batch that each row belongs to; nil when they are the same.
  func finish(_ outerRows: [Int32]?, _ context: inout KernelContext) throws(QueryError) -> Column {
    for (row, error) in errors { context.errors.record(outerRows.map { Int($0[row]) } ?? row, error) }
    errors.removeAll()
    count = 0
    return try builder.finish(&context)
  }
}
