/// The ways rows are printed; raw values are what `--output-format` takes.
public enum OutputFormat: String, CaseIterable, Sendable {
  case table
  case csv
  case csvHeader = "csv_header"
  case tsv
  case tsvHeader = "tsv_header"
  case json
  case jsonl
  case jsonlCompact = "jsonl_compact"
  case markdown
  case vertical

  /// Whether the renderer itself shows control letters of values as visible ones.
  var showsControls: Bool { self == .table || self == .vertical }

  /// A renderer for one result.
  ///
  /// - Parameter width: columns of the terminal, or nil when output is no terminal.
  func makeRenderer(_ output: OutputStream, width: Int?) -> any ResultRenderer {
    switch self {
    case .table: TableRenderer(output, width: width)
    case .csv: DelimitedRenderer(output, separator: 0x2c, hasHeader: false)
    case .csvHeader: DelimitedRenderer(output, separator: 0x2c, hasHeader: true)
    case .tsv: DelimitedRenderer(output, separator: 0x09, hasHeader: false)
    case .tsvHeader: DelimitedRenderer(output, separator: 0x09, hasHeader: true)
    case .json: JSONRenderer(output, style: .array)
    case .jsonl: JSONRenderer(output, style: .lines)
    case .jsonlCompact: JSONRenderer(output, style: .compactLines)
    case .markdown: MarkdownRenderer(output)
    case .vertical: VerticalRenderer(output)
    }
  }
}
