import Columnar
import FileFormats
import Foundation
import ObjectStore
import QueryEngine
import QueryErrors
import Testing

/// A format of one line a file, known to nobody but this test.
private struct HaikuFormat: FileFormat {
  static let descriptor = FormatDescriptor(
    name: "haiku", storedAs: ["HAIKU"], serdes: ["test.HaikuSerDe"], inputFormats: ["test.HaikuInputFormat"],
    outputFormats: ["test.HaikuOutputFormat"], extensions: ["haiku"], summary: "Poems")

  init(_ options: FormatOptions) throws(QueryError) {}
  func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema { Schema([Field("poem", .text)]) }
  func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    throw .notSupported("reading poems is for people: \(source.path)")
  }
}

/// DDL, SHOW and inference know formats by their descriptors alone.
@Suite struct FormatTextTests {
  init() { if FormatRegistry.format(named: "haiku") == nil { FormatRegistry.register(HaikuFormat.self) } }

  private func rows(_ sql: String, _ session: Session) async throws -> [String] {
    let result = try await session.run(SQLStatement(sql))
    return result.batches.flatMap { batch in (0..<batch.rowCount).map { batch.columns[0].scalar($0).stringValue ?? "" } }
  }

  @Test func showCreateTableNamesTheFormatsClasses() async throws {
    let session = try EngineTesting.engine().session()
    _ = try await session.run("CREATE EXTERNAL TABLE poems (poem string) STORED AS HAIKU LOCATION 'sample-data/lines/'")
    let text = try await rows("SHOW CREATE TABLE poems", session).map { $0.trimmingPrefix("  ").description }
    #expect(text.contains("'test.HaikuSerDe' "))
    #expect(text.contains("'test.HaikuInputFormat' "))
    #expect(text.contains("'test.HaikuOutputFormat'"))
    // And its own text makes the table again.
    _ = try await session.run("DROP TABLE poems")
    _ = try await session.run(SQLStatement(text.joined(separator: "\n")))
    await #expect(throws: QueryError.self) { _ = try await session.run("SELECT * FROM poems") }
  }

  @Test func filesOfItsEndingAreItsOwn() async throws {
    try await EngineTesting.withFolder { folder in
      try "old pond".write(to: folder.appending(path: "frog.haiku"), atomically: true, encoding: .utf8)
      let session = try EngineTesting.engine().session()
      let error = await #expect(throws: QueryError.self) {
        _ = try await session.run("SELECT poem FROM \(path: folder.path + "/frog.haiku")")
      }
      #expect(error?.message.contains("reading poems is for people") == true)
    }
  }

  @Test func otherClassesAreRefusedByName() async throws {
    let session = try EngineTesting.engine().session()
    let statement: SQLStatement =
      "CREATE EXTERNAL TABLE p (poem string) STORED AS INPUTFORMAT 'test.HaikuInputFormat' OUTPUTFORMAT 'test.Other' LOCATION 'sample-data/lines/'"
    let error = await #expect(throws: QueryError.self) { _ = try await session.run(statement) }
    #expect(error?.code == .notSupported)
    #expect(error?.message.contains("test.Other") == true)
  }
}
