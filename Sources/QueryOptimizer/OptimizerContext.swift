import Columnar
package import ObjectStore
import QueryErrors
import QueryPlan
import SQLExpressions
package import SQLFunctions
package import TableCatalog

/// What rules may know and use.
///
/// - Threads: one query each.
package final class OptimizerContext {
  package let session: SessionContext
  package let meter: ScanMeter
  /// Worker threads the plan will run on.
  package var threads = 1
  /// Whether rules that only make plans cheaper run; those that make them executable always do.
  package var isEnabled = true
  /// Rules left out by name.
  package var disabledRules: Set<String> = []
  /// The files of each scan, also of those that need not run after all.
  package internal(set) var listings: [TableListing] = []
  private var nextColumnID: Int
  private var nextCommonID: Int
  private var nextFilterID = 0

  package init(session: SessionContext, meter: ScanMeter, nextColumnID: Int, nextCommonID: Int) {
    self.session = session
    self.meter = meter
    self.nextColumnID = nextColumnID
    self.nextCommonID = nextCommonID
  }

  func newColumn(_ name: String, _ type: DataType) -> ColumnReference {
    defer { nextColumnID += 1 }
    return ColumnReference(id: ColumnID(nextColumnID), name: name, type: type)
  }

  func newCommonID() -> Int {
    defer { nextCommonID += 1 }
    return nextCommonID
  }

  func newDynamicFilterID() -> Int {
    defer { nextFilterID += 1 }
    return nextFilterID
  }

  /// A call of an aggregate function on columns and constants that need no coercion: for rewrites.
  func aggregate(_ name: String, _ arguments: [Expression]) throws(QueryError) -> AggregateCall {
    guard let function = FunctionRegistry.aggregate(name) else {
      throw .internalError("aggregate \(name) is missing")
    }
    let (index, binding) = try OverloadResolution.resolve(
      name: name, function.overloads.map(\.signature), arguments.map { .type($0.type) }, at: nil)
    return AggregateCall(
      newColumn(name, binding.returnType), function: function, overloadIndex: index, binding: binding,
      arguments: arguments)
  }
}
