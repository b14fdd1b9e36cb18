import Foundation
import QueryEngine
import Testing

/// Values are bound with their types, and results are read as Swift's.
@Suite("Statements and values") struct SQLStatementTests {
  private let session: Session

  init() throws { session = try EngineTesting.engine().session() }

  @Test func quotesInValuesMeanNothing() async throws {
    let names = ["O'Brien", "'; DROP TABLE t; --", "\"", "?", "a\\b\n", ""]
    for name in names {
      #expect(try await session.query("SELECT \(name)", as: String.self) == [name])
    }
    #expect(try await session.query("SELECT count(*) FROM (VALUES 'O''Brien', 'x') t(n) WHERE n = \("O'Brien")", as: Int.self) == [1])
    // A text that is a function's name stays a text.
    #expect(try await session.query("SELECT \("current_user")", as: String.self) == ["current_user"])
  }

  @Test func valuesHaveTheirTypes() async throws {
    func type(_ statement: SQLStatement) async throws -> String { try await session.query(statement, as: String.self)[0] }
    #expect(try await type("SELECT typeof(\(1))") == "bigint")
    #expect(try await type("SELECT typeof(\(Int32(1)))") == "integer")
    #expect(try await type("SELECT typeof(\(Int16(1)))") == "smallint")
    #expect(try await type("SELECT typeof(\(1.5))") == "double")
    #expect(try await type("SELECT typeof(\(Float(1.5)))") == "real")
    #expect(try await type("SELECT typeof(\(true))") == "boolean")
    #expect(try await type("SELECT typeof(\("x"))") == "varchar")
    #expect(try await type("SELECT typeof(\([1, 2]))") == "array(bigint)")
    #expect(try await type("SELECT typeof(\(["a": 1]))") == "map(varchar, bigint)")
    #expect(try await type("SELECT typeof(\([UInt8(1), 2]))") == "varbinary")
    #expect(try await type("SELECT typeof(\(SQLDate(2024, 2, 29)))") == "date")
    #expect(try await type("SELECT typeof(\(SQLDecimal("12.50")!))") == "decimal(4,2)")
    #expect(try await type("SELECT typeof(\(SQLTimestamp(microseconds: 0)))") == "timestamp(6)")
    #expect(try await type("SELECT typeof(\(SQLInstant(microseconds: 0)))") == "timestamp(6) with time zone")
    #expect(try await type("SELECT typeof(\(nil as Int?))") == "bigint")
  }

  @Test func valuesComeBackAsTheyWent() async throws {
    let date = SQLDate(1969, 12, 31)
    #expect(try await session.query("SELECT \(date)", as: SQLDate.self) == [date])
    #expect(date.description == "1969-12-31")
    let time = SQLTime(hour: 23, minute: 59, second: 58, nanosecond: 7)
    #expect(try await session.query("SELECT \(time)", as: SQLTime.self) == [time])
    let timestamp = SQLTimestamp(SQLDate(1960, 1, 1), hour: 1, microsecond: 5)
    #expect(try await session.query("SELECT \(timestamp)", as: SQLTimestamp.self) == [timestamp])
    let fine = SQLTimestamp(microseconds: -1, picoseconds: 999_999)
    #expect(try await session.query("SELECT \(fine)", as: SQLTimestamp.self) == [fine])
    let instant = SQLInstant(microseconds: 1_700_000_000_000_000, zone: "Europe/Berlin")
    #expect(try await session.query("SELECT \(instant)", as: SQLInstant.self) == [instant])
    for text in ["0", "-12.50", "12345678901234567890123456789012345678", "0.00000000000000000000000000000000000001"] {
      let decimal = try #require(SQLDecimal(text))
      #expect(decimal.description == text)
      #expect(try await session.query("SELECT \(decimal)", as: SQLDecimal.self) == [decimal])
    }
    #expect(SQLDecimal("1.2.3") == nil)
    #expect(SQLDecimal("") == nil)
    #expect(SQLDecimal(".") == nil)
    let bytes: [UInt8] = [0, 255]
    #expect(try await session.query("SELECT \(bytes)", as: [UInt8].self) == [bytes])
    #expect(try await session.query("SELECT \(["a", "b"])", as: [String].self) == [["a", "b"]])
    #expect(try await session.query("SELECT \(["k": 2.5])", as: [String: Double].self) == [["k": 2.5]])
  }

