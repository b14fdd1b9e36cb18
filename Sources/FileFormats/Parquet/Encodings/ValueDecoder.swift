import CKernels
import Columnar
import Glibc

/// The buffers that string views point into.
struct ByteOwners {
  private(set) var list: [AnyObject] = []

  mutating func add(_ owner: AnyObject) {
    if let last = list.last, last === owner { return }
    list.append(owner)
  }

  mutating func add(_ other: ByteOwners) { for owner in other.list { add(owner) } }

  var heap: StringHeap? { list.isEmpty ? nil : StringHeap(list) }
}

/// Decodes the values of one page, one after the other, in the layout they are stored in.
///
/// - Source: parquet-format, Encodings.md.
struct ValueDecoder {
  private enum Kind {
    case empty
    case plainFixed
    case plainBool
    case plainBytes
    case plainFixedViews
    case runLengthBool
    case dictionary
    case delta
    case deltaLength
    case deltaBytes
    case streamSplit
  }

  private var kind = Kind.empty
  private var layout = RawLayout.bool
  /// Bytes per stored value, for those of fixed width.
  private var width = 0
  private var pointer: UnsafePointer<UInt8>
  private var end: UnsafePointer<UInt8>
  /// Values taken so far, and values the page has, of plain booleans and split streams.
  private var index = 0
  private var total = 0
  private var runs: RunLengthDecoder?
  private var delta: DeltaDecoder?
  private var suffixes: DeltaDecoder?
  /// The string before, for strings that share a prefix with it.
  private var previous: [UInt8] = []
  private var owner: AnyObject?

  /// A decoder without values.
  init() {
    pointer = ValueDecoder.nothing
    end = ValueDecoder.nothing
  }

