import HTTPClient
import ObjectStore
import QueryErrors
import Synchronization

/// An object of S3, read by ranges.
///
/// Near ranges are one request, long ones several at once. Every request names the state of the object that the listing
/// told of (`If-Match`), so that an object that changes is an error and never a mixture.
///
/// - Threads: any.
final class S3ByteSource: ByteSource {
  let info: ObjectInfo
  private let client: S3Client
  private let bucket: String
  private let key: String
  private let kept: S3KeptPieces
  private let readAhead: S3ReadAhead
  private let meter: ScanMeter
  /// What was fetched ahead and not used up.
  private let pieces = Mutex<[S3Piece]>([])

  /// Ranges nearer than this are one request: a request waits as long as such bytes take.
  private static let nearGap: UInt64 = 1 << 20
  /// A request takes so many bytes at most.
  static let largestRequest: UInt64 = 8 << 20
  /// Small reads at an object's ends take so many bytes: footers and heads.
  private static let endByteCount: UInt64 = 64 << 10

  init(
    _ client: S3Client, bucket: String, key: String, info: ObjectInfo, kept: S3KeptPieces, readAhead: S3ReadAhead,
    meter: ScanMeter
  ) {
    (self.client, self.bucket, self.key, self.info) = (client, bucket, key, info)
    (self.kept, self.readAhead, self.meter) = (kept, readAhead, meter)
  }

  var waitsForRequests: Bool { true }

  deinit {
    for piece in pieces.withLock({ $0 }) {
      piece.giveUp()
      readAhead.release(piece.byteCount)
    }
  }

  func read(_ range: Range<UInt64>, kind: ScanKind) throws(QueryError) -> ByteSlice {
    guard range.upperBound <= byteCount else { throw outOfRange(range) }
    try meter.add(range.count, kind: kind)
    return try slice(range)
  }

  func read(_ ranges: [Range<UInt64>], kind: ScanKind) throws(QueryError) -> [ByteSlice] {
    for range in ranges {
      guard range.upperBound <= byteCount else { throw outOfRange(range) }
      try meter.add(range.count, kind: kind)
    }
    let missing = ranges.filter { !$0.isEmpty && piece(holding: $0) == nil && end(holding: $0) == nil }
    var fetched: [S3Piece] = []
    for merged in S3ByteSource.merged(missing) { fetched.append(try begin(merged, wanted: 0)) }
    var slices: [ByteSlice] = []
    for range in ranges {
      if let piece = fetched.first(where: { $0.holds(range) }) {
        slices.append(try piece.slice(range))
      } else {
        slices.append(try slice(range))
      }
    }
    return slices
  }

  func prefetch(_ ranges: [Range<UInt64>]) {
    let wanted = ranges.filter {
      !$0.isEmpty && $0.upperBound <= byteCount && piece(holding: $0) == nil && end(holding: $0) == nil
    }
    for merged in S3ByteSource.merged(wanted) {
      guard readAhead.take(merged.count) else { return }
      let own = wanted.filter { merged.contains($0.lowerBound) }.reduce(0) { $0 + $1.count }
      guard let piece = try? begin(merged, wanted: own) else {
        readAhead.release(merged.count)
        return
      }
      pieces.withLock { $0.append(piece) }
    }
  }

  // MARK: Pieces

  private func slice(_ range: Range<UInt64>) throws(QueryError) -> ByteSlice {
    if range.isEmpty { return ByteSlice(pointer: UnsafeRawPointer(S3ByteSource.nothing.pointer), count: 0, owner: S3ByteSource.nothing) }
    if let piece = piece(holding: range) {
      let slice = try piece.slice(range)
      if piece.use(range.count) { drop(piece) }
      return slice
    }
    if let end = end(holding: range) {
      return try kept.piece(S3KeptPieces.Key(path: info.location.path, version: info.version, range: end)) {
        () throws(QueryError) -> S3Piece in try begin(end, wanted: 0)
      }.slice(range)
    }
    if let joined = try joined(range) { return joined }
    return try begin(range, wanted: 0).slice(range)
  }

