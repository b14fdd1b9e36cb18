import QueryEngine
import QueryErrors

/// Statements that PREPARE keeps, by Athena's API.
extension AthenaService {
  private static let statementName = InputShape.Member.string("StatementName", 1...256, required: true)
  private static let group = InputShape.Member.string("WorkGroup", workgroupName, required: true)

  static let preparedStatementOperations: [String: Operation] = [
    "CreatePreparedStatement": Operation([
      statementName, group, .string("QueryStatement", 1...262_144, required: true), .string("Description", 1...1024),
    ]) { service, input in
      let name = input["StatementName"]?.string ?? ""
      let workgroup = try service.workgroup(input).name
      if try service.engine.workgroups.statement(name, in: workgroup) != nil {
        throw AWSError.invalidInput("PreparedStatement \(name) already exists in workGroup \(workgroup)")
      }
      try service.save(input, in: workgroup)
      return [:]
    },
    "UpdatePreparedStatement": Operation([
      statementName, group, .string("QueryStatement", 1...262_144, required: true), .string("Description", 1...1024),
    ]) { service, input in
      let workgroup = try service.workgroup(input).name
      _ = try service.prepared(input["StatementName"]?.string ?? "", in: workgroup)
      try service.save(input, in: workgroup)
      return [:]
    },
    "GetPreparedStatement": Operation([statementName, group]) { service, input in
      let workgroup = try service.workgroup(input).name
      return ["PreparedStatement": describe(try service.prepared(input["StatementName"]?.string ?? "", in: workgroup), workgroup)]
    },
    "ListPreparedStatements": Operation([group, token, maxResults(50)]) { service, input in
      let page = try page(service.engine.workgroups.statements(in: service.workgroup(input).name), input, maximum: 50) { $0.name }
      let items = page.items.map { ["StatementName": .string($0.name), "LastModifiedTime": .time(micros: $0.modifiedAtMicros)] as JSONValue }
      return ["PreparedStatements": .array(items), "NextToken": page.next]
    },
    "BatchGetPreparedStatement": Operation([.list("PreparedStatementNames", required: true), group]) { service, input in
      let workgroup = try service.workgroup(input).name
      var (found, missing): ([JSONValue], [JSONValue]) = ([], [])
      for name in input["PreparedStatementNames"]?.array?.compactMap(\.string) ?? [] {
        do { found.append(describe(try service.prepared(name, in: workgroup), workgroup)) } catch let error as AWSError {
          missing.append(["StatementName": .string(name), "ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": .text(error.message)])
        }
      }
      return ["PreparedStatements": .array(found), "UnprocessedPreparedStatementNames": .array(missing)]
    },
    "DeletePreparedStatement": Operation([statementName, group]) { service, input in
      let workgroup = try service.workgroup(input).name
      let known = try service.prepared(input["StatementName"]?.string ?? "", in: workgroup)
      try service.engine.workgroups.deleteStatement(known.name, in: workgroup)
      return [:]
    },
  ]

  private func prepared(_ name: String, in workgroup: String) throws -> WorkgroupStatement {
    if let statement = try engine.workgroups.statement(name, in: workgroup) { return statement }
    throw AWSError(
      "ResourceNotFoundException", "PreparedStatement \(name) was not found in workGroup \(workgroup)", members: ["ResourceName": .string(name)])
  }

  private func save(_ input: JSONValue, in workgroup: String) throws {
    let sql = input["QueryStatement"]?.string ?? ""
    do throws(QueryError) { _ = try Session.classify(sql, settings.session.compatibility) } catch {
      throw AWSError.invalidRequest("MALFORMED_QUERY", error.message)
    }
    try engine.workgroups.save(
      WorkgroupStatement(input["StatementName"]?.string ?? "", sql: sql, description: input["Description"]?.string), in: workgroup)
  }

  private static func describe(_ statement: WorkgroupStatement, _ workgroup: String) -> JSONValue {
    [
      "StatementName": .string(statement.name), "QueryStatement": .string(statement.sql), "WorkGroupName": .string(workgroup),
      "Description": .text(statement.description), "LastModifiedTime": .time(micros: statement.modifiedAtMicros),
    ]
  }
}
