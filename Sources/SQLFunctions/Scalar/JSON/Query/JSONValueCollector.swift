package import Columnar
import QueryErrors

/// How JSON_VALUE, or a column of JSON_TABLE, turns items into SQL values.
package struct JSONValueOptions: Sendable {
  package enum Behavior: Sendable, Equatable {
    case null
    case error
    /// The value of the call's lambda of that number, of type `type`. When errors do not end the query, the lambda ON
    /// EMPTY gives `TRY(ROW(value))` instead, so that its failure can go on to ON ERROR.
    case lambda(Int)
  }

  package var type: DataType
  package var onEmpty: Behavior
  package var onError: Behavior

  package init(type: DataType, onEmpty: Behavior, onError: Behavior) {
    self.type = type
    self.onEmpty = onEmpty
    self.onError = onError
  }
}

/// Collects what paths find row by row and makes the column of SQL values of one type.
///
/// - Threads: one owner.
/// - Source: Trino `JsonValueFunction`.
final class JSONValueCollector {
  /// Values of one type, and the rows they are for.
  private struct Source {
    var type: DataType
    var builder: ColumnBuilder
    var rows: [Int32]
  }

  private let options: JSONValueOptions
  private var sources: [Source] = []
  private var emptyRows: [Int32] = []
  private var failedRows: [Int32] = []
  /// Errors that end the query, by row.
  private var errors: [(row: Int, error: QueryError)] = []
  private(set) var count = 0

  init(_ options: JSONValueOptions) { self.options = options }

  private static func error(_ reason: String) -> QueryError {
    QueryError(.jsonValueResultError, "cannot extract SQL scalar from JSON: \(reason)")
  }

  /// Adds a row of NULL.
  func addNull() { count += 1 }

  /// Adds a row without a value because of an error.
  func add(_ error: @autoclosure () -> QueryError) {
    fail(count, error())
    count += 1
  }

  private func fail(_ row: Int, _ error: @autoclosure () -> QueryError) {
    switch options.onError {
    case .null: break
    case .error: errors.append((row, error()))
    case .lambda: failedRows.append(Int32(truncatingIfNeeded: row))
    }
  }

  /// Adds the row that a path's items mean.
  func add(_ items: [JSONItem]) {
    let row = count
    if items.isEmpty {
      switch options.onEmpty {
      case .null: break
      case .error: errors.append((row, JSONValueCollector.error("JSON path found no items")))
      case .lambda: emptyRows.append(Int32(truncatingIfNeeded: row))
      }
    } else if items.count > 1 {
      fail(row, JSONValueCollector.error("JSON path found multiple items"))
    } else {
      append(items[0], row)
    }
    count += 1
  }

  private func append(_ item: JSONItem, _ row: Int) {
    func fail() {
      self.fail(row, JSONValueCollector.error("JSON path found an item that cannot be converted to an SQL value"))
    }
    switch item {
    case .value(let value, let type): source(type, row).append(value)
    case .node(let node):
      let bytes = node.bytes
      switch node.token {
      case .null: break
      case .true, .false: source(.boolean, row).append(fixed: UInt8(node.token == .true ? 1 : 0))
      case .string:
        if !node.hasEscapes {
          source(.text, row).append(bytes: UnsafeRawBufferPointer(bytes))
        } else if let text = item.text {
          text.withUnsafeBytes { source(.text, row).append(bytes: $0) }
        }
      case .integer:
        guard let value = NumberText.parseInteger(bytes.baseAddress!, bytes.count) else { return fail() }
        if let small = Int32(exactly: value) {
          source(.integer, row).append(fixed: small)
        } else {
          source(.bigint, row).append(fixed: value)
        }
      case .decimal:
        guard let value = NumberText.parseDouble(bytes.baseAddress!, bytes.count) else { return fail() }
        source(.double, row).append(fixed: value)
      default: fail()
      }
    }
  }

  private func source(_ type: DataType, _ row: Int) -> ColumnBuilder {
    var index = 0
    while index < sources.count, sources[index].type != type { index += 1 }
    if index == sources.count { sources.append(Source(type: type, builder: ColumnBuilder(type), rows: [])) }
    sources[index].rows.append(Int32(truncatingIfNeeded: row))
    return sources[index].builder
  }

