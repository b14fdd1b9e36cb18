import QueryPlanner
import SQLFunctions
import SQLSyntax
import TableCatalog

extension StatementRun {
  /// SHOW …
  func show(_ node: ShowSyntax, _ consumer: any ResultConsumer) throws(QueryError) {
    let catalog = try state.catalog()
    let matches = NamePattern(node.pattern?.value, isLike: { if case .like = node.patternKind { true } else { false } }())
    func database(_ name: QualifiedName?) throws(QueryError) -> String {
      let wanted = name?.last.canonicalName ?? state.database
      if try !catalog.hasDatabase(wanted) {
        throw QueryError(.schemaNotFound, "Schema '\(wanted)' does not exist", at: name?.range ?? node.range)
      }
      return wanted
    }
    switch node.subject {
    case .schemas:
      let names = try catalog.databases().map(\.name).filter(matches.matches)
      try consumer.receive(rows: names.map { [$0] }, columns: ["database_name"])
    case .catalogs:
      try consumer.receive(rows: [[CatalogResolver.catalogName]], columns: ["Catalog"])
    case .tables(let schema):
      let names = try catalog.relations(in: database(schema)).map(\.name).filter(matches.matches)
      try consumer.receive(rows: names.map { [$0] }, columns: ["tab_name"])
    case .views(let schema):
      let names = try catalog.relations(in: database(schema)).filter(\.isView).map(\.name).filter(matches.matches)
      try consumer.receive(rows: names.map { [$0] }, columns: ["views"])
    case .columns(let relation):
      let columns = try columns(of: relation)
      try consumer.receive(rows: columns.map { [$0.name] }, columns: ["field"])
    case .functions:
      let entries = FunctionReference.entries.filter { entry in
        matches.matches(entry.name) && !(session.followsAthena && entry.isExtension)
      }
      let rows: [[String?]] = entries.map { entry in
        [
          entry.name, entry.returnType, entry.argumentTypes.joined(separator: ", "), entry.kind.rawValue,
          String(entry.isDeterministic), entry.summary,
        ]
      }
      try consumer.receive(
        rows: rows,
        columns: ["Function", "Return Type", "Argument Types", "Function Type", "Deterministic", "Description"])
    case .session:
      let rows = SessionProperty.all.filter { matches.matches($0.name) }.map { property -> [String?] in
        let initial = property.defaultValue(state.configuration)
        return [property.name, state.properties[property.name] ?? initial, initial, property.type, property.summary]
      }
      try consumer.receive(rows: rows, columns: ["Name", "Value", "Default", "Type", "Description"])
    case .partitions(let name):
      let table = try requireTable(name)
      let names = try catalog.partitions(of: table.name).map {
        PartitionFolder.name(table.partitionColumns.map(\.name), $0.values)
      }
      try consumer.receive(rows: names.map { [$0] }, columns: ["partition"])
    case .tableProperties(let name, let key):
      let table = try requireTable(name)
      if let key {
        let value = table.properties[key.value] ?? "Table \(table.name) does not have property: \(key.value)"
        try consumer.receive(rows: [[value]], columns: ["prpt_value"])
      } else {
        let rows = table.properties.sorted { $0.key < $1.key }.map { [$0.key, $0.value] as [String?] }
        try consumer.receive(rows: rows, columns: ["prpt_name", "prpt_value"])
      }
    case .createTable(let name):
      let lines = createStatement(try requireTable(name))
      try consumer.receive(rows: lines.map { [$0] }, columns: ["createtab_stmt"])
    case .createView(let name):
      let full = try tableName(name)
      guard let view = try catalog.view(full) else {
        throw QueryError(.tableNotFound, "View '\(full)' does not exist", at: name.range)
      }
      let lines = ["CREATE VIEW \(view.name.database).\(view.name.name) AS"] + view.sql.split(separator: "\n").map(String.init)
      try consumer.receive(rows: lines.map { [$0] }, columns: ["Create View"])
    case .createSchema, .stats, .statsForQuery:
      throw .notSupported("This SHOW statement is not supported yet", at: node.range)
    }
  }

  /// DESCRIBE.
  func describe(_ node: DescribeSyntax, _ consumer: any ResultConsumer) throws(QueryError) {
    guard case .table(let syntax) = node.relation else {
      let columns = try columns(of: node.relation)
      try consumer.receive(
        rows: columns.map { [$0.name, $0.type.description, nil] }, columns: ["col_name", "data_type", "comment"])
      return
    }
    let name = try tableName(syntax.name)
    let catalog = try state.catalog()
    var rows: [[String?]] = []
    if let view = try catalog.view(name) {
      rows = view.columns.map { [$0.name, $0.type.hiveName, $0.comment ?? ""] }
    } else {
      let table = try requireTable(syntax.name)
      rows = (table.columns + table.partitionColumns).map { [$0.name, $0.type.hiveName, $0.comment ?? ""] }
      if !table.partitionColumns.isEmpty {
        rows += [[nil, nil, nil], ["# Partition Information", nil, nil], ["# col_name", "data_type", "comment"], [nil, nil, nil]]
        rows += table.partitionColumns.map { [$0.name, $0.type.hiveName, $0.comment ?? ""] }
      }
      if node.detail != nil {
        rows += [[nil, nil, nil], ["# Detailed Table Information", nil, nil]]
        rows += [
          ["Database:", table.name.database, nil], ["Location:", table.location, nil],
          ["SerDe Library:", table.serde ?? table.format, nil],
        ]
        rows += table.properties.sorted { $0.key < $1.key }.map { [$0.key, $0.value, nil] }
      }
    }
    try consumer.receive(rows: rows, columns: ["col_name", "data_type", "comment"])
  }

