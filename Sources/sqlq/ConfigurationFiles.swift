import Glibc
import QueryEngine
import QueryShell

/// The configuration: a file of the user and one of the project, in TOML.
///
///     max_scan = "10GB"            # any option of the command line that has a long name, `_` for `-`
///     read_only = true
///
///     [shell]                      # what \pset lists
///     theme = "light"
///     confirm_above = 0.50
///
///     [parameters]                 # values for :name
///     day = 2024-03-01
///
/// - Source: XDG Base Directory Specification: `$XDG_CONFIG_HOME/sqlq/config.toml`, else `~/.config/sqlq/config.toml`; then
///   `.sqlq.toml` of the working directory or the nearest one above it. Options given on the command line go before both.
struct ConfigurationFiles {
  /// One file's settings.
  struct File {
    var path: String
    var content: TOMLValue
    /// Whether it comes with a project, so that it may not say where this user's files go.
    var isOfProject: Bool
  }

  /// Options that a project's file may not set: files of the user that would be read or written elsewhere.
  static let refusedInProjects = ["home", "output_location", "temp_dir", "s3_endpoint", "profile", "profile_page", "chart"]

  /// The files that exist, the user's first.
  ///
  /// - Throws: `UsageError` for one that cannot be read or is no TOML.
  static func find() throws(CommandLineOptions.UsageError) -> [File] {
    var files: [File] = []
    let home = environment("HOME")
    let folder = environment("XDG_CONFIG_HOME") ?? home.map { $0 + "/.config" }
    if let folder, let file = try read(folder + "/sqlq/config.toml", isOfProject: false) { files.append(file) }
    var place = getcwd(nil, 0).map { pointer in
      defer { free(pointer) }
      return String(cString: pointer)
    }
    while let current = place {
      if let file = try read((current == "/" ? "" : current) + "/.sqlq.toml", isOfProject: true) {
        files.append(file)
        break
      }
      // Others may write above the user's own folders.
      guard current != "/", current != home, let slash = current.lastIndex(of: "/") else { break }
      place = slash == current.startIndex ? "/" : String(current[..<slash])
    }
    return files
  }

  private static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func read(_ path: String, isOfProject: Bool) throws(CommandLineOptions.UsageError) -> File? {
    if access(path, F_OK) != 0 { return nil }
    // A file of somebody else is none of the user's project.
    var status = stat()
    if isOfProject, stat(path, &status) == 0, status.st_uid != getuid(), status.st_uid != 0 { return nil }
    guard let text = TextFile.read(path) else {
      throw CommandLineOptions.UsageError("Cannot read \(path): \(String(cString: strerror(errno)))")
    }
    do throws(TOMLError) {
      return File(path: path, content: try TOMLParser.parse(Array(text.utf8)), isOfProject: isOfProject)
    } catch {
      throw CommandLineOptions.UsageError("\(path):\(error.line):\(error.column): \(error.message).")
    }
  }
}

extension CommandLineOptions {
  /// Takes what a file sets.
  mutating func apply(_ file: ConfigurationFiles.File) throws(UsageError) {
    guard case .table(let settings) = file.content else { return }
    for (key, value) in settings.sorted(by: { $0.key < $1.key }) {
      switch (key, value) {
      case ("shell", .table(let members)):
        for (name, value) in members.sorted(by: { $0.key < $1.key }) { shellOptions.append((name, try text(value, name, file), file.path)) }
      case ("parameters", .table(let members)):
        for (name, value) in members { parameters[name] = try parameter(value, name, file) }
      default: try set(key, value, file)
      }
    }
  }

  private mutating func set(_ key: String, _ value: TOMLValue, _ file: ConfigurationFiles.File) throws(UsageError) {
    if file.isOfProject, ConfigurationFiles.refusedInProjects.contains(key) {
      throw UsageError("\(file.path): '\(key)' can only be set in the user's own configuration.")
    }
    let name = "--" + key.replacing("_", with: "-")
    guard CommandLineOptions.takesValue(name) != nil else {
      let hint = NameSuggestion.hint(for: key, among: CommandLineOptions.settingNames + ["shell", "parameters"]).map { " " + $0 } ?? ""
      throw UsageError("\(file.path): Unknown setting '\(key)'.\(hint)")
    }
    var values = [value]
    if case .array(let several) = value { values = several }
    for value in values {
      if case .boolean(let isOn) = value, CommandLineOptions.takesValue(name) == false {
        if isOn { try take(name, "", file) }
      } else {
        try take(name, try text(value, key, file), file)
      }
    }
  }

  private mutating func take(_ name: String, _ value: String, _ file: ConfigurationFiles.File) throws(UsageError) {
    do { try apply(option: name, value) } catch { throw UsageError("\(file.path): '\(name.dropFirst(2))' cannot be '\(value)': \(error.message).") }
  }

  private func text(_ value: TOMLValue, _ key: String, _ file: ConfigurationFiles.File) throws(UsageError) -> String {
    switch value {
    case .string(let text), .dateTime(let text): return text
    case .integer(let number): return "\(number)"
    case .double(let number): return "\(number)"
    case .boolean(let isOn): return isOn ? "on" : "off"
    case .array, .table: throw UsageError("\(file.path): '\(key)' cannot be \(value.kind).")
    }
  }

  private func parameter(_ value: TOMLValue, _ name: String, _ file: ConfigurationFiles.File) throws(UsageError) -> SQLParameter {
    switch value {
    case .string(let text): return SQLParameter(text)
    case .integer(let number): return SQLParameter(number)
    case .boolean(let isOn): return SQLParameter(isOn)
    case .double, .dateTime:
      if let parsed = ParameterText.parse("x=" + (try text(value, name, file))) { return parsed.value }
      fallthrough
    default: throw UsageError("\(file.path): the parameter '\(name)' cannot be \(value.kind).")
    }
  }
}
