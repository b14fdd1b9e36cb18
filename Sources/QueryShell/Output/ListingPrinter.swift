import Glibc
package import QueryEngine

/// Prints rows that a command made itself, in any output format.
package enum ListingPrinter {
  /// Prints what `body` gives to the renderer.
  package static func print(
    format: OutputFormat, _ body: (any ResultConsumer) throws(QueryError) -> Void
  ) throws(QueryError) {
    let renderer = format.makeRenderer(OutputStream(1), DisplayStyle(width: isatty(1) == 1 ? Terminal.width : nil))
    try body(renderer)
    try renderer.end()
  }

  /// - Parameter rows: one value a column.
  package static func print(_ schema: Schema, _ rows: [[Scalar]], format: OutputFormat) throws(QueryError) {
    try print(format: format) { (renderer) throws(QueryError) in
      try renderer.begin(schema)
      if rows.isEmpty { return }
      let builders = schema.fields.map { ColumnBuilder($0.type, capacity: rows.count) }
      for row in rows { for (builder, value) in zip(builders, row) { builder.append(value) } }
      try renderer.receive(Batch(columns: builders.map { $0.finish() }, rowCount: rows.count))
    }
  }
}

extension OutputFormat {
  /// What rows look like when nobody says: a table for people, CSV for programs.
  package static var automatic: OutputFormat { isatty(1) == 1 ? .table : .csvHeader }
}
