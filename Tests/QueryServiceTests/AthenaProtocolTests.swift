import Foundation
import Testing

@testable import QueryService

/// Athena's protocol; expected texts are those recorded of the real service.
@Suite("Athena's protocol") struct AthenaProtocolTests {
  @Test func aQueryRuns() throws {
    try ServiceTesting.withService { client, folder in
      let query = try client.run(
        "-- {\"app\": \"dbt\"}\nSELECT 1 AS a, 'x\"y' AS b, CAST(NULL AS double) AS c, '' AS d;\n",
        [
          "QueryExecutionContext": ["Database": "`default`", "Catalog": "AwsDataCatalog"],
          "ResultConfiguration": ["OutputLocation": "s3://out-bucket/p"],
        ])
      let id = query["QueryExecutionId"]?.string ?? ""
      #expect(query["Status"]?["State"]?.string == "SUCCEEDED")
      #expect(query["StatementType"]?.string == "DML" && query["SubstatementType"]?.string == "SELECT")
      #expect(query["QueryExecutionContext"]?["Catalog"]?.string == "awsdatacatalog")
      #expect(query["ResultConfiguration"]?["OutputLocation"]?.string == "s3://out-bucket/p/\(id).csv")
      #expect(query["WorkGroup"]?.string == "primary")
      #expect(try client.rows(query) == [["a", "b", "c", "d"], ["1", "x\"y", nil, ""]])
      let file = try String(contentsOfFile: folder + "/s3/out-bucket/p/\(id).csv", encoding: .utf8)
      #expect(file == "\"a\",\"b\",\"c\",\"d\"\n\"1\",\"x\"\"y\",,\"\"\n")
      let info = try client.call("GetQueryResults", ["QueryExecutionId": .string(id)]).json
      #expect(info["UpdateCount"]?.integer == 0)
      let columns = info["ResultSet"]?["ResultSetMetadata"]?["ColumnInfo"]?.array ?? []
      #expect(columns.map { $0["Type"]?.string } == ["integer", "varchar", "double", "varchar"])
      #expect(columns.map { $0["Precision"]?.integer } == [10, 3, 17, 0])
    }
  }

  @Test func pagesCountTheHeader() throws {
    try ServiceTesting.withService { client, _ in
      let query = try client.run("SELECT n FROM UNNEST(sequence(1, 5)) AS t(n)")
      let id = query["QueryExecutionId"] ?? .null
      var (pages, token): ([[String?]], JSONValue) = ([], .null)
      repeat {
        let page = try client.call("GetQueryResults", ["QueryExecutionId": id, "MaxResults": 2, "NextToken": token]).json
        pages.append((page["ResultSet"]?["Rows"]?.array ?? []).map { $0["Data"]?.array?[0]["VarCharValue"]?.string })
        token = page["NextToken"] ?? .null
      } while token != .null
      #expect(pages == [["n", "1"], ["2", "3"], ["4", "5"]])
    }
  }

