package import Columnar
import QueryErrors

/// A function over a window that is no aggregate: ranking and value functions.
package struct WindowFunction: Sendable {
  package var name: String
  package var summary: String
  package var examples: [Example]
  package var signatures: [Signature]
  /// Whether the frame matters (`first_value`), or the whole partition is looked at (`rank`, `lag`).
  package var usesFrame: Bool
  package var evaluate: WindowEvaluator

  package init(
    _ name: String, summary: String, examples: [Example] = [], signatures: [Signature], usesFrame: Bool = false,
    evaluate: @escaping WindowEvaluator
  ) {
    self.name = name
    self.summary = summary
    self.examples = examples
    self.signatures = signatures
    self.usesFrame = usesFrame
    self.evaluate = evaluate
  }
}

/// Sorted rows of one or more whole partitions, and where partitions, peers and frames lie.
///
/// - Shape: all arrays have `rowCount` entries; positions count from 0 over the whole input.
package struct WindowInput {
  package var arguments: [Column]
  package var rowCount: Int
  package var returnType: DataType
  /// First row of the row's partition, and one past its last.
  package var partitionStart: UnsafePointer<Int32>
  package var partitionEnd: UnsafePointer<Int32>
  /// First row of the row's peer group (equal in ORDER BY), and one past its last.
  package var peerStart: UnsafePointer<Int32>
  package var peerEnd: UnsafePointer<Int32>
  /// The row's frame, half open; equal or crossed bounds mean an empty frame.
  package var frameStart: UnsafePointer<Int32>
  package var frameEnd: UnsafePointer<Int32>
  /// IGNORE NULLS.
  package var ignoresNulls: Bool
  /// Where the arguments of each row failed the function's own rules.
  package var session: SessionContext

  package init(
    arguments: [Column], rowCount: Int, returnType: DataType, partitionStart: UnsafePointer<Int32>,
    partitionEnd: UnsafePointer<Int32>, peerStart: UnsafePointer<Int32>, peerEnd: UnsafePointer<Int32>,
    frameStart: UnsafePointer<Int32>, frameEnd: UnsafePointer<Int32>, ignoresNulls: Bool, session: SessionContext
  ) {
    self.arguments = arguments
    self.rowCount = rowCount
    self.returnType = returnType
    self.partitionStart = partitionStart
    self.partitionEnd = partitionEnd
    self.peerStart = peerStart
    self.peerEnd = peerEnd
    self.frameStart = frameStart
    self.frameEnd = frameEnd
    self.ignoresNulls = ignoresNulls
    self.session = session
  }
}
