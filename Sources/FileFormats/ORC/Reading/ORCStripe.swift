import Columnar
import ObjectStore
import QueryErrors

/// One stripe as one reader sees it: its streams, encodings and row indexes.
///
///     row indexes and Bloom filters | data streams | stripe footer
///
/// - Threads: one; a stripe read by several workers is opened by each.
final class ORCStripe {
  enum StreamKind: Int { case present, data, length, dictionaryData, dictionaryCount, secondary, rowIndex, bloomFilter, bloomFilterUTF8 }

  struct Encoding {
    var isDictionary: Bool
    var isVersion2: Bool
    var dictionarySize: Int
  }

  private struct Place {
    var range: Range<UInt64>
  }
  private struct StreamKey: Hashable {
    var column: Int
    var kind: StreamKind
  }

  let stripe: ORCFooter.Stripe
  private let source: any ByteSource
  private let compression: ORCCompression
  private let decompressor = Decompressor()
  private var places: [StreamKey: Place] = [:]
  private var encodings: [Encoding] = []
  private var zoneName = ""
  private var indexes: [Int: [[UInt64]]] = [:]
  private var dictionaries: [Int: Column] = [:]

  init(_ source: any ByteSource, _ stripe: ORCFooter.Stripe, _ compression: ORCCompression) throws(ORCDamage) {
    self.source = source
    self.stripe = stripe
    self.compression = compression
    let footerStart = stripe.offset + stripe.indexLength + stripe.dataLength
    let footer = try compression.expand(
      try ORCStripe.read(source, footerStart..<footerStart + stripe.footerLength, .metadata), decompressor)
    var reader = ProtobufReader(footer.bytes)
    var offset = stripe.offset
    while let (field, wire) = try reader.next() {
      switch field {
      case 1:
        var (kind, column, length) = (0, 0, UInt64(0))
        var stream = ProtobufReader(try reader.bytes(wire))
        while let (field, wire) = try stream.next() {
          switch field {
          case 1: kind = try stream.size(wire)
          case 2: column = try stream.size(wire)
          case 3: length = try stream.unsigned(wire)
          default: try stream.skip(wire)
          }
        }
        guard length <= footerStart - offset else { throw ORCDamage("a stream passes its stripe's end") }
        if let known = StreamKind(rawValue: kind) {
          places[StreamKey(column: column, kind: known)] = Place(range: offset..<offset + length)
        }
        offset += length
      case 2:
        var (kind, size) = (0, 0)
        var encoding = ProtobufReader(try reader.bytes(wire))
        while let (field, wire) = try encoding.next() {
          switch field {
          case 1: kind = try encoding.size(wire)
          case 2: size = try encoding.size(wire)
          default: try encoding.skip(wire)
          }
        }
        guard kind < 4 else { throw ORCDamage("a column has the unknown encoding \(kind)") }
        encodings.append(Encoding(isDictionary: kind & 1 == 1, isVersion2: kind >= 2, dictionarySize: size))
      case 3: zoneName = try reader.string(wire)
      default: try reader.skip(wire)
      }
    }
    withExtendedLifetime(footer) {}
  }

  private static func read(
    _ source: any ByteSource, _ range: Range<UInt64>, _ kind: ScanKind
  ) throws(ORCDamage) -> ByteSlice {
    guard range.upperBound <= source.byteCount else { throw ORCDamage("a stripe passes the end of the file") }
    do { return try source.read(range, kind: kind) } catch { throw ORCDamage(cause: error) }
  }

  func encoding(_ column: Int) throws(ORCDamage) -> Encoding {
    guard encodings.indices.contains(column) else { throw ORCDamage("the stripe has no encoding of column \(column)") }
    return encodings[column]
  }

  /// A stream, nil when the stripe has none.
  func stream(_ column: Int, _ kind: StreamKind) throws(ORCDamage) -> ORCStream? {
    guard let place = places[StreamKey(column: column, kind: kind)] else { return nil }
    return ORCStream(try ORCStripe.read(source, place.range, .data), compression, decompressor)
  }

