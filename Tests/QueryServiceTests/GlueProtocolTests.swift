import Testing

@testable import QueryService

@Suite("Glue's protocol") struct GlueProtocolTests {
  @Test func tablesOfGlueAreTablesOfStatements() throws {
    try ServiceTesting.withService { client, _ in
      func glue(_ operation: String, _ input: JSONValue) throws -> ServiceClient.Answer { try client.call("AWSGlue." + operation, input) }
      _ = try client.request("PUT", "/data-bucket")
      for (day, rows) in [("2024-01-01", "1,a\n2,b\n"), ("2024-01-02", "3,c\n")] {
        _ = try client.request("PUT", "/data-bucket/t/day%3D\(day)/f.csv", text: rows)
      }
      #expect(try glue("CreateDatabase", ["DatabaseInput": ["Name": "demo"]]).status == 200)
      #expect(try glue("CreateDatabase", ["DatabaseInput": ["Name": "demo"]]).json["__type"]?.string == "AlreadyExistsException")
      let table: JSONValue = [
        "Name": "T", "Owner": "me", "PartitionKeys": [["Name": "day", "Type": "date"]], "Parameters": ["classification": "csv"],
        "StorageDescriptor": [
          "Columns": [["Name": "id", "Type": "bigint"], ["Name": "name", "Type": "string", "Comment": "who"]],
          "Location": "s3://data-bucket/t/",
          "SerdeInfo": [
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", "Parameters": ["field.delim": ","],
          ],
        ],
      ]
      let made = try glue("CreateTable", ["DatabaseName": "demo", "TableInput": table])
      #expect(made.status == 200, "\(made.text)")
      let partitions = ["2024-01-01", "2024-01-02"].map { day -> JSONValue in
        ["Values": [.string(day)], "StorageDescriptor": ["Location": .string("s3://data-bucket/t/day=\(day)/")]]
      }
      let added = try glue("BatchCreatePartition", ["DatabaseName": "demo", "TableName": "t", "PartitionInputList": .array(partitions)])
      #expect(added.json == ["Errors": []], "\(added.text)")
      let query = try client.run("SELECT sum(id), count(*) FROM demo.t WHERE day > DATE '2024-01-01'")
      #expect(try client.rows(query).last == ["3", "1"], "\(query)")
      for (expression, count) in [("day = '2024-01-01'", 1), ("(day >= date '2024-01-02') or (day='2024-01-01')", 2), ("day IN ('2023-01-01')", 0)] {
        let found = try glue("GetPartitions", ["DatabaseName": "demo", "TableName": "t", "Expression": .string(expression)])
        #expect(found.json["Partitions"]?.array?.count == count, "\(expression): \(found.text)")
      }
      let injected = try glue("GetPartitions", ["DatabaseName": "demo", "TableName": "t", "Expression": "true) OR (1=1"])
      #expect(injected.json["__type"]?.string == "InvalidInputException")
      let told = try glue("GetTable", ["DatabaseName": "demo", "Name": "t"]).json["Table"]
      #expect(told?["Owner"]?.string == "me" && told?["StorageDescriptor"]?["Columns"]?.array?[1]["Comment"]?.string == "who")
      _ = try client.run("CREATE VIEW demo.v AS SELECT id FROM demo.t")
      #expect(try glue("GetTable", ["DatabaseName": "demo", "Name": "v"]).json["Table"]?["TableType"]?.string == "VIRTUAL_VIEW")
      let names = try glue("GetTables", ["DatabaseName": "demo", "Expression": "v|x"]).json["TableList"]?.array?.map { $0["Name"]?.string }
      #expect(names == ["v"])
      #expect(try glue("DeleteTable", ["DatabaseName": "demo", "Name": "t"]).status == 200)
      #expect(try glue("GetTable", ["DatabaseName": "demo", "Name": "t"]).json["__type"]?.string == "EntityNotFoundException")
      #expect(try glue("StartCrawler", [:]).json["__type"]?.string == "UnknownOperationException")
      let identity = try client.request(
        "POST", "/", ["Content-Type": "application/x-www-form-urlencoded"], text: "Action=GetCallerIdentity&Version=2011-06-15")
      #expect(identity.status == 200 && identity.text.contains("<Account>000000000000</Account>"))
    }
  }
}
