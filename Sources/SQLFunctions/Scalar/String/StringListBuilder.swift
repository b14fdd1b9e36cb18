import Columnar
import Glibc
import QueryErrors

/// Makes an array column of strings, row by row.
///
/// - Threads: one owner.
final class StringListBuilder {
  private var values = Buffer(byteCount: 64 * 16)
  private var capacity = 64
  private(set) var count = 0
  private let offsets: Buffer
  private var row = 0
  private var nullElements: [Int32] = []

  init(rowCount: Int) {
    offsets = Buffer(byteCount: (rowCount + 1) * 4)
    offsets.typed(Int32.self)[0] = 0
  }

  /// One more element of the row in hand.
  @inline(__always)
  func append(_ view: StringView) {
    if count == capacity { grow() }
    values.typed(StringView.self)[count] = view
    count &+= 1
  }

  /// One more element that is NULL.
  func appendNull() {
    nullElements.append(Int32(truncatingIfNeeded: count))
    append(StringView())
  }

  /// Elements of the row in hand so far.
  var rowElementCount: Int { count &- Int(offsets.typed(Int32.self)[row]) }

  @inline(never)
  private func grow() {
    capacity *= 2
    let larger = Buffer(byteCount: capacity * 16)
    memcpy(larger.pointer, values.pointer, count * 16)
    values = larger
  }

  /// Ends the row in hand.
  @inline(__always)
  func endRow() {
    row &+= 1
    offsets.typed(Int32.self)[row] = Int32(truncatingIfNeeded: count)
  }

  /// The column; `type` is that of the array.
  func finish(_ type: DataType, validity: Bitmap?, heap: StringHeap?) -> Column {
    var elementValidity: Bitmap?
    if !nullElements.isEmpty {
      let bitmap = Bitmap(count: count, filled: true)
      for element in nullElements { bitmap.clear(Int(element)) }
      elementValidity = bitmap
    }
    let elements = Column(flat: type.childTypes[0], count: count, values: values, validity: elementValidity, heap: heap)
    return Column(nested: type, count: row, offsets: offsets, children: [elements], validity: validity)
  }
}

/// Makes a column of string lists: `body` appends the elements of one row, whose arguments are not NULL.
@inline(__always)
func mapStringLists(
  _ columns: [Column], _ rowCount: Int, _ context: inout KernelContext,
  _ body: (Int, StringListBuilder, inout RowContext) -> Void
) -> Column {
  let validity = commonValidity(columns)
  let list = StringListBuilder(rowCount: rowCount)
  var rows = RowContext(errors: context.errors, session: context.session)
  var row = 0
  while row < rowCount {
    rows.row = row
    if validity.map({ $0[row] }) ?? true { body(row, list, &rows) }
    if list.count > Int(Int32.max) / 2 {
      rows.fail(.exceededFunctionMemoryLimit, "The arrays that a function makes for one batch have too many elements")
      while row < rowCount {
        list.endRow()
        row &+= 1
      }
      break
    }
    list.endRow()
    row &+= 1
  }
  context.errors = rows.errors
  return list.finish(
    context.returnType, validity: validity, heap: resultHeap(arena: rows.arena, arguments: columns))
}