  /// A stream that every column of its type has; an empty one where there are no rows.
  func requiredStream(_ column: Int, _ kind: StreamKind) throws(ORCDamage) -> ORCStream {
    if let stream = try stream(column, kind) { return stream }
    // Writers leave the streams of columns without any value out.
    let nothing = Buffer(byteCount: 0)
    return ORCStream(ByteSlice(pointer: nothing.pointer, count: 0, owner: nothing), compression, decompressor)
  }

  /// The stripe's dictionary of a column, made when first asked for.
  func dictionary(_ column: Int, _ make: () throws(ORCDamage) -> Column) throws(ORCDamage) -> Column {
    if let known = dictionaries[column] { return known }
    let made = try make()
    dictionaries[column] = made
    return made
  }

  /// The zone the writer's clock showed.
  func writerZone() throws(ORCDamage) -> TimeZoneKey {
    if zoneName.isEmpty || zoneName == "UTC" || zoneName == "GMT" { return .utc }
    do { return try TimeZoneDatabase.key(named: zoneName) } catch {
      throw ORCDamage("its writer's time zone '\(zoneName)' is not known")
    }
  }

  // MARK: Row indexes

  /// One column's row index: positions and statistics of each row group; empty where the stripe has none.
  func rowIndex(_ column: Int) throws(ORCDamage) -> [(positions: [UInt64], statistics: ORCColumnStatistics)] {
    guard let place = places[StreamKey(column: column, kind: .rowIndex)] else { return [] }
    let bytes = try compression.expand(try ORCStripe.read(source, place.range, .metadata), decompressor)
    var entries: [(positions: [UInt64], statistics: ORCColumnStatistics)] = []
    var reader = ProtobufReader(bytes.bytes)
    while let (field, wire) = try reader.next() {
      guard field == 1 else {
        try reader.skip(wire)
        continue
      }
      var positions: [UInt64] = []
      var statistics = ORCColumnStatistics()
      var entry = ProtobufReader(try reader.bytes(wire))
      while let (field, wire) = try entry.next() {
        switch field {
        case 1: try entry.numbers(wire, into: &positions)
        case 2: statistics = try ORCColumnStatistics(try entry.bytes(wire))
        default: try entry.skip(wire)
        }
      }
      entries.append((positions, statistics))
    }
    withExtendedLifetime(bytes) {}
    return entries
  }

  /// A column's Bloom filters, one a row group; those that the Java writer made of strings in another encoding than UTF-8 are
  /// left alone.
  func bloomFilters(_ node: ORCNode) throws(ORCDamage) -> [ORCBloomFilter] {
    var place = places[StreamKey(column: node.id, kind: .bloomFilterUTF8)]
    if place == nil, node.kind != .string, node.kind != .varchar {
      place = places[StreamKey(column: node.id, kind: .bloomFilter)]
    }
    guard let place else { return [] }
    let bytes = try compression.expand(try ORCStripe.read(source, place.range, .metadata), decompressor)
    var filters: [ORCBloomFilter] = []
    var reader = ProtobufReader(bytes.bytes)
    while let (field, wire) = try reader.next() {
      if field == 1 { filters.append(try ORCBloomFilter(try reader.bytes(wire))) } else { try reader.skip(wire) }
    }
    withExtendedLifetime(bytes) {}
    return filters
  }

  /// Where a row group of a column begins in each of its streams.
  func positions(_ column: Int, _ rowGroup: Int) throws(ORCDamage) -> ORCPositions {
    if indexes[column] == nil { indexes[column] = try rowIndex(column).map(\.positions) }
    guard let known = indexes[column], known.indices.contains(rowGroup) else {
      throw ORCDamage("column \(column) has no row index for row group \(rowGroup)")
    }
    return ORCPositions(known[rowGroup], hasChunks: compression.codec != nil)
  }

  /// Whether every column has an entry for every row group, so that readers can jump.
  func hasRowIndexes(_ columns: [Int]) -> Bool {
    columns.allSatisfy { column in places[StreamKey(column: column, kind: .rowIndex)] != nil }
  }
}
