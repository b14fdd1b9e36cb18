import QueryEngine
import QueryErrors
import Synchronization

/// Queries saved under names.
extension AthenaService {
  private static let id = InputShape.Member.string("NamedQueryId", 1...128, required: true)

  static let namedQueryOperations: [String: Operation] = [
    "CreateNamedQuery": Operation([
      .string("Name", 1...128, required: true), .string("Description", 1...1024), .string("Database", 1...255, required: true),
      .string("QueryString", 1...262_144, required: true), .string("ClientRequestToken", 32...128), .string("WorkGroup", workgroupName),
    ]) { service, input in
      let query = NamedQuery(
        input["Name"]?.string ?? "", sql: input["QueryString"]?.string ?? "", database: input["Database"]?.string ?? "default",
        workgroup: try service.workgroup(input).name, description: input["Description"]?.string)
      let token = (input["ClientRequestToken"]?.string).map { "named:" + $0 }
      let asked = JSONParser.parse(describe(query, withID: false).bytes) ?? .null
      return try service.starting.withLock { _ throws -> JSONValue in
        if let token, let known = try service.store.query(token: token) {
          guard known.request == asked else {
            throw AWSError.invalidRequest("IDEMPOTENT_PARAMETER_MISMATCH", "Idempotent parameters do not match")
          }
          return ["NamedQueryId": .string(known.id)]
        }
        let saved = try service.engine.workgroups.save(query)
        if let token { try service.store.save(query: saved.id, token: token, request: asked) }
        return ["NamedQueryId": .string(saved.id)]
      }
    },
    "GetNamedQuery": Operation([id]) { service, input in
      ["NamedQuery": describe(try service.namedQuery(input["NamedQueryId"]?.string ?? ""))]
    },
    "ListNamedQueries": Operation([token, maxResults(50, minimum: 0), .string("WorkGroup", workgroupName)]) { service, input in
      let queries = try service.engine.workgroups.namedQueries(in: service.workgroup(input).name)
      let page = try page(queries, input, maximum: 50) { $0.id }
      return ["NamedQueryIds": .array(page.items.map { .string($0.id) }), "NextToken": page.next]
    },
    "BatchGetNamedQuery": Operation([.list("NamedQueryIds", 1...50, required: true)]) { service, input in
      var (found, missing): ([JSONValue], [JSONValue]) = ([], [])
      for id in input["NamedQueryIds"]?.array?.compactMap(\.string) ?? [] {
        do { found.append(describe(try service.namedQuery(id))) } catch let error as AWSError {
          missing.append(["NamedQueryId": .string(id), "ErrorCode": .text(error.code), "ErrorMessage": .text(error.message)])
        }
      }
      return ["NamedQueries": .array(found), "UnprocessedNamedQueryIds": .array(missing)]
    },
    "UpdateNamedQuery": Operation([
      id, .string("Name", 1...128, required: true), .string("Description", 0...1024), .string("QueryString", 1...262_144, required: true),
    ]) { service, input in
      var query = try service.namedQuery(input["NamedQueryId"]?.string ?? "")
      query.name = input["Name"]?.string ?? ""
      query.sql = input["QueryString"]?.string ?? ""
      if let text = input["Description"]?.string { query.description = text }
      try service.engine.workgroups.save(query)
      return [:]
    },
    "DeleteNamedQuery": Operation([id]) { service, input in
      let query = try service.namedQuery(input["NamedQueryId"]?.string ?? "")
      try service.engine.workgroups.deleteNamedQuery(query.id)
      return [:]
    },
  ]

  private func namedQuery(_ id: String) throws -> NamedQuery {
    do throws(QueryError) { return try engine.workgroups.namedQuery(id) } catch {
      if error.code == .notFound { throw AWSError.invalidRequest("NAMED_QUERY_NOT_FOUND", "NamedQuery \(id) was not found") }
      throw error
    }
  }

  private static func describe(_ query: NamedQuery, withID: Bool = true) -> JSONValue {
    [
      "NamedQueryId": withID ? .string(query.id) : .null, "Name": .string(query.name), "Description": .text(query.description),
      "Database": .string(query.database), "QueryString": .string(query.sql), "WorkGroup": .string(query.workgroup),
    ]
  }
}
