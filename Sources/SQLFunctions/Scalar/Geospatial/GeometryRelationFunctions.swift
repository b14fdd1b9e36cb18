import Columnar
import Geospatial
import Glibc
import QueryErrors

/// How two geometries lie to each other.
///
/// - Source: Trino `GeoFunctions`; OGC 06-103r4, section 6.1.15.
package enum GeometryRelationFunctions: FunctionFamily {
  package static let title = "Geometries: relations"

  package static let functions: [ScalarFunction] = [
    relation(
      "st_contains", "Whether no point of the second geometry lies outside of the first, and their insides meet.",
      "ST_Contains(ST_Polygon('POLYGON ((0 0, 0 4, 4 4, 4 0))'), ST_Point(1, 1))", "true"
    ) { (pair) throws(QueryError) -> Bool in
      pair.left.envelope.contains(pair.right.envelope) ? try pair.test(.contains) : false
    },
    relation(
      "st_within", "Whether no point of the first geometry lies outside of the second, and their insides meet.",
      "ST_Within(ST_Point(1, 1), ST_Polygon('POLYGON ((0 0, 0 4, 4 4, 4 0))'))", "true"
    ) { (pair) throws(QueryError) -> Bool in
      pair.right.envelope.contains(pair.left.envelope) ? try pair.swapped.test(.contains) : false
    },
    relation(
      "st_intersects", "Whether two geometries have a point in common.",
      "ST_Intersects(ST_LineFromText('LINESTRING (1 1, 3 3)'), ST_LineFromText('LINESTRING (3 1, 1 3)'))", "true"
    ) { (pair) throws(QueryError) -> Bool in try pair.intersects() },
    relation(
      "st_disjoint", "Whether two geometries have no point in common.",
      "ST_Disjoint(ST_Point(1, 1), ST_Point(2, 2))", "true"
    ) { (pair) throws(QueryError) -> Bool in try !pair.intersects() },
    relation(
      "st_crosses", "Whether two geometries have some, but not all, inner points in common.",
      "ST_Crosses(ST_LineFromText('LINESTRING (0 0, 1 1)'), ST_LineFromText('LINESTRING (1 0, 0 1)'))", "true"
    ) { (pair) throws(QueryError) -> Bool in
      pair.left.envelope.intersects(pair.right.envelope) ? try pair.test(.crosses) : false
    },
    relation(
      "st_overlaps", "Whether two geometries of one dimension meet, and neither lies within the other.",
      "ST_Overlaps(ST_Polygon('POLYGON ((1 1, 1 4, 4 4, 4 1))'), ST_Polygon('POLYGON ((3 3, 3 5, 5 5, 5 3))'))", "true"
    ) { (pair) throws(QueryError) -> Bool in
      pair.left.envelope.intersects(pair.right.envelope) ? try pair.test(.overlaps) : false
    },
    relation(
      "st_touches", "Whether two geometries have points in common, but no inner ones.",
      "ST_Touches(ST_Point(1, 2), ST_Polygon('POLYGON ((1 1, 1 4, 4 4, 4 1))'))", "true"
    ) { (pair) throws(QueryError) -> Bool in
      pair.left.envelope.intersects(pair.right.envelope) ? try pair.test(.touches) : false
    },
    relation(
      "st_equals", "Whether two geometries are the same set of points.",
      "ST_Equals(ST_LineFromText('LINESTRING (0 0, 2 2)'), ST_LineFromText('LINESTRING (2 2, 0 0)'))", "true"
    ) { (pair) throws(QueryError) -> Bool in try pair.test(.equals) },
    ScalarFunction(
      "st_relate", summary: "Whether insides, boundaries and outsides of two geometries meet as a DE-9IM pattern says.",
      examples: [
        Example(
          "ST_Relate(ST_Polygon('POLYGON ((2 0, 2 1, 3 1))'), ST_Polygon('POLYGON ((1 1, 1 4, 4 4, 4 1))'), '****T****')",
          "true")
      ],
      overloads: [
        .geospatial([.geometry, .geometry, .exact(.text)], returns: .boolean) {
          (row, _) throws(QueryError) -> Bool? in
          let geos = try row.state.geos()
          let (a, b) = (try geos.shape(try row.geometry(0)), try geos.shape(try row.geometry(1)))
          return try geos.relate(a, b, row.value(2, as: StringView.self).string)
        }
      ]),
    ScalarFunction(
      "st_distance",
      summary: "The shortest distance between two geometries: in the plane, or between points in meters on the Earth.",
      examples: [Example("ST_Distance(ST_Point(0, 0), ST_Point(3, 4))", "5.0")],
      overloads: [
        pairs(returns: .double, as: Double.self) { (pair) throws(QueryError) -> Double? in
          if pair.left.envelope.isEmpty || pair.right.envelope.isEmpty { return nil }
          if let a = pair.left.point, let b = pair.right.point { return a.distance(to: b) }
          let geos = try pair.state.geos()
          return try geos.distance(try pair.left.shape(geos), try pair.right.shape(geos))
        },
        .geospatial([.sphericalGeography, .sphericalGeography], returns: .double) {
          (row, _) throws(QueryError) -> Double? in
          if row.stored(0, { $0.envelope.isEmpty }) || row.stored(1, { $0.envelope.isEmpty }) { return nil }
          guard case .point(let a?)? = try row.geography(0, "ST_Distance", .point),
            case .point(let b?)? = try row.geography(1, "ST_Distance", .point)
          else { return nil }
          try checkPlace(a)
          try checkPlace(b)
          return SphericalMeasures.kilometers(from: a, to: b) * 1000
        },
      ]),
    ScalarFunction(
      "geometry_nearest_points", summary: "The places of two geometries that are nearest to each other.",
      examples: [
        Example(
          "geometry_nearest_points(ST_LineFromText('LINESTRING (50 100, 50 200)'), ST_Point(20, 20))[1]", "POINT (50 100)")
      ],
      overloads: [
        .buildsNested(
          [.geometry, .geometry],
          returns: .row([.init(name: nil, type: .geometry), .init(name: nil, type: .geometry)])
        ) { (row, builder) throws(QueryError) -> Bool in
          let (a, b) = (try row.geometry(0), try row.geometry(1))
          if a.isEmpty || b.isEmpty { return false }
          let nearest = try row.state.geos().nearestPoints(a, b)
          builder.children[0].append(.point(nearest.0))
          builder.children[1].append(.point(nearest.1))
          builder.endRow()
          return true
        }
      ]),
    ScalarFunction(
      "great_circle_distance", summary: "The distance in kilometers between two places, each a latitude and a longitude.",
      examples: [Example("round(great_circle_distance(36.12, -86.67, 33.94, -118.40), 3)", "2886.449")],
      overloads: [
        .geospatial([.double, .double, .double, .double], returns: .double) {
          (row, _) throws(QueryError) -> Double? in
          let a = Coordinate(row.value(1, as: Double.self), row.value(0, as: Double.self))
          let b = Coordinate(row.value(3, as: Double.self), row.value(2, as: Double.self))
          try checkPlace(a)
          try checkPlace(b)
          return SphericalMeasures.kilometers(from: a, to: b)
        }
      ]),
  ]

  private static func checkPlace(_ place: Coordinate) throws(QueryError) {
    try SphericalMeasures.checkLatitude(place.y)
    try SphericalMeasures.checkLongitude(place.x)
  }

  private static func relation(
    _ name: String, _ summary: String, _ call: String, _ result: String,
    _ body: @escaping @Sendable (GeometryPair) throws(QueryError) -> Bool
  ) -> ScalarFunction {
    ScalarFunction(
      name, summary: summary, examples: [Example(call, result)],
      overloads: [
        pairs(returns: .boolean, as: Bool.self) { (pair) throws(QueryError) -> Bool? in try body(pair) }
      ])
  }

  /// A form of two geometries, of which those that come again, as in joins and with constants, are read only once.
  private static func pairs<R: KernelValue>(
    returns: DataType, as _: R.Type, _ body: @escaping @Sendable (GeometryPair) throws(QueryError) -> R?
  ) -> ScalarOverload {
    ScalarOverload(
      Signature([.geometry, .geometry], returns: .exact(returns)),
      makeKernel: { (_: SignatureBinding) throws(QueryError) -> Kernel in
        let state = GeospatialState()
        let (lefts, rights) = (LastGeometry(), LastGeometry())
        return { (columns, rowCount, context) throws(QueryError) -> Column in
          let (x, y) = (columns[0].view, columns[1].view)
          lefts.beginBatch()
          rights.beginBatch()
          let result = mapRowsOrNull(columns, rowCount, &context) { row, rows -> R? in
            let pair = GeometryPair(
              left: lefts.operand(x.value(row, as: StringView.self)),
              right: rights.operand(y.value(row, as: StringView.self)), state: state)
            do throws(QueryError) {
              return try body(pair)
            } catch {
              rows.errors.record(row, error)
              return nil
            }
          }
          return withExtendedLifetime(columns) { result }
        }
      })
  }
}

