/// Every file format; the one place that names a format outside its folder.
package enum FormatRegistry {
  package static let all: [any FileFormat.Type] = [
    CSVFormat.self, JSONFormat.self, DelimitedTextFormat.self, ParquetFormat.self,
    ORCFormat.self, AvroFormat.self,
  ]

  /// The format of that name, STORED AS word or SerDe class; case ignored.
  package static func format(named name: String) -> (any FileFormat.Type)? {
    let wanted = name.lowercased()
    return all.first { format in
      let descriptor = format.descriptor
      return descriptor.name == wanted || descriptor.storedAs.contains { $0.lowercased() == wanted }
        || descriptor.serdes.contains { $0.lowercased() == wanted }
    }
  }

  /// The format a file name suggests, a compression's ending ignored: `a.csv.gz` → csv; nil when it suggests none.
  package static func format(forFileNamed name: String) -> (any FileFormat.Type)? {
    var parts = name.lowercased().split(separator: ".").map(String.init)
    guard parts.count > 1 else { return nil }
    parts.removeFirst()
    while let last = parts.popLast() {
      if let format = all.first(where: { $0.descriptor.extensions.contains(last) }) { return format }
    }
    return nil
  }
}
