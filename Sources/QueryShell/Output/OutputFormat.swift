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
  case html
  case vertical

  /// Whether the renderer itself shows control letters of values as visible ones.
  var showsControls: Bool { self == .table || self == .vertical }

  /// The format that the ending of a file's name asks for; nil for others.
  init?(fileName: String) {
    switch fileName.split(separator: ".").last.map({ $0.lowercased() }) {
    case "csv": self = .csvHeader
    case "tsv", "tab": self = .tsvHeader
    case "json": self = .json
    case "jsonl", "ndjson": self = .jsonl
    case "md", "markdown": self = .markdown
    case "html", "htm": self = .html
    case "txt": self = .table
    default: return nil
    }
  }

  /// A renderer for one result.
  func makeRenderer(_ output: OutputStream, _ style: DisplayStyle, isFile: Bool = false) -> any ResultRenderer {
    switch self {
    case .table: TableRenderer(output, style)
    case .csv: DelimitedRenderer(output, separator: 0x2c, hasHeader: false)
    case .csvHeader: DelimitedRenderer(output, separator: 0x2c, hasHeader: true)
    case .tsv: DelimitedRenderer(output, separator: 0x09, hasHeader: false)
    case .tsvHeader: DelimitedRenderer(output, separator: 0x09, hasHeader: true)
    case .json: JSONRenderer(output, style: .array)
    case .jsonl: JSONRenderer(output, style: .lines)
    case .jsonlCompact: JSONRenderer(output, style: .compactLines)
    case .markdown: MarkdownRenderer(output)
    case .html: HTMLRenderer(output, isPage: isFile)
    case .vertical: VerticalRenderer(output, style)
    }
  }
}
