import Columnar

/// Puts values computed for parts of a row set in the order of its rows.
///
/// Values of fixed width go to their place at once; strings and nested values are gathered at the end.
struct PartialResults {
  private let type: DataType
  private let count: Int
  /// The first part, as long as it is all there is and has all rows.
  private var whole: Column?

  // MARK: Values of fixed width
  private var values: Buffer?
  private var validity: Bitmap?

  // MARK: Others
  private var parts: [Column] = []
  private var partRows = 0
  private var positions: Buffer?

  /// Whether parts go to their place at once, so that a later one takes the place of an earlier one.
  let isDirect: Bool

  init(_ type: DataType, count: Int) {
    self.type = type
    self.count = count
    isDirect = PartialResults.isFixed(type)
  }

  private static func isFixed(_ type: DataType) -> Bool {
    switch type.physicalType {
    case .null, .string, .array, .map, .row: false
    default: true
    }
  }

  /// Where the rows of a part come from, and where they go.
  private enum Places {
    /// Row i is that of row i.
    case all
    /// Row i is that of `rows[i]`.
    case spread(UnsafePointer<Int32>)
    /// Row `rows[i]` stays row `rows[i]`.
    case picked(UnsafePointer<Int32>)
  }

  /// `column[i]` is the value of row `rows[i]`; these ascend (nil: of row i).
  mutating func add(_ column: Column, rows: UnsafePointer<Int32>?, count n: Int) {
    if n == 0 { return }
    if isDirect {
      if let rows, n < count { return place(column, .spread(rows), n) }
      return place(column, .all, n)
    }
    if positions == nil { positions = Buffer.zeroed(byteCount: count * 4) }
    let at = positions!.typed(Int32.self)
    let (first, step) = (Int32(partRows), Int32(column.isConstant ? 0 : 1))
    var row = 0
    while row < n {
      at[rows.map { Int($0[row]) } ?? row] = first &+ Int32(truncatingIfNeeded: row) &* step
      row &+= 1
    }
    parts.append(column.isConstant ? column.resized(to: 1) : column)
    partRows += column.isConstant ? 1 : n
  }

  /// `column[row]` is the value of each row of `rows`, ascending; only where parts go to their place at once.
  mutating func add(_ column: Column, picking rows: UnsafePointer<Int32>, count n: Int) {
    if n == 0 { return }
    place(column, n == count ? .all : .picked(rows), n)
  }

  func finish() -> Column {
    if let whole { return whole.retyped(type) }
    if isDirect {
      guard let values else { return .nulls(type, count: count) }
      return Column(flat: type, count: count, values: values, validity: validity)
    }
    guard let positions else { return .nulls(type, count: count) }
    if parts.count == 1, parts[0].isConstant { return parts[0].resized(to: count) }
    return Column.concatenate(parts, type: type).take(positions.typed(Int32.self), count: count)
  }

  // MARK: Placing

  private mutating func place(_ column: Column, _ places: Places, _ n: Int) {
    if case .all = places, n == count, values == nil {
      whole = column
      return
    }
    if values == nil {
      values = Buffer(byteCount: count * type.physicalType.byteWidth)
      if let first = whole {
        whole = nil
        write(first, .all, count)
      }
    }
    write(column, places, n)
  }

  private mutating func write(_ column: Column, _ places: Places, _ n: Int) {
    writeValidity(column, places, n)
    if column.isAllNull { return write(Int8.self, nil, places, n) }
    let view = column.view
    withExtendedLifetime(column) {
      switch type.physicalType.byteWidth {
      case 1: write(UInt8.self, view, places, n)
      case 2: write(UInt16.self, view, places, n)
      case 4: write(UInt32.self, view, places, n)
      case 8: write(UInt64.self, view, places, n)
      default: write(Int128.self, view, places, n)
      }
    }
  }

  /// - Parameter view: nil: zeros, which stand for NULLs.
  @inline(__always)
  private func write<T: BitwiseCopyable & FixedWidthInteger>(_: T.Type, _ view: ColumnView?, _ places: Places, _ n: Int) {
    guard let view else {
      // NULLs have some value, too.
      let width = type.physicalType.byteWidth
      switch places {
      case .all: values!.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: n * width)
      case .spread(let rows), .picked(let rows):
        for i in 0..<n { (values!.pointer + Int(rows[i]) * width).initializeMemory(as: UInt8.self, repeating: 0, count: width) }
      }
      return
    }
    let (from, out) = (view.values.assumingMemoryBound(to: T.self), values!.typed(T.self))
    let isConstant = view.indices == nil && !view.isFlat
    var i = 0
    switch places {
    case .all:
      if isConstant {
        let value = from[0]
        while i < n {
          out[i] = value
          i &+= 1
        }
      } else {
        while i < n {
          out[i] = from[view.position(i)]
          i &+= 1
        }
      }
    case .spread(let rows):
      while i < n {
        out[Int(rows[i])] = from[view.position(i)]
        i &+= 1
      }
    case .picked(let rows):
      if isConstant {
        let value = from[0]
        while i < n {
          out[Int(rows[i])] = value
          i &+= 1
        }
      } else {
        while i < n {
          let row = Int(rows[i])
          out[row] = from[view.position(row)]
          i &+= 1
        }
      }
    }
  }

  private mutating func writeValidity(_ column: Column, _ places: Places, _ n: Int) {
    let (isAllNull, nulls) = (column.isAllNull, column.validity)
    if !isAllNull, nulls == nil, validity == nil { return }
    let bits = validity ?? Bitmap(count: count, filled: true)
    validity = bits
    switch places {
    case .all:
      for row in 0..<n {
        if isAllNull || column.isNull(row) { bits.clear(row) } else { bits.set(row) }
      }
    case .spread(let rows):
      if !isAllNull, nulls == nil { return bits.set(rows, count: n) }
      for i in 0..<n {
        if isAllNull || column.isNull(i) { bits.clear(Int(rows[i])) } else { bits.set(Int(rows[i])) }
      }
    case .picked(let rows):
      if !isAllNull, nulls == nil { return bits.set(rows, count: n) }
      for i in 0..<n {
        let row = Int(rows[i])
        if isAllNull || column.isNull(row) { bits.clear(row) } else { bits.set(row) }
      }
    }
  }
}
