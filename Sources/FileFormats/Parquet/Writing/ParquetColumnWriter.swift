import Columnar
import QueryErrors

/// Takes a column of any type apart into the levels and values of its leaves.
///
///     column tags array(varchar), rows ["a", null], [], NULL
///     → repetition 0 1 0 0    definition 3 2 1 0    values "a"
///
/// All columns, fields and elements may be NULL in the file; keys of maps may not.
///
/// - Source: Melnik et al., "Dremel", VLDB 2010.
final class ParquetColumnWriter {
  indirect enum Node {
    case leaf(ColumnChunkWriter, DataType, String)
    case array(Node)
    case map(key: Node, value: Node)
    case row([Node])
  }

  /// Places where a node has a value, NULL or nothing because an ancestor has none.
  private struct Slots {
    var repetitions: [UInt8]
    var definitions: [UInt8]
    /// Rows of the node's column; -1 for nothing.
    var rows: [Int32]
    var count: Int { rows.count }

    init(capacity: Int) {
      repetitions = []
      definitions = []
      rows = []
      repetitions.reserveCapacity(capacity)
      definitions.reserveCapacity(capacity)
      rows.reserveCapacity(capacity)
    }

    @inline(__always)
    mutating func append(_ repetition: UInt8, _ definition: UInt8, _ row: Int32) {
      repetitions.append(repetition)
      definitions.append(definition)
      rows.append(row)
    }
  }

  let node: Node
  /// All chunks of the column, in the order of the schema.
  let chunks: [ColumnChunkWriter]
  private let words = Buffer(byteCount: ColumnChunkWriter.stepRowCount * 8)
  private let picks = Buffer(byteCount: ColumnChunkWriter.stepRowCount * 4)
  private let fixed = Buffer(byteCount: ColumnChunkWriter.stepRowCount * 16)

  init(_ node: Node) {
    self.node = node
    var chunks: [ColumnChunkWriter] = []
    ParquetColumnWriter.collect(node, &chunks)
    self.chunks = chunks
  }

  private static func collect(_ node: Node, _ chunks: inout [ColumnChunkWriter]) {
    switch node {
    case .leaf(let chunk, _, _): chunks.append(chunk)
    case .array(let element): collect(element, &chunks)
    case .map(let key, let value):
      collect(key, &chunks)
      collect(value, &chunks)
    case .row(let fields): for field in fields { collect(field, &chunks) }
    }
  }

  /// Adds rows.
  ///
  /// - Shape: at most `ColumnChunkWriter.stepRowCount` rows.
  func append(_ column: Column) throws(QueryError) {
    if case .leaf(let chunk, let type, let name) = node {
      try appendFlat(column, chunk, type, name)
    } else {
      let column = column.flattened()
      var slots = Slots(capacity: column.count)
      for row in 0..<column.count { slots.append(0, 0, Int32(row)) }
      try append(column, node, slots, level: 0, repetition: 0, isRequired: false)
    }
    for chunk in chunks { try chunk.endRows(column.count) }
  }

  // MARK: Flat columns

  private func appendFlat(
    _ column: Column, _ chunk: ColumnChunkWriter, _ type: DataType, _ name: String
  ) throws(QueryError) {
    let count = column.count
    guard let validity = column.validity else {
      chunk.appendPresent(count)
      try appendValues(column, nil, count, chunk, type, name)
      return
    }
    let rows = picks.typed(Int32.self)
    let levels = fixed.typed(UInt8.self)
    var found = 0
    let bits = validity.words
    var row = 0
    while row < count {
      let isPresent = (bits[row >> 6] &>> UInt64(row & 63)) & 1
      levels[row] = UInt8(truncatingIfNeeded: isPresent)
      rows[found] = Int32(truncatingIfNeeded: row)
      found &+= Int(truncatingIfNeeded: isPresent)
      row &+= 1
    }
    chunk.append(definitions: levels, repetitions: nil, count: count, nullCount: count - found)
    if found > 0 { try appendValues(column, rows, found, chunk, type, name) }
  }

