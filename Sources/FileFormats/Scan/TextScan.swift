import Columnar
import ObjectStore
import QueryErrors

/// The scan of a file of records that splits anywhere: nothing is known before it is read.
struct TextScan: FileScan {
  let source: any ByteSource
  /// The byte range that holds records, and whether it may be cut.
  var range: Range<UInt64>
  var isSplittable: Bool
  var makeTextReader: @Sendable (Split) throws(QueryError) -> any BatchReader

  func splits(targetByteCount: Int, unit: SplitUnit) throws(QueryError) -> [Split] {
    guard isSplittable else {
      return range.isEmpty ? [] : [Split(.bytes(range), scanByteCount: Int(range.upperBound - range.lowerBound))]
    }
    return TextScan.splits(range, targetByteCount)
  }

  func prefetch(_ split: Split) {
    guard source.waitsForRequests, case .bytes(let range) = split.place else { return }
    // Compressed files are asked for as they are decompressed.
    guard isSplittable else { return }
    // With the byte before, which tells whether a record starts with the range.
    source.prefetch([(range.lowerBound > 0 ? range.lowerBound - 1 : 0)..<range.upperBound])
  }

  func makeReader(_ split: Split) throws(QueryError) -> any BatchReader { try makeTextReader(split) }

  /// Even splits; the first one is charged for the bytes before the data.
  private static func splits(_ range: Range<UInt64>, _ targetByteCount: Int) -> [Split] {
    if range.isEmpty { return [] }
    let length = range.upperBound - range.lowerBound
    let target = UInt64(max(1, min(targetByteCount, 1 << 29)))
    let count = max(1, (length + target / 2) / target)
    let step = (length + count - 1) / count
    var result: [Split] = []
    var at = range.lowerBound
    while at < range.upperBound {
      let next = min(range.upperBound, at + step)
      let charged = Int(next - at) + (at == range.lowerBound ? Int(range.lowerBound) : 0)
      result.append(Split(.bytes(at..<next), scanByteCount: charged))
      at = next
    }
    return result
  }
}
