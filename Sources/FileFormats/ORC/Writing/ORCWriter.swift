import Columnar
import ObjectStore
import QueryErrors

/// Writes an ORC file.
///
///     "ORC" | stripes: row indexes, Bloom filters, streams, stripe footer | metadata | footer | postscript | its length
///
/// A stripe's streams are kept, compressed chunk by chunk, until it is full.
///
/// - Source: ORC Specification v1.
final class ORCWriter: BatchFileWriter {
  private let object: any ObjectWriter
  private let schema: Schema
  private let options: WriterOptions
  private let settings: ORCWriterSettings
  private let compressor: ORCChunkCompressor
  private let layout: ORCWriterSchema

  // MARK: Changes while writing

  private var position = 0
  private var stripes: [WrittenStripe] = []
  private var rowCount = 0
  /// Rows of the stripe that is open.
  private var openRows = 0
  /// Of the whole file, by column number.
  private var statistics: [ORCStatisticsBuilder]

  private struct WrittenStripe {
    var offset: Int
    var indexLength = 0
    var dataLength = 0
    var footerLength = 0
    var rowCount: Int
    var statistics: [ORCStatisticsBuilder] = []
  }

  /// The version of the Java writer whose statistics and Bloom filters ours are like.
  private static let writerVersion = 9
  /// No number is assigned to this writer; readers take unknown ones for future ones.
  private static let writerNumber = 1000
  private static let magic = "ORC"

  init(_ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter) throws(QueryError) {
    self.object = object
    self.schema = schema
    self.options = options
    settings = try ORCWriterSettings(options)
    guard !schema.fields.isEmpty else { throw QueryError.notSupported("ORC files without columns") }
    compressor = ORCChunkCompressor(settings)
    layout = try ORCWriterSchema(schema, options, compressor)
    statistics = Array(repeating: ORCStatisticsBuilder(), count: layout.columns.count)
  }