  @Test func errorsSayWhatAthenaSays() throws {
    try ServiceTesting.withService { client, _ in
      func error(_ operation: String, _ input: JSONValue) throws -> (String?, String?, String?) {
        let answer = try client.call(operation, input)
        #expect(answer.status == 400)
        return (answer.json["__type"]?.string, answer.json["AthenaErrorCode"]?.string, answer.json["Message"]?.string)
      }
      let token = JSONValue.string(RequestID.make())
      #expect(try error("CreateNotebook", [:]) == ("UnknownOperationException", nil, nil))
      #expect(
        try error("GetQueryExecution", [:]) == (
          "InvalidRequestException", "INVALID_INPUT",
          "1 validation error detected: Value null at 'queryExecutionId' failed to satisfy constraint: Member must not be null"
        ))
      #expect(
        try error("GetQueryExecution", ["QueryExecutionId": "nope"]) == (
          "InvalidRequestException", "QUERY_EXECUTION_NOT_FOUND", "QueryExecution nope was not found"
        ))
      #expect(
        try error("GetQueryResults", ["QueryExecutionId": "nope", "MaxResults": "x"]) == (
          "SerializationException", nil, "STRING_VALUE can not be converted to an Integer"
        ))
      #expect(
        try error("StartQueryExecution", ["QueryString": "SELEC 1", "ClientRequestToken": token]).1 == "MALFORMED_QUERY")
      #expect(
        try error(
          "StartQueryExecution",
          ["QueryString": "SELEC 1", "ClientRequestToken": token, "ResultConfiguration": ["OutputLocation": "/tmp"]]) == (
            "InvalidRequestException", "INVALID_INPUT", "outputLocation is not a valid S3 path."
          ))
      #expect(
        try error("StartQueryExecution", ["QueryString": "SELECT 1", "ClientRequestToken": token, "WorkGroup": "none"]) == (
          "InvalidRequestException", "INVALID_INPUT", "WorkGroup is not found."
        ))
      let failed = try client.run("SELECT * FROM missing")
      #expect(failed["Status"]?["State"]?.string == "FAILED")
      #expect(failed["Status"]?["StateChangeReason"]?.string?.hasPrefix("TABLE_NOT_FOUND: line 1:15: ") == true)
      #expect(failed["Status"]?["AthenaError"]?["ErrorType"]?.integer == 1301)
      #expect(
        try error("GetQueryResults", ["QueryExecutionId": failed["QueryExecutionId"] ?? .null]) == (
          "InvalidRequestException", "INVALID_QUERY_EXECUTION_STATE",
          "Query did not finish successfully. Final query state: FAILED"
        ))
      let metadata = try client.call(
        "GetTableMetadata", ["CatalogName": "AwsDataCatalog", "DatabaseName": "default", "TableName": "SELECT 1"])
      #expect(metadata.json["__type"]?.string == "MetadataException")
      #expect(metadata.json["Message"]?.string?.contains("Error Code: EntityNotFoundException; Request ID: ") == true)
      // Bodies that are none.
      let broken = try client.request("POST", "/", ["X-Amz-Target": "AmazonAthena.GetWorkGroup"], text: "{\"a\":")
      #expect(broken.status == 400 && broken.json == ["__type": "SerializationException"])
    }
  }

  @Test func tokensMakeStartingIdempotent() throws {
    try ServiceTesting.withService { client, _ in
      let token = JSONValue.string(RequestID.make())
      func start(_ sql: String) throws -> JSONValue {
        try client.call("StartQueryExecution", ["QueryString": .string(sql), "ClientRequestToken": token]).json
      }
      let first = try start("SELECT 1")
      #expect(first["QueryExecutionId"]?.string != nil)
      #expect(try start("SELECT 1") == first)
      #expect(try start("SELECT 2")["AthenaErrorCode"]?.string == "IDEMPOTENT_PARAMETER_MISMATCH")
    }
  }

  @Test func aQueryThatIsStoppedIsCancelled() throws {
    try ServiceTesting.withService { client, _ in
      let started = try client.call(
        "StartQueryExecution",
        [
          "QueryString":
            "SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x), UNNEST(sequence(1, 10000)) b(y), UNNEST(sequence(1, 10000)) c(z) WHERE x + y + z = 7",
          "ClientRequestToken": .string(RequestID.make()),
        ]
      ).json
      let id = started["QueryExecutionId"] ?? .null
      var state: String?
      repeat {
        state = try client.call("GetQueryExecution", ["QueryExecutionId": id]).json["QueryExecution"]?["Status"]?["State"]?.string
      } while state == "QUEUED"
      // The workers are in the middle of it.
      usleep(200_000)
      #expect(try client.call("StopQueryExecution", ["QueryExecutionId": id]).status == 200)
      repeat {
        state = try client.call("GetQueryExecution", ["QueryExecutionId": id]).json["QueryExecution"]?["Status"]?["State"]?.string
      } while state == "RUNNING" || state == "QUEUED"
      #expect(state == "CANCELLED")
      #expect(try client.call("GetQueryResults", ["QueryExecutionId": id]).json["AthenaErrorCode"]?.string == "RESULT_NOT_FOUND")
    }
  }

  @Test func queriesOutliveTheServer() throws {
    try ServiceTesting.withService { client, folder in
      let query = try client.run("SELECT 42 AS answer")
      try ServiceTesting.serve(folder) { port in
        let other = try ServiceClient(port: port)
        #expect(try other.rows(query) == [["answer"], ["42"]])
        let ids = try other.call("ListQueryExecutions").json["QueryExecutionIds"]?.array ?? []
        #expect(ids == [query["QueryExecutionId"] ?? .null])
      }
    }
  }

  @Test func workgroupsAndStatements() throws {
    try ServiceTesting.withService { client, _ in
      let made = try client.call(
        "CreateWorkGroup",
        ["Name": "team", "Configuration": ["ResultConfiguration": ["OutputLocation": "s3://team-bucket/r/"], "EnforceWorkGroupConfiguration": true]])
      #expect(made.status == 200, "\(made.text)")
      let group = try client.call("GetWorkGroup", ["WorkGroup": "team"]).json["WorkGroup"]
      #expect(group?["Configuration"]?["EnforceWorkGroupConfiguration"]?.bool == true)
      #expect(group?["Configuration"]?["EngineVersion"]?["EffectiveEngineVersion"]?.string == "Athena engine version 3")
      _ = try client.call("CreatePreparedStatement", ["StatementName": "plus", "WorkGroup": "team", "QueryStatement": "SELECT ? + 1 AS n"])
      let query = try client.run("EXECUTE plus", ["WorkGroup": "team", "ExecutionParameters": ["41"]])
      #expect(try client.rows(query) == [["n"], ["42"]], "\(query)")
      #expect(query["ResultConfiguration"]?["OutputLocation"]?.string?.hasPrefix("s3://team-bucket/r/") == true)
      let names = try client.call("ListWorkGroups").json["WorkGroups"]?.array?.map { $0["Name"]?.string }
      #expect(names == ["primary", "team"])
    }
  }
}
