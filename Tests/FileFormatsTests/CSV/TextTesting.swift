import Columnar
import Glibc
import ObjectStore
import QueryErrors

@testable import FileFormats

/// Reads text files held in memory for tests.
enum TextTesting {
  static func source(_ bytes: [UInt8], path: String = "t.csv", meter: ScanMeter = ScanMeter()) -> MemoryByteSource {
    try! MemoryByteSource(bytes, path: path, meter: meter)
  }

  /// All values of a column as text, NULL as nil.
  static func render(_ scalar: Scalar, _ type: DataType) -> String? {
    switch scalar {
    case .null: return nil
    case .boolean(let x): return x ? "true" : "false"
    case .integer(let x):
      switch type {
      case .decimal(_, let scale): return decimal(Int128(x), scale)
      default: return String(x)
      }
    case .int128(let x):
      if case .decimal(_, let scale) = type { return decimal(x, scale) }
      return String(x)
    case .real(let x): return String(x)
    case .double(let x): return String(x)
    case .bytes(let x): return String(decoding: x, as: UTF8.self)
    case .array(let x): return "[" + x.map { render($0, type.childTypes[0]) ?? "NULL" }.joined(separator: ", ") + "]"
    case .row(let x):
      return "{" + zip(x, type.childTypes).map { render($0, $1) ?? "NULL" }.joined(separator: ", ") + "}"
    case .map(let x):
      return "{"
        + x.map {
          (render($0.key, type.childTypes[0]) ?? "NULL") + "=" + (render($0.value, type.childTypes[1]) ?? "NULL")
        }
        .joined(separator: ", ") + "}"
    }
  }

  static func decimal(_ value: Int128, _ scale: Int) -> String {
    var digits = String(value.magnitude)
    while digits.count <= scale { digits = "0" + digits }
    let sign = value < 0 ? "-" : ""
    if scale == 0 { return sign + digits }
    return sign + digits.dropLast(scale) + "." + digits.suffix(scale)
  }

  static func rows(_ file: any FormatFile, _ request: ScanRequest, splitByteCount: Int) throws -> [[String?]] {
    let metrics = ScanMetrics()
    var result: [[String?]] = []
    let scan = try file.scan(request, metrics: metrics)
    for split in try scan.splits(targetByteCount: splitByteCount, unit: .size) {
      let reader = try scan.makeReader(split)
      while let batch = try reader.next() {
        for row in 0..<batch.rowCount {
          result.append(zip(batch.columns, request.columns).map { render($0.scalar(row), $1.type) })
        }
      }
    }
    return result
  }

  /// All rows of a file whose schema is inferred (`schema` nil) or declared.
  static func read(
    _ bytes: [UInt8], as type: any FileFormat.Type = CSVFormat.self, _ properties: [String: String] = [:],
    schema: Schema? = nil, path: String = "t.csv", splitByteCount: Int = 1 << 20, batchSize: Int = 4096,
    meter: ScanMeter = ScanMeter(), columns names: [String]? = nil
  ) throws -> [[String?]] {
    let format = try type.init(FormatOptions(properties: properties, schema: schema))
    let source = source(bytes, path: path, meter: meter)
    let found = try schema ?? format.inferSchema(source)
    var columns = found.fields.enumerated().map { ScanColumn(name: $1.name, type: $1.type, ordinal: $0) }
    if let names { columns = names.map { name in columns.first { $0.name == name }! } }
    let file = try format.open(source)
    return try rows(file, ScanRequest(columns: columns, batchSize: batchSize), splitByteCount: splitByteCount)
  }

  static func read(
    _ text: String, as type: any FileFormat.Type = CSVFormat.self, _ properties: [String: String] = [:],
    schema: Schema? = nil, path: String = "t.csv", splitByteCount: Int = 1 << 20, batchSize: Int = 4096
  ) throws -> [[String?]] {
    try read(
      Array(text.utf8), as: type, properties, schema: schema, path: path, splitByteCount: splitByteCount,
      batchSize: batchSize)
  }

  /// The inferred schema as `name type, …`.
  static func inferred(
    _ text: String, as type: any FileFormat.Type = CSVFormat.self, _ properties: [String: String] = [:],
    path: String = "t.csv"
  ) throws -> String {
    let schema = try type.init(FormatOptions(properties: properties)).inferSchema(source(Array(text.utf8), path: path))
    return schema.fields.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
  }

  /// The error that reading gives.
  static func failure(_ body: () throws -> Void) -> QueryError? {
    do {
      try body()
      return nil
    } catch {
      return error as? QueryError
    }
  }

  /// A fixture's bytes.
  static func fixture(_ name: String, file: String = #filePath) -> [UInt8] {
    let folder = file.split(separator: "/").dropLast(2).joined(separator: "/")
    let path = "/" + folder + "/Fixtures/text/" + name
    guard let handle = fopen(path, "rb") else { fatalError("no fixture \(name)") }
    defer { fclose(handle) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, handle)
    return Array(bytes[0..<count])
  }
}

/// Passes rows for which a closure over the rendered values holds.
final class ClosureEvaluator: ScanPredicateEvaluator {
  private let types: [DataType]
  private let passes: ([String?]) -> Bool

  init(_ types: [DataType], _ passes: @escaping ([String?]) -> Bool) {
    self.types = types
    self.passes = passes
  }

  func select(
    _ columns: [Column], rowCount: Int, into selection: UnsafeMutablePointer<Int32>
  ) throws(QueryError) -> Int {
    var count = 0
    for row in 0..<rowCount
    where passes(zip(columns, types).map { TextTesting.render($0.scalar(row), $1) }) {
      selection[count] = Int32(row)
      count += 1
    }
    return count
  }
}
