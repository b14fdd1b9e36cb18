import Testing

@testable import QueryService

@Suite("Trino's protocol") struct TrinoProtocolTests {
  private func pages(_ client: ServiceClient, _ sql: String, _ headers: [String: String] = [:]) throws -> [ServiceClient.Answer] {
    var pages = [try client.request("POST", "/v1/statement", headers.merging(["X-Trino-User": "me"]) { $1 }, text: sql)]
    while let next = pages.last?.json["nextUri"]?.string {
      pages.append(try client.request("GET", String(next.dropFirst("http://127.0.0.1:\(client.port)".count))))
    }
    return pages
  }

  @Test func rowsComeInPages() throws {
    try ServiceTesting.withService { client, _ in
      let pages = try pages(client, "SELECT n, CAST(n AS varchar) FROM UNNEST(sequence(1, 9000)) AS t(n)")
      let rows = pages.flatMap { $0.json["data"]?.array ?? [] }
      #expect(rows.count == 9000 && rows.last == [9000, "9000"])
      #expect(pages.last?.json["stats"]?["state"]?.string == "FINISHED")
    }
  }

  @Test func valuesHaveTheFormOfTheirTypes() throws {
    try ServiceTesting.withService { client, _ in
      let pages = try pages(
        client,
        """
        SELECT true, 1.5E0, nan(), DECIMAL '1.50', X'00ff', DATE '2024-02-29', TIMESTAMP '2024-01-01 00:00:00.123', ARRAY[1, NULL],
          MAP(ARRAY['k'], ARRAY[2]), CAST(ROW(1, 'x') AS ROW(a integer, b varchar)), NULL
        """)
      let row = pages.compactMap { $0.json["data"]?.array?.first }.first?.array ?? []
      #expect(
        row == [
          true, .double(1.5), "NaN", "1.50", "AP8=", "2024-02-29", "2024-01-01 00:00:00.123", [1, .null], ["k": 2], [1, "x"], .null,
        ])
      let columns = pages.compactMap { $0.json["columns"]?.array }.first ?? []
      #expect(columns[3]["typeSignature"]?["rawType"]?.string == "decimal")
    }
  }

  @Test func errorsAndSessions() throws {
    try ServiceTesting.withService { client, _ in
      let error = try pages(client, "SELECT missing FROM (VALUES 1) AS t(a)").last?.json["error"]
      #expect(error?["errorName"]?.string == "COLUMN_NOT_FOUND" && error?["errorType"]?.string == "USER_ERROR")
      let set = try pages(client, "SET SESSION query_max_run_time = '5m'")
      #expect(set.last?.headers["x-trino-set-session"] == "query_max_run_time=5m")
      let shown = try pages(client, "SHOW SESSION LIKE 'query_max_run_time'", ["X-Trino-Session": "query_max_run_time=7m"])
      #expect(shown.compactMap { $0.json["data"]?.array?.first?.array?[1].string } == ["7m"])
      let started = try client.request(
        "POST", "/v1/statement", ["X-Trino-User": "me"],
        text:
          "SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x), UNNEST(sequence(1, 10000)) b(y), UNNEST(sequence(1, 10000)) c(z) WHERE x + y + z = 7"
      )
      let next = String((started.json["nextUri"]?.string ?? "").dropFirst("http://127.0.0.1:\(client.port)".count))
      #expect(try client.request("DELETE", next).status == 204)
      #expect(try client.request("GET", next.split(separator: "/").dropLast(2).joined(separator: "/") + "/wrong/1").status != 200)
    }
  }
}
