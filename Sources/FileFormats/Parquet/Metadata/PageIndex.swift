/// Where each data page of a column chunk lies and which row it starts with.
///
/// - Source: parquet-format, PageIndex.md.
struct OffsetIndex: Sendable {
  struct Page: Sendable {
    var offset: Int
    /// Header included.
    var byteCount: Int
    var firstRow: Int
  }

  var pages: [Page] = []

  /// - Parameters:
  ///   - rowCount: the row group's rows.
  ///   - chunk: where all pages must lie.
  init(_ reader: inout ThriftCompactReader, rowCount: Int, chunk: Range<UInt64>) throws(ParquetDamage) {
    var id = 0
    while let type = try reader.nextField(&id) {
      guard id == 1 else {
        try reader.skip(type)
        continue
      }
      let count = try reader.structureList(type)
      pages.reserveCapacity(count)
      for _ in 0..<count {
        var page = Page(offset: -1, byteCount: -1, firstRow: -1)
        var field = 0
        while let member = try reader.nextField(&field) {
          switch field {
          case 1: page.offset = try reader.size(member)
          case 2: page.byteCount = try reader.size(member)
          case 3: page.firstRow = try reader.size(member)
          default: try reader.skip(member)
          }
        }
        pages.append(page)
      }
    }
    guard !pages.isEmpty else { throw ParquetDamage("an offset index has no pages") }
    var row = -1
    var end = Int(chunk.lowerBound)
    for page in pages {
      guard page.firstRow >= row, page.firstRow <= rowCount, page.offset >= end,
        page.byteCount > 0
      else { throw ParquetDamage("an offset index is out of order") }
      let (next, overflow) = page.offset.addingReportingOverflow(page.byteCount)
      guard !overflow, next <= Int(chunk.upperBound) else {
        throw ParquetDamage("an offset index names a page outside its column chunk")
      }
      row = page.firstRow
      end = next
    }
    guard pages[0].firstRow == 0 else { throw ParquetDamage("an offset index does not start at row 0") }
  }

  /// Number of the page that holds `row`.
  func page(ofRow row: Int) -> Int {
    var (low, high) = (0, pages.count)
    while low < high {
      let middle = (low + high) / 2
      if pages[middle].firstRow <= row { low = middle + 1 } else { high = middle }
    }
    return max(low - 1, 0)
  }

  /// Rows of page `index` in a row group of `rowCount`.
  func rows(ofPage index: Int, rowCount: Int) -> Range<Int> {
    let start = pages[index].firstRow
    let end = index + 1 < pages.count ? pages[index + 1].firstRow : rowCount
    return start..<max(start, end)
  }
}

/// Bounds and null counts of each data page of a column chunk.
struct ColumnIndex: Sendable {
  var nullPages: [Bool] = []
  var minValues: [[UInt8]] = []
  var maxValues: [[UInt8]] = []
  var nullCounts: [Int]?

  init(_ reader: inout ThriftCompactReader) throws(ParquetDamage) {
    var id = 0
    while let type = try reader.nextField(&id) {
      switch id {
      case 1:
        let (_, count) = try reader.list(type)
        for _ in 0..<count { nullPages.append(try reader.booleanElement()) }
      case 2: minValues = try ColumnIndex.values(&reader, type)
      case 3: maxValues = try ColumnIndex.values(&reader, type)
      case 5:
        guard type == ThriftCompactReader.WireType.list else {
          try reader.skip(type)
          continue
        }
        let (element, count) = try reader.list(type)
        var counts: [Int] = []
        for _ in 0..<count { counts.append(Int(try reader.integer(element))) }
        nullCounts = counts
      default: try reader.skip(type)
      }
    }
    guard minValues.count == nullPages.count, maxValues.count == nullPages.count else {
      throw ParquetDamage("a column index has lists of different length")
    }
    if nullCounts?.count != nullPages.count { nullCounts = nil }
  }

  private static func values(
    _ reader: inout ThriftCompactReader, _ type: UInt8
  ) throws(ParquetDamage) -> [[UInt8]] {
    let (element, count) = try reader.list(type)
    var values: [[UInt8]] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try reader.byteArray(element)) }
    return values
  }
}