  func requireTable(_ name: QualifiedName) throws(QueryError) -> TableDefinition {
    let full = try tableName(name)
    let catalog = try state.catalog()
    if let table = try catalog.table(full) { return table }
    throw QueryError(
      .tableNotFound, "Table '\(full)' does not exist", at: name.range,
      hint: NameSuggestion.hint(for: full.name, among: try catalog.relations(in: full.database).map(\.name)))
  }

  /// The columns a relation yields: of a table, a view or a path.
  private func columns(of relation: RelationSyntax) throws(QueryError) -> [Field] {
    let resolver = CatalogResolver(state: state, meter: meter)
    let resolved: ResolvedRelation?
    switch relation {
    case .table(let syntax): resolved = try resolver.resolve(tableName(syntax.name))
    case .file(let file): resolved = try resolver.resolve(path: file.path.value, nil, at: file.range)
    default: resolved = nil
    }
    switch resolved {
    case .table(let table): return table.schema.fields
    case .view(let view): return view.columns?.fields ?? []
    case .rows(let schema, _): return schema.fields
    case nil:
      if case .table(let syntax) = relation { _ = try requireTable(syntax.name) }
      throw QueryError(.tableNotFound, "Relation does not exist", at: relation.range)
    }
  }

  /// The statement that would make the table again, a line per clause.
  private func createStatement(_ table: TableDefinition) -> [String] {
    func quote(_ text: String) -> String { "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'" }
    func columnLines(_ columns: [ColumnDefinition]) -> [String] {
      columns.enumerated().map { index, column in
        let comment = column.comment.map { " COMMENT " + quote($0) } ?? ""
        return "  `\(column.name)` \(column.type.hiveName)\(comment)" + (index == columns.count - 1 ? ")" : ",")
      }
    }
    func propertyLines(_ properties: [String: String]) -> [String] {
      let sorted = properties.sorted { $0.key < $1.key }
      return sorted.enumerated().map { index, pair in
        "  \(quote(pair.key))=\(quote(pair.value))" + (index == sorted.count - 1 ? ")" : ",")
      }
    }
    var lines = ["CREATE EXTERNAL TABLE `\(table.name.database).\(table.name.name)`("] + columnLines(table.columns)
    if let comment = table.comment { lines.append("COMMENT " + quote(comment)) }
    if !table.partitionColumns.isEmpty { lines += ["PARTITIONED BY ("] + columnLines(table.partitionColumns) }
    if let serde = table.serde {
      lines += ["ROW FORMAT SERDE", "  " + quote(serde)]
      if !table.serdeProperties.isEmpty { lines += ["WITH SERDEPROPERTIES ("] + propertyLines(table.serdeProperties) }
    }
    if table.format == "parquet" { lines.append("STORED AS PARQUET") }
    lines += ["LOCATION", "  " + quote(table.location)]
    if !table.properties.isEmpty { lines += ["TBLPROPERTIES ("] + propertyLines(table.properties) }
    return lines
  }
}

/// The patterns of SHOW: regular expressions of `*`, `.*` and `|`, or LIKE's `%` and `_`.
struct NamePattern {
  private let alternatives: [[Character]]?

  init(_ pattern: String?, isLike: Bool) {
    alternatives = pattern.map { pattern in
      if isLike, pattern.contains("%") || pattern.contains("_") {
        return [pattern.lowercased().map { $0 == "%" ? "*" : ($0 == "_" ? "?" : $0) }]
      }
      return pattern.lowercased().split(separator: "|").map { alternative in
        var letters: [Character] = []
        for letter in alternative {
          if letter == "*", letters.last == "." { letters.removeLast() }
          letters.append(letter)
        }
        return letters
      }
    }
  }

  func matches(_ name: String) -> Bool {
    guard let alternatives else { return true }
    let letters = Array(name.lowercased())
    return alternatives.contains { NamePattern.match($0[...], letters[...]) }
  }

  /// `*` matches any letters, `?` one.
  private static func match(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    if first == "*" {
      return match(pattern.dropFirst(), name) || (!name.isEmpty && match(pattern, name.dropFirst()))
    }
    guard let letter = name.first, first == "?" || first == letter else { return false }
    return match(pattern.dropFirst(), name.dropFirst())
  }
}

extension DataType {
  /// The type as Hive's DDL writes it: `string`, `int`, `struct<a:int>`.
  public var hiveName: String {
    switch self {
    case .integer: "int"
    case .real: "float"
    case .varchar(nil): "string"
    case .varbinary: "binary"
    case .timestamp: "timestamp"
    case .array(let element): "array<\(element.hiveName)>"
    case .map(let key, let value): "map<\(key.hiveName),\(value.hiveName)>"
    case .row(let fields):
      "struct<\(fields.enumerated().map { "\($1.name ?? "col\($0)"):\($1.type.hiveName)" }.joined(separator: ","))>"
    default: description
    }
  }
}