  @Test func rowsDecode() async throws {
    let rows = try await session.query(
      """
      SELECT * FROM (VALUES (1, 'a', DATE '2024-01-19', 12.50, ARRAY[1, NULL]), (2, NULL, NULL, NULL, NULL))
        AS t(id, name, day, price, list) ORDER BY id
      """, as: (Int, String?, SQLDate?, SQLDecimal?, [Int?]?).self)
    #expect(rows.count == 2)
    #expect(rows[0].0 == 1 && rows[0].1 == "a" && rows[0].2 == SQLDate(2024, 1, 19))
    #expect(rows[0].3?.description == "12.50" && rows[0].4 == [1, nil])
    #expect(rows[1].1 == nil && rows[1].2 == nil && rows[1].3 == nil && rows[1].4 == nil)
  }

  @Test func whatDoesNotFitIsRefused() async throws {
    func code<T: ScalarDecodable>(_ statement: SQLStatement, _ type: T.Type) async -> ErrorCode? {
      do throws(QueryError) { _ = try await session.query(statement, as: type) } catch { return error.code }
      return nil
    }
    #expect(await code("SELECT NULL", Int.self) == .typeMismatch)
    #expect(await code("SELECT 'x'", Int.self) == .typeMismatch)
    #expect(await code("SELECT DATE '2024-01-01'", Int.self) == .typeMismatch)
    #expect(await code("SELECT 300", Int8.self) == .numericValueOutOfRange)
    #expect(await code("SELECT 1, 2", Int.self) == .typeMismatch)
    #expect(await code("SELECT 12.5", Double.self) == nil)
  }

  @Test func rowsByNameAndIndex() async throws {
    let result = try await session.run("SELECT 7 AS seven, 'x' AS letter")
    for row in result.rows {
      #expect(try row["SEVEN", as: Int.self] == 7)
      #expect(try row[1, as: String.self] == "x")
      #expect(throws: QueryError.self) { try row["eight", as: Int.self] }
    }
  }

  @Test func namedParameters() async throws {
    let statement = SQLStatement(
      "SELECT :name || ':name' || '?', :n + :n, ? -- :ghost\n", parameters: [SQLParameter("p")],
      named: ["name": SQLParameter("O'Brien"), "n": SQLParameter(2)])
    let row = try await session.query(statement, as: (String, Int, String).self)
    #expect(row[0].0 == "O'Brien:name?" && row[0].1 == 4 && row[0].2 == "p")
    // A colon that is none of a parameter's stays what it is.
    let json = SQLStatement("SELECT json_object('a' : :n)", named: ["n": 1])
    #expect(try await session.query(json, as: String.self) == ["{\"a\":1}"])
    await #expect(throws: QueryError.self) { try await session.run(SQLStatement("SELECT 1", named: ["n": 1])) }
  }

  @Test func parametersThatAreExpressions() async throws {
    let statement = SQLStatement("SELECT ? + 1, ?", parameters: [.expression("DAY(DATE '2024-01-19')"), .expression("'it''s'")])
    let row = try await session.query(statement, as: (Int, String).self)
    #expect(row[0].0 == 20 && row[0].1 == "it's")
  }

  @Test func theNumberOfValuesCounts() async throws {
    do throws(QueryError) {
      _ = try await session.run("SELECT '\(1)'")
      Issue.record("no error")
    } catch { #expect(error.code == .invalidParameterUsage) }
    do throws(QueryError) {
      _ = try await session.run("SELECT ?")
      Issue.record("no error")
    } catch { #expect(error.code == .invalidParameterUsage) }
  }

  @Test func namesAndPathsAreQuoted() async throws {
    let statement: SQLStatement = "SELECT \(identifier: "a\"b") FROM (SELECT 1 AS \(identifier: "a\"b"))"
    #expect(try await session.query(statement, as: Int.self) == [1])
    #expect(try await session.query("SELECT count(*) FROM \(path: EngineTesting.sales)", as: Int.self) == [6_058])
  }
}
