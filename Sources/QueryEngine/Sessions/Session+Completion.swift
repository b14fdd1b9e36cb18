import SQLFunctions
import TableCatalog

extension Session {
  /// Names for completion: databases, and tables and views with their columns.
  public func completionNames() -> [String] {
    guard let databases = try? engine.catalog.databases() else { return [] }
    var names: Set<String> = []
    for database in databases {
      names.insert(database.name)
      guard let tables = try? engine.catalog.tables(in: database.name) else { continue }
      for table in tables {
        names.insert(table.name)
        for column in table.columns { names.insert(column.name) }
      }
    }
    return names.sorted()
  }

  /// Names of all functions.
  public static var functionNames: [String] { FunctionRegistry.names }
}
