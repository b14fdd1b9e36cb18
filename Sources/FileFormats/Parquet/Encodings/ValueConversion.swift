import CKernels
import Columnar

/// How values lie when they come out of a page, before conversion to the column's type.
enum RawLayout: Equatable, Sendable {
  /// One byte, 0 or 1.
  case bool
  /// So many bytes per value.
  case fixed(Int)
  /// `StringView`s.
  case views

  var byteWidth: Int {
    switch self {
    case .bool: 1
    case .fixed(let count): count
    case .views: 16
    }
  }
}

/// Turns a leaf's stored values into those of the column's type.
///
/// - Source: Trino's Parquet readers for which types may be read as which.
enum ValueConversion: Sendable {
  enum IntegerSource: Sendable { case int32, uint32, int64, uint64 }

  /// Stored and wanted values are the same bytes.
  case identity
  case integer(IntegerSource, byteWidth: Int)
  case integerToDouble(IntegerSource)
  case floatToDouble
  case half(toDouble: Bool)
  /// Unscaled integers times `multiplier`, divided by `divisor` without rest, below `limit` (0: no check).
  case integerToDecimal(IntegerSource, multiplier: Int128, divisor: Int128, limit: Int128, byteWidth: Int)
  /// The same from big-endian two's complement bytes.
  case bytesToDecimal(RawLayout, multiplier: Int128, divisor: Int128, limit: Int128, byteWidth: Int)
  case timestamp(ParquetTimeUnit, precision: Int)
  case int96(precision: Int)
  case time(ParquetTimeUnit, precision: Int)
  /// Bytes cut off after `limit` code points; `isChar` also drops spaces at the end.
  case text(limit: Int, isChar: Bool)
  /// Every value is NULL.
  case alwaysNull
}

extension ParquetLeaf {
  /// How to read this leaf as `type`; nil when that is not possible.
  func conversion(to type: DataType) -> (layout: RawLayout, conversion: ValueConversion)? {
    if annotation == .variant { return nil }
    if type == .unknown { return annotation == .unknown ? (rawLayout, .alwaysNull) : nil }
    if annotation == .unknown { return (rawLayout, .alwaysNull) }
    switch physical {
    case .boolean: return type == .boolean ? (.bool, .identity) : nil
    case .float:
      if type == .real { return (.fixed(4), .identity) }
      return type == .double ? (.fixed(4), .floatToDouble) : nil
    case .double: return type == .double ? (.fixed(8), .identity) : nil
    case .int96:
      if case .timestamp(let precision) = type { return (.fixed(12), .int96(precision: precision)) }
      return nil
    case .int32, .int64: return integerConversion(to: type).map { (rawLayout, $0) }
    case .byteArray, .fixedByteArray: return bytesConversion(to: type)
    }
  }

  private var rawLayout: RawLayout {
    switch physical {
    case .boolean: .bool
    case .int32, .float: .fixed(4)
    case .int64, .double: .fixed(8)
    case .int96: .fixed(12)
    case .byteArray, .fixedByteArray: .views
    }
  }

  /// Scale of a decimal annotation; 0 for integers; nil for dates and times.
  private var integerScale: (precision: Int, scale: Int)? {
    switch annotation {
    case .decimal(let precision, let scale): (precision, scale)
    case .none: (physical == .int32 ? 10 : 19, 0)
    case .integer(let bits, let isSigned):
      switch bits {
      case 8: (3, 0)
      case 16: (5, 0)
      case 32: (10, 0)
      default: (isSigned ? 19 : 20, 0)
      }
    default: nil
    }
  }

  private func integerConversion(to type: DataType) -> ValueConversion? {
    var source: ValueConversion.IntegerSource = physical == .int32 ? .int32 : .int64
    if case .integer(_, false) = annotation { source = physical == .int32 ? .uint32 : .uint64 }
    switch type {
    case .tinyint, .smallint, .integer, .bigint:
      guard let number = integerScale, number.scale == 0 else { return nil }
      let width = type.physicalType.byteWidth
      if (source == .int32 && width == 4) || (source == .int64 && width == 8) { return .identity }
      return .integer(source, byteWidth: width)
    case .double:
      guard let number = integerScale, number.scale == 0 else { return nil }
      return .integerToDouble(source)
    case .decimal(let precision, let scale):
      guard let number = integerScale else { return nil }
      let rescale = ParquetLeaf.rescale(number, to: (precision, scale))
      let width = type.physicalType.byteWidth
      if source == .int64, width == 8, rescale.multiplier == 1, rescale.divisor == 1, rescale.limit == 0 {
        return .identity
      }
      return .integerToDecimal(
        source, multiplier: rescale.multiplier, divisor: rescale.divisor, limit: rescale.limit, byteWidth: width)
    case .date:
      guard physical == .int32, annotation == .date || annotation == .none else { return nil }
      return .identity
    case .timestamp(let precision):
      guard case .timestamp(let unit) = annotation, physical == .int64 else { return nil }
      if unit == .micros, precision == 6 { return .identity }
      return .timestamp(unit, precision: precision)
    case .time(let precision):
      guard case .time(let unit) = annotation, (unit == .millis) == (physical == .int32) else { return nil }
      return .time(unit, precision: precision)
    default: return nil
    }
  }

