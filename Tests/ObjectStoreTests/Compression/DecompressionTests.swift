import CKernels
import CSnappy
import QueryErrors
import Testing

@testable import ObjectStore

/// A small repeatable random source.
struct RandomBytes {
  var state: UInt64
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
  mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }

  /// Bytes with repeats near and far, as columns and texts have.
  mutating func compressible(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      switch below(5) {
      case 0: for _ in 0..<(1 + below(20)) { bytes.append(UInt8(truncatingIfNeeded: next())) }
      case 1:
        let byte = UInt8(truncatingIfNeeded: next())
        for _ in 0..<(1 + below(100)) { bytes.append(byte) }
      case 2:
        // Numbers of a fixed width, ascending or not.
        let (width, step, range) = (4 + below(6), 1 + below(300), below(2) == 0 ? 0 : 1 + below(200_000))
        var number = UInt64(below(1000))
        for _ in 0..<below(100) {
          number = range > 0 ? UInt64(below(range)) : number + UInt64(1 + below(step))
          for byte in 0..<width { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * min(byte, 7)))) }
        }
      default:
        guard !bytes.isEmpty else { continue }
        let distance = 1 + below(min(bytes.count, below(3) == 0 ? 70_000 : 24))
        for _ in 0..<(4 + below(80)) { bytes.append(bytes[bytes.count - distance]) }
      }
    }
    return Array(bytes[..<count])
  }
}

/// Decompresses a block into memory that ends where the capacity ends.
func decompressBlock(_ codec: CompressionCodec, _ bytes: [UInt8], capacity: Int) throws -> [UInt8] {
  let guardBytes = 16
  var output = [UInt8](repeating: 0xA5, count: capacity + guardBytes)
  let decompressor = Decompressor()
  let count = try bytes.withUnsafeBytes { source in
    try output.withUnsafeMutableBytes { target in
      try decompressor.decompress(
        codec, source.baseAddress ?? UnsafeRawPointer(target.baseAddress!), count: source.count,
        into: target.baseAddress!, capacity: capacity)
    }
  }
  #expect(output[capacity...].allSatisfy { $0 == 0xA5 })
  return Array(output[..<count])
}

/// Decompresses a stream in pieces of `piece` bytes.
func decompressAll(
  _ bytes: [UInt8], path: String, codec: CompressionCodec? = nil, piece: Int = 1000, expectsAll: Bool = true,
  meter: ScanMeter = ScanMeter()
) throws -> [UInt8] {
  let source = try MemoryByteSource(bytes, path: path, meter: meter)
  let reader = try DecompressingReader(source, codec: codec, expectsAll: expectsAll)
  var all: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: piece)
  while true {
    let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0.baseAddress!, capacity: piece) }
    if count == 0 { break }
    all += buffer[..<count]
  }
  #expect(reader.compressedOffset == UInt64(bytes.count))
  return all
}

let streamFixtures: [(name: String, path: String, bytes: [UInt8])] = [
  ("gzip", "a.csv.gz", CompressionFixtures.gzip),
  ("gzip members", "a.csv.gz", CompressionFixtures.gzipMembers),
  ("zlib", "a.deflate", CompressionFixtures.zlib),
  ("zstd", "a.zst", CompressionFixtures.zstd),
  ("zstd frames", "a.zst", CompressionFixtures.zstdFrames),
  ("bzip2", "a.bz2", CompressionFixtures.bzip2),
  ("bzip2 streams", "a.bz2", CompressionFixtures.bzip2Streams),
  ("brotli", "a.br", CompressionFixtures.brotli),
  ("lz4 frame", "a.lz4", CompressionFixtures.lz4Frame),
  ("lz4 frames", "a.lz4", CompressionFixtures.lz4Frames),
  ("lz4 hadoop", "a.lz4", CompressionFixtures.lz4Hadoop),
  ("snappy framed", "a.sz", CompressionFixtures.snappyFramed),
  ("snappy framed as .snappy", "a.snappy", CompressionFixtures.snappyFramed),
  ("snappy hadoop", "a.snappy", CompressionFixtures.snappyHadoop),
  ("snappy raw", "a.snappy", CompressionFixtures.snappyRaw),
  ("plain", "a.csv", CompressionFixtures.text),
]

