import QueryEngine
import QueryErrors
import Synchronization
import TableCatalog

/// Athena's API over an engine.
///
/// - Source: botocore's `athena/2017-05-18`; texts, codes and orders of checks as measured of the service.
final class AthenaService: Sendable {
  let engine: Engine
  let store: ServiceStore
  let settings: ServiceSettings
  let timers: PollTimers
  /// Queries started here that have not ended.
  private let live = Mutex<[String: LiveQuery]>([:])
  /// Makes starting with a token one step.
  let starting = Mutex(())

  /// A query that runs or waits.
  struct LiveQuery: Sendable {
    var execution: QueryExecution
    var kind: StatementClass
  }

  init(_ engine: Engine, _ store: ServiceStore, _ settings: ServiceSettings, _ timers: PollTimers) {
    (self.engine, self.store, self.settings, self.timers) = (engine, store, settings, timers)
  }

  typealias Answer = @Sendable (ServiceResponse) -> Void

  /// One operation: what it takes, and what it does with it.
  struct Operation: Sendable {
    var shape: InputShape
    var run: @Sendable (AthenaService, JSONValue) throws -> JSONValue

    init(_ members: [InputShape.Member], _ run: @escaping @Sendable (AthenaService, JSONValue) throws -> JSONValue) {
      shape = InputShape(members)
      self.run = run
    }
  }

  /// All operations by name; Spark's, capacity reservations' and those of other catalogs are unknown here.
  static let operations: [String: Operation] = [
    queryOperations, resultOperations, workgroupOperations, namedQueryOperations, preparedStatementOperations, catalogOperations,
  ].reduce(into: [:]) { $0.merge($1) { own, _ in own } }

  /// Answers one call.
  func handle(_ name: String, _ body: [UInt8], answer: @escaping Answer) {
    do throws(AWSError) {
      guard let operation = AthenaService.operations[name] else { throw AWSError("UnknownOperationException", nil) }
      guard let input = JSONParser.parse(body), input.object != nil else { throw AWSError("SerializationException", nil) }
      try operation.shape.check(input, invalid: AWSError.invalidInput)
      if name == "GetQueryExecution", let id = input["QueryExecutionId"]?.string, let query = liveQuery(id) {
        // The answer waits for the end a while, so that clients that look once a second learn of it at once.
        return timers.wait(milliseconds: settings.limits.pollMilliseconds, until: query.execution.whenEnded) { [self] in
          answer(response(operation, input))
        }
      }
      answer(response(operation, input))
    } catch {
      answer(error.response)
    }
  }

  private func response(_ operation: Operation, _ input: JSONValue) -> ServiceResponse {
    do { return AWSError.success(try operation.run(self, input)) } catch let error as AWSError {
      return error.response
    } catch let error as QueryError {
      return AthenaService.failure(error).response
    } catch { return AWSError("InternalServerException", "\(error)", status: 500).response }
  }

  /// An engine's error as Athena says it.
  static func failure(_ error: QueryError) -> AWSError {
    switch error.code.kind {
    case .external, .internalError, .insufficientResources: .internalError(error)
    default: .invalidInput(error.message)
    }
  }

  // MARK: Queries that run

  func liveQuery(_ id: String) -> LiveQuery? { live.withLock { $0[id] } }

  func watch(_ query: LiveQuery) {
    let id = query.execution.id
    live.withLock { $0[id] = query }
    query.execution.whenEnded { [self] in live.withLock { _ = $0.removeValue(forKey: id) } }
  }

  var liveCount: Int { live.withLock { $0.count } }

  /// Cancels all that has not ended.
  func cancelAll() { for query in live.withLock({ Array($0.values) }) { query.execution.cancel() } }

  // MARK: Members many operations have

  static let token = InputShape.Member.string("NextToken", 1...1024)
  static func maxResults(_ maximum: Int, minimum: Int = 1) -> InputShape.Member {
    .integer("MaxResults", minimum: minimum, maximum: maximum)
  }
  static let workgroupName = 1...128

  /// A page of a list: items from the token's place on, and the token of the next.
  ///
  /// - Throws: InvalidRequestException for a token that is none.
  static func page<Item>(
    _ items: [Item], _ input: JSONValue, maximum: Int, name: (Item) -> String
  ) throws(AWSError) -> (items: ArraySlice<Item>, next: JSONValue) {
    var start = 0
    if let token = input["NextToken"]?.string {
      guard let index = items.firstIndex(where: { name($0) == token }) else { throw .invalidInput("Malformed nextPageToken \(token)") }
      start = index
    }
    let count = min(maximum, input["MaxResults"]?.integer ?? maximum)
    let end = min(items.count, start + count)
    return (items[start..<end], end < items.count ? .string(name(items[end])) : .null)
  }
}
