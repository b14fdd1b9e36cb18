import FileFormats
import ObjectStore

/// Reads a statement's result back from the results folder, with the types that it had.
///
/// The typed twin is read where there is one; else the text, of which arrays, maps, rows and shapes come back as text only.
struct ResultReader {
  /// `<id>.csv` or `<id>.txt`.
  let location: ObjectLocation
  /// The columns as the statement had them.
  let columns: Schema
  private let twin: ObjectLocation?

  /// - Throws: `HIVE_FILESYSTEM_ERROR` when it cannot be told whether there is a typed twin.
  init(_ location: ObjectLocation, columns: Schema) throws(QueryError) {
    self.location = location
    self.columns = columns
    let twin = ResultTwin.location(of: location)
    self.twin = try twin.exists() ? twin : nil
  }

  /// Whether it is a `.txt`, or a list of written files, a line each.
  private var isText: Bool { !location.path.hasSuffix(".csv") || location.path.hasSuffix("-manifest.csv") }

  private func isRestored(_ type: DataType) -> Bool {
    ResultReader.isTold(byText: type) || (twin != nil && ResultTwin.keeps(type))
  }

  /// The columns as they are read back.
  var schema: Schema { Schema(columns.fields.map { Field($0.name, isRestored($0.type) ? $0.type : .text) }) }

  /// Whether a result's text tells every value of a type.
  static func isTold(byText type: DataType) -> Bool {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar, .char, .varbinary, .date, .time,
      .timeWithTimeZone, .timestamp, .timestampWithTimeZone, .intervalDayToSecond, .intervalYearToMonth, .json, .uuid, .ipaddress:
      true
    default: false
    }
  }

  /// Whether reading back gives what the statement gave.
  var isExact: Bool { inexactColumn == nil }

  /// The first column that does not come back in its type.
  var inexactColumn: Field? { columns.fields.first { !isRestored($0.type) } }

  /// Hands out all rows in their order.
  ///
  /// - Throws: `HIVE_BAD_DATA` when the file is not what a statement left, `USER_CANCELED`.
  func read(_ meter: ScanMeter, into receive: (Batch) throws(QueryError) -> Void) throws(QueryError) {
    if columns.count == 0 { return }
    if let twin { return try ResultTwin.read(twin, columns, meter, into: receive) }
    let source = try location.store.open(location.path, meter: meter)
    var parser = ResultTextParser(columnCount: columns.count, isDelimited: !isText)
    let restored = try ResultTextTypes(schema.fields.map(\.type))
    var position: UInt64 = 0
    while position < source.byteCount {
      try meter.cancellation.check()
      let end = min(source.byteCount, position + ResultReader.chunkByteCount)
      try source.read(position..<end, kind: .sampling).withBytes { (bytes) throws(QueryError) in
        try parser.parse(bytes, location.description)
      }
      position = end
      if let texts = parser.takeRows() { try receive(restored.batch(texts)) }
    }
    try parser.end(location.description)
    if let texts = parser.takeRows() { try receive(restored.batch(texts)) }
  }

  private static let chunkByteCount: UInt64 = 1 << 20
}
