package import Columnar
package import QueryErrors

/// A Swift type that columns hold.
package protocol KernelValue: BitwiseCopyable, Sendable {
  /// A value of no meaning, for rows that have none.
  static var zero: Self { get }
}
extension Int8: KernelValue {}
extension Int16: KernelValue {}
extension Int32: KernelValue {}
extension Int64: KernelValue {}
extension Int128: KernelValue {}
extension Float: KernelValue {}
extension Double: KernelValue {}
extension StringView: KernelValue { package static var zero: StringView { StringView() } }
/// SQL boolean: Bool has the same layout, one byte of 0 or 1.
extension Bool: KernelValue { package static var zero: Bool { false } }

/// What a row-wise kernel may use: a place for strings it makes, a way to fail, the session.
package struct RowContext {
  /// The row being computed.
  package var row = 0
  package var errors: RowErrors
  /// Where result strings longer than 12 bytes live.
  package var arena = StringArena()
  package let session: SessionContext

  package init(errors: RowErrors, session: SessionContext) {
    self.errors = errors
    self.session = session
  }

  /// Records that this row has no value.
  package mutating func fail(_ code: ErrorCode, _ message: @autoclosure () -> String) {
    errors.record(row, code, message())
  }

  /// A string result made from a Swift string; for rows that are rare or slow anyway.
  package mutating func string(_ text: String) -> StringView {
    var copy = text
    return copy.withUTF8 { arena.add(UnsafeRawBufferPointer($0)) }
  }

  /// A string result made from bytes.
  package mutating func string(_ bytes: [UInt8]) -> StringView { bytes.withUnsafeBytes { arena.add($0) } }
}

extension ScalarOverload {
  /// One argument, NULL in NULL out.
  @inline(__always)
  package static func unary<A: KernelValue, R: KernelValue>(
    _ a: TypePattern, returns: ReturnType, _ body: @escaping @Sendable (A, inout RowContext) -> R
  ) -> ScalarOverload {
    .columns([a], returns: returns) { (columns, rowCount, context) throws(QueryError) -> Column in
      let x = columns[0].view
      return mapRows(columns, rowCount, &context) { row, rowContext in body(x.value(row, as: A.self), &rowContext) }
    }
  }

  /// Two arguments, NULL in NULL out.
  @inline(__always)
  package static func binary<A: KernelValue, B: KernelValue, R: KernelValue>(
    _ a: TypePattern, _ b: TypePattern, returns: ReturnType, _ body: @escaping @Sendable (A, B, inout RowContext) -> R
  ) -> ScalarOverload {
    .columns([a, b], returns: returns) { (columns, rowCount, context) throws(QueryError) -> Column in
      let (x, y) = (columns[0].view, columns[1].view)
      return mapRows(columns, rowCount, &context) { row, rowContext in
        body(x.value(row, as: A.self), y.value(row, as: B.self), &rowContext)
      }
    }
  }

  /// Three arguments, NULL in NULL out.
  @inline(__always)
  package static func ternary<A: KernelValue, B: KernelValue, C: KernelValue, R: KernelValue>(
    _ a: TypePattern, _ b: TypePattern, _ c: TypePattern, returns: ReturnType,
    _ body: @escaping @Sendable (A, B, C, inout RowContext) -> R
  ) -> ScalarOverload {
    .columns([a, b, c], returns: returns) { (columns, rowCount, context) throws(QueryError) -> Column in
      let (x, y, z) = (columns[0].view, columns[1].view, columns[2].view)
      return mapRows(columns, rowCount, &context) { row, rowContext in
        body(x.value(row, as: A.self), y.value(row, as: B.self), z.value(row, as: C.self), &rowContext)
      }
    }
  }

  /// One argument; the body may answer NULL.
  @inline(__always)
  package static func unaryOrNull<A: KernelValue, R: KernelValue>(
    _ a: TypePattern, returns: ReturnType, _ body: @escaping @Sendable (A, inout RowContext) -> R?
  ) -> ScalarOverload {
    .columns([a], returns: returns) { (columns, rowCount, context) throws(QueryError) -> Column in
      let x = columns[0].view
      return mapRowsOrNull(columns, rowCount, &context) { row, rowContext in
        body(x.value(row, as: A.self), &rowContext)
      }
    }
  }

