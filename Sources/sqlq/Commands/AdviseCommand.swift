import ArgumentParser
import QueryEngine
import QueryShell

/// `sqlq advise`: what would make a statement scan less.
struct AdviseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "advise", abstract: "Measure what a partition filter, fewer columns, Parquet or larger files would save.",
    discussion: "Nothing is guessed: bytes come from footers, file sizes and a sample that is written as Parquet in memory.")

  @OptionGroup var engine: EngineOptions
  @OptionGroup var output: FormatOptions
  @Option(help: "The database of unqualified names.") var database = "default"
  @Argument(help: "A query.") var sql: String

  func run() throws {
    let session = try engine.engine().session(SessionDefaults(database: database))
    let found = try session.advise(sql)
    if output.outputFormat == nil {
      let text = found.isEmpty ? "nothing would save much" : found.map { "\($0.table): \($0.text)\n  \($0.statement)" }.joined(separator: "\n")
      return FileHandleText.print(text, to: 1)
    }
    let rows = found.map { advice -> [Scalar] in
      [
        .string(advice.kind.rawValue), .string(advice.table), .integer(Int64(advice.bytes)), .integer(Int64(advice.bytesThen)),
        .double(advice.saving), .string(advice.text), .string(advice.statement),
      ]
    }
    let columns = Schema([
      Field("kind", .text), Field("table", .text), Field("bytes", .bigint), Field("bytes_then", .bigint), Field("saving", .double),
      Field("advice", .text), Field("statement", .text),
    ])
    try ListingPrinter.print(columns, rows, format: output.format)
  }
}