/// One of two geometries that are compared, with what is already known of it.
private final class GeometryOperand {
  let bytes: [UInt8]
  let envelope: Envelope
  let point: Coordinate?
  /// How many rows had it before.
  var useCount = 0
  private var known: GEOSContext.Shape?

  init(_ value: StringView) {
    bytes = value.bytes
    (envelope, point) = value.withBytes { p, n in
      let stored = StoredGeometry(p, n)
      return (stored.envelope, stored.point)
    }
  }

  func shape(_ geos: GEOSContext) throws(QueryError) -> GEOSContext.Shape {
    if let known { return known }
    let shape = try geos.shape(bytes, bytes.count)
    known = shape
    return shape
  }
}

/// Keeps the geometry of the last row.
private final class LastGeometry {
  private var view = StringView()
  /// Whether `view` is of this batch; other batches may keep other bytes at the same address.
  private var isOfBatch = false
  private var last: GeometryOperand?

  func beginBatch() { isOfBatch = false }

  func operand(_ value: StringView) -> GeometryOperand {
    if let last {
      let isSame =
        isOfBatch && value.low == view.low && value.high == view.high
        || value.withBytes { p, n in n == last.bytes.count && memcmp(p, last.bytes, n) == 0 }
      if isSame {
        view = value
        isOfBatch = true
        last.useCount += 1
        return last
      }
    }
    let operand = GeometryOperand(value)
    last = operand
    view = value
    isOfBatch = true
    return operand
  }
}

/// The two geometries of a row.
private struct GeometryPair {
  let left: GeometryOperand
  let right: GeometryOperand
  let state: GeospatialState

  var swapped: GeometryPair { GeometryPair(left: right, right: left, state: state) }

  func test(_ relation: GEOSContext.Relation) throws(QueryError) -> Bool {
    let geos = try state.geos()
    return try geos.test(
      relation, try left.shape(geos), try right.shape(geos), isIndexed: left.useCount > 0 && left.point == nil)
  }

  func intersects() throws(QueryError) -> Bool {
    guard left.envelope.intersects(right.envelope) else { return false }
    if left.point != nil || right.useCount > left.useCount { return try swapped.test(.intersects) }
    return try test(.intersects)
  }
}
