package import QueryEngine

/// Prints one result: a new output mode is one conforming type and one case in `OutputFormat`.
package protocol ResultRenderer: ResultConsumer {
  /// Called once after the last batch of a statement that succeeded.
  func end() throws(QueryError)
}
