import Columnar
import QueryErrors

/// Casts of arrays, maps and rows, element by element.
///
/// - Source: Trino `ArrayToArrayCast`, `MapToMapCast`, `RowToRowCast`.
enum NestedCasts {
  typealias Cast = CastRegistry.Cast

  static func cast(_ from: DataType, _ to: DataType) -> Cast? {
    switch (from, to) {
    case (.array(let a), .array(let b)):
      guard let element = CastRegistry.cast(a, b) else { return nil }
      return { (columns, n, context) throws(QueryError) -> Column in
        let (column, rows) = compact(columns[0])
        let child = try castChild(column.children[0], element, b, rows, &context)
        return Column(
          nested: to, count: n, offsets: column.offsets!, children: [child], validity: column.validity)
      }
    case (.map(let k, let v), .map(let l, let w)):
      guard let key = CastRegistry.cast(k, l), let value = CastRegistry.cast(v, w) else { return nil }
      return { (columns, n, context) throws(QueryError) -> Column in
        let (column, rows) = compact(columns[0])
        let keys = try castChild(column.children[0], key, l, rows, &context)
        let values = try castChild(column.children[1], value, w, rows, &context)
        let result = Column(
          nested: to, count: n, offsets: column.offsets!, children: [keys, values], validity: column.validity)
        if k != l { checkKeys(result, &context.errors) }
        return result
      }
    case (.row(let a), .row(let b)):
      guard a.count == b.count else { return nil }
      var casts: [Cast] = []
      for (x, y) in zip(a, b) {
        guard let cast = CastRegistry.cast(x.type, y.type) else { return nil }
        casts.append(cast)
      }
      let fieldCasts = casts
      return { (columns, n, context) throws(QueryError) -> Column in
        let column = columns[0].flattened()
        var children: [Column] = []
        for (index, cast) in fieldCasts.enumerated() {
          var child = column.children[index]
          // Fields of NULL rows must not fail.
          if let validity = column.validity {
            child = child.withValidity(Bitmap.intersection(child.validity, validity))
          }
          let type = context.returnType
          context.returnType = b[index].type
          children.append(try cast([child], n, &context))
          context.returnType = type
        }
        return Column(row: to, count: n, children: children, validity: column.validity)
      }
    default: return nil
    }
  }

  /// The column flat, with exactly the elements that its rows hold, and the row of each element.
  private static func compact(_ column: Column) -> (column: Column, rows: [Int32]) {
    var flat = column.flattened()
    let n = flat.count
    var isCompact = flat.validity == nil
    if isCompact, n > 0 {
      isCompact = flat.elementRange(0).lowerBound == 0 && flat.elementRange(n - 1).upperBound == flat.children[0].count
    }
    if !isCompact {
      let all = Buffer(byteCount: n * 4)
      for row in 0..<n { all.typed(Int32.self)[row] = Int32(row) }
      flat = flat.take(all.typed(Int32.self), count: n)
    }
    var rows: [Int32] = []
    rows.reserveCapacity(flat.children[0].count)
    for row in 0..<n { for _ in flat.elementRange(row) { rows.append(Int32(row)) } }
    return (flat, rows)
  }

  /// Casts elements; their errors count for the rows that hold them.
  private static func castChild(
    _ child: Column, _ cast: Cast, _ to: DataType, _ rows: [Int32], _ context: inout KernelContext
  ) throws(QueryError) -> Column {
    var inner = KernelContext(
      errors: RowErrors(collecting: context.errors.collectsRows), returnType: to, session: context.session)
    let count = min(child.count, rows.count)
    let result = try cast([child.slice(offset: 0, count: count)], count, &inner)
    if let (row, error) = inner.errors.first { context.errors.record(Int(rows[row]), error) }
    for row in inner.errors.failedRows {
      context.errors.record(Int(rows[Int(row)]), QueryError(.invalidCastArgument, "Cannot cast to \(to)"))
    }
    return result
  }

  /// Records maps whose cast keys are NULL or no longer distinct.
  private static func checkKeys(_ map: Column, _ errors: inout RowErrors) {
    let keys = map.children[0]
    let comparator = RowComparator(keys, keys)
    let hashes = Buffer(byteCount: keys.count * 8)
    HashKernel.hash([keys], rowCount: keys.count, into: hashes.typed(UInt64.self))
    let hash = hashes.typed(UInt64.self)
    for row in 0..<map.count where !map.isNull(row) {
      let range = map.elementRange(row)
      var seen: [UInt64: Int] = [:]
      for k in range {
        if keys.isNull(k) {
          errors.record(row, .invalidCastArgument, "map key is null")
          break
        }
        if let other = seen[hash[k]], !comparator.isDistinct(k, other) {
          errors.record(row, .invalidCastArgument, "duplicate keys")
          break
        }
        seen[hash[k]] = k
      }
    }
  }
}
