import Columnar
import FileFormats
import Foundation
import ObjectStore
import QueryErrors
import Testing

@testable import TableCatalog

/// A format that the engine does not know: each byte of a file is a row of one column.
private struct BytesFormat: FileFormat {
  static let descriptor = FormatDescriptor(
    name: "bytes", storedAs: ["BYTEFILE"], serdes: ["test.BytesSerDe"], inputFormats: ["test.BytesInputFormat"],
    extensions: ["bytes"], summary: "Every byte is a row",
    recognizes: { $0.starts(with: "BYTES!".utf8) ? .magic : .no })

  init(_ options: FormatOptions) {}

  func inferSchema(_ source: any ByteSource) -> Schema { Schema([Field("byte", .tinyint)]) }

  func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile { throw .notSupported("test") }
}

@Suite("Paths in FROM") struct PathRelationTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "paths-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func write(_ text: String, _ path: String) throws {
    let url = URL(filePath: path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  @Test func formatsAreKnownByTheirDescriptors() throws {
    FormatRegistry.register(BytesFormat.self)
    try withFolder { folder in
      try write("abc", folder + "/named/x.bytes")
      try write("BYTES!", folder + "/unnamed/x")
      for path in [folder + "/named", folder + "/unnamed/x", folder + "/named/*.bytes"] {
        let table = try PathRelations(.local, meter: ScanMeter()).table(path)
        #expect(table.columns == Schema([Field("byte", .tinyint)]), "\(path)")
      }
    }
    #expect(FormatRegistry.format(named: "bytefile") == BytesFormat.self)
    #expect(FormatRegistry.format(named: "test.BytesSerDe") == BytesFormat.self)
    #expect(FormatRegistry.format(inputFormat: "test.BytesInputFormat") == BytesFormat.self)
  }

  @Test func typesOfPartitionKeys() {
    func type(_ values: String?...) -> DataType {
      var keys = PartitionKeys()
      for value in values { keys.add("K", value) }
      return keys.columns[0].type
    }
    #expect(type("1", "-20", "9223372036854775807") == .bigint)
    #expect(type("01", "12") == .bigint)
    #expect(type("00501", "10001") == .text)
    #expect(type("001") == .text)
    #expect(type("-0") == .text && type("+1") == .text && type("9223372036854775808") == .text)
    #expect(type("2024-01-01", nil) == .date)
    #expect(type("2024-01-01", "x") == .text && type("1", "x") == .text)
    #expect(type("2024-02-30") == .text)
    #expect(type(nil) == .text)
  }

  /// What 2,000 folders hold is told without listing the files of most.
  @Test func fewFilesAreLookedAt() throws {
    try withFolder { folder in
      for n in 0..<2000 { try write("v\n\(n)\n", "\(folder)/a=\(n / 100)/b=\(n % 100)/x.csv") }
      let meter = ScanMeter()
      let table = try PathRelations(.local, meter: meter).table(folder)
      #expect(table.partitionColumns == Schema([Field("a", .bigint), Field("b", .bigint)]))
      // The root, twenty folders of folders, and a few of files.
      #expect(meter.listingCalls <= 1 + 20 + 12)
      #expect(meter.filesOpened <= 32)
    }
  }

  @Test func notesNameWhatIsNotRead() throws {
    try withFolder { folder in
      try write("v\n1\n", folder + "/p=1/a.csv")
      try write("# Words", folder + "/p=1/notes.md")
      try write("v\n9\n", folder + "/x.csv")
      let meter = ScanMeter()
      let table = try PathRelations(.local, meter: meter).table(folder)
      let listing = try table.files.list(nil, meter: meter)
      #expect(listing.files.map(\.info.path) == [folder + "/p=1/a.csv"])
      #expect(meter.notes.count == 2)
      #expect(meter.notes.contains { $0.contains("notes.md") } && meter.notes.contains { $0.contains("x.csv") })
    }
  }
}
