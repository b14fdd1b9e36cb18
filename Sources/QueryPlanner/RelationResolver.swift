package import Columnar
package import ConnectorSDK
package import QueryErrors
package import SQLSyntax
package import TableCatalog

/// Finds what a name or a path in FROM stands for; the engine implements it over catalogs and stores.
package protocol RelationResolver {
  /// The table, view or system table of that name; nil when there is none.
  func resolve(_ name: TableName) throws(QueryError) -> ResolvedRelation?

  /// The files that a quoted path or pattern in FROM names; nil when there are none.
  ///
  /// - Parameter reading: how they are read, where the query says so.
  func resolve(path: String, _ reading: PathReading?, at range: SourceRange) throws(QueryError) -> ResolvedRelation?

  /// Names of the relations of a database, for "Did you mean"; nil when there is no such database.
  func relationNames(catalog: String, database: String) -> [String]?

  /// Names of all catalogs, lower case.
  var catalogNames: [String] { get }
}

/// What a name in FROM stands for.
package enum ResolvedRelation {
  case table(Table)
  case view(ViewDefinition)
  /// A table of a foreign catalog; whether its source may be left filters and groupings.
  case foreign(any ForeignTable, isProven: Bool)
  /// A table that the engine itself fills, as those of `information_schema`; each row as wide as the schema.
  case rows(Schema, [[Scalar]])
}

/// A stored query.
package struct ViewDefinition: Sendable {
  package var name: TableName
  package var query: QuerySyntax
  /// Where the query's unqualified names are looked up.
  package var catalog: String
  package var database: String
  /// The columns as recorded when the view was made; nil when nothing was recorded.
  package var columns: Schema?

  package init(name: TableName, query: QuerySyntax, catalog: String, database: String, columns: Schema?) {
    self.name = name
    self.query = query
    self.catalog = catalog
    self.database = database
    self.columns = columns
  }
}
