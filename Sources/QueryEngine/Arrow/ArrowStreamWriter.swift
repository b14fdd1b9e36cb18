import Columnar
import QueryErrors

/// Writes a result as an Arrow IPC stream or file, which pandas, Polars, DuckDB and Spark read without parsing.
///
///     var writer = try ArrowStreamWriter(schema: try await execution.schema, kind: .file)
///     for try await batch in execution.batches { write(try writer.append(batch)) }
///     write(writer.finish())
///
/// Dates, times and timestamps keep their units; timestamps with a zone are moments in UTC; decimals are decimal128; uuid, ipaddress
/// and other types that Arrow lacks are their texts.
///
/// - Source: Arrow columnar format, "Serialization and Interprocess Communication".
public struct ArrowStreamWriter: Sendable {
  /// What is written around the messages.
  public enum Kind: Sendable {
    /// Messages one after the other: for pipes and sockets.
    case stream
    /// With a footer that tells where each batch is: `.arrow` files, Feather version 2.
    case file
  }

  private let fields: [ArrowField]
  private let kind: Kind
  private var written: [UInt8] = []
  private var offset = 0
  /// Offset, metadata bytes and body bytes of each batch.
  private var blocks: [[Int64]] = []

  /// - Throws: `NOT_SUPPORTED` for types whose digits Arrow cannot hold.
  public init(schema: Schema, kind: Kind = .stream) throws(QueryError) {
    fields = try ArrowField.fields(schema)
    self.kind = kind
    if kind == .file { written = Array("ARROW1\0\0".utf8) }
    var builder = FlatBufferBuilder()
    let schema = ArrowMessages.schema(fields, &builder)
    appendMessage(ArrowMessages.message(.schema, schema, bodyByteCount: 0, &builder))
  }

  /// The bytes to write for a batch, those of the schema before the first.
  ///
  /// - Throws: `NUMERIC_VALUE_OUT_OF_RANGE` for values that Arrow's type cannot hold.
  public mutating func append(_ batch: Batch) throws(QueryError) -> [UInt8] {
    var arrays: [ArrowArray] = []
    for (column, field) in zip(batch.columns, fields) { arrays.append(try ArrowArray(column, field.type)) }
    var nodes: [[Int64]] = []
    var buffers: [[Int64]] = []
    var body: [UInt8] = []
    for array in arrays { ArrowMessages.add(array, &nodes, &buffers, &body) }
    var builder = FlatBufferBuilder()
    let bufferList = builder.vector(structs: buffers)
    let nodeList = builder.vector(structs: nodes)
    let record = builder.table([(0, .int64(Int64(batch.rowCount))), (1, .offset(nodeList)), (2, .offset(bufferList))])
    let message = ArrowMessages.message(.recordBatch, record, bodyByteCount: body.count, &builder)
    let start = offset + written.count
    let metadataByteCount = appendMessage(message)
    written += body
    blocks.append([Int64(start), Int64(metadataByteCount), Int64(body.count)])
    return take()
  }

  /// The bytes that end the stream or file.
  public mutating func finish() -> [UInt8] {
    written += [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]
    if kind == .file {
      var builder = FlatBufferBuilder()
      let schema = ArrowMessages.schema(fields, &builder)
      let list = builder.vector(structs: blocks)
      let none = builder.vector(structs: [])
      let footer = builder.finish(
        builder.table([(0, .int16(ArrowMessages.version)), (1, .offset(schema)), (2, .offset(none)), (3, .offset(list))]))
      written += footer
      ArrowMessages.append(Int32(footer.count), to: &written)
      written += Array("ARROW1".utf8)
    }
    return take()
  }

  private mutating func take() -> [UInt8] {
    defer { written = [] }
    offset += written.count
    return written
  }

  /// - Returns: bytes of the message's metadata with its head and padding.
  @discardableResult
  private mutating func appendMessage(_ message: [UInt8]) -> Int {
    let padded = (message.count + 7) & ~7
    written += [0xff, 0xff, 0xff, 0xff]
    ArrowMessages.append(Int32(padded), to: &written)
    written += message
    written += [UInt8](repeating: 0, count: padded - message.count)
    return padded + 8
  }
}

