import Columnar
import ObjectStore
import QueryErrors

/// What an ORC file says of itself at its end.
///
///     "ORC" … stripes … | metadata | footer | postscript | its length, one byte
///
/// - Source: orc.apache.org, "ORC Specification v1".
struct ORCFooter: Sendable {
  struct TypeEntry: Sendable {
    var kind = 0
    var subtypes: [Int] = []
    var fieldNames: [String] = []
    var maximumLength = 0
    var precision = 0
    var scale = 0
  }

  struct Stripe: Sendable {
    var offset: UInt64 = 0
    var indexLength: UInt64 = 0
    var dataLength: UInt64 = 0
    var footerLength: UInt64 = 0
    var rowCount = 0
    var firstRow = 0
  }

  let compression: ORCCompression
  let root: ORCNode
  let stripes: [Stripe]
  let rowCount: Int
  /// Rows between the entries of the row indexes; 0 when there are none.
  let rowIndexStride: Int
  /// Per stripe and column number; empty when the file keeps none.
  let stripeStatistics: [[ORCColumnStatistics]]
  /// Per column number, of the whole file.
  let statistics: [ORCColumnStatistics]
  /// 0: the original Java writer, which wrote wrong statistics of timestamps and Bloom filters of strings before 6 (ORC-135).
  let writerVersion: Int

  /// The largest tail that is read at once; almost every file's fits.
  private static let tailByteCount: UInt64 = 16 << 10

  /// - Throws: `HIVE_BAD_DATA` when the file is not ORC, `NOT_SUPPORTED` when it is encrypted.
  static func read(_ source: any ByteSource, kind: ScanKind) throws(QueryError) -> ORCFooter {
    let byteCount = source.byteCount
    func bad(_ message: String) -> QueryError {
      QueryError(.hiveBadData, message, data: DataLocation(path: source.path))
    }
    guard byteCount >= 8 else { throw bad("Not an ORC file: it has \(byteCount) bytes") }
    var tail = try source.read(byteCount - min(byteCount, tailByteCount)..<byteCount, kind: kind)
    do throws(ORCDamage) {
      let postscript = try Postscript(tail)
      let wanted = UInt64(postscript.byteCount) + 1 + postscript.footerLength + postscript.metadataLength
      guard wanted <= byteCount else { throw ORCDamage("the footer's length passes the file's start") }
      if UInt64(tail.count) < wanted {
        do throws(QueryError) { tail = try source.read(byteCount - wanted..<byteCount, kind: kind) } catch {
          throw ORCDamage("the footer cannot be read: \(error.message)")
        }
      }
      return try ORCFooter(tail, postscript)
    } catch {
      if var cause = error.cause {
        cause.data = DataLocation(path: source.path)
        throw cause
      }
      if error.reason == encryptedReason {
        throw QueryError(.notSupported, "Encrypted ORC files are not supported", data: DataLocation(path: source.path))
      }
      if error.reason == notORC { throw bad(error.reason) }
      throw bad("Corrupt ORC file: \(error.reason)")
    }
  }

  private static let encryptedReason = "encrypted"
  private static let notORC = "Not an ORC file: it does not end with a postscript of ORC"

  private struct Postscript {
    var byteCount = 0
    var footerLength: UInt64 = 0
    var metadataLength: UInt64 = 0
    var compression = 0
    var blockSize = 256 << 10
    var writerVersion = 0

