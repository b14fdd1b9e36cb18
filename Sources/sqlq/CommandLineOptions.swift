import QueryEngine
import QueryErrors
import QueryShell

/// What the command line asks for.
///
/// A table of our own instead of ArgumentParser, whose declarations cost 4 ms of reflection at every start:
/// twice what everything else of `SELECT 1` takes.
struct CommandLineOptions {
  /// Where statements come from, in the order they were given.
  var sources: [Source] = []
  /// Values for `:name`.
  var parameters: [String: SQLParameter] = [:]
  /// Settings of the shell, and the file that sets each.
  var shellOptions: [(name: String, value: String, file: String)] = []
  /// A chart in place of rows.
  var chart: ChartRequest?
  /// The file of a profile.
  var profileFile: String?
  /// The file that rows go to.
  var outputFile: String?
  var outputFormat: OutputFormat?
  var printsStatistics = false
  var rewritesForAthena = false
  var keepsGoing = false
  var engine = EngineConfiguration()
  var session = SessionDefaults()

  /// Something that holds statements.
  enum Source {
    case argument(String)
    case execute(String)
    case file(String)
  }

  /// Wrong use of the command line.
  struct UsageError: Error {
    var message: String
    init(_ message: String) { self.message = message }
  }

  /// What arguments ask for.
  enum Request {
    case run(CommandLineOptions)
    case help
    case version
  }

  /// One option: its names, what its value stands for (nil: it takes none), its help, and what it does.
  private struct Option: Sendable {
    var names: [String]
    var value: String?
    var help: String?
    var apply: @Sendable (inout CommandLineOptions, String) throws(UsageError) -> Void

    init(
      _ names: String..., value: String? = nil, help: String?,
      _ apply: @escaping @Sendable (inout CommandLineOptions, String) throws(UsageError) -> Void
    ) {
      (self.names, self.value, self.help, self.apply) = (names, value, help, apply)
    }
  }