  private nonisolated(unsafe) static let nothing: UnsafePointer<UInt8> = {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 128)
    memory.initialize(repeating: 0, count: 128)
    return UnsafePointer(memory)
  }()

  /// - Parameters:
  ///   - bytes: the values' part of a page, with 64 readable bytes behind.
  ///   - owner: keeps `bytes` alive.
  init(
    _ bytes: UnsafeRawPointer, count: Int, encoding: ParquetEncoding, leaf: ParquetLeaf, layout: RawLayout,
    owner: AnyObject
  ) throws(ParquetDamage) {
    pointer = bytes.assumingMemoryBound(to: UInt8.self)
    end = pointer + count
    self.layout = layout
    self.owner = owner
    switch leaf.physical {
    case .boolean: width = 1
    case .int32, .float: width = 4
    case .int64, .double: width = 8
    case .int96: width = 12
    case .byteArray: width = 0
    case .fixedByteArray: width = leaf.fixedByteCount
    }
    func wrong() -> ParquetDamage {
      ParquetDamage("values of type \(leaf.physical.name) are encoded as \(encoding)")
    }
    switch encoding {
    case .plain:
      switch leaf.physical {
      case .boolean:
        kind = .plainBool
        total = count &* 8
      case .byteArray: kind = .plainBytes
      case .fixedByteArray: kind = layout == .views ? .plainFixedViews : .plainFixed
      default: kind = .plainFixed
      }
    case .plainDictionary, .runLengthDictionary:
      kind = .dictionary
      // A page of nulls may have no bytes at all.
      let bitWidth = count > 0 ? Int(pointer[0]) : 0
      guard bitWidth <= 32 else { throw ParquetDamage("dictionary indices are \(bitWidth) bits wide") }
      runs = RunLengthDecoder(bytes + min(1, count), count: max(0, count &- 1), bitWidth: bitWidth)
    case .runLength:
      guard leaf.physical == .boolean else { throw wrong() }
      kind = .runLengthBool
      if count == 0 {
        runs = RunLengthDecoder(bytes, count: 0, bitWidth: 1)
        return
      }
      guard count >= 4 else { throw ParquetDamage("run-length encoded values end too early") }
      let size = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
      guard size <= count &- 4 else { throw ParquetDamage("run-length encoded values pass their page") }
      runs = RunLengthDecoder(bytes + 4, count: size, bitWidth: 1)
    case .deltaBinaryPacked:
      guard leaf.physical == .int32 || leaf.physical == .int64 else { throw wrong() }
      kind = .delta
      if count > 0 { delta = try DeltaDecoder(bytes, count: count) }
    case .deltaLengthByteArray:
      guard leaf.physical == .byteArray else { throw wrong() }
      kind = .deltaLength
      if count == 0 { return }
      let lengths = try DeltaDecoder(bytes, count: count)
      pointer += try lengths.endPosition()
      delta = lengths
    case .deltaByteArray:
      guard leaf.physical == .byteArray || leaf.physical == .fixedByteArray else { throw wrong() }
      kind = .deltaBytes
      if count == 0 { return }
      let prefixes = try DeltaDecoder(bytes, count: count)
      let first = try prefixes.endPosition()
      let rest = try DeltaDecoder(bytes + first, count: count &- first)
      pointer += first &+ (try rest.endPosition())
      delta = prefixes
      suffixes = rest
    case .byteStreamSplit:
      guard width > 0, leaf.physical != .boolean, leaf.physical != .int96 else { throw wrong() }
      kind = .streamSplit
      total = count / width
      if total &* width != count { throw ParquetDamage("split streams are of different length") }
    case .bitPacked: throw wrong()
    }
  }

  var isDictionary: Bool { kind == .dictionary }

  private static func tooFew() -> ParquetDamage { ParquetDamage("a page has fewer values than it claims") }

  /// Writes the next `count` dictionary indices.
  mutating func decodeCodes(_ count: Int, into out: UnsafeMutablePointer<Int32>) throws(ParquetDamage) {
    try out.withMemoryRebound(to: UInt32.self, capacity: count) { (p) throws(ParquetDamage) in
      try runs!.decode(count, into: p)
    }
  }

  // MARK: All values

  /// Writes the next `count` values in their layout; not for dictionary pages.
  ///
  /// - Shape: `count` ≤ `DecodeScratch.rowCount`, `out` of `count` values and 64 bytes of slack.
  mutating func decode(
    _ count: Int, into out: UnsafeMutableRawPointer, _ scratch: DecodeScratch, _ owners: inout ByteOwners
  ) throws(ParquetDamage) {
    if count == 0 { return }
    switch kind {
    case .empty, .dictionary: throw ValueDecoder.tooFew()
    case .plainFixed:
      let size = count &* width
      guard size <= end - pointer else { throw ValueDecoder.tooFew() }
      out.copyMemory(from: pointer, byteCount: size)
      pointer += size
    case .plainBool:
      guard count <= total &- index else { throw ValueDecoder.tooFew() }
      ck_unpack8(pointer, index, 1, out.assumingMemoryBound(to: UInt8.self), count)
      index &+= count
    case .plainBytes:
      let size = ck_byte_array_views(pointer, end, count, out.assumingMemoryBound(to: UInt64.self))
      guard size >= 0 else { throw ParquetDamage("a byte array passes its page") }
      pointer += Int(size)
      owners.add(owner!)
    case .plainFixedViews:
      guard count &* width <= end - pointer else { throw ValueDecoder.tooFew() }
      let views = out.assumingMemoryBound(to: StringView.self)
      var i = 0
      while i < count {
        views[i] = StringView(pointer, count: width)
        pointer += width
        i &+= 1
      }
      owners.add(owner!)
    case .runLengthBool: try runs!.decode(count, into: out.assumingMemoryBound(to: UInt8.self))
    case .delta:
      guard delta != nil else { throw ValueDecoder.tooFew() }
      if width == 8 {
        try delta!.decode(count, into: out.assumingMemoryBound(to: Int64.self), scratch: scratch.deltas)
      } else {
        let numbers = scratch.numbers
        try delta!.decode(count, into: numbers, scratch: scratch.deltas)
        let to = out.assumingMemoryBound(to: Int32.self)
        var i = 0
        while i < count {
          to[i] = Int32(truncatingIfNeeded: numbers[i])
          i &+= 1
        }
      }
    case .deltaLength:
      guard delta != nil else { throw ValueDecoder.tooFew() }
      let lengths = scratch.numbers
      try delta!.decode(count, into: lengths, scratch: scratch.deltas)
      let views = out.assumingMemoryBound(to: StringView.self)
      var i = 0
      while i < count {
        let length = Int(lengths[i])
        guard length >= 0, length <= end - pointer else { throw ParquetDamage("a byte array passes its page") }
        views[i] = StringView(pointer, count: length)
        pointer += length
        i &+= 1
      }
      owners.add(owner!)
    case .deltaBytes: try decodeSharedPrefixes(count, into: out, scratch, &owners)
    case .streamSplit:
      guard count <= total &- index else { throw ValueDecoder.tooFew() }
      if layout == .views {
        let block = Buffer(byteCount: count &* width)
        join(count, into: block.pointer)
        let views = out.assumingMemoryBound(to: StringView.self)
        var i = 0
        while i < count {
          views[i] = StringView(block.pointer + i &* width, count: width)
          i &+= 1
        }
        owners.add(block)
      } else {
        join(count, into: out)
      }
      index &+= count
    }
  }

  /// Puts the bytes of `count` values of split streams together.
  private func join(_ count: Int, into out: UnsafeMutableRawPointer) {
    switch width {
    case 2: join(UInt16.self, count, out)
    case 4: join(UInt32.self, count, out)
    case 8: join(UInt64.self, count, out)
    default:
      let to = out.assumingMemoryBound(to: UInt8.self)
      var k = 0
      while k < width {
        let stream = pointer + (k &* total &+ index)
        var i = 0
        while i < count {
          to[i &* width &+ k] = stream[i]
          i &+= 1
        }
        k &+= 1
      }
    }
  }

  @inline(__always)
  private func join<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ count: Int, _ out: UnsafeMutableRawPointer
  ) {
    let to = out.assumingMemoryBound(to: T.self)
    let stride = total
    let start = pointer + index
    let bytes = MemoryLayout<T>.size
    var i = 0
    while i < count {
      var value: T = 0
      var k = 0
      while k < bytes {
        value |= T(truncatingIfNeeded: start[k &* stride &+ i]) &<< T(truncatingIfNeeded: 8 &* k)
        k &+= 1
      }
      to[i] = value
      i &+= 1
    }
  }

  private static let largestBlock = 1 << 30

  private mutating func decodeSharedPrefixes(
    _ count: Int, into out: UnsafeMutableRawPointer, _ scratch: DecodeScratch, _ owners: inout ByteOwners
  ) throws(ParquetDamage) {
    guard delta != nil, suffixes != nil else { throw ValueDecoder.tooFew() }
    let (prefixes, rests) = (scratch.numbers, scratch.suffixes)
    try delta!.decode(count, into: prefixes, scratch: scratch.deltas)
    try suffixes!.decode(count, into: rests, scratch: scratch.deltas)
    var size = 0
    var length = previous.count
    var available = end - pointer
    var i = 0
    while i < count {
      let (prefix, rest) = (Int(prefixes[i]), Int(rests[i]))
      guard prefix >= 0, prefix <= length, rest >= 0, rest <= available else {
        throw ParquetDamage("a byte array passes its page or the one before it")
      }
      length = prefix &+ rest
      available &-= rest
      size &+= length
      guard size <= ValueDecoder.largestBlock else {
        throw ParquetDamage("delta-encoded byte arrays are too long: more than 1 GB in \(count) values")
      }
      if layout != .views, length != width {
        throw ParquetDamage("a value has \(length) bytes instead of \(width)")
      }
      i &+= 1
    }
    let block = Buffer(byteCount: size)
    defer { withExtendedLifetime(block) {} }
    var to = block.pointer
    var before: UnsafeRawPointer = UnsafeRawPointer(ValueDecoder.nothing)
    previous.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { before = base }
      var i = 0
      while i < count {
        let (prefix, rest) = (Int(prefixes[i]), Int(rests[i]))
        memcpy(to, before, prefix)
        memcpy(to + prefix, pointer, rest)
        pointer += rest
        if layout == .views {
          out.assumingMemoryBound(to: StringView.self)[i] = StringView(to, count: prefix &+ rest)
        } else {
          (out + i &* width).copyMemory(from: to, byteCount: width)
        }
        before = UnsafeRawPointer(to)
        to += prefix &+ rest
        i &+= 1
      }
    }
    previous = Array(UnsafeRawBufferPointer(start: before, count: length))
    if layout == .views { owners.add(block) }
  }

  // MARK: Some values

  /// Passes over the next `count` values.
  mutating func skip(_ count: Int, _ scratch: DecodeScratch) throws(ParquetDamage) {
    if count == 0 { return }
    switch kind {
    case .empty: throw ValueDecoder.tooFew()
    case .dictionary, .runLengthBool: try runs!.skip(count)
    case .plainFixed, .plainFixedViews:
      guard count &* width <= end - pointer else { throw ValueDecoder.tooFew() }
      pointer += count &* width
    case .plainBool, .streamSplit:
      guard count <= total &- index else { throw ValueDecoder.tooFew() }
      index &+= count
    case .plainBytes:
      let size = ck_byte_array_skip(pointer, end, count)
      guard size >= 0 else { throw ParquetDamage("a byte array passes its page") }
      pointer += Int(size)
    case .delta, .deltaLength, .deltaBytes:
      var left = count
      var owners = ByteOwners()
      while left > 0 {
        let n = min(left, DecodeScratch.rowCount)
        try decode(n, into: scratch.unpicked, scratch, &owners)
        left &-= n
      }
    }
  }

  /// Of the next `count` values writes those at `ordinals`, and passes over the others.
  ///
  /// - Shape: `ordinals` ascending and below `count`.
  mutating func decode(
    _ count: Int, picking ordinals: UnsafePointer<Int32>, _ picked: Int, into out: UnsafeMutableRawPointer,
    _ scratch: DecodeScratch, _ owners: inout ByteOwners
  ) throws(ParquetDamage) {
    switch kind {
    case .plainFixed:
      guard count &* width <= end - pointer else { throw ValueDecoder.tooFew() }
      ColumnKernels.gather(width, pointer, ordinals, picked, out)
      pointer += count &* width
    case .plainFixedViews:
      guard count &* width <= end - pointer else { throw ValueDecoder.tooFew() }
      let views = out.assumingMemoryBound(to: StringView.self)
      var i = 0
      while i < picked {
        views[i] = StringView(pointer + Int(ordinals[i]) &* width, count: width)
        i &+= 1
      }
      pointer += count &* width
      owners.add(owner!)
    case .plainBytes:
      let views = out.assumingMemoryBound(to: UInt64.self)
      var next = 0
      var i = 0
      while i < picked {
        let passed = ck_byte_array_skip(pointer, end, Int(ordinals[i]) &- next)
        guard passed >= 0 else { throw ParquetDamage("a byte array passes its page") }
        pointer += Int(passed)
        let size = ck_byte_array_views(pointer, end, 1, views + 2 &* i)
        guard size >= 0 else { throw ParquetDamage("a byte array passes its page") }
        pointer += Int(size)
        next = Int(ordinals[i]) &+ 1
        i &+= 1
      }
      try skip(count &- next, scratch)
      owners.add(owner!)
    default:
      try decode(count, into: scratch.unpicked, scratch, &owners)
      ColumnKernels.gather(layout.byteWidth, scratch.unpicked, ordinals, picked, out)
    }
  }
}
