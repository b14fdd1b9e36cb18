import Columnar
import ConnectorSDK
import QueryErrors
import QueryExecution
import QueryPlanner
import SQLSyntax
import TableCatalog

extension InsertStatement {
  /// INSERT INTO a table of a foreign catalog: the source takes all rows or none. Nil for the home's own catalog.
  func foreign(_ context: StatementContext) throws(QueryError) -> PreparedStatement? {
    let name = try context.anyTableName(node.table)
    guard try context.foreignConnection(name.catalog, at: node.table.range) != nil else { return nil }
    guard let resolved = try context.resolver.resolve(name), case .foreign(let table, isProven: _) = resolved else {
      throw QueryError(.tableNotFound, "Table '\(name)' does not exist", at: node.table.range)
    }
    let fields = table.columns.fields
    let targets = try targets(fields)
    let (bound, plan) = try context.plan(node.query) { (bound) throws(QueryError) in
      try check(bound, targets.map { fields[$0] })
      return bound.conformed(
        to: targets.indices.map { BoundQuery.Target(name: fields[targets[$0]].name, type: fields[targets[$0]].type, source: $0) })
    }
    return PreparedStatement(schema: Schema([]), plan: plan, file: .none) { (_) throws(QueryError) in
      let writer = try table.write(columns: targets)
      var rowCount = 0
      do throws(QueryError) {
        try context.execute(
          plan, bound.outputs,
          into: .inOrder { (batch) throws(QueryError) in
            try writer.write(batch)
            rowCount += batch.rowCount
          })
        try writer.commit()
      } catch {
        writer.abort()
        throw error
      }
      context.report.noteWritten(rows: rowCount, bytes: 0, files: 0)
    }
  }
}
