import ObjectStore

/// How a chunk's pages are compressed, by Parquet's numbers.
enum ParquetCodec {
  /// The codec of that number, nil when there is none here.
  static func codec(_ number: Int) -> CompressionCodec? {
    switch number {
    case 0: CompressionCodec.none
    case 1: .snappyRaw
    case 2: .gzip
    case 4: .brotli
    case 5: .lz4Hadoop
    case 6: .zstd
    case 7: .lz4Raw
    default: nil
    }
  }
}

/// Encodings of values and levels.
enum ParquetEncoding: Int, Sendable {
  case plain = 0
  case plainDictionary = 2
  case runLength = 3
  case bitPacked = 4
  case deltaBinaryPacked = 5
  case deltaLengthByteArray = 6
  case deltaByteArray = 7
  case runLengthDictionary = 8
  case byteStreamSplit = 9

  var isDictionary: Bool { self == .plainDictionary || self == .runLengthDictionary }
}

/// Bounds and counts of some values as a file stores them: not yet interpreted.
struct RawStatistics: Sendable {
  /// Plain-encoded; ordered as the column's type is.
  var minValue: [UInt8]?
  var maxValue: [UInt8]?
  /// Old writers' bounds: ordered as signed numbers or signed bytes.
  var oldMin: [UInt8]?
  var oldMax: [UInt8]?
  var nullCount: Int?
  var distinctCount: Int?
  var isMinExact: Bool?
  var isMaxExact: Bool?

  init() {}

  init(_ reader: inout ThriftCompactReader) throws(ParquetDamage) {
    var id = 0
    while let type = try reader.nextField(&id) {
      switch id {
      case 1: oldMax = try reader.optionalByteArray(type)
      case 2: oldMin = try reader.optionalByteArray(type)
      case 3: nullCount = try reader.optionalInteger(type).flatMap { $0 < 0 ? nil : Int($0) }
      case 4: distinctCount = try reader.optionalInteger(type).flatMap { $0 < 0 ? nil : Int($0) }
      case 5: maxValue = try reader.optionalByteArray(type)
      case 6: minValue = try reader.optionalByteArray(type)
      case 7: isMaxExact = try reader.optionalBoolean(type)
      case 8: isMinExact = try reader.optionalBoolean(type)
      default: try reader.skip(type)
      }
    }
  }
}

/// Where a column chunk lies, how it is encoded and what it holds.
///
/// - Source: parquet.thrift, `ColumnChunk` and `ColumnMetaData`.
struct ColumnChunkMetadata: Sendable {
  var physicalType = -1
  var codecNumber = 0
  var valueCount = 0
  var compressedByteCount = 0
  var dataPageOffset = 0
  var dictionaryPageOffset: Int?
  var statistics = RawStatistics()
  /// Whether all data pages are known to be dictionary-encoded.
  var isFullyDictionary = false
  var bloomFilterOffset: Int?
  var bloomFilterLength: Int?
  var offsetIndex: Range<UInt64>?
  var columnIndex: Range<UInt64>?
  /// A file beside this one that holds the chunk.
  var filePath: String?
  var isEncrypted = false

  init(_ reader: inout ThriftCompactReader) throws(ParquetDamage) {
    var offsetIndexOffset: Int?
    var offsetIndexLength: Int?
    var columnIndexOffset: Int?
    var columnIndexLength: Int?
    var hasMetadata = false
    var id = 0
    while let type = try reader.nextField(&id) {
      switch id {
      case 1: filePath = try reader.optionalByteArray(type).map { String(decoding: $0, as: UTF8.self) }
      case 3:
        try reader.expectStructure(type)
        try readMetadata(&reader)
        hasMetadata = true
      case 4: offsetIndexOffset = try reader.optionalInteger(type).map(Int.init)
      case 5: offsetIndexLength = try reader.optionalInteger(type).map(Int.init)
      case 6: columnIndexOffset = try reader.optionalInteger(type).map(Int.init)
      case 7: columnIndexLength = try reader.optionalInteger(type).map(Int.init)
      case 8, 9:
        isEncrypted = true
        try reader.skip(type)
      default: try reader.skip(type)
      }
    }
    if !hasMetadata, !isEncrypted { throw ParquetDamage("a column chunk has no metadata") }
    offsetIndex = ColumnChunkMetadata.range(offsetIndexOffset, offsetIndexLength)
    columnIndex = ColumnChunkMetadata.range(columnIndexOffset, columnIndexLength)
  }

