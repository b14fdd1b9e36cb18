import Columnar
import QueryErrors
import SQLExpressions
import SQLSyntax

/// One column that names may refer to.
struct ScopeField {
  /// The relation's name in lower case, most qualified first: `["awsdatacatalog", "default", "t"]`, `["t"]`, or none.
  var qualifier: [String]
  /// As results show it; nil for columns without a name.
  var name: String?
  var reference: ColumnReference
  /// Left out of `*`: `$path` and its like.
  var isHidden = false

  init(qualifier: [String], name: String?, reference: ColumnReference, isHidden: Bool = false) {
    self.qualifier = qualifier
    self.name = name
    self.reference = reference
    self.isHidden = isHidden
  }

  /// Whether `parts`, all but the last of a name, mean this field's relation.
  func matches(prefix parts: some RandomAccessCollection<Identifier>) -> Bool {
    if parts.isEmpty { return true }
    if parts.count > qualifier.count { return false }
    return zip(parts.reversed(), qualifier.reversed()).allSatisfy { $0.canonicalName == $1 }
  }
}

/// The columns that names in one place of a query may mean, and the scope around it.
final class Scope {
  let fields: [ScopeField]
  let parent: Scope?
  private let indices: [String: [Int]]

  init(fields: [ScopeField], parent: Scope?) {
    self.fields = fields
    self.parent = parent
    var indices: [String: [Int]] = [:]
    for (index, field) in fields.enumerated() {
      if let name = field.name { indices[name.canonicalIdentifier, default: []].append(index) }
    }
    self.indices = indices
  }

  /// Fields that `parts` (qualifier and column) may mean in this scope alone.
  func localMatches(_ parts: some RandomAccessCollection<Identifier>) -> [ScopeField] {
    guard let last = parts.last, let candidates = indices[last.canonicalName] else { return [] }
    let prefix = parts.dropLast()
    return candidates.map { fields[$0] }.filter { $0.matches(prefix: prefix) }
  }

  /// The field a name means, inner scopes first.
  ///
  /// - Returns: nil when no scope has it, or when a prefix of the name is a column whose fields the rest must name.
  /// - Throws: `AMBIGUOUS_NAME`.
  /// - Source: Trino `Scope.resolveField`.
  func resolve(_ parts: [Identifier], at range: SourceRange) throws(QueryError) -> (field: ScopeField, scope: Scope)? {
    var scope: Scope? = self
    while let current = scope {
      let matches = current.localMatches(parts)
      if matches.count > 1 {
        let name = parts.map(\.canonicalName).joined(separator: ".")
        throw QueryError(
          .ambiguousName, "Column '\(name)' is ambiguous", at: range,
          hint: current.qualificationHint(parts, matches))
      }
      if let match = matches.first { return (match, current) }
      if current.isColumnPrefix(parts) { return nil }
      scope = current.parent
    }
    return nil
  }

  private func qualificationHint(_ parts: [Identifier], _ matches: [ScopeField]) -> String? {
    let names = matches.compactMap { field in
      field.qualifier.last.map { "\($0).\(parts[parts.count - 1].canonicalName)" }
    }
    guard Set(names).count == matches.count else { return nil }
    return "Write " + names.map { "'\($0)'" }.joined(separator: " or ") + "."
  }

  /// Whether a proper prefix of the name is a column here.
  func isColumnPrefix(_ parts: [Identifier]) -> Bool {
    var prefix = parts.dropLast()
    while !prefix.isEmpty {
      if !localMatches(prefix).isEmpty { return true }
      prefix = prefix.dropLast()
    }
    return false
  }

  /// Whether a prefix of the name is a column here or further out.
  func isColumnReference(_ parts: [Identifier]) -> Bool {
    var scope: Scope? = self
    while let current = scope {
      if current.isColumnPrefix(parts) { return true }
      scope = current.parent
    }
    return false
  }

  /// Whether the name, or the column that it starts with, is a row or JSON, so that `.*` may follow.
  func namesRow(_ parts: [Identifier], at range: SourceRange) throws(QueryError) -> Bool {
    var prefix = parts
    while !prefix.isEmpty {
      if let found = try resolve(prefix, at: range) {
        switch found.field.reference.type {
        case .row, .json: return true
        default: return false
        }
      }
      prefix.removeLast()
    }
    return false
  }

  /// Whether some relation here or further out has the name.
  func hasRelation(_ parts: [Identifier]) -> Bool {
    fields.contains { $0.matches(prefix: parts) && !parts.isEmpty } || (parent?.hasRelation(parts) ?? false)
  }

  /// Names for "Did you mean": columns of all scopes.
  var columnNames: [String] {
    fields.compactMap { $0.isHidden ? nil : $0.name } + (parent?.columnNames ?? [])
  }
}

extension String {
  /// The name as look-ups compare it.
  var canonicalIdentifier: String {
    utf8.allSatisfy { $0 < 0x80 && !($0 >= 0x41 && $0 <= 0x5A) } ? self : lowercased()
  }
}