/// The tables of Arrow's `Message.fbs` and `Schema.fbs`.
enum ArrowMessages {
  /// V5.
  static let version: Int16 = 4

  enum Header: UInt8 { case schema = 1, dictionaryBatch = 2, recordBatch = 3 }

  static func append(_ value: Int32, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  static func message(
    _ header: Header, _ content: FlatBufferBuilder.Offset, bodyByteCount: Int, _ builder: inout FlatBufferBuilder
  ) -> [UInt8] {
    let root = builder.table([
      (0, .int16(version)), (1, .uint8(header.rawValue)), (2, .offset(content)), (3, .int64(Int64(bodyByteCount))),
    ])
    return builder.finish(root)
  }

  static func schema(_ fields: [ArrowField], _ builder: inout FlatBufferBuilder) -> FlatBufferBuilder.Offset {
    let list = fields.map { field($0, isNullable: true, &builder) }
    return builder.table([(1, .offset(builder.vector(list)))])
  }

  private static func field(
    _ field: ArrowField, isNullable: Bool, _ builder: inout FlatBufferBuilder
  ) -> FlatBufferBuilder.Offset {
    let children = field.children.map { self.field($0.field, isNullable: $0.isNullable, &builder) }
    let childList = builder.vector(children)
    let name = builder.string(field.name)
    let (number, type) = self.type(field.type, &builder)
    return builder.table([
      (0, .offset(name)), (1, .bool(isNullable)), (2, .uint8(number)), (3, .offset(type)), (5, .offset(childList)),
    ])
  }

  /// A type's number in the union, and its table.
  private static func type(
    _ type: ArrowType, _ builder: inout FlatBufferBuilder
  ) -> (UInt8, FlatBufferBuilder.Offset) {
    switch type {
    case .null: return (1, builder.table([]))
    case .int(let bits): return (2, builder.table([(0, .int32(Int32(bits))), (1, .bool(true))]))
    case .float: return (3, builder.table([(0, .int16(1))]))
    case .double: return (3, builder.table([(0, .int16(2))]))
    case .binary: return (4, builder.table([]))
    case .utf8, .text: return (5, builder.table([]))
    case .bool: return (6, builder.table([]))
    case .decimal(let precision, let scale):
      return (7, builder.table([(0, .int32(Int32(precision))), (1, .int32(Int32(scale))), (2, .int32(128))]))
    case .date: return (8, builder.table([(0, .int16(0))]))
    case .time: return (9, builder.table([(0, .int16(3)), (1, .int32(64))]))
    case .timestamp(let isNano, let zone):
      var fields: [(id: Int, field: FlatBufferBuilder.Field)] = [(0, .int16(isNano ? 3 : 2))]
      if let zone { fields.append((1, .offset(builder.string(zone)))) }
      return (10, builder.table(fields))
    case .months: return (11, builder.table([(0, .int16(2))]))
    case .list: return (12, builder.table([]))
    case .row: return (13, builder.table([]))
    case .map: return (17, builder.table([(0, .bool(false))]))
    case .milliseconds: return (18, builder.table([(0, .int16(1))]))
    }
  }

  /// Adds an array's nodes and buffers, and those of its children, in the order of the schema's fields.
  static func add(_ array: ArrowArray, _ nodes: inout [[Int64]], _ buffers: inout [[Int64]], _ body: inout [UInt8]) {
    nodes.append([Int64(array.length), Int64(array.nullCount)])
    for bytes in array.buffers {
      buffers.append([Int64(body.count), Int64(bytes?.byteCount ?? 0)])
      guard let bytes else { continue }
      body += UnsafeRawBufferPointer(start: bytes.buffer.pointer, count: bytes.byteCount)
      body += [UInt8](repeating: 0, count: -bytes.byteCount & 7)
    }
    for child in array.children { add(child, &nodes, &buffers, &body) }
  }
}
