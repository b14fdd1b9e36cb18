import Columnar
import ObjectStore
import QueryErrors

/// What a Parquet file says of itself at its end.
///
///     … row groups … | FileMetaData (Thrift) | its length, 4 bytes little-endian | "PAR1"
///
/// Only what planning needs is decoded: row counts, and where each column chunk's metadata starts. Chunk metadata is
/// decoded when a scan asks for it, so that files of thousands of columns open fast.
///
/// - Source: apache/parquet-format, README.md and parquet.thrift.
struct ParquetFooter: Sendable {
  /// One row group.
  struct RowGroup: Sendable {
    var rowCount: Int
    /// Place of the first chunk's metadata in `chunkPositions`.
    var firstChunk: Int
  }

  private(set) var bytes: ByteSlice
  let schema: ParquetSchema
  let rowGroups: [RowGroup]
  let rowCount: Int
  let createdBy: String
  var writer: ParquetWriterIdentity { ParquetWriterIdentity(createdBy) }
  /// Per leaf column whether its statistics have an order this reader knows; nil when the file does not tell.
  let hasKnownOrder: [Bool]?
  /// Where each column chunk's structure starts in `bytes`.
  private let chunkPositions: [Int32]
  /// What was found out about columns, for this footer and its copies.
  let columnFacts = ParquetColumnFacts()

  private static let magic: UInt32 = 0x3152_4150  // PAR1
  private static let encryptedMagic: UInt32 = 0x4552_4150  // PARE

  /// - Throws: `HIVE_BAD_DATA` when the file is not Parquet, `NOT_SUPPORTED` when it is encrypted.
  static func read(_ source: any ByteSource, kind: ScanKind) throws(QueryError) -> ParquetFooter {
    let byteCount = source.byteCount
    func bad(_ message: String, _ offset: UInt64? = nil) -> QueryError {
      QueryError(
        .hiveBadData, message,
        data: DataLocation(path: source.path, byteOffset: offset.map { Int(truncatingIfNeeded: $0) }))
    }
    guard byteCount >= 12 else {
      throw bad("Not a Parquet file: it has \(byteCount) bytes, the smallest Parquet file has 12")
    }
    let tail = try source.read(byteCount - 8..<byteCount, kind: kind)
    let (length, magic) = withExtendedLifetime(tail) {
      (
        UInt64(UInt32(littleEndian: tail.pointer.loadUnaligned(as: UInt32.self))),
        UInt32(littleEndian: tail.pointer.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
      )
    }
    if magic == encryptedMagic {
      throw encrypted(source)
    }
    guard magic == ParquetFooter.magic else {
      throw bad("Not a Parquet file: it does not end with the magic bytes PAR1", byteCount - 4)
    }
    guard length > 0, length <= byteCount - 12 else {
      throw bad("Corrupt Parquet file: the footer's length \(length) passes the file's start", byteCount - 8)
    }
    let start = byteCount - 8 - length
    let bytes = try source.read(start..<byteCount - 8, kind: kind)
    if let known = FooterCache.shared.footer(source.path, bytes) { return known }
    do throws(ParquetDamage) {
      let footer = try ParquetFooter(bytes)
      FooterCache.shared.keep(footer, source.path)
      return footer
    } catch {
      if error.reason == ParquetFooter.encryptedReason {
        throw encrypted(source)
      }
      throw bad("Corrupt Parquet file: \(error.reason)", start)
    }
  }

  private static let encryptedReason = "encrypted"

  private static func encrypted(_ source: any ByteSource) -> QueryError {
    QueryError(.notSupported, "Encrypted Parquet files are not supported", data: DataLocation(path: source.path))
  }

  private init(_ bytes: ByteSlice) throws(ParquetDamage) {
    self.bytes = bytes
    guard bytes.count < Int(Int32.max) else { throw ParquetDamage("the footer is larger than 2 GB") }
    var reader = ThriftCompactReader(bytes.pointer, end: bytes.count)
    defer { withExtendedLifetime(bytes) {} }
    var elements: [ParquetSchema.Element] = []
    var groups: [RowGroup] = []
    var positions: [Int32] = []
    var createdBy = ""
    var orders: [Bool]?
    var chunkCounts: [Int] = []
    var id = 0
    while let type = try reader.nextField(&id) {
      switch id {
      case 2:
        let count = try reader.structureList(type)
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try ParquetSchema.Element(&reader)) }
      case 4:
        let count = try reader.structureList(type)
        groups.reserveCapacity(count)
        for _ in 0..<count {
          let first = positions.count
          let rowCount = try ParquetFooter.readRowGroup(&reader, &positions)
          groups.append(RowGroup(rowCount: rowCount, firstChunk: first))
          chunkCounts.append(positions.count - first)
        }
      case 6: createdBy = type == ThriftCompactReader.WireType.binary ? try reader.string(type) : try reader.skipped(type)
      case 7:
        let count = try reader.structureList(type)
        var known: [Bool] = []
        for _ in 0..<count {
          var order = 0
          var isKnown = false
          while let member = try reader.nextField(&order) {
            if order == 1 { isKnown = true }
            try reader.skip(member)
          }
          known.append(isKnown)
        }
        orders = known
      case 8: throw ParquetDamage(ParquetFooter.encryptedReason)
      default: try reader.skip(type)
      }
    }
    schema = try ParquetSchema(elements)
    for count in chunkCounts where count != schema.leaves.count {
      throw ParquetDamage("a row group has \(count) column chunks, the schema \(schema.leaves.count) columns")
    }
    var total = 0
    for group in groups {
      let (sum, overflow) = total.addingReportingOverflow(group.rowCount)
      if overflow { throw ParquetDamage("its row groups have too many rows") }
      total = sum
    }
    // The footer's own count of rows is not looked at: some writers leave it 0, and the row groups are what is read.
    rowGroups = groups
    rowCount = total
    chunkPositions = positions
    self.createdBy = createdBy
    hasKnownOrder = orders?.count == schema.leaves.count ? orders : nil
  }

  private static func readRowGroup(
    _ reader: inout ThriftCompactReader, _ positions: inout [Int32]
  ) throws(ParquetDamage) -> Int {
    var rowCount: Int?
    var id = 0
    while let type = try reader.nextField(&id) {
      switch id {
      case 1:
        let count = try reader.structureList(type)
        positions.reserveCapacity(positions.count + count)
        for _ in 0..<count {
          positions.append(Int32(reader.position))
          try reader.skipStructure()
        }
      case 3: rowCount = try reader.size(type)
      default: try reader.skip(type)
      }
    }
    guard let rowCount else { throw ParquetDamage("a row group does not tell its rows") }
    return rowCount
  }

  /// The same footer over bytes of its own.
  func copyingBytes() -> ParquetFooter {
    let copy = Buffer(byteCount: bytes.count + ByteSlice.padding)
    withExtendedLifetime(bytes) { copy.pointer.copyMemory(from: bytes.pointer, byteCount: bytes.count) }
    var footer = self
    footer.bytes = ByteSlice(pointer: copy.pointer, count: bytes.count, owner: copy)
    return footer
  }

  /// The metadata of one column chunk.
  func chunk(rowGroup: Int, leaf: Int) throws(ParquetDamage) -> ColumnChunkMetadata {
    var reader = ThriftCompactReader(
      bytes.pointer, position: Int(chunkPositions[rowGroups[rowGroup].firstChunk + leaf]), end: bytes.count)
    defer { withExtendedLifetime(bytes) {} }
    return try ColumnChunkMetadata(&reader)
  }
}
