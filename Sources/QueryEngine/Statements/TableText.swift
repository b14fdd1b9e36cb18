import FileFormats
import SQLSyntax
import TableCatalog

/// Definitions as DDL that makes them again, a line a clause as Athena prints them.
enum TableText {
  /// SHOW CREATE TABLE.
  static func create(_ table: TableDefinition) -> [String] {
    var lines = ["CREATE EXTERNAL TABLE `\(table.name.database).\(table.name.name)`("] + list(table.columns)
    if let comment = table.comment { lines += ["COMMENT", "  " + quoted(comment)] }
    if !table.partitionColumns.isEmpty { lines += ["PARTITIONED BY ( "] + list(table.partitionColumns) }
    if let bucketing = table.bucketing {
      lines += ["CLUSTERED BY ( "] + close(bucketing.columns.map { "  `\($0)`" })
      if !bucketing.sortColumns.isEmpty {
        lines += ["SORTED BY ( "] + close(bucketing.sortColumns.map { "  `\($0.name)` \($0.isDescending ? "DESC" : "ASC")" })
      }
      lines += ["INTO \(bucketing.count) BUCKETS"]
    }
    let storage = TableStorage(table)
    if let serde = storage.serde {
      lines += ["ROW FORMAT SERDE ", "  " + quoted(serde) + " "]
      if !table.serdeProperties.isEmpty { lines += ["WITH SERDEPROPERTIES ( "] + list(table.serdeProperties) }
    }
    if let input = storage.inputFormat, let output = storage.outputFormat {
      lines += ["STORED AS INPUTFORMAT ", "  " + quoted(input) + " ", "OUTPUTFORMAT ", "  " + quoted(output)]
    } else if let word = storage.storedAs {
      lines += ["STORED AS \(word)"]
    }
    lines += ["LOCATION", "  " + quoted(table.location)]
    if !table.properties.isEmpty { lines += ["TBLPROPERTIES ("] + list(table.properties) }
    return lines
  }

  /// SHOW CREATE DATABASE.
  static func create(_ database: DatabaseDefinition) -> [String] {
    var lines = ["CREATE DATABASE `\(database.name)`"]
    if let comment = database.comment { lines += ["COMMENT", "  " + quoted(comment)] }
    if let location = database.location { lines += ["LOCATION", "  " + quoted(location)] }
    if !database.properties.isEmpty { lines += ["WITH DBPROPERTIES ("] + list(database.properties) }
    return lines
  }

  /// SHOW CREATE VIEW.
  ///
  /// - Parameter columns: a column list, for a view whose columns are not named as its query's.
  static func create(_ view: StoredView, columns: [String]?) -> [String] {
    let names = columns.map { " (" + $0.map(delimited).joined(separator: ", ") + ")" } ?? ""
    var head = "CREATE VIEW \(delimited(view.name.database)).\(delimited(view.name.name))\(names)"
    if let comment = view.comment { head += " COMMENT \(standardQuoted(comment))" }
    return [head + " AS"] + view.sql.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  // MARK: Parts

  private static func list(_ columns: [ColumnDefinition]) -> [String] {
    close(columns.map { "  `\($0.name)` \($0.type.hiveName)" + ($0.comment.map { " COMMENT " + quoted($0) } ?? "") })
  }

  private static func list(_ properties: [String: String]) -> [String] {
    close(properties.sorted { $0.key < $1.key }.map { "  \(quoted($0.key))=\(quoted($0.value))" })
  }

  /// The lines of a list with commas between them and a parenthesis behind.
  private static func close(_ lines: [String]) -> [String] {
    lines.enumerated().map { $1 + ($0 == lines.count - 1 ? ")" : ", ") }
  }

  /// A text as Hive's DDL has it: backslash escapes.
  static func quoted(_ text: String) -> String {
    var out = "'"
    for scalar in text.unicodeScalars {
      switch scalar {
      case "'": out += "\\'"
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\0"..<" ": out += "\\u" + String(String(scalar.value + 0x10000, radix: 16).dropFirst())
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "'"
  }

  private static func standardQuoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  /// A name in double quotes where it needs them.
  private static func delimited(_ name: String) -> String {
    let isPlain = name.utf8.allSatisfy { $0 &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x5f } && !(name.utf8.first.map { $0 &- 0x30 < 10 } ?? true)
    if isPlain, (try? Parser.parseExpression(name)) != nil { return name }
    return "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}

/// The class names behind a table's format, from its descriptor where the table names none.
struct TableStorage {
  var serde: String?
  var inputFormat: String?
  var outputFormat: String?
  /// What follows STORED AS, for formats without classes.
  var storedAs: String?

  init(_ table: TableDefinition) {
    let format = FormatRegistry.format(named: table.format, serde: table.serde, inputFormat: table.inputFormat)
    let descriptor = format?.descriptor
    let classes = descriptor.flatMap { FormatRegistry.classes(of: $0) }
    serde = table.serde ?? descriptor?.serdes.first
    inputFormat = table.inputFormat ?? classes?.input
    outputFormat = table.outputFormat ?? classes?.output
    storedAs = descriptor?.storedAs.first
  }
}
