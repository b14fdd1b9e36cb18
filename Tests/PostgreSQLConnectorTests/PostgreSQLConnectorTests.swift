import Foundation
import QueryEngine
import Testing

/// PostgreSQL as a catalog, against a real server; expected values are those that the INSERT statements write.
@Suite("PostgreSQL", .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed; .ci/install does so"), .serialized)
struct PostgreSQLConnectorTests {
  private static func session(_ server: PostgreSQLServer.Server, _ more: String = "", port: Int? = nil) async throws -> Session {
    var configuration = EngineConfiguration()
    configuration.threads = 2
    let session = try Engine(configuration).session()
    _ = try await session.run(SQLStatement("CREATE CATALOG pg USING postgresql WITH (\(server.properties(port: port))\(more))" as String))
    return session
  }

  /// Rows as texts, cast by the query.
  private static func texts(_ session: Session, _ sql: String) async throws -> [String] {
    let result = try await session.run(SQLStatement(sql))
    return result.rows.map { row in
      (0..<row.count).map { index in
        switch row[index] {
        case .null: "NULL"
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .integer(let number): String(number)
        case .boolean(let flag): String(flag)
        case let other: "\(other)"
        }
      }.joined(separator: "|")
    }
  }

  private static func message(_ session: Session, _ sql: String) async -> String {
    do {
      _ = try await session.run(SQLStatement(sql))
      return "no error"
    } catch { return "\(error)" }
  }

  private static let types = """
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE >= 0);
    CREATE TABLE types (
      id int PRIMARY KEY, b boolean, i2 smallint, i8 bigint, f4 real, f8 double precision, n numeric(12,3), wide numeric(38,10),
      t text, v varchar(10), c char(5), y bytea, d date, tm time(3), ts timestamp(3), tz timestamptz, u uuid, j json, jb jsonb,
      m mood, p price, a int[], ta text[], o oid);
    INSERT INTO types VALUES
      (1, true, -32768, 9223372036854775807, 1.5, -2.5e300, 123456789.125, 1234567890123456789012345678.0123456789,
       E'tab\\tand ''quote''', 'ten chars!', 'ab', '\\x00ff10', '2024-02-29', '23:59:59.999', '1969-12-31 23:59:59.999',
       '2024-07-01 12:00:00.123456+02', '00112233-4455-6677-8899-aabbccddeeff', '{"a": [1, 2]}', '{"b":1}', 'happy', 12.34,
       '{1,NULL,3}', '{"x,y",""}', 4294967295),
      (2, false, 32767, -9223372036854775808, 'NaN', 'Infinity', -0.001, -0.0000000001, '', '', '', '', '0001-01-01', '00:00',
       '2262-04-11 23:47:16.854', '0001-01-01 00:00:00+00', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '1', 'null', 'sad', 0, '{}', '{}', 0),
      (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL);
    CREATE TABLE "Mixed Case" ("Key" int, "select" text);
    INSERT INTO "Mixed Case" VALUES (1, 'one');
    CREATE TABLE bad (id int, n numeric(5,2), d date, ts timestamp, x int[]);
    INSERT INTO bad VALUES (1, 1, 'today', 'now', '{1}'), (2, 'NaN', 'infinity', '-infinity', '{{1},{2}}');
    CREATE TABLE other (id int, n numeric, i interval, x xml);
    CREATE TABLE numbers AS SELECT g AS k, 'name ' || g % 7 AS name, (g * 1.5)::numeric(10,1) AS amount,
      CASE WHEN g % 10 = 0 THEN NULL ELSE DATE '2024-01-01' + g % 366 END AS day FROM generate_series(1, 200000) g;
    CREATE VIEW evens AS SELECT * FROM numbers WHERE k % 2 = 0;
    CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE words (w text, x text COLLATE nocase);
    INSERT INTO words VALUES ('B', 'B'), ('a', 'a'), ('Ä', 'b'), ('b', 'A');
    ANALYZE;
    """

  @Test func everyTypeIsExactOrRefused() async throws {
    try await PostgreSQLServer.with(Self.types) { server in
      let session = try await Self.session(server)
      let columns = try await Self.texts(
        session, "SELECT column_name || ' ' || data_type FROM pg.information_schema.columns WHERE table_name = 'types'")
      #expect(
        columns == [
          "id integer", "b boolean", "i2 smallint", "i8 bigint", "f4 real", "f8 double", "n decimal(12,3)", "wide decimal(38,10)",
          "t varchar", "v varchar(10)", "c char(5)", "y varbinary", "d date", "tm time(3)", "ts timestamp(3)",
          "tz timestamp(6) with time zone", "u uuid", "j varchar", "jb varchar", "m varchar", "p decimal(10,2)", "a array(integer)",
          "ta array(varchar)", "o bigint",
        ])
      let sql = """
        SELECT id, b, i2, i8, cast(f4 AS varchar), cast(f8 AS varchar), cast(n AS varchar), cast(wide AS varchar), t, v, '[' || cast(c AS varchar) || ']',
          to_hex(y), cast(d AS varchar), cast(tm AS varchar), cast(ts AS varchar), cast(tz AS varchar), cast(u AS varchar), j, jb, m,
          cast(p AS varchar), json_format(cast(a AS json)), json_format(cast(ta AS json)), o
        FROM pg.public.types ORDER BY id
        """
      #expect(
        try await Self.texts(session, sql) == [
          "1|true|-32768|9223372036854775807|1.5E0|-2.5E300|123456789.125|1234567890123456789012345678.0123456789|tab\tand 'quote'"
            + "|ten chars!|[ab   ]|00FF10|2024-02-29|23:59:59.999|1969-12-31 23:59:59.999|2024-07-01 10:00:00.123456 UTC"
            + "|00112233-4455-6677-8899-aabbccddeeff|{\"a\": [1, 2]}|{\"b\": 1}|happy|12.34|[1,null,3]|[\"x,y\",\"\"]|4294967295",
          "2|false|32767|-9223372036854775808|NaN|Infinity|-0.001|-0.0000000001|||[     ]||0001-01-01|00:00:00.000"
            + "|2262-04-11 23:47:16.854|0001-01-01 00:00:00.000000 UTC|ffffffff-ffff-ffff-ffff-ffffffffffff|1|null|sad|0.00|[]|[]|0",
          "3" + String(repeating: "|NULL", count: 23),
        ])
      #expect(try await Self.texts(session, "SELECT \"Key\", \"select\" FROM pg.public.\"Mixed Case\"") == ["1|one"])
      #expect(try await Self.texts(session, "SELECT key FROM pg.public.\"mixed case\"") == ["1"])
      for (column, word) in [("n", "decimal(5,2)"), ("d", "date"), ("ts", "timestamp(6)"), ("x", "array(integer)")] {
        let message = await Self.message(session, "SELECT \(column) FROM pg.public.bad ORDER BY 1")
        #expect(
          message.contains("HIVE_BAD_DATA") && message.contains("no \(word)") && message.contains("pg.public.bad row 2, column '\(column)'"),
          "\(message)")
      }
      #expect(
        await Self.message(session, "SELECT id FROM pg.public.other").contains("NOT_SUPPORTED: Column 'n' of pg.public.other has the type 'numeric'"))
      let lenient = try await Self.session(server, ", unsupported_types = 'ignore'")
      #expect(try await Self.texts(lenient, "SELECT count(id), count(*) FROM pg.public.other") == ["0|0"])
      try server.psql("INSERT INTO other (id, n) VALUES (1, 12.5), (2, 1e-20)")
      let wide = try await Self.session(server, ", unsupported_types = 'ignore', unconstrained_numeric = 'decimal(38,10)'")
      #expect(try await Self.texts(wide, "SELECT cast(n AS varchar) FROM pg.public.other WHERE n > 1") == ["12.5000000000"])
      #expect(await Self.message(wide, "SELECT n FROM pg.public.other").contains("no decimal(38,10)"))
      #expect(
        await Self.message(session, "CREATE CATALOG x USING postgresql WITH (\(server.properties()), unconstrained_numeric = 'double')")
          .contains("INVALID_CATALOG_PROPERTY"))
    }
  }

  /// Each condition gives the rows that it gives over a local copy.
  @Test func filtersGroupingsAndLimitsAreOurs() async throws {
    try await PostgreSQLServer.with(Self.types) { server in
      let session = try await Self.session(server)
      func both(_ condition: String, from table: String, columns: String) async throws {
        let there = try await Self.texts(session, "SELECT \(columns) FROM pg.public.\(table) WHERE \(condition) ORDER BY 1")
        // A volatile filter keeps everything here.
        let here = try await Self.texts(
          session, "SELECT \(columns) FROM (SELECT * FROM pg.public.\(table) WHERE random() >= 0) WHERE \(condition) ORDER BY 1")
        #expect(there == here, "\(condition)")
      }
      for condition in [
        "b", "NOT b", "b IS NULL", "i2 < 0", "i8 = -9223372036854775808", "i8 >= 9223372036854775807", "f4 > 1", "f8 < 0",
        "f8 > 1e300", "n = -0.001", "n BETWEEN -1 AND 1", "wide > 0", "t = ''", "t > 'a'", "v IN ('', 'ten chars!')", "c = 'ab'", "c > 'aa'",
        "y = X'00ff10'", "y > X'00'", "d = DATE '2024-02-29'", "d < DATE '1970-01-01'", "tm > TIME '12:00:00'",
        "ts < TIMESTAMP '1970-01-01 00:00:00'", "tz > TIMESTAMP '2000-01-01 00:00:00 UTC'",
        "tz = TIMESTAMP '2024-07-01 03:00:00.123456 America/Los_Angeles'", "tz < TIMESTAMP '2024-07-01 12:00:00.123456 +02:00'",
        "tz BETWEEN TIMESTAMP '0001-01-01 00:00:00 UTC' AND TIMESTAMP '2024-07-01 10:00:00.123456 UTC'",
        "TIMESTAMP '2024-07-01 12:00:00.123456 +02:00' <= tz", "tz >= TIMESTAMP '2024-07-01 10:00:00.123456789 UTC'",
        "u = UUID '00112233-4455-6677-8899-aabbccddeeff'", "u > UUID '80000000-0000-0000-0000-000000000000'", "m = 'happy'",
        "m = 'no such mood'", "m > 'okay'", "p < 1", "j = '1'", "jb = 'null'", "cardinality(a) = 3", "o > 4000000000", "o < -1",
        "t LIKE 'tab%'", "t = 'x' OR i2 > 5", "i2 IS NOT NULL AND i8 > 0",
      ] { try await both(condition, from: "types", columns: "id") }
      for condition in ["w < 'b'", "w > 'B'", "x = 'a'", "x >= 'a'", "x IN ('A', 'b')"] {
        try await both(condition, from: "words", columns: "w || x")
      }
      #expect(try await Self.texts(session, "SELECT x, count(*) FROM pg.public.words GROUP BY x ORDER BY 1") == ["A|1", "B|1", "a|1", "b|1"])
      #expect(try await Self.texts(session, "SELECT min(w), max(w), min(x), max(x) FROM pg.public.words") == ["B|Ä|A|b"])
      let counts = "count(*), count(day), sum(k), min(name), max(day), cast(sum(amount) AS varchar)"
      let there = try await Self.texts(session, "SELECT name, \(counts) FROM pg.public.numbers WHERE name <> 'name 3' GROUP BY name ORDER BY 1")
      let here = try await Self.texts(
        session, "SELECT name, \(counts) FROM (SELECT * FROM pg.public.numbers WHERE random() >= 0) WHERE name <> 'name 3' GROUP BY name ORDER BY 1")
      #expect(there == here)
      #expect(there.count == 6)
      let plan = try await Self.texts(session, "EXPLAIN SELECT name, count(*) FROM pg.public.numbers WHERE name > 'name 3' GROUP BY name")
      #expect(
        plan.joined().contains(
          "sends SELECT \"name\" COLLATE \"C\", count(*) FROM \"public\".\"numbers\" WHERE \"name\" COLLATE \"C\" > 'name 3' GROUP BY \"name\" COLLATE \"C\""
        ))
      let moments = try await Self.texts(session, "EXPLAIN SELECT id FROM pg.public.types WHERE tz >= TIMESTAMP '2024-07-01 12:00:00 +02:00'")
      #expect(moments.joined().contains("\"tz\" >= TIMESTAMPTZ '2024-07-01 10:00:00.000000+00'"), "\(moments)")
      #expect(try await Self.texts(session, "SELECT count(*) FROM (SELECT k FROM pg.public.evens LIMIT 5)") == ["5"])
      #expect(try await Self.texts(session, "SELECT count(*), count(DISTINCT k) FROM pg.public.numbers WHERE k > 100000") == ["100000|100000"])
      // A join's build side narrows what is fetched.
      let analyzed = try await Self.texts(
        session, "EXPLAIN ANALYZE SELECT count(*) FROM pg.public.numbers n JOIN (VALUES 7, 4711, 199999) v(k) ON n.k = v.k")
      #expect(analyzed.joined().contains("rows fetched 3 "))
      // The error of the source is one of ours.
      #expect(await Self.message(session, "SELECT sum(i8) FROM pg.public.types WHERE i8 > 0 OR i8 IS NULL").contains("no error"))
    }
  }

  /// Rows written by INSERT are those that psql shows; a statement that fails adds none.
  @Test func insertedRowsAreAllOrNone() async throws {
    try await PostgreSQLServer.with(Self.types) { server in
      let session = try await Self.session(server)
      try server.psql(
        "CREATE TABLE copy AS SELECT * FROM types WHERE false; ALTER TABLE copy ADD COLUMN extra int DEFAULT 42; ALTER TABLE copy ADD UNIQUE (id);")
      let columns = "id, b, i2, i8, f4, f8, n, wide, t, v, c, y, d, tm, ts, tz, u, j, m, p, a, ta, o"
      _ = try await session.run(SQLStatement("INSERT INTO pg.public.copy (\(columns)) SELECT \(columns) FROM pg.public.types" as String))
      let difference = "SELECT * FROM (SELECT \(columns.replacing(" j,", with: " j::text,")) FROM types) a"
      let other = difference.replacing("types", with: "copy")
      #expect(try server.psql("SELECT count(*) FROM ((\(difference)) EXCEPT (\(other))) x;") == "0\n")
      #expect(try server.psql("SELECT count(*), sum(extra) FROM copy;") == "3|126\n")
      // Key 5 comes twice: nothing is added, whatever came before.
      let twice = await Self.message(
        session, "INSERT INTO pg.public.copy (id, t) SELECT cast(x AS integer), 'x' FROM UNNEST(sequence(5, 5000)) a(x) UNION ALL SELECT 5, 'y'")
      #expect(twice.contains("JDBC_ERROR") && twice.contains("duplicate key") && twice.contains("SQLSTATE 23505"), "\(twice)")
      let half = await Self.message(
        session, "INSERT INTO pg.public.copy (id) SELECT cast(100 + 10 / (9000 - x) AS integer) FROM UNNEST(sequence(1, 9500)) a(x)")
      #expect(half.contains("DIVISION_BY_ZERO"), "\(half)")
      #expect(try server.psql("SELECT count(*) FROM copy;") == "3\n")
      #expect(
        await Self.message(session, "INSERT INTO pg.public.copy (id, t) VALUES ('x', 1)").contains(
          "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types"))
      #expect(await Self.message(session, "INSERT INTO pg.public.copy (idd) VALUES (1)").contains("COLUMN_NOT_FOUND: line 1:29"))
      #expect(await Self.message(session, "INSERT INTO pg.public.nothing VALUES (1)").contains("TABLE_NOT_FOUND"))
      #expect(await Self.message(session, "INSERT INTO pg.public.copy (id, t) VALUES (7, chr(0))").contains("NUL"))
      #expect(await Self.message(session, "INSERT INTO pg.public.copy (id, i2) SELECT 7, x FROM (VALUES 40000) t(x)").contains("TYPE_MISMATCH"))
    }
  }

  /// The 22 queries of TPC-H with half of the tables here and half there, each way round.
  @Test func halfOfTPCHIsElsewhere() async throws {
    try await PostgreSQLServer.with(Self.tpch) { server in
      let session = try await Self.session(server)
      let tables = ["customer", "lineitem", "nation", "partsupp", "orders", "part", "region", "supplier"]
      let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      func file(_ table: String) -> String { "'\(package.path)/sample-data/tpch/\(table).parquet'" }
      for table in tables { _ = try await session.run(SQLStatement("INSERT INTO pg.public.\(table) SELECT * FROM \(file(table))" as String)) }
      try server.psql("ANALYZE;")
      func answers(_ foreign: ArraySlice<String>) async throws -> [[String]] {
        for table in tables {
          let source = foreign.contains(table) ? "pg.public.\(table)" : file(table)
          _ = try await session.run(SQLStatement("CREATE OR REPLACE VIEW \(table) AS SELECT * FROM \(source)" as String))
        }
        var answers: [[String]] = []
        for number in 1...22 {
          let name = (number < 10 ? "q0" : "q") + String(number)
          let sql = try String(contentsOf: package.appending(path: "Benchmarks/Suites/tpch/\(name).sql"), encoding: .utf8)
          answers.append(try await Self.texts(session, sql))
        }
        return answers
      }
      let local = try await answers([])
      let (first, second) = (try await answers(tables[..<4]), try await answers(tables[4...]))
      for index in local.indices {
        #expect(!local[index].isEmpty)
        #expect(first[index] == local[index], "query \(index + 1)")
        #expect(second[index] == local[index], "query \(index + 1)")
      }
    }
  }

  private static let tpch = """
    CREATE TABLE region (r_regionkey bigint PRIMARY KEY, r_name text, r_comment text);
    CREATE TABLE nation (n_nationkey bigint PRIMARY KEY, n_name text, n_regionkey bigint, n_comment text);
    CREATE TABLE supplier (s_suppkey bigint PRIMARY KEY, s_name text, s_address text, s_nationkey bigint, s_phone text,
      s_acctbal numeric(15,2), s_comment text);
    CREATE TABLE customer (c_custkey bigint PRIMARY KEY, c_name text, c_address text, c_nationkey bigint, c_phone text,
      c_acctbal numeric(15,2), c_mktsegment text, c_comment text);
    CREATE TABLE part (p_partkey bigint PRIMARY KEY, p_name text, p_mfgr text, p_brand text, p_type text, p_size int,
      p_container text, p_retailprice numeric(15,2), p_comment text);
    CREATE TABLE partsupp (ps_partkey bigint, ps_suppkey bigint, ps_availqty int, ps_supplycost numeric(15,2), ps_comment text,
      PRIMARY KEY (ps_partkey, ps_suppkey));
    CREATE TABLE orders (o_orderkey bigint PRIMARY KEY, o_custkey bigint, o_orderstatus text, o_totalprice numeric(15,2),
      o_orderdate date, o_orderpriority text, o_clerk text, o_shippriority int, o_comment text);
    CREATE TABLE lineitem (l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity numeric(15,2),
      l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2), l_returnflag text, l_linestatus text,
      l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct text, l_shipmode text, l_comment text,
      PRIMARY KEY (l_orderkey, l_linenumber));
    """

  // MARK: Faults

  /// What comes through a wire that damages, delays or cuts it fails the query, and says how.
  @Test func damageOnTheWireIsTold() async throws {
    try await PostgreSQLServer.with("CREATE TABLE t (id int NOT NULL, w int NOT NULL); INSERT INTO t SELECT g, g FROM generate_series(1, 20000) g;") {
      server in
      func message(_ wire: FaultyWire, _ more: String = "") async throws -> String {
        let session = try await Self.session(server, more, port: wire.port)
        return await Self.message(session, "SELECT id, w FROM pg.public.t")
      }
      // Behind the signature: flags, the first row's number of fields, a field's length, and the next row's message.
      for (offset, words) in [(11, "no row"), (20, "no row"), (23, "no row"), (37, "connection was lost")] {
        let text = try await message(try FaultyWire(to: server.port, .damage(behindSignature: offset)))
        #expect(text.contains("JDBC_ERROR: Catalog 'pg'") && text.contains(words), "\(offset): \(text)")
      }
      let cut = try await message(try FaultyWire(to: server.port, .cut(behindSignature: 40_000)))
      #expect(cut.contains("JDBC_ERROR") && cut.contains("connection was lost"), "\(cut)")
      let stalled = try await message(try FaultyWire(to: server.port, .stall(behindSignature: 40_000)), ", read_timeout = 1")
      #expect(stalled.contains("the server has said nothing for 1 s (read_timeout)"), "\(stalled)")
      // The table changes when its columns are known and its rows were not asked for yet.
      let changing = try FaultyWire(to: server.port, .meanwhile({ _ = try? server.psql("ALTER TABLE t ALTER COLUMN w TYPE real;") }))
      let changed = try await message(changing)
      #expect(changed.contains("column 'w' of pg.public.t is no integer any more"), "\(changed)")
      let sound = try await message(try FaultyWire(to: server.port, .none))
      #expect(sound == "no error")
    }
  }

  @Test func faultsAreTold() async throws {
    try await PostgreSQLServer.with(Self.types) { server in
      let session = try await Self.session(server)
      #expect(
        await Self.message(session, "CREATE CATALOG x USING postgresql WITH (\(server.properties().replacing("geheim", with: "falsch")))").contains(
          "JDBC_ERROR: Catalog 'x': cannot connect: connection to server at \"127.0.0.1\""))
      #expect(
        await Self.message(session, "CREATE CATALOG x USING postgresql WITH (host = '127.0.0.1', port = 1, database = 'd', \"user\" = 'u')").contains(
          "Connection refused"))
      #expect(
        await Self.message(session, "CREATE CATALOG x USING postgresql WITH (\(server.properties().replacing("'postgres'", with: "'nowhere'")))")
          .contains("database \"nowhere\" does not exist"))
      #expect(
        await Self.message(session, "CREATE CATALOG x USING postgresql WITH (port = 99999, database = 'd', \"user\" = 'u')").contains(
          "INVALID_CATALOG_PROPERTY"))
      #expect(await Self.message(session, "SELECT nothing FROM pg.public.numbers").contains("COLUMN_NOT_FOUND"))
      try server.psql("CREATE VIEW slow AS SELECT pg_sleep(600)::text AS x;")
      let hurried = try await Self.session(server, ", statement_timeout = 1000")
      #expect(await Self.message(hurried, "SELECT x FROM pg.public.slow").contains("SQLSTATE 57014"))

      // Cancelled while the server works.
      let slow = session.start("SELECT x FROM pg.public.slow")
      try await Task.sleep(for: .milliseconds(700))
      let start = ContinuousClock.now
      slow.cancel()
      await #expect(throws: QueryError.self) { try await slow.finish() }
      #expect(ContinuousClock.now - start < .seconds(5))

      // A schema that changes between statements is seen by the next one.
      try server.psql("ALTER TABLE \"Mixed Case\" ADD COLUMN more int; ALTER TABLE \"Mixed Case\" DROP COLUMN \"select\";")
      #expect(try await Self.texts(session, "SELECT * FROM pg.public.\"Mixed Case\"") == ["1|NULL"])

      // The server dies while it sends.
      try server.psql("CREATE VIEW endless AS SELECT g AS x, pg_sleep(0.001)::text AS s FROM generate_series(1, 100000000) g;")
      let dying = session.start("SELECT count(x), count(s) FROM pg.public.endless WHERE x > 0")
      try await Task.sleep(for: .milliseconds(700))
      server.stop()
      do {
        try await dying.finish()
        Issue.record("the query ended well")
      } catch { #expect("\(error)".contains("JDBC_ERROR"), "\(error)") }
      #expect(await Self.message(session, "SELECT count(*) FROM pg.public.numbers").contains("Connection refused"))
    }
  }
}
