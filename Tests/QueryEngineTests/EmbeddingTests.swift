import Foundation
import QueryEngine
import Testing

/// What programs that embed the engine do: rows as their own types, closures as functions, arrays as tables.
@Suite("Embedding") struct EmbeddingTests {
  private struct Order: Codable, Equatable {
    var orderID: Int
    var category: String
    var unitPrice: Double?
    var tags: [String]
    var place: Place
    var counts: [String: Int]
    struct Place: Codable, Equatable {
      var city: String
      var zip: Int?
    }
  }

  private static let orders: SQLStatement = """
    SELECT 7 AS order_id, 'toys' AS category, CAST(NULL AS double) AS unit_price, ARRAY['a', 'b'] AS tags,
      CAST(ROW('Ulm', NULL) AS ROW(city varchar, zip integer)) AS place, MAP(ARRAY['x'], ARRAY[3]) AS counts
    UNION ALL
    SELECT 8, 'books', 2.5, ARRAY[], CAST(ROW('Bonn', 53111) AS ROW(city varchar, zip integer)), MAP()
    ORDER BY order_id
    """
  private static let expected = [
    Order(
      orderID: 7, category: "toys", unitPrice: nil, tags: ["a", "b"], place: Order.Place(city: "Ulm", zip: nil), counts: ["x": 3]),
    Order(
      orderID: 8, category: "books", unitPrice: 2.5, tags: [], place: Order.Place(city: "Bonn", zip: 53111), counts: [:]),
  ]

  @Test func rowsOfATypeWithNestedOnes() async throws {
    let session = try EngineTesting.engine().session()
    #expect(try await session.query(Self.orders, rows: Order.self) == Self.expected)
    var streamed: [Order] = []
    for try await order in session.start(Self.orders).rows(as: Order.self) { streamed.append(order) }
    #expect(streamed == Self.expected)
  }

  @Test func rowsOfOneColumnAndRowsByPosition() async throws {
    let session = try EngineTesting.engine().session()
    #expect(try await session.query("SELECT * FROM UNNEST(ARRAY[1, 2]) t(x) ORDER BY x", rows: Int.self) == [1, 2])
    #expect(try await session.query("SELECT 'a', 'b'", rows: [String].self) == [["a", "b"]])
    #expect(try await session.query("SELECT DATE '2024-02-29' AS day", rows: Day.self).first?.day == SQLDate(2024, 2, 29))
  }

  private struct Day: Codable, Equatable {
    var day: SQLDate
    var at: SQLTimestamp?
    var price: SQLDecimal?
  }

  @Test func valuesOfSQLAreTextsInJSON() throws {
    let day = Day(day: SQLDate(2024, 2, 29), at: SQLTimestamp(SQLDate(2024, 2, 29), hour: 13), price: SQLDecimal("12.50"))
    let json = try JSONEncoder().encode(day)
    #expect(String(decoding: json, as: UTF8.self).contains("\"2024-02-29\""))
    #expect(try JSONDecoder().decode(Day.self, from: json) == day)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Day.self, from: Data("{\"day\":\"soon\"}".utf8)) }
  }

  private struct Small: Decodable { var x: Int8 }
  private struct Missing: Decodable { var customer: String }

  @Test func rowsThatAreNoneOfTheType() async throws {
    let session = try EngineTesting.engine().session()
    func failure<T: Decodable & Sendable>(_ sql: SQLStatement, _ type: T.Type) async -> QueryError? {
      do throws(QueryError) {
        _ = try await session.query(sql, rows: type)
        return nil
      } catch { return error }
    }
    #expect(await failure("SELECT 300 AS x", Small.self)?.code == .numericValueOutOfRange)
    #expect(await failure("SELECT NULL AS x", Small.self)?.message.contains("Column 'x'") == true)
    #expect(await failure("SELECT 'one' AS x", Small.self)?.code == .typeMismatch)
    let missing = await failure("SELECT 1 AS customers", Missing.self)
    #expect(missing?.code == .columnNotFound)
    #expect(missing?.hint?.contains("customers") == true)
  }

