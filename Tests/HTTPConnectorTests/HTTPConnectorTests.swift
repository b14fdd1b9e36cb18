import QueryEngine
import Synchronization
import Testing

/// JSON of HTTP services as catalogs, against a server in the test's own process; expected rows are those it sends.
@Suite("HTTP") struct HTTPConnectorTests {
  private static func session(_ properties: String) async throws -> Session {
    var configuration = EngineConfiguration()
    configuration.threads = 2
    let session = try Engine(configuration).session()
    _ = try await session.run(SQLStatement("CREATE CATALOG api USING http WITH (\(properties))" as String))
    return session
  }

  private static func texts(_ session: Session, _ sql: String) async throws -> [String] {
    let result = try await session.run(SQLStatement(sql))
    return result.rows.map { row in
      (0..<row.count).map { index in
        switch row[index] {
        case .null: "NULL"
        case .integer(let number): String(number)
        default: row[index].stringValue ?? "\(row[index])"
        }
      }.joined(separator: "|")
    }
  }

  private static func message(_ properties: String, _ sql: String) async -> String {
    do {
      _ = try await session(properties).run(SQLStatement(sql))
      return "no error"
    } catch { return "\(error)" }
  }

  /// `{"id": 1, "name": "n1", …}` and so on, of the rows that the parameters select.
  private static func rows(_ request: JSONServer.Request, _ range: Range<Int>) -> String {
    let rows = (1...25).filter { id in
      (request["state"] == nil || request["state"] == (id % 2 == 0 ? "open" : "closed")) && id >= request["from"].flatMap { Int($0) } ?? 0
    }
    let part = rows.indices.filter { range.contains($0) }.map { rows[$0] }
    return "["
      + part.map { id in
        "{\"id\": \(id), \"name\": \"n\(id)\", \"state\": \"\(id % 2 == 0 ? "open" : "closed")\", \"x\": \(Double(id) / 2), \"tags\": [\"a\", \"\(id)\"]}"
      }.joined(separator: ", ") + "]"
  }

