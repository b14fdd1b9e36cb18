import Columnar

/// A column of a table at the server.
struct PostgreSQLColumn: Sendable {
  var name: String
  var kind: PostgreSQLType
  /// As `pg_stats.n_distinct`: a number of values, or minus a share of the rows; nil when never analyzed.
  var distinct: Double?
}

/// The types of PostgreSQL that have an exact counterpart here, each as its binary form is read.
///
/// - Source: PostgreSQL 15, `src/include/catalog/pg_type.dat` for the numbers, `src/backend/utils/adt` for the binary forms.
indirect enum PostgreSQLType: Hashable, Sendable {
  case boolean
  case smallint
  case integer
  case bigint
  /// `oid`: 32 bits without a sign.
  case unsigned
  case real
  case double
  case numeric(precision: Int, scale: Int)
  /// Nil when unbounded.
  case text(length: Int?)
  /// The text as it was written; the server does not compare such values.
  case json
  /// A version byte and a text.
  case jsonb
  case char(length: Int)
  case enumeration
  case bytes
  case uuid
  case date
  case time(precision: Int)
  case timestamp(precision: Int)
  case timestampWithTimeZone(precision: Int)
  case array(PostgreSQLType, oid: Int)

  /// - Parameter modifier: `atttypmod`, of an array that of its elements.
  /// - Parameter numeric: what numerics without a precision are read as; nil: they have no counterpart.
  init?(oid: Int, modifier: Int, isEnumeration: Bool = false, element: Int = 0, numeric: PostgreSQLType? = nil) {
    // Length and precision stand behind a header of four bytes.
    let bound = modifier >= 4 ? modifier - 4 : nil
    let precision = (0...6).contains(modifier) ? modifier : 6
    switch oid {
    case 16: self = .boolean
    case 21: self = .smallint
    case 23: self = .integer
    case 20: self = .bigint
    case 26: self = .unsigned
    case 700: self = .real
    case 701: self = .double
    case 1700:
      // Without a precision it holds any number; the scale has eleven bits and a sign.
      guard let bound else {
        guard let numeric else { return nil }
        self = numeric
        return
      }
      let (digits, scale) = (bound >> 16, ((bound & 0x7ff) ^ 1024) - 1024)
      guard (1...38).contains(digits), (0...digits).contains(scale) else { return nil }
      self = .numeric(precision: digits, scale: scale)
    case 25, 19: self = .text(length: nil)
    case 114: self = .json
    case 1043: self = .text(length: bound)
    case 1042:
      guard let bound else { return nil }
      self = .char(length: bound)
    case 3802: self = .jsonb
    case 17: self = .bytes
    case 2950: self = .uuid
    case 1082: self = .date
    case 1083: self = .time(precision: precision)
    case 1114: self = .timestamp(precision: precision)
    case 1184: self = .timestampWithTimeZone(precision: precision)
    default:
      if isEnumeration {
        self = .enumeration
      } else if element != 0, PostgreSQLType.arrays[oid] == element,
        let inner = PostgreSQLType(oid: element, modifier: modifier, numeric: numeric)
      {
        self = .array(inner, oid: element)
      } else {
        return nil
      }
    }
  }

  /// Whether values of a type that the server yields have this binary form.
  func reads(oid: Int) -> Bool {
    switch self {
    case .boolean: oid == 16
    case .smallint: oid == 21
    case .integer: oid == 23
    case .bigint: oid == 20
    case .unsigned: oid == 26
    case .real: oid == 700
    case .double: oid == 701
    case .numeric: oid == 1700
    case .text: [25, 19, 1043].contains(oid)
    case .json: oid == 114
    case .jsonb: oid == 3802
    case .char: oid == 1042
    // Its labels come as a text does.
    case .enumeration: oid == 25 || oid >= PostgreSQLType.firstOfUsers
    case .bytes: oid == 17
    case .uuid: oid == 2950
    case .date: oid == 1082
    case .time: oid == 1083
    case .timestamp: oid == 1114
    case .timestampWithTimeZone: oid == 1184
    case .array(_, let element): PostgreSQLType.arrays[oid] == element
    }
  }

  /// Types below come with the server.
  private static let firstOfUsers = 16_384

  /// Array types by their elements.
  private static let arrays = [
    1000: 16, 1005: 21, 1007: 23, 1016: 20, 1021: 700, 1022: 701, 1231: 1700, 1009: 25, 1015: 1043, 1014: 1042, 1001: 17,
    2951: 2950, 1182: 1082, 1183: 1083, 1115: 1114, 1185: 1184,
  ]

  var type: DataType {
    switch self {
    case .boolean: .boolean
    case .smallint: .smallint
    case .integer: .integer
    case .bigint, .unsigned: .bigint
    case .real: .real
    case .double: .double
    case .numeric(let precision, let scale): .decimal(precision: precision, scale: scale)
    case .text(let length): .varchar(length: length)
    case .json, .jsonb, .enumeration: .text
    case .char(let length): .char(length: length)
    case .bytes: .varbinary
    case .uuid: .uuid
    case .date: .date
    case .time(let precision): .time(precision: precision)
    case .timestamp(let precision): .timestamp(precision: precision)
    case .timestampWithTimeZone(let precision): .timestampWithTimeZone(precision: precision)
    case .array(let element, _): .array(element.type)
    }
  }

  /// Days from 1970-01-01 to 2000-01-01, where PostgreSQL's dates begin.
  static let epochDays: Int32 = 10_957
  static let epochMicros = Int64(epochDays) * 86_400_000_000
}