let blockFixtures: [(codec: CompressionCodec, bytes: [UInt8])] = [
  (.gzip, CompressionFixtures.gzip), (.gzip, CompressionFixtures.gzipMembers), (.gzip, CompressionFixtures.zlib),
  (.zlib, CompressionFixtures.zlib), (.zstd, CompressionFixtures.zstd), (.zstd, CompressionFixtures.zstdFrames),
  (.brotli, CompressionFixtures.brotli), (.lz4Raw, CompressionFixtures.lz4Raw),
  (.lz4Hadoop, CompressionFixtures.lz4Hadoop), (.lz4Hadoop, CompressionFixtures.lz4Raw),
  (.lz4Frame, CompressionFixtures.lz4Frames), (.snappyRaw, CompressionFixtures.snappyRaw),
  (.snappyHadoop, CompressionFixtures.snappyHadoop), (.snappyFramed, CompressionFixtures.snappyFramed),
  (.bzip2, CompressionFixtures.bzip2Streams), (.none, CompressionFixtures.text),
]

@Suite struct DecompressionTests {
  @Test func blocksOfOtherTools() throws {
    for (codec, bytes) in blockFixtures {
      let text = try decompressBlock(codec, bytes, capacity: CompressionFixtures.text.count)
      #expect(text == CompressionFixtures.text, "\(codec)")
    }
  }

  @Test func streamsOfOtherToolsInAnyPieces() throws {
    for (name, path, bytes) in streamFixtures {
      for piece in [1, 7, 64, 100_000] {
        for expectsAll in [true, false] {
          let meter = ScanMeter()
          let text = try decompressAll(bytes, path: path, piece: piece, expectsAll: expectsAll, meter: meter)
          #expect(text == CompressionFixtures.text, "\(name), pieces of \(piece)")
          #expect(meter.dataBytes == bytes.count, "\(name)")
        }
      }
    }
  }

