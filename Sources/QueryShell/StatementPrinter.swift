import CEdit
import Glibc
package import QueryEngine

/// Runs statements and prints what they give: rows to stdout, everything else to stderr.
package final class StatementPrinter {
  private let session: Session
  package var format: OutputFormat
  package var statsAsJSON: Bool
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
    let execution = session.queue(SQLStatement(sql))
    let progress = isTerminal ? ProgressLine(execution, base: session.engine.configuration.unitBase) : nil
    Interrupt.shared.watch(execution) { [statsAsJSON, errorWidth] statistics in
      progress?.stop()
      if statsAsJSON { StatementPrinter.print(StatusFooter.json(statistics)) }
      let error = QueryError(.userCanceled, "Query was canceled")
      StatementPrinter.print(StatementPlace.render(error, sql, at: place, width: errorWidth))
    }
    progress?.start()
    output.showsControls = outputIsTerminal && !format.showsControls
    let renderer = format.makeRenderer(output, width: outputIsTerminal ? Terminal.width : nil)
    var error: QueryError?
    do throws(QueryError) { try execution.run(into: renderer) } catch let failure { error = failure }
    Interrupt.shared.unwatch()
    progress?.stop()
    do throws(QueryError) {
      if error == nil { try renderer.end() } else { try output.flush() }
    } catch let writing {
      error = error ?? writing
    }
    let statistics = execution.statistics
    if !statsAsJSON { for note in statistics.notes { StatementPrinter.print("note: " + TerminalText.printable(note)) } }
    if statsAsJSON {
      StatementPrinter.print(StatusFooter.json(statistics))
    } else if error == nil, isTerminal || statistics.isDryRun {
      StatementPrinter.print(StatusFooter.text(statistics))
    }
    if let error {
      // A reader that has gone, as `head` does, wants no message either.
      if !output.isClosed { StatementPrinter.print(StatementPlace.render(error, sql, at: place, width: errorWidth)) }
      return error.code.kind.exitCode
    }
    return 0
  }

  /// Runs one statement of a test; an error becomes a line of the output, `!CODE: message`.
  package func runMarkingErrors(_ sql: String) -> Int32 {
    let renderer = format.makeRenderer(output, width: nil)
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
  private var errorWidth: Int? { isTerminal ? Terminal.width : nil }

  private static func print(_ text: String) { Descriptor.print(text, to: 2) }
}

/// The terminal's size.
enum Terminal {
  static var width: Int {
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
