import Columnar
import Geospatial
import QueryErrors

/// Aggregates of geometries.
///
/// - Source: Trino `GeometryUnionAgg`, `ConvexHullAggregation`.
package enum GeometryAggregateFunctions: AggregateFamily {
  package static let title = "Geometries"

  package static let functions: [AggregateFunction] = [
    AggregateFunction(
      "convex_hull_agg", summary: "The smallest convex geometry around all geometries.",
      examples: [
        Example(
          "(SELECT convex_hull_agg(ST_Point(x, y)) FROM (VALUES (0, 0), (4, 0), (2, 1), (2, 4)) t(x, y))",
          "POLYGON ((0 0, 4 0, 2 4, 0 0))")
      ], ignoresDuplicates: true, overloads: [form(.convexHull)]),
    AggregateFunction(
      "geometry_union_agg", summary: "All points of all geometries.",
      examples: [
        Example(
          "(SELECT geometry_union_agg(ST_Point(x, 1)) FROM (VALUES 3, 1, 3) t(x))", "MULTIPOINT ((1 1), (3 1))")
      ], ignoresDuplicates: true, overloads: [form(.union)]),
  ]

  private static func form(_ operation: GeometryAccumulator.Operation) -> AggregateOverload {
    AggregateOverload([.exact(.geometry)], returns: .exact(.geometry)) { (_) throws(QueryError) in
      GeometryAccumulator(operation)
    }
  }
}

/// Collects each group's geometries and combines them when their points have doubled since the last time, so that work
/// and memory follow the size of the result.
final class GeometryAccumulator: GroupsAccumulator {
  enum Operation { case union, convexHull }

  private struct State {
    var geometries: [Geometry] = []
    var pointCount = 0
    /// Points at which to combine.
    var limit = GeometryAccumulator.firstLimit
  }
  private static let firstLimit = 4096
  private static let bytesPerPoint = 16
  private static let bytesPerGeometry = 64

  private let operation: Operation
  private let geospatial = GeospatialState()
  private var states: [State] = []
  private(set) var byteCount = 0

  init(_ operation: Operation) { self.operation = operation }

  func resize(groupCount: Int) {
    while states.count < groupCount { states.append(State()) }
  }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let column = arguments[0]
    let view = column.view
    try forEachRow(column.validity, groups, rowCount) { (group, row) throws(QueryError) in
      let value = view.value(row, as: StringView.self)
      let geometry = try value.withBytes { (p, n) throws(QueryError) -> Geometry in try WKBReader.read(p, n) }
      try add(geometry, to: group)
    }
    withExtendedLifetime(column) {}
  }

  private func add(_ geometry: Geometry, to group: Int) throws(QueryError) {
    // Empty geometries only count where there is nothing else.
    if geometry.isEmpty, !states[group].geometries.isEmpty { return }
    if let first = states[group].geometries.first, first.isEmpty { states[group].geometries = [] }
    let count = geometry.pointCount
    states[group].geometries.append(geometry)
    states[group].pointCount += count
    byteCount += count * GeometryAccumulator.bytesPerPoint + GeometryAccumulator.bytesPerGeometry
    if states[group].pointCount >= states[group].limit { try combine(group) }
  }

  private func combined(_ geometries: [Geometry]) throws(QueryError) -> Geometry {
    switch operation {
    case .union: return try geospatial.geos().union(geometries)
    case .convexHull:
      let all = geometries.count == 1 ? geometries[0] : .collection(geometries)
      return all.isEmpty ? all : try geospatial.geos().convexHull(all)
    }
  }

  /// Replaces a group's geometries by the one they make.
  private func combine(_ group: Int) throws(QueryError) {
    let before = states[group]
    let geometry = try combined(before.geometries)
    let count = geometry.pointCount
    states[group].geometries = [geometry]
    states[group].pointCount = count
    states[group].limit = max(GeometryAccumulator.firstLimit, 2 * count)
    byteCount -= (before.pointCount - count) * GeometryAccumulator.bytesPerPoint
    byteCount -= (before.geometries.count - 1) * GeometryAccumulator.bytesPerGeometry
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! GeometryAccumulator
    try forEachPair(sources, targets, count) { (source, target) throws(QueryError) in
      for geometry in other.states[source].geometries { try add(geometry, to: target) }
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let builder = ColumnBuilder(.geometry, capacity: max(range.count, 1))
    for group in range {
      let geometries = states[group].geometries
      if geometries.isEmpty { builder.appendNull() } else { builder.append(try combined(geometries)) }
    }
    return builder.finish()
  }
}
