import Columnar
import QueryEngine
import QueryErrors
import SQLSyntax
import TableCatalog

/// Which partitions an expression such as `(year = '2024') or (day > date '2024-03-01')` asks for: the engine's own SQL says.
final class PartitionFilter: Sendable {
  private let engine: Engine

  /// An engine without a home, so that such questions are no part of anybody's history.
  init(_ configuration: EngineConfiguration) throws(QueryError) {
    var configuration = configuration
    configuration.home = nil
    engine = try Engine(configuration)
  }

  func matching(
    _ partitions: [PartitionDefinition], _ expression: String, _ table: TableDefinition
  ) throws -> [PartitionDefinition] {
    if partitions.isEmpty { return [] }
    do throws(QueryError) {
      // A whole expression and nothing behind it, so that the text around it keeps its meaning.
      _ = try Parser.parseExpression(expression)
    } catch {
      throw GlueService.invalid("Unsupported expression: \(error.message)")
    }
    do throws(QueryError) { return try select(partitions, expression, table.partitionColumns, isTyped: true) } catch {
      // Clients also compare dates and numbers with strings, and dates written as such beside them.
      let plain = PartitionFilter.withoutTypes(expression)
      do throws(QueryError) { return try select(partitions, plain, table.partitionColumns, isTyped: false) } catch {
        throw GlueService.invalid("Unsupported expression: \(error.message)")
      }
    }
  }

  /// `date '2024-01-01'` as `'2024-01-01'`: as texts, dates are in order too.
  private static func withoutTypes(_ expression: String) -> String {
    var parts = expression.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
    // Every second part lies within quotes.
    for index in stride(from: 0, to: parts.count - 1, by: 2) {
      for word in ["date", "timestamp"] {
        let text = String(parts[index].reversed().drop { $0.isWhitespace }.reversed())
        guard text.lowercased().hasSuffix(word) else { continue }
        let rest = text.dropLast(word.count)
        if rest.last.map({ $0.isLetter || $0.isNumber || $0 == "_" }) != true { parts[index] = rest + " " }
      }
    }
    return parts.joined(separator: "'")
  }

  private func select(
    _ partitions: [PartitionDefinition], _ expression: String, _ columns: [ColumnDefinition], isTyped: Bool
  ) throws(QueryError) -> [PartitionDefinition] {
    var rows: [String] = []
    for (index, partition) in partitions.enumerated() {
      var values = [String(index)]
      for value in partition.values {
        values.append(value.map { "'" + $0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'" } ?? "NULL")
      }
      rows.append("(" + values.joined(separator: ", ") + ")")
    }
    let names = columns.map { "\"" + $0.name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" }
    let typed = zip(names, columns).map { isTyped ? "CAST(\($0) AS \($1.type)) AS \($0)" : "CAST(\($0) AS varchar) AS \($0)" }
    let sql = """
      SELECT sqlq_row FROM (SELECT sqlq_row, \(typed.joined(separator: ", ")) FROM (VALUES \(rows.joined(separator: ", ")))
      AS t(sqlq_row, \(names.joined(separator: ", ")))) WHERE (
      \(expression)
      ) ORDER BY 1
      """
    let collector = ResultCollector()
    try engine.session().run(SQLStatement(sql), into: collector)
    var found: [PartitionDefinition] = []
    for batch in collector.batches {
      for row in 0..<batch.rowCount {
        if case .integer(let index) = batch.columns[0].scalar(row) { found.append(partitions[Int(index)]) }
      }
    }
    return found
  }
}
