import Foundation

/// Measures the queries of a suite on all engines.
///
/// For each query, every engine first runs it once in a fresh process (answer, peak memory, cold time); then the warm
/// processes take turns, one run each a round, so that what else the machine does meets all of them alike. The first
/// round does not count.
final class Runner {
  struct Options {
    var threads = 2
    var rounds = 4
    var timeoutSeconds = 120.0
    /// An engine that has used this much on a query is not run again.
    var queryBudgetSeconds = 40.0
    var measuresMemory = true
    var answersFolder: String?
    var savesAnswers = false
    /// Another build of this program, whose sqlq is measured.
    var build: String?
  }

  private let tables: [TableSource]
  private let options: Options
  private let store: AnswerStore?
  private(set) var engines: [BenchmarkReport.EngineVersion] = []
  private var processes: [Engine: EngineProcess] = [:]

  init(_ wanted: [Engine], tables: [TableSource], options: Options) throws {
    self.tables = tables
    self.options = options
    store = options.answersFolder.map(AnswerStore.init)
    for engine in wanted {
      do {
        let process = try start(engine)
        processes[engine] = process
        engines.append(.init(engine: engine, version: process.version))
      } catch let failure as EngineFailure {
        if engine == .sqlq { throw ReportedError("sqlq cannot open the tables: \(failure.text)") }
        Terminal.note("without \(engine.rawValue): \(failure.text)")
      }
    }
  }

  private func start(_ engine: Engine) throws -> EngineProcess {
    try EngineProcess(
      engine, engine.command(build: options.build), tables: tables, threads: options.threads)
  }

  /// Measures one query.
  func measure(_ query: SuiteQuery) throws -> QueryReport {
    var results: [Engine: EngineResult] = [:]
    var answers: [Engine: StatementReply] = [:]
    for engine in engines.map(\.engine) {
      do {
        (results[engine], answers[engine]) = try first(query, on: engine)
      } catch let failure as EngineFailure {
        results[engine] = EngineResult(error: failure.text)
      }
    }
    for round in 0...max(options.rounds, 0) {
      for engine in engines.map(\.engine) where results[engine]?.error == nil {
        try run(query, on: engine, round: round, &results[engine]!)
      }
    }
    return try report(query, results, answers)
  }

  /// The run whose rows and memory count.
  private func first(_ query: SuiteQuery, on engine: Engine) throws -> (EngineResult, StatementReply?) {
    let process = options.measuresMemory ? try start(engine) : try warmProcess(engine)
    let sampler = MemorySampler(process.processIdentifier)
    let reply: StatementReply
    do {
      reply = try process.run(query.text(for: engine), wantsRows: !query.comparesCount, timeoutSeconds: options.timeoutSeconds)
    } catch {
      _ = sampler.stop()
      throw error
    }
    let peak = sampler.stop()
    var result = EngineResult(coldTime: reply.milliseconds, error: reply.error)
    if options.measuresMemory, reply.error == nil { result.peakByteCount = peak }
    return (result, reply.error == nil ? reply : nil)
  }

  private func run(_ query: SuiteQuery, on engine: Engine, round: Int, _ result: inout EngineResult) throws {
    // The first round warms up; one counted round happens whatever it costs.
    let spent = (result.times.reduce(0, +) + (result.coldTime ?? 0)) / 1000
    if round > 1, spent > options.queryBudgetSeconds { return }
    do {
      let reply = try warmProcess(engine).run(
        query.text(for: engine), wantsRows: false, timeoutSeconds: options.timeoutSeconds)
      result.error = reply.error
      if let time = reply.milliseconds, round > 0 { result.times.append(time) }
    } catch let failure as EngineFailure {
      result.error = failure.text
    }
  }

  private func warmProcess(_ engine: Engine) throws -> EngineProcess {
    if let process = processes[engine], process.isRunning { return process }
    let process = try start(engine)
    processes[engine] = process
    return process
  }

  /// Compares the answers. The reference is the stored answer, else the first peer that has one.
  private func report(
    _ query: SuiteQuery, _ results: [Engine: EngineResult], _ answers: [Engine: StatementReply]
  ) throws -> QueryReport {
    var results = results
    let peers = engines.map(\.engine).filter { $0 != .sqlq }
    let ordered = query.isOrdered
    let stored = options.savesAnswers ? nil : try store?.load(query.name)
    let referenceEngine = peers.first { answers[$0] != nil }
    if options.savesAnswers, let referenceEngine { try store?.save(query.name, answers[referenceEngine]?.rows ?? []) }
    let reference = stored ?? referenceEngine.flatMap { rows($0, answers) }
    var report = QueryReport(
      name: query.name, title: query.title, rowCount: answers[.sqlq]?.rowCount,
      reference: stored != nil ? "stored" : referenceEngine?.rawValue, detail: "", results: [:],
      counters: answers[.sqlq]?.counters)
    if let reference {
      for peer in peers where peer != referenceEngine || stored != nil {
        guard let rows = rows(peer, answers) else { continue }
        results[peer]?.verdict =
          AnswerComparison(
            rows, reference, isOrdered: ordered, comparesCount: query.comparesCount, allowsCutOff: true
          ).verdict
      }
      if let own = rows(.sqlq, answers) {
        let comparison = AnswerComparison(own, reference, isOrdered: ordered, comparesCount: query.comparesCount)
        report.verdict = comparison.verdict
        report.detail = comparison.detail
        if comparison.verdict == .different {
          let allies = peers.filter { peer in
            rows(peer, answers).map {
              AnswerComparison(own, $0, isOrdered: ordered, comparesCount: query.comparesCount).verdict != .different
            } ?? false
          }
          if !allies.isEmpty { report.detail += " (sqlq agrees with \(allies.map(\.rawValue).joined(separator: ", ")))" }
        }
      }
    }
    report.results = Dictionary(uniqueKeysWithValues: results.map { ($0.key.rawValue, $0.value) })
    return report
  }

  /// An answer's rows; of a query that only promises their number, as many empty ones.
  private func rows(_ engine: Engine, _ answers: [Engine: StatementReply]) -> [[String?]]? {
    guard let answer = answers[engine] else { return nil }
    return answer.rows ?? Array(repeating: [], count: answer.rowCount ?? 0)
  }

  /// Times of whole processes, from start to end.
  func measureStartUp(sqlqPath: String, count: Int) -> [BenchmarkReport.StartUp] {
    StartUpWork.allCases.flatMap { work in
      engines.map { entry in
        let command = entry.engine.command(work, sqlqPath: sqlqPath)
        var times: [Double] = []
        for _ in 0..<count {
          guard let time = wholeProcess(command, entry.engine) else { break }
          times.append(time)
        }
        return .init(engine: entry.engine, work: work, times: times)
      }
    }
  }

  /// Milliseconds of a process; nil where it failed.
  private func wholeProcess(_ command: [String], _ engine: Engine) -> Double? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let start = ContinuousClock.now
    do { try process.run() } catch {
      Terminal.note("no start-up time of \(engine.rawValue): cannot run \(command[0])")
      return nil
    }
    // `waitUntilExit` looks every 50 ms only.
    var info = siginfo_t()
    while waitid(P_PID, id_t(process.processIdentifier), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    let time = (ContinuousClock.now - start) / .milliseconds(1)
    process.waitUntilExit()
    if process.terminationStatus != 0 {
      Terminal.note("no start-up time of \(engine.rawValue): it ended with \(process.terminationStatus)")
      return nil
    }
    return time
  }
}
