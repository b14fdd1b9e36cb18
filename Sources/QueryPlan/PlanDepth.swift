package import QueryErrors

/// How deep plans nest, and how far they may.
///
/// Every statement's text can be made to nest as deep as its author likes: `a INTERSECT b INTERSECT …`, a chain of WITH
/// queries, a SELECT list of thousands of subqueries. Code that walks plans recurses, so plans beyond a limit are refused
/// before anything walks them, and deep ones are walked on a stack of their own (`DeepStack`).
package enum PlanDepth {
  /// Nodes on the longest way from a bound plan's root to a leaf.
  package static let largest = 10_000
  /// The same of an optimized plan, whose operators call each other.
  package static let largestExecutable = 2000
  /// Plans deeper than this are walked on a stack of their own.
  static let ordinary = 100

  /// Nodes on the longest way from the root to a leaf, through shared definitions too.
  package static func of(_ plan: LogicalPlan) -> Int {
    var deepest = 0
    var waiting = [(plan: plan, depth: 1)]
    while let (node, depth) = waiting.popLast() {
      deepest = max(deepest, depth)
      if case .common(let use) = node {
        deepest = max(deepest, depth + use.definition.depth)
      } else {
        for child in node.children { waiting.append((child, depth + 1)) }
      }
    }
    return deepest
  }

  /// - Parameter limit: nodes on the longest way that are allowed.
  /// - Throws: `STACK_OVERFLOW`.
  package static func check(_ plan: LogicalPlan, limit: Int = largest, at range: SourceRange? = nil) throws(QueryError) {
    guard of(plan) > limit else { return }
    throw QueryError(.stackOverflow, "statement is too large (its plan is nested too deeply)", at: range)
  }

  /// What `body` makes of a plan, on a stack that is deep enough for it to recurse.
  ///
  /// - Throws: what `body` throws; `STACK_OVERFLOW` where the system has no memory for the stack.
  package static func withStack<Result>(
    for plan: LogicalPlan, _ body: () throws(QueryError) -> Result
  ) throws(QueryError) -> Result {
    let depth = of(plan)
    return depth <= ordinary ? try body() : try DeepStack.run(byteCount: depth * DeepStack.levelByteCount, body)
  }
}
