import Columnar

/// Decodes rows into the columns of a request: one step a field of the file, in its order.
///
/// Flat values of usual types go straight to their places in a batch; all others through an `AvroValueReader`.
///
/// - Threads: one.
final class AvroRowDecoder {
  private struct Step {
    enum Code: UInt8 {
      case skipNumber, skipFixed, skipSized, skipOther
      case int32, int64, scaled, fixed1, fixed4, fixed8, string, decimal64, other
    }

    var code: Code
    /// The byte that a NULL's tag is, 0 or 2; another one where there is no union.
    var nullTag: UInt8 = AvroRowDecoder.noUnion
    /// Bytes to pass over; what numbers are multiplied by; the limit of decimals.
    var size: Int64 = 0
    /// Which schema is passed over, or the request's column.
    var index = 0
    var hasNulls = false
    /// Of the batch that is being decoded.
    var values: UnsafeMutableRawPointer
    var validity: UnsafeMutablePointer<UInt64>
  }

  private static let noUnion: UInt8 = 255

  private let request: ScanRequest
  private let plan: AvroFile.RowPlan
  private let steps: UnsafeMutablePointer<Step>
  private let stepCount: Int
  private let schemas: [AvroSchema]
  /// Whether strings point into blocks.
  let keepsBlocks: Bool

  // MARK: The batch

  private var buffers: [(values: Buffer, validity: Buffer)] = []
  private var capacity = 0

  init(_ plan: AvroFile.RowPlan, _ request: ScanRequest) {
    self.plan = plan
    self.request = request
    let nowhere = AvroRowDecoder.nowhere
    var made: [Step] = []
    var schemas: [AvroSchema] = []
    for (schema, reader) in plan.members {
      var (inner, nullTag) = (schema, AvroRowDecoder.noUnion)
      if case .union(let members) = schema, members.count == 2, let null = members.firstIndex(where: \.isNull), !members[1 - null].isNull {
        (inner, nullTag) = (members[1 - null], UInt8(null * 2))
      }
      var step = Step(code: .other, nullTag: nullTag, values: nowhere, validity: nowhere.assumingMemoryBound(to: UInt64.self))
      if let reader {
        step.index = reader
        if let (code, size) = AvroRowDecoder.direct(inner, request.columns[reader].type) {
          (step.code, step.size) = (code, size)
        } else {
          step.nullTag = AvroRowDecoder.noUnion
        }
      } else {
        switch inner {
        case .int, .long, .enumeration: step.code = .skipNumber
        case .boolean: (step.code, step.size) = (.skipFixed, 1)
        case .float: (step.code, step.size) = (.skipFixed, 4)
        case .double: (step.code, step.size) = (.skipFixed, 8)
        case .fixed(let size, _): (step.code, step.size) = (.skipFixed, Int64(size))
        case .string, .bytes: step.code = .skipSized
        default:
          (step.code, step.nullTag, step.index) = (.skipOther, AvroRowDecoder.noUnion, schemas.count)
          schemas.append(schema)
        }
      }
      made.append(step)
    }
    self.schemas = schemas
    stepCount = made.count
    keepsBlocks = made.contains { $0.code == .string }
    steps = .allocate(capacity: max(1, made.count))
    steps.initialize(from: made, count: made.count)
  }

  deinit { steps.deallocate() }

