import QueryErrors

/// What a statement will scan and cost, told before it runs.
public struct QueryEstimate: Sendable, Hashable {
  /// Bytes the statement will scan, at most unless `isExact`.
  public var bytesScanned: Int
  /// Of those, what is billed: rounded up, and at least the minimum.
  public var bytesBilled: Int
  /// US dollars.
  public var dollars: Double
  /// Whether `bytesScanned` is what will be scanned, not only the most.
  public var isExact: Bool
  public var filesRead: Int
  public var partitionsRead: Int
}

extension Session {
  /// What a statement will scan and cost; nothing is run.
  ///
  /// - Throws: what is wrong with the statement.
  public func estimate(_ statement: SQLStatement) async throws(QueryError) -> QueryEstimate {
    var options = StatementOptions()
    options.isDryRun = true
    options.writesResults = false
    let figures = try await start(statement, options).collect().statistics
    return QueryEstimate(
      bytesScanned: figures.bytesScanned, bytesBilled: figures.bytesBilled, dollars: figures.dollars, isExact: figures.isExact,
      filesRead: figures.filesRead, partitionsRead: figures.partitionsRead)
  }
}
