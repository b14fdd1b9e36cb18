import QueryErrors
import QueryPlanner
import SQLFunctions
import SQLSyntax
import TableCatalog

/// SHOW …
struct ShowStatement: Statement {
  let node: ShowSyntax
  init(_ node: ShowSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let catalog = try context.catalog()
    let matches = try pattern()
    if let listing = try foreign(context, matches) { return listing }
    func database(_ name: QualifiedName?) throws(QueryError) -> String {
      let wanted = name?.last.canonicalName ?? context.settings.database
      if try !catalog.hasDatabase(wanted) {
        throw QueryError(.schemaNotFound, "Schema '\(wanted)' does not exist", at: name?.range ?? node.range)
      }
      return wanted
    }
    switch node.subject {
    case .schemas(let name):
      if let name, !CatalogResolver.isKnown(catalog: name.canonicalName) {
        throw QueryError(.catalogNotFound, "Catalog '\(name.canonicalName)' does not exist", at: name.range)
      }
      let names = try catalog.databases().map(\.name).filter(matches.matches)
      return .listing(["database_name"], names.map { [$0] })
    case .catalogs:
      let names = ([CatalogResolver.catalogName] + context.foreign.names).sorted()
      return .listing(["Catalog"], names.filter(matches.matches).map { [$0] })
    case .tables(let schema):
      let names = try catalog.relations(in: database(schema)).map(\.name).filter(matches.matches)
      return .listing(["tab_name"], names.map { [$0] })
    case .views(let schema):
      let names = try catalog.relations(in: database(schema)).filter(\.isView).map(\.name).filter(matches.matches)
      return .listing(["views"], names.map { [$0] })
    case .columns(let relation):
      let columns = try context.columns(of: relation)
      let names = columns.map(\.name).filter(matches.matches)
      return .listing(["field"], names.map { context.settings.followsAthena ? TableDetails.padded([$0]) : [$0] })
    case .functions(let schema):
      if let schema { throw .notSupported("SHOW FUNCTIONS FROM \(schema.canonicalName) is not supported", at: schema.range) }
      let rows: [[String?]] = FunctionReference.entries.filter { entry in
        matches.matches(entry.name) && !(context.environment.followsAthena && entry.isExtension)
      }.map { entry in
        [
          entry.name, entry.returnType, entry.argumentTypes.joined(separator: ", "), entry.kind.rawValue,
          String(entry.isDeterministic), entry.summary,
        ]
      }
      return .listing(
        ["Function", "Return Type", "Argument Types", "Function Type", "Deterministic", "Description"], rows)
    case .session:
      let rows = SessionProperty.all.filter { matches.matches($0.name) }.map { property -> [String?] in
        let initial = property.defaultValue(context.engine.configuration, context.settings.defaults)
        let value = context.settings.properties[property.name] ?? initial
        return [property.name, value, initial, property.type, property.summary]
      }
      return .listing(["Name", "Value", "Default", "Type", "Description"], rows)
    case .partitions(let name):
      let table = try context.requireTable(name)
      guard !table.partitionColumns.isEmpty else {
        throw QueryError(.genericUserError, "Table '\(table.name)' is not a partitioned table", at: name.range)
      }
      let names = try catalog.partitions(of: table.name).map {
        PartitionFolder.name(table.partitionColumns.map(\.name), $0.values)
      }
      return .listing(["partition"], names.map { [$0] })
    case .tableProperties(let name, let key):
      let table = try context.requireTable(name)
      if let key {
        let value = table.properties[key.value] ?? "Table \(table.name) does not have property: \(key.value)"
        return .listing(["prpt_value"], [[value]])
      } else {
        let rows = table.properties.sorted { $0.key < $1.key }.map { [$0.key, $0.value] as [String?] }
        return .listing(["prpt_name", "prpt_value"], rows)
      }
    case .createTable(let name):
      if try catalog.view(context.tableName(name)) != nil {
        throw QueryError(
          .notSupported, "'\(name.canonicalName)' is a view, not a table", at: name.range, hint: "Use SHOW CREATE VIEW.")
      }
      return .listing(["createtab_stmt"], TableText.create(try context.requireTable(name)).map { [$0] })
    case .createView(let name):
      let full = try context.tableName(name)
      guard let view = try catalog.view(full) else {
        if try catalog.table(full) != nil {
          throw QueryError(
            .notSupported, "'\(name.canonicalName)' is a table, not a view", at: name.range, hint: "Use SHOW CREATE TABLE.")
        }
        throw QueryError(
          .tableNotFound, "View '\(full)' does not exist", at: name.range,
          hint: NameSuggestion.hint(for: full.name, among: try catalog.relations(in: full.database).map(\.name)))
      }
      return .listing(["Create View"], TableText.create(view, columns: ownNames(of: view, context)).map { [$0] })
    case .createCatalog(let name): throw .notSupported("SHOW CREATE CATALOG \(name.canonicalName) is not supported", at: node.range)
    case .createSchema(let name):
      guard let database = try catalog.databaseDefinition(name.last.canonicalName) else {
        try context.requireDatabase(name.last.canonicalName, at: name.range)
        return .nothing
      }
      return .listing(["createdb_stmt"], TableText.create(database).map { [$0] })
    case .stats(let name): throw .notSupported("SHOW STATS FOR \(name.canonicalName) is not supported", at: node.range)
    case .statsForQuery(let query): throw .notSupported("SHOW STATS FOR a query is not supported", at: query.range)
    }
  }

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for an ESCAPE of more than one letter.
  private func pattern() throws(QueryError) -> NamePattern {
    guard case .like(let escape) = node.patternKind else { return NamePattern(node.pattern?.value, isLike: false) }
    if let escape, escape.value.count != 1 {
      throw QueryError(.invalidFunctionArgument, "Escape string must be a single character", at: escape.range)
    }
    return NamePattern(node.pattern?.value, isLike: true, escape: escape?.value.first)
  }

  /// The names of a view's columns where they are not those of its query.
  private func ownNames(of view: StoredView, _ context: StatementContext) -> [String]? {
    guard case .query(let query)? = try? Parser.parseStatement(view.sql) else { return nil }
    var environment = context.environment
    environment.database = view.database
    let names = (try? Binder.bind(query, catalog: context.resolver, session: environment))?.columnNames
    let own = view.columns.map(\.name)
    return names == nil || names == own ? nil : own
  }
}
