import ObjectStore
import SQLFunctions

/// Finds an earlier statement whose result answers this one.
struct ResultReuse {
  let identity: Result<ResultIdentity, ResultIdentity.Obstacle>
  let context: StatementContext

  enum Answer {
    case hit(QueryRecord, ResultReader)
    /// Why there is none.
    case miss(String)
  }

  /// - Parameters:
  ///   - maximumAge: seconds since the earlier statement began.
  ///   - schema: the columns of this statement.
  func find(maximumAge: Double, _ schema: Schema) throws(QueryError) -> Answer {
    let identity: ResultIdentity
    switch self.identity {
    case .success(let found): identity = found
    case .failure(let obstacle): return .miss(obstacle.reason)
    }
    guard let ledger = try context.engine.openLedger() else { return .miss("nothing is kept without a home") }
    let earlier = try ledger.reusable(key: identity.key)
    guard let latest = earlier.first else { return .miss("no such statement has run before") }
    let since = context.environment.startMicros - Int64(min(maximumAge, 1e9) * 1e6)
    var reason: String?
    for record in earlier where record.statistics.reuseData == identity.data {
      guard record.submittedAtMicros >= since else {
        reason = reason ?? "the result of \(record.id) is older than \(Int(maximumAge)) s"
        continue
      }
      switch try reader(of: record, schema) {
      case .success(let reader): return .hit(record, reader)
      case .failure(let obstacle): reason = reason ?? obstacle.reason
      }
    }
    return .miss(reason ?? ResultIdentity.difference(latest.statistics.reuseData ?? "", identity.data))
  }

  private func reader(of record: QueryRecord, _ schema: Schema) throws(QueryError) -> Result<ResultReader, ResultIdentity.Obstacle> {
    guard let place = record.statistics.resultLocation else { return .failure(.init("\(record.id) left no result")) }
    let location = try context.stores.resolve(place)
    guard let entry = try location.entry(), entry.byteCount.map({ Int($0) == record.statistics.resultBytes }) ?? true else {
      return .failure(.init("the result of \(record.id) is gone or was changed"))
    }
    let reader = try ResultReader(location, columns: schema)
    if let column = reader.inexactColumn {
      return .failure(
        .init("column '\(column.name)' of type \(column.type) cannot be read back from text; --result-twin keeps it"))
    }
    return .success(reader)
  }
}
