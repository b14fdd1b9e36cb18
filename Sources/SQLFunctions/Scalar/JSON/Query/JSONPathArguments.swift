package import Columnar
import QueryErrors

/// What a path is applied to: how the arguments of a call are to be read.
package struct JSONPathInvocation: Sendable {
  /// A value after PASSING.
  package enum Parameter: Sendable {
    /// JSON text; NULL is no item.
    case json(JSONEncoding)
    /// A SQL value; NULL is a JSON null.
    case sql(DataType)
  }

  package var path: JSONPathExpression
  package var input: JSONEncoding
  package var parameters: [Parameter]

  package init(path: JSONPathExpression, input: JSONEncoding, parameters: [Parameter]) {
    self.path = path
    self.input = input
    self.parameters = parameters
  }
}

/// Reads the arguments of a call row by row: the context item and the values after PASSING.
///
/// - Threads: one owner.
final class JSONPathArguments {
  enum Outcome { case null, malformedInput, malformedParameter, ready }

  private let input: JSONInput
  private let parameters: [JSONPathInvocation.Parameter]
  private let documents: [JSONInput?]
  private let null = JSONDocument()
  private static let nullText: StaticString = "null"
  private var views: [ColumnView] = []
  private var columns: [Column] = []

  /// The values after PASSING of the row read last.
  private(set) var items: [JSONItem?] = []
  /// The context item of the row read last.
  var root: JSONNode { input.document.root }

  init(_ invocation: JSONPathInvocation) {
    input = JSONInput(invocation.input)
    parameters = invocation.parameters
    documents = invocation.parameters.map { if case .json(let encoding) = $0 { JSONInput(encoding) } else { nil } }
    _ = null.parse(JSONPathArguments.nullText.utf8Start, JSONPathArguments.nullText.utf8CodeUnitCount)
  }

  /// Turns to the columns of a batch: the input, then the parameters.
  func begin(_ columns: [Column]) {
    self.columns = columns
    views = columns.map(\.view)
  }

  /// Reads one row.
  func read(_ row: Int) -> Outcome {
    if views[0].isNull(row) { return .null }
    guard input.read(views[0], row) else { return .malformedInput }
    if parameters.isEmpty { return .ready }
    items.removeAll(keepingCapacity: true)
    for (index, parameter) in parameters.enumerated() {
      let view = views[index + 1]
      switch parameter {
      case .json:
        if view.isNull(row) {
          items.append(nil)
          continue
        }
        guard let document = documents[index], document.read(view, row) else { return .malformedParameter }
        items.append(.node(document.document.root))
      case .sql(let type):
        items.append(view.isNull(row) ? .node(null.root) : .value(columns[index + 1].scalar(row), type))
      }
    }
    return .ready
  }

  /// The error of a malformed argument.
  static func error(_ outcome: Outcome, _ function: String) -> QueryError {
    let what = outcome == .malformedInput ? "input argument to" : "JSON path parameter to"
    return QueryError(.jsonInputConversionError, "conversion to JSON failed: malformed \(what) \(function) function")
  }
}
