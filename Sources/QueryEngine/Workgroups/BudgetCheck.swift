import ObjectStore
import QueryErrors
import QueryPlan

/// Holds a statement to the budgets that it falls under, before it reads anything and while it does.
///
/// Statements that run at the same moment do not know each other's cost yet: together they may pass a budget by what they scan.
struct BudgetCheck {
  let workgroup: Workgroup
  let tags: [String: String]
  let engine: Engine
  let meter: ScanMeter

  /// - Throws: `EXCEEDED_BUDGET` when a budget that stops is spent, or would be by what the plan surely scans.
  func check(_ plan: LogicalPlan) throws(QueryError) {
    guard engine.hasDatabase, !plan.scans.isEmpty else { return }
    let budgets = try engine.workgroups.budgets().filter(applies)
    if budgets.isEmpty { return }
    let forecast = try ScanForecast(plan, threads: nil)
    let cost = bill(forecast.leastBytes + meter.metadataBytes).dollars
    let mostCost = bill(forecast.dataBytes + meter.metadataBytes).dollars
    for budget in budgets {
      let spent = try engine.workgroups.spent(budget.scope, per: budget.period)
      let state = "\(budget.scope) has spent \(DollarText.text(spent)) of \(DollarText.text(budget.dollars)) \(budget.period.now)"
      if budget.stops {
        if spent + cost > budget.dollars {
          throw QueryError(
            .exceededBudget, "Budget exceeded: \(state); this query costs at least \(DollarText.text(cost))",
            hint: "Read fewer columns or partitions, wait for the next \(budget.period.rawValue), or raise it: sqlq budget set.")
        }
        limitScan(to: budget.dollars - spent, state)
      }
      if spent + mostCost > budget.dollars * Budget.warningShare {
        meter.note("budget: \(state); this query costs up to \(DollarText.text(mostCost))")
      }
    }
  }

  private func applies(_ budget: Budget) -> Bool {
    switch budget.scope {
    case .home: true
    case .workgroup(let name): name == workgroup.name
    case .tag(let key, let value): tags[key] == value
    }
  }

  private func bill(_ bytes: Int) -> ScanBill {
    let configuration = engine.configuration
    return ScanBill(
      bytesScanned: bytes, isFree: false, unitBase: configuration.unitBase, dollarsPerTerabyte: configuration.dollarsPerTerabyte)
  }

  /// What is left of a budget ends the scan, however wrong the forecast was.
  private func limitScan(to dollars: Double, _ state: String) {
    let configuration = engine.configuration
    let terabyte = configuration.unitBase == .binary ? Double(1 << 40) : 1e12
    let bytes = dollars / configuration.dollarsPerTerabyte * terabyte
    guard bytes < Double(Int.max / 2) else { return }
    let error = QueryError(
      .exceededBudget, "Budget exceeded: \(state), and what is left of it was scanned",
      hint: "Read fewer columns or partitions, or raise it: sqlq budget set.")
    meter.lower(limit: Int(bytes), error)
  }
}