  // MARK: Nested columns

  /// - Parameters:
  ///   - level: definition level of a place whose ancestors are all there.
  ///   - repetition: repetition level of the innermost list around the node.
  private func append(
    _ column: Column, _ node: Node, _ slots: Slots, level: UInt8, repetition: UInt8, isRequired: Bool
  ) throws(QueryError) {
    switch node {
    case .leaf(let chunk, let type, let name):
      try appendLeaf(column, slots, level: level, isRequired: isRequired, chunk, type, name)
    case .row(let fields):
      let column = column.flattened()
      var inner = slots
      for i in 0..<slots.count where slots.rows[i] >= 0 {
        if column.isNull(Int(slots.rows[i])) {
          inner.rows[i] = -1
          inner.definitions[i] = level
        } else {
          inner.definitions[i] = level + 1
        }
      }
      for (index, field) in fields.enumerated() {
        try append(column.children[index], field, inner, level: level + 1, repetition: repetition, isRequired: false)
      }
    case .array(let element):
      let column = column.flattened()
      let inner = expand(column, slots, level: level, repetition: repetition + 1)
      try append(column.children[0], element, inner, level: level + 2, repetition: repetition + 1, isRequired: false)
    case .map(let key, let value):
      let column = column.flattened()
      let inner = expand(column, slots, level: level, repetition: repetition + 1)
      try append(column.children[0], key, inner, level: level + 2, repetition: repetition + 1, isRequired: true)
      try append(column.children[1], value, inner, level: level + 2, repetition: repetition + 1, isRequired: false)
    }
  }

  /// The places of a list's elements.
  private func expand(_ column: Column, _ slots: Slots, level: UInt8, repetition: UInt8) -> Slots {
    var inner = Slots(capacity: slots.count * 2)
    for i in 0..<slots.count {
      let row = Int(slots.rows[i])
      if row < 0 {
        inner.append(slots.repetitions[i], slots.definitions[i], -1)
      } else if column.isNull(row) {
        inner.append(slots.repetitions[i], level, -1)
      } else {
        let range = column.elementRange(row)
        if range.isEmpty { inner.append(slots.repetitions[i], level + 1, -1) }
        var isFirst = true
        for element in range {
          inner.append(isFirst ? slots.repetitions[i] : repetition, level + 2, Int32(element))
          isFirst = false
        }
      }
    }
    return inner
  }

  private func appendLeaf(
    _ column: Column, _ slots: Slots, level: UInt8, isRequired: Bool, _ chunk: ColumnChunkWriter, _ type: DataType,
    _ name: String
  ) throws(QueryError) {
    let present = isRequired ? level : level + 1
    var definitions = slots.definitions
    var rows: [Int32] = []
    rows.reserveCapacity(slots.count)
    for i in 0..<slots.count where slots.rows[i] >= 0 {
      if column.isNull(Int(slots.rows[i])) {
        guard !isRequired else { throw QueryError(.invalidFunctionArgument, "map key is NULL in column '\(name)'") }
        definitions[i] = level
      } else {
        definitions[i] = present
        rows.append(slots.rows[i])
      }
    }
    definitions.withUnsafeBufferPointer { definitions in
      slots.repetitions.withUnsafeBufferPointer { repetitions in
        if let base = definitions.baseAddress {
          chunk.append(
            definitions: base, repetitions: repetitions.baseAddress, count: slots.count,
            nullCount: slots.count - rows.count)
        }
      }
    }
    var start = 0
    while start < rows.count {
      let n = min(ColumnChunkWriter.stepRowCount, rows.count - start)
      let buffer = picks.typed(Int32.self)
      for i in 0..<n { buffer[i] = rows[start + i] }
      try appendValues(column, buffer, n, chunk, type, name)
      start += n
    }
  }

  // MARK: Values