  @Test func streamsCutOffAnywhereAreErrors() throws {
    for (name, path, bytes) in streamFixtures where name != "plain" {
      let codec = name == "snappy raw" ? nil : CompressionCodec.detect(path: path, bytes)
      for length in 1..<bytes.count {
        do {
          let text = try decompressAll(Array(bytes[..<length]), path: path, codec: codec, piece: 64)
          // Cut between two members, frames, streams or blocks.
          #expect(CompressionFixtures.text.starts(with: text), "\(name) cut at \(length)")
          #expect(
            name == "gzip members" || name.hasSuffix("frames") || name.hasSuffix("streams") || name.contains("framed")
              || name.contains("hadoop") || name == "snappy raw", "\(name) cut at \(length)")
        } catch let error as QueryError {
          #expect(error.code == .hiveBadData, "\(name) cut at \(length): \(error)")
          #expect(error.data?.path == path || error.message.contains("not gzip"), "\(error)")
        }
      }
      #expect(try decompressAll([], path: path).isEmpty, "an empty file is an empty stream: \(name)")
    }
  }

  @Test func blocksCutOffOrTooLargeAreErrors() throws {
    let size = CompressionFixtures.text.count
    for (codec, bytes) in blockFixtures {
      for length in 0..<bytes.count {
        guard let text = try? decompressBlock(codec, Array(bytes[..<length]), capacity: size) else { continue }
        #expect(text.count <= size && (codec == .lz4Hadoop || CompressionFixtures.text.starts(with: text)), "\(codec)")
      }
      for capacity in [0, 1, 15, 16, size / 2, size - 1] {
        #expect(throws: QueryError.self, "\(codec) into \(capacity)") {
          try decompressBlock(codec, bytes, capacity: capacity)
        }
      }
    }
  }

  @Test func damagedBytesNeverCrash() throws {
    var random = RandomBytes(state: 42)
    for (codec, bytes) in blockFixtures {
      for _ in 0..<400 {
        var damaged = bytes
        for _ in 0...random.below(4) { damaged[random.below(damaged.count)] = UInt8(truncatingIfNeeded: random.next()) }
        _ = try? decompressBlock(codec, damaged, capacity: random.below(2 * CompressionFixtures.text.count))
      }
    }
    for (_, path, bytes) in streamFixtures {
      let codec = CompressionCodec.detect(path: path, bytes)
      for _ in 0..<200 {
        var damaged = bytes
        for _ in 0...random.below(4) { damaged[random.below(damaged.count)] = UInt8(truncatingIfNeeded: random.next()) }
        _ = try? decompressHead(damaged, path: path, codec: random.below(2) == 0 ? nil : codec)
      }
    }
  }

  /// Damage may turn a stream into a very long one, so only its head is read.
  private func decompressHead(_ bytes: [UInt8], path: String, codec: CompressionCodec?) throws {
    let source = try MemoryByteSource(bytes, path: path, meter: ScanMeter())
    let reader = try DecompressingReader(source, codec: codec, expectsAll: bytes.count % 2 == 0)
    var buffer = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<20 {
      let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0.baseAddress!, capacity: 4096) }
      if count == 0 { break }
    }
  }

  @Test func snappyAgreesWithTheLibrary() throws {
    var random = RandomBytes(state: 7)
    for round in 0..<400 {
      let plain = random.compressible(random.below(round < 200 ? 300 : 20_000))
      var packed = [UInt8](repeating: 0, count: snappy_max_compressed_length(plain.count))
      var packedCount = packed.count
      packed.withUnsafeMutableBytes { out in
        plain.withUnsafeBytes { bytes in
          let input = bytes.baseAddress ?? UnsafeRawPointer(out.baseAddress!)
          _ = snappy_compress(
            input.assumingMemoryBound(to: CChar.self), plain.count,
            out.baseAddress!.assumingMemoryBound(to: CChar.self), &packedCount)
        }
      }
      packed.removeSubrange(packedCount...)
      #expect(try decompressBlock(.snappyRaw, packed, capacity: plain.count) == plain)
      for _ in 0..<5 {
        var damaged = packed
        damaged[random.below(damaged.count)] ^= UInt8(1 << random.below(8))
        if random.below(3) == 0 { damaged.removeLast(random.below(damaged.count)) }
        let library = snappyLibrary(damaged, limit: plain.count * 2)
        let own = try? decompressBlock(.snappyRaw, damaged, capacity: plain.count * 2)
        #expect(own == library)
      }
    }
  }

  /// Blocks that are one literal, as the format description writes it.
  @Test func storedBytesAreFoundInTheirBlock() throws {
    let heads: [(size: Int, head: [UInt8])] = [
      (1, [1, 0 << 2]), (60, [60, 59 << 2]), (61, [61, 60 << 2, 60]), (256, [0x80, 2, 60 << 2, 255]),
      (257, [0x81, 2, 61 << 2, 0, 1]), (65_537, [0x81, 0x80, 4, 62 << 2, 0, 0, 1]),
    ]
    func offset(_ bytes: [UInt8], _ size: Int, _ codec: CompressionCodec = .snappyRaw) -> Int? {
      bytes.withUnsafeBytes { Decompressor.offsetOfStored(codec, $0.baseAddress!, count: $0.count, size: size) }
    }
    for (size, head) in heads {
      let plain = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
      let block = head + plain
      #expect(try decompressBlock(.snappyRaw, block, capacity: size) == plain)
      #expect(offset(block, size) == head.count)
      #expect(offset(block, size + 1) == nil)
      #expect(offset(block + [0, 7], size) == nil, "an element follows")
      for length in 1..<min(block.count, 8) { #expect(offset(Array(block[..<length]), size) == nil) }
      #expect(offset(block, block.count, .none) == 0 && offset(block, size, .none) == nil)
      #expect(offset(block, size, .lz4Raw) == nil)
    }
    // Four bytes, then a copy of the first of them.
    #expect(offset([8, 3 << 2, 1, 2, 3, 4, 0b0000_0001, 4], 8) == nil)
  }

  private func snappyLibrary(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
    bytes.withUnsafeBufferPointer { pointer -> [UInt8]? in
      pointer.withMemoryRebound(to: CChar.self) { input in
        var size = 0
        guard snappy_uncompressed_length(input.baseAddress!, input.count, &size) == SNAPPY_OK, size <= limit else {
          return nil
        }
        var output = [CChar](repeating: 0, count: size + 1)
        guard snappy_uncompress(input.baseAddress!, input.count, &output, &size) == SNAPPY_OK else { return nil }
        return output[..<size].map { UInt8(bitPattern: $0) }
      }
    }
  }

  @Test func everythingCompressedComesBack() throws {
    var random = RandomBytes(state: 99)
    let compressor = Compressor()
    for size in [0, 1, 13, 100, 4096, 70_000, 300_000] {
      let plain = random.compressible(size)
      for codec in CompressionCodec.allCases {
        let packed = try plain.withUnsafeBytes { bytes in try compressor.compress(codec, bytes) }
        #expect(try decompressBlock(codec, packed, capacity: size) == plain, "\(codec), \(size) bytes")
        if codec == .lz4Raw || codec == .snappyRaw || codec == .deflateRaw { continue }
        #expect(
          try decompressAll(packed, path: "x", codec: codec, piece: 10_000) == plain, "\(codec) stream, \(size) bytes")
        #expect(
          try decompressAll(packed, path: "x", codec: codec, piece: 30_000, expectsAll: false) == plain,
          "\(codec) stream, \(size) bytes")
      }
    }
  }

  @Test func largeFileIsReadInSteps() throws {
    var random = RandomBytes(state: 3)
    let plain = random.compressible(3_000_000)
    let path = temporaryFolder() + "/a.snappy"
    let packed = try plain.withUnsafeBytes { bytes throws(QueryError) in
      try Compressor().compress(.snappyHadoop, bytes)
    }
    writeFile(path, packed)
    let meter = ScanMeter()
    let reader = try DecompressingReader(try LocalObjectStore().open(path, meter: meter))
    #expect(reader.codec == .snappyHadoop)
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 90_001)
    while true {
      let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0.baseAddress!, capacity: $0.count) }
      if count == 0 { break }
      all += buffer[..<count]
    }
    #expect(all == plain)
    #expect(meter.dataBytes == packed.count)
  }

  @Test func errorsSayWhere() throws {
    var bytes = CompressionFixtures.zstd
    bytes[0] = 0
    do {
      _ = try decompressAll(bytes, path: "data/a.csv.zst")
      Issue.record("damaged zstd was read")
    } catch let error as QueryError {
      #expect(error.description.hasPrefix("HIVE_BAD_DATA: Compressed data is damaged (zstd): "))
      #expect(error.data == DataLocation(path: "data/a.csv.zst", byteOffset: 0))
    }
    do {
      _ = try decompressAll(Array("id,name\n1,a\n".utf8), path: "a.csv.gz")
      Issue.record("plain text was read as gzip")
    } catch let error as QueryError {
      #expect(error.message == "File is not gzip: it does not start with 1f 8b")
    }
  }

  @Test func codecsFromNames() {
    #expect(CompressionCodec.fromExtension("a/b.csv.GZ") == .gzip)
    #expect(CompressionCodec.fromExtension("a.gz/b") == .none)
    #expect(CompressionCodec.fromExtension("gz") == .none)
    #expect(CompressionCodec.withoutExtension("a/b.csv.gz") == "a/b.csv")
    #expect(CompressionCodec.withoutExtension("a/b.csv") == "a/b.csv")
  }

  @Test func checksum() {
    // RFC 3720, B.4.
    let zeros = [UInt8](repeating: 0, count: 32)
    #expect(ck_crc32c(zeros, 32) == 0x8A91_36AA)
  }
}

extension CompressionCodec {
  static func detect(path: String, _ bytes: [UInt8]) -> CompressionCodec {
    bytes.withUnsafeBytes { detect(path: path, prefix: $0) }
  }
}