  // MARK: The column

  /// The column of all rows added; the collector is empty afterwards.
  ///
  /// - Parameter outerRows: the row of the call's batch that each row belongs to; nil when they are the same.
  func finish(_ outerRows: [Int32]?, _ context: inout KernelContext) throws(QueryError) -> Column {
    defer {
      count = 0
      sources.removeAll()
      emptyRows.removeAll()
      failedRows.removeAll()
      errors.removeAll()
    }
    var parts: [Column] = []
    // Where each row's value is among the parts, −1 for NULL.
    var picks = [Int32](repeating: -1, count: count)
    var partRowCount: Int32 = 0
    func add(_ part: Column, _ rows: [Int32]) {
      for (index, row) in rows.enumerated() { picks[Int(row)] = partRowCount + Int32(truncatingIfNeeded: index) }
      parts.append(part)
      partRowCount += Int32(truncatingIfNeeded: part.count)
    }
    for source in sources {
      guard let (column, failed) = try converted(source, &context) else { continue }
      add(column, source.rows)
      for row in failed { picks[Int(source.rows[Int(row)])] = -1 }
    }
    if case .lambda(let index) = options.onEmpty, !emptyRows.isEmpty {
      var column = try evaluate(index, emptyRows, outerRows, &context)
      if options.onError != .error {
        // NULL rows: the default failed.
        for (index, row) in emptyRows.enumerated() where column.isNull(index) {
          fail(Int(row), JSONValueCollector.error("the default ON EMPTY failed"))
        }
        column = field(column)
      }
      add(column, emptyRows)
    }
    if case .lambda(let index) = options.onError, !failedRows.isEmpty {
      add(try evaluate(index, failedRows, outerRows, &context), failedRows)
    }
    for (row, error) in errors { context.errors.record(outerRows.map { Int($0[row]) } ?? row, error) }
    if parts.isEmpty { return .nulls(options.type, count: count) }
    let all = Column.concatenate(parts, type: options.type)
    let isInOrder = picks.indices.allSatisfy { picks[$0] == Int32(truncatingIfNeeded: $0) }
    return isInOrder && all.count == count ? all : all.takeOrNull(picks)
  }

  /// A source's values as the wanted type, and which of them could not be cast; nil when there is no such cast.
  private func converted(
    _ source: Source, _ context: inout KernelContext
  ) throws(QueryError) -> (column: Column, failed: [Int32])? {
    let column = source.builder.finish()
    if source.type == options.type { return (column, []) }
    func error() -> QueryError {
      JSONValueCollector.error(
        "Cannot cast value of type \(source.type) to declared return type of function JSON_VALUE: \(options.type)")
    }
    guard let factory = CastRegistry.makeKernel(from: source.type, to: options.type) else {
      for row in source.rows { fail(Int(row), error()) }
      return nil
    }
    let kernel = try factory(SignatureBinding(argumentTypes: [source.type], returnType: options.type))
    var inner = KernelContext(errors: RowErrors(collecting: true), returnType: options.type, session: context.session)
    let result = try kernel([column], column.count, &inner)
    if let first = inner.errors.first { throw first.error }
    for row in inner.errors.failedRows { fail(Int(source.rows[Int(row)]), error()) }
    return (result, inner.errors.failedRows)
  }

  private func evaluate(
    _ lambda: Int, _ rows: [Int32], _ outerRows: [Int32]?, _ context: inout KernelContext
  ) throws(QueryError) -> Column {
    let outer = outerRows.map { all in rows.map { all[Int($0)] } } ?? rows
    return try context.lambdas[lambda].evaluate([], outerRows: outer, rowCount: rows.count, errors: &context.errors)
  }

  /// The only field of a column of rows.
  private func field(_ column: Column) -> Column {
    let n = column.count
    if column.isAllNull || n == 0 { return .nulls(options.type, count: n) }
    let rows = (0..<n).map { column.isNull($0) ? -1 : Int32(truncatingIfNeeded: column.position($0)) }
    return column.storage.children[0].takeOrNull(rows)
  }
}
