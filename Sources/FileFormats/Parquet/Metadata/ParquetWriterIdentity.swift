/// Who wrote a file, as its footer's `created_by` tells: `parquet-mr version 1.6.0 (build …)`.
///
/// Looked at only for what known versions are known to have got wrong.
struct ParquetWriterIdentity: Sendable, Equatable {
  /// Lower case: `parquet-mr`; empty when the file does not tell.
  var application: String
  var version: [Int]

  /// - Source: parquet-mr, `VersionParser`.
  init(_ createdBy: String) {
    let words = createdBy.lowercased().split(separator: " ")
    application = words.first.map(String.init) ?? ""
    var version: [Int] = []
    if let word = words.firstIndex(of: "version"), word + 1 < words.count {
      for part in words[word + 1].split(separator: ".", omittingEmptySubsequences: false).prefix(3) {
        guard let number = Int(part.prefix { $0.isNumber }) else { break }
        version.append(number)
      }
    }
    self.version = version
  }

  private func isBefore(_ wanted: [Int]) -> Bool { version.lexicographicallyPrecedes(wanted) }

  /// Whether the old bounds of bytes may be values that never occur: parquet-mr kept a reference to a buffer that it used again.
  ///
  /// - Source: PARQUET-251; parquet-mr, `CorruptStatistics`.
  var hasCorruptByteBounds: Bool {
    if application.isEmpty { return true }
    return application == "parquet-mr" && isBefore([1, 8, 0])
  }
}
