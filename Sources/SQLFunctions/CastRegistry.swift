package import Columnar
import QueryErrors

/// Finds the kernel of a cast.
package enum CastRegistry {
  /// Whether `CAST(x AS to)` exists for x of type `from`.
  package static func canCast(_ from: DataType, to: DataType) -> Bool { cast(from, to) != nil }

  /// The kernel of `CAST(x AS to)`: one argument column of type `from`, a result of type `to`.
  ///
  /// - Returns: nil when there is no such cast; the binder then says `Cannot cast X to Y`.
  /// - Nulls: NULL in, NULL out; a JSON null becomes NULL too.
  package static func makeKernel(from: DataType, to: DataType) -> KernelFactory? {
    guard let cast = cast(from, to) else { return nil }
    return { (_: SignatureBinding) throws(QueryError) -> Kernel in
      { (columns, rowCount, context) throws(QueryError) -> Column in
        let returnType = context.returnType
        context.returnType = to
        defer { context.returnType = returnType }
        if columns[0].isAllNull { return .nulls(to, count: rowCount) }
        return try cast(columns, rowCount, &context)
      }
    }
  }

  /// One cast: the argument, the row count, and where errors go; `context.returnType` is the target.
  typealias Cast = @Sendable ([Column], Int, inout KernelContext) throws(QueryError) -> Column

  /// The cast from one type to another; nil when there is none.
  ///
  /// - Source: the cast operators of Trino, release 401.
  static func cast(_ from: DataType, _ to: DataType) -> Cast? {
    if TypeCoercion.isTypeOnly(from, to: to) {
      return { (columns, _, _) throws(QueryError) -> Column in columns[0].retyped(to) }
    }
    if from == .unknown { return { (_, rowCount, _) throws(QueryError) -> Column in .nulls(to, count: rowCount) } }
    switch (from, to) {
    case (.json, _): return JSONCasts.fromJSON(to)
    case (_, .json): return JSONCasts.toJSON(from)
    case (.varchar, .varchar), (.varchar, .char), (.char, .char), (.char, .varchar):
      return TextCasts.betweenTexts(from, to)
    case (.varchar, _), (.char, _): return TextCasts.fromText(to)
    case (_, .varchar(let length)): return TextCasts.toText(from, length)
    case (.array, .array), (.map, .map), (.row, .row): return NestedCasts.cast(from, to)
    case (.uuid, .varbinary), (.ipaddress, .varbinary), (.varbinary, .uuid), (.varbinary, .ipaddress),
      (.hyperLogLog, .varbinary), (.p4HyperLogLog, .varbinary), (.setDigest, .varbinary), (.tDigest, .varbinary),
      (.qDigest, .varbinary), (.varbinary, .hyperLogLog), (.varbinary, .p4HyperLogLog), (.varbinary, .setDigest),
      (.varbinary, .tDigest), (.varbinary, .qDigest), (.hyperLogLog, .p4HyperLogLog):
      return BinaryCasts.cast(from, to)
    default: break
    }
    if from.isNumeric || from == .boolean, to.isNumeric || to == .boolean { return NumericCasts.cast(from, to) }
    return DateTimeCasts.cast(from, to)
  }
}
