import Columnar
import QueryErrors

/// Checks that the entries of maps under construction have usable keys.
enum MapKeys {
  /// Records rows with repeated keys, NULL keys or keys that hold NULLs.
  ///
  /// - Shape: `keys`: the key column; row `r`'s keys lie at `range(r)`.
  static func check(
    _ keys: Column, rowCount: Int, _ context: inout KernelContext, _ range: (Int) -> Range<Int>
  ) {
    var set = ElementSet(keys)
    let isNested = keys.type.isNested
    for row in 0..<rowCount {
      let range = range(row)
      set.clear(count: range.count)
      for at in range {
        if keys.isNull(at) {
          context.errors.record(row, .invalidFunctionArgument, "map key cannot be null")
          break
        }
        if isNested, hasNull(keys, at) {
          context.errors.record(
            row, .invalidFunctionArgument, "map key cannot be indeterminate: \(text(keys, at, context.session))")
          break
        }
        if set.insert(at) != nil {
          context.errors.record(
            row, .invalidFunctionArgument,
            "Duplicate map keys (\(text(keys, at, context.session))) are not allowed")
          break
        }
      }
    }
  }

  /// Whether a value has a NULL inside.
  static func hasNull(_ column: Column, _ row: Int) -> Bool {
    if column.isNull(row) { return true }
    let (storage, position) = (column.storage, column.position(row))
    switch column.type.physicalType {
    case .array: return storage.elementRange(position).contains { hasNull(storage.children[0], $0) }
    case .map:
      return storage.elementRange(position).contains {
        hasNull(storage.children[0], $0) || hasNull(storage.children[1], $0)
      }
    case .row: return storage.children.contains { hasNull($0, position) }
    default: return false
    }
  }

  /// A value as messages show it.
  static func text(_ column: Column, _ row: Int, _ session: SessionContext) -> String {
    if column.isNull(row) { return "null" }
    let (storage, position) = (column.storage, column.position(row))
    switch column.type {
    case .array:
      let items = storage.elementRange(position).map { text(storage.children[0], $0, session) }
      return "[" + items.joined(separator: ", ") + "]"
    case .map:
      let items = storage.elementRange(position).map {
        text(storage.children[0], $0, session) + "=" + text(storage.children[1], $0, session)
      }
      return "{" + items.joined(separator: ", ") + "}"
    case .row:
      return "[" + storage.children.map { text($0, position, session) }.joined(separator: ", ") + "]"
    case .double, .real:
      switch column.scalar(row) {
      case .double(let value):
        return value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : value.isNaN ? "NaN" : "\(value)"
      case .real(let value):
        return value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : value.isNaN ? "NaN" : "\(value)"
      default: return ""
      }
    default: return castText(column, row, session) ?? "\(column.scalar(row))"
    }
  }

  /// `CAST(value AS varchar)`; nil where there is no such cast.
  static func castText(_ column: Column, _ row: Int, _ session: SessionContext) -> String? {
    let one = column.slice(offset: row, count: 1).flattened()
    if column.type.isCharacter { return one.scalar(0).stringValue }
    let binding = SignatureBinding(argumentTypes: [column.type], returnType: .text)
    var context = KernelContext(returnType: .text, session: session)
    guard let factory = CastRegistry.makeKernel(from: column.type, to: .text), let kernel = try? factory(binding),
      let result = try? kernel([one], 1, &context)
    else { return nil }
    return result.scalar(0).stringValue
  }
}
