package import Columnar
package import QueryErrors

/// Columns and types that a table function's call declares for files whose schema is told from samples otherwise.
package struct GivenColumns: Sendable {
  /// By name in lower case.
  package private(set) var types: [String: DataType] = [:]
  /// All columns in the order of the file.
  private(set) var columns: [Field]?
  /// The call's options besides the path, as written, for hints.
  private(set) var call = ""

  init() {}

  /// - Throws: `INVALID_TABLE_PROPERTY` for what is no list of names and types.
  init(_ properties: [String: String]) throws(QueryError) {
    call = properties["call"] ?? ""
    if let text = properties["types"] {
      for field in try GivenColumns.fields(text, "types") { types[field.name.lowercased()] = field.type }
    }
    if let text = properties["columns"] { columns = try GivenColumns.fields(text, "columns") }
  }

  /// `id bigint, name varchar`: names and types as in a row type.
  ///
  /// - Throws: `INVALID_TABLE_PROPERTY`.
  package static func fields(_ text: String, _ option: String) throws(QueryError) -> [Field] {
    guard case .row(let fields)? = DataType(parsing: "row(\(text))"), fields.allSatisfy({ $0.name != nil }) else {
      throw QueryError(
        .invalidTableProperty, "\(option) is no list of names and types: '\(text)'",
        hint: "Write it as \(option) => 'id bigint, name varchar, at timestamp'.")
    }
    return fields.map { Field($0.name!, $0.type) }
  }

  /// The columns of a file with what was declared put over what was found.
  func apply(to found: [Field]) -> [Field] {
    let named = columns ?? found
    if types.isEmpty { return named }
    return named.map { Field($0.name, types[$0.name.lowercased()] ?? $0.type) }
  }

  /// Whether a column's type was declared.
  func declares(_ column: String) -> Bool { columns != nil || types[column.lowercased()] != nil }

  /// Declared types take all forms a value may have; others only those that lose nothing.
  func policy(of column: String, _ usual: ValuePolicy) -> ValuePolicy {
    guard declares(column) else { return usual }
    var policy = usual
    policy.isStrict = false
    policy.acceptsInstants = true
    return policy
  }
}

/// What to run when what samples suggested does not hold: the whole call.
struct InferenceHint {
  var function: String
  var path: String
  var given: GivenColumns

  func call(_ option: String) -> String {
    let options = given.call.isEmpty ? option : given.call + ", " + option
    return "SELECT * FROM TABLE(\(function)('\(InferenceHint.quoted(path))', \(options)))"
  }

  private static func quoted(_ text: String) -> String {
    text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
  }

  /// For a value that is not of its column's type.
  func type(_ column: String, _ type: DataType) -> String {
    if given.declares(column) { return "The type \(type) was declared in the call." }
    let isPlain =
      !column.isEmpty && column.utf8.allSatisfy { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a || $0 == 0x5f || $0 &- 0x30 <= 9 }
      && column.utf8.first! &- 0x30 > 9
    let name = isPlain ? column : "\"" + column.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    return "The type was told from a sample of the file. Declare it: "
      + call("types => '\(InferenceHint.quoted(name)) varchar'")
  }

  var encoding: String {
    "If the file is in another character set, name it: " + call("encoding => 'ISO-8859-1'")
  }

  var quotes: String { "If the file has no quotes, say so: " + call("quote => ''") }
}
