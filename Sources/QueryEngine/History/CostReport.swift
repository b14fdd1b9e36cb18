import SQLSyntax

/// What statements cost, in groups.
public struct CostReport: Sendable {
  /// What the statements of one row have in common.
  public enum Grouping: Hashable, Sendable {
    case day
    case month
    case workgroup
    case database
    /// The value of a tag.
    case tag(String)
    /// The statement but for its values, blanks and comments.
    case statement
  }

  /// The figures of one group.
  public struct Row: Hashable, Codable, Sendable {
    /// The day as `2024-05-01`, the workgroup, the statement …; nil for statements without the tag.
    public var key: String?
    public var statements = 0
    /// Of those, how many failed or were cancelled, and how many were answered with an earlier result.
    public var failures = 0
    public var reused = 0
    public var bytesScanned = 0
    public var bytesBilled = 0
    /// US dollars by Athena's prices.
    public var dollars = 0.0
    /// US dollars that Amazon S3 charges for the requests.
    public var s3Dollars = 0.0
    public var wallMilliseconds = 0.0
  }

  public var grouping: Grouping
  /// The dearest first; days and months in their order.
  public var rows: [Row]
}

extension QueryHistory {
  /// What the statements of a home cost.
  ///
  /// - Parameters:
  ///   - since: microseconds since 1970-01-01 UTC; 0 for all.
  ///   - workgroup: only its statements.
  public func costs(
    by grouping: CostReport.Grouping, since: Int64 = 0, workgroup: String? = nil
  ) throws(QueryError) -> CostReport {
    var groups: [String?: CostReport.Row] = [:]
    try engine.openLedger()?.forEachRecord(since: since, workgroup: workgroup) { record in
      let key = QueryHistory.key(record, grouping)
      var row = groups[key] ?? CostReport.Row(key: key)
      let figures = record.statistics
      row.statements += 1
      if record.state.isFinal, record.state != .succeeded { row.failures += 1 }
      if figures.reusedQueryID != nil { row.reused += 1 }
      row.bytesScanned += figures.bytesScanned
      row.bytesBilled += figures.bytesBilled
      row.dollars += figures.dollars
      row.s3Dollars += figures.s3Dollars
      row.wallMilliseconds += figures.wallMilliseconds
      groups[key] = row
    }
    let rows = groups.values.sorted { first, second in
      switch grouping {
      case .day, .month: (first.key ?? "") < (second.key ?? "")
      default: (second.dollars, second.bytesScanned, first.key ?? "") < (first.dollars, first.bytesScanned, second.key ?? "")
      }
    }
    return CostReport(grouping: grouping, rows: rows)
  }

  private static func key(_ record: QueryRecord, _ grouping: CostReport.Grouping) -> String? {
    switch grouping {
    case .day: String(Ledger.timestamp(record.submittedAtMicros).prefix(10))
    case .month: String(Ledger.timestamp(record.submittedAtMicros).prefix(7))
    case .workgroup: record.workgroup
    case .database: record.database
    case .tag(let key): record.tags[key]
    case .statement: StatementWords.shape(of: record.sql)
    }
  }
}