  /// Ten rows a page, in every way of paging.
  private static func server() -> JSONServer {
    JSONServer { request in
      let path = request.path.prefix { $0 != "?" }
      let number = request["page"].flatMap { Int($0) } ?? 1
      let offset = request["offset"].flatMap { Int($0) } ?? 0
      switch path {
      case "/all": return .json(rows(request, 0..<100))
      case "/link":
        let next = request.path.contains("?") ? request.path.replacing("&page=\(number)", with: "") : request.path + "?q=1"
        let link = "<\(next)&page=\(number + 1)>; rel=\"next\", </link?page=9>; rel=\"last\""
        return .json(rows(request, (number - 1) * 10..<number * 10), number < 3 ? ("Link", link) : ("X", "y"))
      case "/body":
        let next = number < 3 ? "\"?page=\(number + 1)\"" : "null"
        return .json("{\"rows\": \(rows(request, (number - 1) * 10..<number * 10)), \"paging\": {\"next\": \(next)}}")
      case "/page": return .json(rows(request, (number - 1) * 10..<number * 10))
      case "/offset": return .json(rows(request, offset..<offset + 10))
      case "/cursor":
        let start = request["after"].flatMap { Int($0.replacing("c%3D", with: "")) } ?? 0
        return .json("{\"data\": {\"items\": \(rows(request, start..<start + 10))}, \"next\": \(start < 20 ? "\"c=\(start + 10)\"" : "null")}")
      default: return .init(status: 404, body: "nothing here")
      }
    }
  }

  @Test func everyWayOfPagingYieldsAllRowsOnce() async throws {
    let server = Self.server()
    defer { server.stop() }
    for (table, properties) in [
      ("all", ""), ("link", ", paging = 'next'"), ("body", ", paging = 'next', next = 'paging.next', rows = 'rows'"),
      ("page", ", paging = 'page'"), ("page", ", paging = 'page', page_size = 10"),
      ("offset", ", paging = 'offset', page_size = 10, page_size_parameter = 'limit'"),
      ("cursor", ", paging = 'cursor', cursor = 'next', rows = '$.data.items', page_parameter = 'after'"),
    ] {
      let session = try await Self.session("url = '\(server.url)/\(table)'\(properties)")
      #expect(try await Self.texts(session, "SELECT count(*), sum(id), count(DISTINCT name) FROM api.default.\(table)") == ["25|325|25"], "\(table)")
      #expect(
        try await Self.texts(session, "SELECT id, name, x > 11, tags[2] FROM api.default.\(table) WHERE id > 23 ORDER BY 1") == [
          "24|n24|boolean(true)|24", "25|n25|boolean(true)|25",
        ])
      server.forget()
      #expect(try await Self.texts(session, "SELECT count(*) FROM (SELECT id FROM api.default.\(table) LIMIT 7)") == ["7"])
      // A page behind the limit is on its way at most where the first page names it.
      #expect(server.requests.count <= 2, "\(table): \(server.requests.map(\.path))")
    }
    let all = try await Self.session("url = '\(server.url)/{table}', tables = 'all, page'")
    #expect(try await Self.texts(all, "SHOW TABLES FROM api.default") == ["all", "page"])
    #expect(
      try await Self.texts(all, "SELECT column_name, data_type FROM api.information_schema.columns WHERE table_name = 'all'")
        == ["id|bigint", "name|varchar", "state|varchar", "x|double", "tags|array(varchar)"])
    #expect(try await Self.texts(all, "SELECT count(*) FROM api.default.all a JOIN api.default.page p ON a.id = p.id") == ["10"])
  }

  /// Declared filters are sent as parameters; others are not, and all of them hold here whatever the service does.
  @Test func filtersAreSentWhereDeclared() async throws {
    let server = Self.server()
    defer { server.stop() }
    let session = try await Self.session("url = '\(server.url)/link', paging = 'next', filters = 'state, id>=from', parameters = 'lang=en'")
    server.forget()
    #expect(try await Self.texts(session, "SELECT id FROM api.default.link WHERE state = 'open' AND id > 20 AND x < 12 ORDER BY 1") == ["22"])
    let sent = server.requests.map(\.path)
    // The page that the columns are told from, then those of the filter.
    #expect(sent.first == "/link?lang=en")
    #expect(sent.dropFirst().first == "/link?lang=en&from=20&state=open")
    let plan = try await Self.texts(session, "EXPLAIN SELECT id FROM api.default.link WHERE state = 'open'").joined()
    #expect(plan.contains("sends GET \(server.url)/link?lang=en&state=open"))
    // This service ignores the parameter: the rows are the same.
    let liar = try await Self.session("url = '\(server.url)/all', filters = 'state=status, name'")
    #expect(try await Self.texts(liar, "SELECT count(*) FROM api.default.all WHERE state = 'open' AND name IN ('n2', 'n3', 'n4')") == ["2"])
    #expect(try await Self.texts(liar, "SELECT count(*) FROM api.default.all WHERE name = 'n2' OR name IS NULL") == ["1"])
    #expect(
      await Self.message("url = '\(server.url)/all', filters = 'nothing'", "SELECT 1 FROM api.default.all").contains(
        "filters name the column 'nothing'"))
  }

  @Test func declaredColumnsAreChecked() async throws {
    let server = JSONServer { request in
      .json("[{\"id\": 1, \"at\": \"2024-03-01T10:00:00Z\", \"n\": \"1.50\"}, {\"id\": \(request.path == "/bad" ? "\"one\"" : "2"), \"n\": null}]")
    }
    defer { server.stop() }
    let columns = "columns = 'id integer, at timestamp(3) with time zone, n decimal(10,2), missing varchar'"
    let session = try await Self.session("url = '\(server.url)/good', \(columns)")
    #expect(
      try await Self.texts(session, "SELECT id, cast(at AS varchar), cast(n AS varchar), missing FROM api.default.good ORDER BY id")
        == ["1|2024-03-01 10:00:00.000 UTC|1.50|NULL", "2|NULL|NULL|NULL"])
    let since = try await Self.session("url = '\(server.url)/since', \(columns), filters = 'at>=since'")
    #expect(try await Self.texts(since, "SELECT id FROM api.default.since WHERE at > TIMESTAMP '2024-03-01 10:00:00 +01:00'") == ["1"])
    #expect(server.requests.last?.path == "/since?since=2024-03-01T09%3A00%3A00Z")
    let bad = await Self.message("url = '\(server.url)/bad', \(columns)", "SELECT sum(id) FROM api.default.bad")
    #expect(bad.contains("HIVE_BAD_DATA") && bad.contains("\(server.url)/bad") && bad.contains("one"), "\(bad)")
    for (property, words) in [
      ("columns = 'id'", "columns is 'id'"), ("paging = 'pages'", "paging is 'pages'"), ("paging = 'cursor'", "needs the property cursor"),
      ("rows = 'a..b'", "rows is 'a..b'"), ("filters = 'a>>b'", "filters"), ("headers = 'X: y'", "headers is no JSON object"),
      ("headers = '{\"a b\": \"c\"}'", "headers has a line that is no header"), ("timeout = 0", "timeout is '0'"),
      ("page_size_parameter = 'n'", "needs page_size"), ("parameters = 'a b'", "parameters is not of the form"),
      ("bearer_token = 'a', username = 'b'", "Authorization"), ("tables = 'a, b'", "no {table} in the url"),
    ] {
      let message = await Self.message("url = '\(server.url)/good', \(property)", "SELECT 1")
      #expect(message.contains("INVALID_CATALOG_PROPERTY") && message.contains(words), "\(property): \(message)")
    }
    #expect(await Self.message("url = 'ftp://x/y'", "SELECT 1").contains("INVALID_CATALOG_PROPERTY"))
    #expect(await Self.message("url = 'http://me:pw@x/y'", "SELECT 1").contains("INVALID_CATALOG_PROPERTY"))
    #expect(await Self.message("url = '\(server.url)/good'", "INSERT INTO api.default.good (id) VALUES (1)").contains("NOT_SUPPORTED"))
  }

  @Test func secretsAreSentAndShownNowhere() async throws {
    let server = JSONServer { request in
      request.path.contains("page=2") ? .init(status: 403, body: "no") : .json("[{\"id\": 1}]", ("Link", "</x?page=2>; rel=next"))
    }
    defer { server.stop() }
    let secrets = "headers = '{\"X-Key\": \"geheim1\"}', secret_parameters = 'key=geheim2', username = 'me', password = 'geheim3'"
    let session = try await Self.session("url = '\(server.url)/x', paging = 'next', \(secrets)")
    var shown = try await Self.texts(session, "SHOW CREATE CATALOG api").joined()
    shown += try await Self.texts(session, "EXPLAIN SELECT * FROM api.default.x").joined()
    do {
      _ = try await session.run("SELECT * FROM api.default.x")
      Issue.record("the second page is refused")
    } catch { shown += "\(error)" }
    #expect(shown.contains("/x?page=2: status 403: no"))
    #expect(!shown.contains("geheim"), "\(shown)")
    // `me:geheim3` in Base64.
    for request in server.requests {
      #expect(request["key"] == "geheim2" && request.headers["x-key"] == "geheim1")
      #expect(request.headers["authorization"] == "Basic bWU6Z2VoZWltMw==")
    }
  }

  @Test func faultsAreTold() async throws {
    let tries = Mutex<[String: Int]>([:])
    let server = JSONServer { request in
      let path = String(request.path.prefix { $0 != "?" })
      let count = tries.withLock { tries in
        tries[path, default: 0] += 1
        return tries[path] ?? 0
      }
      switch path {
      case "/busy" where count < 3: return .init(status: 503, headers: [("Retry-After", "0")])
      case "/broken" where count < 3: return .init(body: "[{\"id\": 1}]", cut: 4)
      case "/busy", "/broken": return .json("[{\"id\": 1}]")
      case "/never": return .init(status: 500, body: "it\nbroke")
      case "/html": return .json("<html>")
      case "/text": return .json("[{\"id\": 1}, nothing]")
      case "/half": return .json("[{\"id\": 1}, {\"id\"")
      case "/no": return .json("{\"items\": {\"id\": 1}, \"n\": 3}")
      case "/empty": return .json("[ ]")
      case "/moved": return .init(status: 302, headers: [("Location", "https://elsewhere/")])
      case "/elsewhere": return .json("[{\"id\": 1}]", ("Link", "<http://example.com/x>; rel=\"next\""))
      case "/loop": return .json("[{\"id\": 1}]", ("Link", "</loop>; rel=\"next\""))
      case "/same": return .json("[{\"id\": 1}]")
      case "/long":
        return .json("[{\"id\": 1}, {\"id\": 1, \"t\": \"" + String(repeating: "x", count: 5000) + "\"}]", ("Link", "</long?\(count)>; rel=\"next\""))
      default: return .init(body: "[]", delay: 30_000)
      }
    }
    defer { server.stop() }
    func message(_ path: String, _ more: String = "") async -> String {
      await Self.message("url = '\(server.url)/\(path)', retries = 2\(more)", "SELECT count(*) FROM api.default.\"\(path)\"")
    }
    for path in ["busy", "broken"] { #expect(await message(path) == "no error") }
    for (path, more, words) in [
      ("never", "", "/never: status 500 (3 tries): it broke"), ("html", "", "the answer is no JSON, at byte 0"),
      ("half", "", "the answer is no JSON"), ("no", ", rows = 'rows'", "the answer has no 'rows' (rows)"),
      ("no", ", rows = 'n'", "what is at 'n' is no array (rows)"), ("empty", "", "the page has no rows that would tell the columns"),
      ("moved", "", "status 302, moved to https://elsewhere/"),
      ("elsewhere", ", paging = 'next'", "the next page is at another host, http://example.com"),
      ("loop", ", paging = 'next'", "the next page is one that was before"), ("same", ", paging = 'page'", "the page is the same as the one before"),
      ("long", ", paging = 'next', max_bytes = 12000", "the table has more than 12000 bytes (max_bytes)"),
      ("long", ", max_bytes = 1000", "the page has more than 1000 bytes (max_bytes)"),
      ("long", ", paging = 'next', max_pages = 3", "the table has more than 3 pages (max_pages)"),
    ] {
      let text = await message(path, more)
      #expect(text.contains("JDBC_ERROR: Catalog 'api'") && text.contains(words), "\(path): \(text)")
    }
    let text = await message("text")
    #expect(text.contains("HIVE_BAD_DATA") || text.contains("JDBC_ERROR"), "\(text)")
    let late = await Self.message("url = '\(server.url)/late', retries = 0, timeout = 1", "SELECT count(*) FROM api.default.late")
    #expect(late.contains("JDBC_ERROR") && late.lowercased().contains("time"), "\(late)")
    let session = try await Self.session("url = '\(server.url)/late', columns = 'id bigint'")
    let waiting = session.start("SELECT count(*) FROM api.default.late")
    while server.requests.last?.path != "/late" { try await Task.sleep(for: .milliseconds(5)) }
    let start = ContinuousClock.now
    waiting.cancel()
    await #expect(throws: QueryError.self) { try await waiting.finish() }
    #expect(ContinuousClock.now - start < .seconds(10))
    server.stop()
    let gone = await Self.message("url = '\(server.url)/busy', retries = 0", "SELECT count(*) FROM api.default.busy")
    #expect(gone.contains("JDBC_ERROR"), "\(gone)")
  }
}
