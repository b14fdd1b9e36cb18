import ConnectorSDK
import ObjectStore
import QueryErrors
import SQLExpressions
import SQLSyntax
import TableCatalog

/// CREATE CATALOG … USING connector: checked by connecting once.
struct CreateCatalogStatement: Statement {
  private let node: CreateCatalogSyntax
  init(_ node: CreateCatalogSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = node.name.canonicalName
    let store = try context.engine.openForeignCatalogs()
    let isTaken = try store.definition(name) != nil
    if isTaken || CatalogResolver.isKnown(catalog: name) {
      if node.ifNotExists { return .nothing }
      throw QueryError(.alreadyExists, "Catalog '\(name)' already exists", at: node.name.range)
    }
    let connectors = context.engine.connectors
    let connectorName = node.connector.canonicalName
    guard let connector = connectors[connectorName]?.connector else {
      throw QueryError(
        .notFound, "There is no connector '\(connectorName)'", at: node.connector.range,
        hint: NameSuggestion.hint(for: connectorName, among: connectors.keys.sorted())
          ?? "There are: \(connectors.keys.sorted().joined(separator: ", ")).")
    }
    let definition = ForeignCatalogDefinition(
      name: name, connector: connectorName, comment: node.comment?.value, properties: try properties(of: connector, context))
    return .effect { () throws(QueryError) in
      _ = try context.foreign.connect(definition).catalog.schemaNames()
      try store.create(definition)
    }
  }

  private func properties(
    of connector: any Connector, _ context: StatementContext
  ) throws(QueryError) -> [String: String] {
    var values: [String: String] = [:]
    for property in node.properties {
      let name = property.name.canonicalName
      guard connector.properties.contains(where: { $0.name == name }) else {
        let names = connector.properties.map(\.name)
        throw QueryError(
          .invalidCatalogProperty, "The connector '\(connector.name)' has no property '\(name)'", at: property.name.range,
          hint: NameSuggestion.hint(for: name, among: names) ?? "It has: \(names.joined(separator: ", ")).")
      }
      if values[name] != nil {
        throw QueryError(.invalidCatalogProperty, "Duplicate property: \(name)", at: property.name.range)
      }
      guard case .constant(let value, let type) = try context.constant(property.value) else { continue }
      switch (value, type) {
      case (.bytes(let bytes), _) where type.isVarchar: values[name] = String(decoding: bytes, as: UTF8.self)
      case (.integer(let number), _) where type.isInteger: values[name] = String(number)
      case (.boolean(let flag), _): values[name] = flag ? "true" : "false"
      default:
        throw QueryError(
          .invalidCatalogProperty, "Property '\(name)' must be a text, an integer or a boolean", at: property.range)
      }
    }
    for property in connector.properties where property.isPath {
      if let path = values[property.name], !path.hasPrefix("/"), !path.hasPrefix("${ENV:") {
        values[property.name] = ObjectPath.join(WorkingDirectory.path, path)
      }
    }
    for property in connector.properties where property.isRequired && values[property.name] == nil {
      throw QueryError(
        .invalidCatalogProperty, "The connector '\(connector.name)' needs the property '\(property.name)': \(property.summary)",
        at: node.range)
    }
    return values
  }
}

/// DROP CATALOG: forgets it; what lies at the source stays.
struct DropCatalogStatement: Statement {
  private let node: DropCatalogSyntax
  init(_ node: DropCatalogSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = node.name.canonicalName
    if CatalogResolver.isKnown(catalog: name) {
      throw .notSupported("Catalog '\(name)' cannot be dropped: it is the home's own", at: node.name.range)
    }
    let store = try context.engine.openForeignCatalogs()
    guard try store.definition(name) != nil else {
      if node.ifExists { return .nothing }
      throw QueryError(
        .catalogNotFound, "Catalog '\(name)' does not exist", at: node.name.range,
        hint: NameSuggestion.hint(for: name, among: try store.names()))
    }
    return .effect { () throws(QueryError) in try store.drop(name) }
  }
}