  private func bytesConversion(to type: DataType) -> (RawLayout, ValueConversion)? {
    switch type {
    case .varchar(nil), .varbinary:
      if case .decimal = annotation { return nil }
      return annotation == .float16 ? nil : (.views, .identity)
    case .varchar(let length?):
      if case .decimal = annotation { return nil }
      return annotation == .float16 ? nil : (.views, .text(limit: length, isChar: false))
    case .char(let length):
      if case .decimal = annotation { return nil }
      return annotation == .float16 ? nil : (.views, .text(limit: length, isChar: true))
    case .uuid:
      return physical == .fixedByteArray && fixedByteCount == 16 ? (.views, .identity) : nil
    case .real, .double:
      guard annotation == .float16, physical == .fixedByteArray, fixedByteCount == 2 else { return nil }
      return (.fixed(2), .half(toDouble: type == .double))
    case .decimal(let precision, let scale):
      guard case .decimal(let ownPrecision, let ownScale) = annotation else { return nil }
      let layout: RawLayout = physical == .byteArray ? .views : .fixed(fixedByteCount)
      if case .fixed(let count) = layout, count > ParquetLeaf.maxNumberBytes { return nil }
      let rescale = ParquetLeaf.rescale((ownPrecision, ownScale), to: (precision, scale))
      return (
        layout,
        .bytesToDecimal(
          layout, multiplier: rescale.multiplier, divisor: rescale.divisor, limit: rescale.limit,
          byteWidth: type.physicalType.byteWidth)
      )
    default: return nil
    }
  }

  private static func rescale(
    _ from: (precision: Int, scale: Int), to: (precision: Int, scale: Int)
  ) -> (multiplier: Int128, divisor: Int128, limit: Int128) {
    let isWider = to.precision - to.scale >= from.precision - from.scale && to.scale >= from.scale
    let limit: Int128 = isWider ? 0 : ParquetLeaf.powerOfTen(to.precision)
    return (
      ParquetLeaf.powerOfTen(max(0, to.scale - from.scale)), ParquetLeaf.powerOfTen(max(0, from.scale - to.scale)),
      limit
    )
  }

  static func powerOfTen(_ exponent: Int) -> Int128 {
    var value: Int128 = 1
    for _ in 0..<min(exponent, 38) { value *= 10 }
    return value
  }
}

extension ValueConversion {
  var isIdentity: Bool { if case .identity = self { true } else { false } }

