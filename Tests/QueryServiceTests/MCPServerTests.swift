import Foundation
import QueryEngine
import Testing

@testable import QueryService

/// Messages of the Model Context Protocol and their answers.
@Suite("Model Context Protocol") struct MCPServerTests {
  private static func server(_ change: (inout MCPServer.Limits) -> Void = { _ in }) throws -> MCPServer {
    var defaults = SessionDefaults()
    defaults.isReadOnly = true
    var limits = MCPServer.Limits()
    change(&limits)
    return MCPServer(try Engine().session(defaults), limits, version: "1")
  }

  private static func answer(_ server: MCPServer, _ text: String) async -> JSONValue? {
    await server.answer(Array(text.utf8)).flatMap { JSONParser.parse($0) }
  }

  private static func call(_ server: MCPServer, _ tool: String, _ arguments: JSONValue) async -> JSONValue? {
    let message: JSONValue = [
      "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": ["name": .string(tool), "arguments": arguments],
    ]
    return await answer(server, String(decoding: message.bytes, as: UTF8.self))?["result"]
  }

  @Test func lifecycle() async throws {
    let server = try Self.server()
    let hello = await Self.answer(
      server, #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{}}}"#)
    #expect(hello?["result"]?["protocolVersion"]?.string == "2025-03-26")
    #expect(hello?["result"]?["serverInfo"]?["name"]?.string == "sqlq")
    #expect(await server.answer(Array(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.utf8)) == nil)
    let tools = await Self.answer(server, #"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#)?["result"]?["tools"]?.array
    #expect(tools?.compactMap { $0["name"]?.string } == ["list_tables", "describe", "estimate", "query"])
    #expect(await Self.answer(server, #"{"jsonrpc":"2.0","id":3,"method":"nothing"}"#)?["error"]?["code"]?.integer == -32601)
    let noJSON = await server.answer(Array("{".utf8)).map { String(decoding: $0, as: UTF8.self) }
    #expect(noJSON?.contains("\"id\":null") == true && noJSON?.contains("-32700") == true)
  }

  @Test func queriesWithinLimits() async throws {
    let server = try Self.server { $0.rows = 2 }
    let result = await Self.call(server, "query", ["sql": "SELECT x, CAST(NULL AS varchar) AS y FROM UNNEST(sequence(1, 9)) t(x) ORDER BY x"])
    #expect(result?["isError"]?.bool == false)
    #expect(result?["structuredContent"]?["rows"] == [[1, .null], [2, .null]])
    #expect(result?["structuredContent"]?["is_cut"]?.bool == true)
    for (sql, code) in [
      ("SELEC 1", "SYNTAX_ERROR"), ("CREATE DATABASE d", "READ_ONLY_VIOLATION"), ("SELECT 1; SELECT 2", "NOT_SUPPORTED"),
    ] {
      let refused = await Self.call(server, "query", ["sql": .string(sql)])
      #expect(refused?["isError"]?.bool == true)
      #expect(refused?["structuredContent"]?["code"]?.string == code)
    }
    #expect(await Self.call(server, "query", [:])?["isError"]?.bool == true)
  }

  @Test func moneyEnds() async throws {
    let server = try Self.server { $0.dollars = 0 }
    let result = await Self.call(server, "query", ["sql": "SELECT 1"])
    #expect(result?["structuredContent"]?["code"]?.string == "EXCEEDED_SCAN_LIMIT")
  }
}
