import ArgumentParser
import QueryEngine
import QueryShell

/// `sqlq workgroup …`: what workgroups there are and what holds in them.
struct WorkgroupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workgroup", abstract: "List, create, change and delete workgroups.",
    discussion: "Statements run in one by --workgroup NAME; without it in 'primary', which always exists.",
    subcommands: [List.self, Create.self, Set.self, Delete.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the workgroups and what holds in them.")
    @OptionGroup var engine: EngineOptions
    @OptionGroup var output: FormatOptions

    func run() throws {
      let groups = try engine.engine().workgroups.list()
      let rows = groups.map { group -> [Scalar] in
        func text(_ values: [String: String]) -> Scalar {
          .string(values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", "))
        }
        return [
          .string(group.name), .string(group.isEnabled ? "ENABLED" : "DISABLED"), group.outputLocation.map(Scalar.string) ?? .null,
          .boolean(group.isEnforced), group.bytesScannedCutoff.map { .integer(Int64($0)) } ?? .null, text(group.engineSettings),
          text(group.tags), group.description.map(Scalar.string) ?? .null,
        ]
      }
      let columns = Schema([
        Field("name", .text), Field("state", .text), Field("output_location", .text), Field("enforced", .boolean),
        Field("bytes_scanned_cutoff", .bigint), Field("settings", .text), Field("tags", .text), Field("description", .text),
      ])
      try ListingPrinter.print(columns, rows, format: output.format)
    }
  }

  /// What can be said of a workgroup.
  struct Properties: ParsableArguments {
    @Option(help: "What it is for.")
    var description: String?
    @Option(help: ArgumentHelp("Where results go.", valueName: "folder"), completion: .directory)
    var outputLocation: String?
    @Flag(inversion: .prefixedNo, help: "Whether its location overrides that of statements.")
    var enforce: Bool?
    @Option(help: ArgumentHelp("Bytes after which a query is stopped, such as 10GB; 0 for no limit.", valueName: "bytes"))
    var cutoff: ByteCount?
    @Option(name: .customLong("set"), help: ArgumentHelp("A setting its statements begin with; without a value none.", valueName: "name=value"))
    var settings: [KeyValue] = []
    @Option(name: .customLong("tag"), help: ArgumentHelp("A tag for reports and budgets; without a value none.", valueName: "key=value"))
    var tags: [KeyValue] = []
    @Flag(inversion: .prefixedEnableDisable, help: "Whether it runs statements.")
    var workgroup: Bool?

    func apply(to group: inout Workgroup) {
      if let description { group.description = description.isEmpty ? nil : description }
      if let outputLocation { group.outputLocation = outputLocation.isEmpty ? nil : outputLocation }
      if let enforce { group.isEnforced = enforce }
      if let cutoff { group.bytesScannedCutoff = cutoff.bytes == 0 ? nil : cutoff.bytes }
      for setting in settings { group.engineSettings[setting.key] = setting.value.isEmpty ? nil : setting.value }
      for tag in tags { group.tags[tag.key] = tag.value.isEmpty ? nil : tag.value }
      if let workgroup { group.isEnabled = workgroup }
    }
  }

  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Create a workgroup.")
    @OptionGroup var engine: EngineOptions
    @OptionGroup var properties: Properties
    @Argument(help: "Its name.") var name: String

    func run() throws {
      var group = Workgroup(name)
      properties.apply(to: &group)
      try engine.engine().workgroups.create(group)
    }
  }

  struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Change a workgroup.")
    @OptionGroup var engine: EngineOptions
    @OptionGroup var properties: Properties
    @Argument(help: "Its name.") var name: String

    func run() throws {
      try engine.engine().workgroups.update(name) { (group) throws(QueryError) in properties.apply(to: &group) }
    }
  }

  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Delete a workgroup.")
    @OptionGroup var engine: EngineOptions
    @Flag(help: "With its named queries and prepared statements.") var recursive = false
    @Argument(help: "Its name.") var name: String

    func run() throws { try engine.engine().workgroups.delete(name, recursive: recursive) }
  }
}