  nonisolated(unsafe) private static let nowhere = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)

  /// How a file's values become those of a type without a reader; nil where they need one.
  private static func direct(_ schema: AvroSchema, _ type: DataType) -> (Step.Code, Int64)? {
    switch (schema, type) {
    case (.int(nil), .integer), (.int(.date?), .date), (.int(.date?), .integer): (.int32, 0)
    case (.int(nil), .bigint), (.long, .bigint): (.int64, 0)
    case (.long(.timestamp(1_000_000)?), .timestamp(6)): (.int64, 0)
    case (.long(.timestamp(1000)?), .timestamp(let precision)) where (3...6).contains(precision): (.scaled, 1000)
    case (.boolean, .boolean): (.fixed1, 0)
    case (.float, .real): (.fixed4, 0)
    case (.double, .double): (.fixed8, 0)
    case (.string, .varchar(nil)), (.bytes, .varchar(nil)), (.string, .varbinary), (.bytes, .varbinary): (.string, 0)
    case (.bytes(.decimal(_, let stored)?), .decimal(let precision, let scale)) where stored == scale && precision <= 18:
      (.decimal64, Int64(DecimalMath.power(precision)))
    default: nil
    }
  }

  private static func width(_ code: Step.Code) -> Int {
    switch code {
    case .fixed1: 1
    case .int32, .fixed4: 4
    case .int64, .scaled, .fixed8, .decimal64: 8
    case .string: 16
    default: 0
    }
  }

  /// Makes room for so many rows.
  func begin(_ count: Int) {
    capacity = count
    buffers = []
    for i in 0..<stepCount {
      let width = AvroRowDecoder.width(steps[i].code)
      guard width > 0 else {
        buffers.append((Buffer(byteCount: 0), Buffer(byteCount: 0)))
        continue
      }
      let values = Buffer(byteCount: count * width)
      var validity = Buffer(byteCount: 0)
      if steps[i].nullTag != AvroRowDecoder.noUnion {
        validity = Buffer(byteCount: (count + 63) / 64 * 8)
        validity.typed(UInt64.self).update(repeating: .max, count: (count + 63) / 64)
      }
      (steps[i].values, steps[i].validity, steps[i].hasNulls) = (values.pointer, validity.typed(UInt64.self), false)
      buffers.append((values, validity))
    }
  }

  /// Decodes rows to the places from `first` on.
  ///
  /// - Shape: up to 16 bytes behind the cursor's end may be read.
  func decode(_ first: Int, _ count: Int, _ cursor: inout AvroCursor) throws(AvroDamage) {
    let steps = steps
    let stepCount = stepCount
    var p = cursor.at
    let end = p + cursor.left
    var row = first
    let last = first &+ count
    while row < last {
      var i = 0
      while i < stepCount {
        let step = steps + i
        i &+= 1
        let nullTag = step.pointee.nullTag
        if nullTag != AvroRowDecoder.noUnion {
          guard p < end else { throw AvroRowDecoder.passed }
          let tag = p[0]
          p += 1
          if tag == nullTag {
            AvroRowDecoder.setNull(step, row)
            continue
          }
          guard tag == nullTag ^ 2 else { throw AvroDamage("a union has an unknown tag") }
        }
        switch step.pointee.code {
        case .int32:
          let value = try AvroRowDecoder.long(&p, end)
          guard let narrow = Int32(exactly: value) else { throw AvroDamage("the value \(value) does not fit in integer") }
          step.pointee.values.assumingMemoryBound(to: Int32.self)[row] = narrow
        case .int64: step.pointee.values.assumingMemoryBound(to: Int64.self)[row] = try AvroRowDecoder.long(&p, end)
        case .scaled:
          let (value, overflow) = try AvroRowDecoder.long(&p, end).multipliedReportingOverflow(by: step.pointee.size)
          guard !overflow else { throw AvroDamage("a timestamp is out of range") }
          step.pointee.values.assumingMemoryBound(to: Int64.self)[row] = value
        case .fixed1:
          guard end - p >= 1 else { throw AvroRowDecoder.passed }
          step.pointee.values.assumingMemoryBound(to: UInt8.self)[row] = p[0] & 1
          p += 1
        case .fixed4:
          guard end - p >= 4 else { throw AvroRowDecoder.passed }
          step.pointee.values.assumingMemoryBound(to: UInt32.self)[row] = UnsafeRawPointer(p).loadUnaligned(as: UInt32.self)
          p += 4
        case .fixed8:
          guard end - p >= 8 else { throw AvroRowDecoder.passed }
          step.pointee.values.assumingMemoryBound(to: UInt64.self)[row] = UnsafeRawPointer(p).loadUnaligned(as: UInt64.self)
          p += 8
        case .string:
          let length = try AvroRowDecoder.length(&p, end)
          step.pointee.values.assumingMemoryBound(to: StringView.self)[row] = StringView(p, count: length)
          p += length
        case .decimal64:
          let length = try AvroRowDecoder.length(&p, end)
          let value = try AvroRowDecoder.decimal(p, length)
          guard value.magnitude < step.pointee.size.magnitude else { throw AvroDamage("a decimal does not fit in its type") }
          step.pointee.values.assumingMemoryBound(to: Int64.self)[row] = value
          p += length
        case .skipNumber: _ = try AvroRowDecoder.long(&p, end)
        case .skipFixed:
          let size = Int(step.pointee.size)
          guard end - p >= size else { throw AvroRowDecoder.passed }
          p += size
        case .skipSized: p += try AvroRowDecoder.length(&p, end)
        case .skipOther:
          var rest = AvroCursor(p, count: end - p)
          try rest.skip(schemas[step.pointee.index])
          p = rest.at
        case .other:
          var rest = AvroCursor(p, count: end - p)
          try plan.readers[step.pointee.index].read(&rest)
          p = rest.at
        }
      }
      row &+= 1
    }
    cursor = AvroCursor(p, count: end - p)
  }

  private static let passed = AvroDamage("a value passes the block's end")

  @inline(__always)
  private static func setNull(_ step: UnsafeMutablePointer<Step>, _ row: Int) {
    // What is passed over has no place.
    guard width(step.pointee.code) > 0 else { return }
    step.pointee.hasNulls = true
    step.pointee.validity[row &>> 6] &= ~(1 &<< UInt64(row & 63))
    switch width(step.pointee.code) {
    case 1: step.pointee.values.assumingMemoryBound(to: UInt8.self)[row] = 0
    case 4: step.pointee.values.assumingMemoryBound(to: UInt32.self)[row] = 0
    case 8: step.pointee.values.assumingMemoryBound(to: UInt64.self)[row] = 0
    default: step.pointee.values.assumingMemoryBound(to: StringView.self)[row] = StringView()
    }
  }

  /// A zigzag varint.
  @inline(__always)
  private static func long(_ p: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) throws(AvroDamage) -> Int64 {
    guard p < end else { throw passed }
    var byte = p[0]
    p += 1
    var value = UInt64(byte & 0x7f)
    var shift: UInt64 = 7
    while byte >= 0x80 {
      guard p < end, shift <= 63 else { throw passed }
      byte = p[0]
      p += 1
      value |= UInt64(byte & 0x7f) &<< shift
      shift &+= 7
    }
    return Int64(bitPattern: value &>> 1) ^ (0 &- Int64(bitPattern: value & 1))
  }

  @inline(__always)
  private static func length(_ p: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) throws(AvroDamage) -> Int {
    let length = try long(&p, end)
    guard length >= 0, length <= end - p, length < 1 << 31 else { throw AvroDamage("a value of \(length) bytes passes the block's end") }
    return Int(length)
  }

  /// A big-endian number of two's complement.
  @inline(__always)
  private static func decimal(_ p: UnsafePointer<UInt8>, _ length: Int) throws(AvroDamage) -> Int64 {
    if length == 0 { return 0 }
    if length <= 8 {
      let word = UInt64(bigEndian: UnsafeRawPointer(p).loadUnaligned(as: UInt64.self))
      return Int64(bitPattern: word) &>> Int64(64 &- length &* 8)
    }
    // Bytes before the last eight only repeat the sign.
    let value = Int64(bitPattern: UInt64(bigEndian: UnsafeRawPointer(p + (length - 8)).loadUnaligned(as: UInt64.self)))
    for i in 0..<length - 8 where p[i] != (value < 0 ? 0xff : 0) { throw AvroDamage("a decimal does not fit in its type") }
    return value
  }

  /// The columns of the first `count` rows; begins anew.
  ///
  /// - Parameter blocks: what keeps strings alive.
  func take(_ count: Int, _ blocks: [AnyObject]) throws(AvroDamage) -> [Column] {
    var columns: [Column?] = Array(repeating: nil, count: request.columns.count)
    for i in 0..<stepCount {
      let step = steps[i]
      switch step.code {
      case .skipNumber, .skipFixed, .skipSized, .skipOther: continue
      case .other: columns[step.index] = try plan.readers[step.index].take()
      default:
        let validity = step.hasNulls ? Bitmap(count: count, buffer: buffers[i].validity) : nil
        // Bits behind the last row are clear in a bitmap.
        if let validity, count & 63 != 0 { validity.words[count >> 6] &= (1 &<< UInt64(count & 63)) &- 1 }
        columns[step.index] = Column(
          flat: request.columns[step.index].type, count: count, values: buffers[i].values, validity: validity,
          heap: step.code == .string ? StringHeap(blocks) : nil)
      }
    }
    for (index, value) in plan.missing { columns[index] = Column.constant(value, request.columns[index].type, count: count) }
    return columns.enumerated().map { $1 ?? Column.nulls(request.columns[$0].type, count: count) }
  }
}
