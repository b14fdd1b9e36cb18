import Columnar
import QueryErrors

/// A table's schema as Avro states it, and the encoders of its columns.
///
/// Every column, field, element and value may be NULL: a union of null and its type.
struct AvroWriterSchema {
  private var recordCount = 0

  /// - Throws: `NOT_SUPPORTED` for types and names that Avro has no place for.
  static func make(_ schema: Schema) throws(QueryError) -> (text: String, encoders: [AvroEncoder]) {
    var maker = AvroWriterSchema()
    var fields: [String] = []
    var encoders: [AvroEncoder] = []
    for field in schema.fields {
      let (text, encoder) = try maker.optional(field.type, column: field.name)
      fields.append(try AvroWriterSchema.field(field.name, text, column: field.name))
      encoders.append(encoder)
    }
    return (#"{"type":"record","name":"row","fields":[\#(fields.joined(separator: ","))]}"#, encoders)
  }

  private static func field(_ name: String, _ type: String, column: String) throws(QueryError) -> String {
    let isName =
      name.utf8.first.map { !(0x30...0x39).contains($0) } ?? false
      && name.utf8.allSatisfy { $0 == 0x5f || (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) }
    guard isName else {
      throw QueryError.notSupported(
        "Column '\(column)': the name '\(name)' in Avro files",
        hint: "Avro's names are letters from a to z, digits and underscores; give it an alias.")
    }
    return #"{"name":"\#(name)","type":\#(type),"default":null}"#
  }

  private mutating func optional(_ type: DataType, column: String) throws(QueryError) -> (String, AvroEncoder) {
    let (text, encoder) = try plain(type, column: column)
    return (#"["null",\#(text)]"#, AvroOptionalEncoder(encoder))
  }

  /// - Source: Trino 401 and Hive's `TypeInfoToSchema` for which types become which.
  private mutating func plain(_ type: DataType, column: String) throws(QueryError) -> (String, AvroEncoder) {
    func logical(_ base: String, _ name: String, _ more: String = "") -> String {
      #"{"type":"\#(base)","logicalType":"\#(name)"\#(more)}"#
    }
    switch type {
    case .boolean: return (#""boolean""#, AvroFixedEncoder<UInt8> { value, out in out.append(byte: value & 1) })
    case .integer: return (#""int""#, AvroFixedEncoder<Int32> { value, out in out.append(zigzag: Int64(value)) })
    case .bigint: return (#""long""#, AvroFixedEncoder<Int64> { value, out in out.append(zigzag: value) })
    case .real: return (#""float""#, AvroFixedEncoder<Float> { value, out in out.append(value) })
    case .double: return (#""double""#, AvroFixedEncoder<Double> { value, out in out.append(value) })
    case .date:
      return (logical("int", "date"), AvroFixedEncoder<Int32> { value, out in out.append(zigzag: Int64(value)) })
    case .varchar(nil): return (#""string""#, AvroStringEncoder())
    case .varchar(let length?): return (logical("string", "varchar", #","maxLength":\#(length)"#), AvroStringEncoder())
    case .char(let length): return (logical("string", "char", #","maxLength":\#(length)"#), AvroStringEncoder())
    case .varbinary: return (#""bytes""#, AvroStringEncoder())
    case .decimal(let precision, let scale):
      let more = #","precision":\#(precision),"scale":\#(scale)"#
      if type.physicalType == .int64 {
        return (logical("bytes", "decimal", more), AvroFixedEncoder<Int64> { AvroDecimalBytes.append(Int128($0), to: $1) })
      }
      return (logical("bytes", "decimal", more), AvroFixedEncoder<Int128> { AvroDecimalBytes.append($0, to: $1) })
    case .time(let precision) where precision <= 6:
      let unit: Int64 = precision <= 3 ? 1_000_000_000 : 1_000_000
      return (
        precision <= 3 ? logical("int", "time-millis") : logical("long", "time-micros"),
        AvroFixedEncoder<Int64> { value, out in out.append(zigzag: value / unit) }
      )
    case .timestamp(let precision) where precision <= 9: return AvroWriterSchema.timestamp(precision, isZoned: false)
    case .timestampWithTimeZone(let precision) where precision <= 9:
      return AvroWriterSchema.timestamp(precision, isZoned: true)
    case .uuid: return (logical("string", "uuid"), AvroUUIDEncoder())
    case .array(let element):
      let (text, encoder) = try optional(element, column: column)
      return (#"{"type":"array","items":\#(text)}"#, AvroListEncoder(keys: nil, encoder))
    case .map(let key, let value):
      guard key.physicalType == .string, case .varchar = key else {
        throw QueryError.notSupported("Column '\(column)': maps with keys of type \(key) in Avro files", hint: "Cast the keys to varchar.")
      }
      let (text, encoder) = try optional(value, column: column)
      return (#"{"type":"map","values":\#(text)}"#, AvroListEncoder(keys: AvroKeyEncoder(column: column), encoder))
    case .row(let fields) where !fields.isEmpty:
      let name = "record_\(recordCount)"
      recordCount += 1
      var texts: [String] = []
      var encoders: [AvroEncoder] = []
      for (index, field) in fields.enumerated() {
        let (text, encoder) = try optional(field.type, column: column)
        texts.append(try AvroWriterSchema.field(field.name ?? "field\(index)", text, column: column))
        encoders.append(encoder)
      }
      return (
        #"{"type":"record","name":"\#(name)","fields":[\#(texts.joined(separator: ","))]}"#, AvroRecordEncoder(encoders)
      )
    case .tinyint, .smallint:
      throw QueryError.notSupported("Column '\(column)': Avro files cannot hold type \(type)", hint: "Cast it to integer.")
    default:
      throw QueryError.notSupported(
        "Column '\(column)': Avro files cannot hold type \(type)", hint: "Cast it to varchar, for example.")
    }
  }

  private static func timestamp(_ precision: Int, isZoned: Bool) -> (String, AvroEncoder) {
    let (name, units): (String, Int64) =
      precision <= 3 ? ("millis", 1000) : precision <= 6 ? ("micros", 1_000_000) : ("nanos", 1_000_000_000)
    let text = #"{"type":"long","logicalType":"timestamp-\#(name)"}"#
    if !isZoned, precision <= DataType.maxShortTimestampPrecision {
      let unit = 1_000_000 / units
      return (
        text,
        AvroFixedEncoder<Int64> { value, out in out.append(zigzag: value / unit &- (value % unit < 0 ? 1 : 0)) }
      )
    }
    let unit = Int128(1_000_000_000_000 / units)
    return (
      text,
      AvroFixedEncoder<Int128> { value, out in
        let picos = isZoned ? value &>> 16 : value
        out.append(zigzag: Int64(clamping: picos / unit - (picos % unit < 0 ? 1 : 0)))
      }
    )
  }
}

/// Unscaled decimals: their length and big-endian two's complement bytes, as few as hold them.
enum AvroDecimalBytes {
  static func append(_ value: Int128, to out: ByteBuilder) {
    var count = 16
    while count > 1, value >> Int128((count - 1) * 8 - 1) == (value < 0 ? -1 : 0) { count -= 1 }
    out.append(zigzag: Int64(count))
    for byte in stride(from: count - 1, through: 0, by: -1) { out.append(byte: UInt8(truncatingIfNeeded: value >> Int128(byte * 8))) }
  }
}
