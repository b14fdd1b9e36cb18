import Columnar
import Glibc
import ObjectStore
import QueryErrors

@testable import FileFormats

/// Reads Parquet files for tests and writes values in the text form of make_fixtures.py.
enum ParquetTesting {
  /// The package's folder, with a slash.
  static let root: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
    return parts.joined(separator: "/") + "/"
  }()

  static let fixtures = "Tests/FileFormatsTests/Fixtures/parquet/"

  static func bytes(_ name: String) -> [UInt8] {
    let file = fopen(root + name, "rb")!
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    var result = [UInt8](repeating: 0, count: ftell(file))
    rewind(file)
    precondition(fread(&result, 1, result.count, file) == result.count)
    return result
  }

  struct Expectation {
    var file: String
    var column: String
    var rowCount: Int
    var hash: String
  }

  static let expectations: [Expectation] = {
    String(decoding: bytes(fixtures + "expected.tsv"), as: UTF8.self).split(separator: "\n").map { line in
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return Expectation(file: cells[0], column: cells[1], rowCount: Int(cells[2])!, hash: cells[3])
    }
  }()

  static func hash(_ rows: [String]) -> String {
    var h: UInt64 = 0xcbf2_9ce4_8422_2325
    for row in rows {
      for byte in row.utf8 { h = (h ^ UInt64(byte)) &* 0x100_0000_01b3 }
      h = (h ^ 10) &* 0x100_0000_01b3
    }
    let text = String(h, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }

  static func render(_ value: Scalar, _ type: DataType) -> String {
    switch value {
    case .null: return "~"
    case .boolean(let x): return x ? "t" : "f"
    case .integer(let x): return String(x)
    case .int128(let x): return String(x)
    case .real(let x): return x.isNaN ? "nan" : hex(UInt64(x.bitPattern), 8)
    case .double(let x): return x.isNaN ? "nan" : hex(x.bitPattern, 16)
    case .bytes(let x): return x.map { hex(UInt64($0), 2) }.joined() + "."
    case .array(let x): return "[" + x.map { render($0, type.childTypes[0]) }.joined(separator: ",") + "]"
    case .row(let x): return "(" + zip(x, type.childTypes).map { render($0, $1) }.joined(separator: ",") + ")"
    case .map(let x):
      return "{"
        + x.map { render($0.key, type.childTypes[0]) + ":" + render($0.value, type.childTypes[1]) }
        .joined(separator: ",") + "}"
    }
  }

  private static func hex(_ value: UInt64, _ digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  private static func render(_ batches: [Batch], _ request: ScanRequest) -> [[String]] {
    var result: [[String]] = request.columns.map { _ in [] }
    for batch in batches {
      for (index, column) in batch.columns.enumerated() {
        for row in 0..<batch.rowCount { result[index].append(render(column.scalar(row), column.type)) }
      }
    }
    return result
  }

  /// An opened file, the columns it declares, and what it costs.
  struct Opened {
    var file: any FormatFile
    var columns: [ScanColumn]
    var meter: ScanMeter

    init(_ name: String) throws {
      try self.init(ParquetTesting.bytes(name), name)
    }

    init(_ bytes: [UInt8], _ name: String = "t.parquet") throws {
      meter = ScanMeter()
      let source = try MemoryByteSource(bytes, path: name, meter: meter)
      let format = try ParquetFormat(FormatOptions())
      columns = try format.inferSchema(source).fields.enumerated().map {
        ScanColumn(name: $1.name, type: $1.type, ordinal: $0)
      }
      file = try format.open(source)
    }

    func column(_ name: String) -> ScanColumn { columns.first { $0.name == name }! }

    /// The batches of a request, by one reader as far as splits merge.
    @discardableResult
    func batches(_ request: ScanRequest, metrics: ScanMetrics = ScanMetrics()) throws -> [Batch] {
      let scan = try file.scan(request, metrics: metrics)
      return try batches(scan.splits(targetByteCount: .max, unit: .size), scan, request)
    }

    /// The batches of some splits, one reader each.
    private func batches(_ splits: [Split], _ scan: any FileScan, _ request: ScanRequest) throws -> [Batch] {
      var result: [Batch] = []
      for split in splits {
        let reader = try scan.makeReader(split)
        while let batch = try reader.next() {
          precondition(batch.rowCount > 0 && batch.columns.allSatisfy { $0.count == batch.rowCount })
          precondition(batch.rowCount <= max(request.batchSize, 1))
          result.append(batch)
        }
      }
      return result
    }

    /// Rows by column, in text form.
    func read(_ request: ScanRequest, metrics: ScanMetrics = ScanMetrics()) throws -> [[String]] {
      ParquetTesting.render(try batches(request, metrics: metrics), request)
    }

    /// Rows of some splits by column, in text form.
    func read(_ splits: [Split], _ scan: any FileScan, _ request: ScanRequest) throws -> [[String]] {
      ParquetTesting.render(try batches(splits, scan, request), request)
    }
  }
}

/// Passes the rows whose running number is in a set, whatever they hold.
final class NumberedRows: ScanPredicateEvaluator {
  private var row = 0
  private let passes: (Int) -> Bool

  init(_ passes: @escaping (Int) -> Bool) { self.passes = passes }

  func select(
    _ columns: [Column], rowCount: Int, into selection: UnsafeMutablePointer<Int32>
  ) throws(QueryError) -> Int {
    var found = 0
    for i in 0..<rowCount {
      if passes(row + i) {
        selection[found] = Int32(i)
        found += 1
      }
    }
    row += rowCount
    return found
  }
}

/// Passes the rows whose value passes; counts the values it looked at.
final class ValueTest: ScanPredicateEvaluator {
  private let passes: (Scalar) -> Bool

  init(_ passes: @escaping (Scalar) -> Bool) { self.passes = passes }

  func select(
    _ columns: [Column], rowCount: Int, into selection: UnsafeMutablePointer<Int32>
  ) throws(QueryError) -> Int {
    var found = 0
    for i in 0..<rowCount where passes(columns[0].scalar(i)) {
      selection[found] = Int32(i)
      found += 1
    }
    return found
  }
}

extension ScanPredicate {
  static func rows(_ column: Int, _ passes: @escaping @Sendable (Int) -> Bool) -> ScanPredicate {
    ScanPredicate(columns: [column], isDictionarySafe: false) { NumberedRows(passes) }
  }

  static func values(_ column: Int, _ passes: @escaping @Sendable (Scalar) -> Bool) -> ScanPredicate {
    ScanPredicate(columns: [column], isDictionarySafe: true) { ValueTest(passes) }
  }
}
