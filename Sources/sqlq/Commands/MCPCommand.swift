import ArgumentParser
import Dispatch
import QueryEngine
import QueryService

/// `sqlq mcp`: tools for language models, over stdin and stdout.
struct MCPCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mcp", abstract: "Serve tools for language models over the Model Context Protocol.",
    discussion: """
      Reads one JSON message a line from stdin and answers on stdout, as clients start it:
        {"command": "sqlq", "args": ["mcp", "--max-dollars", "0.50"]}
      Statements only read unless --allow-writes is given.
      """)

  @OptionGroup var engine: EngineOptions
  @Option(help: "The database that names are looked up in.") var database = "default"
  @Option(help: "Rows of a result that are handed out.") var maxRows = 200
  @Option(help: "Bytes that one query may scan, such as 10GB.") var maxScan: ByteCount?
  @Option(help: "US dollars that all queries together may cost.") var maxDollars = 1.0
  @Flag(help: "Allow statements that write.") var allowWrites = false

  func run() throws {
    var defaults = SessionDefaults(database: database)
    defaults.isReadOnly = !allowWrites
    defaults.writesResults = false
    var limits = MCPServer.Limits()
    limits.rows = maxRows
    if let maxScan { limits.scanBytes = maxScan.bytes }
    limits.dollars = maxDollars
    let server = MCPServer(try engine.engine().session(defaults), limits, version: Version.text)
    // The answers come from tasks; this thread only reads.
    let done = DispatchSemaphore(value: 0)
    Task {
      while let line = readLine(strippingNewline: true) {
        if line.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x0d }) { continue }
        guard let answer = await server.answer(Array(line.utf8)) else { continue }
        FileHandleText.print(String(decoding: answer, as: UTF8.self), to: 1)
      }
      done.signal()
    }
    done.wait()
  }
}
