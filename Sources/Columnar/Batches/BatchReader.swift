package import QueryErrors

/// Yields batches one by one until nil.
///
/// - Threads: used by one worker at a time.
package protocol BatchReader: AnyObject {
  func next() throws(QueryError) -> Batch?
}
