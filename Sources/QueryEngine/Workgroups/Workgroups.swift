import Glibc

/// The workgroups of a home, with the named queries, prepared statements and budgets that belong to them.
///
/// - Threads: any; several processes may change one home.
/// - Throws: all calls `HIVE_METASTORE_ERROR`; those that name something `NOT_FOUND`, those that make something
///   `ALREADY_EXISTS` and `INVALID_ARGUMENTS`.
public struct Workgroups: Sendable {
  let engine: Engine

  // MARK: Workgroups

  /// All workgroups by name, `primary` among them.
  public func list() throws(QueryError) -> [Workgroup] {
    let known = try store().workgroups()
    if known.contains(where: { $0.name == Workgroup.primaryName }) { return known }
    return ([Workgroup(Workgroup.primaryName)] + known).sorted { $0.name < $1.name }
  }

  public func workgroup(_ name: String) throws(QueryError) -> Workgroup {
    if let known = try store().workgroup(name) { return known }
    if name == Workgroup.primaryName { return Workgroup(name) }
    throw QueryError(
      .notFound, "WorkGroup \(name) is not found.", hint: NameSuggestion.hint(for: name, among: try list().map(\.name)))
  }

  public func create(_ workgroup: Workgroup) throws(QueryError) {
    try workgroup.check()
    let store = try store()
    try store.transaction { () throws(QueryError) in
      guard try store.workgroup(workgroup.name) == nil, workgroup.name != Workgroup.primaryName else {
        throw QueryError(.alreadyExists, "WorkGroup \(workgroup.name) is already created")
      }
      var workgroup = workgroup
      workgroup.createdAtMicros = Workgroups.now
      try store.save(workgroup)
    }
  }

  /// Reads, changes and saves a workgroup in one step; its name stays.
  @discardableResult
  public func update(_ name: String, _ change: (inout Workgroup) throws(QueryError) -> Void) throws(QueryError) -> Workgroup {
    let store = try store()
    return try store.transaction { () throws(QueryError) -> Workgroup in
      var workgroup = try workgroup(name)
      let created = workgroup.createdAtMicros
      try change(&workgroup)
      workgroup.name = name
      workgroup.createdAtMicros = created == 0 ? Workgroups.now : created
      try workgroup.check()
      try store.save(workgroup)
      return workgroup
    }
  }

  /// - Parameter recursive: whether its named queries and prepared statements go with it; else it must have none.
  public func delete(_ name: String, recursive: Bool = false) throws(QueryError) {
    if name == Workgroup.primaryName {
      throw QueryError(.invalidArguments, "The primary workgroup cannot be deleted")
    }
    let store = try store()
    try store.transaction { () throws(QueryError) in
      _ = try workgroup(name)
      let (queries, statements) = (try store.namedQueries(in: name), try store.statements(in: name))
      if !recursive, !queries.isEmpty || !statements.isEmpty {
        throw QueryError(
          .invalidArguments, "WorkGroup \(name) is not empty", hint: "It has named queries or prepared statements; delete it recursively.")
      }
      try store.delete(workgroup: name)
    }
  }

  // MARK: Named queries

  /// By name.
  public func namedQueries(in workgroup: String = Workgroup.primaryName) throws(QueryError) -> [NamedQuery] {
    _ = try self.workgroup(workgroup)
    return try store().namedQueries(in: workgroup)
  }

  public func namedQuery(_ id: String) throws(QueryError) -> NamedQuery {
    if let query = try store().namedQuery(id) { return query }
    throw QueryError(.notFound, "NamedQuery \(id) was not found")
  }

  /// Adds a query, or replaces the one with its id.
  @discardableResult
  public func save(_ query: NamedQuery) throws(QueryError) -> NamedQuery {
    guard !query.name.isEmpty, !query.sql.isEmpty else {
      throw QueryError(.invalidArguments, "A named query has a name and a statement")
    }
    _ = try workgroup(query.workgroup)
    var query = query
    if query.createdAtMicros == 0 { query.createdAtMicros = Workgroups.now }
    try store().save(query)
    return query
  }

  public func deleteNamedQuery(_ id: String) throws(QueryError) {
    _ = try namedQuery(id)
    try store().deleteNamedQuery(id)
  }

  // MARK: Prepared statements

  /// By name.
  public func statements(in workgroup: String) throws(QueryError) -> [WorkgroupStatement] {
    _ = try self.workgroup(workgroup)
    return try store().statements(in: workgroup)
  }

  /// The statement of that name, case ignored, or nil.
  public func statement(_ name: String, in workgroup: String) throws(QueryError) -> WorkgroupStatement? {
    try store().statement(name, in: workgroup)
  }

  /// Adds a prepared statement, or replaces the one of its name.
  public func save(_ statement: WorkgroupStatement, in workgroup: String) throws(QueryError) {
    var statement = statement
    statement.modifiedAtMicros = Workgroups.now
    try store().save(statement, in: workgroup)
  }

  public func deleteStatement(_ name: String, in workgroup: String) throws(QueryError) {
    guard try statement(name, in: workgroup) != nil else {
      throw QueryError(.notFound, "Prepared statement not found: \(name)")
    }
    try store().deleteStatement(name, in: workgroup)
  }

  // MARK: Budgets

  public func budgets() throws(QueryError) -> [Budget] { try store().budgets() }

  /// Sets what may be spent in a scope and period, replacing what was set before.
  public func set(_ budget: Budget) throws(QueryError) {
    if case .workgroup(let name) = budget.scope { _ = try workgroup(name) }
    guard budget.dollars > 0, budget.dollars.isFinite else {
      throw QueryError(.invalidArguments, "A budget is an amount of dollars above 0")
    }
    try store().save(budget)
  }

  public func removeBudget(_ scope: Budget.Scope, per period: Budget.Period) throws(QueryError) {
    guard try budgets().contains(where: { $0.scope == scope && $0.period == period }) else {
      throw QueryError(.notFound, "There is no budget per \(period.rawValue) for \(scope)")
    }
    try store().delete(budget: scope, period)
  }

  /// What was spent in a scope in the period that is now.
  public func spent(_ scope: Budget.Scope, per period: Budget.Period) throws(QueryError) -> Double {
    try engine.openLedger()?.dollars(scope, since: period.start(Workgroups.now)) ?? 0
  }

  // MARK: The store

  private func store() throws(QueryError) -> WorkgroupStore { try engine.openWorkgroups() }

  private static var now: Int64 { StatementClock().startMicros }
}
