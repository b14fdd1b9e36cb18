/// What stands before each page of a column chunk.
///
/// - Source: parquet.thrift, `PageHeader`.
struct PageHeader {
  enum Kind: Int {
    case data = 0
    case index = 1
    case dictionary = 2
    case dataV2 = 3
  }

  var kind: Kind? = nil
  var uncompressedByteCount = 0
  var compressedByteCount = 0
  /// Values with nulls; entries of a dictionary page.
  var valueCount = 0
  var encoding: ParquetEncoding? = nil
  var encodingNumber = -1
  var definitionEncoding = ParquetEncoding.runLength
  var repetitionEncoding = ParquetEncoding.runLength
  // Version 2 only.
  var rowCount = 0
  var definitionByteCount = 0
  var repetitionByteCount = 0
  var isCompressed = true

  init(_ reader: inout ThriftCompactReader) throws(ParquetDamage) {
    var number = -1
    var hasDetails = false
    var id = 0
    while let type = try reader.nextField(&id) {
      switch id {
      case 1: number = Int(try reader.integer(type))
      case 2: uncompressedByteCount = try reader.size(type)
      case 3: compressedByteCount = try reader.size(type)
      case 5, 7:
        try reader.expectStructure(type)
        hasDetails = true
        try readPage(&reader, isData: id == 5)
      case 8:
        try reader.expectStructure(type)
        hasDetails = true
        try readVersion2(&reader)
      default: try reader.skip(type)
      }
    }
    kind = Kind(rawValue: number)
    guard uncompressedByteCount <= Int(Int32.max), compressedByteCount <= Int(Int32.max), valueCount <= Int(Int32.max),
      rowCount <= Int(Int32.max)
    else { throw ParquetDamage("a page header holds a size of more than 31 bits") }
    if kind != nil, kind != .index, !hasDetails { throw ParquetDamage("a page header lacks its details") }
  }

  private mutating func readPage(_ reader: inout ThriftCompactReader, isData: Bool) throws(ParquetDamage) {
    var id = 0
    while let type = try reader.nextField(&id) {
      switch id {
      case 1: valueCount = try reader.size(type)
      case 2: setEncoding(try reader.integer(type))
      case 3 where isData: definitionEncoding = try PageHeader.levelEncoding(reader.integer(type))
      case 4 where isData: repetitionEncoding = try PageHeader.levelEncoding(reader.integer(type))
      default: try reader.skip(type)
      }
    }
  }

  private mutating func readVersion2(_ reader: inout ThriftCompactReader) throws(ParquetDamage) {
    var id = 0
    while let type = try reader.nextField(&id) {
      switch id {
      case 1: valueCount = try reader.size(type)
      case 3: rowCount = try reader.size(type)
      case 4: setEncoding(try reader.integer(type))
      case 5: definitionByteCount = try reader.size(type)
      case 6: repetitionByteCount = try reader.size(type)
      case 7: isCompressed = try reader.optionalBoolean(type) ?? true
      default: try reader.skip(type)
      }
    }
  }

  private mutating func setEncoding(_ number: Int64) {
    encodingNumber = Int(truncatingIfNeeded: number)
    encoding = ParquetEncoding(rawValue: encodingNumber)
  }

  private static func levelEncoding(_ number: Int64) throws(ParquetDamage) -> ParquetEncoding {
    switch number {
    case 3: .runLength
    case 4: .bitPacked
    // Some writers put PLAIN where a column has no levels; it is looked at only where there are some.
    default: .plain
    }
  }
}
