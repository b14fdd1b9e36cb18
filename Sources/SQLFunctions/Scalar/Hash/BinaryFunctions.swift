import CCrypto
import Columnar
import Glibc
import QueryErrors

/// Hashes of bytes and bytes as text.
///
/// - Source: Trino `VarbinaryFunctions`, `HmacFunctions`.
package enum BinaryFunctions: FunctionFamily {
  package static let title = "Binary"

  private static let text = TypePattern.exact(.text)
  private static let bytes = TypePattern.varbinary

  package static let functions: [ScalarFunction] = digests + numbers + texts

  // MARK: Digests

  private static let digests: [ScalarFunction] = [
    digest("md5", "5d 41 40 2a bc 4b 2a 76 b9 71 9d 91 10 17 c5 92") { EVP_md5() },
    digest("sha1", "aa f4 c6 1d dc c5 e8 a2 da be de 0f 3b 48 2c d9 ae a9 43 4d") { EVP_sha1() },
    digest(
      "sha256",
      "2c f2 4d ba 5f b0 a3 0e 26 e8 3b 2a c5 b9 e2 9e 1b 16 1e 5c 1f a7 42 5e 73 04 33 62 93 8b 98 24"
    ) { EVP_sha256() },
    digest(
      "sha512",
      "9b 71 d2 24 bd 62 f3 78 5d 96 d4 6a d3 ea 3d 73 31 9b fb c2 89 0c aa da e2 df f7 25 19 67 3c a7 23 23 c3 d9 9b a5 c1 1d "
        + "7c 7a cc 6e 14 b8 c5 da 0c 46 63 47 5c 2e 5c 3a de f4 6f 73 bc de c0 43"
    ) { EVP_sha512() },
    hmac("hmac_md5", "D2FE9806") { EVP_md5() }, hmac("hmac_sha1", "4FD0B215") { EVP_sha1() },
    hmac("hmac_sha256", "9C196E32") { EVP_sha256() },
    hmac("hmac_sha512", "3926A207") { EVP_sha512() },
    ScalarFunction(
      "xxhash64", summary: "The xxHash64 of the bytes.", examples: [Example("xxhash64(to_utf8(''))", "ef 46 db 37 51 d8 e9 99")],
      overloads: [
        .unary(bytes, returns: .varbinary) { (value: StringView, rows) -> StringView in
          value.withBytes { (p, n) in bigEndian(FastHashes.xxHash64(p, n), &rows) }
        }
      ]),
    ScalarFunction(
      "murmur3", summary: "The 128-bit MurmurHash3 of the bytes.",
      examples: [Example("murmur3(to_utf8(''))", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")],
      overloads: [
        .unary(bytes, returns: .varbinary) { (value: StringView, rows) -> StringView in
          let (a, b) = value.withBytes { (p, n) in FastHashes.murmur3(p, n) }
          let out = rows.arena.reserve(16)
          out.storeBytes(of: a, as: UInt64.self)
          out.storeBytes(of: b, toByteOffset: 8, as: UInt64.self)
          return StringView(out, count: 16)
        }
      ]),
    ScalarFunction(
      "spooky_hash_v2_32", summary: "The 32-bit SpookyHash V2 of the bytes.",
      examples: [Example("spooky_hash_v2_32(to_utf8('hello'))", "d3 82 e6 ca")],
      overloads: [
        .unary(bytes, returns: .varbinary) { (value: StringView, rows) -> StringView in
          value.withBytes { (p, n) in bigEndian(UInt32(truncatingIfNeeded: FastHashes.spookyV2(p, n)), &rows) }
        }
      ]),
    ScalarFunction(
      "spooky_hash_v2_64", summary: "The 64-bit SpookyHash V2 of the bytes.",
      examples: [Example("spooky_hash_v2_64(to_utf8('hello'))", "37 68 82 6a d3 82 e6 ca")],
      overloads: [
        .unary(bytes, returns: .varbinary) { (value: StringView, rows) -> StringView in
          value.withBytes { (p, n) in bigEndian(FastHashes.spookyV2(p, n), &rows) }
        }
      ]),
    ScalarFunction(
      "crc32", summary: "The CRC-32 of the bytes.", examples: [Example("crc32(to_utf8('hello'))", "907060870")],
      overloads: [
        .unary(bytes, returns: .bigint) { (value: StringView, _) -> Int64 in
          value.withBytes { (p, n) in Int64(FastHashes.crc32(p, n)) }
        }
      ]),
  ]

  private static func digest(
    _ name: String, _ example: String, _ kind: @escaping @Sendable () -> OpaquePointer?
  ) -> ScalarFunction {
    ScalarFunction(
      name, summary: "The \(name.uppercased()) digest of the bytes.",
      examples: [Example("\(name)(to_utf8('hello'))", example)],
      overloads: [
        .unary(bytes, returns: .varbinary) { (value: StringView, rows) -> StringView in
          let out = rows.arena.reserve(Int(EVP_MAX_MD_SIZE))
          var length: UInt32 = 0
          let isDone = value.withBytes { (p, n) in
            EVP_Digest(p, n, out.assumingMemoryBound(to: UInt8.self), &length, kind(), nil)
          }
          if isDone != 1 {
            rows.fail(.notSupported, "\(name) is not available in this system's OpenSSL")
            return StringView()
          }
          return rows.made(out.assumingMemoryBound(to: UInt8.self), Int(length), of: Int(EVP_MAX_MD_SIZE))
        }
      ])
  }

  /// - Parameter start: the first four bytes of the digest of `abc` under the key `key`, in hexadecimal.
  private static func hmac(
    _ name: String, _ start: String, _ kind: @escaping @Sendable () -> OpaquePointer?
  ) -> ScalarFunction {
    ScalarFunction(
      name, summary: "The keyed digest of the bytes: bytes, key.",
      examples: [Example("to_hex(substr(\(name)(to_utf8('abc'), to_utf8('key')), 1, 4))", start)],
      overloads: [
        .binary(bytes, bytes, returns: .varbinary) { (value: StringView, key: StringView, rows) -> StringView in
          let out = rows.arena.reserve(Int(EVP_MAX_MD_SIZE))
          var length: UInt32 = 0
          let made = value.withUTF8 { p, n in
            key.withUTF8 { q, m in
              HMAC(kind(), q, Int32(truncatingIfNeeded: m), p, n, out.assumingMemoryBound(to: UInt8.self), &length)
            }
          }
          if made == nil {
            rows.fail(.notSupported, "\(name) is not available in this system's OpenSSL")
            return StringView()
          }
          return rows.made(out.assumingMemoryBound(to: UInt8.self), Int(length), of: Int(EVP_MAX_MD_SIZE))
        }
      ])
  }

  // MARK: Numbers

  private static func bigEndian<T: FixedWidthInteger>(_ value: T, _ rows: inout RowContext) -> StringView {
    withUnsafeBytes(of: value.bigEndian) { rows.arena.add($0) }
  }

  private static func load<T: FixedWidthInteger>(_ view: StringView, _: T.Type) -> T? {
    view.withBytes { (p, n) in n == MemoryLayout<T>.size ? T(bigEndian: p.loadUnaligned(as: T.self)) : nil }
  }

  private static let numbers: [ScalarFunction] = [
    ScalarFunction(
      "to_big_endian_32", summary: "An integer as 4 bytes, the highest first.",
      examples: [Example("to_big_endian_32(1)", "00 00 00 01")],
      overloads: [.unary(.integer, returns: .varbinary) { (x: Int32, rows) -> StringView in bigEndian(x, &rows) }]),
    ScalarFunction(
      "to_big_endian_64", summary: "A bigint as 8 bytes, the highest first.",
      examples: [Example("to_big_endian_64(1)", "00 00 00 00 00 00 00 01")],
      overloads: [.unary(.bigint, returns: .varbinary) { (x: Int64, rows) -> StringView in bigEndian(x, &rows) }]),
    ScalarFunction(
      "from_big_endian_32", summary: "The integer of 4 bytes, the highest first.",
      examples: [Example("from_big_endian_32(X'00000001')", "1")],
      overloads: [
        .unary(bytes, returns: .integer) { (value: StringView, rows) -> Int32 in
          if let result = load(value, Int32.self) { return result }
          rows.fail(.invalidFunctionArgument, "expected 4-byte input, but got instead: \(value.count)")
          return 0
        }
      ]),
    ScalarFunction(
      "from_big_endian_64", summary: "The bigint of 8 bytes, the highest first.",
      examples: [Example("from_big_endian_64(X'0000000000000001')", "1")],
      overloads: [
        .unary(bytes, returns: .bigint) { (value: StringView, rows) -> Int64 in
          if let result = load(value, Int64.self) { return result }
          rows.fail(.invalidFunctionArgument, "expected 8-byte input, but got instead: \(value.count)")
          return 0
        }
      ]),
    ScalarFunction(
      "to_ieee754_32", summary: "A real as 4 bytes, the highest first.",
      examples: [Example("to_ieee754_32(REAL '1')", "3f 80 00 00")],
      overloads: [.unary(.real, returns: .varbinary) { (x: Float, rows) -> StringView in bigEndian(x.bitPattern, &rows) }]),
    ScalarFunction(
      "to_ieee754_64", summary: "A double as 8 bytes, the highest first.",
      examples: [Example("to_ieee754_64(1)", "3f f0 00 00 00 00 00 00")],
      overloads: [.unary(.double, returns: .varbinary) { (x: Double, rows) -> StringView in bigEndian(x.bitPattern, &rows) }]),
    ScalarFunction(
      "from_ieee754_32", summary: "The real of 4 bytes, the highest first.",
      examples: [Example("from_ieee754_32(X'3f800000')", "1.0")],
      overloads: [
        .unary(bytes, returns: .real) { (value: StringView, rows) -> Float in
          if let result = load(value, UInt32.self) { return Float(bitPattern: result) }
          rows.fail(.invalidFunctionArgument, "Input floating-point value must be exactly 4 bytes long")
          return 0
        }
      ]),
    ScalarFunction(
      "from_ieee754_64", summary: "The double of 8 bytes, the highest first.",
      examples: [Example("from_ieee754_64(X'3ff0000000000000')", "1.0")],
      overloads: [
        .unary(bytes, returns: .double) { (value: StringView, rows) -> Double in
          if let result = load(value, UInt64.self) { return Double(bitPattern: result) }
          rows.fail(.invalidFunctionArgument, "Input floating-point value must be exactly 8 bytes long")
          return 0
        }
      ]),
  ]

  // MARK: Texts

  private static let texts: [ScalarFunction] =
    [
      encoding("hex", .hexadecimal, "68656C6C6F"), encoding("base64", .base64, "aGVsbG8="),
      encoding("base64url", .base64URL, "aGVsbG8="), encoding("base32", .base32, "NBSWY3DP"),
    ].flatMap { $0 }

  private static func encoding(_ name: String, _ code: BinaryText, _ example: String) -> [ScalarFunction] {
    [
      ScalarFunction(
        "to_\(name)", summary: "The bytes as \(name) text.", examples: [Example("to_\(name)(to_utf8('hello'))", example)],
        overloads: [
          .unary(bytes, returns: .varchar) { (value: StringView, rows) -> StringView in
            value.withUTF8 { p, n in
              let most = code.encodedCount(n)
              guard most > 0, let out = rows.room(most) else { return StringView() }
              return rows.made(out, code.encode(p, n, to: out), of: most)
            }
          }
        ]),
      ScalarFunction(
        "from_\(name)", summary: "The bytes that a \(name) text spells.",
        examples: [Example("from_utf8(from_\(name)('\(example)'))", "hello")],
        overloads: [.varchar, bytes].map { (type: TypePattern) in
          .unary(type, returns: .varbinary) { (value: StringView, rows) -> StringView in
            value.withUTF8 { p, n in
              guard n > 0, let out = rows.room(n) else { return StringView() }
              var problem = ""
              let count = code.decode(p, n, to: out, &problem)
              if count < 0 {
                rows.fail(.invalidFunctionArgument, problem)
                return rows.made(out, 0, of: n)
              }
              return rows.made(out, count, of: n)
            }
          }
        }),
    ]
  }
}

/// Bytes as text of 2, 5 or 6 bits a character.
///
/// - Source: RFC 4648; messages as Guava's `BaseEncoding` words them.
enum BinaryText {
  case hexadecimal, base32, base64, base64URL

  private var bits: Int {
    switch self {
    case .hexadecimal: 4
    case .base32: 5
    default: 6
    }
  }

  /// Characters that a whole group has.
  private var group: Int {
    switch self {
    case .hexadecimal: 2
    case .base32: 8
    default: 4
    }
  }

  private var alphabet: StaticString {
    switch self {
    case .hexadecimal: "0123456789ABCDEF"
    case .base32: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    case .base64: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    case .base64URL: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    }
  }

  /// Length of `n` bytes as text.
  func encodedCount(_ n: Int) -> Int {
    let bytesPerGroup = group * bits / 8
    return (n + bytesPerGroup - 1) / bytesPerGroup * group
  }

  /// Writes the text; its length.
  func encode(_ p: UnsafePointer<UInt8>, _ n: Int, to out: UnsafeMutablePointer<UInt8>) -> Int {
    let (bits, letters) = (self.bits, alphabet.utf8Start)
    let mask = (1 << bits) - 1
    var (word, held, k, i) = (0, 0, 0, 0)
    while i < n {
      word = (word &<< 8 | Int(p[i])) & 0xffff
      held &+= 8
      while held >= bits {
        held &-= bits
        out[k] = letters[(word &>> held) & mask]
        k &+= 1
      }
      i &+= 1
    }
    if held > 0 {
      out[k] = letters[(word &<< (bits &- held)) & mask]
      k &+= 1
    }
    while k % group != 0 {
      out[k] = 0x3d
      k &+= 1
    }
    return k
  }

  private func value(_ byte: UInt8) -> Int? {
    switch self {
    case .hexadecimal:
      switch byte {
      case 0x30...0x39: return Int(byte - 0x30)
      case 0x41...0x46: return Int(byte - 0x37)
      case 0x61...0x66: return Int(byte - 0x57)
      default: return nil
      }
    case .base32:
      switch byte {
      case 0x41...0x5a: return Int(byte - 0x41)
      case 0x32...0x37: return Int(byte - 0x32) + 26
      default: return nil
      }
    default:
      switch byte {
      case 0x41...0x5a: return Int(byte - 0x41)
      case 0x61...0x7a: return Int(byte - 0x61) + 26
      case 0x30...0x39: return Int(byte - 0x30) + 52
      case 0x2b: return self == .base64 ? 62 : nil
      case 0x2f: return self == .base64 ? 63 : nil
      case 0x2d: return self == .base64URL ? 62 : nil
      case 0x5f: return self == .base64URL ? 63 : nil
      default: return nil
      }
    }
  }

  /// Writes the bytes; their number, or −1 and what is wrong.
  func decode(_ p: UnsafePointer<UInt8>, _ n: Int, to out: UnsafeMutablePointer<UInt8>, _ problem: inout String) -> Int {
    var end = n
    if self != .hexadecimal { while end > 0, p[end &- 1] == 0x3d { end &-= 1 } }
    // A rest that cannot be whole bytes.
    let rest = end % group
    let isPossible = rest == 0 || (rest * bits % 8) < bits
    if !isPossible {
      problem = "Invalid input length \(end)"
      return -1
    }
    let bits = self.bits
    var (word, held, k, i) = (0, 0, 0, 0)
    while i < end {
      guard let value = value(p[i]) else {
        problem = "Unrecognized character: \(String(UnicodeScalar(p[i])))"
        return -1
      }
      word = (word &<< bits | value) & 0xffff
      held &+= bits
      if held >= 8 {
        held &-= 8
        out[k] = UInt8(truncatingIfNeeded: word &>> held)
        k &+= 1
      }
      i &+= 1
    }
    return k
  }
}