  /// Converts `count` values.
  ///
  /// - Shape: `source`: packed values of the raw layout with 32 readable bytes behind; `target`: values of the type.
  func convert(
    _ source: UnsafeRawPointer, _ count: Int, into target: UnsafeMutableRawPointer, byteWidth: Int
  ) throws(ParquetDamage) {
    switch self {
    case .identity: target.copyMemory(from: source, byteCount: count &* byteWidth)
    case .integer(let kind, let width):
      switch kind {
      case .int32: try ValueConversion.integers(source, Int32.self, count, target, width)
      case .uint32: try ValueConversion.integers(source, UInt32.self, count, target, width)
      case .int64: try ValueConversion.integers(source, Int64.self, count, target, width)
      case .uint64: try ValueConversion.integers(source, UInt64.self, count, target, width)
      }
    case .integerToDouble(let kind):
      switch kind {
      case .int32: ValueConversion.doubles(source, Int32.self, count, target)
      case .uint32: ValueConversion.doubles(source, UInt32.self, count, target)
      case .int64: ValueConversion.doubles(source, Int64.self, count, target)
      case .uint64: ValueConversion.doubles(source, UInt64.self, count, target)
      }
    case .floatToDouble:
      let to = target.assumingMemoryBound(to: Double.self)
      var i = 0
      while i < count {
        to[i] = Double(source.loadUnaligned(fromByteOffset: i &* 4, as: Float.self))
        i &+= 1
      }
    case .half(let toDouble):
      var i = 0
      while i < count {
        let value = ck_half_to_float(source.loadUnaligned(fromByteOffset: i &* 2, as: UInt16.self))
        if toDouble {
          target.assumingMemoryBound(to: Double.self)[i] = Double(value)
        } else {
          target.assumingMemoryBound(to: Float.self)[i] = value
        }
        i &+= 1
      }
    case .integerToDecimal(let kind, let multiplier, let divisor, let limit, let width):
      switch kind {
      case .int32:
        try ValueConversion.decimals(source, Int32.self, count, target, width, multiplier, divisor, limit)
      case .uint32:
        try ValueConversion.decimals(source, UInt32.self, count, target, width, multiplier, divisor, limit)
      case .int64:
        try ValueConversion.decimals(source, Int64.self, count, target, width, multiplier, divisor, limit)
      case .uint64:
        try ValueConversion.decimals(source, UInt64.self, count, target, width, multiplier, divisor, limit)
      }
    case .bytesToDecimal(let layout, let multiplier, let divisor, let limit, let width):
      try ValueConversion.byteDecimals(source, layout, count, target, width, multiplier, divisor, limit)
    case .timestamp(let unit, let precision):
      try ValueConversion.timestamps(source, unit, count, target, precision)
    case .int96(let precision): try ValueConversion.int96(source, count, target, precision)
    case .time(let unit, let precision): try ValueConversion.times(source, unit, count, target, precision)
    case .text(let limit, let isChar):
      let from = source.assumingMemoryBound(to: StringView.self)
      let to = target.assumingMemoryBound(to: StringView.self)
      var i = 0
      while i < count {
        to[i] = ValueConversion.cut(from + i, limit, isChar)
        i &+= 1
      }
    case .alwaysNull: break
    }
  }

  private static func unfit(_ value: some CustomStringConvertible, _ what: String) -> ParquetDamage {
    ParquetDamage("value \(value) does not fit in \(what)")
  }

  // MARK: Integers

