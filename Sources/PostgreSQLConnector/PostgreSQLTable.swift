import Columnar
import ConnectorSDK
import QueryErrors

/// A table, view, materialized view, foreign or partitioned table of a database.
final class PostgreSQLTable: ForeignTable, SQLDialect {
  let catalog: PostgreSQLCatalog
  let schema: String
  let name: String
  let declared: [PostgreSQLColumn]
  let columns: Schema
  let rowCountEstimate: Int?
  private let pageCount: Int
  private let isTable: Bool

  /// - Parameter kind: `pg_class.relkind`.
  init(
    _ catalog: PostgreSQLCatalog, schema: String, name: String, columns: [PostgreSQLColumn], kind: String, rowCount: Int,
    pageCount: Int
  ) {
    self.catalog = catalog
    self.schema = schema
    self.name = name
    declared = columns
    self.columns = Schema(columns.map { Field($0.name, $0.kind.type) })
    self.pageCount = pageCount
    isTable = kind == "r" || kind == "m"
    // Never analyzed: guessed from its pages.
    rowCountEstimate = rowCount >= 0 ? rowCount : (isTable ? pageCount * PostgreSQLTable.guessedRowsPerPage : nil)
  }

  private static let guessedRowsPerPage = 60

  var table: String { "\(SQLWords.quoted(schema)).\(SQLWords.quoted(name))" }
  var fullName: String { "\(catalog.context.catalog).\(schema).\(name)" }

  func distinctCountEstimate(of column: Int) -> Int? {
    guard let distinct = declared[column].distinct, let rows = rowCountEstimate, distinct != 0 else { return nil }
    return distinct > 0 ? Int(distinct) : Int(-distinct * Double(rows))
  }

  // MARK: What is sent

  func accept(_ offer: ForeignRequest) -> ForeignRequest { acceptable(offer) }

  func text(of request: ForeignRequest) -> String { select(request) }

  func operand(_ column: Int, _ purpose: SQLPurpose) -> String? {
    let name = SQLWords.quoted(declared[column].name)
    switch (declared[column].kind, purpose) {
    case (_, .output): return name
    case (.boolean, _), (.smallint, _), (.integer, _), (.bigint, _), (.unsigned, _), (.numeric, _), (.date, _),
      (.timestamp, _), (.bytes, _), (.uuid, _), (.time, _):
      return name
    // NaN is the greatest number there, and equal to itself.
    case (.real, .key), (.double, .key): return nil
    case (.real, _), (.double, _): return name
    // Equal texts have equal bytes, unless the column's collation says more.
    case (.text, .equality): return name
    case (.text, .order), (.text, .key): return catalog.isUTF8 ? name + " COLLATE \"C\"" : nil
    case (.enumeration, .equality): return name + "::text"
    case (.enumeration, .order), (.enumeration, .key): return catalog.isUTF8 ? name + "::text COLLATE \"C\"" : nil
    case (.char, .equality): return name
    case (.char, _), (.json, _), (.jsonb, _), (.array, _): return nil
    // Of one moment there are values of many zones here.
    case (.timestampWithTimeZone, .order): return name
    case (.timestampWithTimeZone, _): return nil
    }
  }