  private static let options: [Option] = [
    Option("-e", value: "sql", help: "Statements to run; several are run in order.") { $0.sources.append(.execute($1)) },
    Option("-f", value: "file", help: "A file of statements to run.") { $0.sources.append(.file($1)) },
    Option("-p", value: "name=value", help: "A value for :name in statements, typed by its form, or name:type=value.") {
      options, text throws(UsageError) in
      guard let (name, value) = ParameterText.parse(text) else { throw UsageError("it takes name=value") }
      options.parameters[name] = value
    },
    Option("-o", value: "file", help: "The file that rows go to: .csv, .tsv, .json, .jsonl, .md, .html, .parquet.") {
      options, text throws(UsageError) in
      guard FileRenderer.canWrite(text) else {
        throw UsageError("its ending has to be one of .csv, .tsv, .json, .jsonl, .md, .html, .txt and .parquet")
      }
      options.outputFile = text
    },
    Option("--chart", value: "kind file", help: choices(ChartKind.self) + " chart of the rows, in an .svg or .html file, or - for the terminal.") {
      options, text throws(UsageError) in
      let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
      let kind: ChartKind = try choice(parts[0])
      guard parts.count == 2, parts[1] == "-" || ChartFile.canWrite(parts[1]) else { throw UsageError("its file has to be .svg, .html or -") }
      options.chart = ChartRequest(kind, file: parts[1] == "-" ? nil : parts[1])
    },
    Option("--profile-page", value: "file", help: "A page (.html) that shows where the statement's time, rows and bytes went.") {
      $0.profileFile = $1
    },
    Option("--output-format", value: "format", help: choices(OutputFormat.self) + " (default: table on a terminal, else csv_header).") {
      options, text throws(UsageError) in
      options.outputFormat = try choice(text)
    },
    Option("--output-location", value: "folder", help: "Folder that results are left in.") {
      $0.session.outputLocation = $1
    },
    Option("--no-results", help: "Leave no results in the results folder.") { options, _ in
      options.session.writesResults = false
    },
    Option("--result-twin", help: "Leave results also as Parquet files, with their types.") { options, _ in
      options.session.writesTypedResults = true
    },
    Option("--reuse", value: "age", help: "Hand out the result of an equal statement on unchanged files again, up to this age, such as 60m.") {
      options, text throws(UsageError) in
      guard let seconds = seconds(text) else { throw UsageError("it takes an age such as 30s, 60m, 2h or 7d") }
      options.session.reuseMaximumAge = seconds
    },
    Option("--home", value: "folder", help: "Folder of catalog, history and ledger (default: $SQLQ_HOME, else ~/.sqlq).") {
      $0.engine.home = $1
    },
    Option("--database", value: "name", help: "The database of unqualified names (default: default).") {
      $0.session.database = $1
    },
    Option("--time-zone", value: "zone", help: "The session's time zone (default: UTC).") { $0.session.timeZone = $1 },
    Option("--workgroup", value: "name", help: "The workgroup whose limits and output location hold (default: primary).") {
      $0.session.workgroup = $1
    },
    Option("--tag", value: "key=value", help: "What reports and budgets tell statements apart by; may be repeated.") {
      options, text throws(UsageError) in
      guard let tag = pair(text) else { throw UsageError("it takes key=value") }
      options.session.tags[tag.key] = tag.value
    },
    Option("--threads", value: "n", help: "Worker threads of a query (default: all processors).") {
      options, text throws(UsageError) in
      guard let count = Int(text), (1...1024).contains(count) else { throw UsageError("it takes a number from 1 to 1024") }
      options.engine.threads = count
    },
    Option("--memory-limit", value: "bytes", help: "Memory the process may use, such as 4GB (default: 60 % of the machine's).") {
      options, text throws(UsageError) in
      options.engine.memoryLimit = try byteCount(text)
    },
    Option("--temp-dir", value: "folder", help: "Folder of rows that memory does not hold (default: $TMPDIR, else /tmp).") {
      $0.engine.temporaryFolder = $1
    },
    Option("--max-spill", value: "bytes", help: "Disk space the rows of one query may take there, such as 100GB.") {
      options, text throws(UsageError) in
      options.engine.spillLimit = try byteCount(text)
    },
    Option("--max-scan", value: "bytes", help: "Bytes a query may scan before it is stopped, such as 10GB.") {
      options, text throws(UsageError) in
      options.session.scanLimit = try byteCount(text)
    },
    Option("--dry-run", help: "Plan and price statements without reading data.") { options, _ in
      options.session.isDryRun = true
    },
    Option(
      "--bad-rows", value: "policy",
      help: choices(SessionDefaults.BadRowPolicy.self) + ": what happens with rows of text files that cannot be read (default: fail)."
    ) {
      options, text throws(UsageError) in
      options.session.badRows = try choice(text)
    },
    Option("--max-bad-rows", value: "n", help: "Bad rows above which a statement fails all the same.") {
      options, text throws(UsageError) in
      guard let count = Int(text), count >= 0 else { throw UsageError("it takes a number from 0 on") }
      options.session.badRowLimit = count
    },
    Option("--no-config", help: "Read no configuration files (~/.config/sqlq/config.toml, .sqlq.toml).") { _, _ in },
    Option("--read-only", help: "Refuse statements that write data or change the catalog.") { options, _ in
      options.session.isReadOnly = true
    },
    Option("--stats", value: "json", help: "One JSON object of statistics per statement on stderr.") {
      options, text throws(UsageError) in
      try require(text, "json")
      options.printsStatistics = true
    },
    Option(
      "--s3-endpoint", value: "url",
      help: "A service that speaks S3's protocol (default: $AWS_ENDPOINT_URL_S3, $AWS_ENDPOINT_URL, the profile's, else Amazon S3)."
    ) {
      $0.engine.s3.endpoint = $1
    },
    Option("--s3-region", value: "name", help: "The region of s3:// requests (default: $AWS_REGION, the profile's).") {
      $0.engine.s3.region = $1
    },
    Option("--profile", value: "name", help: "The AWS profile of s3:// requests (default: $AWS_PROFILE).") {
      $0.engine.s3.profile = $1
    },
    Option("--no-sign-request", help: "Send s3:// requests without credentials: public buckets.") { options, _ in
      options.engine.s3.isAnonymous = true
    },
    Option("--request-payer", value: "requester", help: "Pay for requests to s3:// buckets that ask for it.") {
      options, text throws(UsageError) in
      try require(text, "requester")
      options.engine.s3.isRequesterPaying = true
    },
    Option("--unit-base", value: "base", help: "Whether billed units are binary (1 TB = 2^40 bytes) or decimal (10^12) (default: binary).") {
      options, text throws(UsageError) in
      options.engine.unitBase = try choice(text)
    },
    Option("--compat", value: "athena", help: "Refuse what Athena refuses and hold its limits.") {
      options, text throws(UsageError) in
      try require(text, "athena")
      options.session.compatibility = .athena
    },
    Option("--rewrite", value: "athena", help: "Print the statements in Athena's own SQL, extensions expanded, instead of running them.") {
      options, text throws(UsageError) in
      try require(text, "athena")
      options.rewritesForAthena = true
    },
    Option("--testing", value: "settings", help: nil) { options, text throws(UsageError) in
      for setting in text.split(separator: ",") { try options.apply(testSetting: setting) }
    },
  ]

