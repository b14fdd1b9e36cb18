import ArgumentParser
import QueryEngine
import QueryShell

/// `sqlq budget …`: what may be spent in a day or a month.
struct BudgetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "budget", abstract: "List, set and remove budgets per day and month.",
    discussion: """
      A budget is for a workgroup, for a tag, or without either for the whole home. A statement that would pass it does not run.
        sqlq budget set 5 --per day --workgroup analysts
        sqlq budget set 100 --per month --tag team=growth --warn
      """,
    subcommands: [List.self, Set.self, Remove.self], defaultSubcommand: List.self)

  /// Whose budget it is.
  struct ScopeOptions: ParsableArguments {
    @Option(help: "Days and months begin at midnight UTC.")
    var per: Budget.Period = .day
    @Option(help: ArgumentHelp("What statements of this workgroup spend.", valueName: "name"))
    var workgroup: String?
    @Option(help: ArgumentHelp("What statements with this tag spend.", valueName: "key=value"))
    var tag: KeyValue?

    func validate() throws {
      if workgroup != nil, tag != nil { throw ValidationError("A budget is for a workgroup or for a tag.") }
    }

    var scope: Budget.Scope {
      if let workgroup { return .workgroup(workgroup) }
      return tag.map { .tag(key: $0.key, value: $0.value) } ?? .home
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the budgets and what was spent of them.")
    @OptionGroup var engine: EngineOptions
    @OptionGroup var output: FormatOptions

    func run() throws {
      let workgroups = try engine.engine().workgroups
      var rows: [[Scalar]] = []
      for budget in try workgroups.budgets() {
        rows.append([
          .string(budget.scope.description), .string(budget.period.rawValue), .double(budget.dollars),
          .double(try workgroups.spent(budget.scope, per: budget.period)), .string(budget.stops ? "stop" : "warn"),
        ])
      }
      let columns = Schema([
        Field("scope", .text), Field("period", .text), Field("budget_usd", .double), Field("spent_usd", .double), Field("action", .text),
      ])
      try ListingPrinter.print(columns, rows, format: output.format)
    }
  }

  struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Set a budget, in US dollars.")
    @OptionGroup var engine: EngineOptions
    @OptionGroup var scope: ScopeOptions
    @Flag(help: "Tell of it, but stop nothing.") var warn = false
    @Argument(help: "US dollars.") var dollars: Double

    func run() throws {
      try engine.engine().workgroups.set(Budget(scope.scope, per: scope.per, dollars: dollars, stops: !warn))
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove a budget.")
    @OptionGroup var engine: EngineOptions
    @OptionGroup var scope: ScopeOptions

    func run() throws { try engine.engine().workgroups.removeBudget(scope.scope, per: scope.per) }
  }
}
