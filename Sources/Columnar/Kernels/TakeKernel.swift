import Glibc

extension Column {
  /// A flat column of the rows `rows` of this flat column.
  ///
  /// - Parameter validity: the nulls of the result.
  package func gather(_ rows: UnsafePointer<Int32>, count: Int, validity: Bitmap?) -> Column {
    precondition(encoding == .flat)
    switch type.physicalType {
    case .null: return ColumnBuilder.nulls(type, count: count)
    case .bool, .int8: return fixed(gatherValues(UInt8.self, rows, count), count, validity)
    case .int16: return fixed(gatherValues(UInt16.self, rows, count), count, validity)
    case .int32, .float: return fixed(gatherValues(UInt32.self, rows, count), count, validity)
    case .int64, .double: return fixed(gatherValues(UInt64.self, rows, count), count, validity)
    case .int128: return fixed(gatherValues(Int128.self, rows, count), count, validity)
    case .string: return fixed(gatherValues(StringView.self, rows, count), count, validity)
    case .row:
      return Column(
        row: type, count: count, children: children.map { $0.take(rows, count: count) }, validity: validity)
    case .array, .map:
      let from = offsets!.typed(Int32.self)
      let newOffsets = Buffer(byteCount: (count + 1) * 4)
      let to = newOffsets.typed(Int32.self)
      var total: Int32 = 0
      to[0] = 0
      for i in 0..<count {
        let row = Int(rows[i])
        if validity?[i] ?? true { total += from[row + 1] - from[row] }
        to[i + 1] = total
      }
      let elements = Buffer(byteCount: Int(total) * 4)
      let out = elements.typed(Int32.self)
      var k = 0
      for i in 0..<count where validity?[i] ?? true {
        let row = Int(rows[i])
        var at = from[row]
        let end = from[row + 1]
        while at < end {
          out[k] = at
          k &+= 1
          at &+= 1
        }
      }
      return Column(
        nested: type, count: count, offsets: newOffsets, children: children.map { $0.take(out, count: k) },
        validity: validity)
    }
  }

  private func fixed(_ buffer: Buffer, _ count: Int, _ validity: Bitmap?) -> Column {
    Column(flat: type, count: count, values: buffer, validity: validity, heap: heap)
  }

  @inline(__always)
  private func gatherValues<T: BitwiseCopyable>(_: T.Type, _ rows: UnsafePointer<Int32>, _ count: Int) -> Buffer {
    let buffer = Buffer(byteCount: count * MemoryLayout<T>.stride)
    let (from, to) = (values!.typed(T.self), buffer.typed(T.self))
    var i = 0
    while i < count {
      to[i] = from[Int(rows[i])]
      i &+= 1
    }
    return buffer
  }

  /// Writes the values of all rows, in order; those of NULLs are unspecified.
  ///
  /// - Shape: a type of fixed width; `target` has room for `count` values.
  func writeValues(to target: UnsafeMutableRawPointer) {
    let width = type.physicalType.byteWidth
    if encoding == .flat { return target.copyMemory(from: values!.pointer, byteCount: count * width) }
    switch width {
    case 1: writeValues(UInt8.self, target)
    case 2: writeValues(UInt16.self, target)
    case 4: writeValues(UInt32.self, target)
    case 8: writeValues(UInt64.self, target)
    default: writeValues(UInt128.self, target)
    }
  }

  private func writeValues<T: BitwiseCopyable>(_: T.Type, _ target: UnsafeMutableRawPointer) {
    let view = view
    let (from, to) = (view.values.assumingMemoryBound(to: T.self), target.assumingMemoryBound(to: T.self))
    var row = 0
    while row < count {
      to[row] = from[view.position(row)]
      row &+= 1
    }
  }
}
