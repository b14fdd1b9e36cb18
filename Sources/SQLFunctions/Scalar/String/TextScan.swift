import Columnar
import Glibc
import QueryErrors

/// Counting and finding code points in UTF-8 bytes; damaged bytes count as Trino's `SliceUtf8` counts them.
enum TextScan {
  typealias Bytes = UnsafePointer<UInt8>

  /// Whether all bytes are below 128.
  @inline(__always)
  static func isASCII(_ p: Bytes, _ n: Int) -> Bool {
    var bits: UInt64 = 0
    var i = 0
    let raw = UnsafeRawPointer(p)
    while i &+ 8 <= n {
      bits |= raw.loadUnaligned(fromByteOffset: i, as: UInt64.self)
      i &+= 8
    }
    var rest: UInt8 = 0
    while i < n {
      rest |= p[i]
      i &+= 1
    }
    return (bits | UInt64(rest)) & 0x8080_8080_8080_8080 == 0
  }

  /// Bytes of a word that continue a code point.
  @inline(__always)
  private static func continuations(_ word: UInt64) -> Int {
    ((word & ~(word &<< 1)) & 0x8080_8080_8080_8080).nonzeroBitCount
  }

  /// Number of code points: bytes that begin one.
  @inline(__always)
  static func codePoints(_ p: Bytes, _ n: Int) -> Int {
    var count = n
    var i = 0
    let raw = UnsafeRawPointer(p)
    while i &+ 8 <= n {
      count &-= continuations(raw.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      i &+= 8
    }
    while i < n {
      count &-= bit(p[i] & 0xc0 == 0x80)
      i &+= 1
    }
    return count
  }

  /// Number of code points of a view, without touching memory when it is short.
  @inline(__always)
  static func codePoints(_ view: StringView) -> Int {
    if view.isInline { return view.count &- continuations(view.low & ~0xffff_ffff) &- continuations(view.high) }
    return view.withBytes { (p, n) in codePoints(p.assumingMemoryBound(to: UInt8.self), n) }
  }

  /// Byte offset of code point `index` from `start` on; n when there are fewer.
  @inline(__always)
  static func offset(_ p: Bytes, _ n: Int, from start: Int = 0, of index: Int) -> Int {
    var rest = index
    var i = start
    let raw = UnsafeRawPointer(p)
    while i &+ 8 <= n {
      let begins = 8 &- continuations(raw.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      if begins > rest { break }
      rest &-= begins
      i &+= 8
    }
    while i < n {
      if p[i] & 0xc0 != 0x80 {
        if rest == 0 { return i }
        rest &-= 1
      }
      i &+= 1
    }
    return n
  }

  /// Byte offset of the code point that has `index` code points after it; 0 when there are fewer.
  static func offsetFromEnd(_ p: Bytes, _ n: Int, of index: Int) -> Int {
    var rest = index
    var i = n
    while i > 0 {
      i &-= 1
      if p[i] & 0xc0 != 0x80 {
        if rest == 0 { return i }
        rest &-= 1
      }
    }
    return 0
  }

  /// The code point at `at` and its length in bytes; a negative length when the bytes there are damaged.
  @inline(__always)
  static func decode(_ p: Bytes, _ n: Int, _ at: Int) -> (code: UInt32, length: Int) {
    let first = p[at]
    if first < 0x80 { return (UInt32(first), 1) }
    return decodeLong(p, n, at)
  }

  private static func decodeLong(_ p: Bytes, _ n: Int, _ at: Int) -> (code: UInt32, length: Int) {
    let first = UInt32(p[at])
    let length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
    if first < 0xc2 || first > 0xf4 { return (0xfffd, -1) }
    var code = first & (0x7f &>> UInt32(length))
    var k = 1
    while k < length {
      if at &+ k >= n || p[at &+ k] & 0xc0 != 0x80 { return (0xfffd, -k) }
      code = code << 6 | UInt32(p[at &+ k] & 0x3f)
      k &+= 1
    }
    if length == 3, code < 0x800 || (code >= 0xd800 && code < 0xe000) { return (0xfffd, -3) }
    if length == 4, code < 0x10000 || code > 0x10ffff { return (0xfffd, -4) }
    return (code, length)
  }

  /// All code points; nil when the text is damaged.
  static func decodeAll(_ p: Bytes, _ n: Int, into codes: inout [UInt32]) -> Bool {
    codes.removeAll(keepingCapacity: true)
    var i = 0
    while i < n {
      let (code, length) = decode(p, n, i)
      if length < 0 { return false }
      codes.append(code)
      i &+= length
    }
    return true
  }

  /// Writes a code point as UTF-8; the number of bytes.
  @inline(__always)
  static func encode(_ code: UInt32, to p: UnsafeMutablePointer<UInt8>) -> Int {
    if code < 0x80 {
      p[0] = UInt8(truncatingIfNeeded: code)
      return 1
    }
    if code < 0x800 {
      p[0] = UInt8(truncatingIfNeeded: 0xc0 | code &>> 6)
      p[1] = UInt8(truncatingIfNeeded: 0x80 | code & 0x3f)
      return 2
    }
    if code < 0x10000 {
      p[0] = UInt8(truncatingIfNeeded: 0xe0 | code &>> 12)
      p[1] = UInt8(truncatingIfNeeded: 0x80 | (code &>> 6) & 0x3f)
      p[2] = UInt8(truncatingIfNeeded: 0x80 | code & 0x3f)
      return 3
    }
    p[0] = UInt8(truncatingIfNeeded: 0xf0 | (code &>> 18) & 7)
    p[1] = UInt8(truncatingIfNeeded: 0x80 | (code &>> 12) & 0x3f)
    p[2] = UInt8(truncatingIfNeeded: 0x80 | (code &>> 6) & 0x3f)
    p[3] = UInt8(truncatingIfNeeded: 0x80 | code & 0x3f)
    return 4
  }

  /// Java's `Character.isWhitespace`.
  @inline(__always)
  static func isWhitespace(_ code: UInt32) -> Bool {
    if code <= 0x20 { return code == 0x20 || (code >= 0x09 && code <= 0x0d) || code >= 0x1c }
    if code < 0x1680 { return false }
    return code == 0x1680 || (code >= 0x2000 && code <= 0x200a && code != 0x2007) || code == 0x2028 || code == 0x2029
      || code == 0x205f || code == 0x3000
  }
}

extension StringView {
  /// Calls `body` with the bytes as numbers.
  @inline(__always)
  func withUTF8<R>(_ body: (UnsafePointer<UInt8>, Int) -> R) -> R {
    withBytes { (p, n) in body(p.assumingMemoryBound(to: UInt8.self), n) }
  }

  /// Part of the text: long parts share its bytes.
  @inline(__always)
  func slice(_ from: Int, _ to: Int) -> StringView { withBytes { (p, _) in StringView(p + from, count: to &- from) } }
}

extension RowContext {
  /// Most bytes that the strings of one batch may take.
  private static let largestHeap = 1 << 30

  /// Room for a string of `count` bytes; nil, and the row failed, when it is too long.
  @inline(__always)
  mutating func room(_ count: Int) -> UnsafeMutablePointer<UInt8>? {
    if count > 1 << 16, !canHold(count) { return nil }
    return arena.reserve(max(count, 1)).assumingMemoryBound(to: UInt8.self)
  }

  @inline(never)
  private mutating func canHold(_ count: Int) -> Bool {
    if MemoryAccount.hasRefused(count) { return false }
    if count <= RowContext.largestHeap, arena.byteCount + count <= RowContext.largestHeap { return true }
    fail(.exceededFunctionMemoryLimit, "The strings that a function makes for one batch exceed 1 GiB")
    return false
  }

  /// A view of the `count` bytes written to `room(reserved)`; gives back what is not needed.
  @inline(__always)
  mutating func made(_ p: UnsafeMutablePointer<UInt8>, _ count: Int, of reserved: Int) -> StringView {
    let view = StringView(p, count: count)
    arena.unreserve(view.isInline ? reserved : reserved &- count)
    return view
  }

  /// A copy of the bytes of a text buffer.
  @inline(__always)
  mutating func string(_ buffer: TextBuffer) -> StringView {
    if buffer.count > 1 << 16, !canHold(buffer.count) { return StringView() }
    return arena.add(UnsafeRawPointer(buffer.pointer), buffer.count)
  }
}

extension ScalarOverload {
  /// The same form for a char, padded, where argument `index` is a varchar.
  func takingChar(at index: Int) -> ScalarOverload {
    var signature = signature
    signature.parameters[index] = .char
    let inner = makeKernel
    return ScalarOverload(signature, propagatesNulls: propagatesNulls) {
      (binding: SignatureBinding) throws(QueryError) -> Kernel in
      let type = binding.argumentTypes[index]
      var changed = binding
      changed.argumentTypes[index] = .text
      let kernel = try inner(changed)
      guard let factory = CastRegistry.makeKernel(from: type, to: .text) else {
        throw QueryError(.typeMismatch, "Cannot cast \(type) to varchar")
      }
      let cast = try factory(SignatureBinding(argumentTypes: [type], returnType: .text))
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        var columns = columns
        columns[index] = try cast([columns[index]], n, &context)
        return try kernel(columns, n, &context)
      }
    }
  }
}

extension ReturnType {
  /// varchar of the length of argument 0, be it varchar or char.
  static let sameLength = ReturnType.computed { (types: [DataType]) -> DataType in
    switch types[0] {
    case .char(let length): .varchar(length: length)
    default: types[0]
    }
  }

  /// An array of varchars of the length of argument 0.
  static let arrayOfSameLength = ReturnType.computed { (types: [DataType]) -> DataType in .array(types[0]) }
}
