import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLSyntax
import TableCatalog

/// `TABLE(read_csv('x.csv', delimiter => ';'))`: files with how they are to be read.
extension Binder {
  func bindRead(_ function: TableFunctionSyntax, _ reader: ReadFunction) throws(QueryError) -> BoundRelation {
    let names = ["path"] + reader.options.map(\.name)
    var path: String?
    var properties: [String: String] = [:]
    var call: [String] = []
    for (position, argument) in function.arguments.enumerated() {
      guard let name = argument.name?.canonicalName ?? (position == 0 ? "path" : nil) else {
        throw QueryError(
          .invalidArguments, "Only the path may be passed without its name", at: argument.range,
          hint: "Write \(reader.name)('path', \(names[1]) => …).")
      }
      guard names.contains(name) else {
        throw QueryError(
          .invalidFunctionArgument, "Unexpected argument name: \(name.uppercased())", at: argument.range,
          hint: NameSuggestion.hint(for: name, among: names)
            ?? "Options of \(reader.name) are \(names.dropFirst().joined(separator: ", ")).")
      }
      guard case .expression(let syntax) = argument.value else {
        throw QueryError(.invalidArguments, "Invalid argument \(name.uppercased()). Expected expression", at: argument.range)
      }
      let (value, type) = try Binder.evaluateConstant(syntax, session: session)
      if name == "path" {
        guard path == nil else {
          throw QueryError(.invalidFunctionArgument, "Duplicate argument name: PATH", at: argument.range)
        }
        guard case .bytes(let bytes) = value, type.isCharacter else {
          throw QueryError(
            .invalidFunctionArgument, "Invalid argument PATH: expected varchar, actual type \(type)", at: argument.range)
        }
        path = String(decoding: bytes, as: UTF8.self)
        continue
      }
      let option = reader.options.first { $0.name == name }!
      guard properties[option.property] == nil else {
        throw QueryError(.invalidFunctionArgument, "Duplicate argument name: \(name.uppercased())", at: argument.range)
      }
      guard let text = try Binder.text(of: option, value, type, at: argument.range) else { continue }
      properties[option.property] = text
      if option.kind != .types || name == "columns" { call.append("\(name) => \(Binder.literal(value, type, text))") }
    }
    guard let path else { throw QueryError(.missingArgument, "Missing argument: PATH", at: function.range) }
    if !call.isEmpty { properties["call"] = call.joined(separator: ", ") }
    let reading = PathReading(format: reader.format, properties: properties)
    guard let resolved = try catalog.resolve(path: path, reading, at: function.range) else {
      throw QueryError(.tableNotFound, "No files match '\(path)'", at: function.range)
    }
    let relation = try relationOf(resolved, nil, function.range)
    try check(properties["types"], relation, function)
    return relation
  }

  /// Columns whose types are declared have to be there.
  private func check(_ types: String?, _ relation: BoundRelation, _ function: TableFunctionSyntax) throws(QueryError) {
    guard let types, let argument = function.arguments.first(where: { $0.name?.canonicalName == "types" }),
      case .row(let fields)? = DataType(parsing: "row(\(types))")
    else { return }
    let known = relation.fields.compactMap { $0.name }
    for field in fields {
      guard let name = field.name, !known.contains(where: { $0.lowercased() == name.lowercased() }) else { continue }
      throw QueryError(
        .columnNotFound, "Column '\(name)' of TYPES is not in the files", at: argument.range,
        hint: NameSuggestion.hint(for: name, among: known))
    }
  }

  /// An option's value as its property has it; nil for NULL.
  private static func text(
    of option: ReadFunction.Option, _ value: Scalar, _ type: DataType, at range: SourceRange
  ) throws(QueryError) -> String? {
    func wrong(_ expected: String) -> QueryError {
      QueryError(
        .invalidFunctionArgument,
        "Invalid argument \(option.name.uppercased()): expected \(expected), actual type \(type)", at: range)
    }
    if value.isNull { return nil }
    switch option.kind {
    case .flag:
      guard case .boolean(let flag) = value else { throw wrong("boolean") }
      return flag ? "true" : "false"
    case .count:
      guard case .integer(let count) = value, type.isInteger else { throw wrong("bigint") }
      guard count >= 0 || (count == -1 && option.name == "sample_size") else {
        throw QueryError(
          .invalidFunctionArgument, "\(option.name.uppercased()) must not be negative: \(count)", at: range,
          hint: option.name == "sample_size" ? "sample_size => -1 looks at all records." : nil)
      }
      return String(count)
    case .types:
      if case .map(let entries) = value {
        var parts: [String] = []
        for entry in entries {
          guard case .bytes(let name) = entry.key, case .bytes(let type) = entry.value else { throw wrong("map(varchar, varchar)") }
          let quoted = String(decoding: name, as: UTF8.self).split(separator: "\"", omittingEmptySubsequences: false)
          parts.append("\"" + quoted.joined(separator: "\"\"") + "\" " + String(decoding: type, as: UTF8.self))
        }
        return parts.joined(separator: ", ")
      }
      guard case .bytes(let bytes) = value, type.isCharacter else { throw wrong("varchar or map(varchar, varchar)") }
      return String(decoding: bytes, as: UTF8.self)
    case .text, .character:
      guard case .bytes(let bytes) = value, type.isCharacter else { throw wrong("varchar") }
      let text = String(decoding: bytes, as: UTF8.self)
      if option.kind == .character, text.isEmpty, option.name == "delimiter" {
        throw QueryError(.invalidFunctionArgument, "DELIMITER must not be empty", at: range)
      }
      return text
    }
  }

  /// A value as it is written in SQL.
  private static func literal(_ value: Scalar, _ type: DataType, _ text: String) -> String {
    switch value {
    case .boolean, .integer: return text
    default: return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
  }
}