  @Test func closuresAreFunctions() async throws {
    let engine = try EngineTesting.engine()
    try engine.register(function: "Shout") { (text: String, times: Int?) in text.uppercased() + String(repeating: "!", count: times ?? 0) }
    try engine.register(function: "checked_root") { (x: Double) throws -> Double in
      if x < 0 { throw QueryError(.invalidFunctionArgument, "no root of \(x)") }
      return x.squareRoot()
    }
    let session = try engine.session()
    #expect(
      try await session.query("SELECT shout('a', 2), shout('b', NULL), shout(NULL, 1)", as: (String, String, String?).self)[0] == ("A!!", "B", nil))
    // An integer is coerced as for built-in functions; TRY makes NULL of what a closure throws.
    #expect(
      try await session.query("SELECT checked_root(x), TRY(checked_root(-x)) FROM UNNEST(ARRAY[9]) t(x)", as: (Double, Double?).self)[0] == (3, nil))
    await #expect(throws: QueryError.self) { try await session.run("SELECT checked_root(-1)") }
    await #expect(throws: QueryError.self) { try await session.run("SELECT shout(1)") }
    #expect(throws: QueryError.self) { try engine.register(function: "abs") { (x: Int) in x } }
    #expect(throws: QueryError.self) { try engine.register(function: "shout") { (x: Int) in x } }
    // Another engine knows nothing of it.
    await #expect(throws: QueryError.self) { try await EngineTesting.engine().session().run("SELECT shout('a', 1)") }
  }

  @Test func arraysAreTables() async throws {
    let engine = try EngineTesting.engine()
    try engine.register(table: "orders", rows: Self.expected)
    let session = try engine.session()
    #expect(
      try await session.query(
        "SELECT orderid, place.city, cardinality(tags), counts['x'] FROM orders WHERE orderid < 8", as: (Int, String, Int, Int).self)[0]
        == (7, "Ulm", 2, 3))
    #expect(
      try await session.query("SELECT typeof(unitprice), typeof(place) FROM orders LIMIT 1", as: (String, String).self)[0] == (
        "double", "row(city varchar, zip bigint)"
      ))
    // Read back as what was put in.
    #expect(try await session.query("SELECT * FROM orders ORDER BY orderid", rows: Order.self) == Self.expected)
    try engine.register(table: "orders", rows: [["n": 1], ["n": 2]].map(Wrapped.init))
    #expect(try await session.query("SELECT sum(a['n']) FROM orders", as: Int.self)[0] == 3)
    engine.unregister(table: "orders")
    await #expect(throws: QueryError.self) { try await session.run("SELECT * FROM orders") }
    #expect(throws: QueryError.self) { try engine.register(table: "t", rows: [1, 2]) }
    #expect(throws: QueryError.self) { try engine.register(table: "t", rows: [Wrapped]()) }
  }

  private struct Wrapped: Codable {
    var a: [String: Int]
    init(_ a: [String: Int]) { self.a = a }
  }

  @Test func estimatesRunNothing() async throws {
    let session = try EngineTesting.engine().session()
    let sales: SQLStatement = "SELECT sum(quantity) FROM \(path: EngineTesting.sales)"
    let estimate = try await session.estimate(sales)
    let run = try await session.run(sales).statistics
    #expect(estimate.bytesScanned == run.bytesScanned)
    #expect(estimate.isExact)
    #expect(estimate.filesRead == run.filesRead)
    #expect(estimate.dollars == run.dollars)
    _ = try await session.estimate("CREATE DATABASE never")
    #expect(try session.engine.catalog.databases().contains { $0.name == "never" } == false)
  }

  @Test func progressEndsWithTheStatement() async throws {
    let session = try EngineTesting.engine().session()
    let execution = session.start("SELECT count(*) FROM UNNEST(sequence(1, 1000)) t(x)")
    async let result = execution.collect()
    var last: QueryState?
    for await progress in execution.progressUpdates(every: .milliseconds(1)) { last = progress.state }
    #expect(last == .succeeded)
    #expect(try await result.rowCount == 1)
  }

  @Test func emptyArraysKeepTheirType() async throws {
    let session = try EngineTesting.engine().session()
    #expect(
      try await session.query("SELECT typeof(\([String]())), typeof(\([UInt8]()))", as: (String, String).self)[0] == ("array(varchar)", "varbinary"))
  }
}
