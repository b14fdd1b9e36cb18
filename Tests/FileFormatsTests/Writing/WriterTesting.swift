import Columnar
import Foundation
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

/// Random rows of any type, written by a format's writer and read back by its reader.
enum WriterTesting {
  /// Keeps an object's bytes.
  final class MemoryWriter: ObjectWriter {
    let path = "memory.parquet"
    private(set) var bytes: [UInt8] = []
    var byteCount: UInt64 { UInt64(bytes.count) }
    func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError) { self.bytes += bytes }
    func commit(durable: Bool) throws(QueryError) {}
    func abort() {}
  }

  struct Generator {
    var state: UInt64 = 0x1234_5678_9abc_def1
    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
    mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }

    /// - Parameter distinct: about how many values there are.
    mutating func value(_ type: DataType, nulls: Int, distinct: Int) -> Scalar {
      if nulls > 0, below(nulls) == 0 { return .null }
      let number = below(distinct)
      let mixed = Int64(bitPattern: UInt64(number) &* 0x9e37_79b9_7f4a_7c15)
      switch type {
      case .boolean: return .boolean(number & 1 == 0)
      case .tinyint: return .integer(Int64(Int8(truncatingIfNeeded: mixed)))
      case .smallint: return .integer(Int64(Int16(truncatingIfNeeded: mixed)))
      case .integer, .date: return .integer(Int64(Int32(truncatingIfNeeded: mixed)))
      case .bigint: return .integer(mixed)
      case .real: return number == 7 ? .real(.nan) : .real(Float(number) - 0.5)
      case .double: return number == 7 ? .double(-.infinity) : .double(Double(mixed) / 1e3)
      case .decimal(let precision, _):
        let power = DecimalMath.power(precision)
        let value = (Int128(mixed) &* 0x1_0000_0001_0000_0001) % power
        return precision <= 18 ? .integer(Int64(value)) : .int128(value)
      case .time(let precision):
        return .integer(Int64(number) * 86_399 / Int64(distinct) * 1_000_000_000_000 + unit(precision, number))
      case .timestamp(let precision) where precision <= 6:
        return .integer((Int64(number) - 500) * 1_000_003_000_000 + unit(precision, number) / 1_000_000)
      case .timestamp(let precision):
        return .int128((Int128(number) - 500) * 1_000_000_000_000_000 + Int128(unit(precision, number)))
      case .timestampWithTimeZone(let precision):
        return .int128(((Int128(number) - 500) * 1_000_000_000_000_000 + Int128(unit(precision, number))) << 16)
      case .uuid: return .bytes((0..<16).map { UInt8(truncatingIfNeeded: mixed >> ($0 * 4)) })
      case .varbinary: return .bytes((0..<number % 9).map { _ in UInt8(truncatingIfNeeded: mixed) })
      case .varchar, .char, .json:
        return .string(String(repeating: number % 11 == 0 ? "ü" : "x", count: number % 40) + "\(number)")
      case .array(let element):
        return .array((0..<below(4)).map { _ in value(element, nulls: nulls, distinct: distinct) })
      case .map(let key, let own):
        return .map(
          (0..<below(3)).map { entry in
            var key = value(key, nulls: 0, distinct: distinct)
            if case .bytes(let bytes) = key { key = .bytes(bytes + [UInt8(0x30 + entry)]) }
            return Scalar.MapEntry(key: key, value: value(own, nulls: nulls, distinct: distinct))
          })
      case .row(let fields): return .row(fields.map { value($0.type, nulls: nulls, distinct: distinct) })
      default: return .null
      }
    }

    /// A fraction of a second with so many digits, in picoseconds.
    private func unit(_ precision: Int, _ number: Int) -> Int64 {
      let step = (0..<(12 - precision)).reduce(Int64(1)) { value, _ in value * 10 }
      return Int64(number) % 1000 * step % 1_000_000_000_000
    }
  }

  static func rows(_ schema: Schema, _ count: Int, nulls: Int, distinct: Int) -> [[Scalar]] {
    var random = Generator()
    return (0..<count).map { _ in schema.fields.map { random.value($0.type, nulls: nulls, distinct: distinct) } }
  }

  static func write(
    _ rows: [[Scalar]], _ schema: Schema, _ options: WriterOptions, _ format: any FileFormat.Type, batchSize: Int = 1000
  ) throws -> (bytes: [UInt8], summary: FileSummary) {
    let object = MemoryWriter()
    let writer = try format.init(FormatOptions()).makeWriter(schema, options, to: object)
    var start = 0
    while start < rows.count {
      let part = rows[start..<min(start + batchSize, rows.count)]
      let columns = schema.fields.indices.map { index in
        let builder = ColumnBuilder(schema.fields[index].type)
        for row in part { builder.append(row[index]) }
        return builder.finish()
      }
      try writer.append(Batch(columns: columns, rowCount: part.count))
      start += part.count
    }
    let summary = try writer.finish()
    #expect(summary.byteCount == object.bytes.count && summary.rowCount == rows.count)
    return (object.bytes, summary)
  }

  static func open(_ bytes: [UInt8], _ format: any FileFormat.Type) throws -> any FormatFile {
    try format.init(FormatOptions()).open(MemoryByteSource(bytes, path: "memory", meter: ScanMeter()))
  }

  static func columns(_ schema: Schema) -> [ScanColumn] {
    schema.fields.enumerated().map { ScanColumn(name: $1.name, type: $1.type, ordinal: $0) }
  }

  static func batches(
    _ file: any FormatFile, _ request: ScanRequest, metrics: ScanMetrics = ScanMetrics(), targetByteCount: Int = .max
  ) throws -> [Batch] {
    let scan = try file.scan(request, metrics: metrics)
    var batches: [Batch] = []
    for split in try scan.splits(targetByteCount: targetByteCount, unit: .size) {
      let reader = try scan.makeReader(split)
      while let batch = try reader.next() { batches.append(batch) }
    }
    return batches
  }

  /// Records an issue at the first value that differs.
  static func check(
    _ rows: [[Scalar]], _ schema: Schema, _ bytes: [UInt8], _ format: any FileFormat.Type, targetByteCount: Int = .max
  ) throws {
    let file = try open(bytes, format)
    if let count = file.rowCount { #expect(count == rows.count) }
    var row = 0
    for batch in try batches(file, ScanRequest(columns: columns(schema), batchSize: 700), targetByteCount: targetByteCount) {
      for index in 0..<batch.rowCount {
        for (column, field) in schema.fields.enumerated() {
          let (got, want) = (batch.columns[column].scalar(index), rows[row][column])
          if got != want, "\(got)" != "\(want)" {
            Issue.record("row \(row) of \(field.type): \(got) instead of \(want)")
            return
          }
        }
        row += 1
      }
    }
    #expect(row == rows.count)
  }
}
