import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Hands out a split's bytes as windows, each of which starts where its reader asks.
///
/// Plain files give out their own memory, compressed ones buffers of decompressed bytes. 64 bytes past a window may be
/// read too.
///
/// - Units: `offset` counts bytes of the decompressed file.
/// - Threads: one owner.
final class TextInput {
  let source: any ByteSource
  /// Offset at which records belong to the next split or to the footer; the largest number when nowhere.
  let end: UInt64
  private let stream: (any TextStream)?
  private let kind: ScanKind
  /// Bytes of the split before here are counted as scanned.
  private var counted: UInt64

  /// The window.
  private(set) var base: UnsafePointer<UInt8>
  private(set) var count = 0
  /// Where in the file the window starts.
  private(set) var offset: UInt64
  /// Whether the file ends with the window.
  private(set) var isFinal = false
  /// Keeps the window's memory alive.
  private(set) var owner: AnyObject

  static let chunkByteCount = 1 << 20
  private static let firstWindowByteCount = 1 << 29
  /// Windows are indexed in 32 bits.
  static let maxWindowByteCount = 1 << 31 - 1 << 20

  /// - Parameters:
  ///   - dataEnd: of a file that is one stream, the decoded offset behind its last record.
  ///   - codec: `.none` reads the range of a plain file; else the whole file is one stream.
  ///   - kind: what the bytes of the range itself count as; bytes beyond it are another split's.
  init(
    _ source: any ByteSource, _ codec: TextCoding, _ range: Range<UInt64>, kind: ScanKind = .data,
    firstByteCount: Int = TextInput.chunkByteCount, expectsAll: Bool = true, end dataEnd: UInt64? = nil
  ) throws(QueryError) {
    self.source = source
    self.kind = kind
    if codec == .none {
      stream = nil
      end = range.upperBound
      offset = range.lowerBound
      let first = range.lowerBound..<min(range.upperBound, range.lowerBound + UInt64(TextInput.firstWindowByteCount))
      let slice = try source.read(first, kind: kind)
      base = slice.pointer.assumingMemoryBound(to: UInt8.self)
      count = slice.count
      owner = slice.owner
      isFinal = first.upperBound == source.byteCount
      counted = first.upperBound
    } else {
      stream = try codec.stream(source, kind: kind, expectsAll: expectsAll)
      end = dataEnd ?? .max
      offset = 0
      counted = 0
      let empty = Buffer.zeroed(byteCount: 0)
      owner = empty
      base = UnsafePointer(empty.typed(UInt8.self))
      try advance(keeping: 0, byteCount: firstByteCount)
    }
  }

  /// Makes a window that starts at byte `start` of the current one and reaches further than it.
  ///
  /// - Throws: `HIVE_BAD_DATA` when one record would fill more than a window can hold.
  func advance(keeping start: Int, byteCount: Int = TextInput.chunkByteCount) throws(QueryError) {
    if isFinal { return }
    let rest = count - start
    guard rest < TextInput.maxWindowByteCount / 2 else {
      throw QueryError(
        .hiveBadData, "A record is longer than \(TextInput.maxWindowByteCount / 2) bytes",
        data: DataLocation(path: source.path, byteOffset: Int(offset) + start))
    }
    if let stream {
      let capacity = max(byteCount, rest * 2)
      let buffer = Buffer(byteCount: capacity)
      memcpy(buffer.pointer, base + start, rest)
      let read = try stream.read(into: buffer.pointer + rest, capacity: capacity - rest)
      isFinal = read < capacity - rest
      base = UnsafePointer(buffer.typed(UInt8.self))
      owner = buffer
      offset += UInt64(start)
      count = rest + read
      return
    }
    let from = offset + UInt64(start)
    // Within a long split in large steps, past its end in small ones.
    let step = offset + UInt64(count) < end ? TextInput.firstWindowByteCount : 64 << 10
    let to = min(source.byteCount, from + UInt64(max(rest * 2, rest + step)))
    if counted < min(to, end) {
      _ = try source.read(counted..<min(to, end), kind: kind)
      counted = min(to, end)
    }
    let slice = try source.read(from..<to, kind: .sampling)
    base = slice.pointer.assumingMemoryBound(to: UInt8.self)
    count = slice.count
    owner = slice.owner
    offset = from
    isFinal = to == source.byteCount
  }

  /// Where in the window the records of the next split start; at least `count` when nowhere.
  var recordLimit: Int { end - offset > UInt64(Int.max) ? Int.max : Int(end - offset) }
}
