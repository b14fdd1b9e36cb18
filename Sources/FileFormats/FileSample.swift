package import Columnar
package import ObjectStore
import QueryErrors

/// What some rows of a text file say of the whole: estimates for the optimizer, where no metadata tells.
package struct FileSample: Sendable {
  /// Rows of the whole file.
  package var rowCount: Double
  /// By requested column; nil for columns that held no value or are not comparable.
  package var statistics: [ColumnStatistics?]

  /// Bytes taken from each of head, middle and tail.
  private static let pieceByteCount: UInt64 = 48 << 10

  /// Reads whole lines from three places of a plain file.
  ///
  /// - Parameters:
  ///   - source: read as `ScanKind.sampling`.
  ///   - columns: flat ones; others are not looked at.
  /// - Returns: nil when the file is compressed or its pieces do not read as rows (one JSON array, quoted line ends).
  package static func take(_ source: any ByteSource, _ format: any FileFormat, _ columns: [ScanColumn]) -> FileSample? {
    guard source.byteCount > 0, !columns.isEmpty, (try? TextCoding.of(source)) == TextCoding.none else { return nil }
    var bytes: [UInt8] = []
    for range in pieces(source.byteCount) {
      guard let slice = try? source.read(range, kind: .sampling) else { return nil }
      slice.withBytes { piece in
        var (from, to) = (0, piece.count)
        if range.lowerBound > 0 { from = piece.firstIndex(of: 0x0a).map { $0 + 1 } ?? to }
        if range.upperBound < source.byteCount { to = piece.lastIndex(of: 0x0a).map { $0 + 1 } ?? from }
        if from < to { bytes += piece[from..<to] }
      }
    }
    return try? read(bytes, of: source, format, columns)
  }

  private static func pieces(_ byteCount: UInt64) -> [Range<UInt64>] {
    if byteCount <= 3 * pieceByteCount { return [0..<byteCount] }
    let middle = (byteCount - pieceByteCount) / 2
    return [0..<pieceByteCount, middle..<middle + pieceByteCount, byteCount - pieceByteCount..<byteCount]
  }

  private static func read(
    _ bytes: [UInt8], of source: any ByteSource, _ format: any FileFormat, _ columns: [ScanColumn]
  ) throws(QueryError) -> FileSample {
    let piece = try MemoryByteSource(bytes, path: source.path, meter: ScanMeter())
    let file = try format.open(piece)
    let scan = try file.scan(ScanRequest(columns: columns), metrics: ScanMetrics())
    var values: [[Scalar]] = Array(repeating: [], count: columns.count)
    var sampled = 0
    for split in try scan.splits(targetByteCount: 1 << 20, unit: .size) {
      let reader = try scan.makeReader(split)
      while let batch = try reader.next() {
        sampled += batch.rowCount
        for (index, column) in batch.columns.enumerated() where !columns[index].type.isNested {
          for row in 0..<batch.rowCount { values[index].append(column.scalar(row)) }
        }
      }
    }
    let rowCount = Double(sampled) * Double(source.byteCount) / Double(max(1, bytes.count))
    return FileSample(rowCount: rowCount, statistics: values.map { statistics($0, rowCount: rowCount) })
  }

  /// Bounds and distinct values of a column of `rowCount` rows by some of its values, in file order.
  private static func statistics(_ values: [Scalar], rowCount: Double) -> ColumnStatistics? {
    var places: [Scalar: (count: Int, first: Int, last: Int)] = [:]
    var result = ColumnStatistics()
    for (row, value) in values.enumerated() where !value.isNull {
      places[value, default: (0, row, row)].count += 1
      places[value]!.last = row
      if result.min.flatMap({ Scalar.order(value, $0) }) ?? -1 < 0 { result.min = value }
      if result.max.flatMap({ Scalar.order(value, $0) }) ?? 1 > 0 { result.max = value }
    }
    guard !places.isEmpty else { return nil }
    let sampled = Double(values.count)
    let distinct = Double(places.count)
    // Values whose rows lie far apart come again and again; where there are none, values are unique or clustered.
    let areScattered = places.values.contains { $0.last - $0.first > values.count / 3 }
    let estimate: Double
    if areScattered {
      // Source: Charikar et al., "Towards Estimation Error Guarantees for Distinct Values", PODS 2000 (GEE).
      let single = Double(places.values.count { $0.count == 1 })
      estimate = (rowCount / sampled).squareRoot() * single + distinct - single
    } else {
      estimate = distinct * rowCount / sampled
    }
    result.distinctCount = Int(min(max(estimate, distinct), max(rowCount, distinct)))
    return result
  }
}
