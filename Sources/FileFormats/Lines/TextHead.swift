package import ObjectStore
package import QueryErrors

/// The first line of a text file: what separates its fields, and whether it names the columns.
package struct TextHead: Sendable {
  /// The sign of `,`, tab, `;` and `|` that stands most often in it.
  package let separator: UInt8
  private let fields: [String]

  /// - Parameter separator: nil for the one that is found.
  /// - Throws: what reading the file throws.
  package init(_ source: any ByteSource, _ separator: UInt8? = nil) throws(QueryError) {
    var line: [UInt8] = []
    if source.byteCount > 0 {
      let input = try TextInput(source, try TextCoding.of(source), 0..<source.byteCount, kind: .sampling, expectsAll: false)
      line = UnsafeBufferPointer(start: input.base, count: min(input.count, 64 << 10)).prefix { $0 != 0x0a && $0 != 0x0d }
    }
    if line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
    let candidates: [UInt8] = [0x2c, 0x09, 0x3b, 0x7c]
    let found = candidates.max { first, second in line.count { $0 == first } < line.count { $0 == second } }
    self.separator = separator ?? found ?? 0x2c
    fields = TextHead.fields(line, self.separator)
  }

  private static func fields(_ line: [UInt8], _ separator: UInt8) -> [String] {
    line.split(separator: separator, omittingEmptySubsequences: false).map { field in
      String(decoding: field.filter { $0 != 0x22 }, as: UTF8.self).lowercased()
    }
  }

  /// Whether at least half of its fields are the columns' names, case ignored.
  package func names(_ columns: [String]) -> Bool {
    let equal = zip(fields, columns).count { $0 == $1.lowercased() }
    return equal > 0 && equal * 2 >= min(fields.count, columns.count)
  }
}
