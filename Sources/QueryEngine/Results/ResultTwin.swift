import FileFormats
import ObjectStore

/// The typed twin of a result file: the same rows as `<id>.parquet` beside it, for programs that want types.
///
/// Types that Parquet has no place for (intervals, zones of times, shapes, sketches) stand in it as their text.
final class ResultTwin: ResultConsumer {
  private let object: any ObjectWriter
  private var writer: (any BatchFileWriter)?
  private var isKept: [Bool] = []

  /// - Throws: `HIVE_FILESYSTEM_ERROR` when the folder cannot be written.
  init(of result: ObjectLocation) throws(QueryError) {
    let location = ResultTwin.location(of: result)
    object = try location.store.makeWriter(location.path)
  }

  /// Where the twin of a result lies.
  static func location(of result: ObjectLocation) -> ObjectLocation {
    let ending = result.path.hasSuffix(".csv") || result.path.hasSuffix(".txt") ? 4 : 0
    return ObjectLocation(store: result.store, path: String(result.path.dropLast(ending)) + ".parquet")
  }

  /// Whether Parquet keeps all of a type's values as they are.
  static func keeps(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar, .char, .varbinary, .date, .json, .uuid: true
    case .time(let precision), .timestamp(let precision): precision <= 9
    case .array(let element): keeps(element)
    case .map(let key, let value): keeps(key) && keeps(value)
    case .row(let fields): !fields.isEmpty && fields.allSatisfy { keeps($0.type) }
    default: false
    }
  }

  // MARK: Writing

  func begin(_ schema: Schema) throws(QueryError) {
    if schema.count == 0 { return }
    isKept = schema.fields.map { ResultTwin.keeps($0.type) }
    var names: Set<String> = []
    // Duplicate names, which SELECT may give, are none of a file's.
    let fields = schema.fields.map { field -> Field in
      var name = field.name
      var number = 0
      while !names.insert(name.lowercased()).inserted {
        number += 1
        name = "\(field.name)_\(number)"
      }
      return Field(name, ResultTwin.keeps(field.type) ? field.type : .text)
    }
    writer = try ResultTwin.format(nil).makeWriter(Schema(fields), WriterOptions(compression: "ZSTD"), to: object)
  }

  func receive(_ batch: Batch) throws(QueryError) {
    let columns = zip(batch.columns, isKept).map { $1 ? $0 : ResultTwin.texts($0) }
    try writer?.append(Batch(columns: columns, rowCount: batch.rowCount))
  }

  private static func texts(_ column: Column) -> Column {
    let text = ResultText(column)
    let builder = ColumnBuilder(.text, capacity: column.count)
    var bytes: [UInt8] = []
    for row in 0..<column.count {
      if text.isNull(row) {
        builder.appendNull()
        continue
      }
      bytes.removeAll(keepingCapacity: true)
      text.append(row, to: &bytes)
      bytes.withUnsafeBytes { builder.append(bytes: $0) }
    }
    return builder.finish()
  }

  func commit() throws(QueryError) {
    guard let writer else { return object.abort() }
    _ = try writer.finish()
    try object.commit(durable: false)
  }

  func abort() { object.abort() }

  // MARK: Reading

  private static func format(_ schema: Schema?) throws(QueryError) -> any FileFormat {
    guard let type = FormatRegistry.format(named: "parquet") else { throw .internalError("no format 'parquet'") }
    let properties = schema == nil ? [:] : ["parquet.column.index.access": "true"]
    return try type.init(FormatOptions(properties: properties, schema: schema))
  }

  /// The type that the reader gives: JSON is text to it.
  private static func readable(_ type: DataType) -> DataType {
    switch type {
    case .json: .text
    case .array(let element): .array(readable(element))
    case .map(let key, let value): .map(key: readable(key), value: readable(value))
    case .row(let fields): .row(fields.enumerated().map { DataType.RowField(name: $1.name ?? "field\($0)", type: readable($1.type)) })
    default: type
    }
  }

  /// Hands out all rows, in the types of the statement.
  static func read(
    _ location: ObjectLocation, _ columns: Schema, _ meter: ScanMeter, into receive: (Batch) throws(QueryError) -> Void
  ) throws(QueryError) {
    let stored = Schema(columns.fields.map { Field($0.name, keeps($0.type) ? readable($0.type) : .text) })
    let file = try format(stored).open(try location.store.open(location.path, meter: meter))
    let request = ScanRequest(
      columns: stored.fields.enumerated().map { ScanColumn(name: $0.element.name, type: $0.element.type, ordinal: $0.offset) })
    let scan = try file.scan(request, metrics: ScanMetrics())
    let texts = try ResultTextTypes(
      columns.fields.map { keeps($0.type) || !ResultReader.isTold(byText: $0.type) ? nil : $0.type })
    for split in try scan.splits(targetByteCount: 128 << 20, unit: .size) {
      let reader = try scan.makeReader(split)
      while let batch = try reader.next() {
        try meter.cancellation.check()
        let restored = try texts.batch(batch)
        let typed = zip(restored.columns, columns.fields).map { keeps($1.type) ? $0.retyped($1.type) : $0 }
        try receive(Batch(columns: typed, rowCount: batch.rowCount))
      }
    }
  }
}
