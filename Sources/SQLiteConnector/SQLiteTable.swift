import CSQLite
import Columnar
import ConnectorSDK
import QueryErrors

/// A table or view of a file.
final class SQLiteTable: ForeignTable, SQLDialect {
  let catalog: SQLiteCatalog
  let name: String
  let declared: [SQLiteColumn]
  let columns: Schema
  /// The least and the greatest row id; nil for views and tables without such ids, and for empty ones.
  private let rowIDs: ClosedRange<Int64>?

  init(_ catalog: SQLiteCatalog, name: String, columns: [SQLiteColumn], hasRowID: Bool) throws(QueryError) {
    self.catalog = catalog
    self.name = name
    declared = columns
    self.columns = Schema(columns.map { Field($0.name, $0.kind.type) })
    var range: ClosedRange<Int64>?
    if hasRowID {
      // Each found at one end of the tree.
      let table = SQLWords.quoted(name)
      let first = try catalog.connection.rows("SELECT min(rowid) FROM \(table)")
      let last = try catalog.connection.rows("SELECT max(rowid) FROM \(table)")
      if let low = first.first?[0].flatMap({ Int64($0) }), let high = last.first?[0].flatMap({ Int64($0) }), low <= high {
        range = low...high
      }
    }
    rowIDs = range
  }

  var table: String { SQLWords.quoted(name) }
  var fullName: String { "\(catalog.context.catalog).\(SQLiteCatalog.schemaName).\(name)" }

  var rowCountEstimate: Int? {
    guard let rowIDs else { return nil }
    let (span, overflows) = rowIDs.upperBound.subtractingReportingOverflow(rowIDs.lowerBound)
    return overflows || span > 1 << 40 ? nil : Int(span) + 1
  }

  // MARK: What is sent

  func accept(_ offer: ForeignRequest) -> ForeignRequest { acceptable(offer) }

  func text(of request: ForeignRequest) -> String { select(request) }

  func operand(_ column: Int, _ purpose: SQLPurpose) -> String? {
    let name = SQLWords.quoted(declared[column].name)
    switch (declared[column].kind, purpose) {
    case (_, .output), (.integer, _), (.boolean, _), (.blob, _): return name
    // A collation of the column's own may call different texts equal, and order others.
    case (.text, _): return name + " COLLATE BINARY"
    // Texts that are no such date fail where they are read.
    case (.date, _): return name + " COLLATE BINARY"
    // -0.0 and NaN are nobody's keys.
    case (.double, .key): return nil
    case (.double, _): return name
    // The value may be kept as a number or as a text: groups of one value each way would be two.
    case (.decimal, .key): return nil
    case (.decimal(let precision, _), _): return precision <= SQLiteTable.exactDigits ? name : nil
    // There are several ways to write one moment.
    case (.timestamp, _): return nil
    }
  }

  /// Decimal digits that a double always holds.
  private static let exactDigits = 15

  func literal(_ value: Scalar, column: Int) -> String? {
    switch (declared[column].kind, value) {
    // The least one would be read as the negation of a number that is none.
    case (.integer, .integer(let number)): return number == .min ? nil : String(number)
    case (.boolean, .boolean(let flag)): return flag ? "1" : "0"
    case (.double, .double(let number)): return number.isFinite ? "\(number)" : nil
    case (.decimal(_, let scale), .integer(let unscaled)): return SQLWords.decimal(Int128(unscaled), scale: scale)
    case (.text, .bytes(let bytes)): return SQLWords.text(bytes)
    case (.blob, .bytes(let bytes)): return "x'\(SQLWords.hexadecimal(bytes))'"
    case (.date, .integer(let days)):
      let (year, month, day) = CalendarDate.civil(Int(days))
      guard (0...9999).contains(year) else { return nil }
      func padded(_ number: Int, _ width: Int) -> String {
        String(repeating: "0", count: max(0, width - String(number).count)) + String(number)
      }
      return "'\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))'"
    default: return nil
    }
  }

  func aggregate(_ aggregate: ForeignAggregate) -> String? {
    guard let column = aggregate.column else { return "count(*)" }
    switch (aggregate.function, declared[column].kind) {
    case (.count, _): return "count(\(SQLWords.quoted(declared[column].name)))"
    case (.min, .integer), (.max, .integer), (.min, .date), (.max, .date), (.min, .text), (.max, .text):
      return operand(column, .order).map { "\(aggregate.function.rawValue)(\($0))" }
    // A value that is no integer would make it a sum of doubles, which is told from an integer when it comes.
    case (.sum, .integer): return "sum(\(SQLWords.quoted(declared[column].name)))"
    default: return nil
    }
  }

  // MARK: Reading and writing

  func scan(_ request: ForeignRequest, parallelism: Int) throws(QueryError) -> any ForeignScan {
    SQLiteScan(self, request, conditions: splits(request, parallelism))
  }

  /// Rows below which one reader is enough.
  private static let smallRowCount: Int64 = 50_000

  /// A condition on row ids per split; one split reads all without.
  private func splits(_ request: ForeignRequest, _ count: Int) -> [String?] {
    guard catalog.isSharedByLock, request.limit == nil, count > 1, let rowIDs, let rows = rowCountEstimate,
      rows >= SQLiteTable.smallRowCount
    else { return [nil] }
    let step = Int64((rows + count - 1) / count)
    return (0..<count).map { index in
      let start = rowIDs.lowerBound + Int64(index) * step
      return index == count - 1 ? "rowid >= \(start)" : "rowid >= \(start) AND rowid < \(start + step)"
    }
  }

  func write(columns: [Int]) throws(QueryError) -> any ForeignWriter { try SQLiteWriter(self, columns) }
}