  @inline(__always)
  private static func integers<S: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _: S.Type, _ count: Int, _ target: UnsafeMutableRawPointer, _ width: Int
  ) throws(ParquetDamage) {
    switch width {
    case 1: try narrow(source, S.self, count, target, Int8.self)
    case 2: try narrow(source, S.self, count, target, Int16.self)
    case 4: try narrow(source, S.self, count, target, Int32.self)
    default: try narrow(source, S.self, count, target, Int64.self)
    }
  }

  @inline(__always)
  private static func narrow<S: FixedWidthInteger & BitwiseCopyable, D: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _: S.Type, _ count: Int, _ target: UnsafeMutableRawPointer, _: D.Type
  ) throws(ParquetDamage) {
    let to = target.assumingMemoryBound(to: D.self)
    let stride = MemoryLayout<S>.size
    var wrong: S = 0
    var i = 0
    while i < count {
      let value = source.loadUnaligned(fromByteOffset: i &* stride, as: S.self)
      let result = D(truncatingIfNeeded: value)
      to[i] = result
      wrong |= S(truncatingIfNeeded: result) ^ value
      // Of equal width, an unsigned value with the top bit set becomes negative.
      if !S.isSigned, S.bitWidth >= D.bitWidth { wrong |= value &>> S(truncatingIfNeeded: D.bitWidth &- 1) }
      i &+= 1
    }
    if wrong == 0 { return }
    i = 0
    while i < count {
      let value = source.loadUnaligned(fromByteOffset: i &* stride, as: S.self)
      if D(exactly: value) == nil { throw unfit(value, "an integer of \(D.bitWidth) bits") }
      i &+= 1
    }
  }

  @inline(__always)
  private static func doubles<S: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _: S.Type, _ count: Int, _ target: UnsafeMutableRawPointer
  ) {
    let to = target.assumingMemoryBound(to: Double.self)
    var i = 0
    while i < count {
      to[i] = Double(source.loadUnaligned(fromByteOffset: i &* MemoryLayout<S>.size, as: S.self))
      i &+= 1
    }
  }

  // MARK: Decimals

  @inline(__always)
  private static func decimals<S: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _: S.Type, _ count: Int, _ target: UnsafeMutableRawPointer, _ width: Int,
    _ multiplier: Int128, _ divisor: Int128, _ limit: Int128
  ) throws(ParquetDamage) {
    let stride = MemoryLayout<S>.size
    var i = 0
    if multiplier == 1, divisor == 1, limit == 0 {
      if width == 8, S.bitWidth < 64 || S.isSigned {
        let to = target.assumingMemoryBound(to: Int64.self)
        while i < count {
          to[i] = Int64(truncatingIfNeeded: source.loadUnaligned(fromByteOffset: i &* stride, as: S.self))
          i &+= 1
        }
        return
      }
      if width == 16 {
        let to = target.assumingMemoryBound(to: Int128.self)
        while i < count {
          to[i] = Int128(truncatingIfNeeded: source.loadUnaligned(fromByteOffset: i &* stride, as: S.self))
          i &+= 1
        }
        return
      }
    }
    while i < count {
      let value = Int128(truncatingIfNeeded: source.loadUnaligned(fromByteOffset: i &* stride, as: S.self))
      try store(value, multiplier, divisor, limit, target, i, width)
      i &+= 1
    }
  }

  @inline(__always)
  private static func store(
    _ value: Int128, _ multiplier: Int128, _ divisor: Int128, _ limit: Int128, _ target: UnsafeMutableRawPointer,
    _ index: Int, _ width: Int
  ) throws(ParquetDamage) {
    var result = value
    if multiplier != 1 {
      let (product, overflow) = value.multipliedReportingOverflow(by: multiplier)
      if overflow { throw unfit(value, "the declared decimal") }
      result = product
    }
    if divisor != 1 {
      let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
      if rest != 0 { throw ParquetDamage("decimal \(value) has more fraction digits than the declared type") }
      result = quotient
    }
    if limit != 0, result >= limit || result <= -limit { throw unfit(value, "the declared decimal") }
    if width == 16 {
      target.assumingMemoryBound(to: Int128.self)[index] = result
    } else {
      guard let short = Int64(exactly: result) else { throw unfit(value, "the declared decimal") }
      target.assumingMemoryBound(to: Int64.self)[index] = short
    }
  }

  private static func byteDecimals(
    _ source: UnsafeRawPointer, _ layout: RawLayout, _ count: Int, _ target: UnsafeMutableRawPointer, _ width: Int,
    _ multiplier: Int128, _ divisor: Int128, _ limit: Int128
  ) throws(ParquetDamage) {
    var i = 0
    let isPlain = multiplier == 1 && divisor == 1 && limit == 0
    if case .fixed(let size) = layout, isPlain, size <= 8, size > 0 {
      // Eight bytes from the value's first on, swapped, hold it at the top.
      let shift = Int64(64 &- 8 &* size)
      if width == 8 {
        let to = target.assumingMemoryBound(to: Int64.self)
        while i < count {
          to[i] = Int64(bigEndian: source.loadUnaligned(fromByteOffset: i &* size, as: Int64.self)) &>> shift
          i &+= 1
        }
      } else {
        let to = target.assumingMemoryBound(to: Int128.self)
        while i < count {
          to[i] = Int128(Int64(bigEndian: source.loadUnaligned(fromByteOffset: i &* size, as: Int64.self)) &>> shift)
          i &+= 1
        }
      }
      return
    }
    while i < count {
      let value: Int128
      switch layout {
      case .fixed(let size): value = try bigEndian(source + i &* size, size)
      default:
        let view = source.assumingMemoryBound(to: StringView.self)[i]
        value = try view.withBytes { (p, n) throws(ParquetDamage) in try bigEndian(p, n) }
      }
      try store(value, multiplier, divisor, limit, target, i, width)
      i &+= 1
    }
  }

  /// A big-endian two's complement number of any length; no bytes stand for 0.
  @inline(__always)
  private static func bigEndian(_ bytes: UnsafeRawPointer, _ count: Int) throws(ParquetDamage) -> Int128 {
    let p = bytes.assumingMemoryBound(to: UInt8.self)
    guard count > 0 else { return 0 }
    var value: Int128 = p[0] & 0x80 != 0 ? -1 : 0
    var i = 0
    while i < count {
      if count &- i > 16 {
        // Bytes before the last 16 may only repeat the sign.
        if p[i] != UInt8(truncatingIfNeeded: value) { throw ParquetDamage("a decimal has more than 128 bits") }
      } else {
        value = (value &<< 8) | Int128(p[i])
      }
      i &+= 1
    }
    if count > 16, (value < 0) != (p[0] & 0x80 != 0) { throw ParquetDamage("a decimal has more than 128 bits") }
    return value
  }

  // MARK: Times

  @inline(__always)
  private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    let q = a / b
    return a % b < 0 ? q &- 1 : q
  }

  private static func power(_ exponent: Int) -> Int64 {
    var value: Int64 = 1
    for _ in 0..<max(exponent, 0) { value &*= 10 }
    return value
  }

  /// - Source: Trino, `Timestamps.round`: halves go up.
  private static func timestamps(
    _ source: UnsafeRawPointer, _ unit: ParquetTimeUnit, _ count: Int, _ target: UnsafeMutableRawPointer,
    _ precision: Int
  ) throws(ParquetDamage) {
    let digits = unit == .millis ? 3 : unit == .micros ? 6 : 9
    let step = power(digits - precision)
    let isShort = precision <= DataType.maxShortTimestampPrecision
    let toMicros = power(6 - digits)
    let nanosPerMicro: Int64 = unit == .nanos ? 1000 : 1
    let toPicos = Int128(power(12 - digits))
    var i = 0
    while i < count {
      var value = source.loadUnaligned(fromByteOffset: i &* 8, as: Int64.self)
      let stored = value
      if step > 1 {
        let (sum, overflow) = value.addingReportingOverflow(step / 2)
        if overflow { throw unfit(stored, "a timestamp") }
        value = floorDivide(sum, step) &* step
      }
      if isShort {
        let (micros, overflow) = value.multipliedReportingOverflow(by: toMicros)
        if overflow { throw unfit(stored, "a timestamp") }
        target.assumingMemoryBound(to: Int64.self)[i] = micros / nanosPerMicro
      } else {
        target.assumingMemoryBound(to: Int128.self)[i] = Int128(value) &* toPicos
      }
      i &+= 1
    }
  }

  /// Nanoseconds of the day and Julian day number.
  ///
  /// Sums of microseconds wrap around in 64 bits: Spark lets them when it writes years near 290000, and reads them so.
  ///
  /// - Source: parquet-format's deprecated INT96 timestamps, as Impala and Hive write them.
  private static func int96(
    _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer, _ precision: Int
  ) throws(ParquetDamage) {
    let julianEpoch: Int64 = 2_440_588
    let step = power(9 - precision)
    let isShort = precision <= DataType.maxShortTimestampPrecision
    var i = 0
    while i < count {
      var nanos = source.loadUnaligned(fromByteOffset: i &* 12, as: Int64.self)
      let day = Int64(source.loadUnaligned(fromByteOffset: i &* 12 &+ 8, as: Int32.self)) &- julianEpoch
      if step > 1 { nanos = floorDivide(nanos &+ step / 2, step) &* step }
      let whole = floorDivide(nanos, 1000)
      let micros = day &* 86_400_000_000 &+ whole
      if isShort {
        target.assumingMemoryBound(to: Int64.self)[i] = micros
      } else {
        target.assumingMemoryBound(to: Int128.self)[i] =
          Int128(micros) &* 1_000_000 &+ Int128(nanos &- whole &* 1000) &* 1000
      }
      i &+= 1
    }
  }

  private static func times(
    _ source: UnsafeRawPointer, _ unit: ParquetTimeUnit, _ count: Int, _ target: UnsafeMutableRawPointer,
    _ precision: Int
  ) throws(ParquetDamage) {
    let digits = unit == .millis ? 3 : unit == .micros ? 6 : 9
    let perDay: Int64 = 86_400 &* power(digits)
    let toPicos = power(12 - digits)
    let step = power(12 - precision)
    let to = target.assumingMemoryBound(to: Int64.self)
    var i = 0
    while i < count {
      let value =
        unit == .millis
        ? Int64(source.loadUnaligned(fromByteOffset: i &* 4, as: Int32.self))
        : source.loadUnaligned(fromByteOffset: i &* 8, as: Int64.self)
      // 24:00:00 is a time to DuckDB; other values beyond the day are taken from the clock's face.
      let ofDay = value >= 0 && value <= perDay ? value : value &- floorDivide(value, perDay) &* perDay
      var picos = ofDay &* toPicos
      if precision < digits { picos = (picos &+ step / 2) / step &* step }
      to[i] = picos == 86_400_000_000_000_000 && ofDay != perDay ? 0 : picos
      i &+= 1
    }
  }

  // MARK: Text

  /// The view of the first `limit` code points.
  private static func cut(_ location: UnsafePointer<StringView>, _ limit: Int, _ isChar: Bool) -> StringView {
    let view = location.pointee
    var count = view.count
    let bytes = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
    if count > limit {
      var points = 0
      var at = 0
      while at < count {
        if bytes[at] & 0xc0 != 0x80 {
          if points == limit { break }
          points &+= 1
        }
        at &+= 1
      }
      count = at
    }
    if isChar { while count > 0, bytes[count &- 1] == 0x20 { count &-= 1 } }
    if count == view.count { return view }
    return StringView(bytes, count: count)
  }
}
