import Columnar
import QueryErrors

/// Reads the values of one schema into a column of the wanted type, one at a time.
///
/// - Threads: one.
class AvroValueReader {
  let type: DataType
  private(set) var count = 0
  private var nulls: [Int32] = []

  init(_ type: DataType) { self.type = type }

  /// The next value.
  final func read(_ cursor: inout AvroCursor) throws(AvroDamage) {
    try readValue(&cursor)
    count &+= 1
  }

  final func appendNull() {
    nulls.append(Int32(count))
    appendEmpty()
    count &+= 1
  }

  /// The column of all values read so far; begins anew.
  final func take() throws(AvroDamage) -> Column {
    var validity: Bitmap?
    if !nulls.isEmpty {
      let bits = Bitmap(count: count, filled: true)
      for row in nulls { bits.clear(Int(row)) }
      validity = bits
    }
    let column = try takeValues(count, validity)
    nulls.removeAll(keepingCapacity: true)
    count = 0
    return column
  }

  // MARK: What a kind of value does

  func readValue(_ cursor: inout AvroCursor) throws(AvroDamage) { preconditionFailure("abstract") }
  /// A place for a NULL.
  func appendEmpty() { preconditionFailure("abstract") }
  func takeValues(_ count: Int, _ validity: Bitmap?) throws(AvroDamage) -> Column { preconditionFailure("abstract") }

  // MARK: Making readers

  /// - Throws: `HIVE_BAD_DATA` when the file's type cannot be read as the declared one.
  static func make(
    _ schema: AvroSchema, as type: DataType, column: String, path: String
  ) throws(QueryError) -> AvroValueReader {
    switch (schema, type) {
    case (.union(let members), _): return try union(members, type, column, path)
    case (.null, _): return AvroNullReader(type)
    case (.boolean, .boolean): return AvroFixedReader<UInt8>(type) { (cursor) throws(AvroDamage) in try cursor.raw(UInt8.self) & 1 }
    case (.float, .real): return AvroFixedReader<Float>(type) { (cursor) throws(AvroDamage) in try cursor.raw(Float.self) }
    case (.float, .double): return AvroFixedReader<Double>(type) { (cursor) throws(AvroDamage) in Double(try cursor.raw(Float.self)) }
    case (.double, .double): return AvroFixedReader<Double>(type) { (cursor) throws(AvroDamage) in try cursor.raw(Double.self) }
    case (.int, _), (.long, _):
      if let reader = integer(schema, type) { return reader }
    case (.string, .varchar), (.string, .char), (.bytes, .varchar), (.string, .varbinary), (.string, .json):
      return AvroStringReader(type) { (cursor) throws(AvroDamage) in try cursor.sized() }
    case (.bytes(nil), .varbinary), (.bytes(.some), .varbinary):
      return AvroStringReader(type) { (cursor) throws(AvroDamage) in try cursor.sized() }
    case (.fixed(let size, _), .varbinary):
      return AvroStringReader(type) { (cursor) throws(AvroDamage) in (try cursor.bytes(size), size) }
    case (.enumeration(let symbols), .varchar), (.enumeration(let symbols), .char): return AvroEnumReader(symbols, type)
    case (.bytes(.decimal(_, let scale)?), .decimal):
      return AvroDecimalReader(type, storedScale: scale) { (cursor) throws(AvroDamage) in try cursor.sized() }
    case (.fixed(let size, .decimal(_, let scale)?), .decimal):
      return AvroDecimalReader(type, storedScale: scale) { (cursor) throws(AvroDamage) in (try cursor.bytes(size), size) }
    case (.array(let element), .array(let wanted)):
      return AvroListReader(type, keys: nil, try make(element, as: wanted, column: column + ".element", path: path))
    case (.map(let value), .map(let key, let wanted)):
      if case .varchar = key {
        return AvroListReader(
          type, keys: AvroStringReader(key) { (cursor) throws(AvroDamage) in try cursor.sized() },
          try make(value, as: wanted, column: column + ".value", path: path))
      }
    case (.record(_, let members), .row(let fields)): return try record(members, fields, type, column, path)
    default: break
    }
    throw QueryError(
      .hiveBadData, "Column '\(column)' is declared as \(type), but the Avro file declares it as \(schema.description)",
      data: DataLocation(path: path, column: column))
  }

