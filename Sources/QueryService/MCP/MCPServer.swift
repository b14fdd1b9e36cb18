public import QueryEngine

/// A Model Context Protocol server: tools that a language model's client calls, one JSON message a line.
///
/// - Source: modelcontextprotocol.io, specification 2025-06-18: base protocol, lifecycle, tools, stdio transport.
public struct MCPServer: Sendable {
  /// What clients may do here.
  public struct Limits: Sendable {
    /// Rows of a result that are handed out.
    public var rows = 200
    /// Bytes of a result that are handed out.
    public var resultBytes = 100_000
    /// Bytes that one query may scan.
    public var scanBytes = 10 << 30
    /// US dollars that all queries together may cost.
    public var dollars = 1.0
    public init() {}
  }

  private let tools: MCPTools
  private static let protocolVersions = ["2025-06-18", "2025-03-26", "2024-11-05"]

  /// - Parameter session: of statements that only read unless it says otherwise.
  public init(_ session: Session, _ limits: Limits = Limits(), version: String) {
    tools = MCPTools(session, limits)
    self.version = version
  }

  private let version: String

  /// The answer to a message, without a line's end; nil for notifications.
  public func answer(_ line: [UInt8]) async -> [UInt8]? {
    guard let message = JSONParser.parse(line) else {
      return MCPServer.failure(.null, code: -32700, "Parse error: a message is one line of JSON").bytesWithNulls
    }
    // A batch, as versions before 2025-06-18 had them.
    if let messages = message.array {
      var answers: [JSONValue] = []
      for message in messages { if let answer = await answer(message) { answers.append(answer) } }
      return answers.isEmpty ? nil : JSONValue.array(answers).bytesWithNulls
    }
    return await answer(message)?.bytesWithNulls
  }

  private func answer(_ message: JSONValue) async -> JSONValue? {
    guard message.object != nil, let method = message["method"]?.string else {
      // Answers to requests, which this server does not make.
      if message["result"] != nil || message["error"] != nil { return nil }
      return MCPServer.failure(message["id"] ?? .null, code: -32600, "Invalid request: a method is missing")
    }
    guard let id = message["id"] else { return nil }
    switch method {
    case "initialize":
      let wanted = message["params"]?["protocolVersion"]?.string ?? ""
      return MCPServer.success(
        id,
        [
          "protocolVersion": .string(MCPServer.protocolVersions.contains(wanted) ? wanted : MCPServer.protocolVersions[0]),
          "capabilities": ["tools": ["listChanged": false]], "serverInfo": ["name": "sqlq", "version": .string(version)],
          "instructions": .string(MCPTools.instructions),
        ])
    case "ping": return MCPServer.success(id, [:])
    case "tools/list": return MCPServer.success(id, ["tools": .array(MCPTools.all.map(\.description))])
    case "tools/call":
      guard let name = message["params"]?["name"]?.string, let tool = MCPTools.all.first(where: { $0.name == name }) else {
        return MCPServer.failure(
          id, code: -32602, "Unknown tool '\(message["params"]?["name"]?.string ?? "")': \(MCPTools.all.map(\.name).joined(separator: ", "))")
      }
      return MCPServer.success(id, await tools.call(tool, message["params"]?["arguments"] ?? [:]))
    default: return MCPServer.failure(id, code: -32601, "Method not found: \(method)")
    }
  }

  private static func success(_ id: JSONValue, _ result: JSONValue) -> JSONValue {
    ["jsonrpc": "2.0", "id": id, "result": result]
  }

  private static func failure(_ id: JSONValue, code: Int64, _ message: String) -> JSONValue {
    ["jsonrpc": "2.0", "id": id, "error": ["code": .integer(code), "message": .string(message)]]
  }
}

extension JSONValue {
  /// The value as text; an answer to what could not be read has the id null, which has to stand there.
  fileprivate var bytesWithNulls: [UInt8] {
    guard case .object(let members) = self, members["id"] == .null else { return bytes }
    var rest = members
    rest["id"] = nil
    return Array("{\"id\":null,".utf8) + JSONValue.object(rest).bytes.dropFirst()
  }
}
