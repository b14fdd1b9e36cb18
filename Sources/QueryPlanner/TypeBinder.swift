package import Columnar
package import QueryErrors
package import SQLSyntax

/// Turns types as written into types.
package enum TypeBinder {
  /// - Parameter isHive: whether Hive's names (`string`, `binary`, `float`) are meant too, as in DDL.
  /// - Throws: `TYPE_NOT_FOUND` for names that are no types.
  package static func bind(_ syntax: TypeSyntax, isHive: Bool = false) throws(QueryError) -> DataType {
    switch syntax {
    case .array(let array): return .array(try bind(array.element, isHive: isHive))
    case .map(let map):
      let key = try bind(map.key, isHive: isHive)
      guard key.isComparable else {
        throw QueryError(.typeNotFound, "Unknown type: \(SQLFormatter.format(syntax))", at: syntax.range)
      }
      return .map(key: key, value: try bind(map.value, isHive: isHive))
    case .row(let row):
      var fields: [DataType.RowField] = []
      for field in row.fields {
        let name = field.name.map { $0.isDelimited ? $0.name : $0.canonicalName }
        fields.append(.init(name: name, type: try bind(field.type, isHive: isHive)))
      }
      return .row(fields)
    case .dateTime(let type):
      let precision = Int(type.precision ?? 3)
      guard (0...12).contains(precision) else {
        throw QueryError(
          .typeSignatureTooLong,
          "\(type.base.rawValue.uppercased()) precision must be in range [0, 12]: \(precision)", at: type.range)
      }
      switch (type.base, type.isWithTimeZone) {
      case (.time, false): return .time(precision: precision)
      case (.time, true): return .timeWithTimeZone(precision: precision)
      case (.timestamp, false): return .timestamp(precision: precision)
      case (.timestamp, true): return .timestampWithTimeZone(precision: precision)
      }
    case .interval(let interval):
      switch (interval.from, interval.to) {
      case (.year, .month?): return .intervalYearToMonth
      case (.day, .second?): return .intervalDayToSecond
      default:
        throw QueryError(.typeNotFound, "Unknown type: \(SQLFormatter.format(syntax))", at: interval.range)
      }
    case .named(let named): return try bind(named, isHive: isHive)
    }
  }

  private static func bind(_ type: NamedTypeSyntax, isHive: Bool) throws(QueryError) -> DataType {
    let name = type.name.canonicalName
    func unknown() -> QueryError {
      QueryError(
        .typeNotFound, "Unknown type: \(SQLFormatter.format(.named(type)))", at: type.range,
        hint: NameSuggestion.hint(for: name, among: plainTypes.keys.sorted() + ["varchar", "char", "decimal", "timestamp"]))
    }
    func number(_ index: Int) throws(QueryError) -> Int {
      guard index < type.parameters.count, case .integer(let value) = type.parameters[index] else { throw unknown() }
      return Int(clamping: value)
    }
    func invalid(_ message: String) -> QueryError { QueryError(.typeSignatureTooLong, message, at: type.range) }

    switch name {
    case "varchar":
      if type.parameters.isEmpty { return .text }
      guard type.parameters.count == 1 else { throw unknown() }
      let length = try number(0)
      guard length >= 0, length <= 2_147_483_646 else { throw invalid("Invalid VARCHAR length \(length)") }
      return .varchar(length: length)
    case "char", "character":
      if type.parameters.isEmpty { return .char(length: 1) }
      guard type.parameters.count == 1 else { throw unknown() }
      let length = try number(0)
      guard length >= 0, length <= 65_536 else {
        throw invalid("CHAR length must be in range [0, 65536], got \(length)")
      }
      return .char(length: length)
    case "decimal", "dec", "numeric":
      if type.parameters.isEmpty { return .decimal(precision: isHive ? 10 : 38, scale: 0) }
      guard type.parameters.count <= 2 else { throw unknown() }
      let precision = try number(0)
      let scale = type.parameters.count > 1 ? try number(1) : 0
      guard (1...38).contains(precision) else {
        throw invalid("DECIMAL precision must be in range [1, 38]: \(precision)")
      }
      guard (0...precision).contains(scale) else {
        throw invalid("DECIMAL scale must be in range [0, precision (\(precision))]: \(scale)")
      }
      return .decimal(precision: precision, scale: scale)
    case "qdigest":
      guard type.parameters.count == 1 else { throw unknown() }
      switch type.parameters[0] {
      case .type(let element): return .qDigest(try bind(element, isHive: isHive))
      case .integer: throw unknown()
      }
    case "array":
      guard type.parameters.count == 1, case .type(let element) = type.parameters[0] else { throw unknown() }
      return .array(try bind(element, isHive: isHive))
    case "timestamp", "time":
      let precision = type.parameters.isEmpty ? 3 : try number(0)
      guard (0...12).contains(precision) else {
        throw invalid("\(name.uppercased()) precision must be in range [0, 12]: \(precision)")
      }
      return name == "time" ? .time(precision: precision) : .timestamp(precision: precision)
    default: break
    }
    guard type.parameters.isEmpty else { throw unknown() }
    if let known = plainTypes[name] { return known }
    if isHive, let known = hiveTypes[name] { return known }
    throw unknown()
  }

  private static let plainTypes: [String: DataType] = [
    "boolean": .boolean, "tinyint": .tinyint, "smallint": .smallint, "integer": .integer, "int": .integer,
    "bigint": .bigint, "real": .real, "double": .double, "double precision": .double, "varbinary": .varbinary,
    "date": .date, "json": .json, "ipaddress": .ipaddress, "uuid": .uuid, "hyperloglog": .hyperLogLog,
    "p4hyperloglog": .p4HyperLogLog, "setdigest": .setDigest, "tdigest": .tDigest, "color": .color,
    "geometry": .geometry, "sphericalgeography": .sphericalGeography, "bingtile": .bingTile, "jsonpath": .jsonPath,
    "unknown": .unknown, "interval year to month": .intervalYearToMonth,
    "interval day to second": .intervalDayToSecond,
  ]

  private static let hiveTypes: [String: DataType] = ["string": .text, "binary": .varbinary, "float": .real]
}
