import Foundation
import QueryEngine
import Testing

/// What pyarrow reads of these bytes is looked at by `Tests/Arrow/check_arrow.py`; here their shape is.
@Suite("Arrow") struct ArrowTests {
  static let everyType: SQLStatement = """
    SELECT * FROM (VALUES
      (true, TINYINT '1', SMALLINT '2', 3, BIGINT '4', REAL '1.5', 2.5e0, DECIMAL '12.50', DECIMAL '12345678901234567890.5',
       'text of more than twelve', X'00ff', DATE '2024-02-29', TIME '13:05:00.123', TIMESTAMP '1969-12-31 23:59:59.999999',
       TIMESTAMP '2024-02-29 13:05:00.123456789', TIMESTAMP '2024-02-29 13:05:00.5 Europe/Berlin', INTERVAL '14' MONTH,
       INTERVAL '1' DAY, ARRAY[1, NULL, 3], MAP(ARRAY['a'], ARRAY[DATE '2024-01-01']), CAST(ROW(1, 'x') AS ROW(a integer, b varchar)),
       UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59', JSON '{"a": 1}'),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
    ) t(b, i8, i16, i32, i64, f, d, short, long, text, bytes, day, time, micros, nanos, moment, months, days, list, dict, pair, id, doc)
    """

  private static func bytes(_ statement: SQLStatement, _ kind: ArrowStreamWriter.Kind) async throws -> [UInt8] {
    let execution = try EngineTesting.engine().session().start(statement)
    var writer = try ArrowStreamWriter(schema: try await execution.schema, kind: kind)
    var bytes: [UInt8] = []
    for try await batch in execution.batches { bytes += try writer.append(batch) }
    return bytes + writer.finish()
  }

  @Test func streamsAndFilesBeginAndEndAsTheFormatSays() async throws {
    let stream = try await Self.bytes(Self.everyType, .stream)
    #expect(stream.starts(with: [0xff, 0xff, 0xff, 0xff]))
    #expect(stream.suffix(8) == [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
    #expect(stream.count % 8 == 0)
    let file = try await Self.bytes(Self.everyType, .file)
    #expect(file.starts(with: "ARROW1".utf8) && file.suffix(6).elementsEqual("ARROW1".utf8))
    // Left for pyarrow, where a folder is named.
    if let folder = ProcessInfo.processInfo.environment["ARROW_FOLDER"] {
      try Data(stream).write(to: URL(filePath: folder).appending(path: "all.arrows"))
      try Data(file).write(to: URL(filePath: folder).appending(path: "all.arrow"))
    }
  }

  @Test func typesThatArrowCannotHold() async throws {
    await #expect(throws: QueryError.self) { try await Self.bytes("SELECT TIMESTAMP '2024-02-29 13:05:00.1234567890'", .stream) }
    await #expect(throws: QueryError.self) { try await Self.bytes("SELECT TIMESTAMP '9999-02-29 13:05:00.123456789' - INTERVAL '0' DAY", .stream) }
  }

  /// Offsets of `ArrowSchema` and `ArrowArray` on 64-bit machines, as the C data interface lists their members.
  @Test func theCDataInterfaceHoldsTheBatch() async throws {
    let result = try await EngineTesting.engine().session().run(
      "SELECT * FROM (VALUES (1, 'text of more than twelve'), (NULL, 'b')) t(x, y)")
    let batch = try #require(result.batches.first)
    let schema = UnsafeMutableRawPointer.allocate(byteCount: 72, alignment: 8)
    let array = UnsafeMutableRawPointer.allocate(byteCount: 80, alignment: 8)
    defer {
      schema.deallocate()
      array.deallocate()
    }
    try result.schema.exportArrow(to: schema)
    try batch.exportArrow(schema: result.schema, to: array)
    func text(_ place: UnsafeRawPointer, _ offset: Int) -> String {
      String(cString: place.load(fromByteOffset: offset, as: UnsafePointer<CChar>.self))
    }
    #expect(text(schema, 0) == "+s")
    #expect(schema.load(fromByteOffset: 32, as: Int64.self) == 2)
    let fields = schema.load(fromByteOffset: 40, as: UnsafePointer<UnsafeRawPointer>.self)
    #expect([text(fields[0], 0), text(fields[0], 8), text(fields[1], 0), text(fields[1], 8)] == ["i", "x", "u", "y"])
    #expect(array.load(fromByteOffset: 0, as: Int64.self) == 2)
    let children = array.load(fromByteOffset: 48, as: UnsafePointer<UnsafeRawPointer>.self)
    #expect(children[0].load(fromByteOffset: 8, as: Int64.self) == 1)
    let numbers = children[0].load(fromByteOffset: 40, as: UnsafePointer<UnsafeRawPointer?>.self)
    #expect(try #require(numbers[0]).load(as: UInt8.self) == 0b01)
    #expect(try #require(numbers[1]).load(as: Int32.self) == 1)
    let texts = children[1].load(fromByteOffset: 40, as: UnsafePointer<UnsafeRawPointer?>.self)
    #expect(texts[0] == nil)
    let offsets = try #require(texts[1]).assumingMemoryBound(to: Int32.self)
    #expect([offsets[0], offsets[1], offsets[2]] == [0, 24, 25])
    #expect(String(decoding: UnsafeRawBufferPointer(start: texts[2], count: 25), as: UTF8.self) == "text of more than twelveb")
    for (place, offset) in [(schema, 56), (array, 64)] {
      typealias Release = @convention(c) (UnsafeMutableRawPointer) -> Void
      let release = try #require(place.load(fromByteOffset: offset, as: Release?.self))
      release(place)
      #expect(place.load(fromByteOffset: offset, as: Release?.self) == nil)
    }
  }
}