  /// Reads the arguments after the program's name.
  ///
  /// Values follow their option as the next argument or after `=`; what follows `--` is the statement.
  static func parse(_ arguments: some Sequence<String>) throws(UsageError) -> Request {
    var result = CommandLineOptions()
    var rest = Array(arguments)[...]
    if !rest.contains("--no-config") { for file in try ConfigurationFiles.find() { try result.apply(file) } }
    while let argument = rest.popFirst() {
      if argument == "-h" || argument == "--help" { return .help }
      if argument == "--version" { return .version }
      if argument == "--" {
        for statement in rest { try result.take(statement) }
        break
      }
      let isComment = argument.prefix { $0 != "=" }.contains(where: \.isWhitespace)
      guard argument.hasPrefix("-"), argument.utf8.count > 1, !isComment else {
        try result.take(argument)
        continue
      }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = argument.hasPrefix("--") ? String(parts[0]) : argument
      guard let option = options.first(where: { $0.names.contains(name) }) else {
        let known = options.filter { $0.help != nil }.flatMap(\.names)
        let hint = NameSuggestion.hint(for: name, among: known).map { " " + $0 } ?? ""
        throw UsageError("Unknown option '\(name)'.\(hint)")
      }
      var value = name == argument || parts.count < 2 ? nil : String(parts[1])
      if option.value == nil {
        if value != nil { throw UsageError("'\(name)' takes no value.") }
      } else if value == nil {
        value = rest.popFirst()
        // A chart's kind and its file are two arguments.
        if option.value == "kind file", let kind = value, let file = rest.popFirst() { value = kind + " " + file }
        guard value != nil else { throw UsageError("'\(name)' needs a value: \(name) <\(option.value!)>.") }
      }
      do { try option.apply(&result, value ?? "") } catch {
        throw UsageError("'\(name)' cannot be '\(value ?? "")': \(error.message).")
      }
    }
    if result.engine.home == nil { result.engine.home = EngineConfiguration.defaultHome }
    return .run(result)
  }

  /// Whether the option of that name takes a value; nil when there is none.
  static func takesValue(_ name: String) -> Bool? { options.first { $0.names.contains(name) && $0.help != nil }.map { $0.value != nil } }

