import Columnar

/// What is known of the values of a column in a row group, stripe or file.
struct ORCStatisticsBuilder {
  var valueCount = 0
  var hasNull = false
  /// Bounds of integers, dates, unscaled decimals and nanoseconds since 1970.
  private(set) var least: Int128?
  private(set) var greatest: Int128?
  private(set) var leastDouble: Double?
  private(set) var greatestDouble: Double?
  private(set) var leastBytes: [UInt8]?
  private(set) var greatestBytes: [UInt8]?
  var sum: Int128 = 0
  var doubleSum = 0.0
  /// Bytes of all strings.
  var byteCount = 0
  var trueCount = 0

  /// Longer bounds of strings are cut off.
  private static let largestBound = 1024

  mutating func add(_ low: Int128, _ high: Int128) {
    least = min(least ?? low, low)
    greatest = max(greatest ?? high, high)
  }

  mutating func add(_ low: Double, _ high: Double) {
    leastDouble = min(leastDouble ?? low, low)
    greatestDouble = max(greatestDouble ?? high, high)
  }

  mutating func add(_ low: UnsafeRawBufferPointer, _ high: UnsafeRawBufferPointer) {
    if leastBytes.map({ low.lexicographicallyPrecedes($0) }) ?? true { leastBytes = Array(low) }
    if greatestBytes.map({ $0.lexicographicallyPrecedes(high) }) ?? true { greatestBytes = Array(high) }
  }

  mutating func add(_ other: ORCStatisticsBuilder) {
    valueCount += other.valueCount
    hasNull = hasNull || other.hasNull
    if let low = other.least, let high = other.greatest { add(low, high) }
    if let low = other.leastDouble, let high = other.greatestDouble { add(low, high) }
    if let low = other.leastBytes, let high = other.greatestBytes {
      low.withUnsafeBytes { low in high.withUnsafeBytes { high in add(low, high) } }
    }
    sum += other.sum
    doubleSum += other.doubleSum
    byteCount += other.byteCount
    trueCount += other.trueCount
  }

  // MARK: As files hold it

  /// The message `ColumnStatistics`.
  func write(_ node: ORCNode, to out: inout ProtobufWriter) {
    out.field(1, number: valueCount)
    out.field(10, bool: hasNull)
    guard valueCount > 0 else { return }
    switch node.kind {
    case .boolean: out.field(5, message: { $0.field(1, packed: [trueCount]) })
    case .byte, .short, .int, .long:
      out.field(
        2,
        message: { integers in
          if let least { integers.field(1, signed: Int64(clamping: least)) }
          if let greatest { integers.field(2, signed: Int64(clamping: greatest)) }
          if let sum = Int64(exactly: sum) { integers.field(3, signed: sum) }
        })
    case .float, .double:
      guard let leastDouble, let greatestDouble else { return }
      out.field(
        3,
        message: { doubles in
          doubles.field(1, double: leastDouble)
          doubles.field(2, double: greatestDouble)
          doubles.field(3, double: doubleSum)
        })
    case .string, .varchar, .char:
      guard let leastBytes, let greatestBytes else { return }
      out.field(
        4,
        message: { strings in
          if leastBytes.count <= ORCStatisticsBuilder.largestBound { strings.field(1, bytes: leastBytes) }
          if greatestBytes.count <= ORCStatisticsBuilder.largestBound { strings.field(2, bytes: greatestBytes) }
          strings.field(3, signed: Int64(byteCount))
          if leastBytes.count > ORCStatisticsBuilder.largestBound {
            strings.field(4, bytes: CutBounds.prefix(leastBytes, ORCStatisticsBuilder.largestBound, isText: true))
          }
          if greatestBytes.count > ORCStatisticsBuilder.largestBound,
            let above = CutBounds.above(
              CutBounds.prefix(greatestBytes, ORCStatisticsBuilder.largestBound, isText: true), isText: true)
          {
            strings.field(5, bytes: above)
          }
        })
    case .binary: out.field(8, message: { $0.field(1, signed: Int64(byteCount)) })
    case .decimal:
      guard let least, let greatest else { return }
      out.field(
        6,
        message: { decimals in
          decimals.field(1, string: ORCStatisticsBuilder.text(least, scale: node.scale))
          decimals.field(2, string: ORCStatisticsBuilder.text(greatest, scale: node.scale))
        })
    case .date:
      guard let least, let greatest else { return }
      out.field(
        7,
        message: { dates in
          dates.field(1, signed: Int64(clamping: least))
          dates.field(2, signed: Int64(clamping: greatest))
        })
    case .timestamp, .timestampInstant:
      guard let least, let greatest else { return }
      out.field(
        9,
        message: { timestamps in
          timestamps.field(3, signed: ORCStatisticsBuilder.milliseconds(least))
          timestamps.field(4, signed: ORCStatisticsBuilder.milliseconds(greatest))
        })
    case .list, .map, .structure, .union: break
    }
  }

  /// Rounded down; readers count on a millisecond that follows the greatest.
  private static func milliseconds(_ nanos: Int128) -> Int64 {
    let (quotient, rest) = nanos.quotientAndRemainder(dividingBy: 1_000_000)
    return Int64(clamping: rest < 0 ? quotient - 1 : quotient)
  }

  private static func text(_ unscaled: Int128, scale: Int) -> String {
    var digits = String(unscaled.magnitude)
    if scale > 0 {
      if digits.utf8.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits }
      digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale))
    }
    return unscaled < 0 ? "-" + digits : digits
  }

  // MARK: As a summary tells it

  /// - Parameter type: the SQL type of a flat column.
  func summary(_ type: DataType, rowCount: Int) -> FileSummary.Column {
    var result = FileSummary.Column(nullCount: rowCount - valueCount)
    guard valueCount > 0 else { return result }
    func scalar(_ value: Int128) -> Scalar? {
      switch type {
      case .timestampWithTimeZone: return nil
      case .timestamp(let precision):
        if precision > DataType.maxShortTimestampPrecision { return .int128(value * 1000) }
        return Int64(exactly: value / 1000).map { .integer($0) }
      default:
        return type.physicalType == .int128 ? .int128(value) : Int64(exactly: value).map { .integer($0) }
      }
    }
    switch type {
    case .boolean: (result.min, result.max) = (.boolean(trueCount == valueCount), .boolean(trueCount > 0))
    case .real:
      result.min = leastDouble.map { .real(Float($0)) }
      result.max = greatestDouble.map { .real(Float($0)) }
    case .double: (result.min, result.max) = (leastDouble.map { .double($0) }, greatestDouble.map { .double($0) })
    case .varchar, .char: (result.min, result.max) = (leastBytes.map { .bytes($0) }, greatestBytes.map { .bytes($0) })
    default: (result.min, result.max) = (least.flatMap(scalar), greatest.flatMap(scalar))
    }
    return result
  }
}
