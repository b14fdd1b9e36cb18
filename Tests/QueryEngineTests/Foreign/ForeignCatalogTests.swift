import Foundation
import QueryEngine
import Testing

/// Foreign catalogs through the public API: connectors of others, sources that lie, secrets.
@Suite("Foreign catalogs") struct ForeignCatalogTests {
  private static func engine(home: URL? = nil, _ registrations: ConnectorRegistration...) throws -> Engine {
    var configuration = EngineConfiguration(home: home?.path)
    configuration.threads = 2
    configuration.connectors = registrations
    return try Engine(configuration)
  }

  private static func texts(_ session: Session, _ sql: String) async throws -> [String] {
    let result = try await session.run(SQLStatement(sql))
    return result.rows.map { row in
      (0..<row.count).map { index in row[index].stringValue ?? "\(row[index])" }.joined(separator: "|")
    }
  }

  @Test func theExampleConnectorListsAFolder() async throws {
    try await EngineTesting.withFolder { folder in
      try Data("12345".utf8).write(to: folder.appending(path: "five"))
      try Data("1".utf8).write(to: folder.appending(path: "one"))
      let session = try Self.engine(ConnectorRegistration(FolderConnector(), isProven: true)).session()
      _ = try await session.run(SQLStatement("CREATE CATALOG here USING folder WITH (path = '\(folder.path)')" as String))
      #expect(try await Self.texts(session, "SELECT name FROM here.files.folder ORDER BY size") == ["one", "five"])
      #expect(try await Self.texts(session, "SELECT name FROM here.files.folder WHERE name = 'five' AND size > 1") == ["five"])
      #expect(try await Self.texts(session, "SELECT count(*) FROM here.files.folder") == ["integer(2)"])
      let plan = try await Self.texts(session, "EXPLAIN SELECT size FROM here.files.folder WHERE name IN ('one', 'x')")
      #expect(plan.joined().contains("sends readdir \(folder.path) one x"))
    }
  }

  /// Whatever a source does with the filters it accepted, the answers are those of one that knows no filters.
  @Test(arguments: [ListConnector.Filtering.drops(nothing: true), .drops(nothing: false), .honest])
  func sourcesThatLieAboutFiltersChangeNoAnswer(_ filtering: ListConnector.Filtering) async throws {
    let queries = [
      "SELECT k, name FROM lists.s.t WHERE k > 3 ORDER BY k", "SELECT k FROM lists.s.t WHERE name = 'n5'",
      "SELECT count(*) FROM lists.s.t WHERE k BETWEEN 2 AND 4", "SELECT name, count(*) FROM lists.s.t WHERE k <> 1 GROUP BY name ORDER BY 1",
      "SELECT a.k FROM lists.s.t a JOIN lists.s.t b ON a.k = b.k WHERE b.k < 3 ORDER BY 1",
      "SELECT k FROM lists.s.t WHERE k IS NULL OR k = 7", "SELECT k FROM (SELECT k FROM lists.s.t WHERE k > 5 LIMIT 100) ORDER BY k",
    ]
    func answers(_ registration: ConnectorRegistration) async throws -> [[String]] {
      let session = try Self.engine(registration).session()
      _ = try await session.run("CREATE CATALOG lists USING list")
      var answers: [[String]] = []
      for query in queries { answers.append(try await Self.texts(session, query)) }
      return answers
    }
    let expected = try await answers(ConnectorRegistration(ListConnector(filtering: .ignored)))
    #expect(expected[0].count == 6)
    // Whoever vouches for a source that drops rows gets what it says; nobody else does.
    #expect(try await answers(ConnectorRegistration(ListConnector(filtering: filtering))) == expected)
    if filtering != .drops(nothing: false) {
      #expect(try await answers(ConnectorRegistration(ListConnector(filtering: filtering), isProven: true)) == expected)
    }
  }