  private static func range(_ offset: Int?, _ length: Int?) -> Range<UInt64>? {
    guard let offset, let length, offset > 0, length > 0, length < 1 << 31 else { return nil }
    let (end, overflow) = UInt64(offset).addingReportingOverflow(UInt64(length))
    return overflow ? nil : UInt64(offset)..<end
  }

  private mutating func readMetadata(_ reader: inout ThriftCompactReader) throws(ParquetDamage) {
    var encodings: [Int64] = []
    var dictionaryPages: Int64 = 0
    var otherPages: Int64 = 0
    var hasPageCounts = false
    var id = 0
    while let type = try reader.nextField(&id) {
      switch id {
      case 1: physicalType = Int(try reader.integer(type))
      case 2:
        let (element, count) = try reader.list(type)
        for _ in 0..<count { encodings.append(try reader.integer(element)) }
      case 4: codecNumber = Int(try reader.integer(type))
      case 5: valueCount = try reader.size(type)
      case 7: compressedByteCount = try reader.size(type)
      case 9: dataPageOffset = try reader.size(type)
      case 11:
        // 0 stands for "none" with some writers: no page lies before the magic bytes.
        if let offset = try reader.optionalInteger(type), offset > 0 { dictionaryPageOffset = Int(offset) }
      case 12:
        try reader.expectStructure(type)
        statistics = try RawStatistics(&reader)
      case 13:
        let count = try reader.structureList(type)
        hasPageCounts = count > 0
        for _ in 0..<count {
          var (page, encoding, pages): (Int64, Int64, Int64) = (-1, -1, 0)
          var field = 0
          while let member = try reader.nextField(&field) {
            switch field {
            case 1: page = try reader.integer(member)
            case 2: encoding = try reader.integer(member)
            case 3: pages = try reader.integer(member)
            default: try reader.skip(member)
            }
          }
          if page == 0 || page == 3 {
            if encoding == 2 || encoding == 8 { dictionaryPages &+= pages } else { otherPages &+= pages }
          }
        }
      case 14: if let offset = try reader.optionalInteger(type), offset > 0 { bloomFilterOffset = Int(offset) }
      case 15: if let length = try reader.optionalInteger(type), length > 0 { bloomFilterLength = Int(length) }
      default: try reader.skip(type)
      }
    }
    if hasPageCounts {
      isFullyDictionary = dictionaryPages > 0 && otherPages == 0
    } else {
      // Without counts only PLAIN_DICTIONARY's writers tell: they never list PLAIN for the dictionary page itself.
      isFullyDictionary = encodings.contains(2) && !encodings.contains { $0 == 0 || $0 >= 5 }
    }
  }

  /// How many distinct values the dictionary page holds by its size: an estimate, for compressed pages a low one.
  ///
  /// - Parameter valueByteCount: how long a value is in the page, its length prefix included.
  func dictionaryCount(valueByteCount: Int) -> Int? {
    guard let dictionaryPageOffset, dataPageOffset > dictionaryPageOffset else { return nil }
    let pageByteCount = dataPageOffset - dictionaryPageOffset - ColumnChunkMetadata.usualPageHeaderByteCount
    return max(1, pageByteCount / max(1, valueByteCount))
  }

  private static let usualPageHeaderByteCount = 14

  /// How many rows of a flat column are NULL; nil when the file does not tell or its statistics contradict themselves.
  func nullCount(_ leaf: ParquetLeaf, rowCount: Int) -> Int? {
    if leaf.maxDefinition == 0 { return 0 }
    guard let count = statistics.nullCount, count <= rowCount else { return nil }
    // Bounds of no values.
    if count == rowCount, rowCount > 0, statistics.minValue != nil || statistics.oldMin != nil { return nil }
    return count
  }

  /// Where the chunk lies in the file.
  func byteRange() throws(ParquetDamage) -> Range<UInt64> {
    var start = dataPageOffset
    if let dictionaryPageOffset, dictionaryPageOffset < start { start = dictionaryPageOffset }
    let (end, overflow) = start.addingReportingOverflow(compressedByteCount)
    if overflow { throw ParquetDamage("a column chunk's place passes the file's end") }
    return UInt64(start)..<UInt64(end)
  }
}