    init(_ tail: ByteSlice) throws(ORCDamage) {
      defer { withExtendedLifetime(tail) {} }
      let bytes = tail.bytes
      byteCount = Int(bytes[bytes.count - 1])
      guard byteCount > 0, byteCount < bytes.count else { throw ORCDamage(ORCFooter.notORC) }
      var reader = ProtobufReader(UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - 1 - byteCount)..<(bytes.count - 1)]))
      var magic = ""
      do throws(ORCDamage) {
        while let (field, wire) = try reader.next() {
          switch field {
          case 1: footerLength = try reader.unsigned(wire)
          case 2: compression = try reader.size(wire)
          case 3: blockSize = try reader.size(wire)
          case 5: metadataLength = try reader.unsigned(wire)
          case 6: writerVersion = try reader.size(wire)
          case 8000: magic = try reader.string(wire)
          default: try reader.skip(wire)
          }
        }
      } catch { throw ORCDamage(ORCFooter.notORC) }
      guard magic == "ORC" || magic.isEmpty && footerLength > 0 else { throw ORCDamage(ORCFooter.notORC) }
      guard footerLength < 1 << 32, metadataLength < 1 << 32 else { throw ORCDamage("the footer is larger than 4 GB") }
      guard blockSize > 0, blockSize < 1 << 24 else { throw ORCDamage("compression blocks of \(blockSize) bytes") }
    }
  }

  private init(_ tail: ByteSlice, _ postscript: Postscript) throws(ORCDamage) {
    compression = try ORCCompression(code: postscript.compression, blockSize: postscript.blockSize)
    let footerEnd = tail.count - 1 - postscript.byteCount
    let footerStart = footerEnd - Int(postscript.footerLength)
    let metadataStart = footerStart - Int(postscript.metadataLength)
    guard metadataStart >= 0 else { throw ORCDamage("the footer's length passes the file's start") }
    let decompressor = Decompressor()
    let footer = try compression.expand(tail.slice(footerStart..<footerEnd), decompressor)
    var types: [TypeEntry] = []
    var stripes: [Stripe] = []
    var rows = 0
    var stride = 0
    var statistics: [ORCColumnStatistics] = []
    var reader = ProtobufReader(footer.bytes)
    while let (field, wire) = try reader.next() {
      switch field {
      case 3: stripes.append(try ORCFooter.stripe(try reader.bytes(wire)))
      case 4: types.append(try ORCFooter.type(try reader.bytes(wire)))
      case 6: rows = try reader.size(wire)
      case 7: statistics.append(try ORCColumnStatistics(try reader.bytes(wire)))
      case 8: stride = try reader.size(wire)
      case 10: throw ORCDamage(ORCFooter.encryptedReason)
      default: try reader.skip(wire)
      }
    }
    var first = 0
    for index in stripes.indices {
      stripes[index].firstRow = first
      let (next, overflow) = first.addingReportingOverflow(stripes[index].rowCount)
      guard !overflow else { throw ORCDamage("the stripes' row counts are too large") }
      first = next
    }
    // Some writers leave the footer's count out; the stripes' are what is read.
    if stripes.isEmpty { first = rows }
    withExtendedLifetime(footer) {}
    var perStripe: [[ORCColumnStatistics]] = []
    if metadataStart < footerStart {
      let metadata = try compression.expand(tail.slice(metadataStart..<footerStart), decompressor)
      var reader = ProtobufReader(metadata.bytes)
      while let (field, wire) = try reader.next() {
        guard field == 1 else {
          try reader.skip(wire)
          continue
        }
        var columns: [ORCColumnStatistics] = []
        var stripe = ProtobufReader(try reader.bytes(wire))
        while let (field, wire) = try stripe.next() {
          if field == 1 { columns.append(try ORCColumnStatistics(try stripe.bytes(wire))) } else { try stripe.skip(wire) }
        }
        perStripe.append(columns)
      }
      withExtendedLifetime(metadata) {}
    }
    self.stripes = stripes
    self.statistics = statistics
    root = try ORCNode.tree(types)
    rowCount = first
    rowIndexStride = stride
    stripeStatistics = perStripe.count == stripes.count ? perStripe : []
    writerVersion = postscript.writerVersion
    withExtendedLifetime(tail) {}
  }

  private static func stripe(_ bytes: UnsafeRawBufferPointer) throws(ORCDamage) -> Stripe {
    var stripe = Stripe()
    var reader = ProtobufReader(bytes)
    while let (field, wire) = try reader.next() {
      switch field {
      case 1: stripe.offset = try reader.unsigned(wire)
      case 2: stripe.indexLength = try reader.unsigned(wire)
      case 3: stripe.dataLength = try reader.unsigned(wire)
      case 4: stripe.footerLength = try reader.unsigned(wire)
      case 5: stripe.rowCount = try reader.size(wire)
      default: try reader.skip(wire)
      }
    }
    let parts = [stripe.offset, stripe.indexLength, stripe.dataLength, stripe.footerLength]
    guard parts.allSatisfy({ $0 < 1 << 56 }) else { throw ORCDamage("a stripe passes the end of the file") }
    return stripe
  }

  private static func type(_ bytes: UnsafeRawBufferPointer) throws(ORCDamage) -> TypeEntry {
    var entry = TypeEntry()
    var reader = ProtobufReader(bytes)
    while let (field, wire) = try reader.next() {
      switch field {
      case 1: entry.kind = try reader.size(wire)
      case 2:
        var numbers: [UInt64] = []
        try reader.numbers(wire, into: &numbers)
        entry.subtypes += numbers.map { Int(clamping: $0) }
      case 3: entry.fieldNames.append(try reader.string(wire))
      case 4: entry.maximumLength = try reader.size(wire)
      case 5: entry.precision = try reader.size(wire)
      case 6: entry.scale = try reader.size(wire)
      default: try reader.skip(wire)
      }
    }
    return entry
  }
}