  /// A range that two pieces hold together, one behind the other, copied.
  private func joined(_ range: Range<UInt64>) throws(QueryError) -> ByteSlice? {
    let first = range.lowerBound..<range.lowerBound + 1
    guard let low = piece(holding: first), low.end > range.lowerBound, low.end < range.upperBound,
      let high = piece(holding: low.end..<range.upperBound), let buffer = AlignedBuffer(capacity: range.count)
    else { return nil }
    var offset = 0
    for (piece, part) in [(low, range.lowerBound..<low.end), (high, low.end..<range.upperBound)] {
      let slice = try piece.slice(part)
      slice.withBytes { (buffer.pointer + offset).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      offset += part.count
      if piece.use(part.count) { drop(piece) }
    }
    return ByteSlice(pointer: UnsafeRawPointer(buffer.pointer), count: range.count, owner: buffer)
  }

  private static let nothing = AlignedBuffer(capacity: 0)!

  private func piece(holding range: Range<UInt64>) -> S3Piece? {
    pieces.withLock { pieces in pieces.first { $0.holds(range) } }
  }

  private func drop(_ piece: S3Piece) {
    let found = pieces.withLock { pieces -> Bool in
      guard let at = pieces.firstIndex(where: { $0 === piece }) else { return false }
      pieces.remove(at: at)
      return true
    }
    if found { readAhead.release(piece.byteCount) }
  }

  /// The end of the object that a small range lies at, as it is read in whole and kept: the whole of a small object, the
  /// last bytes of others, where footers are, or the first, where formats are told.
  private func end(holding range: Range<UInt64>) -> Range<UInt64>? {
    let size = S3ByteSource.endByteCount
    if byteCount <= size { return 0..<byteCount }
    guard range.count <= Int(size) else { return nil }
    if range.lowerBound >= byteCount - size, info.version != nil { return byteCount - size..<byteCount }
    if range.lowerBound == 0, range.count <= 4096 { return 0..<size }
    return nil
  }

  /// Starts fetching a range.
  private func begin(_ range: Range<UInt64>, wanted: Int) throws(QueryError) -> S3Piece {
    guard let buffer = AlignedBuffer(capacity: range.count) else {
      throw QueryError(.exceededLocalMemoryLimit, "Out of memory: \(range.count) bytes to read \(path)")
    }
    var exchanges: [S3Exchange] = []
    var start = range.lowerBound
    while start < range.upperBound {
      // Two equal parts rather than a long and a very short one.
      let rest = range.upperBound - start
      let count = rest > 2 * S3ByteSource.largestRequest ? S3ByteSource.largestRequest : rest > S3ByteSource.largestRequest ? (rest + 1) / 2 : rest
      var call = S3Call(method: "GET", kind: .get, bucket: bucket, key: key)
      call.headers = [("range", "bytes=\(start)-\(start + count - 1)")]
      if let version = info.version { call.headers.append(("if-match", version)) }
      call.target = HTTPTarget(buffer: buffer, offset: Int(start - range.lowerBound), count: Int(count))
      exchanges.append(try client.begin(call, meter: meter))
      start += count
    }
    return S3Piece(range, buffer, exchanges, wanted: wanted, objectByteCount: byteCount)
  }

  /// Ranges joined where they are near: less than 1 MiB apart, or than a fifth of what they ask for together.
  static func merged(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
    var all: [(range: Range<UInt64>, wanted: UInt64)] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = all.last {
        let gap = range.lowerBound > last.range.upperBound ? range.lowerBound - last.range.upperBound : 0
        let wanted = last.wanted + UInt64(range.count)
        if gap < nearGap || gap * 5 < wanted {
          all[all.count - 1] = (last.range.lowerBound..<max(last.range.upperBound, range.upperBound), wanted)
          continue
        }
      }
      all.append((range, UInt64(range.count)))
    }
    return all.map(\.range)
  }
}

/// A range on its way or here.
///
/// - Threads: any may ask for its bytes; the first waits for the service, others for the first.
final class S3Piece: Sendable {
  private let range: Range<UInt64>
  private let buffer: AlignedBuffer
  private let exchanges: [S3Exchange]
  private let objectByteCount: UInt64
  private let wanted: Int
  private let used = Atomic<Int>(0)
  private let result = Mutex<Result<Void, QueryError>?>(nil)

  /// - Parameter wanted: how many of its bytes were asked for, the gaps between them left out.
  init(_ range: Range<UInt64>, _ buffer: AlignedBuffer, _ exchanges: [S3Exchange], wanted: Int, objectByteCount: UInt64) {
    (self.range, self.buffer, self.exchanges) = (range, buffer, exchanges)
    (self.wanted, self.objectByteCount) = (wanted, objectByteCount)
  }

  var byteCount: Int { range.count }
  var end: UInt64 { range.upperBound }

  func holds(_ other: Range<UInt64>) -> Bool { range.lowerBound <= other.lowerBound && other.upperBound <= range.upperBound }

  /// Notes that bytes were taken; whether they were the last.
  func use(_ count: Int) -> Bool { used.wrappingAdd(count, ordering: .relaxed).newValue >= wanted }

  /// Whether its bytes will never be here.
  var hasFailed: Bool {
    result.withLockIfAvailable { result in
      if case .failure? = result { true } else { false }
    } ?? false
  }

  func giveUp() { for exchange in exchanges { exchange.giveUp() } }

  func slice(_ part: Range<UInt64>) throws(QueryError) -> ByteSlice {
    try result.withLock { (result) throws(QueryError) in
      if result == nil {
        do throws(QueryError) {
          for exchange in exchanges { try check(try exchange.answer(), exchange.call) }
          result = .success(())
        } catch {
          giveUp()
          result = .failure(error)
        }
      }
      try result!.get()
    }
    let offset = Int(part.lowerBound - range.lowerBound)
    return ByteSlice(pointer: UnsafeRawPointer(buffer.pointer) + offset, count: part.count, owner: buffer)
  }

  /// Refuses an answer that is not the range asked for.
  private func check(_ answer: HTTPAnswer, _ call: S3Call) throws(QueryError) {
    guard let target = call.target else { return }
    let isWhole = answer.status == 200 && UInt64(target.count) == objectByteCount
    let total = answer.headers["content-range"]?.split(separator: "/").last.flatMap { UInt64($0) }
    guard answer.status == 206 || isWhole, answer.byteCount == target.count, total.map({ $0 == objectByteCount }) ?? true else {
      throw QueryError(
        .hiveBadData, "The object was changed while it was read", data: DataLocation(path: call.place),
        hint: "Run the query again; write new objects under new names.")
    }
  }
}
