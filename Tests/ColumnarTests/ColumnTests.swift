import Testing

@testable import Columnar

@Suite struct ColumnTests {
  /// Copied strings are the same rows, and what they lay in may go.
  @Test func copiedStringsStandAlone() {
    let texts: [String?] = ["", "short", nil, "exactly 12 by", "a string that is longer than twelve bytes", "ä€", nil]
    weak var heap: StringHeap?
    func copies() -> [Column] {
      let builder = ColumnBuilder(.text, capacity: texts.count)
      for text in texts {
        if let text { Array(text.utf8).withUnsafeBytes { builder.append(bytes: $0) } } else { builder.appendNull() }
      }
      let flat = builder.finish()
      heap = flat.heap
      #expect(heap != nil)
      let codes = Buffer(byteCount: texts.count * 4)
      for row in texts.indices { codes.typed(Int32.self)[row] = Int32(texts.count - 1 - row) }
      let coded = Column.dictionary(flat, indices: codes, count: texts.count, validity: nil)
      return [flat.copyingStrings(), coded.copyingStrings()]
    }
    let copied = copies()
    #expect(heap == nil, "nothing else is kept alive")
    for (column, expected) in zip(copied, [texts, texts.reversed()]) {
      #expect(column.encoding == .flat)
      for (row, text) in expected.enumerated() {
        if let text { #expect(column.scalar(row) == .bytes(Array(text.utf8))) } else { #expect(column.isNull(row)) }
      }
    }
  }
}
