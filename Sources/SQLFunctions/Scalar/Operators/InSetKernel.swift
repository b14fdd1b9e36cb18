package import Columnar

/// `value IN (constants)`: an open-addressing set of the constants, probed per row.
///
/// - Nulls: a NULL among the constants makes every row without a match NULL, as SQL's `=` does.
package struct InSetKernel {
  /// The kernel: one argument of the set's type, a boolean result.
  package let kernel: Kernel

  /// Nil when the type's equality is not that of its values' bits alone (nested types), so that comparisons must be
  /// written out.
  package init?(_ constants: [Scalar], type: DataType) {
    if type.isNested { return nil }
    let values = constants.filter { !$0.isNull }
    let hasNull = values.count < constants.count
    let builder = ColumnBuilder(type, capacity: values.count)
    for value in values { builder.append(value) }
    let items = builder.finish()
    switch type {
    case .tinyint: kernel = InSetKernel.integers(Int8.self, items, hasNull)
    case .smallint: kernel = InSetKernel.integers(Int16.self, items, hasNull)
    case .integer, .date, .intervalYearToMonth: kernel = InSetKernel.integers(Int32.self, items, hasNull)
    default:
      if type.physicalType == .int64 {
        kernel = InSetKernel.integers(Int64.self, items, hasNull)
      } else {
        kernel = InSetKernel.general(items, hasNull)
      }
    }
  }

  /// Slots of a table at most half full; -1 is free.
  private static func slots(_ hashes: [UInt64]) -> [Int32] {
    var capacity = 8
    while capacity < 2 * hashes.count + 1 { capacity *= 2 }
    var table = [Int32](repeating: -1, count: capacity)
    for (index, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (capacity - 1)
      while table[slot] >= 0 { slot = (slot + 1) & (capacity - 1) }
      table[slot] = Int32(index)
    }
    return table
  }

  @inline(__always)
  private static func integers<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ items: Column, _ hasNull: Bool
  ) -> Kernel {
    let keys = (0..<items.count).map { Int64(items.values!.typed(T.self)[$0]) }
    let table = slots(keys.map { HashKernel.hash($0) })
    return { columns, rowCount, _ in
      result(columns[0], rowCount, hasNull) { view, out in
        keys.withUnsafeBufferPointer { keys in
          table.withUnsafeBufferPointer { table in
            let mask = table.count &- 1
            var row = 0
            while row < rowCount {
              let value = Int64(view.value(row, as: T.self))
              var slot = Int(truncatingIfNeeded: HashKernel.hash(value)) & mask
              var found = false
              while table[slot] >= 0 {
                if keys[Int(table[slot])] == value {
                  found = true
                  break
                }
                slot = (slot &+ 1) & mask
              }
              out[row] = found
              row &+= 1
            }
          }
        }
      }
    }
  }

  private static func general(_ items: Column, _ hasNull: Bool) -> Kernel {
    let itemHashes = Buffer(byteCount: items.count * 8)
    HashKernel.hash([items], rowCount: items.count, into: itemHashes.typed(UInt64.self))
    let table = slots((0..<items.count).map { itemHashes.typed(UInt64.self)[$0] })
    return { columns, rowCount, _ in
      let column = columns[0]
      let hashes = Buffer(byteCount: rowCount * 8)
      HashKernel.hash([column], rowCount: rowCount, into: hashes.typed(UInt64.self))
      let comparator = RowComparator(column, items)
      return result(column, rowCount, hasNull) { view, out in
        let mask = table.count &- 1
        let hash = hashes.typed(UInt64.self)
        var row = 0
        while row < rowCount {
          var found = false
          if !view.isNull(row) {
            var slot = Int(truncatingIfNeeded: hash[row]) & mask
            while table[slot] >= 0 {
              if comparator.equal(row, Int(table[slot])) == true {
                found = true
                break
              }
              slot = (slot &+ 1) & mask
            }
          }
          out[row] = found
          row &+= 1
        }
      }
    }
  }

  @inline(__always)
  private static func result(
    _ column: Column, _ rowCount: Int, _ hasNull: Bool, _ fill: (ColumnView, UnsafeMutablePointer<Bool>) -> Void
  ) -> Column {
    let values = Buffer(byteCount: rowCount)
    let out = values.typed(Bool.self)
    fill(column.view, out)
    var validity = column.validity
    if hasNull {
      let found = Bitmap(count: rowCount, filled: false)
      for row in 0..<rowCount where out[row] && !column.isNull(row) { found.set(row) }
      validity = found
    }
    return Column(flat: .boolean, count: rowCount, values: values, validity: validity)
  }
}
