import Columnar

/// How the two arguments of an operator lie; decides which loop runs.
private enum Shapes { case flatFlat, flatConstant, constantFlat, any }

/// `out[row] = body(a[row], b[row])` for all rows, null rows included, with plain loops for flat and constant columns.
@inline(__always)
func fillBinary<A: BitwiseCopyable, B: BitwiseCopyable, R: BitwiseCopyable>(
  _ a: Column, _ b: Column, _ rowCount: Int, _ out: UnsafeMutablePointer<R>, _ body: (A, B) -> R
) {
  let (x, y) = (a.view, b.view)
  let p = x.values.assumingMemoryBound(to: A.self)
  let q = y.values.assumingMemoryBound(to: B.self)
  let shapes: Shapes
  switch (x.isFlat, y.isFlat) {
  case (true, true): shapes = .flatFlat
  case (true, false): shapes = y.indices == nil ? .flatConstant : .any
  case (false, true): shapes = x.indices == nil ? .constantFlat : .any
  default: shapes = .any
  }
  var row = 0
  switch shapes {
  case .flatFlat:
    while row < rowCount {
      out[row] = body(p[row], q[row])
      row &+= 1
    }
  case .flatConstant:
    let constant = q[0]
    while row < rowCount {
      out[row] = body(p[row], constant)
      row &+= 1
    }
  case .constantFlat:
    let constant = p[0]
    while row < rowCount {
      out[row] = body(constant, q[row])
      row &+= 1
    }
  case .any:
    while row < rowCount {
      out[row] = body(p[x.position(row)], q[y.position(row)])
      row &+= 1
    }
  }
}

/// `out[row] = body(a[row])` for all rows, null rows included.
@inline(__always)
func fillUnary<A: BitwiseCopyable, R: BitwiseCopyable>(
  _ a: Column, _ rowCount: Int, _ out: UnsafeMutablePointer<R>, _ body: (A) -> R
) {
  let x = a.view
  let p = x.values.assumingMemoryBound(to: A.self)
  var row = 0
  if x.isFlat {
    while row < rowCount {
      out[row] = body(p[row])
      row &+= 1
    }
  } else {
    while row < rowCount {
      out[row] = body(p[x.position(row)])
      row &+= 1
    }
  }
}

/// A flat column of `body`'s values; for bodies that cannot fail.
@inline(__always)
func binaryColumn<A: BitwiseCopyable, B: BitwiseCopyable, R: BitwiseCopyable>(
  _ columns: [Column], _ rowCount: Int, _ type: DataType, _: A.Type, _: B.Type, _: R.Type, _ body: (A, B) -> R
) -> Column {
  let values = Buffer(byteCount: rowCount &* MemoryLayout<R>.stride)
  fillBinary(columns[0], columns[1], rowCount, values.typed(R.self), body)
  return Column(flat: type, count: rowCount, values: values, validity: commonValidity(columns))
}

/// Like `binaryColumn`, where `body` also tells failure by the sign of its second value; failed rows go to `onFailure`.
///
/// The loop has no branch: failures are counted together and looked for only when there was one.
@inline(__always)
func checkedBinaryColumn<A: BitwiseCopyable, B: BitwiseCopyable, R: BitwiseCopyable>(
  _ columns: [Column], _ rowCount: Int, _ type: DataType, _: A.Type, _: B.Type, _: R.Type,
  _ body: (A, B) -> (value: R, flag: Int64), onFailure: (Int, A, B) -> Void
) -> Column {
  let values = Buffer(byteCount: rowCount &* MemoryLayout<R>.stride)
  let validity = commonValidity(columns)
  var flags: Int64 = 0
  fillBinary(columns[0], columns[1], rowCount, values.typed(R.self)) { (a: A, b: B) -> R in
    let (value, flag) = body(a, b)
    flags |= flag
    return value
  }
  if flags < 0 {
    let (x, y) = (columns[0].view, columns[1].view)
    for row in 0..<rowCount where validity.map({ $0[row] }) ?? true {
      let (a, b) = (x.value(row, as: A.self), y.value(row, as: B.self))
      if body(a, b).flag < 0 { onFailure(row, a, b) }
    }
  }
  return Column(flat: type, count: rowCount, values: values, validity: validity)
}

/// A Bool as the byte that boolean columns hold.
@inline(__always)
func byte(_ value: Bool) -> UInt8 { unsafeBitCast(value, to: UInt8.self) }

/// −1 when true, else 0: a flag of `checkedBinaryColumn`.
@inline(__always)
func flag(_ value: Bool) -> Int64 { 0 &- Int64(truncatingIfNeeded: bit(value)) }
