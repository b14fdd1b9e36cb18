import QueryErrors
import SQLSyntax

/// PREPARE: keeps a statement's text under a name in the workgroup.
struct PrepareStatement: Statement {
  private let node: PrepareSyntax
  init(_ node: PrepareSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    switch node.statement {
    // Its text, passwords and all, would be kept.
    case .createCatalog: throw .notSupported("CREATE CATALOG cannot be prepared", at: node.statement.range)
    case .prepare, .execute, .executeImmediate, .deallocate:
      throw .notSupported("Invalid statement type for prepared statement", at: node.statement.range)
    default: break
    }
    let kind = node.statement.kind
    if kind.statement is UnsupportedStatement { _ = try kind.statement.prepare(context) }
    let name = node.name.canonicalName
    let (workgroups, workgroup) = (context.engine.workgroups, context.workgroup.name)
    if context.settings.followsAthena {
      try AthenaLimits.check(preparedName: node.name)
      if try workgroups.statement(name, in: workgroup) == nil,
        try workgroups.statements(in: workgroup).count >= AthenaLimits.maximumPreparedStatementCount
      {
        throw QueryError(
          .invalidArguments, "There are \(AthenaLimits.maximumPreparedStatementCount) prepared statements already",
          at: node.range)
      }
    }
    let text = context.text(of: node.statement.range)
    return .effect(file: .none) { () throws(QueryError) in
      try workgroups.save(WorkgroupStatement(node.name.name, sql: text), in: workgroup)
    }
  }
}

/// DEALLOCATE PREPARE.
struct DeallocateStatement: Statement {
  private let node: DeallocateSyntax
  init(_ node: DeallocateSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = node.name.canonicalName
    guard try context.preparedStatement(name) != nil else {
      throw QueryError(.notFound, "Prepared statement not found: \(name)", at: node.name.range)
    }
    return .effect(file: .none) { () throws(QueryError) in
      try context.engine.workgroups.deleteStatement(name, in: context.workgroup.name)
    }
  }
}
