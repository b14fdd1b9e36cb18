package import Columnar
package import QueryErrors

/// Finds the kernel of a cast.
package enum CastRegistry {
  /// Whether `CAST(x AS to)` exists for x of type `from`.
  package static func canCast(_ from: DataType, to: DataType) -> Bool { makeKernel(from: from, to: to) != nil }

  /// The kernel of `CAST(x AS to)`: one argument column of type `from`, a result of type `to`.
  ///
  /// - Returns: nil when there is no such cast; the binder then says `Cannot cast X to Y`.
  /// - Nulls: NULL in, NULL out.
  package static func makeKernel(from: DataType, to: DataType) -> KernelFactory? {
    if TypeCoercion.isTypeOnly(from, to: to) {
      return { (_: SignatureBinding) throws(QueryError) -> Kernel in
        { (columns, rowCount, context) throws(QueryError) -> Column in columns[0].retyped(to) }
      }
    }
    if from == .unknown {
      return { (_: SignatureBinding) throws(QueryError) -> Kernel in
        { (columns, rowCount, context) throws(QueryError) -> Column in Column.nulls(to, count: rowCount) }
      }
    }
    return nil
  }
}
