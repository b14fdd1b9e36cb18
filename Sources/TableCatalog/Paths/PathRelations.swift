package import ObjectStore
package import QueryErrors

/// The paths in FROM of one statement. A statement that begins anew asks the same object again, so that nothing is listed
/// or looked at twice.
///
///     let paths = PathRelations(stores, meter: meter)
///     while true {
///       do { bind, optimize, execute } catch {
///         guard nothing was sent, try paths.startsAgain(after: error) else { throw error }
///       }
///     }
///
/// - Threads: one at a time: the statement's own.
package final class PathRelations: @unchecked Sendable {
  private let stores: ObjectStores
  private let meter: ScanMeter
  private var known: [Key: PathRelation] = [:]
  private var restarts = 0

  private struct Key: Hashable {
    var location: String
    var reading: PathReading?
  }

  private static let largestRestartCount = 200

  package init(_ stores: ObjectStores, meter: ScanMeter) {
    self.stores = stores
    self.meter = meter
  }

  /// Whether the statement has no path in FROM.
  package var isEmpty: Bool { known.isEmpty }

  /// The table of a path, as it is known now.
  ///
  /// - Throws: as `PathRelation.init`.
  package func table(_ location: String, _ reading: PathReading? = nil) throws(QueryError) -> Table {
    let key = Key(location: location, reading: reading)
    if let relation = known[key] { return relation.table() }
    let relation = try PathRelation(location, reading, stores, meter: meter)
    known[key] = relation
    return relation.table()
  }

  /// Whether a statement that failed comes further when it begins anew: more is known about its files than before.
  ///
  /// A name that the sampled files do not know sends the look to all files.
  package func startsAgain(after failure: QueryError) throws(QueryError) -> Bool {
    if known.isEmpty { return false }
    restarts += 1
    if restarts > PathRelations.largestRestartCount { return false }
    if failure.mayStartAgain { return true }
    switch failure.code {
    case .columnNotFound, .invalidView:
      var isChanged = false
      for relation in known.values {
        do throws(QueryError) { if try relation.lookFurther() { isChanged = true } } catch {
          // That the name is missing says more, unless the new error itself leads on.
          if error.mayStartAgain { isChanged = true }
          if error.code.kind == .cancelled { throw error }
        }
      }
      return isChanged
    default: return false
    }
  }
}
