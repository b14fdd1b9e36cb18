import Columnar
import Geospatial
import Glibc
import QueryErrors

extension TypePattern {
  static let geometry = TypePattern.exact(.geometry)
  static let sphericalGeography = TypePattern.exact(.sphericalGeography)
  static let bingTile = TypePattern.exact(.bingTile)
}

/// What a geospatial kernel keeps between batches: GEOS, once a row needs it.
final class GeospatialState {
  private var known: GEOSContext?

  /// - Throws: `NOT_SUPPORTED` where GEOS is not installed.
  func geos() throws(QueryError) -> GEOSContext {
    if let known { return known }
    let context = try GEOSContext()
    known = context
    return context
  }
}

/// One row's arguments of a geospatial function; none is NULL.
struct GeospatialRow {
  let columns: [Column]
  let views: [ColumnView]
  let row: Int
  let state: GeospatialState

  @inline(__always)
  func value<T: BitwiseCopyable>(_ index: Int, as _: T.Type) -> T { views[index].value(row, as: T.self) }

  func geometry(_ index: Int) throws(QueryError) -> Geometry {
    try value(index, as: StringView.self).withBytes { (p, n) throws(QueryError) -> Geometry in
      try WKBReader.read(p, n)
    }
  }

  /// The bytes of a geometry, to look into.
  @inline(__always)
  func stored<R>(_ index: Int, _ body: (StoredGeometry) -> R) -> R {
    value(index, as: StringView.self).withBytes { p, n in body(StoredGeometry(p, n)) }
  }

  /// A geometry of one of some kinds.
  ///
  /// - Parameter function: as the message names it.
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for other kinds.
  func geometry(_ index: Int, _ function: String, _ kinds: GeometryKind...) throws(QueryError) -> Geometry {
    let geometry = try geometry(index)
    try GeospatialRow.check(geometry, function, kinds)
    return geometry
  }

  static func check(_ geometry: Geometry, _ function: String, _ kinds: [GeometryKind]) throws(QueryError) {
    guard !kinds.contains(geometry.kind) else { return }
    let names = kinds.map(\.messageName).joined(separator: " or ")
    throw QueryError(
      .invalidFunctionArgument,
      "\(function) only applies to \(names). Input type is: \(geometry.kind.messageName)")
  }

  /// Like `geometry`, for functions of the sphere.
  func geography(_ index: Int, _ function: String, _ kinds: GeometryKind...) throws(QueryError) -> Geometry? {
    let geometry = try geometry(index)
    if geometry.isEmpty { return nil }
    guard kinds.contains(geometry.kind) else {
      let names = kinds.map(\.messageName).joined(separator: " or ")
      throw QueryError(
        .invalidFunctionArgument,
        "When applied to SphericalGeography inputs, \(function) only supports \(names). Input type is: "
          + geometry.kind.messageName)
    }
    return geometry
  }

  /// The elements of an array of geometries; nil for NULL.
  func geometries(_ index: Int) throws(QueryError) -> [Geometry?] {
    let input = ArrayInput(columns[index])
    let view = input.elements.view
    var list: [Geometry?] = []
    for at in input.range(row) {
      if view.isNull(at) {
        list.append(nil)
        continue
      }
      list.append(
        try view.value(at, as: StringView.self).withBytes { (p, n) throws(QueryError) -> Geometry in
          try WKBReader.read(p, n)
        })
    }
    return list
  }
}

extension RowContext {
  /// The value of a column of type Geometry.
  mutating func geometry(_ geometry: Geometry) -> StringView { string(WKBWriter.bytes(geometry)) }
}

extension ScalarOverload {
  /// A form whose body works row by row; it may answer NULL, and what it throws fails its row.
  @inline(__always)
  static func geospatial<R: KernelValue>(
    _ parameters: [TypePattern], returns: DataType, as _: R.Type = R.self,
    _ body: @escaping @Sendable (GeospatialRow, inout RowContext) throws(QueryError) -> R?
  ) -> ScalarOverload {
    ScalarOverload(
      Signature(parameters, returns: .exact(returns)),
      makeKernel: { (_: SignatureBinding) throws(QueryError) -> Kernel in
        let state = GeospatialState()
        return { (columns, rowCount, context) throws(QueryError) -> Column in
          let views = columns.map(\.view)
          let result = mapRowsOrNull(columns, rowCount, &context) { row, rows -> R? in
            do throws(QueryError) {
              return try body(GeospatialRow(columns: columns, views: views, row: row, state: state), &rows)
            } catch {
              rows.errors.record(row, error)
              return nil
            }
          }
          return withExtendedLifetime(columns) { result }
        }
      })
  }

  /// A form that answers a geometry.
  static func makesGeometry(
    _ parameters: [TypePattern], returns: DataType = .geometry,
    _ body: @escaping @Sendable (GeospatialRow) throws(QueryError) -> Geometry?
  ) -> ScalarOverload {
    .geospatial(parameters, returns: returns, as: StringView.self) { (row, rows) throws(QueryError) -> StringView? in
      guard let geometry = try body(row) else { return nil }
      return rows.geometry(geometry)
    }
  }

  /// A form that answers an array or row of which the body appends one to a builder; false stands for NULL.
  static func buildsNested(
    _ parameters: [TypePattern], returns: DataType,
    _ body: @escaping @Sendable (GeospatialRow, ColumnBuilder) throws(QueryError) -> Bool
  ) -> ScalarOverload {
    ScalarOverload(
      Signature(parameters, returns: .exact(returns)),
      makeKernel: { (_: SignatureBinding) throws(QueryError) -> Kernel in
        let state = GeospatialState()
        return { (columns, rowCount, context) throws(QueryError) -> Column in
          let views = columns.map(\.view)
          let builder = ColumnBuilder(returns, capacity: max(rowCount, 1))
          for row in 0..<rowCount {
            if views.contains(where: { $0.isNull(row) }) {
              builder.appendNull()
              continue
            }
            do throws(QueryError) {
              let input = GeospatialRow(columns: columns, views: views, row: row, state: state)
              if !(try body(input, builder)) { builder.appendNull() }
            } catch {
              context.errors.record(row, error)
              builder.appendNull()
            }
            if let elements = builder.children.first { try checkElementCount(elements.count) }
          }
          return withExtendedLifetime(columns) { builder.finish() }
        }
      })
  }
}

extension ColumnBuilder {
  func append(_ geometry: Geometry) {
    let bytes = WKBWriter.bytes(geometry)
    bytes.withUnsafeBytes { append(bytes: $0) }
  }

  /// Ends an array of geometries.
  func append(arrayOf geometries: [Geometry]) {
    for geometry in geometries { children[0].append(geometry) }
    endNested()
  }
}
