import Columnar
import ObjectStore
import QueryErrors

/// What is known of the values of a page or chunk, in the form they are stored in.
struct StoredBounds {
  /// Bounds of numbers: as signed words, floats and doubles by their bits.
  var leastWord: Int64?
  var greatestWord: Int64?
  var leastBytes: [UInt8]?
  var greatestBytes: [UInt8]?

  var isEmpty: Bool { leastWord == nil && leastBytes == nil }

  mutating func add(_ other: StoredBounds, _ order: StoredOrder) {
    if let low = other.leastWord, let high = other.greatestWord { add(low, high, order) }
    if let low = other.leastBytes, let high = other.greatestBytes {
      if leastBytes == nil || order.precedes(low, leastBytes!) { leastBytes = low }
      if greatestBytes == nil || order.precedes(greatestBytes!, high) { greatestBytes = high }
    }
  }

  private mutating func add(_ low: Int64, _ high: Int64, _ order: StoredOrder) {
    if leastWord == nil || order.precedes(low, leastWord!) { leastWord = low }
    if greatestWord == nil || order.precedes(greatestWord!, high) { greatestWord = high }
  }
}

/// How stored values of a leaf compare.
enum StoredOrder {
  case integers
  case floats
  case doubles
  case unsignedBytes
  /// Two's complement, most significant byte first.
  case signedBytes

  init(_ type: ParquetLeafType) {
    switch type.physical {
    case .float: self = .floats
    case .double: self = .doubles
    case .byteArray: self = .unsignedBytes
    case .fixedByteArray: self = type.decimal == nil ? .unsignedBytes : .signedBytes
    default: self = .integers
    }
  }

  func precedes(_ a: Int64, _ b: Int64) -> Bool {
    switch self {
    case .floats: StoredOrder.float(a) < StoredOrder.float(b)
    case .doubles: StoredOrder.double(a) < StoredOrder.double(b)
    default: a < b
    }
  }

  func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    if self == .signedBytes, let x = a.first, let y = b.first, (x ^ y) & 0x80 != 0 { return x & 0x80 != 0 }
    return a.lexicographicallyPrecedes(b)
  }

  static func float(_ word: Int64) -> Float { Float(bitPattern: UInt32(truncatingIfNeeded: word)) }
  static func double(_ word: Int64) -> Double { Double(bitPattern: UInt64(bitPattern: word)) }

  /// The least and the greatest of some words; none when all are NaN.
  func bounds(_ words: UnsafePointer<Int64>, _ count: Int) -> StoredBounds {
    var result = StoredBounds()
    if count == 0 { return result }
    switch self {
    case .floats, .doubles:
      var (low, high, found) = (0.0, 0.0, false)
      var i = 0
      while i < count {
        let value = self == .floats ? Double(StoredOrder.float(words[i])) : StoredOrder.double(words[i])
        if !value.isNaN {
          low = found ? min(low, value) : value
          high = found ? max(high, value) : value
          found = true
        }
        i &+= 1
      }
      guard found else { return result }
      // Zeros of either sign are one value to readers: bounds take the outer sign.
      if low == 0 { low = -0.0 }
      if high == 0 { high = 0.0 }
      if self == .floats {
        result.leastWord = Int64(Float(low).bitPattern)
        result.greatestWord = Int64(Float(high).bitPattern)
      } else {
        result.leastWord = Int64(bitPattern: low.bitPattern)
        result.greatestWord = Int64(bitPattern: high.bitPattern)
      }
    default:
      var (low, high) = (words[0], words[0])
      var i = 1
      while i < count {
        low = min(low, words[i])
        high = max(high, words[i])
        i &+= 1
      }
      result.leastWord = low
      result.greatestWord = high
    }
    return result
  }
}

/// A page that is ready to be written: header and compressed body.
struct FinishedPage {
  var bytes: [UInt8]
  /// Header included.
  var uncompressedByteCount: Int
  var encoding: ParquetEncoding
  var rowCount: Int
  var valueCount: Int
  var nullCount: Int
  var bounds: StoredBounds
}

/// Compresses pages and puts headers before them.
final class PageBuilder {
  private let compressor = Compressor()
  private let codec: CompressionCodec
  private let level: Int32?
  private var target = Buffer(byteCount: 4096)

  init(_ codec: CompressionCodec, level: Int?) {
    self.codec = codec
    self.level = level.map(Int32.init)
  }

  /// Bytes that a body takes once compressed.
  func compressedSize(_ body: ByteBuilder) throws(QueryError) -> Int { try compress(body) }

  private func compress(_ body: ByteBuilder) throws(QueryError) -> Int {
    let capacity = compressor.maximumSize(codec, count: body.count)
    if target.byteCount < capacity { target = Buffer(byteCount: capacity) }
    return try compressor.compress(
      codec, body.pointer, count: body.count, into: target.pointer, capacity: capacity, level: level)
  }

  /// - Parameter dictionaryCount: entries of a dictionary page; nil for a data page.
  func finish(
    _ body: ByteBuilder, encoding: ParquetEncoding, valueCount: Int, dictionaryCount: Int? = nil
  ) throws(QueryError) -> (bytes: [UInt8], uncompressedByteCount: Int) {
    guard body.count < Int(Int32.max) else {
      throw QueryError.notSupported("Parquet pages of more than 2 GB: a single value is too long")
    }
    let size = try compress(body)
    var header = ThriftCompactWriter()
    header.structure { page in
      page.field(1, int32: dictionaryCount == nil ? PageHeader.Kind.data.rawValue : PageHeader.Kind.dictionary.rawValue)
      page.field(2, int32: body.count)
      page.field(3, int32: size)
      if let dictionaryCount {
        page.field(
          7,
          structure: { details in
            details.field(1, int32: dictionaryCount)
            details.field(2, int32: encoding.rawValue)
          })
      } else {
        page.field(
          5,
          structure: { details in
            details.field(1, int32: valueCount)
            details.field(2, int32: encoding.rawValue)
            details.field(3, int32: ParquetEncoding.runLength.rawValue)
            details.field(4, int32: ParquetEncoding.runLength.rawValue)
          })
      }
    }
    var bytes = header.bytes
    let headerSize = bytes.count
    bytes.reserveCapacity(headerSize + size)
    bytes += UnsafeRawBufferPointer(start: target.pointer, count: size)
    return (bytes, headerSize + body.count)
  }
}
