import Columnar
import QueryErrors

/// How values of a SQL type are stored in a Parquet file.
///
/// - Source: parquet-format, LogicalTypes.md; Trino's Hive connector for which physical types engines expect.
struct ParquetLeafType {
  /// How a value becomes a word of 64 bits, or bytes.
  enum Form {
    /// Kept in 8 to 64 bits, or as a string, as it is stored.
    case same
    /// Int64 or Int128, divided (floor) by this.
    case divided(Int64)
    /// Picoseconds beside a zone key, divided by this.
    case instant(Int64)
    /// Int128 in so many big-endian bytes.
    case bigEndian(Int)
  }

  var physical: ParquetPhysicalType
  /// Bytes of FIXED_LEN_BYTE_ARRAY.
  var fixedByteCount = 0
  var converted: Int?
  var form = Form.same
  /// Field of `LogicalType` and what it holds.
  var logical: ((inout ThriftCompactWriter) -> Void)?
  var decimal: (precision: Int, scale: Int)?
  /// Whether the order of values is that of unsigned bytes.
  var isBytes: Bool { physical == .byteArray || physical == .fixedByteArray }
  /// Whether a bound that is cut off has to stay text.
  var isText = false

  /// - Throws: `NOT_SUPPORTED` for types that Parquet has no place for.
  static func make(_ type: DataType, column: String) throws(QueryError) -> ParquetLeafType {
    func simple(_ id: Int) -> (inout ThriftCompactWriter) -> Void {
      { out in out.field(id, structure: { _ in }) }
    }
    func integer(_ bits: Int, converted: Int) -> ParquetLeafType {
      ParquetLeafType(
        physical: .int32, converted: converted,
        logical: { out in
          out.field(
            10,
            structure: { type in
              type.field(1, int8: bits)
              type.field(2, bool: true)
            })
        })
    }
    /// TIME or TIMESTAMP.
    func clock(_ id: Int, _ digits: Int, isUTC: Bool) -> (inout ThriftCompactWriter) -> Void {
      { out in
        out.field(
          id,
          structure: { type in
            type.field(1, bool: isUTC)
            type.field(2, structure: { $0.field(digits == 3 ? 1 : digits == 6 ? 2 : 3, structure: { _ in }) })
          })
      }
    }
    func digits(_ precision: Int) throws(QueryError) -> Int {
      guard precision <= 9 else {
        throw QueryError.notSupported(
          "Column '\(column)': Parquet files cannot hold type \(type)", hint: "Cast it to a precision of 9 or less.")
      }
      return precision <= 3 ? 3 : precision <= 6 ? 6 : 9
    }
    func power(_ exponent: Int) -> Int64 { (0..<exponent).reduce(Int64(1)) { value, _ in value * 10 } }
    switch type {
    case .boolean: return ParquetLeafType(physical: .boolean)
    case .tinyint: return integer(8, converted: 15)
    case .smallint: return integer(16, converted: 16)
    case .integer: return ParquetLeafType(physical: .int32)
    case .bigint: return ParquetLeafType(physical: .int64)
    case .real: return ParquetLeafType(physical: .float)
    case .double: return ParquetLeafType(physical: .double)
    case .date: return ParquetLeafType(physical: .int32, converted: 6, logical: simple(6))
    case .varchar, .char:
      return ParquetLeafType(physical: .byteArray, converted: 0, logical: simple(1), isText: true)
    case .json: return ParquetLeafType(physical: .byteArray, converted: 19, logical: simple(12), isText: true)
    case .varbinary: return ParquetLeafType(physical: .byteArray)
    case .uuid: return ParquetLeafType(physical: .fixedByteArray, fixedByteCount: 16, logical: simple(14))
    case .decimal(let precision, let scale):
      var result = ParquetLeafType(physical: precision <= 9 ? .int32 : precision <= 18 ? .int64 : .fixedByteArray)
      if precision > 18 {
        // The fewest bytes whose two's complement holds all digits.
        var bytes = 8
        while bytes < 16, (Int128(1) << Int128(bytes * 8 - 1)) <= DecimalMath.power(precision) { bytes += 1 }
        result.fixedByteCount = bytes
        result.form = .bigEndian(bytes)
      }
      result.converted = 5
      result.decimal = (precision, scale)
      result.logical = { out in
        out.field(
          5,
          structure: { type in
            type.field(1, int32: scale)
            type.field(2, int32: precision)
          })
      }
      return result
    case .time(let precision):
      let unit = try digits(precision)
      return ParquetLeafType(
        physical: unit == 3 ? .int32 : .int64, form: .divided(power(12 - unit)),
        logical: clock(7, unit, isUTC: false))
    case .timestamp(let precision):
      let unit = try digits(precision)
      let own = precision <= DataType.maxShortTimestampPrecision ? 6 : 12
      return ParquetLeafType(
        physical: .int64, form: own == unit ? .same : .divided(power(own - unit)), logical: clock(8, unit, isUTC: false))
    case .timestampWithTimeZone(let precision):
      let unit = try digits(precision)
      return ParquetLeafType(
        physical: .int64, converted: unit == 3 ? 9 : unit == 6 ? 10 : nil, form: .instant(power(12 - unit)),
        logical: clock(8, unit, isUTC: true))
    default:
      throw QueryError.notSupported(
        "Column '\(column)': Parquet files cannot hold type \(type)", hint: "Cast it to varchar, for example.")
    }
  }
}
