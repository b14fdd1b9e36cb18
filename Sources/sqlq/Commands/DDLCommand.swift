import ArgumentParser
import QueryEngine
import QueryShell

/// `sqlq ddl FOLDER`: the statements that declare a folder of files in Athena.
struct DDLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddl", abstract: "Print CREATE EXTERNAL TABLE for a folder of files, ready for Athena.",
    discussion: "sqlq -e \"$(sqlq ddl sales/)\" declares it here; --location s3://bucket/sales/ writes it for there.")

  @OptionGroup var engine: EngineOptions
  @Option(help: ArgumentHelp("The table's name (default: the folder's).", valueName: "name")) var table: String?
  @Option(help: ArgumentHelp("Where the files will lie (default: where they are).", valueName: "location")) var location: String?
  @Flag(help: "Project partitions instead of registering them.") var projection = false
  @Argument(help: "A folder, file or pattern.", completion: .directory) var folder: String

  func run() throws {
    let session = try engine.engine().session()
    var options = DeclarationOptions()
    (options.table, options.location, options.projectsPartitions) = (table, location, projection)
    for statement in try session.declaration(ofFolder: folder, options) { FileHandleText.print(statement + ";", to: 1) }
  }
}