  private static func integer(_ schema: AvroSchema, _ type: DataType) -> AvroValueReader? {
    let logical: AvroSchema.LogicalType?
    switch schema {
    case .int(let own), .long(let own): logical = own
    default: return nil
    }
    switch type {
    case .tinyint: return AvroFixedReader<Int8>(type) { (cursor) throws(AvroDamage) in try narrow(try cursor.long(), type) }
    case .smallint: return AvroFixedReader<Int16>(type) { (cursor) throws(AvroDamage) in try narrow(try cursor.long(), type) }
    case .integer: return AvroFixedReader<Int32>(type) { (cursor) throws(AvroDamage) in try narrow(try cursor.long(), type) }
    case .date:
      guard case .date? = logical else { return nil }
      return AvroFixedReader<Int32>(type) { (cursor) throws(AvroDamage) in try narrow(try cursor.long(), type) }
    case .bigint: return AvroFixedReader<Int64>(type) { (cursor) throws(AvroDamage) in try cursor.long() }
    case .real where logical == nil: return AvroFixedReader<Float>(type) { (cursor) throws(AvroDamage) in Float(try cursor.long()) }
    case .double where logical == nil: return AvroFixedReader<Double>(type) { (cursor) throws(AvroDamage) in Double(try cursor.long()) }
    case .time:
      guard case .time(let units)? = logical else { return nil }
      let picos = 1_000_000_000_000 / units
      return AvroFixedReader<Int64>(type) { (cursor) throws(AvroDamage) in
        let value = try cursor.long()
        guard value >= 0, value < 86_400 * units else { throw AvroDamage("a time of day is out of range") }
        return value &* picos
      }
    case .timestamp(let precision):
      guard case .timestamp(let units)? = logical else { return nil }
      return timestamp(type, precision, units)
    default: return nil
    }
  }

  private static func timestamp(_ type: DataType, _ precision: Int, _ units: Int64) -> AvroValueReader {
    /// Stored units in one unit of the type's precision; 1 where the type is as fine.
    var coarse: Int64 = 1
    var power: Int64 = 1
    for _ in 0..<min(precision, 9) { power *= 10 }
    if power < units { coarse = units / power }
    func rounded(_ value: Int64) -> Int64 {
      if coarse == 1 { return value }
      let shifted = value &+ coarse / 2
      let rest = shifted % coarse
      return shifted &- (rest < 0 ? rest &+ coarse : rest)
    }
    if precision <= DataType.maxShortTimestampPrecision {
      return AvroFixedReader<Int64>(type) { (cursor) throws(AvroDamage) in
        let value = rounded(try cursor.long())
        if units > 1_000_000 { return value / (units / 1_000_000) }
        let (micros, overflow) = value.multipliedReportingOverflow(by: 1_000_000 / units)
        guard !overflow else { throw AvroDamage("a timestamp is out of range") }
        return micros
      }
    }
    let picos = Int128(1_000_000_000_000 / units)
    return AvroFixedReader<Int128>(type) { (cursor) throws(AvroDamage) in Int128(rounded(try cursor.long())) &* picos }
  }

  @inline(__always)
  private static func narrow<T: FixedWidthInteger>(_ value: Int64, _ type: DataType) throws(AvroDamage) -> T {
    guard let narrow = T(exactly: value) else { throw AvroDamage("the value \(value) does not fit in \(type)") }
    return narrow
  }

  private static func union(
    _ members: [AvroSchema], _ type: DataType, _ column: String, _ path: String
  ) throws(QueryError) -> AvroValueReader {
    let values = members.filter { !$0.isNull }
    if values.count == 1 {
      return AvroOptionalReader(
        try make(values[0], as: type, column: column, path: path), nullTag: members.firstIndex { $0.isNull } ?? -1,
        members.count)
    }
    if case .row(let fields) = type, fields.count == values.count + 1, fields[0].type == .tinyint {
      var readers: [AvroValueReader?] = []
      var next = 1
      for member in members {
        if member.isNull {
          readers.append(nil)
          continue
        }
        readers.append(try make(member, as: fields[next].type, column: column, path: path))
        next += 1
      }
      return AvroUnionReader(type, readers)
    }
    // Members that all can be read as the wanted type.
    var readers: [AvroValueReader?] = []
    for member in members { readers.append(member.isNull ? nil : try make(member, as: type, column: column, path: path)) }
    return AvroMergedReader(type, readers)
  }

  private static func record(
    _ members: [AvroSchema.Member], _ fields: [DataType.RowField], _ type: DataType, _ column: String, _ path: String
  ) throws(QueryError) -> AvroValueReader {
    var readers: [AvroValueReader] = []
    var places: [Int: Int] = [:]
    for (index, field) in fields.enumerated() {
      let place =
        field.name.map { name in
          members.firstIndex { $0.name == name } ?? members.firstIndex { $0.name.lowercased() == name.lowercased() }
        } ?? (members.indices.contains(index) ? index : nil)
      guard let place else {
        readers.append(AvroNullReader(field.type))
        continue
      }
      places[place] = index
      readers.append(
        try make(members[place].schema, as: field.type, column: column + "." + members[place].name, path: path))
    }
    return AvroRecordReader(
      type, readers, members.enumerated().map { place, member in (member.schema, places[place]) })
  }
}
