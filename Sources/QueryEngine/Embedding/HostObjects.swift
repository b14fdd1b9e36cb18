import SQLFunctions

/// What the program that embeds the engine gave it, by name in lower case.
struct HostObjects {
  var functions: [String: ScalarFunction] = [:]
  var tables: [String: HostTable] = [:]
}
