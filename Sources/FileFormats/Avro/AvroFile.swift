import Columnar
import ObjectStore
import QueryErrors

/// One Avro file whose header has been read.
final class AvroFile: FormatFile {
  let source: any ByteSource
  let header: AvroHeader
  private let readerMembers: [AvroSchema.Member]

  init(_ source: any ByteSource, _ header: AvroHeader, _ readerMembers: [AvroSchema.Member]) {
    self.source = source
    self.header = header
    self.readerMembers = readerMembers
  }

  var rowCount: Int? { nil }
  var ownColumns: [Field]? { header.namedColumns }
  func statistics(of column: ScanColumn) -> ColumnStatistics? { nil }
  func scanByteCount(of columns: [ScanColumn]) -> Int { Int(source.byteCount) }

  func scan(_ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any FileScan {
    // Types that do not go together are told now, not by some worker.
    _ = try rowPlan(request)
    // The header ends with a marker, as blocks do.
    let start = header.byteCount - UInt64(AvroHeader.syncByteCount)
    return TextScan(source: source, range: start..<source.byteCount, isSplittable: true) { [self] (split) throws(QueryError) in
      try AvroReader(self, split.byteRange, request, metrics: metrics)
    }
  }

  /// How rows become the request's columns.
  struct RowPlan {
    /// One reader a requested column.
    var readers: [AvroValueReader]
    /// The file's fields in order, and which of `readers` reads each.
    var members: [(schema: AvroSchema, reader: Int?)]
    /// Columns that the file does not have, and what stands in for their values.
    var missing: [(reader: Int, value: Scalar)]
  }

  func rowPlan(_ request: ScanRequest) throws(QueryError) -> RowPlan {
    let fields: [AvroSchema.Member]
    if case .record(_, let members) = header.schema {
      fields = members
    } else {
      fields = [AvroSchema.Member(name: request.columns.first?.name ?? "", aliases: [], schema: header.schema, defaultValue: nil)]
    }
    var plan = RowPlan(readers: [], members: fields.map { ($0.schema, nil) }, missing: [])
    for (index, column) in request.columns.enumerated() {
      let own = readerMembers.first { $0.name.lowercased() == column.name.lowercased() }
      let names = [column.name] + (own?.aliases ?? [])
      let place =
        names.lazy.compactMap { name in fields.firstIndex { $0.name == name } }.first
        ?? names.lazy.compactMap { name in fields.firstIndex { $0.name.lowercased() == name.lowercased() } }.first
      guard let place, plan.members[place].reader == nil else {
        plan.readers.append(AvroNullReader(column.type))
        plan.missing.append((index, try AvroFile.defaultValue(own, column.type)))
        continue
      }
      plan.members[place].reader = index
      plan.readers.append(
        try AvroValueReader.make(fields[place].schema, as: column.type, column: column.name, path: source.path))
    }
    return plan
  }

  /// The default of a reader's schema, for types that are written plainly in JSON.
  private static func defaultValue(_ member: AvroSchema.Member?, _ type: DataType) throws(QueryError) -> Scalar {
    switch (member?.defaultValue, type) {
    case (nil, _), (.null?, _): return .null
    case (.boolean(let value)?, .boolean): return .boolean(value)
    case (.string(let text)?, .varchar): return .string(text)
    case (.number(let text)?, .double): if let value = Double(text) { return .double(value) }
    case (.number(let text)?, .real): if let value = Float(text) { return .real(value) }
    case (.number(let text)?, _) where type.isInteger: if let value = Int64(text) { return .integer(value) }
    default: break
    }
    throw QueryError.notSupported("The default of column '\(member?.name ?? "")' in avro.schema.literal is not supported")
  }
}