  /// The options that a configuration file may set, as it names them.
  static var settingNames: [String] {
    options.filter { $0.help != nil }.flatMap(\.names).filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)).replacing("-", with: "_") }
  }

  mutating func apply(option name: String, _ value: String) throws(UsageError) {
    guard let option = CommandLineOptions.options.first(where: { $0.names.contains(name) }) else { return }
    try option.apply(&self, value)
  }

  private mutating func take(_ statement: String) throws(UsageError) {
    if Subcommands.isName(statement) {
      throw UsageError("The command '\(statement)' comes first and its options follow: sqlq \(statement) ….")
    }
    for case .argument in sources {
      throw UsageError("Unexpected argument '\(statement)'. Quote the whole statement.")
    }
    sources.append(.argument(statement))
  }

  private mutating func apply(testSetting setting: Substring) throws(UsageError) {
    switch setting {
    case "no_optimizer": engine.testing.isOptimizerOff = true
    case "keep_going": keepsGoing = true
    case "colliding_hashes": engine.testing.collidesHashes = true
    case "spill": engine.testing.spillsRows = true
    default:
      guard setting.hasPrefix("batch_size="), let size = Int(setting.dropFirst(11)), size > 0 else {
        throw UsageError("unknown test setting \(setting)")
      }
      engine.testing.batchSize = size
    }
  }

  // Values

  private static func require(_ text: String, _ only: String) throws(UsageError) {
    if text != only { throw UsageError("it takes \(only)") }
  }

  /// The two sides of `key=value`.
  static func pair(_ text: String) -> (key: String, value: String)? {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    return parts.count == 2 && !parts[0].isEmpty ? (parts[0], parts[1]) : nil
  }

  private static func choice<T: RawRepresentable & CaseIterable>(_ text: String) throws(UsageError) -> T
  where T.RawValue == String {
    if let value = T(rawValue: text) { return value }
    throw UsageError("it takes " + choices(T.self))
  }

  private static func choices<T: RawRepresentable & CaseIterable>(_ type: T.Type) -> String where T.RawValue == String {
    let names = T.allCases.map(\.rawValue)
    return names.dropLast().joined(separator: ", ") + " or " + names.last!
  }

  private static func byteCount(_ text: String) throws(UsageError) -> Int {
    guard let bytes = bytes(text) else { throw UsageError("it takes a number of bytes such as 512MB or 4GB") }
    return bytes
  }

  /// A number of bytes as users write it: `4GB`, `512MB`, `1000`. Units are powers of 1024.
  static func bytes(_ text: String) -> Int? {
    let lower = text.lowercased()
    let prefixes = "kmgt"
    let digits = lower.prefix { $0.isNumber || $0 == "." }
    var unit = lower.dropFirst(digits.count).drop { $0 == " " }
    var shift = 0
    if let first = unit.first, let at = prefixes.firstIndex(of: first) {
      shift = 10 * (prefixes.distance(from: prefixes.startIndex, to: at) + 1)
      unit = unit.dropFirst()
      if unit.first == "i" { unit = unit.dropFirst() }
    }
    if unit == "b" { unit = "" }
    guard unit.isEmpty, let number = Double(digits), number * Double(1 << shift) < 9e18 else { return nil }
    return Int(number * Double(1 << shift))
  }

  /// Seconds of an age as users write it: `90s`, `60m`, `2h`, `7d`; a bare number is minutes, as in Athena.
  static func seconds(_ text: String) -> Double? {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let units: [String: Double] = ["s": 1, "m": 60, "": 60, "h": 3600, "d": 86400]
    guard let number = Double(digits), let unit = units[text.dropFirst(digits.count).lowercased()] else { return nil }
    return number * unit
  }

  // Help

  static let usage = "Usage: sqlq [options] [statement], or sqlq command [options]"

  static var help: String {
    let (indent, width) = (26, 80)
    var lines = [
      usage, "",
      "Athena's SQL over local CSV, JSON and Parquet files. Statements are an argument, -e, -f or standard",
      "input; several are separated by ;. Without any on a terminal, an interactive shell starts.",
      "A quoted string in FROM is a file, folder or glob:", "",
      "  sqlq \"SELECT region, sum(amount) FROM 'sample-data/sales/' GROUP BY region\"", "",
    ]
    let all =
      options + [
        Option("-h", "--help", help: "Show this help.") { _, _ in },
        Option("--version", help: "Show the version.") { _, _ in },
      ]
    for option in all {
      guard let help = option.help else { continue }
      var line = "  " + option.names.joined(separator: ", ") + (option.value.map { " <\($0)>" } ?? "")
      if line.count >= indent {
        lines.append(line)
        line = ""
      }
      line += String(repeating: " ", count: indent - line.count)
      var isEmpty = true
      for word in help.split(separator: " ") {
        if !isEmpty, line.count + word.count + 1 > width {
          lines.append(line)
          (line, isEmpty) = (String(repeating: " ", count: indent), true)
        }
        line += (isEmpty ? "" : " ") + word
        isEmpty = false
      }
      lines.append(line)
    }
    lines += ["", "Commands, each with a --help of its own:"]
    for (name, summary) in Subcommands.summaries {
      lines.append("  " + name + String(repeating: " ", count: max(2, indent - 2 - name.count)) + summary)
    }
    return lines.joined(separator: "\n")
  }
}