  @Test func aSourceThatYieldsOtherColumnsIsFoundOut() async throws {
    let session = try Self.engine(ConnectorRegistration(ListConnector(filtering: .ignored, yieldsWrongTypes: true))).session()
    _ = try await session.run("CREATE CATALOG lists USING list")
    await #expect {
      _ = try await session.run("SELECT k, name FROM lists.s.t")
    } throws: { error in
      (error as? QueryError)?.code == .foreignSourceError
        && (error as? QueryError)?.message.contains("yields columns [boolean, boolean] for lists.s.t, not [bigint, varchar]") == true
    }
  }

  @Test func secretsAreInNoRecord() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try Self.engine(home: home, ConnectorRegistration(ListConnector(filtering: .ignored)))
      let session = try engine.session()
      let statements = [
        "CREATE CATALOG a USING list WITH (token = 'geheim1', note = 'shown')",
        "/* x */ create  catalog b using list with (\"token\" = 'geheim2', typo = 'geheim3')",
        "CREATE CATALOG c USING list WITH (token = 'geheim4",
        "EXECUTE IMMEDIATE 'CREATE CATALOG d USING list WITH (token = ''geheim5'')'",
        "PREPARE p FROM CREATE CATALOG e USING list WITH (token = 'geheim6')",
        "CREATE CATALOG f USING list WITH (note = 'postgres://me:geheim7@host/')",
        "SELECT 'no create of any catalog'",
      ]
      for statement in statements { _ = try? await session.run(SQLStatement(statement)) }
      let texts = try engine.history.list().map(\.sql)
      #expect(texts.count == statements.count)
      #expect(!texts.joined().contains("geheim"))
      #expect(texts.contains("CREATE CATALOG a USING list WITH (token = '***', note = 'shown')"))
      let shown = try await Self.texts(session, "SHOW CREATE CATALOG a")
      #expect(shown == ["CREATE CATALOG \"a\" USING list", "WITH (", "  \"note\" = 'shown',", "  \"token\" = '***')"])
      #expect(engine.recordable("create catalog x using y with (z = 'w')") == "create catalog x using y with (z = '***')")
    }
  }

  @Test func insertedRowsAreAllOrNone() async throws {
    try await EngineTesting.withFolder { folder in
      let file = folder.appending(path: "shop.sqlite")
      try FileManager.default.copyItem(at: EngineTesting.package.appending(path: "sample-data/sqlite/shop.sqlite"), to: file)
      let session = try Self.engine(ConnectorRegistration(ListConnector(filtering: .ignored))).session()
      _ = try await session.run("CREATE CATALOG lists USING list")
      _ = try await session.run(SQLStatement("CREATE CATALOG shop USING sqlite WITH (path = '\(file.path)')" as String))
      let inserted = try await session.run("INSERT INTO shop.main.pairs (b, a) SELECT name, k FROM lists.s.t WHERE k > 5")
      #expect(inserted.statistics.rowsWritten == 4)
      #expect(try await Self.texts(session, "SELECT b FROM shop.main.pairs WHERE a = 7") == ["n1"])
      let count = try await Self.texts(session, "SELECT count(*) FROM shop.main.pairs")
      // A row that cannot be computed, a key that is there already, a connector that only reads.
      let failing: [(String, ErrorCode)] = [
        ("INSERT INTO shop.main.pairs SELECT 100 / (9000 - x), cast(x AS varchar) FROM UNNEST(sequence(1, 9500)) t(x)", .divisionByZero),
        ("INSERT INTO shop.main.pairs VALUES (100, 'a'), (100, 'a')", .foreignSourceError),
        ("INSERT INTO lists.s.t VALUES (1, 'a')", .notSupported),
      ]
      for (sql, code) in failing {
        await #expect {
          _ = try await session.run(SQLStatement(sql))
        } throws: { error in (error as? QueryError)?.code == code }
      }
      #expect(try await Self.texts(session, "SELECT count(*) FROM shop.main.pairs") == count)
      // Rows of the table itself are those from before the statement.
      _ = try await session.run("INSERT INTO shop.main.pairs SELECT a + 1000, b FROM shop.main.pairs")
      #expect(try await Self.texts(session, "SELECT count(*) FROM shop.main.pairs WHERE a > 1000") == count)
    }
  }

  @Test func catalogsOutliveTheirEngine() async throws {
    try await EngineTesting.withFolder { home in
      let registration = ConnectorRegistration(ListConnector(filtering: .ignored))
      _ = try await Self.engine(home: home, registration).session().run("CREATE CATALOG lists USING list")
      let session = try Self.engine(home: home, registration).session()
      #expect(try await Self.texts(session, "SHOW CATALOGS") == ["awsdatacatalog", "lists"])
      #expect(try await Self.texts(session, "SELECT count(*) FROM lists.s.t") == ["integer(10)"])
      // Another program may not know the connector.
      let other = try EngineTesting.engine(home: home).session()
      await #expect(throws: QueryError.self) { _ = try await other.run("SELECT count(*) FROM lists.s.t") }
    }
  }
}
