import Columnar
import QueryErrors
import Synchronization

/// Swift values as a table: kept in memory while they are registered.
struct HostTable: Sendable {
  let schema: Schema
  let rows: [[Scalar]]
}

extension Engine {
  /// Makes an array of `Encodable` values a table of that name, in every session of this engine.
  ///
  ///     struct City: Codable { var name: String, population: Int? }
  ///     try engine.register(table: "cities", rows: [City(name: "Ulm", population: 128_000)])
  ///     try await session.run("SELECT * FROM cities WHERE population > 100000")
  ///
  /// A column is a property: its name in lower case, its type the SQL type that holds all its values (a property that is nil
  /// everywhere is a varchar), nested types rows, arrays and maps. The table hides one of the same name in every database of the
  /// catalog; registering the name again replaces it.
  ///
  /// - Complexity: all values are copied; queries read them without any bytes scanned.
  /// - Throws: `TYPE_MISMATCH` when the values of a property have no type in common or a value has no properties.
  public func register<Row: Encodable>(table name: String, rows: [Row]) throws(QueryError) {
    let table = try HostTableEncoder.table(rows)
    host.withLock { $0.tables[name.lowercased()] = table }
  }

  /// Takes back a table; statements that run keep it.
  public func unregister(table name: String) { host.withLock { _ = $0.tables.removeValue(forKey: name.lowercased()) } }

  func hostTable(_ name: String) -> HostTable? { host.withLock { $0.tables[name.lowercased()] } }
}