  var byteCount: Int { position + layout.root.estimatedByteCount }
  var heldByteCount: Int { layout.root.heldByteCount }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError) {
    try object.write(bytes)
    position += bytes.count
  }

  private func write(_ bytes: ByteBuilder) throws(QueryError) {
    try write(UnsafeRawBufferPointer(start: bytes.pointer, count: bytes.count))
  }

  private func write(_ bytes: [UInt8]) throws(QueryError) {
    var failure: QueryError?
    bytes.withUnsafeBytes { all in
      do throws(QueryError) { try write(all) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  // MARK: Rows

  func append(_ batch: Batch) throws(QueryError) {
    var start = 0
    while start < batch.rowCount {
      let inGroup = openRows % settings.rowIndexStride
      if inGroup == 0 {
        if openRows == 0 { for column in layout.columns { column.beginStripe() } }
        try layout.root.beginRowGroup()
      }
      let count = min(
        batch.rowCount - start, settings.rowIndexStride - inGroup, settings.stripeRowCount - openRows,
        ORCWriter.stepRowCount)
      var parts: [Column] = []
      for column in batch.columns {
        parts.append(start == 0 && count == batch.rowCount ? column : column.slice(offset: start, count: count))
      }
      try layout.root.append(parts, count: count)
      start += count
      openRows += count
      rowCount += count
      if openRows >= settings.stripeRowCount || isFull { try finishStripe() }
    }
  }

  /// Rows added at once, after which sizes are looked at.
  private static let stepRowCount = 4096

  private var isFull: Bool {
    layout.root.estimatedByteCount >= settings.stripeByteCount || heldByteCount >= settings.stripeByteCount * 4
  }

  // MARK: Stripes

  private func finishStripe() throws(QueryError) {
    if openRows == 0 { return }
    if position == 0 { try write(Array(ORCWriter.magic.utf8)) }
    for column in layout.columns { try column.endStripe() }
    var stripe = WrittenStripe(offset: position, rowCount: openRows)
    var footer = ProtobufWriter()
    func list(_ kind: ORCStripe.StreamKind, _ column: Int, _ length: Int) {
      footer.field(
        1,
        message: { stream in
          stream.field(1, number: kind.rawValue)
          stream.field(2, number: column)
          stream.field(3, number: length)
        })
    }
    for column in layout.columns {
      let index = try compressor.section(column.rowIndex)
      list(.rowIndex, column.node.id, index.count)
      try write(index)
      if let filters = column.bloomFilterIndex {
        let index = try compressor.section(filters)
        list(.bloomFilterUTF8, column.node.id, index.count)
        try write(index)
      }
    }
    stripe.indexLength = position - stripe.offset
    for column in layout.columns {
      for (kind, stream) in column.streams {
        let bytes = try stream.finish()
        list(kind, column.node.id, bytes.count)
        try write(bytes)
      }
    }
    stripe.dataLength = position - stripe.offset - stripe.indexLength
    for column in layout.columns {
      footer.field(
        2,
        message: { encoding in
          encoding.field(1, number: column.encoding.kind)
          if let size = column.encoding.dictionarySize { encoding.field(2, number: size) }
        })
    }
    footer.field(3, string: "UTC")
    let section = try compressor.section(footer.bytes)
    stripe.footerLength = section.count
    try write(section)
    for column in layout.columns {
      var own = ORCStatisticsBuilder()
      for group in column.rowGroups { own.add(group.statistics) }
      stripe.statistics.append(own)
      statistics[column.node.id].add(own)
      column.beginStripe()
    }
    stripes.append(stripe)
    openRows = 0
  }

  // MARK: The end

  func finish() throws(QueryError) -> FileSummary {
    try finishStripe()
    if position == 0 { try write(Array(ORCWriter.magic.utf8)) }
    let contentLength = position
    var metadata = ProtobufWriter()
    for stripe in stripes {
      metadata.field(
        1,
        message: { out in
          for column in layout.columns { out.field(1, message: { stripe.statistics[column.node.id].write(column.node, to: &$0) }) }
        })
    }
    let metadataSection = try compressor.section(metadata.bytes)
    try write(metadataSection)
    let footerSection = try compressor.section(footer(contentLength))
    try write(footerSection)
    var postscript = ProtobufWriter()
    postscript.field(1, number: footerSection.count)
    postscript.field(2, number: settings.codecNumber)
    postscript.field(3, number: settings.chunkByteCount)
    // Version 0.12 of the format.
    postscript.field(4, packed: [0, 12])
    postscript.field(5, number: metadataSection.count)
    postscript.field(6, number: ORCWriter.writerVersion)
    postscript.field(8000, string: ORCWriter.magic)
    try write(postscript.bytes + [UInt8(postscript.bytes.count)])
    let columns = zip(schema.fields, layout.root.children).map { field, writer in
      statistics[writer.node.id].summary(field.type, rowCount: rowCount)
    }
    return FileSummary(rowCount: rowCount, byteCount: position, columns: columns)
  }

  private func footer(_ contentLength: Int) -> [UInt8] {
    var out = ProtobufWriter()
    out.field(1, number: ORCWriter.magic.utf8.count)
    out.field(2, number: contentLength)
    for stripe in stripes {
      out.field(
        3,
        message: { place in
          place.field(1, number: stripe.offset)
          place.field(2, number: stripe.indexLength)
          place.field(3, number: stripe.dataLength)
          place.field(4, number: stripe.footerLength)
          place.field(5, number: stripe.rowCount)
        })
    }
    for column in layout.columns { out.field(4, message: { column.node.write(to: &$0) }) }
    for (key, value) in options.keyValues.sorted(by: { $0.key < $1.key }) {
      out.field(
        5,
        message: { pair in
          pair.field(1, string: key)
          pair.field(2, string: value)
        })
    }
    out.field(6, number: rowCount)
    for column in layout.columns { out.field(7, message: { statistics[column.node.id].write(column.node, to: &$0) }) }
    out.field(8, number: settings.rowIndexStride)
    out.field(9, number: ORCWriter.writerNumber)
    // Dates count by the proleptic Gregorian calendar.
    out.field(11, number: 2)
    out.field(12, string: "sqlq 1.0.0")
    return out.bytes
  }
}
