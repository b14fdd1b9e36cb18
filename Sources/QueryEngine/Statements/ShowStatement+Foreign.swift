import ConnectorSDK
import QueryErrors
import QueryPlanner
import SQLSyntax
import TableCatalog

extension ShowStatement {
  /// What a statement about a foreign catalog lists; nil for the home's own.
  func foreign(_ context: StatementContext, _ matches: NamePattern) throws(QueryError) -> PreparedStatement? {
    switch node.subject {
    case .schemas(let catalog?):
      guard let connection = try context.foreignConnection(catalog.canonicalName, at: catalog.range) else { return nil }
      let names = try connection.catalog.schemaNames() + [InformationSchema.databaseName]
      return .listing(["database_name"], names.filter(matches.matches).map { [$0] })
    case .tables(let schema), .views(let schema):
      let catalogName: String
      let schemaName: String
      if let schema, schema.parts.count > 1 {
        (catalogName, schemaName) = (schema.parts[0].canonicalName, schema.last.canonicalName)
      } else {
        (catalogName, schemaName) = (context.settings.catalog, schema?.last.canonicalName ?? context.settings.database)
      }
      let range = schema?.range ?? node.range
      guard let connection = try context.foreignConnection(catalogName, at: range) else { return nil }
      guard let names = try connection.catalog.tableNames(in: schemaName) else {
        throw QueryError(.schemaNotFound, "Schema '\(schemaName)' does not exist", at: range)
      }
      if case .views = node.subject {
        throw .notSupported("SHOW VIEWS of a foreign catalog: its views are tables here", at: range)
      }
      return .listing(["tab_name"], names.filter(matches.matches).map { [$0] })
    case .createTable(let name):
      let full = try context.anyTableName(name)
      guard try context.foreignConnection(full.catalog, at: name.range) != nil else { return nil }
      guard let resolved = try context.resolver.resolve(full), case .foreign(let table, isProven: _) = resolved else {
        throw QueryError(.tableNotFound, "Table '\(full)' does not exist", at: name.range)
      }
      let columns = table.columns.fields.map { "  \(SQLWords.quoted($0.name)) \($0.type)" }
      let lines = ["CREATE TABLE \(full) ("] + closed(columns)
      return .listing(["createtab_stmt"], lines.map { [$0] })
    case .createCatalog(let name):
      guard let definition = try context.engine.openForeignCatalogs().definition(name.canonicalName) else {
        throw QueryError(
          .catalogNotFound, "Catalog '\(name.canonicalName)' does not exist", at: name.range,
          hint: NameSuggestion.hint(for: name.canonicalName, among: context.foreign.names))
      }
      return .listing(["Create Catalog"], createStatement(definition, context).map { [$0] })
    default: return nil
    }
  }

  /// The statement that would make the catalog again, but for its secrets.
  private func createStatement(_ definition: ForeignCatalogDefinition, _ context: StatementContext) -> [String] {
    func quoted(_ text: String) -> String { SQLWords.text(Array(text.utf8)) ?? "''" }
    let known = context.engine.connectors[definition.connector]?.connector.properties ?? []
    let properties = definition.properties.sorted { $0.key < $1.key }.map { (name, value) -> String in
      let isPublic = known.contains { $0.name == name && !$0.isSecret } || value.hasPrefix("${ENV:")
      return "  \(SQLWords.quoted(name)) = \(quoted(isPublic ? value : SecretText.mask))"
    }
    var lines = ["CREATE CATALOG \(SQLWords.quoted(definition.name)) USING \(definition.connector)"]
    if let comment = definition.comment { lines.append("COMMENT " + quoted(comment)) }
    if !properties.isEmpty { lines += ["WITH ("] + closed(properties) }
    return lines
  }

  /// Lines of a list, with a comma behind each and a parenthesis behind the last.
  private func closed(_ lines: [String]) -> [String] {
    var result = lines.map { $0 + "," }
    if let last = lines.last { result[lines.count - 1] = last + ")" }
    return result
  }
}
