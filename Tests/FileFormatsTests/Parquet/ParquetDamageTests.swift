import CKernels
import Columnar
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

@Suite struct ParquetDamageTests {
  /// A small generator, so that failures repeat.
  struct Random {
    var state: UInt64
    mutating func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(max(bound, 1)))
    }
  }

  static let files =
    [
      "nested_v1", "nested_v2_index", "nested_plain", "numbers", "floats", "list_two_level", "map_key_value",
      "duckdb_bloom",
    ].map { ParquetTesting.fixtures + $0 + ".parquet" }
    + [
      "encoding_delta_byte_array_v1", "encoding_delta_length_byte_array_v2", "encoding_delta_binary_packed_v1",
      "encoding_byte_stream_split_v1", "encoding_rle_v2", "dictionary_fallback", "codec_none_v1",
    ].map { "sample-data/types/\($0).parquet" }

  /// Whatever the bytes, reading ends with rows or with an error.
  @Test(arguments: files)
  func survivesAnyDamage(_ name: String) throws {
    let original = ParquetTesting.bytes(name)
    var random = Random(state: UInt64(name.utf8.reduce(0) { $0 &* 31 &+ Int($1) }.magnitude))
    let footerStart =
      original.count - 8 - Int(original[original.count - 8]) - Int(original[original.count - 7]) * 256
    for round in 0..<120 {
      var bytes = original
      switch round % 4 {
      case 0: bytes.removeLast(random.next(bytes.count))
      case 1: for _ in 0...random.next(3) { bytes[random.next(bytes.count)] ^= UInt8(1 << random.next(8)) }
      case 2: bytes[footerStart + random.next(bytes.count - footerStart)] = UInt8(random.next(256))
      default: bytes[random.next(footerStart)] = UInt8(random.next(256))
      }
      do {
        let opened = try ParquetTesting.Opened(bytes)
        guard (opened.file.rowCount ?? 0) < 100_000 else { continue }
        _ = try opened.read(ScanRequest(columns: opened.columns))
        _ = try opened.batches(
          ScanRequest(columns: opened.columns, predicates: [.rows(0) { $0 % 7 == 0 }], batchSize: 128))
      } catch let error as QueryError {
        #expect([.hiveBadData, .notSupported, .exceededLocalMemoryLimit].contains(error.code), "\(error)")
      }
    }
  }

  @Test func unpackingAgreesWithItsTwin() {
    var random = Random(state: 5)
    let bytes = (0..<4096).map { _ in UInt8(random.next(256)) }
    for width in 0...32 {
      var (a, b) = ([UInt32](repeating: 1, count: 300), [UInt32](repeating: 2, count: 300))
      for n in [0, 1, 7, 8, 9, 64, 299] {
        ck_unpack32(bytes, UInt32(width), &a, n)
        ck_unpack32_portable(bytes, 0, UInt32(width), &b, n)
        #expect(a[..<n] == b[..<n], "width \(width)")
      }
    }
    for width in 0...8 {
      var (a, b) = ([UInt8](repeating: 1, count: 300), [UInt8](repeating: 2, count: 300))
      for bit in [0, 1, 5, 8] {
        ck_unpack8(bytes, bit, UInt32(width), &a, 300)
        ck_unpack8_portable(bytes, bit, UInt32(width), &b, 300)
        #expect(a == b, "width \(width)")
      }
    }
    for width in 0...64 {
      var wide = [UInt64](repeating: 0, count: 50)
      ck_unpack64(bytes, 3, UInt32(width), &wide, 50)
      for i in 0..<50 {
        var value: UInt64 = 0
        for k in 0..<width {
          let bit = 3 + i * width + k
          value |= UInt64((bytes[bit >> 3] >> UInt8(bit & 7)) & 1) << UInt64(k)
        }
        #expect(wide[i] == value)
      }
    }
  }

  /// The deprecated level encoding: highest bit first.
  @Test func bitPackedLevels() throws {
    let bytes: [UInt8] = [0b1011_0001, 0b0110_0000]
    try bytes.withUnsafeBytes { bytes in
      var one = try LevelDecoder(bytes, maximum: 1, encoding: .bitPacked, count: 11)
      var words: UInt64 = 0
      #expect(try one.decodeBits(3, into: &words) == 2)
      #expect(words == 0b101)
      #expect(try one.skipBits(5) == 2)
      #expect(try one.decodeBits(3, into: &words) == 2)
      #expect(words == 0b110)
      var two = try LevelDecoder(bytes, maximum: 2, encoding: .bitPacked, count: 2)
      var levels = [UInt8](repeating: 9, count: 2)
      #expect(throws: ParquetDamage.self) { try two.decode(2, into: &levels) }
      var three = try LevelDecoder(bytes, maximum: 3, encoding: .bitPacked, count: 6)
      levels = [UInt8](repeating: 9, count: 6)
      try three.decode(6, into: &levels)
      #expect(levels == [2, 3, 0, 1, 1, 2])
    }
  }

  @Test func hashesAsSpecified() {
    // Source: xxHash's own test vectors.
    #expect(ck_xxh64("", 0) == 0xef46_db37_51d8_e999)
    #expect(ck_xxh64("a", 1) == 0xd24e_c4f1_a98c_6e5b)
    #expect(ck_xxh64("abc", 3) == 0x44bc_2cf5_ad77_0999)
  }
}
