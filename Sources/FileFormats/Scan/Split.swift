/// A stretch of one file that one reader reads: the unit of scheduling.
package struct Split: Sendable, Hashable {
  /// Where it lies.
  enum Place: Sendable, Hashable {
    case bytes(Range<UInt64>)
    /// Whole blocks by number.
    case blocks(Range<Int>)
    /// Some rows of a block.
    case rows(Range<Int>, block: Int)
  }

  /// For the scan that made the split; to everybody else it is only the split's identity.
  let place: Place
  /// Rows in it when metadata tells.
  package var rowCount: Int?
  /// Bytes that reading it will scan, as far as known; drives progress.
  package var scanByteCount: Int

  init(_ place: Place, rowCount: Int? = nil, scanByteCount: Int) {
    self.place = place
    self.rowCount = rowCount
    self.scanByteCount = scanByteCount
  }

  /// A split of a format outside this module: `range` means what the format makes of it.
  package init(range: Range<UInt64>, rowCount: Int? = nil, scanByteCount: Int) {
    self.init(.bytes(range), rowCount: rowCount, scanByteCount: scanByteCount)
  }

  /// Bytes of the file, for formats that split anywhere; empty for others.
  package var byteRange: Range<UInt64> {
    if case .bytes(let range) = place { return range }
    return 0..<0
  }

  /// How many blocks it has rows of; 0 for formats without blocks.
  package var blockCount: Int {
    switch place {
    case .bytes: 0
    case .blocks(let numbers): numbers.count
    case .rows: 1
    }
  }
}
