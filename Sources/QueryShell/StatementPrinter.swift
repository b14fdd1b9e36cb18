import Glibc
package import QueryEngine

/// Runs statements and prints what they give: rows to stdout, everything else to stderr.
package final class StatementPrinter {
  package let session: Session
  package var format: OutputFormat
  package var statsAsJSON: Bool
  /// How results look on a terminal.
  package var style = DisplayStyle()
  /// Values for `:name` in statements.
  package var parameters: [String: SQLParameter] = [:]
  /// The file that rows go to instead of stdout.
  package var outputFile: String?
  /// Whether the footer is shown on a terminal.
  package var showsFooter = true
  /// Whether results higher than the terminal go through a pager.
  package var usesPager = false
  /// Keeps the last result when there is one.
  package var lastResult: LastResult?
  /// Figures of the statement that ran last, and what its operators did.
  package private(set) var lastStatistics: QueryStatistics?
  package private(set) var lastProfile: [OperatorProfile] = []
  /// Rows are drawn as a chart instead of printed.
  package var chart: ChartRequest?
  /// The file that a profile of each statement goes to.
  package var profileFile: String?

  private let output = OutputStream(1)
  /// Whether stderr is a terminal: footer and progress appear only there.
  private let isTerminal = isatty(2) == 1
  private let outputIsTerminal = isatty(1) == 1

  package init(_ session: Session, format: OutputFormat, statsAsJSON: Bool) {
    self.session = session
    self.format = format
    self.statsAsJSON = statsAsJSON
  }

  /// Runs one statement.
  ///
  /// - Parameter place: where it stands in a file, which its errors then name.
  /// - Returns: the exit code its outcome stands for.
  package func run(_ sql: String, at place: StatementPlace? = nil) -> Int32 {
    let execution = session.queue(SQLStatement(sql, named: usedParameters(sql)))
    let progress = isTerminal ? ProgressLine(execution, base: session.engine.configuration.unitBase) : nil
    Interrupt.shared.watch(execution) { [statsAsJSON, errorWidth] statistics in
      progress?.stop()
      if statsAsJSON { StatementPrinter.print(StatusFooter.json(statistics)) }
      let error = QueryError(.userCanceled, "Query was canceled")
      StatementPrinter.print(StatementPlace.render(error, sql, at: place, width: errorWidth))
    }
    progress?.start()
    let renderer = makeRenderer(sql)
    let consumer: any ResultConsumer = lastResult.map { ResultTee(renderer, $0) } ?? renderer
    lastResult?.clear()
    var error: QueryError?
    do throws(QueryError) { try execution.run(into: consumer) } catch let failure { error = failure }
    Interrupt.shared.unwatch()
    progress?.stop()
    do throws(QueryError) {
      if error == nil { try renderer.end() } else { try output.flush() }
      try page()
    } catch let writing {
      error = error ?? writing
    }
    let statistics = execution.statistics
    lastStatistics = statistics
    lastProfile = execution.profile
    if let profileFile, error == nil {
      do throws(QueryError) { try writeProfile(sql, to: profileFile) } catch let failure { error = failure }
    }
    lastResult?.statistics = statistics
    if !statsAsJSON { for note in statistics.notes { StatementPrinter.print("note: " + TerminalText.printable(note)) } }
    if statsAsJSON {
      StatementPrinter.print(StatusFooter.json(statistics))
    } else if error == nil, (isTerminal && showsFooter) || statistics.isDryRun {
      StatementPrinter.print(Theme.choose(.auto, for: 2).paint(StatusFooter.text(statistics), .hint))
    }
    if let error {
      // A reader that has gone, as `head` does, wants no message either.
      if !output.isClosed { StatementPrinter.print(StatementPlace.render(error, sql, at: place, width: errorWidth)) }
      return error.code.kind.exitCode
    }
    return 0
  }

  /// Prints the last result again.
  package func printLast(_ result: LastResult, as format: OutputFormat) throws(QueryError) {
    let renderer = makeRenderer("", format)
    try renderer.begin(result.schema)
    for batch in result.batches { try renderer.receive(batch) }
    try renderer.end()
    try page()
  }

  private func makeRenderer(_ sql: String, _ format: OutputFormat? = nil) -> any ResultRenderer {
    let format = format ?? self.format
    if let chart { return ChartRenderer(chart, output, style.theme, title: sql) }
    if let outputFile { return FileRenderer(outputFile, session.engine) }
    output.showsControls = outputIsTerminal && !format.showsControls
    var style = style
    style.width = outputIsTerminal ? Terminal.width : nil
    if outputIsTerminal, usesPager, [.table, .vertical, .markdown].contains(format) { output.holdBack() }
    if format == .table, outputIsTerminal, StatementPrinter.givesDocument(sql) { return LinesRenderer(output) }
    return format.makeRenderer(output, style)
  }

  /// Whether a statement answers with lines of a text rather than rows: a plan, a definition.
  private static func givesDocument(_ sql: String) -> Bool {
    let words = SQLPieces.pieces(of: sql).filter { $0.kind != .comment }.prefix(2).map { piece in
      String(decoding: Array(sql.utf8)[piece.range], as: UTF8.self).uppercased()
    }
    return words.first == "EXPLAIN" || words == ["SHOW", "CREATE"]
  }

  /// The parameters that a statement names.
  package func usedParameters(_ sql: String) -> [String: SQLParameter] {
    if parameters.isEmpty { return [:] }
    let bytes = Array(sql.utf8)
    var used: [String: SQLParameter] = [:]
    for piece in SQLPieces.pieces(of: sql) where piece.kind == .parameter {
      let name = String(decoding: bytes[piece.range].dropFirst(), as: UTF8.self)
      used[name] = parameters[name]
    }
    return used
  }

  /// Shows what was kept back: through a pager when it is higher than the terminal.
  private func page() throws(QueryError) {
    guard let held = output.takeHeld(), !held.isEmpty else { return }
    let height = held.count { $0 == 0x0a }
    if height >= Terminal.height, Pager.show(held) { return }
    output.pending = held
    try output.flush()
  }

  /// Writes what the operators of the statement that ran last did, as a page.
  package func writeProfile(_ sql: String, to path: String) throws(QueryError) {
    guard let figures = lastStatistics else { return }
    try WholeFile.write(Array(ProfilePage.page(sql, figures, lastProfile).utf8), to: path)
  }

  /// Runs one statement of a test; an error becomes a line of the output, `!CODE: message`.
  package func runMarkingErrors(_ sql: String) -> Int32 {
    let renderer = format.makeRenderer(output, DisplayStyle())
    do throws(QueryError) {
      try session.run(SQLStatement(sql), into: renderer)
      try renderer.end()
    } catch {
      let line = error.message.split(separator: "\n").first.map(String.init) ?? ""
      output.write("!\(error.code.rawValue): \(line)\n")
      do throws(QueryError) { try output.flush() } catch { return error.code.kind.exitCode }
    }
    return 0
  }

  /// Columns that error messages are drawn for.
  package var errorWidth: Int? { isTerminal ? Terminal.width : nil }

  private static func print(_ text: String) { Descriptor.print(text, to: 2) }
}

/// The terminal's size.
enum Terminal {
  static var width: Int { max(2, size?.columns ?? 80) }
  static var height: Int { max(2, size?.rows ?? 24) }

  /// Nil when it is not known: of a dumb terminal, or none.
  private static var size: (columns: Int, rows: Int)? {
    for descriptor: Int32 in [1, 2, 0] {
      var size = winsize()
      if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return (Int(size.ws_col), Int(size.ws_row)) }
    }
    return nil
  }
}
