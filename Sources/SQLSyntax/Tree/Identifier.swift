package import QueryErrors

/// Holds a node's source range and keeps it out of the node's equality and hash.
///
/// Two trees are therefore equal when they mean the same SQL, wherever they stand in their texts.
///
/// - Units: 32-bit numbers, half the size of a `SourceRange`; the parser refuses texts beyond a gigabyte.
@propertyWrapper
package struct Positional: Hashable, Sendable {
  private var startOffset: Int32
  private var startLine: Int32
  private var startColumn: Int32
  private var endOffset: Int32
  private var endLine: Int32
  private var endColumn: Int32

  package init(wrappedValue: SourceRange) {
    startOffset = Int32(truncatingIfNeeded: wrappedValue.start.offset)
    startLine = Int32(truncatingIfNeeded: wrappedValue.start.line)
    startColumn = Int32(truncatingIfNeeded: wrappedValue.start.column)
    endOffset = Int32(truncatingIfNeeded: wrappedValue.end.offset)
    endLine = Int32(truncatingIfNeeded: wrappedValue.end.line)
    endColumn = Int32(truncatingIfNeeded: wrappedValue.end.column)
  }

  package var wrappedValue: SourceRange {
    get {
      SourceRange(
        start: SourcePosition(offset: Int(startOffset), line: Int(startLine), column: Int(startColumn)),
        end: SourcePosition(offset: Int(endOffset), line: Int(endLine), column: Int(endColumn)))
    }
    set { self = Positional(wrappedValue: newValue) }
  }

  package static func == (left: Positional, right: Positional) -> Bool { true }

  package func hash(into hasher: inout Hasher) {}
}

/// One name, as written and as compared.
///
/// Identifiers are equal when their canonical names are: Trino compares names without regard to case, delimited or not.
package struct Identifier: Sendable {
  /// The name as written, quotes removed and doubled quotes undone.
  package var name: String
  /// The name in lower case; what look-ups use.
  package var canonicalName: String
  /// Whether the name was written in quotes (`"a"` or a backquoted `a`).
  package var isDelimited: Bool
  @Positional package var range: SourceRange

  package init(name: String, isDelimited: Bool = false, range: SourceRange) {
    self.name = name
    self.isDelimited = isDelimited
    self.canonicalName = name.utf8.allSatisfy { $0 < 0x80 && !($0 >= 0x41 && $0 <= 0x5A) } ? name : name.lowercased()
    self.range = range
  }
}

extension Identifier: Hashable {
  package static func == (left: Identifier, right: Identifier) -> Bool { left.canonicalName == right.canonicalName }

  package func hash(into hasher: inout Hasher) { hasher.combine(canonicalName) }
}

/// A name of one or more parts: `catalog.schema.table`.
///
/// - Shape: `parts` is never empty.
package struct QualifiedName: Hashable, Sendable {
  package var parts: [Identifier]
  @Positional package var range: SourceRange

  package init(parts: [Identifier], range: SourceRange) {
    self.parts = parts
    self.range = range
  }

  /// A name of one part.
  package init(_ identifier: Identifier) { self.init(parts: [identifier], range: identifier.range) }

  /// The last part: `table` of `schema.table`.
  package var last: Identifier { parts[parts.count - 1] }

  /// The canonical parts joined by dots.
  package var canonicalName: String {
    parts.count == 1 ? parts[0].canonicalName : parts.map(\.canonicalName).joined(separator: ".")
  }
}

/// A string literal in a place where the grammar allows nothing else: comments, locations, patterns, paths.
package struct StringSyntax: Hashable, Sendable {
  /// The text, quotes removed and escapes undone.
  package var value: String
  @Positional package var range: SourceRange

  package init(value: String, range: SourceRange) {
    self.value = value
    self.range = range
  }
}
