/// Prints syntax trees as SQL text that parses to an equal tree again.
///
/// `SHOW CREATE VIEW`, EXPLAIN and messages use it. Parentheses appear where precedence asks for them and nowhere else;
/// keywords are upper case; names keep their case and their quotes. Hive's statements get backquotes, backslash escapes
/// and Hive's spelling of types, the others Trino's.
///
///     select a,b from t where (x=1)   →   SELECT a, b FROM t WHERE x = 1
///
/// Parameters are printed as `?` in tree order; a statement with parameters is better kept as its own text, since
/// `POSITION(? IN ?)` stands in the tree with its operands exchanged.
package struct SQLFormatter {
  /// How text is laid out.
  package enum Layout: Sendable {
    /// Everything on one line.
    case line
    /// One clause a line and one SELECT item a line, as Trino lays out views.
    case lines
  }

  let layout: Layout
  var text = ""
  var indent = 0
  /// Whether a statement of Hive's is being printed.
  var isHive = false

  private init(layout: Layout) { self.layout = layout }

  /// A statement's text, without `;`.
  package static func format(_ statement: StatementSyntax, layout: Layout = .line) -> String {
    var formatter = SQLFormatter(layout: layout)
    formatter.write(statement)
    return formatter.text
  }

  /// A query's text.
  package static func format(_ query: QuerySyntax, layout: Layout = .line) -> String {
    var formatter = SQLFormatter(layout: layout)
    formatter.write(query)
    return formatter.text
  }

  /// An expression's text.
  package static func format(_ expression: ExpressionSyntax) -> String {
    var formatter = SQLFormatter(layout: .line)
    formatter.write(expression)
    return formatter.text
  }

  /// A relation's text.
  package static func format(_ relation: RelationSyntax) -> String {
    var formatter = SQLFormatter(layout: .line)
    formatter.write(relation)
    return formatter.text
  }

  /// A type's text in Trino's spelling, or in Hive's.
  package static func format(_ type: TypeSyntax, isHive: Bool = false) -> String {
    var formatter = SQLFormatter(layout: .line)
    formatter.isHive = isHive
    formatter.write(type)
    return formatter.text
  }

  /// A name's text, quoted if it has to be or was.
  package static func format(_ identifier: Identifier) -> String {
    var formatter = SQLFormatter(layout: .line)
    formatter.write(identifier)
    return formatter.text
  }

  /// A string literal's text.
  package static func quote(_ string: String) -> String {
    "'" + string.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }
}

// MARK: - Pieces

extension SQLFormatter {
  mutating func write(_ piece: String) { text += piece }

  /// Starts a new line, or just a new word.
  mutating func writeBreak() {
    if layout == .line {
      text += " "
    } else {
      text += "\n" + String(repeating: " ", count: indent * 2)
    }
  }

  mutating func writeList<Element>(
    _ list: [Element], separator: String = ", ", _ body: (inout SQLFormatter, Element) -> Void
  ) {
    for (position, element) in list.enumerated() {
      if position > 0 { text += separator }
      body(&self, element)
    }
  }

  mutating func write(_ identifier: Identifier) {
    if !identifier.isDelimited, SQLFormatter.isPlain(identifier.name, isHive: isHive) {
      text += identifier.name
      return
    }
    let quote: Character = isHive ? "`" : "\""
    text.append(quote)
    for character in identifier.name {
      if character == quote { text.append(quote) }
      text.append(character)
    }
    text.append(quote)
  }

  /// Whether a name needs no quotes.
  private static func isPlain(_ name: String, isHive: Bool) -> Bool {
    var name = name
    return name.withUTF8 { bytes in
      guard let first = bytes.first, first | 0x20 >= 0x61 && first | 0x20 <= 0x7A || first == 0x5F else { return false }
      for byte in bytes
      where !(byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte == 0x5F || (byte >= 0x30 && byte <= 0x39)) {
        return false
      }
      return !(Keyword.lookUp(bytes)?.isReserved ?? false)
    }
  }

  mutating func write(_ name: QualifiedName) {
    writeList(name.parts, separator: ".") { $0.write($1) }
  }

  mutating func write(_ string: StringSyntax) { writeString(string.value) }

  mutating func writeString(_ string: String) {
    guard isHive else {
      text += SQLFormatter.quote(string)
      return
    }
    text += "'"
    for scalar in string.unicodeScalars {
      switch scalar {
      case "'": text += "\\'"
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\0": text += "\\0"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 8)
          text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    text += "'"
  }

  mutating func writeNames(_ names: [Identifier]) {
    text += "("
    writeList(names) { $0.write($1) }
    text += ")"
  }

  mutating func writeExpressions(_ expressions: [ExpressionSyntax]) {
    writeList(expressions) { $0.write($1) }
  }
}

// MARK: - Types

extension SQLFormatter {
  mutating func write(_ type: TypeSyntax) {
    switch type {
    case .named(let type):
      write(type.name)
      guard !type.parameters.isEmpty else { return }
      text += "("
      writeList(type.parameters, separator: isHive ? "," : ", ") { formatter, parameter in
        switch parameter {
        case .integer(let value): formatter.write(String(value))
        case .type(let type): formatter.write(type)
        }
      }
      text += ")"
    case .array(let type):
      text += isHive ? "array<" : "array("
      write(type.element)
      text += isHive ? ">" : ")"
    case .map(let type):
      text += isHive ? "map<" : "map("
      write(type.key)
      text += isHive ? "," : ", "
      write(type.value)
      text += isHive ? ">" : ")"
    case .row(let type): write(type)
    case .dateTime(let type):
      text += type.base.rawValue
      if let precision = type.precision { text += "(\(precision))" }
      if type.isWithTimeZone { text += " with time zone" }
    case .interval(let type):
      text += "interval " + type.from.rawValue.lowercased()
      if let to = type.to { text += " to " + to.rawValue.lowercased() }
    }
  }

  private mutating func write(_ type: RowTypeSyntax) {
    let isStruct = isHive && type.fields.allSatisfy { $0.name != nil }
    text += isStruct ? "struct<" : "row("
    writeList(type.fields, separator: isStruct ? "," : ", ") { formatter, field in
      if let name = field.name {
        formatter.write(name)
        formatter.write(isStruct ? ":" : " ")
      }
      formatter.write(field.type)
      if isStruct, let comment = field.comment {
        formatter.write(" COMMENT ")
        formatter.write(comment)
      }
    }
    text += isStruct ? ">" : ")"
  }
}
