package import QueryErrors
import ObjectStore

/// A result that lies in a results folder, read page by page.
///
/// - Threads: any.
package struct StoredResult: Sendable {
  package let columns: [ResultMetadata.ColumnDescription]
  private let source: any ByteSource
  private let isText: Bool

  /// Bytes read at a time.
  private static let windowByteCount: UInt64 = 256 << 10

  /// Opens the file at a location, with the columns its `.metadata` tells.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when it is gone, `HIVE_BAD_DATA` for metadata that are none.
  package init(_ location: String, _ engine: Engine) throws(QueryError) {
    let place = try engine.stores.resolve(location)
    let metadata = try place.store.open(place.path + ".metadata", meter: ScanMeter())
    let bytes = try metadata.read(0..<metadata.byteCount, kind: .sampling).withBytes { Array($0) }
    columns = try ResultMetadata.decode(bytes, location)
    isText = location.hasSuffix(".txt")
    source = try place.store.open(place.path, meter: ScanMeter())
  }

  /// Rows from a place in the file on.
  ///
  /// - Parameters:
  ///   - offset: 0, or where an earlier page ended. The first row of a `.csv` is its header.
  ///   - limit: rows at most.
  /// - Returns: nil for NULL; lines of a `.txt` are rows of one value. `next` is nil at the end.
  package func page(from offset: UInt64, limit: Int) throws(QueryError) -> (rows: [[String?]], next: UInt64?) {
    var rows: [[String?]] = []
    var reader = RowReader(isText: isText)
    var at = offset
    while at < source.byteCount {
      let end = min(source.byteCount, at + StoredResult.windowByteCount)
      let window = try source.read(at..<end, kind: .sampling)
      let used = window.withBytes { bytes in reader.read(bytes, into: &rows, limit: limit) }
      at += UInt64(used)
      if rows.count == limit { break }
    }
    if rows.count < limit, let last = reader.finish() { rows.append(last) }
    return (rows, at < source.byteCount ? at : nil)
  }

  /// Cuts bytes into rows and values.
  private struct RowReader {
    let isText: Bool
    private var row: [String?] = []
    private var value: [UInt8] = []
    private var isQuoted = false
    private var isInQuotes = false
    private var hasBytes = false

    init(isText: Bool) { self.isText = isText }

    /// Reads until the bytes end or there are enough rows; how many bytes were used.
    mutating func read(_ bytes: UnsafeRawBufferPointer, into rows: inout [[String?]], limit: Int) -> Int {
      for (index, byte) in bytes.enumerated() {
        hasBytes = true
        if isInQuotes {
          if byte == 0x22 { isInQuotes = false } else { value.append(byte) }
          continue
        }
        switch byte {
        case 0x0a:
          endValue()
          rows.append(row)
          row = []
          hasBytes = false
          if rows.count == limit { return index + 1 }
        case 0x22 where !isText:
          // A quote behind a closing one is a quote of the value.
          if isQuoted { value.append(byte) }
          isQuoted = true
          isInQuotes = true
        case 0x2c where !isText: endValue()
        default: value.append(byte)
        }
      }
      return bytes.count
    }

    private mutating func endValue() {
      row.append(value.isEmpty && !isQuoted && !isText ? nil : String(decoding: value, as: UTF8.self))
      value.removeAll(keepingCapacity: true)
      isQuoted = false
    }

    /// A last row without a line's end.
    mutating func finish() -> [String?]? {
      guard hasBytes else { return nil }
      endValue()
      return row
    }
  }
}
