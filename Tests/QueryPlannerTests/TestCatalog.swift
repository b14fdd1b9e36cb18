import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax
import TableCatalog

@testable import QueryPlanner

/// A catalog of empty tables.
struct TestCatalog: RelationResolver {
  var tables: [String: Schema] = TestCatalog.standard
  var views: [String: String] = [:]

  static let standard: [String: Schema] = [
    "t": Schema([
      Field("a", .bigint), Field("b", .integer), Field("c", .text), Field("d", .double), Field("e", .date),
      Field("ts", .timestamp(precision: 3)),
      Field("arr", .array(.bigint)), Field("m", .map(key: .text, value: .bigint)),
      Field("r", .row([.init(name: "x", type: .bigint), .init(name: "y", type: .row([.init(name: "z", type: .text)]))])),
      Field("rows", .array(.row([.init(name: "p", type: .bigint), .init(name: "q", type: .text)]))),
    ]),
    "u": Schema([Field("a", .bigint), Field("k", .integer), Field("v", .text)]),
    "nation": Schema([
      Field("nationkey", .bigint), Field("name", .text), Field("regionkey", .bigint), Field("comment", .text),
    ]),
    "region": Schema([Field("regionkey", .bigint), Field("name", .text), Field("comment", .text)]),
    "orders": Schema([
      Field("orderkey", .bigint), Field("custkey", .bigint), Field("orderstatus", .text), Field("totalprice", .double),
      Field("orderdate", .date), Field("orderpriority", .text), Field("clerk", .text), Field("shippriority", .integer),
      Field("comment", .text),
    ]),
    "lineitem": Schema([
      Field("orderkey", .bigint), Field("partkey", .bigint), Field("suppkey", .bigint), Field("linenumber", .integer),
      Field("quantity", .double), Field("extendedprice", .double), Field("discount", .double), Field("tax", .double),
      Field("returnflag", .text), Field("linestatus", .text), Field("shipdate", .date), Field("commitdate", .date),
      Field("receiptdate", .date), Field("shipinstruct", .text), Field("shipmode", .text), Field("comment", .text),
    ]),
    "customer": Schema([
      Field("custkey", .bigint), Field("name", .text), Field("address", .text), Field("nationkey", .bigint),
      Field("phone", .text), Field("acctbal", .double), Field("mktsegment", .text), Field("comment", .text),
    ]),
    "part": Schema([
      Field("partkey", .bigint), Field("name", .text), Field("mfgr", .text), Field("brand", .text), Field("type", .text),
      Field("size", .integer), Field("container", .text), Field("retailprice", .double), Field("comment", .text),
    ]),
    "supplier": Schema([
      Field("suppkey", .bigint), Field("name", .text), Field("address", .text), Field("nationkey", .bigint),
      Field("phone", .text), Field("acctbal", .double), Field("comment", .text),
    ]),
    "partsupp": Schema([
      Field("partkey", .bigint), Field("suppkey", .bigint), Field("availqty", .integer), Field("supplycost", .double),
      Field("comment", .text),
    ]),
  ]

  func resolve(_ name: TableName) throws(QueryError) -> ResolvedRelation? {
    guard name.database == "default" || name.database == "tiny" else { return nil }
    if let schema = tables[name.name] { return .rows(schema, []) }
    guard let text = views[name.name] else { return nil }
    guard case .query(let query) = try Parser.parseStatement(text) else { return nil }
    return .view(
      ViewDefinition(name: name, query: query, catalog: "awsdatacatalog", database: "default", columns: nil))
  }

  func resolve(path: String, _ reading: PathReading?, at range: SourceRange) throws(QueryError) -> ResolvedRelation? { nil }

  func relationNames(catalog: String, database: String) -> [String]? {
    database == "default" ? Array(tables.keys) : nil
  }

  var catalogNames: [String] { ["awsdatacatalog", "tpch"] }

  static let session = SessionContext(startMicros: 1_700_000_000_000_000, timeZone: .utc)

  func bind(_ sql: String, parameters: [Expression] = []) throws(QueryError) -> BoundQuery {
    guard case .query(let query) = try Parser.parseStatement(sql) else {
      throw QueryError(.syntaxError, "not a query")
    }
    let bound = try Binder.bind(query, catalog: self, session: TestCatalog.session, parameters: parameters)
    try PlanValidator.validate(bound.plan)
    return bound
  }

  /// The plan as EXPLAIN shows it.
  func plan(_ sql: String) throws(QueryError) -> String { PlanPrinter.print(try bind(sql).plan) }

  /// `name type, …` of the result.
  func columns(_ sql: String) throws(QueryError) -> String {
    let bound = try bind(sql)
    return zip(bound.columnNames, bound.outputs).map { "\($0) \($1.type)" }.joined(separator: ", ")
  }

  /// The error's text, or nil when the query binds.
  func error(_ sql: String) -> String? {
    do throws(QueryError) {
      _ = try bind(sql)
      return nil
    } catch {
      return error.description
    }
  }
}
