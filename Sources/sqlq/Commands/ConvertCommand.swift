import ArgumentParser
import QueryEngine
import QueryShell

/// `sqlq convert SOURCE TARGET`: the rows of a folder in another format.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Write a folder of files anew in another format: Parquet unless told otherwise.",
    discussion: "Partition folders stay. sqlq ddl TARGET prints the table for Athena.")

  @OptionGroup var engine: EngineOptions
  @OptionGroup var writing: WritingOptions
  @Option(help: ArgumentHelp("parquet, csv, json, orc or avro.", valueName: "format")) var format = "parquet"
  @Argument(help: "A folder, file or pattern.", completion: .directory) var source: String
  @Argument(help: "A folder that is empty or not there.", completion: .directory) var target: String

  func run() throws { try writing.run(engine, source, target, format) }
}

/// `sqlq compact SOURCE TARGET`: the rows of a folder in fewer files.
struct CompactCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact", abstract: "Write a folder of small files anew in few large ones, in their own format.",
    discussion: "Partition folders stay. ALTER TABLE t SET LOCATION 'TARGET' lets a table read them.")

  @OptionGroup var engine: EngineOptions
  @OptionGroup var writing: WritingOptions
  @Argument(help: "A folder, file or pattern.", completion: .directory) var source: String
  @Argument(help: "A folder that is empty or not there.", completion: .directory) var target: String

  func run() throws { try writing.run(engine, source, target, "") }
}

/// How files are written.
struct WritingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("ZSTD, SNAPPY, GZIP, NONE … (default: the format's usual one).", valueName: "codec")) var compression: String?
  @Option(help: ArgumentHelp("The codec's level.", valueName: "n")) var level: Int?
  @Option(help: ArgumentHelp("About how large files are.", valueName: "bytes")) var fileSize = ByteCount(argument: "128MB")!

  func validate() throws { if fileSize.bytes < 1 { throw ValidationError("'--file-size' takes a number of bytes.") } }

  func run(_ engine: EngineOptions, _ source: String, _ target: String, _ format: String) throws {
    var options = ExportOptions(format: format)
    (options.compression, options.compressionLevel, options.fileByteCount) = (compression, level, fileSize.bytes)
    let summary = try engine.engine().session().export(folder: source, to: target, options)
    let base = engine.unitBase
    let (read, written) = (StatusFooter.bytes(summary.bytesRead, base), StatusFooter.bytes(summary.bytesWritten, base))
    FileHandleText.print(
      "\(summary.rows) rows: \(summary.filesRead) files of \(read) → \(summary.filesWritten) files of \(written) in \(target)", to: 2)
  }
}