  func literal(_ value: Scalar, column: Int) -> String? {
    switch (declared[column].kind, value) {
    case (.boolean, .boolean(let flag)): return flag ? "true" : "false"
    case (.smallint, .integer(let number)), (.integer, .integer(let number)), (.bigint, .integer(let number)):
      return number == .min ? "(-9223372036854775807 - 1)" : String(number)
    // Other numbers are no oid.
    case (.unsigned, .integer(let number)): return (0...0xffff_ffff).contains(number) ? "\(number)::oid" : nil
    case (.real, .real(let number)): return number.isFinite ? "'\(number)'::real" : nil
    case (.double, .double(let number)): return number.isFinite ? "'\(number)'::double precision" : nil
    case (.numeric(_, let scale), .integer(let unscaled)): return SQLWords.decimal(Int128(unscaled), scale: scale)
    case (.numeric(_, let scale), .int128(let unscaled)): return SQLWords.decimal(unscaled, scale: scale)
    case (.text, .bytes(let bytes)), (.enumeration, .bytes(let bytes)), (.char, .bytes(let bytes)): return SQLWords.text(bytes)
    case (.bytes, .bytes(let bytes)): return "'\\x\(SQLWords.hexadecimal(bytes))'::bytea"
    case (.uuid, .bytes(let bytes)): return bytes.count == 16 ? "'\(SQLWords.hexadecimal(bytes))'::uuid" : nil
    case (.date, .integer(let days)): return PostgreSQLText.date(days).map { "DATE '\($0)'" }
    case (.time, .integer(let picos)): return "TIME '\(PostgreSQLText.time(picos))'"
    case (.timestamp, .integer(let micros)): return PostgreSQLText.timestamp(micros).map { "TIMESTAMP '\($0)'" }
    case (.timestampWithTimeZone, .int128(let packed)):
      let (micros, rest) = ZonedTimestamp.utcPicos(packed).quotientAndRemainder(dividingBy: 1_000_000)
      guard rest == 0, let text = Int64(exactly: micros).flatMap(PostgreSQLText.timestamp) else { return nil }
      return "TIMESTAMPTZ '\(text)+00'"
    default: return nil
    }
  }

  func aggregate(_ aggregate: ForeignAggregate) -> String? {
    guard let column = aggregate.column else { return "count(*)" }
    let name = SQLWords.quoted(declared[column].name)
    switch (aggregate.function, declared[column].kind) {
    case (.count, _): return "count(\(name))"
    case (.sum, .smallint), (.sum, .integer), (.sum, .bigint): return "sum(\(name))::bigint"
    // Its scale is the column's; more digits than ours fail here.
    case (.sum, .numeric): return "sum(\(name))"
    case (.min, .smallint), (.min, .integer), (.min, .bigint), (.min, .numeric), (.min, .date), (.min, .timestamp),
      (.max, .smallint), (.max, .integer), (.max, .bigint), (.max, .numeric), (.max, .date), (.max, .timestamp), (.min, .text),
      (.max, .text):
      return operand(column, .order).map { "\(aggregate.function.rawValue)(\($0))" }
    default: return nil
    }
  }

  // MARK: Reading and writing

  /// Pages (of 8 KB) below which one connection is enough: about 30 MB.
  private static let smallPageCount = 4000
  /// The first version that reads a range of row addresses without reading all.
  private static let firstRangeVersion = 140_000
  private static let splitsPerWorker = 2

  func scan(_ request: ForeignRequest, parallelism: Int) throws(QueryError) -> any ForeignScan {
    var conditions: [String?] = [nil]
    if parallelism > 1, isTable, pageCount >= PostgreSQLTable.smallPageCount, request.limit == nil, request.aggregates == nil,
      catalog.serverVersion >= PostgreSQLTable.firstRangeVersion
    {
      let count = parallelism * PostgreSQLTable.splitsPerWorker
      let step = (pageCount + count - 1) / count
      conditions = (0..<count).map { index in
        let from = "ctid >= '(\(index * step),0)'"
        return index == count - 1 ? from : "\(from) AND ctid < '(\((index + 1) * step),0)'"
      }
    }
    return PostgreSQLScan(self, request, conditions: conditions)
  }

  func write(columns: [Int]) throws(QueryError) -> any ForeignWriter { try PostgreSQLWriter(self, columns) }
}

/// Values as PostgreSQL reads them.
enum PostgreSQLText {
  /// Nil for years that it has no date of.
  static func date(_ days: Int64) -> String? {
    guard let days = Int32(exactly: days), (-2_000_000...2_000_000).contains(days) else { return nil }
    let (year, month, day) = CalendarDate.civil(Int(days))
    guard (1...9999).contains(year) else { return nil }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }

  static func time(_ picos: Int64) -> String {
    let micros = picos / 1_000_000
    let seconds = Int(micros / 1_000_000)
    return "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2)).\(padded(Int(micros % 1_000_000), 6))"
  }

  static func timestamp(_ micros: Int64) -> String? {
    let days = CalendarDate.floorDivide(micros, 86_400_000_000)
    return date(days).map { "\($0) \(time((micros &- days &* 86_400_000_000) * 1_000_000))" }
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