  /// Adds the values of `rows`, none of which is NULL, or of the first `count` rows.
  private func appendValues(
    _ column: Column, _ rows: UnsafePointer<Int32>?, _ count: Int, _ chunk: ColumnChunkWriter, _ type: DataType,
    _ name: String
  ) throws(QueryError) {
    if type.physicalType == .string {
      try chunk.append(strings: column, rows: rows, count)
      return
    }
    let column = column.flattened()
    defer { withExtendedLifetime(column) {} }
    let out = words.typed(Int64.self)
    let source = column.values!.pointer
    switch (chunk.type.form, type.physicalType) {
    case (.bigEndian(let width), _):
      let bytes = fixed.pointer
      var i = 0
      while i < count {
        let row = rows.map { Int($0[i]) } ?? i
        let value = source.loadUnaligned(fromByteOffset: row &* 16, as: Int128.self).bigEndian
        withUnsafeBytes(of: value) { all in
          (bytes + i &* width).copyMemory(from: all.baseAddress! + (16 &- width), byteCount: width)
        }
        i &+= 1
      }
      try chunk.append(fixed: bytes, width: width, count)
      return
    case (.instant(let divisor), _):
      var i = 0
      while i < count {
        let row = rows.map { Int($0[i]) } ?? i
        let picos = source.loadUnaligned(fromByteOffset: row &* 16, as: Int128.self) &>> 16
        out[i] = try ParquetColumnWriter.divided(picos, divisor, type, name)
        i &+= 1
      }
    case (.divided(let divisor), .int128):
      var i = 0
      while i < count {
        let row = rows.map { Int($0[i]) } ?? i
        let value = source.loadUnaligned(fromByteOffset: row &* 16, as: Int128.self)
        out[i] = try ParquetColumnWriter.divided(value, divisor, type, name)
        i &+= 1
      }
    case (.divided(let divisor), _):
      let from = source.assumingMemoryBound(to: Int64.self)
      var i = 0
      while i < count {
        let value = from[rows.map { Int($0[i]) } ?? i]
        out[i] = (value / divisor) &- (value % divisor < 0 ? 1 : 0)
        i &+= 1
      }
    case (.same, .bool): ParquetColumnWriter.widen(source, UInt8.self, rows, count, out)
    case (.same, .int8): ParquetColumnWriter.widen(source, Int8.self, rows, count, out)
    case (.same, .int16): ParquetColumnWriter.widen(source, Int16.self, rows, count, out)
    case (.same, .int32): ParquetColumnWriter.widen(source, Int32.self, rows, count, out)
    case (.same, .float): ParquetColumnWriter.widen(source, UInt32.self, rows, count, out)
    default: ParquetColumnWriter.widen(source, Int64.self, rows, count, out)
    }
    try chunk.append(words: out, count)
  }

  private static func divided(
    _ value: Int128, _ divisor: Int64, _ type: DataType, _ name: String
  ) throws(QueryError) -> Int64 {
    let wide = Int128(divisor)
    let quotient = value / wide - (value % wide < 0 ? 1 : 0)
    guard let result = Int64(exactly: quotient) else {
      throw QueryError(
        .numericValueOutOfRange, "Column '\(name)': a value of type \(type) is outside what Parquet files can hold",
        hint: "Cast the column to timestamp(6), which reaches from year -290307 to 294247.")
    }
    return result
  }

  @inline(__always)
  private static func widen<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _: T.Type, _ rows: UnsafePointer<Int32>?, _ count: Int, _ out: UnsafeMutablePointer<Int64>
  ) {
    let from = source.assumingMemoryBound(to: T.self)
    var i = 0
    if let rows {
      while i < count {
        out[i] = Int64(truncatingIfNeeded: from[Int(rows[i])])
        i &+= 1
      }
    } else {
      while i < count {
        out[i] = Int64(truncatingIfNeeded: from[i])
        i &+= 1
      }
    }
  }
}
