import QueryPlan
import SQLFunctions
import SQLSyntax
import TableCatalog

extension Session {
  /// What in a statement, and in the tables and files it reads, real Athena would do otherwise. Nothing is run.
  ///
  /// - Throws: `USER_CANCELED`; what is wrong with the statement is a finding.
  public func check(_ sql: String) throws(QueryError) -> [CheckFinding] {
    try StatementCheck(session: self, sql: sql).findings()
  }
}

/// Reads a statement with sqlq's eyes and with Athena's.
private struct StatementCheck {
  let session: Session
  let sql: String

  func findings() throws(QueryError) -> [CheckFinding] {
    let syntax: StatementSyntax
    do throws(QueryError) { syntax = try Parser.parseParameterized(sql, allowsExtensions: true).statement } catch {
      return [finding(error)]
    }
    var found = syntaxFindings(syntax) + functionFindings()
    let kind = syntax.kind
    if kind.statement is UnsupportedStatement {
      found.append(.init(.note, "NOT_RUN_HERE", at: syntax.range.placeText, "sqlq reads \(kind.name) but does not run it yet"))
      return found
    }
    do throws(QueryError) {
      let prepared = try context(athena: false).prepare(SQLStatement(sql))
      if let plan = prepared.plan { found += try planFindings(plan) }
      if found.contains(where: { $0.code == "EXTENSION_SYNTAX" }) { return found }
      // What Athena refuses for other reasons than its grammar.
      do throws(QueryError) { _ = try context(athena: true).prepare(SQLStatement(sql)) } catch {
        let isKnown = error.code == .functionNotFound && found.contains { $0.code == "EXTENSION_FUNCTION" }
        if !isKnown { found.append(finding(error)) }
      }
    } catch {
      if error.code == .userCanceled { throw error }
      // Parameters are not known here.
      if error.code != .invalidParameterUsage { found.append(finding(error)) }
    }
    return found
  }

  private func context(athena: Bool) throws(QueryError) -> StatementContext {
    var settings = session.settings
    if athena {
      var defaults = settings.defaults
      defaults.compatibility = .athena
      let database = settings.database
      settings = try SessionSettings(defaults)
      settings.database = database
    }
    return try StatementExecution(session, settings, SQLStatement(sql), StatementOptions()).makeContext()
  }

  private func finding(_ error: QueryError) -> CheckFinding {
    .init(.error, error.code.rawValue, at: error.range?.placeText ?? "statement", error.message, fix: error.hint)
  }

  // MARK: Text

  private func syntaxFindings(_ syntax: StatementSyntax) -> [CheckFinding] {
    do throws(QueryError) {
      _ = try AthenaLimits.parse(sql)
      return []
    } catch {
      guard error.code == .syntaxError else { return [finding(error)] }
      var fix = "Athena's grammar has no such clause."
      if case .query = syntax, let rewritten = try? session.rewriteForAthena(sql) { fix = "In Athena's SQL: \(rewritten)" }
      return [.init(.error, "EXTENSION_SYNTAX", at: error.range?.placeText ?? "statement", error.message, fix: fix)]
    }
  }

  private func functionFindings() -> [CheckFinding] {
    var seen: Set<String> = []
    return StatementWords.calls(in: sql).compactMap { call in
      guard FunctionRegistry.isExtension(call.name), seen.insert(call.name).inserted else { return nil }
      return .init(
        .error, "EXTENSION_FUNCTION", at: call.range.placeText, "Athena has no function \(call.name)",
        fix: "It fails there with FUNCTION_NOT_FOUND.")
    }
  }

  // MARK: What is read

  private func planFindings(_ plan: LogicalPlan) throws(QueryError) -> [CheckFinding] {
    var found: [CheckFinding] = []
    var seen: Set<String> = []
    for scan in plan.scans {
      let summary = ScanSummary(scan)
      if let total = summary.partitionsTotal, total > 1, scan.fileSet?.prunedBy.isEmpty ?? false {
        let bill = ScanBill(
          bytesScanned: summary.bytes, isFree: false, unitBase: session.engine.configuration.unitBase,
          dollarsPerTerabyte: session.engine.configuration.dollarsPerTerabyte)
        found.append(
          .init(
            .warning, "NO_PARTITION_FILTER", at: summary.table,
            "the statement reads all \(total) partitions, up to \(summary.bytes) bytes (\(DollarText.text(bill.dollars)))",
            fix: "Filter on \(summary.partitionColumns.joined(separator: " or "))."))
      }
      guard seen.insert(summary.table).inserted else { continue }
      if scan.table.path != nil {
        found.append(
          .init(
            .error, "PATH_IN_FROM", at: "'\(scan.table.name.name)'", "Athena reads tables, not paths",
            fix: "Declare one: sqlq ddl '\(scan.table.name.name)'"))
        found += try session.check(folder: scan.table.name.name)
      } else {
        found += try session.check(table: scan.table.name.name, in: scan.table.name.database)
      }
    }
    return found
  }
}