  /// Two arguments; the body may answer NULL.
  @inline(__always)
  package static func binaryOrNull<A: KernelValue, B: KernelValue, R: KernelValue>(
    _ a: TypePattern, _ b: TypePattern, returns: ReturnType, _ body: @escaping @Sendable (A, B, inout RowContext) -> R?
  ) -> ScalarOverload {
    .columns([a, b], returns: returns) { (columns, rowCount, context) throws(QueryError) -> Column in
      let (x, y) = (columns[0].view, columns[1].view)
      return mapRowsOrNull(columns, rowCount, &context) { row, rowContext in
        body(x.value(row, as: A.self), y.value(row, as: B.self), &rowContext)
      }
    }
  }

  /// Three arguments; the body may answer NULL.
  @inline(__always)
  package static func ternaryOrNull<A: KernelValue, B: KernelValue, C: KernelValue, R: KernelValue>(
    _ a: TypePattern, _ b: TypePattern, _ c: TypePattern, returns: ReturnType,
    _ body: @escaping @Sendable (A, B, C, inout RowContext) -> R?
  ) -> ScalarOverload {
    .columns([a, b, c], returns: returns) { (columns, rowCount, context) throws(QueryError) -> Column in
      let (x, y, z) = (columns[0].view, columns[1].view, columns[2].view)
      return mapRowsOrNull(columns, rowCount, &context) { row, rowContext in
        body(x.value(row, as: A.self), y.value(row, as: B.self), z.value(row, as: C.self), &rowContext)
      }
    }
  }
}

/// Rows where no argument is NULL; nil when that is all of them.
package func commonValidity(_ columns: [Column]) -> Bitmap? {
  var result: Bitmap?
  for column in columns { result = Bitmap.intersection(result, column.validity) }
  return result
}

/// Calls `body` for each row without NULL arguments and makes a flat column of the values.
@inline(__always)
package func mapRows<R: KernelValue>(
  _ columns: [Column], _ rowCount: Int, _ context: inout KernelContext, _ body: (Int, inout RowContext) -> R
) -> Column {
  let validity = commonValidity(columns)
  let values = Buffer(byteCount: rowCount * MemoryLayout<R>.stride)
  let out = values.typed(R.self)
  var rows = RowContext(errors: context.errors, session: context.session)
  var row = 0
  if let validity {
    while row < rowCount {
      rows.row = row
      out[row] = validity[row] ? body(row, &rows) : R.zero
      row &+= 1
    }
  } else {
    while row < rowCount {
      rows.row = row
      out[row] = body(row, &rows)
      row &+= 1
    }
  }
  context.errors = rows.errors
  return Column(
    flat: context.returnType, count: rowCount, values: values, validity: validity, heap: stringHeap(rows, columns, R.self))
}

/// Like `mapRows`, for bodies that may answer NULL.
@inline(__always)
package func mapRowsOrNull<R: KernelValue>(
  _ columns: [Column], _ rowCount: Int, _ context: inout KernelContext, _ body: (Int, inout RowContext) -> R?
) -> Column {
  let validity = commonValidity(columns)
  let valid = Bitmap(count: rowCount, filled: true)
  var hasNulls = false
  let values = Buffer(byteCount: rowCount * MemoryLayout<R>.stride)
  let out = values.typed(R.self)
  var rows = RowContext(errors: context.errors, session: context.session)
  var row = 0
  while row < rowCount {
    rows.row = row
    if validity.map({ $0[row] }) ?? true, let value = body(row, &rows) {
      out[row] = value
    } else {
      out[row] = R.zero
      valid.clear(row)
      hasNulls = true
    }
    row &+= 1
  }
  context.errors = rows.errors
  return Column(
    flat: context.returnType, count: rowCount, values: values, validity: hasNulls ? valid : nil,
    heap: stringHeap(rows, columns, R.self))
}

/// What result strings may point into: what the kernel made and what the arguments held.
@inline(__always)
private func stringHeap<R: KernelValue>(_ rows: RowContext, _ columns: [Column], _: R.Type) -> StringHeap? {
  guard R.self == StringView.self else { return nil }
  return resultHeap(arena: rows.arena, arguments: columns)
}

/// A heap that keeps an arena and the strings of some columns alive.
package func resultHeap(arena: StringArena, arguments: [Column]) -> StringHeap? {
  var heap = arena.heap
  for column in arguments {
    // A short string of a constant or dictionary may be pointed to inside its view: keep the column's values too.
    if let own = column.storage.heap { heap = StringHeap.union(heap, own) }
  }
  return heap
}
