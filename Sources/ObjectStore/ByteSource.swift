package import QueryErrors

/// Bytes of an object that stay readable as long as the slice lives.
///
/// At least `ByteSlice.padding` bytes after the slice may be read too, so that decoders can load whole words;
/// their values are unspecified.
///
/// The pointer is only good while the slice itself is: keep it in a stored property, or work inside `withBytes`. A local
/// that is not mentioned again may be freed at once, even before the call that was given its pointer.
package struct ByteSlice: @unchecked Sendable {
  /// How many bytes behind `count` may be read.
  package static let padding = 64

  package let pointer: UnsafeRawPointer
  package let count: Int
  /// Keeps the memory alive.
  package let owner: any AnyObject & Sendable

  package init(pointer: UnsafeRawPointer, count: Int, owner: any AnyObject & Sendable) {
    self.pointer = pointer
    self.count = count
    self.owner = owner
  }

  /// The bytes; valid while the slice lives.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: count) }

  /// Calls `body` with the bytes and keeps the slice alive meanwhile.
  @inline(__always)
  package func withBytes<Value, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    defer { withExtendedLifetime(owner) {} }
    return try body(bytes)
  }

  /// A part of this slice, sharing its owner.
  ///
  /// - Parameter range: counts from the slice's start; must lie within it.
  package func slice(_ range: Range<Int>) -> ByteSlice {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return ByteSlice(pointer: pointer + range.lowerBound, count: range.count, owner: owner)
  }
}

/// One opened object, read by ranges.
///
/// - Threads: all methods may be called from several threads at once.
package protocol ByteSource: Sendable {
  /// Path, size and time as they were when it was opened.
  var info: ObjectInfo { get }

  /// The bytes of `range`, counted on the meter the source was opened with.
  ///
  /// - Throws: `HIVE_BAD_DATA` when the range passes the end or the file has become shorter,
  ///   `HIVE_FILESYSTEM_ERROR` when reading fails, `EXCEEDED_SCAN_LIMIT`, `USER_CANCELED`, `EXCEEDED_TIME_LIMIT`.
  func read(_ range: Range<UInt64>, kind: ScanKind) throws(QueryError) -> ByteSlice

  /// The bytes of several ranges, in their order, each counted: at once where a request takes its time, near ones in one.
  ///
  /// - Throws: as `read(_:kind:)`.
  func read(_ ranges: [Range<UInt64>], kind: ScanKind) throws(QueryError) -> [ByteSlice]

  /// Says which bytes will be read soon, so that they are on their way; counts nothing and never fails.
  ///
  /// Stores bound what they fetch ahead: ranges past that are read when they are asked for.
  func prefetch(_ ranges: [Range<UInt64>])

  /// Whether a read waits for an answer, so that what is said beforehand comes sooner.
  var waitsForRequests: Bool { get }

  /// Checks that the object is still what was opened; readers call it once after the last byte of a split was used.
  ///
  /// - Throws: `HIVE_BAD_DATA` when the file was truncated while it was read.
  func checkUnchanged() throws(QueryError)
}

extension ByteSource {
  /// Where the object lies.
  package var path: String { info.path }
  /// Size in bytes.
  package var byteCount: UInt64 { info.byteCount }

  package func read(_ ranges: [Range<UInt64>], kind: ScanKind) throws(QueryError) -> [ByteSlice] {
    try ranges.map { (range) throws(QueryError) in try read(range, kind: kind) }
  }

  package func prefetch(_ ranges: [Range<UInt64>]) {}
  package var waitsForRequests: Bool { false }
  package func checkUnchanged() throws(QueryError) {}

  /// All bytes.
  package func readAll(kind: ScanKind) throws(QueryError) -> ByteSlice {
    try read(0..<byteCount, kind: kind)
  }

  /// The error for a range that passes the end.
  package func outOfRange(_ range: Range<UInt64>) -> QueryError {
    QueryError(
      .hiveBadData,
      "Unexpected end of file: bytes \(range.lowerBound) to \(range.upperBound) of \(byteCount) were asked for",
      data: DataLocation(path: path, byteOffset: Int(truncatingIfNeeded: min(range.lowerBound, byteCount))))
  }
}
